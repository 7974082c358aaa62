/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/rig_disks.h"

#include <string.h>

struct fake_luns rig_disks;

static bool answer(void *arg, const struct afu_ioarcb *rcb, struct afu_ioasa *ioasa)
{
    struct fake_command command = fake_command_read(rig.s.order, RIG_MASTER, rcb);
    struct fake_answer given = fake_luns_answer(arg, &command);

    fake_answer_write(rig.s.order, &given, ioasa);
    return !given.lost;
}

void rig_disks_begin(void)
{
    fake_luns_init(&rig_disks);
    for (unsigned i = 0; i < rig.s.lun_count; i++) {
        const struct spipe__lun *lun = &rig.s.lun[i];

        for (unsigned p = 0; p < 2; p++) {
            struct fake_lun *disk = fake_luns_add(&rig_disks, p, lun->lun_id[p], 0);

            memcpy(disk->wwid, lun->global->wwid, sizeof disk->wwid);
            disk->last_lba = lun->global->last_lba;
            disk->block_size = lun->global->block_size;
        }
    }
    rig.hal.scsi = answer;
    rig.hal.scsi_arg = &rig_disks;
}

void rig_disks_resize(unsigned lun, uint64_t blocks, uint32_t block_size)
{
    for (unsigned p = 0; p < 2; p++) {
        rig_disks.lun[2 * lun + p].last_lba = blocks - 1;
        rig_disks.lun[2 * lun + p].block_size = block_size;
    }
}

void rig_disks_fail(const struct fake_answer *answer_to_next)
{
    rig_disks.faults = 0;
    fake_luns_fail(&rig_disks, rig_disks.commands, answer_to_next);
}
