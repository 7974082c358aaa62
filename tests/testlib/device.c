/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/device.h"

#include "backends/sim/sim_host.h"

struct hal_dev *test_device(struct sim_host *h, unsigned adapter)
{
    return sim_host_device(h, adapter);
}

void test_device_done(struct sim_host *h) { (void)h; }
