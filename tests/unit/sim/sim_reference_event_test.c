/* SPDX-License-Identifier: Apache-2.0 */
/* Events that wait for a cycle. */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_reference_fixture.h"

TestSuite(sim_reference_event, .init = up_reference, .fini = down_reference);

static struct sim_event near, far;
static uint64_t ran_at[2];

static void note(struct sim_event *ev) { ran_at[ev == &far] = m->machine->engine.now; }

/* Cycles have 60 bits, and all of them count: 2^32 cycles are 17 s, less than a time-out may be. */
Test(sim_reference_event, waits_of_more_than_32_bits_are_not_over_before)
{
    struct sim_engine *e = &m->machine->engine;
    uint64_t begin = e->now;

    sim_engine_at(e, &near, begin + 10, SIM_RANK_LINK, note);
    sim_engine_at(e, &far, begin + 10 + (UINT64_C(1) << 32), SIM_RANK_LINK, note);
    cr_assert_not(sim_engine_run(e, begin + 20));
    cr_assert_eq(ran_at[0], begin + 10);
    cr_assert_eq(ran_at[1], 0);
    cr_assert(sim_event_pending(&far));
    sim_engine_cancel(e, &far);
}
