/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of the SCSI host: commands with the error handling of a SCSI stack for those that
 * are not answered in time.
 *
 * spipe_scsi() copies data through a buffer that is made and registered for the call: it may be
 * 16 MiB, at any address, and up to 256 of them at once, which is too much to keep; and the AFU can
 * reach no memory of the caller's, whatever becomes of the command. With spipe_scsi_submit() the
 * AFU works on the caller's memory, as it does for I/O of contexts, and nothing is made at all. */
#include <errno.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "core/adapter/verb.h"
#include "core/port/port_link.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

_Static_assert(SPIPE_CDB_BYTES == SPIPE__CDB_LENGTH, "one CDB");
_Static_assert(SPIPE_SCSI_SENSE_BYTES == AFU_SENSE_SIZE, "all that an IOASA has");
_Static_assert(SPIPE_SCSI_DEPTH_MAX == SPIPE__HOST_DEPTH, "one limit");

enum { BUFFER_ALIGN = 4096 };

const char *spipe_host_byte_words(uint8_t host)
{
    switch (host) {
    case SPIPE_DID_OK:
        return "ok";
    case SPIPE_DID_NO_CONNECT:
        return "no connection";
    case SPIPE_DID_ERROR:
        return "error";
    case SPIPE_DID_IMM_RETRY:
        return "retry at once";
    case SPIPE_DID_REQUEUE:
        return "requeue";
    default:
        return "unknown";
    }
}

/* ---- where to ---- */

/* Ports are asked while the state is NORMAL only (D-11). */
static unsigned online_port(struct spipe *s, unsigned ports)
{
    unsigned found = hal_lowest_bit(ports);
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);

    CHECK(rc == 0);
    if (spipe__gate_state(&s->gate) == SPIPE_STATE_NORMAL)
        for (unsigned p = s->ports; p-- > 0;)
            if (ports & AFU_PORT_BIT(p) && spipe__link_state(s, p) == SPIPE__LINK_ONLINE)
                found = p;
    spipe__gate_leave(&s->gate);
    return found;
}

struct target {
    unsigned port;
    uint64_t lun_id;
};

/* Copies what the books say of a LUN. */
static int look_up(struct spipe *s, unsigned lun, struct spipe__lun *out)
{
    int rc = -ENOENT;

    spipe__books_lock(s);
    if (lun < s->lun_count) {
        *out = s->lun[lun];
        rc = 0;
    }
    spipe__books_unlock(s);
    return rc;
}

static int find(struct spipe *s, const struct spipe_scsi *c, struct target *out)
{
    struct spipe__lun lun;
    unsigned port = c->port;
    int rc = look_up(s, c->lun, &lun);

    if (rc)
        return rc;
    if (!lun.found_ports)
        return -EINVAL;
    if (port == SPIPE_PORT_ANY)
        port = online_port(s, lun.found_ports);
    if (port >= s->ports || !(lun.found_ports & AFU_PORT_BIT(port)))
        return -EINVAL;
    *out = (struct target){port, lun.lun_id[port]};
    return 0;
}

static int target_of(struct spipe *s, const struct spipe_scsi *c, struct target *out)
{
    if (c->size != sizeof *c)
        return -EINVAL;
    if (!c->by_id)
        return find(s, c, out);
    if (c->port >= s->ports)
        return -EINVAL;
    *out = (struct target){c->port, c->lun_id};
    return 0;
}

/* ---- the buffer ---- */

static int make_buffer(struct spipe *s, const struct spipe_scsi *c, void **out)
{
    void *buffer;
    int rc;

    *out = NULL;
    if (!c->length)
        return 0;
    buffer = exec_alloc(s->exec, c->length, BUFFER_ALIGN);
    if (!buffer)
        return -ENOMEM;
    rc = hal_mem_register(s->dev, buffer, c->length, "SCSI data");
    if (rc) {
        exec_free(s->exec, buffer, c->length);
        return rc;
    }
    if (c->write)
        memcpy(buffer, c->data, c->length);
    *out = buffer;
    return 0;
}

static void free_buffer(struct spipe *s, const struct spipe_scsi *c, void *buffer)
{
    if (!buffer)
        return;
    hal_mem_release(s->dev, buffer);
    exec_free(s->exec, buffer, c->length);
}

/* ---- a command ---- */

/* What a request of the public face holds between its submit and its end. */
struct call {
    struct spipe__scsi_request request;
    uint64_t deadline; /* then it is aborted */
    bool begun;
};

_Static_assert(sizeof(struct call) <= sizeof(((struct spipe_scsi_request *)0)->opaque),
               "room for a call");

static int check(const struct spipe_scsi *c)
{
    if (c->length > SPIPE_SCSI_DATA_MAX)
        return -EINVAL;
    return c->length && !c->data ? -EFAULT : 0;
}

/* Data are at `data`, as the AFU knows them. */
static int begin(struct spipe *s, struct call *call, const struct spipe_scsi *c, struct target to,
                 const void *data)
{
    uint64_t timeout_ns = c->timeout_ns ? c->timeout_ns : SPIPE__SCSI_TIMEOUT;
    int rc;

    *call = (struct call){.request = {.lun_id = to.lun_id,
                                      .port = to.port,
                                      .length = c->length,
                                      .write = c->write,
                                      .queue = c->queue,
                                      .cpu = c->cpu,
                                      .data_ea = (uint64_t)(uintptr_t)data},
                          .deadline = spipe__deadline(s->exec, timeout_ns)};
    memcpy(call->request.cdb.bytes, c->cdb, sizeof call->request.cdb.bytes);
    rc = spipe__host_submit(s, &call->request);
    if (rc) /* if it does not answer, too: the platform recovers it, or fails it (AD-67) */
        return -EBUSY;
    call->begun = true;
    return 0;
}

/* The error handler: an abort, or else a reset of the adapter, which ends everything on its queues,
 * whatever becomes of it. Returns when the command has ended. */
static void escalate(struct spipe *s, struct spipe__scsi_request *r)
{
    int rc = spipe__host_abort(s, r);

    if (rc)
        rc = spipe_reset(s);
    (void)rc; /* the state tells */
    rc = spipe__host_wait(s, r, EXEC_FOREVER);
    CHECK(rc == 0);
    if (r->status == -EAGAIN)
        r->status = -ETIMEDOUT;
}

/* It was in flight when `deadline` was over. Returns whether it is still. */
static bool is_under_way(struct spipe *s, struct call *call, uint64_t deadline)
{
    int rc;

    if (deadline >= call->deadline || exec_now(s->exec) >= call->deadline) {
        escalate(s, &call->request);
        return false;
    }
    if (!spipe__host_look(&call->request))
        return true;
    rc = spipe__host_wait(s, &call->request, 0);
    CHECK(rc == 0);
    return false;
}

/* -EAGAIN: it is still in flight. */
static int end(struct spipe *s, struct call *call, uint64_t deadline)
{
    struct spipe__scsi_request *r = &call->request;

    if (spipe__host_wait(s, r, hal_min64(deadline, call->deadline)) &&
        is_under_way(s, call, deadline))
        return -EAGAIN;
    return r->status == -ETIMEDOUT ? -ETIMEDOUT : 0;
}

static void tell(struct spipe *s, const struct call *call, int rc)
{
    const struct spipe__scsi_request *r = &call->request;

    if (rc == -ETIMEDOUT)
        spipe__event(s, SCSI_FAILED, r->port, r->cdb.bytes[0], spipe__result(rc));
    spipe__request_over(s);
}

static void take_sense(const struct spipe__scsi_request *r, struct spipe_scsi *c)
{
    struct spipe__sense sense = {0};

    c->sense_valid = r->decision.sense_valid;
    memcpy(c->sense, r->answer.sense, sizeof c->sense);
    if (c->sense_valid && !spipe__sense_decode(&r->answer, &sense))
        sense = (struct spipe__sense){0}; /* of a format that nobody knows */
    c->sense_key = sense.key;
    c->asc = sense.asc;
    c->ascq = sense.ascq;
}

static void take_answer(const struct spipe__scsi_request *r, struct spipe_scsi *c)
{
    c->result = r->decision.result;
    c->residual = r->decision.has_residual ? r->answer.residual : 0;
    take_sense(r, c);
    c->flags = r->answer.flags;
    c->afu_rc = r->answer.afu_rc;
    c->scsi_rc = r->answer.scsi_rc;
    c->fc_rc = r->answer.fc_rc;
    c->afu_extra = r->answer.afu_extra;
}

static int exchange(struct spipe *s, struct spipe_scsi *c, struct target to)
{
    struct call call;
    void *buffer;
    int rc = make_buffer(s, c, &buffer);

    if (rc)
        return rc;
    rc = begin(s, &call, c, to, buffer);
    if (!rc)
        rc = end(s, &call, EXEC_FOREVER);
    if (!rc) {
        take_answer(&call.request, c);
        if (buffer && !c->write)
            memcpy(c->data, buffer, c->length);
    }
    free_buffer(s, c, buffer);
    tell(s, &call, rc);
    return rc;
}

int spipe_scsi(struct spipe *s, struct spipe_scsi *command)
{
    struct target to;
    int rc = target_of(s, command, &to);

    if (!rc)
        rc = check(command);
    return rc ? rc : exchange(s, command, to);
}

/* ---- a command that nobody waits for ---- */

static struct call *call_of(struct spipe_scsi_request *request)
{
    return (struct call *)(void *)request->opaque;
}

int spipe_scsi_submit(struct spipe *s, struct spipe_scsi_request *request)
{
    struct spipe_scsi *c = &request->command;
    struct call *call = call_of(request);
    struct target to;
    int rc = target_of(s, c, &to);

    call->begun = false;
    if (!rc)
        rc = check(c);
    return rc ? rc : begin(s, call, c, to, c->data);
}

int spipe_scsi_wait(struct spipe *s, struct spipe_scsi_request *request, uint64_t deadline)
{
    struct call *call = call_of(request);
    int rc;

    if (!call->begun)
        return -EINVAL;
    rc = end(s, call, deadline);
    if (rc == -EAGAIN)
        return rc;
    call->begun = false;
    if (!rc)
        take_answer(&call->request, &request->command);
    tell(s, call, rc);
    return rc;
}

/* ---- the rest ---- */

int spipe_scsi_reset_lun(struct spipe *s, const struct spipe_scsi *to)
{
    struct target target;
    int rc = target_of(s, to, &target);

    if (rc)
        return rc;
    rc = spipe__host_reset_lun(s, target.port, target.lun_id);
    spipe__event(s, LUN_RESET, target.port, target.lun_id, spipe__result(rc));
    spipe__request_over(s);
    return rc;
}

unsigned spipe_scsi_depth_set(struct spipe *s, unsigned depth)
{
    depth = (unsigned)hal_min64(hal_max64(depth, 1), SPIPE_SCSI_DEPTH_MAX);
    exec_mutex_lock(s->exec, &s->host.lock);
    s->host.depth = depth;
    exec_mutex_unlock(s->exec, &s->host.lock);
    return depth;
}
