/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun.h"

#include <errno.h>

#include "hal/afu_cmd.h"
#include "hal/support/bits.h"

/* ---- sizes ---- */

uint64_t spipe__vlun_chunks(uint64_t blocks, uint32_t block_size)
{
    uint64_t bytes;

    if (__builtin_mul_overflow(blocks, (uint64_t)SPIPE_API_BLOCK, &bytes))
        bytes = UINT64_MAX;
    return hal_div_up(bytes / block_size, SPIPE_CHUNK_BLOCKS);
}

uint64_t spipe__vlun_blocks(uint64_t chunks, uint32_t block_size)
{
    return chunks * SPIPE_CHUNK_BLOCKS * block_size / SPIPE_API_BLOCK;
}

uint64_t spipe__vlun_last_lba(uint64_t chunks, uint32_t block_size)
{
    return chunks ? spipe__vlun_blocks(chunks, block_size) - 1 : SPIPE_NO_BLOCK;
}

/* ---- opening ---- */

/* C1: the entry is invalid as long as its size is 0 (VL-37). */
static int begin(struct spipe_ctx *ctx, struct spipe__resource *v)
{
    int rc = spipe__lun_table_assign(ctx->s, v->held.lun);

    if (rc)
        spipe__resource_drop(ctx, v);
    else
        spipe__rht_open(&ctx->rht, v->held.handle, v->permissions);
    return rc;
}

int spipe__vlun_open(struct spipe_ctx *ctx, struct spipe__lun *lun, struct spipe__resource **out)
{
    struct spipe__resource *v;
    int rc = spipe__resource_take(ctx, lun, SPIPE_LUN_VIRTUAL, &v);

    if (!rc)
        rc = begin(ctx, v);
    if (!rc)
        *out = v;
    return rc;
}

int spipe__vlun_clone(struct spipe_ctx *ctx, const struct spipe__resource *source,
                      uint8_t permissions)
{
    struct spipe__resource *v;
    int rc = spipe__resource_take_at(ctx, source->held.lun, SPIPE_LUN_VIRTUAL, source->held.handle,
                                     permissions, &v);

    if (!rc)
        rc = begin(ctx, v);
    if (rc)
        return rc;
    v->lineage = source->lineage;
    rc = spipe__vlun_share_with(ctx, v, source);
    if (rc)
        spipe__vlun_close_forced(ctx, v); /* VL-47 */
    return rc;
}

/* ---- closing ---- */

/* Ends a handle of size 0. */
static void finish(struct spipe_ctx *ctx, struct spipe__resource *v)
{
    spipe__rht_close(&ctx->rht, v->held.handle);
    spipe__resource_drop(ctx, v);
}

int spipe__vlun_close(struct spipe_ctx *ctx, struct spipe__resource *v)
{
    bool synced;
    int rc = spipe__vlun_settle(ctx, v, &synced);

    if (rc)
        return rc;
    if (!synced || v->size > 0)
        rc = spipe__vlun_shrink(ctx, v, 0);
    if (!rc)
        finish(ctx, v);
    return rc;
}

void spipe__vlun_close_forced(struct spipe_ctx *ctx, struct spipe__resource *v)
{
    int rc = spipe__vlun_shrink(ctx, v, 0);

    if (rc) /* the entry itself may be cached, even if nothing was withdrawn from it (VL-38) */
        spipe__quarantine_enter(ctx->s, &v->held);
    finish(ctx, v);
}

/* ---- syncs ---- */

static void release_own(struct spipe_ctx *ctx, struct spipe__resource *v)
{
    if (v->held.pending)
        spipe__quarantine_release(ctx->s, &v->held);
}

/* Whether the AFU was initialised since it was told of the context. */
static bool forgotten(const struct spipe_ctx *ctx) { return ctx->generation != ctx->s->generation; }

int spipe__vlun_sync(struct spipe_ctx *ctx, struct spipe__resource *v, uint8_t mode)
{
    if (ctx->errored) {
        if (forgotten(ctx))
            release_own(ctx, v);
        return 0;
    }
    if (spipe__afu_sync(ctx->s, mode, v->held.context, v->held.handle))
        return -EAGAIN;
    if (mode == AFU_SYNC_HW)
        spipe__quarantine_synced(ctx->s, v->held.context, v->held.handle);
    release_own(ctx, v);
    return 0;
}

int spipe__vlun_settle(struct spipe_ctx *ctx, struct spipe__resource *v, bool *synced)
{
    bool was_pending = v->held.pending;
    bool past = v->held.generation != ctx->s->generation;
    int rc = 0;

    *synced = false;
    if (!was_pending)
        return 0;
    if (ctx->errored)
        rc = spipe__vlun_sync(ctx, v, AFU_SYNC_HW);
    else
        rc = spipe__quarantine_retry(ctx->s, v->held.context, v->held.handle);
    *synced = !rc && !past && !ctx->errored;
    return v->held.pending ? -EAGAIN : rc;
}

int spipe__vlun_resize(struct spipe_ctx *ctx, struct spipe__resource *v, uint64_t wanted)
{
    bool synced;
    int rc = spipe__vlun_settle(ctx, v, &synced);

    if (rc)
        return rc;
    if (wanted > v->size)
        return spipe__vlun_grow(ctx, v, wanted);
    if (wanted == v->size && synced)
        return 0;
    return spipe__vlun_shrink(ctx, v, (uint32_t)wanted);
}
