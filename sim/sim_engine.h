/* SPDX-License-Identifier: Apache-2.0 */
/* The event engine: a clock in AFU cycles and a timing wheel. It knows no model.
 *
 * Order is part of the contract, so that a second engine can be compared with this one: at each
 * cycle the event of the lowest rank (block) goes first; among events of one rank, the one that
 * was scheduled first. An event scheduled for the current cycle takes its place among those still
 * to come.
 *
 * The near wheel holds the current window of 65,536 cycles in slots of 64, each a list in the order
 * above; the far wheel holds 256 windows, each a list in no order; a heap holds what lies further
 * ahead. Lists are made of events that their owners embed: nothing is allocated. */
#ifndef SIM_SIM_ENGINE_H
#define SIM_SIM_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/bits.h"

#define SIM_CYCLE_NS 4u /* 250 MHz */
#define SIM_NEVER UINT64_MAX
#define SIM_RANK_BITS 4
#define SIM_SLOT_BITS 6    /* cycles of a near slot: a power of two */
#define SIM_NEAR_BITS 10   /* near slots */
#define SIM_WINDOW_BITS 16 /* cycles of all near slots together */
#define SIM_NEAR_SLOTS (1u << SIM_NEAR_BITS)
#define SIM_FAR_SLOTS 256u
#define SIM_HEAP_MAX 2048u

/** Blocks in their order within a cycle. */
enum sim_rank {
    SIM_RANK_CONTEXT, /* AFU reset, context start, end and reset */
    SIM_RANK_LINK,
    SIM_RANK_MMIO,
    SIM_RANK_FETCH,
    SIM_RANK_DECODE, /* command decode, translation, table walks */
    SIM_RANK_TIMEOUT,
    SIM_RANK_AFU_COMMAND,
    SIM_RANK_DRAIN,
    SIM_RANK_MEDIA,
    SIM_RANK_MEDIA_START, /* places that became free are given to those who wait */
    SIM_RANK_PORT,
    SIM_RANK_DATA,
    SIM_RANK_STATUS,
    SIM_RANK_BUFFER, /* data buffers that became free are given to those who wait */
    SIM_RANK_INTERRUPT,
    SIM_RANKS
};

struct sim_event;
typedef void sim_event_fn(struct sim_event *ev);

/* OTHER: in the hands of another engine, which counts its places from here. */
enum sim_event_place {
    SIM_EVENT_IDLE,
    SIM_EVENT_NEAR,
    SIM_EVENT_FAR,
    SIM_EVENT_HEAP,
    SIM_EVENT_OTHER
};

/** One thing that will happen. Embedded in its owner; zero it before first use. */
struct sim_event {
    uint64_t when; /* cycle, and rank in the SIM_RANK_BITS below it */
    sim_event_fn *fn;
    struct sim_event *next; /* in a list of a wheel, or of another engine */
    uint64_t serial;        /* order of scheduling, where places do not tell */
    uint32_t index;         /* in the heap, or in a list of another engine */
    uint8_t place;
};

/** The current window. All its events are still to come, so the first slot in use is the next. */
struct sim_near_wheel {
    uint64_t map[SIM_NEAR_SLOTS / 64 + 1];      /* slots in use */
    struct sim_event *slot[SIM_NEAR_SLOTS + 1]; /* in order; the last one always holds `end` */
    struct sim_event end;                       /* later than all */
};

/** The windows behind it. */
struct sim_far_wheel {
    uint64_t map[SIM_FAR_SLOTS / 64];
    struct sim_event *slot[SIM_FAR_SLOTS]; /* last scheduled first */
};

struct sim_engine;

/** Another engine under the same face: what sim_engine_at, _cancel, _next and _run do. */
struct sim_engine_ops {
    void (*at)(struct sim_engine *e, struct sim_event *ev, uint64_t cycle);
    void (*cancel)(struct sim_engine *e, struct sim_event *ev);
    uint64_t (*next)(struct sim_engine *e);
    bool (*run)(struct sim_engine *e, uint64_t until);
};

struct sim_engine {
    const struct sim_engine_ops *ops; /* NULL: this engine itself */
    void *other;                      /* of ops */
    uint64_t now;                     /* cycles */
    uint64_t near_end;                /* first cycle behind the near wheel; 0 with ops */
    uint64_t count;                   /* events run */
    uint64_t serial;
    uint64_t bound; /* of `when` of the events that may run now */
    bool stop;      /* sim_engine_stop() was called */
    uint32_t heap_count;
    struct sim_near_wheel near;
    struct sim_far_wheel far;
    struct sim_event *heap[SIM_HEAP_MAX];
};

/** Empties the engine and sets its clock to 0. */
void sim_engine_init(struct sim_engine *e);

/** Lets another engine do what this one does; NULL: this one again. No event may be scheduled. */
void sim_engine_replace(struct sim_engine *e, const struct sim_engine_ops *ops, void *other);

/* Slot of a cycle of the current window. */
static inline size_t sim_near_index(uint64_t cycle) { return (uint16_t)cycle >> SIM_SLOT_BITS; }

/* Into a slot that is empty. */
static inline void sim_near_first(struct sim_near_wheel *w, struct sim_event *ev, size_t index)
{
    w->map[index / 64] |= HAL_BIT(index % 64);
    w->slot[index] = ev;
    ev->next = NULL;
    ev->place = SIM_EVENT_NEAR;
}

/* The rest of sim_engine_at(), for an event that shares its slot, lies behind the near wheel, is in
 * the hands of another engine, or must not be scheduled. */
void sim_engine_place(struct sim_engine *e, struct sim_event *ev, uint64_t cycle);

/** Schedules ev, which must be idle, at `cycle` (not in the past). In line: each step of a command
 * ends with it, and knows rank and function. */
static inline __attribute__((always_inline)) void sim_engine_at(struct sim_engine *e,
                                                                struct sim_event *ev,
                                                                uint64_t cycle, enum sim_rank rank,
                                                                sim_event_fn *fn)
{
    size_t index = sim_near_index(cycle);

    ev->when = cycle << SIM_RANK_BITS | rank;
    ev->fn = fn;
    if (__builtin_expect(ev->place == SIM_EVENT_IDLE && cycle >= e->now && cycle < e->near_end &&
                             !e->near.slot[index],
                         1))
        sim_near_first(&e->near, ev, index);
    else
        sim_engine_place(e, ev, cycle);
}

/** Withdraws ev if it is scheduled. */
void sim_engine_cancel(struct sim_engine *e, struct sim_event *ev);

/** Cycle of the next event, SIM_NEVER if there is none. */
uint64_t sim_engine_next(struct sim_engine *e);

/** For a model: sim_engine_run() is to return behind this event, since somebody outside may want to
 * look. */
static inline void sim_engine_stop(struct sim_engine *e)
{
    e->stop = true;
    e->bound = 0;
}

/** Runs events up to and including cycle `until`, or until a model calls sim_engine_stop(). The
 * clock ends at `until` unless it was stopped or `until` is SIM_NEVER. Returns whether it was
 * stopped. */
bool sim_engine_run(struct sim_engine *e, uint64_t until);

/** The rank that a pending event was scheduled with. */
static inline unsigned sim_event_rank(const struct sim_event *ev)
{
    return ev->when & ((1u << SIM_RANK_BITS) - 1);
}

static inline bool sim_event_pending(const struct sim_event *ev)
{
    return ev->place != SIM_EVENT_IDLE;
}

#endif
