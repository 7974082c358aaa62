/* SPDX-License-Identifier: Apache-2.0 */
/* The HAL suite over a card of this machine, if there is one. Cases are skipped, with the reason,
 * when there is none or when they need what cannot be had of it: nothing of its LUNs is written to.
 * SPIPE_TEST_LIBCXL names a library ("direct": none, by the kernel's interface). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capi/capi_backend.h"
#include "backends/capi/capi_kernel.h"
#include "backends/capi/capi_library.h"
#include "backends/posix/posix_exec.h"
#include "tests/conformance/hal_conformance.h"

TestSuite(hal_conformance_card, .timeout = 50);

static struct capi_library *library_of(const char *name)
{
    struct capi_library *library;
    char why[256] = "there is not enough memory";

    if (name && strcmp(name, "direct") == 0) {
        if (capi_library_direct(&capi_kernel, &library))
            cr_skip("%s", why);
    } else if (capi_library_load(name, &library, why, sizeof why)) {
        cr_skip("%s", why);
    }
    return library;
}

static void over_card(hal_conformance_case *body, unsigned needs)
{
    struct hal_conformance env = {.patience = UINT64_C(20000000000),
                                  .offers = HAL_OFFER_EXCLUSIVE | HAL_OFFER_COMMANDS};
    struct capi_config config = {.size = sizeof config};
    const char *missing = hal_conformance_missing(&env, needs);
    char why[256];

    if (!capi_cards(&capi_kernel))
        cr_skip("this machine has no CAPI accelerator");
    if (missing)
        cr_skip("%s", missing);
    config.library = library_of(getenv("SPIPE_TEST_LIBCXL"));
    cr_assert_eq(posix_exec_create(&env.exec), 0);
    config.exec = env.exec;
    if (capi_backend_open(&config, &env.dev, why, sizeof why))
        cr_skip("%s", why);
    if (env.dev->card != 0x04F0 && env.dev->card != 0x0600) /* SL 0.3 */
        cr_skip("the accelerator of this machine is none of CAPI Flash");
    body(&env);
    hal_close(env.dev);
    posix_exec_destroy(env.exec);
    capi_library_close(config.library);
}

#define CASE(name, needs)                                                                          \
    Test(hal_conformance_card, name) { over_card(hal_conformance_##name, needs); }
HAL_CONFORMANCE_CASES(CASE)
