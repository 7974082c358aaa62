/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "core/adapter.h"
#include "core/pause.h"

#define HOST_WAIT (SPIPE__SECOND * 2 * AFU_CMD_TIMEOUT_S) /* AD-122 */

enum { ATTEMPTS = 2 }; /* AD-124 */

static struct spipe__command sync_command(uint8_t mode, uint16_t context, uint32_t handle)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD, .timeout = AFU_CMD_TIMEOUT_S};

    afu_sync_cdb(command.cdb.bytes, (enum afu_sync_mode)mode, context, handle);
    return command;
}

/* One command, without repetition (AD-123). */
static int attempt(struct spipe *s, const struct spipe__command *command)
{
    struct afu_ioasa answer;
    int rc = spipe__master_run(s, command, HOST_WAIT, &answer);

    if (rc == -EIO)
        return -ETIMEDOUT; /* the AFU could not read the command: there will be no answer */
    if (rc)
        return rc;
    return afu_rc_good(&answer.rc) ? 0 : -EIO;
}

/* AD-124. The result of the last attempt stands, whatever the context reset after it did: two
 * time-outs are a failure (VL-72, D-2). */
static int with_repetition(struct spipe *s, const struct spipe__command *command)
{
    int rc = -ETIMEDOUT;

    for (unsigned i = 0; i < ATTEMPTS; i++) {
        rc = attempt(s, command);
        if (rc != -ETIMEDOUT || s->master_stuck || spipe__master_reset(s))
            break;
    }
    return rc;
}

/* With `internal` held. */
static int sync(struct spipe *s, const struct spipe__command *command)
{
    int rc;

    if (!s->master)
        return 0; /* AD-121: no context is open, and the AFU is reset before the next one is */
    if (s->master_stuck)
        return -ETIMEDOUT;
    rc = with_repetition(s, command);
    if (rc == -ENODEV)
        rc = -ETIMEDOUT; /* no answer, and none to wait for */
    if (rc == -ETIMEDOUT)
        s->reset_wanted = true; /* */
    return rc;
}

int spipe__afu_sync(struct spipe *s, uint8_t mode, uint16_t context, uint32_t handle)
{
    struct spipe__command command = sync_command(mode, context, handle);
    int rc;

    exec_mutex_lock(s->exec, &s->internal);
    rc = sync(s, &command);
    exec_mutex_unlock(s->exec, &s->internal);
    return rc;
}
