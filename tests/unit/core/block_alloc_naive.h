/* SPDX-License-Identifier: Apache-2.0 */
/* The block allocation table as docs/spec/vlun.md section 3 has it, with nothing clever: one number
 * for each bit of each word, and a search that asks bit after bit. What core/lun/block_alloc.c must
 * do, this does; how it does it has nothing in common. */
#ifndef TESTS_UNIT_CORE_BLOCK_ALLOC_NAIVE_H
#define TESTS_UNIT_CORE_BLOCK_ALLOC_NAIVE_H

#include <stdint.h>

/** The number of a bit that stands for no chunk: allocated for ever (VL-6). */
#define NAIVE_NO_CHUNK UINT16_MAX

/** One table. Members are for reading and, between operations, for putting an old state back. */
struct naive {
    uint16_t *owners;    /* of each bit: 0 = free, 1..256 = references, or NAIVE_NO_CHUNK */
    uint64_t total;      /* chunks */
    uint64_t words;      /* of 64 bits */
    uint64_t current;    /* word at which the next search starts */
    uint64_t free_count; /* bits that are 0 */
};

/** Makes a table of `total` chunks, at least 1, all free (VL-6). Aborts if memory ran out. */
void naive_init(struct naive *n, uint64_t total);

/** Frees its memory. */
void naive_fini(struct naive *n);

/* VL-7, VL-9, VL-10, and what spipe__ba_reserve() promises, with the range checks of VL-12. Results
 * as those of core/lun/block_alloc.h. */
int naive_allocate(struct naive *n, uint64_t *chunk);
int naive_free(struct naive *n, uint64_t chunk);
int naive_add_reference(struct naive *n, uint64_t chunk);
int naive_reserve(struct naive *n, uint64_t chunk);

/** References of any number: 0 if it is free or no chunk of the table. */
unsigned naive_references(const struct naive *n, uint64_t chunk);

#endif
