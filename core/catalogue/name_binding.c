/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/name_binding.h"

#include <errno.h>
#include <string.h>

#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* ---- who is bound to what ---- */

void spipe__name_bind(struct spipe *s, struct spipe__resource *v, const char *name)
{
    size_t size = strlen(name) + 1;

    CHECK(size <= sizeof v->name);
    spipe__books_lock(s);
    memcpy(v->name, name, size);
    spipe__books_unlock(s);
}

void spipe__name_unbind(struct spipe *s, struct spipe__resource *v)
{
    spipe__books_lock(s);
    v->name[0] = 0;
    spipe__books_unlock(s);
}

static void unbind_on(const struct spipe__lun *lun, const char *name)
{
    for (struct spipe__resource *v = lun->open; v; v = v->next)
        if (strcmp(v->name, name) == 0)
            v->name[0] = 0;
}

void spipe__name_unbind_all(struct spipe *s, const char *name)
{
    spipe__books_lock(s);
    for (const struct spipe__global_lun *g = s->group->luns; g; g = g->next)
        for (const struct spipe__lun *lun = g->locals; lun; lun = lun->sibling)
            unbind_on(lun, name);
    spipe__books_unlock(s);
}

/* The catalogue entry that `v` is bound to, or NULL. With `names` held. */
static struct spipe__cat_entry *name_of(struct spipe *s, const struct spipe__resource *v)
{
    char name[sizeof v->name];

    spipe__books_lock(s);
    memcpy(name, v->name, sizeof name);
    spipe__books_unlock(s);
    return name[0] ? spipe__cat_find(s->group->catalogue, name) : NULL;
}

/* ---- chunks ---- */

static uint64_t chunk_at(struct spipe *s, const struct spipe__resource *v, uint32_t i)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);

    return spipe__lxt_chunk(&home, &v->lxt.entry[i]);
}

int spipe__name_chunks_of(struct spipe *s, const struct spipe__resource *v, uint32_t first,
                          uint32_t **out)
{
    uint32_t n = v->size - first;
    uint32_t *chunks;

    *out = NULL;
    if (n == 0)
        return 0;
    chunks = exec_alloc(s->exec, n * sizeof *chunks, sizeof *chunks);
    if (!chunks)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t chunk = chunk_at(s, v, first + i);

        if (chunk > UINT32_MAX) {
            exec_free(s->exec, chunks, n * sizeof *chunks);
            return -EFBIG;
        }
        chunks[i] = (uint32_t)chunk;
    }
    *out = chunks;
    return 0;
}

void spipe__name_drop_reference(void *arg, const uint8_t *wwid, uint32_t chunk)
{
    struct spipe *s = arg;
    struct spipe__global_lun *lun;

    spipe__books_lock(s);
    lun = spipe__group_find(s, wwid);
    if (lun && lun->ba) {
        CHECK(lun->named > 0);
        lun->named--;
        spipe__lun_free_chunk(lun, chunk);
    }
    spipe__books_unlock(s);
}

/* ---- before ---- */

/* Whether handle and name have the same chunks as far as both go. */
static bool same_beginning(struct spipe *s, const struct spipe__resource *v,
                           const struct spipe__cat_entry *entry, uint64_t count)
{
    count = hal_min64(count, hal_min64(v->size, entry->chunk_count));
    for (uint32_t i = 0; i < count; i++)
        if (chunk_at(s, v, i) != entry->chunks[i])
            return false;
    return true;
}

/* One record: the first `count` chunks, and no longer length than they can hold. */
static int record_cut(struct spipe *s, const struct spipe__lun *lun, struct spipe__cat_entry *entry,
                      uint32_t count)
{
    uint64_t bytes = (uint64_t)count * SPIPE_CHUNK_BLOCKS * lun->global->block_size;

    if (entry->byte_length > bytes)
        return spipe__cat_replace(s->group->catalogue, entry->name, entry->wwid, entry->chunks,
                                  count, bytes, spipe__name_drop_reference, s);
    return spipe__cat_drop_chunks(s->group->catalogue, entry, count, spipe__name_drop_reference, s);
}

static int before(struct spipe *s, struct spipe__resource *v, struct spipe__cat_entry *entry,
                  uint64_t wanted)
{
    if (!same_beginning(s, v, entry, wanted))
        return -ESTALE;
    if (wanted < entry->chunk_count && wanted <= v->size)
        return spipe__event_of_catalogue(s, record_cut(s, v->held.lun, entry, (uint32_t)wanted));
    /* The name has chunks that this handle would have to get, and does not know. */
    return entry->chunk_count > v->size ? -ESTALE : 0;
}

int spipe__name_before_resize(struct spipe *s, struct spipe__resource *v, uint64_t wanted,
                              struct spipe__name_change *change)
{
    struct spipe__cat_entry *entry;
    int rc = 0;

    exec_mutex_lock(s->exec, &s->group->names);
    entry = name_of(s, v);
    if (entry)
        rc = before(s, v, entry, wanted);
    *change = (struct spipe__name_change){.bound = entry != NULL, .size = v->size};
    if (entry)
        change->generation = entry->generation;
    exec_mutex_unlock(s->exec, &s->group->names);
    return rc;
}

/* ---- after ---- */

/* Whoever calls has a handle of the LUN open, which keeps its mode, whatever `named` says. */
static void count_named(struct spipe *s, struct spipe__global_lun *lun, uint64_t more,
                        uint64_t fewer)
{
    spipe__books_lock(s);
    lun->named += more;
    lun->named -= fewer;
    spipe__books_unlock(s);
}

void spipe__name_take_back(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                           uint32_t n)
{
    spipe__lun_free_chunks(s, lun, chunks, n);
    count_named(s, lun, 0, n);
}

int spipe__name_add_references(struct spipe *s, struct spipe__global_lun *lun,
                               const uint32_t *chunks, uint32_t n)
{
    int rc = spipe__lun_share_chunks(s, lun, chunks, n);

    if (!rc)
        count_named(s, lun, n, 0);
    return rc;
}

static int record_growth(struct spipe *s, const struct spipe__resource *v,
                         struct spipe__cat_entry *entry)
{
    uint32_t first = entry->chunk_count, n = v->size - first;
    struct spipe__global_lun *lun = v->held.lun->global;
    uint32_t *chunks;
    int rc = spipe__name_chunks_of(s, v, first, &chunks);

    if (rc)
        return rc;
    rc = spipe__name_add_references(s, lun, chunks, n);
    if (rc)
        goto free_chunks;
    rc = spipe__cat_append_chunks(s->group->catalogue, entry, chunks, n);
    if (spipe__event_of_catalogue(s, rc))
        spipe__name_take_back(s, lun, chunks, n);
free_chunks:
    exec_free(s->exec, chunks, n * sizeof *chunks);
    return rc;
}

/* With `names` held. *back is the size that the handle has to go back to after a failure. */
static int after(struct spipe *s, const struct spipe__resource *v,
                 const struct spipe__name_change *change, uint32_t *back)
{
    struct spipe__cat_entry *entry = name_of(s, v);

    *back = (uint32_t)hal_min64(change->size, v->size);
    if (!entry || entry->generation != change->generation)
        return -ESTALE;
    if (v->size <= entry->chunk_count)
        return 0;
    *back = entry->chunk_count;
    return record_growth(s, v, entry);
}

int spipe__name_after_resize(struct spipe_ctx *ctx, struct spipe__resource *v,
                             const struct spipe__name_change *change)
{
    struct spipe *s = ctx->s;
    uint32_t back;
    int rc, shrunk;

    if (!change->bound)
        return 0;
    exec_mutex_lock(s->exec, &s->group->names);
    rc = after(s, v, change, &back);
    exec_mutex_unlock(s->exec, &s->group->names);
    if (!rc || back == v->size)
        return rc;
    shrunk = spipe__vlun_shrink(ctx, v, back);
    (void)shrunk; /* what could not be synced is quarantined */
    return rc;
}
