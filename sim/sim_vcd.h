/* SPDX-License-Identifier: Apache-2.0 */
/* A sink of the binary trace that writes a VCD file (IEEE 1364 value change dump) for gtkwave; by
 * way of vcd2fst also for everything that reads FST.
 *
 * Scopes: adapterN, in it one for each block (the tracks of sim_events.def), in it one for each
 * kind of record with its fields as vectors. Every block has `event`, a string that names its last
 * record, and `events`, their number; beside them stand the counters and states of that block:
 * doorbell.doorbells, fetch.in_flight, media.outstanding, bus.data_lines, status.rrq_writes,
 * contexts.open, contexts.state, port.linkN, faults.fault.
 *
 * In the scope `slots` there is a string for each command slot that says what its command is doing:
 * free, fetch, decode, walk, port, media, data, afu, status, or stuck for one that a fault of its
 * fetch or of its AFU command holds for ever. A command that a fault dropped, or that an exchange
 * without an answer holds, leaves no record: its slot keeps its state until it is used again, or
 * aborted. */
#ifndef SIM_SIM_VCD_H
#define SIM_SIM_VCD_H

#include <stddef.h>

#include "hal/support/must_check.h"
#include "sim/sim_trace.h"
#include "sim/sim_trace_output.h"

struct sim_vcd;

/**
 * Creates (or empties) a file and writes its head.
 *
 * @param path  of the file
 * @param info  for the head, not kept
 * @param out   the writer; its owner ends it with sim_vcd_close
 * @param why   receives a sentence on failure, `size` bytes, may be NULL
 * @return      0, -EINVAL (number of adapters), -ENOMEM, or the errno of creating the file
 */
HAL_MUST_CHECK int sim_vcd_open(const char *path, const struct sim_trace_info *info,
                                struct sim_vcd **out, char *why, size_t size);

/** The sim_trace_sink; arg is the struct sim_vcd. Records must come in order of cycles. After a
 * failed write it does nothing more: sim_vcd_close tells. One thread at a time. */
void sim_vcd_records(void *arg, const struct sim_trace_record *records, size_t count);

/** Writes what is left, closes the file and frees the writer. The trace must have been flushed, and
 * must not have this sink any more. Returns 0 or the first error of writing (-ENOSPC, -EIO, ...)
 * with a sentence in why (size bytes, may be NULL). */
HAL_MUST_CHECK int sim_vcd_close(struct sim_vcd *v, char *why, size_t size);

#endif
