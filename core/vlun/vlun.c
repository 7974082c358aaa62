/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a virtual LUN: opening, cloning and closing its handle, the AFU sync that ends each
 * change, and which change a new size asks for. Growing and shrinking are in files of their own. */
#include "core/vlun/vlun.h"

#include <errno.h>

#include "core/lun/wipe.h"
#include "core/mutants.h"
#include "core/mutants/longer.h"
#include "hal/afu_cmd.h"
#include "hal/support/bits.h"

/* ---- sizes ---- */

uint64_t spipe__vlun_chunks(uint64_t blocks, uint32_t block_size)
{
    uint64_t bytes;

    if (__builtin_mul_overflow(blocks, (uint64_t)SPIPE_API_BLOCK, &bytes) && !spipe__mutant(VLW_11))
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

/* What a handle needs of its LUN: a slot, and room to note what is to be wiped. */
static int prepare(struct spipe *s, struct spipe__lun *lun, bool wipe)
{
    int rc;

    spipe__books_lock(s);
    rc = spipe__lun_table_assign(s, lun);
    if (!rc && wipe)
        rc = spipe__wipe_prepare(s, lun->global);
    spipe__books_unlock(s);
    return rc;
}

/* C1: the entry is invalid as long as its size is 0 (VL-37). */
static int begin(struct spipe_ctx *ctx, struct spipe__resource *v, bool wipe)
{
    int rc = prepare(ctx->s, v->held.lun, wipe);

    if (rc) {
        spipe__resource_drop(ctx, v);
        return rc;
    }
    v->wipe = wipe;
    spipe__rht_open(&ctx->rht, v->held.handle, v->permissions);
    return 0;
}

int spipe__vlun_open(struct spipe_ctx *ctx, struct spipe__lun *lun, bool wipe,
                     struct spipe__resource **out)
{
    struct spipe__resource *v;
    int rc = spipe__resource_take(ctx, lun, SPIPE_LUN_VIRTUAL, &v);

    if (!rc)
        rc = begin(ctx, v, wipe);
    if (!rc)
        *out = v;
    return rc;
}

int spipe__vlun_clone(struct spipe_ctx *ctx, const struct spipe__resource *source,
                      uint8_t permissions)
{
    struct spipe__lun *lun =
        spipe__mutant(VLW_10) ? spipe__mutant_lun_of_request(ctx) : source->held.lun;
    struct spipe__resource *v;
    int rc =
        spipe__resource_take_at(ctx, lun, SPIPE_LUN_VIRTUAL, source->held.handle, permissions, &v);

    if (!rc)
        rc = begin(ctx, v, source->wipe && !spipe__mutant(SPW_7)); /* SP-115, VL-63 */
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

    (void)rc; /* if it failed, v is in quarantine */
    finish(ctx, v);
}

/* ---- syncs ---- */

/* Whether the AFU was initialised since it was told of the context. */
static bool forgotten(const struct spipe_ctx *ctx)
{
    return ctx->generation != spipe__generation(ctx->s);
}

/* Even if nothing was withdrawn, the AFU may have cached the entry, and go on with what it was
 * (VL-38, VL-73): the handle is tried again as if it had lost something. */
static void distrust(struct spipe *s, struct spipe__resource *v)
{
    if (!v->held.pending)
        spipe__quarantine_enter(s, &v->held);
    spipe__quarantine_failed(s, &v->held);
}

int spipe__vlun_sync(struct spipe_ctx *ctx, struct spipe__resource *v, uint8_t mode)
{
    struct spipe *s = ctx->s;
    int rc;

    if (ctx->errored && !spipe__mutant(VLW_12)) {
        if (forgotten(ctx))
            spipe__quarantine_release(s, &v->held);
        return 0;
    }
    rc = spipe__afu_sync(s, mode, v->held.context, v->held.handle);
    if (rc == 0 || (rc < 0 && spipe__mutant(VLW_5)) || (rc > 0 && spipe__mutant(VLW_6)))
        spipe__quarantine_release(s, &v->held);
    else if (rc < 0)
        distrust(s, v);
    return rc < 0 && !spipe__mutant(VLW_19) ? -EAGAIN : 0;
}

bool spipe__vlun_is_cut_off(struct spipe_ctx *ctx)
{
    return ctx->errored || spipe__gate_state(&ctx->s->gate) != SPIPE_STATE_NORMAL;
}

int spipe__vlun_settle(struct spipe_ctx *ctx, struct spipe__resource *v, bool *synced)
{
    bool past = v->held.generation != spipe__generation(ctx->s);

    *synced = false;
    if (!v->held.pending || (!past && spipe__vlun_is_cut_off(ctx)))
        return 0; /* it waits for the AFU to be initialised, and goes on meanwhile */
    if (spipe__quarantine_retry(ctx, &v->held))
        return -EAGAIN;
    *synced = !past;
    return 0;
}

int spipe__vlun_resize(struct spipe_ctx *ctx, struct spipe__resource *v, uint64_t wanted)
{
    bool synced;
    int rc = spipe__vlun_settle(ctx, v, &synced);

    if (rc)
        return rc;
    if (wanted > v->size) /* what is pending may be entries that a grow would store over */
        return v->held.pending ? -EAGAIN : spipe__vlun_grow(ctx, v, wanted);
    if (wanted == v->size && synced)
        return 0;
    return spipe__vlun_shrink(ctx, v, (uint32_t)wanted);
}
