/* SPDX-License-Identifier: Apache-2.0 */
/* The SCSI host and one thread: what it takes, what every end of a command is told as, aborts and
 * task management. Many threads are in tests/scenario/scsi_load.c. */
#include "core/command/scsi_host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(scsi_host, .timeout = 30);

#define LUN UINT64_C(0x0102000000000000)

static struct adapter_fixture f;

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    fake_luns_add(&f.luns, 0, LUN, 1);
}

static void tear_down(void) { adapter_fixture_fini(&f); }

static struct spipe__scsi_request request[8];

/* A request that gets this answer, or what the disk says. */
static int submit(unsigned i, const struct fake_answer *answer)
{
    request[i] = (struct spipe__scsi_request){
        .cdb = spipe__cdb_inquiry_page(0x83, 0), .lun_id = LUN, .port = 0};
    if (answer)
        fake_luns_fail(&f.luns, f.luns.commands, answer);
    return spipe__host_submit(&f.s, &request[i]);
}

static int wait(unsigned i) { return spipe__host_wait(&f.s, &request[i], SPIPE__SECOND); }

/* ---- submit ---- */

/* AD-65: the order of the checks shows where two of them fail. */
Test(scsi_host, checks_in_order, .init = set_up, .fini = tear_down)
{
    f.s.host.depth = 1;
    f.s.host.tmf_active = true;
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_expect_eq(submit(0, NULL), -EBUSY, "task management before the state");
    f.s.host.tmf_active = false;
    cr_assert_eq(submit(0, NULL), 0, "accepted");
    cr_expect_eq(wait(0), 0);
    cr_expect_eq(request[0].decision.result, 0x00010000, "DID_NO_CONNECT");
    for (enum spipe_state state = SPIPE_STATE_PROBING; state < SPIPE_STATE_FAILED; state++) {
        gate_force(&f.s.gate, state);
        cr_expect_eq(submit(state, NULL), state == SPIPE_STATE_NORMAL ? 0 : -EBUSY);
    }
    cr_expect_eq(f.luns.commands, 1);
    cr_expect_eq(wait(SPIPE_STATE_NORMAL), 0);
    gate_force(&f.s.gate, SPIPE_STATE_NORMAL);
    cr_expect_eq(submit(0, NULL), 0);
    cr_expect_eq(submit(1, NULL), -EBUSY, "the queue depth");
    cr_expect_eq(wait(0), 0);
    cr_expect_eq(submit(1, NULL), 0);
    cr_expect_eq(wait(1), 0);
    PROVES(AD_65);
    PROVES(AD_157);
}

/* AD-67: one look at cmd_room, no waiting, and nothing is left behind. */
Test(scsi_host, no_room, .init = set_up, .fini = tear_down)
{
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    for (unsigned i = 0; i < 300; i++)
        cr_assert_eq(submit(0, NULL), -EBUSY);
    cr_expect_eq(f.exec.now, 0);
    cr_expect_eq(f.s.host.in_flight, 0);
    f.afu.room = 1;
    cr_assert_eq(submit(0, NULL), 0);
    cr_expect_eq(wait(0), 0);
    cr_expect_eq(request[0].decision.result, 0);
    PROVES(AD_67);
    PROVES(AD_70);
}

Test(scsi_host, stuck_or_gone, .init = set_up, .fini = tear_down)
{
    f.s.hwq[0].stuck = true;
    cr_expect_eq(submit(0, NULL), -EIO);
    f.s.hwq[0].stuck = false;
    f.s.hwq[0].online = false;
    cr_expect_eq(submit(0, NULL), -EBUSY, "a reset has begun");
    f.s.hwq[0].online = true;
    f.afu.dead = true;
    f.s.hwq[0].queue.room = 0;
    cr_expect_eq(submit(0, NULL), -ENODEV);
    cr_expect_eq(f.s.host.in_flight, 0);
}

/* ---- ends ---- */

Test(scsi_host, answers, .init = set_up, .fini = tear_down)
{
    struct fake_answer check = fake_check_condition(6, 0x29, 0);

    cr_assert_eq(submit(0, &check), 0);
    cr_assert_eq(submit(1, &(struct fake_answer){.rc = {.flags = 0x10}, .residual = 12}), 0);
    cr_assert_eq(submit(2, &(struct fake_answer){.rc = {.fc_rc = AFU_FC_RC_LINKDOWN}}), 0);
    cr_assert_eq(submit(3, &(struct fake_answer){.rc = {.afu_rc = 0x31}, .afu_extra = 0x0A}), 0);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(wait(i), 0);
    cr_expect_eq(request[0].decision.result, 0x00000002);
    cr_expect(request[0].decision.sense_valid);
    cr_expect_eq(request[0].answer.sense[12], 0x29);
    cr_expect_eq(request[1].decision.result, 0);
    cr_expect_eq(request[1].answer.residual, 12);
    cr_expect_eq(request[2].decision.result, 0x000D0000);
    cr_expect_eq(request[3].decision.result, 0x000C0000);
    PROVES(AD_71);
}

/* AD-114: everything else on the queue ends with DID_IMM_RETRY. */
Test(scsi_host, abort, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(submit(i, &(struct fake_answer){.lost = true}), 0);
    cr_expect_eq(wait(2), -ETIMEDOUT);
    cr_expect_eq(spipe__host_abort(&f.s, &request[2]), 0);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_eq(spipe__host_wait(&f.s, &request[i], 0), 0);
        cr_expect_eq(request[i].status, -EAGAIN);
        cr_expect_eq(request[i].decision.result, 0x000C0000);
    }
    cr_expect_eq(f.afu.resets, 1);
    cr_expect_eq(spipe__host_abort(&f.s, &request[2]), -EIO, "it is on no queue");
    PROVES(AD_114);
    PROVES(AD_54);
}

/* What has ended by itself needs no reset, which would end others. */
Test(scsi_host, abort_that_comes_too_late, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(submit(0, &(struct fake_answer){.delay = SPIPE__MILLISECOND}), 0);
    cr_assert_eq(submit(1, &(struct fake_answer){.delay = 2 * SPIPE__MILLISECOND}), 0);
    cr_expect_eq(wait(1), 0);
    cr_expect_eq(spipe__host_abort(&f.s, &request[0]), 0);
    cr_expect_eq(f.afu.resets, 0);
    cr_expect_eq(wait(0), 0);
    cr_expect_eq(request[0].decision.result, 0);
}

Test(scsi_host, abort_fails, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(submit(0, &(struct fake_answer){.lost = true}), 0);
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    cr_expect_eq(spipe__host_abort(&f.s, &request[0]), -EIO, "not in this state");
    cr_expect_eq(f.afu.resets, 0);
    gate_force(&f.s.gate, SPIPE_STATE_NORMAL);
    f.afu.reset_reads = 11;
    cr_expect_eq(spipe__host_abort(&f.s, &request[0]), -EIO, "the AFU does not");
    cr_expect(f.s.worker.reset_wanted);
    cr_expect_eq(spipe__host_wait(&f.s, &request[0], 0), -ETIMEDOUT, "without a flush");
    cr_expect_eq(spipe__host_give_up(&f.s, &request[0]), -EIO);
    cr_expect_eq(f.s.host.in_flight, 0);
    PROVES(AD_114);
    PROVES(AD_115);
}

Test(scsi_host, give_up, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(submit(0, &(struct fake_answer){.lost = true}), 0);
    cr_expect_eq(wait(0), -ETIMEDOUT);
    cr_expect_eq(spipe__host_give_up(&f.s, &request[0]), 0);
    cr_expect_eq(request[0].status, -ETIMEDOUT);
    cr_assert_eq(submit(0, &(struct fake_answer){.delay = 2 * SPIPE__SECOND}), 0);
    cr_assert_eq(submit(1, &(struct fake_answer){.delay = 2 * SPIPE__SECOND}), 0);
    f.exec.now += 3 * SPIPE__SECOND;
    hal_progress(f.s.master);
    cr_expect_eq(wait(1), 0);
    cr_expect_eq(spipe__host_give_up(&f.s, &request[0]), 0);
    cr_expect_eq(request[0].status, 0, "the answer had come");
    cr_expect_eq(f.afu.resets, 1);
}

/* ---- task management ---- */

/* AD-111: the first 8 bytes of the CDB are the function in the order of the context. */
static void tmf_image(enum hal_order order, uint8_t first, uint8_t last)
{
    const struct fake_command *c = f.luns.log;

    adapter_fixture_init(&f, order);
    fake_luns_fail(&f.luns, 0, &(struct fake_answer){.delay = 0});
    cr_expect_eq(spipe__host_reset_lun(&f.s, 1, LUN), 0);
    cr_expect_eq(c->flags, 0x4004);
    cr_expect_eq(c->msi, 2);
    cr_expect_eq(c->target, 2);
    cr_expect_eq(c->lun_id, LUN);
    cr_expect_eq(c->ctx_id, FIXTURE_MASTER);
    cr_expect_eq(c->data_length, 0);
    cr_expect_eq(c->cdb[0], first);
    cr_expect_eq(c->cdb[7], last);
    for (unsigned i = 1; i < 7; i++)
        cr_expect_eq(c->cdb[i], 0);
    tear_down();
}

Test(scsi_host, lun_reset)
{
    tmf_image(HAL_ORDER_LITTLE, 1, 0);
    tmf_image(HAL_ORDER_BIG, 0, 1);
    PROVES(AD_111);
}

/* AD-112: whatever happens, the next one can begin. */
Test(scsi_host, lun_reset_that_fails, .init = set_up, .fini = tear_down)
{
    fake_luns_fail(&f.luns, 0, &(struct fake_answer){.lost = true});
    cr_expect_eq(spipe__host_reset_lun(&f.s, 0, LUN), -ETIMEDOUT);
    cr_expect_eq(f.exec.now, 5 * SPIPE__SECOND);
    cr_expect_not(f.s.host.tmf_active);
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 1, "off the pending list");
    fake_luns_fail(&f.luns, 1, &(struct fake_answer){.rc = {.afu_rc = 0x21}});
    cr_expect_eq(spipe__host_reset_lun(&f.s, 0, LUN), -EIO);
    cr_expect_not(f.s.host.tmf_active);
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(spipe__host_reset_lun(&f.s, 0, LUN), -ENOBUFS);
    cr_expect_not(f.s.host.tmf_active);
    PROVES(AD_112);
}

Test(scsi_host, lun_reset_by_state, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_expect_eq(spipe__host_reset_lun(&f.s, 0, LUN), -EIO);
    cr_expect_eq(f.luns.commands, 0);
    PROVES(AD_113);
}
