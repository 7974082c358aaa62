/* SPDX-License-Identifier: Apache-2.0 */
/* A world with a scheduler, for the tests of sim/sched. */
#ifndef TESTS_UNIT_SIM_SCHED_FIXTURE_H
#define TESTS_UNIT_SIM_SCHED_FIXTURE_H

#include <criterion/criterion.h>
#include <stdint.h>
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

#endif
