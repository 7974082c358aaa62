/* SPDX-License-Identifier: Apache-2.0 */
/* Events of contexts (CX section 6): what is pending, in which order it is read, and when a
 * descriptor is readable. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hal/support/check.h"
#include "sim/libcxl/standin.h"

#define PULL_MAX 64 /* a fault may keep an event from ever being taken */

/* ---- descriptors -------------------------------------------------------------------------------
 */

void standin_kick(void *file)
{
    const struct standin_file *f = file;

    CHECK(eventfd_write(f->fd, 1) == 0);
}

/* The descriptor may have been made non-blocking or not: so it is asked first. Only this drains,
 * and only under the lock. */
static void drain(const struct standin_file *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    eventfd_t count;

    if (poll(&p, 1, 0) == 1)
        CHECK(eventfd_read(f->fd, &count) == 0);
}

static bool any_pending(const struct standin_file *f)
{
    const struct standin_pending *p = &f->pending;

    if (p->storage || p->error || p->arrivals)
        return true;
    for (unsigned i = 0; i < STANDIN_IRQS / 64; i++)
        if (p->irq[i])
            return true;
    return false;
}

/* CX-85: who opened a context and never attached it is not woken by its end. */
static bool readable(const struct standin_file *f)
{
    return any_pending(f) || (f->closed && f->attached);
}

static bool model_has_one(struct standin *s, const struct standin_file *f)
{
    return f->ctx && f->attached && !f->closed && !f->card->frozen &&
           s->world.event_pending(f->ctx);
}

/* What the platform has told since the call began: its word to this descriptor may just have been
 * drained. */
static bool untaken_news(const struct standin_file *f)
{
    return f->attached && !f->closed && __atomic_load_n(&f->card->news, __ATOMIC_ACQUIRE);
}

void standin_refresh(struct standin *s, struct standin_file *f)
{
    drain(f);
    /* All looked at behind the drain: nothing is lost. */
    if (readable(f) || model_has_one(s, f) || untaken_news(f))
        standin_kick(f);
}

/* ---- what is pending ---------------------------------------------------------------------------
 */

static void fill_header(const struct standin_file *f, struct cxl_event *ev, uint16_t type,
                        uint16_t size)
{
    memset(ev, 0, sizeof *ev);
    ev->header.type = type;
    ev->header.size = size;
    ev->header.process_element = f->element;
}

void standin_event_add(struct standin_file *f, const struct cxl_event *ev)
{
    struct standin_pending *p = &f->pending;

    if (f->card->arrival_order && p->arrivals < STANDIN_ARRIVALS) {
        p->arrival[p->arrivals++] = *ev;
        return;
    }
    switch (ev->header.type) {
    case CXL_EVENT_AFU_INTERRUPT: /* CX-72: one bit a number */
        p->irq[ev->irq.irq % STANDIN_IRQS / 64] |= UINT64_C(1) << ev->irq.irq % 64;
        break;
    case CXL_EVENT_DATA_STORAGE: /* CX-73: the newest counts */
        p->storage = true;
        p->address = ev->fault.addr;
        p->dsisr = ev->fault.dsisr;
        break;
    case CXL_EVENT_AFU_ERROR: /* CX-73: the first counts */
        if (!p->error)
            p->code = ev->afu_error.error;
        p->error = true;
        break;
    default:
        break;
    }
}

static void add_hal_event(struct standin_file *f, const struct hal_event *from)
{
    struct cxl_event ev;

    if (from->kind == HAL_EVENT_AFU_INTERRUPT) {
        fill_header(f, &ev, CXL_EVENT_AFU_INTERRUPT, CXL_EVENT_AFU_INTERRUPT_SIZE);
        ev.irq.irq = (uint16_t)from->number;
    } else {
        fill_header(f, &ev, CXL_EVENT_DATA_STORAGE, CXL_EVENT_DATA_STORAGE_SIZE);
        ev.fault.addr = from->address;
        ev.fault.dsisr = from->dsisr;
    }
    standin_event_add(f, &ev);
}

int standin_pull(struct standin *s, struct standin_file *f)
{
    struct hal_event ev;
    int rc;

    for (unsigned i = 0; i < PULL_MAX && model_has_one(s, f); i++) {
        rc = hal_event_wait(f->ctx, 0, &ev);
        if (rc)
            return rc;
        if (ev.kind != HAL_EVENT_NONE)
            add_hal_event(f, &ev);
    }
    return 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static bool next_interrupt(struct standin_file *f, struct cxl_event *ev)
{
    struct standin_pending *p = &f->pending;

    for (unsigned i = 0; i < STANDIN_IRQS / 64; i++)
        if (p->irq[i]) {
            fill_header(f, ev, CXL_EVENT_AFU_INTERRUPT, CXL_EVENT_AFU_INTERRUPT_SIZE);
            ev->irq.irq = (uint16_t)(i * 64 + (unsigned)__builtin_ctzll(p->irq[i]));
            p->irq[i] &= p->irq[i] - 1;
            return true;
        }
    return false;
}

static bool next_arrival(struct standin_pending *p, struct cxl_event *ev)
{
    if (!p->arrivals)
        return false;
    *ev = p->arrival[0];
    p->arrivals--;
    memmove(p->arrival, p->arrival + 1, p->arrivals * sizeof p->arrival[0]);
    return true;
}

/* CX-71: interrupts, lowest number first, then data storage, then AFU error. */
static bool next_event(struct standin_file *f, struct cxl_event *ev)
{
    struct standin_pending *p = &f->pending;

    if (next_arrival(p, ev) || next_interrupt(f, ev))
        return true;
    if (p->storage) {
        fill_header(f, ev, CXL_EVENT_DATA_STORAGE, CXL_EVENT_DATA_STORAGE_SIZE);
        ev->fault.addr = p->address;
        ev->fault.dsisr = p->dsisr;
        p->storage = false;
        return true;
    }
    if (!p->error)
        return false;
    fill_header(f, ev, CXL_EVENT_AFU_ERROR, CXL_EVENT_AFU_ERROR_SIZE);
    ev->afu_error.error = p->code;
    p->error = false;
    return true;
}

/* Events as they lie behind each other in what a read gives; bytes. */
static size_t take(struct standin_file *f, uint8_t *buffer)
{
    struct cxl_event ev;
    size_t n = 0;

    for (unsigned i = 0; i < f->card->batch && next_event(f, &ev); i++) {
        memcpy(buffer + n, &ev, ev.header.size);
        n += ev.header.size;
    }
    return n;
}

/* One look at a file. -EAGAIN: nothing is pending. */
static ssize_t look(struct standin *s, int fd, void *buffer, size_t size, bool entry)
{
    struct standin_file *f = standin_file(s, fd);
    ssize_t rc;

    if (!f)
        return -EBADF;
    if (entry && (f->card->offline || f->card->frozen)) /* CX-70: before all else */
        return -EIO;
    if (size < CXL_READ_MIN_SIZE)
        return -EINVAL;
    rc = standin_pull(s, f);
    if (!rc || any_pending(f))
        rc = (ssize_t)take(f, buffer);
    if (!rc)
        rc = f->closed ? -EIO : -EAGAIN;
    standin_refresh(s, f);
    return rc;
}

static bool nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && flags & O_NONBLOCK;
}

ssize_t standin_read(int fd, void *buffer, size_t size)
{
    struct standin *s = standin_enter();
    ssize_t rc;
    int wait;

    if (!s)
        return -EBADF;
    standin_delay_file(s, fd);
    for (bool entry = true;; entry = false) {
        s = standin_enter(); /* what the platform has told meanwhile */
        if (!s)
            return -EBADF;
        standin_lock(s);
        rc = look(s, fd, buffer, size, entry);
        standin_unlock(s);
        if (rc != -EAGAIN || nonblocking(fd))
            return rc;
        wait = exec_fd_wait(s->world.exec, fd, EXEC_FOREVER);
        if (wait)
            return wait;
    }
}
