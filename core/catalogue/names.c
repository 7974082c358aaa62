/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/names.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"
#include "core/catalogue/name_binding.h"
#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"

/* ---- looking ---- */

static struct spipe__cat_entry *find(struct spipe *s, const char *name)
{
    return s->group->catalogue ? spipe__cat_find(s->group->catalogue, name) : NULL;
}

/* The LUN of the adapter that a name lives on, or NULL; and the size of its blocks, which is the
 * usual one if no adapter of the group reaches it. */
static struct spipe__lun *lun_of(struct spipe *s, const struct spipe__cat_entry *entry,
                                 uint32_t *block_size)
{
    const struct spipe__global_lun *global;
    struct spipe__lun *lun;

    spipe__books_lock(s);
    lun = spipe__lun_find(s, entry->wwid);
    global = spipe__group_find(s, entry->wwid);
    *block_size = global ? global->block_size : SPIPE_API_BLOCK;
    spipe__books_unlock(s);
    return lun;
}

void spipe__name_describe(struct spipe *s, const struct spipe__cat_entry *entry,
                          struct spipe_name_info *out)
{
    uint32_t block_size;

    (void)lun_of(s, entry, &block_size);
    memset(out, 0, sizeof *out);
    memcpy(out->name, entry->name, sizeof out->name);
    memcpy(out->wwid, entry->wwid, sizeof out->wwid);
    out->blocks = spipe__vlun_blocks(entry->chunk_count, block_size);
    out->byte_length = entry->byte_length;
}

int spipe_name_stat(struct spipe *s, const char *name, struct spipe_name_info *out, unsigned *lun)
{
    struct spipe__cat_entry *entry;
    struct spipe__lun *on = NULL;
    uint32_t block_size;

    exec_mutex_lock(s->exec, &s->group->names);
    entry = find(s, name);
    if (entry)
        on = lun_of(s, entry, &block_size);
    if (on) {
        spipe__name_describe(s, entry, out);
        *lun = (unsigned)(on - s->lun);
    }
    exec_mutex_unlock(s->exec, &s->group->names);
    return on ? 0 : -ENOENT;
}

int spipe_name_at(struct spipe *s, unsigned index, struct spipe_name_info *out)
{
    int rc = -ENOENT;

    exec_mutex_lock(s->exec, &s->group->names);
    if (s->group->catalogue && index < spipe__cat_count(s->group->catalogue)) {
        spipe__name_describe(s, spipe__cat_at(s->group->catalogue, index), out);
        rc = 0;
    }
    exec_mutex_unlock(s->exec, &s->group->names);
    return rc;
}

/* ---- open ---- */

/* The lineage of a handle that has the first chunk of a name. As resizes cut and add at the end
 * only, it has the chunk from the name or gave it to the name: whoever opens the name derives from
 * it, as by CLONE (INV-5). Without one, that of the handle. */
static void derive(struct spipe *s, struct spipe__resource *v, uint64_t chunk)
{
    const struct spipe__resource *r = NULL;

    spipe__books_lock(s);
    for (struct spipe__lun *l = v->held.lun->global->locals; l && !r; l = l->sibling)
        for (r = l->open; r && (r == v || r->first_chunk != chunk); r = r->next)
            continue;
    if (r)
        v->lineage = r->lineage;
    v->first_chunk = chunk; /* for whoever opens the name next */
    spipe__books_unlock(s);
}

/* What a name means when it is opened: its chunks, with a reference of each for whoever opens it.
 */
struct opened {
    uint32_t *chunks;
    uint32_t count;
};

static int copy_chunks(struct spipe *s, const struct spipe__cat_entry *entry, struct opened *out)
{
    *out = (struct opened){.count = entry->chunk_count};
    if (out->count == 0)
        return 0;
    out->chunks = exec_alloc(s->exec, out->count * sizeof *out->chunks, sizeof *out->chunks);
    if (!out->chunks)
        return -ENOMEM;
    memcpy(out->chunks, entry->chunks, out->count * sizeof *out->chunks);
    return 0;
}

static void forget_chunks(struct spipe *s, const struct opened *o)
{
    exec_free(s->exec, o->chunks, o->count * sizeof *o->chunks);
}

/* With `names` held: binds an empty handle to the name, as it is now. */
static int take_meaning(struct spipe *s, struct spipe__resource *v,
                        const struct spipe__cat_entry *entry, struct opened *o)
{
    int rc = copy_chunks(s, entry, o);

    if (rc)
        return rc;
    rc = spipe__lun_share_chunks(s, v->held.lun->global, o->chunks, o->count);
    if (rc) {
        forget_chunks(s, o);
        return rc;
    }
    if (o->count)
        derive(s, v, o->chunks[0]);
    spipe__name_bind(s, v, entry->name);
    return 0;
}

/* Shows what was taken to the AFU. */
static int adopt(struct spipe_ctx *ctx, struct spipe__resource *v, const struct opened *o)
{
    int rc = spipe__vlun_adopt(ctx, v, o->chunks, o->count);

    if (rc && v->size == 0)
        spipe__lun_free_chunks(ctx->s, v->held.lun->global, o->chunks, o->count);
    forget_chunks(ctx->s, o);
    return rc;
}

static int open_on(struct spipe_ctx *ctx, struct spipe__lun *lun,
                   const struct spipe__cat_entry *entry, struct spipe__resource **v,
                   struct opened *o)
{
    int rc;

    if (!spipe__ctx_has_lun(ctx, (unsigned)(lun - ctx->s->lun)) || ctx->errored)
        return -EINVAL;
    rc = spipe__vlun_open(ctx, lun, ctx->s->wipe_always, v);
    if (rc)
        return rc;
    rc = take_meaning(ctx->s, *v, entry, o);
    if (rc)
        spipe__vlun_close_forced(ctx, *v);
    return rc;
}

/* What must not change meanwhile: the name is looked up, and its chunks get one more owner each. */
static int open_named(struct spipe_ctx *ctx, const char *name, struct spipe__resource **v,
                      struct opened *o)
{
    struct spipe *s = ctx->s;
    struct spipe__cat_entry *entry;
    struct spipe__lun *lun = NULL;
    uint32_t block_size;
    int rc;

    exec_mutex_lock(s->exec, &s->group->names);
    entry = find(s, name);
    if (entry)
        lun = lun_of(s, entry, &block_size);
    rc = lun ? open_on(ctx, lun, entry, v, o) : -ENOENT;
    exec_mutex_unlock(s->exec, &s->group->names);
    return rc;
}

static int name_open(struct spipe_ctx *ctx, const char *name, uint32_t *handle, uint64_t *last_lba)
{
    struct spipe__resource *v;
    struct opened o;
    int rc = open_named(ctx, name, &v, &o);

    if (rc)
        return rc == -EBUSY ? -EINVAL : rc;
    rc = adopt(ctx, v, &o);
    if (rc) {
        spipe__vlun_close_forced(ctx, v); /* VL-47 */
        return rc;
    }
    *handle = v->held.handle;
    *last_lba = spipe__vlun_last_lba(v->size, v->held.lun->global->block_size);
    return 0;
}

int spipe_name_open(struct spipe_ctx *ctx, const char *name, uint32_t *handle, uint64_t *last_lba)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_NAME_OPEN, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    return spipe__verb_end_on(ctx, SPIPE__VERB_NAME_OPEN, name_open(ctx, name, handle, last_lba));
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

/* A LUN has lost names. */
static void settle(struct spipe *s, const uint8_t *wwid)
{
    struct spipe__global_lun *lun;

    spipe__books_lock(s);
    lun = spipe__group_find(s, wwid);
    if (lun)
        spipe__lun_settle(s, lun);
    spipe__books_unlock(s);
}

/* The new meaning is durable and has references of its own: the old one loses all that it had, even
 * of chunks that it shares with the new one. */
static void drop_meaning(struct spipe *s, const struct meaning *old)
{
    for (uint32_t i = 0; i < old->count; i++)
        spipe__name_drop_reference(s, old->wwid, old->chunks[i]);
    if (old->count)
        settle(s, old->wwid);
}

static bool same_meaning(const struct meaning *old, const struct spipe__resource *v,
                         const uint32_t *chunks)
{
    return old->count == v->size &&
           memcmp(old->wwid, v->held.lun->global->wwid, sizeof old->wwid) == 0 &&
           (v->size == 0 || memcmp(old->chunks, chunks, v->size * sizeof *chunks) == 0);
}

/* Moves `name` to the chunks of v. */
static int move_name(struct spipe *s, struct spipe__resource *v, const char *name,
                     uint64_t byte_length, const uint32_t *chunks)
{
    struct spipe__global_lun *lun = v->held.lun->global;
    struct meaning old;
    int rc = remember(s, name, &old);

    if (rc)
        return rc;
    rc = spipe__name_add_references(s, lun, chunks, v->size);
    if (rc)
        goto forget;
    rc = spipe__cat_replace(s->group->catalogue, name, lun->wwid, chunks, v->size, byte_length,
                            NULL, NULL);
    if (spipe__event_of_catalogue(s, rc)) {
        spipe__name_take_back(s, lun, chunks, v->size);
        goto forget;
    }
    drop_meaning(s, &old);
    if (!same_meaning(&old, v, chunks))
        spipe__name_unbind_all(s, name); /* handles of the old meaning have it for themselves now */
    spipe__name_bind(s, v, name);
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

    if (!v || ctx->errored || spipe__cat_check_name(name))
        return -EINVAL;
    if (byte_length > (uint64_t)v->size * SPIPE_CHUNK_BLOCKS * v->held.lun->global->block_size)
        return -EINVAL;
    if (!s->group->catalogue)
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
    struct spipe *s = ctx->s;
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_NAME_SET, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    exec_mutex_lock(s->exec, &s->group->names);
    rc = name_set(ctx, handle, name, byte_length);
    exec_mutex_unlock(s->exec, &s->group->names);
    return spipe__verb_end_on(ctx, SPIPE__VERB_NAME_SET, rc);
}

/* ---- remove ---- */

static int name_remove(struct spipe *s, const char *name)
{
    struct spipe__cat_entry *entry = find(s, name);
    uint8_t wwid[SPIPE__CAT_WWID_LENGTH];
    int rc;

    if (!entry)
        return -ENOENT;
    memcpy(wwid, entry->wwid, sizeof wwid);
    rc = spipe__cat_remove(s->group->catalogue, name, spipe__name_drop_reference, s);
    if (spipe__event_of_catalogue(s, rc))
        return rc;
    spipe__name_unbind_all(s, name);
    settle(s, wwid);
    return 0;
}

int spipe_name_remove(struct spipe *s, const char *name)
{
    int rc = spipe__verb_begin(s, SPIPE__VERB_NAME_REMOVE, SPIPE__ADMIT_CLEANUP);

    if (rc)
        return rc;
    exec_mutex_lock(s->exec, &s->group->names);
    rc = name_remove(s, name);
    exec_mutex_unlock(s->exec, &s->group->names);
    return spipe__verb_end(s, SPIPE__VERB_NAME_REMOVE, rc);
}
