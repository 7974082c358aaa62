/* SPDX-License-Identifier: Apache-2.0 */
/* One event of an adapter as one line of JSON:
 *
 *   {"time_ns":12,"seq":3,"adapter":0,"severity":"notice","event":"link_reset_end","times":1,
 *    "fields":{"port":0,"result":"-ETIMEDOUT"}}
 *
 * Fields that are plain numbers are numbers, all others strings. A reader ignores members that it
 * does not know. */
#ifndef TOOLS_EVENT_LINE_H
#define TOOLS_EVENT_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"
#include "tools/json.h"

/** A line that was read. */
struct event_line {
    cJSON *root; /* owns what the rest points to */
    uint64_t time_ns, sequence, times;
    unsigned adapter;
    unsigned severity; /* enum spipe_severity */
    const char *event;
    const cJSON *fields; /* an object of numbers and strings */
};

/** Writes an event of adapter number `adapter`. Returns the line, from malloc, with its line feed;
 * NULL without memory. */
char *event_line_write(const struct spipe_event *event, unsigned adapter);

/** Reads a line. Returns 0, or -EINVAL if it is no event; then nothing is to be freed. */
HAL_MUST_CHECK int event_line_read(const char *text, struct event_line *out);

void event_line_free(struct event_line *line);

#define EVENT_LINE_TEXT_BYTES 1024

/** A line for people: time in seconds, adapter, severity, what happened. What does not fit is cut.
 * Returns buf. */
const char *event_line_text(const struct event_line *line, char buf[EVENT_LINE_TEXT_BYTES]);

#endif
