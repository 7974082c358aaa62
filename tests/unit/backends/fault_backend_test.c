/* SPDX-License-Identifier: Apache-2.0 */
/* Planned faults of a device as its host sees them: what each effect does, and that the device
 * below is asked for nothing that it should not be. */
#include "backends/fault/fault_backend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/scripted_hal.h"

#define NUMBER 7
#define MS UINT64_C(1000000)
#define PAGE AFU_HOST_BASE(NUMBER)

static struct fake_exec exec;
static struct scripted_hal below;
static struct fault_filter filter;
static struct hal_dev *dev;
static struct hal_ctx *ctx;

static void up(void)
{
    fake_exec_init(&exec, 1);
    scripted_hal_init(&below, NUMBER);
    fault_filter_init(&filter, &exec.exec);
    cr_assert_eq(fault_backend_open(&below.dev, &filter, &dev), 0);
}

static void down(void)
{
    hal_close(dev);
    scripted_hal_done(&below);
    cr_assert_eq(exec.blocks, 0);
}

TestSuite(fault_backend, .init = up, .fini = down);

static void plan(const char *text)
{
    struct fault_plan *const plans[] = {&filter.plan};
    char why[128];

    cr_assert_eq(fault_plans_load(plans, 1, text, why, sizeof why), 0, "%s", why);
}

static void start(void)
{
    scripted_expect_call(&below, SCRIPTED_CREATE, HAL_CTX_MASTER, 0);
    scripted_expect_call(&below, SCRIPTED_START, 1, 0);
    cr_assert_eq(hal_ctx_create(dev, HAL_CTX_MASTER, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, 1), 0);
}

static void end(void)
{
    scripted_expect_call(&below, SCRIPTED_RELEASE, 0, 0);
    hal_ctx_release(ctx);
}

static void expect_event(uint32_t lisn)
{
    scripted_expect(&below, &(struct scripted_op){.kind = SCRIPTED_EVENT,
                                                  .offset = SCRIPTED_ANY_DEADLINE,
                                                  .event = {HAL_EVENT_AFU_INTERRUPT, lisn, 0, 0}});
}

static void expect_no_event(void)
{
    scripted_expect(&below,
                    &(struct scripted_op){.kind = SCRIPTED_EVENT, .offset = SCRIPTED_ANY_DEADLINE});
}

/* What a wait gives: its number, 0 for none, or its result. */
static int wait(uint64_t deadline)
{
    struct hal_event ev;
    int rc = hal_event_wait(ctx, deadline, &ev);

    return rc ? rc : (int)ev.number;
}

/* ---- contexts ---- */

Test(fault_backend, contexts_are_refused)
{
    plan("ctx#1=f+irqmap#1=f+start#1=f+map#1=f");
    cr_assert_eq(hal_ctx_create(dev, HAL_CTX_MASTER, &ctx), -ENODEV);
    scripted_expect_call(&below, SCRIPTED_CREATE, HAL_CTX_MASTER, 0);
    cr_assert_eq(hal_ctx_create(dev, HAL_CTX_MASTER, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, 1), -ENOSPC);
    cr_assert_eq(hal_ctx_start(ctx, 1), -EIO);
    cr_assert_eq(hal_ctx_start(ctx, 1), -EIO);
    scripted_expect_call(&below, SCRIPTED_START, 1, 0);
    cr_assert_eq(hal_ctx_start(ctx, 1), 0);
    cr_assert_eq(ctx->handle, NUMBER);
    cr_assert_eq(filter.plan.rule[3].fired, 1);
    end();
}

Test(fault_backend, a_context_gets_a_wrong_number)
{
    plan("start#1=v(600)");
    start();
    cr_assert_eq(ctx->handle, 600);
    end();
}

/* Nothing runs in it afterwards. */
Test(fault_backend, a_stop_is_refused_and_done)
{
    plan("stop#1=f");
    start();
    scripted_expect_call(&below, SCRIPTED_STOP, 0, 0);
    cr_assert_eq(hal_ctx_stop(ctx), -EIO);
    end();
}

/* ---- adapter ---- */

Test(fault_backend, vital_product_data)
{
    static const char data[] = "0123456789";
    char buffer[16];
    size_t length = 0;

    plan("vpd#1=f+vpd#2=s");
    cr_assert_eq(hal_vpd_read(dev, buffer, sizeof buffer, &length), -EIO);
    scripted_expect(&below, &(struct scripted_op){.kind = SCRIPTED_VPD, .data = data, .value = 8});
    cr_assert_eq(hal_vpd_read(dev, buffer, sizeof buffer, &length), 0);
    cr_assert_eq(length, 8);
}

Test(fault_backend, resets_fail_or_take_their_time)
{
    plan("afurst#1=x+afurst#2=n+afurst#3=l(1000)");
    cr_assert_eq(hal_afu_reset(dev), -EIO);
    cr_assert_eq(hal_afu_reset(dev), -EBUSY);
    cr_assert_eq(exec.now, 5000 * MS);
    scripted_expect_call(&below, SCRIPTED_RESET, 0, 0);
    cr_assert_eq(hal_afu_reset(dev), 0);
    cr_assert_eq(exec.now, 5000 * MS + 4000);
}

Test(fault_backend, memory_for_the_afu_is_refused)
{
    static char room[128] __attribute__((aligned(128)));

    plan("dma#1=f");
    cr_assert_eq(hal_mem_register(dev, room, sizeof room, "room"), -ENOMEM);
    cr_assert_eq(hal_mem_register(dev, room, sizeof room, "room"), 0);
    cr_assert_eq(below.regions, 1);
    hal_mem_release(dev, room);
}

/* ---- registers ---- */

Test(fault_backend, register_reads)
{
    plan("mr#1=o+mr#2=v(17)+mr#3=l");
    start();
    cr_assert_eq(hal_reg_read64(ctx, PAGE), HAL_ALL_ONES);
    cr_assert_eq(hal_reg_read64(ctx, PAGE), 17);
    scripted_expect_read(&below, PAGE, 3);
    cr_assert_eq(hal_reg_read64(ctx, PAGE), 3);
    cr_assert_eq(exec.now, MS);
    end();
}

Test(fault_backend, register_writes)
{
    plan("mw#1=d+mw#2=l(500)");
    start();
    hal_reg_write64(ctx, PAGE, 1);
    scripted_expect_write(&below, PAGE, 2);
    hal_reg_write64(ctx, PAGE, 2);
    cr_assert_eq(exec.now, 2000);
    end();
}

/* The AFU gets the reset; its register does not tell of the end, until the next reset. */
Test(fault_backend, a_context_reset_does_not_end)
{
    plan("creset#1=n+creset#2=o");
    start();
    scripted_expect_write(&below, PAGE + AFU_HOST_IOARRIN, AFU_CTX_RESET);
    hal_reg_write64(ctx, PAGE + AFU_HOST_IOARRIN, AFU_CTX_RESET);
    cr_assert_eq(hal_reg_read64(ctx, PAGE + AFU_HOST_IOARRIN), 1);
    scripted_expect_read(&below, PAGE + AFU_HOST_INTR_STATUS, 5);
    cr_assert_eq(hal_reg_read64(ctx, PAGE + AFU_HOST_INTR_STATUS), 5);
    scripted_expect_write(&below, PAGE + AFU_HOST_SQ_CTX_RESET, AFU_CTX_RESET);
    hal_reg_write64(ctx, PAGE + AFU_HOST_SQ_CTX_RESET, AFU_CTX_RESET);
    cr_assert_eq(hal_reg_read64(ctx, PAGE + AFU_HOST_SQ_CTX_RESET), HAL_ALL_ONES);
    scripted_expect_write(&below, PAGE + AFU_HOST_IOARRIN, AFU_CTX_RESET);
    hal_reg_write64(ctx, PAGE + AFU_HOST_IOARRIN, AFU_CTX_RESET);
    scripted_expect_read(&below, PAGE + AFU_HOST_IOARRIN, 0);
    cr_assert_eq(hal_reg_read64(ctx, PAGE + AFU_HOST_IOARRIN), 0);
    end();
}

/* A doorbell is no reset. */
Test(fault_backend, a_doorbell_is_no_context_reset)
{
    plan("creset#1=n");
    start();
    scripted_expect_write(&below, PAGE + AFU_HOST_IOARRIN, 0x10000);
    hal_reg_write64(ctx, PAGE + AFU_HOST_IOARRIN, 0x10000);
    cr_assert_eq(filter.plan.rule[0].fired, 0);
    end();
}

/* ---- events ---- */

Test(fault_backend, an_event_is_lost)
{
    plan("evt#1=d");
    start();
    expect_event(1);
    expect_event(2);
    cr_assert_eq(wait(MS), 2);
    end();
}

Test(fault_backend, an_event_comes_twice)
{
    plan("evt#1=2");
    start();
    expect_event(1);
    cr_assert_eq(wait(MS), 1);
    cr_assert_eq(wait(MS), 1);
    expect_no_event();
    cr_assert_eq(wait(MS), 0);
    end();
}

/* The read fails; what would have come is still there. */
Test(fault_backend, an_event_cannot_be_read)
{
    plan("evt#1=x");
    start();
    expect_event(1);
    cr_assert_eq(wait(MS), -EIO);
    cr_assert_eq(wait(MS), 1);
    end();
}

Test(fault_backend, an_event_is_wrong)
{
    plan("evt#1=v(9)+evt#2=v+evt#3=v(0x100)");
    start();
    expect_event(1);
    cr_assert_eq(wait(MS), 9);
    expect_event(1);
    cr_assert_eq(wait(MS), 64);
    scripted_expect(&below, &(struct scripted_op){.kind = SCRIPTED_EVENT,
                                                  .offset = SCRIPTED_ANY_DEADLINE,
                                                  .event = {HAL_EVENT_DATA_STORAGE, 0, 0x1000, 0}});
    struct hal_event ev;
    cr_assert_eq(hal_event_wait(ctx, MS, &ev), 0);
    cr_assert_eq(ev.address, 0x1100);
    end();
}

Test(fault_backend, an_event_is_late)
{
    plan("evt#1=l");
    start();
    expect_event(1);
    cr_assert_eq(wait(MS / 2), 0, "a deadline before it");
    cr_assert_eq(exec.now, MS / 2);
    cr_assert_eq(wait(0), 0, "only a look");
    cr_assert_eq(wait(3 * MS), 1);
    cr_assert_eq(exec.now, MS);
    end();
}

/* What was held back dies with the context. */
Test(fault_backend, a_lost_context_gives_no_event)
{
    plan("evt#1=2");
    start();
    expect_event(1);
    cr_assert_eq(wait(MS), 1);
    scripted_expect_call(&below, SCRIPTED_LOSE, 0, 0);
    hal_ctx_lose(ctx);
    cr_assert_eq(wait(MS), -EIO);
    end();
}

Test(fault_backend, a_signal_ends_a_wait)
{
    plan("wait#1=signal");
    start();
    expect_event(1);
    cr_assert_eq(wait(0), 1, "a look is no wait");
    cr_assert_eq(wait(MS), -EINTR);
    expect_event(2);
    cr_assert_eq(wait(MS), 2);
    end();
}

/* Rules follow what core announces. */
Test(fault_backend, notes_are_heard_and_passed_on)
{
    plan("ctx@RESET#1=f");
    hal_note(dev, HAL_NOTE_STATE, 2, 3); /* RESET */
    cr_assert_eq(below.notes, 1);
    cr_assert_eq(hal_ctx_create(dev, HAL_CTX_MASTER, &ctx), -ENODEV);
}
