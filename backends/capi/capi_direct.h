/* SPDX-License-Identifier: Apache-2.0 */
/* What the back end needs of libcxl, over the kernel's interface alone (CX-141). */
#ifndef BACKENDS_CAPI_CAPI_DIRECT_H
#define BACKENDS_CAPI_CAPI_DIRECT_H

#include "hal/support/must_check.h"

struct capi_library;
struct cxl_kernel;

/** Takes a kernel for all functions of this file, or one more use of it. Returns 0, or -EBUSY while
 * another one is in use. */
HAL_MUST_CHECK int capi_direct_use(const struct cxl_kernel *kernel);

/** Ends one use. */
void capi_direct_unuse(void);

/** Puts the functions into a table. */
void capi_direct_fill(struct capi_library *library);

#endif
