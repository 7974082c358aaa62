/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel and libcxl say, in the closed set of hal/hal.h (CX-142, R-43). */
#ifndef BACKENDS_CAPI_CAPI_ERRNO_H
#define BACKENDS_CAPI_CAPI_ERRNO_H

/** A negative errno of the closed set for an errno of either sign; 0 for 0. What has no meaning of
 * its own there is EIO. */
int capi_errno(int error);

#endif
