/* SPDX-License-Identifier: Apache-2.0 */
/* The events of a session in a file, a line each (tools/event_line.h), as they happen. */
#ifndef TOOLS_EVENT_FILE_H
#define TOOLS_EVENT_FILE_H

#include <stddef.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"

struct event_file;

/** Makes a file, or empties the one that is there; "-" is standard output. Returns 0, or a negative
 * errno with a sentence in why. */
HAL_MUST_CHECK int event_file_open(const char *path, struct event_file **out, char *why,
                                   size_t size);

/** Writes an event: for spipe_options.event_sink, with the argument below. */
void event_file_sink(void *arg, const struct spipe_event *event);

/** The argument of the sink of adapter number `adapter`, valid until event_file_close(). */
void *event_file_arg(struct event_file *file, unsigned adapter);

/** Closes a file; NULL is ignored. Returns 0, or a negative errno with a sentence in why if
 * anything could not be written. */
HAL_MUST_CHECK int event_file_close(struct event_file *file, char *why, size_t size);

#endif
