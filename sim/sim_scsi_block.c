/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands on blocks: READ, WRITE (6, 10, 12, 16 bytes), WRITE SAME(16), SYNCHRONIZE CACHE. */
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"
#include "sim/sim_scsi_ops.h"

/* Byte 1 of WRITE SAME(16). */
#define SAME_NDOB 0x01   /* no data-out buffer: zeros */
#define SAME_LBDATA 0x02 /* obsolete */
#define SAME_PBDATA 0x04 /* obsolete */
#define SAME_UNMAP 0x08
#define SAME_ANCHOR 0x10
#define PROTECT_MASK 0xE0 /* RDPROTECT, WRPROTECT: no protection information here */
#define FUA 0x08          /* byte 1 of WRITE(10, 12, 16) */

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
static void begin_range(struct scsi_call *c, enum sim_scsi_medium medium)
{
    struct sim_scsi_result *rs = c->rs;
    uint64_t capacity = c->medium->blocks;

    rs->medium = medium;
    parse_range(c->rq->cdb, &rs->lba, &rs->blocks);
    if (rs->lba > capacity || rs->blocks > capacity - rs->lba)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_LBA_OUT_OF_RANGE);
}

static void begin_transfer(struct scsi_call *c, enum sim_scsi_kind kind,
                           enum sim_scsi_medium medium)
{
    bool six_bytes = c->rq->cdb[0] < 0x20; /* no flags there */

    if (!six_bytes && (c->rq->cdb[1] & PROTECT_MASK)) {
        scsi_invalid_field(c);
        return;
    }
    begin_range(c, medium);
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

int scsi_finish_read(struct scsi_call *c)
{
    struct sim_scsi_result *rs = c->rs;

    rs->transfer_len = rs->blocks * rs->block_size;
    return sim_media_read(c->t->media, rs->lun, rs->lba, rs->blocks, c->sink, c->arg);
}

int scsi_finish_write(struct scsi_call *c)
{
    struct sim_scsi_result *rs = c->rs;
    bool through = c->rq->cdb[0] >= 0x20 && (c->rq->cdb[1] & FUA);
    int error;

    rs->transfer_len = rs->blocks * rs->block_size;
    error = sim_media_write(c->t->media, rs->lun, rs->lba, rs->blocks, c->source, c->arg);
    return error || !through ? error : sim_media_sync(c->t->media);
}

void scsi_begin_write_same(struct scsi_call *c)
{
    uint8_t flags = c->rq->cdb[1];

    /* A count of 0 ("to the end") is refused, as by a device that sets WSNZ: in this stack it can
     * only be a mistake, and an expensive one. */
    if ((flags & (PROTECT_MASK | SAME_ANCHOR | SAME_PBDATA | SAME_LBDATA)) ||
        ((flags & SAME_UNMAP) && !c->t->lbpme) || !hal_be32_at(c->rq->cdb + 10)) {
        scsi_invalid_field(c);
        return;
    }
    begin_range(c, SIM_SCSI_MEDIUM_ZERO);
    if (c->rs->failed || (flags & SAME_NDOB))
        return;
    c->rs->kind = SIM_SCSI_DATA_OUT;
    c->rs->transfer_len = c->medium->block_size;
}

struct noise {
    uint64_t lun, first_byte;
};

/* Contents of unmapped blocks on a device that does not promise zeros: arbitrary but repeatable,
 * the same on every host, and never zeros. */
static int noise_source(void *arg, uint64_t offset, void *data, size_t n)
{
    const struct noise *noise = arg;
    uint8_t *out = data;

    for (size_t i = 0; i < n; i += 8) {
        uint64_t seed = (noise->lun << 56) ^ (noise->first_byte + offset + i);
        hal_be64_put(out + i, hal_splitmix64(&seed) | 1);
    }
    return 0;
}

/* Unmapping: zeros if the device promises them, else noise. */
static int unmap(struct scsi_call *c)
{
    const struct sim_scsi_result *rs = c->rs;
    struct noise noise = {rs->lun, rs->lba * rs->block_size};
    int error;

    if (c->t->lbprz)
        return sim_media_unmap(c->t->media, rs->lun, rs->lba, rs->blocks);
    error = sim_media_write(c->t->media, rs->lun, rs->lba, rs->blocks, noise_source, &noise);
    return error == -ENOSPC ? 0 : error; /* the old contents are as arbitrary as noise */
}

int scsi_finish_write_same(struct scsi_call *c)
{
    static const uint8_t zeros[4096];
    const struct sim_scsi_result *rs = c->rs;
    uint8_t flags = c->rq->cdb[1];
    uint8_t block[4096] = {0};
    int error = 0;

    if (!(flags & SAME_NDOB))
        error = c->source(c->arg, 0, block, rs->block_size);
    if (error)
        return error;
    /* SBC: with LBPRZ, a block that is not zeros cannot be unmapped and is written instead. */
    if ((flags & SAME_UNMAP) && (!c->t->lbprz || !memcmp(block, zeros, rs->block_size)))
        return unmap(c);
    return sim_media_write_same(c->t->media, rs->lun, rs->lba, rs->blocks, block);
}

void scsi_begin_sync(struct scsi_call *c)
{
    begin_range(c, SIM_SCSI_MEDIUM_SYNC);
    if (!c->rs->failed && !c->rs->blocks) /* 0 means to the end */
        c->rs->blocks = c->medium->blocks - c->rs->lba;
}

int scsi_finish_sync(struct scsi_call *c) { return sim_media_sync(c->t->media); }
