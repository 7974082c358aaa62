/* SPDX-License-Identifier: Apache-2.0 */
/* Disks behind core_rig: its master can send SCSI commands, which the disks of fake_luns answer. At
 * first they are the LUNs that the rig has, on both ports. One at a time, one thread. */
#ifndef SPIPE_TESTS_TESTLIB_RIG_DISKS_H
#define SPIPE_TESTS_TESTLIB_RIG_DISKS_H

#include "tests/testlib/core_rig.h"
#include "tests/testlib/fake_luns.h"

/** LUN n at port p is lun[2 n + p]. */
extern struct fake_luns rig_disks;

/** Connects the disks, after rig_begin(). */
void rig_disks_begin(void);

/** Gives LUN number `lun` another size, on both ports. */
void rig_disks_resize(unsigned lun, uint64_t blocks, uint32_t block_size);

/** The next command ends with `answer`. */
void rig_disks_fail(const struct fake_answer *answer);

#endif
