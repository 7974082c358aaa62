/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_block_alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/lun/block_alloc.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/prng.h"
#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_median.h"

enum {
    CHUNKS = 262144, /* 64 TB in chunks of 65,536 blocks of 4096 bytes */
    WORDS = CHUNKS / 64,
    OPERATIONS = 1000000, /* in one sample */
    BATCH_MAX = 1024,     /* between two looks at the clock; small against what is allocated */
    FULL_PAIRS = 20000,
};

/* One table of each kind and what the measurement needs to know about it. */
struct bench {
    const struct ops *ops;
    struct spipe__ba ba;
    void *mem;
    uint64_t bitmap[WORDS];
    uint8_t counts[CHUNKS];
    uint64_t current, free_count;
    uint32_t live[CHUNKS]; /* allocated chunks, in no order */
    uint32_t live_count;
    struct hal_prng prng;
};

struct ops {
    const char *name;
    int (*allocate)(struct bench *b, uint64_t *chunk);
    int (*release)(struct bench *b, uint64_t chunk);
};

/* ---- the implementations ---- */

static int summaries_allocate(struct bench *b, uint64_t *chunk)
{
    return spipe__ba_allocate(&b->ba, chunk);
}

static int summaries_release(struct bench *b, uint64_t chunk)
{
    return spipe__ba_free(&b->ba, chunk);
}

static uint64_t scan_words(const uint64_t *bitmap, uint64_t from, uint64_t to)
{
    while (from < to && !bitmap[from])
        from++;
    return from;
}

static int scan_allocate(struct bench *b, uint64_t *chunk)
{
    if (!b->free_count)
        return -ENOSPC;
    uint64_t w = scan_words(b->bitmap, b->current, WORDS);
    if (w == WORDS)
        w = scan_words(b->bitmap, 0, b->current);
    unsigned bit = hal_lowest_bit(b->bitmap[w]);
    b->bitmap[w] &= ~HAL_BIT(bit);
    b->free_count--;
    b->current = bit == 63 ? w + 1 : w;
    *chunk = w * 64 + bit;
    return 0;
}

static int scan_release(struct bench *b, uint64_t chunk)
{
    if (chunk >= CHUNKS || (b->bitmap[chunk / 64] & HAL_BIT(chunk % 64)))
        return -EINVAL;
    if (b->counts[chunk]) { /* here: references beyond the first */
        b->counts[chunk]--;
        return 0;
    }
    b->bitmap[chunk / 64] |= HAL_BIT(chunk % 64);
    b->free_count++;
    return 0;
}

static int counts_allocate(struct bench *b, uint64_t *chunk)
{
    if (!b->free_count)
        return -ENOSPC;
    uint64_t c = b->current;
    while (b->counts[c])
        c = c + 1 < CHUNKS ? c + 1 : 0;
    b->counts[c] = 1;
    b->free_count--;
    b->current = c;
    *chunk = c;
    return 0;
}

static int counts_release(struct bench *b, uint64_t chunk)
{
    if (chunk >= CHUNKS || !b->counts[chunk])
        return -EINVAL;
    if (!--b->counts[chunk])
        b->free_count++;
    return 0;
}

static const struct ops kinds[BENCH_BA_KINDS] = {
    [BENCH_BA_SUMMARIES] = {"summaries", summaries_allocate, summaries_release},
    [BENCH_BA_SCAN] = {"bitmap scan", scan_allocate, scan_release},
    [BENCH_BA_COUNTS] = {"reference counts", counts_allocate, counts_release},
};

const char *bench_ba_name(enum bench_ba_kind kind) { return kinds[kind].name; }

/* ---- measuring ---- */

/* Takes one chunk of those allocated, at random, off the list. */
static uint32_t draw_live(struct bench *b)
{
    uint32_t i = (uint32_t)hal_prng_below(&b->prng, b->live_count), chunk = b->live[i];
    b->live[i] = b->live[--b->live_count];
    return chunk;
}

/* A full table of the given kind. */
static struct bench *create_full(enum bench_ba_kind kind)
{
    size_t bytes = spipe__ba_bytes(CHUNKS);
    struct bench *b = calloc(1, sizeof *b);
    void *mem = malloc(bytes);
    if (!b || !mem ||
        spipe__ba_init(&b->ba, mem, bytes, (uint64_t)CHUNKS << SPIPE__BA_CHUNK_SHIFT, 4096)) {
        free(mem);
        free(b);
        return NULL;
    }
    b->ops = &kinds[kind];
    b->mem = mem;
    b->free_count = CHUNKS;
    memset(b->bitmap, 0xFF, sizeof b->bitmap);
    hal_prng_seed(&b->prng, 1, 0);
    while (b->live_count < CHUNKS) {
        uint64_t chunk;
        CHECK(b->ops->allocate(b, &chunk) == 0);
        b->live[b->live_count++] = (uint32_t)chunk;
    }
    return b;
}

static void destroy(struct bench *b)
{
    free(b->mem);
    free(b);
}

static void thin_out(struct bench *b, unsigned fill)
{
    while (b->live_count > (uint64_t)CHUNKS * fill / 1000)
        CHECK(b->ops->release(b, draw_live(b)) == 0);
}

/* Time for allocating n chunks, which are appended to the list. */
static double time_allocate(struct bench *b, uint32_t n)
{
    double start = bench_wall_ns();
    uint64_t chunk = 0;
    for (uint32_t i = 0; i < n; i++) {
        CHECK(b->ops->allocate(b, &chunk) == 0);
        b->live[b->live_count++] = (uint32_t)chunk;
    }
    return bench_wall_ns() - start;
}

/* Time for freeing n random chunks of the list. */
static double time_free(struct bench *b, uint32_t n)
{
    uint32_t victims[BATCH_MAX];
    for (uint32_t i = 0; i < n; i++)
        victims[i] = draw_live(b);
    double start = bench_wall_ns();
    for (uint32_t i = 0; i < n; i++)
        CHECK(b->ops->release(b, victims[i]) == 0);
    return bench_wall_ns() - start;
}

/* Batches are at most half of what is free or allocated, so the fill hardly moves. The median of
 * them counts: a batch takes a microsecond, so those in which something else got the processor are
 * few, and the clock of CPU time, a system call, would push half of what is measured out of the
 * caches. */
static double sample_ns(enum bench_ba_kind kind, unsigned fill, bool want_free)
{
    CHECK(kind < BENCH_BA_KINDS && fill >= 1 && fill <= 999);
    struct bench *b = create_full(kind);
    if (!b)
        return -1;
    thin_out(b, fill);
    uint64_t half = hal_min64(b->live_count, CHUNKS - b->live_count) / 2;
    uint32_t batch = (uint32_t)hal_min64(half, BATCH_MAX);
    uint32_t rounds = OPERATIONS / batch;
    double *ns = malloc(rounds * sizeof *ns), median;
    CHECK(ns);
    for (uint32_t i = 0; i < rounds; i++) {
        double allocate = time_allocate(b, batch), release = time_free(b, batch);
        ns[i] = want_free ? release : allocate;
    }
    median = bench_median(ns, rounds);
    free(ns);
    destroy(b);
    return median / batch;
}

double bench_ba_allocate_ns(enum bench_ba_kind kind, unsigned fill)
{
    return sample_ns(kind, fill, false);
}

double bench_ba_free_ns(enum bench_ba_kind kind, unsigned fill)
{
    return sample_ns(kind, fill, true);
}

double bench_ba_full_pair_ns(enum bench_ba_kind kind)
{
    CHECK(kind < BENCH_BA_KINDS);
    struct bench *b = create_full(kind);
    if (!b)
        return -1;
    uint64_t chunk = CHUNKS - 32;
    double start = bench_cpu_ns();
    for (int i = 0; i < FULL_PAIRS; i++) {
        uint64_t before = (chunk + CHUNKS - 64) % CHUNKS;
        CHECK(b->ops->release(b, before) == 0);
        CHECK(b->ops->allocate(b, &chunk) == 0);
    }
    double ns = (bench_cpu_ns() - start) / FULL_PAIRS;
    destroy(b);
    return ns;
}

size_t bench_ba_bytes(void) { return sizeof(struct spipe__ba) + spipe__ba_bytes(262144); }
