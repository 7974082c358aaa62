/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of handles: USER_DIRECT, USER_VIRTUAL, VLUN_RESIZE, RELEASE (SP 7.2..7.5). */
#include "core/context/verbs.h"

#include <errno.h>

#include "core/adapter/verb.h"
#include "core/catalogue/name_binding.h"
#include "core/lun/lun_clean.h"
#include "core/lun/lun_mode.h"
#include "core/mutants.h"
#include "core/port/port_link.h"
#include "core/vlun/direct.h"
#include "core/vlun/vlun.h"
#include "hal/support/bits.h"

static uint64_t last_lba_of(const struct spipe__resource *v)
{
    return spipe__vlun_last_lba(v->size, v->held.lun->global->block_size);
}

/* ---- once more ---- */

/* Frees what is quarantined or dirty. False: the adapter, or the context, is not what it was. */
static bool clean(struct spipe_ctx *ctx, struct spipe__lun *lun)
{
    bool passed;

    spipe__ctx_pause(ctx);
    spipe__lun_clean(ctx->s, lun);
    passed = !spipe__gate_pass(&ctx->s->gate, SPIPE__ADMIT_CLEANUP);
    return spipe__ctx_resume(ctx) && passed;
}

/* Whether it is worth a second try: what was in the way is not there any more, whoever has seen to
 * that. The context may have ended or been lost, and its handles closed, when this returns true. */
static bool worth_repeating(struct spipe_ctx *ctx, struct spipe__lun *lun, int rc)
{
    struct spipe *s = ctx->s;

    if (rc != -ENOSPC && rc != -EBUSY)
        return false;
    if (spipe__lun_holds(s, (unsigned)(lun - s->lun)) && !clean(ctx, lun))
        return false;
    return rc == -ENOSPC ? spipe__lun_has_space(s, lun)
                         : !spipe__lun_holds(s, (unsigned)(lun - s->lun));
}

/* A LUN that is in the other mode is that, whatever keeps it there. */
static int final(int rc) { return rc == -EBUSY ? -EINVAL : rc; }

/* ---- open direct ---- */

static unsigned any_port(struct spipe *s, unsigned ports)
{
    for (unsigned p = 0; p < s->ports; p++)
        if (ports & AFU_PORT_BIT(p) && spipe__link_state(s, p) == SPIPE__LINK_ONLINE)
            return p;
    return ports ? hal_lowest_bit(ports) : SPIPE__PORTS_MAX;
}

/* What an open, or the last_lba of one, needs to know of a LUN. */
static unsigned look_at_lun(struct spipe *s, unsigned lun, uint64_t *last_lba)
{
    unsigned ports;

    spipe__books_lock(s);
    ports = s->lun[lun].port_mask;
    *last_lba = s->lun[lun].global->last_lba;
    spipe__books_unlock(s);
    return ports;
}

static int open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port, uint32_t *handle,
                       uint64_t *last_lba)
{
    struct spipe *s = ctx->s;
    struct spipe__resource *d;
    uint64_t last;
    unsigned ports;
    int rc;

    if (!spipe__ctx_has_lun(ctx, lun) || ctx->errored)
        return -EINVAL;
    ports = look_at_lun(s, lun, &last);
    if (port == SPIPE_PORT_ANY)
        port = any_port(s, ports);
    if (port >= s->ports || !(ports & AFU_PORT_BIT(port)))
        return -EINVAL;
    rc = spipe__direct_open(ctx, &s->lun[lun], port, &d);
    if (rc)
        return rc;
    *handle = d->held.handle;
    *last_lba = last;
    return 0;
}

int spipe__open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port, uint32_t *handle,
                       uint64_t *last_lba)
{
    int rc = open_direct(ctx, lun, port, handle, last_lba);

    if (worth_repeating(ctx, &ctx->s->lun[lun % SPIPE__LUNS_MAX], rc))
        rc = open_direct(ctx, lun, port, handle, last_lba);
    return final(rc);
}

int spipe_open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port, uint32_t *handle,
                      uint64_t *last_lba)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_OPEN_DIRECT, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    return spipe__verb_end_on(ctx, SPIPE__VERB_OPEN_DIRECT,
                              spipe__open_direct(ctx, lun, port, handle, last_lba));
}

/* ---- open virtual ---- */

static int open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks, bool wipe,
                        uint32_t *handle, uint64_t *last_lba)
{
    bool always = ctx->s->wipe_always && !spipe__mutant(VLW_17);
    struct spipe__resource *v;
    int rc;

    if (!spipe__ctx_has_lun(ctx, lun) || ctx->errored)
        return -EINVAL;
    rc = spipe__vlun_open(ctx, &ctx->s->lun[lun], wipe || always, &v);
    if (rc)
        return rc;
    rc = spipe__vlun_resize(ctx, v, spipe__vlun_chunks(blocks, v->held.lun->global->block_size));
    if (rc) {
        if (!spipe__mutant(VLW_8))
            spipe__vlun_close_forced(ctx, v); /* SP-65, VL-38 */
        return rc;
    }
    *handle = v->held.handle;
    *last_lba = last_lba_of(v);
    return 0;
}

int spipe__open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks, bool wipe,
                        uint32_t *handle, uint64_t *last_lba)
{
    int rc = open_virtual(ctx, lun, blocks, wipe, handle, last_lba);

    if (worth_repeating(ctx, &ctx->s->lun[lun % SPIPE__LUNS_MAX], rc))
        rc = open_virtual(ctx, lun, blocks, wipe, handle, last_lba);
    return final(rc);
}

int spipe_open_virtual_with(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks,
                            const struct spipe_open_options *options, uint32_t *handle,
                            uint64_t *last_lba)
{
    static const struct spipe_open_options none = {.size = sizeof none};
    int rc;

    options = options ? options : &none;
    if (options->size != sizeof none)
        return -EINVAL;
    rc = spipe__verb_begin_on(ctx, SPIPE__VERB_OPEN_VIRTUAL, SPIPE__ADMIT_NORMAL);
    if (rc)
        return rc;
    return spipe__verb_end_on(
        ctx, SPIPE__VERB_OPEN_VIRTUAL,
        spipe__open_virtual(ctx, lun, blocks, options->wipe, handle, last_lba));
}

int spipe_open_virtual(struct spipe_ctx *ctx, unsigned lun, uint64_t blocks, uint32_t *handle,
                       uint64_t *last_lba)
{
    return spipe_open_virtual_with(ctx, lun, blocks, NULL, handle, last_lba);
}

/* ---- resize ---- */

/* SP-164, R-44: an adapter that failed hands nothing out. */
static bool may_grow(struct spipe *s) { return spipe__gate_state(&s->gate) != SPIPE_STATE_FAILED; }

static int resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks, uint64_t *last_lba)
{
    struct spipe__resource *v = spipe__ctx_vlun(ctx, handle);
    struct spipe__name_change change;
    uint64_t wanted;
    int rc;

    if (!v)
        return -EINVAL;
    wanted = spipe__vlun_chunks(blocks, v->held.lun->global->block_size);
    if (wanted > v->size && !may_grow(ctx->s))
        return -ENODEV;
    rc = spipe__name_before_resize(ctx->s, v, wanted, &change);
    if (!rc)
        rc = spipe__vlun_resize(ctx, v, wanted);
    if (!rc)
        rc = spipe__name_after_resize(ctx, v, &change);
    if (!rc)
        *last_lba = last_lba_of(v);
    return rc;
}

int spipe__resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks, uint64_t *last_lba)
{
    const struct spipe__resource *v = spipe__ctx_vlun(ctx, handle);
    int rc = resize(ctx, handle, blocks, last_lba);

    if (v && worth_repeating(ctx, v->held.lun, rc))
        rc = resize(ctx, handle, blocks, last_lba);
    return rc;
}

int spipe_resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t blocks, uint64_t *last_lba)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_RESIZE, SPIPE__ADMIT_CLEANUP);

    if (rc)
        return rc;
    return spipe__verb_end_on(ctx, SPIPE__VERB_RESIZE,
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
    /* What follows concerns the handle only; the name keeps its chunks. */
    spipe__name_unbind(ctx->s, r);
    return spipe__vlun_close(ctx, r);
}

int spipe_release(struct spipe_ctx *ctx, uint32_t handle)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_RELEASE, SPIPE__ADMIT_CLEANUP);

    return rc ? rc : spipe__verb_end_on(ctx, SPIPE__VERB_RELEASE, spipe__release(ctx, handle));
}
