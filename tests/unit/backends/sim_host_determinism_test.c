/* SPDX-License-Identifier: Apache-2.0 */
/* One seed is one run: the same schedule and the same trace, in any number of repetitions. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/conformance/hal_conformance_sim.h"
#include "tests/unit/backends/sim_load.h"

#define REPETITIONS 1000
#define SEEDS 200

TestSuite(sim_host_determinism, .timeout = 250);

static struct sim_load_print run(uint64_t seed)
{
    static struct conf_sim sim;
    struct sim_host_config config = {.seed = seed, .trace = true};
    struct sim_load load = {.sim = &sim, .rounds = 3};
    struct sim_load_print p;

    conf_sim_up(&sim, &config);
    conf_sim_run(&sim, sim_load_main, &load);
    p = sim_load_print(&sim);
    conf_sim_down(&sim);
    return p;
}

Test(sim_host_determinism, one_seed_is_one_run)
{
    struct sim_load_print first = run(42);

    cr_assert_gt(first.records, 500, "hardly anything happens");
    for (unsigned i = 1; i < REPETITIONS; i++) {
        struct sim_load_print p = run(42);

        cr_assert_eq(p.schedule, first.schedule, "repetition %u", i);
        cr_assert(memcmp(&p, &first, sizeof p) == 0, "repetition %u", i);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static unsigned distinct(uint64_t *v, unsigned n)
{
    unsigned found = 0;

    qsort(v, n, sizeof *v, compare);
    for (unsigned i = 0; i < n; i++)
        found += i == 0 || v[i] != v[i - 1];
    return found;
}

Test(sim_host_determinism, other_seeds_are_other_runs)
{
    static uint64_t schedule[SEEDS], trace[SEEDS], media[SEEDS];
    unsigned schedules, traces;

    for (unsigned i = 0; i < SEEDS; i++) {
        struct sim_load_print p = run(i);

        schedule[i] = p.schedule;
        trace[i] = p.trace;
        media[i] = p.media;
    }
    schedules = distinct(schedule, SEEDS);
    traces = distinct(trace, SEEDS);
    cr_log_info("%d seeds: %u schedules, %u traces", SEEDS, schedules, traces);
    /* The hash of a schedule is over the fibers in their order. Two that take turns have only one
     * order, whenever they switch: it tells how often. */
    cr_assert_geq(schedules, SEEDS * 30 / 100);
    cr_assert_geq(traces, SEEDS * 95 / 100);
    cr_assert_eq(distinct(media, SEEDS), 1, "what the program does depends on the interleaving");
}
