/* SPDX-License-Identifier: Apache-2.0 */
/* Measures the block allocation table (PB-21) and two baselines that give out chunks of the same
 * LUN: a bitmap searched word by word, as VL-7 reads, and one reference count a chunk searched
 * byte by byte. One call is one sample; the caller repeats it and takes the median. */
#ifndef TESTS_BENCH_BENCH_BLOCK_ALLOC_H
#define TESTS_BENCH_BENCH_BLOCK_ALLOC_H

#include <stddef.h>

/** What is measured. */
enum bench_ba_kind {
    BENCH_BA_SUMMARIES, /* core/lun/block_alloc.c */
    BENCH_BA_SCAN,      /* bitmap, word by word from the cursor; same results as the above */
    BENCH_BA_COUNTS,    /* byte array of references, byte by byte from the last chunk given out */
    BENCH_BA_KINDS
};

/** Name of an implementation for a report; a constant string. */
const char *bench_ba_name(enum bench_ba_kind kind);

/**
 * Nanoseconds per allocation on a 64 TB LUN (262,144 chunks) of which about `fill` per mille is
 * allocated, the free chunks being scattered over all of it.
 *
 * @param kind  implementation
 * @param fill  1..999: share of allocated chunks in per mille
 * @return      nanoseconds an operation, median of batches, a million in all; negative if memory
 * ran out
 */
double bench_ba_allocate_ns(enum bench_ba_kind kind, unsigned fill);

/** The same for freeing chunks picked at random among the allocated ones. */
double bench_ba_free_ns(enum bench_ba_kind kind, unsigned fill);

/**
 * Nanoseconds per pair of freeing a chunk and allocating it again on a full LUN, the freed chunk
 * being each time in the word before the cursor: the case in which a search sees every word.
 *
 * @param kind  implementation
 * @return      nanoseconds a pair; negative if memory ran out
 */
double bench_ba_full_pair_ns(enum bench_ba_kind kind);

/** Bytes of the table of a 64 TB LUN (PB-22). */
size_t bench_ba_bytes(void);

#endif
