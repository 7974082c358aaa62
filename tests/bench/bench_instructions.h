/* SPDX-License-Identifier: Apache-2.0 */
/* Host instructions of one 4 KiB read in core and HAL (PB-20), counted by callgrind. */
#ifndef TESTS_BENCH_BENCH_INSTRUCTIONS_H
#define TESTS_BENCH_BENCH_INSTRUCTIONS_H

/** Runs this program again under valgrind and returns instructions a read in batches of `batch`,
 * or NAN where valgrind is missing. The memory device's share of a doorbell is counted too, so the
 * figure is an upper bound. */
double bench_instructions(unsigned batch);

/** What runs under valgrind. */
int bench_instructions_inside(unsigned batch);

#endif
