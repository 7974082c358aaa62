/* SPDX-License-Identifier: Apache-2.0 */
/* Media in a file: what is written is there after closing and opening; the bytes on disk are those
 * of the format; everything else that may lie under the name is refused with a sentence. Crashes
 * and full disks are in sim_media_crash_test.c. */
#include "tests/unit/sim/sim_media_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"

static const struct sim_media_lun two_luns[] = {
    {.blocks = 1000, .block_size = 4096, .wwid = {0x60}, .port_mask = 3},
    {.blocks = 5000, .block_size = 512, .wwid = {0x60, 1}, .port_mask = 1},
};
static const struct sim_media_opts making = {
    .luns = two_luns, .n_luns = 2, .create_if_missing = true, .arena_bytes = 64 << 20};
static const struct sim_media_opts opening = {.arena_bytes = 64 << 20};
static const struct sim_media_opts reading = {.read_only = true, .arena_bytes = 64 << 20};

static const struct sim_media_lun literal_lun = {.blocks = 0x4080C101,
                                                 .block_size = 4096,
                                                 .port_mask = 3,
                                                 .wwid = {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
                                                          0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D,
                                                          0x6E, 0x6F}};

static struct place place;
static char why[SIM_MEDIA_WHY_BYTES];

static void setup(void) { place_make(&place); }
static void teardown(void) { place_remove(&place); }

TestSuite(sim_media_file, .init = setup, .fini = teardown);

static struct sim_media *open_media(const struct sim_media_opts *opts)
{
    struct sim_media *m = NULL;
    int error = sim_media_open(place.path, opts, &m, why, sizeof why);

    cr_assert_eq(error, 0, "%d: %s", error, why);
    return m;
}

/* Whether opening gives `error` and a sentence with the path and `part`. */
static bool refused(const struct sim_media_opts *opts, int error, const char *part)
{
    struct sim_media *m = NULL;
    int got;

    strcpy(why, "nothing said");
    got = sim_media_open(place.path, opts, &m, why, sizeof why);
    if (got == error && strstr(why, part) && strstr(why, place.path) && !m)
        return true;
    cr_log_info("%d: %s", got, why);
    return false;
}

static void poke(uint64_t at, const void *bytes, size_t n)
{
    int fd = open(place.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    cr_assert_eq(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
    close(fd);
}

static void peek(uint64_t at, void *bytes, size_t n)
{
    int fd = open(place.path, O_RDONLY | O_CLOEXEC);

    cr_assert_eq(pread(fd, bytes, n, (off_t)at), (ssize_t)n);
    close(fd);
}

static struct stat stat_file(void)
{
    struct stat st;
    cr_assert_eq(stat(place.path, &st), 0);
    return st;
}

static void cut_file(uint64_t size) { cr_assert_eq(truncate(place.path, (off_t)size), 0); }

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

/* After the first write: generation 3, 16 slots. Checksums from an independent program. */
static const uint8_t literal_header[128] = {
    0x53, 0x50, 0x49, 0x50, 0x45, 0x4D, 0x45, 0x44, 0x00, 0x00, 0x00, 0x01, 0xC2, 0xEE, 0xB7, 0xD5,
    0x00, 0x00, 0x00, 0x80, 0xA7, 0x88, 0x6D, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x40, 0x80, 0xC1, 0x01, 0x00, 0x00, 0x10, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F};

/* Slot 0 holds MiB 0x403 of LUN 0, sequence 1. */
static const uint8_t literal_record[32] = {
    0x45, 0x58, 0x54, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x03,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x7C, 0x75, 0x77, 0xB1};

#define LITERAL_LBA (0x403 * 256 + 5)

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

/* ---- refused, and nothing modified ---- */

Test(sim_media_file, what_is_no_media_file)
{
    static uint8_t bytes[200 << 10];
    struct sim_media_opts opts = making;

    cr_assert(refused(&opening, -ENOENT, "does not exist"));
    opts.read_only = true;
    cr_assert(refused(&opts, -ENOENT, "does not exist"));
    poke(0, "", 0);
    cr_assert(refused(&making, -EINVAL, "is empty"));
    poke(0, "SPIPEMED", 8);
    cr_assert(refused(&making, -EINVAL, "too small"));
    memset(bytes, 'x', sizeof bytes);
    poke(0, bytes, sizeof bytes);
    cr_assert(refused(&making, -EINVAL, "not a media file"));
    cr_assert_eq(stat_file().st_size, 200 << 10);
    unlink(place.path);
    cr_assert_eq(mkdir(place.path, 0700), 0);
    cr_assert(refused(&making, -EISDIR, "is a directory"));
    cr_assert(refused(&reading, -EISDIR, "is a directory"));
    rmdir(place.path);
    cr_assert_eq(mkfifo(place.path, 0600), 0);
    cr_assert(refused(&making, -EINVAL, "not a regular file"));
    cr_assert(refused(&reading, -EINVAL, "not a regular file"));
}

Test(sim_media_file, a_directory_that_is_not_there)
{
    struct sim_media *m = NULL;
    char path[300];

    snprintf(path, sizeof path, "%s/none/m", place.directory);
    cr_assert_eq(sim_media_open(path, &making, &m, why, sizeof why), -ENOENT);
    snprintf(path, sizeof path, "%s/m/m", place.directory);
    poke(0, "x", 1);
    cr_assert_eq(sim_media_open(path, &making, &m, why, sizeof why), -ENOTDIR);
    cr_assert(strstr(why, "check its name"), "%s", why);
}

Test(sim_media_file, no_permission)
{
    struct sim_media *m = NULL;
    pid_t child;
    int status;

    sim_media_close(open_media(&making));
    cr_assert_eq(chmod(place.directory, 0755), 0);
    cr_assert_eq(chmod(place.path, 0444), 0);
    if (geteuid()) {
        cr_assert(refused(&opening, -EACCES, "open it read only"));
        return;
    }
    child = fork(); /* root may do anything: let somebody else try */
    if (!child) {
        if (setuid(65534))
            _exit(2);
        if (sim_media_open(place.path, &opening, &m, why, sizeof why) != -EACCES)
            _exit(access(place.path, R_OK) ? 0 : 3); /* the test directory itself is closed */
        _exit(strstr(why, "open it read only") ? 0 : 4);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0, "%d", WEXITSTATUS(status));
}

Test(sim_media_file, a_newer_format)
{
    static const uint8_t version_2[8] = {0, 0, 0, 2, 0xD1, 0xBE, 0x44, 0x21};
    uint8_t rest[64];

    sim_media_close(open_media(&making));
    poke(8, version_2, sizeof version_2);
    memset(rest, 0xFF, sizeof rest);
    poke(16, rest, sizeof rest); /* whatever the newer format keeps there */
    cr_assert(refused(&opening, -EINVAL, "format 2, which is newer than the format 1"));
    cr_assert(refused(&reading, -EINVAL, "use a newer program"));
    peek(8, rest, 8);
    cr_assert_arr_eq(rest, version_2, 8);
}

Test(sim_media_file, one_damaged_header_is_harmless_two_are_not)
{
    struct sim_media *m = open_media(&making);
    uint8_t byte;

    put(m, 0, 1, 1, 0x71);
    sim_media_close(m);
    for (unsigned i = 0; i < 192; i++) { /* every byte of the newer copy */
        peek(65536 + i, &byte, 1);
        byte ^= 0x40;
        poke(65536 + i, &byte, 1);
        m = open_media(&reading);
        cr_assert(holds(m, 0, 1, 1, 0x71), "the table is not read from the header");
        sim_media_close(m);
        byte ^= 0x40;
        poke(65536 + i, &byte, 1);
    }
    poke(65536 + 100, "?", 1);
    poke(100, "?", 1);
    cr_assert(refused(&opening, -EINVAL, "both copies of its header are damaged"));
}

Test(sim_media_file, a_truncated_file)
{
    struct sim_media *m = open_media(&making);
    struct stat st;

    put(m, 0, 1, 1, 1);
    sim_media_close(m);
    st = stat_file();
    cut_file((uint64_t)st.st_size - 1);
    cr_assert(refused(&opening, -EINVAL, "is truncated"));
    cut_file(131072 + 100);
    cr_assert(refused(&opening, -EINVAL, "is truncated"));
    cut_file(131072);
    cr_assert(refused(&opening, -EINVAL, "is truncated"), "even when the table is gone too");
    cut_file(131071);
    cr_assert(refused(&opening, -EINVAL, "too small"));
    cr_assert_eq(stat_file().st_size, 131071);
}

Test(sim_media_file, more_after_the_end_never_shows)
{
    static uint8_t junk[(2 << 20) + (512 << 10)]; /* two slots and a half */
    struct sim_media *m = open_media(&making);

    sim_media_close(m);
    unlink(place.path);
    m = open_media(&(struct sim_media_opts){
        .luns = &literal_lun, .n_luns = 1, .create_if_missing = true, .arena_bytes = 64 << 20});
    put(m, 0, 1, 1, 1);
    sim_media_close(m);
    memset(junk, 0xEB, sizeof junk);
    poke((uint64_t)stat_file().st_size, junk, sizeof junk);
    m = open_media(&opening);
    for (unsigned i = 1; i < 25; i++)
        put(m, 0, i * 256 + 255, 1, 5);
    for (unsigned i = 1; i < 25; i++)
        cr_assert(holds(m, 0, i * 256, 255, 0), "piece %u", i);
    sim_media_close(m);
}

Test(sim_media_file, a_damaged_table)
{
    struct sim_media *m = open_media(&making);
    uint8_t record[MEDIA_FILE_RECORD_BYTES];
    static const struct media_record bad[] = {{.space = 2, .piece = 0, .sequence = 7},
                                              {.space = 0, .piece = 1 << 26, .sequence = 7},
                                              {.space = 0xFFFF, .piece = 8, .sequence = 7}};

    for (unsigned i = 0; i < 3; i++)
        put(m, 0, i * 256, 1, 0x10 + (int)i);
    sim_media_close(m);
    for (unsigned i = 0; i < 3; i++) {
        media_record_encode(record, 9, &bad[i]);
        poke(media_record_at(9), record, sizeof record);
        cr_assert(refused(&opening, -EINVAL, "names a LUN or place that does not exist"));
    }
    memset(record, 0, sizeof record);
    poke(media_record_at(9), record, sizeof record);
    poke(media_record_at(0) + 15, "?", 1);
    poke(media_record_at(2) + 15, "?", 1);
    cr_assert(refused(&opening, -EINVAL, "2 entries of its extent table are not readable"));
    peek(media_record_at(0), record, sizeof record);
    cr_assert_eq(record[15], '?', "nothing modified");
    peek(media_record_at(1), record, sizeof record);
    poke(media_record_at(2), record, sizeof record); /* a record in the wrong place */
    cr_assert(refused(&opening, -EINVAL, "2 entries"));
}

Test(sim_media_file, one_torn_record_counts_as_none)
{
    struct sim_media *m = open_media(&making);

    for (unsigned i = 0; i < 3; i++)
        put(m, 0, i * 256, 1, 0x10 + (int)i);
    sim_media_close(m);
    poke(media_record_at(1) + 20, "?", 1);
    m = open_media(&reading);
    cr_assert(holds(m, 0, 0, 1, 0x10) && holds(m, 0, 256, 1, 0) && holds(m, 0, 512, 1, 0x12));
    sim_media_close(m);
    m = open_media(&opening); /* this one repairs it */
    cr_assert(holds(m, 0, 0, 1, 0x10) && holds(m, 0, 256, 1, 0) && holds(m, 0, 512, 1, 0x12));
    sim_media_close(m);
    poke(media_record_at(0) + 20, "?", 1);
    m = open_media(&opening);
    cr_assert(holds(m, 0, 0, 256, 0) && holds(m, 0, 512, 1, 0x12));
    sim_media_close(m);
}

Test(sim_media_file, an_arena_that_is_too_small)
{
    struct sim_media_opts opts = making;
    struct sim_media *m;

    sim_media_close(open_media(&making));
    opts.arena_bytes = 1 << 20;
    cr_assert(refused(&opts, -ENOMEM, "give a larger arena"));
    opts.arena_bytes = UINT64_MAX;
    cr_assert(refused(&opts, -ENOMEM, "give a larger arena"));
    m = open_media(&opening);
    sim_media_close(m);
}

/* Random damage to a good file: every outcome is fine but a crash or a hang. */
Test(sim_media_file, random_damage_never_crashes)
{
    static uint8_t head[136 << 10];
    struct sim_media *m = open_media(&making);
    struct hal_prng random;
    unsigned opened = 0;

    cr_log_info("seed 11");
    hal_prng_seed(&random, 11, 0);
    for (unsigned i = 0; i < 4; i++)
        put(m, 0, i * 256, 1, 1);
    sim_media_close(m);
    peek(0, head, sizeof head);
    for (unsigned round = 0; round < 400; round++) {
        uint64_t places[] = {0, 65536, 131072}, spans[] = {192, 192, 512};
        poke(0, head, sizeof head);
        for (unsigned n = (unsigned)hal_prng_below(&random, 4) + 1; n--;) {
            unsigned k = (unsigned)hal_prng_below(&random, 3);
            uint8_t byte = (uint8_t)hal_prng_next(&random);
            poke(places[k] + hal_prng_below(&random, spans[k]), &byte, 1);
        }
        if (sim_media_open(place.path, &opening, &m, why, sizeof why))
            continue;
        opened++;
        (void)holds(m, 0, 0, 1000, 1);
        put(m, 0, hal_prng_below(&random, 1000), 1, 9);
        sim_media_close(m);
    }
    cr_assert(opened > 50, "%u of 400 opened: one damaged copy must not matter", opened);
}

Test(sim_media_file, random_headers_never_crash)
{
    static uint8_t bytes[140 << 10];
    struct sim_media *m = NULL;
    struct hal_prng random;

    cr_log_info("seed 12");
    hal_prng_seed(&random, 12, 0);
    for (unsigned round = 0; round < 60; round++) {
        for (size_t i = 0; i < sizeof bytes; i += 8)
            hal_be64_put(bytes + i, hal_prng_next(&random));
        memcpy(bytes, literal_header, round % 3 * 8); /* nothing, magic, preamble */
        poke(0, bytes, sizeof bytes);
        cr_assert_eq(sim_media_open(place.path, &opening, &m, why, sizeof why), -EINVAL);
        cr_assert_null(m);
    }
}

/* A header whose checksum is right but whose contents are not. */
Test(sim_media_file, consistent_nonsense_is_refused)
{
    static const struct {
        uint8_t at, byte;
    } rows[] = {{35, 1}, {41, 0x11}, {47, 0x81}, {53, 0x81}, {58, 1},    {59, 0},
                {59, 2}, {71, 0},    {74, 0x11}, {80, 0x50}, {19, 0x40}, {18, 0x40}};
    uint8_t header[128];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(header, literal_header, sizeof header);
        header[rows[i].at] = rows[i].byte;
        if (rows[i].at == 71) /* the size of the LUN: all of it */
            memset(header + 64, 0, 8);
        hal_be32_put(header + 20, hal_crc32c(0, header + 24, sizeof header - 24));
        poke(65536, header, sizeof header);
        cut_file(131072 + 4096 + (16 << 20));
        cr_assert(refused(&opening, -EINVAL, ""), "row %zu", i);
    }
}
