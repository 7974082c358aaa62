/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands of core itself: what is sent, what every kind of failure gives, and the repetitions
 * of spipe__scsi_read. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/pause.h"
#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(scsi, .timeout = 30);

enum { LENGTH = 512 };

static struct adapter_fixture f;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    fake_luns_add(&f.luns, 0, 0, 1);
}

static void tear_down(void) { adapter_fixture_fini(&f); }

static int send(uint32_t length, bool write, struct spipe__scsi_result *r)
{
    struct spipe__cdb cdb = spipe__cdb_report_luns(length);

    return spipe__scsi(&f.s, 1, UINT64_C(0x0102000000000000), &cdb, write, length, r);
}

static int read_data(uint32_t *valid)
{
    struct spipe__cdb cdb = spipe__cdb_report_luns(LENGTH);

    return spipe__scsi_read(&f.s, 0, 0, &cdb, LENGTH, valid);
}

static void nth(uint64_t n, struct fake_answer answer) { fake_luns_fail(&f.luns, n, &answer); }

/* ---- one command ---- */

/* AD-66 */
Test(scsi, command, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;
    const struct fake_command *c = f.luns.log;

    cr_assert_eq(send(LENGTH, false, &r), 0);
    cr_expect_eq(c->flags, 0x4000);
    cr_expect_eq(c->target, 2, "1 << channel");
    cr_expect_eq(c->lun_id, UINT64_C(0x0102000000000000));
    cr_expect_eq(c->data_length, LENGTH);
    cr_expect_eq(c->data, f.s.scratch);
    cr_expect_eq(c->timeout, 0);
    cr_expect_eq(c->msi, 2);
    cr_expect_eq(c->cdb[0], 0xA0);
    cr_assert_eq(send(LENGTH, true, &r), 0);
    cr_expect_eq(c[1].flags, 0x4001);
    cr_assert_eq(send(0, false, &r), 0);
    cr_expect_null(c[2].data);
    PROVES(AD_66);
    PROVES(AD_73);
}

/* D-15: 1 << channel, which is channel + 1 for ports 0 and 1 only. */
Test(scsi, every_port_has_its_bit, .init = set_up, .fini = tear_down)
{
    static const uint32_t mask[] = {1, 2, 4, 8};
    struct spipe__cdb cdb = spipe__cdb_test_unit_ready();
    struct spipe__scsi_result r;

    for (unsigned port = 0; port < 4; port++) {
        cr_assert_eq(spipe__scsi(&f.s, port, 0, &cdb, false, 0, &r), 0);
        cr_expect_eq(f.luns.log[port].target, mask[port]);
    }
    PROVES(AD_66);
    PROVES(D_15);
}

/* A read begins with zeros, a write with what the caller put there. */
Test(scsi, scratch, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;
    uint8_t *scratch = f.s.scratch;

    memset(scratch, 0xAA, SPIPE__SCRATCH_SIZE);
    nth(0, (struct fake_answer){.delay = 0});
    cr_assert_eq(send(LENGTH, true, &r), 0);
    cr_expect_eq(scratch[0], 0xAA);
    nth(1, (struct fake_answer){.delay = 0});
    cr_assert_eq(send(LENGTH, false, &r), 0);
    cr_expect_eq(scratch[0] | scratch[LENGTH - 1] | scratch[SPIPE__SCRATCH_SIZE - 1], 0);
}

Test(scsi, answer, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;

    nth(0, fake_check_condition(5, 0x21, 4));
    cr_assert_eq(send(LENGTH, false, &r), 0);
    cr_expect_eq(r.scsi_rc, 2);
    cr_expect_eq(r.sense[2], 5);
    nth(1, (struct fake_answer){.rc = {.flags = 0x10}, .residual = 12});
    cr_assert_eq(send(LENGTH, false, &r), 0);
    cr_expect_eq(r.residual, 12);
}

/* AD-114: the memory is safe again before the caller goes on. */
Test(scsi, timeout_resets_the_context, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;

    nth(0, (struct fake_answer){.lost = true});
    cr_assert_eq(send(LENGTH, false, &r), -ETIMEDOUT);
    cr_expect_geq(f.exec.now, SPIPE__SCSI_TIMEOUT);
    cr_expect_eq(f.afu.resets, 1);
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 0);
    cr_expect_eq(send(LENGTH, false, &r), 0);
    PROVES(AD_114);
}

Test(scsi, stuck_master_takes_no_commands, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;

    nth(0, (struct fake_answer){.lost = true});
    f.afu.reset_reads = 11;
    cr_assert_eq(send(LENGTH, false, &r), -EIO);
    cr_expect(f.s.worker.reset_wanted);
    cr_assert_eq(send(LENGTH, false, &r), -EIO);
    cr_expect_eq(f.luns.commands, 1);
}

Test(scsi, adapter_is_gone_or_down, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;

    f.afu.dead = true;
    cr_expect_eq(send(LENGTH, false, &r), -ENODEV);
    cr_expect_eq(send(LENGTH, false, &r), -ENODEV);
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    spipe__take_down(&f.s);
    cr_expect_eq(send(LENGTH, false, &r), -ENODEV);
}

/* Waits for room, but not for ever. */
Test(scsi, no_room, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;

    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(send(LENGTH, false, &r), -EBUSY);
    cr_expect_geq(f.exec.now, SPIPE__SCSI_TIMEOUT);
    cr_expect_lt(f.exec.now, SPIPE__SCSI_TIMEOUT + SPIPE__SECOND);
    cr_expect_eq(f.luns.commands, 0);
}

/* the AFU could not reach the buffer. */
Test(scsi, fault_on_the_buffer, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;
    uint64_t scratch = (uint64_t)(uintptr_t)f.s.scratch;

    nth(0, (struct fake_answer){.lost = true});
    fake_afu_event(&f.afu, FIXTURE_MASTER,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = scratch + 100});
    cr_expect_eq(send(LENGTH, false, &r), -EIO);
    cr_expect_eq(send(LENGTH, false, &r), 0);
}

/* D-17: a command that could not reach its data is given back; there are only so many. */
Test(scsi, faults_cost_no_commands, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_result r;
    uint64_t scratch = (uint64_t)(uintptr_t)f.s.scratch;

    for (unsigned i = 0; i < 2 * f.s.hwq[0].queue.depth; i++) {
        f.luns.faults = 0;
        nth(f.luns.commands, (struct fake_answer){.lost = true});
        fake_afu_event(&f.afu, FIXTURE_MASTER,
                       &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = scratch});
        cr_assert_eq(send(LENGTH, false, &r), -EIO);
    }
    cr_expect_eq(send(LENGTH, false, &r), 0);
    cr_expect_eq(spipe__queue_in_use(&f.s.hwq[0].queue), 0);
    PROVES(D_17);
}

/* An abort for somebody else's sake is repeated as a time-out is. */
Test(scsi, aborted_with_others, .init = set_up, .fini = tear_down)
{
    struct spipe__scsi_request other = {.lun_id = 77};
    uint32_t valid;

    nth(0, (struct fake_answer){.lost = true});
    cr_assert_eq(spipe__host_submit(&f.s, &other), 0);
    nth(1, (struct fake_answer){.lost = true});
    cr_expect_eq(read_data(&valid), 0);
    cr_expect_eq(f.luns.commands, 3);
    cr_expect_eq(spipe__host_wait(&f.s, &other, 0), 0);
    cr_expect_eq(other.decision.result, 0x000C0000);
}

/* ---- with repetition ---- */

Test(scsi, read_tells_how_much, .init = set_up, .fini = tear_down)
{
    uint32_t valid;

    cr_assert_eq(read_data(&valid), 0);
    cr_expect_eq(valid, 16, "header and one LUN");
    nth(1, (struct fake_answer){.delay = 0});
    cr_assert_eq(read_data(&valid), 0);
    cr_expect_eq(valid, LENGTH);
    nth(2, (struct fake_answer){.rc = {.flags = 0x10}, .residual = LENGTH + 1});
    cr_assert_eq(read_data(&valid), 0);
    cr_expect_eq(valid, 0, "a residual beyond the length");
}

/* SP-102: 29, 2A and 3F once more, a second time is an error. */
Test(scsi, unit_attention_repeats_once, .init = set_up, .fini = tear_down)
{
    static const uint8_t asc[] = {0x29, 0x2A, 0x3F};
    uint32_t valid;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(asc); i++) {
        uint64_t n = f.luns.commands;

        f.luns.faults = 0;
        nth(n, fake_check_condition(6, asc[i], 0));
        cr_assert_eq(read_data(&valid), 0);
        cr_expect_eq(f.luns.commands, n + 2);
        nth(n + 2, fake_check_condition(6, asc[i], 0));
        nth(n + 3, fake_check_condition(6, asc[i], 0));
        cr_assert_eq(read_data(&valid), -EIO);
        cr_expect_eq(f.luns.commands, n + 4);
    }
    PROVES(SP_102);
}

Test(scsi, other_sense_keys, .init = set_up, .fini = tear_down)
{
    uint32_t valid;

    for (uint8_t key = 0; key < 16; key++) {
        uint64_t n = f.luns.commands;

        f.luns.faults = 0;
        nth(n, fake_check_condition(key, 0x28, 0));
        cr_expect_eq(read_data(&valid), key <= 2 ? 0 : -EIO, "key %u", key);
        cr_expect_eq(f.luns.commands, n + 1, "key %u", key);
    }
    PROVES(SP_102);
}

/* SP-101: five repetitions. */
Test(scsi, transport_errors_are_repeated, .init = set_up, .fini = tear_down)
{
    uint32_t valid;

    for (unsigned i = 0; i < 5; i++)
        nth(i, (struct fake_answer){.rc = {.fc_rc = AFU_FC_RC_ABORTOK}});
    cr_expect_eq(read_data(&valid), 0);
    cr_expect_eq(f.luns.commands, 6);
    f.luns.faults = 0;
    for (unsigned i = 6; i < 12; i++)
        nth(i, (struct fake_answer){.rc = {.afu_rc = AFU_RC_OUT_OF_DATA_BUFS}});
    cr_expect_eq(read_data(&valid), -EIO);
    cr_expect_eq(f.luns.commands, 12);
    PROVES(SP_101);
}

Test(scsi, timeouts_are_repeated, .init = set_up, .fini = tear_down)
{
    uint32_t valid;

    for (unsigned i = 0; i < 6; i++)
        nth(i, (struct fake_answer){.lost = true});
    cr_expect_eq(read_data(&valid), -ETIMEDOUT);
    cr_expect_eq(f.luns.commands, 6);
    cr_expect_lt(f.exec.now, 180 * SPIPE__SECOND + SPIPE__SECOND); /* */
    cr_expect_eq(read_data(&valid), 0);
    PROVES(SP_101);
}

/* A port that is down is told apart: its caller may wait for it. */
Test(scsi, port_that_cannot_be_used, .init = set_up, .fini = tear_down)
{
    static const struct afu_rc down[] = {
        {.afu_rc = AFU_RC_NO_CHANNELS}, {.fc_rc = AFU_FC_RC_NOLOGI}, {.fc_rc = AFU_FC_RC_LINKDOWN}};
    uint32_t valid;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(down); i++) {
        nth(i, (struct fake_answer){.rc = down[i]});
        cr_expect_eq(read_data(&valid), -ENETDOWN);
    }
    cr_expect_eq(f.luns.commands, 3);
}
