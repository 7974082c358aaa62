/* SPDX-License-Identifier: Apache-2.0 */
/* backends/capi over the stand-in for libcxl over a simulated host. */
#ifndef SPIPE_TESTS_TESTLIB_STANDIN_RIG_H
#define SPIPE_TESTS_TESTLIB_STANDIN_RIG_H

#include "backends/capi/capi_library.h"
#include "hal/exec.h"
#include "hal/hal.h"

struct sim_host;

/** What stands between a program and the model. */
enum standin_way {
    STANDIN_NOT,     /* backends/sim alone */
    STANDIN_LIBRARY, /* backends/capi, the library */
    STANDIN_DIRECT,  /* backends/capi, the kernel's interface below the library (CX-141) */
};

struct standin_rig {
    const struct cxl_standin *standin;
    struct capi_library *library;
    struct exec *exec;
};

/** Puts a host below the stand-in; one at a time. Asserts. */
void standin_rig_up(struct standin_rig *rig, struct sim_host *host, enum standin_way way);

/** Opens the AFU of an adapter. To be closed before standin_rig_down(). */
struct hal_dev *standin_rig_open(struct standin_rig *rig, unsigned adapter);

void standin_rig_down(struct standin_rig *rig);

#endif
