/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a queue now and then: strange elements, events, time-outs, context resets. */
#include <errno.h>

#include "core/adapter/pause.h"
#include "core/command/queue_internal.h"
#include "core/mutants.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/hot.h"

#define CHECK_INTERVAL SPIPE__MILLISECOND /* between two looks at events: they are system calls */

enum {
    EVENTS_AT_ONCE = 16, /* a storm of events must not stop the poller (AD-88) */
    RESET_POLLS = 11,    /* with pauses of 1, 2, 4 .. 1024 us (AD-115) */
};

void spipe__queue_confirm_gone(struct spipe__queue *q)
{
    if (spipe__queue_read(q, AFU_HOST_ENDIAN_CTRL) == HAL_ALL_ONES)
        q->gone = true;
}

/* ---- elements ---- */

void spipe__queue_stray(struct spipe__queue *q, uint64_t off)
{
    uint64_t slot = off / sizeof(struct afu_cmd_pair);

    q->counters.stray_elements++;
    if (off % sizeof(struct afu_cmd_pair) == 0 && slot < q->depth && q->slots[slot].status)
        q->counters.late_elements++;
    if (off + q->rrq_base == HAL_ALL_ONES || off + (q->rrq_base ^ 1) == HAL_ALL_ONES)
        spipe__queue_confirm_gone(
            q); /* FK-11: memory that reads all ones is a sign of a dead adapter */
}

uint32_t spipe__queue_next_failed(struct spipe__queue *q, int *status)
{
    uint32_t slot = q->failed - 1;

    q->failed = q->slots[slot].next;
    *status = q->slots[slot].status;
    return slot;
}

/* ---- now and then ---- */

static bool is_busy(const struct spipe__queue *q, uint32_t slot)
{
    return q->slots[slot].deadline != 0;
}

static void make_lost(struct spipe__queue *q, uint32_t slot, int status)
{
    q->slots[slot].deadline = 0;
    q->slots[slot].status = status;
    q->lost_count++;
}

/* Makes a busy slot lost and queues it for spipe__queue_next(). */
static void fail(struct spipe__queue *q, uint32_t slot, int status)
{
    make_lost(q, slot, status);
    q->slots[slot].next = 0;
    if (q->failed)
        q->slots[q->failed_last].next = slot + 1;
    else
        q->failed = slot + 1;
    q->failed_last = slot;
}

void spipe__queue_abandon(struct spipe__queue *q, uint32_t slot)
{
    CHECK(slot < q->depth && is_busy(q, slot));
    make_lost(q, slot, -ETIMEDOUT);
}

static void fail_all(struct spipe__queue *q)
{
    for (uint32_t slot = 0; slot < q->depth; slot++)
        if (is_busy(q, slot))
            fail(q, slot, -EIO);
}

static bool inside(uint64_t address, uint64_t start, uint64_t length)
{
    /* The AFU moves whole lines, so a fault may show the start of the line. */
    start &= ~(uint64_t)(AFU_CMD_PAIR_ALIGN - 1);
    return address >= start && address - start < length + AFU_CMD_PAIR_ALIGN - 1;
}

/* Whether `address` is in the buffer or in the command pair of a slot. */
static bool owns(const struct spipe__queue *q, uint32_t slot, uint64_t address)
{
    const struct afu_cmd_pair *pair = &q->pairs[slot];
    const struct afu_ioarcb *rcb = &pair->ioarcb;
    uint64_t length = xe32_get(q->order, rcb->data_len);

    return (length && inside(address, xe64_get(q->order, rcb->data_ea), length)) ||
           address - (uint64_t)(uintptr_t)pair < sizeof *pair;
}

/* The longest waiting one, if several commands use the same buffer. */
static uint32_t owner_of(const struct spipe__queue *q, uint64_t address)
{
    uint32_t found = SPIPE__SLOT_NONE;

    for (uint32_t slot = 0; slot < q->depth; slot++) {
        if (!is_busy(q, slot) || !owns(q, slot, address))
            continue;
        if (found == SPIPE__SLOT_NONE || q->slots[slot].deadline < q->slots[found].deadline)
            found = slot;
    }
    return found;
}

static void data_storage_event(struct spipe__queue *q, uint64_t address)
{
    uint32_t slot = owner_of(q, address);

    if (slot == SPIPE__SLOT_NONE) {
        q->counters.unknown_faults++;
        return;
    }
    q->counters.faults++;
    fail(q, slot, -EIO);
}

/* Counts and clears; the command that was dropped ends by its time-out. */
static void sync_error(struct spipe__queue *q)
{
    uint64_t status = spipe__queue_read(q, AFU_HOST_INTR_STATUS);

    if (status == HAL_ALL_ONES) {
        spipe__queue_confirm_gone(q);
        return;
    }
    status &= AFU_INTR_ALL;
    if (!status) {
        q->counters.sync_spurious++;
        return;
    }
    q->counters.sync_errors += hal_bit_count(status);
    q->counters.sync_bits = status;
    spipe__queue_write(q, AFU_HOST_INTR_CLEAR, status);
}

void spipe__queue_event(struct spipe__queue *q, const struct hal_event *event)
{
    switch (event->kind) {
    case HAL_EVENT_NONE:
        break;
    case HAL_EVENT_AFU_INTERRUPT:
        if (event->number == AFU_LISN_SYNC_ERROR)
            sync_error(q);
        else if (event->number == AFU_LISN_ASYNC)
            q->counters.async_events++;
        break;
    case HAL_EVENT_DATA_STORAGE:
        data_storage_event(q, event->address);
        break;
    case HAL_EVENT_DEVICE_LOST:
        q->gone = true;
        break;
    }
    if (q->gone)
        fail_all(q); /* nothing of them is going to post */
}

/* Handles an event, and what is there behind it. Kept apart: most looks find nothing. */
static __attribute__((noinline)) void take_events(struct spipe__queue *q, struct hal_event *event,
                                                  int rc)
{
    for (unsigned i = 1;; i++) {
        spipe__queue_event(q, event);
        if (rc || q->gone || i == EVENTS_AT_ONCE)
            break;
        rc = hal_event_wait(q->ctx, 0, event);
        if (event->kind == HAL_EVENT_NONE)
            break;
    }
}

static inline void look_at_events(struct spipe__queue *q)
{
    struct hal_event event;
    int rc;

    if (q->gone)
        return;
    rc = hal_event_wait(q->ctx, 0, &event);
    if (event.kind != HAL_EVENT_NONE)
        take_events(q, &event, rc);
}

/* Fails what has expired, and finds the earliest deadline of the rest. A command sent later cannot
 * have an earlier one than `now` plus the time-out. */
static void expire(struct spipe__queue *q, uint64_t now)
{
    uint64_t earliest = now + q->timeout_ns;

    for (uint32_t slot = 0; slot < q->depth; slot++) {
        if (!is_busy(q, slot))
            continue;
        if (q->slots[slot].deadline <= now) {
            q->counters.timeouts++;
            fail(q, slot, -ETIMEDOUT);
        } else {
            earliest = hal_min64(earliest, q->slots[slot].deadline);
        }
    }
    q->expires_at = earliest;
}

/* Kept apart: inline it would cost each look registers. */
HAL_HOT __attribute__((noinline)) void spipe__queue_check(struct spipe__queue *q, uint64_t now)
{
    q->check_at = now + CHECK_INTERVAL;
    look_at_events(q);
    if (q->gone)
        fail_all(q);
    if (now >= q->expires_at)
        expire(q, now);
}

void spipe__queue_idle(struct spipe__queue *q)
{
    uint64_t now;

    hal_progress(q->ctx);
    if (spipe__queue_in_use(q) == 0)
        return;
    now = exec_now(q->exec);
    if (now >= q->check_at)
        spipe__queue_check(q, now);
}

uint64_t spipe__queue_deadline(const struct spipe__queue *q)
{
    return spipe__queue_in_use(q) == 0 || q->timeout_ns == SPIPE__QUEUE_NO_TIMEOUT ? EXEC_FOREVER
                                                                                   : q->expires_at;
}

/* ---- context reset ---- */

static void report(const struct spipe__slot *s, void (*fn)(void *arg, uint64_t tag), void *arg)
{
    if (fn)
        fn(arg, s->tag);
}

void spipe__queue_flush(struct spipe__queue *q, void (*fn)(void *arg, uint64_t tag), void *arg)
{
    bool lost;
    int status;
    uint32_t slot;

    /* Empties the RRQ as well: no element may survive the re-use of its slot. */
    while ((slot = spipe__queue_next(q, &lost, &status)) != SPIPE__SLOT_NONE) {
        report(&q->slots[slot], fn, arg);
        if (!lost)
            spipe__queue_done(q, slot);
    }
    for (slot = 0; slot < q->depth; slot++) {
        struct spipe__slot *s = &q->slots[slot];
        if (is_busy(q, slot))
            report(s, fn, arg);
        if (is_busy(q, slot) || (s->status && !spipe__mutant(D_17)))
            spipe__queue_done(q, slot);
        s->deadline = 0;
        s->status = 0;
    }
    q->lost_count = 0;
    q->room = spipe__queue_initial_room(q);
}

int spipe__queue_reset(struct spipe__queue *q)
{
    uint64_t reg = spipe__queue_is_sq(q) ? AFU_HOST_SQ_CTX_RESET : AFU_HOST_IOARRIN;

    spipe__queue_write(q, reg, AFU_CTX_RESET);
    for (unsigned i = 0; i < RESET_POLLS; i++) {
        spipe__pause(q->exec,
                     spipe__mutant(D_3) ? SPIPE__MICROSECOND * (2 ^ i) : SPIPE__MICROSECOND << i);
        if (!(spipe__queue_read(q, reg) & AFU_CTX_RESET))
            return 0;
    }
    return -ETIMEDOUT;
}
