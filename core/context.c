/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context.h"

#include <errno.h>

#include "core/pause.h"
#include "hal/afu_regs.h"
#include "hal/support/check.h"

enum {
    CTX_ALIGN = 64,
    RRQ_STEP = 16, /* elements in a line of the bus: the RRQ is made of whole ones */
};

static const uint64_t default_timeout = 30 * SPIPE__SECOND;

/* ---- registration with the AFU ---- */

static void write_ctrl(struct spipe_ctx *ctx, uint64_t reg, uint64_t value)
{
    hal_reg_write64(ctx->s->master, AFU_CTRL_BASE(ctx->number) + reg, value);
}

static uint64_t read_ctrl(struct spipe_ctx *ctx, uint64_t reg)
{
    return hal_reg_read64(ctx->s->master, AFU_CTRL_BASE(ctx->number) + reg);
}

/* AD-164, SP-77. */
static void unregister(struct spipe_ctx *ctx)
{
    write_ctrl(ctx, AFU_CTRL_RHT_START, 0);
    write_ctrl(ctx, AFU_CTRL_RHT_CNT_ID, 0);
    write_ctrl(ctx, AFU_CTRL_CTX_CAP, 0);
}

/* AD-163, SP-46. The capability is the same for all: what a context may not do is kept out of the
 * entries of its RHT. */
static int register_with_afu(struct spipe_ctx *ctx)
{
    (void)read_ctrl(ctx, AFU_CTRL_MBOX_R); /* unlocks ctx_cap */
    write_ctrl(ctx, AFU_CTRL_CTX_CAP, AFU_CTX_CAP_USER);
    if (read_ctrl(ctx, AFU_CTRL_CTX_CAP) != AFU_CTX_CAP_USER) {
        unregister(ctx); /* */
        return -EAGAIN;
    }
    write_ctrl(ctx, AFU_CTRL_RHT_START, spipe__rht_address(&ctx->rht));
    write_ctrl(ctx, AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(SPIPE__RHT_SIZE, ctx->s->master->handle));
    return 0;
}

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
    rc = spipe__rht_init(&ctx->rht, s->exec, s->dev, s->order);
    if (rc)
        goto free_ctx;
    rc = init_queue(ctx, setup->options);
    if (rc)
        goto free_rht;
    *out = ctx;
    return 0;

free_rht:
    spipe__rht_fini(&ctx->rht);
free_ctx:
    exec_free(s->exec, ctx, sizeof *ctx);
    return rc;
}

static void release_memory(struct spipe_ctx *ctx)
{
    if (ctx->queued)
        spipe__queue_fini(&ctx->queue);
    if (!ctx->file)
        spipe__rht_fini(&ctx->rht);
    exec_free(ctx->s->exec, ctx, sizeof *ctx);
}

/* ---- the hardware context ---- */

/* SP-43, SP-44. */
static int start(struct spipe_ctx *ctx, unsigned interrupts)
{
    int rc;

    if (hal_ctx_create(ctx->s->dev, HAL_CTX_USER, &ctx->hal))
        return -ENODEV;
    rc = hal_ctx_start(ctx->hal, interrupts);
    if (rc)
        goto release;
    if (ctx->hal->handle >= SPIPE__CONTEXTS) {
        rc = -EPERM;
        goto release;
    }
    ctx->number = ctx->hal->handle;
    CHECK(!ctx->s->contexts[ctx->number]);
    return 0;

release:
    hal_ctx_release(ctx->hal);
    ctx->hal = NULL;
    return rc;
}

/* Afterwards nothing of the context runs in the AFU, and its memory may go. */
void spipe__ctx_stop(struct hal_ctx *hal)
{
    int rc;

    if (!hal)
        return;
    rc = hal_ctx_stop(hal);
    (void)rc; /* release ends it in any case */
    hal_ctx_release(hal);
}

/* ---- both together ---- */

static bool setup_valid(const struct spipe__ctx_setup *setup)
{
    return !setup->options || setup->options->depth <= SPIPE__QUEUE_DEPTH_MAX;
}

/* SP-29: the upper half is a number that does not come again. */
static uint64_t new_cookie(struct spipe_ctx *ctx)
{
    return (uint64_t)++ctx->s->cookies << 32 | ctx->number;
}

int spipe__ctx_create(struct spipe *s, const struct spipe__ctx_setup *setup, struct spipe_ctx **out)
{
    struct spipe_ctx *ctx;
    int rc;

    if (!setup_valid(setup))
        return -EINVAL;
    if (!s->master)
        return -ENODEV;
    rc = allocate(s, setup, &ctx);
    if (rc)
        return rc;
    rc = start(ctx, setup->interrupts);
    if (rc)
        goto free_memory;
    rc = register_with_afu(ctx);
    if (rc)
        goto stop_context;
    if (ctx->queued) {
        spipe__queue_bind(&ctx->queue, ctx->hal);
        spipe__queue_program(&ctx->queue);
    }
    ctx->cookie = new_cookie(ctx);
    ctx->generation = s->generation;
    s->contexts[ctx->number] = ctx; /* SP-48: nothing may fail any more */
    *out = ctx;
    return 0;

stop_context:
    spipe__ctx_stop(ctx->hal);
free_memory:
    release_memory(ctx);
    return rc;
}

void spipe__ctx_destroy(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;

    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        CHECK(!ctx->resource[i]);
    if (s->contexts[ctx->number] == ctx) /* SP-81 */
        s->contexts[ctx->number] = NULL;
    if (ctx->hal)
        unregister(ctx);
    if (!ctx->file)
        spipe__ctx_stop(ctx->hal);
    else if (ctx->hal)
        (void)read_ctrl(ctx, AFU_CTRL_CTX_CAP); /* the stores have arrived: it can do no more */
    release_memory(ctx);
}

uint16_t spipe_ctx_handle(const struct spipe_ctx *ctx) { return ctx->number; }
