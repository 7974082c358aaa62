/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI commands that core sends for itself, through the scratch page of the master, with the
 * retries of SP-101. */
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define ROOM_PAUSE SPIPE__MILLISECOND

enum { RETRIES = 5 }; /* SP-101 */

/* ---- one command ---- */

/* Sends the command, waiting for the host as long as it may take for the answer. */
static int submit(struct spipe *s, struct spipe__scsi_request *r)
{
    uint64_t deadline = spipe__deadline(s->exec, SPIPE__SCSI_TIMEOUT);

    for (;;) {
        int rc = spipe__host_submit(s, r);

        if (rc != -EBUSY)
            return rc;
        if (spipe__gate_state(&s->gate) != SPIPE_STATE_NORMAL)
            return -ENODEV;
        if (exec_now(s->exec) >= deadline)
            return -EBUSY;
        spipe__pause(s->exec, ROOM_PAUSE);
    }
}

static int run(struct spipe *s, struct spipe__scsi_request *r)
{
    int rc = submit(s, r);

    if (rc)
        return rc;
    rc = spipe__host_wait(s, r, spipe__deadline(s->exec, SPIPE__SCSI_TIMEOUT));
    /* The AFU may still write to scratch: nobody may use it before that is over (AD-114). */
    if (rc)
        rc = spipe__host_give_up(s, r);
    if (!rc)
        rc = r->status;
    return rc == -ENXIO ? -ENODEV : rc;
}

int spipe__scsi(struct spipe *s, unsigned port, uint64_t lun_id, const struct spipe__cdb *cdb,
                bool write, uint32_t length, struct spipe__scsi_result *out)
{
    struct spipe__scsi_request r = {.cdb = *cdb,
                                    .lun_id = lun_id,
                                    .data_ea = (uint64_t)(uintptr_t)s->scratch,
                                    .length = length,
                                    .port = port,
                                    .write = write};
    int rc;

    CHECK(length <= SPIPE__SCRATCH_SIZE);
    if (!write)
        memset(s->scratch, 0, SPIPE__SCRATCH_SIZE);
    rc = run(s, &r);
    if (rc)
        spipe__event(s, SCSI_FAILED, port, cdb->bytes[0], spipe__result(rc));
    if (!rc)
        *out = r.answer;
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

/* What a command is sent with, again and again. */
struct repeated {
    unsigned port;
    uint64_t lun_id;
    const struct spipe__cdb *cdb;
    bool write;
    uint32_t length;
};

static int repeat(struct spipe *s, const struct repeated *c, struct spipe__scsi_result *r)
{
    unsigned retries = 0;
    bool attention = false;

    for (;;) {
        int rc = spipe__scsi(s, c->port, c->lun_id, c->cdb, c->write, c->length, r);
        enum verdict verdict = rc ? FAILURE : judge(r);

        if (rc && rc != -ETIMEDOUT && rc != -EAGAIN)
            return rc;
        switch (verdict) {
        case SUCCESS:
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
            break; /* timed out, or aborted with others */
        case AGAIN:
            break;
        }
        if (retries++ == RETRIES)
            return rc == -ETIMEDOUT ? rc : -EIO;
    }
}

int spipe__scsi_read(struct spipe *s, unsigned port, uint64_t lun_id, const struct spipe__cdb *cdb,
                     uint32_t length, uint32_t *valid)
{
    const struct repeated c = {port, lun_id, cdb, false, length};
    struct spipe__scsi_result r;
    int rc = repeat(s, &c, &r);

    if (!rc)
        *valid = bytes_read(&r, length);
    return rc;
}

/* Sense keys that count as success for reading say nothing about what was written. */
int spipe__scsi_write(struct spipe *s, unsigned port, uint64_t lun_id, const struct spipe__cdb *cdb,
                      uint32_t length)
{
    const struct repeated c = {port, lun_id, cdb, true, length};
    struct spipe__scsi_result r;
    int rc = repeat(s, &c, &r);

    if (!rc && !spipe__result_good(&r))
        rc = -EIO;
    return rc;
}

static bool is_unknown(const struct spipe__scsi_result *r)
{
    struct spipe__sense sense;

    return r->scsi_rc == AFU_SCSI_RC_CHECK_CONDITION && spipe__sense_decode(r, &sense) &&
           sense.key == SPIPE__KEY_ILLEGAL_REQUEST && sense.asc == SPIPE__ASC_OPCODE;
}

int spipe__scsi_flush(struct spipe *s, unsigned port, uint64_t lun_id, const struct spipe__cdb *cdb)
{
    const struct repeated c = {port, lun_id, cdb, true, 0};
    struct spipe__scsi_result r = {0};
    int rc = repeat(s, &c, &r);

    if (rc == -EIO && is_unknown(&r))
        return 0;
    return !rc && !spipe__result_good(&r) ? -EIO : rc;
}
