/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the platform: a frozen slot, its recovery, and an adapter that is given up. */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/afu_regs.h"
#include "tests/conformance/hal_conformance.h"
#include "tests/testlib/proves.h"

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

/* ---- waits for events that are under way when the slot goes ---- */

enum { WAITERS = 3 };

struct waiter {
    struct hal_ctx *ctx;
    struct exec_thread *thread;
    struct hal_event event;
    int rc;
};

static void wait_for_ever(void *arg)
{
    struct waiter *w = arg;

    w->rc = hal_event_wait(w->ctx, EXEC_FOREVER, &w->event);
}

/* One waits for a master, the others for users. They get time to begin. */
static void begin_waits(struct hal_conformance *env, struct waiter *w)
{
    for (unsigned i = 0; i < WAITERS; i++) {
        enum hal_ctx_kind kind = i ? HAL_CTX_USER : HAL_CTX_MASTER;

        cr_assert_eq(hal_ctx_create(env->dev, kind, &w[i].ctx), 0);
        cr_assert_eq(hal_ctx_start(w[i].ctx, 3), 0);
        cr_assert_eq(exec_thread_create(env->exec, "waiter", wait_for_ever, &w[i], &w[i].thread),
                     0);
    }
    cr_assert_eq(exec_sleep_until(env->exec, exec_now(env->exec) + 1000000), 0);
}

static void expect_ended(struct hal_conformance *env, struct waiter *w)
{
    for (unsigned i = 0; i < WAITERS; i++) {
        exec_thread_join(env->exec, w[i].thread);
        cr_assert_eq(w[i].rc, -EIO, "wait %u", i);
        cr_assert_eq(w[i].event.kind, HAL_EVENT_DEVICE_LOST, "wait %u", i);
        cr_assert_eq(hal_event_wait(w[i].ctx, EXEC_FOREVER, &w[i].event), -EIO);
        cr_assert_eq(hal_reg_read64(w[i].ctx, AFU_HOST_ENDIAN_CTRL), HAL_ALL_ONES);
    }
}

static void release_all(struct hal_ctx *ctx, const struct waiter *w)
{
    for (unsigned i = 0; i < WAITERS; i++)
        hal_ctx_release(w[i].ctx);
    hal_ctx_release(ctx);
}

/* Nobody tells the waiters: the platform gets no answer before all of them are back. */
void hal_conformance_a_freeze_ends_waits(struct hal_conformance *env)
{
    struct waiter w[WAITERS];
    struct hal_ctx *ctx = master(env);

    begin_waits(env, w);
    env->freeze(env, ctx);
    cr_assert_eq(next(env), HAL_PLATFORM_FROZEN);
    expect_ended(env, w);
    hal_platform_answer(env->dev, HAL_PLATFORM_NEED_RESET);
    cr_assert_eq(next(env), HAL_PLATFORM_SLOT_RESET);
    release_all(ctx, w);
    hal_platform_answer(env->dev, HAL_PLATFORM_RECOVERED);
    cr_assert_eq(next(env), HAL_PLATFORM_RESUMED);
    PROVES(R_44);
}

void hal_conformance_a_removal_ends_waits(struct hal_conformance *env)
{
    struct waiter w[WAITERS];
    struct hal_ctx *ctx = master(env), *other;

    begin_waits(env, w);
    env->remove(env, ctx);
    cr_assert_eq(next(env), HAL_PLATFORM_REMOVED);
    expect_ended(env, w);
    release_all(ctx, w);
    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_USER, &other), -ENODEV);
    PROVES(R_44);
}
