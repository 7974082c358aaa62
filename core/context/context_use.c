/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a context: pins, the lock, and finding one by its cookie or by going through all. */
#include "core/context/client.h"
#include "core/context/context_internal.h"
#include "core/mutants.h"
#include "hal/support/check.h"

static void unlink_from_all(struct spipe *s, struct spipe_ctx *ctx)
{
    if (ctx->all_next)
        ctx->all_next->all_previous = ctx->all_previous;
    else
        s->all_last = ctx->all_previous;
    if (ctx->all_previous)
        ctx->all_previous->all_next = ctx->all_next;
    else
        s->all = ctx->all_next;
}

static void unpin(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    bool last;

    spipe__books_lock(s);
    CHECK(ctx->pins > 0);
    last = --ctx->pins == 0 && ctx->ended;
    if (last)
        unlink_from_all(s, ctx);
    spipe__books_unlock(s);
    if (last)
        spipe__ctx_free(ctx);
}

static bool enter_pinned(struct spipe_ctx *ctx, bool second)
{
    struct exec *exec = ctx->s->exec;

    if (second)
        exec_mutex_lock_second(exec, &ctx->lock);
    else
        exec_mutex_lock(exec, &ctx->lock);
    if (!ctx->ended)
        return true;
    spipe__ctx_leave(ctx);
    return false;
}

bool spipe__ctx_enter_pinned(struct spipe_ctx *ctx) { return enter_pinned(ctx, false); }

static void pin(struct spipe_ctx *ctx)
{
    spipe__books_lock(ctx->s);
    ctx->pins++;
    spipe__books_unlock(ctx->s);
}

bool spipe__ctx_enter(struct spipe_ctx *ctx)
{
    pin(ctx);
    return enter_pinned(ctx, false);
}

bool spipe__ctx_enter_second(struct spipe_ctx *ctx)
{
    pin(ctx);
    return enter_pinned(ctx, true);
}

/* With the books locked. A lost context is in no table. */
static struct spipe_ctx *look_up(struct spipe_client *owner, uint64_t cookie)
{
    struct spipe_ctx *ctx = spipe__mutant(SPW_25) ? owner->s->all : owner->contexts;

    while (ctx && ctx->cookie != cookie)
        ctx = spipe__mutant(SPW_25) ? ctx->all_next : ctx->next;
    if (ctx)
        ctx->pins++;
    return ctx;
}

/* A context that look_up() has pinned, or NULL. */
static struct spipe_ctx *enter_found(struct spipe_ctx *ctx, uint64_t cookie, bool lost_too,
                                     bool second)
{
    if (!ctx || !enter_pinned(ctx, second))
        return NULL;
    if (ctx->cookie == cookie && (lost_too || !ctx->errored))
        return ctx;
    spipe__ctx_leave(ctx); /* lost, or recovered under another number meanwhile */
    return NULL;
}

struct spipe_ctx *spipe__ctx_find(struct spipe_client *owner, uint64_t cookie, bool lost_too,
                                  bool second)
{
    struct spipe_ctx *ctx;

    spipe__books_lock(owner->s);
    ctx = look_up(owner, cookie);
    spipe__books_unlock(owner->s);
    return enter_found(ctx, cookie, lost_too, second);
}

struct spipe_ctx *spipe__ctx_find_of_parent(struct spipe_client *child, uint64_t cookie)
{
    struct spipe_ctx *ctx;

    /* The parent may go as soon as the books are unlocked; what is pinned stays. */
    spipe__books_lock(child->s);
    ctx = child->parent ? look_up(child->parent, cookie) : NULL;
    spipe__books_unlock(child->s);
    return enter_found(ctx, cookie, false, false);
}

void spipe__ctx_leave(struct spipe_ctx *ctx)
{
    exec_mutex_unlock(ctx->s->exec, &ctx->lock);
    unpin(ctx);
}

void spipe__ctx_pause(struct spipe_ctx *ctx) { exec_mutex_unlock(ctx->s->exec, &ctx->lock); }

bool spipe__ctx_resume(struct spipe_ctx *ctx)
{
    exec_mutex_lock(ctx->s->exec, &ctx->lock);
    return !ctx->ended;
}

struct spipe_ctx *spipe__ctx_next(struct spipe *s, struct spipe_ctx *ctx)
{
    struct spipe_ctx *next;

    spipe__books_lock(s);
    next = ctx ? ctx->all_next : s->all;
    if (next)
        next->pins++;
    spipe__books_unlock(s);
    if (ctx)
        unpin(ctx);
    return next;
}
