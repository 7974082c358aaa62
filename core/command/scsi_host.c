/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/scsi_host.h"

#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/lock_rank.h"
#include "core/adapter/pause.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define TMF_WAIT (5 * SPIPE__SECOND) /* AD-112 */

void spipe__scsi_host_init(struct spipe__scsi_host *host, struct exec *exec)
{
    *host = (struct spipe__scsi_host){.depth = SPIPE__HOST_DEPTH};
    exec_mutex_init_ranked(exec, &host->lock, "SCSI host", SPIPE__RANK_HOST);
    exec_cond_init(exec, &host->changed, "SCSI host");
}

void spipe__scsi_host_fini(struct spipe__scsi_host *host, struct exec *exec)
{
    CHECK(!host->in_flight && !host->tmf_active);
    exec_cond_fini(exec, &host->changed);
    exec_mutex_fini(exec, &host->lock);
}

static void lock(struct spipe *s) { exec_mutex_lock(s->exec, &s->host.lock); }

static void unlock(struct spipe *s) { exec_mutex_unlock(s->exec, &s->host.lock); }

/* ---- the end of a command ---- */

static struct spipe__decision host_byte(enum spipe_host_byte host)
{
    return (struct spipe__decision){.result = SPIPE_RESULT_OF(host)};
}

static struct spipe__decision decide(const struct spipe__scsi_request *r)
{
    switch (r->status) {
    case 0:
        return spipe__error_decode(&r->answer);
    case -ENXIO:
        return host_byte(SPIPE_DID_NO_CONNECT);
    case -EAGAIN: /* AD-54 */
    case -ENODEV: /* a reset will follow, which would have flushed it */
        return host_byte(SPIPE_DID_IMM_RETRY);
    default:
        return host_byte(SPIPE_DID_ERROR);
    }
}

static void finish(struct spipe *s, struct spipe__scsi_request *r, int status)
{
    r->hwq = NULL;
    r->status = status;
    r->answer = (struct spipe__scsi_result){0};
    if (!status)
        spipe__result_read(s->order, &r->sent.answer, &r->answer);
    r->decision = decide(r);
}

static void leave(struct spipe *s)
{
    lock(s);
    CHECK(s->host.in_flight > 0);
    s->host.in_flight--;
    unlock(s);
}

/* ---- submit ---- */

/* AD-66 */
static struct spipe__command command_of(const struct spipe__scsi_request *r)
{
    return (struct spipe__command){
        .flags = AFU_REQ_PORT_LUN_ID | AFU_REQ_SUP_UNDERRUN |
                 (r->write ? AFU_REQ_HOST_WRITE : AFU_REQ_HOST_READ),
        .timeout = 0, /* AD-73 */
        .target = spipe__mutant(D_15) ? r->port + 1 : AFU_PORT_BIT(r->port),
        .lun_id = r->lun_id,
        .data_ea = r->length ? r->data_ea : 0,
        .data_length = r->length,
        .cdb = r->cdb,
    };
}

/* AD-65, in that order; then what a stack would not have sent. */
static int enter(struct spipe *s)
{
    struct spipe__scsi_host *host = &s->host;
    enum spipe_state state;
    int rc = -EBUSY;

    lock(s);
    state = spipe__gate_state(&s->gate);
    if (!host->tmf_active && state == SPIPE_STATE_FAILED) {
        rc = -ENXIO;
    } else if (!host->tmf_active && state == SPIPE_STATE_NORMAL && host->in_flight < host->depth) {
        host->in_flight++;
        rc = 0;
    }
    unlock(s);
    return rc;
}

/* The state may have changed since: a queue that is offline is one of an adapter in a reset, or
 * there is one less after it. */
static int send(struct spipe *s, struct spipe__scsi_request *r)
{
    struct spipe__command command = command_of(r);
    int rc;

    r->hwq = spipe__hwqs_steer(s, r->queue, r->cpu);
    rc = spipe__hwq_send(r->hwq, &command, &r->sent);
    return rc == -ENOBUFS ? -EBUSY : rc; /* AD-67, AD-69, AD-70 */
}

int spipe__host_submit(struct spipe *s, struct spipe__scsi_request *r)
{
    int rc = enter(s);

    if (rc == -ENXIO) {
        finish(s, r, rc);
        return 0;
    }
    if (rc)
        return rc;
    rc = send(s, r);
    if (rc)
        leave(s);
    return rc;
}

/* ---- wait, abort ---- */

int spipe__host_wait(struct spipe *s, struct spipe__scsi_request *r, uint64_t deadline)
{
    int rc;

    if (!r->hwq)
        return 0; /* it has ended before */
    rc = spipe__hwq_await(r->hwq, &r->sent, deadline);
    if (rc == -ETIMEDOUT)
        return rc;
    finish(s, r, rc);
    leave(s);
    return 0;
}

bool spipe__host_look(struct spipe__scsi_request *r)
{
    return !r->hwq || spipe__hwq_look(r->hwq, &r->sent);
}

int spipe__host_abort(struct spipe *s, struct spipe__scsi_request *r)
{
    if (spipe__gate_state(&s->gate) != SPIPE_STATE_NORMAL || !r->hwq)
        return -EIO;
    return spipe__hwq_abort(r->hwq, &r->sent) ? -EIO : 0;
}

/* The reset failed: nobody listens to the command any more. */
static void drop(struct spipe *s, struct spipe__scsi_request *r)
{
    spipe__hwq_forget(r->hwq, &r->sent);
    finish(s, r, -ETIMEDOUT);
    leave(s);
}

int spipe__host_give_up(struct spipe *s, struct spipe__scsi_request *r)
{
    /* A queue that went offline ends everything itself, soon. */
    uint64_t deadline = spipe__hwq_abort(r->hwq, &r->sent) == -EBUSY ? EXEC_FOREVER : 0;

    if (spipe__host_wait(s, r, deadline)) {
        drop(s, r);
        return -EIO;
    }
    if (r->status == -EAGAIN)
        r->status = -ETIMEDOUT;
    return 0;
}

/* ---- task management ---- */

/* AD-110 */
static int begin_tmf(struct spipe *s)
{
    int rc = 0;

    lock(s);
    while (s->host.tmf_active && !rc)
        rc = exec_cond_wait(s->exec, &s->host.changed, &s->host.lock, EXEC_FOREVER, true);
    if (!rc)
        s->host.tmf_active = true;
    unlock(s);
    return rc;
}

static void end_tmf(struct spipe *s)
{
    lock(s);
    s->host.tmf_active = false;
    exec_cond_broadcast(s->exec, &s->host.changed);
    unlock(s);
}

/* AD-111, AD-112 */
static int run_tmf(struct spipe *s, unsigned port, uint64_t lun_id)
{
    struct spipe__command command = {
        .flags = AFU_TMF_REQ_FLAGS, .target = AFU_PORT_BIT(port), .lun_id = lun_id};
    struct afu_ioasa answer;
    int rc;

    afu_tmf_cdb(command.cdb.bytes, s->order, AFU_TMF_LUN_RESET);
    rc = spipe__hwq_run(spipe__primary(s), &command, TMF_WAIT, &answer);
    if (rc)
        return rc;
    return afu_rc_good(&answer.rc) ? 0 : -EIO;
}

static int reset_lun(struct spipe *s, unsigned port, uint64_t lun_id)
{
    int rc = begin_tmf(s);

    if (rc)
        return rc;
    rc = run_tmf(s, port, lun_id);
    end_tmf(s);
    return rc;
}

int spipe__host_reset_lun(struct spipe *s, unsigned port, uint64_t lun_id)
{
    enum spipe_state state = spipe__gate_await(&s->gate); /* AD-113, AD-151 */

    return state == SPIPE_STATE_NORMAL ? reset_lun(s, port, lun_id) : -EIO;
}
