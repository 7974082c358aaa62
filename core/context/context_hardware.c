/* SPDX-License-Identifier: Apache-2.0 */
/* The hardware context: a process element of the AFU, started, registered and ended, and the place
 * of its number in the table of the adapter. A recovery (core/context/recover.h) takes another one
 * for the same context. */
#include <errno.h>

#include "core/context/context_internal.h"
#include "core/mutants.h"
#include "hal/afu_regs.h"
#include "hal/support/check.h"

/* ---- registration with the AFU ---- */

static void write_ctrl(struct spipe *s, const struct hal_ctx *hal, uint64_t reg, uint64_t value)
{
    hal_reg_write64(s->master, AFU_CTRL_BASE(hal->handle) + reg, value);
}

static uint64_t read_ctrl(struct spipe *s, const struct hal_ctx *hal, uint64_t reg)
{
    return hal_reg_read64(s->master, AFU_CTRL_BASE(hal->handle) + reg);
}

/* AD-164, SP-77. */
static void unregister(struct spipe *s, const struct hal_ctx *hal)
{
    write_ctrl(s, hal, AFU_CTRL_RHT_START, 0);
    write_ctrl(s, hal, AFU_CTRL_RHT_CNT_ID, 0);
    write_ctrl(s, hal, AFU_CTRL_CTX_CAP, 0);
}

/* AD-163, SP-46. The capability is the same for all: what a context may not do is kept out of the
 * entries of its RHT. */
static int register_with_afu(struct spipe *s, const struct hal_ctx *hal,
                             const struct spipe__rht *rht)
{
    (void)read_ctrl(s, hal, AFU_CTRL_MBOX_R); /* unlocks ctx_cap */
    write_ctrl(s, hal, AFU_CTRL_CTX_CAP, AFU_CTX_CAP_USER);
    if (read_ctrl(s, hal, AFU_CTRL_CTX_CAP) != AFU_CTX_CAP_USER) {
        unregister(s, hal); /* */
        return -EAGAIN;
    }
    write_ctrl(s, hal, AFU_CTRL_RHT_START, spipe__rht_address(rht));
    write_ctrl(s, hal, AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(SPIPE__RHT_SIZE, s->master->handle));
    return 0;
}

/* ---- numbers and process elements ---- */

static bool is_of_master(const struct spipe *s, uint16_t number)
{
    bool found = false;

    for (unsigned i = 0; i < s->hwqs; i++)
        found |= s->hwq[i].ctx && s->hwq[i].ctx->handle == number;
    return found;
}

/* A number is nobody else's from its start on: what is registered under it would be overwritten. */
static bool reserve(struct spipe *s, uint16_t number)
{
    uint64_t bit = HAL_BIT(number % 64);
    bool is_free;

    spipe__books_lock(s);
    is_free = !s->contexts[number] && !(s->starting[number / 64] & bit) && !is_of_master(s, number);
    if (is_free)
        s->starting[number / 64] |= bit;
    spipe__books_unlock(s);
    return is_free;
}

/* With the books locked. */
static void unreserve(struct spipe *s, uint16_t number)
{
    s->starting[number / 64] &= ~HAL_BIT(number % 64);
}

/* SP-43, SP-44. */
static int start(struct spipe *s, unsigned interrupts, struct hal_ctx **out)
{
    struct hal_ctx *hal;
    int rc;

    if (hal_ctx_create(s->dev, HAL_CTX_USER, &hal))
        return -ENODEV;
    rc = hal_ctx_start(hal, interrupts);
    if (!rc && (hal->handle >= SPIPE__CONTEXTS || !reserve(s, hal->handle)))
        rc = -EPERM;
    if (rc) {
        hal_ctx_release(hal);
        return rc;
    }
    *out = hal;
    return 0;
}

/* Afterwards nothing of the context runs in the AFU, and its memory may go. */
void spipe__ctx_stop(struct hal_ctx *hal)
{
    int rc;

    if (!hal)
        return;
    if (hal->started && !hal->lost) {
        rc = hal_ctx_stop(hal);
        (void)rc; /* release ends it in any case */
    }
    hal_ctx_release(hal);
}

int spipe__ctx_register(struct spipe_ctx *ctx, struct hal_ctx **out)
{
    struct hal_ctx *hal;
    int rc = start(ctx->s, ctx->interrupts, &hal);

    if (rc)
        return rc;
    rc = register_with_afu(ctx->s, hal, &ctx->rht);
    if (!rc) {
        *out = hal;
        return 0;
    }
    spipe__books_lock(ctx->s);
    unreserve(ctx->s, hal->handle);
    spipe__books_unlock(ctx->s);
    if (!spipe__mutant(SPW_12))
        spipe__ctx_stop(hal);
    return rc;
}

void spipe__ctx_bind(struct spipe_ctx *ctx, struct hal_ctx *hal, uint64_t upper)
{
    struct spipe *s = ctx->s;

    spipe__books_lock(s);
    CHECK(!s->contexts[hal->handle]);
    ctx->hal = hal;
    ctx->number = hal->handle;
    ctx->cookie = upper << 32 | hal->handle;
    ctx->generation = spipe__generation(s);
    ctx->errored = false;
    s->contexts[ctx->number] = ctx; /* SP-48: nothing may fail any more */
    unreserve(s, ctx->number);
    spipe__books_unlock(s);
    hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_CONTEXT, ctx->number);
    if (ctx->queued) {
        spipe__queue_bind(&ctx->queue, hal);
        spipe__queue_program(&ctx->queue);
    }
}

void spipe__ctx_lose(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;

    CHECK(!ctx->errored && !ctx->ended);
    spipe__books_lock(s);
    s->contexts[ctx->number] = NULL;
    ctx->errored = true;
    spipe__books_unlock(s);
    if (!ctx->hal->lost)
        hal_ctx_lose(ctx->hal);
    hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_CONTEXT, SPIPE__CONTEXT_LOST | ctx->number);
    spipe__event(s, CONTEXT_LOST, ctx->number);
}

void spipe__ctx_end_hardware(struct spipe_ctx *ctx, bool filed)
{
    struct spipe *s = ctx->s;

    if (!ctx->errored || spipe__mutant(SPW_11))
        unregister(s, ctx->hal);
    if (!filed)
        spipe__ctx_stop(ctx->hal);
    else if (!ctx->errored)
        (void)read_ctrl(s, ctx->hal, AFU_CTRL_CTX_CAP); /* the stores have arrived */
}
