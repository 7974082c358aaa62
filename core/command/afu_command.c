/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the master to the AFU itself: attempts, time-outs, and the reset that the last
 * failure asks for (AD-122 .. AD-124). */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/pause.h"
#include "core/mutants.h"

#define HOST_WAIT (SPIPE__SECOND * 2 * AFU_CMD_TIMEOUT_S) /* AD-122 */

/* How long others that have all the room are waited for. */
#define ROOM_WAIT (100 * SPIPE__MILLISECOND)
#define ROOM_PAUSE (100 * SPIPE__MICROSECOND)

enum { ATTEMPTS = 2 }; /* AD-124 */

/* Nobody waits for room that the AFU lacks (AD-122). But if it is commands of the SCSI host that
 * have it, there will be some soon. */
static int run(struct spipe *s, const struct spipe__command *command, struct afu_ioasa *answer)
{
    uint64_t wait = spipe__mutant(D_4) ? spipe__deadline(s->exec, HOST_WAIT) : HOST_WAIT;
    uint64_t until = spipe__deadline(s->exec, ROOM_WAIT);
    int rc;

    while ((rc = spipe__hwq_run(spipe__primary(s), command, wait, answer)) == -ENOBUFS &&
           spipe__hwq_in_flight(spipe__primary(s)) && exec_now(s->exec) < until) {
        hal_progress(s->master);
        spipe__pause(s->exec, ROOM_PAUSE);
    }
    return rc;
}

/* One command, without repetition (AD-123). */
static int attempt(struct spipe *s, const struct spipe__command *command, struct afu_ioasa *answer)
{
    int rc = run(s, command, answer);

    if (rc == -EIO)
        return -ETIMEDOUT; /* the AFU could not read the command: there will be no answer */
    if (rc)
        return rc;
    return afu_rc_good(&answer->rc) ? 0 : -EIO;
}

/* Whether one more attempt has a meaning: the command was aborted with others, or the AFU has been
 * told to forget it (AD-124). */
static bool is_over(struct spipe *s, int rc)
{
    return rc == -EAGAIN || (rc == -ETIMEDOUT && !spipe__hwq_reset(spipe__primary(s)));
}

/* AD-124. The result of the last attempt stands, whatever the context reset after it did: two
 * time-outs are a failure (VL-72, D-2). */
static int with_repetition(struct spipe *s, const struct spipe__command *command,
                           struct afu_ioasa *answer)
{
    int rc = -ETIMEDOUT;

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        if (i > 0)
            spipe__event(s, AFU_COMMAND_RETRY, command->cdb.bytes[0]);
        rc = attempt(s, command, answer);
        if (!is_over(s, rc))
            break;
    }
    if (spipe__mutant(VLW_7) && rc == -ETIMEDOUT)
        rc = 0;
    return rc;
}

int spipe__afu_command(struct spipe *s, const struct spipe__command *command,
                       struct afu_ioasa *answer)
{
    int rc;

    if (spipe__gate_state(&s->gate) != SPIPE_STATE_NORMAL)
        return SPIPE__AFU_COMMAND_SKIPPED;
    if (spipe__hwq_stuck(spipe__primary(s)))
        return -ETIMEDOUT;
    rc = with_repetition(s, command, answer);
    if (rc)
        spipe__event(s, AFU_COMMAND_FAILED, command->cdb.bytes[0], spipe__result(rc));
    if (rc == -ENODEV || rc == -EBUSY)
        rc = -ETIMEDOUT; /* no answer, and none to wait for */
    if (rc == -ETIMEDOUT)
        spipe__worker_want_reset(s); /* */
    return rc;
}

static int send_alone(struct spipe *s, int (*send)(struct spipe *s, void *arg), void *arg)
{
    int rc;

    exec_mutex_lock(s->exec, &s->internal);
    rc = send(s, arg);
    exec_mutex_unlock(s->exec, &s->internal);
    return rc;
}

int spipe__afu_command_request(struct spipe *s, int (*send)(struct spipe *s, void *arg), void *arg)
{
    int rc;

    while ((rc = send_alone(s, send, arg)) == SPIPE__AFU_COMMAND_SKIPPED) {
        if (spipe__mutant(D_10))
            return 0;
        rc = spipe__gate_pass(&s->gate, SPIPE__ADMIT_NORMAL);
        if (rc)
            break;
    }
    return rc;
}
