/* SPDX-License-Identifier: Apache-2.0 */
/* Media in memory and of the tag kind: reads give what was written, and nothing else. */
#include <sys/mman.h>

#include "tests/unit/sim/sim_media_fixture.h"

#define ARENA (UINT64_C(64) << 20)
#define PIECE_4K 256   /* blocks of 4096 in a piece */
#define PIECE_512 2048 /* blocks of 512 */

static const struct sim_media_lun two_luns[] = {
    {.blocks = 1000, .block_size = 4096, .wwid = {0x60}, .port_mask = 3},
    {.blocks = 5000, .block_size = 512, .wwid = {0x60, 1}, .port_mask = 1},
};

static struct sim_media *make(enum sim_media_kind kind)
{
    const struct sim_media_opts opts = {
        .luns = two_luns, .n_luns = 2, .kind = kind, .arena_bytes = ARENA};
    struct sim_media *m = NULL;
    char why[SIM_MEDIA_WHY_BYTES] = "";

    cr_assert_eq(sim_media_create(&opts, &m, why, sizeof why), 0, "%s", why);
    return m;
}

Test(sim_media_memory, never_written_blocks_are_zeros)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);

    cr_assert(holds(m, 0, 0, 1000, 0));
    cr_assert(holds(m, 1, 4999, 1, 0));
    cr_assert(!sim_media_mapped(m, 0, 0));
    put(m, 0, 7, 1, 0x5A);
    cr_assert(holds(m, 0, 6, 1, 0) && holds(m, 0, 7, 1, 0x5A) && holds(m, 0, 8, 992, 0));
    cr_assert(sim_media_mapped(m, 0, 0) && sim_media_mapped(m, 0, PIECE_4K - 1));
    cr_assert(!sim_media_mapped(m, 0, PIECE_4K));
    sim_media_close(m);
}

Test(sim_media_memory, transfers_cross_pieces_in_one_rising_sequence)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);

    put(m, 1, PIECE_512 - 3, 10, 0x77);
    cr_assert(holds(m, 1, PIECE_512 - 3, 10, 0x77));
    cr_assert(holds(m, 1, PIECE_512 - 4, 1, 0) && holds(m, 1, PIECE_512 + 7, 1, 0));
    put(m, 0, 0, 1000, 0x11);
    cr_assert(holds(m, 0, 0, 1000, 0x11));
    sim_media_close(m);
}

Test(sim_media_memory, one_block_costs_one_visit_without_copy)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    uint8_t block[4096];
    struct buffer b = {.data = block, .size = sizeof block};

    memset(block, 1, sizeof block);
    cr_assert_eq(sim_media_write(m, 0, 5, 1, from_buffer, &b), 0);
    cr_assert_eq(b.calls, 1);
    cr_assert_eq(sim_media_read(m, 0, 5, 1, to_buffer, &b), 0);
    cr_assert_eq(b.calls, 2);
    sim_media_close(m);
}

Test(sim_media_memory, ranges_beyond_the_end_are_refused_and_move_nothing)
{
    static const struct {
        uint64_t lba, blocks;
    } bad[] = {{1000, 1},
               {999, 2},
               {0, 1001},
               {1001, 0},
               {UINT64_MAX, 1},
               {1, UINT64_MAX},
               {UINT64_MAX, UINT64_MAX}};
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    uint8_t block[4096] = {1};
    struct buffer b = {.data = block, .size = sizeof block};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(sim_media_read(m, 0, bad[i].lba, bad[i].blocks, to_buffer, &b), -ERANGE);
        cr_assert_eq(sim_media_write(m, 0, bad[i].lba, bad[i].blocks, from_buffer, &b), -ERANGE);
        cr_assert_eq(sim_media_write_same(m, 0, bad[i].lba, bad[i].blocks, block), -ERANGE);
        cr_assert_eq(sim_media_unmap(m, 0, bad[i].lba, bad[i].blocks), -ERANGE);
    }
    cr_assert_eq(sim_media_read(m, 2, 0, 1, to_buffer, &b), -ERANGE, "LUN 2 does not exist");
    cr_assert_eq(b.calls, 0);
    cr_assert_eq(sim_media_read(m, 0, 1000, 0, to_buffer, &b), 0, "nothing, at the end: legal");
    sim_media_close(m);
}

Test(sim_media_memory, a_failing_visitor_ends_the_transfer)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    size_t n = 600 * 4096;
    struct buffer b = {.data = malloc(n), .size = n, .fail_at = 2};

    memset(b.data, 0x33, n);
    cr_assert_eq(sim_media_write(m, 0, 0, 600, from_buffer, &b), -EFAULT);
    cr_assert(holds(m, 0, 0, PIECE_4K, 0x33), "the part before the failure");
    cr_assert(holds(m, 0, PIECE_4K, 600 - PIECE_4K, 0), "never-written blocks stay zeros");
    cr_assert(!sim_media_mapped(m, 0, PIECE_4K), "a failed write takes no space");
    b.calls = 0;
    b.fail_at = 1;
    cr_assert_eq(sim_media_read(m, 0, 0, 1, to_buffer, &b), -EFAULT);
    cr_assert_eq(sim_media_counters(m, 0)->blocks_read, 600, "failed reads do not count");
    cr_assert_eq(sim_media_counters(m, 0)->blocks_written, 0);
    free(b.data);
    sim_media_close(m);
}

Test(sim_media_memory, write_same_and_unmap)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    uint8_t pattern[4096];

    memset(pattern, 0xA7, sizeof pattern);
    cr_assert_eq(sim_media_write_same(m, 0, 10, 500, pattern), 0);
    cr_assert(holds(m, 0, 10, 500, 0xA7) && holds(m, 0, 9, 1, 0) && holds(m, 0, 510, 1, 0));
    cr_assert_eq(sim_media_counters(m, 0)->blocks_written, 500);
    cr_assert_eq(sim_media_unmap(m, 0, 0, PIECE_4K + 1), 0);
    cr_assert(holds(m, 0, 0, PIECE_4K + 1, 0) && holds(m, 0, PIECE_4K + 1, 200, 0xA7));
    cr_assert(!sim_media_mapped(m, 0, 0), "whole pieces are given back");
    cr_assert(sim_media_mapped(m, 0, PIECE_4K), "others are not");
    memset(pattern, 0, sizeof pattern);
    cr_assert_eq(sim_media_write_same(m, 0, 0, 1000, pattern), 0);
    cr_assert(holds(m, 0, 0, 1000, 0));
    cr_assert(!sim_media_mapped(m, 0, 0), "zeros take no new space");
    sim_media_close(m);
}

Test(sim_media_memory, a_full_arena_is_no_space_and_unmap_gives_it_back)
{
    const struct sim_media_lun big = {
        .blocks = UINT64_C(1) << 34, .block_size = 4096, .wwid = {0x60}};
    const struct sim_media_opts opts = {.luns = &big, .n_luns = 1, .arena_bytes = 8 << 20};
    struct sim_media *m = NULL;
    uint8_t block[4096] = {1};
    struct buffer b = {.data = block, .size = sizeof block};
    unsigned n = 0;

    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0, "64 TB in an arena of 8 MiB");
    while (sim_media_write(m, 0, (uint64_t)n * PIECE_4K, 1, from_buffer, &b) == 0)
        n++;
    cr_assert(n >= 6 && n < 8, "%u pieces", n);
    cr_assert_eq(sim_media_write(m, 0, big.blocks - 1, 1, from_buffer, &b), -ENOSPC);
    cr_assert_eq(sim_media_write_same(m, 0, big.blocks - 1, 1, block), -ENOSPC);
    cr_assert_eq(sim_media_unmap(m, 0, 0, PIECE_4K), 0);
    cr_assert_eq(sim_media_write(m, 0, 5 * PIECE_4K + 1, 1, from_buffer, &b), 0);
    cr_assert_eq(sim_media_write(m, 0, (uint64_t)n * PIECE_4K, 1, from_buffer, &b), 0);
    cr_assert(holds(m, 0, (uint64_t)n * PIECE_4K + 1, 3, 0), "a recycled piece shows no old data");
    sim_media_close(m);
}

Test(sim_media_memory, tags_keep_64_bytes_and_leave_the_rest_alone)
{
    struct sim_media *m = make(SIM_MEDIA_TAG);
    uint8_t data[2 * 4096], back[2 * 4096];
    struct buffer b = {.data = data, .size = sizeof data};

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i / 4096 * 100 + i % 89);
    cr_assert_eq(sim_media_write(m, 0, 255, 2, from_buffer, &b), 0);
    cr_assert_eq(b.bytes, 2 * SIM_MEDIA_TAG_BYTES);
    memset(back, 0xEE, sizeof back);
    b = (struct buffer){.data = back, .size = sizeof back};
    cr_assert_eq(sim_media_read(m, 0, 255, 2, to_buffer, &b), 0);
    cr_assert_eq(b.bytes, 2 * SIM_MEDIA_TAG_BYTES);
    for (size_t i = 0; i < sizeof back; i++)
        cr_assert_eq(back[i], i % 4096 < SIM_MEDIA_TAG_BYTES ? data[i] : 0xEE, "byte %zu", i);
    cr_assert_eq(sim_media_read(m, 0, 300, 1, to_buffer, &b), 0);
    cr_assert(!back[0] && !back[63] && back[64] == 0xEE, "a never-written tag is zeros");
    sim_media_close(m);
}

Test(sim_media_memory, capacity_changes_keep_the_data)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);

    put(m, 0, 900, 1, 0x42);
    cr_assert_eq(sim_media_set_size(m, 0, 500), 0);
    cr_assert_eq(sim_media_lun(m, 0)->blocks, 500);
    cr_assert_eq(sim_media_unmap(m, 0, 900, 1), -ERANGE);
    cr_assert_eq(sim_media_set_size(m, 0, UINT64_C(1) << 34), 0, "64 TB");
    cr_assert(holds(m, 0, 900, 1, 0x42));
    put(m, 0, (UINT64_C(1) << 34) - 1, 1, 0x43);
    cr_assert(holds(m, 0, (UINT64_C(1) << 34) - 1, 1, 0x43) && holds(m, 0, 900, 1, 0x42));
    cr_assert_eq(sim_media_set_size(m, 0, (UINT64_C(1) << 34) + 1), -EINVAL);
    cr_assert_eq(sim_media_set_size(m, 0, 0), -EINVAL);
    cr_assert_eq(sim_media_set_size(m, 2, 1), -EINVAL);
    sim_media_close(m);
}

static const struct sim_media_lun added_lun = {
    .blocks = 3000, .block_size = 512, .wwid = {0x6A, 1}, .port_mask = 2};

/* The lowest free number; a new LUN of an old number shows nothing of what was there. */
Test(sim_media_memory, luns_come_and_go)
{
    static const enum sim_media_kind kinds[] = {SIM_MEDIA_MEMORY, SIM_MEDIA_TAG};
    unsigned lun = 99;

    for (unsigned k = 0; k < 2; k++) {
        struct sim_media *m = make(kinds[k]);
        unsigned n = sim_media_n_luns(m);

        cr_assert_eq(sim_media_add_lun(m, &added_lun, &lun), 0);
        cr_assert(lun == n && sim_media_n_luns(m) == n + 1);
        cr_assert(sim_media_lun(m, n)->added && !sim_media_lun(m, 0)->added);
        cr_assert_eq(sim_media_lun(m, n)->port_mask, 2);
        put(m, n, 0, 3000, 0x55);
        put(m, 0, 0, 300, 0x44);
        cr_assert_eq(sim_media_remove_lun(m, 0), 0);
        cr_assert(!sim_media_lun(m, 0) && sim_media_n_luns(m) == n + 1);
        cr_assert_eq(sim_media_remove_lun(m, 0), -EINVAL);
        cr_assert_eq(sim_media_set_size(m, 0, 5), -EINVAL);
        cr_assert_eq(sim_media_add_lun(m, &added_lun, &lun), 0);
        cr_assert_eq(lun, 0);
        cr_assert_eq(sim_media_counters(m, 0)->blocks_written, 0);
        cr_assert_not(sim_media_mapped(m, 0, 0));
        if (kinds[k] == SIM_MEDIA_MEMORY)
            cr_assert(holds(m, 0, 0, 3000, 0) && holds(m, n, 0, 3000, 0x55));
        cr_assert_eq(sim_media_remove_lun(m, n), 0);
        cr_assert_eq(sim_media_n_luns(m), n, "the last number is free");
        sim_media_close(m);
    }
}

/* The space of a LUN that went, also behind a smaller end, serves the next ones. */
Test(sim_media_memory, removed_luns_give_their_space_back)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    struct sim_media_lun big = {.blocks = 1000, .block_size = 4096, .wwid = {0x60}};
    size_t used[2];
    unsigned lun;
    void *arena;

    for (unsigned i = 0; i < 20; i++) {
        cr_assert_eq(sim_media_add_lun(m, &big, &lun), 0);
        put(m, lun, 0, 1000, 0x31);
        cr_assert_eq(sim_media_set_size(m, lun, 10), 0);
        cr_assert_eq(sim_media_remove_lun(m, lun), 0);
        sim_media_arena(m, &arena, &used[i > 0]);
        cr_assert(!i || used[1] == used[0], "round %u takes more space", i);
    }
    sim_media_close(m);
}

Test(sim_media_memory, bad_luns_are_not_added)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    struct sim_media_lun bad = added_lun;
    unsigned lun = 99, n = sim_media_n_luns(m);

    bad.blocks = 0;
    cr_assert_eq(sim_media_add_lun(m, &bad, &lun), -EINVAL);
    bad = added_lun;
    bad.block_size = 1000;
    cr_assert_eq(sim_media_add_lun(m, &bad, &lun), -EINVAL);
    for (; n < SIM_MEDIA_LUNS_MAX; n++)
        cr_assert_eq(sim_media_add_lun(m, &added_lun, &lun), 0);
    cr_assert_eq(sim_media_add_lun(m, &added_lun, &lun), -ENOSPC);
    cr_assert_eq(lun, SIM_MEDIA_LUNS_MAX - 1);
    sim_media_close(m);
}

Test(sim_media_memory, the_store_is_bytes)
{
    struct sim_media *m = make(SIM_MEDIA_TAG);
    uint8_t data[10000], back[10004];

    cr_assert_eq(sim_media_store_size(m), UINT64_C(8) << 20);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    cr_assert_eq(sim_media_store_write(m, 65531, data, sizeof data), 0, "full data with tags too");
    cr_assert_eq(sim_media_store_read(m, 65529, back, sizeof back), 0);
    cr_assert(!back[0] && !back[1] && !back[10002] && !back[10003]);
    cr_assert_arr_eq(back + 2, data, sizeof data);
    cr_assert_eq(sim_media_store_write(m, (8 << 20) - 1, data, 1), 0);
    cr_assert_eq(sim_media_store_write(m, (8 << 20) - 1, data, 2), -ERANGE);
    cr_assert_eq(sim_media_store_read(m, UINT64_MAX, back, 2), -ERANGE);
    cr_assert_eq(sim_media_store_sync(m), 0);
    sim_media_close(m);
}

Test(sim_media_memory, a_copy_of_the_arena_restores_everything)
{
    struct sim_media *m = make(SIM_MEDIA_MEMORY);
    size_t used, later;
    void *arena, *copy;

    put(m, 0, 1, 2, 0x21);
    sim_media_arena(m, &arena, &used);
    copy = malloc(used);
    memcpy(copy, arena, used);
    put(m, 0, 1, 600, 0x99);
    put(m, 1, 0, 5000, 0x99);
    cr_assert_eq(sim_media_set_size(m, 1, 77), 0);
    sim_media_arena(m, &arena, &later);
    cr_assert(later > used);
    memcpy(arena, copy, used);
    cr_assert(holds(m, 0, 1, 2, 0x21) && holds(m, 0, 0, 1, 0) && holds(m, 0, 3, 997, 0));
    cr_assert(holds(m, 1, 0, 5000, 0), "and the size is back");
    put(m, 1, 3, 1, 0x55);
    cr_assert(holds(m, 1, 4, 4996, 0), "memory above the used part never shows");
    free(copy);
    sim_media_close(m);
}

Test(sim_media_memory, an_arena_may_be_the_callers_and_dirty)
{
    void *region = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct sim_media_opts opts = {
        .luns = two_luns, .n_luns = 2, .arena = region, .arena_bytes = 16 << 20};
    struct sim_media *m = NULL;
    size_t used;
    void *arena;

    cr_assert(region != MAP_FAILED);
    memset(region, 0xDB, 16 << 20);
    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0);
    sim_media_arena(m, &arena, &used);
    cr_assert_eq(arena, region);
    put(m, 0, 1, 1, 4);
    cr_assert(holds(m, 0, 0, 1, 0) && holds(m, 0, 1, 1, 4) && holds(m, 0, 2, 998, 0));
    sim_media_close(m);
    ((volatile uint8_t *)region)[0] = 1; /* still mapped */
    munmap(region, 16 << 20);
}

Test(sim_media_memory, bad_descriptors_are_explained)
{
    static const struct {
        struct sim_media_lun lun;
        const char *part;
    } bad[] = {
        {{.blocks = 1, .block_size = 1024, .wwid = {0x60}}, "neither 512 nor 4096"},
        {{.blocks = 0, .block_size = 4096, .wwid = {0x60}}, "no blocks"},
        {{.blocks = (UINT64_C(1) << 34) + 1, .block_size = 4096, .wwid = {0x60}}, "64 TB"},
        {{.blocks = (UINT64_C(1) << 37) + 1, .block_size = 512, .wwid = {0x60}}, "64 TB"},
        {{.blocks = 1, .block_size = 512, .wwid = {0x50}}, "NAA-6"},
    };
    struct sim_media *m = NULL;
    char why[SIM_MEDIA_WHY_BYTES];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct sim_media_opts opts = {.luns = &bad[i].lun, .n_luns = 1};
        cr_assert_eq(sim_media_create(&opts, &m, why, sizeof why), -EINVAL);
        cr_assert(strstr(why, bad[i].part) && strstr(why, "LUN 0"), "%s", why);
    }
    cr_assert_eq(sim_media_create(&(struct sim_media_opts){.n_luns = 256}, &m, why, sizeof why),
                 -EINVAL);
    cr_assert(strstr(why, "at most 255"), "%s", why);
    cr_assert_eq(
        sim_media_create(&(struct sim_media_opts){.kind = SIM_MEDIA_FILE}, &m, why, sizeof why),
        -EINVAL);
    cr_assert_eq(
        sim_media_create(&(struct sim_media_opts){.arena_bytes = 4096}, &m, why, sizeof why),
        -EINVAL);
    cr_assert_eq(
        sim_media_create(&(struct sim_media_opts){.arena_bytes = UINT64_MAX}, &m, why, sizeof why),
        -EINVAL);
    cr_assert_null(m);
}

Test(sim_media_memory, as_many_luns_as_an_adapter_has)
{
    struct sim_media_lun luns[255];
    const struct sim_media_opts opts = {.luns = luns, .n_luns = 255, .arena_bytes = 300u << 20};
    struct sim_media *m = NULL;

    for (unsigned i = 0; i < 255; i++) {
        luns[i] = (struct sim_media_lun){.blocks = i + 1, .block_size = i % 2 ? 512 : 4096};
        sim_media_make_wwid(0x1122334455667788, i, luns[i].wwid);
    }
    cr_assert_eq(luns[254].wwid[7], 254);
    cr_assert_eq(luns[254].wwid[8], 0x11);
    cr_assert_eq(sim_media_create(&opts, &m, NULL, 0), 0);
    for (unsigned i = 0; i < 255; i++)
        put(m, i, i, 1, (int)(i % 251) + 1);
    for (unsigned i = 0; i < 255; i++)
        cr_assert(holds(m, i, i, 1, (int)(i % 251) + 1));
    cr_assert_eq(sim_media_n_luns(m), 255);
    cr_assert_null(sim_media_lun(m, 255));
    sim_media_close(m);
}
