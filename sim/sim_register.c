/* SPDX-License-Identifier: Apache-2.0 */
/* The address map (SL 1, 5.1): which register an offset is. What registers do is in
 * sim_register_host.c, _ctrl.c, _global.c and _port.c.
 * Offsets that no source describes read 0 and ignore writes (MD-4, MD-21). */
#include "sim/sim_register.h"

static struct sim_ctx *context(struct sim_afu *a, uint64_t number)
{
    struct sim_ctx *ctx = number < SIM_CONTEXTS_MAX ? a->ctx[number] : NULL;

    return ctx && ctx->started ? ctx : NULL;
}

/* Addresses go into the trace in canonical form. */
static uint64_t canonical(struct sim_ctx *ctx, uint64_t ea)
{
    return ea ? sim_memory_canonical(&ctx->afu->memory, ea, &ctx->rrq_hint) : 0;
}

/* The register or table word of a port at an absolute offset. */
static struct sim_port *find_port(struct sim_afu *a, uint64_t offset, uint64_t *in_page,
                                  bool *table)
{
    for (unsigned p = 0; p < a->params.ports; p++) {
        uint64_t regs = AFU_PORT_REGS(p), words = AFU_LUN_TABLE(p);

        *table = offset - words < AFU_FC_PAGE_SIZE;
        if (!*table && offset - regs >= AFU_FC_PAGE_SIZE)
            continue;
        *in_page = offset - (*table ? words : regs);
        return &a->port[p];
    }
    return NULL;
}

static bool is_address(uint64_t offset)
{
    if (offset >= AFU_CTRL_START)
        return offset < AFU_GLOBAL_BASE &&
               (offset - AFU_CTRL_START) % AFU_CTRL_SIZE == AFU_CTRL_RHT_START;
    switch (offset % AFU_HOST_SIZE) {
    case AFU_HOST_RRQ_START:
    case AFU_HOST_RRQ_END:
    case AFU_HOST_SQ_START:
    case AFU_HOST_SQ_END:
        return true;
    default:
        return false;
    }
}

/* Doorbells are recorded when they are taken. */
static bool is_doorbell(uint64_t offset)
{
    uint64_t in_page = offset % AFU_HOST_SIZE;

    return offset < AFU_CTRL_START && (in_page == AFU_HOST_IOARRIN || in_page == AFU_HOST_SQ_TAIL);
}

void sim_register_write(struct sim_afu *a, struct sim_ctx *from, uint64_t offset, uint64_t value)
{
    struct sim_ctx *ctx;
    struct sim_port *port;
    uint64_t in_page;
    bool table;

    if (a->trace->on && !is_doorbell(offset))
        sim_record(a, SIM_EVENT_MMIO_WRITE, from->handle, offset,
                   is_address(offset) ? canonical(from, value) : value);
    if (offset < AFU_CTRL_START) {
        ctx = context(a, offset / AFU_HOST_SIZE);
        if (ctx)
            sim_host_write(ctx, offset % AFU_HOST_SIZE, value);
    } else if (offset < AFU_GLOBAL_BASE) {
        ctx = context(a, (offset - AFU_CTRL_START) / AFU_CTRL_SIZE);
        if (ctx)
            sim_ctrl_write(ctx, (offset - AFU_CTRL_START) % AFU_CTRL_SIZE, value);
    } else if ((port = find_port(a, offset, &in_page, &table))) {
        if (table)
            port->lun_table[in_page / 8] = value;
        else
            sim_port_write(port, in_page, value);
    } else if (offset < AFU_MAP_SIZE) {
        sim_global_write(a, offset - AFU_GLOBAL_BASE, value);
    }
}

uint64_t sim_register_read(struct sim_afu *a, uint64_t offset)
{
    struct sim_ctx *ctx;
    struct sim_port *port;
    uint64_t in_page;
    bool table;

    if (offset < AFU_CTRL_START) {
        ctx = context(a, offset / AFU_HOST_SIZE);
        return ctx ? sim_host_read(ctx, offset % AFU_HOST_SIZE) : 0;
    }
    if (offset < AFU_GLOBAL_BASE) {
        ctx = context(a, (offset - AFU_CTRL_START) / AFU_CTRL_SIZE);
        return ctx ? sim_ctrl_read(ctx, (offset - AFU_CTRL_START) % AFU_CTRL_SIZE) : 0;
    }
    port = find_port(a, offset, &in_page, &table);
    if (port)
        return table ? port->lun_table[in_page / 8] : sim_port_read(port, in_page);
    return offset < AFU_MAP_SIZE ? sim_global_read(a, offset - AFU_GLOBAL_BASE) : 0;
}
