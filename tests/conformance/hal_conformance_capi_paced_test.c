/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL suite over backends/capi and the stand-in for libcxl, under threads. */
#include <criterion/criterion.h>

#include "backends/posix/posix_exec.h"
#include "tests/conformance/hal_conformance_capi.h"

TestSuite(hal_conformance_capi_paced, .timeout = 50);

static void over_paced(hal_conformance_case *body, unsigned needs)
{
    struct sim_host_config config = {.seed = 1};
    struct sim_params params;

    cr_assert_eq(sim_params_profile(&params, "zero"), 0);
    params.afu_reset = 250000;
    config.params = &params;
    cr_assert_eq(posix_exec_create(&config.threads), 0);
    conf_capi_case(body, needs, &config, STANDIN_LIBRARY);
    posix_exec_destroy(config.threads);
}

#define CASE(name, needs)                                                                          \
    Test(hal_conformance_capi_paced, name) { over_paced(hal_conformance_##name, needs); }
HAL_CONFORMANCE_CASES(CASE)
