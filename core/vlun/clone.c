/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun/clone.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"
#include "core/context/client.h"
#include "core/mutants.h"
#include "core/vlun/handle.h"
#include "hal/support/bits.h"

static bool has_handles(const struct spipe_ctx *ctx)
{
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        if (ctx->resource[i])
            return true;
    return false;
}

static bool is_parent(struct spipe *s, const struct spipe_client *c,
                      const struct spipe_client *child)
{
    bool is;

    spipe__books_lock(s);
    is = child->parent == c;
    spipe__books_unlock(s);
    return is;
}

/* SP-106, SP-107, SP-109. */
static bool allowed(const struct spipe_ctx *ctx, const struct spipe_ctx *source)
{
    return ctx != source && is_parent(ctx->s, source->client, ctx->client) && !ctx->errored &&
           !source->errored && !has_handles(ctx);
}

/* What CLONE adds to a list of LUNs (SP-110, SP-113), or takes away again. */
struct added {
    uint64_t luns[SPIPE__LUNS_MAX / 64];
};

static void merge_luns(struct spipe_ctx *ctx, const struct spipe_ctx *source, struct added *new)
{
    spipe__books_lock(ctx->s);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(new->luns); i++) {
        new->luns[i] = source->luns[i] & ~ctx->luns[i];
        ctx->luns[i] |= new->luns[i];
        ctx->lun_count += spipe__mutant(SPW_4) ? 0 : hal_bit_count(new->luns[i]);
        for (uint64_t bits = new->luns[i]; bits; bits &= bits - 1)
            ctx->s->lun[i * 64 + hal_lowest_bit(bits)].attached++;
    }
    spipe__books_unlock(ctx->s);
}

static void take_luns_away(struct spipe_ctx *ctx, const struct added *new)
{
    spipe__books_lock(ctx->s);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(new->luns); i++) {
        ctx->luns[i] &= ~new->luns[i];
        ctx->lun_count -= hal_bit_count(new->luns[i]);
        for (uint64_t bits = new->luns[i]; bits; bits &= bits - 1)
            ctx->s->lun[i * 64 + hal_lowest_bit(bits)].attached--;
    }
    spipe__books_unlock(ctx->s);
}

/* In the books of its own LUN, and with no more rights than ctx has (SP-111, SP-114). */
static int clone_handle(struct spipe_ctx *ctx, const struct spipe__resource *source)
{
    uint8_t permissions = source->permissions & ctx->permissions;

    return source->kind == SPIPE_LUN_PHYSICAL && !spipe__mutant(SPW_6)
               ? spipe__direct_clone(ctx, source, permissions)
               : spipe__vlun_clone(ctx, source, permissions);
}

static int clone_handles(struct spipe_ctx *ctx, const struct spipe_ctx *source)
{
    int rc = 0;

    for (uint32_t i = 0; i < SPIPE__RHT_SIZE && !rc; i++)
        if (source->resource[i])
            rc = clone_handle(ctx, source->resource[i]);
    return rc;
}

/* VL-46: all of them, on all LUNs. */
static void close_handles(struct spipe_ctx *ctx)
{
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        if (ctx->resource[i])
            spipe__handle_close(ctx, ctx->resource[i]);
}

int spipe__clone(struct spipe_ctx *ctx, const struct spipe_ctx *source)
{
    struct added new;
    int rc;

    if (!allowed(ctx, source))
        return -EINVAL;
    merge_luns(ctx, source, &new);
    rc = clone_handles(ctx, source);
    if (rc) {
        close_handles(ctx);
        take_luns_away(ctx, &new);
    }
    return rc;
}

/* The source is entered already. From a parent to its child is the order of those two locks, so who
 * is no parent does not wait for the second. */
static int clone_to(struct spipe_ctx *ctx, struct spipe_ctx *source)
{
    int rc;

    if (!is_parent(ctx->s, source->client, ctx->client) || !spipe__ctx_enter_second(ctx))
        return -EINVAL;
    rc = spipe__clone(ctx, source);
    spipe__ctx_leave(ctx);
    return rc;
}

int spipe_clone(struct spipe_ctx *ctx, struct spipe_ctx *parent)
{
    int rc;

    if (ctx == parent || ctx->s != parent->s)
        return -EINVAL;
    rc = spipe__verb_begin_on(parent, SPIPE__VERB_CLONE, SPIPE__ADMIT_NORMAL);
    if (rc)
        return rc;
    return spipe__verb_end_on(parent, SPIPE__VERB_CLONE, clone_to(ctx, parent));
}
