/* SPDX-License-Identifier: Apache-2.0 */
/* The block allocation table and the naive one in lock step: each operation is done to both, and
 * what it gave is compared. */
#ifndef TESTS_UNIT_CORE_BLOCK_ALLOC_TWIN_H
#define TESTS_UNIT_CORE_BLOCK_ALLOC_TWIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lun/block_alloc.h"
#include "tests/unit/core/block_alloc_naive.h"

struct twin {
    struct spipe__ba ba;
    void *mem; /* of ba */
    size_t bytes;
    struct naive naive;
};

enum twin_kind { TWIN_ALLOCATE, TWIN_FREE, TWIN_ADD_REFERENCE, TWIN_RESERVE, TWIN_KINDS };

/** One operation; TWIN_ALLOCATE has no argument. */
struct twin_op {
    enum twin_kind kind;
    uint64_t chunk;
};

/** Makes both, of `total` chunks, all free. Aborts if memory ran out. */
void twin_init(struct twin *t, uint64_t total);

/** Frees both. */
void twin_fini(struct twin *t);

/** Does one operation to both. Returns whether results, chunk given out, cursor, space, size, and
 * references of the chunk are the same; on failure *why, if not NULL, names what is not. */
bool twin_apply(struct twin *t, struct twin_op op, const char **why);

enum { TWIN_PARTS_MAX = 8 };

/** Takes up to `most` chunks in up to `parts` parts, at most TWIN_PARTS_MAX, from one, and the same
 * number one by one from the other. Returns and names what twin_apply() does, and a number that is
 * smaller for no reason. */
bool twin_allocate_parts(struct twin *t, uint64_t most, unsigned parts, const char **why);

/** Frees chunks of word `w` at once where that is simple, and then the same one by one. Returns and
 * names what twin_apply() does, and whether it was simple. */
bool twin_free_part(struct twin *t, uint64_t w, uint64_t mask, const char **why);

/** Compares the references of every chunk, and of numbers behind the last one, and the free count
 * with a count of them (INV-3). */
bool twin_agrees(const struct twin *t, const char **why);

#endif
