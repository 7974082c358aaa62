/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter/verb.h"

#include <errno.h>

static void announce(struct spipe *s, enum spipe__verb verb, uint64_t context)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_BEGIN, verb, context);
}

static void announce_end(struct spipe *s, enum spipe__verb verb, int rc)
{
    hal_note(s->dev, HAL_NOTE_REQUEST_END, verb, (uint64_t)(int64_t)rc);
}

int spipe__verb_begin(struct spipe *s, enum spipe__verb verb, enum spipe__admission admission)
{
    int rc = spipe__gate_enter(&s->gate, admission);

    if (!rc)
        announce(s, verb, SPIPE__NO_CONTEXT);
    return rc;
}

void spipe__verb_begin_always(struct spipe *s, enum spipe__verb verb, uint64_t context)
{
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);

    (void)rc; /* it lets everybody in */
    announce(s, verb, context);
}

void spipe__request_over(struct spipe *s)
{
    exec_forget_interrupt(s->exec);
    spipe__events_deliver(s);
}

int spipe__verb_end(struct spipe *s, enum spipe__verb verb, int rc)
{
    announce_end(s, verb, rc);
    spipe__gate_leave(&s->gate);
    spipe__request_over(s);
    return rc;
}

int spipe__verb_begin_on(struct spipe_ctx *ctx, enum spipe__verb verb,
                         enum spipe__admission admission)
{
    struct spipe *s = ctx->s;
    int rc = spipe__gate_enter(&s->gate, admission);

    if (rc)
        return rc;
    if (!spipe__ctx_enter(ctx)) {
        spipe__gate_leave(&s->gate);
        return -EINVAL;
    }
    announce(s, verb, ctx->number);
    return 0;
}

int spipe__verb_end_on(struct spipe_ctx *ctx, enum spipe__verb verb, int rc)
{
    struct spipe *s = ctx->s; /* ctx may be gone afterwards */

    spipe__ctx_leave(ctx);
    return spipe__verb_end(s, verb, rc);
}

void spipe__verb_pause(struct spipe_ctx *ctx)
{
    spipe__ctx_pause(ctx);
    spipe__gate_leave(&ctx->s->gate);
}

int spipe__verb_resume(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    int rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);

    if (!rc)
        rc = spipe__gate_pass(&s->gate, SPIPE__ADMIT_NORMAL);
    if ((!spipe__ctx_resume(ctx) || ctx->errored) && !rc)
        rc = -EINVAL;
    return rc;
}
