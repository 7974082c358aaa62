/* SPDX-License-Identifier: Apache-2.0 */
/* Media in a file: what is written is there after closing and opening, the bytes on disk are those
 * of the format, and the file has one opener at a time. Crashes and full disks are in
 * sim_media_crash_test.c. */
#include "tests/unit/sim/sim_media_file_fixture.h"

#include <sys/wait.h>

TestSuite(sim_media_file, .init = setup, .fini = teardown);

/* ---- data ---- */

Test(sim_media_file, data_are_there_after_closing_and_opening)
{
    struct sim_media *m = open_media(&making);
    uint8_t word[5] = {1, 2, 3, 4, 5};

    cr_assert_eq(sim_media_kind(m), SIM_MEDIA_FILE);
    cr_assert(holds(m, 0, 0, 1000, 0) && !sim_media_mapped(m, 0, 0));
    put(m, 0, 250, 12, 0x31);
    put(m, 1, 4999, 1, 0x32);
    cr_assert_eq(sim_media_store_write(m, (1 << 20) - 2, word, 5), 0);
    cr_assert_eq(sim_media_sync(m), 0);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert_eq(sim_media_n_luns(m), 2);
    cr_assert_eq(memcmp(sim_media_lun(m, 1)->wwid, two_luns[1].wwid, 16), 0);
    cr_assert_eq(sim_media_lun(m, 1)->port_mask, 1);
    cr_assert(holds(m, 0, 250, 12, 0x31) && holds(m, 0, 249, 1, 0) && holds(m, 0, 262, 1, 0));
    cr_assert(holds(m, 1, 4999, 1, 0x32) && holds(m, 1, 0, 4999, 0));
    memset(word, 0, 5);
    cr_assert_eq(sim_media_store_read(m, (1 << 20) - 2, word, 5), 0);
    cr_assert_arr_eq(word, "\1\2\3\4\5", 5);
    sim_media_close(m);
}

Test(sim_media_file, an_existing_file_keeps_its_own_luns)
{
    static const struct sim_media_lun other = {.blocks = 1, .block_size = 512, .wwid = {0x60}};
    struct sim_media_opts opts = making;
    struct sim_media *m = open_media(&making);

    sim_media_close(m);
    opts.luns = &other;
    opts.n_luns = 1;
    m = open_media(&opts);
    cr_assert_eq(sim_media_n_luns(m), 2);
    cr_assert_eq(sim_media_lun(m, 0)->blocks, 1000);
    sim_media_close(m);
}

Test(sim_media_file, bad_descriptors_make_no_file)
{
    static const struct sim_media_lun bad = {.blocks = 1, .block_size = 100, .wwid = {0x60}};
    const struct sim_media_opts opts = {.luns = &bad, .n_luns = 1, .create_if_missing = true};
    struct sim_media *m = NULL;

    cr_assert_eq(sim_media_open(place.path, &opts, &m, why, sizeof why), -EINVAL);
    cr_assert(strstr(why, "neither 512 nor 4096"), "%s", why);
    cr_assert_eq(place_files(&place, false), 0);
}

Test(sim_media_file, luns_that_come_and_go_survive)
{
    static const struct sim_media_lun extra = {
        .blocks = 700, .block_size = 4096, .wwid = {0x6B, 2}, .port_mask = 2};
    struct sim_media *m = open_media(&making);
    unsigned lun = 99;

    put(m, 0, 0, 300, 0x41);
    cr_assert_eq(sim_media_add_lun(m, &extra, &lun), 0);
    cr_assert_eq(lun, 2);
    put(m, 2, 699, 1, 0x42);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert_eq(sim_media_n_luns(m), 3);
    cr_assert(sim_media_lun(m, 2)->added && !sim_media_lun(m, 1)->added);
    cr_assert_arr_eq(sim_media_lun(m, 2)->wwid, extra.wwid, 16);
    cr_assert(holds(m, 2, 699, 1, 0x42) && holds(m, 2, 0, 699, 0));
    cr_assert_eq(sim_media_remove_lun(m, 0), 0);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert(sim_media_n_luns(m) == 3 && !sim_media_lun(m, 0) && sim_media_lun(m, 1));
    cr_assert_eq(sim_media_add_lun(m, &extra, &lun), 0);
    cr_assert_eq(lun, 0);
    cr_assert(holds(m, 0, 0, 700, 0), "the new LUN shows the data of the old one");
    cr_assert_eq(sim_media_remove_lun(m, 2), 0);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert_eq(sim_media_n_luns(m), 2);
    sim_media_close(m);
    m = open_media(&reading);
    cr_assert_eq(sim_media_add_lun(m, &extra, &lun), -EROFS);
    cr_assert_eq(sim_media_remove_lun(m, 0), -EROFS);
    sim_media_close(m);
}

Test(sim_media_file, capacity_changes_survive)
{
    struct sim_media *m = open_media(&making);

    put(m, 0, 900, 1, 0x42);
    cr_assert_eq(sim_media_set_size(m, 0, 10), 0);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert_eq(sim_media_lun(m, 0)->blocks, 10);
    cr_assert_eq(sim_media_set_size(m, 0, UINT64_C(1) << 34), 0);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert(holds(m, 0, 900, 1, 0x42), "what lay beyond the end came back");
    sim_media_close(m);
}

Test(sim_media_file, a_64_tb_lun_is_a_small_file)
{
    static const struct sim_media_lun big[] = {
        {.blocks = UINT64_C(1) << 34, .block_size = 4096, .wwid = {0x60}},
        {.blocks = UINT64_C(1) << 37, .block_size = 512, .wwid = {0x60}},
    };
    const struct sim_media_opts opts = {
        .luns = big, .n_luns = 2, .create_if_missing = true, .arena_bytes = 64 << 20};
    struct sim_media *m = open_media(&opts);

    cr_assert_eq(stat_file().st_size, 128 << 10, "an empty file is small");
    for (unsigned i = 0; i < 10; i++) {
        put(m, 0, big[0].blocks / 10 * i, 1, (int)i + 1);
        put(m, 1, big[1].blocks - 1 - i * 1000000, 1, (int)i + 101);
    }
    sim_media_close(m);
    cr_assert(stat_file().st_size < 64 << 20);
    cr_assert(stat_file().st_blocks < (24 << 20) / 512, "%lld", (long long)stat_file().st_blocks);
    m = open_media(&opening);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(holds(m, 0, big[0].blocks / 10 * i, 1, (int)i + 1));
        cr_assert(holds(m, 1, big[1].blocks - 1 - i * 1000000, 1, (int)i + 101));
    }
    sim_media_close(m);
}

Test(sim_media_file, unmapped_space_is_used_again_and_zero)
{
    struct sim_media *m = open_media(&making);
    off_t size;

    put(m, 0, 0, 256, 0x11);
    size = stat_file().st_size;
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_eq(sim_media_unmap(m, 0, 0, 256), 0);
        cr_assert(!sim_media_mapped(m, 0, 0));
        put(m, 0, 7, 1, 0x22);
        cr_assert(holds(m, 0, 0, 7, 0) && holds(m, 0, 7, 1, 0x22) && holds(m, 0, 8, 248, 0));
        if (i % 7 == 0)
            cr_assert_eq(sim_media_sync(m), 0);
    }
    cr_assert(stat_file().st_size <= size + (32 << 20), "a hundred unmaps do not grow the file");
    sim_media_close(m);
}

Test(sim_media_file, slots_of_unknown_contents_are_cleared_before_use)
{
    static uint8_t junk[1 << 20];
    struct sim_media *m = open_media(&making);

    put(m, 0, 0, 1, 1);
    sim_media_close(m);
    memset(junk, 0xBD, sizeof junk);
    for (uint32_t slot = 1; slot < 16; slot++) /* as if a process had ended before the record */
        poke(media_slot_at(slot), junk, sizeof junk);
    m = open_media(&opening);
    put(m, 0, 256, 1, 2);
    put(m, 0, 512, 1, 3);
    cr_assert(holds(m, 0, 257, 255, 0) && holds(m, 0, 513, 255, 0));
    sim_media_close(m);
}

Test(sim_media_file, growth_over_several_groups)
{
    static const struct sim_media_lun lun = {
        .blocks = 400 * 2048, .block_size = 512, .wwid = {0x60}};
    const struct sim_media_opts opts = {
        .luns = &lun, .n_luns = 1, .create_if_missing = true, .arena_bytes = 64 << 20};
    struct sim_media *m = open_media(&opts);

    for (unsigned i = 0; i < 300; i++)
        put(m, 0, (uint64_t)i * 2048 + i, 1, (int)i % 255 + 1);
    sim_media_close(m);
    m = open_media(&opening);
    for (unsigned i = 0; i < 300; i++) {
        cr_assert(holds(m, 0, (uint64_t)i * 2048 + i, 1, (int)i % 255 + 1));
        cr_assert(holds(m, 0, (uint64_t)i * 2048 + i + 1, 1, 0));
    }
    sim_media_close(m);
}

Test(sim_media_file, a_failing_client_leaves_the_file_as_it_was)
{
    struct sim_media *m = open_media(&making);
    uint8_t block[4096] = {1};
    struct buffer b = {.data = block, .size = sizeof block, .fail_at = 1};

    cr_assert_eq(sim_media_write(m, 0, 3, 1, from_buffer, &b), -EFAULT);
    cr_assert(!sim_media_mapped(m, 0, 3));
    put(m, 0, 3, 1, 7);
    b.calls = 0;
    cr_assert_eq(sim_media_write(m, 0, 3, 1, from_buffer, &b), -EFAULT);
    cr_assert(holds(m, 0, 3, 1, 7));
    b.calls = 0;
    cr_assert_eq(sim_media_read(m, 0, 3, 1, to_buffer, &b), -EFAULT);
    sim_media_close(m);
}

/* ---- bytes on the disk ---- */

Test(sim_media_file, the_bytes_written_are_those_of_the_format)
{
    const struct sim_media_opts opts = {
        .luns = &literal_lun, .n_luns = 1, .create_if_missing = true, .arena_bytes = 64 << 20};
    struct sim_media *m = open_media(&opts);
    uint8_t bytes[4096];

    put(m, 0, LITERAL_LBA, 1, 0xA5);
    sim_media_close(m);
    peek(65536, bytes, sizeof literal_header);
    cr_assert_arr_eq(bytes, literal_header, sizeof literal_header);
    peek(131072, bytes, sizeof literal_record);
    cr_assert_arr_eq(bytes, literal_record, sizeof literal_record);
    peek(131072 + 4096 + 5 * 4096, bytes, 4096);
    cr_assert(bytes[0] == 0xA5 && !memcmp(bytes, bytes + 1, 4095));
    cr_assert_eq(stat_file().st_size, 131072 + 4096 + (16 << 20));
}

Test(sim_media_file, a_file_of_these_bytes_opens_on_every_host)
{
    uint8_t block[4096];
    struct sim_media *m;

    memset(block, 0x5A, sizeof block);
    poke(65536, literal_header, sizeof literal_header);
    poke(131072, literal_record, sizeof literal_record);
    poke(131072 + 4096 + 5 * 4096, block, sizeof block);
    cut_file(131072 + 4096 + (16 << 20));
    m = open_media(&opening);
    cr_assert_eq(sim_media_n_luns(m), 1);
    cr_assert_eq(sim_media_lun(m, 0)->blocks, 0x4080C101);
    cr_assert_arr_eq(sim_media_lun(m, 0)->wwid, literal_lun.wwid, 16);
    cr_assert(holds(m, 0, LITERAL_LBA, 1, 0x5A) && holds(m, 0, LITERAL_LBA + 1, 1, 0));
    sim_media_close(m);
}

Test(sim_media_file, of_two_records_for_one_place_the_later_counts)
{
    uint8_t record[MEDIA_FILE_RECORD_BYTES];
    struct sim_media *m = open_media(&making);

    put(m, 0, 0, 256, 0x11);   /* slot 0, sequence 1 */
    put(m, 0, 256, 256, 0x22); /* slot 1, sequence 2 */
    sim_media_close(m);
    media_record_encode(record, 1, &(struct media_record){.space = 0, .piece = 0, .sequence = 9});
    poke(media_record_at(1), record, sizeof record);
    m = open_media(&opening);
    cr_assert(holds(m, 0, 0, 256, 0x22) && holds(m, 0, 256, 256, 0));
    sim_media_close(m);
    peek(media_record_at(0), record, sizeof record);
    cr_assert(!record[0] && !record[31], "the older one is gone for good");
    media_record_encode(record, 5, &(struct media_record){.space = 0, .piece = 0, .sequence = 3});
    poke(media_record_at(5), record, sizeof record);
    m = open_media(&opening);
    cr_assert(holds(m, 0, 0, 256, 0x22), "the order in the table does not matter");
    put(m, 0, 300, 1, 0x33);
    sim_media_close(m);
    m = open_media(&opening);
    cr_assert(holds(m, 0, 0, 256, 0x22) && holds(m, 0, 300, 1, 0x33));
    sim_media_close(m);
}

/* ---- one opener at a time ---- */

Test(sim_media_file, a_second_opener_is_told_who_has_it)
{
    struct sim_media *m = open_media(&making);
    char pid[32];

    cr_assert(refused(&opening, -EBUSY, "in use by"));
    snprintf(pid, sizeof pid, "process %d:", getpid());
    cr_assert(strstr(why, pid) || strstr(why, "another process"), "%s", why);
    cr_assert(refused(&reading, -EBUSY, "in use by"));
    sim_media_close(m);
    m = open_media(&opening);
    sim_media_close(m);
}

Test(sim_media_file, another_process_is_refused_too)
{
    struct sim_media *m = open_media(&making), *other = NULL;
    pid_t child;
    int status;

    put(m, 0, 0, 1, 1);
    child = fork();
    if (!child)
        _exit(sim_media_open(place.path, &opening, &other, NULL, 0) == -EBUSY ? 0 : 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    sim_media_close(m);
}

Test(sim_media_file, readers_share_and_write_nothing)
{
    struct sim_media *m = open_media(&making), *a, *b;
    struct stat before, after;

    put(m, 0, 1, 1, 0x61);
    sim_media_close(m);
    before = stat_file();
    a = open_media(&reading);
    b = open_media(&reading);
    cr_assert(holds(a, 0, 1, 1, 0x61) && holds(b, 0, 1, 1, 0x61));
    cr_assert_eq(try_put(a, 0, 1, 1, 2), -EROFS);
    cr_assert_eq(sim_media_unmap(a, 0, 0, 256), -EROFS);
    cr_assert_eq(sim_media_write_same(a, 0, 0, 1, "\1"), -EROFS);
    cr_assert_eq(sim_media_set_size(a, 0, 5), -EROFS);
    cr_assert_eq(sim_media_store_write(a, 0, "x", 1), -EROFS);
    cr_assert_eq(sim_media_sync(a), 0);
    cr_assert(refused(&opening, -EBUSY, "in use by"));
    sim_media_close(a);
    sim_media_close(b);
    after = stat_file();
    cr_assert(!memcmp(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim));
}
