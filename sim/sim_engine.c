/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_engine.h"

#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/hot.h"

_Static_assert(SIM_RANKS <= 1 << SIM_RANK_BITS, "a rank fits below the cycle");
_Static_assert(SIM_SLOT_BITS + SIM_NEAR_BITS == SIM_WINDOW_BITS, "the near wheel is one window");
_Static_assert(SIM_WINDOW_BITS == 16, "sim_near_index() takes the low half of a word for it");

/* `when` has no more bits than that: an event can be so far ahead, and no clock gets so far. */
#define AHEAD_MAX (UINT64_C(1) << 59)
#define CYCLE_MAX ((UINT64_C(1) << 60) - 2)

static inline uint64_t window(uint64_t cycle) { return cycle >> SIM_WINDOW_BITS; }

static inline uint64_t cycle_of(const struct sim_event *ev) { return ev->when >> SIM_RANK_BITS; }

/* The near wheel is for the window of this cycle. */
static void set_window(struct sim_engine *e, uint64_t cycle)
{
    e->near_end = e->ops ? 0 : (window(cycle) + 1) << SIM_WINDOW_BITS;
}

void sim_engine_init(struct sim_engine *e)
{
    memset(e, 0, sizeof *e);
    e->near.end.when = UINT64_MAX;
    e->near.slot[SIM_NEAR_SLOTS] = &e->near.end;
    e->near.map[SIM_NEAR_SLOTS / 64] = 1;
    set_window(e, 0);
}

void sim_engine_replace(struct sim_engine *e, const struct sim_engine_ops *ops, void *other)
{
    CHECK(sim_engine_next(e) == SIM_NEVER);
    e->ops = ops;
    e->other = other;
    set_window(e, e->now);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static inline void link_at(struct sim_event **at, struct sim_event *ev)
{
    ev->next = *at;
    *at = ev;
}

/* Events are seldom withdrawn and slots are short: no way back is kept. */
static void unlink(struct sim_event **at, struct sim_event *ev)
{
    while (*at != ev)
        at = &(*at)->next;
    *at = ev->next;
}

/* ---- the near wheel -------------------------------------------------------------------------- */

/* Behind all that come before it or were scheduled before it. */
static void near_insert_among(struct sim_event **at, struct sim_event *ev)
{
    while (*at && (*at)->when <= ev->when)
        at = &(*at)->next;
    link_at(at, ev);
}

static void near_insert(struct sim_near_wheel *w, struct sim_event *ev)
{
    size_t index = sim_near_index(cycle_of(ev));

    ev->place = SIM_EVENT_NEAR;
    if (w->slot[index])
        near_insert_among(&w->slot[index], ev);
    else
        sim_near_first(w, ev, index);
}

/* Word of the map with the next event at or after word `from`. Without one it is that of `end`. */
static inline size_t near_word(const struct sim_near_wheel *w, size_t from)
{
    while (!w->map[from])
        from++;
    return from;
}

/* First slot in use of such a word; SIM_NEAR_SLOTS is that of `end`. */
static inline size_t near_slot(const struct sim_near_wheel *w, size_t word)
{
    return word * 64 + hal_lowest_bit(w->map[word]);
}

/* ---- the far wheel --------------------------------------------------------------------------- */

static inline unsigned far_index(uint64_t cycle) { return window(cycle) & (SIM_FAR_SLOTS - 1); }

static inline void far_insert(struct sim_far_wheel *w, struct sim_event *ev)
{
    unsigned index = far_index(cycle_of(ev));

    ev->place = SIM_EVENT_FAR;
    w->map[index / 64] |= HAL_BIT(index % 64);
    link_at(&w->slot[index], ev);
}

static void far_remove(struct sim_far_wheel *w, struct sim_event *ev)
{
    unsigned index = far_index(cycle_of(ev));

    unlink(&w->slot[index], ev);
    if (!w->slot[index])
        w->map[index / 64] &= ~HAL_BIT(index % 64);
}

/* First slot in use at or behind `from`, round the wheel; SIM_FAR_SLOTS if there is none. */
static unsigned far_next(const struct sim_far_wheel *w, unsigned from)
{
    unsigned word = from / 64;
    uint64_t bits = w->map[word] & ~(HAL_BIT(from % 64) - 1);

    for (unsigned i = 0; i <= HAL_ARRAY_LENGTH(w->map); i++) {
        if (bits)
            return word * 64 + hal_lowest_bit(bits);
        word = (word + 1) % HAL_ARRAY_LENGTH(w->map);
        bits = w->map[word];
    }
    return SIM_FAR_SLOTS;
}

/* Empties a slot. Returns its events in order of scheduling. */
static struct sim_event *far_take(struct sim_far_wheel *w, unsigned index)
{
    struct sim_event *in_order = NULL, *ev = w->slot[index], *next;

    w->slot[index] = NULL;
    w->map[index / 64] &= ~HAL_BIT(index % 64);
    for (; ev; ev = next) {
        next = ev->next;
        ev->next = in_order;
        in_order = ev;
    }
    return in_order;
}

static uint64_t far_earliest(const struct sim_far_wheel *w, unsigned index)
{
    uint64_t cycle = SIM_NEVER;

    for (const struct sim_event *ev = w->slot[index]; ev; ev = ev->next)
        cycle = hal_min64(cycle, cycle_of(ev));
    return cycle;
}

/* ---- the heap: ordered by cycle and rank, then by order of scheduling ------------------------ */

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->when != b->when ? a->when < b->when : a->serial < b->serial;
}

static void heap_set(struct sim_engine *e, uint32_t i, struct sim_event *ev)
{
    e->heap[i] = ev;
    ev->index = i;
}

static void heap_up(struct sim_engine *e, uint32_t i, struct sim_event *ev)
{
    while (i && earlier(ev, e->heap[(i - 1) / 2])) {
        heap_set(e, i, e->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_set(e, i, ev);
}

static void heap_down(struct sim_engine *e, uint32_t i, struct sim_event *ev)
{
    for (uint32_t child; (child = 2 * i + 1) < e->heap_count; i = child) {
        if (child + 1 < e->heap_count && earlier(e->heap[child + 1], e->heap[child]))
            child++;
        if (!earlier(e->heap[child], ev))
            break;
        heap_set(e, i, e->heap[child]);
    }
    heap_set(e, i, ev);
}

static void heap_insert(struct sim_engine *e, struct sim_event *ev)
{
    CHECK(e->heap_count < SIM_HEAP_MAX);
    ev->place = SIM_EVENT_HEAP;
    ev->serial = e->serial++;
    heap_up(e, e->heap_count++, ev);
}

static void heap_remove(struct sim_engine *e, uint32_t i)
{
    struct sim_event *last = e->heap[--e->heap_count];

    if (i == e->heap_count)
        return;
    if (i && earlier(last, e->heap[(i - 1) / 2]))
        heap_up(e, i, last);
    else
        heap_down(e, i, last);
}

/* ---- scheduling ------------------------------------------------------------------------------ */

HAL_HOT void sim_engine_place(struct sim_engine *e, struct sim_event *ev, uint64_t cycle)
{
    CHECK(ev->place == SIM_EVENT_IDLE && cycle >= e->now);
    if (__builtin_expect(cycle < e->near_end, 1)) { /* the slot is in use, else it were not here */
        near_insert_among(&e->near.slot[sim_near_index(cycle)], ev);
        ev->place = SIM_EVENT_NEAR;
        return;
    }
    CHECK(cycle - e->now < AHEAD_MAX);
    if (e->ops)
        e->ops->at(e, ev, cycle);
    else if (window(cycle) - window(e->now) < SIM_FAR_SLOTS)
        far_insert(&e->far, ev);
    else
        heap_insert(e, ev);
}

void sim_engine_cancel(struct sim_engine *e, struct sim_event *ev)
{
    size_t index;

    switch (ev->place) {
    case SIM_EVENT_NEAR:
        index = sim_near_index(cycle_of(ev));
        unlink(&e->near.slot[index], ev);
        if (!e->near.slot[index])
            e->near.map[index / 64] &= ~HAL_BIT(index % 64);
        break;
    case SIM_EVENT_FAR:
        far_remove(&e->far, ev);
        break;
    case SIM_EVENT_HEAP:
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

/* Cycle of the next event behind the current window. */
HAL_HOT static uint64_t next_ahead(const struct sim_engine *e)
{
    unsigned index = far_next(&e->far, far_index(e->now));

    if (index < SIM_FAR_SLOTS)
        return far_earliest(&e->far, index);
    return e->heap_count ? cycle_of(e->heap[0]) : SIM_NEVER;
}

uint64_t sim_engine_next(struct sim_engine *e)
{
    size_t index;

    if (e->ops)
        return e->ops->next(e);
    index = near_slot(&e->near, near_word(&e->near, sim_near_index(e->now) / 64));
    return index < SIM_NEAR_SLOTS ? cycle_of(e->near.slot[index]) : next_ahead(e);
}

/* Moves the clock into a later window, when nothing is left in the current one: the slot of the new
 * window is spread over the near wheel, and what the wheels can now hold comes out of the heap.
 * Both keep the order of scheduling, because an event can only be put behind those of the heap
 * after they have left it. */
HAL_HOT static void enter_window(struct sim_engine *e, uint64_t cycle)
{
    struct sim_event *ev = far_take(&e->far, far_index(cycle)), *next;

    e->now = cycle;
    set_window(e, cycle);
    for (; ev; ev = next) {
        next = ev->next;
        near_insert(&e->near, ev);
    }
    while (e->heap_count && window(cycle_of(e->heap[0])) - window(cycle) < SIM_FAR_SLOTS) {
        ev = e->heap[0];
        heap_remove(e, 0);
        if (window(cycle_of(ev)) == window(cycle))
            near_insert(&e->near, ev);
        else
            far_insert(&e->far, ev);
    }
}

static void advance(struct sim_engine *e, uint64_t cycle)
{
    if (window(cycle) != window(e->now))
        enter_window(e, cycle);
    else
        e->now = cycle;
}

/* Nothing is left in the current window. False: nor up to and including `until`. */
static bool enter_next_window(struct sim_engine *e, uint64_t until)
{
    uint64_t next = next_ahead(e);

    if (next > hal_min64(until, CYCLE_MAX)) /* SIM_NEVER is, too */
        return false;
    enter_window(e, next);
    return true;
}

static inline void run_one(struct sim_engine *e, struct sim_event *ev)
{
    e->now = cycle_of(ev);
    e->count++;
    ev->fn(ev);
}

/* Nothing is left up to and including `until`. Kept apart: mostly a model stops the engine. */
HAL_HOT static __attribute__((noinline)) void rest(struct sim_engine *e, uint64_t until)
{
    if (until != SIM_NEVER && until > e->now)
        advance(e, until);
}

/* What sim_engine_run() says, without another engine. */
static bool run_until(struct sim_engine *e, uint64_t until)
{
    struct sim_near_wheel *w = &e->near;
    size_t word = sim_near_index(e->now) / 64; /* nothing is before it: events come no earlier */
    struct sim_event **slots = &w->slot[word * 64];

    e->bound = (hal_min64(until, CYCLE_MAX) + 1) << SIM_RANK_BITS; /* before `end` */
    for (;;) {
        uint64_t used = w->map[word];
        size_t first;
        struct sim_event *ev;

        if (__builtin_expect(!used, 0)) {
            word++;
            slots += 64;
            continue;
        }
        first = hal_lowest_bit(used);
        ev = slots[first];
        if (__builtin_expect(ev->when < e->bound, 1)) { /* none is if it was stopped */
            slots[first] = ev->next;
            if (__builtin_expect(!ev->next, 1))
                w->map[word] = used & (used - 1);
            ev->place = SIM_EVENT_IDLE;
            run_one(e, ev);
        } else if (e->stop) {
            return true;
        } else if (word < SIM_NEAR_SLOTS / 64 || !enter_next_window(e, until)) {
            rest(e, until);
            return false;
        } else {
            word = 0;
            slots = w->slot;
        }
    }
}

HAL_HOT bool sim_engine_run(struct sim_engine *e, uint64_t until)
{
    e->stop = false;
    if (__builtin_expect(e->ops != NULL, 0))
        return e->ops->run(e, until);
    return run_until(e, until);
}
