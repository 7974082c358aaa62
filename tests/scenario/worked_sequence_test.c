/* SPDX-License-Identifier: Apache-2.0 */
/* The worked sequences of docs/spec/adapter.md section 24, over the whole stack: what whoever uses
 * the adapter sees, and when. Register by register they are in tests/unit/core (bring_up_test for
 * 24.4, async_event_test for 24.3, afu_sync_test for 24.1). */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(worked_sequence, .timeout = 60);

#define CHUNK UINT64_C(65536)
#define MICROSECOND UINT64_C(1000)
#define MILLISECOND (1000 * MICROSECOND)
#define SECOND (1000 * MILLISECOND)

static void run_seeds(void (*body)(struct stack *, void *), unsigned seeds)
{
    for (unsigned seed = 1; seed <= seeds; seed++) {
        struct sim_media *media = stack_media(8);

        stack_run(&(struct stack_setup){.seed = seed, .media = media}, body, NULL);
        sim_media_close(media);
    }
}

static struct sim_afu *afu_of(struct stack *s) { return sim_host_afu(s->host, 0); }

static struct spipe_adapter_info info_of(struct stack *s)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(s->adapter, &info);
    return info;
}

static struct spipe_port_info port_of(struct stack *s, unsigned port)
{
    struct spipe_port_info info;

    cr_assert_eq(spipe_port_info(s->adapter, port, &info), 0);
    return info;
}

static uint64_t free_chunks(struct stack *s)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    return info.free_chunks;
}

static void until(struct stack *s, enum spipe_state state)
{
    while (info_of(s).state != state)
        stack_sleep(s, MILLISECOND);
}

/* ---- 24.1: an AFU sync that times out ---- */

struct shrink {
    struct stack_client c;
    uint32_t handle;
    uint64_t took, last;
    int rc;
};

/* Takes three of four chunks away, which needs a sync. */
static void shrink(struct stack *s, struct shrink *t, const char *faults)
{
    uint64_t begin;

    stack_client(s, &t->c, 0, 8, false);
    t->handle = stack_open(&t->c, 0, 4);
    stack_plan(s, faults);
    begin = exec_now(s->exec);
    t->rc = spipe_resize(t->c.ctx, t->handle, CHUNK, &t->last);
    t->took = exec_now(s->exec) - begin;
}

static void expect_time(const struct shrink *t, uint64_t least)
{
    cr_assert_geq(t->took, least);
    cr_assert_leq(t->took, least + MILLISECOND);
}

/* (a): T10 context reset, which works; the second attempt is answered. */
static void sync_lost_once(struct stack *s, void *arg)
{
    struct shrink t;

    (void)arg;
    shrink(s, &t, "afucmd#1=d");
    cr_assert_eq(t.rc, 0);
    expect_time(&t, 10 * SECOND);
    cr_assert_eq(t.last, CHUNK - 1);
    cr_assert_eq(free_chunks(s), 7);
    stack_sleep(s, 5 * SECOND);
    cr_assert_eq(info_of(s).state, SPIPE_STATE_NORMAL);
    cr_assert_not(spipe_ctx_lost(t.c.ctx));
    PROVES(AD_124);
    spipe_client_destroy(t.c.client);
}

Test(worked_sequence, a_sync_that_is_lost_once) { run_seeds(sync_lost_once, 5); }

/* (a) with a second attempt that is lost too: T20 at the latest. */
static void sync_lost_twice(struct stack *s, void *arg)
{
    struct shrink t;

    (void)arg;
    shrink(s, &t, "afucmd#1x2=d");
    cr_assert_eq(t.rc, -EAGAIN);
    expect_time(&t, 20 * SECOND);
    until(s, SPIPE_STATE_RESET); /* */
    until(s, SPIPE_STATE_NORMAL);
    PROVES(AD_124);
    PROVES(AD_126);
    spipe_client_destroy(t.c.client);
}

Test(worked_sequence, a_sync_that_is_lost_twice) { run_seeds(sync_lost_twice, 5); }

/* (b): the bit stays for 2.047 ms; the caller is told to try again, and the adapter resets itself.
 */
static void context_reset_fails(struct stack *s, void *arg)
{
    struct shrink t;
    bool recovered;

    (void)arg;
    shrink(s, &t, "afucmd#1=d+creset#1=n");
    cr_assert_eq(t.rc, -EAGAIN);
    expect_time(&t, 10 * SECOND + 2047 * MICROSECOND);
    until(s, SPIPE_STATE_RESET);
    until(s, SPIPE_STATE_NORMAL);
    cr_assert(spipe_ctx_lost(t.c.ctx));
    PROVES(AD_124);
    PROVES(AD_135);
    PROVES(AD_126);
    cr_assert_eq(spipe_recover(t.c.ctx, &recovered), 0);
    cr_assert_eq(spipe_resize(t.c.ctx, t.handle, CHUNK, &t.last), 0);
    cr_assert_eq(free_chunks(s), 7);
    spipe_client_destroy(t.c.client);
}

Test(worked_sequence, a_context_reset_that_fails) { run_seeds(context_reset_fails, 5); }

/* AD-136: the adapter is closed while it resets itself. */
static void closed_meanwhile(struct stack *s, void *arg)
{
    struct shrink t;

    (void)arg;
    shrink(s, &t, "afucmd#1=d+creset#1=n");
    cr_assert_eq(t.rc, -EAGAIN);
    spipe_client_destroy(t.c.client);
    while (info_of(s).state != SPIPE_STATE_RESET)
        exec_yield(s->exec);
    stack_close(s);
    PROVES(AD_136);
}

Test(worked_sequence, a_close_waits_for_a_reset) { run_seeds(closed_meanwhile, 20); }

/* ---- 24.3: the threshold of CRC errors on port 0 ---- */

static uint8_t block[STACK_BLOCK] __attribute__((aligned(128)));

static struct spipe_completion read_once(struct stack_client *c, uint32_t handle)
{
    struct spipe_io io = {.op = SPIPE_READ, .handle = handle, .blocks = 1, .buffer = block};
    struct spipe_completion done;

    cr_assert_eq(spipe_submit(c->ctx, &io, 1), 1);
    while (spipe_poll(c->ctx, &done, 1) == 0)
        ;
    return done;
}

/* A handle that reaches its LUN through port 0 only. */
static uint32_t open_behind_port_0(struct stack *s, struct stack_client *c, unsigned lun)
{
    uint32_t handle;
    uint64_t last;

    cr_assert_eq(spipe_lun_disable(s->adapter, lun, 1), 0);
    stack_client(s, c, lun, 8, false);
    cr_assert_eq(spipe_open_direct(c->ctx, lun, 0, &handle, &last), 0);
    return handle;
}

static void crc_threshold(struct stack *s, void *arg)
{
    struct stack_client one, both;
    struct spipe_completion done;
    uint32_t behind_0, anywhere;
    struct spipe_port_info info;

    (void)arg;
    behind_0 = open_behind_port_0(s, &one, 1);
    stack_client(s, &both, 0, 8, false);
    anywhere = stack_open(&both, 0, 1);
    stack_plan(s, "fc#1x100=c"); /* AD-46 */
    for (unsigned i = 0; i < 100; i++)
        cr_assert_eq(read_once(&one, behind_0).fc_rc, AFU_FC_RC_ABORTOK);
    while ((done = read_once(&one, behind_0)).afu_rc != AFU_RC_NO_CHANNELS)
        cr_assert_eq(done.status, 0);
    cr_assert_neq(done.status, 0);
    cr_assert_eq(read_once(&both, anywhere).status, 0, "the other port is there");
    stack_sleep(s, SECOND);
    info = port_of(s, 0);
    cr_assert_eq(info.events[SPIPE_PORT_CRC], 1);
    cr_assert_eq(info.events[SPIPE_PORT_LINK_DOWN], 1);
    cr_assert_eq(info.events[SPIPE_PORT_LINK_UP], 1);
    cr_assert_eq(info.events[SPIPE_PORT_LOGIN], 1);
    cr_assert_eq(info.resets, 1);
    cr_assert_eq(info.resets_failed, 0);
    cr_assert_eq(sim_afu_peek(afu_of(s), AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), 3);
    cr_assert(info_of(s).port_online[0]);
    cr_assert_eq(read_once(&one, behind_0).status, 0);
    PROVES(AD_93);
    PROVES(AD_94);
    spipe_client_destroy(one.client);
    spipe_client_destroy(both.client);
    cr_assert_eq(spipe_lun_enable(s->adapter, 1, 1), 0);
}

Test(worked_sequence, crc_threshold) { run_seeds(crc_threshold, 5); }
