/* SPDX-License-Identifier: Apache-2.0 */
/* The block allocation table against three things: the vectors A1..A9 of docs/spec/vlun.md section
 * 18 literally; a model written bit by bit from the words of VL-7..VL-10, in lock-step; and INV-3
 * with the rule of the summaries, which is checked after every single operation.
 *
 * The random test prints its seed; SPIPE_TEST_SEED=<number> in the environment runs another one. */
#include "core/lun/block_alloc.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/proves.h"

TestSuite(block_alloc, .timeout = 240);

/* ---- the model ---- */

/* Section 3 of vlun.md as it reads; the two maps have an entry for every bit of every word. */
struct model {
    uint8_t *bit; /* 1 = free; bits beyond total are 0 for ever */
    uint8_t *clones;
    uint64_t total, high, current, free_count;
};

static void model_init(struct model *m, uint64_t total)
{
    *m = (struct model){.total = total, .high = (total + 63) / 64, .free_count = total};
    m->bit = calloc(m->high, 64);
    m->clones = calloc(m->high, 64);
    cr_assert(m->bit && m->clones);
    memset(m->bit, 1, total);
}

/* "Search words current..high-1, then low..current-1; take the lowest-numbered free bit of the
 * first word that has one": the first free bit in this order. */
static bool model_search(const struct model *m, uint64_t from, uint64_t to, uint64_t *chunk)
{
    for (uint64_t w = from; w < to; w++) {
        for (uint64_t b = 0; b < 64; b++) {
            if (m->bit[64 * w + b]) {
                *chunk = 64 * w + b;
                return true;
            }
        }
    }
    return false;
}

static int model_allocate(struct model *m, uint64_t *chunk)
{
    const uint64_t low = 0;
    if (m->free_count == 0)
        return -ENOSPC;
    if (!model_search(m, m->current, m->high, chunk) && !model_search(m, low, m->current, chunk))
        cr_assert_fail("the model lost %" PRIu64 " free chunks", m->free_count);
    m->bit[*chunk] = 0;
    m->free_count--;
    m->current = *chunk % 64 == 63 ? *chunk / 64 + 1 : *chunk / 64;
    return 0;
}

static int model_free(struct model *m, uint64_t chunk)
{
    if (chunk >= m->total || m->bit[chunk])
        return -EINVAL;
    if (m->clones[chunk] > 0) {
        m->clones[chunk]--;
        return 0;
    }
    m->bit[chunk] = 1;
    m->free_count++;
    return 0;
}

static int model_add_reference(struct model *m, uint64_t chunk)
{
    if (chunk >= m->total || m->bit[chunk])
        return -EINVAL;
    if (m->clones[chunk] == 255)
        return -EMLINK;
    m->clones[chunk]++;
    return 0;
}

static int model_reserve(struct model *m, uint64_t chunk)
{
    if (chunk >= m->total || !m->bit[chunk])
        return model_add_reference(m, chunk);
    m->bit[chunk] = 0;
    m->free_count--;
    return 0;
}

/* ---- table and model side by side ---- */

struct pair {
    struct spipe__ba ba;
    void *mem;
    size_t bytes;
    struct model m;
};

enum kind { ALLOCATE, FREE, ADD_REFERENCE, RESERVE, KINDS };

struct op {
    enum kind kind;
    uint64_t chunk;
};

static void table_init(struct pair *p, uint64_t lba_count)
{
    p->bytes = spipe__ba_bytes(lba_count / 65536);
    p->mem = malloc(p->bytes);
    cr_assert_not_null(p->mem);
    memset(p->mem, 0xA5, p->bytes);
    cr_assert_eq(spipe__ba_init(&p->ba, p->mem, p->bytes, lba_count, 4096), 0);
}

static void pair_init(struct pair *p, uint64_t total)
{
    table_init(p, total * 65536 + 65535);
    model_init(&p->m, total);
}

static void pair_finish(struct pair *p)
{
    free(p->mem);
    free(p->m.bit);
    free(p->m.clones);
}

/* INV-3: the free count is the number of free bits among 0..total-1 and no bit beyond is free. */
static bool inv_3_holds(const struct spipe__ba *ba)
{
    uint64_t count = 0;
    for (uint64_t w = 0; w < ba->high; w++)
        count += hal_bit_count(ba->level[0][w]);
    if (ba->total % 64 && ba->level[0][ba->high - 1] >> (ba->total % 64))
        return false;
    return count == ba->free_count;
}

/* Bit i of every summary says whether word i below is not 0; the word behind a level is 0. */
static bool summaries_hold(const struct spipe__ba *ba)
{
    uint64_t words = ba->high;
    for (unsigned n = 1; n < ba->levels; n++) {
        uint64_t expected = 0, summaries = (words + 63) / 64;
        for (uint64_t i = 0; i < words; i++) {
            expected |= (uint64_t)(ba->level[n - 1][i] != 0) << (i % 64);
            if (i % 64 != 63 && i != words - 1)
                continue;
            if (ba->level[n][i / 64] != expected)
                return false;
            expected = 0;
        }
        if (ba->level[n - 1][words] != 0)
            return false;
        words = summaries;
    }
    return words == 1 && ba->level[ba->levels - 1][1] == 0;
}

static bool is_sound(const struct spipe__ba *ba)
{
    return inv_3_holds(ba) && summaries_hold(ba) && ba->current <= ba->high;
}

static bool chunk_agrees(const struct pair *p, uint64_t chunk)
{
    unsigned references = 0;
    if (chunk >= p->m.total)
        return spipe__ba_is_allocated(&p->ba, chunk) && spipe__ba_references(&p->ba, chunk) == 0;
    if (!p->m.bit[chunk])
        references = 1u + p->m.clones[chunk];
    return spipe__ba_is_allocated(&p->ba, chunk) == !p->m.bit[chunk] &&
           spipe__ba_references(&p->ba, chunk) == references;
}

static bool all_chunks_agree(const struct pair *p)
{
    for (uint64_t c = 0; c <= p->m.total; c++) {
        if (!chunk_agrees(p, c))
            return false;
    }
    return true;
}

/* Does `op` on both sides and compares what came out. op->chunk receives what was allocated. */
static bool apply(struct pair *p, struct op *op)
{
    const uint64_t untouched = UINT64_C(0xDEAD);
    uint64_t ours = untouched, theirs = untouched;
    int rc = 0, expected = 0;
    switch (op->kind) {
    case ALLOCATE:
        rc = spipe__ba_allocate(&p->ba, &ours);
        expected = model_allocate(&p->m, &theirs);
        op->chunk = ours;
        break;
    case FREE:
        rc = spipe__ba_free(&p->ba, op->chunk);
        expected = model_free(&p->m, op->chunk);
        break;
    case ADD_REFERENCE:
        rc = spipe__ba_add_reference(&p->ba, op->chunk);
        expected = model_add_reference(&p->m, op->chunk);
        break;
    default:
        rc = spipe__ba_reserve(&p->ba, op->chunk);
        expected = model_reserve(&p->m, op->chunk);
        break;
    }
    return rc == expected && ours == theirs && p->ba.current == p->m.current &&
           spipe__ba_space(&p->ba) == p->m.free_count && spipe__ba_total(&p->ba) == p->m.total;
}

/* One operation and every check that can follow it. */
static bool step(struct pair *p, struct op op)
{
    return apply(p, &op) && is_sound(&p->ba) && (op.kind == ALLOCATE || chunk_agrees(p, op.chunk));
}

/* ---- vectors ---- */

/* Allocates and checks INV-3; the chunk, or a negative errno. */
static int64_t take(struct pair *p)
{
    uint64_t chunk = 0;
    int rc = spipe__ba_allocate(&p->ba, &chunk);
    cr_assert(is_sound(&p->ba));
    return rc ? rc : (int64_t)chunk;
}

static int give(struct pair *p, uint64_t chunk)
{
    int rc = spipe__ba_free(&p->ba, chunk);
    cr_assert(is_sound(&p->ba));
    return rc;
}

static void take_from_to(struct pair *p, int64_t first, int64_t last)
{
    for (int64_t c = first; c <= last; c++)
        cr_assert_eq(take(p), c, "instead of %" PRId64, c);
}

static void run_a1(struct pair *p)
{
    table_init(p, UINT64_C(130) * 65536);
    take_from_to(p, 0, 129);
    cr_assert_eq(take(p), -ENOSPC);
}

static void run_a2(struct pair *p)
{
    static const int64_t result[] = {129, 5, 70, -ENOSPC};
    static const uint64_t current[] = {2, 0, 1, 1};
    run_a1(p);
    cr_assert_eq(give(p, 5), 0);
    cr_assert_eq(give(p, 70), 0);
    cr_assert_eq(give(p, 129), 0);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(take(p), result[i], "allocation %d", i);
        cr_assert_eq(p->ba.current, current[i], "allocation %d", i);
    }
}

static void run_a3(struct pair *p)
{
    run_a2(p);
    cr_assert_eq(give(p, 7), 0);
    cr_assert_eq(give(p, 3), 0);
    cr_assert_eq(take(p), 3);
    cr_assert_eq(take(p), 7);
}

Test(block_alloc, vector_a1)
{
    struct pair p;
    run_a1(&p);
    cr_assert_eq(SPIPE__BA_LOW, 0);
    cr_assert_eq(p.ba.current, 2);
    cr_assert_eq(p.ba.high, 3);
    cr_assert_eq(spipe__ba_space(&p.ba), 0);
    PROVES(VL_7);
    PROVES(VL_11);
    free(p.mem);
}

Test(block_alloc, vector_a2)
{
    struct pair p;
    run_a2(&p);
    PROVES(VL_7);
    free(p.mem);
}

Test(block_alloc, vector_a3)
{
    struct pair p;
    run_a3(&p);
    PROVES(VL_8);
    free(p.mem);
}

Test(block_alloc, vector_a4)
{
    struct pair p;
    run_a3(&p);
    cr_assert_eq(p.ba.current, 0);
    cr_assert_eq(give(&p, 100), 0);
    cr_assert_eq(give(&p, 66), 0);
    cr_assert_eq(take(&p), 66);
    cr_assert_eq(take(&p), 100);
    PROVES(VL_7);
    free(p.mem);
}

Test(block_alloc, vector_a5)
{
    struct pair p;
    table_init(&p, UINT64_C(64) * 65536);
    take_from_to(&p, 0, 63);
    cr_assert_eq(p.ba.current, 1);
    cr_assert_eq(p.ba.high, 1);
    cr_assert_eq(give(&p, 10), 0);
    cr_assert_eq(take(&p), 10);
    cr_assert_eq(p.ba.current, 0);
    PROVES(VL_7);
    free(p.mem);
}

Test(block_alloc, vector_a6)
{
    struct pair p;
    table_init(&p, 3 * 65536 + 65535);
    cr_assert_eq(spipe__ba_total(&p.ba), 3);
    PROVES(VL_6);
    free(p.mem);
}

Test(block_alloc, vector_a7)
{
    struct pair p;
    table_init(&p, 64 * 65536);
    take_from_to(&p, 0, 1);
    cr_assert_eq(spipe__ba_add_reference(&p.ba, 0), 0);
    cr_assert_eq(p.ba.clones[0], 1);
    cr_assert_eq(spipe__ba_add_reference(&p.ba, 0), 0);
    cr_assert_eq(p.ba.clones[0], 2);
    for (int i = 0; i < 3; i++) {
        cr_assert(spipe__ba_is_allocated(&p.ba, 0));
        cr_assert_eq(give(&p, 0), 0);
    }
    cr_assert_not(spipe__ba_is_allocated(&p.ba, 0));
    cr_assert_eq(give(&p, 0), -EINVAL);
    PROVES(VL_9);
    free(p.mem);
}

Test(block_alloc, vector_a8)
{
    struct pair p;
    table_init(&p, 64 * 65536);
    cr_assert_eq(spipe__ba_add_reference(&p.ba, 0), -EINVAL);
    cr_assert_eq(take(&p), 0);
    for (int i = 1; i <= 255; i++)
        cr_assert_eq(spipe__ba_add_reference(&p.ba, 0), 0, "reference %d", i);
    cr_assert_eq(spipe__ba_add_reference(&p.ba, 0), -EMLINK);
    PROVES(VL_10);
    free(p.mem);
}

Test(block_alloc, vector_a9)
{
    struct pair p;
    table_init(&p, 200 * 65536);
    take_from_to(&p, 0, 69);
    cr_assert_eq(give(&p, 0), 0);
    cr_assert_eq(take(&p), 70);
    cr_assert_eq(take(&p), 71);
    PROVES(VL_8);
    free(p.mem);
}

/* ---- creation ---- */

Test(block_alloc, smaller_than_one_chunk_is_refused)
{
    static const uint64_t blocks[] = {0, 1, 65535};
    uint64_t mem[16];
    struct spipe__ba ba, before;
    memset(&ba, 0x5A, sizeof ba);
    before = ba;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(blocks); i++)
        cr_assert_eq(spipe__ba_init(&ba, mem, sizeof mem, blocks[i], 512), -ENOMEM);
    cr_assert_arr_eq(&ba, &before, sizeof ba);
    cr_assert_eq(spipe__ba_init(&ba, mem, sizeof mem, 65536, 512), 0);
    cr_assert_eq(spipe__ba_total(&ba), 1);
    cr_assert_eq(ba.lba_count, 65536);
    cr_assert_eq(ba.lba_size, 512);
    PROVES(VL_6);
}

Test(block_alloc, too_little_memory_is_refused)
{
    for (uint64_t total = 1; total < 300; total++) {
        size_t bytes = spipe__ba_bytes(total);
        void *mem = malloc(bytes);
        struct spipe__ba ba;
        cr_assert_not_null(mem);
        cr_assert_eq(spipe__ba_init(&ba, mem, bytes - 1, total * 65536, 4096), -ENOMEM);
        cr_assert_eq(spipe__ba_init(&ba, mem, bytes, total * 65536, 4096), 0);
        free(mem);
    }
}

Test(block_alloc, misaligned_memory_stops_the_program, .signal = SIGABRT)
{
    uint64_t mem[16];
    struct spipe__ba ba;
    cr_assert_eq(spipe__ba_init(&ba, (char *)mem + 1, sizeof mem - 1, 65536, 4096), 0);
}

/* Everything free, the tail of the last word never, and no clone count left from before. */
Test(block_alloc, starts_with_every_chunk_free)
{
    static const uint64_t totals[] = {1,   2,    63,   64,   65,   127,    128,
                                      129, 4095, 4096, 4097, 8192, 262144, 262145};
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(totals); i++) {
        struct pair p;
        pair_init(&p, totals[i]);
        cr_assert(is_sound(&p.ba), "%" PRIu64 " chunks", totals[i]);
        cr_assert(all_chunks_agree(&p), "%" PRIu64 " chunks", totals[i]);
        cr_assert_eq(spipe__ba_space(&p.ba), totals[i]);
        cr_assert_eq(p.ba.current, 0);
        pair_finish(&p);
    }
    PROVES(VL_6);
    PROVES(INV_3);
}

/* A 64 TB LUN has 2^34 blocks of 4096 bytes; a table of 2^32 + 1 chunks must not shrink to one of
 * a single chunk on the way. */
Test(block_alloc, counts_in_64_bits)
{
    struct pair p;
    uint64_t mem[64];
    struct spipe__ba ba;
    table_init(&p, UINT64_C(64) << (40 - 12));
    cr_assert_eq(spipe__ba_total(&p.ba), 262144);
    cr_assert_eq(spipe__ba_space(&p.ba), 262144);
    cr_assert_eq(spipe__ba_init(&ba, mem, sizeof mem, (UINT64_C(1) << 48) + 65536, 4096), -ENOMEM);
    cr_assert_eq(spipe__ba_init(&ba, mem, sizeof mem, UINT64_MAX, 4096), -ENOMEM);
    cr_assert_eq(spipe__ba_bytes(UINT64_MAX), SIZE_MAX);
    cr_assert_gt(spipe__ba_bytes(UINT64_C(1) << 33), (UINT64_C(9) << 33) / 8);
    PROVES(VL_15);
    free(p.mem);
}

Test(block_alloc, a_64_tb_lun_fits_the_limit)
{
    cr_assert_leq(spipe__ba_bytes(262144) + sizeof(struct spipe__ba), 400 * 1024);
    cr_assert_leq(spipe__ba_bytes(262144) + sizeof(struct spipe__ba), 300 * 1024);
}

/* ---- ranges, references, reservation ---- */

/* The numbers an LXT entry could give: just beyond the end, in the same word, an all-ones entry
 * (VLW-13), and one whose byte offset wraps. */
Test(block_alloc, chunks_of_other_luns_are_refused)
{
    static const uint64_t total[] = {1, 64, 100, 128};
    static const uint64_t far[] = {UINT64_MAX, UINT64_MAX >> 16, UINT64_C(1) << 32,
                                   UINT64_C(1) << 63};
    for (size_t t = 0; t < HAL_ARRAY_LENGTH(total); t++) {
        struct pair p;
        pair_init(&p, total[t]);
        for (int full = 0; full < 2; full++) {
            for (int kind = FREE; kind < KINDS; kind++) {
                for (uint64_t c = total[t]; c < total[t] + 200; c++)
                    cr_assert(step(&p, (struct op){(enum kind)kind, c}));
                for (size_t i = 0; i < HAL_ARRAY_LENGTH(far); i++)
                    cr_assert(step(&p, (struct op){(enum kind)kind, far[i]}));
            }
            for (uint64_t c = 0; c < total[t]; c++)
                cr_assert_eq(step(&p, (struct op){ALLOCATE, 0}), true);
        }
        cr_assert(all_chunks_agree(&p));
        pair_finish(&p);
    }
    PROVES(VL_12);
    PROVES(VLW_13);
}

Test(block_alloc, references_go_up_to_256_and_down_again)
{
    struct pair p;
    table_init(&p, 65 * 65536);
    take_from_to(&p, 0, 64);
    for (unsigned i = 1; i <= 255; i++) {
        cr_assert_eq(spipe__ba_add_reference(&p.ba, 64), 0);
        cr_assert_eq(spipe__ba_references(&p.ba, 64), 1 + i);
    }
    cr_assert_eq(spipe__ba_add_reference(&p.ba, 64), -EMLINK);
    cr_assert_eq(spipe__ba_reserve(&p.ba, 64), -EMLINK);
    cr_assert_eq(spipe__ba_references(&p.ba, 64), 256);
    for (unsigned i = 256; i > 0; i--) {
        cr_assert_eq(spipe__ba_space(&p.ba), 0);
        cr_assert_eq(spipe__ba_references(&p.ba, 64), i);
        cr_assert_eq(give(&p, 64), 0);
    }
    cr_assert_eq(spipe__ba_space(&p.ba), 1);
    cr_assert_eq(spipe__ba_references(&p.ba, 63), 1);
    cr_assert_eq(take(&p), 64);
    cr_assert_eq(spipe__ba_references(&p.ba, 64), 1);
    PROVES(VL_9);
    PROVES(VL_10);
    free(p.mem);
}

/* A table rebuilt from the references of another one is the same but for the cursor. */
Test(block_alloc, reserve_rebuilds_a_table)
{
    struct pair a, b;
    table_init(&a, 200 * 65536);
    table_init(&b, 200 * 65536);
    take_from_to(&a, 0, 149);
    for (uint64_t c = 0; c < 150; c += 3)
        cr_assert_eq(give(&a, c), 0);
    for (uint64_t c = 1; c < 150; c += 9)
        cr_assert_eq(spipe__ba_add_reference(&a.ba, c), 0);
    for (uint64_t c = 0; c < 200; c++) {
        for (unsigned i = spipe__ba_references(&a.ba, c); i > 0; i--)
            cr_assert_eq(spipe__ba_reserve(&b.ba, c), 0);
        cr_assert(is_sound(&b.ba));
    }
    cr_assert_eq(b.ba.current, 0);
    cr_assert_eq(spipe__ba_space(&b.ba), spipe__ba_space(&a.ba));
    cr_assert_arr_eq(a.mem, b.mem, a.bytes);
    cr_assert_eq(take(&b), 0);
    cr_assert_eq(take(&b), 3);
    free(a.mem);
    free(b.mem);
}

/* What happens to the chunks behind the new end of a device that shrinks and grows again. */
Test(block_alloc, reserved_chunks_are_not_handed_out)
{
    struct pair p;
    table_init(&p, 130 * 65536);
    take_from_to(&p, 0, 9);
    for (uint64_t c = 20; c < 130; c++)
        cr_assert_eq(spipe__ba_reserve(&p.ba, c), 0);
    take_from_to(&p, 10, 19);
    cr_assert_eq(take(&p), -ENOSPC);
    for (uint64_t c = 20; c < 130; c++)
        cr_assert_eq(give(&p, c), 0);
    take_from_to(&p, 20, 129);
    PROVES(R_50);
    free(p.mem);
}

/* ---- every sequence of operations ---- */

enum { DEPTH_MAX = 8, TINY_BYTES = 256, TINY_CHUNKS = 128 };

/* What has to be put back to try the next operation from the same state. */
struct saved {
    struct spipe__ba ba;
    struct model m;
    uint8_t mem[TINY_BYTES], bit[TINY_CHUNKS], clones[TINY_CHUNKS];
};

static void save(const struct pair *p, struct saved *s)
{
    s->ba = p->ba;
    s->m = p->m;
    memcpy(s->mem, p->mem, p->bytes);
    memcpy(s->bit, p->m.bit, p->m.high * 64);
    memcpy(s->clones, p->m.clones, p->m.high * 64);
}

static void restore(struct pair *p, const struct saved *s)
{
    p->ba = s->ba;
    p->m = s->m;
    memcpy(p->mem, s->mem, p->bytes);
    memcpy(p->m.bit, s->bit, p->m.high * 64);
    memcpy(p->m.clones, s->clones, p->m.high * 64);
}

/* Runs every sequence of up to `depth` of the `n` operations; the number of steps taken. */
static uint64_t explore(struct pair *p, const struct op *ops, size_t n, unsigned depth)
{
    static struct saved stack[DEPTH_MAX + 1];
    uint64_t steps = 0;
    if (depth == 0)
        return 0;
    save(p, &stack[depth]);
    for (size_t i = 0; i < n; i++) {
        if (!step(p, ops[i]))
            cr_assert_fail("operation %d on chunk %" PRIu64 ", %u before the end", (int)ops[i].kind,
                           ops[i].chunk, depth - 1);
        steps += 1 + explore(p, ops, n, depth - 1);
        restore(p, &stack[depth]);
    }
    return steps;
}

/* The operations allocate, and free, add a reference and reserve for each of the given chunks. */
static size_t alphabet(struct op *ops, const uint64_t *chunks, size_t n)
{
    size_t count = 0;
    ops[count++] = (struct op){ALLOCATE, 0};
    for (size_t i = 0; i < n; i++) {
        ops[count++] = (struct op){FREE, chunks[i]};
        ops[count++] = (struct op){ADD_REFERENCE, chunks[i]};
        ops[count++] = (struct op){RESERVE, chunks[i]};
    }
    return count;
}

Test(block_alloc, every_short_sequence_on_tiny_tables)
{
    static const uint64_t chunks[] = {0, 1, 2, 3};
    static const unsigned depth[] = {0, 8, 6, 6};
    static const uint64_t steps[] = {0, 6725600, 1111110, 5229042};
    for (uint64_t total = 1; total <= 3; total++) {
        struct op ops[16];
        struct pair p;
        pair_init(&p, total);
        cr_assert_leq(p.bytes, TINY_BYTES);
        /* one chunk more than there are: range checks are part of every sequence */
        size_t n = alphabet(ops, chunks, total + 1);
        cr_assert_eq(explore(&p, ops, n, depth[total]), steps[total]);
        pair_finish(&p);
    }
    PROVES(VL_7);
    PROVES(VL_9);
    PROVES(VL_10);
    PROVES(VL_12);
    PROVES(INV_3);
}

/* Two words, the second with one chunk: the cursor meets bit 63, the last word and `high` from
 * every side. */
Test(block_alloc, every_short_sequence_on_65_chunks)
{
    static const uint64_t chunks[] = {0, 63, 64, 65}, taken[] = {0, 1, 62, 63, 64, 65};
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(taken); i++) {
        struct op ops[16];
        struct pair p;
        pair_init(&p, 65);
        cr_assert_leq(p.bytes, TINY_BYTES);
        for (uint64_t c = 0; c < taken[i]; c++)
            cr_assert(step(&p, (struct op){ALLOCATE, 0}));
        explore(&p, ops, alphabet(ops, chunks, HAL_ARRAY_LENGTH(chunks)), 5);
        pair_finish(&p);
    }
    PROVES(VL_7);
    PROVES(VL_8);
}

/* ---- random sequences ---- */

/* How often, in per cent, each kind comes up; the rest are allocations. Redrawn now and then, so
 * that tables fill, empty and collect references in turn. */
struct mix {
    unsigned free, add_reference, reserve, foreign;
};

static struct mix draw_mix(struct hal_prng *r)
{
    struct mix mix = {.free = (unsigned)hal_prng_below(r, 95), .foreign = 2};
    unsigned rest = 100 - mix.free;
    mix.add_reference = (unsigned)hal_prng_below(r, rest);
    if (hal_prng_below(r, 2))
        mix.add_reference /= 8;
    mix.reserve = (unsigned)hal_prng_below(r, rest - mix.add_reference) / 4;
    return mix;
}

static struct op draw_op(struct hal_prng *r, const struct mix *mix, uint64_t total)
{
    unsigned kind = (unsigned)hal_prng_below(r, 100);
    struct op op = {ALLOCATE, hal_prng_below(r, total)};
    if (hal_prng_below(r, 100) < mix->foreign)
        op.chunk = hal_prng_below(r, 2) ? total + hal_prng_below(r, 70) : hal_prng_next(r);
    if (kind < mix->free)
        op.kind = FREE;
    else if (kind < mix->free + mix->add_reference)
        op.kind = ADD_REFERENCE;
    else if (kind < mix->free + mix->add_reference + mix->reserve)
        op.kind = RESERVE;
    return op;
}

/* Sizes 1..5000, every magnitude equally likely. */
static uint64_t draw_size(struct hal_prng *r)
{
    static const uint64_t max[] = {3, 64, 65, 130, 1000, 4200, 5000};
    return 1 + hal_prng_below(r, max[hal_prng_below(r, HAL_ARRAY_LENGTH(max))]);
}

static uint64_t test_seed(void)
{
    const char *text = getenv("SPIPE_TEST_SEED");
    return text ? strtoull(text, NULL, 0) : UINT64_C(20260101);
}

/* One table of its own size, filled to a random degree, then `count` operations. */
static void run_random(uint64_t seed, uint64_t table, unsigned count)
{
    struct hal_prng r;
    struct mix mix = {0};
    struct pair p;
    hal_prng_seed(&r, seed, table);
    pair_init(&p, draw_size(&r));
    unsigned filling = (unsigned)hal_prng_below(&r, p.m.total + 1);
    for (unsigned i = 0; i < count; i++) {
        if (i % 500 == 0)
            mix = draw_mix(&r);
        struct op op = i < filling ? (struct op){ALLOCATE, 0} : draw_op(&r, &mix, p.m.total);
        if (!step(&p, op))
            cr_assert_fail("SPIPE_TEST_SEED=%" PRIu64 ": table %" PRIu64 " of %" PRIu64
                           " chunks, operation %u (kind %d, chunk %" PRIu64 ")",
                           seed, table, p.m.total, i, (int)op.kind, op.chunk);
    }
    cr_assert(all_chunks_agree(&p), "SPIPE_TEST_SEED=%" PRIu64 ", table %" PRIu64, seed, table);
    pair_finish(&p);
}

Test(block_alloc, a_million_random_operations_agree_with_the_model)
{
    enum { TABLES = 250, OPERATIONS = 4000 };
    uint64_t seed = test_seed();
    cr_log_info("SPIPE_TEST_SEED=%" PRIu64, seed);
    for (uint64_t table = 0; table < TABLES; table++)
        run_random(seed, table, OPERATIONS);
    PROVES(VL_7);
    PROVES(VL_9);
    PROVES(VL_10);
    PROVES(R_51);
    PROVES(INV_3);
}

/* Sizes at which a level of summaries begins, nearly full, so that a search goes all the way up
 * and round. */
Test(block_alloc, searches_through_every_level)
{
    static const uint64_t totals[] = {64, 65, 4096, 4097, 262144, 262145};
    static const unsigned levels[] = {1, 2, 2, 3, 3, 4};
    struct hal_prng r;
    hal_prng_seed(&r, test_seed(), 1000);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(totals); i++) {
        struct pair p;
        pair_init(&p, totals[i]);
        cr_assert_eq(p.ba.levels, levels[i]);
        for (uint64_t c = 0; c < totals[i]; c++) {
            struct op op = {ALLOCATE, 0};
            if (!apply(&p, &op) || op.chunk != c)
                cr_assert_fail("%" PRIu64 " of %" PRIu64, c, totals[i]);
        }
        for (int k = 0; k < 200; k++) {
            cr_assert(step(&p, (struct op){FREE, hal_prng_below(&r, totals[i])}));
            if (k % 4)
                cr_assert(step(&p, (struct op){ALLOCATE, 0}));
        }
        cr_assert(all_chunks_agree(&p));
        pair_finish(&p);
    }
    PROVES(VL_7);
}
