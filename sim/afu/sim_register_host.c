/* SPDX-License-Identifier: Apache-2.0 */
/* The host transport map of a context (SL 2). The registers of the SQ are in sim_sq.c. */
#include "sim/afu/sim_register.h"

bool sim_host_described(uint64_t offset) { return offset < AFU_HOST_REGS_END; }

void sim_ioarrin(struct sim_ctx *ctx, uint64_t value)
{
    if (value == AFU_CTX_RESET)
        sim_context_reset(ctx);
    else
        sim_doorbell(ctx, value);
}

static void write_rrq_end(struct sim_ctx *ctx, uint64_t value)
{
    ctx->rrq_end = value;
    ctx->rrq_at = ctx->rrq_start;
    ctx->toggle = true;
}

void sim_host_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case AFU_HOST_ENDIAN_CTRL:
        ctx->endian_ctrl = value;
        ctx->order = value == AFU_ENDIAN_CTRL_BIG ? HAL_ORDER_BIG : HAL_ORDER_LITTLE;
        break;
    case AFU_HOST_INTR_CLEAR:
        ctx->intr_status &= ~value;
        sim_intr_reevaluate(ctx);
        break;
    case AFU_HOST_INTR_MASK:
        ctx->intr_mask = value;
        sim_intr_reevaluate(ctx);
        break;
    case AFU_HOST_IOARRIN:
        sim_ioarrin(ctx, value);
        break;
    case AFU_HOST_RRQ_START:
        ctx->rrq_start = value;
        break;
    case AFU_HOST_RRQ_END:
        write_rrq_end(ctx, value);
        break;
    case AFU_HOST_CTX_CTRL:
        ctx->lisn_sync = value & AFU_CTX_CTRL_LISN_MASK;
        break;
    case AFU_HOST_MBOX_W:
        ctx->mbox = value;
        break;
    default:
        sim_sq_write(ctx, offset, value);
        break;
    }
}

uint64_t sim_host_read(struct sim_ctx *ctx, uint64_t offset)
{
    switch (offset) {
    case AFU_HOST_ENDIAN_CTRL:
        return ctx->endian_ctrl;
    case AFU_HOST_INTR_STATUS:
        return ctx->intr_status;
    case AFU_HOST_INTR_MASK:
        return ctx->intr_mask;
    case AFU_HOST_IOARRIN:
        return ctx->reset_ones ? UINT64_MAX : ctx->resetting;
    case AFU_HOST_RRQ_START:
        return ctx->rrq_start;
    case AFU_HOST_RRQ_END:
        return ctx->rrq_end;
    case AFU_HOST_CMD_ROOM:
        return sim_cmd_room(ctx);
    case AFU_HOST_CTX_CTRL:
        return ctx->lisn_sync | (ctx->afu->params.unmap_capability ? AFU_CTX_CTRL_UNMAP : 0);
    default:
        return sim_sq_read(ctx, offset);
    }
}
