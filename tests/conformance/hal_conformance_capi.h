/* SPDX-License-Identifier: Apache-2.0 */
/* backends/capi over the stand-in for libcxl as an environment of the HAL suite. */
#ifndef TESTS_CONFORMANCE_HAL_CONFORMANCE_CAPI_H
#define TESTS_CONFORMANCE_HAL_CONFORMANCE_CAPI_H

#include <stdbool.h>

#include "backends/sim/sim_host.h"
#include "tests/conformance/hal_conformance.h"

/** One case of the suite on a simulated host of its own, through the library, or directly over the
 * kernel's interface below it (CX-141). */
void conf_capi_case(hal_conformance_case *body, unsigned needs,
                    const struct sim_host_config *config, bool direct);

#endif
