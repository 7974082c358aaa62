/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue over a real record log over an area in memory: every operation, what each leaves
 * when it fails, what a crash at any byte leaves, records that make no sense, and 10^5 random
 * operations in step with a model.
 *
 * The random tests print their seed; SPIPE_TEST_SEED=<number> in the environment runs another. */
#include "core/catalogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/endian.h"
#include "hal/support/prng.h"
#include "hal/support/record_log.h"
#include "tests/testlib/fake_area.h"
#include "tests/testlib/fake_exec.h"

TestSuite(catalogue, .timeout = 240);

static const uint8_t lun_a[SPIPE__CAT_WWID_LENGTH] = {0x60, 0x05, 0x07, 0x63, [15] = 0xaa};
static const uint8_t lun_b[SPIPE__CAT_WWID_LENGTH] = {0x60, 0x05, 0x07, 0x63, [15] = 0xbb};

/* ---- a store that counts, over a log, over an area ---- */

static struct fake_exec fake;
static struct fake_area area;
static struct hal_record_log log_;
static struct spipe__cat *cat;
static struct spipe__cat_error error;

static struct counting_store {
    struct hal_record_store store;
    unsigned appends, compactions;
    size_t appended; /* bytes */
} counting;

static int counting_load(struct hal_record_store *s, hal_record_fn each, void *arg)
{
    (void)s;
    return hal_record_load(&log_.store, each, arg);
}

static int counting_append(struct hal_record_store *s, const void *record, size_t length)
{
    int rc = hal_record_append(&log_.store, record, length);

    (void)s;
    if (!rc) {
        counting.appends++;
        counting.appended += length;
    }
    return rc;
}

static int counting_compact(struct hal_record_store *s, hal_record_list_fn list, void *arg)
{
    (void)s;
    counting.compactions++;
    return hal_record_compact(&log_.store, list, arg);
}

static const struct hal_record_store_ops counting_ops = {
    .load = counting_load,
    .append = counting_append,
    .compact = counting_compact,
};

static int open_catalogue(void)
{
    cr_assert_eq(hal_record_log_init(&log_, &area.area), 0);
    counting.store.ops = &counting_ops;
    cat = NULL;
    return spipe__cat_open(&fake.exec, &counting.store, &cat, &error);
}

static void begin(uint64_t size)
{
    fake_exec_init(&fake, 1);
    fake_area_init(&area, size);
    cr_assert_eq(open_catalogue(), 0, "%s", error.text);
}

static void close_catalogue(void)
{
    spipe__cat_close(cat);
    cat = NULL;
    cr_assert_eq(fake.blocks, 0);
    cr_assert_eq(fake.bytes, 0);
}

static void reopen(void)
{
    close_catalogue();
    cr_assert_eq(open_catalogue(), 0, "%s", error.text);
}

static void end(void)
{
    close_catalogue();
    fake_area_fini(&area);
}

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SPIPE_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 20240611;

    fprintf(stderr, "SPIPE_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* ---- pictures of the whole catalogue ---- */

enum { PICTURE_BYTES = 1 << 20 };

/* Everything that can be seen, encoded; long lists as they are. */
struct picture {
    size_t used;
    uint8_t bytes[PICTURE_BYTES];
};

static struct picture before, after, now;

static void draw_bytes(struct picture *p, const void *bytes, size_t n)
{
    cr_assert(n <= PICTURE_BYTES - p->used);
    if (n)
        memcpy(p->bytes + p->used, bytes, n);
    p->used += n;
}

static void draw(struct picture *p)
{
    p->used = 0;
    for (size_t i = 0; i < spipe__cat_count(cat); i++) {
        const struct spipe__cat_entry *e = spipe__cat_at(cat, i);

        cr_assert_eq(spipe__cat_find(cat, e->name), e);
        cr_assert(i == 0 || strcmp(spipe__cat_at(cat, i - 1)->name, e->name) < 0);
        cr_assert((e->chunks != NULL) == (e->chunk_count > 0));
        draw_bytes(p, e->name, strlen(e->name) + 1);
        draw_bytes(p, e->wwid, sizeof e->wwid);
        draw_bytes(p, &e->byte_length, sizeof e->byte_length);
        draw_bytes(p, &e->generation, sizeof e->generation);
        draw_bytes(p, &e->chunk_count, sizeof e->chunk_count);
        draw_bytes(p, e->chunks, e->chunk_count * sizeof e->chunks[0]);
    }
}

static bool same(const struct picture *a, const struct picture *b)
{
    return a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
}

/* What is in memory is what the next process will see. */
static void expect_durable(void)
{
    static struct picture here, next;

    draw(&here);
    reopen();
    draw(&next);
    cr_assert(same(&here, &next));
}

/* ---- small helpers ---- */

static struct spipe__cat_entry *make(const char *name, const uint8_t *wwid, uint32_t first,
                                     uint32_t n)
{
    struct spipe__cat_entry *e;
    uint32_t *chunks = malloc((n + 1) * sizeof chunks[0]);

    for (uint32_t i = 0; i < n; i++)
        chunks[i] = first + i;
    cr_assert_eq(spipe__cat_create(cat, name, wwid, &e), 0);
    cr_assert_eq(spipe__cat_append_chunks(cat, e, chunks, n), 0);
    free(chunks);
    return e;
}

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

    begin(65536);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++) {
        cr_assert_eq(spipe__cat_check_name(bad[i]), -EINVAL, "'%s'", bad[i]);
        cr_assert_eq(spipe__cat_create(cat, bad[i], lun_a, NULL), -EINVAL);
        cr_assert_eq(spipe__cat_replace(cat, bad[i], lun_a, NULL, 0, 0, NULL, NULL), -EINVAL);
    }
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(good); i++) {
        cr_assert_eq(spipe__cat_check_name(good[i]), 0, "'%s'", good[i]);
        cr_assert_eq(spipe__cat_create(cat, good[i], lun_a, NULL), 0);
    }
    cr_assert_eq(spipe__cat_count(cat), HAL_ARRAY_LENGTH(good));
    expect_durable();
    end();
}

Test(catalogue, name_of_63_bytes)
{
    char name[65];

    begin(65536);
    memset(name, 'n', sizeof name);
    name[63] = 0;
    cr_assert_eq(spipe__cat_create(cat, name, lun_a, NULL), 0);
    expect_durable();
    cr_assert_not_null(spipe__cat_find(cat, name));
    name[63] = 'n';
    name[64] = 0;
    cr_assert_eq(spipe__cat_create(cat, name, lun_a, NULL), -EINVAL);
    cr_assert_null(spipe__cat_find(cat, name));
    end();
}

/* ---- each operation ---- */

Test(catalogue, create_find_iterate)
{
    struct spipe__cat_entry *e;

    begin(65536);
    cr_assert_eq(spipe__cat_count(cat), 0);
    cr_assert_null(spipe__cat_find(cat, "x"));
    cr_assert_eq(spipe__cat_create(cat, "mid", lun_a, &e), 0);
    cr_assert_str_eq(e->name, "mid");
    cr_assert_arr_eq(e->wwid, lun_a, sizeof lun_a);
    cr_assert(e->chunk_count == 0 && !e->chunks && e->byte_length == 0 && e->generation == 1);
    cr_assert_eq(spipe__cat_create(cat, "zed", lun_b, NULL), 0);
    cr_assert_eq(spipe__cat_create(cat, "abc", lun_a, NULL), 0);
    cr_assert_eq(spipe__cat_create(cat, "mid", lun_b, NULL), -EEXIST);
    cr_assert_eq(spipe__cat_find(cat, "mid"), e, "addresses stay");
    cr_assert_str_eq(spipe__cat_at(cat, 0)->name, "abc");
    cr_assert_str_eq(spipe__cat_at(cat, 2)->name, "zed");
    cr_assert_eq(spipe__cat_at(cat, 0)->generation, 3);
    expect_durable();
    end();
}

Test(catalogue, remove)
{
    struct freed f = {.wwid = lun_a};

    begin(65536);
    make("x", lun_a, 10, 3);
    make("y", lun_a, 20, 1);
    cr_assert_eq(spipe__cat_remove(cat, "z", on_freed, &f), -ENOENT);
    cr_assert_eq(spipe__cat_remove(cat, "x", on_freed, &f), 0);
    expect_freed(&f, (const uint32_t[]){10, 11, 12}, 3);
    cr_assert_null(spipe__cat_find(cat, "x"));
    cr_assert_eq(spipe__cat_count(cat), 1);
    expect_durable();
    cr_assert_eq(make("x2", lun_a, 10, 3)->generation, 7, "numbers go on");
    cr_assert_eq(spipe__cat_remove(cat, "x2", NULL, NULL), 0);
    expect_durable();
    end();
}

Test(catalogue, rename)
{
    struct spipe__cat_entry *x;

    begin(65536);
    x = make("x", lun_a, 0, 2);
    make("y", lun_a, 2, 2);
    cr_assert_eq(spipe__cat_rename(cat, x, "y"), -EEXIST);
    cr_assert_eq(spipe__cat_rename(cat, x, "x"), -EEXIST);
    cr_assert_eq(spipe__cat_rename(cat, x, "-"), -EINVAL);
    cr_assert_eq(spipe__cat_rename(cat, x, "zz"), 0);
    cr_assert_eq(spipe__cat_find(cat, "zz"), x);
    cr_assert_null(spipe__cat_find(cat, "x"));
    cr_assert_str_eq(spipe__cat_at(cat, 1)->name, "zz");
    cr_assert_eq(x->chunk_count, 2);
    expect_durable();
    end();
}

Test(catalogue, append_and_drop)
{
    static const uint32_t more[] = {7, 8, UINT32_MAX, 0, 3};
    struct freed f = {.wwid = lun_a};
    struct spipe__cat_entry *x;

    begin(65536);
    x = make("x", lun_a, 100, 2);
    cr_assert_eq(spipe__cat_append_chunks(cat, x, more, 5), 0);
    cr_assert_eq(x->chunk_count, 7);
    cr_assert_arr_eq(x->chunks + 2, more, sizeof more);
    cr_assert_eq(x->generation, 3);
    expect_durable();
    x = spipe__cat_find(cat, "x");
    cr_assert_eq(spipe__cat_drop_chunks(cat, x, 8, on_freed, &f), -EINVAL);
    cr_assert_eq(spipe__cat_drop_chunks(cat, x, 3, on_freed, &f), 0);
    expect_freed(&f, more + 1, 4);
    cr_assert_eq(x->chunk_count, 3);
    expect_durable();
    x = spipe__cat_find(cat, "x");
    cr_assert_eq(spipe__cat_append_chunks(cat, x, more + 1, 4), 0, "they are free again");
    cr_assert_eq(spipe__cat_drop_chunks(cat, x, 0, NULL, NULL), 0);
    cr_assert_null(x->chunks);
    expect_durable();
    end();
}

/* What changes nothing writes nothing. */
Test(catalogue, no_change_no_record)
{
    struct spipe__cat_entry *x;
    unsigned appends;

    begin(65536);
    x = make("x", lun_a, 100, 2);
    appends = counting.appends;
    cr_assert_eq(spipe__cat_append_chunks(cat, x, NULL, 0), 0);
    cr_assert_eq(spipe__cat_drop_chunks(cat, x, 2, NULL, NULL), 0);
    cr_assert_eq(counting.appends, appends);
    end();
}

Test(catalogue, byte_length)
{
    struct spipe__cat_entry *x;

    begin(65536);
    x = make("x", lun_a, 0, 1);
    cr_assert_eq(spipe__cat_set_byte_length(cat, x, UINT64_MAX), 0);
    cr_assert_eq(x->byte_length, UINT64_MAX);
    cr_assert_eq(x->generation, 3);
    expect_durable();
    end();
}

/* A chunk has one name; the same number on another LUN is another chunk. */
Test(catalogue, chunk_named_twice)
{
    struct spipe__cat_entry *x, *y;

    begin(65536);
    x = make("x", lun_a, 10, 5);
    y = make("y", lun_b, 10, 5);
    draw(&before);
    cr_assert_eq(spipe__cat_append_chunks(cat, y, (const uint32_t[]){20, 21, 14}, 3), -EBUSY);
    cr_assert_eq(spipe__cat_append_chunks(cat, x, (const uint32_t[]){20, 21, 20}, 3), -EBUSY);
    cr_assert_eq(spipe__cat_append_chunks(cat, x, x->chunks, x->chunk_count), -EBUSY);
    cr_assert_eq(spipe__cat_replace(cat, "z", lun_a, (const uint32_t[]){30, 10}, 2, 0, NULL, NULL),
                 -EBUSY);
    cr_assert_eq(spipe__cat_replace(cat, "y", lun_b, (const uint32_t[]){30, 30}, 2, 0, NULL, NULL),
                 -EBUSY);
    draw(&now);
    cr_assert(same(&before, &now));
    cr_assert_eq(spipe__cat_append_chunks(cat, x, (const uint32_t[]){20, 21, 30}, 3), 0,
                 "failures left no marks");
    cr_assert_eq(spipe__cat_append_chunks(cat, y, (const uint32_t[]){20, 21, 30}, 3), 0);
    expect_durable();
    end();
}

Test(catalogue, replace)
{
    struct freed f = {.wwid = lun_a};
    struct spipe__cat_entry *x;

    begin(65536);
    cr_assert_eq(
        spipe__cat_replace(cat, "x", lun_a, (const uint32_t[]){5, 6, 7}, 3, 999, on_freed, &f), 0);
    cr_assert_eq(f.count, 0);
    x = spipe__cat_find(cat, "x");
    cr_assert(x && x->chunk_count == 3 && x->byte_length == 999 && x->generation == 1);
    expect_durable();
    x = spipe__cat_find(cat, "x");
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_a, (const uint32_t[]){9, 6}, 2, 1, on_freed, &f),
                 0);
    expect_freed(&f, (const uint32_t[]){5, 7}, 2);
    cr_assert_eq(spipe__cat_find(cat, "x"), x, "its address stays");
    cr_assert(x->chunk_count == 2 && x->chunks[0] == 9 && x->chunks[1] == 6 && x->generation == 2);
    expect_durable();
    f.count = 0;
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_b, (const uint32_t[]){9}, 1, 2, on_freed, &f), 0);
    expect_freed(&f, (const uint32_t[]){9, 6}, 2);
    cr_assert_arr_eq(spipe__cat_find(cat, "x")->wwid, lun_b, sizeof lun_b);
    expect_durable();
    x = spipe__cat_find(cat, "x");
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_b, NULL, 0, 0, NULL, NULL), 0);
    cr_assert(x->chunk_count == 0 && !x->chunks);
    expect_durable();
    end();
}

/* A chunk may be handed out again from inside the callback: no crash can undo the change then. */
static void freed_is_durable(void *arg, const uint8_t *wwid, uint32_t chunk)
{
    static struct hal_record_log second_log;
    struct fake_area second;
    struct spipe__cat *c;

    (void)wwid;
    fake_area_init(&second, area.area.size);
    fake_area_lossy(&area, area.events, 0, second.bytes);
    cr_assert_eq(hal_record_log_init(&second_log, &second.area), 0);
    cr_assert_eq(spipe__cat_open(&fake.exec, &second_log.store, &c, NULL), 0);
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

    begin(65536);
    x = make("x", lun_a, 0, 6);
    fake_area_journal(&area);
    cr_assert_eq(spipe__cat_drop_chunks(cat, x, 5, freed_is_durable, &calls), 0);
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_a, (const uint32_t[]){3, 99}, 2, 0,
                                    freed_is_durable, &calls),
                 0);
    cr_assert_eq(spipe__cat_remove(cat, "x", freed_is_durable, &calls), 0);
    cr_assert_eq(calls, 1 + 4 + 2);
    end();
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

    begin(65536);
    make("x", lun_a, 10, 3);
    make("y", lun_b, 1000, 3);
    make("z", lun_a, 1, 2);
    cr_assert_eq(spipe__cat_for_each_chunk(cat, lun_a, on_chunk, &w), 0);
    cr_assert(w.count == 5 && w.sum == 10 + 11 + 12 + 1 + 2);
    w = (struct walk){.stop_at = 4};
    cr_assert_eq(spipe__cat_for_each_chunk(cat, lun_a, on_chunk, &w), 42);
    cr_assert_eq(w.count, 4);
    end();
}

/* ---- size ---- */

/* The limit, and that long lists are small when they are runs. */
Test(catalogue, long_lists)
{
    enum { LONG = 262144 };
    uint32_t *chunks = malloc(LONG * sizeof chunks[0]);
    size_t appended;
    struct spipe__cat_entry *x;

    begin(16 << 20);
    for (uint32_t i = 0; i < LONG; i++)
        chunks[i] = i;
    appended = counting.appended;
    cr_assert_eq(spipe__cat_replace(cat, "run", lun_a, chunks, LONG, 1, NULL, NULL), 0);
    cr_assert_lt(counting.appended - appended, 100);
    reopen();
    x = spipe__cat_find(cat, "run");
    cr_assert_eq(x->chunk_count, LONG);
    cr_assert_arr_eq(x->chunks, chunks, LONG * sizeof chunks[0]);

    for (uint32_t i = 0; i < LONG; i++)
        chunks[i] = UINT32_MAX - 2 * i;
    counting.appends = 0;
    cr_assert_eq(spipe__cat_replace(cat, "bits", lun_a, chunks, LONG, 1, NULL, NULL), 0);
    cr_assert_gt(counting.appends, 30, "a group of records");
    cr_assert_eq(spipe__cat_compact(cat), 0);
    reopen();
    x = spipe__cat_find(cat, "bits");
    cr_assert_eq(x->chunk_count, LONG);
    cr_assert_arr_eq(x->chunks, chunks, LONG * sizeof chunks[0]);
    cr_assert_eq(x->generation, 2);
    free(chunks);
    end();
}

Test(catalogue, too_many_chunks)
{
    uint32_t *chunks = malloc((SPIPE__CAT_CHUNKS_MAX + 1) * sizeof chunks[0]);
    struct spipe__cat_entry *x;

    begin(65536);
    for (uint32_t i = 0; i <= SPIPE__CAT_CHUNKS_MAX; i++)
        chunks[i] = i;
    cr_assert_eq(
        spipe__cat_replace(cat, "x", lun_a, chunks, SPIPE__CAT_CHUNKS_MAX + 1, 0, NULL, NULL),
        -EFBIG);
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_a, chunks, SPIPE__CAT_CHUNKS_MAX, 0, NULL, NULL),
                 0);
    x = spipe__cat_find(cat, "x");
    cr_assert_eq(spipe__cat_append_chunks(cat, x, chunks + SPIPE__CAT_CHUNKS_MAX, 1), -EFBIG);
    reopen();
    cr_assert_eq(spipe__cat_find(cat, "x")->chunk_count, SPIPE__CAT_CHUNKS_MAX);
    free(chunks);
    end();
}

/* The store stays in proportion to what is alive. */
Test(catalogue, history_is_dropped)
{
    struct spipe__cat_entry *x;

    begin(4 << 20);
    x = make("x", lun_a, 0, 100);
    counting.compactions = 0;
    for (uint64_t i = 0; i < 20000; i++)
        cr_assert_eq(spipe__cat_set_byte_length(cat, x, i), 0);
    cr_assert_geq(counting.compactions, 5);
    cr_assert_leq(counting.compactions, 20);
    expect_durable();
    end();
}

/* But living records are not rewritten again and again. */
Test(catalogue, growth_is_not_rewritten)
{
    struct spipe__cat_entry *x;

    begin(16 << 20);
    cr_assert_eq(spipe__cat_create(cat, "x", lun_a, &x), 0);
    counting.compactions = 0;
    for (uint32_t i = 0; i < 30000; i++)
        cr_assert_eq(spipe__cat_append_chunks(cat, x, &(uint32_t){2 * i}, 1), 0);
    cr_assert_leq(counting.compactions, 8);
    expect_durable();
    end();
}

/* Nor are they rewritten at all when hardly any of them is dead. */
Test(catalogue, living_records_stay)
{
    uint32_t chunks[1000];
    char name[16];

    begin(16 << 20);
    counting.compactions = 0;
    for (uint32_t i = 0; i < 100; i++) {
        for (uint32_t k = 0; k < 1000; k++)
            chunks[k] = 2 * (1000 * i + k);
        snprintf(name, sizeof name, "n%u", i);
        cr_assert_eq(spipe__cat_replace(cat, name, lun_a, chunks, 1000, 0, NULL, NULL), 0);
    }
    cr_assert_eq(counting.compactions, 0);
    expect_durable();
    end();
}

/* ---- the store is full ---- */

static void fill_up(void)
{
    char name[16];
    int rc = 0;

    for (uint32_t i = 0; !rc; i++) {
        snprintf(name, sizeof name, "n%u", i);
        draw(&before);
        rc = spipe__cat_replace(cat, name, lun_a, (const uint32_t[]){3 * i, 3 * i + 2}, 2, i, NULL,
                                NULL);
    }
    cr_assert_eq(rc, -ENOSPC);
    draw(&now);
    cr_assert(same(&before, &now));
}

/* Full of names: what takes away still works, without end. */
Test(catalogue, full_store)
{
    size_t count;

    begin(4096);
    fill_up();
    count = spipe__cat_count(cat);
    cr_assert_geq(count, 10);
    expect_durable();
    cr_assert_eq(spipe__cat_create(cat, "one-more", lun_b, NULL), -ENOSPC);
    for (size_t i = 0; i < count; i++) {
        struct spipe__cat_entry *e = spipe__cat_at(cat, i);
        struct freed f = {.wwid = lun_a};
        uint32_t last = e->chunks[1];

        cr_assert_eq(spipe__cat_drop_chunks(cat, e, 1, on_freed, &f), 0);
        expect_freed(&f, &last, 1);
        if (i % 5 == 0)
            expect_durable();
    }
    expect_durable();
    while (spipe__cat_count(cat)) {
        cr_assert_eq(spipe__cat_remove(cat, spipe__cat_at(cat, 0)->name, NULL, NULL), 0);
        expect_durable();
    }
    fill_up();
    cr_assert_eq(spipe__cat_count(cat), count);
    end();
}

/* Fills what is left with the shortest records that there are, so that not even a removal fits. */
static void top_up(void)
{
    struct spipe__cat_entry *e = spipe__cat_at(cat, 0);
    uint32_t chunk = 1;

    while (spipe__cat_append_chunks(cat, e, &chunk, 1) == 0)
        chunk += 3;
    cr_assert_eq(spipe__cat_append_chunks(cat, e, &chunk, 1), -ENOSPC);
    cr_assert_eq(spipe__cat_set_byte_length(cat, e, 1), -ENOSPC);
}

/* Then the snapshot itself is the removal, or the cut. */
Test(catalogue, removal_makes_room)
{
    for (int cut = 0; cut < 2; cut++) {
        begin(4096);
        fill_up();
        top_up();
        counting.compactions = 0;
        counting.appends = 0;
        if (cut)
            cr_assert_eq(spipe__cat_drop_chunks(cat, spipe__cat_at(cat, 3), 1, NULL, NULL), 0);
        else
            cr_assert_eq(spipe__cat_remove(cat, "n3", NULL, NULL), 0);
        cr_assert(counting.compactions == 1 && counting.appends == 0);
        expect_durable();
        cr_assert_eq(spipe__cat_remove(cat, "n4", NULL, NULL), 0);
        expect_durable();
        end();
    }
}

/* ---- failures ---- */

enum { OPERATIONS = 9 };

/* One operation of each kind on a catalogue that start_for_failures() made. */
static int operate(unsigned which)
{
    static const uint32_t chunks[] = {500, 501, 40000, 502};
    struct spipe__cat_entry *x = spipe__cat_find(cat, "x");

    switch (which) {
    case 0:
        return spipe__cat_create(cat, "new", lun_b, NULL);
    case 1:
        return spipe__cat_remove(cat, "x", NULL, NULL);
    case 2:
        return spipe__cat_rename(cat, x, "new");
    case 3:
        return spipe__cat_append_chunks(cat, x, chunks, 4);
    case 4:
        return spipe__cat_drop_chunks(cat, x, 1, NULL, NULL);
    case 5:
        return spipe__cat_set_byte_length(cat, x, 4711);
    case 6:
        return spipe__cat_replace(cat, "x", lun_a, chunks, 4, 4711, NULL, NULL);
    case 7:
        return spipe__cat_replace(cat, "new", lun_a, chunks, 4, 4711, NULL, NULL);
    default:
        return spipe__cat_replace(cat, "x", lun_b, chunks, 4, 4711, NULL, NULL);
    }
}

static void start_for_failures(void)
{
    begin(8192);
    make("x", lun_a, 0, 3);
    make("y", lun_a, 3, 3);
}

/* Whatever does not work leaves everything as it was, and works when tried again: in the same
 * process, or in the next. */
static void expect_unchanged_then_works(unsigned which, bool next)
{
    draw(&now);
    cr_assert(same(&before, &now), "operation %u", which);
    fake.fail_after = FAKE_EXEC_NEVER;
    area.fail_after = FAKE_AREA_NEVER;
    if (next) {
        reopen();
        draw(&now);
        cr_assert(same(&before, &now), "operation %u", which);
    }
    cr_assert_eq(operate(which), 0, "operation %u", which);
    expect_durable();
    end();
}

/* Lets the allocations of an operation fail from the nth on. Returns whether there are so many. */
static bool fail_allocation(unsigned which, int64_t n, bool next)
{
    int rc;

    start_for_failures();
    draw(&before);
    fake.fail_after = n;
    rc = operate(which);
    if (!rc) {
        end();
        return false;
    }
    cr_assert_eq(rc, -ENOMEM, "operation %u", which);
    expect_unchanged_then_works(which, next);
    return true;
}

Test(catalogue, no_memory)
{
    for (unsigned which = 0; which < OPERATIONS; which++)
        for (int next = 0; next < 2; next++)
            for (int64_t n = 0; fail_allocation(which, n, next); n++)
                ;
}

Test(catalogue, store_fails)
{
    for (unsigned which = 0; which < OPERATIONS; which++) {
        for (int64_t n = 0; n < 4; n++) {
            start_for_failures();
            draw(&before);
            area.fail_after = n % 2;
            area.fail_count = 1;
            area.fail_keep = 1000;
            cr_assert_eq(operate(which), -EIO, "operation %u", which);
            expect_unchanged_then_works(which, n / 2);
        }
    }
}

/* The same for a change of several records. */
Test(catalogue, store_fails_in_a_group)
{
    enum { MANY = 15000, STEPS = 6 };
    static uint32_t chunks[MANY];

    for (uint32_t i = 0; i < MANY; i++)
        chunks[i] = 1000 + 3 * i;
    for (int64_t n = 0; n <= STEPS; n++) {
        int rc;

        begin(1 << 20);
        make("x", lun_a, 1, 3);
        draw(&before);
        area.fail_after = n;
        area.fail_count = 1;
        rc = spipe__cat_replace(cat, "x", lun_a, chunks, MANY, 5, NULL, NULL);
        cr_assert_eq(rc, n < STEPS ? -EIO : 0, "%" PRId64, n);
        draw(&now);
        cr_assert_eq(same(&before, &now), rc != 0);
        expect_durable();
        cr_assert_eq(spipe__cat_replace(cat, "x", lun_a, chunks, MANY, 5, NULL, NULL), 0);
        expect_durable();
        end();
    }
}

Test(catalogue, no_memory_to_open)
{
    static uint32_t chunks[20000];

    begin(1 << 20);
    for (uint32_t i = 0; i < 20000; i++)
        chunks[i] = 2 * i;
    make("x", lun_a, 1, 1);
    cr_assert_eq(spipe__cat_replace(cat, "y", lun_a, chunks, 20000, 0, NULL, NULL), 0);
    draw(&before);
    close_catalogue();
    for (int64_t n = 0;; n++) {
        int rc;

        fake.fail_after = n;
        rc = open_catalogue();
        if (!rc)
            break;
        cr_assert_eq(rc, -ENOMEM);
        cr_assert_eq(fake.blocks, 0);
        cr_assert_not_null(strstr(error.text, "memory"));
    }
    draw(&now);
    cr_assert(same(&before, &now));
    end();
}

Test(catalogue, store_that_cannot_be_loaded)
{
    begin(8192);
    make("x", lun_a, 1, 1);
    close_catalogue();
    area.fail_reads = true;
    cr_assert_eq(open_catalogue(), -EIO);
    cr_assert_not_null(strstr(error.text, "cannot be read"), "%s", error.text);
    area.fail_reads = false;
    area.area.size = 4096;
    cr_assert_eq(open_catalogue(), -EINVAL);
    cr_assert_not_null(strstr(error.text, "size"), "%s", error.text);
    area.area.size = 8192;
    area.bytes[540] ^= 1; /* in the first of two records */
    cr_assert_eq(open_catalogue(), -EILSEQ);
    cr_assert_not_null(strstr(error.text, "damaged"), "%s", error.text);
    cr_assert_null(cat);
    end();
}

/* ---- crashes ---- */

/* Opens what a crash left; it must be `before` or `after`, and take another change. */
static void expect_before_or_after(struct fake_area *j, size_t event, size_t keep)
{
    fake_area_torn(j, event, keep, area.bytes);
    cr_assert_eq(open_catalogue(), 0, "event %zu byte %zu: %s", event, keep, error.text);
    draw(&now);
    cr_assert(same(&before, &now) || same(&after, &now), "event %zu byte %zu", event, keep);
    cr_assert_eq(spipe__cat_replace(cat, "probe", lun_b, &(uint32_t){77}, 1, 0, NULL, NULL), 0);
    expect_durable();
    close_catalogue();
}

/* At every `stride`th byte of what the journal of `area` holds, and at every one near the ends of
 * each write. */
static void crash_everywhere(size_t stride)
{
    struct fake_area j = area;

    close_catalogue();
    fake_area_init(&area, j.area.size);
    for (size_t e = 0; e <= j.events; e++) {
        size_t n = e < j.events ? fake_area_event_bytes(&j, e) : 0;

        for (size_t keep = 0; keep == 0 || keep < n; keep++)
            if (keep % stride == 0 || keep < 64 || n - keep < 64)
                expect_before_or_after(&j, e, keep);
    }
    fake_area_fini(&area);
    area = j;
    cr_assert_eq(open_catalogue(), 0);
}

Test(catalogue, crash_at_every_byte)
{
    for (unsigned which = 0; which < OPERATIONS; which++) {
        start_for_failures();
        draw(&before);
        fake_area_journal(&area);
        cr_assert_eq(operate(which), 0);
        draw(&after);
        crash_everywhere(1);
        end();
    }
}

/* A replacement that takes several records is old or new all the same. */
Test(catalogue, crash_in_a_group)
{
    enum { MANY = 15000 };
    static uint32_t chunks[MANY];

    begin(1 << 20);
    make("x", lun_a, 1, 3);
    for (uint32_t i = 0; i < MANY; i++)
        chunks[i] = 1000 + 3 * i;
    draw(&before);
    fake_area_journal(&area);
    counting.appends = 0;
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_a, chunks, MANY, 5, NULL, NULL), 0);
    cr_assert_eq(counting.appends, 3);
    draw(&after);
    crash_everywhere(8192);
    end();
}

/* A full store in the middle of a change: compaction, then the change again, crash anywhere. */
Test(catalogue, crash_while_full)
{
    static const uint32_t chunks[] = {100, 102, 104, 106};

    for (int removal = 0; removal < 2; removal++) {
        begin(4096);
        make("x", lun_a, 0, 3);
        counting.compactions = 0;
        for (uint64_t i = 0; counting.compactions == 0; i++) {
            draw(&before);
            fake_area_journal(&area);
            if (removal && area.area.size / 2 - log_.live.tail < 48)
                cr_assert_eq(spipe__cat_remove(cat, "x", NULL, NULL), 0);
            else
                cr_assert_eq(spipe__cat_replace(cat, "x", lun_a, chunks + i % 2, 3, i, NULL, NULL),
                             0);
            cr_assert_lt(i, 1000);
        }
        draw(&after);
        crash_everywhere(1);
        end();
    }
}

/* ---- records that make no sense ---- */

/* Builds one record. */
struct bytes {
    size_t n;
    uint8_t b[256];
};

static struct bytes header(unsigned kind, uint64_t number)
{
    struct bytes r = {.n = 12};

    r.b[0] = 1;
    r.b[1] = (uint8_t)kind;
    hal_be64_put(r.b + 4, number);
    return r;
}

static void put(struct bytes *r, uint8_t byte) { r->b[r->n++] = byte; }

static void put_name(struct bytes *r, uint8_t op, const char *name)
{
    put(r, op);
    put(r, (uint8_t)strlen(name));
    memcpy(r->b + r->n, name, strlen(name));
    r->n += strlen(name);
}

static void put_create(struct bytes *r, const char *name, const uint8_t *wwid)
{
    put_name(r, 1, name);
    memcpy(r->b + r->n, wwid, 16);
    r->n += 16;
}

static void put_32(struct bytes *r, uint32_t v)
{
    hal_be32_put(r->b + r->n, v);
    r->n += 4;
}

static void put_add(struct bytes *r, uint32_t first, uint32_t count)
{
    put(r, 5);
    put_32(r, first);
    put_32(r, count);
}

static void put_number(struct bytes *r, uint8_t op, uint64_t v)
{
    put(r, op);
    hal_be64_put(r->b + r->n, v);
    r->n += 8;
}

static void store(const struct bytes *r)
{
    cr_assert_eq(hal_record_append(&log_.store, r->b, r->n), 0);
}

/* Appends the record to a catalogue with the names x (chunks 0..2) and y, four changes old, and
 * expects that it is refused with this text. */
static void refused(const struct bytes *r, int want, const char *text)
{
    begin(8192);
    make("x", lun_a, 0, 3);
    make("y", lun_a, 3, 3);
    store(r);
    close_catalogue();
    cr_assert_eq(open_catalogue(), want, "%s", text);
    cr_assert_not_null(strstr(error.text, "record 5: "), "%s", error.text);
    cr_assert_not_null(strstr(error.text, text), "'%s' in '%s'", text, error.text);
    cr_assert_null(cat);
    cr_assert_eq(spipe__cat_open(&fake.exec, &counting.store, &cat, NULL), want);
    end();
}

Test(catalogue, records_of_another_kind)
{
    struct bytes r = header(1, 5);

    r.b[0] = 2;
    refused(&r, -ENOTSUP, "newer version");
    r.n = 1;
    refused(&r, -ENOTSUP, "newer version");
    r.b[0] = 0;
    refused(&r, -EILSEQ, "unknown kind");
    r.b[0] = 1;
    refused(&r, -EILSEQ, "unknown kind");
    r = header(0, 5);
    refused(&r, -EILSEQ, "unknown kind");
    r = header(5, 5);
    refused(&r, -EILSEQ, "unknown kind");
}

Test(catalogue, records_out_of_order)
{
    struct bytes r = header(1, 4);

    refused(&r, -EILSEQ, "change 4 follows change 4");
    r = header(1, 6);
    refused(&r, -EILSEQ, "change 6 follows change 4");
    r = header(4, 4);
    refused(&r, -EILSEQ, "snapshot out of place");
    r = header(3, 5);
    refused(&r, -EILSEQ, "part 0 out of place");
    r.b[3] = 1;
    refused(&r, -EILSEQ, "part 1 out of place");
    r = header(1, 5);
    r.b[3] = 1;
    refused(&r, -EILSEQ, "part 1 out of place");
}

Test(catalogue, malformed_steps)
{
    struct bytes r = header(1, 5);

    put(&r, 0);
    refused(&r, -EILSEQ, "malformed step at byte 12");
    r.b[12] = 9;
    refused(&r, -EILSEQ, "malformed step");
    r = header(1, 5);
    put_create(&r, "new", lun_a);
    for (size_t n = r.n - 1; n > 12; n--) {
        r.n = n;
        refused(&r, -EILSEQ, "malformed step at byte 12");
    }
    r = header(1, 5);
    put_create(&r, "-new", lun_a);
    refused(&r, -EILSEQ, "malformed step");
    r = header(1, 5);
    put_create(&r, "ne\n", lun_a);
    refused(&r, -EILSEQ, "malformed step");
    r.b[16] = 0;
    refused(&r, -EILSEQ, "malformed step");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_add(&r, 7, 0);
    refused(&r, -EILSEQ, "malformed step at byte 15");
    r.n -= 9;
    put_add(&r, UINT32_MAX, 2);
    refused(&r, -EILSEQ, "malformed step");
}

Test(catalogue, contradictions)
{
    struct bytes r = header(1, 5);

    put_create(&r, "x", lun_b);
    refused(&r, -EILSEQ, "\"x\" is created twice");
    r = header(1, 5);
    put_name(&r, 2, "z");
    refused(&r, -EILSEQ, "\"z\" does not exist");
    r = header(1, 5);
    put(&r, 3);
    refused(&r, -EILSEQ, "without a name");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put(&r, 3);
    put_add(&r, 9, 1);
    refused(&r, -EILSEQ, "without a name");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_name(&r, 4, "y");
    refused(&r, -EILSEQ, "\"y\" exists already");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_add(&r, 9, 1);
    put_add(&r, 4, 1);
    refused(&r, -EILSEQ, "chunk 4 is named twice, by \"y\" and \"x\"");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_add(&r, 2, 1);
    refused(&r, -EILSEQ, "chunk 2 is named twice, by \"x\" and \"x\"");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_add(&r, 6, SPIPE__CAT_CHUNKS_MAX);
    refused(&r, -EILSEQ, "too many chunks");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put(&r, 6);
    put_32(&r, 4);
    refused(&r, -EILSEQ, "beyond its end");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_number(&r, 8, 1);
    refused(&r, -EILSEQ, "generation out of place");
}

/* Snapshots have rules of their own. */
Test(catalogue, snapshots_that_make_no_sense)
{
    struct bytes r = header(4, 7), s;

    put_create(&r, "x", lun_a);
    put_number(&r, 8, 8);
    begin(8192);
    store(&r);
    close_catalogue();
    cr_assert_eq(open_catalogue(), -EILSEQ);
    cr_assert_not_null(strstr(error.text, "record 1: generation"), "%s", error.text);
    end();

    r = header(4, 7);
    s = header(4, 8);
    begin(8192);
    store(&r);
    store(&s);
    close_catalogue();
    cr_assert_eq(open_catalogue(), -EILSEQ);
    cr_assert_not_null(strstr(error.text, "record 2: snapshot"), "%s", error.text);
    end();
}

/* A change that was never finished is ignored, whatever its steps say, and its number is used by
 * the next. */
Test(catalogue, unfinished_group)
{
    struct bytes r = header(2, 5), s = header(2, 5);

    begin(8192);
    make("x", lun_a, 0, 3);
    make("y", lun_a, 3, 3);
    draw(&before);
    put_name(&r, 2, "nobody");
    store(&r);
    s.b[3] = 1;
    store(&s);
    reopen();
    draw(&now);
    cr_assert(same(&before, &now));
    cr_assert_eq(spipe__cat_create(cat, "z", lun_a, NULL), 0);
    expect_durable();
    cr_assert_eq(spipe__cat_find(cat, "z")->generation, 5);
    r = header(2, 6);
    put_name(&r, 2, "z");
    store(&r);
    store(&r); /* begun again: the first one does not count */
    s = header(3, 6);
    s.b[3] = 1;
    put_add(&s, 50, 2);
    store(&s);
    reopen();
    cr_assert_eq(spipe__cat_find(cat, "z")->chunk_count, 2, "the selection lasts");
    end();
}

/* The records are the same on every host. */
Test(catalogue, bytes_are_pinned)
{
    static const uint8_t wanted[] = {
        1, 1, 0,   0,    0, 0, 0,    0, 0, 0, 0, 3,                         /* change 3 */
        2, 1, 'x',                                                          /* select x */
        3,                                                                  /* remove */
        1, 1, 'x', 0x60, 5, 7, 0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbb, /* create x */
        5, 0, 1,   2,    3, 0, 0,    0, 2, /* add 0x10203, 0x10204 */
        5, 0, 0,   0,    9, 0, 0,    0, 1, /* add 9 */
        7, 1, 2,   3,    4, 5, 6,    7, 8, /* length */
    };
    size_t at;

    begin(8192);
    make("x", lun_a, 0, 3);
    at = (size_t)log_.live.tail;
    cr_assert_eq(spipe__cat_replace(cat, "x", lun_b, (const uint32_t[]){0x10203, 0x10204, 9}, 3,
                                    UINT64_C(0x0102030405060708), NULL, NULL),
                 0);
    cr_assert_eq(hal_be32_at(area.bytes + at + 4), sizeof wanted);
    cr_assert_arr_eq(area.bytes + at + HAL_RECORD_LOG_RECORD_HEADER, wanted, sizeof wanted);
    end();
}

/* Random records with a good header: refused or not, but never a crash, a leak, or a chunk with
 * two names. */
Test(catalogue, garbage_records)
{
    struct hal_prng p;

    hal_prng_seed(&p, seed_of_run(), 1);
    for (int i = 0; i < 20000; i++) {
        struct bytes r = header(1 + (unsigned)hal_prng_below(&p, 4), hal_prng_below(&p, 4));

        begin(4096);
        while (r.n < 200 && hal_prng_below(&p, 8)) {
            uint8_t op = (uint8_t)(1 + hal_prng_below(&p, 8));
            char name[2] = {(char)('a' + hal_prng_below(&p, 2)), 0};

            put(&r, op);
            if (op == 1 || op == 2 || op == 4) {
                r.n--;
                put_name(&r, op, name);
            }
            for (unsigned n = op == 1 ? 16 : op == 5 || op > 6 ? 8 : op == 6 ? 4 : 0; n; n--)
                put(&r, n % 4 == 1 ? (uint8_t)hal_prng_below(&p, 4) : 0);
        }
        if (hal_prng_below(&p, 4) == 0)
            r.b[hal_prng_below(&p, r.n)] = (uint8_t)hal_prng_next(&p);
        store(&r);
        close_catalogue();
        if (open_catalogue() == 0)
            expect_durable();
        end();
    }
}

/* ---- the model ---- */

enum { MODEL_NAMES = 12, MODEL_CHUNKS = 300, MODEL_OPERATIONS = 100000 };

/* One name in the model; `used` says whether it exists. */
struct model_name {
    bool used;
    unsigned lun;
    uint64_t byte_length, generation;
    uint32_t count, chunk[MODEL_CHUNKS];
};

struct model {
    struct model_name name[MODEL_NAMES];
    int owner[2][MODEL_CHUNKS]; /* name + 1, or 0 */
    uint64_t number;
};

static struct model model;

static const uint8_t *lun_of(unsigned lun) { return lun ? lun_b : lun_a; }

static const char *name_of(unsigned i)
{
    static const char *const names[MODEL_NAMES] = {"a", "b", "A", "B",  "a.b", "a-b",
                                                   "0", "_", ".", "zz", "zzz", "z"};
    return names[i];
}

static void model_check_name(unsigned i)
{
    const struct model_name *m = &model.name[i];
    const struct spipe__cat_entry *e = spipe__cat_find(cat, name_of(i));

    cr_assert_eq(e != NULL, m->used, "%s", name_of(i));
    if (!e)
        return;
    cr_assert_arr_eq(e->wwid, lun_of(m->lun), SPIPE__CAT_WWID_LENGTH);
    cr_assert_eq(e->byte_length, m->byte_length);
    cr_assert_eq(e->generation, m->generation);
    cr_assert_eq(e->chunk_count, m->count);
    for (uint32_t k = 0; k < m->count; k++)
        cr_assert_eq(e->chunks[k], m->chunk[k]);
}

static void model_check(void)
{
    size_t count = 0;

    for (unsigned i = 0; i < MODEL_NAMES; i++) {
        model_check_name(i);
        count += model.name[i].used;
    }
    cr_assert_eq(spipe__cat_count(cat), count);
}

/* Makes a name what it is to be, and its chunks its own. */
static void model_set(unsigned i, const struct model_name *m)
{
    struct model_name *to = &model.name[i];

    for (uint32_t k = 0; k < to->count; k++)
        model.owner[to->lun][to->chunk[k]] = 0;
    *to = *m;
    for (uint32_t k = 0; k < to->count; k++)
        model.owner[to->lun][to->chunk[k]] = (int)i + 1;
    to->generation = ++model.number;
}

/* Draws up to `max` chunks, behind the `count` in `m`, that nobody but name i has; sometimes one
 * that somebody has, and then returns false. */
static bool model_draw(struct hal_prng *p, struct model_name *m, unsigned i, uint32_t max)
{
    uint32_t c = (uint32_t)hal_prng_below(p, MODEL_CHUNKS);
    bool seen[MODEL_CHUNKS] = {false}, valid = true;

    for (uint32_t k = 0; k < m->count; k++)
        seen[m->chunk[k]] = true;
    for (uint32_t n = 0; n < max && m->count < MODEL_CHUNKS; n++) {
        int owner = model.owner[m->lun][c];

        if ((seen[c] || (owner && owner != (int)i + 1)) && hal_prng_below(p, 100) == 0)
            valid = false;
        else if (seen[c] || (owner && owner != (int)i + 1))
            goto next;
        seen[c] = true;
        m->chunk[m->count++] = c;
    next:
        c = hal_prng_below(p, 4) ? (c + 1) % MODEL_CHUNKS
                                 : (uint32_t)hal_prng_below(p, MODEL_CHUNKS);
    }
    return valid;
}

static unsigned model_freed;

static void model_on_freed(void *arg, const uint8_t *wwid, uint32_t chunk)
{
    const struct model_name *old = arg;

    cr_assert_arr_eq(wwid, lun_of(old->lun), SPIPE__CAT_WWID_LENGTH);
    cr_assert_eq(model.owner[old->lun][chunk], (int)(old - model.name) + 1);
    model_freed++;
}

static void model_create(struct hal_prng *p, unsigned i)
{
    struct model_name m = {.used = true, .lun = (unsigned)hal_prng_below(p, 2)};
    int rc = spipe__cat_create(cat, name_of(i), lun_of(m.lun), NULL);

    cr_assert_eq(rc, model.name[i].used ? -EEXIST : 0);
    if (!rc)
        model_set(i, &m);
}

static void model_remove(unsigned i)
{
    int rc;

    model_freed = 0;
    rc = spipe__cat_remove(cat, name_of(i), model_on_freed, &model.name[i]);
    cr_assert_eq(rc, model.name[i].used ? 0 : -ENOENT);
    if (rc)
        return;
    cr_assert_eq(model_freed, model.name[i].count);
    model_set(i, &(struct model_name){0});
}

static void model_rename(struct hal_prng *p, unsigned i, struct spipe__cat_entry *e)
{
    unsigned to = (unsigned)hal_prng_below(p, MODEL_NAMES);
    struct model_name m = model.name[i];
    int rc = spipe__cat_rename(cat, e, name_of(to));

    cr_assert_eq(rc, model.name[to].used ? -EEXIST : 0);
    if (rc)
        return;
    model_set(i, &(struct model_name){0});
    model.number--;
    model_set(to, &m);
}

static void model_append(struct hal_prng *p, unsigned i, struct spipe__cat_entry *e)
{
    struct model_name m = model.name[i];
    uint32_t had = m.count;
    bool valid;
    int rc;

    /* here the chunks that it has already may not be drawn again */
    valid = model_draw(p, &m, i, 1 + (uint32_t)hal_prng_below(p, 20));
    if (m.count == had)
        return;
    rc = spipe__cat_append_chunks(cat, e, m.chunk + had, m.count - had);
    cr_assert_eq(rc, valid ? 0 : -EBUSY);
    if (!rc)
        model_set(i, &m);
}

static void model_drop(struct hal_prng *p, unsigned i, struct spipe__cat_entry *e)
{
    struct model_name m = model.name[i];
    uint32_t had = m.count;

    m.count = (uint32_t)hal_prng_below(p, had + 1);
    model_freed = 0;
    cr_assert_eq(spipe__cat_drop_chunks(cat, e, m.count, model_on_freed, &model.name[i]), 0);
    cr_assert_eq(model_freed, had - m.count);
    if (m.count != had)
        model_set(i, &m);
}

static void model_length(struct hal_prng *p, unsigned i, struct spipe__cat_entry *e)
{
    struct model_name m = model.name[i];

    m.byte_length = hal_prng_next(p);
    cr_assert_eq(spipe__cat_set_byte_length(cat, e, m.byte_length), 0);
    model_set(i, &m);
}

static void model_replace(struct hal_prng *p, unsigned i)
{
    struct model_name m = {.used = true, .lun = (unsigned)hal_prng_below(p, 2)};
    bool valid = model_draw(p, &m, i, (uint32_t)hal_prng_below(p, 40));
    int rc;

    if (model.name[i].lun != m.lun)
        for (uint32_t k = 0; k < m.count; k++)
            valid = valid && model.owner[m.lun][m.chunk[k]] != (int)i + 1;
    m.byte_length = hal_prng_next(p);
    rc = spipe__cat_replace(cat, name_of(i), lun_of(m.lun), m.chunk, m.count, m.byte_length,
                            model_on_freed, &model.name[i]);
    cr_assert_eq(rc, valid ? 0 : -EBUSY);
    if (!rc)
        model_set(i, &m);
}

static void model_step(struct hal_prng *p)
{
    unsigned i = (unsigned)hal_prng_below(p, MODEL_NAMES);
    unsigned what = (unsigned)hal_prng_below(p, 16);
    struct spipe__cat_entry *e = spipe__cat_find(cat, name_of(i));

    if (what < 2)
        model_create(p, i);
    else if (what < 4)
        model_replace(p, i);
    else if (what < 5)
        model_remove(i);
    else if (!e)
        return;
    else if (what < 6)
        model_rename(p, i, e);
    else if (what < 11)
        model_append(p, i, e);
    else if (what < 13)
        model_drop(p, i, e);
    else
        model_length(p, i, e);
    model_check_name(i);
}

Test(catalogue, model)
{
    struct hal_prng p;

    hal_prng_seed(&p, seed_of_run(), 2);
    begin(32768); /* small, so that it is full, and compacted, all the time */
    counting.compactions = 0;
    for (unsigned n = 0; n < MODEL_OPERATIONS; n++) {
        model_step(&p);
        if (hal_prng_below(&p, 200) == 0) {
            model_check();
            reopen();
            model_check();
        }
        if (hal_prng_below(&p, 5000) == 0)
            cr_assert_eq(spipe__cat_compact(cat), 0);
    }
    cr_assert_gt(counting.compactions, 100);
    end();
}
