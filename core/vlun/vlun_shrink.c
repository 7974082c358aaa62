/* SPDX-License-Identifier: Apache-2.0 */
/* Shrinking: count before pointer, pointer before HW sync, sync before any free (VL-25). */
#include "core/vlun/vlun.h"
#include "hal/afu_cmd.h"
#include "hal/support/check.h"

/* S1: the array for the entries that stay. Within the same number of groups, if there is no memory,
 * and if the AFU cannot be asked to forget the old one, that is the old one (VL-16, R-52). */
static struct spipe__lxt smaller_array(struct spipe_ctx *ctx, struct spipe__resource *v,
                                       uint32_t size)
{
    struct spipe__lxt_home home = spipe__lxt_home_of(ctx->s);
    struct spipe__lxt lxt = v->lxt;

    if (size == 0)
        return (struct spipe__lxt){0};
    if (spipe__vlun_is_cut_off(ctx) || spipe__lxt_capacity(size) == spipe__lxt_capacity(v->size) ||
        spipe__lxt_create(&home, size, &lxt))
        return v->lxt;
    spipe__lxt_copy(&home, &lxt, &v->lxt, size);
    return lxt;
}

/* S2, S3: withdraws the entries from `size` on. The AFU may go on using them, so they are in
 * quarantine from the first store on. */
static void withdraw(struct spipe_ctx *ctx, struct spipe__resource *v, uint32_t size)
{
    struct spipe__lxt lxt = smaller_array(ctx, v, size);
    struct spipe__held_part part = {.entries = v->lxt.entry, .first = size, .last = v->size};

    if (lxt.entry != v->lxt.entry)
        part.array = v->lxt;
    spipe__quarantine_enter(ctx->s, &v->held);
    spipe__quarantine_add(&v->held, &part);
    spipe__rht_shrink(&ctx->rht, v->held.handle, v->permissions, v->lxt.entry, lxt.entry, size);
    spipe__resource_set(ctx, v, &lxt, size);
}

int spipe__vlun_shrink(struct spipe_ctx *ctx, struct spipe__resource *v, uint32_t size)
{
    CHECK(size <= v->size);
    if (size < v->size)
        withdraw(ctx, v, size);
    return spipe__vlun_sync(ctx, v, AFU_SYNC_HW); /* S4; S6 and S8 are part of its success */
}
