/* SPDX-License-Identifier: Apache-2.0 */
/* Finding LUNs: unified by name over ports, every single command failing in turn, ports that are
 * down or still logging in, and devices that do not qualify. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/pause.h"
#include "core/lun/lun_mode.h"
#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/proves.h"

TestSuite(lun_discovery, .timeout = 30);

#define LUN_ID(n) ((uint64_t)(n) << 48) /* SP-123 */

enum { COMMANDS = 10 }; /* for two LUNs on two ports: 1 + 2 x 2 a port */

static struct adapter_fixture f;
static char why[120];

static void set_up(void) { adapter_fixture_init(&f, HAL_ORDER_HOST); }
static void tear_down(void) { adapter_fixture_fini(&f); }

/* LUNs 0 and 1 on both ports; the second port knows them by other ids, in other order. */
static void set_up_two(void)
{
    set_up();
    fake_luns_add(&f.luns, 0, LUN_ID(0), 1);
    fake_luns_add(&f.luns, 0, LUN_ID(1), 2);
    fake_luns_add(&f.luns, 1, LUN_ID(7), 2);
    fake_luns_add(&f.luns, 1, LUN_ID(9), 1);
}

static int discover(void)
{
    why[0] = '\0';
    return spipe__discover_luns(&f.s, (struct spipe__why){why, sizeof why});
}

static void expect_two_luns(void)
{
    cr_assert_eq(f.s.lun_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct spipe__lun *lun = &f.s.lun[i];

        cr_expect_eq(lun->global->wwid[0], 0x60);
        cr_expect_eq(lun->global->wwid[15], i + 1);
        cr_expect_eq(lun->port_mask, 3);
        cr_expect_eq(lun->lun_id[0], LUN_ID(i));
        cr_expect_eq(lun->lun_id[1], LUN_ID(i ? 7 : 9));
        cr_expect_eq(lun->global->last_lba, 64 * 65536 + 99);
        cr_expect_eq(lun->global->block_size, 4096);
        cr_expect_eq(lun->global->mode, SPIPE_LUN_NONE);
        cr_expect_not(lun->in_table);
    }
}

Test(lun_discovery, luns_are_unified_by_name, .init = set_up_two, .fini = tear_down)
{
    cr_assert_eq(discover(), 0);
    expect_two_luns();
    cr_expect_eq(f.s.luns_skipped, 0);
    cr_expect_eq(f.luns.commands, COMMANDS);
    PROVES(SP_117);
    PROVES(SP_118);
    PROVES(SP_123);
    PROVES(SP_124);
}

/* SP-101 and the other two commands, literally. */
Test(lun_discovery, commands, .init = set_up_two, .fini = tear_down)
{
    static const uint8_t cdbs[3][16] = {
        {0xA0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0},
        {0x12, 0x01, 0x83, 0x10, 0},
        {0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0},
    };

    cr_assert_eq(discover(), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_arr_eq(f.luns.log[i].cdb, cdbs[i], 16, "command %u", i);
    cr_expect_eq(f.luns.log[0].lun_id, 0);
    cr_expect_eq(f.luns.log[4].lun_id, LUN_ID(1));
    cr_expect_eq(f.luns.log[5].target, 2);
    PROVES(SP_101);
}

Test(lun_discovery, again, .init = set_up_two, .fini = tear_down)
{
    cr_assert_eq(discover(), 0);
    cr_assert_eq(discover(), 0);
    expect_two_luns();
}

/* Every command fails once, with each error that is repeated: nothing is missing at the end. */
Test(lun_discovery, one_transient_error_anywhere, .init = set_up_two, .fini = tear_down)
{
    const struct fake_answer errors[] = {
        {.lost = true},
        {.rc = {.fc_rc = AFU_FC_RC_ABORTPEND}},
        {.rc = {.afu_rc = AFU_RC_OUT_OF_DATA_BUFS}},
        {.rc = {.scsi_rc = AFU_SCSI_RC_BUSY}},
        fake_check_condition(6, 0x29, 0),
        fake_check_condition(6, 0x3F, 0x0E),
    };

    for (size_t e = 0; e < HAL_ARRAY_LENGTH(errors); e++) {
        for (unsigned n = 0; n < COMMANDS; n++) {
            adapter_fixture_forget_luns(&f);
            f.luns.faults = 0;
            f.luns.commands = 0;
            fake_luns_fail(&f.luns, n, &errors[e]);
            cr_assert_eq(discover(), 0);
            expect_two_luns();
            cr_expect_eq(f.s.luns_skipped, 0, "error %zu at command %u", e, n);
        }
    }
}

/* An error that is not repeated costs that LUN on that port, or that port, and no more. */
Test(lun_discovery, one_lasting_error, .init = set_up_two, .fini = tear_down)
{
    struct fake_answer error = fake_check_condition(4, 0x44, 0);

    fake_luns_fail(&f.luns, 1, &error); /* INQUIRY of LUN 0 on port 0 */
    cr_assert_eq(discover(), 0);
    cr_assert_eq(f.s.lun_count, 2);
    cr_expect_eq(f.s.lun[0].global->wwid[15], 2);
    cr_expect_eq(f.s.lun[1].global->wwid[15], 1);
    cr_expect_eq(f.s.lun[1].port_mask, 2);
    cr_expect_eq(f.s.luns_skipped, 1);

    adapter_fixture_forget_luns(&f);
    f.luns.faults = 0;
    f.luns.commands = 0;
    fake_luns_fail(&f.luns, 5, &error); /* REPORT LUNS on port 1 */
    cr_assert_eq(discover(), 0);
    cr_assert_eq(f.s.lun_count, 2);
    cr_expect_eq(f.s.lun[0].port_mask, 1);
}

/* ---- ports ---- */

Test(lun_discovery, port_without_a_target, .init = set_up_two, .fini = tear_down)
{
    f.luns.ports_up = 2;
    cr_assert_eq(discover(), 0);
    cr_assert_eq(f.s.lun_count, 2);
    cr_expect_eq(f.s.lun[0].port_mask, 2);
    cr_expect_leq(f.exec.now, 2200 * SPIPE__MILLISECOND);
    f.luns.ports_up = 0;
    adapter_fixture_forget_luns(&f);
    cr_assert_eq(discover(), 0, "an adapter without any LUN is an adapter");
    cr_expect_eq(f.s.lun_count, 0);
}

/* A login takes 200 ms (MD-22): the port is asked until it is there. */
Test(lun_discovery, port_that_logs_in, .init = set_up_two, .fini = tear_down)
{
    struct fake_answer not_yet = {.rc = {.fc_rc = AFU_FC_RC_NOLOGI}};

    for (unsigned i = 0; i < 3; i++)
        fake_luns_fail(&f.luns, i, &not_yet);
    cr_assert_eq(discover(), 0);
    expect_two_luns();
    cr_expect_eq(f.exec.now, 300 * SPIPE__MILLISECOND);
}

/* ---- devices that do not qualify ---- */

static unsigned found_with(void (*spoil)(struct fake_lun *))
{
    unsigned found;

    adapter_fixture_init(&f, HAL_ORDER_HOST);
    spoil(fake_luns_add(&f.luns, 0, LUN_ID(0), 1));
    fake_luns_add(&f.luns, 0, LUN_ID(1), 2);
    cr_assert_eq(discover(), 0);
    found = f.s.lun_count;
    cr_expect_eq(found + f.s.luns_skipped, 2);
    adapter_fixture_fini(&f);
    return found;
}

static void nothing(struct fake_lun *lun) { (void)lun; }
static void no_blocks(struct fake_lun *lun) { lun->block_size = 0; }
static void odd_blocks(struct fake_lun *lun) { lun->block_size = 520; }
static void tiny_blocks(struct fake_lun *lun) { lun->block_size = 256; }
static void huge_blocks(struct fake_lun *lun) { lun->block_size = 8192; }
static void endless(struct fake_lun *lun) { lun->last_lba = UINT64_MAX; }
static void small_blocks(struct fake_lun *lun) { lun->block_size = 512; }
static void no_name(struct fake_lun *lun) { memset(lun->wwid, 0, 16); }
static void naa_5(struct fake_lun *lun) { lun->wwid[0] = 0x50; }
static void a_tape(struct fake_lun *lun) { lun->device_type = 1; }
static void not_connected(struct fake_lun *lun) { lun->device_type = 0x20; }

/* SP-105, SP-126 */
Test(lun_discovery, devices_that_do_not_qualify)
{
    static void (*const spoilers[])(struct fake_lun *) = {no_blocks,   odd_blocks, tiny_blocks,
                                                          huge_blocks, endless,    no_name,
                                                          naa_5,       a_tape,     not_connected};

    cr_expect_eq(found_with(nothing), 2);
    cr_expect_eq(found_with(small_blocks), 2);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(spoilers); i++)
        cr_expect_eq(found_with(spoilers[i]), 1, "spoiler %zu", i);
    PROVES(SP_105);
}

/* SP-102 takes "not ready" for a success; without data it is none (SP-105, SPW-23). */
Test(lun_discovery, not_ready_without_data, .init = set_up, .fini = tear_down)
{
    struct fake_answer not_ready = fake_check_condition(2, 0x04, 1);

    fake_luns_add(&f.luns, 0, LUN_ID(0), 1);
    fake_luns_fail(&f.luns, 2, &not_ready); /* READ CAPACITY */
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun_count, 0);
    cr_expect_eq(f.s.luns_skipped, 1);
    PROVES(SP_102);
    PROVES(SP_105);
}

/* Answers cut short are not read beyond what came. */
Test(lun_discovery, short_answers, .init = set_up, .fini = tear_down)
{
    fake_luns_add(&f.luns, 0, LUN_ID(0), 1);
    for (unsigned n = 0; n < 3; n++) {
        struct fake_answer nothing_came = {.rc = {.flags = 0x10}, .residual = 4096};

        adapter_fixture_forget_luns(&f);
        f.luns.faults = 0;
        f.luns.commands = 0;
        fake_luns_fail(&f.luns, n, &nothing_came);
        cr_assert_eq(discover(), 0);
        cr_expect_eq(f.s.lun_count, 0, "command %u", n);
    }
}

Test(lun_discovery, unmap_reads_zero, .init = set_up, .fini = tear_down)
{
    fake_luns_add(&f.luns, 0, LUN_ID(0), 1)->lbprz = true;
    fake_luns_add(&f.luns, 0, LUN_ID(1), 2);
    cr_assert_eq(discover(), 0);
    cr_expect(f.s.lun[0].global->reads_zero_unmapped);
    cr_expect_not(f.s.lun[1].global->reads_zero_unmapped);
}

/* SP-128: a port that appears later is not added to a LUN that has a slot without it. */
Test(lun_discovery, new_port_of_a_lun_with_a_slot, .init = set_up_two, .fini = tear_down)
{
    f.luns.ports_up = 1;
    cr_assert_eq(discover(), 0);
    cr_assert_eq(spipe__lun_table_assign(&f.s, &f.s.lun[0]), 0);
    f.luns.ports_up = 3;
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].port_mask, 1);
    cr_expect_eq(f.s.lun[1].port_mask, 3);
    PROVES(SP_128);
}

/* One name, two block sizes: not the same LUN. */
Test(lun_discovery, ports_that_disagree, .init = set_up_two, .fini = tear_down)
{
    f.luns.lun[2].block_size = 512;
    cr_assert_eq(discover(), 0);
    cr_assert_eq(f.s.lun_count, 2);
    cr_expect_eq(f.s.lun[1].port_mask, 1);
    cr_expect_eq(f.s.luns_skipped, 1);
}

/* ---- LUNs that were known ---- */

/* SP-88: the size that counts is what the device says now. */
Test(lun_discovery, another_size, .init = set_up_two, .fini = tear_down)
{
    cr_assert_eq(discover(), 0);
    for (unsigned i = 0; i < f.luns.count; i++) {
        f.luns.lun[i].last_lba = 1000 + f.luns.lun[i].wwid[15];
        f.luns.lun[i].block_size = 512;
        f.luns.lun[i].lbprz = true;
    }
    cr_assert_eq(discover(), 0);
    cr_assert_eq(f.s.lun_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        cr_expect_eq(f.s.lun[i].global->last_lba, 1001 + i);
        cr_expect_eq(f.s.lun[i].global->block_size, 512);
        cr_expect(f.s.lun[i].global->reads_zero_unmapped);
    }
    cr_expect_eq(f.s.luns_skipped, 0);
    PROVES(SP_88);
}

/* The size changes, the block size does not while somebody uses the LUN. */
Test(lun_discovery, another_size_of_a_lun_in_use, .init = set_up_two, .fini = tear_down)
{
    cr_assert_eq(discover(), 0);
    cr_assert_eq(spipe__lun_claim(&f.s, f.s.lun[0].global, SPIPE_LUN_VIRTUAL), 0);
    f.luns.lun[0].last_lba = f.luns.lun[3].last_lba = 5 * 65536;
    f.luns.lun[1].block_size = f.luns.lun[2].block_size = 512;
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].global->last_lba, 5 * 65536);
    cr_expect_eq(f.s.lun[0].global->usable, 5);
    cr_expect_eq(f.s.lun[1].global->block_size, 512);
    f.luns.lun[0].block_size = f.luns.lun[3].block_size = 512;
    f.luns.lun[0].last_lba = f.luns.lun[3].last_lba = 77;
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].global->last_lba, 5 * 65536);
    cr_expect_eq(f.s.lun[0].global->block_size, 4096);
    cr_expect_eq(f.s.luns_skipped, 2, "once a port");
    spipe__lun_unclaim(&f.s, f.s.lun[0].global);
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].global->last_lba, 77);
    cr_expect_eq(f.s.luns_skipped, 0);
    PROVES(SP_88);
}

/* AFU tables have the id of a LUN in use. */
Test(lun_discovery, another_id, .init = set_up_two, .fini = tear_down)
{
    cr_assert_eq(discover(), 0);
    for (unsigned mode = SPIPE_LUN_VIRTUAL; mode <= SPIPE_LUN_PHYSICAL; mode++) {
        cr_assert_eq(spipe__lun_claim(&f.s, f.s.lun[0].global, (uint8_t)mode), 0);
        f.luns.lun[0].id = LUN_ID(20 + mode);
        cr_assert_eq(discover(), 0);
        cr_expect_eq(f.s.lun[0].lun_id[0], mode == SPIPE_LUN_VIRTUAL ? LUN_ID(0) : LUN_ID(21));
        cr_expect_eq(f.s.lun[0].port_mask, 3);
        cr_expect_eq(f.s.luns_skipped, 1);
        spipe__lun_unclaim(&f.s, f.s.lun[0].global);
        cr_assert_eq(discover(), 0);
        cr_expect_eq(f.s.lun[0].lun_id[0], LUN_ID(20 + mode));
        cr_expect_eq(f.s.luns_skipped, 0);
    }
}

/* MANAGE_LUN has the last word on ports that were known. */
Test(lun_discovery, disabled_since, .init = set_up_two, .fini = tear_down)
{
    cr_assert_eq(discover(), 0);
    cr_assert_eq(spipe__lun_disable(&f.s, &f.s.lun[0], 1), 0);
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].port_mask, 1);
    cr_expect_eq(f.s.lun[0].found_ports, 3);
    cr_expect_eq(f.s.luns_skipped, 0);
}

/* SP-16: with this option LUNs are found, and nobody may use them before MANAGE_LUN. */
Test(lun_discovery, disabled_from_the_start, .init = set_up_two, .fini = tear_down)
{
    f.s.luns_disabled = true;
    cr_assert_eq(discover(), 0);
    for (unsigned i = 0; i < 2; i++) {
        cr_expect_eq(f.s.lun[i].found_ports, 3);
        cr_expect_eq(f.s.lun[i].port_mask, 0);
    }
    cr_expect_eq(f.s.luns_skipped, 0);
    cr_assert_eq(spipe__lun_enable(&f.s, &f.s.lun[0], 1), 0);
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].port_mask, 2);
    cr_expect_eq(f.s.lun[1].port_mask, 0);
    PROVES(SP_16);
}

/* A port more is no harm to direct handles: their entries name one. */
Test(lun_discovery, new_port_of_a_lun_in_use, .init = set_up_two, .fini = tear_down)
{
    f.luns.ports_up = 1;
    cr_assert_eq(discover(), 0);
    cr_assert_eq(spipe__lun_claim(&f.s, f.s.lun[0].global, SPIPE_LUN_PHYSICAL), 0);
    f.luns.ports_up = 3;
    cr_assert_eq(discover(), 0);
    cr_expect_eq(f.s.lun[0].port_mask, 3);
    cr_expect_eq(f.s.lun[0].lun_id[1], LUN_ID(9));
    spipe__lun_unclaim(&f.s, f.s.lun[0].global);
}

/* ---- the end of everything ---- */

/* A LUN without memory is not left out, or known on half of its ports, as if nothing were: whoever
 * looks hears of it, and finds all of them next time (FK-40). */
Test(lun_discovery, no_memory, .init = set_up_two, .fini = tear_down)
{
    for (unsigned n = 0; n < 2; n++) {
        f.exec.fail_after = (int64_t)n;
        cr_assert_eq(discover(), -ENOMEM, "allocation %u", n + 1);
        cr_expect_str_eq(why, "there is not enough memory for a LUN of port 0");
        f.exec.fail_after = FAKE_EXEC_NEVER;
    }
    cr_assert_eq(discover(), 0);
    expect_two_luns();
    cr_expect_eq(f.s.luns_skipped, 0);
}

Test(lun_discovery, adapter_is_gone, .init = set_up_two, .fini = tear_down)
{
    f.afu.dead = true;
    cr_expect_eq(discover(), -ENODEV);
    cr_expect_neq(why[0], '\0');
}

/* A port whose commands are all lost has no LUNs; an adapter that answers nothing is none. */
Test(lun_discovery, silence, .init = set_up_two, .fini = tear_down)
{
    for (unsigned i = 0; i < 6; i++)
        fake_luns_fail(&f.luns, i, &(struct fake_answer){.lost = true});
    cr_assert_eq(discover(), 0);
    cr_assert_eq(f.s.lun_count, 2);
    cr_expect_eq(f.s.lun[0].port_mask, 2);

    f.luns.faults = 0;
    for (unsigned i = 0; i < 12; i++)
        fake_luns_fail(&f.luns, f.luns.commands + i, &(struct fake_answer){.lost = true});
    cr_expect_eq(discover(), -ETIMEDOUT);
    cr_expect_neq(why[0], '\0');
}

/* At each command: no answer, and a context reset that does not end. */
Test(lun_discovery, stuck_master)
{
    for (unsigned n = 0; n < COMMANDS; n++) {
        set_up_two();
        fake_luns_fail(&f.luns, n, &(struct fake_answer){.lost = true});
        f.afu.reset_reads = 11;
        cr_expect_eq(discover(), -EIO, "command %u", n);
        cr_expect_neq(why[0], '\0');
        cr_expect_eq(f.luns.commands, n + 1);
        tear_down();
    }
}

Test(lun_discovery, sq_mode)
{
    adapter_fixture_init_sq(&f, HAL_ORDER_HOST);
    fake_luns_add(&f.luns, 0, LUN_ID(0), 1);
    fake_luns_add(&f.luns, 0, LUN_ID(1), 2);
    fake_luns_add(&f.luns, 1, LUN_ID(7), 2);
    fake_luns_add(&f.luns, 1, LUN_ID(9), 1);
    cr_assert_eq(discover(), 0);
    expect_two_luns();
    tear_down();
}
