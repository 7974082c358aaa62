/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_trace.h"

#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/hot.h"

const struct sim_event_info sim_event_table[SIM_EVENT_COUNT] = {
#define SIM_EVENT(enumerator, name, track, who, a, b)                                              \
    [SIM_EVENT_##enumerator] = {name, track, who, a, b},
#include "sim/sim_events.def"
#undef SIM_EVENT
};

void sim_trace_init(struct sim_trace *t, bool on)
{
    /* The ring too: two worlds that did the same must be equal byte for byte. */
    memset(t, 0, sizeof *t);
    t->on = on;
    t->full = UINT64_MAX;
    t->hash = HAL_HASH_START;
    t->factors = (struct sim_trace_factors)SIM_TRACE_FACTORS;
}

void sim_trace_flush(struct sim_trace *t)
{
    uint64_t bytes = t->end - t->handed;

    if (!t->sink || !bytes)
        return;
    t->sink(t->sink_arg, &t->ring[t->handed / sizeof t->ring[0] % SIM_TRACE_RING],
            bytes / sizeof t->ring[0]);
    t->handed = t->end;
}

/* Never inline: a record would save registers for it. */
static __attribute__((noinline)) void ring_full(struct sim_trace *t)
{
    sim_trace_flush(t);
    t->full += sizeof t->ring;
}

void sim_trace_set_sink(struct sim_trace *t, sim_trace_sink *sink, void *arg)
{
    uint64_t first = t->end - t->end % sizeof t->ring; /* in the ring, if that was full before */

    sim_trace_flush(t);
    t->sink = sink;
    t->sink_arg = arg;
    t->handed = hal_max64(t->handed, first);
    t->full = sink ? first + sizeof t->ring : UINT64_MAX;
}

/* Never inline either: the parts of `id` would be stored one by one. */
HAL_HOT __attribute__((noinline)) void sim_trace_append(struct sim_trace *t, uint64_t cycle,
                                                        uint64_t id, uint64_t a, uint64_t b)
{
    uint64_t at = t->end, end = at + sizeof(struct sim_trace_record);
    struct sim_trace_record *r = (void *)((char *)t->ring + at % sizeof t->ring);

    t->end = end;
    r->cycle = cycle;
    r->who = (uint32_t)id;
    r->adapter = (uint16_t)(id >> 32);
    r->kind = (uint16_t)(id >> 48);
    r->a = a;
    r->b = b;
    t->hash = sim_trace_hash_with(&t->factors, t->hash, cycle, id, a, b);
    if (__builtin_expect(end == t->full, 0))
        ring_full(t);
}
