/* SPDX-License-Identifier: Apache-2.0 */
/* The record log against the promise of hal/record_store.h: whatever a crash, a power failure or a
 * failing device does, what is loaded next is the old list or the new one; damage is reported, and
 * never mistaken for either.
 *
 * The random tests print their seed; SPIPE_TEST_SEED=<number> in the environment runs another. */
#include "hal/support/record_log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/crc32c.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"
#include "tests/testlib/fake_area.h"

TestSuite(record_log, .timeout = 240);

enum { LIST_BYTES = 1 << 18, SMALL = 4096, PROBE_LENGTH = 7 };

/* ---- lists of records ---- */

/* Records one behind the other, each after its length. */
struct list {
    size_t count, used;
    unsigned char bytes[LIST_BYTES];
};

static int add(void *arg, const void *record, size_t length)
{
    struct list *l = arg;

    cr_assert(length > 0 && length <= HAL_RECORD_MAX && l->used + 4 + length <= LIST_BYTES);
    hal_be32_put(l->bytes + l->used, (uint32_t)length);
    memcpy(l->bytes + l->used + 4, record, length);
    l->used += 4 + length;
    l->count++;
    return 0;
}

static bool same(const struct list *a, const struct list *b)
{
    return a->count == b->count && a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
}

static void copy(struct list *to, const struct list *from)
{
    to->count = from->count;
    to->used = from->used;
    memcpy(to->bytes, from->bytes, from->used);
}

/* The first `count` records of a list. */
static void copy_first(struct list *to, const struct list *from, size_t count)
{
    to->count = to->used = 0;
    for (size_t at = 0; to->count < count; at += 4 + hal_be32_at(from->bytes + at))
        add(to, from->bytes + at + 4, hal_be32_at(from->bytes + at));
}

/* Produces the records of a list, for compaction. */
static int produce(void *arg, hal_record_fn emit, void *sink)
{
    const struct list *l = arg;
    int rc = 0;

    for (size_t at = 0; at < l->used && !rc; at += 4 + hal_be32_at(l->bytes + at))
        rc = emit(sink, l->bytes + at + 4, hal_be32_at(l->bytes + at));
    return rc;
}

/* A record whose every byte depends on `id`. */
static const void *record_of(uint64_t id, size_t length)
{
    static unsigned char bytes[HAL_RECORD_MAX];
    struct hal_prng p;

    hal_prng_seed(&p, id, 7);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)hal_prng_next(&p);
    return bytes;
}

static void list_add(struct list *l, uint64_t id, size_t length)
{
    add(l, record_of(id, length), length);
}

/* ---- an area and its log ---- */

static struct fake_area area;
static struct hal_record_log log_;
static struct list want, other, got;

static int reload(struct list *l)
{
    l->count = l->used = 0;
    return hal_record_load(&log_.store, add, l);
}

/* Opens the area as a new process would. */
static int reopen(struct list *l)
{
    cr_assert_eq(hal_record_log_init(&log_, &area.area), 0);
    return reload(l);
}

static void begin(uint64_t size)
{
    want.count = want.used = other.count = other.used = 0;
    fake_area_init(&area, size);
    cr_assert_eq(reopen(&got), 0);
    cr_assert_eq(got.count, 0);
}

static void end(void) { fake_area_fini(&area); }

static void append(uint64_t id, size_t length)
{
    cr_assert_eq(hal_record_append(&log_.store, record_of(id, length), length), 0);
    list_add(&want, id, length);
}

static void compact_to(const struct list *l)
{
    copy(&want, l);
    cr_assert_eq(hal_record_compact(&log_.store, produce, &want), 0);
}

static void expect_list(const struct list *l, const char *what)
{
    cr_assert_eq(reopen(&got), 0, "%s", what);
    cr_assert(same(&got, l), "%s: %zu records", what, got.count);
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SPIPE_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 20240611;

    fprintf(stderr, "SPIPE_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

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
        cr_assert_eq(area.bytes[i], 0, "byte %zu", i);
}

/* The literal bytes were computed by another program from the table in record_log.h. */
Test(record_log, bytes_are_pinned)
{
    begin(2048 + 511);
    cr_assert_eq(hal_record_append(&log_.store, "chunk", 5), 0);
    cr_assert_arr_eq(area.bytes, header_first, sizeof header_first);
    expect_zero(sizeof header_first, 512);
    cr_assert_arr_eq(area.bytes + 512, record_chunk, sizeof record_chunk);
    expect_zero(512 + sizeof record_chunk, area.area.size);

    add(&want, "chunk", 5);
    compact_to(&want);
    cr_assert_arr_eq(area.bytes, header_retired, sizeof header_retired);
    cr_assert_arr_eq(area.bytes + 1024, header_second, sizeof header_second);
    cr_assert_arr_eq(area.bytes + 1024 + 512, record_chunk, 15);
    cr_assert_eq(area.bytes[1024 + 512 + 15], 2, "generation");
    end();
}

Test(record_log, area_too_small)
{
    fake_area_init(&area, HAL_RECORD_LOG_AREA_MIN - 1);
    cr_assert_eq(hal_record_log_init(&log_, &area.area), -EINVAL);
    end();
}

Test(record_log, round_trip)
{
    static const size_t lengths[] = {1, 15, 16, 17, 31, 32, 33, 500, 4096, 65535, 65536, 2};

    begin(1 << 20);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lengths); i++) {
        append(i, lengths[i]);
        cr_assert_eq(reload(&got), 0);
        cr_assert(same(&got, &want));
    }
    expect_list(&want, "after appends");
    copy_first(&other, &want, 5);
    for (uint64_t round = 0; round < 5; round++) {
        compact_to(&other);
        append(100 + round, 77);
        expect_list(&want, "after compaction");
    }
    end();
}

Test(record_log, empty_compaction)
{
    begin(SMALL);
    compact_to(&other);
    expect_list(&want, "new area");
    append(1, 10);
    compact_to(&other);
    expect_list(&want, "used area");
    append(2, 10);
    expect_list(&want, "appended");
    end();
}

/* One write and one sync, besides the first header. */
Test(record_log, append_costs)
{
    uint64_t writes, syncs;

    begin(1 << 20);
    append(1, 10);
    writes = area.writes;
    syncs = area.syncs;
    append(2, 3000);
    cr_assert_eq(area.writes - writes, 1);
    cr_assert_eq(area.syncs - syncs, 1);
    end();
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

    begin(SMALL);
    for (uint64_t i = 0; i < 3; i++)
        append(i, 20);
    cr_assert_eq(hal_record_log_init(&log_, &area.area), 0);
    cr_assert_eq(hal_record_load(&log_.store, stop_at_second, &calls), -ENOMEM);
    cr_assert_eq(calls, 2);
    expect_list(&want, "nothing was changed");
    end();
}

static int refuse_to_list(void *arg, hal_record_fn emit, void *sink)
{
    return emit(sink, record_of(1, 9), 9) ? -EIO : *(int *)arg;
}

Test(record_log, failed_list_changes_nothing)
{
    int rc = -ENOMEM;

    begin(SMALL);
    append(1, 20);
    cr_assert_eq(hal_record_compact(&log_.store, refuse_to_list, &rc), -ENOMEM);
    append(2, 20);
    expect_list(&want, "old list");
    end();
}

/* ---- crashes ---- */

/* Whether the area, as it is now, holds `old` or `new_`, and can be written to afterwards. */
static void expect_old_or_new(const struct list *old, const struct list *new_, size_t event,
                              uint64_t detail)
{
    static struct list found;

    cr_assert_eq(reopen(&found), 0, "event %zu detail %" PRIu64, event, detail);
    cr_assert(same(&found, old) || same(&found, new_), "event %zu detail %" PRIu64 ": %zu records",
              event, detail, found.count);
    if (hal_record_append(&log_.store, record_of(999, PROBE_LENGTH), PROBE_LENGTH))
        cr_assert_eq(hal_record_compact(&log_.store, produce, &found), 0);
    else
        list_add(&found, 999, PROBE_LENGTH);
    cr_assert_eq(reopen(&got), 0);
    cr_assert(same(&got, &found), "event %zu detail %" PRIu64, event, detail);
}

/* Opens what is left after a crash at every byte of what the journal holds. */
static void crash_everywhere(const struct list *old, const struct list *new_)
{
    static struct fake_area j;
    unsigned char *image = malloc(area.area.size);

    j = area;
    fake_area_init(&area, j.area.size);
    for (size_t e = 0; e <= j.events; e++) {
        size_t n = e < j.events ? fake_area_event_bytes(&j, e) : 0;

        for (size_t keep = 0; keep == 0 || keep < n; keep++) {
            fake_area_torn(&j, e, keep, image);
            fake_area_set(&area, image);
            expect_old_or_new(old, new_, e, keep);
        }
    }
    fake_area_fini(&area);
    area = j;
    free(image);
}

/* The same for every set of unsynced sectors that a power failure can lose. */
static void lose_everything(const struct list *old, const struct list *new_)
{
    static struct fake_area j;
    unsigned char *image = malloc(area.area.size);

    j = area;
    fake_area_init(&area, j.area.size);
    for (size_t e = 0; e <= j.events; e++) {
        unsigned pieces = fake_area_pieces(&j, e);

        cr_assert_leq(pieces, 12);
        for (uint64_t kept = 0; kept < HAL_BIT(pieces); kept++) {
            fake_area_lossy(&j, e, kept, image);
            fake_area_set(&area, image);
            expect_old_or_new(old, new_, e, kept);
        }
    }
    fake_area_fini(&area);
    area = j;
    free(image);
}

/* Appends a record and explores every crash meanwhile. */
static void append_with_crashes(uint64_t id, size_t length)
{
    copy(&other, &want);
    fake_area_journal(&area);
    append(id, length);
    crash_everywhere(&other, &want);
    lose_everything(&other, &want);
    cr_assert_eq(reopen(&got), 0);
}

Test(record_log, crash_at_every_byte_of_append)
{
    static const size_t lengths[] = {5, 1, 16, 40, 600, 17, 1100};

    begin(8192);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lengths); i++)
        append_with_crashes(i, lengths[i]);
    /* and in the other half, over what a compaction left */
    copy_first(&other, &want, 3);
    compact_to(&other);
    append_with_crashes(50, 700);
    append_with_crashes(51, 3);
    end();
}

static void compact_with_crashes(const struct list *l)
{
    static struct list old;

    copy(&old, &want);
    fake_area_journal(&area);
    compact_to(l);
    crash_everywhere(&old, &want);
    lose_everything(&old, &want);
    cr_assert_eq(reopen(&got), 0);
}

Test(record_log, crash_at_every_byte_of_compaction)
{
    begin(SMALL);
    compact_with_crashes(&other); /* of a new area */
    for (uint64_t i = 0; i < 12; i++)
        append(i, 60);
    copy_first(&other, &want, 3);
    compact_with_crashes(&other); /* into a half never used */
    append(20, 300);
    append(21, 300);
    list_add(&other, 30, 100);
    compact_with_crashes(&other); /* over longer records of the same kind */
    append(22, 30);
    copy_first(&other, &want, 1);
    compact_with_crashes(&other);
    end();
}

/* A compaction that dies before its header leaves records that look right to the next one. */
Test(record_log, records_of_a_dead_compaction_never_come_back)
{
    unsigned char *image = malloc(SMALL);

    begin(SMALL);
    for (uint64_t i = 0; i < 6; i++)
        append(i, 60);
    fake_area_journal(&area);
    cr_assert_eq(hal_record_compact(&log_.store, produce, &want), 0);
    /* The journal: records one by one, then the sync that comes before the header. */
    fake_area_torn(&area, 6, 0, image);
    fake_area_set(&area, image);
    expect_list(&want, "the old half");
    copy_first(&other, &want, 4);
    compact_to(&other);
    expect_list(&want, "four records, not six");
    append(9, 60);
    expect_list(&want, "five records, not six");
    free(image);
    end();
}

/* ---- full ---- */

Test(record_log, full)
{
    begin(SMALL);
    for (uint64_t i = 0; i < 4; i++)
        append(i, 352); /* 4 x (32 + 352) = 1536: exactly one half */
    cr_assert_eq(hal_record_append(&log_.store, "x", 1), -ENOSPC);
    expect_list(&want, "all four");
    cr_assert_eq(hal_record_append(&log_.store, "x", 1), -ENOSPC);
    copy(&other, &want);
    list_add(&other, 5, 1);
    cr_assert_eq(hal_record_compact(&log_.store, produce, &other), -ENOSPC);
    expect_list(&want, "still all four");
    copy_first(&other, &want, 2);
    compact_to(&other);
    append(7, 100);
    expect_list(&want, "after making room");
    end();
}

/* A file system that is full is not a device that fails. */
Test(record_log, no_space_from_the_area)
{
    begin(SMALL);
    append(1, 10);
    area.fail_rc = -ENOSPC;
    area.fail_after = 0;
    area.fail_count = 1;
    cr_assert_eq(hal_record_append(&log_.store, "x", 1), -ENOSPC);
    append(2, 10);
    expect_list(&want, "both");
    end();
}

/* ---- failing devices ---- */

/* Appends or compacts; `other` is the list if it works. */
static int change(bool compaction)
{
    if (!compaction) {
        copy(&other, &want);
        list_add(&other, 77, 700);
        return hal_record_append(&log_.store, record_of(77, 700), 700);
    }
    copy_first(&other, &want, 2);
    list_add(&other, 78, 30);
    return hal_record_compact(&log_.store, produce, &other);
}

/* One failure, and the device was well again before the call returned: then an error means that
 * nothing of the change is left, whatever a power failure does next. */
static void expect_failure_left_nothing(void)
{
    unsigned char *image = malloc(area.area.size);
    static struct hal_record_log running;
    struct fake_area j = area;

    running = log_;
    fake_area_init(&area, j.area.size);
    for (uint64_t kept = 0; kept < HAL_BIT(fake_area_pieces(&j, j.events)); kept++) {
        fake_area_lossy(&j, j.events, kept, image);
        fake_area_set(&area, image);
        expect_list(&want, "taken back");
    }
    fake_area_fini(&area);
    area = j;
    log_ = running;
    free(image);
}

/* Lets `count` writes or syncs fail, after `after` that work. Returns whether one did. */
static bool fail_at(bool compaction, int64_t after, uint64_t count, size_t keep)
{
    int rc;
    bool fired;

    begin(8192);
    for (uint64_t i = 0; i < 3; i++)
        append(i, 50);
    area.fail_after = after;
    area.fail_count = count;
    area.fail_keep = keep;
    fake_area_journal(&area);
    rc = change(compaction);
    fired = area.fail_count < count;
    cr_assert(rc == 0 || rc == -EIO);
    cr_assert(rc == 0 || fired);
    if (!rc)
        copy(&want, &other);
    else if (count == 1)
        expect_failure_left_nothing();
    area.fail_count = 0;
    append(5, 20);
    cr_assert_eq(reload(&got), 0);
    cr_assert(same(&got, &want), "after %" PRId64 " count %" PRIu64, after, count);
    expect_list(&want, "next process");
    end();
    return fired;
}

/* After every failure the list is the one that the results told of, here and in the next process.
 */
Test(record_log, failed_writes_and_syncs)
{
    for (int compaction = 0; compaction < 2; compaction++)
        for (size_t keep = 0; keep <= 1024; keep += 64)
            for (uint64_t count = 1; count < 8; count++)
                for (int64_t after = 0; fail_at(compaction, after, count, keep); after++)
                    ;
}

/* A device that fails for good: nothing is acknowledged, and the next process finds old or new. */
Test(record_log, device_that_fails_for_good)
{
    for (int compaction = 0; compaction < 2; compaction++) {
        for (int64_t after = 0; after < 8; after++) {
            int rc;

            begin(8192);
            append(1, 50);
            append(2, 50);
            area.fail_after = after;
            area.fail_count = UINT64_MAX;
            area.fail_keep = 1024;
            rc = change(compaction);
            if (rc) {
                cr_assert_eq(rc, -EIO);
                cr_assert_eq(hal_record_append(&log_.store, "x", 1), -EIO);
                cr_assert_eq(hal_record_compact(&log_.store, produce, &want), -EIO);
                cr_assert_eq(reload(&got), -EIO);
            }
            area.fail_after = FAKE_AREA_NEVER;
            if (rc && (after & 1)) {
                cr_assert_eq(reload(&got), 0, "the same process, once all is well");
                cr_assert(same(&got, &want));
                expect_list(&want, "and the next");
            }
            expect_old_or_new(rc ? &want : &other, &other, (size_t)after, (uint64_t)compaction);
            end();
        }
    }
}

Test(record_log, failed_reads)
{
    begin(SMALL);
    append(1, 50);
    area.fail_reads = true;
    cr_assert_eq(reopen(&got), -EIO);
    area.fail_reads = false;
    cr_assert_eq(reopen(&got), 0);
    area.fail_reads = true;
    cr_assert_eq(hal_record_compact(&log_.store, produce, &want), -EIO);
    area.fail_reads = false;
    append(2, 50);
    expect_list(&want, "both");
    end();
}

/* ---- damage ---- */

static void flip(size_t byte, unsigned bit) { area.bytes[byte] ^= (unsigned char)(1u << bit); }

/* Damage of one bit: what is loaded is right, or refused; or, where only the last record is hit,
 * which is what a torn write looks like, the list without it. */
static void expect_right_or_refused(size_t byte, bool last_may_vanish)
{
    static struct list shorter;
    int rc;

    rc = reopen(&got);
    if (rc) {
        cr_assert_eq(rc, -EILSEQ, "byte %zu: %d", byte, rc);
        return;
    }
    copy_first(&shorter, &want, want.count - 1);
    cr_assert(same(&got, &want) || (last_may_vanish && same(&got, &shorter)), "byte %zu", byte);
}

static void flip_everything(bool last_may_vanish)
{
    for (size_t byte = 0; byte < area.area.size; byte++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            flip(byte, bit);
            expect_right_or_refused(byte, last_may_vanish);
            flip(byte, bit);
        }
    }
    expect_list(&want, "all bits back");
}

Test(record_log, every_bit_flipped)
{
    begin(2048);
    for (uint64_t i = 0; i < 4; i++)
        append(i, 40);
    flip_everything(true);
    copy_first(&other, &want, 3);
    compact_to(&other);
    flip_everything(false); /* not even the last record of a compaction may vanish */
    append(8, 40);
    flip_everything(true);
    end();
}

/* Writes a header as a version of the future would. */
static void set_header(size_t at, uint32_t version, uint64_t half_bytes)
{
    static const unsigned char none[4];
    unsigned char *p = area.bytes + at;
    uint32_t crc;

    hal_be32_put(p + 8, version);
    hal_be64_put(p + 24, half_bytes);
    crc = hal_crc32c(0, p, 12);
    crc = hal_crc32c(crc, none, 4);
    hal_be32_put(p + 12, hal_crc32c(crc, p + 16, 512 - 16));
}

Test(record_log, newer_and_other_formats)
{
    begin(SMALL);
    append(1, 10);
    compact_to(&want);
    set_header(2048, 2, 2048);
    cr_assert_eq(reopen(&got), -ENOTSUP);
    set_header(2048, 1, 4096);
    cr_assert_eq(reopen(&got), -EINVAL);
    set_header(2048, 0, 2048);
    cr_assert_eq(reopen(&got), -EILSEQ);
    set_header(2048, 1, 2048);
    expect_list(&want, "as it was");
    set_header(0, 3, 2048);
    cr_assert_eq(reopen(&got), -ENOTSUP, "in either half");
    end();
}

/* The area keeps its size: a file that was cut or extended is refused, whichever half is live. */
Test(record_log, area_of_another_size)
{
    begin(SMALL);
    append(1, 10);
    for (int i = 0; i < 2; i++) {
        area.area.size = 2048;
        cr_assert_eq(reopen(&got), -EINVAL);
        area.area.size = SMALL;
        expect_list(&want, "as it was");
        compact_to(&want);
    }
    end();
}

/* A record in the place of another, as after a write that went astray, is not taken for it. */
Test(record_log, misplaced_records)
{
    unsigned char first[96];

    begin(SMALL);
    for (uint64_t i = 0; i < 4; i++)
        append(i, 64);
    memcpy(first, area.bytes + 512, 96);
    memcpy(area.bytes + 512 + 96, first, 96);
    cr_assert_eq(reopen(&got), -EILSEQ, "of the wrong sequence");
    end();

    begin(SMALL);
    append(1, 64);
    copy(&other, &want);
    compact_to(&other);
    memcpy(area.bytes + 2048 + 512, first, 96);
    cr_assert_eq(reopen(&got), -EILSEQ, "of another generation");
    end();
}

/* The half that a crash left beside the live one is retired before anything is added, so that
 * damage to the live header shows, instead of bringing the old list back. */
Test(record_log, old_half_is_retired_after_a_crash)
{
    unsigned char *image = malloc(SMALL);

    begin(SMALL);
    append(1, 64);
    copy(&other, &want);
    fake_area_journal(&area);
    compact_to(&other);
    fake_area_torn(&area, area.events - 2, 0, image); /* all but retiring, and its sync */
    fake_area_set(&area, image);
    expect_list(&want, "the new half");
    append(2, 64);
    area.bytes[2048] ^= 1;
    cr_assert_eq(reopen(&got), -EILSEQ);
    free(image);
    end();
}

/* What load shows must not vanish in a power failure after it. */
Test(record_log, load_makes_durable)
{
    uint64_t syncs;

    begin(SMALL);
    append(1, 10);
    syncs = area.syncs;
    expect_list(&want, "one");
    cr_assert_eq(area.syncs, syncs + 1);
    end();
}

Test(record_log, both_halves_gone)
{
    begin(SMALL);
    append(1, 10);
    compact_to(&want);
    memset(area.bytes + 2048, 0, 512);
    cr_assert_eq(reopen(&got), -EILSEQ, "a retired half alone is not a new area");
    memset(area.bytes, 0, 512);
    cr_assert_eq(reopen(&got), -EILSEQ, "records without a header are not a new area");
    memset(area.bytes, 0, 2048);
    cr_assert_eq(reopen(&got), 0);
    cr_assert_eq(got.count, 0);
    end();
}

/* ---- random ---- */

static bool plausible(int rc)
{
    return rc == 0 || rc == -EILSEQ || rc == -ENOTSUP || rc == -EINVAL;
}

Test(record_log, garbage)
{
    struct hal_prng p;

    hal_prng_seed(&p, seed_of_run(), 1);
    for (int i = 0; i < 3000; i++) {
        begin(2048 + hal_prng_below(&p, 6144));
        for (size_t b = 0; b < area.area.size; b++)
            area.bytes[b] = (unsigned char)hal_prng_next(&p);
        if (i % 3 == 1)
            memcpy(area.bytes, "SPIPELOG", 8);
        cr_assert_eq(reopen(&got), -EILSEQ);
        end();
    }
}

/* A sound area, then some bytes of it replaced: never a list that was not written. */
Test(record_log, mutilated)
{
    struct hal_prng p;
    unsigned char *image = malloc(SMALL);

    hal_prng_seed(&p, seed_of_run(), 2);
    begin(SMALL);
    for (uint64_t i = 0; i < 9; i++)
        append(i, 40 + hal_prng_below(&p, 100));
    memcpy(image, area.bytes, SMALL);
    for (int i = 0; i < 20000; i++) {
        size_t n = 1 + hal_prng_below(&p, 64), at = hal_prng_below(&p, SMALL - n);
        int rc;

        fake_area_set(&area, image);
        for (size_t b = 0; b < n; b++)
            area.bytes[at + b] = i & 1 ? 0 : (unsigned char)hal_prng_next(&p);
        rc = reopen(&got);
        cr_assert(plausible(rc), "%d", rc);
        if (rc)
            continue;
        /* a hole over the end of one record and the start of the last hides both */
        cr_assert_geq(got.count, want.count - 2);
        copy_first(&other, &want, got.count);
        cr_assert(same(&got, &other));
    }
    free(image);
    end();
}

/* The area after a random crash in the middle of what the journal holds. */
static void random_crash(struct hal_prng *p)
{
    unsigned char *image = malloc(area.area.size);
    size_t e = hal_prng_below(p, area.events + 1), n;

    if (hal_prng_below(p, 2)) {
        n = e < area.events ? fake_area_event_bytes(&area, e) : 0;
        fake_area_torn(&area, e, hal_prng_below(p, n + 1), image);
    } else {
        fake_area_lossy(&area, e, hal_prng_next(p), image);
    }
    fake_area_set(&area, image);
    free(image);
}

/* One random change, then perhaps a crash in the middle of it. */
static void random_step(struct hal_prng *p, uint64_t id)
{
    static struct list old;
    size_t length = 1 + hal_prng_below(p, hal_prng_below(p, 8) ? 60 : 900);
    int rc;

    copy(&old, &want);
    fake_area_journal(&area);
    rc = hal_record_append(&log_.store, record_of(id, length), length);
    if (!rc)
        list_add(&want, id, length);
    if (rc || hal_prng_below(p, 30) == 0) {
        copy(&old, &want);
        copy_first(&other, &want, hal_prng_below(p, hal_min64(want.count, 6) + 1));
        fake_area_journal(&area);
        compact_to(&other);
    }
    if (hal_prng_below(p, 4) == 0) {
        random_crash(p);
        cr_assert_eq(reopen(&got), 0);
        cr_assert(same(&got, &old) || same(&got, &want), "step %" PRIu64, id);
        copy(&want, &got);
    }
}

Test(record_log, random_life_with_crashes)
{
    struct hal_prng p;

    hal_prng_seed(&p, seed_of_run(), 3);
    begin(16384);
    for (uint64_t i = 0; i < 10000; i++)
        random_step(&p, i);
    expect_list(&want, "at last");
    end();
}
