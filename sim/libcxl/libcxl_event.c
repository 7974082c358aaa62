/* SPDX-License-Identifier: Apache-2.0 */
/* Reading events, through the buffer of a handle (CX-78 to CX-81). */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "sim/libcxl/libcxl.h"

#define POISON 0xDA /* every byte of an event that could not be read, but type and size */

static int failed(struct cxl_event *event, int error)
{
    memset(event, POISON, sizeof *event);
    event->header.type = CXL_EVENT_READ_FAIL;
    event->header.size = 0;
    return libcxl_fail(error);
}

/* 0, or an errno. */
static int fill(struct cxl_afu_h *afu)
{
    ssize_t n;

    if (!afu->buffer)
        afu->buffer = malloc(CXL_READ_MIN_SIZE);
    if (!afu->buffer)
        return ENOMEM;
    afu->first = afu->end = 0;
    n = standin_kernel.read(afu->fd, afu->buffer, CXL_READ_MIN_SIZE);
    if (n <= 0)
        return n < 0 ? (int)-n : ENODATA;
    afu->end = (size_t)n;
    return 0;
}

int cxl_read_event(struct cxl_afu_h *afu, struct cxl_event *event)
{
    struct cxl_event_header header;
    int error;

    if (!afu || afu->fd < 0 || !event)
        return libcxl_fail(EINVAL);
    if (afu->first == afu->end && (error = fill(afu)))
        return failed(event, error);
    memcpy(&header, afu->buffer + afu->first, sizeof header);
    memcpy(event, afu->buffer + afu->first,
           header.size < sizeof *event ? header.size : sizeof *event);
    afu->first += header.size;
    return 0;
}

/* CX-79: what does not match is gone. */
int cxl_read_expected_event(struct cxl_afu_h *afu, struct cxl_event *event, uint32_t type,
                            uint16_t irq)
{
    if (!event)
        return libcxl_fail(EINVAL);
    if (cxl_read_event(afu, event) || event->header.type != type)
        return -1;
    if (type == CXL_EVENT_AFU_INTERRUPT && irq && event->irq.irq != irq)
        return -1;
    return 0;
}

/* CX-80: the original looks into the handle before it asks whether there is one. */
int cxl_event_pending(struct cxl_afu_h *afu)
{
    struct pollfd p = {.events = POLLIN};

    libcxl_dereference(afu);
    if (afu->fd < 0)
        return libcxl_fail(EINVAL);
    if (afu->first != afu->end)
        return 1;
    (void)standin_enter(); /* as the kernel, which does not wait for a call */
    p.fd = afu->fd;
    return poll(&p, 1, 0);
}
