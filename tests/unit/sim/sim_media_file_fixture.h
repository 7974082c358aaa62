/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of media files share: one file with two LUNs, ways to open it and to look at and
 * change its bytes, and a file of literal bytes. */
#ifndef TESTS_UNIT_SIM_MEDIA_FILE_FIXTURE_H
#define TESTS_UNIT_SIM_MEDIA_FILE_FIXTURE_H

#include "tests/unit/sim/sim_media_fixture.h"

#include <fcntl.h>

static const struct sim_media_lun two_luns[] = {
    {.blocks = 1000, .block_size = 4096, .wwid = {0x60}, .port_mask = 3},
    {.blocks = 5000, .block_size = 512, .wwid = {0x60, 1}, .port_mask = 1},
};
static const struct sim_media_opts making __attribute__((unused)) = {
    .luns = two_luns, .n_luns = 2, .create_if_missing = true, .arena_bytes = 64 << 20};
static const struct sim_media_opts opening __attribute__((unused)) = {.arena_bytes = 64 << 20};
static const struct sim_media_opts reading
    __attribute__((unused)) = {.read_only = true, .arena_bytes = 64 << 20};

static const struct sim_media_lun literal_lun
    __attribute__((unused)) = {.blocks = 0x4080C101,
                               .block_size = 4096,
                               .port_mask = 3,
                               .wwid = {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69,
                                        0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F}};

static struct place place;
static char why[SIM_MEDIA_WHY_BYTES];

static inline void setup(void) { place_make(&place); }
static inline void teardown(void) { place_remove(&place); }

static inline struct sim_media *open_media(const struct sim_media_opts *opts)
{
    struct sim_media *m = NULL;
    int error = sim_media_open(place.path, opts, &m, why, sizeof why);

    cr_assert_eq(error, 0, "%d: %s", error, why);
    return m;
}

/* Whether opening gives `error` and a sentence with the path and `part`. */
static inline bool refused(const struct sim_media_opts *opts, int error, const char *part)
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

static inline void poke(uint64_t at, const void *bytes, size_t n)
{
    int fd = open(place.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    cr_assert_eq(pwrite(fd, bytes, n, (off_t)at), (ssize_t)n);
    close(fd);
}

static inline void peek(uint64_t at, void *bytes, size_t n)
{
    int fd = open(place.path, O_RDONLY | O_CLOEXEC);

    cr_assert_eq(pread(fd, bytes, n, (off_t)at), (ssize_t)n);
    close(fd);
}

static inline struct stat stat_file(void)
{
    struct stat st;
    cr_assert_eq(stat(place.path, &st), 0);
    return st;
}

static inline void cut_file(uint64_t size) { cr_assert_eq(truncate(place.path, (off_t)size), 0); }

/* After the first write: generation 3, 16 slots. Checksums from an independent program. */
static const uint8_t literal_header[128] __attribute__((unused)) = {
    0x53, 0x50, 0x49, 0x50, 0x45, 0x4D, 0x45, 0x44, 0x00, 0x00, 0x00, 0x01, 0xC2, 0xEE, 0xB7, 0xD5,
    0x00, 0x00, 0x00, 0x80, 0xA7, 0x88, 0x6D, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x40, 0x80, 0xC1, 0x01, 0x00, 0x00, 0x10, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F};

/* Slot 0 holds MiB 0x403 of LUN 0, sequence 1. */
static const uint8_t literal_record[32] __attribute__((unused)) = {
    0x45, 0x58, 0x54, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x03,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x7C, 0x75, 0x77, 0xB1};

#define LITERAL_LBA (0x403 * 256 + 5)

#endif
