/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context/client.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"
#include "core/context/adapter_file.h"
#include "core/vlun/handle.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* ---- clients ---- */

static void adopt(struct spipe_client *parent, struct spipe_client *c)
{
    c->parent = parent;
    c->sibling = parent->children;
    parent->children = c;
}

/* The children go on without it, and nobody can take its place (SP-178). */
static void leave_family(struct spipe_client *c)
{
    struct spipe_client **link;

    for (struct spipe_client *child = c->children; child; child = child->sibling)
        child->parent = NULL;
    if (!c->parent)
        return;
    for (link = &c->parent->children; *link != c; link = &(*link)->sibling)
        continue;
    *link = c->sibling;
}

static int create(struct spipe *s, struct spipe_client *parent, const char *name,
                  struct spipe_client **out)
{
    struct spipe_client *c = exec_alloc(s->exec, sizeof *c, _Alignof(struct spipe_client));

    if (!c)
        return -ENOMEM;
    c->s = s;
    strncpy(c->name, name ? name : "", sizeof c->name - 1); /* the rest is 0 already */
    spipe__books_lock(s);
    s->clients++;
    if (parent)
        adopt(parent, c);
    spipe__books_unlock(s);
    *out = c;
    return 0;
}

int spipe_client_create(struct spipe *s, const char *name, struct spipe_client **out)
{
    return create(s, NULL, name, out);
}

int spipe_client_fork(struct spipe_client *parent, const char *name, struct spipe_client **out)
{
    return create(parent->s, parent, name, out);
}

/* ---- attach ---- */

/* SP-16. Blocks are shifted, not multiplied, on the data path. From here on nobody can disable it
 * (SP-127). */
static int take_lun(struct spipe *s, unsigned lun)
{
    int rc = -EINVAL;

    spipe__books_lock(s);
    if (lun < s->lun_count && s->lun[lun].port_mask &&
        hal_is_power_of_2(s->lun[lun].global->block_size)) {
        s->lun[lun].attached++;
        rc = 0;
    }
    spipe__books_unlock(s);
    return rc;
}

static void give_lun_back(struct spipe *s, unsigned lun)
{
    spipe__books_lock(s);
    CHECK(s->lun[lun].attached > 0);
    s->lun[lun].attached--;
    spipe__books_unlock(s);
}

int spipe__attach(struct spipe_client *c, unsigned lun, const struct spipe__ctx_setup *setup,
                  struct spipe_ctx **out)
{
    int rc = take_lun(c->s, lun);

    if (rc)
        return rc;
    rc = spipe__ctx_create(c, setup, lun, out);
    if (rc)
        give_lun_back(c->s, lun);
    return rc;
}

static int attach(struct spipe_client *c, unsigned lun, const struct spipe_attach_options *options,
                  struct spipe_ctx **out)
{
    static const struct spipe_attach_options none = {.size = sizeof none};
    struct spipe__ctx_setup setup = spipe__ctx_setup_of(options ? options : &none);

    return setup.options->size == sizeof none ? spipe__attach(c, lun, &setup, out) : -EINVAL;
}

int spipe_attach(struct spipe_client *c, unsigned lun, const struct spipe_attach_options *options,
                 struct spipe_ctx **out)
{
    struct spipe_ctx *ctx;
    int rc = spipe__verb_begin(c->s, SPIPE__VERB_ATTACH, SPIPE__ADMIT_NORMAL);

    if (rc)
        return rc;
    rc = attach(c, lun, options, &ctx);
    if (!rc) {
        *out = ctx;
        spipe__ctx_leave(ctx);
    }
    return spipe__verb_end(c->s, SPIPE__VERB_ATTACH, rc);
}

int spipe__attach_lun(struct spipe_ctx *ctx, unsigned lun)
{
    if (spipe__ctx_has_lun(ctx, lun) || ctx->errored || take_lun(ctx->s, lun))
        return -EINVAL;                       /* SP-39, SP-160 */
    ctx->luns[lun / 64] |= HAL_BIT(lun % 64); /* SP-41: no AFU access */
    ctx->lun_count++;
    return 0;
}

int spipe_attach_lun(struct spipe_ctx *ctx, unsigned lun)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_ATTACH, SPIPE__ADMIT_NORMAL);

    return rc ? rc : spipe__verb_end_on(ctx, SPIPE__VERB_ATTACH, spipe__attach_lun(ctx, lun));
}

/* ---- detach ---- */

/* SP-75: ascending. */
static void close_handles_on(struct spipe_ctx *ctx, const struct spipe__lun *lun)
{
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        if (ctx->resource[i] && ctx->resource[i]->held.lun == lun)
            spipe__handle_close(ctx, ctx->resource[i]);
}

void spipe__detach(struct spipe_ctx *ctx, unsigned lun)
{
    close_handles_on(ctx, &ctx->s->lun[lun]);
    ctx->luns[lun / 64] &= ~HAL_BIT(lun % 64);
    give_lun_back(ctx->s, lun);
    if (--ctx->lun_count == 0)
        spipe__ctx_end(ctx);
}

static int detach(struct spipe_ctx *ctx, unsigned lun)
{
    if (!spipe__ctx_has_lun(ctx, lun))
        return -EINVAL;
    spipe__detach(ctx, lun);
    return 0;
}

int spipe_detach(struct spipe_ctx *ctx, unsigned lun)
{
    int rc = spipe__verb_begin_on(ctx, SPIPE__VERB_DETACH, SPIPE__ADMIT_CLEANUP);

    return rc ? rc : spipe__verb_end_on(ctx, SPIPE__VERB_DETACH, detach(ctx, lun));
}

/* The lowest LUN that is attached; there is one. */
static unsigned first_lun(const struct spipe_ctx *ctx)
{
    unsigned w = 0;

    while (!ctx->luns[w])
        w++;
    return w * 64 + hal_lowest_bit(ctx->luns[w]);
}

void spipe__detach_all(struct spipe_ctx *ctx)
{
    for (unsigned left = ctx->lun_count; left > 0; left--)
        spipe__detach(ctx, first_lun(ctx));
}

/* ---- the end ---- */

/* A context that the client has, pinned; NULL without any. */
static struct spipe_ctx *pin_any(struct spipe_client *c)
{
    struct spipe_ctx *ctx;

    spipe__books_lock(c->s);
    ctx = c->contexts;
    if (ctx)
        ctx->pins++;
    spipe__books_unlock(c->s);
    return ctx;
}

static void end_contexts(struct spipe_client *c)
{
    struct spipe_ctx *ctx;

    while ((ctx = pin_any(c)) != NULL)
        if (spipe__ctx_enter_pinned(ctx)) {
            spipe__detach_all(ctx);
            spipe__ctx_leave(ctx);
        }
}

static void leave(struct spipe_client *c)
{
    struct spipe *s = c->s;

    spipe__books_lock(s);
    leave_family(c);
    CHECK(s->clients > 0);
    s->clients--;
    spipe__books_unlock(s);
}

void spipe_client_destroy(struct spipe_client *c)
{
    struct spipe *s = c->s;

    spipe__verb_begin_always(s, SPIPE__VERB_CLIENT_DESTROY, SPIPE__NO_CONTEXT);
    end_contexts(c);
    spipe__file_close_all(c);
    leave(c);
    (void)spipe__verb_end(s, SPIPE__VERB_CLIENT_DESTROY, 0);
    exec_free(s->exec, c, sizeof *c);
}
