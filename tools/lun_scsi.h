/* SPDX-License-Identifier: Apache-2.0 */
/* The LUNs of an adapter as lun_guard.h wants them, read by SCSI commands of the administrator. */
#ifndef TOOLS_LUN_SCSI_H
#define TOOLS_LUN_SCSI_H

#include "core/superpipe.h"
#include "tools/lun_guard.h"

#define LUN_SCSI_MAX 255u /* more LUNs an adapter has not */

/** What a reader stands on. */
struct lun_scsi_arg {
    struct spipe *spipe;
    unsigned number;
    uint32_t block_size;
};

/** All of them; large. */
struct lun_scsi {
    struct lun_guard_lun lun[LUN_SCSI_MAX]; /* by their numbers */
    unsigned luns;
    struct lun_scsi_arg arg[LUN_SCSI_MAX];
};

/** Describes all LUNs. Sends no command; the readers do, while *out and the adapter last, and give
 * -EIO for a command that the LUN refused, or what spipe_scsi() gives. */
void lun_scsi_list(struct spipe *s, struct lun_scsi *out);

#endif
