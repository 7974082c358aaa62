/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls of this machine as the table of hal/cxl_kernel.h. */
#ifndef BACKENDS_CAPI_CAPI_KERNEL_H
#define BACKENDS_CAPI_CAPI_KERNEL_H

#include "hal/cxl_kernel.h"

/** open(2), ioctl(2), mmap(2) and so on. It has no load and store: its maps are memory, in the byte
 * order of the bus, and capi_bus.h tells how to access them. Any thread. */
extern const struct cxl_kernel capi_kernel;

#endif
