/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY (SP 7.7): an application that was given sense data asks what has become of its LUN. */
#include <errno.h>

#include "core/lun_mode.h"
#include "core/lun_size.h"
#include "core/verb.h"
#include "core/verbs.h"
#include "core/vlun.h"

_Static_assert(SPIPE_SENSE_BYTES == SPIPE__SENSE_LENGTH, "what is read is what is asked for");

/* ---- actions ---- */

/* Ports through which the LUN of a handle may be asked: the one that a direct handle goes through,
 * which is where its unit attention came from; any of those that a virtual LUN may use. */
static unsigned ports_of(const struct spipe__resource *r)
{
    return r->kind == SPIPE_LUN_PHYSICAL ? AFU_PORT_BIT(r->port) : r->held.lun->port_mask;
}

/* A port that is down says nothing about the LUN if there is another. */
static int read_capacity(struct spipe *s, const struct spipe__resource *r,
                         struct spipe__capacity *now)
{
    unsigned ports = ports_of(r);
    int rc = -ENETDOWN;

    for (unsigned p = 0; p < s->ports && rc == -ENETDOWN; p++)
        if (ports & AFU_PORT_BIT(p))
            rc = spipe__capacity_read(s, p, r->held.lun->lun_id[p], now);
    return rc;
}

/* Whatever goes wrong is -ENODEV, also that the device counts in other blocks now. */
static int check_capacity(struct spipe *s, const struct spipe__resource *r)
{
    struct spipe__capacity now;

    if (read_capacity(s, r, &now) || spipe__lun_set_capacity(s, r->held.lun, &now))
        return -ENODEV;
    return 0;
}

/* LUNs that are found now may carry names. */
static int rescan(struct spipe *s)
{
    if (spipe__discover_luns(s, (struct spipe__why){0}))
        return -ENODEV;
    return spipe__lun_start(s) ? -EIO : 0;
}

/* SP-86. */
static int act_on(struct spipe *s, const struct spipe__resource *r, struct spipe__sense sense)
{
    if (sense.key <= SPIPE__KEY_NOT_READY)
        return 0; /* SPW-1: not 1 */
    if (sense.key != SPIPE__KEY_UNIT_ATTENTION)
        return -EIO;
    switch (sense.asc) {
    case SPIPE__ASC_RESET:
    case SPIPE__ASC_PARAMETERS_CHANGED:
        return check_capacity(s, r);
    case SPIPE__ASC_TARGET_CHANGED:
        return rescan(s);
    default:
        return -EIO;
    }
}

/* ---- the verb ---- */

/* SP-87. */
static uint64_t last_lba_of(const struct spipe__resource *r)
{
    const struct spipe__lun *lun = r->held.lun;

    return r->kind == SPIPE_LUN_PHYSICAL ? lun->last_lba
                                         : spipe__vlun_last_lba(r->size, lun->block_size);
}

int spipe__verify(struct spipe_ctx *ctx, uint32_t handle, const uint8_t *bytes, uint64_t *last_lba)
{
    const struct spipe__resource *r = spipe__ctx_resource(ctx, handle);
    struct spipe__sense sense;
    int rc = 0;

    if (ctx->errored || !r)
        return -EINVAL;
    if (bytes && !spipe__sense_read(bytes, &sense))
        return -EINVAL;
    if (bytes)
        rc = act_on(ctx->s, r, sense);
    if (!rc)
        *last_lba = last_lba_of(r);
    return rc;
}

int spipe_verify(struct spipe_ctx *ctx, uint32_t handle, const uint8_t *sense, uint64_t *last_lba)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_VERIFY, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_VERIFY, spipe__verify(ctx, handle, sense, last_lba));
}
