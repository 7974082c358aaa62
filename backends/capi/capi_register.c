/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a context. All ones goes to core as it is, and makes us suspicious. */
#include "backends/capi/capi_internal.h"
#include "hal/afu_regs.h"

static bool is_dead(struct capi_ctx *c) { return __atomic_load_n(&c->dead, __ATOMIC_RELAXED); }

bool capi_suspect(struct capi_ctx *c)
{
    uint64_t page = capi_own_page(c->hal.kind, c->hal.handle), value;

    if (is_dead(c))
        return true;
    if (!c->mapped ||
        capi_mmio_load(&c->map, page + AFU_HOST_ENDIAN_CTRL, &value) == CAPI_LOAD_VALUE)
        return false;
    __atomic_store_n(&c->dead, true, __ATOMIC_RELAXED);
    capi_lost(c->dev);
    return true;
}

uint64_t capi_reg_read64(struct hal_ctx *ctx, uint64_t offset)
{
    struct capi_ctx *c = capi_ctx_of(ctx);
    uint64_t value = HAL_ALL_ONES;

    if (!capi_enter(c))
        return HAL_ALL_ONES;
    if (c->mapped && !is_dead(c) && capi_mmio_load(&c->map, offset, &value) != CAPI_LOAD_VALUE)
        capi_suspect(c);
    capi_leave(c);
    return value;
}

void capi_reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct capi_ctx *c = capi_ctx_of(ctx);

    if (!capi_enter(c))
        return;
    if (c->mapped && !is_dead(c))
        capi_mmio_store(&c->map, offset, value);
    capi_leave(c);
}
