/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/block_alloc_naive.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "hal/support/check.h"

enum { OWNERS_MAX = 256 }; /* VL-45: one and 255 more */

void naive_init(struct naive *n, uint64_t total)
{
    uint64_t bits;

    *n = (struct naive){.total = total, .free_count = total};
    while (n->words * 64 < total)
        n->words++;
    bits = n->words * 64;
    n->owners = calloc(bits, sizeof *n->owners);
    CHECK(n->owners);
    for (uint64_t b = total; b < bits; b++)
        n->owners[b] = NAIVE_NO_CHUNK;
}

void naive_fini(struct naive *n) { free(n->owners); }

/* The lowest-numbered free bit of word w. */
static bool free_bit(const struct naive *n, uint64_t w, uint64_t *chunk)
{
    for (unsigned b = 0; b < 64; b++) {
        *chunk = w * 64 + b;
        if (n->owners[*chunk] == 0)
            return true;
    }
    return false;
}

static void taken_by_search(struct naive *n, uint64_t w, uint64_t chunk)
{
    n->owners[chunk] = 1;
    n->free_count--;
    n->current = w;
    if (chunk == w * 64 + 63)
        n->current++;
}

int naive_allocate(struct naive *n, uint64_t *chunk)
{
    if (n->free_count == 0)
        return -ENOSPC;
    for (uint64_t i = 0; i < n->words; i++) {
        uint64_t w = (n->current + i) % n->words, found; /* current..high-1, low..current-1 */

        if (!free_bit(n, w, &found))
            continue;
        taken_by_search(n, w, found);
        *chunk = found;
        return 0;
    }
    CHECK(!"a free chunk that no search finds");
    return -ENOSPC;
}

static bool has(const struct naive *n, uint64_t chunk) { return chunk < n->total; }

int naive_free(struct naive *n, uint64_t chunk)
{
    if (!has(n, chunk) || n->owners[chunk] == 0)
        return -EINVAL;
    if (--n->owners[chunk] == 0)
        n->free_count++;
    return 0;
}

int naive_add_reference(struct naive *n, uint64_t chunk)
{
    if (!has(n, chunk) || n->owners[chunk] == 0)
        return -EINVAL;
    if (n->owners[chunk] == OWNERS_MAX)
        return -EMLINK;
    n->owners[chunk]++;
    return 0;
}

int naive_reserve(struct naive *n, uint64_t chunk)
{
    if (!has(n, chunk))
        return -EINVAL;
    if (n->owners[chunk] == OWNERS_MAX)
        return -EMLINK;
    if (n->owners[chunk]++ == 0)
        n->free_count--;
    return 0;
}

unsigned naive_references(const struct naive *n, uint64_t chunk)
{
    return has(n, chunk) ? n->owners[chunk] : 0;
}
