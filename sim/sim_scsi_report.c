/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands that report on the target: REPORT LUNS, REQUEST SENSE, READ CAPACITY. Each has one
 * function that checks the CDB and one that builds the whole parameter data. */
#include "hal/afu_tables.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "sim/sim_scsi_ops.h"

void scsi_begin_report_luns(struct scsi_call *c)
{
    struct sim_scsi *t = c->t;

    /* LUN 0 answers even where it does not exist (SPC). */
    if (!c->lun && c->rq->lun_id != 0)
        scsi_fail(c, SCSI_KEY_ILLEGAL_REQUEST, SCSI_ASC_UNKNOWN_LUN);
    else if (c->rq->cdb[2] > 2 || hal_be32_at(c->rq->cdb + 6) < 16)
        scsi_invalid_field(c);
    if (c->rs->failed)
        return;
    for (unsigned i = 0; i < SIM_MEDIA_LUNS_MAX; i++)
        t->luns[i].ua[c->rq->port] &= (uint8_t)~HAL_BIT(SIM_SCSI_UA_LUNS);
}

uint32_t scsi_build_report_luns(const struct scsi_call *c, uint8_t *out)
{
    bool only_well_known = c->rq->cdb[2] == 1; /* of which there are none */
    uint32_t n = 0;

    for (unsigned i = 0; !only_well_known && i < sim_media_n_luns(c->t->media); i++)
        if (c->t->luns[i].port_mask >> c->rq->port & 1)
            hal_be64_put(out + 8 * (size_t)++n, afu_lun_id(i));
    hal_be32_put(out, 8 * n);
    return 8 + 8 * n;
}

void scsi_begin_request_sense(struct scsi_call *c)
{
    int code = SCSI_ASC_UNKNOWN_LUN;
    unsigned key = SCSI_KEY_ILLEGAL_REQUEST;

    if (c->rq->cdb[1]) { /* descriptor format is not supported */
        scsi_invalid_field(c);
        return;
    }
    if (c->lun) {
        code = scsi_take_unit_attention(c->lun, c->rq->port);
        key = SCSI_KEY_UNIT_ATTENTION;
    }
    if (code < 0) { /* nothing to report but the state */
        key = c->lun->stopped ? SCSI_KEY_NOT_READY : 0;
        code = c->lun->stopped ? SCSI_ASC_STOPPED : 0;
    }
    c->rs->detail[0] = (uint8_t)key;
    c->rs->detail[1] = (uint8_t)(code >> 8);
    c->rs->detail[2] = (uint8_t)code;
}

uint32_t scsi_build_request_sense(const struct scsi_call *c, uint8_t *out)
{
    const uint8_t *detail = c->rs->detail;

    sim_scsi_sense(out, detail[0], detail[1], detail[2]);
    return 18;
}

/* LBA and PMI are obsolete. */
void scsi_begin_read_capacity_10(struct scsi_call *c)
{
    const uint8_t *cdb = c->rq->cdb;

    if (hal_be32_at(cdb + 2) || (cdb[8] & 0x01))
        scsi_invalid_field(c);
}

/* A last block that 32 bits cannot hold reads as all ones: ask READ CAPACITY(16). */
uint32_t scsi_build_read_capacity_10(const struct scsi_call *c, uint8_t *out)
{
    hal_be32_put(out, (uint32_t)hal_min64(c->medium->blocks - 1, UINT32_MAX));
    hal_be32_put(out + 4, c->medium->block_size);
    return 8;
}

void scsi_begin_read_capacity_16(struct scsi_call *c)
{
    const uint8_t *cdb = c->rq->cdb;

    if (hal_be64_at(cdb + 2) || (cdb[14] & 0x01)) /* LBA and PMI are obsolete */
        scsi_invalid_field(c);
}

uint32_t scsi_build_read_capacity_16(const struct scsi_call *c, uint8_t *out)
{
    hal_be64_put(out, c->medium->blocks - 1);
    hal_be32_put(out + 8, c->medium->block_size);
    out[14] = (uint8_t)((c->t->lbpme ? 0x80 : 0) | (c->t->lbprz ? 0x40 : 0));
    return 32;
}
