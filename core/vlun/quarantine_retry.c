/* SPDX-License-Identifier: Apache-2.0 */
/* Further tries of what is quarantined for handles that are open. */
#include <errno.h>

#include "core/context/context.h"
#include "core/vlun/quarantine.h"
#include "core/vlun/resource.h"

int spipe__quarantine_retry(struct spipe_ctx *ctx, struct spipe__held *held)
{
    struct spipe *s = ctx->s;

    if (ctx->errored && held->generation == spipe__generation(s))
        return -EAGAIN;
    if (spipe__quarantine_confirm(s, held))
        return -EAGAIN;
    spipe__quarantine_release(s, held);
    return 0;
}

static bool retry_handles(struct spipe_ctx *ctx, const struct spipe__lun *lun)
{
    bool any = false;

    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++) {
        struct spipe__resource *r = ctx->resource[i];

        if (r && r->held.lun == lun && r->held.pending)
            any |= spipe__quarantine_retry(ctx, &r->held) == 0;
    }
    return any;
}

bool spipe__quarantine_retry_lun(struct spipe *s, struct spipe__lun *lun)
{
    bool any = spipe__quarantine_retry_orphans(s, lun);

    for (struct spipe_ctx *ctx = NULL; (ctx = spipe__ctx_next(s, ctx)) != NULL;) {
        if (spipe__ctx_resume(ctx))
            any |= retry_handles(ctx, lun);
        spipe__ctx_pause(ctx);
    }
    return any;
}
