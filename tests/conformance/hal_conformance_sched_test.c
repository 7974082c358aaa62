/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL suite over the simulator under fibers and virtual time, each case with several seeds. */
#include <criterion/criterion.h>

#include "tests/conformance/hal_conformance.h"
#include "tests/conformance/hal_conformance_sim.h"

#define SEEDS 6

TestSuite(hal_conformance_sched, .timeout = 50);

static void over_sched(hal_conformance_case *body, unsigned needs)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_host_config config = {.seed = seed, .trace = true};

        conf_sim_case(body, needs, &config);
    }
}

#define CASE(name, needs)                                                                          \
    Test(hal_conformance_sched, name) { over_sched(hal_conformance_##name, needs); }
HAL_CONFORMANCE_CASES(CASE)
