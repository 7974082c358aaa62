/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "core/adapter.h"
#include "core/pause.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* A lost interrupt delays an answer by no more than this. */
#define LOOK_INTERVAL (250 * SPIPE__MILLISECOND)

enum harvest { NOTHING, ANSWERED, LOST };

/* Looks for the answer in `slot`, the only command of the master in flight. */
static enum harvest harvest(struct spipe__queue *q, uint32_t slot, int *status)
{
    uint32_t done;
    bool lost;

    while ((done = spipe__queue_next(q, &lost, status)) != SPIPE__SLOT_NONE) {
        if (done == slot)
            return lost ? LOST : ANSWERED;
        if (!lost)
            spipe__queue_done(q, done); /* nobody waits for it */
    }
    return NOTHING;
}

/* Sleeps until something may have happened. */
static void wait_for_event(struct spipe *s, uint64_t deadline)
{
    uint64_t look = hal_min64(deadline, spipe__deadline(s->exec, LOOK_INTERVAL));
    struct hal_event event;
    int rc = hal_event_wait(s->master, look, &event);

    (void)rc; /* interrupted: look and wait again; lost: the queue takes note of it */
    spipe__queue_event(&s->queue, &event);
}

/* Waits for the answer. */
static int await(struct spipe *s, uint32_t slot, uint64_t deadline)
{
    struct spipe__queue *q = &s->queue;

    for (;;) {
        /* The clock first: the last look comes after the deadline. */
        bool late = exec_now(s->exec) >= deadline;
        int status;

        switch (harvest(q, slot, &status)) {
        case ANSWERED:
            return 0;
        case LOST:
            return q->gone ? -ENODEV : status;
        case NOTHING:
            break;
        }
        if (late) {
            spipe__queue_abandon(q, slot);
            return -ETIMEDOUT;
        }
        wait_for_event(s, deadline);
    }
}

int spipe__master_run(struct spipe *s, const struct spipe__command *command, uint64_t timeout_ns,
                      struct afu_ioasa *out)
{
    struct spipe__queue *q = &s->queue;
    uint64_t deadline = spipe__deadline(s->exec, timeout_ns);
    uint32_t slot;
    int rc;

    CHECK(!s->master_stuck);
    if (q->gone)
        return -ENODEV;
    if (q->lost_count && spipe__master_reset(s)) /* slots of commands given up before */
        return -ETIMEDOUT;
    if (!spipe__queue_room(q))
        return q->gone ? -ENODEV : -ENOBUFS;
    slot = spipe__queue_take(q);
    CHECK(slot != SPIPE__SLOT_NONE);
    spipe__queue_fill(q, slot, command);
    spipe__queue_send(q, slot, 0, exec_now(s->exec));
    rc = await(s, slot, deadline);
    if (rc)
        return rc;
    *out = *spipe__queue_ioasa(q, slot);
    spipe__queue_done(q, slot);
    return 0;
}

int spipe__master_reset(struct spipe *s)
{
    int rc = spipe__queue_reset(&s->queue);

    if (rc) {
        s->master_stuck = true;
        s->reset_wanted = true;
        return rc;
    }
    spipe__queue_flush(&s->queue, NULL, NULL);
    return 0;
}
