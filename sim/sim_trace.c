/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_trace.h"

#include <string.h>

#include "hal/support/hot.h"

const struct sim_event_info sim_event_table[SIM_EVENT_COUNT] = {
#define SIM_EVENT(enumerator, name, track, who, a, b)                                              \
    [SIM_EVENT_##enumerator] = {name, track, who, a, b},
#include "hal/support/hot.h"
#include "sim/sim_events.def"
#undef SIM_EVENT
};

void sim_trace_init(struct sim_trace *t, bool on)
{
    /* The ring too: two worlds that did the same must be equal byte for byte. */
    memset(t, 0, sizeof *t);
    t->on = on;
    t->hash = HAL_HASH_START;
    t->factors = (struct sim_trace_factors)SIM_TRACE_FACTORS;
}

/* Never inline: a record would save registers for it. */
HAL_HOT __attribute__((noinline)) void sim_trace_flush(struct sim_trace *t)
{
    if (t->fill && t->sink)
        t->sink(t->sink_arg, t->ring, t->fill);
    t->flushed += t->fill;
    t->fill = 0;
}

void sim_trace_set_sink(struct sim_trace *t, sim_trace_sink *sink, void *arg)
{
    if (t->sink)
        sim_trace_flush(t);
    t->sink = sink;
    t->sink_arg = arg;
}

/* Never inline either: the parts of `id` would be stored one by one. */
HAL_HOT __attribute__((noinline)) void sim_trace_append(struct sim_trace *t, uint64_t cycle,
                                                        uint64_t id, uint64_t a, uint64_t b)
{
    struct sim_trace_record *r = &t->ring[t->fill];

    r->cycle = cycle;
    r->who = (uint32_t)id;
    r->adapter = (uint16_t)(id >> 32);
    r->kind = (uint16_t)(id >> 48);
    r->a = a;
    r->b = b;
    t->hash = sim_trace_hash_with(&t->factors, t->hash, cycle, id, a, b);
    if (__builtin_expect(++t->fill == SIM_TRACE_RING, 0))
        sim_trace_flush(t);
}
