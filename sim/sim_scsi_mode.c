/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands on the state of a LUN: MODE SENSE(6, 10), START STOP UNIT. */
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "sim/sim_scsi_ops.h"

#define MODE_SENSE_10 0x5A
#define SENSE_DBD 0x08   /* no block descriptor */
#define SENSE_LLBAA 0x10 /* of 10 bytes: a long one will do */
#define ALL_PAGES 0x3F
#define ALL_SUBPAGES 0xFF
#define DPOFUA 0x10
#define WRITE_PROTECT 0x80

enum { PC_CURRENT, PC_CHANGEABLE, PC_DEFAULT, PC_SAVED };

/* A write cache that SYNCHRONIZE CACHE and FUA empty; commands in any order. */
static const uint8_t caching[20] = {0x08, 18, 0x04};
static const uint8_t control[12] = {0x0A, 10, 0x00, 0x10};

void scsi_begin_mode_sense(struct scsi_call *c)
{
    const uint8_t *cdb = c->rq->cdb;
    uint8_t flags = cdb[0] == MODE_SENSE_10 ? SENSE_DBD | SENSE_LLBAA : SENSE_DBD;
    uint8_t page = cdb[2] & 0x3F;

    if ((cdb[1] & ~flags) || (cdb[3] && cdb[3] != ALL_SUBPAGES) ||
        (page != caching[0] && page != control[0] && page != ALL_PAGES))
        scsi_invalid_field(c);
    else if (cdb[2] >> 6 == PC_SAVED)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_NO_SAVED_PAGES);
}

static uint8_t short_descriptor(const struct sim_media_lun *l, uint8_t *out)
{
    hal_be32_put(out, (uint32_t)hal_min64(l->blocks, UINT32_MAX));
    hal_be32_put(out + 4, l->block_size); /* the upper byte is reserved, and 0 */
    return 8;
}

static uint8_t long_descriptor(const struct sim_media_lun *l, uint8_t *out)
{
    hal_be64_put(out, l->blocks);
    hal_be32_put(out + 12, l->block_size);
    return 16;
}

/* Appends a page if it is asked for. No field of it can be changed. */
static uint32_t put_page(const uint8_t *cdb, const uint8_t *page, uint8_t *out)
{
    uint32_t n = page[1] + 2u;

    if ((cdb[2] & 0x3F) != ALL_PAGES && (cdb[2] & 0x3F) != page[0])
        return 0;
    memcpy(out, page, cdb[2] >> 6 == PC_CHANGEABLE ? 2 : n);
    return n;
}

uint32_t scsi_build_mode_sense(const struct scsi_call *c, uint8_t *out)
{
    const uint8_t *cdb = c->rq->cdb;
    bool ten = cdb[0] == MODE_SENSE_10, is_long = ten && (cdb[1] & SENSE_LLBAA);
    uint32_t n = ten ? 8 : 4;
    uint8_t descriptor = 0;

    if (!(cdb[1] & SENSE_DBD))
        descriptor =
            is_long ? long_descriptor(c->medium, out + n) : short_descriptor(c->medium, out + n);
    out[ten ? 3 : 2] = DPOFUA | (sim_media_read_only(c->t->media) ? WRITE_PROTECT : 0);
    out[ten ? 7 : 3] = descriptor;
    if (ten)
        out[4] = descriptor == 16; /* LONGLBA */
    n += descriptor;
    n += put_page(cdb, caching, out + n);
    n += put_page(cdb, control, out + n);
    if (ten)
        hal_be16_put(out, (uint16_t)(n - 2));
    else
        out[0] = (uint8_t)(n - 1);
    return n;
}

#define START 0x01
#define LOAD_EJECT 0x02
#define NO_FLUSH 0x04
#define POWER_CONDITION 0xF0

/* Nothing to eject here, and no power conditions. */
void scsi_begin_start_stop(struct scsi_call *c)
{
    if (c->rq->cdb[4] & (LOAD_EJECT | POWER_CONDITION))
        scsi_invalid_field(c);
}

int scsi_finish_start_stop(struct scsi_call *c)
{
    uint8_t flags = c->rq->cdb[4];
    int error = flags & (START | NO_FLUSH) ? 0 : sim_media_sync(c->t->media);

    if (!error) /* what cannot be flushed does not stop */
        c->lun->stopped = !(flags & START);
    return error;
}
