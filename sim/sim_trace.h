/* SPDX-License-Identifier: Apache-2.0 */
/* The binary trace: fixed-size canonical records in a ring, a running hash over all of them, and
 * an optional sink that receives each full ring (VCD, Chrome trace, tests). Nothing is formatted
 * on the run path. Values are decoded numbers; addresses are canonical (region, offset), so the
 * hash is the same on every host. */
#ifndef SIM_SIM_TRACE_H
#define SIM_SIM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/hash.h"

enum sim_event_kind {
#define SIM_EVENT(enumerator, name, track, who, a, b) SIM_EVENT_##enumerator,
#include "sim/sim_events.def"
#undef SIM_EVENT
    SIM_EVENT_COUNT
};

/* An address in a record: region in the bits above these, offset below; the last region number
 * stands for addresses of no region (sim_memory.h). */
#define SIM_TRACE_OFFSET_BITS 44
#define SIM_TRACE_REGION_UNKNOWN UINT64_C(0xFFFFF)

/** What an access to the slot finds: b of PLATFORM. */
enum sim_slot {
    SIM_SLOT_UP,
    SIM_SLOT_FROZEN,
    SIM_SLOT_DEAD, /* for good */
};

/** What happened to the slot: a of PLATFORM. */
enum sim_platform_what {
    SIM_PLATFORM_FREEZE,
    SIM_PLATFORM_SLOT_RESETS, /* begins */
    SIM_PLATFORM_SLOT_RESET,  /* is over */
    SIM_PLATFORM_RECOVERED,   /* says the host */
    SIM_PLATFORM_DISCONNECT,  /* says the host */
    SIM_PLATFORM_PERMANENT,
    SIM_PLATFORM_REMOVE,
    SIM_PLATFORM_OTHER,
    SIM_PLATFORM_WHATS
};

/** One record. `who` is a command slot, context, port or site by kind (see sim_events.def). */
struct sim_trace_record {
    uint64_t cycle;
    uint32_t who; /* these three in this order are one store on a little-endian host */
    uint16_t adapter;
    uint16_t kind;
    uint64_t a, b;
};

/* Records. Few, so that their lines are still in the first-level cache when they are written again,
 * whatever data was copied meanwhile; more than a machine has when it has been built. */
#define SIM_TRACE_RING 16

/** Receives `count` records in order. They are valid during the call only. */
typedef void sim_trace_sink(void *arg, const struct sim_trace_record *records, size_t count);

/** What the parts of a record are multiplied by for the hash, and then the hash. */
struct sim_trace_factors {
    uint64_t cycle, a, b, hash;
};

#define SIM_TRACE_FACTORS                                                                          \
    {                                                                                              \
        UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xC2B2AE3D27D4EB4F), UINT64_C(0xD6E8FEB86659FD93),  \
            HAL_HASH_FACTOR                                                                        \
    }

/** One trace per world. */
struct sim_trace {
    bool on; /* false: records cost one branch */
    /* Bytes of records. Without a sink nothing happens when the ring is full: a branch that is
     * taken once in so many records is predicted wrong each time. */
    uint64_t end;    /* of all of them so far; the ring holds the last */
    uint64_t full;   /* the sink gets what the ring holds when `end` is here; without one, never */
    uint64_t handed; /* a sink got these */
    uint64_t hash;
    /* Operands in memory: each would be an instruction of its own as a constant of 64 bits. */
    struct sim_trace_factors factors;
    sim_trace_sink *sink;
    void *sink_arg;
    struct sim_trace_record ring[SIM_TRACE_RING];
};

/** Empties the trace and switches it on or off. */
void sim_trace_init(struct sim_trace *t, bool on);

/** Sets the receiver of records; the ring is flushed to the old one first. NULL = none. What the
 * ring holds while there is none goes to the next one: so a file that is opened when a machine has
 * been built begins with its first record. */
void sim_trace_set_sink(struct sim_trace *t, sim_trace_sink *sink, void *arg);

/** Hands what it has not got yet to the sink. */
void sim_trace_flush(struct sim_trace *t);

/** Identity of all records so far. */
static inline uint64_t sim_trace_hash(const struct sim_trace *t) { return t->hash; }

/** Number of records so far. */
static inline uint64_t sim_trace_total(const struct sim_trace *t)
{
    return t->end / sizeof t->ring[0];
}

/* Adds one record to a running hash, whose factors are at hand. */
static inline uint64_t sim_trace_hash_with(const struct sim_trace_factors *f, uint64_t hash,
                                           uint64_t cycle, uint64_t id, uint64_t a, uint64_t b)
{
    /* Independent products first: only one multiplication is on the chain from record to record. */
    return hal_hash_word_with(f->hash, hash,
                              (cycle * f->cycle + id) ^ (a * f->a) ^ ((b + 0x165667B1) * f->b));
}

/** Adds one record to a running hash; `id` is kind, adapter and who in one word, as in
 * sim_trace_id. */
static inline uint64_t sim_trace_hash_add(uint64_t hash, uint64_t cycle, uint64_t id, uint64_t a,
                                          uint64_t b)
{
    const struct sim_trace_factors factors = SIM_TRACE_FACTORS;

    return sim_trace_hash_with(&factors, hash, cycle, id, a, b);
}

/** Kind, adapter and who of a record in one word. */
static inline uint64_t sim_trace_id(uint16_t kind, uint16_t adapter, uint32_t who)
{
    return (uint64_t)kind << 48 | (uint64_t)adapter << 32 | who;
}

/** Appends one record to a trace that is on: see sim_trace_add. */
void sim_trace_append(struct sim_trace *t, uint64_t cycle, uint64_t id, uint64_t a, uint64_t b);

/** Appends one record. With the trace off it costs one branch; the rest is a call, so that the
 * blocks of the model stay small. */
static inline void sim_trace_add(struct sim_trace *t, uint64_t cycle, enum sim_event_kind kind,
                                 uint32_t adapter, uint32_t who, uint64_t a, uint64_t b)
{
    if (__builtin_expect(t->on, 0))
        sim_trace_append(t, cycle, sim_trace_id((uint16_t)kind, (uint16_t)adapter, who), a, b);
}

/** Names for one kind: record, track, and the fields who, a, b. */
struct sim_event_info {
    const char *name, *track, *who, *a, *b;
};

extern const struct sim_event_info sim_event_table[SIM_EVENT_COUNT];

#endif
