/* SPDX-License-Identifier: Apache-2.0 */
/* The chunks of a LUN in mode VIRTUAL as its device has them. Shared inside core only.
 *
 * Thread rules: the caller holds the control lock of the adapter. */
#ifndef CORE_LUN_SIZE_H
#define CORE_LUN_SIZE_H

#include "core/adapter.h"

/** Drops one reference of a chunk, which has one. Whoever owned a chunk gives it back this way. */
void spipe__lun_free_chunk(struct spipe__lun *lun, uint64_t chunk);

#endif
