/* SPDX-License-Identifier: Apache-2.0 */
/* Events: a wait for the node's descriptor or our own, then a read that does not block (CX-82). */
#include <errno.h>
#include <string.h>

#include "backends/capi/capi_internal.h"
#include "hal/support/check.h"

/* What one read came to. */
enum took {
    TOOK_EVENT,
    TOOK_NOTHING, /* none was there */
    TOOK_ANOTHER, /* one that means nothing here: look again */
    TOOK_LOSS,
};

/* An AFU error is a loss only if the card is gone too (CX-97). */
static enum took afu_error(struct capi_ctx *c, const struct cxl_event *event)
{
    capi_log(c->dev, "AFU error 0x%016llx in context %u",
             (unsigned long long)event->afu_error.error, c->hal.handle);
    capi_log_error_buffer(c->dev);
    return capi_suspect(c) ? TOOK_LOSS : TOOK_ANOTHER;
}

/* CX-83. Interrupts are levels, never counts (CX-84): the number is all there is to tell. */
static enum took translate(struct capi_ctx *c, const struct cxl_event *event, struct hal_event *out)
{
    switch (event->header.type) {
    case CXL_EVENT_AFU_INTERRUPT:
        *out = (struct hal_event){HAL_EVENT_AFU_INTERRUPT, event->irq.irq, 0, 0};
        return TOOK_EVENT;
    case CXL_EVENT_DATA_STORAGE:
        *out = (struct hal_event){HAL_EVENT_DATA_STORAGE, 0, event->fault.addr, event->fault.dsisr};
        return TOOK_EVENT;
    case CXL_EVENT_AFU_ERROR:
        return afu_error(c, event);
    default:
        c->skipped_events++; /* libcxl has gone on by its size already */
        return TOOK_ANOTHER;
    }
}

static enum took take(struct capi_ctx *c, struct hal_event *out)
{
    struct cxl_event event;

    memset(&event, 0, sizeof event);
    if (c->dev->library->cxl_read_event(c->afu, &event) == 0)
        return translate(c, &event, out);
    if (errno == EAGAIN)
        return TOOK_NOTHING;
    if (errno == EINTR)
        return TOOK_ANOTHER;
    __atomic_store_n(&c->dead, true, __ATOMIC_RELAXED);
    capi_lost(c->dev);
    return TOOK_LOSS;
}

static bool may_have_event(struct capi_ctx *c)
{
    return c->dev->library->cxl_event_pending(c->afu) != 0; /* it failed: reading tells why */
}

/* What there is without waiting; never TOOK_ANOTHER. */
static enum took look(struct capi_ctx *c, struct hal_event *out)
{
    enum took took = TOOK_ANOTHER;

    if (!capi_enter(c))
        return TOOK_LOSS;
    while (took == TOOK_ANOTHER) {
        if (__atomic_load_n(&c->dead, __ATOMIC_ACQUIRE) || !c->afu)
            took = TOOK_LOSS;
        else
            took = may_have_event(c) ? take(c, out) : TOOK_NOTHING;
    }
    capi_leave(c);
    return took;
}

static int lost(struct hal_event *out)
{
    *out = (struct hal_event){HAL_EVENT_DEVICE_LOST, 0, 0, 0};
    return -EIO;
}

/* A frozen channel wakes nobody before the kernel has noticed (CX section 8, step 2): so silence is
 * a reason to look (CX-103). */
static int expired(struct capi_ctx *c, struct hal_event *out)
{
    bool dead = true;

    if (capi_enter(c)) {
        dead = capi_suspect(c);
        capi_leave(c);
    }
    return dead ? lost(out) : 0;
}

int capi_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct capi_ctx *c = capi_ctx_of(ctx);
    int rc;

    for (;;) {
        switch (look(c, out)) {
        case TOOK_EVENT:
            return 0;
        case TOOK_LOSS:
            return lost(out);
        default:
            break;
        }
        if (!deadline) {
            if (c->dev->below)
                exec_yield(c->dev->exec); /* in the model a look is a scheduling point */
            return 0;
        }
        rc = exec_fd_wait(c->dev->exec, c->epoll, deadline);
        if (rc == -ETIMEDOUT)
            return expired(c, out);
        if (rc)
            return rc;
    }
}
