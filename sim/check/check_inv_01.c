/* SPDX-License-Identifier: Apache-2.0 */
/* INV-1 and INV-2: every chunk has as many owners as the allocator says. Owners are entries of
 * handles (R), what is quarantined or dirty (Q), and names. */
#include <inttypes.h>

#include "sim/check/check.h"

/* INV-1: no owner without an allocated chunk. */
static bool owners_have_chunks(const struct check_input *in, struct check_verdict *v)
{
    uint32_t near = 0;

    for (uint32_t i = 0; i < in->claims->n; i++) {
        const struct check_claim *c = &in->claims->claim[i];

        if (!check_run_near(in->picture, c->lun, c->chunk, &near))
            return check_broken(v, 1, "LUN %" PRIu32 ": chunk %" PRIu64 " has an owner and is free",
                                c->lun, c->chunk);
    }
    return true;
}

/* How many there are, going on from claim *at: chunks are asked for in their order. */
static uint32_t owners_of(const struct check_claims *all, uint32_t lun, uint64_t chunk,
                          uint32_t *at)
{
    const struct check_claim *c = all->claim;
    uint32_t from;

    while (*at < all->n && (c[*at].lun < lun || (c[*at].lun == lun && c[*at].chunk < chunk)))
        ++*at;
    for (from = *at; *at < all->n && c[*at].lun == lun && c[*at].chunk == chunk;)
        ++*at;
    return *at - from;
}

/* Calls `fn` for each allocated chunk and its owners, until the first that is broken. */
typedef bool chunk_fn(struct check_verdict *v, uint32_t lun, uint64_t chunk, uint64_t references,
                      uint32_t owners);

static bool each_chunk(const struct check_input *in, struct check_verdict *v, chunk_fn *fn)
{
    uint32_t at = 0;

    for (uint32_t lun = 0; lun < in->picture->n.luns; lun++) {
        struct hal_picture_span runs = hal_picture_lun(in->picture, lun)->runs;

        for (uint32_t i = 0; i < runs.count; i++) {
            const struct hal_picture_run *r = hal_picture_run(in->picture, runs.first + i);

            for (uint64_t chunk = r->first; chunk < r->first + r->count; chunk++)
                if (!fn(v, lun, chunk, r->references, owners_of(in->claims, lun, chunk, &at)))
                    return false;
        }
    }
    return true;
}

/* INV-1: no allocated chunk without an owner. */
static bool has_owner(struct check_verdict *v, uint32_t lun, uint64_t chunk, uint64_t references,
                      uint32_t owners)
{
    (void)references;
    return owners ||
           check_broken(v, 1, "LUN %" PRIu32 ": chunk %" PRIu64 " is allocated and nobody has it",
                        lun, chunk);
}

/** INV-1: A(c) if and only if R(c) + Q(c) >= 1. In a part of a picture owners are missing. */
bool check_inv_01(const struct check_input *in, struct check_verdict *v)
{
    return owners_have_chunks(in, v) && (in->picture->part || each_chunk(in, v, has_owner));
}

static bool adds_up(struct check_verdict *v, uint32_t lun, uint64_t chunk, uint64_t references,
                    uint32_t owners)
{
    return owners == references || check_broken(v, 2,
                                                "LUN %" PRIu32 ": chunk %" PRIu64 " has %" PRIu32
                                                " owners and %" PRIu64 " references",
                                                lun, chunk, owners, references);
}

/** INV-2: R(c) + Q(c) = 1 + K(c) for every allocated chunk. In a part of a picture owners are
 * missing, and only the sum of all tells (check_owned_adds_up()). */
bool check_inv_02(const struct check_input *in, struct check_verdict *v)
{
    return in->picture->part || each_chunk(in, v, adds_up);
}
