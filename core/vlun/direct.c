/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vlun/direct.h"

#include <errno.h>

#include "core/mutants.h"
#include "hal/afu_cmd.h"
#include "hal/support/check.h"

static void confirm(struct spipe *s, struct spipe__resource *d)
{
    int rc = spipe__afu_sync(s, AFU_SYNC_HW, d->held.context, d->held.handle);

    if (rc == 0 || (rc < 0 && spipe__mutant(SPW_27)))
        spipe__quarantine_release(s, &d->held);
    else if (rc < 0)
        spipe__quarantine_failed(s, &d->held);
}

/* From the first store on the AFU may go on using the entry, so it is in quarantine until the sync.
 * An errored context has none: what it had waits for the AFU to be initialised (SP-163). */
void spipe__direct_close(struct spipe_ctx *ctx, struct spipe__resource *d)
{
    struct spipe *s = ctx->s;

    CHECK(d->kind == SPIPE_LUN_PHYSICAL);
    spipe__quarantine_enter(s, &d->held);
    spipe__rht_close_direct(&ctx->rht, d->held.handle, d->permissions, d->port);
    if (ctx->errored) {
        if (ctx->generation != spipe__generation(s))
            spipe__quarantine_release(s, &d->held);
    } else {
        confirm(s, d);
    }
    spipe__resource_drop(ctx, d);
}

/* D1..D4, of a resource that was just taken. */
static int publish(struct spipe_ctx *ctx, struct spipe__resource *d, unsigned port)
{
    int rc;

    d->port = (uint8_t)port;
    spipe__rht_open_direct(&ctx->rht, d->held.handle, d->held.lun->lun_id[port], d->permissions,
                           port);
    rc = spipe__afu_sync(ctx->s, AFU_SYNC_LW, d->held.context, d->held.handle);
    if (rc < 0)
        spipe__direct_close(ctx, d);
    return rc < 0 ? rc : 0;
}

int spipe__direct_open(struct spipe_ctx *ctx, struct spipe__lun *lun, unsigned port,
                       struct spipe__resource **out)
{
    struct spipe__resource *d;
    int rc = spipe__resource_take(ctx, lun, SPIPE_LUN_PHYSICAL, &d);

    if (!rc)
        rc = publish(ctx, d, port);
    if (!rc)
        *out = d;
    return rc;
}

int spipe__direct_clone(struct spipe_ctx *ctx, const struct spipe__resource *source,
                        uint8_t permissions)
{
    struct spipe__resource *d;
    int rc = spipe__resource_take_at(ctx, source->held.lun, SPIPE_LUN_PHYSICAL, source->held.handle,
                                     permissions, &d);

    if (rc)
        return rc;
    d->lineage = source->lineage;
    return publish(ctx, d, source->port) ? -EAGAIN : 0;
}
