/* SPDX-License-Identifier: Apache-2.0 */
/* spipe_scsi and its neighbours: whom a command goes to, data, results, arguments that are wrong,
 * and what is done about commands that are not answered. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(scsi_call, .timeout = 30);

#define ID(port) (UINT64_C(0x0102000000000000) + (port))

static struct adapter_fixture f;

/* LUN 0 is behind both ports, under an id of its own at each; LUN 1 is behind none. */
static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    adapter_fixture_add_lun(
        &f, (struct spipe__lun){.lun_id = {ID(0), ID(1)}, .found_ports = 3, .port_mask = 3});
    adapter_fixture_add_lun(&f, (struct spipe__lun){.found_ports = 0});
}

static void tear_down(void) { adapter_fixture_fini(&f); }

static uint8_t data[600];

/* A command that moves nothing, or `length` bytes, and gets this answer. */
static struct spipe_scsi command(uint32_t length, const struct fake_answer *answer)
{
    fake_luns_fail(&f.luns, f.luns.commands, answer);
    return (struct spipe_scsi){.size = sizeof(struct spipe_scsi),
                               .cdb = {0x12, [15] = 0xC5},
                               .data = data,
                               .length = length};
}

static const struct fake_answer good = {.delay = 1000};

static const struct fake_command *sent(unsigned i) { return &f.luns.log[i]; }

/* ---- to whom ---- */

Test(scsi_call, by_number_and_by_id, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = command(0, &good);

    c.port = 1;
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(sent(0)->lun_id, ID(1));
    cr_expect_eq(sent(0)->target, 2);
    cr_expect_eq(sent(0)->cdb[0], 0x12);
    cr_expect_eq(sent(0)->cdb[15], 0xC5, "all 16 bytes");
    c = command(0, &good);
    c.by_id = true;
    c.port = 0;
    c.lun_id = 77;
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(sent(1)->lun_id, 77);
    cr_expect_eq(sent(1)->target, 1);
    PROVES(AD_66);
}

/* The lowest port that is online, else the lowest one. */
Test(scsi_call, any_port, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < 2; i++) {
        struct spipe_scsi c = command(0, &good);

        c.port = SPIPE_PORT_ANY;
        cr_assert_eq(spipe_scsi(&f.s, &c), 0);
        cr_expect_eq(sent(i)->target, i + 1);
        *fake_afu_register(&f.afu, AFU_PORT_REGS(0) + AFU_FC_MTIP_STATUS) = 0x10;
    }
    *fake_afu_register(&f.afu, AFU_PORT_REGS(1) + AFU_FC_MTIP_STATUS) = 0x10;
    {
        struct spipe_scsi c = command(0, &good);

        c.port = SPIPE_PORT_ANY;
        cr_assert_eq(spipe_scsi(&f.s, &c), 0);
        cr_expect_eq(sent(2)->target, 1);
    }
}

Test(scsi_call, wrong_arguments, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = {.size = sizeof c};

    c.size--;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL);
    cr_expect_eq(spipe_scsi_reset_lun(&f.s, &c), -EINVAL);
    c.size++;
    c.lun = 2;
    cr_expect_eq(spipe_scsi(&f.s, &c), -ENOENT);
    cr_expect_eq(spipe_scsi_reset_lun(&f.s, &c), -ENOENT);
    c.lun = 1;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL, "behind no port");
    c.port = SPIPE_PORT_ANY;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL);
    c.lun = 0;
    c.port = 2;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL, "no such port");
    c.by_id = true;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL);
    c.port = SPIPE_PORT_ANY;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL, "an id belongs to a port");
    c.port = 0;
    c.length = SPIPE_SCSI_DATA_MAX + 1;
    c.data = data;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EINVAL);
    c.length = 1;
    c.data = NULL;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EFAULT);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(c.result, 0);
}

/* ---- data ---- */

Test(scsi_call, data_to_the_device, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = command(sizeof data, &good);
    unsigned regions = f.afu.regions;

    memset(data, 0x5A, sizeof data);
    c.write = true;
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(sent(0)->flags, 0x4001);
    cr_expect_eq(sent(0)->data_length, sizeof data);
    cr_expect_neq(sent(0)->data, (void *)data, "memory of the library");
    cr_expect_eq(f.afu.regions, regions);
    cr_expect_eq(data[599], 0x5A);
}

Test(scsi_call, data_from_the_device, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = {
        .size = sizeof c, .by_id = true, .data = data, .length = sizeof data, .cdb = {0xA0}};
    unsigned regions = f.afu.regions;

    fake_luns_add(&f.luns, 0, ID(0), 1);
    memset(data, 0xEE, sizeof data);
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(sent(0)->flags, 0x4000);
    cr_expect_eq(c.result, 0);
    cr_expect_eq(c.residual, sizeof data - 16);
    cr_expect_eq(data[3], 8, "one LUN");
    cr_expect_eq(data[8], 0x01);
    cr_expect_eq(data[599], 0);
    cr_expect_eq(c.sense_key | c.asc | c.ascq, 0);
    cr_expect_eq(f.afu.regions, regions);
    PROVES(AD_101);
}

Test(scsi_call, no_memory, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = {.size = sizeof c, .data = data, .length = 512};

    f.exec.fail_after = 0;
    cr_expect_eq(spipe_scsi(&f.s, &c), -ENOMEM);
    f.exec.fail_after = FAKE_EXEC_NEVER;
    cr_expect_eq(f.luns.commands, 0);
}

/* ---- results ---- */

Test(scsi_call, check_condition, .init = set_up, .fini = tear_down)
{
    struct fake_answer answer = fake_check_condition(5, 0x24, 0);
    struct spipe_scsi c = command(512, &answer);

    memset(data, 0xEE, sizeof data);
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(c.result, 2);
    cr_expect_eq(SPIPE_RESULT_STATUS(c.result), 2);
    cr_expect_eq(SPIPE_RESULT_HOST(c.result), SPIPE_DID_OK);
    cr_expect(c.sense_valid);
    cr_expect_eq(c.sense[2], 5);
    cr_expect_eq(c.sense[12], 0x24);
    cr_expect_eq(c.sense_key, 5);
    cr_expect_eq(c.asc, 0x24);
    cr_expect_eq(c.ascq, 0);
    cr_expect_eq(c.flags, 0x80);
    cr_expect_eq(c.scsi_rc, 2);
    PROVES(AD_103);
}

/* What the host byte says for each kind of end. */
Test(scsi_call, host_bytes, .init = set_up, .fini = tear_down)
{
    static const struct {
        struct fake_answer answer;
        uint32_t result;
        const char *words;
    } cases[] = {
        {{.delay = 0}, 0, "ok"},
        {{.rc = {.afu_rc = 0x20}}, 0x00010000, "no connection"},
        {{.rc = {.fc_rc = 0x54}}, 0x00070000, "error"},
        {{.rc = {.afu_rc = 0x31}, .afu_extra = 0x0A}, 0x000C0000, "retry at once"},
        {{.rc = {.fc_rc = 0x57}}, 0x000D0000, "requeue"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct spipe_scsi c = command(0, &cases[i].answer);

        cr_assert_eq(spipe_scsi(&f.s, &c), 0);
        cr_expect_eq(c.result, cases[i].result);
        cr_expect_str_eq(spipe_host_byte_words(SPIPE_RESULT_HOST(c.result)), cases[i].words);
    }
    cr_expect_str_eq(spipe_host_byte_words(0xFF), "unknown");
}

/* AD-65: accepted, and told at once. */
Test(scsi_call, failed_adapter, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = {.size = sizeof c, .lun = 0};

    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(SPIPE_RESULT_HOST(c.result), SPIPE_DID_NO_CONNECT);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(AD_65);
}

/* AD-67: all ones are no room. The platform will tell what becomes of it. */
Test(scsi_call, adapter_that_does_not_answer, .init = set_up, .fini = tear_down)
{
    struct spipe_scsi c = {.size = sizeof c, .lun = 0};

    f.afu.dead = true;
    f.s.hwq[0].queue.room = 0;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EBUSY);
    f.s.hwq[0].stuck = true;
    cr_expect_eq(spipe_scsi(&f.s, &c), -EBUSY);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(AD_67);
}

/* ---- no answer ---- */

/* AD-73: 30 s unless the caller says otherwise; then an abort (AD-114). */
Test(scsi_call, time_out, .init = set_up, .fini = tear_down)
{
    struct fake_answer lost = {.lost = true};
    struct spipe_scsi c = command(512, &lost);
    unsigned regions = f.afu.regions;

    cr_expect_eq(spipe_scsi(&f.s, &c), -ETIMEDOUT);
    cr_expect_geq(f.exec.now, 30 * SPIPE__SECOND);
    cr_expect_lt(f.exec.now, 30 * SPIPE__SECOND + 3 * SPIPE__MILLISECOND);
    cr_expect_eq(f.afu.resets, 1);
    cr_expect_eq(f.afu.regions, regions, "the buffer is gone");
    f.exec.now = 0;
    c = command(512, &lost);
    c.timeout_ns = SPIPE__SECOND;
    cr_expect_eq(spipe_scsi(&f.s, &c), -ETIMEDOUT);
    cr_expect_lt(f.exec.now, 2 * SPIPE__SECOND);
    cr_expect_eq(f.afu.afu_resets, 1);
    PROVES(AD_73);
    PROVES(AD_114);
}

/* An abort that fails is followed by a reset of the adapter: then the buffer is safe. */
Test(scsi_call, time_out_and_no_abort, .init = set_up, .fini = tear_down)
{
    struct fake_answer lost = {.lost = true};
    struct spipe_scsi c = command(512, &lost);

    f.afu.reset_reads = 11;
    cr_expect_eq(spipe_scsi(&f.s, &c), -ETIMEDOUT);
    cr_expect_eq(f.afu.afu_resets, 2);
    cr_expect_eq(spipe__gate_state(&f.s.gate), SPIPE_STATE_NORMAL);
    cr_expect_not(f.s.hwq[0].stuck);
    c = command(0, &good);
    cr_expect_eq(spipe_scsi(&f.s, &c), 0);
    PROVES(AD_132);
}

/* ---- limits ---- */

/* AD-11: what a host promises to its stack. The memory of a command is one pair, aligned to a cache
 * line, in which nothing of the command before is left. */
Test(scsi_call, limits, .init = set_up, .fini = tear_down)
{
    struct fake_answer bad = {.rc = {.afu_rc = 0x21}, .residual = 77};
    struct spipe_scsi c = command(0, &bad);
    static uint8_t large[16777216];

    cr_expect_eq(sizeof c.cdb, 16);
    cr_expect_eq(SPIPE_SCSI_DATA_MAX, 32768 * 512);
    cr_expect_eq(f.s.host.depth, 256);
    for (unsigned i = 0; i < f.s.hwq[0].queue.depth; i++)
        cr_expect_eq((uintptr_t)&f.s.hwq[0].queue.pairs[i] % 128, 0);
    cr_assert_eq(spipe_scsi(&f.s, &c), 0);
    cr_expect_eq(c.afu_rc, 0x21);
    for (unsigned i = 0; i < f.s.hwq[0].queue.depth; i++) { /* each pair once more */
        c = command(sizeof large, &good);
        c.data = large;
        c.by_id = true;
        c.lun_id = afu_lun_id(65535);
        cr_assert_eq(spipe_scsi(&f.s, &c), 0);
        cr_expect_eq(c.result, 0);
        cr_expect_eq(c.afu_rc | c.residual, 0);
        f.luns.faults = 0;
    }
    cr_expect_eq(sent(1)->lun_id, UINT64_C(0xFFFF000000000000), "the last of 65536");
    cr_expect_eq(sent(1)->data_length, 16777216);
    PROVES(AD_11);
}

/* ---- queue depth ---- */

Test(scsi_call, depth, .init = set_up, .fini = tear_down)
{
    static const unsigned asked[] = {0, 1, 100, 256, 257, 100000},
                          got[] = {1, 1, 100, 256, 256, 256};

    cr_expect_eq(f.s.host.depth, 256);
    for (unsigned i = 0; i < 6; i++) {
        cr_expect_eq(spipe_scsi_depth_set(&f.s, asked[i]), got[i]);
        cr_expect_eq(f.s.host.depth, got[i]);
    }
    PROVES(AD_72);
}

/* ---- without waiting ---- */

enum { REQUESTS = 4 };

static struct spipe_scsi_request request[REQUESTS];

static int submit(unsigned i, uint32_t length, const struct fake_answer *answer)
{
    request[i] = (struct spipe_scsi_request){.command = command(length, answer)};
    return spipe_scsi_submit(&f.s, &request[i]);
}

static int wait(unsigned i, uint64_t deadline)
{
    return spipe_scsi_wait(&f.s, &request[i], deadline);
}

/* Several are under way, their ends are taken in another order, and once each. Nothing is
 * allocated, and the AFU gets the address of the caller's data. */
Test(scsi_call, submit_and_wait, .init = set_up, .fini = tear_down)
{
    uint64_t allocations = f.exec.allocations;
    unsigned regions = f.afu.regions;

    for (unsigned i = 0; i < REQUESTS; i++) {
        struct fake_answer answer = {.rc = {.scsi_rc = (uint8_t)(0x20 + i)},
                                     .delay = 1000 * (i + 1)};

        cr_assert_eq(submit(i, i ? 512 : 0, &answer), 0);
        cr_expect_eq(sent(i)->data, i ? (void *)data : NULL);
        cr_expect_eq(sent(i)->data_length, i ? 512 : 0);
    }
    cr_expect_eq(f.exec.now, 0, "nobody waits");
    cr_expect_eq(wait(0, 0), -EAGAIN);
    for (unsigned i = REQUESTS; i-- > 0;) {
        cr_expect_eq(wait(i, EXEC_FOREVER), 0);
        cr_expect_eq(request[i].command.scsi_rc, 0x20 + i);
        cr_expect_eq(wait(i, EXEC_FOREVER), -EINVAL, "taken once");
    }
    cr_expect_eq(f.exec.now, 1000 * REQUESTS);
    cr_expect_eq(f.exec.allocations, allocations);
    cr_expect_eq(f.afu.regions, regions);
    PROVES(AD_66);
}

/* The deadline is the waiter's, not the command's. A look at the right time is enough. */
Test(scsi_call, wait_with_a_deadline, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(submit(0, 0, &(struct fake_answer){.delay = 7000}), 0);
    cr_expect_eq(wait(0, 5000), -EAGAIN);
    cr_expect_eq(f.exec.now, 5000);
    cr_expect_eq(wait(0, 0), -EAGAIN);
    f.exec.now = 7000;
    cr_expect_eq(wait(0, 0), 0);
    cr_expect_eq(request[0].command.result, 0);
}

/* What spipe_scsi() refuses is refused, and there is nothing to wait for. */
Test(scsi_call, refused_submits, .init = set_up, .fini = tear_down)
{
    const struct {
        struct spipe_scsi command;
        int rc;
    } cases[] = {
        {{.size = sizeof(struct spipe_scsi) - 1}, -EINVAL},
        {{.size = sizeof(struct spipe_scsi), .lun = 2}, -ENOENT},
        {{.size = sizeof(struct spipe_scsi), .lun = 1}, -EINVAL},
        {{.size = sizeof(struct spipe_scsi), .port = 2}, -EINVAL},
        {{.size = sizeof(struct spipe_scsi), .length = 512}, -EFAULT},
        {{.size = sizeof(struct spipe_scsi), .data = data, .length = SPIPE_SCSI_DATA_MAX + 1},
         -EINVAL},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct spipe_scsi c = cases[i].command;

        request[0] = (struct spipe_scsi_request){.command = c};
        cr_expect_eq(spipe_scsi_submit(&f.s, &request[0]), cases[i].rc, "case %u", i);
        cr_expect_eq(spipe_scsi(&f.s, &c), cases[i].rc, "case %u", i);
        cr_expect_eq(wait(0, 0), -EINVAL);
    }
    f.afu.room = 0;
    f.s.hwq[0].queue.room = 0;
    cr_expect_eq(submit(0, 0, &good), -EBUSY);
    cr_expect_eq(wait(0, 0), -EINVAL);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(f.s.host.in_flight, 0);
    PROVES(AD_70);
}

/* A command counts until its end was taken (AD-72). */
Test(scsi_call, depth_of_requests, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(spipe_scsi_depth_set(&f.s, 2), 2);
    cr_assert_eq(submit(0, 0, &good), 0);
    cr_assert_eq(submit(1, 0, &good), 0);
    cr_expect_eq(submit(2, 0, &good), -EBUSY);
    f.luns.faults = 0;
    cr_expect_eq(wait(1, EXEC_FOREVER), 0);
    cr_expect_eq(submit(2, 0, &good), 0, "number 0 has been answered too, but it counts");
    cr_expect_eq(submit(3, 0, &good), -EBUSY);
    cr_expect_eq(wait(0, 0), 0);
    cr_expect_eq(wait(2, EXEC_FOREVER), 0);
    cr_expect_eq(f.s.host.in_flight, 0);
    PROVES(AD_72);
}

/* AD-73, AD-114: its time begins with the submit; who waits past its end, or looks after it, aborts
 * it. It takes along what else is on the queue. */
Test(scsi_call, requests_time_out, .init = set_up, .fini = tear_down)
{
    struct fake_answer lost = {.lost = true};

    for (unsigned look = 0; look < 2; look++) {
        f.exec.now = 0;
        f.luns.faults = 0;
        cr_assert_eq(submit(0, 0, &lost), 0);
        cr_assert_eq(submit(1, 512, &lost), 0);
        f.exec.now = look ? 30 * SPIPE__SECOND : 29 * SPIPE__SECOND;
        cr_expect_eq(wait(0, look ? 0 : EXEC_FOREVER), -ETIMEDOUT);
        cr_expect_lt(f.exec.now, 30 * SPIPE__SECOND + 3 * SPIPE__MILLISECOND);
        cr_expect_eq(f.afu.resets, look + 1);
        cr_expect_eq(wait(1, 0), 0);
        cr_expect_eq(SPIPE_RESULT_HOST(request[1].command.result), SPIPE_DID_IMM_RETRY);
    }
    cr_expect_eq(f.s.host.in_flight, 0);
    cr_expect_eq(f.afu.afu_resets, 1);
    PROVES(AD_73);
    PROVES(AD_114);
}

/* It is accepted and has ended: no connection, as spipe_scsi() says. */
Test(scsi_call, requests_of_a_failed_adapter, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(submit(0, 0, &good), 0);
    cr_expect_eq(wait(0, 0), 0);
    cr_expect_eq(SPIPE_RESULT_HOST(request[0].command.result), SPIPE_DID_NO_CONNECT);
    cr_expect_eq(f.luns.commands, 0);
}

/* A look hears events as well: of a device that is gone no answer comes. */
Test(scsi_call, requests_of_a_lost_adapter, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(submit(0, 0, &(struct fake_answer){.lost = true}), 0);
    f.afu.dead = true;
    cr_expect_eq(wait(0, 0), 0);
    cr_expect_eq(SPIPE_RESULT_HOST(request[0].command.result), SPIPE_DID_IMM_RETRY);
}
