/* SPDX-License-Identifier: Apache-2.0 */
/* The address map (SL 1, 5.1): which register an offset is. What registers do is in
 * sim_register_host.c, _ctrl.c, _global.c and _port.c.
 * Offsets that no source describes read 0 and ignore writes (MD-4, MD-21), and so do accesses that
 * are not aligned or outside the window of their context; with strict.registers they are recorded
 * as violations too. */
#include "sim/afu/sim_register.h"

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

enum part { NOWHERE, HOST, CTRL, GLOBAL, PORT, TABLE };

/* What an offset names. */
struct place {
    enum part part;
    struct sim_ctx *ctx;   /* HOST, CTRL; NULL if it does not exist */
    struct sim_port *port; /* PORT, TABLE */
    uint64_t at;           /* from the start of the part */
};

/* SL 1: a user context maps its own host page and nothing else. */
static bool in_window(const struct sim_ctx *from, uint64_t offset)
{
    return !from || from->master || offset / AFU_HOST_SIZE == from->handle;
}

static struct place in_contexts(struct sim_afu *a, uint64_t offset)
{
    struct place p = {HOST, NULL, NULL, offset % AFU_HOST_SIZE};
    uint64_t number = offset / AFU_HOST_SIZE;

    if (offset >= AFU_CTRL_START) {
        p.part = CTRL;
        p.at = (offset - AFU_CTRL_START) % AFU_CTRL_SIZE;
        number = (offset - AFU_CTRL_START) / AFU_CTRL_SIZE;
    }
    p.ctx = context(a, number);
    if (!(p.part == HOST ? sim_host_described(p.at) : sim_ctrl_described(p.at)))
        p.part = NOWHERE;
    return p;
}

static struct place in_ports(struct sim_afu *a, uint64_t offset)
{
    for (unsigned n = 0; n < a->params.ports; n++) {
        uint64_t regs = offset - AFU_PORT_REGS(n), words = offset - AFU_LUN_TABLE(n);

        if (words < AFU_FC_PAGE_SIZE)
            return (struct place){TABLE, NULL, &a->port[n], words};
        if (regs < AFU_FC_PAGE_SIZE && sim_port_described(regs))
            return (struct place){PORT, NULL, &a->port[n], regs};
    }
    return (struct place){NOWHERE, NULL, NULL, 0};
}

static struct place find(struct sim_afu *a, const struct sim_ctx *from, uint64_t offset)
{
    struct place p = {NOWHERE, NULL, NULL, 0};

    if (offset % 8 == 0 && in_window(from, offset)) {
        if (offset < AFU_GLOBAL_BASE)
            p = in_contexts(a, offset);
        else if (sim_global_described(offset - AFU_GLOBAL_BASE))
            p = (struct place){GLOBAL, NULL, NULL, offset - AFU_GLOBAL_BASE};
        else
            p = in_ports(a, offset);
    }
    if (p.part == NOWHERE && from && a->params.strict_registers)
        sim_violation(a, from->handle, SIM_RULE_UNDESCRIBED, offset);
    return p;
}

static bool is_address(uint64_t offset)
{
    if (offset >= AFU_CTRL_START)
        return offset < AFU_GLOBAL_BASE && sim_ctrl_is_address(offset % AFU_CTRL_SIZE);
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
    struct place p = find(a, from, offset);

    if (a->tracing && !is_doorbell(offset))
        sim_record(a, SIM_EVENT_MMIO_WRITE, from->handle, offset,
                   is_address(offset) ? canonical(from, value) : value);
    switch (p.part) {
    case HOST:
        if (p.ctx)
            sim_host_write(p.ctx, p.at, value);
        break;
    case CTRL:
        if (p.ctx)
            sim_ctrl_write(p.ctx, p.at, value);
        break;
    case GLOBAL:
        sim_global_write(a, p.at, value);
        break;
    case PORT:
        sim_port_write(p.port, p.at, value);
        break;
    case TABLE:
        p.port->lun_table[p.at / 8] = value;
        break;
    default:
        break;
    }
}

uint64_t sim_register_read(struct sim_afu *a, const struct sim_ctx *from, uint64_t offset)
{
    struct place p = find(a, from, offset);

    switch (p.part) {
    case HOST:
        return p.ctx ? sim_host_read(p.ctx, p.at) : 0;
    case CTRL:
        return p.ctx ? sim_ctrl_read(p.ctx, p.at) : 0;
    case GLOBAL:
        return sim_global_read(a, p.at);
    case PORT:
        return sim_port_read(p.port, p.at);
    case TABLE:
        return p.port->lun_table[p.at / 8];
    default:
        return 0;
    }
}
