/* SPDX-License-Identifier: Apache-2.0 */
/* The exec conformance suite over the deterministic scheduler: each case under many seeds, with and
 * without spurious wake-ups and with rare switches. Every run must also free all it took. */
#include <criterion/criterion.h>
#include <signal.h>

#include "sim/sched/sched.h"
#include "sim/world.h"
#include "tests/conformance/exec_conformance.h"

struct run {
    struct exec *e;
    void (*body)(struct exec *);
};

static void run_body(void *arg)
{
    struct run *r = arg;

    r->body(r->e);
}

static void run_once(void (*body)(struct exec *), const struct sched_config *cfg)
{
    struct run r = {.body = body};
    struct sim_world *w;
    struct sched *s;
    char report[4096];
    int rc;

    cr_assert_eq(sim_world_create((size_t)64 << 20, &w), 0);
    cr_assert_eq(sched_create(w, cfg, &s), 0);
    r.e = sched_exec(s);
    rc = sched_run(s, run_body, &r);
    if (rc) {
        sched_report(s, report, sizeof report);
        cr_log_error("%s", report);
    }
    cr_assert_eq(rc, 0, "seed %llu", (unsigned long long)cfg->seed);
    cr_assert_eq(sched_stats(s).unjoined, 0);
    sched_destroy(s);
    cr_assert_eq(sim_world_blocks(w), 0, "seed %llu leaks", (unsigned long long)cfg->seed);
    sim_world_destroy(w);
}

#ifdef __SANITIZE_THREAD__ /* creating a fiber is slow there, and fibers cannot race */
#define SEEDS 3
#else
#define SEEDS 20
#endif

static void run_seeds(void (*body)(struct exec *))
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sched_config plain = {.seed = seed}, sticky = {.seed = seed, .stickiness = 3};
        struct sched_config spurious = {.seed = seed, .spurious_one_in = 3};

        run_once(body, &plain);
        run_once(body, &sticky);
        run_once(body, &spurious);
    }
}

#define CASE(name)                                                                                 \
    Test(exec_conformance_sched, name, .timeout = 60) { run_seeds(exec_case_##name); }
EXEC_CONFORMANCE_CASES(CASE)

#define ABORTS(name)                                                                               \
    Test(exec_conformance_sched, name, .signal = SIGABRT, .timeout = 60)                           \
    {                                                                                              \
        run_seeds(exec_case_##name);                                                               \
    }
EXEC_CONFORMANCE_ABORTS(ABORTS)
