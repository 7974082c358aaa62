/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing an adapter: options, what is known afterwards, names that survive, and each
 * failure on the way leaving nothing behind. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/adapter/adapter_state.h"
#include "hal/support/bits.h"
#include "hal/support/fault_plan.h"
#include "tests/testlib/fake_luns.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/record_fixture.h"

TestSuite(adapter, .timeout = 60);

enum { WHY = 160, STORE_SIZE = 1 << 20 };

static struct fixture {
    struct fake_exec exec;
    struct fake_afu afu;
    struct fake_luns luns;
    struct spipe *s;
    char why[WHY];
} f;

static void set_up(void)
{
    memset(&f, 0, sizeof f);
    fake_exec_init(&f.exec, 1);
    fake_luns_init(&f.luns);
    fake_afu_init(&f.afu, &f.exec, fake_luns_answer, &f.luns);
    for (unsigned port = 0; port < 2; port++)
        for (uint8_t n = 0; n < 2; n++)
            fake_luns_add(&f.luns, port, (uint64_t)n << 48, n);
}

/* Nothing is left, whatever happened. */
static void tear_down(void)
{
    fake_afu_fini(&f.afu);
    cr_assert_eq(f.exec.blocks, 0);
}

static int open_adapter(struct hal_record_store *store, const struct spipe_options *options)
{
    f.why[0] = '\0';
    return spipe_open(&f.exec.exec, &f.afu.dev, store, options, &f.s, f.why, WHY);
}

/* ---- open, ask, close ---- */

Test(adapter, open_and_close, .init = set_up, .fini = tear_down)
{
    struct spipe_adapter_info info;
    struct spipe_lun_info lun;

    cr_assert_eq(open_adapter(NULL, NULL), 0, "%s", f.why);
    spipe_adapter_info(f.s, &info);
    cr_expect_str_eq(info.afu_version, "FAKE0001");
    cr_expect_eq(info.interface_version, UINT64_C(0x8000000000010002));
    cr_expect_eq(info.ports, 2);
    cr_expect(info.port_online[0] && info.port_online[1]);
    cr_expect_not(info.port_online[2] || info.port_online[3]);
    cr_expect_eq(info.luns, 2);
    cr_expect_not(info.write_same_unmaps);
    cr_assert_eq(spipe_lun_info(f.s, 1, &lun), 0);
    cr_expect_eq(lun.wwid[15], 1);
    cr_expect_eq(lun.lun_id[1], UINT64_C(1) << 48);
    cr_expect_eq(lun.port_mask, 3);
    cr_expect_eq(lun.last_lba, 64 * 65536 + 99);
    cr_expect_eq(lun.block_size, 4096);
    cr_expect_eq(lun.chunks, 64);
    cr_expect_eq(lun.free_chunks, 64);
    cr_expect_eq(lun.users, 0);
    cr_expect_eq(lun.mode, SPIPE_LUN_NONE);
    cr_expect_eq(spipe_lun_info(f.s, 2, &lun), -ENOENT);
    cr_expect_eq(spipe_lun_info(f.s, UINT32_MAX, &lun), -ENOENT);
    PROVES(AD_16); /* the scan is over when the adapter is open */
    spipe_close(f.s);
}

Test(adapter, as_it_begins, .init = set_up, .fini = tear_down)
{
    struct spipe_adapter_info info;

    cr_assert_eq(open_adapter(NULL, NULL), 0);
    spipe_adapter_info(f.s, &info);
    cr_expect_eq(info.state, SPIPE_STATE_NORMAL);
    cr_expect_eq(info.internal_lun, 0);
    cr_expect_eq(f.s->promote_lun_index, 0);
    for (unsigned port = 0; port < 4; port++)
        cr_expect_eq(f.s->last_lun_index[port], 255);
    cr_expect_not(f.s->ws_unmap);
    cr_expect_null(f.s->all);
    PROVES(AD_12);
    spipe_close(f.s);
}

/* AD-130, AD-132: the master ends, or the AFU could not be reset; it is initialised, and a
 * second passes. */
Test(adapter, reset, .init = set_up, .fini = tear_down)
{
    const uint64_t start = AFU_HOST_BASE(0) + AFU_HOST_RRQ_START, unlocked = 0x600000000000000F;
    uint64_t *capability, begin;

    cr_assert_eq(open_adapter(NULL, NULL), 0);
    capability = fake_afu_register(&f.afu, 0x2000000 + 0x10);
    *fake_afu_register(&f.afu, start) = *capability = 0;
    begin = f.exec.now;
    cr_assert_eq(spipe_reset(f.s), 0);
    cr_expect_eq(f.exec.now - begin, 1000000000 + 200000000, "and 100 ms for each port");
    cr_expect_eq(f.afu.afu_resets, 2);
    cr_expect_eq(spipe__generation(f.s), 2);
    cr_expect_eq(*fake_afu_register(&f.afu, start), spipe__queue_rrq_start(&f.s->hwq[0].queue));
    cr_expect_eq(*capability, unlocked);
    PROVES(AD_130);
    PROVES(AD_132);
    PROVES(R_31);
    spipe_close(f.s);
}

/* D-11: the state of the ports is read from the card, and only while there is one. */
Test(adapter, port_state_is_read_now, .init = set_up, .fini = tear_down)
{
    struct spipe_adapter_info info;

    cr_assert_eq(open_adapter(NULL, NULL), 0);
    *fake_afu_register(&f.afu, 0x2013018) = 0x10;
    spipe_adapter_info(f.s, &info);
    cr_expect(info.port_online[0]);
    cr_expect_not(info.port_online[1]);
    cr_expect_eq(info.state, SPIPE_STATE_NORMAL);
    gate_force(&f.s->gate, SPIPE_STATE_FAILED);
    spipe__take_down(f.s);
    spipe_adapter_info(f.s, &info);
    cr_expect_not(info.port_online[0]);
    cr_expect_eq(info.state, SPIPE_STATE_FAILED);
    spipe_close(f.s);
    PROVES(D_11);
}

Test(adapter, options, .init = set_up, .fini = tear_down)
{
    struct spipe_options o = {.size = sizeof o};
    const uint64_t end = AFU_HOST_BASE(0) + AFU_HOST_RRQ_END;
    const uint64_t start = AFU_HOST_BASE(0) + AFU_HOST_RRQ_START;

    cr_assert_eq(open_adapter(NULL, &o), 0);
    cr_expect_eq(*fake_afu_register(&f.afu, end) - *fake_afu_register(&f.afu, start), 511 * 8);
    cr_expect_eq(f.s->order, HAL_ORDER_HOST);
    spipe_close(f.s);
    o.rrq_elements = 16;
    o.order = SPIPE_ORDER_BIG;
    cr_assert_eq(open_adapter(NULL, &o), 0);
    cr_expect_eq(*fake_afu_register(&f.afu, end) - *fake_afu_register(&f.afu, start), 15 * 8);
    cr_expect_eq(f.s->order, HAL_ORDER_BIG);
    spipe_close(f.s);
    o.order = SPIPE_ORDER_LITTLE;
    cr_assert_eq(open_adapter(NULL, &o), 0);
    cr_expect_eq(f.s->order, HAL_ORDER_LITTLE);
    cr_expect_eq(spipe_hwqs_get(f.s), 1);
    spipe_close(f.s);
    o.hwqs = 8;
    o.cpus = 3;
    cr_assert_eq(open_adapter(NULL, &o), 0);
    cr_expect_eq(spipe_hwqs_get(f.s), 8);
    cr_assert_eq(spipe_hwqs_set(f.s, 0), 0);
    cr_expect_eq(spipe_hwqs_get(f.s), 3);
    spipe_close(f.s);
}

Test(adapter, bad_options, .init = set_up, .fini = tear_down)
{
    const struct spipe_options bad[] = {
        {.size = 0},
        {.size = sizeof(struct spipe_options) + 8},
        {.size = sizeof(struct spipe_options), .rrq_elements = 1},
        {.size = sizeof(struct spipe_options), .rrq_elements = 65537},
        {.size = sizeof(struct spipe_options), .order = (enum spipe_order)3},
        {.size = sizeof(struct spipe_options), .hwqs = 9},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++) {
        cr_expect_eq(open_adapter(NULL, &bad[i]), -EINVAL, "case %zu", i);
        cr_expect_neq(f.why[0], '\0');
    }
}

/* Nothing that two executions share could be locked. */
Test(adapter, a_peer_from_elsewhere, .init = set_up, .fini = tear_down)
{
    struct spipe_options o = {.size = sizeof o};
    struct fake_exec elsewhere;
    struct spipe *none = NULL;

    fake_exec_init(&elsewhere, 1);
    cr_assert_eq(open_adapter(NULL, NULL), 0);
    o.peer = f.s;
    cr_expect_eq(spipe_open(&elsewhere.exec, &f.afu.dev, NULL, &o, &none, f.why, WHY), -EINVAL);
    cr_expect_str_eq(f.why, "the peer runs in another environment");
    cr_expect_eq(elsewhere.allocations, 0);
    spipe_close(f.s);
}

/* ---- names ---- */

static struct hal_record_store *new_store(void)
{
    rec_begin(STORE_SIZE);
    return &rx.log.store;
}

static void name_chunks(struct hal_record_store *store, const char *name, uint8_t lun,
                        const uint32_t *chunks, uint32_t n)
{
    const uint8_t wwid[16] = {0x60, 0x05, 0x07, 0x68, [15] = lun};
    struct spipe__cat *cat;

    cr_assert_eq(spipe__cat_open(&f.exec.exec, store, &cat, NULL), 0);
    cr_assert_eq(spipe__cat_replace(cat, name, wwid, chunks, n, 0, NULL, NULL), 0);
    spipe__cat_close(cat);
}

/* Chunks with a name are out of circulation from the start. */
Test(adapter, names_reserve_their_chunks, .init = set_up, .fini = tear_down)
{
    static const uint32_t chunks[] = {0, 7, 63};
    struct hal_record_store *store = new_store();
    struct spipe_lun_info lun;

    name_chunks(store, "kept", 1, chunks, 3);
    name_chunks(store, "elsewhere", 9, chunks, 3); /* a LUN that is not here today */
    cr_assert_eq(open_adapter(store, NULL), 0, "%s", f.why);
    cr_assert_eq(spipe_lun_info(f.s, 1, &lun), 0);
    cr_expect_eq(lun.chunks, 64);
    cr_expect_eq(lun.free_chunks, 61);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(spipe__ba_references(f.s->lun[1].global->ba, chunks[i]), 1);
    cr_assert_eq(spipe_lun_info(f.s, 0, &lun), 0);
    cr_expect_eq(lun.free_chunks, 64);
    cr_expect_eq(lun.mode, SPIPE_LUN_NONE);
    spipe_close(f.s);
    rec_end();
}

Test(adapter, names_of_chunks_that_do_not_exist, .init = set_up, .fini = tear_down)
{
    static const uint32_t good[] = {1}, bad[] = {2, 64};
    struct hal_record_store *store = new_store();

    name_chunks(store, "good", 0, good, 1);
    name_chunks(store, "bad", 1, bad, 2);
    cr_expect_eq(open_adapter(store, NULL), -EILSEQ);
    cr_expect_neq(f.why[0], '\0');
    rec_end();
}

Test(adapter, damaged_catalogue, .init = set_up, .fini = tear_down)
{
    struct hal_record_store *store = new_store();

    cr_assert_eq(hal_record_append(store, "\x01no such record", 15), 0);
    cr_expect_eq(open_adapter(store, NULL), -EILSEQ);
    cr_expect_neq(f.why[0], '\0');
    rec_end();
}

/* ---- failures ---- */

/* Every allocation fails once; with names, so that all kinds of memory are needed. */
Test(adapter, out_of_memory, .init = set_up, .fini = tear_down)
{
    static const uint32_t chunks[] = {3};
    struct hal_record_store *store = new_store();
    size_t before;
    int rc = -ENOMEM;

    name_chunks(store, "a", 0, chunks, 1);
    name_chunks(store, "b", 1, chunks, 1);
    before = f.exec.blocks;
    for (int n = 0; rc; n++) {
        f.exec.fail_after = n;
        rc = open_adapter(store, NULL);
        cr_assert(rc == 0 || rc == -ENOMEM, "allocation %d: %d", n, rc);
        cr_assert(rc == 0 || (f.exec.blocks == before && f.afu.regions == 0));
        cr_assert(rc == 0 || f.why[0]);
    }
    f.exec.fail_after = FAKE_EXEC_NEVER;
    spipe_close(f.s);
    cr_assert_eq(f.exec.blocks, before);
    rec_end();
}

Test(adapter, afu_that_is_not_there, .init = set_up, .fini = tear_down)
{
    f.afu.dead = true;
    cr_expect_eq(open_adapter(NULL, NULL), -ENODEV);
    cr_expect_neq(f.why[0], '\0');
}

Test(adapter, back_level_afu, .init = set_up, .fini = tear_down)
{
    *fake_afu_register(&f.afu, 0x2010808) = UINT64_MAX;
    cr_expect_eq(open_adapter(NULL, NULL), -EINVAL);
}

/* The first command is lost and the AFU does not give it up. */
Test(adapter, discovery_that_fails, .init = set_up, .fini = tear_down)
{
    fake_luns_fail(&f.luns, 0, &(struct fake_answer){.lost = true});
    f.afu.reset_reads = 11;
    cr_expect_eq(open_adapter(NULL, NULL), -EIO);
    cr_expect_neq(f.why[0], '\0');
}

/* Nobody has to want the sentence. */
Test(adapter, failure_without_a_sentence, .init = set_up, .fini = tear_down)
{
    struct spipe *s = NULL;

    f.afu.dead = true;
    cr_expect_eq(spipe_open(&f.exec.exec, &f.afu.dev, NULL, NULL, &s, NULL, 0), -ENODEV);
    cr_expect_null(s, "untouched on failure");
}

/* Open again and again: nothing accumulates. */
Test(adapter, many_times, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < 50; i++) {
        cr_assert_eq(open_adapter(NULL, NULL), 0);
        spipe_close(f.s);
        cr_assert_eq(f.exec.blocks, 0);
    }
    cr_expect_eq(f.afu.afu_resets, 50);
}

/* Fault rules follow what core announces, under the names of its states. */
Test(adapter, fault_rules_know_its_states)
{
    static const struct fault_site site = {"any", "FS-9", "d", "a site"};
    static const struct fault_registry registry = {&site, 1};
    static struct fault_plan plan, *const plans[] = {&plan};

    for (unsigned state = 0; state <= SPIPE_STATE_FAILED; state++) {
        char rule[32];

        snprintf(rule, sizeof rule, "any@%s#1=d", spipe_state_name((enum spipe_state)state));
        fault_plan_init(&plan, &registry);
        fault_plan_note(&plan, HAL_NOTE_STATE, SPIPE__MACHINE_ADAPTER, state);
        cr_assert_eq(fault_plans_load(plans, 1, rule, NULL, 0), 0);
        cr_assert(fault_plan_count(&plan, 0));
        cr_assert_eq(fault_plan_match(&plan, 0, NULL), 'd');
    }
}
