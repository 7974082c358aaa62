/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/event.h"

#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/adapter_state.h"
#include "core/adapter/event_probe.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* ---- the ring ---- */

static struct spipe__event_slot *slot_of(struct spipe__event_log *log, uint64_t number)
{
    return &log->slot[number % SPIPE__EVENT_RING];
}

/* Of a slot that is free for the event with this number. */
static uint64_t free_turn(uint64_t number) { return number / SPIPE__EVENT_RING * 2; }

/* Takes the next number, if there is room. */
static bool reserve(struct spipe__event_log *log, uint64_t *number)
{
    uint64_t n = __atomic_load_n(&log->tail, __ATOMIC_RELAXED);

    for (;;) {
        uint64_t turn = __atomic_load_n(&slot_of(log, n)->turn, __ATOMIC_ACQUIRE);

        if (turn < free_turn(n))
            return false; /* the event of the round before has not been told of yet */
        if (turn > free_turn(n)) {
            n = __atomic_load_n(&log->tail, __ATOMIC_RELAXED); /* somebody else has it */
        } else if (__atomic_compare_exchange_n(&log->tail, &n, n + 1, true, __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED)) {
            *number = n;
            return true;
        }
    }
}

static void put(struct spipe__event_log *log, const struct spipe_event *event)
{
    struct spipe__event_slot *slot;
    uint64_t number;

    if (!reserve(log, &number)) {
        __atomic_fetch_add(&log->count[SPIPE_EVENT_EVENTS_LOST], 1, __ATOMIC_RELAXED);
        return;
    }
    slot = slot_of(log, number);
    slot->event = *event;
    slot->event.sequence = number + 1;
    /* Before the look at `delivering`, as its end comes before the look at the ring. */
    __atomic_store_n(&slot->turn, free_turn(number) + 1, __ATOMIC_SEQ_CST);
}

static bool is_pending(struct spipe__event_log *log)
{
    uint64_t n = __atomic_load_n(&log->head, __ATOMIC_RELAXED);

    return __atomic_load_n(&slot_of(log, n)->turn, __ATOMIC_SEQ_CST) == free_turn(n) + 1;
}

/* By whoever delivers. The slot is free only afterwards: what the sink raises never overtakes. */
static void tell(struct spipe__event_log *log)
{
    uint64_t n = __atomic_load_n(&log->head, __ATOMIC_RELAXED);
    struct spipe__event_slot *slot = slot_of(log, n);

    log->sink(log->sink_arg, &slot->event);
    __atomic_store_n(&log->head, n + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->turn, free_turn(n) + 2, __ATOMIC_RELEASE);
}

/* ---- for the rest of core ---- */

/* The clock is read whether or not anybody is told, so that being told changes nothing in runs
 * that are repeated from a seed. */
void spipe__event_raise(struct spipe *s, enum spipe_event_id id, uint64_t times,
                        const uint64_t field[SPIPE_EVENT_FIELDS])
{
    struct spipe__event_log *log = &s->events;
    struct spipe_event event = {.id = id, .times = times};

    if (times == 0)
        return;
    __atomic_fetch_add(&log->count[id], times, __ATOMIC_RELAXED);
    event.time_ns = exec_now(s->exec);
    for (unsigned i = 0; i < SPIPE_EVENT_FIELDS; i++)
        event.field[i] = field[i];
    spipe__event_probe(&event);
    if (log->sink)
        put(log, &event);
}

void spipe__event_state(struct spipe *s, enum spipe_state state)
{
    spipe__event(s, STATE, spipe__text(spipe_state_name(state)));
}

void spipe__events_deliver(struct spipe *s)
{
    struct spipe__event_log *log = &s->events;

    if (!log->sink)
        return;
    CHECK(!exec_holds_ranked(s->exec));
    while (is_pending(log) && !__atomic_exchange_n(&log->delivering, true, __ATOMIC_SEQ_CST)) {
        while (is_pending(log))
            tell(log);
        __atomic_store_n(&log->delivering, false, __ATOMIC_SEQ_CST);
    }
}

/* ---- counters ---- */

int spipe_counter(struct spipe *s, unsigned id, struct spipe_counter *out)
{
    const struct spipe_event_info *info = spipe_event_info(id);

    if (!info)
        return -ENOENT;
    *out = (struct spipe_counter){
        .name = info->name,
        .severity = info->severity,
        .value = __atomic_load_n(&s->events.count[id], __ATOMIC_RELAXED),
    };
    return 0;
}
