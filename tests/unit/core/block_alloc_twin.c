/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/core/block_alloc_twin.h"

#include <stdlib.h>
#include <string.h>

#include "hal/support/check.h"

enum { BEHIND = 64 }; /* zeros behind the table: clone counts that are none look like those */

void twin_init(struct twin *t, uint64_t total)
{
    uint64_t blocks = total * 65536 + 65535; /* the tail is never used (VL-6) */
    int rc;

    t->bytes = spipe__ba_bytes(total);
    t->mem = calloc(1, t->bytes + BEHIND);
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

static bool counts_agree(const struct twin *t, const char **why)
{
    if (t->ba.current != t->naive.current)
        return fail(why, "cursor");
    if (spipe__ba_space(&t->ba) != t->naive.free_count)
        return fail(why, "space");
    if (spipe__ba_total(&t->ba) != t->naive.total)
        return fail(why, "size");
    return true;
}

bool twin_apply(struct twin *t, struct twin_op op, const char **why)
{
    struct twin_op ours = op, theirs = op;
    int rc = do_ours(&t->ba, &ours), expected = do_naive(&t->naive, &theirs);

    if (rc != expected)
        return fail(why, "result");
    if (ours.chunk != theirs.chunk)
        return fail(why, "chunk given out");
    if (!counts_agree(t, why))
        return false;
    return chunk_agrees(t, ours.chunk) || fail(why, "references of the chunk");
}

/* As many as in the parts that were given out, in that order. */
static bool parts_agree(struct twin *t, const struct spipe__ba_part *part, unsigned parts,
                        uint64_t *n)
{
    uint64_t ours[SPIPE__BA_PART_MAX], theirs;

    for (unsigned p = 0; p < parts; p++) {
        unsigned got = spipe__ba_list(&part[p], ours);

        for (unsigned i = 0; i < got; i++, ++*n)
            if (naive_allocate(&t->naive, &theirs) || ours[i] != theirs || !chunk_agrees(t, theirs))
                return false;
    }
    return true;
}

bool twin_allocate_parts(struct twin *t, uint64_t most, unsigned parts, const char **why)
{
    struct spipe__ba_part part[TWIN_PARTS_MAX];
    uint64_t n = 0;
    unsigned got;

    CHECK(parts <= TWIN_PARTS_MAX);
    got = spipe__ba_allocate_parts(&t->ba, most, part, parts);
    if (got > parts || !parts_agree(t, part, got, &n))
        return fail(why, "one of many chunks given out");
    if (n > most || (n < most && got < parts && t->naive.free_count))
        return fail(why, "number of chunks given out");
    return counts_agree(t, why);
}

/* All chunks of the word exist, none has a second reference, and those of `mask` have one. */
static bool is_simple(const struct twin *t, uint64_t w, uint64_t mask)
{
    if (w >= t->naive.total / 64)
        return false;
    for (unsigned bit = 0; bit < 64; bit++) {
        unsigned n = naive_references(&t->naive, w * 64 + bit);

        if (n > 1 || (n == 0 && mask >> bit & 1))
            return false;
    }
    return true;
}

bool twin_free_part(struct twin *t, uint64_t w, uint64_t mask, const char **why)
{
    bool simple = is_simple(t, w, mask);

    if (spipe__ba_free_part(&t->ba, &(struct spipe__ba_part){w, mask}) != simple)
        return fail(why, "whether a part is simple");
    for (unsigned bit = 0; simple && bit < 64; bit++)
        if (mask >> bit & 1 && naive_free(&t->naive, w * 64 + bit))
            return fail(why, "one of some chunks given back");
    for (unsigned bit = 0; w < t->naive.words && bit < 64; bit++)
        if (!chunk_agrees(t, w * 64 + bit))
            return fail(why, "references of a chunk of the word");
    return counts_agree(t, why);
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
