/* SPDX-License-Identifier: Apache-2.0 */
#include "core/names.h"

#include <errno.h>
#include <string.h>

#include "core/lun_mode.h"
#include "core/name_binding.h"
#include "core/verb.h"

/* ---- looking ---- */

static struct spipe__cat_entry *find(struct spipe *s, const char *name)
{
    return s->catalogue ? spipe__cat_find(s->catalogue, name) : NULL;
}

void spipe__name_describe(struct spipe *s, const struct spipe__cat_entry *entry,
                          struct spipe_name_info *out)
{
    const struct spipe__lun *lun = spipe__lun_find(s, entry->wwid);

    memset(out, 0, sizeof *out);
    memcpy(out->name, entry->name, sizeof out->name);
    memcpy(out->wwid, entry->wwid, sizeof out->wwid);
    out->blocks = spipe__vlun_blocks(entry->chunk_count, lun ? lun->block_size : SPIPE_API_BLOCK);
    out->byte_length = entry->byte_length;
}

int spipe_name_stat(struct spipe *s, const char *name, struct spipe_name_info *out, unsigned *lun)
{
    struct spipe__cat_entry *entry;
    struct spipe__lun *on = NULL;

    exec_mutex_lock(s->exec, &s->control);
    entry = find(s, name);
    if (entry)
        on = spipe__lun_find(s, entry->wwid);
    if (on) {
        spipe__name_describe(s, entry, out);
        *lun = (unsigned)(on - s->lun);
    }
    exec_mutex_unlock(s->exec, &s->control);
    return on ? 0 : -ENOENT;
}

int spipe_name_at(struct spipe *s, unsigned index, struct spipe_name_info *out)
{
    int rc = -ENOENT;

    exec_mutex_lock(s->exec, &s->control);
    if (s->catalogue && index < spipe__cat_count(s->catalogue)) {
        spipe__name_describe(s, spipe__cat_at(s->catalogue, index), out);
        rc = 0;
    }
    exec_mutex_unlock(s->exec, &s->control);
    return rc;
}

/* ---- open ---- */

/* The lineage of a handle that has the first chunk of a name. As resizes cut and add at the end
 * only, it has the chunk from the name or gave it to the name: whoever opens the name derives from
 * it, as by CLONE (INV-5). Without one, `own`. */
static uint64_t lineage_of(struct spipe *s, const struct spipe__lun *lun, uint64_t chunk,
                           uint64_t own)
{
    for (unsigned i = 0; i < SPIPE__CONTEXTS; i++)
        for (unsigned h = 0; s->contexts[i] && h < SPIPE__RHT_SIZE; h++) {
            const struct spipe__resource *r = s->contexts[i]->resource[h];

            if (r && r->held.lun == lun && r->size && spipe__name_first_chunk(s, r) == chunk)
                return r->lineage;
        }
    return own;
}

static int name_open(struct spipe_ctx *ctx, const char *name, uint32_t *handle, uint64_t *last_lba)
{
    struct spipe *s = ctx->s;
    struct spipe__cat_entry *entry = find(s, name);
    struct spipe__lun *lun = entry ? spipe__lun_find(s, entry->wwid) : NULL;
    struct spipe__resource *v;
    int rc;

    if (!lun)
        return -ENOENT;
    if (!spipe__ctx_has_lun(ctx, (unsigned)(lun - s->lun)))
        return -EINVAL;
    rc = spipe__vlun_open(ctx, lun, &v);
    if (rc)
        return rc;
    if (entry->chunk_count)
        v->lineage = lineage_of(s, lun, entry->chunks[0], v->lineage);
    rc = spipe__vlun_share(ctx, v, entry->chunks, entry->chunk_count);
    if (rc) {
        spipe__vlun_close_forced(ctx, v); /* VL-47 */
        return rc;
    }
    spipe__name_bind(v, name);
    *handle = v->held.handle;
    *last_lba = spipe__vlun_last_lba(v->size, lun->block_size);
    return 0;
}

int spipe_name_open(struct spipe_ctx *ctx, const char *name, uint32_t *handle, uint64_t *last_lba)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_NAME_OPEN, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_NAME_OPEN, name_open(ctx, name, handle, last_lba));
}

/* ---- set ---- */

/* What a name means before it is given another meaning. */
struct meaning {
    uint8_t wwid[SPIPE__CAT_WWID_LENGTH];
    uint32_t *chunks;
    uint32_t count;
};

static int remember(struct spipe *s, const char *name, struct meaning *old)
{
    const struct spipe__cat_entry *entry = find(s, name);

    *old = (struct meaning){.count = entry ? entry->chunk_count : 0};
    if (entry)
        memcpy(old->wwid, entry->wwid, sizeof old->wwid);
    if (old->count == 0)
        return 0;
    old->chunks = exec_alloc(s->exec, old->count * sizeof *old->chunks, sizeof *old->chunks);
    if (!old->chunks)
        return -ENOMEM;
    memcpy(old->chunks, entry->chunks, old->count * sizeof *old->chunks);
    return 0;
}

/* The new meaning is durable and has references of its own: the old one loses all that it had, even
 * of chunks that it shares with the new one. */
static void drop_meaning(struct spipe *s, const struct meaning *old)
{
    struct spipe__lun *lun = spipe__lun_find(s, old->wwid);

    for (uint32_t i = 0; i < old->count; i++)
        spipe__name_drop_reference(s, old->wwid, old->chunks[i]);
    if (old->count && lun)
        spipe__lun_settle(s, lun);
}

static bool same_meaning(const struct meaning *old, const struct spipe__resource *v,
                         const uint32_t *chunks)
{
    return old->count == v->size && memcmp(old->wwid, v->held.lun->wwid, sizeof old->wwid) == 0 &&
           (v->size == 0 || memcmp(old->chunks, chunks, v->size * sizeof *chunks) == 0);
}

/* Moves `name` to the chunks of v. */
static int move_name(struct spipe *s, struct spipe__resource *v, const char *name,
                     uint64_t byte_length, const uint32_t *chunks)
{
    struct spipe__lun *lun = v->held.lun;
    struct meaning old;
    int rc = remember(s, name, &old);

    if (rc)
        return rc;
    rc = spipe__name_add_references(lun, chunks, v->size);
    if (rc)
        goto forget;
    rc =
        spipe__cat_replace(s->catalogue, name, lun->wwid, chunks, v->size, byte_length, NULL, NULL);
    if (rc) {
        spipe__name_take_back(lun, chunks, v->size);
        goto forget;
    }
    drop_meaning(s, &old);
    if (!same_meaning(&old, v, chunks))
        spipe__name_unbind_all(s, name); /* handles of the old meaning have it for themselves now */
    spipe__name_bind(v, name);
forget:
    exec_free(s->exec, old.chunks, old.count * sizeof *old.chunks);
    return rc;
}

static int name_set(struct spipe_ctx *ctx, uint32_t handle, const char *name, uint64_t byte_length)
{
    struct spipe *s = ctx->s;
    struct spipe__resource *v = spipe__ctx_vlun(ctx, handle);
    uint32_t *chunks;
    int rc;

    if (!v || spipe__cat_check_name(name))
        return -EINVAL;
    if (byte_length > (uint64_t)v->size * SPIPE_CHUNK_BLOCKS * v->held.lun->block_size)
        return -EINVAL;
    if (!s->catalogue)
        return -ENOENT;
    rc = spipe__name_chunks_of(s, v, 0, &chunks);
    if (rc)
        return rc;
    rc = move_name(s, v, name, byte_length, chunks);
    exec_free(s->exec, chunks, v->size * sizeof *chunks);
    return rc;
}

int spipe_name_set(struct spipe_ctx *ctx, uint32_t handle, const char *name, uint64_t byte_length)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_NAME_SET, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_NAME_SET, name_set(ctx, handle, name, byte_length));
}

/* ---- remove ---- */

static int name_remove(struct spipe *s, const char *name)
{
    struct spipe__cat_entry *entry = find(s, name);
    struct spipe__lun *lun;
    int rc;

    if (!entry)
        return -ENOENT;
    lun = spipe__lun_find(s, entry->wwid);
    rc = spipe__cat_remove(s->catalogue, name, spipe__name_drop_reference, s);
    if (rc)
        return rc;
    spipe__name_unbind_all(s, name);
    if (lun)
        spipe__lun_settle(s, lun);
    return 0;
}

int spipe_name_remove(struct spipe *s, const char *name)
{
    spipe__verb_begin(s, SPIPE__VERB_NAME_REMOVE, SPIPE__NO_CONTEXT);
    return spipe__verb_end(s, SPIPE__VERB_NAME_REMOVE, name_remove(s, name));
}
