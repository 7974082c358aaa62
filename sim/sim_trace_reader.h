/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the binary trace files of sim_trace_file.h, also those of another build: kinds of records
 * are matched by name. Nothing in a file is believed before it was checked, so any file may be
 * given; of one that was cut or damaged, the part before can be read. */
#ifndef SIM_SIM_TRACE_READER_H
#define SIM_SIM_TRACE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "sim/sim_trace.h"

struct sim_trace_reader;

/** A parameter of an adapter that differed from its default. */
struct sim_trace_difference {
    unsigned adapter;
    uint64_t value, dflt;
    const char *name, *unit;
};

/** What the head of a file says. */
struct sim_trace_head {
    uint64_t seed;
    uint32_t cycle_ns;
    unsigned adapters;
    size_t differences;
    const struct sim_trace_difference *difference;
};

/**
 * Opens a file and reads its head.
 *
 * @param path  of the file
 * @param out   the reader; its owner ends it with sim_trace_reader_close
 * @param why   receives a sentence on failure, `size` bytes, may be NULL
 * @return      0, the errno of opening or reading, -ENOMEM, -EILSEQ (no trace file, or its head is
 *              damaged), -ENOTSUP (a newer version of the format)
 */
HAL_MUST_CHECK int sim_trace_reader_open(const char *path, struct sim_trace_reader **out, char *why,
                                         size_t size);

/** What the head says; valid as long as the reader. */
const struct sim_trace_head *sim_trace_reader_head(const struct sim_trace_reader *r);

/** Reads the next record. Its kind is a number of this build's enum sim_event_kind if name and
 * fields are known here, else one from SIM_EVENT_COUNT on. Returns 1, 0 at the end (which
 * sim_trace_reader_end judges), or the negative errno of reading. */
HAL_MUST_CHECK int sim_trace_reader_next(struct sim_trace_reader *r,
                                         struct sim_trace_record *record);

/** Names for the kind of a record that this reader gave; valid as long as the reader. */
const struct sim_event_info *sim_trace_reader_kind(const struct sim_trace_reader *r, unsigned kind);

/** Records read so far, and their hash. */
uint64_t sim_trace_reader_count(const struct sim_trace_reader *r);
uint64_t sim_trace_reader_hash(const struct sim_trace_reader *r);

/** After sim_trace_reader_next has returned 0, says why it ended there: 0 (the file is complete),
 * -ENODATA (it was cut) or -EILSEQ (it is damaged), the latter two with a sentence in why (size
 * bytes, may be NULL). */
HAL_MUST_CHECK int sim_trace_reader_end(const struct sim_trace_reader *r, char *why, size_t size);

/** Closes the file and frees the reader. NULL is ignored. */
void sim_trace_reader_close(struct sim_trace_reader *r);

#endif
