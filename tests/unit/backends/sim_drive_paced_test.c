/* SPDX-License-Identifier: Apache-2.0 */
/* The drive for threads: device time follows the clock by a factor, and any number of threads may
 * be inside. Nothing here depends on how fast the machine is: times are bracketed by readings of
 * the same clock. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "backends/posix/posix_exec.h"
#include "sim/sim_control.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/conformance/hal_conformance_sim.h"

#define MS UINT64_C(1000000)
#define THREADS 4
#define COMMANDS 50

static struct conf_sim sim;
static struct exec *threads;

/* Whatever the pace, a reset takes a millisecond of device time, and a load a microsecond. */
static void up_at(unsigned pace)
{
    struct sim_host_config config = {.seed = 1, .pace = pace};
    struct sim_params params;

    cr_assert_eq(sim_params_profile(&params, "zero"), 0);
    params.afu_reset = 250000;
    params.mmio_read_latency = 250;
    config.params = &params;
    cr_assert_eq(posix_exec_create(&threads), 0);
    config.threads = threads;
    conf_sim_up(&sim, &config);
}

static void up(void) { up_at(0); }

static void down(void)
{
    conf_sim_down(&sim);
    posix_exec_destroy(threads);
}

TestSuite(sim_drive_paced, .init = up, .fini = down, .timeout = 50);
TestSuite(sim_drive_pace, .fini = down, .timeout = 50);

static struct exec_thread *spawn(void (*body)(void *), void *arg)
{
    struct exec_thread *t;

    cr_assert_eq(exec_thread_create(sim.env.exec, "thread", body, arg, &t), 0);
    return t;
}

/* ---- time -------------------------------------------------------------------------------------
 */

/* Device time since the drive was made, in ns of the clock, lies between what the shortest and the
 * longest possible life give. */
static void check_pace(unsigned pace)
{
    uint64_t before, made, asked, answered, device;
    struct hal_ctx *ctx;

    cr_assert_eq(posix_exec_create(&threads), 0);
    before = exec_now(threads);
    posix_exec_destroy(threads);
    up_at(pace);
    made = exec_now(sim.env.exec);
    ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    for (unsigned i = 0; i < 20; i++) {
        asked = exec_now(sim.env.exec);
        hal_progress(ctx);
        device = sim_host_now(sim.host);
        answered = exec_now(sim.env.exec);
        cr_assert_geq(device + SIM_CYCLE_NS, (asked - made) * pace / 1000);
        cr_assert_leq(device, (answered - before) * pace / 1000);
    }
    hal_ctx_release(ctx);
}

Test(sim_drive_pace, real_time) { check_pace(1000); }
Test(sim_drive_pace, slow) { check_pace(7); }
Test(sim_drive_pace, fast) { check_pace(33333); }

/* A reset lasts as long as the pace says, and the caller sleeps through it. */
Test(sim_drive_pace, a_reset_takes_its_time)
{
    uint64_t begin;

    up_at(250);
    begin = exec_now(sim.env.exec);
    cr_assert_eq(hal_afu_reset(sim.env.dev), 0);
    cr_assert_geq(exec_now(sim.env.exec) - begin, 4 * MS);
}

Test(sim_drive_paced, a_load_takes_at_least_its_latency)
{
    uint64_t latency = 250 * SIM_CYCLE_NS;
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    uint64_t begin = exec_now(sim.env.exec);

    for (unsigned i = 0; i < 10; i++)
        (void)hal_reg_read64(ctx, AFU_HOST_CMD_ROOM);
    /* Device time is a whole number of cycles: it may begin a part of one late. */
    cr_assert_geq(exec_now(sim.env.exec) - begin + SIM_CYCLE_NS, 10 * latency - 10 * SIM_CYCLE_NS);
    hal_ctx_release(ctx);
}

/* ---- stores -----------------------------------------------------------------------------------
 */

Test(sim_drive_paced, table_stores_are_visible_at_once)
{
    static uint64_t table[16] __attribute__((aligned(128)));

    cr_assert_eq(hal_mem_register(sim.env.dev, table, sizeof table, "table"), 0);
    for (unsigned i = 0; i < 16; i++) {
        hal_table_store(sim.env.dev, &table[i], i + 1);
        cr_assert_eq(table[i], i + 1);
    }
    hal_publish(sim.env.dev);
    hal_mem_release(sim.env.dev, table);
}

/* ---- threads ----------------------------------------------------------------------------------
 */

struct worker {
    struct conf_client client;
    unsigned done;
    bool sleeps;
};

/* Waits for the completion of a slot by events. */
static bool sleep_for(struct conf_client *c, unsigned slot)
{
    struct hal_event ev;

    while (conf_harvest(c) != (int)slot)
        if (hal_event_wait(c->ctx, exec_now(c->env->exec) + c->env->patience, &ev) ||
            ev.kind != HAL_EVENT_AFU_INTERRUPT)
            return false;
    return afu_rc_good(&c->pair[slot].ioasa.rc);
}

static void work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < COMMANDS; i++) {
        unsigned slot = i % CONF_SLOTS;

        conf_rw(&w->client, slot, i % 2, 0, i % 8);
        if (w->sleeps)
            w->client.pair[slot].ioarcb.msi = AFU_LISN_RRQ;
        conf_ring(&w->client, slot);
        w->done += w->sleeps ? sleep_for(&w->client, slot) : conf_poll(&w->client, slot) == 0;
    }
}

/* Pollers and sleepers side by side, and a master that changes tables and syncs meanwhile. */
Test(sim_drive_paced, many_threads_share_one_adapter)
{
    static struct worker w[THREADS];
    struct exec_thread *t[THREADS];
    struct conf_client master;

    conf_client_up(&master, &sim.env, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        w[i].sleeps = i % 2;
        conf_client_up(&w[i].client, &sim.env, &master);
        conf_open(&w[i].client, 0, AFU_PERM_RW);
    }
    for (unsigned i = 0; i < THREADS; i++)
        t[i] = spawn(work, &w[i]);
    for (unsigned i = 0; i < 20; i++) {
        conf_open(&w[i % THREADS].client, 1 + i, AFU_PERM_READ);
        cr_assert_eq(conf_do_sync(&w[i % THREADS].client, AFU_SYNC_LW, 1 + i), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        exec_thread_join(sim.env.exec, t[i]);
        cr_assert_eq(w[i].done, COMMANDS, "thread %u", i);
        conf_client_down(&w[i].client);
    }
    conf_client_down(&master);
}

/* Contexts come and go in several threads; a device is created from and released to by one at a
 * time, as core does it. */
struct visitor {
    struct exec_mutex *lock;
    unsigned done;
};

static void come_and_go(void *arg)
{
    struct visitor *v = arg;
    struct exec *e = sim.env.exec;

    for (unsigned i = 0; i < 20; i++) {
        struct hal_ctx *ctx;
        int rc;

        exec_mutex_lock(e, v->lock);
        rc = hal_ctx_create(sim.env.dev, HAL_CTX_USER, &ctx);
        exec_mutex_unlock(e, v->lock);
        if (rc || hal_ctx_start(ctx, CONF_INTERRUPTS))
            return;
        hal_reg_write64(ctx, AFU_HOST_RRQ_START, 64 * i);
        v->done += hal_reg_read64(ctx, AFU_HOST_RRQ_START) == 64 * i;
        v->done -= hal_ctx_stop(ctx) != 0;
        exec_mutex_lock(e, v->lock);
        hal_ctx_release(ctx);
        exec_mutex_unlock(e, v->lock);
    }
}

Test(sim_drive_paced, contexts_come_and_go_in_threads)
{
    struct visitor v[THREADS];
    struct exec_thread *t[THREADS];
    struct exec_mutex lock;

    exec_mutex_init(sim.env.exec, &lock, "contexts");
    for (unsigned i = 0; i < THREADS; i++) {
        v[i] = (struct visitor){.lock = &lock};
        t[i] = spawn(come_and_go, &v[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        exec_thread_join(sim.env.exec, t[i]);
        cr_assert_eq(v[i].done, 20);
    }
    exec_mutex_fini(sim.env.exec, &lock);
}

/* ---- whoever waits runs the engine ------------------------------------------------------------
 */

struct waiter {
    struct conf_client client;
    struct hal_event ev;
    int rc;
};

static void wait_for_ever(void *arg)
{
    struct waiter *w = arg;

    w->rc = hal_event_wait(w->client.ctx, EXEC_FOREVER, &w->ev);
}

/* Several threads sleep, each for its own context. One doorbell after the other wakes each, though
 * the one who rings does nothing more. */
Test(sim_drive_paced, each_sleeper_is_woken_by_its_own_event)
{
    static struct waiter w[THREADS];
    struct exec_thread *t[THREADS];
    struct conf_client master;

    conf_client_up(&master, &sim.env, NULL);
    for (unsigned i = 0; i < THREADS; i++) {
        conf_client_up(&w[i].client, &sim.env, &master);
        conf_open(&w[i].client, 0, AFU_PERM_READ);
        conf_rw(&w[i].client, 0, false, 0, 0);
        w[i].client.pair[0].ioarcb.msi = AFU_LISN_RRQ;
        t[i] = spawn(wait_for_ever, &w[i]);
    }
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + MS), 0);
    for (unsigned i = THREADS; i-- > 0;) {
        conf_ring(&w[i].client, 0);
        exec_thread_join(sim.env.exec, t[i]);
        cr_assert_eq(w[i].rc, 0);
        cr_assert_eq(w[i].ev.kind, HAL_EVENT_AFU_INTERRUPT);
        cr_assert_eq(conf_harvest(&w[i].client), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        conf_client_down(&w[i].client);
    conf_client_down(&master);
}

/* The end of one context wakes nobody else, and its own next wait says "lost". */
Test(sim_drive_paced, an_end_leaves_other_sleepers_alone)
{
    static struct waiter w;
    struct hal_ctx *other = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct exec_thread *t;

    w.client.ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    t = spawn(wait_for_ever, &w);
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + MS), 0);
    hal_ctx_release(other);
    exec_thread_interrupt(sim.env.exec, t);
    exec_thread_join(sim.env.exec, t);
    cr_assert_eq(w.rc, -EINTR);
    hal_ctx_release(w.client.ctx);
}
