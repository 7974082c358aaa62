/* SPDX-License-Identifier: Apache-2.0 */
/* Host instructions of one 4 KiB read in core and HAL (PB-20): spipe_submit and spipe_poll over a
 * device that is nothing but memory. Meant for
 *
 *   valgrind --tool=callgrind --collect-atstart=no
 *            --toggle-collect=spipe_submit --toggle-collect=spipe_poll
 *
 * which counts what these two execute, callees included, and nothing else: the device completes
 * between them, and its share of a doorbell is the function bench_core_device_write, to be
 * subtracted. Whoever wants times calls bench_core_run() and looks at a clock. */
#ifndef TESTS_BENCH_BENCH_CORE_H
#define TESTS_BENCH_BENCH_CORE_H

#include <stdbool.h>
#include <stdint.h>

enum { BENCH_CORE_BATCH_MAX = 256 };

struct bench_core;
struct hal_ctx;

/**
 * Makes a context with a queue over the memory device.
 *
 * @param batch    reads submitted and completed at a time, 1..BENCH_CORE_BATCH_MAX
 * @param swapped  runs it in the byte order that is not the host's
 * @return         object to be freed with bench_core_destroy(); NULL if memory ran out
 */
struct bench_core *bench_core_create(unsigned batch, bool swapped);

/** Frees it; NULL is ignored. */
void bench_core_destroy(struct bench_core *b);

/** Runs `rounds` rounds of one batch each; returns the number of reads that ended well. */
uint64_t bench_core_run(struct bench_core *b, uint64_t rounds);

/** The device's side of a register write, under a name that a profile shows. */
void bench_core_device_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value);

#endif
