/* SPDX-License-Identifier: Apache-2.0 */
/* Telling of events (core/adapter/events.def; AD-86, AD-87). Shared inside core only.
 *
 * Whoever meets something raises an event, with whatever locks it holds: the event is counted,
 * handed to tracepoints, and put into a ring if the program wants to be told. When a verb, or a job
 * of the worker, is over, and nothing is held any more, what is in the ring is delivered. Nothing
 * of that is a lock or allocates, and nothing of it runs for each I/O.
 *
 * The ring is a bounded queue of many producers with a turn in every slot: a slot is free in round
 * r when its turn is 2r, and full when it is 2r + 1. One thread delivers at a time; one that finds
 * another at it leaves its events to that. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/superpipe.h"

enum { SPIPE__EVENT_RING = 512 }; /* more than the LUNs that one search finds */

/** A place in the ring. */
struct spipe__event_slot {
    uint64_t turn;
    struct spipe_event event;
};

/** Part of struct spipe; all zero at first. */
struct spipe__event_log {
    spipe_event_sink *sink; /* NULL: nobody wants to be told; never changes */
    void *sink_arg;
    uint64_t count[SPIPE_EVENTS]; /* these and all below: atomic */
    uint64_t tail, head;          /* numbers of the next event to come, and to be told */
    bool delivering;
    struct spipe__event_slot slot[SPIPE__EVENT_RING];
};

/** Raises `times` events of one kind that are told of as one. For the macros below. Any thread,
 * with any lock held; a scheduling point. */
void spipe__event_raise(struct spipe *s, enum spipe_event_id id, uint64_t times,
                        const uint64_t field[SPIPE_EVENT_FIELDS]);

/** Raises an event, with its fields in the order of core/adapter/events.def. */
#define spipe__event(s, id, ...)                                                                   \
    spipe__event_raise(s, SPIPE_EVENT_##id, 1, (const uint64_t[SPIPE_EVENT_FIELDS]){__VA_ARGS__})

/** The same for something that happened `times` times; none if that is 0. */
#define spipe__event_times(s, id, times, ...)                                                      \
    spipe__event_raise(s, SPIPE_EVENT_##id, times,                                                 \
                       (const uint64_t[SPIPE_EVENT_FIELDS]){__VA_ARGS__})

/** A result as a field. */
static inline uint64_t spipe__result(int rc) { return (uint64_t)(int64_t)rc; }

/** A constant string as a field. */
static inline uint64_t spipe__text(const char *text) { return (uint64_t)(uintptr_t)text; }

/** Raises the event of another state of the adapter. */
void spipe__event_state(struct spipe *s, enum spipe_state state);

/** Raises an event if a change of the catalogue failed. Returns `rc`. */
static inline int spipe__event_of_catalogue(struct spipe *s, int rc)
{
    if (rc)
        spipe__event(s, CATALOGUE_FAILED, spipe__result(rc));
    return rc;
}

/** Tells the program of what has happened. The caller holds no lock and is outside the gate. */
void spipe__events_deliver(struct spipe *s);

#endif
