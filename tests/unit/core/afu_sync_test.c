/* SPDX-License-Identifier: Apache-2.0 */
/* AFU sync: the command, every outcome of AD-123 and AD-124 in every order of two attempts, and the
 * time each takes. */
#include "core/adapter/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/lock_rank.h"
#include "core/adapter/pause.h"
#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(afu_sync, .timeout = 30);

static struct adapter_fixture f;

static void set_up(void) { adapter_fixture_init(&f, HAL_ORDER_HOST); }
static void tear_down(void) { adapter_fixture_fini(&f); }

static int sync_hw(void) { return spipe__afu_sync(&f.s, AFU_SYNC_HW, 7, 5); }

/* The command with this number, from 0, gets this answer. */
static void nth(uint64_t n, struct fake_answer answer) { fake_luns_fail(&f.luns, n, &answer); }

Test(afu_sync, command)
{
    static const uint8_t cdb[16] = {0xC0, 1, 0, 7, 0, 0, 0, 5};
    static const uint8_t gsync[16] = {0xC0, 2};

    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        adapter_fixture_init(&f, order);
        cr_assert_eq(sync_hw(), 0);
        cr_assert_eq(spipe__afu_sync(&f.s, AFU_SYNC_GSYNC, 0, 0), 0);
        cr_assert_eq(f.luns.commands, 2);
        cr_expect_arr_eq(f.luns.log[0].cdb, cdb, 16);
        cr_expect_arr_eq(f.luns.log[1].cdb, gsync, 16);
        cr_expect_eq(f.luns.log[0].flags, 0x0002);
        cr_expect_eq(f.luns.log[0].timeout, 5);
        cr_expect_eq(f.luns.log[0].msi, 2);
        cr_expect_eq(f.luns.log[0].ctx_id, FIXTURE_MASTER);
        cr_expect_eq(f.luns.log[0].target | f.luns.log[0].data_length, 0);
        adapter_fixture_fini(&f);
    }
    PROVES(AD_120);
    PROVES(VL_67);
}

/* Fields of a SCSI command before it do not shine through. */
Test(afu_sync, command_memory_is_fresh, .init = set_up, .fini = tear_down)
{
    struct spipe__cdb cdb = spipe__cdb_report_luns(4096);
    struct spipe__scsi_result r;

    for (unsigned i = 0; i < 20; i++) {
        cr_assert_eq(spipe__scsi(&f.s, 1, 0x77, &cdb, false, 4096, &r), 0);
        cr_assert_eq(sync_hw(), 0);
        cr_assert_eq(f.luns.log[2 * i + 1].lun_id, 0);
        cr_assert_eq(f.luns.log[2 * i + 1].data_length, 0);
        cr_assert_null(f.luns.log[2 * i + 1].data);
        cr_assert_eq(f.luns.log[2 * i + 1].cdb[8] | f.luns.log[2 * i + 1].cdb[9], 0);
    }
    PROVES(AD_122);
}

/* Looks at the lock of internal commands while the AFU has one. */
static struct fake_answer answer_if_locked(void *arg, const struct fake_command *command)
{
    cr_assert_neq(*f.s.exec->ops->thread_ranks(f.s.exec) & HAL_BIT(SPIPE__RANK_INTERNAL), 0);
    return fake_luns_answer(arg, command);
}

/* VL-68: the lock is held over sending, waiting, context reset and repetition. */
Test(afu_sync, one_at_a_time, .init = set_up, .fini = tear_down)
{
    f.afu.answer = answer_if_locked;
    nth(1, (struct fake_answer){.lost = true});
    cr_expect_eq(sync_hw(), 0);
    cr_expect_eq(sync_hw(), 0);
    cr_expect_eq(f.luns.commands, 3);
    exec_mutex_lock(f.s.exec, &f.s.internal); /* free again, or this would abort */
    exec_mutex_unlock(f.s.exec, &f.s.internal);
    PROVES(VL_68);
}

/* ---- outcomes ---- */

static const struct fake_answer lost = {.lost = true};
static const struct fake_answer fine = {.delay = 1000};
static const struct fake_answer timed_out_in_the_afu = {.rc = {.afu_rc = AFU_RC_TIMED_OUT},
                                                        .delay = 5 * SPIPE__SECOND};
static const struct fake_answer busy = {.rc = {.afu_rc = AFU_RC_SYNC_IN_PROGRESS}};

/* 0x22 counts as EIO. No repetition. */
Test(afu_sync, answered_with_an_error, .init = set_up, .fini = tear_down)
{
    nth(0, timed_out_in_the_afu);
    cr_expect_eq(sync_hw(), -EIO);
    cr_expect_eq(f.exec.now, 5 * SPIPE__SECOND); /* */
    nth(1, busy);
    cr_expect_eq(sync_hw(), -EIO);
    cr_expect_eq(f.luns.commands, 2);
    cr_expect_eq(f.afu.resets, 0);
    cr_expect_not(f.s.worker.reset_wanted);
    PROVES(AD_123);
    PROVES(VL_70);
    PROVES(R_15);
}

/* Slow, but in time: 9.9 s. */
Test(afu_sync, slow_answer, .init = set_up, .fini = tear_down)
{
    nth(0, (struct fake_answer){.delay = 9900 * SPIPE__MILLISECOND});
    cr_expect_eq(sync_hw(), 0);
    cr_expect_eq(f.luns.commands, 1);
    PROVES(AD_122);
}

/* Section 24.1 a: no answer, a context reset that works, a second attempt that works. */
Test(afu_sync, second_attempt_works, .init = set_up, .fini = tear_down)
{
    nth(0, lost);
    nth(1, fine);
    cr_expect_eq(sync_hw(), 0);
    cr_expect_eq(f.luns.commands, 2);
    cr_expect_eq(f.afu.resets, 1);
    cr_expect_geq(f.exec.now, 10 * SPIPE__SECOND);
    cr_expect_lt(f.exec.now, 10 * SPIPE__SECOND + 10 * SPIPE__MILLISECOND);
    cr_expect_not(f.s.worker.reset_wanted);
    PROVES(AD_124);
    PROVES(VL_70);
}

/* VL-72, D-2: two time-outs are a failure although both context resets work. */
Test(afu_sync, two_timeouts_are_a_failure, .init = set_up, .fini = tear_down)
{
    nth(0, lost);
    nth(1, lost);
    cr_expect_eq(sync_hw(), -ETIMEDOUT);
    cr_expect_eq(f.luns.commands, 2);
    cr_expect_eq(f.afu.resets, 2);
    cr_expect_not(f.s.hwq[0].stuck);
    cr_expect(f.s.worker.reset_wanted);                                     /* */
    cr_expect_leq(f.exec.now, 20 * SPIPE__SECOND + 5 * SPIPE__MILLISECOND); /* */
    cr_expect_eq(sync_hw(), 0, "the next one may work");
    PROVES(VL_72);
    PROVES(D_2);
    PROVES(D_4);
    PROVES(AD_124);
    PROVES(R_15);
}

Test(afu_sync, error_after_a_timeout, .init = set_up, .fini = tear_down)
{
    nth(0, lost);
    nth(1, busy);
    cr_expect_eq(sync_hw(), -EIO);
    cr_expect_eq(f.luns.commands, 2);
}

/* Section 24.1 b: the context reset does not end; nothing is sent any more until the AFU is
 * initialised again. */
Test(afu_sync, context_reset_fails, .init = set_up, .fini = tear_down)
{
    nth(0, lost);
    f.afu.reset_reads = 11;
    cr_expect_eq(sync_hw(), -ETIMEDOUT);
    cr_expect_eq(f.luns.commands, 1, "no second attempt");
    cr_expect(f.s.worker.reset_wanted);
    PROVES(VL_70);
    cr_expect_eq(sync_hw(), -ETIMEDOUT);
    cr_expect_eq(f.luns.commands, 1);
    f.afu.reset_reads = 0;
    spipe__take_down(&f.s);
    cr_assert_eq(spipe__bring_up(&f.s, (struct spipe__why){NULL, 0}), 0);
    cr_expect_not(f.s.worker.reset_wanted);
    cr_expect_eq(sync_hw(), 0);
    PROVES(AD_124);
}

/* An answer that comes while its context is being reset is not taken for the next one's. */
Test(afu_sync, late_answer_of_the_first_attempt, .init = set_up, .fini = tear_down)
{
    nth(0, (struct fake_answer){.delay = 10 * SPIPE__SECOND + 500 * SPIPE__MICROSECOND});
    nth(1, (struct fake_answer){.rc = {.afu_rc = AFU_RC_TIMED_OUT}, .delay = SPIPE__SECOND});
    f.afu.reset_reads = 8;
    cr_expect_eq(sync_hw(), -EIO);
    cr_expect_eq(f.luns.commands, 2);
}

Test(afu_sync, no_room, .init = set_up, .fini = tear_down)
{
    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(sync_hw(), -ENOBUFS);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(f.exec.now, 0, "at once");
    PROVES(AD_122);
    PROVES(VL_70);
}

Test(afu_sync, adapter_is_gone, .init = set_up, .fini = tear_down)
{
    f.afu.dead = true;
    cr_expect_eq(sync_hw(), -ETIMEDOUT);
    cr_expect(f.s.worker.reset_wanted);
    cr_expect_lt(f.exec.now, SPIPE__SECOND);
}

/* AD-121, SP-162: nothing is sent in any state but NORMAL, and the caller can tell (SP-163). */
Test(afu_sync, adapter_is_not_normal, .init = set_up, .fini = tear_down)
{
    static const enum spipe_state states[] = {SPIPE_STATE_RESET, SPIPE_STATE_FAILED};

    for (unsigned i = 0; i < 2; i++) {
        gate_force(&f.s.gate, states[i]);
        cr_expect_eq(sync_hw(), SPIPE__SYNC_SKIPPED);
    }
    cr_expect_eq(f.luns.commands, 0);
    PROVES(AD_121);
    PROVES(SP_162);
    PROVES(VL_70);
}

/* The command could not be read: as if it had not been answered. */
Test(afu_sync, fault_on_the_command, .init = set_up, .fini = tear_down)
{
    uint64_t pair = (uint64_t)(uintptr_t)f.s.hwq[0].queue.pairs;

    nth(0, lost);
    fake_afu_event(&f.afu, FIXTURE_MASTER,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = pair});
    cr_expect_eq(sync_hw(), 0);
    cr_expect_eq(f.luns.commands, 2);
    cr_expect_eq(f.afu.resets, 1);
}

/* The same over a submission queue: an answer, a lost one, an error. */
Test(afu_sync, sq_mode)
{
    for (enum hal_order order = HAL_ORDER_LITTLE; order <= HAL_ORDER_BIG; order++) {
        adapter_fixture_init_sq(&f, order);
        for (unsigned i = 0; i < 30; i++)
            cr_assert_eq(sync_hw(), 0);
        nth(30, lost);
        nth(32, busy);
        cr_expect_eq(sync_hw(), 0);
        cr_expect_eq(sync_hw(), -EIO);
        cr_expect_eq(f.afu.resets, 1);
        cr_expect_eq(f.luns.commands, 33);
        cr_expect_eq(f.s.hwq[0].queue.counters.stray_elements, 0);
        adapter_fixture_fini(&f);
    }
}
