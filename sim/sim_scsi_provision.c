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
static int unmap(struct scsi_call *c, uint64_t lba, uint64_t blocks)
{
    const struct sim_scsi_result *rs = c->rs;
    struct noise noise = {rs->lun, lba * rs->block_size};
    int error;

    if (c->t->lbprz)
        return sim_media_unmap(c->t->media, rs->lun, lba, blocks);
    error = sim_media_write(c->t->media, rs->lun, lba, blocks, noise_source, &noise);
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
        return unmap(c, rs->lba, rs->blocks);
    return sim_media_write_same(c->t->media, rs->lun, rs->lba, rs->blocks, block);
}

/* ---- UNMAP ---- */

#define LIST_HEADER 8
#define LIST_DESCRIPTOR 16 /* LBA, 8 bytes; count, 4 bytes; then the state in GET LBA STATUS */

void scsi_begin_unmap(struct scsi_call *c)
{
    const uint8_t *cdb = c->rq->cdb;
    uint16_t length = hal_be16_at(cdb + 7);

    if (!c->t->lbpme)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_INVALID_OPCODE);
    else if (cdb[1]) /* ANCHOR is not supported */
        scsi_invalid_field(c);
    else if (length && length < LIST_HEADER)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_LIST_LENGTH);
    if (c->rs->failed || !length)
        return;
    c->rs->kind = SIM_SCSI_DATA_OUT;
    c->rs->medium = SIM_SCSI_MEDIUM_ZERO;
    c->rs->transfer_len = length;
}

/* Checks a list before anything is unmapped. */
static void check_list(struct scsi_call *c, const uint8_t *descriptor, uint32_t count)
{
    uint64_t capacity = c->medium->blocks;

    if (count > SCSI_UNMAP_MAX) {
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_LIST_FIELD);
        return;
    }
    for (uint32_t i = 0; i < count; i++, descriptor += LIST_DESCRIPTOR) {
        uint64_t lba = hal_be64_at(descriptor);

        if (lba > capacity || hal_be32_at(descriptor + 8) > capacity - lba) {
            scsi_out_of_range(c, lba);
            return;
        }
    }
}

int scsi_finish_unmap(struct scsi_call *c)
{
    uint8_t list[LIST_HEADER + SCSI_UNMAP_MAX * LIST_DESCRIPTOR];
    const uint8_t *descriptor = list + LIST_HEADER;
    uint64_t length = c->rs->transfer_len;
    uint32_t count;
    int error;

    if (!length)
        return 0;
    error = c->source(c->arg, 0, list, hal_min64(length, sizeof list));
    if (error)
        return error;
    count = (uint32_t)hal_min64(hal_be16_at(list + 2), length - LIST_HEADER) / LIST_DESCRIPTOR;
    check_list(c, descriptor, count);
    if (c->rs->failed)
        return 0;
    for (uint32_t i = 0; i < count && !error; i++, descriptor += LIST_DESCRIPTOR)
        error = unmap(c, hal_be64_at(descriptor), hal_be32_at(descriptor + 8));
    return error;
}

/* ---- GET LBA STATUS ---- */

#define PIECES_LOOKED_AT 4096 /* bounds the work: 4 GiB; their blocks fit a descriptor */
#define STATUS_DEALLOCATED 1
#define STATUS_MAX ((SCSI_PARAMETERS_MAX - LIST_HEADER) / LIST_DESCRIPTOR)

void scsi_begin_lba_status(struct scsi_call *c)
{
    uint64_t lba = hal_be64_at(c->rq->cdb + 2);

    if (lba >= c->medium->blocks)
        scsi_out_of_range(c, lba);
}

/* End of the blocks from `lba` on that have its state, as far as `*pieces` more may be looked at.
 */
static uint64_t extent_end(const struct scsi_call *c, uint64_t lba, unsigned *pieces)
{
    const struct sim_media *media = c->t->media;
    uint64_t piece = SIM_MEDIA_PIECE_BYTES / c->medium->block_size;
    bool mapped = sim_media_mapped(media, c->rs->lun, lba);
    uint64_t end = (lba / piece + 1) * piece;

    for (--*pieces;
         *pieces && end < c->medium->blocks && sim_media_mapped(media, c->rs->lun, end) == mapped;
         --*pieces)
        end += piece;
    return hal_min64(end, c->medium->blocks);
}

/* SBC: as many as fit the allocation length, at least one. */
static uint32_t descriptors_wanted(const struct scsi_call *c)
{
    uint32_t room = hal_be32_at(c->rq->cdb + 10);
    uint32_t fit = room < LIST_HEADER ? 0 : (room - LIST_HEADER) / LIST_DESCRIPTOR;

    return fit ? (uint32_t)hal_min64(fit, STATUS_MAX) : 1;
}

/* Runs of blocks of one state, in order; the initiator asks again from the end of the last. The
 * medium may have shrunk since begin. */
uint32_t scsi_build_lba_status(const struct scsi_call *c, uint8_t *out)
{
    uint32_t wanted = descriptors_wanted(c), length = LIST_HEADER;
    uint64_t lba = hal_be64_at(c->rq->cdb + 2);
    unsigned pieces = PIECES_LOOKED_AT;

    for (; wanted && pieces && lba < c->medium->blocks; wanted--) {
        uint64_t end = extent_end(c, lba, &pieces);

        hal_be64_put(out + length, lba);
        hal_be32_put(out + length + 8, (uint32_t)(end - lba));
        out[length + 12] = sim_media_mapped(c->t->media, c->rs->lun, lba) ? 0 : STATUS_DEALLOCATED;
        length += LIST_DESCRIPTOR;
        lba = end;
    }
    hal_be32_put(out, length - 4);
    return length;
}
