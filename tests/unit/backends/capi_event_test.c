/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "backends/capi/capi_internal.h"
#include "hal/afu_regs.h"
#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_clock.h"

TestSuite(capi_event, .timeout = 30);

#define SECOND UINT64_C(1000000000)

static const struct cxl_event interrupt = {
    .header = {CXL_EVENT_AFU_INTERRUPT, CXL_EVENT_AFU_INTERRUPT_SIZE, 0, 0}, .irq = {.irq = 2}};
static const struct cxl_event storage = {
    .header = {CXL_EVENT_DATA_STORAGE, CXL_EVENT_DATA_STORAGE_SIZE, 0, 0},
    .fault = {.addr = UINT64_C(0x10001234), .dsisr = UINT64_C(0x4000000042000000)}};
static const struct cxl_event error = {
    .header = {CXL_EVENT_AFU_ERROR, CXL_EVENT_AFU_ERROR_SIZE, 0, 0},
    .afu_error = {.error = UINT64_C(0xDEAD)}};
static const struct cxl_event unknown = {.header = {77, 24, 0, 0}};
static const struct cxl_event from_driver = {.header = {CXL_EVENT_AFU_DRIVER, 16, 0, 0}};

/* A read that fails with an errno. */
static struct cxl_event failure(int number)
{
    struct cxl_event ev = {.header = {CXL_EVENT_READ_FAIL, 0, 0, (uint16_t)number}};

    return ev;
}

struct fixture {
    struct capi_rig rig;
    struct hal_ctx *ctx;
    struct hal_event event;
};

static void up(struct fixture *f)
{
    capi_rig_up(&f->rig);
    f->ctx = capi_rig_context(&f->rig, HAL_CTX_USER);
    fake_cxl.loads = 0;
}

static void down(struct fixture *f)
{
    hal_ctx_release(f->ctx);
    capi_rig_down(&f->rig);
}

static int look(struct fixture *f) { return hal_event_wait(f->ctx, 0, &f->event); }

static uint64_t soon(struct fixture *f) { return exec_now(f->rig.exec) + 1000000; }

/* The card counts as lost, and whoever waits for the platform is told. */
static void expect_lost(struct fixture *f)
{
    enum hal_platform_event event;

    cr_assert(!capi_usable(capi_dev_of(f->rig.dev)));
    cr_assert_eq(hal_platform_wait(f->rig.dev, EXEC_FOREVER, &event), 0);
    cr_assert_eq(event, HAL_PLATFORM_FROZEN);
}

static void expect_alive(const struct fixture *f)
{
    cr_assert(capi_usable(capi_dev_of(f->rig.dev)));
}

/* ---- what events mean (CX-83) ---- */

Test(capi_event, interrupts_have_their_number)
{
    struct fixture f;

    up(&f);
    fake_cxl_event(&interrupt);
    cr_assert_eq(hal_event_wait(f.ctx, EXEC_FOREVER, &f.event), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(f.event.number, 2);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_NONE);
    down(&f);
    PROVES(CX_83);
}

Test(capi_event, faults_have_address_and_dsisr)
{
    struct fixture f;

    up(&f);
    fake_cxl_event(&storage);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_DATA_STORAGE);
    cr_assert_eq(f.event.address, 0x10001234);
    cr_assert_eq(f.event.dsisr, UINT64_C(0x4000000042000000));
    down(&f);
    PROVES(CX_83);
}

/* They are not the last word, and what is behind them is not lost. */
Test(capi_event, unknown_ones_are_skipped_and_counted)
{
    struct fixture f;

    up(&f);
    fake_cxl_event(&unknown);
    fake_cxl_event(&from_driver);
    fake_cxl_event(&interrupt);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(capi_ctx_of(f.ctx)->skipped_events, 2);
    down(&f);
    PROVES(CX_83);
}

Test(capi_event, several_wait_for_their_turn)
{
    struct fixture f;

    up(&f);
    fake_cxl_event(&storage);
    fake_cxl_event(&interrupt);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_DATA_STORAGE);
    cr_assert_eq(hal_event_wait(f.ctx, EXEC_FOREVER, &f.event), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_AFU_INTERRUPT);
    down(&f);
}

/* ---- AFU errors (CX-97) ---- */

Test(capi_event, an_afu_error_is_written_down_with_the_buffer)
{
    struct fixture f;

    up(&f);
    fake_cxl_attribute("afu0.0/afu_err_buff", "Oops");
    fake_cxl_event(&error);
    fake_cxl_event(&interrupt);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_AFU_INTERRUPT, "a card that lives is not lost");
    cr_assert(capi_rig_told(&f.rig, "AFU error 0x000000000000dead in context 0"), "%s", f.rig.log);
    cr_assert(capi_rig_told(&f.rig, "error buffer 0000: 4f6f7073"), "%s", f.rig.log);
    expect_alive(&f);
    down(&f);
    PROVES(CX_83);
    PROVES(CX_97);
}

Test(capi_event, an_afu_error_of_a_dead_card_is_its_loss)
{
    struct fixture f;

    up(&f);
    fake_cxl_event(&error);
    fake_cxl_freeze();
    cr_assert_eq(look(&f), -EIO);
    cr_assert_eq(f.event.kind, HAL_EVENT_DEVICE_LOST);
    expect_lost(&f);
    down(&f);
    PROVES(CX_83);
}

/* ---- loss ---- */

static void lost_for_ever(int number)
{
    struct fixture f;
    struct cxl_event ev = failure(number);

    up(&f);
    fake_cxl_event(&ev);
    cr_assert_eq(hal_event_wait(f.ctx, EXEC_FOREVER, &f.event), -EIO, "errno %d", number);
    cr_assert_eq(f.event.kind, HAL_EVENT_DEVICE_LOST);
    fake_cxl_event(&interrupt);
    cr_assert_eq(look(&f), -EIO, "it came back to life");
    cr_assert_eq(hal_event_wait(f.ctx, EXEC_FOREVER, &f.event), -EIO);
    cr_assert_eq(hal_reg_read64(f.ctx, 0), HAL_ALL_ONES);
    expect_lost(&f);
    down(&f);
}

Test(capi_event, a_read_that_fails_is_the_loss_of_the_card)
{
    lost_for_ever(EIO);
    lost_for_ever(ENODATA);
    lost_for_ever(EINVAL);
    PROVES(CX_49);
    PROVES(CX_83);
}

Test(capi_event, events_before_the_loss_come_first)
{
    struct fixture f;

    up(&f);
    fake_cxl_event(&interrupt);
    fake_cxl.closed = true;
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(look(&f), -EIO);
    down(&f);
    PROVES(CX_85);
}

Test(capi_event, a_read_that_says_try_again_is_nothing)
{
    struct cxl_event again = failure(EAGAIN), interrupted = failure(EINTR);
    struct fixture f;

    up(&f);
    fake_cxl_event(&again);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_NONE);
    fake_cxl_event(&interrupted);
    fake_cxl_event(&interrupt);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_AFU_INTERRUPT);
    expect_alive(&f);
    down(&f);
}

/* ---- deadlines (CX-103) ---- */

Test(capi_event, silence_is_looked_into)
{
    struct fixture f;
    uint64_t deadline;

    up(&f);
    deadline = soon(&f);
    cr_assert_eq(hal_event_wait(f.ctx, deadline, &f.event), 0);
    cr_assert_eq(f.event.kind, HAL_EVENT_NONE);
    cr_assert_eq(exec_now(f.rig.exec), deadline);
    cr_assert_eq(fake_cxl.loads, 1);
    cr_assert_eq(look(&f), 0);
    cr_assert_eq(fake_cxl.loads, 1, "a look is no silence");
    fake_cxl_freeze();
    cr_assert_eq(hal_event_wait(f.ctx, soon(&f), &f.event), -EIO);
    cr_assert_eq(f.event.kind, HAL_EVENT_DEVICE_LOST);
    expect_lost(&f);
    down(&f);
    PROVES(CX_103);
}

/* ---- threads (CX-82, CX-123) ---- */

struct waiter {
    struct fixture *f;
    struct exec_thread *thread;
    struct hal_ctx *ctx;
    struct hal_event event;
    int rc;
};

static void wait_for_ever(void *arg)
{
    struct waiter *w = arg;

    w->rc = hal_event_wait(w->ctx, EXEC_FOREVER, &w->event);
}

static void start(struct waiter *w, struct fixture *f, struct hal_ctx *ctx)
{
    *w = (struct waiter){.f = f, .ctx = ctx, .rc = 1};
    cr_assert_eq(exec_thread_create(f->rig.exec, "waiter", wait_for_ever, w, &w->thread), 0);
}

Test(capi_event, a_wait_is_ended_from_outside)
{
    struct waiter w;
    struct fixture f;

    up(&f);
    start(&w, &f, f.ctx);
    test_clock_await(f.rig.exec, 1);
    fake_cxl.stores = 0;
    hal_ctx_lose(f.ctx);
    exec_thread_join(f.rig.exec, w.thread);
    cr_assert_eq(w.rc, -EIO);
    cr_assert_eq(w.event.kind, HAL_EVENT_DEVICE_LOST);
    cr_assert_eq(fake_cxl.stores, 0, "the card was used for it");
    down(&f);
    PROVES(CX_82);
    PROVES(CX_123);
}

Test(capi_event, an_interrupt_of_the_thread_ends_it)
{
    struct waiter w;
    struct fixture f;

    up(&f);
    start(&w, &f, f.ctx);
    exec_thread_interrupt(f.rig.exec, w.thread);
    exec_thread_join(f.rig.exec, w.thread);
    cr_assert_eq(w.rc, -EINTR);
    cr_assert_eq(w.event.kind, HAL_EVENT_NONE);
    down(&f);
    PROVES(CX_82);
}

/* Readable is not yet an event. */
Test(capi_event, a_wake_up_for_nothing_is_none)
{
    struct waiter w;
    struct fixture f;

    up(&f);
    start(&w, &f, f.ctx);
    fake_cxl_wake();
    test_clock_await(f.rig.exec, 3); /* it has found nothing, twice at least */
    fake_cxl_event(&interrupt);
    exec_thread_join(f.rig.exec, w.thread);
    cr_assert_eq(w.rc, 0);
    cr_assert_eq(w.event.kind, HAL_EVENT_AFU_INTERRUPT);
    down(&f);
    PROVES(CX_82);
}

/* CX-104: whoever sleeps learns of what another has found out. */
Test(capi_event, a_loss_wakes_the_waiters_of_all_contexts)
{
    struct waiter w[2];
    struct fixture f;
    struct hal_ctx *other;

    up(&f);
    other = capi_rig_context(&f.rig, HAL_CTX_USER);
    start(&w[0], &f, f.ctx);
    start(&w[1], &f, other);
    test_clock_await(f.rig.exec, 2);
    fake_cxl_freeze();
    cr_assert_eq(hal_reg_read64(other, AFU_HOST_RRQ_START), HAL_ALL_ONES);
    for (unsigned i = 0; i < 2; i++) {
        exec_thread_join(f.rig.exec, w[i].thread);
        cr_assert_eq(w[i].rc, -EIO);
        cr_assert_eq(w[i].event.kind, HAL_EVENT_DEVICE_LOST);
    }
    hal_ctx_release(other);
    down(&f);
    PROVES(CX_104);
}
