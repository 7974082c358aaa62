/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun/resource.h"

#include <errno.h>

#include "core/lun/lun_mode.h"
#include "core/mutants.h"
#include "core/mutants/longer.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* A number can be free in this context and still held for an earlier context of the same number
 * (vlun.md 15.1). */
static uint32_t usable_handle(struct spipe_ctx *ctx)
{
    uint32_t handle = spipe__rht_free_handle(&ctx->rht, 0);

    while (handle < SPIPE__RHT_SIZE && spipe__quarantine_retry_handle(ctx->s, ctx->number, handle))
        handle = spipe__rht_free_handle(&ctx->rht, handle + 1);
    return handle;
}

/* ---- handles of a LUN ---- */

static void link_to_lun(struct spipe__resource *r)
{
    struct spipe__lun *lun = r->held.lun;

    r->next = lun->open;
    if (lun->open)
        lun->open->previous = r;
    lun->open = r;
}

static void unlink_from_lun(struct spipe__resource *r)
{
    if (r->next)
        r->next->previous = r->previous;
    if (r->previous)
        r->previous->next = r->next;
    else
        r->held.lun->open = r->next;
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
    r->held.lun = lun;
    r->held.context = ctx->number;
    r->held.handle = handle;
    r->kind = kind;
    r->permissions = permissions;
    r->first_chunk = SPIPE__NO_CHUNK;
    spipe__books_lock(s);
    rc = spipe__lun_claim(s, lun->global, kind);
    if (!rc) {
        r->lineage = ++s->group->lineages;
        link_to_lun(r);
        ctx->resource[handle] = r;
    }
    spipe__books_unlock(s);
    if (rc) {
        exec_free(s->exec, r, sizeof *r);
        return rc;
    }
    set_block_shift(ctx, handle, hal_lowest_bit(lun->global->block_size));
    *out = r;
    return 0;
}

int spipe__resource_take(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind,
                         struct spipe__resource **out)
{
    uint32_t handle = usable_handle(ctx);

    if (handle == SPIPE__RHT_SIZE)
        return spipe__mutant(SPW_26) ? spipe__mutant_claim(ctx, lun, kind) : -EMFILE;
    return take(ctx, lun, kind, handle, ctx->permissions, out);
}

int spipe__resource_take_at(struct spipe_ctx *ctx, struct spipe__lun *lun, uint8_t kind,
                            uint32_t handle, uint8_t permissions, struct spipe__resource **out)
{
    CHECK(handle < SPIPE__RHT_SIZE && !ctx->resource[handle]);
    if (spipe__quarantine_retry_handle(ctx->s, ctx->number, handle))
        return -EAGAIN;
    return take(ctx, lun, kind, handle, permissions, out);
}

void spipe__resource_set(struct spipe_ctx *ctx, struct spipe__resource *v,
                         const struct spipe__lxt *lxt, uint32_t size)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(ctx->s);

    v->lxt = *lxt;
    v->size = size;
    spipe__books_lock(ctx->s);
    v->first_chunk = size ? spipe__lxt_chunk(&home, &lxt->entry[0]) : SPIPE__NO_CHUNK;
    spipe__books_unlock(ctx->s);
}

void spipe__resource_drop(struct spipe_ctx *ctx, struct spipe__resource *r)
{
    struct spipe *s = ctx->s;
    struct spipe__lun *lun = r->held.lun;
    bool pending = r->held.pending;

    CHECK(r->size == 0 && !r->lxt.entry);
    set_block_shift(ctx, r->held.handle, 0);
    spipe__books_lock(s);
    unlink_from_lun(r);
    ctx->resource[r->held.handle] = NULL;
    if (pending)
        spipe__quarantine_orphan(s, &r->held, r, sizeof *r);
    spipe__lun_unclaim(s, lun->global);
    spipe__books_unlock(s);
    if (!pending)
        exec_free(s->exec, r, sizeof *r);
}
