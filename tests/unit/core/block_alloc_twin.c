/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/block_alloc_twin.h"

#include <stdlib.h>
#include <string.h>

#include "hal/support/check.h"

void twin_init(struct twin *t, uint64_t total)
{
    uint64_t blocks = total * 65536 + 65535; /* the tail is never used (VL-6) */
    int rc;

    t->bytes = spipe__ba_bytes(total);
    t->mem = malloc(t->bytes);
    CHECK(t->mem);
    memset(t->mem, 0xA5, t->bytes);
    rc = spipe__ba_init(&t->ba, t->mem, t->bytes, blocks, 4096);
    CHECK(rc == 0);
    naive_init(&t->naive, total);
}

void twin_fini(struct twin *t)
{
    free(t->mem);
    naive_fini(&t->naive);
}

static int do_ours(struct spipe__ba *ba, struct twin_op *op)
{
    switch (op->kind) {
    case TWIN_ALLOCATE:
        return spipe__ba_allocate(ba, &op->chunk);
    case TWIN_FREE:
        return spipe__ba_free(ba, op->chunk);
    case TWIN_ADD_REFERENCE:
        return spipe__ba_add_reference(ba, op->chunk);
    default:
        return spipe__ba_reserve(ba, op->chunk);
    }
}

static int do_naive(struct naive *n, struct twin_op *op)
{
    switch (op->kind) {
    case TWIN_ALLOCATE:
        return naive_allocate(n, &op->chunk);
    case TWIN_FREE:
        return naive_free(n, op->chunk);
    case TWIN_ADD_REFERENCE:
        return naive_add_reference(n, op->chunk);
    default:
        return naive_reserve(n, op->chunk);
    }
}

static bool chunk_agrees(const struct twin *t, uint64_t chunk)
{
    unsigned expected = naive_references(&t->naive, chunk);
    bool foreign = chunk >= t->naive.total;

    return spipe__ba_references(&t->ba, chunk) == expected &&
           spipe__ba_is_allocated(&t->ba, chunk) == (foreign || expected > 0);
}

static bool fail(const char **why, const char *what)
{
    if (why)
        *why = what;
    return false;
}

bool twin_apply(struct twin *t, struct twin_op op, const char **why)
{
    struct twin_op ours = op, theirs = op;
    int rc = do_ours(&t->ba, &ours), expected = do_naive(&t->naive, &theirs);

    if (rc != expected)
        return fail(why, "result");
    if (ours.chunk != theirs.chunk)
        return fail(why, "chunk given out");
    if (t->ba.current != t->naive.current)
        return fail(why, "cursor");
    if (spipe__ba_space(&t->ba) != t->naive.free_count)
        return fail(why, "space");
    if (spipe__ba_total(&t->ba) != t->naive.total)
        return fail(why, "size");
    return chunk_agrees(t, ours.chunk) || fail(why, "references of the chunk");
}

bool twin_agrees(const struct twin *t, const char **why)
{
    uint64_t end = t->naive.words * 64 + 1, free_chunks = 0;

    for (uint64_t c = 0; c < end; c++) {
        if (!chunk_agrees(t, c))
            return fail(why, "references of some chunk");
        free_chunks += !spipe__ba_is_allocated(&t->ba, c);
    }
    return spipe__ba_space(&t->ba) == free_chunks || fail(why, "space and free chunks (INV-3)");
}
