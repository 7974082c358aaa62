/* SPDX-License-Identifier: Apache-2.0 */
/* The event engine against the rule it states: by cycle, then rank, then order of scheduling. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "hal/support/prng.h"
#include "sim/sim_engine.h"

#define N 4000

struct item {
    struct sim_event ev;
    uint64_t due, order;
    unsigned rank;
    bool pending;
};

static struct sim_engine engine;
static struct item items[N];
static uint64_t scheduled, ran;
static struct hal_prng rng;

static void schedule(struct item *it);

/* The item that the rule says comes next, found by looking at all of them. */
static struct item *expected(void)
{
    struct item *best = NULL;

    for (int i = 0; i < N; i++) {
        struct item *it = &items[i];

        if (!it->pending)
            continue;
        if (!best || it->due < best->due || (it->due == best->due && it->rank < best->rank) ||
            (it->due == best->due && it->rank == best->rank && it->order < best->order))
            best = it;
    }
    return best;
}

static void fire(struct sim_event *ev)
{
    struct item *it = (struct item *)ev;

    cr_assert(it->pending && engine.now == it->due);
    if (ran % 16 == 0)
        cr_assert_eq(it, expected(), "event %llu out of order", (unsigned long long)ran);
    it->pending = false;
    ran++;
    if (scheduled < 40000)
        schedule(it);
}

/* Delays of every size class: same cycle, same slot, same window, far wheel and its end, heap. */
static uint64_t delay(void)
{
    switch (hal_prng_below(&rng, 8)) {
    case 0:
        return 0;
    case 1:
    case 2:
        return hal_prng_below(&rng, 40);
    case 3:
    case 4:
        return hal_prng_below(&rng, 100000);
    case 5:
        return hal_prng_below(&rng, 5000000);
    case 6:
        return 16700000 + hal_prng_below(&rng, 200000);
    default:
        return hal_prng_below(&rng, 80000000);
    }
}

static void schedule(struct item *it)
{
    it->rank = (unsigned)hal_prng_below(&rng, 11);
    it->due = engine.now + delay();
    it->order = scheduled++;
    it->pending = true;
    sim_engine_at(&engine, &it->ev, it->due, (enum sim_rank)it->rank, fire);
}

Test(sim_engine, runs_in_order)
{
    const char *seed = getenv("SPIPE_TEST_SEED");

    hal_prng_seed(&rng, seed ? strtoull(seed, NULL, 0) : 1, 0);
    sim_engine_init(&engine);
    for (int i = 0; i < N / 4; i++)
        schedule(&items[i]);
    while (sim_engine_next(&engine) != SIM_NEVER)
        sim_engine_run(&engine, sim_engine_next(&engine));
    cr_assert_eq(ran, scheduled);
    cr_assert_eq(engine.count, ran);
    cr_assert_null(expected());
}

Test(sim_engine, cancels_everywhere)
{
    hal_prng_seed(&rng, 2, 0);
    sim_engine_init(&engine);
    scheduled = 40000; /* no rescheduling */
    for (int i = 0; i < N / 4; i++)
        schedule(&items[i]);
    for (int i = 0; i < N / 4; i += 2) {
        sim_engine_cancel(&engine, &items[i].ev);
        items[i].pending = false;
        sim_engine_cancel(&engine, &items[i].ev); /* an idle event stays idle */
    }
    while (sim_engine_next(&engine) != SIM_NEVER)
        sim_engine_run(&engine, sim_engine_next(&engine));
    cr_assert_eq(ran, N / 8);
}

static void stop(struct sim_event *ev)
{
    (void)ev;
    sim_engine_stop(&engine);
}

Test(sim_engine, clock_ends_where_asked)
{
    struct sim_event ev = {0};

    sim_engine_init(&engine);
    cr_assert_not(sim_engine_run(&engine, 5000000));
    cr_assert_eq(engine.now, 5000000);
    sim_engine_at(&engine, &ev, 5000007, SIM_RANK_MMIO, stop);
    cr_assert(sim_engine_run(&engine, 9000000));
    cr_assert_eq(engine.now, 5000007);
    cr_assert_not(sim_engine_run(&engine, 5000007));
    cr_assert_eq(sim_engine_next(&engine), SIM_NEVER);
}
