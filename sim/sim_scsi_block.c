/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands on blocks: READ, WRITE (6, 10, 12, 16 bytes), SYNCHRONIZE CACHE. What gives space
 * back is in sim_scsi_provision.c. */
#include "hal/support/endian.h"
#include "sim/sim_scsi_ops.h"

#define FUA 0x08 /* byte 1 of WRITE(10, 12, 16) */

/* Where the sizes of CDBs keep LBA and count. */
static void parse_range(const uint8_t *cdb, uint64_t *lba, uint64_t *blocks)
{
    switch (cdb[0] >> 5) {
    case 0: /* 6 bytes: 21 bits of LBA, and a count of which 0 means 256 */
        *lba = hal_be32_at(cdb) & 0x1FFFFF;
        *blocks = cdb[4] ? cdb[4] : 256;
        break;
    case 4: /* 16 bytes */
        *lba = hal_be64_at(cdb + 2);
        *blocks = hal_be32_at(cdb + 10);
        break;
    case 5: /* 12 bytes */
        *lba = hal_be32_at(cdb + 2);
        *blocks = hal_be32_at(cdb + 6);
        break;
    default: /* 10 bytes */
        *lba = hal_be32_at(cdb + 2);
        *blocks = hal_be16_at(cdb + 7);
        break;
    }
}

/* Fills lba and blocks of the result and checks them against the capacity. */
void scsi_begin_range(struct scsi_call *c, enum sim_scsi_medium medium)
{
    struct sim_scsi_result *rs = c->rs;
    uint64_t capacity = c->medium->blocks;

    rs->medium = medium;
    parse_range(c->rq->cdb, &rs->lba, &rs->blocks);
    if (rs->lba > capacity || rs->blocks > capacity - rs->lba)
        scsi_out_of_range(c, rs->lba);
}

static void begin_transfer(struct scsi_call *c, enum sim_scsi_kind kind,
                           enum sim_scsi_medium medium)
{
    bool six_bytes = c->rq->cdb[0] < 0x20; /* no flags there */

    if (!six_bytes && (c->rq->cdb[1] & SCSI_PROTECT_MASK)) {
        scsi_invalid_field(c);
        return;
    }
    scsi_begin_range(c, medium);
    if (c->rs->failed)
        return;
    c->rs->kind = kind;
    c->rs->transfer_len = c->rs->blocks * c->medium->block_size;
}

void scsi_begin_read(struct scsi_call *c)
{
    begin_transfer(c, SIM_SCSI_DATA_IN, SIM_SCSI_MEDIUM_READ);
}

void scsi_begin_write(struct scsi_call *c)
{
    begin_transfer(c, SIM_SCSI_DATA_OUT, SIM_SCSI_MEDIUM_WRITE);
}

int scsi_finish_read(struct scsi_call *c) { return scsi_read(c->t, c->rs, c->sink, c->arg); }

int scsi_finish_write(struct scsi_call *c)
{
    struct sim_scsi_result *rs = c->rs;
    bool through = c->rq->cdb[0] >= 0x20 && (c->rq->cdb[1] & FUA);
    int error;

    rs->transfer_len = rs->blocks * rs->block_size;
    error = sim_media_write(c->t->media, rs->lun, rs->lba, rs->blocks, c->source, c->arg);
    return error || !through ? error : sim_media_sync(c->t->media);
}

void scsi_begin_sync(struct scsi_call *c)
{
    scsi_begin_range(c, SIM_SCSI_MEDIUM_SYNC);
    if (!c->rs->failed && !c->rs->blocks) /* 0 means to the end */
        c->rs->blocks = c->medium->blocks - c->rs->lba;
}

int scsi_finish_sync(struct scsi_call *c) { return sim_media_sync(c->t->media); }
