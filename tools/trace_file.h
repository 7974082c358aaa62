/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of a run in a file: the suffix of its name chooses the format. */
#ifndef TOOLS_TRACE_FILE_H
#define TOOLS_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "sim/sim_params.h"
#include "sim/sim_trace.h"

struct trace_file;

/** Whether the name of a trace file has a suffix that is known: .vcd, .json or .trace. */
bool trace_file_suffix_known(const char *path);

/** Creates (or empties) the file of a trace of `adapters` adapters that all have `params`, and
 * makes it the receiver of records of t, which must live as long as the file is open. The suffix
 * must be known. Returns 0, or a negative errno with a sentence in why. */
HAL_MUST_CHECK int trace_file_open(const char *path, struct sim_trace *t, uint64_t seed,
                                   unsigned adapters, const struct sim_params *params,
                                   struct trace_file **out, char *why, size_t size);

/** Writes the records that are still to come, ends the file and detaches it from the trace. NULL is
 * ignored. Returns 0, or the first error of writing with a sentence in why. */
HAL_MUST_CHECK int trace_file_close(struct trace_file *f, char *why, size_t size);

#endif
