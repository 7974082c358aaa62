/* SPDX-License-Identifier: Apache-2.0 */
/* Adapters of a simulated host through backends/capi and the stand-in for libcxl. One host at a
 * time, as a process has one library. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "backends/capi/capi_backend.h"
#include "backends/capi/capi_library.h"
#include "backends/sim/sim_host.h"
#include "backends/sim/sim_standin.h"
#include "hal/cxl_standin.h"
#include "sim/libcxl/libcxl_lookup.h"
#include "tests/testlib/device.h"

static struct capi_library *library;
static struct sim_host *host;
static struct hal_dev *device[SIM_HOST_ADAPTERS_MAX];

static void bind_host(struct sim_host *h)
{
    struct cxl_standin_world world;
    char why[256] = "";

    cr_assert_null(host, "one host at a time");
    cr_assert_eq(capi_library_resolve(cxl_standin_lookup, NULL, &library, why, sizeof why), 0, "%s",
                 why);
    sim_standin_world(h, &world);
    cr_assert_eq(capi_library_standin(library)->bind(&world), 0);
    host = h;
}

static void open_device(unsigned adapter)
{
    char afu[16], why[512] = "";
    struct capi_config config = {.size = sizeof config,
                                 .exec = sim_host_exec(host),
                                 .library = library,
                                 .afu = afu};

    snprintf(afu, sizeof afu, "afu%u.0", adapter);
    cr_assert_eq(capi_backend_open(&config, &device[adapter], why, sizeof why), 0, "%s", why);
}

struct hal_dev *test_device(struct sim_host *h, unsigned adapter)
{
    if (host != h)
        bind_host(h);
    if (!device[adapter])
        open_device(adapter);
    return device[adapter];
}

void test_device_done(struct sim_host *h)
{
    if (host != h)
        return;
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++)
        if (device[i]) {
            hal_close(device[i]);
            device[i] = NULL;
        }
    capi_library_standin(library)->unbind();
    capi_library_close(library);
    host = NULL;
}
