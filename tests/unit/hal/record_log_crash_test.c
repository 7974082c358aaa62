/* SPDX-License-Identifier: Apache-2.0 */
/* The promise of hal/record_store.h: whatever a crash, a power failure or a failing device does,
 * what is loaded next is the old list or the new one.
 *
 * The random test prints its seed; SPIPE_TEST_SEED=<number> in the environment runs another. */
#include "hal/support/record_log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/crash.h"
#include "tests/testlib/record_fixture.h"
#include "tests/testlib/test_seed.h"

TestSuite(record_log_crash, .timeout = 60);

enum { SMALL = 4096, PROBE_LENGTH = 7 };

/* ---- crashes ---- */

/* Whether the area, as it is now, holds `old` or `new_`, and can be written to afterwards. */
static void expect_old_or_new(const struct rec_list *old, const struct rec_list *new_, size_t event,
                              uint64_t detail)
{
    static struct rec_list found;

    cr_assert_eq(rec_reopen(), 0, "event %zu detail %" PRIu64, event, detail);
    rec_copy(&found, &rx.got);
    cr_assert(rec_same(&found, old) || rec_same(&found, new_),
              "event %zu detail %" PRIu64 ": %zu records", event, detail, found.count);
    if (hal_record_append(&rx.log.store, rec_bytes(999, PROBE_LENGTH), PROBE_LENGTH))
        cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &found), 0);
    else
        rec_list_add(&found, 999, PROBE_LENGTH);
    cr_assert_eq(rec_reopen(), 0);
    cr_assert(rec_same(&rx.got, &found), "event %zu detail %" PRIu64, event, detail);
}

/* Opens what is left after a crash at every byte of what the journal holds. */
static void crash_everywhere(const struct rec_list *old, const struct rec_list *new_)
{
    static struct fake_area j;
    unsigned char *image = malloc(rx.area.area.size);

    j = rx.area;
    fake_area_init(&rx.area, j.area.size);
    for (size_t e = 0; e <= j.events; e++) {
        size_t n = e < j.events ? fake_area_event_bytes(&j, e) : 0;

        for (size_t keep = 0; keep == 0 || keep < n; keep++) {
            fake_area_torn(&j, e, keep, image);
            fake_area_set(&rx.area, image);
            expect_old_or_new(old, new_, e, keep);
        }
    }
    fake_area_fini(&rx.area);
    rx.area = j;
    free(image);
}

/* The same for every set of unsynced sectors that a power failure can lose. */
static void lose_everything(const struct rec_list *old, const struct rec_list *new_)
{
    static struct fake_area j;
    unsigned char *image = malloc(rx.area.area.size);

    j = rx.area;
    fake_area_init(&rx.area, j.area.size);
    for (size_t e = 0; e <= j.events; e++) {
        unsigned pieces = fake_area_pieces(&j, e);

        cr_assert_leq(pieces, 12);
        for (uint64_t kept = 0; kept < HAL_BIT(pieces); kept++) {
            fake_area_lossy(&j, e, kept, image);
            fake_area_set(&rx.area, image);
            expect_old_or_new(old, new_, e, kept);
        }
    }
    fake_area_fini(&rx.area);
    rx.area = j;
    free(image);
}

/* Appends a record and explores every crash meanwhile. */
static void append_with_crashes(uint64_t id, size_t length)
{
    rec_copy(&rx.other, &rx.want);
    fake_area_journal(&rx.area);
    rec_append(id, length);
    crash_everywhere(&rx.other, &rx.want);
    lose_everything(&rx.other, &rx.want);
    cr_assert_eq(rec_reopen(), 0);
}

Test(record_log_crash, crash_at_every_byte_of_append)
{
    static const size_t lengths[] = {5, 1, 16, 40, 600, 17, 1100};

    rec_begin(8192);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lengths); i++)
        append_with_crashes(i, lengths[i]);
    /* and in the other half, over what a compaction left */
    rec_copy_first(&rx.other, &rx.want, 3);
    rec_compact_to(&rx.other);
    append_with_crashes(50, 700);
    append_with_crashes(51, 3);
    rec_end();
}

static void compact_with_crashes(const struct rec_list *l)
{
    static struct rec_list old;

    rec_copy(&old, &rx.want);
    fake_area_journal(&rx.area);
    rec_compact_to(l);
    crash_everywhere(&old, &rx.want);
    lose_everything(&old, &rx.want);
    cr_assert_eq(rec_reopen(), 0);
}

Test(record_log_crash, crash_at_every_byte_of_compaction)
{
    rec_begin(SMALL);
    compact_with_crashes(&rx.other); /* of a new area */
    for (uint64_t i = 0; i < 12; i++)
        rec_append(i, 60);
    rec_copy_first(&rx.other, &rx.want, 3);
    compact_with_crashes(&rx.other); /* into a half never used */
    rec_append(20, 300);
    rec_append(21, 300);
    rec_list_add(&rx.other, 30, 100);
    compact_with_crashes(&rx.other); /* over longer records of the same kind */
    rec_append(22, 30);
    rec_copy_first(&rx.other, &rx.want, 1);
    compact_with_crashes(&rx.other);
    rec_end();
}

/* The very first header, torn anywhere, from either side: a new area is still a new area. */
Test(record_log_crash, first_header_torn)
{
    unsigned char header[HAL_RECORD_LOG_SECTOR];

    rec_begin(SMALL);
    rec_append(1, 5);
    memcpy(header, rx.area.bytes, sizeof header);
    for (size_t from = 0; from < sizeof header; from++) {
        memset(rx.area.bytes, 0, SMALL);
        memcpy(rx.area.bytes + from, header + from, sizeof header - from);
        rec_expect(&rx.other, "only its end was written");
        memset(rx.area.bytes, 0, SMALL);
        memcpy(rx.area.bytes, header, from);
        rec_expect(&rx.other, "only its beginning was written");
    }
    rx.want.count = rx.want.used = 0;
    rec_append(2, 9);
    rec_expect(&rx.want, "it can be used");
    rec_end();
}

/* A compaction that dies before its header leaves records that look right to the next one. */
Test(record_log_crash, records_of_a_dead_compaction_never_come_back)
{
    unsigned char *image = malloc(SMALL);

    rec_begin(SMALL);
    for (uint64_t i = 0; i < 6; i++)
        rec_append(i, 60);
    fake_area_journal(&rx.area);
    cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.want), 0);
    /* The journal: records one by one, then the sync that comes before the header. */
    fake_area_torn(&rx.area, 6, 0, image);
    fake_area_set(&rx.area, image);
    rec_expect(&rx.want, "the old half");
    rec_copy_first(&rx.other, &rx.want, 4);
    rec_compact_to(&rx.other);
    rec_expect(&rx.want, "four records, not six");
    rec_append(9, 60);
    rec_expect(&rx.want, "five records, not six");
    free(image);
    rec_end();
}

/* ---- two crashes ---- */

/* Appends one of several records that differ in the first byte only, so that all sectors but one
 * are the same. */
static void append_twin(unsigned char first, size_t length)
{
    unsigned char bytes[2048];

    cr_assert_leq(length, sizeof bytes);
    memcpy(bytes, rec_bytes(60, length), length);
    bytes[0] = first;
    cr_assert_eq(hal_record_append(&rx.log.store, bytes, length), 0);
}

/* Opens `start`, which holds rx.want, and appends a twin with every crash meanwhile. */
static void crash_again(const struct fake_area *start, size_t length)
{
    fake_area_init(&rx.area, start->area.size);
    fake_area_set(&rx.area, start->bytes);
    rec_expect(&rx.want, "after the first crash");
    fake_area_journal(&rx.area);
    append_twin(2, length);
    cr_assert_eq(rec_reload(), 0);
    rec_copy(&rx.other, &rx.got);
    crash_everywhere(&rx.want, &rx.other);
    lose_everything(&rx.want, &rx.other);
    fake_area_fini(&rx.area);
}

/* What a power failure left of an append, and a process has seen is not there, is never completed
 * by what another power failure leaves of the next append. */
Test(record_log_crash, what_a_dead_append_left_never_comes_back)
{
    static const size_t lengths[] = {600, 1100};
    static struct fake_area first, start;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lengths); i++) {
        rec_begin(8192);
        rec_append(1, 40);
        fake_area_journal(&rx.area);
        append_twin(1, lengths[i]);
        first = rx.area;
        fake_area_init(&start, first.area.size);
        for (uint64_t kept = 0; kept < HAL_BIT(fake_area_pieces(&first, 1)) - 1; kept++) {
            fake_area_lossy(&first, 1, kept, start.bytes);
            crash_again(&start, lengths[i]);
        }
        fake_area_fini(&start);
        fake_area_fini(&first);
    }
}

/* A medium on which exactly rx.want must be. */
static void expect_want(void *arg, const unsigned char *image)
{
    (void)arg;
    memcpy(rx.area.bytes, image, rx.area.area.size);
    rec_expect(&rx.want, "after a power failure");
}

/* What a failed sync came after may be gone for good though reads show it, zeros as well: a
 * compaction that is tried again writes them again. */
Test(record_log_crash, zeros_that_a_failed_sync_lost)
{
    enum { RECORDS = 6, KEPT = 4, SYNC = KEPT + 1 };
    struct crash_effort effort = {.exhaustive = 8, .step = 512};
    unsigned char *image = malloc(SMALL);
    struct crash c;

    rec_begin(SMALL);
    for (uint64_t i = 0; i < RECORDS; i++)
        rec_append(i, 60);
    fake_area_journal(&rx.area);
    cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.want), 0);
    fake_area_torn(&rx.area, RECORDS, 0, image); /* it died before its header */
    fake_area_set(&rx.area, image);
    rec_expect(&rx.want, "the old half");
    fake_area_journal(&rx.area);
    rec_copy_first(&rx.other, &rx.want, KEPT);
    rx.area.fail_after = SYNC;
    rx.area.fail_count = 1;
    cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.other), -EIO);
    cr_assert(rx.area.event[rx.area.events - 1].failed);
    rec_compact_to(&rx.other);
    crash_init(&c, rx.area.start, SMALL);
    for (size_t e = 0; e < rx.area.events; e++)
        crash_event(&c, &rx.area.event[e]);
    crash_each_loss(&c, &effort, expect_want, NULL);
    cr_assert_gt(c.images, 0);
    crash_fini(&c);
    free(image);
    rec_end();
}

/* ---- failing devices ---- */

/* Appends or compacts; `other` is the list if it works. */
static int change(bool compaction)
{
    if (!compaction) {
        rec_copy(&rx.other, &rx.want);
        rec_list_add(&rx.other, 77, 700);
        return hal_record_append(&rx.log.store, rec_bytes(77, 700), 700);
    }
    rec_copy_first(&rx.other, &rx.want, 2);
    rec_list_add(&rx.other, 78, 30);
    return hal_record_compact(&rx.log.store, rec_produce, &rx.other);
}

/* One failure, and the device was well again before the call returned: then an error means that
 * nothing of the change is left, whatever a power failure does next. */
static void expect_failure_left_nothing(void)
{
    unsigned char *image = malloc(rx.area.area.size);
    static struct hal_record_log running;
    struct fake_area j = rx.area;

    running = rx.log;
    fake_area_init(&rx.area, j.area.size);
    for (uint64_t kept = 0; kept < HAL_BIT(fake_area_pieces(&j, j.events)); kept++) {
        fake_area_lossy(&j, j.events, kept, image);
        fake_area_set(&rx.area, image);
        rec_expect(&rx.want, "taken back");
    }
    fake_area_fini(&rx.area);
    rx.area = j;
    rx.log = running;
    free(image);
}

/* Lets `count` writes or syncs fail, after `after` that work. Returns whether one did. */
static bool fail_at(bool compaction, int64_t after, uint64_t count, size_t keep)
{
    int rc;
    bool fired;

    rec_begin(8192);
    for (uint64_t i = 0; i < 3; i++)
        rec_append(i, 50);
    rx.area.fail_after = after;
    rx.area.fail_count = count;
    rx.area.fail_keep = keep;
    fake_area_journal(&rx.area);
    rc = change(compaction);
    fired = rx.area.fail_count < count;
    cr_assert(rc == 0 || rc == -EIO);
    cr_assert(rc == 0 || fired);
    if (!rc)
        rec_copy(&rx.want, &rx.other);
    else if (count == 1)
        expect_failure_left_nothing();
    rx.area.fail_count = 0;
    rec_append(5, 20);
    cr_assert_eq(rec_reload(), 0);
    cr_assert(rec_same(&rx.got, &rx.want), "after %" PRId64 " count %" PRIu64, after, count);
    rec_expect(&rx.want, "next process");
    rec_end();
    return fired;
}

/* After every failure the list is the one that the results told of, here and in the next process.
 */
Test(record_log_crash, failed_writes_and_syncs)
{
    for (int compaction = 0; compaction < 2; compaction++)
        for (size_t keep = 0; keep <= 1024; keep += 64)
            for (uint64_t count = 1; count < 8; count++)
                for (int64_t after = 0; fail_at(compaction, after, count, keep); after++)
                    ;
}

/* A device that fails for good: nothing is acknowledged, and the next process finds old or new. */
Test(record_log_crash, device_that_fails_for_good)
{
    for (int compaction = 0; compaction < 2; compaction++) {
        for (int64_t after = 0; after < 8; after++) {
            int rc;

            rec_begin(8192);
            rec_append(1, 50);
            rec_append(2, 50);
            rx.area.fail_after = after;
            rx.area.fail_count = UINT64_MAX;
            rx.area.fail_keep = 1024;
            rc = change(compaction);
            if (rc) {
                cr_assert_eq(rc, -EIO);
                cr_assert_eq(hal_record_append(&rx.log.store, "x", 1), -EIO);
                cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.want), -EIO);
                cr_assert_eq(rec_reload(), -EIO);
            }
            rx.area.fail_after = FAKE_AREA_NEVER;
            if (rc && (after & 1)) {
                cr_assert_eq(rec_reload(), 0, "the same process, once all is well");
                cr_assert(rec_same(&rx.got, &rx.want));
                rec_expect(&rx.want, "and the next");
            }
            expect_old_or_new(rc ? &rx.want : &rx.other, &rx.other, (size_t)after,
                              (uint64_t)compaction);
            rec_end();
        }
    }
}

Test(record_log_crash, failed_reads)
{
    rec_begin(SMALL);
    rec_append(1, 50);
    rx.area.fail_reads = true;
    cr_assert_eq(rec_reopen(), -EIO);
    rx.area.fail_reads = false;
    cr_assert_eq(rec_reopen(), 0);
    rx.area.fail_reads = true;
    cr_assert_eq(hal_record_compact(&rx.log.store, rec_produce, &rx.want), -EIO);
    rx.area.fail_reads = false;
    rec_append(2, 50);
    rec_expect(&rx.want, "both");
    rec_end();
}

/* ---- random ---- */

/* The area after a random crash in the middle of what the journal holds. */
static void random_crash(struct hal_prng *p)
{
    unsigned char *image = malloc(rx.area.area.size);
    size_t e = hal_prng_below(p, rx.area.events + 1), n;

    if (hal_prng_below(p, 2)) {
        n = e < rx.area.events ? fake_area_event_bytes(&rx.area, e) : 0;
        fake_area_torn(&rx.area, e, hal_prng_below(p, n + 1), image);
    } else {
        fake_area_lossy(&rx.area, e, hal_prng_next(p), image);
    }
    fake_area_set(&rx.area, image);
    free(image);
}

/* One random change, then perhaps a crash in the middle of it. */
static void random_step(struct hal_prng *p, uint64_t id)
{
    static struct rec_list old;
    size_t length = 1 + hal_prng_below(p, hal_prng_below(p, 8) ? 60 : 900);
    int rc;

    rec_copy(&old, &rx.want);
    fake_area_journal(&rx.area);
    rc = hal_record_append(&rx.log.store, rec_bytes(id, length), length);
    if (!rc)
        rec_list_add(&rx.want, id, length);
    if (rc || hal_prng_below(p, 30) == 0) {
        rec_copy(&old, &rx.want);
        rec_copy_first(&rx.other, &rx.want, hal_prng_below(p, hal_min64(rx.want.count, 6) + 1));
        fake_area_journal(&rx.area);
        rec_compact_to(&rx.other);
    }
    if (hal_prng_below(p, 4) == 0) {
        random_crash(p);
        cr_assert_eq(rec_reopen(), 0);
        cr_assert(rec_same(&rx.got, &old) || rec_same(&rx.got, &rx.want), "step %" PRIu64, id);
        rec_copy(&rx.want, &rx.got);
    }
}

Test(record_log_crash, random_life_with_crashes)
{
    struct hal_prng p;

    hal_prng_seed(&p, test_seed(20240611), 3);
    rec_begin(16384);
    for (uint64_t i = 0; i < 10000; i++)
        random_step(&p, i);
    rec_expect(&rx.want, "at last");
    rec_end();
}

/* ---- lives, with all their ends ---- */

enum { LIFE_STEPS = 10, LIFE_LIST = 24, LIFE_AREA = 8192, LIVES = 50 };

/* An assertion that costs nothing while it holds: Criterion tells its parent of each. */
#define MUST(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert_fail(__VA_ARGS__);                                                           \
    } while (0)

/* Records by number. Most have bytes in common, so that sectors of one fit into another. */
struct ids {
    size_t count;
    uint16_t id[LIFE_LIST];
};

/* What one process asked for, and when, in events of the area, it was told that it is done. */
static struct {
    struct ids start, got;
    struct {
        int rc;
        size_t began, returned, done;
        struct ids after;
    } step[LIFE_STEPS];
    size_t steps, events;
    uint64_t seen;
    unsigned char next[LIFE_AREA];
    struct hal_prng prng;
} life;

static size_t life_bytes(uint16_t id, unsigned char *bytes)
{
    size_t length = (size_t[]){6, 600, 45, 600, 900, 110}[id % 6];

    memset(bytes, 0x5A, length);
    bytes[0] = (unsigned char)(id >> 8);
    bytes[1] = (unsigned char)id;
    return length;
}

static int life_take(void *arg, const void *record, size_t length)
{
    static unsigned char want[1024];
    const unsigned char *p = record;
    uint16_t id = (uint16_t)(p[0] << 8 | p[1]);
    struct ids *l = arg;

    MUST(length == life_bytes(id, want) && memcmp(record, want, length) == 0,
         "a record that nobody wrote");
    MUST(l->count < LIFE_LIST, "too many records");
    l->id[l->count++] = id;
    return 0;
}

static int life_list(void *arg, hal_record_fn emit, void *sink)
{
    static unsigned char bytes[1024];
    const struct ids *l = arg;
    int rc = 0;

    for (size_t i = 0; i < l->count && !rc; i++)
        rc = emit(sink, bytes, life_bytes(l->id[i], bytes));
    return rc;
}

static bool same_ids(const struct ids *a, const struct ids *b)
{
    return a->count == b->count && memcmp(a->id, b->id, a->count * sizeof a->id[0]) == 0;
}

static void life_load(void)
{
    life.got.count = 0;
    MUST(hal_record_log_init(&rx.log, &rx.area.area) == 0, "too small");
    MUST(hal_record_load(&rx.log.store, life_take, &life.got) == 0, "after %zu events",
         life.events);
}

/* A change that failed may be found until the next one is acknowledged (hal_record_append()). */
static bool life_legal(const struct ids *found)
{
    const struct ids *sure = &life.start;
    bool legal = same_ids(found, sure);

    for (size_t i = 0; i < life.steps && life.step[i].began <= life.events; i++) {
        bool open = life.step[i].returned > life.events || life.step[i].rc == -EIO;

        if (life.step[i].done <= life.events) {
            sure = &life.step[i].after;
            legal = same_ids(found, sure);
        } else if (open) {
            legal = legal || same_ids(found, &life.step[i].after);
        }
    }
    return legal;
}

static void life_judge(void *arg, const unsigned char *image)
{
    (void)arg;
    fake_area_set(&rx.area, image);
    life_load();
    MUST(life_legal(&life.got), "after %zu events: %zu records", life.events, life.got.count);
    if (hal_prng_below(&life.prng, ++life.seen) == 0)
        memcpy(life.next, image, sizeof life.next);
}

/* Appends, or makes another list of what there is, on a device that may fail. */
static void life_step(struct ids *now)
{
    static uint16_t next;
    unsigned char bytes[1024];
    struct ids after = *now;
    size_t n = life.steps++;
    bool compaction = now->count == LIFE_LIST || hal_prng_below(&life.prng, 4) == 0;
    int rc;

    if (hal_prng_below(&life.prng, 4) == 0) {
        rx.area.fail_after = (int64_t)hal_prng_below(&life.prng, 8);
        rx.area.fail_count = hal_prng_below(&life.prng, 3) ? 1 : 1000;
        rx.area.fail_keep = (size_t)hal_prng_below(&life.prng, 700);
    }
    life.step[n].began = rx.area.events;
    if (compaction)
        after.count = hal_prng_below(&life.prng, now->count + 1);
    else
        after.id[after.count++] = next++;
    rc = compaction
             ? hal_record_compact(&rx.log.store, life_list, &after)
             : hal_record_append(&rx.log.store, bytes, life_bytes(after.id[now->count], bytes));
    rx.area.fail_after = FAKE_AREA_NEVER;
    life.step[n].rc = rc;
    life.step[n].returned = rx.area.events;
    life.step[n].done = rc ? SIZE_MAX : rx.area.events;
    life.step[n].after = after;
    if (!rc)
        *now = after;
}

static uint64_t life_crashes(const struct fake_area *j)
{
    const struct crash_effort effort = {
        .exhaustive = 6, .samples = 60, .step = 61, .prng = &life.prng};
    struct crash c;
    uint64_t images;

    crash_init(&c, j->start, j->area.size);
    life.seen = 0;
    for (life.events = 0; life.events < j->events; life.events++) {
        if (j->event[life.events].n)
            crash_each_kill(&c, &j->event[life.events], &effort, life_judge, NULL);
        else
            crash_each_loss(&c, &effort, life_judge, NULL);
        crash_event(&c, &j->event[life.events]);
    }
    crash_each_loss(&c, &effort, life_judge, NULL);
    images = c.images;
    crash_fini(&c);
    return images;
}

/* One process after the other, each of which begins with what a crash of the one before left, where
 * a failed sync makes nothing durable that came before it, ever. */
Test(record_log_crash, lives_with_every_end)
{
    uint64_t images = 0;

    hal_prng_seed(&life.prng, test_seed(20261129), 4);
    fake_area_init(&rx.area, LIFE_AREA);
    for (unsigned i = 0; i < LIVES; i++) {
        struct fake_area j;
        struct ids now;

        fake_area_journal(&rx.area);
        life_load();
        life.start = now = life.got;
        for (life.steps = 0; life.steps < LIFE_STEPS;)
            life_step(&now);
        j = rx.area;
        fake_area_init(&rx.area, LIFE_AREA);
        images += life_crashes(&j);
        fake_area_fini(&j);
        fake_area_set(&rx.area, life.next);
    }
    fprintf(stderr, "%d lives, %" PRIu64 " media\n", LIVES, images);
    fake_area_fini(&rx.area);
}
