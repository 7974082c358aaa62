/* SPDX-License-Identifier: Apache-2.0 */
/* How many hardware queues there are, what bring-up does for each of them, and the poll weight. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "tests/testlib/adapter_fixture.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(hwqs, .timeout = 30);

static struct adapter_fixture f;

static void set_up(void) { adapter_fixture_init(&f, HAL_ORDER_HOST); }
static void tear_down(void) { adapter_fixture_fini(&f); }

static uint64_t of(unsigned queue, uint64_t reg)
{
    return *fake_afu_register(&f.afu, AFU_HOST_BASE(FIXTURE_MASTER + queue) + reg);
}

static uint64_t capability(unsigned context)
{
    return *fake_afu_register(&f.afu, AFU_CTRL_BASE(context) + AFU_CTRL_CTX_CAP);
}

/* AD-203; D-14: never less than one. */
Test(hwqs, number, .init = set_up, .fini = tear_down)
{
    static const struct {
        int n;
        unsigned cpus, queues;
    } cases[] = {{1, 4, 1},        {3, 4, 3},      {8, 4, 8},  {9, 4, 8},   {INT_MAX, 1, 8},
                 {0, 4, 4},        {0, 96, 8},     {0, 1, 1},  {-1, 4, 4},  {-2, 4, 2},
                 {-3, 4, 1},       {-4, 4, 1},     {-5, 4, 1}, {-96, 4, 1}, {-2, 96, 8},
                 {INT_MIN, 96, 1}, {INT_MIN, 1, 1}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        f.s.cpus = cases[i].cpus;
        cr_assert_eq(spipe_hwqs_set(&f.s, cases[i].n), 0);
        cr_assert_eq(spipe_hwqs_get(&f.s), cases[i].queues, "%d with %u processors: %u", cases[i].n,
                     cases[i].cpus, spipe_hwqs_get(&f.s));
        cr_assert_eq(f.afu.afu_resets, i + 2, "always a reset (AD-203)");
    }
    PROVES(AD_203);
    PROVES(D_14);
}

/* AD-42, AD-46a, AD-49a, AD-49g for each; interrupts of AD-31 and AD-32. */
Test(hwqs, each_is_brought_up, .fini = tear_down)
{
    adapter_fixture_init_hwqs(&f, 4);
    for (unsigned i = 0; i < 4; i++) {
        const struct spipe__queue *q = &f.s.hwq[i].queue;

        cr_assert_eq(f.s.hwq[i].ctx->handle, FIXTURE_MASTER + i);
        cr_expect_eq(of(i, AFU_HOST_RRQ_START), (uintptr_t)q->rrq);
        cr_expect_eq(of(i, AFU_HOST_RRQ_END), (uintptr_t)q->rrq_last);
        cr_expect_eq(of(i, AFU_HOST_CTX_CTRL), 1);
        cr_expect_eq(of(i, AFU_HOST_INTR_MASK), UINT64_C(0xFFFFFFFFFFFFF800));
        cr_expect_eq(capability(FIXTURE_MASTER + i), UINT64_C(0x600000000000000F));
        cr_expect(f.s.hwq[i].online);
    }
    cr_expect_eq(capability(FIXTURE_MASTER + 4), 0);
    cr_expect_eq(*fake_afu_register(&f.afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL),
                 UINT64_C(0x0003030000000000), "the primary has the asynchronous events");
    PROVES(AD_60);
    PROVES(AD_63);
}

/* ---- contexts come and go in order ---- */

static struct hal_ops spy;
static const struct hal_ops *real;
static char calls[400];
static unsigned starts_left; /* that work */

static void note(const char *what, unsigned number)
{
    size_t used = strlen(calls);

    snprintf(calls + used, sizeof calls - used, "%s %u\n", what, number);
}

static int spy_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    note("create", kind == HAL_CTX_MASTER);
    return real->ctx_create(dev, kind, out);
}

static int spy_start(struct hal_ctx *ctx, unsigned interrupts)
{
    note("start", interrupts);
    return starts_left-- ? real->ctx_start(ctx, interrupts) : -ENOSPC;
}

static int spy_stop(struct hal_ctx *ctx)
{
    note("stop", ctx->handle);
    return real->ctx_stop(ctx);
}

static void spy_release(struct hal_ctx *ctx)
{
    note("release", ctx->handle);
    real->ctx_release(ctx);
}

static void watch(unsigned starts)
{
    real = f.afu.dev.ops;
    spy = *real;
    spy.ctx_create = spy_create;
    spy.ctx_start = spy_start;
    spy.ctx_stop = spy_stop;
    spy.ctx_release = spy_release;
    f.afu.dev.ops = &spy;
    f.s.hwq[0].ctx->ops = &spy;
    starts_left = starts;
    calls[0] = '\0';
}

/* Three interrupts for the primary, two for the others (AD-32); the last one ends first (AD-50). */
Test(hwqs, contexts, .init = set_up, .fini = tear_down)
{
    watch(UINT_MAX);
    cr_assert_eq(spipe_hwqs_set(&f.s, 3), 0);
    cr_expect_str_eq(calls, "stop 3\nrelease 3\n"
                            "create 1\ncreate 1\ncreate 1\n"
                            "start 3\nstart 2\nstart 2\n");
    calls[0] = '\0';
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    spipe__take_down(&f.s);
    cr_expect_str_eq(calls, "stop 5\nstop 4\nstop 3\n"
                            "release 5\nrelease 4\nrelease 3\n");
    PROVES(AD_31);
    PROVES(AD_32);
    PROVES(AD_50);
}

/* AD-49j: what was begun ends from last to first, and the adapter with it. */
Test(hwqs, a_start_that_fails, .init = set_up, .fini = tear_down)
{
    watch(2);
    cr_expect_eq(spipe_hwqs_set(&f.s, 4), -EIO);
    cr_expect_str_eq(calls, "stop 3\nrelease 3\n"
                            "create 1\ncreate 1\ncreate 1\ncreate 1\n"
                            "start 3\nstart 2\nstart 2\n"
                            "stop 4\nstop 3\n"
                            "release 6\nrelease 5\nrelease 4\nrelease 3\n");
    cr_expect_eq(spipe__gate_state(&f.s.gate), SPIPE_STATE_FAILED);
    cr_expect_null(f.s.master);
    for (unsigned i = 0; i < 4; i++)
        cr_expect_null(f.s.hwq[i].ctx);
    PROVES(AD_33);
    PROVES(AD_49j);
}

/* Fewer than before: what is no more takes no commands and has no context; its memory is kept. */
Test(hwqs, fewer, .fini = tear_down)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD};
    struct spipe__sent sent;

    adapter_fixture_init_hwqs(&f, 3);
    cr_assert_eq(spipe_hwqs_set(&f.s, 1), 0);
    cr_expect_null(f.s.hwq[1].ctx);
    cr_expect_eq(spipe__hwq_send(&f.s.hwq[1], &command, &sent), -EBUSY);
    cr_expect_eq(spipe__hwq_send(&f.s.hwq[0], &command, &sent), 0);
    cr_expect_eq(spipe__hwq_await(&f.s.hwq[0], &sent, EXEC_FOREVER), 0);
    cr_expect_eq(spipe_hwqs_set(&f.s, 2), 0);
    cr_expect(f.s.hwq[1].online);
    PROVES(AD_62);
}

/* Without memory for one more nothing happens to those that there are. */
Test(hwqs, no_memory, .init = set_up, .fini = tear_down)
{
    uint64_t resets = f.afu.afu_resets;

    f.exec.fail_after = 0;
    cr_expect_eq(spipe_hwqs_set(&f.s, 2), -ENOMEM);
    f.exec.fail_after = FAKE_EXEC_NEVER;
    cr_expect_eq(spipe_hwqs_get(&f.s), 1);
    cr_expect_eq(f.afu.afu_resets, resets);
    cr_expect_eq(spipe__gate_state(&f.s.gate), SPIPE_STATE_NORMAL);
    cr_expect(f.s.hwq[0].online);
}

Test(hwqs, failed_adapter, .init = set_up, .fini = tear_down)
{
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    cr_expect_eq(spipe_hwqs_set(&f.s, 2), -EIO);
}

/* AD-202 */
Test(hwqs, poll_weight, .init = set_up, .fini = tear_down)
{
    cr_expect_eq(spipe_irqpoll_weight_get(&f.s), 0);
    cr_expect_eq(spipe_irqpoll_weight_set(&f.s, 0), -EINVAL, "it is that already");
    cr_expect_eq(spipe_irqpoll_weight_set(&f.s, 257), -EINVAL);
    cr_expect_eq(spipe_irqpoll_weight_set(&f.s, 256), 0);
    cr_expect_eq(spipe_irqpoll_weight_set(&f.s, 256), -EINVAL);
    cr_expect_eq(spipe_irqpoll_weight_get(&f.s), 256);
    cr_assert_eq(spipe_hwqs_set(&f.s, 8), 0);
    for (unsigned i = 0; i < 8; i++)
        cr_expect_eq(f.s.hwq[i].poll_weight, 256);
    cr_expect_eq(spipe_irqpoll_weight_set(&f.s, 0), 0);
    PROVES(AD_202);
}
