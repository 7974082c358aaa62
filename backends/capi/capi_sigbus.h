/* SPDX-License-Identifier: Apache-2.0 */
/* Survives a load or store that hits a mapping whose pages are gone (CX-59, CX-64): instead of the
 * signal the mapping becomes dead, and whoever used it finds that out afterwards.
 *
 * The handler of SIGBUS is installed with the first mapping and removed behind the last one, if
 * nobody has put another on top of it. Faults elsewhere go to whoever was there before. */
#ifndef BACKENDS_CAPI_CAPI_SIGBUS_H
#define BACKENDS_CAPI_CAPI_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

struct capi_sigbus_range;

/** Guards a mapping of whole pages until capi_sigbus_remove(). A fault in it replaces all of it by
 * memory that nobody looks at, so the instruction ends. Returns 0, or -ENOMEM: too many mappings.
 * Any thread. */
HAL_MUST_CHECK int capi_sigbus_add(void *base, size_t size, struct capi_sigbus_range **out);

/** Ends that; nobody uses the mapping any more. NULL is ignored. */
void capi_sigbus_remove(struct capi_sigbus_range *range);

/** Whether a fault has hit it. To be asked after a load: what that gave is then nothing. */
bool capi_sigbus_dead(const struct capi_sigbus_range *range);

#endif
