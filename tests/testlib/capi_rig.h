/* SPDX-License-Identifier: Apache-2.0 */
/* The back end of backends/capi over the fake library, opened, and over threads with a clock that
 * jumps (test_clock.h). */
#ifndef SPIPE_TESTS_TESTLIB_CAPI_RIG_H
#define SPIPE_TESTS_TESTLIB_CAPI_RIG_H

#include "backends/capi/capi_backend.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "tests/testlib/fake_cxl.h"

#define CAPI_RIG_LOG 8192

struct capi_rig {
    struct exec *exec;
    struct capi_library *library;
    struct capi_config config; /* for another device */
    struct hal_dev *dev;       /* NULL before capi_rig_open() */
    char dir[256];             /* of its locks; a new one for each rig */
    char log[CAPI_RIG_LOG];    /* what the back end told, a line each */
};

/** Everything but the device. The fake's script is as after fake_cxl_init(). */
void capi_rig_init(struct capi_rig *rig);

/** Opens the device; what fake_cxl wrote down before is forgotten. Asserts. */
void capi_rig_open(struct capi_rig *rig);

/** Both. */
void capi_rig_up(struct capi_rig *rig);

/** Tries to open, and fails; the errno, and in `why` the sentence. */
int capi_rig_refused(struct capi_rig *rig, char *why, size_t size);

/** Closes what is open. Asserts that nothing is left of it. */
void capi_rig_down(struct capi_rig *rig);

/** A started context with three interrupts. */
struct hal_ctx *capi_rig_context(struct capi_rig *rig, enum hal_ctx_kind kind);

/** Whether the back end told that. */
bool capi_rig_told(const struct capi_rig *rig, const char *part);

#endif
