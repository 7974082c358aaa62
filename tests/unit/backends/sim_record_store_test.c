/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's records in the reserved area of simulated media. */
#include "backends/sim/sim_record_store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/sim_media.h"
#include "tests/conformance/hal_conformance_sim.h"
#include "tests/testlib/record_text.h"

TestSuite(sim_record_store, .timeout = 30);

static void append(struct hal_record_store *store, const char *text)
{
    cr_assert_eq(record_text_append(store, text), 0);
}

static struct sim_record_store *open_over(struct sim_media *media)
{
    struct sim_record_store *s = calloc(1, sizeof *s);

    cr_assert_eq(sim_record_store_init(s, media, NULL), 0);
    return s;
}

Test(sim_record_store, records_survive_their_store)
{
    struct sim_media *media = conf_sim_media();
    struct sim_record_store *s = open_over(media);

    cr_assert_str_eq(record_text(&s->log.store), "");
    append(&s->log.store, "one");
    append(&s->log.store, "two");
    free(s);
    s = open_over(media);
    cr_assert_str_eq(record_text(&s->log.store), "one;two;");
    append(&s->log.store, "three");
    cr_assert_str_eq(record_text(&s->log.store), "one;two;three;");
    free(s);
    sim_media_close(media);
}

Test(sim_record_store, compaction_replaces_them)
{
    struct sim_media *media = conf_sim_media();
    struct sim_record_store *s = open_over(media);

    (void)record_text(&s->log.store);
    append(&s->log.store, "one");
    append(&s->log.store, "two");
    cr_assert_eq(record_text_replace(&s->log.store, "both"), 0);
    append(&s->log.store, "three");
    free(s);
    s = open_over(media);
    cr_assert_str_eq(record_text(&s->log.store), "both;three;");
    free(s);
    sim_media_close(media);
}

/* Records are no part of any LUN. */
Test(sim_record_store, luns_stay_untouched)
{
    struct sim_media *media = conf_sim_media();
    struct sim_record_store *s = open_over(media);

    (void)record_text(&s->log.store);
    for (unsigned i = 0; i < 100; i++)
        append(&s->log.store, "record");
    for (unsigned lun = 0; lun < 2; lun++) {
        cr_assert_eq(sim_media_counters(media, lun)->blocks_written, 0);
        cr_assert(!sim_media_mapped(media, lun, 0));
    }
    cr_assert_eq(s->area.size, sim_media_store_size(media));
    free(s);
    sim_media_close(media);
}

/* A file keeps them beyond the process: here beyond the media. */
Test(sim_record_store, a_file_keeps_records)
{
    struct sim_media_lun lun = {.blocks = 64, .block_size = 4096, .port_mask = 1};
    struct sim_media_opts opts = {.luns = &lun, .n_luns = 1, .create_if_missing = true};
    const char *dir = getenv("TEST_TMPDIR");
    char path[512], why[SIM_MEDIA_WHY_BYTES];

    snprintf(path, sizeof path, "%s/sim_record_store_test.%d", dir ? dir : "/tmp", (int)getpid());
    sim_media_make_wwid(1, 0, lun.wwid);
    for (unsigned round = 0; round < 3; round++) {
        struct sim_record_store *s;
        struct sim_media *media;

        cr_assert_eq(sim_media_open(path, &opts, &media, why, sizeof why), 0, "%s", why);
        s = open_over(media);
        cr_assert_eq(strlen(record_text(&s->log.store)), 5 * round);
        append(&s->log.store, "name");
        free(s);
        sim_media_close(media);
    }
    unlink(path);
}

static int refuse(void *arg, const void *record, size_t length)
{
    (void)arg;
    (void)record;
    (void)length;
    return -EIO;
}

/* Damage is reported, not taken for an empty store; what the reader says ends the load. */
Test(sim_record_store, damage_and_refusal_are_errors)
{
    struct sim_media *media = conf_sim_media();
    struct sim_record_store *s = open_over(media);
    uint8_t byte;

    (void)record_text(&s->log.store);
    append(&s->log.store, "one");
    append(&s->log.store, "two");
    cr_assert_eq(hal_record_load(&s->log.store, refuse, NULL), -EIO);
    cr_assert_eq(sim_media_store_read(media, 512 + 32, &byte, 1), 0);
    cr_assert_eq(byte, 'o');
    byte ^= 1;
    cr_assert_eq(sim_media_store_write(media, 512 + 32, &byte, 1), 0);
    free(s);
    s = open_over(media);
    cr_assert_eq(record_text_try(&s->log.store), -EILSEQ);
    free(s);
    sim_media_close(media);
}

/* A full area says so. */
Test(sim_record_store, it_fills_up)
{
    struct sim_media *media = conf_sim_media();
    struct sim_record_store *s = open_over(media);
    char *big = calloc(1, HAL_RECORD_MAX);
    unsigned n = 0;
    int rc;

    (void)record_text(&s->log.store);
    while ((rc = hal_record_append(&s->log.store, big, HAL_RECORD_MAX)) == 0)
        n++;
    cr_assert_eq(rc, -ENOSPC);
    cr_assert_gt(n, 50);
    cr_assert_eq(record_text_replace(&s->log.store, "small"), 0);
    cr_assert_eq(hal_record_append(&s->log.store, big, HAL_RECORD_MAX), 0);
    free(big);
    free(s);
    sim_media_close(media);
}
