/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/catalogue_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct cat_fixture fx;

const uint8_t lun_a[SPIPE__CAT_WWID_LENGTH] = {0x60, 0x05, 0x07, 0x63, [15] = 0xaa};
const uint8_t lun_b[SPIPE__CAT_WWID_LENGTH] = {0x60, 0x05, 0x07, 0x63, [15] = 0xbb};

/* ---- the store ---- */

static int store_load(struct hal_record_store *s, hal_record_fn each, void *arg)
{
    (void)s;
    return hal_record_load(&fx.log.store, each, arg);
}

static int store_append(struct hal_record_store *s, const void *record, size_t length)
{
    int rc = hal_record_append(&fx.log.store, record, length);

    (void)s;
    if (!rc) {
        fx.store.appends++;
        fx.store.appended += length;
    }
    return rc;
}

static int store_compact(struct hal_record_store *s, hal_record_list_fn list, void *arg)
{
    (void)s;
    fx.store.compactions++;
    return hal_record_compact(&fx.log.store, list, arg);
}

static const struct hal_record_store_ops store_ops = {
    .load = store_load,
    .append = store_append,
    .compact = store_compact,
};

int cat_open(void)
{
    cr_assert_eq(hal_record_log_init(&fx.log, &fx.area.area), 0);
    fx.store.store.ops = &store_ops;
    fx.cat = NULL;
    return spipe__cat_open(&fx.exec.exec, &fx.store.store, &fx.cat, &fx.error);
}

void cat_begin(uint64_t size)
{
    fake_exec_init(&fx.exec, 1);
    fake_area_init(&fx.area, size);
    cr_assert_eq(cat_open(), 0, "%s", fx.error.text);
}

void cat_close(void)
{
    spipe__cat_close(fx.cat);
    fx.cat = NULL;
    cr_assert_eq(fx.exec.blocks, 0);
    cr_assert_eq(fx.exec.bytes, 0);
}

void cat_reopen(void)
{
    cat_close();
    cr_assert_eq(cat_open(), 0, "%s", fx.error.text);
}

void cat_end(void)
{
    cat_close();
    fake_area_fini(&fx.area);
}

/* ---- pictures ---- */

static void draw_bytes(struct cat_picture *p, const void *bytes, size_t n)
{
    cr_assert(n <= CAT_PICTURE_BYTES - p->used);
    if (n)
        memcpy(p->bytes + p->used, bytes, n);
    p->used += n;
}

void cat_draw(struct cat_picture *p)
{
    p->used = 0;
    for (size_t i = 0; i < spipe__cat_count(fx.cat); i++) {
        const struct spipe__cat_entry *e = spipe__cat_at(fx.cat, i);

        cr_assert_eq(spipe__cat_find(fx.cat, e->name), e);
        cr_assert(i == 0 || strcmp(spipe__cat_at(fx.cat, i - 1)->name, e->name) < 0);
        cr_assert((e->chunks != NULL) == (e->chunk_count > 0));
        draw_bytes(p, e->name, strlen(e->name) + 1);
        draw_bytes(p, e->wwid, sizeof e->wwid);
        draw_bytes(p, &e->byte_length, sizeof e->byte_length);
        draw_bytes(p, &e->generation, sizeof e->generation);
        draw_bytes(p, &e->chunk_count, sizeof e->chunk_count);
        draw_bytes(p, e->chunks, e->chunk_count * sizeof e->chunks[0]);
    }
}

bool cat_same(const struct cat_picture *a, const struct cat_picture *b)
{
    return a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
}

/* What is in memory is what the next process will see. */
void cat_expect_durable(void)
{
    static struct cat_picture here, next;

    cat_draw(&here);
    cat_reopen();
    cat_draw(&next);
    cr_assert(cat_same(&here, &next));
}

struct spipe__cat_entry *cat_make(const char *name, const uint8_t *wwid, uint32_t first, uint32_t n)
{
    struct spipe__cat_entry *e;
    uint32_t *chunks = malloc((n + 1) * sizeof chunks[0]);

    for (uint32_t i = 0; i < n; i++)
        chunks[i] = first + i;
    cr_assert_eq(spipe__cat_create(fx.cat, name, wwid, &e), 0);
    cr_assert_eq(spipe__cat_append_chunks(fx.cat, e, chunks, n), 0);
    free(chunks);
    return e;
}
