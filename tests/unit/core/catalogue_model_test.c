/* SPDX-License-Identifier: Apache-2.0 */
/* 10^5 random operations on a catalogue, in step with a model that is nothing but arrays.
 *
 * The test prints its seed; SPIPE_TEST_SEED=<number> in the environment runs another. */
#include "core/catalogue/catalogue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/prng.h"
#include "tests/testlib/catalogue_fixture.h"
#include "tests/testlib/test_seed.h"

TestSuite(catalogue_model, .timeout = 60);

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
    const struct spipe__cat_entry *e = spipe__cat_find(fx.cat, name_of(i));

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
    cr_assert_eq(spipe__cat_count(fx.cat), count);
}

/* Makes a name what it is to be. */
static void model_set(unsigned i, const struct model_name *m)
{
    struct model_name *to = &model.name[i];

    *to = *m;
    to->generation = ++model.number;
}

/* Draws up to `max` chunks, behind the `count` in `m`; sometimes one that is there already, and
 * then returns false. Names share chunks as it comes. */
static bool model_draw(struct hal_prng *p, struct model_name *m, uint32_t max)
{
    uint32_t c = (uint32_t)hal_prng_below(p, MODEL_CHUNKS);
    bool seen[MODEL_CHUNKS] = {false}, valid = true;

    for (uint32_t k = 0; k < m->count; k++)
        seen[m->chunk[k]] = true;
    for (uint32_t n = 0; n < max && m->count < MODEL_CHUNKS; n++) {
        if (seen[c] && hal_prng_below(p, 100) == 0)
            valid = false;
        else if (seen[c])
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
    for (uint32_t k = 0; k < old->count; k++)
        if (old->chunk[k] == chunk) {
            model_freed++;
            return;
        }
    cr_assert_fail("chunk %u was not of this name", (unsigned)chunk);
}

static void model_create(struct hal_prng *p, unsigned i)
{
    struct model_name m = {.used = true, .lun = (unsigned)hal_prng_below(p, 2)};
    int rc = spipe__cat_create(fx.cat, name_of(i), lun_of(m.lun), NULL);

    cr_assert_eq(rc, model.name[i].used ? -EEXIST : 0);
    if (!rc)
        model_set(i, &m);
}

static void model_remove(unsigned i)
{
    int rc;

    model_freed = 0;
    rc = spipe__cat_remove(fx.cat, name_of(i), model_on_freed, &model.name[i]);
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
    int rc = spipe__cat_rename(fx.cat, e, name_of(to));

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
    valid = model_draw(p, &m, 1 + (uint32_t)hal_prng_below(p, 20));
    if (m.count == had)
        return;
    rc = spipe__cat_append_chunks(fx.cat, e, m.chunk + had, m.count - had);
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
    cr_assert_eq(spipe__cat_drop_chunks(fx.cat, e, m.count, model_on_freed, &model.name[i]), 0);
    cr_assert_eq(model_freed, had - m.count);
    if (m.count != had)
        model_set(i, &m);
}

static void model_length(struct hal_prng *p, unsigned i, struct spipe__cat_entry *e)
{
    struct model_name m = model.name[i];

    m.byte_length = hal_prng_next(p);
    cr_assert_eq(spipe__cat_set_byte_length(fx.cat, e, m.byte_length), 0);
    model_set(i, &m);
}

static void model_replace(struct hal_prng *p, unsigned i)
{
    struct model_name m = {.used = true, .lun = (unsigned)hal_prng_below(p, 2)};
    bool valid = model_draw(p, &m, (uint32_t)hal_prng_below(p, 40));
    int rc;

    m.byte_length = hal_prng_next(p);
    rc = spipe__cat_replace(fx.cat, name_of(i), lun_of(m.lun), m.chunk, m.count, m.byte_length,
                            model_on_freed, &model.name[i]);
    cr_assert_eq(rc, valid ? 0 : -EBUSY);
    if (!rc)
        model_set(i, &m);
}

static void model_step(struct hal_prng *p)
{
    unsigned i = (unsigned)hal_prng_below(p, MODEL_NAMES);
    unsigned what = (unsigned)hal_prng_below(p, 16);
    struct spipe__cat_entry *e = spipe__cat_find(fx.cat, name_of(i));

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

Test(catalogue_model, model)
{
    struct hal_prng p;

    hal_prng_seed(&p, test_seed(20240611), 2);
    cat_begin(32768); /* small, so that it is full, and compacted, all the time */
    fx.store.compactions = 0;
    for (unsigned n = 0; n < MODEL_OPERATIONS; n++) {
        model_step(&p);
        if (hal_prng_below(&p, 200) == 0) {
            model_check();
            cat_reopen();
            model_check();
        }
        if (hal_prng_below(&p, 5000) == 0)
            cr_assert_eq(spipe__cat_compact(fx.cat), 0);
    }
    cr_assert_gt(fx.store.compactions, 100);
    cat_end();
}
