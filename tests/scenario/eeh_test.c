/* SPDX-License-Identifier: Apache-2.0 */
/* The platform freezes the slot under clients, recovers it, or gives it up (AD section 13). */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(eeh, .timeout = 120);

static const uint64_t millisecond = 1000000, second = 1000000000;

static void run(void (*body)(struct stack *, void *), void *arg)
{
    struct sim_media *media = stack_media(8);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, arg);
    sim_media_close(media);
}

static void happens(struct stack *s, enum sim_effect effect, uint64_t arg)
{
    sim_afu_platform(sim_host_afu(s->host, 0), effect, arg);
}

static void sleep_ms(struct stack *s, uint64_t ms) { stack_sleep(s, ms * millisecond); }

static void recover(struct stack_client *c)
{
    bool recovered = false;

    cr_assert_eq(spipe_recover(c->ctx, &recovered), 0);
    cr_assert(recovered);
}

/* ---- frozen, and recovered ---- */

/* SP section 10, phase by phase; AD 24.2. */
static void recovered(struct stack *s, void *arg)
{
    static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));
    struct stack_client c;
    uint32_t handle;
    uint64_t begin;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    stack_put(&c, handle, 70000, 11);
    begin = exec_now(s->exec);
    happens(s, SIM_EFFECT_FREEZE, 0);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL, "nobody has told core");
    cr_assert_eq(stack_io(&c, SPIPE_READ, handle, 0, 1, block), -EIO);
    sleep_ms(s, 2);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    cr_assert(spipe_ctx_lost(c.ctx));
    PROVES(AD_140);
    recover(&c); /* waits for the end */
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    cr_assert_geq(exec_now(s->exec) - begin, 2051 * millisecond);
    PROVES(AD_143);
    PROVES(AD_144);
    cr_assert_eq(stack_get(&c, handle, 70000), 11);
    stack_put(&c, handle, 2 * 65536 - 1, 12);
    cr_assert_eq(stack_get(&c, handle, 2 * 65536 - 1), 12);
    spipe_client_destroy(c.client);
    PROVES(SP_156);
}

Test(eeh, handles_and_data_survive) { run(recovered, NULL); }

/* AD-147, SP-92: RECOVER sees the silence before the platform tells of it. */
static void recover_is_first(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    happens(s, SIM_EFFECT_FREEZE, 0);
    recover(&c);
    stack_put(&c, handle, 5, 5);
    spipe_client_destroy(c.client);
    PROVES(AD_147);
}

Test(eeh, recover_waits_for_the_platform) { run(recover_is_first, NULL); }

/* A reset that is asked for meanwhile waits as well: the slot would not let it succeed. */
static void reset_is_first(struct stack *s, void *arg)
{
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    happens(s, SIM_EFFECT_FREEZE, 0);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    recover(&c);
    spipe_client_destroy(c.client);
}

Test(eeh, host_reset_waits_for_the_platform) { run(reset_is_first, NULL); }

/* So does a change of the configuration (AD-201, AD-203, AD-155). */
static void configuration_is_first(struct stack *s, void *arg)
{
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    happens(s, SIM_EFFECT_FREEZE, 0);
    cr_assert_eq(spipe_hwqs_set(s->adapter, 2), 0);
    cr_assert_eq(spipe_hwqs_get(s->adapter), 2);
    recover(&c);
    happens(s, SIM_EFFECT_FREEZE, 0);
    cr_assert_eq(spipe_internal_lun(s->adapter, 1), 0);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    spipe_client_destroy(c.client);
}

Test(eeh, configuration_waits_for_the_platform) { run(configuration_is_first, NULL); }

/* AD-142: the adapter works on until the slot is reset; what it does then is what a freeze does. */
static void other(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    happens(s, SIM_EFFECT_OTHER, 0);
    stack_put(&c, handle, 5, 5);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    PROVES(AD_142);
    sleep_ms(s, 5000);
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    cr_assert(spipe_ctx_lost(c.ctx));
    recover(&c);
    cr_assert_eq(stack_get(&c, handle, 5), 5);
    spipe_client_destroy(c.client);
}

Test(eeh, other_error) { run(other, NULL); }

/* FK-37: the slot freezes again when the AFU is up, before the platform has said so. */
static void again(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    stack_put(&c, handle, 1, 1);
    happens(s, SIM_EFFECT_FREEZE, 0);
    sleep_ms(s, 2500); /* bring-up has begun, and takes some 800 ms */
    happens(s, SIM_EFFECT_FREEZE, 0);
    sleep_ms(s, 10000);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED, "AFU init failed (AD-143)");
    cr_assert_eq(spipe_release(c.ctx, handle), 0);
    spipe_client_destroy(c.client);
}

Test(eeh, frozen_again_during_bring_up) { run(again, NULL); }

/* ---- the end ---- */

struct waiter {
    struct stack *s;
    struct exec_thread *thread;
    struct spipe_client *client;
    struct stack_client *c; /* whose context is recovered, or NULL */
    int rc;
    bool done;
};

static void wait_for_attach(void *arg)
{
    struct waiter *w = arg;
    struct spipe_ctx *ctx;

    w->rc = spipe_attach(w->client, 0, NULL, &ctx);
    w->done = true;
}

static void wait_for_recover(void *arg)
{
    struct waiter *w = arg;
    bool recovered;

    w->rc = spipe_recover(w->c->ctx, &recovered);
    w->done = true;
}

static void wait_for_reset(void *arg)
{
    struct waiter *w = arg;

    w->rc = spipe_reset(w->s->adapter);
    w->done = true;
}

static void start_waiter(struct stack *s, struct waiter *w, void (*body)(void *),
                         struct stack_client *c)
{
    *w = (struct waiter){.s = s, .c = c};
    cr_assert_eq(spipe_client_create(s->adapter, "waiter", &w->client), 0);
    cr_assert_eq(exec_thread_create(s->exec, "waiter", body, w, &w->thread), 0);
}

static void end_waiter(struct waiter *w, int rc)
{
    exec_thread_join(w->s->exec, w->thread);
    cr_assert_eq(w->rc, rc);
    spipe_client_destroy(w->client);
}

/* What a lost context on a failed adapter can do (SP section 10, R-44). */
static void expect_failed(struct stack *s, struct stack_client *c, uint32_t handle)
{
    bool recovered;
    uint64_t last;

    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    cr_assert(spipe_ctx_lost(c->ctx));
    cr_assert_eq(spipe_recover(c->ctx, &recovered), -ENODEV);
    cr_assert_eq(spipe_resize(c->ctx, handle, 3 * 65536, &last), -ENODEV);
    cr_assert_eq(spipe_resize(c->ctx, handle, 65536, &last), 0);
    PROVES(R_44);
    cr_assert_eq(spipe_release(c->ctx, handle), 0);
    cr_assert_eq(spipe_detach(c->ctx, 0), 0);
    spipe_client_destroy(c->client);
}

/* FK-38: permanent failure or removal while a reset of the platform is waited for: all are woken at
 * once. */
static void failure_wakes(struct stack *s, void *arg)
{
    enum sim_effect effect = *(const enum sim_effect *)arg;
    struct waiter attach, reset, restore;
    struct stack_client c;
    uint32_t handle;
    uint64_t begin;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    happens(s, SIM_EFFECT_FREEZE, 1); /* whose slot reset never ends */
    sleep_ms(s, 10);
    start_waiter(s, &attach, wait_for_attach, NULL);
    start_waiter(s, &reset, wait_for_reset, NULL);
    start_waiter(s, &restore, wait_for_recover, &c);
    sleep_ms(s, 1000);
    cr_assert_not(attach.done || reset.done || restore.done);
    begin = exec_now(s->exec);
    happens(s, effect, 0);
    end_waiter(&attach, -ENODEV);
    PROVES(AD_150);
    end_waiter(&reset, -EIO);
    PROVES(AD_152);
    end_waiter(&restore, -ENODEV);
    cr_assert_leq(exec_now(s->exec) - begin, 20 * millisecond);
    PROVES(AD_141);
    expect_failed(s, &c, handle);
}

Test(eeh, permanent_failure_wakes_everybody)
{
    static enum sim_effect effect = SIM_EFFECT_PERMANENT;

    run(failure_wakes, &effect);
}

Test(eeh, removal_wakes_everybody)
{
    static enum sim_effect effect = SIM_EFFECT_REMOVE;

    run(failure_wakes, &effect);
}

/* The same with nothing before: contexts are lost by it. */
static void sudden(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    happens(s, *(const enum sim_effect *)arg, 0);
    sleep_ms(s, 5);
    expect_failed(s, &c, handle);
}

Test(eeh, permanent_failure_of_a_working_adapter)
{
    static enum sim_effect effect = SIM_EFFECT_PERMANENT;

    run(sudden, &effect);
}

/* AD-141: a permanent failure in the middle of a host reset. The state changes at once; the reset
 * has the hardware until it has ended, without success. */
static void during_a_reset(struct stack *s, void *arg)
{
    struct stack_client c;
    struct waiter reset;
    uint32_t handle;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    start_waiter(s, &reset, wait_for_reset, NULL);
    sleep_ms(s, *(const unsigned *)arg);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    happens(s, SIM_EFFECT_PERMANENT, 0);
    sleep_ms(s, 2);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    end_waiter(&reset, -EIO);
    expect_failed(s, &c, handle);
    PROVES(AD_141);
}

Test(eeh, permanent_failure_during_a_reset)
{
    static const unsigned ms[] = {1, 10, 300, 700}; /* of 800 */

    for (unsigned i = 0; i < sizeof ms / sizeof ms[0]; i++)
        run(during_a_reset, (void *)(uintptr_t)&ms[i]);
}

/* The same with a freeze: the reset fails, which is the end (AD-132). */
static void frozen_during_a_reset(struct stack *s, void *arg)
{
    struct stack_client c;
    struct waiter reset;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    start_waiter(s, &reset, wait_for_reset, NULL);
    sleep_ms(s, 300);
    happens(s, SIM_EFFECT_FREEZE, 0);
    end_waiter(&reset, -EIO);
    expect_failed(s, &c, handle);
    PROVES(AD_132);
}

Test(eeh, frozen_during_a_reset) { run(frozen_during_a_reset, NULL); }

/* the slot reset fails, and the platform reports a permanent failure. */
static void does_not_help(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    happens(s, SIM_EFFECT_FREEZE, 2);
    sleep_ms(s, 2040);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    sleep_ms(s, 20);
    expect_failed(s, &c, handle);
    PROVES(R_39);
}

Test(eeh, slot_reset_that_does_not_help) { run(does_not_help, NULL); }

/* the platform says nothing more; core waits two minutes, and what it says then is too late.
 */
static void silent(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    happens(s, SIM_EFFECT_FREEZE, 1);
    sleep_ms(s, 119990);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    sleep_ms(s, 100);
    expect_failed(s, &c, handle);
    PROVES(R_39);
    happens(s, SIM_EFFECT_PERMANENT, 0);
    sleep_ms(s, 5);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
}

Test(eeh, silent_platform) { run(silent, NULL); }

/* AD-140: a platform event of an adapter that has failed is answered with disconnect. */
static void after_the_end(struct stack *s, void *arg)
{
    (void)arg;
    cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
    happens(s, SIM_EFFECT_FREEZE, 0);
    sleep_ms(s, 5000);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    PROVES(AD_153);
}

Test(eeh, frozen_after_removal) { run(after_the_end, NULL); }

/* AD-154, AD-180: removal waits for the platform's recovery. */
static void remove_waits(struct stack *s, void *arg)
{
    uint64_t begin = exec_now(s->exec);

    (void)arg;
    happens(s, SIM_EFFECT_FREEZE, 0);
    sleep_ms(s, 10);
    cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
    cr_assert_gt(exec_now(s->exec) - begin, 2 * second);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    PROVES(AD_154);
}

Test(eeh, removal_waits_for_recovery) { run(remove_waits, NULL); }

/* By a plan, as `superpipe run --fault` takes it. */
static void by_a_plan(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    stack_plan(s, "perr#1=freeze");
    cr_assert_eq(stack_state(s), SPIPE_STATE_NORMAL);
    sleep_ms(s, 5);
    cr_assert_eq(stack_state(s), SPIPE_STATE_RESET);
    recover(&c);
    stack_put(&c, handle, 1, 1);
    spipe_client_destroy(c.client);
}

Test(eeh, by_a_plan) { run(by_a_plan, NULL); }

/* FK-39: each call of the AFU init that follows a slot reset fails. */
static void init_fails(struct stack *s, void *arg)
{
    struct stack_client c;
    uint32_t handle;

    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 2);
    happens(s, SIM_EFFECT_FREEZE, 0);
    sleep_ms(s, 10);
    stack_plan(s, arg);
    sleep_ms(s, 20000);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED, "%s", (const char *)arg);
    expect_failed(s, &c, handle);
    PROVES(AD_143);
}

Test(eeh, init_fails)
{
    static const char *const plans[] = {"afurst#1=x", "afurst#1=n", "ctx#1=f",
                                        "vpd#1=f",    "mr#2=ones",  "mr#3=ones"};

    for (unsigned i = 0; i < sizeof plans / sizeof plans[0]; i++)
        run(init_fails, (void *)(uintptr_t)plans[i]);
}
