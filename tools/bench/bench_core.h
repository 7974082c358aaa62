/* SPDX-License-Identifier: Apache-2.0 */
/* Host instructions of one 4 KiB read in core and HAL (PB-20): submit and complete over a device
 * that is nothing but memory. Meant for
 *
 *   valgrind --tool=callgrind --collect-atstart=no --toggle-collect=bench_core_submit
 *            --toggle-collect=bench_core_harvest
 *
 * which counts what the two functions below execute, callees included, and nothing else: the
 * device completes between them. Whoever wants times calls bench_core_run() and looks at a clock.
 */
#ifndef TOOLS_BENCH_BENCH_CORE_H
#define TOOLS_BENCH_BENCH_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/superpipe.h"

enum { BENCH_CORE_BATCH_MAX = 256 };

struct bench_core;

/** Makes a queue of `batch` command pairs (1..BENCH_CORE_BATCH_MAX) over the memory device; NULL
 * if memory ran out. `swapped` runs it in the byte order that is not the host's. */
struct bench_core *bench_core_create(unsigned batch, bool swapped);

/** Frees it; NULL is ignored. */
void bench_core_destroy(struct bench_core *b);

/** Runs `rounds` rounds of one batch each; returns the number of reads that ended well. */
uint64_t bench_core_run(struct bench_core *b, uint64_t rounds);

/** Submits a batch of n reads, as spipe_submit() does: one clock reading, then for each the slot,
 * the credit, the IOARCB and the doorbell. Returns how many were taken. */
unsigned bench_core_submit(struct bench_core *b, const struct spipe_io *ios, unsigned n);

/** Harvests up to max completions, as spipe_poll() does. Returns their number. */
unsigned bench_core_harvest(struct bench_core *b, struct spipe_completion *out, unsigned max);

#endif
