/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/error_decode.h"

#include <string.h>

#include "core/mutants.h"

enum {
    SENSE_CODE_MASK = 0x7F,
    SENSE_CODES = 0x70,      /* 70, 71: fixed format; */
    SENSE_DESCRIPTOR = 0x72, /* from here on descriptor format */
    SENSE_KEY_MASK = 0x0F,
    SENSE_HEADER = 8, /* bytes of the fixed format, the count of the others is the last of them */
    SENSE_ASC = 12,
    SENSE_ASCQ = 13,
};

_Static_assert(SPIPE__SENSE_LENGTH <= AFU_SENSE_SIZE, "an IOASA has room for as many");

void spipe__result_read(enum hal_order order, const struct afu_ioasa *ioasa,
                        struct spipe__scsi_result *out)
{
    *out = (struct spipe__scsi_result){
        .flags = ioasa->rc.flags,
        .afu_rc = ioasa->rc.afu_rc,
        .scsi_rc = ioasa->rc.scsi_rc,
        .fc_rc = ioasa->rc.fc_rc,
        .afu_extra = ioasa->afu_extra,
        .port = ioasa->port,
    };
    if (out->flags & (AFU_RC_FLAG_UNDERRUN | AFU_RC_FLAG_OVERRUN))
        out->residual = xe32_get(order, ioasa->resid);
    if (out->flags & AFU_RC_FLAG_SENSE_VALID)
        memcpy(out->sense, ioasa->sense_data, sizeof out->sense);
}

bool spipe__result_good(const struct spipe__scsi_result *r)
{
    return !(r->flags | r->afu_rc | r->scsi_rc | r->fc_rc);
}

static uint32_t host_byte(enum spipe_host_byte host) { return SPIPE_RESULT_OF(host); }

/* AD-103. */
static uint32_t decode_scsi(const struct spipe__scsi_result *r)
{
    if (r->flags & AFU_RC_FLAG_SENSE_VALID)
        return r->scsi_rc;
    return r->scsi_rc | host_byte(SPIPE_DID_ERROR);
}

/* AD-104; `so_far` is the result of the steps before. */
static uint32_t decode_fc(const struct spipe__scsi_result *r, uint32_t so_far)
{
    switch (r->fc_rc) {
    case AFU_FC_RC_LINKDOWN:
        return host_byte(SPIPE_DID_REQUEUE);
    case AFU_FC_RC_RESID:
        return r->flags & AFU_RC_FLAG_OVERRUN ? so_far : host_byte(SPIPE_DID_ERROR);
    case AFU_FC_RC_ABORTPEND:
    case AFU_FC_RC_WRABORTPEND:
    case AFU_FC_RC_NOLOGI:
    case AFU_FC_RC_NOEXP:
    case AFU_FC_RC_INUSE:
    case AFU_FC_RC_ABORTOK:
    case AFU_FC_RC_ABORTFAIL:
    case AFU_FC_RC_RESIDERR:
    case AFU_FC_RC_TGTABORT:
        return host_byte(SPIPE_DID_ERROR);
    default: /* D-8 */
        return so_far || spipe__mutant(D_8) ? so_far : host_byte(SPIPE_DID_ERROR);
    }
}

/* AD-105. */
static uint32_t decode_afu(const struct spipe__scsi_result *r)
{
    if (r->afu_rc == AFU_RC_NO_CHANNELS)
        return host_byte(SPIPE_DID_NO_CONNECT);
    if (r->afu_rc == AFU_RC_DATA_DMA_ERR && r->afu_extra == AFU_PSL_PAGED)
        return host_byte(SPIPE_DID_IMM_RETRY);
    return host_byte(SPIPE_DID_ERROR);
}

struct spipe__decision spipe__error_decode(const struct spipe__scsi_result *r)
{
    struct spipe__decision d = {0};

    d.has_residual = r->flags & AFU_RC_FLAG_UNDERRUN;
    if (r->flags & AFU_RC_FLAG_OVERRUN)
        d.result = host_byte(SPIPE_DID_ERROR);
    if (r->scsi_rc) {
        d.sense_valid = r->flags & AFU_RC_FLAG_SENSE_VALID;
        d.result = decode_scsi(r);
    }
    if (r->fc_rc)
        d.result = decode_fc(r, d.result);
    if (r->afu_rc)
        d.result = decode_afu(r);
    return d;
}

/* Byte `i` of sense data in fixed format, 0 beyond the end that they give themselves. */
static uint8_t fixed_byte(const uint8_t *bytes, unsigned i)
{
    unsigned length = bytes[SENSE_HEADER - 1] + SENSE_HEADER;

    return i < length ? bytes[i] : 0;
}

bool spipe__sense_read(const uint8_t *bytes, struct spipe__sense *out)
{
    uint8_t code = bytes[0] & SENSE_CODE_MASK;

    if ((code & SENSE_CODES) != SENSE_CODES)
        return false;
    if (code >= SENSE_DESCRIPTOR)
        *out = (struct spipe__sense){bytes[1] & SENSE_KEY_MASK, bytes[2], bytes[3]};
    else
        *out = (struct spipe__sense){bytes[2] & SENSE_KEY_MASK, fixed_byte(bytes, SENSE_ASC),
                                     fixed_byte(bytes, SENSE_ASCQ)};
    return true;
}

bool spipe__sense_decode(const struct spipe__scsi_result *r, struct spipe__sense *out)
{
    return r->flags & AFU_RC_FLAG_SENSE_VALID && spipe__sense_read(r->sense, out);
}
