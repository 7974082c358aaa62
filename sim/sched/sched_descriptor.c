/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for file descriptors, the only thing outside the world that a fiber can wait for. They
 * are looked at without blocking: before the wait, every SCHED_DESCRIPTOR_POINTS scheduling points,
 * and whenever every fiber waits. Only if nothing else can happen is real time spent on them. */
#include <errno.h>
#include <poll.h>

#include "hal/support/check.h"
#include "sim/sched/sched.h"
#include "sim/sched/sched_internal.h"

#define POLL_BATCH 16 /* descriptors asked for in one system call */

/* 1 readable (or at its end: a read would not block), 0 not yet, -EBADF. */
static int judge(short revents)
{
    if (revents & POLLNVAL)
        return -EBADF;
    return revents != 0;
}

static int look_at(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int rc;

    if (fd < 0)
        return -EBADF;
    do
        rc = poll(&p, 1, 0);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? 0 : judge(p.revents);
}

int sched__fd_wait(struct exec *e, int fd, uint64_t deadline)
{
    struct sched *s = sched__of(e);
    int seen;

    sched_point(s);
    CHECK(s->current);
    if (sched__take_interrupt(s))
        return -EINTR;
    seen = look_at(fd);
    if (seen)
        return seen < 0 ? seen : 0;
    if (deadline <= sched__now(s))
        return -ETIMEDOUT;
    s->current->fd = fd;
    sched__list_add(&s->descriptors, &s->current->queue);
    if (s->descriptor_count++ == 0)
        sim_world_pin(s->world, SCHED_DESCRIPTOR_PIN);
    sched__set_attention(s);
    return sched__block(s, SCHED_WAITS_DESCRIPTOR, deadline, true);
}

/* Puts the descriptors from `from` on into p; returns how many. */
static nfds_t collect(struct sched *s, struct sched_link *from, struct pollfd *p,
                      struct sched_fiber **who)
{
    nfds_t count = 0;

    for (struct sched_link *l = from; l != &s->descriptors && count < POLL_BATCH; l = l->next) {
        who[count] = SCHED_FIBER_OF(l, queue);
        p[count] = (struct pollfd){.fd = who[count]->fd, .events = POLLIN};
        count++;
    }
    return count;
}

/* One system call; returns where the next batch begins. */
static struct sched_link *poll_batch(struct sched *s, struct sched_link *from, int ms, bool *any)
{
    struct sched_fiber *who[POLL_BATCH];
    struct pollfd p[POLL_BATCH];
    nfds_t count = collect(s, from, p, who);
    struct sched_link *next;

    CHECK(count > 0);
    next = who[count - 1]->queue.next;
    if (poll(p, count, ms) <= 0)
        return next;
    for (nfds_t i = 0; i < count; i++) {
        int seen = judge(p[i].revents);

        if (!seen)
            continue;
        sched__wake(s, who[i], seen < 0 ? seen : 0);
        *any = true;
    }
    return next;
}

bool sched__poll_descriptors(struct sched *s, int ms)
{
    struct sched_link *l = s->descriptors.next;
    unsigned left = s->descriptor_count;
    bool any = false;

    /* Of more than one batch only the last may block, and only if no other had an answer. */
    while (l != &s->descriptors) {
        bool last = left <= POLL_BATCH;

        l = poll_batch(s, l, last && !any ? ms : 0, &any);
        left -= last ? left : POLL_BATCH;
    }
    return any;
}

bool sched_any_descriptor(const struct sched *s) { return s->descriptor_count > 0; }
