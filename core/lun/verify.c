/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY (SP 7.7): an application that was given sense data asks what has become of its LUN. */
#include <errno.h>

#include "core/adapter/verb.h"
#include "core/context/verbs.h"
#include "core/lun/lun_mode.h"
#include "core/lun/lun_size.h"
#include "core/mutants.h"
#include "core/vlun/vlun.h"

_Static_assert(SPIPE_SENSE_BYTES == SPIPE__SENSE_LENGTH, "what is read is what is asked for");

/* What of a handle is asked about while the context is not locked. */
struct subject {
    struct spipe__lun *lun;
    uint64_t lun_id[SPIPE__PORTS_MAX];
    unsigned ports;
};

/* ---- actions ---- */

/* Ports through which the LUN of a handle may be asked: the one that a direct handle goes through,
 * which is where its unit attention came from; any of those that a virtual LUN may use. */
static void describe(struct spipe *s, const struct spipe__resource *r, struct subject *out)
{
    struct spipe__lun *lun = r->held.lun;

    spipe__books_lock(s);
    *out = (struct subject){.lun = lun};
    out->ports = r->kind == SPIPE_LUN_PHYSICAL ? AFU_PORT_BIT(r->port) : lun->port_mask;
    memcpy(out->lun_id, lun->lun_id, sizeof out->lun_id);
    spipe__books_unlock(s);
}

/* A port that is down says nothing about the LUN if there is another. */
static int read_capacity(struct spipe *s, const struct subject *t, struct spipe__capacity *now)
{
    int rc = -ENETDOWN;

    for (unsigned p = 0; p < s->ports && rc == -ENETDOWN; p++)
        if (t->ports & AFU_PORT_BIT(p))
            rc = spipe__capacity_read(s, p, t->lun_id[p], now);
    return rc;
}

/* Whatever goes wrong is -ENODEV, also that the device counts in other blocks now. */
static int check_capacity(struct spipe *s, const struct subject *t)
{
    struct spipe__capacity now;
    int rc;

    if (read_capacity(s, t, &now))
        return -ENODEV;
    spipe__books_lock(s);
    rc = spipe__lun_set_capacity(s, t->lun->global, &now);
    spipe__books_unlock(s);
    spipe__lun_move_end(s, t->lun->global);
    return rc ? -ENODEV : 0;
}

/* LUNs that are found now may carry names. */
static int rescan(struct spipe *s)
{
    unsigned unfit;
    int rc = spipe__discover_luns(s, (struct spipe__why){0});

    if (rc)
        return rc == -ENOMEM ? rc : -ENODEV;
    spipe__books_lock(s);
    unfit = s->luns_unfit;
    spipe__books_unlock(s);
    return unfit ? -EIO : 0;
}

/* SP-86. */
static int act_on(struct spipe *s, const struct subject *t, struct spipe__sense sense)
{
    if (sense.key <= SPIPE__KEY_NOT_READY)
        return spipe__mutant(SPW_1); /* SPW-1: not 1 */
    if (sense.key != SPIPE__KEY_UNIT_ATTENTION)
        return -EIO;
    switch (sense.asc) {
    case SPIPE__ASC_RESET:
    case SPIPE__ASC_PARAMETERS_CHANGED:
        return check_capacity(s, t);
    case SPIPE__ASC_TARGET_CHANGED:
        return rescan(s);
    default:
        return -EIO;
    }
}

/* ---- the verb ---- */

/* SP-87. */
static uint64_t last_lba_of(struct spipe *s, const struct spipe__resource *r)
{
    const struct spipe__lun *lun = r->held.lun;
    uint64_t last;

    spipe__books_lock(s);
    last = r->kind == SPIPE_LUN_PHYSICAL ? lun->global->last_lba
                                         : spipe__vlun_last_lba(r->size, lun->global->block_size);
    spipe__books_unlock(s);
    return last;
}

/* The device may take its time: nobody waits for this context or for the gate meanwhile (SP-26,
 * SP-84, SP-103), and nobody finds the context unavailable (SP-166). */
static int evaluate(struct spipe_ctx *ctx, const struct spipe__resource *r,
                    struct spipe__sense sense)
{
    struct subject t;
    int rc, resumed;

    describe(ctx->s, r, &t);
    spipe__verb_pause(ctx);
    rc = act_on(ctx->s, &t, sense);
    resumed = spipe__verb_resume(ctx);
    return resumed ? resumed : rc;
}

int spipe__verify(struct spipe_ctx *ctx, uint32_t handle, const uint8_t *bytes, uint64_t *last_lba)
{
    const struct spipe__resource *r = spipe__ctx_resource(ctx, handle);
    struct spipe__sense sense;
    uint64_t lineage;
    int rc = 0;

    if (ctx->errored || !r)
        return -EINVAL;
    if (bytes && !spipe__sense_read(bytes, &sense))
        return -EINVAL;
    lineage = r->lineage;
    if (bytes)
        rc = evaluate(ctx, r, sense);
    if (rc)
        return rc;
    r = spipe__ctx_resource(ctx, handle);
    if (!r || r->lineage != lineage)
        return -EINVAL; /* closed by another thread meanwhile */
    *last_lba = last_lba_of(ctx->s, r);
    return 0;
}

int spipe_verify(struct spipe_ctx *ctx, uint32_t handle, const uint8_t *sense, uint64_t *last_lba)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_VERIFY, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    return spipe__verb_end_on(ctx, SPIPE__VERB_VERIFY, spipe__verify(ctx, handle, sense, last_lba));
}
