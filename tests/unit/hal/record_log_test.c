/* SPDX-License-Identifier: Apache-2.0 */
/* The record log when nothing crashes: the bytes of its format, its limits, and damage, which is
 * reported and never mistaken for a crash, where the format can tell the two apart.
 *
 * The random tests print their seed; SPIPE_TEST_SEED=<number> in the environment runs another. */
#include "hal/support/record_log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"
#include "tests/testlib/record_fixture.h"
#include "tests/testlib/test_seed.h"

TestSuite(record_log, .timeout = 60);

enum { SMALL = 4096 };

/* ---- the format ---- */

static const unsigned char header_first[40] = {
    0x53, 0x50, 0x49, 0x50, 0x45, 0x4c, 0x4f, 0x47, 0x00, 0x00, 0x00, 0x01, 0x73, 0x97,
    0x71, 0xe7, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00,
};
static const unsigned char header_retired[40] = {
    0x53, 0x50, 0x49, 0x50, 0x45, 0x4c, 0x4f, 0x47, 0x00, 0x00, 0x00, 0x01, 0x6e, 0xa2,
    0x85, 0xf1, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};
static const unsigned char header_second[40] = {
    0x53, 0x50, 0x49, 0x50, 0x45, 0x4c, 0x4f, 0x47, 0x00, 0x00, 0x00, 0x01, 0xe6, 0x0d,
    0x77, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x30,
};
static const unsigned char record_chunk[48] = {
    0x53, 0x52, 0x45, 0x43, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x4a, 0x6b, 0x8e, 0x44, 0x22, 0x40, 0xcd, 0x5b,
    0x63, 0x68, 0x75, 0x6e, 0x6b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void expect_zero(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        cr_assert_eq(rx.area.bytes[i], 0, "byte %zu", i);
}

/* The literal bytes were computed by another program from the table in record_log.h. */
Test(record_log, bytes_are_pinned)
{
    rec_begin(2048 + 511);
    cr_assert_eq(hal_record_append(&rx.log.store, "chunk", 5), 0);
    cr_assert_arr_eq(rx.area.bytes, header_first, sizeof header_first);
    expect_zero(sizeof header_first, 512);
    cr_assert_arr_eq(rx.area.bytes + 512, record_chunk, sizeof record_chunk);
    expect_zero(512 + sizeof record_chunk, rx.area.area.size);

    rec_add(&rx.want, "chunk", 5);
    rec_compact_to(&rx.want);
    cr_assert_arr_eq(rx.area.bytes, header_retired, sizeof header_retired);
    cr_assert_arr_eq(rx.area.bytes + 1024, header_second, sizeof header_second);
    cr_assert_arr_eq(rx.area.bytes + 1024 + 512, record_chunk, 15);
    cr_assert_eq(rx.area.bytes[1024 + 512 + 15], 2, "generation");
    rec_end();
}

Test(record_log, area_too_small)
{
    fake_area_init(&rx.area, HAL_RECORD_LOG_AREA_MIN - 1);
    cr_assert_eq(hal_record_log_init(&rx.log, &rx.area.area), -EINVAL);
    rec_end();
}

Test(record_log, round_trip)
{
    static const size_t lengths[] = {1, 15, 16, 17, 31, 32, 33, 500, 4096, 65535, 65536, 2};

    rec_begin(1 << 20);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lengths); i++) {
        rec_append(i, lengths[i]);
        cr_assert_eq(rec_reload(), 0);
        cr_assert(rec_same(&rx.got, &rx.want));
    }
    rec_expect(&rx.want, "after appends");
    rec_copy_first(&rx.other, &rx.want, 5);
    for (uint64_t round = 0; round < 5; round++) {
        rec_compact_to(&rx.other);
        rec_append(100 + round, 77);
        rec_expect(&rx.want, "after compaction");
    }
    rec_end();
}

Test(record_log, empty_compaction)
{
    rec_begin(SMALL);
    rec_compact_to(&rx.other);
    rec_expect(&rx.want, "new area");
    rec_append(1, 10);
    rec_compact_to(&rx.other);
    rec_expect(&rx.want, "used area");
    rec_append(2, 10);
    rec_expect(&rx.want, "appended");
    rec_end();
}

/* One write and one sync, besides the first header. */
Test(record_log, append_costs)
{
    uint64_t writes, syncs;

    rec_begin(1 << 20);
    rec_append(1, 10);
    writes = rx.area.writes;
    syncs = rx.area.syncs;
    rec_append(2, 3000);
    cr_assert_eq(rx.area.writes - writes, 1);
    cr_assert_eq(rx.area.syncs - syncs, 1);
    rec_end();
}

static int stop_at_second(void *arg, const void *record, size_t length)
{
    unsigned *calls = arg;

    (void)record, (void)length;
    return ++*calls == 2 ? -ENOMEM : 0;
}

Test(record_log, callbacks_end_operations)
{
    unsigned calls = 0;

    rec_begin(SMALL);
    for (uint64_t i = 0; i < 3; i++)
        rec_append(i, 20);
    cr_assert_eq(hal_record_log_init(&rx.log, &rx.area.area), 0);
    cr_assert_eq(hal_record_load(&rx.log.store, stop_at_second, &calls), -ENOMEM);
    cr_assert_eq(calls, 2);
    rec_expect(&rx.want, "nothing was changed");
    rec_end();
}

static int refuse_to_list(void *arg, hal_record_fn emit, void *sink)
{
    return emit(sink, rec_bytes(1, 9), 9) ? -EIO : *(int *)arg;
}

Test(record_log, failed_list_changes_nothing)
{
    int rc = -ENOMEM;

    rec_begin(SMALL);
    rec_append(1, 20);
    cr_assert_eq(hal_record_compact(&rx.log.store, refuse_to_list, &rc), -ENOMEM);
    rec_append(2, 20);
    rec_expect(&rx.want, "old list");
    rec_end();
}

/* ---- full ---- */

Test(record_log, full)
{
    rec_begin(SMALL);
    for (uint64_t i = 0; i < 4; i++)
        rec_append(i, 352); /* 4 x (32 + 352) = 1536: exactly one half */
    cr_assert_eq(hal_record_append(&rx.log.store, "x", 1), -ENOSPC);
    rec_expect(&rx.want, "all four");
    cr_assert_eq(hal_record_append(&rx.log.store, "x", 1), -ENOSPC);
    rec_copy(&rx.other, &rx.want);
    rec_list_add(&rx.other, 5, 1);
    cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.other), -ENOSPC);
    rec_expect(&rx.want, "still all four");
    rec_copy_first(&rx.other, &rx.want, 2);
    rec_compact_to(&rx.other);
    rec_append(7, 100);
    rec_expect(&rx.want, "after making room");
    rec_end();
}

/* A file system that is full is not a device that fails. */
Test(record_log, no_space_from_the_area)
{
    rec_begin(SMALL);
    rec_append(1, 10);
    rx.area.fail_rc = -ENOSPC;
    rx.area.fail_after = 0;
    rx.area.fail_count = 1;
    cr_assert_eq(hal_record_append(&rx.log.store, "x", 1), -ENOSPC);
    rec_append(2, 10);
    rec_expect(&rx.want, "both");
    rec_end();
}

/* ---- damage ---- */

static void flip(size_t byte, unsigned bit) { rx.area.bytes[byte] ^= (unsigned char)(1u << bit); }

/* Damage of one bit: what is loaded is right, or refused; or, where only the last record is hit,
 * which is what a torn write looks like, the list without it. */
static void expect_right_or_refused(size_t byte, bool last_may_vanish)
{
    static struct rec_list shorter;
    int rc;

    rc = rec_reopen();
    if (rc) {
        cr_assert_eq(rc, -EILSEQ, "byte %zu: %d", byte, rc);
        return;
    }
    rec_copy_first(&shorter, &rx.want, rx.want.count - 1);
    cr_assert(rec_same(&rx.got, &rx.want) || (last_may_vanish && rec_same(&rx.got, &shorter)),
              "byte %zu", byte);
}

static void flip_everything(bool last_may_vanish)
{
    for (size_t byte = 0; byte < rx.area.area.size; byte++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flip(byte, bit);
            expect_right_or_refused(byte, last_may_vanish);
            flip(byte, bit);
        }
    }
    rec_expect(&rx.want, "all bits back");
}

Test(record_log, every_bit_flipped)
{
    rec_begin(2048);
    for (uint64_t i = 0; i < 4; i++)
        rec_append(i, 40);
    flip_everything(true);
    rec_copy_first(&rx.other, &rx.want, 3);
    rec_compact_to(&rx.other);
    flip_everything(false); /* not even the last record of a compaction may vanish */
    rec_append(8, 40);
    flip_everything(true);
    rec_end();
}

/* Writes a header as a version of the future would. */
static void set_header(size_t at, uint32_t version, uint64_t half_bytes)
{
    static const unsigned char none[4];
    unsigned char *p = rx.area.bytes + at;
    uint32_t crc;

    hal_be32_put(p + 8, version);
    hal_be64_put(p + 24, half_bytes);
    crc = hal_crc32c(0, p, 12);
    crc = hal_crc32c(crc, none, 4);
    hal_be32_put(p + 12, hal_crc32c(crc, p + 16, 512 - 16));
}

Test(record_log, newer_and_other_formats)
{
    rec_begin(SMALL);
    rec_append(1, 10);
    rec_compact_to(&rx.want);
    set_header(2048, 2, 2048);
    cr_assert_eq(rec_reopen(), -ENOTSUP);
    set_header(2048, 1, 4096);
    cr_assert_eq(rec_reopen(), -EINVAL);
    set_header(2048, 0, 2048);
    cr_assert_eq(rec_reopen(), -EILSEQ);
    set_header(2048, 1, 2048);
    rec_expect(&rx.want, "as it was");
    set_header(0, 3, 2048);
    cr_assert_eq(rec_reopen(), -ENOTSUP, "in either half");
    rec_end();
}

/* The area keeps its size: a file that was cut or extended is refused, whichever half is live. */
Test(record_log, area_of_another_size)
{
    rec_begin(SMALL);
    rec_append(1, 10);
    for (int i = 0; i < 2; i++) {
        rx.area.area.size = 2048;
        cr_assert_eq(rec_reopen(), -EINVAL);
        rx.area.area.size = SMALL;
        rec_expect(&rx.want, "as it was");
        rec_compact_to(&rx.want);
    }
    rec_end();
}

/* A record in the place of another, as after a write that went astray, is not taken for it. */
Test(record_log, misplaced_records)
{
    unsigned char first[96];

    rec_begin(SMALL);
    for (uint64_t i = 0; i < 4; i++)
        rec_append(i, 64);
    memcpy(first, rx.area.bytes + 512, 96);
    memcpy(rx.area.bytes + 512 + 96, first, 96);
    cr_assert_eq(rec_reopen(), -EILSEQ, "of the wrong sequence");
    rec_end();

    rec_begin(SMALL);
    rec_append(1, 64);
    rec_copy(&rx.other, &rx.want);
    rec_compact_to(&rx.other);
    memcpy(rx.area.bytes + 2048 + 512, first, 96);
    cr_assert_eq(rec_reopen(), -EILSEQ, "of another generation");
    rec_end();
}

/* The half that a crash left beside the live one is retired before anything is added, so that
 * damage to the live header shows, instead of bringing the old list back. */
Test(record_log, old_half_is_retired_after_a_crash)
{
    unsigned char *image = malloc(SMALL);

    rec_begin(SMALL);
    rec_append(1, 64);
    rec_copy(&rx.other, &rx.want);
    fake_area_journal(&rx.area);
    rec_compact_to(&rx.other);
    fake_area_torn(&rx.area, rx.area.events - 2, 0, image); /* all but retiring, and its sync */
    fake_area_set(&rx.area, image);
    rec_expect(&rx.want, "the new half");
    rec_append(2, 64);
    rx.area.bytes[2048] ^= 1;
    cr_assert_eq(rec_reopen(), -EILSEQ);
    free(image);
    rec_end();
}

/* What load shows must not vanish in a power failure after it. */
Test(record_log, load_makes_durable)
{
    uint64_t syncs;

    rec_begin(SMALL);
    rec_append(1, 10);
    syncs = rx.area.syncs;
    rec_expect(&rx.want, "one");
    cr_assert_eq(rx.area.syncs, syncs + 1);
    rec_end();
}

Test(record_log, both_halves_gone)
{
    rec_begin(SMALL);
    rec_append(1, 10);
    rec_compact_to(&rx.want);
    memset(rx.area.bytes + 2048, 0, 512);
    cr_assert_eq(rec_reopen(), -EILSEQ, "a retired half alone is not a new area");
    memset(rx.area.bytes, 0, 512);
    cr_assert_eq(rec_reopen(), -EILSEQ, "records without a header are not a new area");
    memset(rx.area.bytes, 0, 2048);
    cr_assert_eq(rec_reopen(), 0);
    cr_assert_eq(rx.got.count, 0);
    rec_end();
}

/* ---- random ---- */

static bool plausible(int rc)
{
    return rc == 0 || rc == -EILSEQ || rc == -ENOTSUP || rc == -EINVAL;
}

Test(record_log, garbage)
{
    struct hal_prng p;

    hal_prng_seed(&p, test_seed(20240611), 1);
    for (int i = 0; i < 3000; i++) {
        rec_begin(2048 + hal_prng_below(&p, 6144));
        for (size_t b = 0; b < rx.area.area.size; b++)
            rx.area.bytes[b] = (unsigned char)hal_prng_next(&p);
        if (i % 3 == 1)
            memcpy(rx.area.bytes, "SPIPELOG", 8);
        cr_assert_eq(rec_reopen(), -EILSEQ);
        rec_end();
    }
}

/* A sound area, then some bytes of it replaced: never a list that was not written. */
Test(record_log, mutilated)
{
    struct hal_prng p;
    unsigned char *image = malloc(SMALL);

    hal_prng_seed(&p, test_seed(20240611), 2);
    rec_begin(SMALL);
    for (uint64_t i = 0; i < 9; i++)
        rec_append(i, 40 + hal_prng_below(&p, 100));
    memcpy(image, rx.area.bytes, SMALL);
    for (int i = 0; i < 20000; i++) {
        size_t n = 1 + hal_prng_below(&p, 64), at = hal_prng_below(&p, SMALL - n);
        int rc;

        fake_area_set(&rx.area, image);
        for (size_t b = 0; b < n; b++)
            rx.area.bytes[at + b] = i & 1 ? 0 : (unsigned char)hal_prng_next(&p);
        rc = rec_reopen();
        cr_assert(plausible(rc), "%d", rc);
        if (rc)
            continue;
        /* a hole over the end of one record and the start of the last hides both */
        cr_assert_geq(rx.got.count, rx.want.count - 2);
        rec_copy_first(&rx.other, &rx.want, rx.got.count);
        cr_assert(rec_same(&rx.got, &rx.other));
    }
    free(image);
    rec_end();
}
