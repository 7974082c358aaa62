/* SPDX-License-Identifier: Apache-2.0 */
/* The arena of a world: allocation, accounting, snapshot and restore, pins and regions. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hal/support/bits.h"
#include "hal/support/hash.h"
#include "hal/support/prng.h"
#include "sim/sanitizer.h"
#include "sim/world.h"

#define MIB ((size_t)1 << 20)

static struct sim_world *w;

static void open_world(void) { cr_assert_eq(sim_world_create(64 * MIB, &w), 0); }

static void close_world(void) { sim_world_destroy(w); }

TestSuite(world, .init = open_world, .fini = close_world);

static bool all_bytes(const void *p, int value, size_t size)
{
    const unsigned char *c = p;

    for (size_t i = 0; i < size; i++)
        if (c[i] != value)
            return false;
    return true;
}

/* ---- allocation ---- */

Test(world, memory_is_zeroed_aligned_and_apart)
{
    static const size_t aligns[] = {1, 8, 16, 64, 128, 1024, 4096, 65536, SIM_WORLD_ALIGN_MAX};
    unsigned char *last = NULL;

    for (size_t a = 0; a < sizeof aligns / sizeof aligns[0]; a++) {
        for (size_t size = 1; size < 3000; size += 1 + size / 3) {
            unsigned char *p = sim_world_alloc(w, size, aligns[a]);

            cr_assert_not_null(p);
            cr_assert_eq((uintptr_t)p % aligns[a], 0);
            cr_assert(all_bytes(p, 0, size));
            cr_assert(p != last && sim_world_contains(w, p, size));
            memset(p, 0xee, size);
            last = p;
        }
    }
}

Test(world, freed_memory_comes_back_zeroed)
{
    for (int round = 0; round < 3; round++) {
        void *p[50];

        for (size_t i = 0; i < 50; i++) {
            p[i] = sim_world_alloc(w, 1 + i * 37, 16);
            cr_assert_not_null(p[i]);
            cr_assert(all_bytes(p[i], 0, 1 + i * 37));
            memset(p[i], 0xff, 1 + i * 37);
        }
        for (size_t i = 0; i < 50; i++)
            sim_world_free(w, p[i], 1 + i * 37);
    }
}

Test(world, freed_memory_is_used_again)
{
    size_t extent;
    void *p;

    sim_world_free(w, sim_world_alloc(w, 1000, 128), 1000);
    extent = sim_world_extent(w);
    for (int i = 0; i < 1000; i++) {
        p = sim_world_alloc(w, 1000, 128);
        cr_assert_not_null(p);
        sim_world_free(w, p, 1000);
    }
    cr_assert_eq(sim_world_extent(w), extent);
    sim_world_free(w, NULL, 0);
}

Test(world, stricter_alignment_serves_a_weaker_one)
{
    void *p = sim_world_alloc(w, 4096, 4096);

    sim_world_free(w, p, 4096);
    cr_assert_eq(sim_world_alloc(w, 4096, 8), p);
    cr_assert_neq(sim_world_alloc(w, 4096, 8), p);
}

Test(world, counts_what_was_asked_for)
{
    void *a = sim_world_alloc(w, 1, 16), *b = sim_world_alloc(w, 100, 4096);

    cr_assert_eq(sim_world_used(w), 101);
    cr_assert_eq(sim_world_blocks(w), 2);
    sim_world_free(w, b, 100);
    cr_assert_eq(sim_world_used(w), 1);
    cr_assert_eq(sim_world_peak(w), 101);
    sim_world_free(w, a, 1);
    cr_assert_eq(sim_world_used(w), 0);
    cr_assert_eq(sim_world_blocks(w), 0);
}

Test(world, is_full_at_some_time_and_usable_afterwards)
{
    struct sim_world *small;
    void *first, *p, *last = NULL;

    cr_assert_eq(sim_world_create(MIB, &small), 0);
    first = sim_world_alloc(small, 10000, 16);
    cr_assert_not_null(first);
    while ((p = sim_world_alloc(small, 10000, 16)))
        last = p;
    cr_assert_not_null(last);
    cr_assert_geq(sim_world_used(small), MIB * 3 / 4);
    cr_assert_null(sim_world_alloc(small, 10000, 16));
    cr_assert_null(sim_world_alloc(small, SIZE_MAX / 4, 16));
    sim_world_free(small, first, 10000);
    cr_assert_eq(sim_world_alloc(small, 10000, 16), first);
    sim_world_destroy(small);
}

Test(world, refuses_what_it_cannot_be)
{
    struct sim_world *none = NULL;

    cr_assert_eq(sim_world_create(100, &none), -EINVAL);
    cr_assert_eq(sim_world_create(SIZE_MAX, &none), -EINVAL);
    cr_assert_null(none);
    cr_assert_null(sim_world_alloc(w, 16, 2 * SIM_WORLD_ALIGN_MAX));
    sim_world_destroy(NULL);
}

/* Offsets of a mixed sequence, as one number. */
static uint64_t layout(struct sim_world *world)
{
    uint64_t hash = HAL_HASH_START;
    struct {
        char *p;
        size_t size;
    } block[64] = {{NULL, 0}};
    struct hal_prng r;

    hal_prng_seed(&r, 7, 0);
    for (int i = 0; i < 5000; i++) {
        uint64_t k = hal_prng_below(&r, 64);

        sim_world_free(world, block[k].p, block[k].size);
        block[k].size = 1 + hal_prng_below(&r, 5000);
        block[k].p = sim_world_alloc(world, block[k].size, (size_t)1 << hal_prng_below(&r, 14));
        cr_assert_not_null(block[k].p);
        cr_assert(all_bytes(block[k].p, 0, block[k].size));
        memset(block[k].p, 0x55, block[k].size);
        hash = hal_hash_word(hash, (uint64_t)(block[k].p - (char *)world));
    }
    return hash;
}

Test(world, same_calls_same_offsets)
{
    struct sim_world *other;
    uint64_t hash;

    cr_assert_eq(sim_world_create(64 * MIB, &other), 0);
    hash = layout(w);
    cr_assert_eq(layout(other), hash);
    /* The struct that starts the arena moves the offsets; its size is the same on all machines. */
    if (!SIM_ASAN)
        cr_assert_eq(hash, UINT64_C(0xe445c031b9927d98), "layout %016llx",
                     (unsigned long long)hash);
    sim_world_destroy(other);
}

/* Else the same part of hundreds of contexts would lie in a few sets of the processor's caches. */
Test(world, blocks_between_pages_begin_anywhere_in_a_page)
{
    enum { ROUNDS = 256, LINES = 4096 / 64 };
    unsigned begin[LINES] = {0}, most = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        char *page = sim_world_alloc(w, 4096, 4096), *block = sim_world_alloc(w, 1100, 64);

        cr_assert(page && block && (uintptr_t)page % 4096 == 0);
        cr_assert(all_bytes(page, 0, 4096));
        memset(page, 0x55, 4096);
        begin[(uintptr_t)block % 4096 / 64]++;
    }
    for (unsigned i = 0; i < LINES; i++)
        most = begin[i] > most ? begin[i] : most;
    if (!SIM_ASAN) /* which makes a page longer than a page */
        cr_assert_leq(most, ROUNDS / 8, "%u of %u begin at the same place", most, ROUNDS);
}

/* Where a run of pages has no room any more, a page still may. */
Test(world, the_last_page_is_given_out)
{
    struct sim_world *small;
    unsigned pages = 0;

    cr_assert_eq(sim_world_create((size_t)128 << 10, &small), 0);
    while (sim_world_alloc(small, 4096, 4096))
        pages++;
    if (!SIM_ASAN)
        cr_assert_geq(pages, (128 - 16) / 4, "%u", pages);
    sim_world_destroy(small);
}

Test(world, double_free_stops, .signal = SIGABRT)
{
    void *p = sim_world_alloc(w, 64, 16);

    sim_world_free(w, p, 64);
    sim_world_alloc(w, 2000, 16); /* so that the counts do not tell */
    sim_world_free(w, p, 64);
}

Test(world, free_of_foreign_memory_stops, .signal = SIGABRT)
{
    static uint64_t foreign[8];

    sim_world_alloc(w, 64, 16);
    sim_world_free(w, foreign, 64);
}

#if !SIM_ASAN /* which reports the write itself */
Test(world, write_after_free_stops, .signal = SIGABRT)
{
    uint64_t *p = sim_world_alloc(w, 64, 16);

    sim_world_free(w, p, 64);
    p[1] = 1;
    sim_world_alloc(w, 64, 16);
}
#endif

/* ---- snapshots ---- */

static struct sim_snapshot *snapshot(void)
{
    struct sim_snapshot *s = NULL;

    cr_assert_eq(sim_world_snapshot(w, &s), 0);
    return s;
}

struct node {
    struct node *next;
    uint64_t value;
};

static struct node *push(struct node *head, uint64_t value)
{
    struct node *n = sim_world_alloc(w, sizeof *n, 16);

    n->next = head;
    n->value = value;
    return n;
}

static uint64_t sum(const struct node *n)
{
    uint64_t s = 0;

    for (; n; n = n->next)
        s = s * 31 + n->value;
    return s;
}

Test(world, restore_puts_contents_and_allocator_back)
{
    struct sim_snapshot *s;
    struct node *head = NULL, *more;
    uint64_t before;
    size_t used, extent;
    void *next;

    for (uint64_t i = 0; i < 100; i++)
        head = push(head, i);
    before = sum(head);
    used = sim_world_used(w);
    extent = sim_world_extent(w);
    s = snapshot();
    next = sim_world_alloc(w, 5000, 16);

    for (int round = 0; round < 3; round++) {
        sim_world_restore(w, s);
        cr_assert_eq(sum(head), before);
        cr_assert_eq(sim_world_used(w), used);
        cr_assert_eq(sim_world_extent(w), extent);
        cr_assert_eq(sim_world_alloc(w, 5000, 16), next);
        cr_assert(all_bytes(next, 0, 5000)); /* also where the last round wrote */
        memset(next, 0xdd, 5000);
        head->value = 12345;
        more = head->next;
        head->next = push(more, 999);
        cr_assert_neq(sum(head), before);
        sim_world_free(w, more, sizeof *more);
    }
    sim_snapshot_destroy(s);
}

Test(world, several_snapshots_stand_side_by_side)
{
    uint64_t *p = sim_world_alloc(w, 8, 16);
    struct sim_snapshot *s[5];

    for (uint64_t i = 0; i < 5; i++) {
        *p = i;
        sim_world_alloc(w, 100 * (i + 1), 16);
        s[i] = snapshot();
    }
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t k = i * 3 % 5;

        sim_world_restore(w, s[k]);
        cr_assert_eq(*p, k);
    }
    for (int i = 0; i < 5; i++)
        sim_snapshot_destroy(s[i]);
    sim_snapshot_destroy(NULL);
}

#if SIM_ASAN
Test(world, restore_puts_the_marks_of_asan_back)
{
    char *kept = sim_world_alloc(w, 100, 16), *freed = sim_world_alloc(w, 100, 16);
    struct sim_snapshot *s;

    sim_world_free(w, freed, 100);
    s = snapshot();
    sim_world_free(w, kept, 100);
    cr_assert(__asan_address_is_poisoned(kept));
    cr_assert_eq(sim_world_alloc(w, 100, 16), kept);
    cr_assert_eq(sim_world_alloc(w, 100, 16), freed);
    cr_assert(!__asan_address_is_poisoned(freed));
    sim_world_restore(w, s);
    cr_assert(!__asan_address_is_poisoned(kept));
    cr_assert(__asan_address_is_poisoned(kept + 100));
    cr_assert(__asan_address_is_poisoned(freed));
    sim_snapshot_destroy(s);
}
#endif

static struct sim_world_hole *holes; /* an array in the world */
static size_t hole_count;

static size_t tell_holes(void *arg, struct sim_world_hole *out, size_t max)
{
    struct sim_world_hole *h = arg;

    for (size_t i = 0; i < hole_count && i < max; i++)
        out[i] = h[i];
    return hole_count;
}

Test(world, holes_are_left_out)
{
    unsigned char *p = sim_world_alloc(w, MIB, 16);
    struct sim_snapshot *full, *s;

    holes = sim_world_alloc(w, 3 * sizeof *holes, 16);
    memset(p, 1, MIB);
    full = snapshot();
    /* Not in order of address. */
    holes[0] = (struct sim_world_hole){p + 600000, 100000};
    holes[1] = (struct sim_world_hole){p + 16, 300000};
    holes[2] = (struct sim_world_hole){p + 400000, 16};
    hole_count = 3;
    sim_world_add_holes(w, tell_holes, NULL, holes);
    s = snapshot();
    memset(p, 2, MIB);
    sim_world_restore(w, s);
    cr_assert(all_bytes(p, 1, 16));
    cr_assert(all_bytes(p + 300016, 1, 99984));
    cr_assert(all_bytes(p + 400016, 1, 199984));
    cr_assert(all_bytes(p + 700000, 1, MIB - 700000));
    if (!SIM_ASAN) { /* which copies all of it */
        cr_assert_leq(sim_snapshot_size(s), sim_snapshot_size(full) - 399000);
        cr_assert(all_bytes(p + 16, 2, 300000));
        cr_assert(all_bytes(p + 400000, 2, 16));
        cr_assert(all_bytes(p + 600000, 2, 100000));
    }
    sim_snapshot_destroy(s);
    sim_snapshot_destroy(full);
}

static void refill(void *arg)
{
    struct sim_world_hole *h = arg;

    memset(h->start, 5, h->size);
}

Test(world, holes_are_filled_after_a_restore)
{
    unsigned char *p = sim_world_alloc(w, 4096, 16);
    struct sim_snapshot *s;

    holes = sim_world_alloc(w, sizeof *holes, 16);
    holes[0] = (struct sim_world_hole){p, 1024};
    hole_count = 1;
    sim_world_add_holes(w, tell_holes, refill, holes);
    memset(p, 1, 4096);
    s = snapshot();
    cr_assert(all_bytes(p, 1, 4096));
    for (int round = 0; round < 2; round++) {
        memset(p, 2, 4096);
        memset(holes, 0, sizeof *holes); /* what the owner goes by is put back first */
        sim_world_restore(w, s);
        cr_assert(all_bytes(p, 5, 1024) && all_bytes(p + 1024, 1, 3072));
    }
    sim_snapshot_destroy(s);
    s = snapshot();
    sim_world_remove_holes(w, holes);
    memset(p, 6, 4096);
    sim_world_restore(w, s); /* it was there at that time */
    cr_assert(all_bytes(p, 5, 1024));
    sim_snapshot_destroy(s);
}

/* Data and zeros by turns, of any length, and zeros that are 0 by chance. */
static void write_islands(unsigned char *p, size_t size, struct hal_prng *r)
{
    for (size_t at = 0, n; at < size; at += n) {
        n = hal_min64(1 + hal_prng_below(r, 500), size - at);
        memset(p + at, hal_prng_below(r, 2) ? 0x77 : 0, n);
        p[at] = (unsigned char)hal_prng_below(r, 2);
    }
}

Test(world, zeros_come_back)
{
    const size_t size = 100003; /* no whole words */
    unsigned char *p = sim_world_alloc(w, size, 16), *copy = malloc(size);
    struct sim_snapshot *s;
    struct hal_prng r;

    hal_prng_seed(&r, 1, 0);
    for (int round = 0; round < 50; round++) {
        write_islands(p, size, &r);
        memcpy(copy, p, size);
        s = snapshot();
        memset(p, 0xCC, size);
        sim_world_restore(w, s);
        cr_assert_arr_eq(p, copy, size);
        sim_snapshot_destroy(s);
    }
    free(copy);
}

#if !SIM_ASAN /* which has to copy the marks */
Test(world, zeros_are_not_copied)
{
    unsigned char *p = sim_world_alloc(w, MIB, 16);
    struct sim_snapshot *s = snapshot();
    size_t empty = sim_snapshot_size(s);

    cr_assert_lt(empty, 8192);
    sim_snapshot_destroy(s);
    memset(p + 500000, 1, 4000);
    s = snapshot();
    cr_assert_leq(sim_snapshot_size(s), empty + 4000 + 16);
    sim_snapshot_destroy(s);
    memset(p, 1, MIB);
    s = snapshot();
    cr_assert_gt(sim_snapshot_size(s), MIB);
    sim_snapshot_destroy(s);
}

Test(world, zeros_end_where_a_hole_begins)
{
    unsigned char *p = sim_world_alloc(w, 4096, 16);
    struct sim_snapshot *s;

    holes = sim_world_alloc(w, sizeof *holes, 16);
    holes[0] = (struct sim_world_hole){p + 1001, 1000};
    hole_count = 1;
    sim_world_add_holes(w, tell_holes, NULL, holes);
    s = snapshot();
    memset(p, 2, 4096);
    sim_world_restore(w, s);
    cr_assert(all_bytes(p, 0, 1001) && all_bytes(p + 2001, 0, 2095));
    cr_assert(all_bytes(p + 1001, 2, 1000));
    sim_snapshot_destroy(s);
}
#endif

/* What a hole of 16 bytes saves costs more in the list of stretches. */
Test(world, size_counts_the_list)
{
    struct sim_snapshot *whole, *split;
    char *p;

    hole_count = 1000;
    p = sim_world_alloc(w, 32 * hole_count, 16);
    memset(p, 1, 32 * hole_count);
    holes = sim_world_alloc(w, hole_count * sizeof *holes, 16);
    for (size_t i = 0; i < hole_count; i++)
        holes[i] = (struct sim_world_hole){p + 32 * i, 16};
    whole = snapshot();
    sim_world_add_holes(w, tell_holes, NULL, holes);
    split = snapshot();
    cr_assert_geq(sim_snapshot_size(split), sim_snapshot_size(whole));
    sim_snapshot_destroy(whole);
    sim_snapshot_destroy(split);
}

Test(world, no_snapshot_while_fibers_run, .signal = SIGABRT)
{
    struct sim_snapshot *s;

    sim_world_enter(w);
    (void)!sim_world_snapshot(w, &s);
}

Test(world, snapshot_of_another_world_stops, .signal = SIGABRT)
{
    struct sim_world *other;
    struct sim_snapshot *s = snapshot();

    cr_assert_eq(sim_world_create(MIB, &other), 0);
    sim_world_restore(other, s);
}

/* ---- pins ---- */

Test(world, a_pin_refuses_the_snapshot)
{
    struct sim_snapshot *s = NULL;

    cr_assert_null(sim_world_pinned(w));
    sim_world_pin(w, "media file open");
    sim_world_pin(w, "socket");
    sim_world_pin(w, "socket");
    cr_assert_str_eq(sim_world_pinned(w), "media file open");
    sim_world_unpin(w, "media file open");
    cr_assert_str_eq(sim_world_pinned(w), "socket");
    cr_assert_eq(sim_world_snapshot(w, &s), -EBUSY);
    sim_world_unpin(w, "socket");
    cr_assert_eq(sim_world_snapshot(w, &s), -EBUSY);
    sim_world_unpin(w, "socket");
    cr_assert_eq(sim_world_snapshot(w, &s), 0);
    sim_snapshot_destroy(s);
}

Test(world, unpin_without_pin_stops, .signal = SIGABRT)
{
    sim_world_pin(w, "this");
    sim_world_unpin(w, "that");
}

Test(world, restore_while_pinned_stops, .signal = SIGABRT)
{
    struct sim_snapshot *s = snapshot();

    sim_world_pin(w, "a file that would not follow");
    sim_world_restore(w, s);
}

/* ---- regions ---- */

static void *map_region(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(p, MAP_FAILED);
    return p;
}

Test(world, regions_follow)
{
    unsigned char *a = map_region(MIB), *b = map_region(MIB);
    struct sim_snapshot *s;

    cr_assert_eq(sim_world_attach_region(w, a, 4096), 0);
    cr_assert_eq(sim_world_attach_region(w, b, 4096), 0);
    memset(a, 1, MIB);
    memset(b, 1, MIB);
    sim_world_resize_region(w, b, 8192);
    s = snapshot();
    memset(a, 2, MIB);
    memset(b, 2, MIB);
    sim_world_resize_region(w, a, 16384);
    sim_world_restore(w, s);
    cr_assert(all_bytes(a, 1, 4096) && all_bytes(a + 4096, 2, MIB - 4096));
    cr_assert(all_bytes(b, 1, 8192) && all_bytes(b + 8192, 2, MIB - 8192));
    sim_snapshot_destroy(s);
    sim_world_detach_region(w, a);
    s = snapshot();
    memset(a, 3, 4096);
    memset(b, 3, 4096);
    sim_world_restore(w, s);
    cr_assert(all_bytes(a, 3, 4096) && all_bytes(b, 1, 4096));
    sim_snapshot_destroy(s);
    munmap(a, MIB);
    munmap(b, MIB);
}

Test(world, regions_are_limited)
{
    static uint64_t memory[2 * (SIM_WORLD_REGIONS_MAX + 1)] __attribute__((aligned(16)));

    for (size_t i = 0; i < SIM_WORLD_REGIONS_MAX; i++)
        cr_assert_eq(sim_world_attach_region(w, &memory[2 * i], 16), 0);
    cr_assert_eq(sim_world_attach_region(w, &memory[2 * SIM_WORLD_REGIONS_MAX], 16), -ENOSPC);
}

Test(world, restore_must_find_the_same_regions, .signal = SIGABRT)
{
    static uint64_t memory[2] __attribute__((aligned(16)));
    struct sim_snapshot *s = snapshot();

    cr_assert_eq(sim_world_attach_region(w, memory, 16), 0);
    sim_world_restore(w, s);
}
