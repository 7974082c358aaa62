/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context/recover.h"

#include <errno.h>

#include "core/adapter/pause.h"
#include "core/adapter/silence.h"
#include "core/adapter/verb.h"
#include "core/context/adapter_file.h"
#include "core/context/context.h"
#include "core/mutants.h"
#include "core/vlun/quarantine.h"
#include "core/vlun/resource.h"
#include "hal/support/check.h"

#define RETRY_PAUSE (100 * SPIPE__MILLISECOND) /* SP-97 */

enum { TRIES = 20 }; /* SP-97 */

/* ---- turns (SP-89) ---- */

/* Outside the gate. */
static int take_turn(struct spipe *s)
{
    struct spipe__recovery *r = &s->recovery;
    int rc = 0;

    exec_mutex_lock(s->exec, &s->gate.lock);
    while (r->taken && !rc)
        rc = exec_cond_wait(s->exec, &r->free, &s->gate.lock, EXEC_FOREVER, true);
    if (!rc)
        r->taken = true;
    exec_mutex_unlock(s->exec, &s->gate.lock);
    return rc;
}

static void give_turn(struct spipe *s, bool progress)
{
    exec_mutex_lock(s->exec, &s->gate.lock);
    CHECK(s->recovery.taken);
    s->recovery.taken = false;
    s->recovery.progress += progress;
    exec_cond_broadcast(s->exec, &s->recovery.free);
    exec_mutex_unlock(s->exec, &s->gate.lock);
}

/* Grows when anybody recovers something, and when the adapter is initialised. */
static uint64_t progress_of(struct spipe *s)
{
    uint64_t progress;

    exec_mutex_lock(s->exec, &s->gate.lock);
    progress = s->recovery.progress;
    exec_mutex_unlock(s->exec, &s->gate.lock);
    return progress + spipe__generation(s);
}

/* Leaves the gate for a while, and looks at the state afterwards. */
static int pause_outside(struct spipe *s, uint64_t time)
{
    int rc;

    spipe__gate_leave(&s->gate);
    spipe__pause(s->exec, time);
    rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);
    return rc ? rc : spipe__gate_pass(&s->gate, SPIPE__ADMIT_NORMAL);
}

static int await_turn(struct spipe *s)
{
    int rc, entered;

    if (!spipe__mutant(SPW_13))
        spipe__gate_leave(&s->gate);
    rc = take_turn(s);
    if (spipe__mutant(SPW_13))
        spipe__gate_leave(&s->gate);
    entered = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);
    (void)entered; /* it lets everybody in */
    if (rc && spipe__mutant(SPW_14))
        give_turn(s, false);
    if (rc)
        return rc;
    rc = spipe__gate_pass(&s->gate, SPIPE__ADMIT_NORMAL);
    if (rc)
        give_turn(s, false);
    return rc;
}

/* ---- one context ---- */

/* The AFU knows the handles by the new number. What was withdrawn from the old one it has
 * forgotten. */
static void move_handles(struct spipe_ctx *ctx)
{
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++) {
        struct spipe__resource *r = ctx->resource[i];

        if (!r)
            continue;
        spipe__quarantine_release(ctx->s, &r->held);
        r->held.context = ctx->number;
    }
}

/* SP-93, SP-94. The hardware context that was lost belongs to the old file, if there is one. */
static int revive(struct spipe_ctx *ctx, struct spipe__file *file)
{
    struct hal_ctx *lost = ctx->hal, *hal;
    uint16_t before = ctx->number;
    int rc = spipe__ctx_register(ctx, &hal);

    if (rc)
        return rc;
    spipe__ctx_bind(ctx, hal, ctx->cookie >> 32);
    spipe__event(ctx->s, CONTEXT_RECOVERED, before, ctx->number);
    move_handles(ctx);
    if (file)
        spipe__file_open(ctx, file);
    else
        spipe__ctx_stop(lost);
    return 0;
}

/* Nothing is left of an attempt that fails (SP-98). */
static int revive_with_file(struct spipe_ctx *ctx)
{
    struct spipe__file *file = NULL;
    int rc;

    if (ctx->queued && ctx->in_flight)
        return -EBUSY;
    if (ctx->file && !(file = spipe__file_alloc(ctx->s)))
        return -ENODEV; /* SP-93 */
    rc = revive(ctx, file);
    if (rc && file)
        spipe__file_free(ctx->s, file);
    return rc;
}

enum { SILENT = 1 }; /* the adapter does not answer, and nobody has said why */

static int recover_entered(struct spipe_ctx *ctx, bool *recovered)
{
    int rc;

    if (!ctx->errored)
        return spipe__is_silent(ctx->s) ? SILENT : 0; /* SP-91 */
    rc = revive_with_file(ctx);
    *recovered = rc == 0;
    return rc;
}

/* With the turn. */
static int attempt(spipe__recover_find *find, const void *arg, struct spipe_ctx **out)
{
    struct spipe_ctx *ctx = find(arg);
    bool recovered = false;
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = recover_entered(ctx, &recovered);
    if (recovered)
        *out = ctx;
    else
        spipe__ctx_leave(ctx);
    return rc;
}

/* ---- as long as it takes ---- */

struct patience {
    unsigned tries;
    uint64_t progress; /* of others, when they were counted last */
};

static bool exhausted(struct spipe *s, struct patience *p)
{
    uint64_t now = progress_of(s);

    if (now != p->progress)
        *p = (struct patience){.progress = now};
    return ++p->tries >= TRIES;
}

/* Waits before the next attempt; a negative result is final. */
static int wait_for(struct spipe *s, int rc, struct patience *p)
{
    if ((rc != SILENT && rc != -ENODEV) || exhausted(s, p))
        return rc == SILENT ? -ENODEV : rc;
    return pause_outside(s, rc == SILENT ? SPIPE__PLATFORM_PAUSE : RETRY_PAUSE); /* SP-92, SP-97 */
}

int spipe__recover(struct spipe *s, spipe__recover_find *find, const void *arg,
                   struct spipe_ctx **out)
{
    struct patience p = {.progress = progress_of(s)};
    int rc = 0, waited = 0;

    *out = NULL;
    while (!waited) {
        rc = await_turn(s);
        if (rc)
            return rc;
        rc = attempt(find, arg, out);
        give_turn(s, *out != NULL);
        if (rc == 0)
            return 0;
        waited = wait_for(s, rc, &p);
    }
    return waited;
}

/* ---- the verb ---- */

static struct spipe_ctx *enter(const void *arg)
{
    struct spipe_ctx *ctx = *(struct spipe_ctx *const *)arg;

    return spipe__ctx_enter(ctx) ? ctx : NULL;
}

int spipe_recover(struct spipe_ctx *ctx, bool *recovered)
{
    struct spipe *s = ctx->s;
    struct spipe_ctx *found;
    int rc = spipe__verb_begin(s, SPIPE__VERB_RECOVER, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    rc = spipe__recover(s, enter, &ctx, &found);
    if (!rc)
        *recovered = found != NULL;
    if (found)
        spipe__ctx_leave(found);
    return spipe__verb_end(s, SPIPE__VERB_RECOVER, rc);
}
