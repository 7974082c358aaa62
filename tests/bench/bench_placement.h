/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pages of a program lie in physical memory decides which of them share a set of a cache.
 * One copy of a file can be a fifth slower than the next, and stays so as long as the system keeps
 * it in memory. */
#ifndef TESTS_BENCH_BENCH_PLACEMENT_H
#define TESTS_BENCH_BENCH_PLACEMENT_H

/** Moves the code of this program to other pages, at the same addresses: measure between two calls,
 * several times. While it runs there must be one thread only. On failure, after a message on
 * stderr, the code stays where it is. */
void bench_move_code(void);

#endif
