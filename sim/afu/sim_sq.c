/* SPDX-License-Identifier: Apache-2.0 */
/* The submission queue of a context (SL 2, 10.2, R-16, R-21): a ring of IOARCBs in host memory. The
 * host fills slots and writes the position after the last one to sq_tail; sim_fetch.c takes them
 * one by one. Registers of an AFU whose interface_version does not announce this mode read 0 and
 * ignore writes (MD-4). */
#include "hal/support/check.h"
#include "sim/afu/sim_afu.h"

#define SLOT sizeof(struct afu_ioarcb)

/* What is longer is a mistake: with any tail in it, the AFU would fetch for hours. */
#define SLOTS_MAX 65536

uint64_t sim_sq_waiting(const struct sim_ctx *ctx)
{
    if (ctx->sq_tail >= ctx->sq_head)
        return (ctx->sq_tail - ctx->sq_head) / SLOT;
    return (ctx->sq_end - ctx->sq_head + ctx->sq_tail - ctx->sq_base) / SLOT + 1;
}

bool sim_sq_present(const struct sim_afu *a) { return sim_capable(a, AFU_IFV_SQ); }

/* After head or tail moved: a ring may also become empty before it was fetched. */
static void ring_changed(struct sim_ctx *ctx)
{
    if (!sim_sq_empty(ctx))
        sim_fetch_ready(ctx);
    else if (!ctx->bell_count)
        sim_fetch_idle(ctx);
}

/* Without one no tail is accepted. A start of 0 was never written. */
static bool has_ring(const struct sim_ctx *ctx)
{
    return ctx->sq_base && ctx->sq_end >= ctx->sq_base &&
           (ctx->sq_end - ctx->sq_base) / SLOT < SLOTS_MAX;
}

/* The ring is taken over as a whole, so that head and tail are slots of one ring at any moment. */
static void write_end(struct sim_ctx *ctx, uint64_t value)
{
    ctx->sq_end = value;
    ctx->sq_base = ctx->sq_head = ctx->sq_tail = ctx->sq_start;
    if (value && !has_ring(ctx))
        sim_violation(ctx->afu, ctx->handle, SIM_RULE_SQ_RING,
                      ctx->sq_start ? value - ctx->sq_start : 0);
    ring_changed(ctx);
}

static bool is_slot(const struct sim_ctx *ctx, uint64_t ea)
{
    return has_ring(ctx) && ea % 16 == 0 && ea >= ctx->sq_base && ea <= ctx->sq_end &&
           (ea - ctx->sq_base) % SLOT == 0;
}

static void write_tail(struct sim_ctx *ctx, uint64_t value)
{
    struct sim_afu *a = ctx->afu;

    if (sim_site_planned(ctx->afu, SIM_SITE_BELL) && sim_bell_planned(ctx, &value))
        return;
    a->counters.doorbells++;
    if (!is_slot(ctx, value)) {
        sim_violation(a, ctx->handle, SIM_RULE_SQ_TAIL,
                      sim_memory_canonical(&a->memory, value, &ctx->command_hint));
        sim_intr_status(ctx, AFU_INTR_PERM_ERR_RCB_READ);
        return;
    }
    ctx->sq_tail = value;
    sim_strict_submitted(&a->strict, a->engine->now, ctx->handle, sim_under_way(ctx));
    if (a->tracing)
        sim_doorbell_record(ctx, value);
    ring_changed(ctx);
}

void sim_sq_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
{
    if (!sim_sq_present(ctx->afu))
        return;
    switch (offset) {
    case AFU_HOST_SQ_START:
        ctx->sq_start = value;
        break;
    case AFU_HOST_SQ_END:
        write_end(ctx, value);
        break;
    case AFU_HOST_SQ_TAIL:
        write_tail(ctx, value);
        break;
    case AFU_HOST_SQ_CTX_RESET:
        if (value == AFU_CTX_RESET)
            sim_context_reset(ctx);
        break;
    default:
        break;
    }
}

uint64_t sim_sq_read(const struct sim_ctx *ctx, uint64_t offset)
{
    if (!sim_sq_present(ctx->afu))
        return 0;
    switch (offset) {
    case AFU_HOST_SQ_START:
        return ctx->sq_start;
    case AFU_HOST_SQ_END:
        return ctx->sq_end;
    case AFU_HOST_SQ_HEAD:
        return ctx->sq_head;
    case AFU_HOST_SQ_TAIL:
        return ctx->sq_tail;
    case AFU_HOST_SQ_CTX_RESET:
        return ctx->reset_ones ? UINT64_MAX : ctx->resetting;
    default:
        return 0;
    }
}

/* Whatever sq_end is, head moves among the values that is_slot() accepts: it meets tail. */
uint64_t sim_sq_take(struct sim_ctx *ctx)
{
    uint64_t slot = ctx->sq_head;

    CHECK(!sim_sq_empty(ctx));
    ctx->sq_head = ctx->sq_end - slot < SLOT ? ctx->sq_base : slot + SLOT;
    return slot;
}
