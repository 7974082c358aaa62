/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the catalogue, one by one: what they do, what they refuse, what they cost, and
 * that all of it is there for the next process. The other catalogue_*_test.c files test failures
 * and crashes, records that make no sense, and random sequences. */
#include "core/catalogue/catalogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/catalogue_fixture.h"

TestSuite(catalogue, .timeout = 60);

static struct cat_picture before, now;

/* Chunk numbers that a freed callback got. */
struct freed {
    uint32_t count;
    uint32_t chunk[64];
    const uint8_t *wwid;
};

static void on_freed(void *arg, const uint8_t *wwid, uint32_t chunk)
{
    struct freed *f = arg;

    cr_assert_lt(f->count, 64);
    cr_assert_arr_eq(f->wwid, wwid, SPIPE__CAT_WWID_LENGTH);
    f->chunk[f->count++] = chunk;
}

static void expect_freed(const struct freed *f, const uint32_t *chunks, uint32_t n)
{
    cr_assert_eq(f->count, n);
    for (uint32_t i = 0; i < n; i++)
        cr_assert_eq(f->chunk[i], chunks[i], "freed %u", i);
}

/* ---- names ---- */

Test(catalogue, name_rules)
{
    static const char *const good[] = {
        "a", "A", "0", ".", "..", "_", "_-", "a-b", "db.2024_backup-7",
    };
    static const char *const bad[] = {
        "", "-", "-a", "a b", "a/b", "a\n", "\xc3\xa4", "a:b", "a*", "a@", "a[", "a`", "a{",
    };

    cat_begin(65536);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++) {
        cr_assert_eq(spipe__cat_check_name(bad[i]), -EINVAL, "'%s'", bad[i]);
        cr_assert_eq(spipe__cat_create(fx.cat, bad[i], lun_a, NULL), -EINVAL);
        cr_assert_eq(spipe__cat_replace(fx.cat, bad[i], lun_a, NULL, 0, 0, NULL, NULL), -EINVAL);
    }
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(good); i++) {
        cr_assert_eq(spipe__cat_check_name(good[i]), 0, "'%s'", good[i]);
        cr_assert_eq(spipe__cat_create(fx.cat, good[i], lun_a, NULL), 0);
    }
    cr_assert_eq(spipe__cat_count(fx.cat), HAL_ARRAY_LENGTH(good));
    cat_expect_durable();
    cat_end();
}

Test(catalogue, name_of_63_bytes)
{
    char name[65];

    cat_begin(65536);
    memset(name, 'n', sizeof name);
    name[63] = 0;
    cr_assert_eq(spipe__cat_create(fx.cat, name, lun_a, NULL), 0);
    cat_expect_durable();
    cr_assert_not_null(spipe__cat_find(fx.cat, name));
    name[63] = 'n';
    name[64] = 0;
    cr_assert_eq(spipe__cat_create(fx.cat, name, lun_a, NULL), -EINVAL);
    cr_assert_null(spipe__cat_find(fx.cat, name));
    cat_end();
}

/* ---- each operation ---- */

Test(catalogue, create_find_iterate)
{
    struct spipe__cat_entry *e;

    cat_begin(65536);
    cr_assert_eq(spipe__cat_count(fx.cat), 0);
    cr_assert_null(spipe__cat_find(fx.cat, "x"));
    cr_assert_eq(spipe__cat_create(fx.cat, "mid", lun_a, &e), 0);
    cr_assert_str_eq(e->name, "mid");
    cr_assert_arr_eq(e->wwid, lun_a, sizeof lun_a);
    cr_assert(e->chunk_count == 0 && !e->chunks && e->byte_length == 0 && e->generation == 1);
    cr_assert_eq(spipe__cat_create(fx.cat, "zed", lun_b, NULL), 0);
    cr_assert_eq(spipe__cat_create(fx.cat, "abc", lun_a, NULL), 0);
    cr_assert_eq(spipe__cat_create(fx.cat, "mid", lun_b, NULL), -EEXIST);
    cr_assert_eq(spipe__cat_find(fx.cat, "mid"), e, "addresses stay");
    cr_assert_str_eq(spipe__cat_at(fx.cat, 0)->name, "abc");
    cr_assert_str_eq(spipe__cat_at(fx.cat, 2)->name, "zed");
    cr_assert_eq(spipe__cat_at(fx.cat, 0)->generation, 3);
    cat_expect_durable();
    cat_end();
}

Test(catalogue, remove)
{
    struct freed f = {.wwid = lun_a};

    cat_begin(65536);
    cat_make("x", lun_a, 10, 3);
    cat_make("y", lun_a, 20, 1);
    cr_assert_eq(spipe__cat_remove(fx.cat, "z", on_freed, &f), -ENOENT);
    cr_assert_eq(spipe__cat_remove(fx.cat, "x", on_freed, &f), 0);
    expect_freed(&f, (const uint32_t[]){10, 11, 12}, 3);
    cr_assert_null(spipe__cat_find(fx.cat, "x"));
    cr_assert_eq(spipe__cat_count(fx.cat), 1);
    cat_expect_durable();
    cr_assert_eq(cat_make("x2", lun_a, 10, 3)->generation, 7, "numbers go on");
    cr_assert_eq(spipe__cat_remove(fx.cat, "x2", NULL, NULL), 0);
    cat_expect_durable();
    cat_end();
}

Test(catalogue, rename)
{
    struct spipe__cat_entry *x;

    cat_begin(65536);
    x = cat_make("x", lun_a, 0, 2);
    cat_make("y", lun_a, 2, 2);
    cr_assert_eq(spipe__cat_rename(fx.cat, x, "y"), -EEXIST);
    cr_assert_eq(spipe__cat_rename(fx.cat, x, "x"), -EEXIST);
    cr_assert_eq(spipe__cat_rename(fx.cat, x, "-"), -EINVAL);
    cr_assert_eq(spipe__cat_rename(fx.cat, x, "zz"), 0);
    cr_assert_eq(spipe__cat_find(fx.cat, "zz"), x);
    cr_assert_null(spipe__cat_find(fx.cat, "x"));
    cr_assert_str_eq(spipe__cat_at(fx.cat, 1)->name, "zz");
    cr_assert_eq(x->chunk_count, 2);
    cat_expect_durable();
    cat_end();
}

Test(catalogue, append_and_drop)
{
    static const uint32_t more[] = {7, 8, UINT32_MAX, 0, 3};
    struct freed f = {.wwid = lun_a};
    struct spipe__cat_entry *x;

    cat_begin(65536);
    x = cat_make("x", lun_a, 100, 2);
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, more, 5), 0);
    cr_assert_eq(x->chunk_count, 7);
    cr_assert_arr_eq(x->chunks + 2, more, sizeof more);
    cr_assert_eq(x->generation, 3);
    cat_expect_durable();
    x = spipe__cat_find(fx.cat, "x");
    cr_assert_eq(spipe__cat_drop_chunks(fx.cat, x, 8, on_freed, &f), -EINVAL);
    cr_assert_eq(spipe__cat_drop_chunks(fx.cat, x, 3, on_freed, &f), 0);
    expect_freed(&f, more + 1, 4);
    cr_assert_eq(x->chunk_count, 3);
    cat_expect_durable();
    x = spipe__cat_find(fx.cat, "x");
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, more + 1, 4), 0, "they are free again");
    cr_assert_eq(spipe__cat_drop_chunks(fx.cat, x, 0, NULL, NULL), 0);
    cr_assert_null(x->chunks);
    cat_expect_durable();
    cat_end();
}

/* What changes nothing writes nothing. */
Test(catalogue, no_change_no_record)
{
    struct spipe__cat_entry *x;
    unsigned appends;

    cat_begin(65536);
    x = cat_make("x", lun_a, 100, 2);
    appends = fx.store.appends;
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, NULL, 0), 0);
    cr_assert_eq(spipe__cat_drop_chunks(fx.cat, x, 2, NULL, NULL), 0);
    cr_assert_eq(fx.store.appends, appends);
    cat_end();
}

Test(catalogue, byte_length)
{
    struct spipe__cat_entry *x;

    cat_begin(65536);
    x = cat_make("x", lun_a, 0, 1);
    cr_assert_eq(spipe__cat_set_byte_length(fx.cat, x, UINT64_MAX), 0);
    cr_assert_eq(x->byte_length, UINT64_MAX);
    cr_assert_eq(x->generation, 3);
    cat_expect_durable();
    cat_end();
}

/* A chunk has one name; the same number on another LUN is another chunk. */
Test(catalogue, chunk_named_twice)
{
    struct spipe__cat_entry *x, *y;

    cat_begin(65536);
    x = cat_make("x", lun_a, 10, 5);
    y = cat_make("y", lun_b, 10, 5);
    cat_draw(&before);
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, y, (const uint32_t[]){20, 21, 14}, 3), -EBUSY);
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, (const uint32_t[]){20, 21, 20}, 3), -EBUSY);
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, x->chunks, x->chunk_count), -EBUSY);
    cr_assert_eq(
        spipe__cat_replace(fx.cat, "y", lun_b, (const uint32_t[]){30, 30}, 2, 0, NULL, NULL),
        -EBUSY);
    cat_draw(&now);
    cr_assert(cat_same(&before, &now));
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, (const uint32_t[]){20, 21, 30}, 3), 0,
                 "failures left no marks");
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, y, (const uint32_t[]){20, 21, 30}, 3), 0);
    cat_expect_durable();
    cat_end();
}

/* A clone of a named virtual LUN may have a name too: one more owner of the same chunks. */
Test(catalogue, names_share_chunks)
{
    struct freed f = {.wwid = lun_a};

    cat_begin(65536);
    cat_make("x", lun_a, 10, 3);
    cr_assert_eq(spipe__cat_replace(fx.cat, "z", lun_a, (const uint32_t[]){10, 11, 12, 30}, 4, 0,
                                    NULL, NULL),
                 0);
    cat_expect_durable();
    cr_assert_eq(spipe__cat_remove(fx.cat, "x", on_freed, &f), 0);
    cr_assert_eq(f.count, 3, "x loses what z still has");
    cr_assert_eq(spipe__cat_find(fx.cat, "z")->chunk_count, 4);
    cat_expect_durable();
    cat_end();
}

/* ---- chunks to be wiped ---- */

static uint32_t to_wipe[16];

static int on_wipe(void *arg, uint32_t chunk)
{
    to_wipe[(*(unsigned *)arg)++] = chunk;
    return 0;
}

static void expect_wipe(const uint8_t *wwid, unsigned n, const uint32_t *chunks)
{
    for (unsigned round = 0; round < 2; round++) {
        unsigned count = 0;

        cr_assert_eq(spipe__cat_for_each_wipe(fx.cat, wwid, on_wipe, &count), 0);
        cr_assert_eq(count, n);
        for (unsigned i = 0; i < n; i++)
            cr_assert_eq(to_wipe[i], chunks[i]);
        cat_reopen();
    }
}

Test(catalogue, chunks_to_be_wiped_are_durable)
{
    cat_begin(65536);
    cat_make("x", lun_a, 10, 3);
    cr_assert_eq(spipe__cat_wipe_add(fx.cat, lun_a, (const uint32_t[]){40000, 7, 8, 11}, 4), 0);
    cr_assert_eq(spipe__cat_wipe_add(fx.cat, lun_a, (const uint32_t[]){8, 9}, 2), 0, "once more");
    expect_wipe(lun_a, 5, (const uint32_t[]){7, 8, 9, 11, 40000});
    expect_wipe(lun_b, 0, NULL);
    cr_assert_eq(spipe__cat_wipe_done(fx.cat, lun_a, 8), 0);
    cr_assert_eq(spipe__cat_wipe_done(fx.cat, lun_a, 8), 0, "nothing to do");
    cr_assert_eq(spipe__cat_compact(fx.cat), 0);
    expect_wipe(lun_a, 4, (const uint32_t[]){7, 9, 11, 40000});
    cr_assert_eq(spipe__cat_find(fx.cat, "x")->chunk_count, 3);
    cat_end();
}

Test(catalogue, replace)
{
    struct freed f = {.wwid = lun_a};
    struct spipe__cat_entry *x;

    cat_begin(65536);
    cr_assert_eq(
        spipe__cat_replace(fx.cat, "x", lun_a, (const uint32_t[]){5, 6, 7}, 3, 999, on_freed, &f),
        0);
    cr_assert_eq(f.count, 0);
    x = spipe__cat_find(fx.cat, "x");
    cr_assert(x && x->chunk_count == 3 && x->byte_length == 999 && x->generation == 1);
    cat_expect_durable();
    x = spipe__cat_find(fx.cat, "x");
    cr_assert_eq(
        spipe__cat_replace(fx.cat, "x", lun_a, (const uint32_t[]){9, 6}, 2, 1, on_freed, &f), 0);
    expect_freed(&f, (const uint32_t[]){5, 7}, 2);
    cr_assert_eq(spipe__cat_find(fx.cat, "x"), x, "its address stays");
    cr_assert(x->chunk_count == 2 && x->chunks[0] == 9 && x->chunks[1] == 6 && x->generation == 2);
    cat_expect_durable();
    f.count = 0;
    cr_assert_eq(spipe__cat_replace(fx.cat, "x", lun_b, (const uint32_t[]){9}, 1, 2, on_freed, &f),
                 0);
    expect_freed(&f, (const uint32_t[]){9, 6}, 2);
    cr_assert_arr_eq(spipe__cat_find(fx.cat, "x")->wwid, lun_b, sizeof lun_b);
    cat_expect_durable();
    x = spipe__cat_find(fx.cat, "x");
    cr_assert_eq(spipe__cat_replace(fx.cat, "x", lun_b, NULL, 0, 0, NULL, NULL), 0);
    cr_assert(x->chunk_count == 0 && !x->chunks);
    cat_expect_durable();
    cat_end();
}

/* A chunk may be handed out again from inside the callback: no crash can undo the change then. */
static void freed_is_durable(void *arg, const uint8_t *wwid, uint32_t chunk)
{
    static struct hal_record_log second_log;
    struct fake_area second;
    struct spipe__cat *c;

    (void)wwid;
    fake_area_init(&second, fx.area.area.size);
    fake_area_lossy(&fx.area, fx.area.events, 0, second.bytes);
    cr_assert_eq(hal_record_log_init(&second_log, &second.area), 0);
    cr_assert_eq(spipe__cat_open(&fx.exec.exec, &second_log.store, &c, NULL), 0);
    for (size_t i = 0; i < spipe__cat_count(c); i++)
        for (uint32_t k = 0; k < spipe__cat_at(c, i)->chunk_count; k++)
            cr_assert_neq(spipe__cat_at(c, i)->chunks[k], chunk);
    spipe__cat_close(c);
    fake_area_fini(&second);
    ++*(unsigned *)arg;
}

Test(catalogue, freed_after_it_is_durable)
{
    unsigned calls = 0;
    struct spipe__cat_entry *x;

    cat_begin(65536);
    x = cat_make("x", lun_a, 0, 6);
    fake_area_journal(&fx.area);
    cr_assert_eq(spipe__cat_drop_chunks(fx.cat, x, 5, freed_is_durable, &calls), 0);
    cr_assert_eq(spipe__cat_replace(fx.cat, "x", lun_a, (const uint32_t[]){3, 99}, 2, 0,
                                    freed_is_durable, &calls),
                 0);
    cr_assert_eq(spipe__cat_remove(fx.cat, "x", freed_is_durable, &calls), 0);
    cr_assert_eq(calls, 1 + 4 + 2);
    cat_end();
}

struct walk {
    uint32_t count, stop_at;
    uint64_t sum;
};

static int on_chunk(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk)
{
    struct walk *w = arg;

    cr_assert_not_null(entry);
    w->sum += chunk;
    return ++w->count == w->stop_at ? 42 : 0;
}

Test(catalogue, for_each_chunk)
{
    struct walk w = {0};

    cat_begin(65536);
    cat_make("x", lun_a, 10, 3);
    cat_make("y", lun_b, 1000, 3);
    cat_make("z", lun_a, 1, 2);
    cr_assert_eq(spipe__cat_for_each_chunk(fx.cat, lun_a, on_chunk, &w), 0);
    cr_assert(w.count == 5 && w.sum == 10 + 11 + 12 + 1 + 2);
    w = (struct walk){.stop_at = 4};
    cr_assert_eq(spipe__cat_for_each_chunk(fx.cat, lun_a, on_chunk, &w), 42);
    cr_assert_eq(w.count, 4);
    cat_end();
}

/* ---- size ---- */

/* The limit, and that long lists are small when they are runs. */
Test(catalogue, long_lists)
{
    enum { LONG = 262144 };
    uint32_t *chunks = malloc(LONG * sizeof chunks[0]);
    size_t appended;
    struct spipe__cat_entry *x;

    cat_begin(16 << 20);
    for (uint32_t i = 0; i < LONG; i++)
        chunks[i] = i;
    appended = fx.store.appended;
    cr_assert_eq(spipe__cat_replace(fx.cat, "run", lun_a, chunks, LONG, 1, NULL, NULL), 0);
    cr_assert_lt(fx.store.appended - appended, 100);
    cat_reopen();
    x = spipe__cat_find(fx.cat, "run");
    cr_assert_eq(x->chunk_count, LONG);
    cr_assert_arr_eq(x->chunks, chunks, LONG * sizeof chunks[0]);

    for (uint32_t i = 0; i < LONG; i++)
        chunks[i] = UINT32_MAX - 2 * i;
    fx.store.appends = 0;
    cr_assert_eq(spipe__cat_replace(fx.cat, "bits", lun_a, chunks, LONG, 1, NULL, NULL), 0);
    cr_assert_gt(fx.store.appends, 30, "a group of records");
    cr_assert_eq(spipe__cat_compact(fx.cat), 0);
    cat_reopen();
    x = spipe__cat_find(fx.cat, "bits");
    cr_assert_eq(x->chunk_count, LONG);
    cr_assert_arr_eq(x->chunks, chunks, LONG * sizeof chunks[0]);
    cr_assert_eq(x->generation, 2);
    free(chunks);
    cat_end();
}

Test(catalogue, too_many_chunks)
{
    uint32_t *chunks = malloc((SPIPE__CAT_CHUNKS_MAX + 1) * sizeof chunks[0]);
    struct spipe__cat_entry *x;

    cat_begin(65536);
    for (uint32_t i = 0; i <= SPIPE__CAT_CHUNKS_MAX; i++)
        chunks[i] = i;
    cr_assert_eq(
        spipe__cat_replace(fx.cat, "x", lun_a, chunks, SPIPE__CAT_CHUNKS_MAX + 1, 0, NULL, NULL),
        -EFBIG);
    cr_assert_eq(
        spipe__cat_replace(fx.cat, "x", lun_a, chunks, SPIPE__CAT_CHUNKS_MAX, 0, NULL, NULL), 0);
    x = spipe__cat_find(fx.cat, "x");
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, chunks + SPIPE__CAT_CHUNKS_MAX, 1), -EFBIG);
    cat_reopen();
    cr_assert_eq(spipe__cat_find(fx.cat, "x")->chunk_count, SPIPE__CAT_CHUNKS_MAX);
    free(chunks);
    cat_end();
}

/* The store stays in proportion to what is alive. */
Test(catalogue, history_is_dropped)
{
    struct spipe__cat_entry *x;

    cat_begin(4 << 20);
    x = cat_make("x", lun_a, 0, 100);
    fx.store.compactions = 0;
    for (uint64_t i = 0; i < 20000; i++)
        cr_assert_eq(spipe__cat_set_byte_length(fx.cat, x, i), 0);
    cr_assert_geq(fx.store.compactions, 5);
    cr_assert_leq(fx.store.compactions, 20);
    cat_expect_durable();
    cat_end();
}

/* But living records are not rewritten again and again. */
Test(catalogue, growth_is_not_rewritten)
{
    struct spipe__cat_entry *x;

    cat_begin(16 << 20);
    cr_assert_eq(spipe__cat_create(fx.cat, "x", lun_a, &x), 0);
    fx.store.compactions = 0;
    for (uint32_t i = 0; i < 30000; i++)
        cr_assert_eq(spipe__cat_append_chunks(fx.cat, x, &(uint32_t){2 * i}, 1), 0);
    cr_assert_leq(fx.store.compactions, 8);
    cat_expect_durable();
    cat_end();
}

/* Nor are they rewritten at all when hardly any of them is dead. */
Test(catalogue, living_records_stay)
{
    uint32_t chunks[1000];
    char name[16];

    cat_begin(16 << 20);
    fx.store.compactions = 0;
    for (uint32_t i = 0; i < 100; i++) {
        for (uint32_t k = 0; k < 1000; k++)
            chunks[k] = 2 * (1000 * i + k);
        snprintf(name, sizeof name, "n%u", i);
        cr_assert_eq(spipe__cat_replace(fx.cat, name, lun_a, chunks, 1000, 0, NULL, NULL), 0);
    }
    cr_assert_eq(fx.store.compactions, 0);
    cat_expect_durable();
    cat_end();
}

/* ---- the store is full ---- */

static void fill_up(void)
{
    char name[16];
    int rc = 0;

    for (uint32_t i = 0; !rc; i++) {
        snprintf(name, sizeof name, "n%u", i);
        cat_draw(&before);
        rc = spipe__cat_replace(fx.cat, name, lun_a, (const uint32_t[]){3 * i, 3 * i + 2}, 2, i,
                                NULL, NULL);
    }
    cr_assert_eq(rc, -ENOSPC);
    cat_draw(&now);
    cr_assert(cat_same(&before, &now));
}

/* Full of names: what takes away still works, without end. */
Test(catalogue, full_store)
{
    size_t count;

    cat_begin(4096);
    fill_up();
    count = spipe__cat_count(fx.cat);
    cr_assert_geq(count, 10);
    cat_expect_durable();
    cr_assert_eq(spipe__cat_create(fx.cat, "one-more", lun_b, NULL), -ENOSPC);
    for (size_t i = 0; i < count; i++) {
        struct spipe__cat_entry *e = spipe__cat_at(fx.cat, i);
        struct freed f = {.wwid = lun_a};
        uint32_t last = e->chunks[1];

        cr_assert_eq(spipe__cat_drop_chunks(fx.cat, e, 1, on_freed, &f), 0);
        expect_freed(&f, &last, 1);
        if (i % 5 == 0)
            cat_expect_durable();
    }
    cat_expect_durable();
    while (spipe__cat_count(fx.cat)) {
        cr_assert_eq(spipe__cat_remove(fx.cat, spipe__cat_at(fx.cat, 0)->name, NULL, NULL), 0);
        cat_expect_durable();
    }
    fill_up();
    cr_assert_eq(spipe__cat_count(fx.cat), count);
    cat_end();
}

/* Fills what is left with the shortest records that there are, so that not even a removal fits. */
static void top_up(void)
{
    struct spipe__cat_entry *e = spipe__cat_at(fx.cat, 0);
    uint32_t chunk = 1;

    while (spipe__cat_append_chunks(fx.cat, e, &chunk, 1) == 0)
        chunk += 3;
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, e, &chunk, 1), -ENOSPC);
    cr_assert_eq(spipe__cat_set_byte_length(fx.cat, e, 1), -ENOSPC);
}

/* Then the snapshot itself is the removal, or the cut. */
Test(catalogue, removal_makes_room)
{
    for (int cut = 0; cut < 2; cut++) {
        cat_begin(4096);
        fill_up();
        top_up();
        fx.store.compactions = 0;
        fx.store.appends = 0;
        if (cut)
            cr_assert_eq(spipe__cat_drop_chunks(fx.cat, spipe__cat_at(fx.cat, 3), 1, NULL, NULL),
                         0);
        else
            cr_assert_eq(spipe__cat_remove(fx.cat, "n3", NULL, NULL), 0);
        cr_assert(fx.store.compactions == 1 && fx.store.appends == 0);
        cat_expect_durable();
        cr_assert_eq(spipe__cat_remove(fx.cat, "n4", NULL, NULL), 0);
        cat_expect_durable();
        cat_end();
    }
}
