/* SPDX-License-Identifier: Apache-2.0 */
/* Growing: entries before pointer, pointer before count, count before sync (VL-19). */
#include <errno.h>

#include "core/lun_mode.h"
#include "core/lun_size.h"
#include "core/vlun.h"
#include "hal/afu_cmd.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* Where new entries get their chunks from. */
struct supply {
    /* Takes one chunk, or one more reference of one, for entry `index`. */
    int (*take)(struct spipe__resource *v, const struct supply *from, uint32_t index,
                uint64_t *chunk);
    const uint32_t *chunks;  /* take_listed */
    const uint64_t *entries; /* take_cloned, of an array of that home */
    const struct spipe__lxt_home *home;
};

static int take_free(struct spipe__resource *v, const struct supply *from, uint32_t index,
                     uint64_t *chunk)
{
    (void)from, (void)index;
    return spipe__ba_allocate(v->held.lun->ba, chunk);
}

static int take_listed(struct spipe__resource *v, const struct supply *from, uint32_t index,
                       uint64_t *chunk)
{
    *chunk = from->chunks[index];
    return spipe__ba_add_reference(v->held.lun->ba, *chunk);
}

static int take_cloned(struct spipe__resource *v, const struct supply *from, uint32_t index,
                       uint64_t *chunk)
{
    *chunk = spipe__lxt_chunk(from->home, &from->entries[index]);
    return spipe__ba_add_reference(v->held.lun->ba, *chunk);
}

/* Gives back the chunks of entries [first, last), which nobody was shown. */
static void give_back(struct spipe *s, struct spipe__resource *v, const struct spipe__lxt *lxt,
                      uint32_t first, uint32_t last)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);

    hal_publish(s->dev); /* so that they can be read */
    while (last-- > first)
        spipe__lun_free_chunk(v->held.lun, spipe__lxt_chunk(&home, &lxt->entry[last]));
}

/* G3, C2 and C3: all entries or none. A failure of the allocator, which has been asked for no more
 * than it has, is an internal error (VL-21). */
static int fill(struct spipe *s, struct spipe__resource *v, struct spipe__lxt *lxt, uint32_t count,
                const struct supply *from)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(s);
    const struct spipe__lun *lun = v->held.lun;

    for (uint32_t i = v->size; i < count; i++) {
        uint64_t chunk;

        if (from->take(v, from, i, &chunk)) {
            give_back(s, v, lxt, v->size, i);
            return -EIO;
        }
        spipe__lxt_store(&home, lxt, i, chunk, lun->table_index, lun->port_mask);
    }
    return 0;
}

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
    v->lxt = *lxt;
    v->size = count;
    return spipe__vlun_sync(ctx, v, AFU_SYNC_LW);
}

static int extend(struct spipe_ctx *ctx, struct spipe__resource *v, uint32_t count,
                  const struct supply *from)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(ctx->s);
    struct spipe__lxt lxt;
    int rc = make_room(ctx->s, v, count, &lxt);

    if (rc)
        return rc;
    rc = fill(ctx->s, v, &lxt, count, from);
    if (!rc)
        return show(ctx, v, &lxt, count);
    if (lxt.entry != v->lxt.entry)
        spipe__lxt_destroy(&home, &lxt);
    return rc;
}

int spipe__vlun_grow(struct spipe_ctx *ctx, struct spipe__resource *v, uint64_t wanted)
{
    struct spipe__lun *lun = v->held.lun;
    uint64_t most = hal_min64(wanted, UINT32_MAX), space; /* lxt_cnt has 32 bits */

    CHECK(wanted > v->size);
    if (spipe__ba_space(lun->ba) == 0)
        spipe__quarantine_retry_lun(ctx->s, lun);
    space = spipe__ba_space(lun->ba);
    if (space == 0 || most == v->size)
        return -ENOSPC;
    return extend(ctx, v, v->size + (uint32_t)hal_min64(most - v->size, space),
                  &(struct supply){.take = take_free});
}

int spipe__vlun_share(struct spipe_ctx *ctx, struct spipe__resource *v, const uint32_t *chunks,
                      uint32_t count)
{
    CHECK(v->size == 0);
    if (count == 0)
        return spipe__vlun_sync(ctx, v, AFU_SYNC_HW); /* as a resize to the same size */
    return extend(ctx, v, count, &(struct supply){.take = take_listed, .chunks = chunks});
}

int spipe__vlun_share_with(struct spipe_ctx *ctx, struct spipe__resource *v,
                           const struct spipe__resource *source)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(ctx->s);
    struct supply from = {.take = take_cloned, .entries = source->lxt.entry, .home = &home};

    CHECK(v->size == 0 && v->held.lun == source->held.lun);
    if (source->size == 0)
        return spipe__vlun_sync(ctx, v, AFU_SYNC_LW);
    hal_publish(ctx->s->dev); /* so that the entries can be read */
    return extend(ctx, v, source->size, &from);
}
