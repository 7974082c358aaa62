/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever may lie under the name of a media file: it is opened, or refused with a sentence and not
 * modified; it never crashes the program. */
#include "tests/unit/sim/sim_media_file_fixture.h"

#include <sys/wait.h>

#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"

TestSuite(sim_media_file_open, .init = setup, .fini = teardown);

Test(sim_media_file_open, what_is_no_media_file)
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

Test(sim_media_file_open, a_directory_that_is_not_there)
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

Test(sim_media_file_open, no_permission)
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

Test(sim_media_file_open, a_newer_format)
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

Test(sim_media_file_open, one_damaged_header_is_harmless_two_are_not)
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

Test(sim_media_file_open, a_truncated_file)
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
    unlink(place.path);
    poke(0, literal_header, sizeof literal_header);
    poke(31, "\1", 1); /* this copy is damaged now */
    poke(65536, literal_header, sizeof literal_header);
    poke(media_record_at(16), literal_record, sizeof literal_record);
    cut_file(131072 + 4096 + (16 << 20));
    cr_assert(refused(&opening, -EINVAL, "names a place beyond its end"));
}

Test(sim_media_file_open, more_after_the_end_never_shows)
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

Test(sim_media_file_open, a_damaged_table)
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

Test(sim_media_file_open, one_torn_record_counts_as_none)
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

Test(sim_media_file_open, an_arena_that_is_too_small)
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
Test(sim_media_file_open, random_damage_never_crashes)
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

Test(sim_media_file_open, random_headers_never_crash)
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
Test(sim_media_file_open, consistent_nonsense_is_refused)
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
