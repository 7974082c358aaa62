/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine by itself: the face of an engine, and times that timing.md gives. That it
 * agrees with the event engine is shown in tests/scenario. */
#include <criterion/criterion.h>
#include <signal.h>

#include "tests/unit/sim/sim_afu_fixture.h"

static void start(void)
{
    model_run_dry(m);
    model_run(m, 1000);
    cr_assert_eq(sim_reference_start(m->machine), 0);
}

static void up_reference(void)
{
    up_flashsystem();
    start();
}

static void down_reference(void)
{
    model_run_dry(m);
    sim_reference_stop(m->machine);
    down();
}

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

/* A link at 1240 cycles a block serves one block after the other. */
Test(sim_reference, stages_are_serial)
{
    uint64_t begin;
    unsigned done = 0;

    for (unsigned i = 0; i < 4; i++) { /* translations and media are warm */
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 1000000));
    }
    begin = m->machine->engine.now;
    for (unsigned i = 0; i < 4; i++)
        model_doorbell(m, &user, i);
    model_run_dry(m);
    while (model_harvest(&user) >= 0)
        done++;
    cr_assert_eq(done, 4);
    cr_assert_eq(m->machine->engine.now - begin, 35124 + 3 * 1240);
}

static struct sim_event near, far;
static uint64_t ran_at[2];

static void note(struct sim_event *ev) { ran_at[ev == &far] = m->machine->engine.now; }

/* Cycles have 60 bits, and all of them count: 2^32 cycles are 17 s, less than a time-out may be. */
Test(sim_reference, waits_of_more_than_32_bits_are_not_over_before)
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

Test(sim_reference_start, needs_a_model_at_rest, .init = up_flashsystem, .signal = SIGABRT)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    (void)!sim_reference_start(m->machine);
}
