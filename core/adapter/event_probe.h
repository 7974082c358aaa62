/* SPDX-License-Identifier: Apache-2.0 */
/* The tracepoint of events, for perf, bpftrace and SystemTap: superpipe:event, a USDT probe, which
 * costs one instruction while nobody looks. Without sys/sdt.h (systemtap-sdt-dev, which
 * tools/setup.sh installs) there is none. Shared inside core only.
 *
 *   arg0 id (line of core/adapter/events.def)   arg1 name, a string   arg2 time, ns   arg3..arg6
 * fields */
#ifndef CORE_EVENT_PROBE_H
#define CORE_EVENT_PROBE_H

#include "core/superpipe_event.h"

/* Nor with a sanitizer: gold drops functions that nobody calls, and then refuses the notes of
 * probes in them. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_include) && __has_include(<sys/sdt.h>)
#include <sys/sdt.h>
#define SPIPE__EVENT_HAS_PROBE 1
#endif
#endif

/** Passes an event to whoever looks at the tracepoint. Any thread. */
static inline void spipe__event_probe(const struct spipe_event *event)
{
#ifdef SPIPE__EVENT_HAS_PROBE
    DTRACE_PROBE7(superpipe, event, event->id, spipe_event_name(event->id), event->time_ns,
                  event->field[0], event->field[1], event->field[2], event->field[3]);
#else
    (void)event;
#endif
}

#endif
