/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of the simulator for the HAL suite. */
#ifndef TESTS_CONFORMANCE_HAL_CONFORMANCE_SIM_H
#define TESTS_CONFORMANCE_HAL_CONFORMANCE_SIM_H

#include "backends/sim/sim_host.h"
#include "tests/conformance/hal_conformance.h"

/** Builds the host of config with media of its own, runs a case on its first adapter, and ends it;
 * asserts that nothing is left allocated. */
void hal_conformance_over_sim(hal_conformance_case *body, unsigned needs,
                              struct sim_host_config *config);

#endif
