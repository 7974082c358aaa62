/* SPDX-License-Identifier: Apache-2.0 */
/* AFU debug: 12 opaque bytes, and data by way of a buffer of the adapter. Since the AFU may write
 * to it for as long as it has not answered, the buffer stays until the adapter is closed; it is
 * made when the first data move, as hardly anybody needs it. */
#include "core/command/afu_debug.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"

enum { BUFFER_ALIGN = 128 }; /* a cache line, AD-213 */

struct debug {
    const uint8_t *subcommand;
    void *data; /* the caller's */
    uint32_t length;
    bool write;
};

/* With `internal` held. */
static int have_buffer(struct spipe *s)
{
    void *buffer;
    int rc;

    if (s->debug_buffer)
        return 0;
    buffer = exec_alloc(s->exec, AFU_DEBUG_DATA_MAX, BUFFER_ALIGN);
    if (!buffer)
        return -ENOMEM;
    rc = hal_mem_register(s->dev, buffer, AFU_DEBUG_DATA_MAX, "AFU debug data");
    if (rc) {
        exec_free(s->exec, buffer, AFU_DEBUG_DATA_MAX);
        return rc;
    }
    s->debug_buffer = buffer;
    return 0;
}

void spipe__afu_debug_fini(struct spipe *s)
{
    if (!s->debug_buffer)
        return;
    hal_mem_release(s->dev, s->debug_buffer);
    exec_free(s->exec, s->debug_buffer, AFU_DEBUG_DATA_MAX);
    s->debug_buffer = NULL;
}

static struct spipe__command debug_command(const struct spipe *s, const struct debug *d)
{
    struct spipe__command command = {.flags = AFU_REQ_AFU_CMD, .timeout = AFU_CMD_TIMEOUT_S};

    afu_debug_cdb(command.cdb.bytes, d->subcommand);
    if (d->length) {
        command.flags |= AFU_REQ_SUP_UNDERRUN | (d->write ? AFU_REQ_HOST_WRITE : AFU_REQ_HOST_READ);
        command.data_ea = (uint64_t)(uintptr_t)s->debug_buffer;
        command.data_length = d->length;
    }
    return command;
}

static int exchange(struct spipe *s, const struct debug *d)
{
    struct spipe__command command = debug_command(s, d);
    struct afu_ioasa answer;
    int rc;

    if (d->length && d->write)
        memcpy(s->debug_buffer, d->data, d->length);
    else if (d->length)
        memset(s->debug_buffer, 0, d->length); /* what others read or wrote is not shown */
    rc = spipe__afu_command(s, &command, &answer);
    if (!rc && d->length && !d->write)
        memcpy(d->data, s->debug_buffer, d->length);
    return rc;
}

static int send(struct spipe *s, void *arg)
{
    const struct debug *d = arg;
    int rc = d->length ? have_buffer(s) : 0;

    return rc ? rc : exchange(s, d);
}

int spipe__afu_debug(struct spipe *s, const uint8_t subcommand[SPIPE_DEBUG_BYTES], bool write,
                     void *data, uint32_t length)
{
    struct debug d = {.subcommand = subcommand, .data = data, .length = length, .write = write};

    if (!(s->interface_version & AFU_IFV_AFU_DEBUG))
        return -EOPNOTSUPP;
    if (length > AFU_DEBUG_DATA_MAX)
        return -EINVAL;
    if (length && !data)
        return -EFAULT;
    return spipe__afu_command_request(s, send, &d);
}

int spipe_afu_debug(struct spipe *s, const uint8_t subcommand[SPIPE_DEBUG_BYTES], bool write,
                    void *data, uint32_t length)
{
    int rc = spipe__verb_begin(s, SPIPE__VERB_AFU_DEBUG, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    return spipe__verb_end(s, SPIPE__VERB_AFU_DEBUG,
                           spipe__afu_debug(s, subcommand, write, data, length));
}
