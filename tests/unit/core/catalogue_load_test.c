/* SPDX-License-Identifier: Apache-2.0 */
/* What the catalogue says to records: their bytes are pinned; those that make no sense, or
 * contradict what came before, are refused with a text that names the record; those of an
 * unfinished change do not count.
 *
 * The random test prints its seed; SPIPE_TEST_SEED=<number> in the environment runs another. */
#include "core/catalogue/catalogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/endian.h"
#include "hal/support/prng.h"
#include "tests/testlib/catalogue_fixture.h"
#include "tests/testlib/test_seed.h"

TestSuite(catalogue_load, .timeout = 60);

static struct cat_picture before, now;

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
    cr_assert_eq(hal_record_append(&fx.log.store, r->b, r->n), 0);
}

/* Appends the record to a catalogue with the names x (chunks 0..2) and y, four changes old, and
 * expects that it is refused with this text. */
static void refused(const struct bytes *r, int want, const char *text)
{
    cat_begin(8192);
    cat_make("x", lun_a, 0, 3);
    cat_make("y", lun_a, 3, 3);
    store(r);
    cat_close();
    cr_assert_eq(cat_open(), want, "%s", text);
    cr_assert_not_null(strstr(fx.error.text, "record 5: "), "%s", fx.error.text);
    cr_assert_not_null(strstr(fx.error.text, text), "'%s' in '%s'", text, fx.error.text);
    cr_assert_null(fx.cat);
    cr_assert_eq(spipe__cat_open(&fx.exec.exec, &fx.store.store, &fx.cat, NULL), want);
    cat_end();
}

Test(catalogue_load, records_of_another_kind)
{
    struct bytes r = header(1, 5);

    r.b[0] = 3;
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

Test(catalogue_load, records_out_of_order)
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

Test(catalogue_load, malformed_steps)
{
    struct bytes r = header(1, 5);

    put(&r, 0);
    refused(&r, -EILSEQ, "malformed step at byte 12");
    r.b[12] = 11;
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

Test(catalogue_load, contradictions)
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
    put_add(&r, 9, 1);
    refused(&r, -EILSEQ, "chunk 9 is twice in \"x\"");
    r = header(1, 5);
    put_name(&r, 2, "x");
    put_add(&r, 2, 1);
    refused(&r, -EILSEQ, "chunk 2 is twice in \"x\"");
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
Test(catalogue_load, snapshots_that_make_no_sense)
{
    struct bytes r = header(4, 7), s;

    put_create(&r, "x", lun_a);
    put_number(&r, 8, 8);
    cat_begin(8192);
    store(&r);
    cat_close();
    cr_assert_eq(cat_open(), -EILSEQ);
    cr_assert_not_null(strstr(fx.error.text, "record 1: generation"), "%s", fx.error.text);
    cat_end();

    r = header(4, 7);
    s = header(4, 8);
    cat_begin(8192);
    store(&r);
    store(&s);
    cat_close();
    cr_assert_eq(cat_open(), -EILSEQ);
    cr_assert_not_null(strstr(fx.error.text, "record 2: snapshot"), "%s", fx.error.text);
    cat_end();
}

/* A change that was never finished is ignored, whatever its steps say, and its number is used by
 * the next. */
Test(catalogue_load, unfinished_group)
{
    struct bytes r = header(2, 5), s = header(2, 5);

    cat_begin(8192);
    cat_make("x", lun_a, 0, 3);
    cat_make("y", lun_a, 3, 3);
    cat_draw(&before);
    put_name(&r, 2, "nobody");
    store(&r);
    s.b[3] = 1;
    store(&s);
    cat_reopen();
    cat_draw(&now);
    cr_assert(cat_same(&before, &now));
    cr_assert_eq(spipe__cat_create(fx.cat, "z", lun_a, NULL), 0);
    cat_expect_durable();
    cr_assert_eq(spipe__cat_find(fx.cat, "z")->generation, 5);
    r = header(2, 6);
    put_name(&r, 2, "z");
    store(&r);
    store(&r); /* begun again: the first one does not count */
    s = header(3, 6);
    s.b[3] = 1;
    put_add(&s, 50, 2);
    store(&s);
    cat_reopen();
    cr_assert_eq(spipe__cat_find(fx.cat, "z")->chunk_count, 2, "the selection lasts");
    cat_end();
}

/* The records are the same on every host. */
Test(catalogue_load, bytes_are_pinned)
{
    static const uint8_t wanted[] = {
        2, 1, 0,   0,    0, 0, 0,    0, 0, 0, 0, 3,                         /* change 3 */
        2, 1, 'x',                                                          /* select x */
        3,                                                                  /* remove */
        1, 1, 'x', 0x60, 5, 7, 0x63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbb, /* create x */
        5, 0, 1,   2,    3, 0, 0,    0, 2, /* add 0x10203, 0x10204 */
        5, 0, 0,   0,    9, 0, 0,    0, 1, /* add 9 */
        7, 1, 2,   3,    4, 5, 6,    7, 8, /* length */
    };
    size_t at;

    cat_begin(8192);
    cat_make("x", lun_a, 0, 3);
    at = (size_t)fx.log.live.tail;
    cr_assert_eq(spipe__cat_replace(fx.cat, "x", lun_b, (const uint32_t[]){0x10203, 0x10204, 9}, 3,
                                    UINT64_C(0x0102030405060708), NULL, NULL),
                 0);
    cr_assert_eq(hal_be32_at(fx.area.bytes + at + 4), sizeof wanted);
    cr_assert_arr_eq(fx.area.bytes + at + HAL_RECORD_LOG_RECORD_HEADER, wanted, sizeof wanted);
    cat_end();
}

/* Random records with a good header: refused or not, but never a crash, a leak, or a chunk with
 * two names. */
Test(catalogue_load, garbage_records)
{
    struct hal_prng p;

    hal_prng_seed(&p, test_seed(20240611), 1);
    for (int i = 0; i < 20000; i++) {
        struct bytes r = header(1 + (unsigned)hal_prng_below(&p, 4), hal_prng_below(&p, 4));

        cat_begin(4096);
        while (r.n < 200 && hal_prng_below(&p, 8)) {
            uint8_t op = (uint8_t)(1 + hal_prng_below(&p, 10));
            char name[2] = {(char)('a' + hal_prng_below(&p, 2)), 0};

            put(&r, op);
            if (op == 1 || op == 2 || op == 4) {
                r.n--;
                put_name(&r, op, name);
            }
            for (unsigned n = op == 1             ? 16
                              : op > 8            ? 24
                              : op == 5 || op > 6 ? 8
                              : op == 6           ? 4
                                                  : 0;
                 n; n--)
                put(&r, n % 4 == 1 ? (uint8_t)hal_prng_below(&p, 4) : 0);
        }
        if (hal_prng_below(&p, 4) == 0)
            r.b[hal_prng_below(&p, r.n)] = (uint8_t)hal_prng_next(&p);
        store(&r);
        cat_close();
        if (cat_open() == 0)
            cat_expect_durable();
        cat_end();
    }
}
