/* SPDX-License-Identifier: Apache-2.0 */
/* OpenCAPI: an AFU with bit 57 of interface_version sends the interrupt of LISN 1..3 to the trigger
 * address and PASID that the master programmed (SL 2.1, 3; MD-24). The address 0 means that there
 * is no trigger, as on CAPI (AD-228): the message takes the usual way and no PASID is needed. A
 * PASID is the handle of a running context; an address is good when it is aligned and can be
 * reached. */
#include "sim/afu/sim_afu.h"

static uint64_t *reg(struct sim_ctx *ctx, uint64_t offset)
{
    if (!sim_capable(ctx->afu, AFU_IFV_OCXL_LISN))
        return NULL;
    if (offset >= AFU_CTRL_LISN_EA(0))
        return &ctx->lisn_ea[(offset - AFU_CTRL_LISN_EA(0)) / 8];
    return &ctx->lisn_pasid[(offset - AFU_CTRL_LISN_PASID(0)) / 8];
}

void sim_lisn_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
{
    uint64_t *at = reg(ctx, offset);

    if (at)
        *at = value;
}

uint64_t sim_lisn_read(struct sim_ctx *ctx, uint64_t offset)
{
    const uint64_t *at = reg(ctx, offset);

    return at ? *at : 0;
}

static bool runs(const struct sim_afu *a, uint32_t pasid)
{
    return pasid < SIM_CONTEXTS_MAX && a->ctx[pasid] && a->ctx[pasid]->started;
}

static bool reachable(uint64_t ea)
{
    uint64_t word;

    return ea % sizeof word == 0 && !sim_memory_read(ea, &word, sizeof word);
}

uint64_t sim_lisn_error(const struct sim_ctx *ctx, unsigned lisn)
{
    uint64_t ea = ctx->lisn_ea[lisn - 1];

    if (!ea || !sim_capable(ctx->afu, AFU_IFV_OCXL_LISN))
        return 0;
    if (!runs(ctx->afu, afu_lisn_pasid_of(ctx->lisn_pasid, lisn)))
        return AFU_INTR_PERM_ERR_LISN_1_PASID << (lisn - 1);
    return reachable(ea) ? 0 : AFU_INTR_PERM_ERR_LISN_1_EA << (lisn - 1);
}
