/* SPDX-License-Identifier: Apache-2.0 */
/* Events of an adapter: what it does, and everything that goes wrong, as core/adapter/events.def
 * lists it. Each is counted; a program that sets spipe_options.event_sink is told of each.
 *
 * Part of core/superpipe.h, which includes it. */
#ifndef CORE_SUPERPIPE_EVENT_H
#define CORE_SUPERPIPE_EVENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spipe;

#define SPIPE_EVENT_FIELDS 4 /* at most */

/** Which event. Programs that must survive a new version know events by their names. */
enum spipe_event_id {
#define SPIPE_EVENT(id, severity, name, text, ...) SPIPE_EVENT_##id,
#include "core/adapter/events.def"
#undef SPIPE_EVENT
    SPIPE_EVENTS
};

enum spipe_severity {
    SPIPE_SEVERITY_INFO,    /* it works as it should */
    SPIPE_SEVERITY_NOTICE,  /* the adapter changed */
    SPIPE_SEVERITY_WARNING, /* something went wrong and was dealt with */
    SPIPE_SEVERITY_ERROR,   /* somebody lost something */
    SPIPE_SEVERITIES
};

/** What a field holds. */
enum spipe_field_kind {
    SPIPE_FIELD_NONE,
    SPIPE_FIELD_NUMBER,
    SPIPE_FIELD_HEX,    /* a number that people read in hexadecimal */
    SPIPE_FIELD_RESULT, /* 0, or a negative errno, as (uint64_t)(int64_t) */
    SPIPE_FIELD_TEXT,   /* the address of a constant string, as (uint64_t)(uintptr_t) */
};

/** What is the same for all events of one kind. */
struct spipe_event_info {
    const char *name, *text;
    enum spipe_severity severity;
    struct {
        const char *name;
        enum spipe_field_kind kind;
    } field[SPIPE_EVENT_FIELDS]; /* the first one of kind NONE ends them */
};

/** One event. */
struct spipe_event {
    uint64_t time_ns;  /* exec_now() when it happened */
    uint64_t sequence; /* 1, 2, 3 ... of the adapter */
    uint64_t times;    /* it happened so often since the last such event; mostly 1 */
    enum spipe_event_id id;
    uint64_t field[SPIPE_EVENT_FIELDS];
};

/** Is told of events, one at a time and in order, by whichever thread of the library or of the
 * program ends what caused them: at the end of a call, or of a job of the adapter's own thread.
 * No lock of the library is held then, so it may wait for locks of the program, and may call the
 * library except for spipe_close() of this adapter; until it returns, events wait, and those that
 * find no room are lost and counted. *event is valid until it returns. */
typedef void spipe_event_sink(void *arg, const struct spipe_event *event);

/** Describes the events with this id; NULL if there is none. Any thread, as all below. */
const struct spipe_event_info *spipe_event_info(unsigned id);

/** The name of the events with this id; NULL if there is none. */
const char *spipe_event_name(unsigned id);

/** "info", "notice", "warning", "error"; NULL for another number. */
const char *spipe_severity_name(unsigned severity);

#define SPIPE_EVENT_VALUE_BYTES 64 /* that the text of a field needs at most */

/** One field of an event as text: "3", "0x200", "-ETIMEDOUT", "wait online". Returns buf, or NULL
 * if the event has no such field. */
const char *spipe_event_value(const struct spipe_event *event, unsigned field,
                              char buf[SPIPE_EVENT_VALUE_BYTES]);

#define SPIPE_EVENT_TEXT_BYTES 512 /* that the text of an event needs at most */

/** An event as a line for people, without time and line feed: "link_reset_end: the reset of a link
 * is over (port 0, result -ETIMEDOUT)". What does not fit is cut. Returns buf. */
const char *spipe_event_format(const struct spipe_event *event, char *buf, size_t size);

/** How often something has happened since the adapter was opened. */
struct spipe_counter {
    const char *name; /* of the event */
    enum spipe_severity severity;
    uint64_t value;
};

/** The counter of the events with this id, 0 .. SPIPE_EVENTS - 1. Returns 0 or -ENOENT past the
 * last. */
__attribute__((warn_unused_result)) int spipe_counter(struct spipe *s, unsigned id,
                                                      struct spipe_counter *out);

#ifdef __cplusplus
}
#endif

#endif
