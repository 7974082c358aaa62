/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the platform: a frozen slot, its recovery, and an adapter that is given up. */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/afu_regs.h"
#include "tests/conformance/hal_conformance.h"

#define VERSION (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION)

static enum hal_platform_event next(struct hal_conformance *env)
{
    enum hal_platform_event event;

    cr_assert_eq(hal_platform_wait(env->dev, exec_now(env->exec) + env->patience, &event), 0);
    return event;
}

static struct hal_ctx *master(struct hal_conformance *env)
{
    struct hal_ctx *ctx;

    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_MASTER, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, 3), 0);
    return ctx;
}

/* A back end may have no such events; then it says so at once, whatever the deadline. */
void hal_conformance_a_calm_platform_says_nothing(struct hal_conformance *env)
{
    enum hal_platform_event event = HAL_PLATFORM_FROZEN;
    uint64_t deadline = exec_now(env->exec) + 1000000;
    int rc = hal_platform_wait(env->dev, 0, &event);

    cr_assert_eq(event, HAL_PLATFORM_NONE);
    cr_assert(rc == 0 || rc == -ENOSYS);
    cr_assert_eq(hal_platform_wait(env->dev, deadline, &event), rc);
    cr_assert_eq(event, HAL_PLATFORM_NONE);
    cr_assert(rc || exec_now(env->exec) >= deadline);
}

static void wait_long(void *arg)
{
    struct hal_conformance *env = arg;
    enum hal_platform_event event;

    cr_assert_eq(hal_platform_wait(env->dev, exec_now(env->exec) + env->patience, &event), -EINTR);
    cr_assert_eq(event, HAL_PLATFORM_NONE);
}

void hal_conformance_an_interrupt_ends_a_platform_wait(struct hal_conformance *env)
{
    struct exec_thread *thread;

    cr_assert_eq(exec_thread_create(env->exec, "EEH", wait_long, env, &thread), 0);
    exec_thread_interrupt(env->exec, thread);
    exec_thread_join(env->exec, thread);
}

/* Whoever waits for events of a context is woken too. */
static void expect_dead(struct hal_ctx *ctx)
{
    struct hal_event event;

    cr_assert_eq(hal_reg_read64(ctx, VERSION), HAL_ALL_ONES);
    hal_reg_write64(ctx, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1);
    cr_assert_eq(hal_event_wait(ctx, EXEC_FOREVER, &event), -EIO);
    cr_assert_eq(event.kind, HAL_EVENT_DEVICE_LOST);
}

void hal_conformance_a_frozen_slot_recovers(struct hal_conformance *env)
{
    struct hal_ctx *ctx = master(env), *other;
    uint64_t version = hal_reg_read64(ctx, VERSION);

    env->freeze(env, ctx);
    expect_dead(ctx);
    cr_assert_neq(hal_ctx_create(env->dev, HAL_CTX_USER, &other), 0);
    cr_assert_eq(next(env), HAL_PLATFORM_FROZEN);
    hal_ctx_release(ctx);
    cr_assert_neq(hal_afu_reset(env->dev), 0);
    hal_platform_answer(env->dev, HAL_PLATFORM_NEED_RESET);
    cr_assert_eq(next(env), HAL_PLATFORM_SLOT_RESET);
    ctx = master(env);
    cr_assert_eq(hal_reg_read64(ctx, VERSION), version);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_afu_reset(env->dev), 0);
    hal_platform_answer(env->dev, HAL_PLATFORM_RECOVERED);
    cr_assert_eq(next(env), HAL_PLATFORM_RESUMED);
}

/* A dead context keeps its number until it is released, and stays dead (CX-101). */
void hal_conformance_a_slot_reset_revives_no_context(struct hal_conformance *env)
{
    struct hal_ctx *old = master(env), *new;

    env->freeze(env, old);
    cr_assert_eq(next(env), HAL_PLATFORM_FROZEN);
    hal_platform_answer(env->dev, HAL_PLATFORM_NEED_RESET);
    cr_assert_eq(next(env), HAL_PLATFORM_SLOT_RESET);
    new = master(env);
    cr_assert_neq(new->handle, old->handle);
    expect_dead(old);
    cr_assert_neq(hal_reg_read64(new, VERSION), HAL_ALL_ONES);
    hal_ctx_release(new);
    hal_ctx_release(old);
    hal_platform_answer(env->dev, HAL_PLATFORM_RECOVERED);
    cr_assert_eq(next(env), HAL_PLATFORM_RESUMED);
}

void hal_conformance_what_is_given_up_stays_so(struct hal_conformance *env)
{
    struct hal_ctx *ctx = master(env), *other;

    env->freeze(env, ctx);
    cr_assert_eq(next(env), HAL_PLATFORM_FROZEN);
    hal_platform_answer(env->dev, HAL_PLATFORM_DISCONNECT);
    cr_assert_eq(next(env), HAL_PLATFORM_PERMANENT_FAILURE);
    hal_platform_answer(env->dev, HAL_PLATFORM_DISCONNECT);
    expect_dead(ctx);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_USER, &other), -ENODEV);
    cr_assert_neq(hal_afu_reset(env->dev), 0);
}
