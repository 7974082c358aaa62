/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"

#include <errno.h>
#include <string.h>

#include "core/adapter_file.h"
#include "core/handle.h"
#include "core/verb.h"
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
    exec_mutex_lock(s->exec, &s->control);
    s->clients++;
    if (parent)
        adopt(parent, c);
    exec_mutex_unlock(s->exec, &s->control);
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

static void link_context(struct spipe_client *c, struct spipe_ctx *ctx)
{
    ctx->client = c;
    ctx->next = c->contexts;
    c->contexts = ctx;
}

static void unlink_context(struct spipe_ctx *ctx)
{
    struct spipe_ctx **link = &ctx->client->contexts;

    while (*link != ctx)
        link = &(*link)->next;
    *link = ctx->next;
}

/* SP-16. Blocks are shifted, not multiplied, on the data path. */
static bool lun_usable(const struct spipe *s, unsigned lun)
{
    return lun < s->lun_count && s->lun[lun].port_mask && hal_is_power_of_2(s->lun[lun].block_size);
}

static void add_lun(struct spipe_ctx *ctx, unsigned lun)
{
    ctx->luns[lun / 64] |= HAL_BIT(lun % 64);
    ctx->lun_count++;
}

int spipe__attach(struct spipe_client *c, unsigned lun, const struct spipe__ctx_setup *setup,
                  struct spipe_ctx **out)
{
    struct spipe_ctx *ctx;
    int rc;

    if (!lun_usable(c->s, lun))
        return -EINVAL;
    rc = spipe__ctx_create(c->s, setup, &ctx);
    if (rc)
        return rc;
    link_context(c, ctx);
    add_lun(ctx, lun);
    *out = ctx;
    return 0;
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
    spipe__verb_begin(c->s, SPIPE__VERB_ATTACH, SPIPE__NO_CONTEXT);
    return spipe__verb_end(c->s, SPIPE__VERB_ATTACH, attach(c, lun, options, out));
}

int spipe__attach_lun(struct spipe_ctx *ctx, unsigned lun)
{
    if (!lun_usable(ctx->s, lun) || spipe__ctx_has_lun(ctx, lun))
        return -EINVAL; /* SP-39 */
    add_lun(ctx, lun);  /* SP-41: no AFU access */
    return 0;
}

int spipe_attach_lun(struct spipe_ctx *ctx, unsigned lun)
{
    spipe__verb_begin(ctx->s, SPIPE__VERB_ATTACH, ctx->number);
    return spipe__verb_end(ctx->s, SPIPE__VERB_ATTACH, spipe__attach_lun(ctx, lun));
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
    if (--ctx->lun_count > 0)
        return;
    if (ctx->file)
        spipe__file_orphan(ctx->file);
    unlink_context(ctx);
    spipe__ctx_destroy(ctx);
}

int spipe_detach(struct spipe_ctx *ctx, unsigned lun)
{
    struct spipe *s = ctx->s; /* ctx may be gone afterwards */
    int rc = -EINVAL;

    spipe__verb_begin(s, SPIPE__VERB_DETACH, ctx->number);
    if (spipe__ctx_has_lun(ctx, lun)) {
        spipe__detach(ctx, lun);
        rc = 0;
    }
    return spipe__verb_end(s, SPIPE__VERB_DETACH, rc);
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

void spipe_client_destroy(struct spipe_client *c)
{
    struct spipe *s = c->s;

    spipe__verb_begin(s, SPIPE__VERB_CLIENT_DESTROY, SPIPE__NO_CONTEXT);
    while (c->contexts)
        spipe__detach_all(c->contexts);
    spipe__file_close_all(c);
    leave_family(c);
    CHECK(s->clients > 0);
    s->clients--;
    (void)spipe__verb_end(s, SPIPE__VERB_CLIENT_DESTROY, 0);
    exec_free(s->exec, c, sizeof *c);
}
