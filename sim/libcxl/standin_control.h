/* SPDX-License-Identifier: Apache-2.0 */
/* What a test may make happen to the driver below the stand-in for libcxl (CX-151, CX-152).
 * docs/simulator.md lists the words; cxl_standin()->control() takes the same. */
#ifndef SIM_LIBCXL_STANDIN_CONTROL_H
#define SIM_LIBCXL_STANDIN_CONTROL_H

#include <stddef.h>

#include "hal/cxl_abi.h"
#include "hal/support/must_check.h"

/** Does what the words say. Makes a world of the library's own when none is bound. Any thread.
 * Returns 0, or -EINVAL with a sentence in why (`size` bytes). */
HAL_MUST_CHECK int standin_control(const char *words, char *why, size_t size);

/** The work that an open descriptor was attached with, as the driver took it: the effective AMR
 * (CX-36), the interrupts granted. Returns 0, -EBADF, -EINVAL (not attached). */
HAL_MUST_CHECK int standin_work(int fd, struct cxl_ioctl_start_work *out);

#endif
