/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL suite over backends/capi and the stand-in for libcxl, under fibers and virtual time. */
#include <criterion/criterion.h>

#include "tests/conformance/hal_conformance_capi.h"
#include "tests/testlib/proves.h"

#define SEEDS 3

TestSuite(hal_conformance_capi, .timeout = 50);
TestSuite(hal_conformance_capi_direct, .timeout = 50);

static void over_standin(hal_conformance_case *body, unsigned needs, enum standin_way way)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_host_config config = {.seed = seed, .trace = true};

        conf_capi_case(body, needs, &config, way);
    }
}

#define CASE(name, needs)                                                                          \
    Test(hal_conformance_capi, name)                                                               \
    {                                                                                              \
        over_standin(hal_conformance_##name, needs, STANDIN_LIBRARY);                              \
    }                                                                                              \
    Test(hal_conformance_capi_direct, name)                                                        \
    {                                                                                              \
        over_standin(hal_conformance_##name, needs, STANDIN_DIRECT);                               \
        PROVES(CX_141);                                                                            \
    }
HAL_CONFORMANCE_CASES(CASE)
