/* SPDX-License-Identifier: Apache-2.0 */
/* Core over backends/capi, the stand-in for libcxl and the model: what a program would see on a
 * card whose slot freezes, fails, or loses it (CX section 8). */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/context/context.h"
#include "hal/exec.h"
#include "sim/libcxl/standin_control.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/testlib/device_capi.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(capi, .timeout = 120);

static const enum standin_way ways[] = {STANDIN_LIBRARY, STANDIN_DIRECT};

static void run(void (*body)(struct stack *, void *), bool interrupts)
{
    for (unsigned i = 0; i < 2; i++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct sim_media *media = stack_media(8);

            test_device_by(ways[i]);
            stack_run(&(struct stack_setup){.seed = seed, .media = media}, body, &interrupts);
            sim_media_close(media);
        }
}

static void happens(struct stack *s, enum sim_effect effect, uint64_t arg)
{
    sim_afu_platform(sim_host_afu(s->host, 0), effect, arg);
}

/* ---- calm ---- */

static void use(struct stack *s, void *arg)
{
    const bool *interrupts = arg;
    struct stack_client c[2];
    uint32_t handle[2];
    uint64_t last;

    cr_assert_str_eq(s->core_dev->ops->name, "capi");
    for (unsigned i = 0; i < 2; i++) {
        stack_client(s, &c[i], i, 8, *interrupts);
        handle[i] = stack_open(&c[i], i, 2);
    }
    for (uint8_t i = 1; i < 20; i++) {
        stack_put(&c[i % 2], handle[i % 2], i * UINT64_C(5000), i);
        cr_assert_eq(stack_get(&c[i % 2], handle[i % 2], i * UINT64_C(5000)), i);
    }
    cr_assert_eq(spipe_resize(c[0].ctx, handle[0], 65536, &last), 0);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    for (unsigned i = 0; i < 2; i++) {
        bool recovered = false;

        cr_assert_eq(spipe_recover(c[i].ctx, &recovered), 0);
        cr_assert(recovered);
        cr_assert_eq(stack_get(&c[i], handle[i], 5000 * (2 + i)), 2 + i);
        spipe_client_destroy(c[i].client);
    }
}

Test(capi, clients_work_and_survive_a_reset) { run(use, false); }

Test(capi, clients_that_wait_for_interrupts_too) { run(use, true); }

#define ANSWERS 6

/* A driver makes one event of many interrupts (CX-72), which says nothing of how many answers there
 * are: all are taken. */
static void many_answers(struct stack *s, void *arg)
{
    static uint8_t block[ANSWERS][STACK_BLOCK] __attribute__((aligned(128)));
    struct spipe_completion done[ANSWERS];
    struct spipe_io io[ANSWERS];
    struct stack_client c;
    unsigned events = 0;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, true);
    handle = stack_open(&c, 0, 1);
    for (unsigned i = 0; i < ANSWERS; i++)
        io[i] = (struct spipe_io){.tag = i,
                                  .lba = i,
                                  .buffer = block[i],
                                  .blocks = 1,
                                  .handle = handle,
                                  .op = SPIPE_READ};
    cr_assert_eq(spipe_submit(c.ctx, io, ANSWERS), ANSWERS);
    stack_sleep_s(s, 1);
    cr_assert_eq(spipe_wait(c.ctx, EXEC_FOREVER), 0);
    cr_assert_eq(spipe_poll(c.ctx, done, ANSWERS), ANSWERS);
    while (spipe_wait(c.ctx, exec_now(s->exec) + 1000000) == 0)
        cr_assert_lt(++events, 2, "an interrupt for each of them");
    spipe_client_destroy(c.client);
    PROVES(CX_84);
}

Test(capi, one_event_may_tell_of_many_answers) { run(many_answers, true); }

/* ---- frozen (CX-104, CX-105) ---- */

static void recovered(struct stack *s, void *arg)
{
    static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));
    const bool *interrupts = arg;
    struct stack_client c;
    uint32_t handle;
    uint64_t begin;
    bool back = false;

    stack_client(s, &c, 0, 8, *interrupts);
    handle = stack_open(&c, 0, 2);
    stack_put(&c, handle, 70000, 11);
    for (unsigned round = 0; round < 2; round++) {
        begin = exec_now(s->exec);
        happens(s, SIM_EFFECT_FREEZE, 0);
        cr_assert_eq(stack_io(&c, SPIPE_READ, handle, 0, 1, block), -EIO);
        cr_assert_eq(spipe_recover(c.ctx, &back), 0);
        cr_assert(back);
        /* The slot takes 2.05 s, what core does then 0.2 s for each login and its waits of a
         * second: nodes that are back are found at once. */
        cr_assert_lt(exec_now(s->exec) - begin, UINT64_C(5000000000));
        cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
        cr_assert_eq(stack_get(&c, handle, 70000), 11);
        stack_put(&c, handle, 2 * 65536 - 1, 12);
        cr_assert_eq(stack_get(&c, handle, 2 * 65536 - 1), 12);
    }
    spipe_client_destroy(c.client);
    PROVES(CX_104);
}

Test(capi, handles_and_data_survive_a_frozen_slot) { run(recovered, false); }

Test(capi, also_of_clients_that_wait_for_interrupts) { run(recovered, true); }

/* Nobody touches the card: the waits of core's own threads find out (CX-103). */
static void idle(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;
    bool back = false;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    stack_put(&c, handle, 5, 5);
    happens(s, SIM_EFFECT_FREEZE, 0);
    stack_sleep_s(s, 60);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    cr_assert(spipe_ctx_lost(c.ctx));
    cr_assert_eq(spipe_recover(c.ctx, &back), 0);
    cr_assert_eq(stack_get(&c, handle, 5), 5);
    spipe_client_destroy(c.client);
    PROVES(CX_103);
}

Test(capi, a_freeze_that_nobody_touches_is_found) { run(idle, false); }

/* ---- for good ---- */

static void failed(struct stack *s, void *arg)
{
    static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));
    const bool *pulled = arg;
    struct stack_client c;
    uint32_t handle;
    uint64_t last;
    bool back;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    happens(s, *pulled ? SIM_EFFECT_REMOVE : SIM_EFFECT_PERMANENT, 0);
    cr_assert_eq(stack_io(&c, SPIPE_READ, handle, 0, 1, block), -EIO);
    stack_sleep_s(s, 300);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_resize(c.ctx, handle, 3 * 65536, &last), -ENODEV);
    cr_assert_eq(spipe_recover(c.ctx, &back), -ENODEV);
    spipe_client_destroy(c.client);
    PROVES(CX_102);
}

Test(capi, a_card_that_fails_for_good_ends_the_adapter) { run(failed, false); }

Test(capi, a_card_that_is_pulled_does_too) { run(failed, true); }

/* ---- what only the driver below the library does ---- */

static void control(const char *words)
{
    char why[256] = "";

    cr_assert_eq(standin_control(words, why, sizeof why), 0, "%s", why);
}

/* A client whose data are there, before and after. */
static void lost_and_recovered(struct stack *s, void (*what)(struct stack *))
{
    static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));
    struct stack_client c;
    uint32_t handle;
    bool back = false;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    stack_put(&c, handle, 70000, 21);
    what(s);
    cr_assert_eq(stack_io(&c, SPIPE_READ, handle, 0, 1, block), -EIO);
    cr_assert_eq(spipe_recover(c.ctx, &back), 0);
    cr_assert(back);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    cr_assert_eq(stack_get(&c, handle, 70000), 21);
    spipe_client_destroy(c.client);
}

/* The driver closes every context, though the slot works. */
static void detach(struct stack *s)
{
    (void)s;
    control("detach afu0.0");
}

static void detached(struct stack *s, void *arg)
{
    (void)arg;
    lost_and_recovered(s, detach);
    PROVES(CX_49);
}

Test(capi, contexts_that_the_driver_closes_are_recovered) { run(detached, false); }

static void freeze(struct stack *s) { happens(s, SIM_EFFECT_FREEZE, 0); }

/* An older kernel has no pages of ones: what touches a dead card is sent a signal (CX-48, CX-64).
 */
static void without_err_ff(struct stack *s, void *arg)
{
    char why[256] = "";

    (void)arg;
    control("err_ff afu0.0 off");
    cr_assert_eq(stack_bring_up(s, why, sizeof why), 0, "%s", why);
    lost_and_recovered(s, freeze);
    PROVES(CX_48);
}

/* Numbers are given out anew, the lowest first: who recovers first has another one's (CX-105). */
static void another_handle(struct stack *s, void *arg)
{
    static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));
    struct stack_client c[2];
    uint16_t before[2];
    uint32_t handle[2];
    bool back = false;

    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        stack_client(s, &c[i], i, 8, false);
        handle[i] = stack_open(&c[i], i, 1);
        stack_put(&c[i], handle[i], 9, (uint8_t)(31 + i));
        before[i] = c[i].ctx->hal->handle;
    }
    happens(s, SIM_EFFECT_FREEZE, 0);
    cr_assert_eq(stack_io(&c[0], SPIPE_READ, handle[0], 0, 1, block), -EIO);
    for (unsigned i = 2; i-- > 0;) {
        cr_assert_eq(spipe_recover(c[i].ctx, &back), 0);
        cr_assert_eq(c[i].ctx->hal->handle, before[1 - i]);
        cr_assert_eq(stack_get(&c[i], handle[i], 9), 31 + i);
    }
    spipe_client_destroy(c[0].client);
    spipe_client_destroy(c[1].client);
    PROVES(CX_105);
}

Test(capi, contexts_come_back_with_other_handles) { run(another_handle, false); }

/* A reset of the AFU needs every context of it closed (CX-106, CX-107): with somebody else's open
 * it fails at once, for good, and nobody hangs. */
static void busy(struct stack *s, void *arg)
{
    static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    control("foreign afu0.0 on");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    cr_assert_lt(stack_io(&c, SPIPE_READ, handle, 0, 1, block), 0);
    spipe_client_destroy(c.client);
    control("foreign afu0.0 off");
    PROVES(CX_107);
}

Test(capi, a_reset_beside_another_process_is_refused) { run(busy, false); }

/* The adapter is opened by the body. */
static void run_closed(void (*body)(struct stack *, void *))
{
    for (unsigned i = 0; i < 2; i++) {
        struct sim_media *media = stack_media(8);

        test_device_by(ways[i]);
        stack_run(&(struct stack_setup){.seed = 1, .media = media, .closed = true}, body, NULL);
        sim_media_close(media);
    }
}

Test(capi, a_kernel_without_pages_of_ones) { run_closed(without_err_ff); }
