/* SPDX-License-Identifier: Apache-2.0 */
/* A world with a scheduler, for the tests of sim/sched. */
#ifndef TESTS_UNIT_SIM_SCHED_FIXTURE_H
#define TESTS_UNIT_SIM_SCHED_FIXTURE_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hal/exec.h"
#include "sim/sched/sched.h"
#include "sim/world.h"

/* One world at a time, in each test's own process. */
static struct sim_world *w;
static struct sched *s;
static struct exec *e;

static inline void open_sched(const struct sched_config *cfg)
{
    cr_assert_eq(sim_world_create((size_t)64 << 20, &w), 0);
    cr_assert_eq(sched_create(w, cfg, &s), 0);
    e = sched_exec(s);
}

static inline void open_seed(uint64_t seed)
{
    struct sched_config cfg = {.seed = seed};

    open_sched(&cfg);
}

static inline void close_sched(void)
{
    sched_destroy(s);
    cr_assert_eq(sim_world_blocks(w), 0, "%zu bytes leaked", sim_world_used(w));
    sim_world_destroy(w);
}

/* Runs body to its end; returns the schedule hash. */
static inline uint64_t run_seed(uint64_t seed, void (*body)(void *), void *arg)
{
    uint64_t hash;
    int rc;

    open_seed(seed);
    rc = sched_run(s, body, arg);
    cr_assert_eq(rc, 0, "seed %llu: %d", (unsigned long long)seed, rc);
    hash = sched_stats(s).hash;
    close_sched();
    return hash;
}

static inline struct exec_thread *spawn(const char *name, void (*body)(void *), void *arg)
{
    struct exec_thread *t = NULL;

    cr_assert_eq(exec_thread_create(e, name, body, arg, &t), 0);
    return t;
}

/* What sched_report says now. */
static inline const char *report(void)
{
    static char text[4096];

    cr_assert_lt(sched_report(s, text, sizeof text), sizeof text);
    return text;
}

/* ---- a contended workload ---- */

#define WORKERS 4

struct contended {
    struct exec_mutex lock;
    struct exec_cond changed;
    struct exec_atomic turns;
    uint64_t order, finished;
    bool wait_at_end;
};

static inline void contended_worker(void *arg)
{
    struct contended *c = arg;

    for (int i = 0; i < 5; i++) {
        exec_atomic_add(e, &c->turns, 1);
        exec_mutex_lock(e, &c->lock);
        c->order = c->order * 7 + sched_self(s);
        exec_mutex_unlock(e, &c->lock);
        if (i == 2)
            (void)!exec_sleep_until(e, exec_now(e) + 100);
    }
    exec_mutex_lock(e, &c->lock);
    c->finished++;
    exec_cond_broadcast(e, &c->changed);
    exec_mutex_unlock(e, &c->lock);
}

static inline void contended_main(void *arg)
{
    struct contended *c = arg;
    struct exec_thread *t[WORKERS];
    char name[] = "worker 0";

    exec_mutex_init(e, &c->lock, "lock");
    exec_cond_init(e, &c->changed, "changed");
    for (size_t i = 0; i < WORKERS; i++) {
        name[7] = (char)('0' + i);
        t[i] = spawn(name, contended_worker, c);
    }
    exec_mutex_lock(e, &c->lock);
    while (c->finished < WORKERS)
        cr_assert_eq(exec_cond_wait(e, &c->changed, &c->lock, EXEC_FOREVER, false), 0);
    exec_mutex_unlock(e, &c->lock);
    for (size_t i = 0; i < WORKERS; i++)
        exec_thread_join(e, t[i]);
    exec_cond_fini(e, &c->changed);
    exec_mutex_fini(e, &c->lock);
}

/* One run of it; returns the schedule hash. */
static inline uint64_t contended_run(uint64_t seed)
{
    struct contended c = {.order = 0};

    return run_seed(seed, contended_main, &c);
}

static inline int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* How many different values there are; sorts them. */
static inline size_t distinct(uint64_t *v, size_t count)
{
    size_t n = 0;

    qsort(v, count, sizeof *v, compare_u64);
    for (size_t i = 0; i < count; i++)
        n += i == 0 || v[i] != v[i - 1];
    return n;
}

#endif
