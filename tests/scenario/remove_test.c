/* SPDX-License-Identifier: Apache-2.0 */
/* An adapter that is taken away under its clients. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/cxlflash_ioctl.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(remove, .timeout = 60);

enum { CHUNKS = 8, WORKERS = 4 };

static const uint64_t second = 1000000000;

static void run(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(CHUNKS);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

/* ---- clients at work ---- */

struct worker {
    struct stack_client client;
    struct stack *s;
    struct exec_thread *thread;
    uint8_t *block;
    unsigned done;
};

/* Until the context is lost; then gives everything back, as a good program does. */
static void work(void *arg)
{
    struct worker *w = arg;
    uint32_t handle = stack_open(&w->client, 0, 1);
    uint64_t last;
    int rc;

    while ((rc = stack_io(&w->client, SPIPE_WRITE, handle, w->done, 1, w->block)) == 0)
        w->done++;
    cr_assert_eq(rc, -EIO);
    cr_assert(spipe_ctx_lost(w->client.ctx));
    cr_assert_eq(exec_sleep_until(w->s->exec, exec_now(w->s->exec) + second / 2), 0);
    cr_assert_eq(spipe_resize(w->client.ctx, handle, 2 * 65536, &last), -ENODEV);
    cr_assert_eq(spipe_release(w->client.ctx, handle), 0);
    spipe_client_destroy(w->client.client);
}

static void start(struct stack *s, struct worker *w)
{
    *w = (struct worker){.s = s, .block = exec_alloc(s->exec, STACK_BLOCK, 128)};
    stack_client(s, &w->client, 0, 8, false);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

static void under_load(struct stack *s, void *arg)
{
    static struct worker w[WORKERS];
    struct spipe_client *late;
    struct spipe_ctx *none;

    (void)arg;
    for (unsigned i = 0; i < WORKERS; i++)
        start(s, &w[i]);
    stack_sleep(s, 1000000);
    cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    for (unsigned i = 0; i < WORKERS; i++) {
        exec_thread_join(s->exec, w[i].thread);
        cr_assert_gt(w[i].done, 0);
        exec_free(s->exec, w[i].block, STACK_BLOCK);
    }
    cr_assert_eq(spipe_client_create(s->adapter, "late", &late), 0);
    cr_assert_eq(spipe_attach(late, 0, NULL, &none), -ENODEV);
    cr_assert_eq(spipe_reset(s->adapter), -EIO, "it is gone for good");
    spipe_client_destroy(late);
    PROVES(SP_157);
    PROVES(AD_161);
}

Test(remove, under_load) { run(under_load); }

/* ---- who does not let go ---- */

static void deadline(struct stack *s, void *arg)
{
    struct stack_client c;
    uint64_t begin;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    begin = exec_now(s->exec);
    cr_assert_eq(spipe_remove(s->adapter, begin + 5 * second / 2), -ETIMEDOUT);
    cr_assert_eq(exec_now(s->exec) / (second / 10), (begin + 5 * second / 2) / (second / 10));
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
    cr_assert_eq(spipe_remove(s->adapter, 0), -ETIMEDOUT);
    cr_assert_eq(spipe_detach(c.ctx, 0), 0);
    cr_assert_eq(spipe_remove(s->adapter, 0), 0);
    spipe_client_destroy(c.client);
    PROVES(R_39);
}

Test(remove, deadline) { run(deadline); }

/* The hardware half of a binary program's context is its adapter file. */
static void file(struct stack *s, void *arg)
{
    struct dk_cxlflash_attach a = {.hdr.flags = 2, .num_interrupts = 4};
    struct dk_cxlflash_detach d = {.hdr.flags = 0};
    struct spipe_client *client;

    (void)arg;
    cr_assert_eq(spipe_client_create(s->adapter, "binary", &client), 0);
    cr_assert_eq(spipe_ioctl(client, spipe_disk(0, 0), DK_CXLFLASH_ATTACH, &a), 0);
    d.context_id = a.context_id;
    cr_assert_eq(spipe_ioctl(client, spipe_disk(0, 0), DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_eq(spipe_remove(s->adapter, 0), -ETIMEDOUT);
    cr_assert_eq(spipe_adap_close(client, (int)a.adap_fd), 0);
    cr_assert_eq(spipe_remove(s->adapter, 0), 0);
    spipe_client_destroy(client);
}

Test(remove, adapter_files_count) { run(file); }

/* ---- beside a reset ---- */

static void reset(void *arg)
{
    struct stack *s = arg;

    cr_assert_eq(spipe_reset(s->adapter), -EIO);
}

static void beside_a_reset(struct stack *s, void *arg)
{
    struct exec_thread *thread;

    (void)arg;
    cr_assert_eq(exec_thread_create(s->exec, "reset", reset, s, &thread), 0);
    exec_yield(s->exec);
    cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
    exec_thread_join(s->exec, thread);
    cr_assert_eq(stack_state(s), SPIPE_STATE_FAILED);
}

Test(remove, beside_a_reset) { run(beside_a_reset); }

/* ---- shutdown notification ---- */

static void flashgt(struct sim_params *p) { cr_assert_eq(sim_params_profile(p, "flashgt"), 0); }

static uint64_t port_status(struct stack *s, unsigned port)
{
    return sim_afu_peek(sim_host_afu(s->host, 0), AFU_PORT_REGS(port) + AFU_FC_STATUS);
}

static void submit(struct stack_client *c, uint32_t handle, void *block, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct spipe_io io = {
            .tag = i, .lba = i, .blocks = 1, .buffer = block, .handle = handle, .op = SPIPE_WRITE};

        cr_assert_eq(spipe_submit(c->ctx, &io, 1), 1);
    }
}

/* AD-180: I/O in flight is flushed, then the ports are shut down, then contexts are lost. */
static void notified(struct stack *s, void *arg)
{
    struct spipe_completion done[4];
    struct stack_client c;
    uint8_t *block = exec_alloc(s->exec, STACK_BLOCK, 128);
    uint64_t begin;
    uint32_t handle;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    submit(&c, handle, block, 4);
    stack_sleep(s, 6000); /* they are at a port */
    cr_assert_eq(spipe_poll(c.ctx, done, 4), 0);
    begin = exec_now(s->exec);
    cr_assert_eq(spipe_remove(s->adapter, begin), -ETIMEDOUT);
    cr_assert_geq(exec_now(s->exec) - begin, second / 10, "a port takes 100 ms");
    cr_assert_leq(exec_now(s->exec) - begin, second / 2);
    for (unsigned p = 0; p < 2; p++)
        cr_assert_eq(port_status(s, p) & 0x20, 0x20, "port %u", p);
    cr_assert_eq(spipe_poll(c.ctx, done, 4), 4);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(done[i].status, 0);
    spipe_client_destroy(c.client);
    exec_free(s->exec, block, STACK_BLOCK);
    cr_assert_eq(spipe_remove(s->adapter, 0), 0);
    PROVES(AD_180);
}

Test(remove, ports_are_shut_down)
{
    struct sim_media *media = stack_media(CHUNKS);

    stack_run(&(struct stack_setup){.seed = 1, .media = media, .change_params = flashgt}, notified,
              NULL);
    sim_media_close(media);
}
