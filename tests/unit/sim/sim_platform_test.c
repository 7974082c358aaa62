/* SPDX-License-Identifier: Apache-2.0 */
/* The platform around the slot: what a freeze does to the adapter, and the steps of recovery. */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/support/bits.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_platform, .init = up_flashsystem, .fini = down);

static enum sim_bus_platform_event next(void)
{
    model_run_dry(m);
    return sim_bus_platform_event(m->afu);
}

static void answer(enum sim_bus_platform_answer a) { sim_bus_platform_answer(m->afu, a); }

static void freeze(uint64_t how) { sim_afu_platform(m->afu, SIM_EFFECT_FREEZE, how); }

static void end_contexts(void)
{
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
}

static void start_contexts(void)
{
    model_bring_up(m);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
}

static int writes(uint8_t value)
{
    memset(m->buffer, value, 4096);
    model_rw(m, &user, 0, true, 0, 9, 1, m->buffer);
    return model_issue(m, &user, 0, 1000000) ? (int)model_ioasc(&user, 0) : -1;
}

static uint8_t on_medium(void)
{
    model_rw(m, &user, 1, false, 0, 9, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000));
    return m->buffer[4095];
}

/* From FROZEN, which was read, to the end. */
static void recover(void)
{
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_SLOT_RESET);
    answer(SIM_BUS_PLATFORM_RECOVERED);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_RESUMED);
    cr_assert(sim_bus_platform_calm(m->afu));
    cr_assert_eq(next(), SIM_BUS_PLATFORM_NONE);
}

static void expect_nothing_crosses(void)
{
    struct sim_ctx *other;
    uint64_t done;
    uint8_t vpd[8];

    cr_assert_eq(model_load(m, &user, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
    cr_assert_eq(model_load(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), UINT64_MAX);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_LOST);
    cr_assert_eq(sim_bus_ctx_create(m->afu, false, &other), -ENODEV);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), -EIO);
    cr_assert_eq(sim_bus_vpd(m->afu, vpd, sizeof vpd), -EIO);
}

/* FK-35, SL 1: loads give ones, stores are lost, a command in flight has no end. */
Test(sim_platform, nothing_crosses_a_frozen_slot)
{
    struct sim_afu_stats stats;

    model_rw(m, &user, 0, true, 0, 9, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 500);
    freeze(0);
    expect_nothing_crosses();
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    expect_nothing_crosses();
}

/* The AFU is as after power-on, and what was acknowledged is on the medium. */
Test(sim_platform, slot_reset_brings_the_afu_back)
{
    cr_assert_eq(writes(0x5A), 0);
    freeze(0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    expect_nothing_crosses();
    cr_assert_eq(next(), SIM_BUS_PLATFORM_SLOT_RESET);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), 3);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG), 0);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_LOST, "a dead context stays dead");
    end_contexts();
    answer(SIM_BUS_PLATFORM_RECOVERED);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_RESUMED);
    start_contexts();
    cr_assert_eq(on_medium(), 0x5A);
    cr_assert_eq(writes(0xA5), 0);
}

Test(sim_platform, times_are_those_of_the_parameters)
{
    uint64_t begin = m->machine->engine.now;

    freeze(0);
    cr_assert_not(sim_bus_platform_calm(m->afu));
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    cr_assert_eq(m->machine->engine.now - begin, 250000);
    begin = m->machine->engine.now;
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_SLOT_RESET);
    cr_assert_eq(m->machine->engine.now - begin, 512500000);
}

Test(sim_platform, giving_up_is_for_good)
{
    freeze(0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    answer(SIM_BUS_PLATFORM_DISCONNECT);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_PERMANENT_FAILURE);
    answer(SIM_BUS_PLATFORM_DISCONNECT);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    sim_afu_platform(m->afu, SIM_EFFECT_OTHER, 0);
    freeze(0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_NONE);
    expect_nothing_crosses();
    end_contexts();
}

Test(sim_platform, permanent_failure_and_removal)
{
    sim_afu_platform(m->afu, SIM_EFFECT_REMOVE, 0);
    sim_afu_platform(m->afu, SIM_EFFECT_PERMANENT, 0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_REMOVED);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_NONE);
    down();
    up_flashsystem();
    freeze(0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    sim_afu_platform(m->afu, SIM_EFFECT_PERMANENT, 0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_PERMANENT_FAILURE);
}

/* a slot reset that never ends, and one that leaves the slot frozen. */
Test(sim_platform, slot_resets_that_do_not_help)
{
    freeze(2);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_SLOT_RESET);
    expect_nothing_crosses();
    answer(SIM_BUS_PLATFORM_DISCONNECT);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_PERMANENT_FAILURE);
    down();
    up_flashsystem();
    freeze(1);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_NONE);
}

/* An error that does not stop the slot: the reset that is asked for does. */
Test(sim_platform, other_error)
{
    sim_afu_platform(m->afu, SIM_EFFECT_OTHER, 0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_OTHER);
    cr_assert_eq(writes(1), 0);
    recover();
    cr_assert_eq(model_load(m, &user, AFU_HOST_ENDIAN_CTRL), UINT64_MAX);
}

/* FK-37: before the slot reset it is the same freeze; after it, it is told when recovery is over.
 */
Test(sim_platform, frozen_again)
{
    freeze(0);
    freeze(0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    freeze(0);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    freeze(0);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_SLOT_RESET);
    freeze(0);
    answer(SIM_BUS_PLATFORM_RECOVERED);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_RESUMED);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    recover();
}

/* An AFU reset that is under way does not end well, and the next one after the recovery does. */
Test(sim_platform, freeze_during_an_afu_reset)
{
    uint64_t done;

    end_contexts();
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), -EBUSY);
    freeze(0);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), -EIO);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    recover();
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run_dry(m);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), 0);
}

/* By a plan: the third access from now on, which does not come through. */
/* Lines that are on the bus when the slot is reset are gone with it, however short that takes. */
Test(sim_platform, a_slot_reset_empties_the_bus)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);

    p->platform_detect = 0;
    p->platform_slot_reset = 1;
    p->buffer_disorder = 1;
    model_run(m, 1000); /* at rest */
    cr_assert_eq(sim_reference_start(m->machine), 0);
    model_rw(m, &user, 2, false, 0, 0, 16, m->buffer);
    model_doorbell(m, &user, 2);
    model_run(m, 55000); /* data are on their way */
    cr_assert_gt(sim_afu_strict(m->afu)->tags_used, 0);
    freeze(0);
    model_run(m, 1);
    cr_assert_eq(sim_bus_platform_event(m->afu), SIM_BUS_PLATFORM_FROZEN);
    answer(SIM_BUS_PLATFORM_NEED_RESET);
    model_run(m, 500);
    cr_assert_eq(sim_afu_strict(m->afu)->total[SIM_VERDICT_MODEL], 0);
    cr_assert_eq(sim_bus_platform_event(m->afu), SIM_BUS_PLATFORM_SLOT_RESET);
    end_contexts();
    start_contexts();
    answer(SIM_BUS_PLATFORM_RECOVERED);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_RESUMED);
    cr_assert_eq(writes(0x5A), 0);
    cr_assert_eq(on_medium(), 0x5A);
    model_run_dry(m);
    sim_reference_stop(m->machine);
}

Test(sim_platform, by_a_plan)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "perr#3=freeze(1)", why, sizeof why), 0,
                 "%s", why);
    cr_assert_eq(model_load(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), 3);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1);
    cr_assert_eq(model_load(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), UINT64_MAX);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL), 1);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
}

/* ---- both engines ---- */

/* I/O that a freeze meets `at` cycles after its doorbells, and the recovery. */
static uint64_t hash_of_a_freeze(uint64_t at, bool reference)
{
    uint64_t hash;

    up_flashsystem();
    sim_afu_params_mutable(m->afu)->platform_slot_reset = 5000;
    sim_afu_params_mutable(m->afu)->platform_detect = 1000;
    model_run_dry(m);
    if (reference)
        cr_assert_eq(sim_reference_start(m->machine), 0);
    for (unsigned i = 0; i < 4; i++) {
        model_rw(m, &user, i, i % 2, 0, i, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
    }
    sim_afu_platform_at(m->afu, SIM_EFFECT_FREEZE, 0, m->machine->engine.now + at);
    cr_assert_eq(next(), SIM_BUS_PLATFORM_FROZEN);
    recover();
    end_contexts();
    start_contexts();
    cr_assert_eq(writes(7), 0);
    model_run_dry(m);
    hash = sim_trace_hash(&m->machine->trace);
    if (reference)
        sim_reference_stop(m->machine);
    down();
    return hash;
}

Test(sim_platform_engines, agree)
{
    static const uint64_t at[] = {1,   60,  76,   80,   90,    150,   310,   345,
                                  360, 600, 1000, 5000, 22000, 33000, 34500, 35000};

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(at); i++)
        cr_assert_eq(hash_of_a_freeze(at[i], false), hash_of_a_freeze(at[i], true), "at %u",
                     (unsigned)at[i]);
}
