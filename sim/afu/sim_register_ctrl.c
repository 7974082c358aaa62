/* SPDX-License-Identifier: Apache-2.0 */
/* The control map of a context (SL 3, 13.2). */
#include "sim/afu/sim_register.h"

bool sim_ctrl_described(uint64_t offset) { return offset < AFU_CTRL_REGS_END; }

bool sim_ctrl_is_address(uint64_t offset)
{
    return offset == AFU_CTRL_RHT_START ||
           (offset >= AFU_CTRL_LISN_EA(0) && offset < AFU_CTRL_REGS_END);
}

void sim_ctrl_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case AFU_CTRL_RHT_START:
        ctx->rht_start = value;
        break;
    case AFU_CTRL_RHT_CNT_ID:
        ctx->rht_cnt_id = value;
        break;
    case AFU_CTRL_CTX_CAP: /* MD-14: zero always, else only unlocked */
        if (!value || ctx->cap_unlocked)
            ctx->ctx_cap = value & AFU_CTX_CAP_ALL;
        break;
    case AFU_CTRL_MBOX_R:
        break;
    default:
        sim_lisn_write(ctx, offset, value);
        break;
    }
}

static uint64_t mailbox(struct sim_ctx *ctx)
{
    uint64_t value = ctx->mbox;

    ctx->cap_unlocked = true;
    if (ctx->afu->config & AFU_CONFIG_MBOX_CLR_READ)
        ctx->mbox = 0;
    return value;
}

uint64_t sim_ctrl_read(struct sim_ctx *ctx, uint64_t offset)
{
    switch (offset) {
    case AFU_CTRL_RHT_START:
        return ctx->rht_start;
    case AFU_CTRL_RHT_CNT_ID:
        return ctx->rht_cnt_id;
    case AFU_CTRL_CTX_CAP:
        return ctx->ctx_cap;
    case AFU_CTRL_MBOX_R:
        return mailbox(ctx);
    default:
        return sim_lisn_read(ctx, offset);
    }
}
