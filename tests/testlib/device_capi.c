/* SPDX-License-Identifier: Apache-2.0 */
/* Adapters of a simulated host through backends/capi and the stand-in for libcxl. One host at a
 * time, as a process has one library. */
#include "tests/testlib/device_capi.h"

#include <criterion/criterion.h>

#include "backends/sim/sim_host.h"
#include "tests/testlib/device.h"

static enum standin_way way = STANDIN_LIBRARY;
static struct standin_rig rig;
static struct sim_host *host;
static struct hal_dev *device[SIM_HOST_ADAPTERS_MAX];

void test_device_by(enum standin_way next) { way = next; }

struct hal_dev *test_device(struct sim_host *h, unsigned adapter)
{
    if (host != h) {
        cr_assert_null(host, "one host at a time");
        standin_rig_up(&rig, h, way);
        host = h;
    }
    if (!device[adapter])
        device[adapter] = standin_rig_open(&rig, adapter);
    return device[adapter];
}

void test_device_done(struct sim_host *h)
{
    if (host != h)
        return;
    for (unsigned i = 0; i < SIM_HOST_ADAPTERS_MAX; i++) {
        if (device[i])
            hal_close(device[i]);
        device[i] = NULL;
    }
    standin_rig_down(&rig);
    host = NULL;
}
