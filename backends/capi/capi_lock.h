/* SPDX-License-Identifier: Apache-2.0 */
/* The lock against a second master of one AFU on this machine (CX-133): the kernel would let it in,
 * and the AFU has one set of global registers. */
#ifndef BACKENDS_CAPI_CAPI_LOCK_H
#define BACKENDS_CAPI_CAPI_LOCK_H

#include <stddef.h>

#include "hal/support/must_check.h"

/** Locks "superpipe-AFU.lock" in a directory; it ends with the process, and with
 * capi_lock_release().
 *
 * @param dir  NULL: /run/lock, or /var/lock where there is none
 * @param afu  "afu0.0"
 * @param out  receives the descriptor that holds it
 * @param why  receives a sentence when it fails
 * @return     0, -EBUSY (another master), -EACCES, -ENODEV (no such directory), or another of
 *             hal.h */
HAL_MUST_CHECK int capi_lock_take(const char *dir, const char *afu, int *out, char *why,
                                  size_t size);

/** Gives it back; -1 is none. The file stays: to remove it would let two others in at once. */
void capi_lock_release(int fd);

#endif
