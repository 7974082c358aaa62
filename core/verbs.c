/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of handles: USER_DIRECT, USER_VIRTUAL, VLUN_RESIZE, RELEASE (SP 7.2..7.5). */
#include "core/verbs.h"

#include <errno.h>

#include "core/direct.h"
#include "core/name_binding.h"
#include "core/port_link.h"
#include "core/verb.h"
#include "core/vlun.h"
#include "hal/support/bits.h"

static uint64_t last_lba_of(const struct spipe__resource *v)
{
    return spipe__vlun_last_lba(v->size, v->held.lun->block_size);
}

/* ---- open direct ---- */

static unsigned any_port(struct spipe *s, const struct spipe__lun *lun)
{
    for (unsigned p = 0; p < s->ports; p++)
        if (lun->port_mask & AFU_PORT_BIT(p) && spipe__link_state(s, p) == SPIPE__LINK_ONLINE)
            return p;
    return lun->port_mask ? hal_lowest_bit(lun->port_mask) : SPIPE__PORTS_MAX;
}

int spipe__open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port, uint32_t *handle,
                       uint64_t *last_lba)
{
    struct spipe *s = ctx->s;
    struct spipe__resource *d;
    int rc;

    if (!spipe__ctx_has_lun(ctx, lun))
        return -EINVAL;
    if (port == SPIPE_PORT_ANY)
        port = any_port(s, &s->lun[lun]);
    if (port >= s->ports || !(s->lun[lun].port_mask & AFU_PORT_BIT(port)))
        return -EINVAL;
    rc = spipe__direct_open(ctx, &s->lun[lun], port, &d);
    if (rc)
        return rc;
    *handle = d->held.handle;
    *last_lba = s->lun[lun].last_lba;
    return 0;
}

int spipe_open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port, uint32_t *handle,
                      uint64_t *last_lba)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_OPEN_DIRECT, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_OPEN_DIRECT,
                           spipe__open_direct(ctx, lun, port, handle, last_lba));
}

/* ---- open virtual ---- */

int spipe__open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks, uint32_t *handle,
                        uint64_t *last_lba)
{
    struct spipe__resource *v;
    int rc;

    if (!spipe__ctx_has_lun(ctx, lun))
        return -EINVAL;
    rc = spipe__vlun_open(ctx, &ctx->s->lun[lun], &v);
    if (rc)
        return rc;
    rc = spipe__vlun_resize(ctx, v, spipe__vlun_chunks(blocks, v->held.lun->block_size));
    if (rc) {
        spipe__vlun_close_forced(ctx, v); /* SP-65, VL-38 */
        return rc;
    }
    *handle = v->held.handle;
    *last_lba = last_lba_of(v);
    return 0;
}

int spipe_open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks, uint32_t *handle,
                       uint64_t *last_lba)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_OPEN_VIRTUAL, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_OPEN_VIRTUAL,
                           spipe__open_virtual(ctx, lun, blocks, handle, last_lba));
}

/* ---- resize ---- */

int spipe__resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks, uint64_t *last_lba)
{
    struct spipe__resource *v = spipe__ctx_vlun(ctx, handle);
    uint64_t wanted;
    int rc;

    if (!v)
        return -EINVAL;
    wanted = spipe__vlun_chunks(blocks, v->held.lun->block_size);
    rc = spipe__name_before_resize(ctx->s, v, wanted);
    if (!rc)
        rc = spipe__vlun_resize(ctx, v, wanted);
    if (!rc)
        rc = spipe__name_after_resize(ctx, v);
    if (!rc)
        *last_lba = last_lba_of(v);
    return rc;
}

int spipe_resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks, uint64_t *last_lba)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_RESIZE, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_RESIZE,
                           spipe__resize(ctx, handle, blocks, last_lba));
}

/* ---- release ---- */

int spipe__release(struct spipe_ctx *ctx, uint32_t handle)
{
    struct spipe__resource *r = spipe__ctx_resource(ctx, handle);

    if (!r)
        return -EINVAL;
    if (r->kind == SPIPE_LUN_PHYSICAL) {
        spipe__direct_close(ctx, r);
        return 0;
    }
    r->name[0] = 0; /* what follows concerns the handle only; the name keeps its chunks */
    return spipe__vlun_close(ctx, r);
}

int spipe_release(struct spipe_ctx *ctx, uint32_t handle)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_RELEASE, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_RELEASE, spipe__release(ctx, handle));
}
