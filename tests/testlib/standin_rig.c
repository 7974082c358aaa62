/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/standin_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "backends/capi/capi_backend.h"
#include "backends/sim/sim_host.h"
#include "backends/sim/sim_standin.h"
#include "hal/cxl_standin.h"
#include "sim/libcxl/libcxl_lookup.h"

void standin_rig_up(struct standin_rig *rig, struct sim_host *host, enum standin_way way)
{
    struct cxl_standin_world world;
    char why[256] = "";

    cr_assert_eq(capi_library_resolve(cxl_standin_lookup, NULL, &rig->library, why, sizeof why), 0,
                 "%s", why);
    rig->standin = capi_library_standin(rig->library);
    cr_assert_not_null(rig->standin);
    if (way == STANDIN_DIRECT) {
        capi_library_close(rig->library);
        cr_assert_eq(capi_library_direct(rig->standin->kernel, &rig->library), 0);
    }
    rig->exec = sim_host_exec(host);
    sim_standin_world(host, &world);
    cr_assert_eq(rig->standin->bind(&world), 0);
}

struct hal_dev *standin_rig_open(struct standin_rig *rig, unsigned adapter)
{
    char name[32], why[256] = "";
    struct capi_config config = {
        .size = sizeof config,
        .exec = rig->exec,
        .library = rig->library,
        .standin = rig->standin,
        .afu = name,
    };
    struct hal_dev *dev;

    snprintf(name, sizeof name, "afu%u.0", adapter);
    cr_assert_eq(capi_backend_open(&config, &dev, why, sizeof why), 0, "%s", why);
    return dev;
}

void standin_rig_down(struct standin_rig *rig)
{
    rig->standin->unbind();
    capi_library_close(rig->library);
}
