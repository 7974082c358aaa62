/* SPDX-License-Identifier: Apache-2.0 */
/* Host instructions of one 4 KiB read, counted by callgrind: in core and HAL (PB-20), and in all.
 */
#ifndef TESTS_BENCH_BENCH_INSTRUCTIONS_H
#define TESTS_BENCH_BENCH_INSTRUCTIONS_H

/** Runs this program again under valgrind and returns instructions a read in batches of `batch`,
 * or NAN where valgrind is missing. The memory device's share of a doorbell is counted too, so the
 * figure is an upper bound. */
double bench_instructions(unsigned batch);

/** The same of the whole stack, model and loop included: of two runs of bench_twin the difference.
 * NAN where valgrind is missing. */
double bench_instructions_of(const char *twin);

/** What runs under valgrind. */
int bench_instructions_inside(unsigned batch);

#endif
