/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of an adapter as files, where sysfs shows those of the original:
 *
 *   DIR/class/scsi_host/hostN/NAME                   of adapter number N
 *   DIR/class/scsi_device/N:PORT:0:LUN/device/NAME   of a LUN, behind each port; LUN is its number
 *                                                    there, as its id encodes it (SL 23.9)
 *
 * What cannot be read now has no file. The files show one moment; writing to them does nothing. */
#ifndef TOOLS_ATTRIBUTE_TREE_H
#define TOOLS_ATTRIBUTE_TREE_H

#include <stddef.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"

/** Writes the tree of an adapter; directories are made, files replaced. Returns 0, or a negative
 * errno with a sentence in why. */
HAL_MUST_CHECK int attribute_tree_write(struct spipe *s, unsigned adapter, const char *dir,
                                        char *why, size_t size);

/** The number that an id encodes (SL 23.9). */
uint64_t attribute_tree_lun_number(uint64_t lun_id);

#endif
