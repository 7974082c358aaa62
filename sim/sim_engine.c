/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_engine.h"

#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

#define MASK (SIM_WHEEL_SLOTS - 1)

void sim_engine_init(struct sim_engine *e) { memset(e, 0, sizeof *e); }

/* ---- one wheel ------------------------------------------------------------------------------ */

static inline void mark(struct sim_wheel *w, unsigned index)
{
    w->map[index / 64] |= HAL_BIT(index % 64);
    w->summary |= HAL_BIT(index / 64);
}

static inline void unmark(struct sim_wheel *w, unsigned index)
{
    w->map[index / 64] &= ~HAL_BIT(index % 64);
    if (!w->map[index / 64])
        w->summary &= ~HAL_BIT(index / 64);
}

/* A slot that others wait in already: behind all events of its own or a lower rank. */
static void slot_insert_among(struct sim_wheel_slot *s, struct sim_event *ev)
{
    struct sim_event *after = s->last;

    while (after && after->rank > ev->rank)
        after = after->prev;
    ev->prev = after;
    ev->next = after ? after->next : s->first;
    if (ev->next)
        ev->next->prev = ev;
    else
        s->last = ev;
    if (after)
        after->next = ev;
    else
        s->first = ev;
}

static inline void slot_alone(struct sim_wheel *w, unsigned index, struct sim_event *ev)
{
    struct sim_wheel_slot *s = &w->slot[index];

    ev->prev = ev->next = NULL;
    s->first = s->last = ev;
    mark(w, index);
}

static inline void slot_insert(struct sim_wheel *w, unsigned index, struct sim_event *ev)
{
    struct sim_wheel_slot *s = &w->slot[index];

    if (s->first)
        slot_insert_among(s, ev);
    else
        slot_alone(w, index, ev);
}

static inline void slot_append(struct sim_wheel *w, unsigned index, struct sim_event *ev)
{
    struct sim_wheel_slot *s = &w->slot[index];

    if (!s->first) {
        slot_alone(w, index, ev);
        return;
    }
    ev->prev = s->last;
    ev->next = NULL;
    s->last->next = ev;
    s->last = ev;
}

static void slot_remove(struct sim_wheel *w, unsigned index, struct sim_event *ev)
{
    struct sim_wheel_slot *s = &w->slot[index];

    if (ev->prev)
        ev->prev->next = ev->next;
    else
        s->first = ev->next;
    if (ev->next)
        ev->next->prev = ev->prev;
    else
        s->last = ev->prev;
    if (!s->first)
        unmark(w, index);
}

/* Index of the first occupied slot at or after `from` without wrapping, or SIM_WHEEL_SLOTS. */
static inline unsigned wheel_find(const struct sim_wheel *w, unsigned from)
{
    unsigned word = from / 64;
    uint64_t bits = w->map[word] >> (from % 64), words;

    if (bits)
        return from + hal_lowest_bit(bits);
    words = w->summary & (~UINT64_C(1) << word);
    if (!words)
        return SIM_WHEEL_SLOTS;
    word = hal_lowest_bit(words);
    return word * 64 + hal_lowest_bit(w->map[word]);
}

/* ---- the far heap: ordered by cycle, then by order of scheduling ---------------------------- */

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->cycle != b->cycle ? a->cycle < b->cycle : a->serial < b->serial;
}

static void heap_set(struct sim_engine *e, uint32_t i, struct sim_event *ev)
{
    e->far[i] = ev;
    ev->index = i;
}

static void heap_up(struct sim_engine *e, uint32_t i, struct sim_event *ev)
{
    while (i && earlier(ev, e->far[(i - 1) / 2])) {
        heap_set(e, i, e->far[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_set(e, i, ev);
}

static void heap_down(struct sim_engine *e, uint32_t i, struct sim_event *ev)
{
    for (uint32_t child; (child = 2 * i + 1) < e->far_count; i = child) {
        if (child + 1 < e->far_count && earlier(e->far[child + 1], e->far[child]))
            child++;
        if (!earlier(e->far[child], ev))
            break;
        heap_set(e, i, e->far[child]);
    }
    heap_set(e, i, ev);
}

static void heap_remove(struct sim_engine *e, uint32_t i)
{
    struct sim_event *last = e->far[--e->far_count];

    if (i == e->far_count)
        return;
    if (i && earlier(last, e->far[(i - 1) / 2]))
        heap_up(e, i, last);
    else
        heap_down(e, i, last);
}

/* ---- scheduling ------------------------------------------------------------------------------ */

static inline uint64_t window(uint64_t cycle) { return cycle >> SIM_WHEEL_BITS; }

static inline void place(struct sim_engine *e, struct sim_event *ev)
{
    uint64_t ahead = window(ev->cycle) - window(e->now);

    if (ahead == 0) {
        ev->place = SIM_EVENT_NEAR;
        slot_insert(&e->near, ev->cycle & MASK, ev);
    } else if (ahead < SIM_WHEEL_SLOTS) {
        ev->place = SIM_EVENT_MID;
        slot_append(&e->mid, window(ev->cycle) & MASK, ev);
    } else {
        CHECK(e->far_count < SIM_FAR_MAX);
        ev->place = SIM_EVENT_FAR;
        ev->serial = e->serial++;
        heap_up(e, e->far_count++, ev);
    }
}

void sim_engine_at(struct sim_engine *e, struct sim_event *ev, uint64_t cycle, enum sim_rank rank,
                   sim_event_fn *fn)
{
    CHECK(ev->place == SIM_EVENT_IDLE && cycle >= e->now);
    ev->cycle = cycle;
    ev->rank = (uint8_t)rank;
    ev->fn = fn;
    if (__builtin_expect(e->ops != NULL, 0))
        e->ops->at(e, ev, cycle);
    else
        place(e, ev);
}

void sim_engine_cancel(struct sim_engine *e, struct sim_event *ev)
{
    switch (ev->place) {
    case SIM_EVENT_NEAR:
        slot_remove(&e->near, ev->cycle & MASK, ev);
        break;
    case SIM_EVENT_MID:
        slot_remove(&e->mid, window(ev->cycle) & MASK, ev);
        break;
    case SIM_EVENT_FAR:
        heap_remove(e, ev->index);
        break;
    case SIM_EVENT_IDLE:
        return;
    default:
        e->ops->cancel(e, ev);
        break;
    }
    ev->place = SIM_EVENT_IDLE;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Earliest cycle in a slot of the middle wheel, whose list is in order of scheduling. */
static uint64_t mid_earliest(const struct sim_wheel *w, unsigned index)
{
    uint64_t cycle = SIM_NEVER;

    for (const struct sim_event *ev = w->slot[index].first; ev; ev = ev->next)
        cycle = hal_min64(cycle, ev->cycle);
    return cycle;
}

/* First occupied slot of the middle wheel after the current window, or SIM_WHEEL_SLOTS. The slot of
 * the current window itself is always empty. */
static unsigned mid_next_slot(const struct sim_engine *e)
{
    unsigned index = wheel_find(&e->mid, window(e->now) & MASK);

    return index == SIM_WHEEL_SLOTS ? wheel_find(&e->mid, 0) : index;
}

/* Cycle of the next event in wheels and heap. */
static inline uint64_t next_cycle(const struct sim_engine *e)
{
    unsigned index = wheel_find(&e->near, e->now & MASK);

    if (index < SIM_WHEEL_SLOTS)
        return (e->now & ~(uint64_t)MASK) | index;
    index = mid_next_slot(e);
    if (index < SIM_WHEEL_SLOTS)
        return mid_earliest(&e->mid, index);
    return e->far_count ? e->far[0]->cycle : SIM_NEVER;
}

uint64_t sim_engine_next(struct sim_engine *e) { return e->ops ? e->ops->next(e) : next_cycle(e); }

/* Moves the clock into a later window: the slot of the new window is spread over single cycles, and
 * what the wheel can now hold comes out of the heap. Both keep the order of scheduling, because an
 * event can only be put behind those of the heap after they have left it. */
static void enter_window(struct sim_engine *e, uint64_t cycle)
{
    unsigned index = window(cycle) & MASK;
    struct sim_event *ev = e->mid.slot[index].first, *next;

    e->now = cycle;
    if (ev) {
        e->mid.slot[index] = (struct sim_wheel_slot){NULL, NULL};
        unmark(&e->mid, index);
    }
    for (; ev; ev = next) {
        next = ev->next;
        place(e, ev);
    }
    while (e->far_count && window(e->far[0]->cycle) - window(cycle) < SIM_WHEEL_SLOTS) {
        ev = e->far[0];
        heap_remove(e, 0);
        place(e, ev);
    }
}

static inline void advance(struct sim_engine *e, uint64_t cycle)
{
    if (window(cycle) != window(e->now))
        enter_window(e, cycle);
    else
        e->now = cycle;
}

static inline void run_one(struct sim_engine *e)
{
    unsigned index = e->now & MASK;
    struct sim_wheel_slot *s = &e->near.slot[index];
    struct sim_event *ev = s->first;

    s->first = ev->next;
    if (__builtin_expect(s->first != NULL, 0)) {
        s->first->prev = NULL;
    } else {
        s->last = NULL;
        unmark(&e->near, index);
    }
    ev->place = SIM_EVENT_IDLE;
    e->count++;
    ev->fn(ev);
}

bool sim_engine_run(struct sim_engine *e, uint64_t until)
{
    e->stop = false;
    if (__builtin_expect(e->ops != NULL, 0))
        return e->ops->run(e, until);
    while (!e->stop) {
        uint64_t next = next_cycle(e);

        if (next > until || next == SIM_NEVER) {
            if (until != SIM_NEVER && until > e->now)
                advance(e, until);
            return false;
        }
        if (next != e->now)
            advance(e, next);
        run_one(e);
    }
    return true;
}
