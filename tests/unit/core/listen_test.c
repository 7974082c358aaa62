/* SPDX-License-Identifier: Apache-2.0 */
/* When the worker listens to the AFU, what it makes of what it hears, and how it is called away.
 * What happens when the waits are real is in tests/scenario/link_event_test.c. */
#include "core/adapter/listen.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "hal/support/bits.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(listen, .timeout = 30);

static struct adapter_fixture f;
static struct hal_ops hal;
static struct exec_ops exec;
static unsigned waits, calls, interrupts;
static bool again;   /* the AFU is initialised during the wait */
static bool pending; /* the worker has been interrupted and has not noticed */
static struct hal_event event;
static int result;

static void interrupt(struct exec *e, struct exec_thread *t)
{
    (void)e;
    cr_assert_eq((void *)t, (void *)f.s.worker.thread);
    interrupts++;
    pending = true;
}

static int sleep_until(struct exec *e, uint64_t deadline)
{
    (void)e, (void)deadline;
    if (!pending)
        return 0;
    pending = false;
    return -EINTR;
}

/* The wait of the worker, during which others ask for something `calls` times. */
static int event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    cr_assert_eq((void *)ctx, (void *)f.s.master);
    cr_assert_eq(deadline, 77);
    cr_assert(f.s.listening.active);
    waits++;
    f.s.generation += again;
    for (unsigned i = 0; i < calls; i++)
        spipe__worker_want_wipe(&f.s);
    *out = event;
    if (result == -EINTR)
        pending = false;
    return result;
}

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    exec = *f.exec.exec.ops;
    exec.thread_interrupt = interrupt;
    exec.sleep_until = sleep_until;
    f.exec.exec.ops = &exec;
    hal = *f.s.master->ops;
    hal.event_wait = event_wait;
    f.s.master->ops = &hal;
    f.s.worker.thread = (struct exec_thread *)(void *)&f;
}

static void tear_down(void)
{
    f.s.worker.thread = NULL;
    adapter_fixture_fini(&f);
}

static bool listen(void)
{
    bool async;

    exec_mutex_lock(f.s.exec, &f.s.gate.lock);
    async = spipe__listen(&f.s, 77);
    cr_assert_not(f.s.listening.active);
    exec_mutex_unlock(f.s.exec, &f.s.gate.lock);
    cr_assert_not(pending, "an interruption is left for another wait");
    return async;
}

Test(listen, what_is_heard, .init = set_up, .fini = tear_down)
{
    cr_assert_not(listen());
    event = (struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 3};
    cr_assert(listen());
    PROVES(AD_87);
    event.number = 2;
    cr_assert_not(listen());
    event.number = 1; /* as if a command had been under way (AD-86) */
    *fake_afu_register(&f.afu, AFU_HOST_BASE(FIXTURE_MASTER) + AFU_HOST_INTR_STATUS) = 0x10;
    cr_assert_not(listen());
    cr_assert_eq(f.s.hwq[0].queue.counters.sync_errors, 1);
    cr_assert_eq(waits, 4);
    cr_assert_eq(interrupts, 0);
}

Test(listen, not_while_somebody_else_does, .init = set_up, .fini = tear_down)
{
    f.s.hwq[0].listening = true;
    cr_assert_not(listen());
    cr_assert_eq(waits, 0);
    f.s.hwq[0].listening = false;
    cr_assert_not(listen());
    cr_assert_eq(waits, 1);
}

/* Whoever sent a command while the worker listens gets the answer from it. */
Test(listen, answers_are_passed_on, .init = set_up, .fini = tear_down)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD};
    struct spipe__sent sent;

    cr_assert_eq(spipe__hwq_send(&f.s.hwq[0], &command, &sent), 0);
    hal_progress(f.s.master);
    event = (struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = AFU_LISN_RRQ};
    cr_assert_not(listen());
    cr_assert(sent.ended);
    cr_assert_eq(spipe__hwq_await(&f.s.hwq[0], &sent, 0), 0);
    cr_assert_eq(waits, 1);
}

/* What ends the context ends the wait as well: not a loss of what comes after it. */
Test(listen, not_deaf_by_the_end_of_another_initialisation, .init = set_up, .fini = tear_down)
{
    event.kind = HAL_EVENT_DEVICE_LOST;
    result = -EIO;
    again = true;
    cr_assert_not(listen());
    cr_assert(spipe__listen_worthwhile(&f.s));
}

Test(listen, not_without_anything_to_hear, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    cr_assert_not(spipe__listen_worthwhile(&f.s));
    cr_assert_not(listen());
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_assert_not(listen());
    gate_force(&f.s.gate, SPIPE_STATE_NORMAL);
    f.s.worker.thread = NULL; /* it could not be called */
    cr_assert_not(listen());
    cr_assert_eq(waits, 0);
}

/* A master that is lost tells so at once each time: nobody asks again before it is another one. */
Test(listen, not_after_the_loss, .init = set_up, .fini = tear_down)
{
    event.kind = HAL_EVENT_DEVICE_LOST;
    result = -EIO;
    cr_assert_not(listen());
    cr_assert(f.s.hwq[0].queue.gone);
    cr_assert_not(spipe__listen_worthwhile(&f.s));
    cr_assert_not(listen());
    cr_assert_eq(waits, 1);
    spipe__worker_forget_reset(&f.s);
    cr_assert(spipe__listen_worthwhile(&f.s));
}

/* Once, however many want something. */
Test(listen, called_away, .init = set_up, .fini = tear_down)
{
    calls = 3;
    result = -EINTR;
    cr_assert_not(listen());
    cr_assert_eq(interrupts, 1);
    cr_assert_eq(f.s.worker.wipe_at, 0);
    cr_assert_not(listen());
    cr_assert_eq(interrupts, 2);
}

/* Called when the wait was over already: the interruption must not end a wait of a job. */
Test(listen, called_too_late, .init = set_up, .fini = tear_down)
{
    calls = 1;
    event = (struct hal_event){.kind = HAL_EVENT_AFU_INTERRUPT, .number = 3};
    cr_assert(listen());
    cr_assert_eq(interrupts, 1);
}

/* ---- the end of the master ---- */

static const struct hal_ops *below;
static unsigned stops;

static int ctx_stop(struct hal_ctx *ctx)
{
    cr_assert_not(f.s.hwq[0].online, "its interrupts are still heard");
    stops++;
    return below->ctx_stop(ctx);
}

/* AD-50, D-18: no interrupt arrives while the master ends. */
Test(listen, nobody_listens_when_the_master_ends, .init = set_up, .fini = tear_down)
{
    below = f.afu.dev.ops;
    hal.ctx_stop = ctx_stop;
    cr_assert(f.s.hwq[0].online);
    spipe__take_down(&f.s);
    cr_assert_eq(stops, 1);
    cr_assert_null(f.s.master);
    PROVES(AD_50);
    PROVES(D_18);
}
