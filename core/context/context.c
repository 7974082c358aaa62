/* SPDX-License-Identifier: Apache-2.0 */
/* A context from its memory to its end; the other files are named in context_internal.h. */
#include <errno.h>

#include "core/adapter/lock_rank.h"
#include "core/adapter/pause.h"
#include "core/command/queue_report.h"
#include "core/context/adapter_file.h"
#include "core/context/client.h"
#include "core/context/context_internal.h"
#include "hal/support/check.h"

enum {
    CTX_ALIGN = 64,
    RRQ_STEP = 16, /* elements in a line of the bus: the RRQ is made of whole ones */
};

static const uint64_t default_timeout = 30 * SPIPE__SECOND;

/* ---- memory ---- */

/* The AFU gives a command up a second before the host does, so that one that merely takes too long
 * does not cost its slot for ever. */
static uint16_t afu_seconds(uint64_t timeout_ns)
{
    uint64_t seconds = timeout_ns / SPIPE__SECOND;

    if (seconds < 2)
        return 0; /* a field of 0 is no time-out (MD-6) */
    return seconds > UINT16_MAX ? UINT16_MAX : (uint16_t)(seconds - 1);
}

static struct spipe__queue_config queue_config(const struct spipe *s,
                                               const struct spipe_attach_options *options)
{
    unsigned depth = options->depth ? options->depth : SPIPE__CTX_DEPTH;
    uint64_t timeout = options->io_timeout_ns ? options->io_timeout_ns : default_timeout;

    return (struct spipe__queue_config){
        .order = s->order,
        .depth = depth,
        .rrq_elements = (depth / RRQ_STEP + 1) * RRQ_STEP,
        .interrupts = options->interrupts,
        .sq = s->sq,
        .afu_timeout = afu_seconds(timeout),
        .timeout_ns = timeout,
        .name = "queue",
    };
}

/* The queue pair of a context, if core is to keep one. */
static int init_queue(struct spipe_ctx *ctx, const struct spipe_attach_options *options)
{
    struct spipe__queue_config config;
    int rc;

    if (!options)
        return 0;
    config = queue_config(ctx->s, options);
    rc = spipe__queue_init(&ctx->queue, ctx->s->exec, ctx->s->dev, &config);
    ctx->queued = !rc;
    return rc;
}

static int allocate(struct spipe *s, const struct spipe__ctx_setup *setup, struct spipe_ctx **out)
{
    struct spipe_ctx *ctx = exec_alloc(s->exec, sizeof *ctx, CTX_ALIGN);
    int rc;

    if (!ctx)
        return -ENOMEM;
    ctx->s = s;
    ctx->permissions = setup->permissions;
    ctx->interrupts = setup->interrupts;
    rc = spipe__rht_init(&ctx->rht, s->exec, s->dev, s->order);
    if (rc)
        goto free_ctx;
    rc = init_queue(ctx, setup->options);
    if (rc)
        goto free_rht;
    exec_mutex_init_ranked(s->exec, &ctx->lock, "context", SPIPE__RANK_CONTEXT);
    *out = ctx;
    return 0;

free_rht:
    spipe__rht_fini(&ctx->rht);
free_ctx:
    exec_free(s->exec, ctx, sizeof *ctx);
    return rc;
}

void spipe__ctx_free(struct spipe_ctx *ctx)
{
    exec_mutex_fini(ctx->s->exec, &ctx->lock);
    if (ctx->queued) {
        spipe__queue_report(ctx->s, ctx->number, &ctx->queue, &(struct spipe__queue_counters){0});
        spipe__queue_fini(&ctx->queue);
    }
    if (ctx->rht.entries)
        spipe__rht_fini(&ctx->rht);
    exec_free(ctx->s->exec, ctx, sizeof *ctx);
}

/* ---- life ---- */

static bool setup_valid(const struct spipe__ctx_setup *setup)
{
    return !setup->options || setup->options->depth <= SPIPE__QUEUE_DEPTH_MAX;
}

/* SP-29: a number that does not come again. */
static uint64_t new_upper(struct spipe *s)
{
    uint64_t upper;

    spipe__books_lock(s);
    upper = ++s->cookies;
    spipe__books_unlock(s);
    return upper;
}

/* With a pin for whoever makes it. */
static void link_context(struct spipe_client *c, struct spipe_ctx *ctx)
{
    struct spipe *s = c->s;

    spipe__books_lock(s);
    ctx->client = c;
    ctx->next = c->contexts;
    c->contexts = ctx;
    ctx->all_previous = s->all_last;
    if (s->all_last)
        s->all_last->all_next = ctx;
    else
        s->all = ctx;
    s->all_last = ctx;
    ctx->pins = 1;
    spipe__books_unlock(s);
}

static void add_lun(struct spipe_ctx *ctx, unsigned lun)
{
    ctx->luns[lun / 64] |= HAL_BIT(lun % 64);
    ctx->lun_count++;
}

int spipe__ctx_create(struct spipe_client *c, const struct spipe__ctx_setup *setup, unsigned lun,
                      struct spipe_ctx **out)
{
    struct spipe *s = c->s;
    struct spipe_ctx *ctx;
    struct hal_ctx *hal;
    int rc;

    if (!setup_valid(setup))
        return -EINVAL;
    rc = allocate(s, setup, &ctx);
    if (rc)
        return rc;
    rc = spipe__ctx_register(ctx, &hal);
    if (rc) {
        spipe__ctx_free(ctx);
        return rc;
    }
    exec_mutex_lock(s->exec, &ctx->lock);
    add_lun(ctx, lun);
    link_context(c, ctx);
    spipe__ctx_bind(ctx, hal, new_upper(s));
    *out = ctx;
    return 0;
}

static void unlink_from_client(struct spipe_ctx *ctx)
{
    struct spipe_ctx **link = &ctx->client->contexts;

    while (*link != ctx)
        link = &(*link)->next;
    *link = ctx->next;
}

void spipe__ctx_end(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    bool filed;

    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        CHECK(!ctx->resource[i]);
    spipe__books_lock(s);
    filed = ctx->file != NULL;
    if (s->contexts[ctx->number] == ctx) /* SP-81 */
        s->contexts[ctx->number] = NULL;
    unlink_from_client(ctx);
    spipe__books_unlock(s);
    spipe__ctx_end_hardware(ctx, filed);
    if (filed)
        spipe__file_orphan(ctx);
    spipe__books_lock(s);
    ctx->ended = true;
    spipe__books_unlock(s);
}

uint16_t spipe_ctx_handle(const struct spipe_ctx *ctx) { return ctx->number; }

bool spipe_ctx_lost(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    bool lost;

    spipe__books_lock(s);
    lost = ctx->errored;
    spipe__books_unlock(s);
    return lost;
}
