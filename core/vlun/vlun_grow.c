/* SPDX-License-Identifier: Apache-2.0 */
/* Growing: entries before pointer, pointer before count, count before sync (VL-19). */
#include <errno.h>

#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
#include "core/lun/wipe.h"
#include "core/vlun/vlun.h"
#include "hal/afu_cmd.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* The entries that get chunks: those of an array, for a handle. */
struct filling {
    struct spipe *s;
    struct spipe__resource *v;
    struct spipe__lxt_home home;
    struct spipe__lxt *lxt;
    const uint32_t *chunks;  /* fill_given: one for each entry */
    const uint64_t *entries; /* fill_cloned: of an array of that home */
};

/* Gives entries from `at` on, at most `n`, some chunks, for as long as the books may be held.
 * Returns how many; 0 if there is no chunk for the first. */
typedef uint32_t fill_some(const struct filling *f, uint32_t at, uint32_t n);

static void store(const struct filling *f, uint32_t at, const uint64_t *chunk, uint32_t n)
{
    const struct spipe__lun *lun = f->v->held.lun;

    for (uint32_t i = 0; i < n; i++)
        spipe__lxt_store(&f->home, f->lxt, at + i, chunk[i], lun->table_index, lun->port_mask);
}

static unsigned take_free(const struct filling *f, uint32_t n, struct spipe__ba_part *part)
{
    struct spipe__global_lun *lun = f->v->held.lun->global;
    unsigned parts;

    spipe__books_lock_behind(f->s);
    parts = spipe__ba_allocate_parts(lun->ba, n, part, SPIPE__STEPS_AT_ONCE);
    for (unsigned i = 0; f->v->wipe && i < parts; i++)
        spipe__wipe_mark(lun, &part[i]);
    spipe__books_unlock(f->s);
    return parts;
}

static uint32_t fill_free(const struct filling *f, uint32_t at, uint32_t n)
{
    struct spipe__ba_part part[SPIPE__STEPS_AT_ONCE];
    uint64_t chunk[SPIPE__BA_PART_MAX];
    unsigned parts = take_free(f, n, part);
    uint32_t got = 0;

    for (unsigned i = 0; i < parts; i++) {
        unsigned some = spipe__ba_list(&part[i], chunk);

        store(f, at + got, chunk, some);
        got += some;
    }
    return got;
}

/* Chunks that were taken for the handle before. */
static uint32_t fill_given(const struct filling *f, uint32_t at, uint32_t n)
{
    struct spipe__global_lun *lun = f->v->held.lun->global;
    uint64_t chunk[SPIPE__STEPS_AT_ONCE];

    n = (uint32_t)hal_min64(n, SPIPE__STEPS_AT_ONCE);
    for (uint32_t i = 0; i < n; i++)
        chunk[i] = f->chunks[at + i];
    if (f->v->wipe) {
        spipe__books_lock_behind(f->s);
        for (uint32_t i = 0; i < n; i++)
            spipe__wipe_mark_one(lun, chunk[i]);
        spipe__books_unlock(f->s);
    }
    store(f, at, chunk, n);
    return n;
}

static uint32_t fill_cloned(const struct filling *f, uint32_t at, uint32_t n)
{
    struct spipe__global_lun *lun = f->v->held.lun->global;
    uint64_t chunk[SPIPE__STEPS_AT_ONCE];
    uint32_t got;

    n = (uint32_t)hal_min64(n, SPIPE__STEPS_AT_ONCE);
    spipe__books_lock_behind(f->s);
    for (got = 0; got < n; got++) {
        chunk[got] = spipe__lxt_chunk(&f->home, &f->entries[at + got]);
        if (spipe__ba_add_reference(lun->ba, chunk[got]))
            break;
        if (f->v->wipe)
            spipe__wipe_mark_one(lun, chunk[got]);
    }
    spipe__books_unlock(f->s);
    store(f, at, chunk, got);
    return got;
}

/* G3, C2 and C3: entries up to `count`, or as far as there are chunks. Returns how far. */
static uint32_t fill(const struct filling *f, uint32_t count, fill_some *some)
{
    uint32_t at = f->v->size, got;

    while (at < count && (got = some(f, at, count - at)) > 0)
        at += got;
    return at;
}

/* Gives back the chunks of entries from v->size up to `last`, which nobody was shown. */
static void give_back(struct spipe *s, struct spipe__resource *v, const struct spipe__lxt *lxt,
                      uint32_t last)
{
    hal_publish(s->dev); /* so that they can be read */
    spipe__lun_free_entries(s, v->held.lun->global, lxt->entry, v->size, last);
}

/* ---- the array ---- */

/* G2: the array that will hold `count` entries, with those that there are; the same one if it has
 * room. */
static int make_room(struct spipe *s, struct spipe__resource *v, uint32_t count,
                     struct spipe__lxt *lxt)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    int rc;

    *lxt = v->lxt;
    if (count <= v->lxt.capacity)
        return 0;
    rc = spipe__lxt_create(&home, count, lxt);
    if (!rc && v->size)
        spipe__lxt_copy(&home, lxt, &v->lxt, v->size);
    return rc;
}

static void drop_room(struct spipe *s, const struct spipe__resource *v, struct spipe__lxt *lxt)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);

    if (lxt->entry != v->lxt.entry)
        spipe__lxt_destroy(&home, lxt);
}

/* What must be known after a restart, before the AFU can write to the chunks (VL-63). */
static int record(struct spipe *s, const struct spipe__resource *v, const struct spipe__lxt *lxt,
                  uint32_t count)
{
    if (!v->wipe)
        return 0;
    hal_publish(s->dev); /* so that the entries can be read */
    return spipe__wipe_record(s, v->held.lun->global, lxt->entry, v->size, count);
}

/* G6..G10. The old array is in quarantine until the sync (VL-22). */
static int show(struct spipe_ctx *ctx, struct spipe__resource *v, const struct spipe__lxt *lxt,
                uint32_t count)
{
    struct spipe__held_part old = {.array = v->lxt};

    CHECK(!v->held.pending);
    if (v->lxt.entry && lxt->entry != v->lxt.entry) {
        spipe__quarantine_enter(ctx->s, &v->held);
        spipe__quarantine_add(&v->held, &old);
    }
    spipe__rht_grow(&ctx->rht, v->held.handle, v->permissions, lxt->entry, count);
    spipe__resource_set(ctx, v, lxt, count);
    return spipe__vlun_sync(ctx, v, AFU_SYNC_LW);
}

/* ---- growing ---- */

static uint64_t space_on(struct spipe *s, const struct spipe__lun *lun)
{
    uint64_t space;

    spipe__books_lock(s);
    space = spipe__ba_space(lun->global->ba);
    spipe__books_unlock(s);
    return space;
}

/* Others may take chunks at the same time: what is left when it is done is the grant (VL-20). */
int spipe__vlun_grow(struct spipe_ctx *ctx, struct spipe__resource *v, uint64_t wanted)
{
    uint64_t most = hal_min64(wanted, UINT32_MAX); /* lxt_cnt has 32 bits */
    uint64_t space = space_on(ctx->s, v->held.lun);
    struct spipe__lxt lxt;
    const struct filling f = {ctx->s, v, spipe__lxt_home_of(ctx->s), .lxt = &lxt};
    uint32_t count;
    int rc;

    CHECK(wanted > v->size);
    if (space == 0 || most == v->size)
        return -ENOSPC;
    count = v->size + (uint32_t)hal_min64(most - v->size, space);
    rc = make_room(ctx->s, v, count, &lxt);
    if (rc)
        return rc;
    count = fill(&f, count, fill_free);
    rc = count > v->size ? record(ctx->s, v, &lxt, count) : -ENOSPC;
    if (!rc)
        return show(ctx, v, &lxt, count);
    if (count > v->size)
        give_back(ctx->s, v, &lxt, count);
    drop_room(ctx->s, v, &lxt);
    return rc;
}

int spipe__vlun_adopt(struct spipe_ctx *ctx, struct spipe__resource *v, const uint32_t *chunks,
                      uint32_t count)
{
    struct spipe__lxt lxt;
    const struct filling f = {ctx->s, v, spipe__lxt_home_of(ctx->s), .lxt = &lxt, .chunks = chunks};
    int rc;

    CHECK(v->size == 0);
    if (count == 0)
        return spipe__vlun_sync(ctx, v, AFU_SYNC_HW); /* as a resize to the same size */
    rc = make_room(ctx->s, v, count, &lxt);
    if (rc)
        return rc;
    CHECK(fill(&f, count, fill_given) == count);
    rc = record(ctx->s, v, &lxt, count);
    if (!rc)
        return show(ctx, v, &lxt, count);
    drop_room(ctx->s, v, &lxt);
    return rc;
}

int spipe__vlun_share_with(struct spipe_ctx *ctx, struct spipe__resource *v,
                           const struct spipe__resource *source)
{
    struct spipe__lxt lxt;
    const struct filling f = {ctx->s, v, spipe__lxt_home_of(ctx->s), .lxt = &lxt,
                              .entries = source->lxt.entry};
    uint32_t got;
    int rc;

    CHECK(v->size == 0 && v->held.lun == source->held.lun);
    if (source->size == 0)
        return spipe__vlun_sync(ctx, v, AFU_SYNC_LW);
    hal_publish(ctx->s->dev); /* so that the entries can be read */
    rc = make_room(ctx->s, v, source->size, &lxt);
    if (rc)
        return rc;
    got = fill(&f, source->size, fill_cloned);
    if (got == source->size)
        return show(ctx, v, &lxt, got);
    give_back(ctx->s, v, &lxt, got); /* SP-112: one of them has 256 owners */
    drop_room(ctx->s, v, &lxt);
    return -EIO;
}
