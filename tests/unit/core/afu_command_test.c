/* SPDX-License-Identifier: Apache-2.0 */
/* AFU commands: what the caller gets. When they are repeated, and what that costs, is in
 * afu_sync_test.c. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(afu_command, .timeout = 30);

static struct adapter_fixture f;

static void set_up(void) { adapter_fixture_init(&f, HAL_ORDER_HOST); }
static void tear_down(void) { adapter_fixture_fini(&f); }

static struct afu_ioasa answer;

static int run(void)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD, .timeout = 5};
    int rc;

    command.cdb.bytes[0] = 0xD0;
    memset(&answer, 0xEE, sizeof answer);
    exec_mutex_lock(f.s.exec, &f.s.internal);
    rc = spipe__afu_command(&f.s, &command, &answer);
    exec_mutex_unlock(f.s.exec, &f.s.internal);
    return rc;
}

static bool untouched(void)
{
    struct afu_ioasa filler;

    memset(&filler, 0xEE, sizeof filler);
    return memcmp(&answer, &filler, sizeof filler) == 0;
}

/* AD-125: the final IOASA, not that of an attempt before. */
Test(afu_command, the_caller_gets_the_ioasa, .init = set_up, .fini = tear_down)
{
    fake_luns_fail(&f.luns, 0, &(struct fake_answer){.lost = true});
    fake_luns_fail(&f.luns, 1, &(struct fake_answer){.residual = 0x01020304});
    cr_expect_eq(run(), 0);
    cr_expect_eq(xe32_get(HAL_ORDER_HOST, answer.resid), 0x01020304);
    cr_expect_eq(f.luns.commands, 2);
    PROVES(AD_125);
}

/* A flag alone is not good: the whole of ioasc counts (AD-123). */
Test(afu_command, anything_but_zero_is_an_error, .init = set_up, .fini = tear_down)
{
    static const struct afu_rc rc[] = {
        {.flags = 0x10}, {.afu_rc = 0x21}, {.scsi_rc = 2}, {.fc_rc = 0x53}};

    for (unsigned i = 0; i < 4; i++) {
        fake_luns_fail(&f.luns, i, &(struct fake_answer){.rc = rc[i]});
        cr_expect_eq(run(), -EIO);
    }
    cr_expect_eq(f.luns.commands, 4, "no repetition");
    PROVES(AD_123);
}

/* D-10: nothing is sent, and that is no success. */
Test(afu_command, skipped_unless_normal, .init = set_up, .fini = tear_down)
{
    static const enum spipe_state states[] = {SPIPE_STATE_RESET, SPIPE_STATE_FAILED};

    for (unsigned i = 0; i < 2; i++) {
        gate_force(&f.s.gate, states[i]);
        cr_expect_eq(run(), SPIPE__AFU_COMMAND_SKIPPED);
        cr_expect(untouched());
    }
    cr_expect_eq(f.luns.commands, 0);
    PROVES(AD_121);
}

Test(afu_command, no_answer, .init = set_up, .fini = tear_down)
{
    fake_luns_fail(&f.luns, 0, &(struct fake_answer){.lost = true});
    fake_luns_fail(&f.luns, 1, &(struct fake_answer){.lost = true});
    cr_expect_eq(run(), -ETIMEDOUT);
    cr_expect(untouched());
    cr_expect(f.s.worker.reset_wanted);
}

/* Others of the same queue have all the room: not for long, as a rule. */
Test(afu_command, room_that_others_have, .init = set_up, .fini = tear_down)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD};
    struct spipe__sent sent[8];

    for (unsigned i = 0; i < 8; i++) {
        fake_luns_fail(&f.luns, i, &(struct fake_answer){.delay = 3000000});
        cr_assert_eq(spipe__hwq_send(&f.s.hwq[0], &command, &sent[i]), 0);
    }
    cr_expect_eq(run(), 0);
    cr_expect_geq(f.exec.now, 3000000);
    cr_expect_lt(f.exec.now, 4000000);
    for (unsigned i = 0; i < 8; i++)
        cr_expect_eq(spipe__hwq_await(&f.s.hwq[0], &sent[i], 0), 0);
    f.luns.faults = 0;
    for (unsigned i = 0; i < 8; i++) {
        fake_luns_fail(&f.luns, 9 + i, &(struct fake_answer){.lost = true});
        cr_assert_eq(spipe__hwq_send(&f.s.hwq[0], &command, &sent[i]), 0);
    }
    f.exec.now = 0;
    cr_expect_eq(run(), -ENOBUFS);
    cr_expect_lt(f.exec.now, 101000000);
    for (unsigned i = 0; i < 8; i++)
        spipe__hwq_forget(&f.s.hwq[0], &sent[i]);
    PROVES(AD_122);
}

Test(afu_command, no_room, .init = set_up, .fini = tear_down)
{
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(run(), -ENOBUFS);
    cr_expect_not(f.s.worker.reset_wanted);
}
