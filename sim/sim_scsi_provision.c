/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands that give space back or tell about it: WRITE SAME(16), UNMAP, GET LBA STATUS. */
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

void scsi_begin_write_same(struct scsi_call *c)
{
    uint8_t flags = c->rq->cdb[1];

    /* A count of 0 ("to the end") is refused, as by a device that sets WSNZ: in this stack it can
     * only be a mistake, and an expensive one. */
    if ((flags & (SCSI_PROTECT_MASK | SAME_ANCHOR | SAME_PBDATA | SAME_LBDATA)) ||
        ((flags & SAME_UNMAP) && !c->t->lbpme) || !hal_be32_at(c->rq->cdb + 10)) {
        scsi_invalid_field(c);
        return;
    }
    scsi_begin_range(c, SIM_SCSI_MEDIUM_ZERO);
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
