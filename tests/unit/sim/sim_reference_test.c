/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine by itself: the face of an engine, and times that timing.md gives. That it
 * agrees with the event engine is shown in tests/scenario. */
#include <criterion/criterion.h>
#include <signal.h>

#include "tests/unit/sim/sim_reference_fixture.h"

TestSuite(sim_reference, .init = up_reference, .fini = down_reference);

/* timing.md 8: the sum of the default path, warm, one command at a time. */
Test(sim_reference, unloaded_read_is_the_sum_of_its_parts)
{
    uint64_t begin;

    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    begin = m->machine->engine.now;
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(m->machine->engine.now - begin, 35124);
}

Test(sim_reference, is_idle_when_nothing_is_to_come)
{
    struct sim_engine *e = &m->machine->engine;
    uint64_t begin = e->now;

    cr_assert_eq(sim_engine_next(e), SIM_NEVER);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    cr_assert_eq(sim_engine_next(e), begin + 1);
    cr_assert_not(sim_engine_run(e, SIM_NEVER));
    cr_assert_eq(sim_engine_next(e), SIM_NEVER);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_not(sim_engine_run(e, e->now + 17));
    cr_assert_eq(sim_engine_next(e), SIM_NEVER);
}

static void stop_at_wake(void *arg, uint64_t key)
{
    struct sim_machine *machine = arg;

    (void)key;
    sim_engine_stop(&machine->engine);
}

/* The run ends within the cycle in which somebody may want to look, and goes on from there. */
Test(sim_reference, stops_when_somebody_wants_to_look)
{
    m->machine->wake = stop_at_wake;
    m->machine->wake_arg = m->machine;
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    cr_assert(sim_engine_run(&m->machine->engine, SIM_NEVER));
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_not(sim_engine_run(&m->machine->engine, SIM_NEVER));
}

Test(sim_reference_start, needs_a_model_at_rest, .init = up_flashsystem, .signal = SIGABRT)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    (void)!sim_reference_start(m->machine);
}
