/* SPDX-License-Identifier: Apache-2.0 */
/* "The same order as VL-7 for ever": the block allocation table and the naive one do the
 * same random operations at many sizes and fills, and everything they say is compared after each.
 *
 * SPIPE_BLOCK_ALLOC_OPERATIONS in the environment is how many in all, a million by default; the
 * target block_alloc_lockstep_nightly runs 10^8. A run is a function of SPIPE_TEST_SEED and that
 * number: the same two repeat it, up to the operation that a failure names. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"
#include "tests/unit/core/block_alloc_twin.h"

TestSuite(block_alloc_lockstep, .timeout = 3600);

enum {
    PER_CENT = 100,
    PER_MILLE = 1000,
    PROBES = 128,       /* chunks looked at for an allocated one */
    PHASE = 20000,      /* operations, at least */
    PHASES_WANTED = 48, /* of a long run */
};

/* Shares of a phase, in per cent; what is left are allocations and frees. */
enum { FOREIGN = 3, FAVOURITE = 8, REFERENCE = 5, RESERVE = 4 };
enum { MANY = 64 }; /* one step in so many is about many chunks at once */

/* One table on its way. */
struct run {
    struct twin twin;
    struct hal_prng rng;
    uint64_t seed;
    uint64_t steps;       /* done so far */
    uint64_t approach;    /* those among them that only led to a fill */
    uint64_t comparisons; /* of all chunks */
    uint64_t favourite;   /* chunk that collects references up to the limit, then loses them all */
    bool draining;        /* it loses them */
};

static uint64_t operations_wanted(void)
{
    const char *text = getenv("SPIPE_BLOCK_ALLOC_OPERATIONS");
    return text ? strtoull(text, NULL, 0) : 1000000;
}

static void failed(const struct run *r, const char *what)
{
    cr_assert_fail("SPIPE_TEST_SEED=%" PRIu64 " SPIPE_BLOCK_ALLOC_OPERATIONS=%" PRIu64
                   ": table of %" PRIu64 " chunks, step %" PRIu64 ": %s differs",
                   r->seed, operations_wanted(), r->twin.naive.total, r->steps, what);
}

static void compare_all(struct run *r)
{
    const char *what = "";
    if (!twin_agrees(&r->twin, &what))
        failed(r, what);
    r->comparisons++;
}

/* A look at all chunks as often as there are chunks, so that it costs each step the same. */
static void stepped(struct run *r, bool agrees, const char *what)
{
    r->steps++;
    if (!agrees)
        failed(r, what);
    if (r->steps % hal_max64(r->twin.naive.total, 64) == 0)
        compare_all(r);
}

static void step(struct run *r, struct twin_op op)
{
    const char *what = "";
    bool agrees = twin_apply(&r->twin, op, &what);
    stepped(r, agrees, what);
}

/* ---- what comes next ---- */

static uint64_t used(const struct run *r) { return r->twin.naive.total - r->twin.naive.free_count; }

static uint64_t any_chunk(struct run *r) { return hal_prng_below(&r->rng, r->twin.naive.total); }

/* An allocated chunk if there is one nearby, else any. */
static uint64_t any_used(struct run *r)
{
    uint64_t start = any_chunk(r);
    for (uint64_t i = 0; i < PROBES; i++) {
        uint64_t c = (start + i) % r->twin.naive.total;
        if (naive_references(&r->twin.naive, c))
            return c;
    }
    return start;
}

/* A number that is no chunk: right behind the last one, the all-ones chunk of a damaged LXT entry
 * (VLW-13), one bit too many, or anything. */
static uint64_t foreign(struct run *r)
{
    uint64_t total = r->twin.naive.total;
    switch (hal_prng_below(&r->rng, 4)) {
    case 0:
        return total + hal_prng_below(&r->rng, 130);
    case 1:
        return UINT64_MAX >> 16;
    case 2:
        return any_chunk(r) | HAL_BIT(40 + hal_prng_below(&r->rng, 24));
    default:
        return hal_max64(hal_prng_next(&r->rng), total);
    }
}

static enum twin_kind any_kind_with_chunk(struct run *r)
{
    return (enum twin_kind)(TWIN_FREE + hal_prng_below(&r->rng, TWIN_KINDS - TWIN_FREE));
}

/* Up to 256 references, once more against the limit, and down until it is free. */
static struct twin_op for_favourite(struct run *r)
{
    struct twin_op op = {r->draining ? TWIN_FREE : TWIN_ADD_REFERENCE, r->favourite};
    unsigned references = naive_references(&r->twin.naive, r->favourite);
    if (r->draining && references <= 1) {
        r->draining = false;
        r->favourite = any_used(r);
    } else if (references == 256) {
        r->draining = true;
    }
    return op;
}

/* Allocations and frees, so many of each that the fill stays where it is wanted. */
static struct twin_op towards(struct run *r, uint64_t wanted)
{
    bool more = used(r) < wanted;
    if (hal_prng_below(&r->rng, 4) == 0)
        more = !more;
    if (more)
        return (struct twin_op){TWIN_ALLOCATE, hal_prng_next(&r->rng)};
    return (struct twin_op){TWIN_FREE, any_used(r)};
}

static struct twin_op draw(struct run *r, uint64_t wanted)
{
    unsigned roll = (unsigned)hal_prng_below(&r->rng, PER_CENT);
    if (roll < FOREIGN)
        return (struct twin_op){any_kind_with_chunk(r), foreign(r)};
    if ((roll -= FOREIGN) < FAVOURITE)
        return for_favourite(r);
    if ((roll -= FAVOURITE) < REFERENCE)
        return (struct twin_op){TWIN_ADD_REFERENCE, any_used(r)};
    if (roll - REFERENCE < RESERVE)
        return (struct twin_op){TWIN_RESERVE, any_chunk(r)};
    return towards(r, wanted);
}

/* ---- many at once ---- */

/* Runs of bits from anywhere to anywhere, so that whole words come too, or any bits. */
static uint64_t any_mask(struct run *r)
{
    uint64_t from = UINT64_MAX << hal_prng_below(&r->rng, 64);
    switch (hal_prng_below(&r->rng, 4)) {
    case 0:
        return UINT64_MAX;
    case 1:
        return from;
    case 2:
        return (from & UINT64_MAX >> hal_prng_below(&r->rng, 64)) | HAL_BIT(63);
    default:
        return hal_prng_next(&r->rng) | 1;
    }
}

/* Of a word, those bits whose chunks have one reference; most other masks are not simple. */
static uint64_t used_once(const struct run *r, uint64_t w)
{
    uint64_t mask = 0;
    for (unsigned bit = 0; bit < 64; bit++)
        if (naive_references(&r->twin.naive, w * 64 + bit) == 1)
            mask |= HAL_BIT(bit);
    return mask;
}

static void free_part(struct run *r)
{
    const char *what = "";
    bool is_foreign = hal_prng_below(&r->rng, 8) == 0, agrees;
    uint64_t w = is_foreign ? foreign(r) : any_used(r) / 64, mask = any_mask(r);
    if (!is_foreign && hal_prng_below(&r->rng, 4) && mask & used_once(r, w))
        mask &= used_once(r, w);
    agrees = twin_free_part(&r->twin, w, mask, &what);
    stepped(r, agrees, what);
}

static void allocate_parts(struct run *r)
{
    const char *what = "";
    uint64_t most = hal_prng_below(&r->rng, 200);
    unsigned parts = (unsigned)hal_prng_below(&r->rng, TWIN_PARTS_MAX + 1);
    bool agrees = twin_allocate_parts(&r->twin, most, parts, &what);
    stepped(r, agrees, what);
}

static void many(struct run *r, uint64_t wanted)
{
    if (used(r) < wanted || hal_prng_below(&r->rng, 4) == 0)
        allocate_parts(r);
    else
        free_part(r);
}

/* ---- runs ---- */

/* Goes to a fill by the shortest way, in lock step too. */
static void approach(struct run *r, uint64_t wanted)
{
    uint64_t before = r->steps;
    while (used(r) < wanted)
        step(r, (struct twin_op){TWIN_ALLOCATE, 0});
    while (used(r) > wanted)
        step(r, (struct twin_op){TWIN_FREE, any_used(r)});
    r->approach += r->steps - before;
}

/* Full tables are short phases: each search of the naive one takes all of its bits. */
static void phase(struct run *r, unsigned fill, uint64_t operations)
{
    uint64_t total = r->twin.naive.total, wanted = (total * fill + PER_MILLE / 2) / PER_MILLE;
    approach(r, wanted);
    r->favourite = any_used(r);
    r->draining = false;
    for (uint64_t i = 0; i < operations; i++)
        if (hal_prng_below(&r->rng, MANY) == 0)
            many(r, wanted);
        else
            step(r, draw(r, wanted));
}

/* `operations` of them, at one fill after the other. */
static void run_table(uint64_t total, uint64_t operations)
{
    static const unsigned fill[] = {999, 1000, 500, 10, 900, 999, 0, 990};
    struct run r = {.seed = test_seed(20260102)};
    uint64_t length = hal_max64(PHASE, operations / PHASES_WANTED), left = operations;
    hal_prng_seed(&r.rng, r.seed, total);
    twin_init(&r.twin, total);
    for (unsigned i = 0; left; i++) {
        unsigned now = fill[i % HAL_ARRAY_LENGTH(fill)];
        uint64_t most = now == PER_MILLE && total > 100000 ? length / 10 : length;
        uint64_t n = hal_min64(left, most);
        phase(&r, now, n);
        left -= n;
    }
    compare_all(&r);
    fprintf(stderr,
            "%" PRIu64 " chunks: %" PRIu64 " operations and %" PRIu64
            " on the way to a fill, all chunks compared %" PRIu64 " times\n",
            total, operations, r.approach, r.comparisons);
    twin_fini(&r.twin);
}

/* A share of all operations, in per cent. */
static uint64_t share(unsigned per_cent) { return operations_wanted() / PER_CENT * per_cent; }

Test(block_alloc_lockstep, part_of_a_word)
{
    run_table(1, share(2));
    run_table(40, share(8));
    PROVES(R_51);
    PROVES(VL_7);
    PROVES(VL_12);
}

Test(block_alloc_lockstep, one_word)
{
    run_table(63, share(5));
    run_table(64, share(5));
    PROVES(R_51);
    PROVES(VL_9);
    PROVES(VL_10);
}

Test(block_alloc_lockstep, two_words)
{
    run_table(65, share(10));
    run_table(128, share(5));
    PROVES(R_51);
    PROVES(VL_7);
}

/* 101 words, the last one with 63 chunks; a second summary word. */
Test(block_alloc_lockstep, many_words)
{
    run_table(6463, share(20));
    PROVES(R_51);
    PROVES(VL_9);
}

/* The last word is alone under its summary word, and has one chunk. */
Test(block_alloc_lockstep, lone_last_word)
{
    run_table(4097, share(20));
    PROVES(R_51);
    PROVES(VL_10);
}

Test(block_alloc_lockstep, lun_of_64_tb)
{
    run_table(262144, share(25));
    PROVES(R_51);
    PROVES(VL_7);
    PROVES(INV_3);
}
