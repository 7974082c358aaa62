/* SPDX-License-Identifier: Apache-2.0 */
#include "core/clone.h"

#include <errno.h>
#include <string.h>

#include "core/client.h"
#include "core/handle.h"
#include "core/verb.h"
#include "hal/support/bits.h"

static bool has_handles(const struct spipe_ctx *ctx)
{
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        if (ctx->resource[i])
            return true;
    return false;
}

/* SP-106, SP-107, SP-109. */
static bool allowed(const struct spipe_ctx *ctx, const struct spipe_ctx *source)
{
    return ctx != source && source->client == ctx->client->parent && !ctx->errored &&
           !source->errored && !has_handles(ctx);
}

/* SP-110, SP-113. */
static void merge_luns(struct spipe_ctx *ctx, const struct spipe_ctx *source)
{
    ctx->lun_count = 0;
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(ctx->luns); i++) {
        ctx->luns[i] |= source->luns[i];
        ctx->lun_count += hal_bit_count(ctx->luns[i]);
    }
}

/* In the books of its own LUN, and with no more rights than ctx has (SP-111, SP-114). */
static int clone_handle(struct spipe_ctx *ctx, const struct spipe__resource *source)
{
    uint8_t permissions = source->permissions & ctx->permissions;

    return source->kind == SPIPE_LUN_PHYSICAL ? spipe__direct_clone(ctx, source, permissions)
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
    uint64_t luns[HAL_ARRAY_LENGTH(ctx->luns)];
    unsigned lun_count = ctx->lun_count;
    int rc;

    if (!allowed(ctx, source))
        return -EINVAL;
    memcpy(luns, ctx->luns, sizeof luns);
    merge_luns(ctx, source);
    rc = clone_handles(ctx, source);
    if (rc) {
        close_handles(ctx);
        memcpy(ctx->luns, luns, sizeof luns);
        ctx->lun_count = lun_count;
    }
    return rc;
}

int spipe_clone(struct spipe_ctx *ctx, struct spipe_ctx *parent)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_CLONE, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_CLONE,
                           ctx->s == parent->s ? spipe__clone(ctx, parent) : -EINVAL);
}
