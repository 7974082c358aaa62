/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lun_scsi.h"

#include <errno.h>
#include <string.h>

#define READ16 0x88u
#define ATTEMPTS 3u /* a unit attention, and a host that is busy, go away */

static void put_number(uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static int attempt(struct spipe *s, struct spipe_scsi *c)
{
    int rc = spipe_scsi(s, c);

    if (rc)
        return rc;
    return c->result || c->residual ? -EIO : 0;
}

static int read_blocks(struct spipe *s, unsigned number, uint32_t block_size, uint64_t lba,
                       uint32_t blocks, void *buffer)
{
    struct spipe_scsi c = {.size = sizeof c,
                           .lun = number,
                           .port = SPIPE_PORT_ANY,
                           .cdb = {READ16},
                           .data = buffer,
                           .length = blocks * block_size};
    int rc = -EIO;

    put_number(c.cdb + 2, lba, 8);
    put_number(c.cdb + 10, blocks, 4);
    for (unsigned i = 0; i < ATTEMPTS && (rc == -EIO || rc == -EBUSY); i++)
        rc = attempt(s, &c);
    return rc;
}

static int read_lun(void *arg, uint64_t lba, uint32_t blocks, void *buffer)
{
    const struct lun_scsi_arg *a = arg;

    return read_blocks(a->spipe, a->number, a->block_size, lba, blocks, buffer);
}

void lun_scsi_list(struct spipe *s, struct lun_scsi *out)
{
    struct spipe_lun_info info;

    out->luns = 0;
    while (out->luns < LUN_SCSI_MAX && !spipe_lun_info(s, out->luns, &info)) {
        struct lun_guard_lun *lun = &out->lun[out->luns];

        out->arg[out->luns] = (struct lun_scsi_arg){s, out->luns, info.block_size};
        memcpy(lun->wwid, info.wwid, sizeof lun->wwid);
        lun->reader = (struct lun_reader){.read = read_lun,
                                          .arg = &out->arg[out->luns],
                                          .block_size = info.block_size,
                                          .blocks = info.last_lba + 1};
        out->luns++;
    }
}
