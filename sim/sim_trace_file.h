/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of the binary trace that keeps it binary: a file of fixed-size records that `superpipe
 * trace` reads. Nothing is formatted while the model runs. sim_trace_format.h has the layout,
 * sim_trace_reader.h the way back. */
#ifndef SIM_SIM_TRACE_FILE_H
#define SIM_SIM_TRACE_FILE_H

#include <stddef.h>

#include "hal/support/must_check.h"
#include "sim/sim_trace.h"
#include "sim/sim_trace_output.h"

struct sim_trace_file;

/**
 * Creates (or empties) a file and writes its head.
 *
 * @param path  of the file
 * @param info  for the head, not kept
 * @param out   the writer; its owner ends it with sim_trace_file_close
 * @param why   receives a sentence on failure, `size` bytes, may be NULL
 * @return      0, -EINVAL (number of adapters), -ENOMEM, or the errno of creating the file
 */
HAL_MUST_CHECK int sim_trace_file_open(const char *path, const struct sim_trace_info *info,
                                       struct sim_trace_file **out, char *why, size_t size);

/** The sim_trace_sink; arg is the struct sim_trace_file. After a failed write it does nothing more:
 * sim_trace_file_close tells. One thread at a time. */
void sim_trace_file_records(void *arg, const struct sim_trace_record *records, size_t count);

/** Writes the end mark, closes the file and frees the writer. The trace must have been flushed, and
 * must not have this sink any more. Returns 0 or the first error of writing (-ENOSPC, -EIO, ...)
 * with a sentence in why (size bytes, may be NULL). */
HAL_MUST_CHECK int sim_trace_file_close(struct sim_trace_file *f, char *why, size_t size);

#endif
