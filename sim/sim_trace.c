/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_trace.h"

#include <string.h>

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
    t->hash = HAL_HASH_START;
}

void sim_trace_flush(struct sim_trace *t)
{
    if (t->fill && t->sink)
        t->sink(t->sink_arg, t->ring, t->fill);
    t->fill = 0;
}

void sim_trace_set_sink(struct sim_trace *t, sim_trace_sink *sink, void *arg)
{
    sim_trace_flush(t);
    t->sink = sink;
    t->sink_arg = arg;
}
