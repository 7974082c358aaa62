/* SPDX-License-Identifier: Apache-2.0 */
/* What a change of the catalogue leaves behind when it cannot be made, or when the process dies in
 * the middle of it: never anything but the state before or the state after. */
#include "core/catalogue/catalogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/catalogue_fixture.h"

TestSuite(catalogue_fault, .timeout = 60);

static struct cat_picture before, after, now;

/* ---- failures ---- */

enum { OPERATIONS = 9 };

/* One operation of each kind on a catalogue that start_for_failures() made. */
static int operate(unsigned which)
{
    static const uint32_t chunks[] = {500, 501, 40000, 502};
    struct spipe__cat_entry *x = spipe__cat_find(fx.cat, "x");

    switch (which) {
    case 0:
        return spipe__cat_create(fx.cat, "new", lun_b, NULL);
    case 1:
        return spipe__cat_remove(fx.cat, "x", NULL, NULL);
    case 2:
        return spipe__cat_rename(fx.cat, x, "new");
    case 3:
        return spipe__cat_append_chunks(fx.cat, x, chunks, 4);
    case 4:
        return spipe__cat_drop_chunks(fx.cat, x, 1, NULL, NULL);
    case 5:
        return spipe__cat_set_byte_length(fx.cat, x, 4711);
    case 6:
        return spipe__cat_replace(fx.cat, "x", lun_a, chunks, 4, 4711, NULL, NULL);
    case 7:
        return spipe__cat_replace(fx.cat, "new", lun_a, chunks, 4, 4711, NULL, NULL);
    default:
        return spipe__cat_replace(fx.cat, "x", lun_b, chunks, 4, 4711, NULL, NULL);
    }
}

static void start_for_failures(void)
{
    cat_begin(8192);
    cat_make("x", lun_a, 0, 3);
    cat_make("y", lun_a, 3, 3);
}

/* Whatever does not work leaves everything as it was, and works when tried again: in the same
 * process, or in the next. */
static void expect_unchanged_then_works(unsigned which, bool next)
{
    cat_draw(&now);
    cr_assert(cat_same(&before, &now), "operation %u", which);
    fx.exec.fail_after = FAKE_EXEC_NEVER;
    fx.area.fail_after = FAKE_AREA_NEVER;
    if (next) {
        cat_reopen();
        cat_draw(&now);
        cr_assert(cat_same(&before, &now), "operation %u", which);
    }
    cr_assert_eq(operate(which), 0, "operation %u", which);
    cat_expect_durable();
    cat_end();
}

/* Lets the allocations of an operation fail from the nth on. Returns whether there are so many. */
static bool fail_allocation(unsigned which, int64_t n, bool next)
{
    int rc;

    start_for_failures();
    cat_draw(&before);
    fx.exec.fail_after = n;
    rc = operate(which);
    if (!rc) {
        cat_end();
        return false;
    }
    cr_assert_eq(rc, -ENOMEM, "operation %u", which);
    expect_unchanged_then_works(which, next);
    return true;
}

Test(catalogue_fault, no_memory)
{
    for (unsigned which = 0; which < OPERATIONS; which++)
        for (int next = 0; next < 2; next++)
            for (int64_t n = 0; fail_allocation(which, n, next); n++)
                ;
}

Test(catalogue_fault, store_fails)
{
    for (unsigned which = 0; which < OPERATIONS; which++) {
        for (int64_t n = 0; n < 4; n++) {
            start_for_failures();
            cat_draw(&before);
            fx.area.fail_after = n % 2;
            fx.area.fail_count = 1;
            fx.area.fail_keep = 1000;
            cr_assert_eq(operate(which), -EIO, "operation %u", which);
            expect_unchanged_then_works(which, n / 2);
        }
    }
}

/* The same for a change of several records. */
Test(catalogue_fault, store_fails_in_a_group)
{
    enum { MANY = 15000, STEPS = 6 };
    static uint32_t chunks[MANY];

    for (uint32_t i = 0; i < MANY; i++)
        chunks[i] = 1000 + 3 * i;
    for (int64_t n = 0; n <= STEPS; n++) {
        int rc;

        cat_begin(1 << 20);
        cat_make("x", lun_a, 1, 3);
        cat_draw(&before);
        fx.area.fail_after = n;
        fx.area.fail_count = 1;
        rc = spipe__cat_replace(fx.cat, "x", lun_a, chunks, MANY, 5, NULL, NULL);
        fx.area.fail_after = FAKE_AREA_NEVER;
        cr_assert_eq(rc, n < STEPS ? -EIO : 0, "%" PRId64, n);
        cat_draw(&now);
        cr_assert_eq(cat_same(&before, &now), rc != 0);
        cat_expect_durable();
        cr_assert_eq(spipe__cat_replace(fx.cat, "x", lun_a, chunks, MANY, 5, NULL, NULL), 0);
        cat_expect_durable();
        cat_end();
    }
}

Test(catalogue_fault, no_memory_to_open)
{
    static uint32_t chunks[20000];

    cat_begin(1 << 20);
    for (uint32_t i = 0; i < 20000; i++)
        chunks[i] = 2 * i;
    cat_make("x", lun_a, 1, 1);
    cr_assert_eq(spipe__cat_replace(fx.cat, "y", lun_a, chunks, 20000, 0, NULL, NULL), 0);
    cat_draw(&before);
    cat_close();
    for (int64_t n = 0;; n++) {
        int rc;

        fx.exec.fail_after = n;
        rc = cat_open();
        if (!rc)
            break;
        cr_assert_eq(rc, -ENOMEM);
        cr_assert_eq(fx.exec.blocks, 0);
        cr_assert_not_null(strstr(fx.error.text, "memory"));
    }
    cat_draw(&now);
    cr_assert(cat_same(&before, &now));
    cat_end();
}

Test(catalogue_fault, store_that_cannot_be_loaded)
{
    cat_begin(8192);
    cat_make("x", lun_a, 1, 1);
    cat_close();
    fx.area.fail_reads = true;
    cr_assert_eq(cat_open(), -EIO);
    cr_assert_not_null(strstr(fx.error.text, "cannot be read"), "%s", fx.error.text);
    fx.area.fail_reads = false;
    fx.area.area.size = 4096;
    cr_assert_eq(cat_open(), -EINVAL);
    cr_assert_not_null(strstr(fx.error.text, "size"), "%s", fx.error.text);
    fx.area.area.size = 8192;
    fx.area.bytes[540] ^= 1; /* in the first of two records */
    cr_assert_eq(cat_open(), -EILSEQ);
    cr_assert_not_null(strstr(fx.error.text, "damaged"), "%s", fx.error.text);
    cr_assert_null(fx.cat);
    cat_end();
}

/* ---- crashes ---- */

/* Opens what a crash left; it must be `before` or `after`, and take another change. */
static void expect_before_or_after(struct fake_area *j, size_t event, size_t keep)
{
    fake_area_torn(j, event, keep, fx.area.bytes);
    cr_assert_eq(cat_open(), 0, "event %zu byte %zu: %s", event, keep, fx.error.text);
    cat_draw(&now);
    cr_assert(cat_same(&before, &now) || cat_same(&after, &now), "event %zu byte %zu", event, keep);
    cr_assert_eq(spipe__cat_replace(fx.cat, "probe", lun_b, &(uint32_t){77}, 1, 0, NULL, NULL), 0);
    cat_expect_durable();
    cat_close();
}

/* At every `stride`th byte of what the journal of `area` holds, and at every one near the ends of
 * each write. */
static void crash_everywhere(size_t stride)
{
    struct fake_area j = fx.area;

    cat_close();
    fake_area_init(&fx.area, j.area.size);
    for (size_t e = 0; e <= j.events; e++) {
        size_t n = e < j.events ? fake_area_event_bytes(&j, e) : 0;

        for (size_t keep = 0; keep == 0 || keep < n; keep++)
            if (keep % stride == 0 || keep < 64 || n - keep < 64)
                expect_before_or_after(&j, e, keep);
    }
    fake_area_fini(&fx.area);
    fx.area = j;
    cr_assert_eq(cat_open(), 0);
}

Test(catalogue_fault, crash_at_every_byte)
{
    for (unsigned which = 0; which < OPERATIONS; which++) {
        start_for_failures();
        cat_draw(&before);
        fake_area_journal(&fx.area);
        cr_assert_eq(operate(which), 0);
        cat_draw(&after);
        crash_everywhere(1);
        cat_end();
    }
}

/* A replacement that takes several records is old or new all the same. */
Test(catalogue_fault, crash_in_a_group)
{
    enum { MANY = 15000 };
    static uint32_t chunks[MANY];

    cat_begin(1 << 20);
    cat_make("x", lun_a, 1, 3);
    for (uint32_t i = 0; i < MANY; i++)
        chunks[i] = 1000 + 3 * i;
    cat_draw(&before);
    fake_area_journal(&fx.area);
    fx.store.appends = 0;
    cr_assert_eq(spipe__cat_replace(fx.cat, "x", lun_a, chunks, MANY, 5, NULL, NULL), 0);
    cr_assert_eq(fx.store.appends, 3);
    cat_draw(&after);
    crash_everywhere(8192);
    cat_end();
}

/* A full store in the middle of a change: compaction, then the change again, crash anywhere. */
Test(catalogue_fault, crash_while_full)
{
    static const uint32_t chunks[] = {100, 102, 104, 106};

    for (int removal = 0; removal < 2; removal++) {
        cat_begin(4096);
        cat_make("x", lun_a, 0, 3);
        fx.store.compactions = 0;
        for (uint64_t i = 0; fx.store.compactions == 0; i++) {
            cat_draw(&before);
            fake_area_journal(&fx.area);
            if (removal && fx.area.area.size / 2 - fx.log.live.tail < 48)
                cr_assert_eq(spipe__cat_remove(fx.cat, "x", NULL, NULL), 0);
            else
                cr_assert_eq(
                    spipe__cat_replace(fx.cat, "x", lun_a, chunks + i % 2, 3, i, NULL, NULL), 0);
            cr_assert_lt(i, 1000);
        }
        cat_draw(&after);
        crash_everywhere(1);
        cat_end();
    }
}
