/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of the binary trace that writes Chrome trace events (JSON), for Perfetto and Chromium's
 * own viewer.
 *
 * An adapter is a process. Its threads are the blocks (the tracks of sim_events.def), each with a
 * slice of one cycle for every record, and the contexts. A command is a span of its context from
 * fetch to RRQ element, with a span for each stage inside (named after the record that begins it,
 * lasting to the next one), and an arrow through the blocks that it passes. Faults, violations and
 * notes are marked over the whole process. Commands in flight and operations on the medium are
 * counter curves. */
#ifndef SIM_SIM_CHROME_H
#define SIM_SIM_CHROME_H

#include <stddef.h>

#include "hal/support/must_check.h"
#include "sim/sim_trace.h"
#include "sim/sim_trace_output.h"

struct sim_chrome;

/**
 * Creates (or empties) a file and writes its head.
 *
 * @param path  of the file
 * @param info  for the head, not kept
 * @param out   the writer; its owner ends it with sim_chrome_close
 * @param why   receives a sentence on failure, `size` bytes, may be NULL
 * @return      0, -EINVAL (number of adapters), -ENOMEM, or the errno of creating the file
 */
HAL_MUST_CHECK int sim_chrome_open(const char *path, const struct sim_trace_info *info,
                                   struct sim_chrome **out, char *why, size_t size);

/** The sim_trace_sink; arg is the struct sim_chrome. Records must come in order of cycles. After a
 * failed write it does nothing more: sim_chrome_close tells. One thread at a time. */
void sim_chrome_records(void *arg, const struct sim_trace_record *records, size_t count);

/** Ends the spans that are still open, closes the file and frees the writer. The trace must have
 * been flushed, and must not have this sink any more. Returns 0 or the first error of writing
 * (-ENOSPC, -EIO, ...) with a sentence in why (size bytes, may be NULL). */
HAL_MUST_CHECK int sim_chrome_close(struct sim_chrome *c, char *why, size_t size);

#endif
