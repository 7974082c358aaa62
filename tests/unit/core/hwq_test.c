/* SPDX-License-Identifier: Apache-2.0 */
/* A hardware queue and one thread: interrupts that come, that do not come, that come too late, many
 * commands at once, context resets, and the end. Many threads are in
 * tests/scenario/scsi_load.c. */
#include "core/command/hwq.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(hwq, .timeout = 30);

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
    return spipe__hwq_run(&f.s.hwq[0], &command, 10 * SPIPE__SECOND, out);
}

Test(hwq, answer_is_copied, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    cr_assert_eq(run(&(struct fake_answer){.rc = {.afu_rc = 0x22}, .delay = 70 * 1000}, &out), 0);
    cr_expect_eq(out.rc.afu_rc, 0x22);
    cr_expect_eq(f.exec.now, 70 * 1000, "woken by the interrupt");
    cr_expect_eq(f.luns.log[0].msi, 2);
    cr_expect_eq(f.luns.log[0].ctx_id, FIXTURE_MASTER);
    cr_expect_eq(spipe__queue_in_use(&f.s.hwq[0].queue), 0);
}

/* Without an interrupt the answer is found all the same, within a quarter of a second. */
Test(hwq, lost_interrupt, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.afu.lose_interrupts = true;
    cr_assert_eq(run(&(struct fake_answer){.delay = 600 * SPIPE__MILLISECOND}, &out), 0);
    cr_expect_leq(f.exec.now, 850 * SPIPE__MILLISECOND);
    cr_assert_eq(run(&(struct fake_answer){.delay = 10 * SPIPE__SECOND - 1}, &out), 0,
                 "in the last moment: the RRQ is looked at before the command is given up");
}

Test(hwq, late_answer_is_none, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    cr_assert_eq(run(&(struct fake_answer){.delay = 11 * SPIPE__SECOND}, &out), -ETIMEDOUT);
    cr_expect_eq(f.exec.now, 10 * SPIPE__SECOND);
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 1);
    /* The next command resets the context first: the old one cannot answer in its place. */
    cr_assert_eq(run(NULL, &out), 0);
    cr_expect_eq(f.afu.resets, 1);
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 0);
    f.exec.now += 5 * SPIPE__SECOND;
    hal_progress(f.s.master);
    cr_assert_eq(run(NULL, &out), 0);
    cr_expect_eq(f.s.hwq[0].queue.counters.stray_elements, 0);
}

Test(hwq, no_room, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.s.hwq[0].queue.room = 0;
    f.afu.room = 0;
    cr_expect_eq(run(NULL, &out), -ENOBUFS);
    cr_expect_eq(f.luns.commands, 0);
    cr_expect_eq(spipe__queue_in_use(&f.s.hwq[0].queue), 0);
    f.afu.room = 1;
    cr_expect_eq(run(NULL, &out), 0);
    PROVES(AD_122);
}

Test(hwq, adapter_is_gone, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.afu.dead = true;
    cr_expect_eq(run(NULL, &out), -ENODEV, "told by the event");
    cr_expect_lt(f.exec.now, SPIPE__SECOND);
    cr_expect_eq(run(NULL, &out), -ENODEV, "known");
    f.s.hwq[0].queue.gone = false;
    spipe__queue_flush(&f.s.hwq[0].queue, NULL, NULL);
    cr_expect_eq(run(NULL, &out), -ENODEV, "told by the registers");
}

/* Events that are somebody else's business do not end the wait. */
Test(hwq, other_events, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    for (unsigned lisn = 1; lisn <= 3; lisn++)
        fake_afu_event(&f.afu, FIXTURE_MASTER,
                       &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = lisn});
    fake_afu_event(&f.afu, FIXTURE_MASTER, &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE});
    cr_assert_eq(run(&(struct fake_answer){.delay = SPIPE__MILLISECOND}, &out), 0);
    cr_expect_eq(f.s.hwq[0].queue.counters.async_events, 1);
    cr_expect_eq(f.s.hwq[0].queue.counters.unknown_faults, 1);
}

/* An event on the command itself: it will never be answered. */
Test(hwq, fault_on_the_command, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;
    uint64_t pair = (uint64_t)(uintptr_t)f.s.hwq[0].queue.pairs;

    fake_afu_event(&f.afu, FIXTURE_MASTER,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE, .address = pair});
    cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -EIO);
    cr_expect_lt(f.exec.now, SPIPE__SECOND);
    cr_expect_eq(run(NULL, &out), 0);
}

/* ---- many at once ---- */

enum { MANY = 8 }; /* command pairs of the fixture */

static struct spipe__sent sent[MANY + 1];

static int start(unsigned i, const struct fake_answer *answer)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD};

    if (answer)
        fake_luns_fail(&f.luns, f.luns.commands, answer);
    return spipe__hwq_send(&f.s.hwq[0], &command, &sent[i]);
}

static int await(unsigned i) { return spipe__hwq_await(&f.s.hwq[0], &sent[i], 5 * SPIPE__SECOND); }

/* Whoever waits takes the answers of the others as well; they come in another order than they were
 * sent, and everybody gets his own. */
Test(hwq, answers_of_others, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_eq(start(i, &(struct fake_answer){.rc = {.afu_rc = (uint8_t)(0x20 + i)},
                                                    .delay = (MANY - i) * 1000}),
                     0);
    cr_expect_eq(await(0), 0);
    cr_expect_eq(f.exec.now, MANY * 1000);
    for (unsigned i = 1; i < MANY; i++) {
        cr_expect(sent[i].ended);
        cr_expect_eq(await(i), 0);
        cr_expect_eq(sent[i].answer.rc.afu_rc, 0x20 + i);
    }
    cr_expect_eq(f.exec.now, MANY * 1000, "nobody waits for what is there");
    PROVES(AD_71);
}

/* Pairs are credits: the last one is as good as the first, and who finds none takes none (D-1). */
static void credits(void)
{
    f.afu.room = 100;
    f.afu.lose_interrupts = true; /* everything is there when it is looked for */
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < MANY; i++)
            cr_assert_eq(start(i, NULL), 0, "round %u, command %u", round, i);
        cr_assert_eq(start(MANY, NULL), -ENOBUFS);
        cr_assert_eq(start(MANY, NULL), -ENOBUFS);
        hal_progress(f.s.master);
        for (unsigned i = 0; i < MANY; i++)
            cr_assert_eq(await(i), 0);
    }
    cr_expect_eq(f.afu.commands, 50 * MANY);
    PROVES(AD_69);
    PROVES(AD_70);
    PROVES(D_1);
}

Test(hwq, every_credit_is_used, .init = set_up, .fini = tear_down) { credits(); }

Test(hwq, every_credit_is_used_in_sq_mode, .fini = tear_down)
{
    adapter_fixture_init_sq(&f, HAL_ORDER_HOST);
    credits();
}

/* AD-54, AD-85: what was answered before is answered, the rest is aborted, each once. */
Test(hwq, reset_flushes, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(start(0, &(struct fake_answer){.rc = {.afu_rc = 0x21}}), 0);
    cr_assert_eq(start(1, &(struct fake_answer){.delay = SPIPE__SECOND}), 0);
    cr_assert_eq(start(2, &(struct fake_answer){.lost = true}), 0);
    hal_progress(f.s.master);
    cr_assert_eq(spipe__hwq_reset(&f.s.hwq[0]), 0);
    cr_expect_eq(await(0), 0);
    cr_expect_eq(sent[0].answer.rc.afu_rc, 0x21);
    cr_expect_eq(await(1), -EAGAIN);
    cr_expect_eq(await(2), -EAGAIN);
    cr_expect_eq(f.s.hwq[0].counters.aborted, 2);
    cr_expect_eq(spipe__queue_in_use(&f.s.hwq[0].queue), 0);
    cr_expect_lt(f.exec.now, 3 * SPIPE__MILLISECOND);
    PROVES(AD_54);
    PROVES(AD_85);
    PROVES(AD_115);
}

/* The end of the context ends what is pending; nothing can be sent afterwards. */
Test(hwq, stop_flushes, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(start(0, &(struct fake_answer){.lost = true}), 0);
    cr_assert_eq(start(1, &(struct fake_answer){.lost = true}), 0);
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    spipe__take_down(&f.s);
    cr_expect_eq(await(1), -EAGAIN);
    cr_expect_eq(await(0), -EAGAIN);
    cr_expect_eq(start(2, NULL), -EBUSY);
    cr_expect_eq(spipe__hwq_reset(&f.s.hwq[0]), -EBUSY);
    PROVES(AD_52);
    PROVES(AD_53);
}

/* A time-out leaves the command where it is: its owner decides. */
Test(hwq, still_in_flight, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(start(0, &(struct fake_answer){.delay = 7 * SPIPE__SECOND}), 0);
    cr_assert_eq(start(1, &(struct fake_answer){.lost = true}), 0);
    cr_expect_eq(await(0), -ETIMEDOUT);
    cr_expect_eq(f.exec.now, 5 * SPIPE__SECOND);
    cr_expect_eq(spipe__hwq_await(&f.s.hwq[0], &sent[0], 8 * SPIPE__SECOND), 0);
    spipe__hwq_forget(&f.s.hwq[0], &sent[1]);
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 1);
}

/* What the AFU could not reach ends that one command; the others go on, and no context reset
 * wins its slot back while there are any. */
Test(hwq, fault_among_others, .init = set_up, .fini = tear_down)
{
    cr_assert_eq(start(0, &(struct fake_answer){.delay = SPIPE__SECOND}), 0);
    cr_assert_eq(start(1, &(struct fake_answer){.lost = true}), 0);
    fake_afu_event(&f.afu, FIXTURE_MASTER,
                   &(struct hal_event){.kind = HAL_EVENT_DATA_STORAGE,
                                       .address = (uintptr_t)&f.s.hwq[0].queue.pairs[1]});
    cr_expect_eq(await(1), -EIO);
    cr_assert_eq(start(1, NULL), 0);
    cr_expect_eq(await(1), 0);
    cr_expect_eq(await(0), 0);
    cr_expect_eq(f.afu.resets, 0);
    cr_assert_eq(start(0, NULL), 0);
    cr_expect_eq(await(0), 0);
    cr_expect_eq(f.afu.resets, 1);
}

Test(hwq, loss_ends_all, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_eq(start(i, &(struct fake_answer){.lost = true}), 0);
    f.afu.dead = true;
    for (unsigned i = 0; i < MANY; i++)
        cr_expect_eq(await(i), -ENODEV);
    cr_expect_lt(f.exec.now, SPIPE__SECOND);
    cr_expect_eq(start(0, NULL), -ENODEV);
}

/* ---- IRQ polling ---- */

/* Six answers and one interrupt: a budget of two makes three full rounds and one that ends it. */
Test(hwq, poll_in_rounds, .init = set_up, .fini = tear_down)
{
    spipe__hwq_set_poll_weight(&f.s.hwq[0], 2);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(start(i, &(struct fake_answer){.delay = 1000}), 0);
    cr_assert_eq(start(6, &(struct fake_answer){.delay = 2000}), 0);
    cr_expect_eq(await(6), 0);
    cr_expect_eq(f.s.hwq[0].counters.polls, 3);
    for (unsigned i = 0; i < 6; i++)
        cr_expect_eq(await(i), 0);
    cr_expect_eq(f.exec.now, 2000);
    PROVES(AD_83);
}

static struct exec_ops ops;

/* Between two rounds somebody else takes the adapter down. */
static void yield_to_the_end(struct exec *e)
{
    (void)e;
    if (!f.s.master)
        return;
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    spipe__take_down(&f.s);
}

/* Who polls has no hold on the context: nobody listens any more, so nobody waits for him. His own
 * command ends with it, and what he tells of the queue afterwards needs no context. */
Test(hwq, ends_during_a_poll, .init = set_up, .fini = tear_down)
{
    struct spipe__hwq *h = &f.s.hwq[0];
    uint64_t before = h->told.stray_elements;

    ops = *f.exec.exec.ops;
    ops.thread_yield = yield_to_the_end;
    f.exec.exec.ops = &ops;
    spipe__hwq_set_poll_weight(h, 2);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(start(i, &(struct fake_answer){.delay = 1000}), 0);
    cr_assert_eq(start(2, &(struct fake_answer){.lost = true}), 0);
    h->queue.counters.stray_elements++;
    cr_expect_eq(await(2), -EAGAIN);
    cr_expect_null(h->ctx);
    cr_expect_eq(h->counters.polls, 1);
    cr_expect_eq(h->told.stray_elements, before + 1);
    for (unsigned i = 0; i < 2; i++)
        cr_expect_eq(await(i), 0);
    PROVES(AD_83);
    PROVES(AD_54);
}

Test(hwq, no_poll_by_default, .init = set_up, .fini = tear_down)
{
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(start(i, &(struct fake_answer){.delay = 1000}), 0);
    for (unsigned i = 6; i-- > 0;)
        cr_expect_eq(await(i), 0);
    cr_expect_eq(f.s.hwq[0].counters.polls, 0);
    cr_expect_eq(f.s.hwq[0].counters.interrupts, 1);
    cr_expect_eq(f.s.hwq[0].counters.spurious, 0);
    PROVES(AD_84);
}

/* AD-82: an interrupt with nothing behind it is nobody's answer. */
Test(hwq, spurious_interrupt, .init = set_up, .fini = tear_down)
{
    fake_afu_event(&f.afu, FIXTURE_MASTER,
                   &(struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = AFU_LISN_RRQ});
    cr_assert_eq(start(0, &(struct fake_answer){.delay = 1000}), 0);
    cr_expect_eq(await(0), 0);
    cr_expect_eq(f.s.hwq[0].counters.interrupts, 2);
    cr_expect_eq(f.s.hwq[0].counters.spurious, 1);
    PROVES(AD_82);
}

/* ---- interruptions ---- */

static unsigned interruptions, kept;

static int interrupted_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    if (interruptions == 0)
        return f.afu.dev.ops->event_wait(ctx, deadline, out);
    interruptions--;
    f.afu.dev.ops->progress(ctx); /* the device goes on meanwhile */
    return -EINTR;
}

static void keep(struct exec *e, struct exec_thread *t)
{
    (void)e;
    cr_expect_null(t, "for itself");
    kept++;
}

/* The next `times` waits are interrupted; *hal has to last as long as the test. */
static void interrupt_waits(struct hal_ops *hal, unsigned times)
{
    ops = *f.exec.exec.ops;
    ops.thread_interrupt = keep;
    f.exec.exec.ops = &ops;
    *hal = *f.afu.dev.ops;
    hal->event_wait = interrupted_wait;
    f.s.hwq[0].ctx->ops = hal;
    interruptions = times;
    kept = 0;
}

/* An answer is waited for all the same; the interruption is for a later wait, once. */
Test(hwq, keeps_an_interruption, .init = set_up, .fini = tear_down)
{
    struct hal_ops hal;
    struct afu_ioasa out;

    interrupt_waits(&hal, 2);
    cr_assert_eq(run(&(struct fake_answer){.delay = 5000}, &out), 0);
    cr_expect_eq(f.exec.now, 5000);
    cr_expect_eq(interruptions, 0);
    cr_expect_eq(kept, 1);
    cr_assert_eq(run(&(struct fake_answer){.delay = 5000}, &out), 0);
    cr_expect_eq(kept, 1);
    f.s.hwq[0].ctx->ops = f.afu.dev.ops;
}

/* However often it is interrupted, time goes on: the answer comes, or the deadline. */
Test(hwq, interrupted_for_ever, .init = set_up, .fini = tear_down)
{
    struct hal_ops hal;
    struct afu_ioasa out;

    interrupt_waits(&hal, 1000000);
    cr_assert_eq(run(&(struct fake_answer){.delay = SPIPE__SECOND}, &out), 0);
    cr_expect_leq(f.exec.now, SPIPE__SECOND + SPIPE__MILLISECOND);
    cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -ETIMEDOUT);
    cr_expect_leq(f.exec.now, 11 * SPIPE__SECOND + SPIPE__MILLISECOND);
    cr_expect_gt(interruptions, 980000u);
    cr_expect_eq(kept, 2);
    f.s.hwq[0].ctx->ops = f.afu.dev.ops;
}

/* ---- commands given up ---- */

/* A hundred commands given up, one after the other: no slot is lost for good. */
Test(hwq, slots_come_back, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    for (unsigned i = 0; i < 100; i++) {
        f.luns.faults = 0;
        cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -ETIMEDOUT);
    }
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 1);
    cr_expect_eq(f.afu.resets, 99);
}

Test(hwq, reset_that_does_not_end, .init = set_up, .fini = tear_down)
{
    struct afu_ioasa out;

    f.afu.reset_reads = 11;
    cr_assert_eq(run(&(struct fake_answer){.lost = true}, &out), -ETIMEDOUT);
    cr_expect_eq(spipe__hwq_reset(&f.s.hwq[0]), -ETIMEDOUT);
    cr_expect(f.s.hwq[0].stuck);
    cr_expect(f.s.worker.reset_wanted);
    cr_expect_eq(f.s.hwq[0].queue.lost_count, 1, "nothing is certain about it");
    f.exec.now = 0;
    cr_expect_eq(spipe__hwq_reset(&f.s.hwq[0]), -ETIMEDOUT, "it is known");
    cr_expect_eq(f.exec.now, 0);
    cr_expect_eq(run(NULL, &out), -EIO);
    PROVES(AD_115);
}
