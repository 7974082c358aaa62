/* SPDX-License-Identifier: Apache-2.0 */
/* One line on the terminal that shows how far a command is. It goes to standard error, is rewritten
 * several times a second, and does not exist when standard error is no terminal.
 *
 * It is display only: it reads the wall clock and counts with plain atomics, never with the
 * execution contract, so a run makes the same choices with and without it. */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on, shown;
    uint32_t calls;    /* of progress_tick since the clock was read */
    int drawing;       /* one thread at a time */
    uint64_t drawn_ns; /* wall clock of the last line */
    uint64_t started_ns;
    const char *label;

    uint64_t ios, bytes, errors;                         /* so far */
    uint64_t last_ios, last_bytes;                       /* at the last line */
    uint64_t device_ns, last_device_ns, total_device_ns; /* of a run */
    uint64_t total_bytes;                                /* of a copy, 0 = not known */
};

/** Starts a line; `label` stands in front. */
void progress_start(struct progress *p, const char *label, bool quiet);

/** Tells what was done since the last call, and where the device's clock stands (0 for a copy).
 * Cheap; any thread. */
void progress_tick(struct progress *p, uint64_t device_ns, uint64_t ios, uint64_t bytes);

/** Counts a failed or wrong I/O. */
void progress_error(struct progress *p);

/** Takes the line away, so that something else can be written. The next tick draws it again. */
void progress_clear(struct progress *p);

/** Wall clock of the monotonic kind, ns. */
uint64_t progress_wall_ns(void);

#endif
