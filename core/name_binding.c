/* SPDX-License-Identifier: Apache-2.0 */
#include "core/name_binding.h"

#include <errno.h>
#include <string.h>

#include "core/lun_mode.h"
#include "core/lun_size.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* ---- who is bound to what ---- */

struct spipe__cat_entry *spipe__name_of(struct spipe *s, const struct spipe__resource *v)
{
    return v->name[0] ? spipe__cat_find(s->catalogue, v->name) : NULL;
}

void spipe__name_bind(struct spipe__resource *v, const char *name)
{
    size_t size = strlen(name) + 1;

    CHECK(size <= sizeof v->name);
    memcpy(v->name, name, size);
}

static void unbind_in(struct spipe_ctx *ctx, const char *name)
{
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++) {
        struct spipe__resource *v = ctx->resource[i];

        if (v && strcmp(v->name, name) == 0)
            v->name[0] = 0;
    }
}

void spipe__name_unbind_all(struct spipe *s, const char *name)
{
    for (unsigned i = 0; i < SPIPE__CONTEXTS; i++)
        if (s->contexts[i])
            unbind_in(s->contexts[i], name);
}

/* ---- chunks ---- */

static uint64_t chunk_at(struct spipe *s, const struct spipe__resource *v, uint32_t i)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);

    return spipe__lxt_chunk(&home, &v->lxt.entry[i]);
}

uint64_t spipe__name_first_chunk(struct spipe *s, const struct spipe__resource *v)
{
    return chunk_at(s, v, 0);
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
    struct spipe__lun *lun = spipe__lun_find(s, wwid);

    if (lun && lun->ba)
        spipe__lun_free_chunk(lun, chunk);
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
    uint64_t bytes = (uint64_t)count * SPIPE_CHUNK_BLOCKS * lun->block_size;

    if (entry->byte_length > bytes)
        return spipe__cat_replace(s->catalogue, entry->name, entry->wwid, entry->chunks, count,
                                  bytes, spipe__name_drop_reference, s);
    return spipe__cat_drop_chunks(s->catalogue, entry, count, spipe__name_drop_reference, s);
}

int spipe__name_before_resize(struct spipe *s, struct spipe__resource *v, uint64_t wanted)
{
    struct spipe__cat_entry *entry = spipe__name_of(s, v);

    if (!entry)
        return 0;
    if (!same_beginning(s, v, entry, wanted))
        return -ESTALE;
    if (wanted < entry->chunk_count && wanted <= v->size)
        return record_cut(s, v->held.lun, entry, (uint32_t)wanted);
    /* The name has chunks that this handle would have to get, and does not know. */
    return entry->chunk_count > v->size ? -ESTALE : 0;
}

/* ---- after ---- */

void spipe__name_take_back(struct spipe__lun *lun, const uint32_t *chunks, uint32_t n)
{
    while (n-- > 0)
        spipe__lun_free_chunk(lun, chunks[n]);
}

int spipe__name_add_references(struct spipe__lun *lun, const uint32_t *chunks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (spipe__ba_add_reference(lun->ba, chunks[i])) {
            spipe__name_take_back(lun, chunks, i);
            return -EIO;
        }
    }
    return 0;
}

static int record_growth(struct spipe *s, const struct spipe__resource *v,
                         struct spipe__cat_entry *entry)
{
    uint32_t first = entry->chunk_count, n = v->size - first;
    struct spipe__lun *lun = v->held.lun;
    uint32_t *chunks;
    int rc = spipe__name_chunks_of(s, v, first, &chunks);

    if (rc)
        return rc;
    rc = spipe__name_add_references(lun, chunks, n);
    if (rc)
        goto free_chunks;
    rc = spipe__cat_append_chunks(s->catalogue, entry, chunks, n);
    if (rc)
        spipe__name_take_back(lun, chunks, n);
free_chunks:
    exec_free(s->exec, chunks, n * sizeof *chunks);
    return rc;
}

int spipe__name_after_resize(struct spipe_ctx *ctx, struct spipe__resource *v)
{
    struct spipe__cat_entry *entry = spipe__name_of(ctx->s, v);
    int rc, shrunk;

    if (!entry || v->size <= entry->chunk_count)
        return 0;
    rc = record_growth(ctx->s, v, entry);
    if (!rc)
        return 0;
    shrunk = spipe__vlun_shrink(ctx, v, entry->chunk_count);
    (void)shrunk; /* what could not be synced is quarantined */
    return rc;
}
