/* SPDX-License-Identifier: Apache-2.0 */
/* A model at rest in which the reference engine makes time pass. */
#ifndef TESTS_UNIT_SIM_REFERENCE_FIXTURE_H
#define TESTS_UNIT_SIM_REFERENCE_FIXTURE_H

#include <criterion/criterion.h>

#include "tests/unit/sim/sim_afu_fixture.h"

static inline void up_reference(void)
{
    up_flashsystem();
    model_run_dry(m);
    model_run(m, 1000);
    cr_assert_eq(sim_reference_start(m->machine), 0);
}

static inline void down_reference(void)
{
    model_run_dry(m);
    sim_reference_stop(m->machine);
    down();
}

#endif
