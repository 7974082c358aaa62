/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun.h"

#include <errno.h>

#include "core/lun_alloc.h"
#include "hal/afu_cmd.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

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

/* The lowest free handle of which nothing is quarantined (SP-35, vlun.md 15.1). A number can be
 * free in this context and still held for an earlier context of the same number. */
static uint32_t usable_handle(struct spipe_ctx *ctx)
{
    uint32_t handle = spipe__rht_free_handle(&ctx->rht, 0);

    while (handle < SPIPE__RHT_SIZE && spipe__quarantine_retry(ctx->s, ctx->number, handle))
        handle = spipe__rht_free_handle(&ctx->rht, handle + 1);
    return handle;
}

int spipe__vlun_open(struct spipe_ctx *ctx, struct spipe__lun *lun, struct spipe__vlun **out)
{
    struct spipe *s = ctx->s;
    uint32_t handle = usable_handle(ctx);
    struct spipe__vlun *v;
    int rc;

    if (handle == SPIPE__RHT_SIZE)
        return -EMFILE;
    v = exec_alloc(s->exec, sizeof *v, _Alignof(struct spipe__vlun));
    if (!v)
        return -ENOMEM;
    rc = spipe__lun_claim(s, lun);
    if (rc)
        goto free_memory;
    rc = spipe__lun_table_assign(s, lun);
    if (rc)
        goto unclaim;
    v->held.lun = lun;
    v->held.context = ctx->number;
    v->held.handle = handle;
    v->permissions = ctx->permissions;
    spipe__rht_open(&ctx->rht, handle, v->permissions);
    ctx->vlun[handle] = v;
    __atomic_store_n(&ctx->block_shift[handle], (uint8_t)hal_lowest_bit(lun->block_size),
                     __ATOMIC_RELAXED);
    *out = v;
    return 0;

unclaim:
    spipe__lun_unclaim(s, lun);
free_memory:
    exec_free(s->exec, v, sizeof *v);
    return rc;
}

/* ---- closing ---- */

/* Ends a handle of size 0. If something of it is quarantined, the quarantine frees `v` later. */
static void finish(struct spipe_ctx *ctx, struct spipe__vlun *v)
{
    struct spipe__lun *lun = v->held.lun;
    uint32_t handle = v->held.handle;

    CHECK(v->size == 0 && !v->lxt.entry);
    __atomic_store_n(&ctx->block_shift[handle], 0, __ATOMIC_RELAXED);
    ctx->vlun[handle] = NULL;
    spipe__rht_close(&ctx->rht, handle);
    if (v->held.pending) {
        v->held.memory = v;
        v->held.memory_size = sizeof *v;
    } else {
        exec_free(ctx->s->exec, v, sizeof *v);
    }
    spipe__lun_unclaim(ctx->s, lun);
}

int spipe__vlun_close(struct spipe_ctx *ctx, struct spipe__vlun *v)
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

void spipe__vlun_close_forced(struct spipe_ctx *ctx, struct spipe__vlun *v)
{
    int rc = spipe__vlun_shrink(ctx, v, 0);

    if (rc) /* the entry itself may be cached, even if nothing was withdrawn from it (VL-38) */
        spipe__quarantine_enter(ctx->s, &v->held);
    finish(ctx, v);
}

/* ---- syncs ---- */

static void release_own(struct spipe_ctx *ctx, struct spipe__vlun *v)
{
    if (v->held.pending)
        spipe__quarantine_release(ctx->s, &v->held);
}

/* Whether the AFU was initialised since it was told of the context. */
static bool forgotten(const struct spipe_ctx *ctx) { return ctx->generation != ctx->s->generation; }

int spipe__vlun_sync(struct spipe_ctx *ctx, struct spipe__vlun *v, uint8_t mode)
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

int spipe__vlun_settle(struct spipe_ctx *ctx, struct spipe__vlun *v, bool *synced)
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

int spipe__vlun_resize(struct spipe_ctx *ctx, struct spipe__vlun *v, uint64_t wanted)
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
