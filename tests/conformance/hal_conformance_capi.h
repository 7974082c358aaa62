/* SPDX-License-Identifier: Apache-2.0 */
/* backends/capi over the stand-in for libcxl as an environment of the HAL suite. */
#ifndef TESTS_CONFORMANCE_HAL_CONFORMANCE_CAPI_H
#define TESTS_CONFORMANCE_HAL_CONFORMANCE_CAPI_H

#include "backends/sim/sim_host.h"
#include "tests/conformance/hal_conformance.h"
#include "tests/conformance/hal_conformance_sim.h"
#include "tests/testlib/standin_rig.h"

/** Runs body(arg) as the first thread of a host, whose env.dev is a device of that way meanwhile.
 * Asserts that all threads end. */
void conf_capi_run(struct conf_sim *sim, enum standin_way way, void (*body)(void *), void *arg);

/** One case of the suite on a simulated host of its own. */
void conf_capi_case(hal_conformance_case *body, unsigned needs,
                    const struct sim_host_config *config, enum standin_way way);

#endif
