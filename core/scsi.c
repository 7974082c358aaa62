/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/adapter.h"
#include "core/pause.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define ROOM_PAUSE SPIPE__MILLISECOND

enum { RETRIES = 5 }; /* SP-101 */

/* ---- one command ---- */

static struct spipe__command scsi_command(const struct spipe *s, unsigned port, uint64_t lun_id,
                                          const struct spipe__cdb *cdb, bool write, uint32_t length)
{
    return (struct spipe__command){
        .flags = AFU_REQ_PORT_LUN_ID | AFU_REQ_SUP_UNDERRUN |
                 (write ? AFU_REQ_HOST_WRITE : AFU_REQ_HOST_READ),
        .timeout = 0, /* AD-73 */
        .target = AFU_PORT_BIT(port),
        .lun_id = lun_id,
        .data_ea = length ? (uint64_t)(uintptr_t)s->scratch : 0,
        .data_length = length,
        .cdb = *cdb,
    };
}

/* Runs the command, waiting for room as long as it may take for the answer. */
static int run(struct spipe *s, const struct spipe__command *command, struct afu_ioasa *answer)
{
    uint64_t deadline = spipe__deadline(s->exec, SPIPE__SCSI_TIMEOUT);

    for (;;) {
        int rc = spipe__master_run(s, command, SPIPE__SCSI_TIMEOUT, answer);

        if (rc != -ENOBUFS)
            return rc;
        if (exec_now(s->exec) >= deadline)
            return -EBUSY;
        hal_progress(s->master);
        spipe__pause(s->exec, ROOM_PAUSE);
    }
}

/* With `internal` held. */
static int run_and_clean_up(struct spipe *s, const struct spipe__command *command,
                            struct afu_ioasa *answer)
{
    int rc;

    if (!s->master || s->queue.gone)
        return -ENODEV;
    if (s->master_stuck)
        return -EIO;
    rc = run(s, command, answer);
    /* The AFU may still write to scratch: nobody may use it before that is over (AD-114). */
    if (rc == -ETIMEDOUT && !s->master_stuck && spipe__master_reset(s))
        return -EIO;
    return rc;
}

int spipe__scsi(struct spipe *s, unsigned port, uint64_t lun_id, const struct spipe__cdb *cdb,
                bool write, uint32_t length, struct spipe__scsi_result *out)
{
    struct spipe__command command;
    struct afu_ioasa answer;
    int rc;

    CHECK(length <= SPIPE__SCRATCH_SIZE);
    command = scsi_command(s, port, lun_id, cdb, write, length);
    exec_mutex_lock(s->exec, &s->internal);
    if (!write)
        memset(s->scratch, 0, SPIPE__SCRATCH_SIZE);
    rc = run_and_clean_up(s, &command, &answer);
    exec_mutex_unlock(s->exec, &s->internal);
    if (!rc)
        spipe__result_read(s->order, &answer, out);
    return rc;
}

/* ---- with repetition ---- */

enum verdict { SUCCESS, AGAIN, AGAIN_FOR_ATTENTION, PORT_DOWN, FAILURE };

/* SP-102 */
static enum verdict judge_sense(struct spipe__sense sense)
{
    if (sense.key <= SPIPE__KEY_NOT_READY)
        return SUCCESS;
    if (sense.key == SPIPE__KEY_UNIT_ATTENTION &&
        (sense.asc == SPIPE__ASC_RESET || sense.asc == SPIPE__ASC_PARAMETERS_CHANGED ||
         sense.asc == SPIPE__ASC_TARGET_CHANGED))
        return AGAIN_FOR_ATTENTION;
    return FAILURE;
}

static enum verdict judge(const struct spipe__scsi_result *r)
{
    struct spipe__decision d = spipe__error_decode(r);
    struct spipe__sense sense;

    if (r->afu_rc == AFU_RC_NO_CHANNELS)
        return PORT_DOWN;
    if (!r->afu_rc && (r->fc_rc == AFU_FC_RC_NOLOGI || r->fc_rc == AFU_FC_RC_LINKDOWN))
        return PORT_DOWN;
    if (d.result == 0)
        return SUCCESS;
    if (d.result == AFU_SCSI_RC_CHECK_CONDITION && spipe__sense_decode(r, &sense))
        return judge_sense(sense);
    return AGAIN;
}

/* Bytes of `length` that arrived. */
static uint32_t bytes_read(const struct spipe__scsi_result *r, uint32_t length)
{
    if (!(r->flags & AFU_RC_FLAG_UNDERRUN))
        return length;
    return r->residual < length ? length - r->residual : 0;
}

int spipe__scsi_read(struct spipe *s, unsigned port, uint64_t lun_id, const struct spipe__cdb *cdb,
                     uint32_t length, uint32_t *valid)
{
    unsigned retries = 0;
    bool attention = false;

    for (;;) {
        struct spipe__scsi_result r;
        int rc = spipe__scsi(s, port, lun_id, cdb, false, length, &r);
        enum verdict verdict = rc ? FAILURE : judge(&r);

        if (rc && rc != -ETIMEDOUT)
            return rc;
        switch (verdict) {
        case SUCCESS:
            *valid = bytes_read(&r, length);
            return 0;
        case PORT_DOWN:
            return -ENETDOWN;
        case AGAIN_FOR_ATTENTION:
            if (!attention) {
                attention = true;
                continue;
            }
            return -EIO;
        case FAILURE:
            if (!rc)
                return -EIO;
            break; /* timed out */
        case AGAIN:
            break;
        }
        if (retries++ == RETRIES)
            return rc ? rc : -EIO;
    }
}
