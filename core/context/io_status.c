/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context/io_status.h"

#include <errno.h>

#include "hal/support/bits.h"

/* One code of one status byte. */
struct row {
    uint8_t code;
    struct spipe__io_status verdict;
};

static const struct spipe__io_status good = {0, SPIPE__RETRY_NO};
static const struct spipe__io_status fatal = {-EIO, SPIPE__RETRY_NO};
static const struct spipe__io_status again = {-EIO, SPIPE__RETRY_NOW};

/* SL 18.3, without sense data. */
static const struct row scsi_rows[] = {
    {AFU_SCSI_RC_CHECK_CONDITION, {-EIO, SPIPE__RETRY_NOW}},
    {AFU_SCSI_RC_BUSY, {-EBUSY, SPIPE__RETRY_LATER}},
    {AFU_SCSI_RC_TASK_SET_FULL, {-EBUSY, SPIPE__RETRY_LATER}},
    {AFU_SCSI_RC_RESERVATION_CONFLICT, {-EBUSY, SPIPE__RETRY_NO}},
};

/* SL 18.2. 0x5A is judged in fc_verdict(). */
static const struct row fc_rows[] = {
    {AFU_FC_RC_ABORTPEND, {-ETIMEDOUT, SPIPE__RETRY_NOW}},
    {AFU_FC_RC_NOLOGI, {-ENETDOWN, SPIPE__RETRY_OTHER_PATH}},
    {AFU_FC_RC_LINKDOWN, {-ENETDOWN, SPIPE__RETRY_OTHER_PATH}},
    {AFU_FC_RC_ABORTOK, {-EIO, SPIPE__RETRY_NOW}},
    {AFU_FC_RC_ABORTFAIL, {-EIO, SPIPE__RETRY_NOW}},
    {AFU_FC_RC_RESIDERR, {-EIO, SPIPE__RETRY_NOW}},
    {AFU_FC_RC_TGTABORT, {-EIO, SPIPE__RETRY_NOW}},
};

/* SL 18.1. The DMA errors are judged in afu_verdict(). */
static const struct row afu_rows[] = {
    {AFU_RC_RHT_INVALID, {-EIO, SPIPE__RETRY_NO}},
    {AFU_RC_RHT_UNALIGNED, {-EIO, SPIPE__RETRY_NO}},
    {AFU_RC_RHT_OUT_OF_BOUNDS, {-EIO, SPIPE__RETRY_NO}},
    {AFU_RC_LXT_UNALIGNED, {-EIO, SPIPE__RETRY_NO}},
    {AFU_RC_LXT_OUT_OF_BOUNDS, {-EIO, SPIPE__RETRY_NO}},
    {AFU_RC_NO_CHANNELS, {-ENETDOWN, SPIPE__RETRY_OTHER_PATH_LATER}},
    {AFU_RC_CAP_VIOLATION, {-EIO, SPIPE__RETRY_NOW}},
    {AFU_RC_OUT_OF_DATA_BUFS, {-EIO, SPIPE__RETRY_NOW}},
    {AFU_RC_TIMED_OUT_PRE_FC, {-ETIMEDOUT, SPIPE__RETRY_NOW}},
    {AFU_RC_TIMED_OUT, {-ETIMEDOUT, SPIPE__RETRY_NOW}},
};

static struct spipe__io_status look_up(const struct row *rows, size_t n, uint8_t code,
                                       struct spipe__io_status otherwise)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].code == code)
            return rows[i].verdict;
    return otherwise;
}

/* BL 11.2: key 6 with one of three reasons is repeated after a look at the LUN. */
static struct spipe__io_status sense_verdict(struct spipe__sense sense)
{
    switch (sense.key) {
    case SPIPE__KEY_NO_SENSE:
    case SPIPE__KEY_RECOVERED:
        return good;
    case SPIPE__KEY_NOT_READY:
        return again;
    case SPIPE__KEY_UNIT_ATTENTION:
        return sense.asc == SPIPE__ASC_RESET || sense.asc == SPIPE__ASC_PARAMETERS_CHANGED ||
                       (sense.asc == SPIPE__ASC_TARGET_CHANGED && sense.ascq == 0x0E)
                   ? again
                   : fatal;
    default:
        return fatal;
    }
}

static struct spipe__io_status scsi_verdict(const struct spipe__scsi_result *r)
{
    struct spipe__sense sense;

    if (spipe__sense_decode(r, &sense))
        return sense_verdict(sense);
    return look_up(scsi_rows, HAL_ARRAY_LENGTH(scsi_rows), r->scsi_rc, fatal);
}

static struct spipe__io_status fc_verdict(const struct spipe__scsi_result *r)
{
    if (r->fc_rc == AFU_FC_RC_RESID)
        return r->flags & AFU_RC_FLAG_OVERRUN ? fatal : again;
    return look_up(fc_rows, HAL_ARRAY_LENGTH(fc_rows), r->fc_rc, fatal);
}

static struct spipe__io_status afu_verdict(const struct spipe__scsi_result *r)
{
    static const struct spipe__io_status other = {-EIO, SPIPE__RETRY_OTHER_PATH};

    switch (r->afu_rc) {
    case AFU_RC_RHT_DMA_ERR:
    case AFU_RC_LXT_DMA_ERR:
    case AFU_RC_DATA_DMA_ERR:
        return r->afu_extra == AFU_PSL_PAGED ? again : fatal;
    default:
        return look_up(afu_rows, HAL_ARRAY_LENGTH(afu_rows), r->afu_rc, other);
    }
}

struct spipe__io_status spipe__io_status(const struct spipe__scsi_result *r)
{
    struct spipe__io_status verdict = good;

    if (r->scsi_rc)
        verdict = scsi_verdict(r);
    if (verdict.status == 0 && (r->flags & AFU_RC_FLAG_OVERRUN))
        verdict = fatal;
    if (r->fc_rc)
        verdict = fc_verdict(r);
    if (r->afu_rc)
        verdict = afu_verdict(r);
    return verdict;
}
