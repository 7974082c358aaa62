/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the master: interrupts that come, that do not come, that come too late, and the
 * context reset after a command that is given up. */
#include "core/adapter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/pause.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/proves.h"

TestSuite(master, .timeout = 30);

static struct adapter_fixture f;

static void set_up(void) { adapter_fixture_init(&f, HAL_ORDER_HOST); }
static void tear_down(void) { adapter_fixture_fini(&f); }

/* Runs an AFU command with a host time-out of 10 s, answered as given. */
static int run(const struct fake_answer *answer, struct afu_ioasa *out)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD};

    memset(out, 0xEE, sizeof *out);
    if (answer)
        fake_luns_fail(&f.luns, f.luns.commands, answer);
    return spipe__master_run(&f.s, &command, 10 * SPIPE__SECOND, out);
}

Test(master, answer_is_copied, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    cr_assert_eq(run(&(struct fake_answer){.rc = {.afu_rc = 0x22}, .delay = 70 * 1000}, &out), 0);
    cr_expect_eq(out.rc.afu_rc, 0x22);
    cr_expect_eq(f.exec.now, 70 * 1000, "woken by the interrupt");
    cr_expect_eq(f.luns.log[0].msi, 2);
    cr_expect_eq(f.luns.log[0].ctx_id, FIXTURE_MASTER);
    cr_expect_eq(spipe__queue_in_use(&f.s.queue), 0);
}

/* Without an interrupt the answer is found all the same, within a quarter of a second. */
Test(master, lost_interrupt, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.afu.lose_interrupts = true;
    cr_assert_eq(run(&(struct fake_answer){.delay = 600 * SPIPE__MILLISECOND}, &out), 0);
    cr_expect_leq(f.exec.now, 850 * SPIPE__MILLISECOND);
    cr_assert_eq(run(&(struct fake_answer){.delay = 10 * SPIPE__SECOND - 1}, &out), 0,
                 "in the last moment: the RRQ is looked at before the command is given up");
}

Test(master, late_answer_is_none, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    cr_assert_eq(run(&(struct fake_answer){.delay = 11 * SPIPE__SECOND}, &out), -ETIMEDOUT);
    cr_expect_eq(f.exec.now, 10 * SPIPE__SECOND);
    cr_expect_eq(f.s.queue.lost_count, 1);
    /* The next command resets the context first: the old one cannot answer in its place. */
    cr_assert_eq(run(NULL, &out), 0);
    cr_expect_eq(f.afu.resets, 1);
    cr_expect_eq(f.s.queue.lost_count, 0);
    f.exec.now += 5 * SPIPE__SECOND;
    hal_progress(f.s.master);
    cr_assert_eq(run(NULL, &out), 0);
    cr_expect_eq(f.s.queue.counters.stray_elements, 0);
}

Test(master, no_room, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.s.queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(run(NULL, &out), -ENOBUFS);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(spipe__queue_in_use(&f.s.queue), 0);
    f.afu.room = 1;
    cr_expect_eq(run(NULL, &out), 0);
    PROVES(AD_122);
}

Test(master, adapter_is_gone, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.afu.dead = true;
    cr_expect_eq(run(NULL, &out), -ENODEV, "told by the event");
    cr_expect_lt(f.exec.now, SPIPE__SECOND);
    cr_expect_eq(run(NULL, &out), -ENODEV, "known");
    f.s.queue.gone = false;
    spipe__queue_flush(&f.s.queue, NULL, NULL);
    cr_expect_eq(run(NULL, &out), -ENODEV, "told by the registers");
}

/* Events that are somebody else's business do not end the wait. */
Test(master, other_events, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    for (unsigned lisn = 1; lisn <= 3; lisn++)
        fake_afu_event(&f.afu, FIXTURE_MASTER,
                       &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = lisn});
    fake_afu_event(&f.afu, FIXTURE_MASTER, &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE});
    cr_assert_eq(run(&(struct fake_answer){.delay = SPIPE__MILLISECOND}, &out), 0);
    cr_expect_eq(f.s.queue.counters.async_events, 1);
    cr_expect_eq(f.s.queue.counters.unknown_faults, 1);
}

/* An event on the command itself: it will never be answered. */
Test(master, fault_on_the_command, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;
    uint64_t pair = (uint64_t)(uintptr_t)f.s.queue.pairs;

    fake_afu_event(&f.afu, FIXTURE_MASTER,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = pair});
    cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -EIO);
    cr_expect_lt(f.exec.now, SPIPE__SECOND);
    cr_expect_eq(run(NULL, &out), 0);
}

/* A hundred commands given up, one after the other: no slot is lost for good. */
Test(master, slots_come_back, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    for (unsigned i = 0; i < 100; i++) {
        f.luns.faults = 0;
        cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -ETIMEDOUT);
    }
    cr_expect_eq(f.s.queue.lost_count, 1);
    cr_expect_eq(f.afu.resets, 99);
}

Test(master, reset_that_does_not_end, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.afu.reset_reads = 11;
    cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -ETIMEDOUT);
    cr_expect_eq(spipe__master_reset(&f.s), -ETIMEDOUT);
    cr_expect(f.s.master_stuck);
    cr_expect(f.s.reset_wanted);
    cr_expect_eq(f.s.queue.lost_count, 1, "nothing is certain about it");
    PROVES(AD_115);
}
