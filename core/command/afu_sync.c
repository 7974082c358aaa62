/* SPDX-License-Identifier: Apache-2.0 */
/* AFU sync: makes the AFU forget what it has cached of a handle. */
#include "core/adapter/adapter.h"

static struct spipe__command sync_command(uint8_t mode, uint16_t context, uint32_t handle)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD, .timeout = AFU_CMD_TIMEOUT_S};

    afu_sync_cdb(command.cdb.bytes, (enum afu_sync_mode)mode, context, handle);
    return command;
}

/* In a state that is not NORMAL nothing is sent: AD-121, SP-162. */
int spipe__afu_sync(struct spipe *s, uint8_t mode, uint16_t context, uint32_t handle)
{
    struct spipe__command command = sync_command(mode, context, handle);
    struct afu_ioasa answer;
    int rc;

    exec_mutex_lock(s->exec, &s->internal);
    rc = spipe__afu_command(s, &command, &answer);
    exec_mutex_unlock(s->exec, &s->internal);
    return rc == SPIPE__AFU_COMMAND_SKIPPED ? SPIPE__SYNC_SKIPPED : rc;
}
