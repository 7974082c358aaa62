/* SPDX-License-Identifier: Apache-2.0 */
#include "core/resource.h"

#include <errno.h>

#include "core/lun_mode.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* A number can be free in this context and still held for an earlier context of the same number
 * (vlun.md 15.1). */
static uint32_t usable_handle(struct spipe_ctx *ctx)
{
    uint32_t handle = spipe__rht_free_handle(&ctx->rht, 0);

    while (handle < SPIPE__RHT_SIZE && spipe__quarantine_retry(ctx->s, ctx->number, handle))
        handle = spipe__rht_free_handle(&ctx->rht, handle + 1);
    return handle;
}

/* For the data path of whatever thread. */
static void set_block_shift(struct spipe_ctx *ctx, uint32_t handle, unsigned shift)
{
    __atomic_store_n(&ctx->block_shift[handle], (uint8_t)shift, __ATOMIC_RELAXED);
}

static int take(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind, uint32_t handle,
                uint8_t permissions, struct spipe__resource **out)
{
    struct spipe *s = ctx->s;
    struct spipe__resource *r = exec_alloc(s->exec, sizeof *r, _Alignof(struct spipe__resource));
    int rc;

    if (!r)
        return -ENOMEM;
    rc = spipe__lun_claim(s, lun, kind);
    if (rc) {
        exec_free(s->exec, r, sizeof *r);
        return rc;
    }
    r->held.lun = lun;
    r->held.context = ctx->number;
    r->held.handle = handle;
    r->kind = kind;
    r->permissions = permissions;
    r->lineage = ++s->lineages;
    ctx->resource[handle] = r;
    set_block_shift(ctx, handle, hal_lowest_bit(lun->block_size));
    *out = r;
    return 0;
}

int spipe__resource_take(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind,
                         struct spipe__resource **out)
{
    uint32_t handle = usable_handle(ctx);

    if (handle == SPIPE__RHT_SIZE)
        return -EMFILE;
    return take(ctx, lun, kind, handle, ctx->permissions, out);
}

int spipe__resource_take_at(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind,
                            uint32_t handle, uint8_t permissions, struct spipe__resource **out)
{
    CHECK(handle < SPIPE__RHT_SIZE && !ctx->resource[handle]);
    if (spipe__quarantine_retry(ctx->s, ctx->number, handle))
        return -EAGAIN;
    return take(ctx, lun, kind, handle, permissions, out);
}

void spipe__resource_drop(struct spipe_ctx *ctx, struct spipe__resource *r)
{
    struct spipe__lun *lun = r->held.lun;

    CHECK(r->size == 0 && !r->lxt.entry);
    set_block_shift(ctx, r->held.handle, 0);
    ctx->resource[r->held.handle] = NULL;
    if (r->held.pending) {
        r->held.memory = r;
        r->held.memory_size = sizeof *r;
    } else {
        exec_free(ctx->s->exec, r, sizeof *r);
    }
    spipe__lun_unclaim(ctx->s, lun);
}
