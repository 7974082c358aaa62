/* SPDX-License-Identifier: Apache-2.0 */
/* What each register does (SL 1-5): host transport maps, control maps, global registers, ports.
 * Offsets that no source describes read 0 and ignore writes (MD-4, MD-21). */
#include "sim/sim_afu.h"

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

/* ---- host transport map (SL 2) ----------------------------------------------------------------
 */

static void write_ioarrin(struct sim_ctx *ctx, uint64_t value)
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
    ctx->toggle = 1;
}

static void host_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
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
        write_ioarrin(ctx, value);
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

static uint64_t host_read(struct sim_ctx *ctx, uint64_t offset)
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

/* ---- control map (SL 3) -----------------------------------------------------------------------
 */

static void ctrl_write(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
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
    default:
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

static uint64_t ctrl_read(struct sim_ctx *ctx, uint64_t offset)
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
        return 0;
    }
}

/* ---- global registers (SL 4) ------------------------------------------------------------------
 */

static void global_write(struct sim_afu *a, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case AFU_GLOBAL_AINTR_CLEAR:
        a->aintr_status &= ~value;
        sim_aintr_reevaluate(a);
        break;
    case AFU_GLOBAL_AINTR_MASK:
        a->aintr_mask = value;
        sim_aintr_reevaluate(a);
        break;
    case AFU_GLOBAL_AFU_CTRL:
        a->afu_ctrl = value;
        break;
    case AFU_GLOBAL_AFU_SCRATCH_PAD:
        a->scratch = value;
        break;
    case AFU_GLOBAL_AFU_PORT_SEL:
        a->port_sel = value & sim_ports_present(a);
        break;
    case AFU_GLOBAL_AFU_CONFIG:
        a->config = value;
        break;
    case AFU_GLOBAL_RRIN_READ_TO:
        a->rrin_read_to = value;
        break;
    case AFU_GLOBAL_CONT_RETRY_TO:
        a->cont_retry_to = value;
        break;
    default:
        break;
    }
}

/* Every read gives the value before plus one. */
static uint64_t heartbeat(struct sim_afu *a)
{
    uint64_t arg = 0;

    if (sim_site(a, SIM_SITE_HB, &arg) == SIM_EFFECT_VALUE)
        return arg;
    return ++a->hb;
}

static uint64_t global_read(struct sim_afu *a, uint64_t offset)
{
    switch (offset) {
    case AFU_GLOBAL_AINTR_STATUS:
        return a->aintr_status;
    case AFU_GLOBAL_AINTR_MASK:
        return a->aintr_mask;
    case AFU_GLOBAL_AFU_CTRL:
        return a->afu_ctrl;
    case AFU_GLOBAL_AFU_HB:
        return heartbeat(a);
    case AFU_GLOBAL_AFU_SCRATCH_PAD:
        return a->scratch;
    case AFU_GLOBAL_AFU_PORT_SEL:
        return a->port_sel;
    case AFU_GLOBAL_AFU_CONFIG:
        return a->config;
    case AFU_GLOBAL_RRIN_READ_TO:
        return a->rrin_read_to;
    case AFU_GLOBAL_CONT_RETRY_TO:
        return a->cont_retry_to;
    case AFU_GLOBAL_AFU_VERSION:
        return a->params.afu_version;
    case AFU_GLOBAL_INTERFACE_VERSION:
        return a->params.interface_version;
    default:
        return 0;
    }
}

/* ---- ports (SL 5.3) ---------------------------------------------------------------------------
 */

static void write_cmdconfig(struct sim_port *p, uint64_t value)
{
    p->config = value;
    if (value & AFU_FC_CMDCONFIG_OFF_LINE)
        sim_link_offline(p);
    else if (value & AFU_FC_CMDCONFIG_ON_LINE)
        sim_link_online(p);
}

static void port_write(struct sim_port *p, uint64_t offset, uint64_t value)
{
    switch (offset) {
    case AFU_FC_MTIP_CMDCONFIG:
        write_cmdconfig(p, value);
        break;
    case AFU_FC_PNAME:
        p->pname = value;
        break;
    case AFU_FC_CONFIG2:
        p->config2 = value;
        if (value & (AFU_FC_CONFIG2_SHUTDOWN_NORMAL | AFU_FC_CONFIG2_SHUTDOWN_ABRUPT))
            sim_port_shutdown(p);
        break;
    case AFU_FC_ERROR:
        p->error &= ~value;
        break;
    case AFU_FC_ERRCAP:
        p->errcap = value;
        break;
    case AFU_FC_ERRMSK:
        p->errmsk = value;
        break;
    case AFU_FC_CRC_THRESH:
        p->crc_thresh = value;
        break;
    default:
        break;
    }
}

static uint64_t mtip_status(const struct sim_port *p)
{
    switch (p->link) {
    case SIM_LINK_ONLINE:
        return AFU_FC_MTIP_STATUS_ONLINE;
    case SIM_LINK_OFFLINE:
        return AFU_FC_MTIP_STATUS_OFFLINE;
    default:
        return 0;
    }
}

static uint64_t fc_status(const struct sim_port *p)
{
    return (p->link == SIM_LINK_ONLINE ? AFU_FC_STATUS_PORT_ONLINE : 0) |
           (p->shutdown_active ? AFU_FC_STATUS_SHUTDOWN_ACTIVE : 0) |
           (p->shutdown_complete ? AFU_FC_STATUS_SHUTDOWN_COMPLETE : 0);
}

static uint64_t crc_count(struct sim_port *p)
{
    uint64_t value = p->crc_count;

    p->crc_count = 0;
    return value;
}

static uint64_t port_read(struct sim_port *p, uint64_t offset)
{
    switch (offset) {
    case AFU_FC_MTIP_CMDCONFIG:
        return p->config;
    case AFU_FC_MTIP_STATUS:
        return mtip_status(p);
    case AFU_FC_PNAME:
        return p->pname;
    case AFU_FC_CONFIG2:
        return p->config2;
    case AFU_FC_STATUS:
        return fc_status(p);
    case AFU_FC_ERROR:
        return p->error;
    case AFU_FC_ERRCAP:
        return p->errcap;
    case AFU_FC_ERRMSK:
        return p->errmsk;
    case AFU_FC_CNT_CRCERR:
        return crc_count(p);
    case AFU_FC_CNT_CRCERR_RO:
        return p->crc_count;
    case AFU_FC_CNT_CRCTOT:
        return p->crc_total;
    case AFU_FC_CRC_THRESH:
        return p->crc_thresh;
    default:
        return 0;
    }
}

/* ---- decode -----------------------------------------------------------------------------------
 */

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
            host_write(ctx, offset % AFU_HOST_SIZE, value);
    } else if (offset < AFU_GLOBAL_BASE) {
        ctx = context(a, (offset - AFU_CTRL_START) / AFU_CTRL_SIZE);
        if (ctx)
            ctrl_write(ctx, (offset - AFU_CTRL_START) % AFU_CTRL_SIZE, value);
    } else if ((port = find_port(a, offset, &in_page, &table))) {
        if (table)
            port->lun_table[in_page / 8] = value;
        else
            port_write(port, in_page, value);
    } else if (offset < AFU_MAP_SIZE) {
        global_write(a, offset - AFU_GLOBAL_BASE, value);
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
        return ctx ? host_read(ctx, offset % AFU_HOST_SIZE) : 0;
    }
    if (offset < AFU_GLOBAL_BASE) {
        ctx = context(a, (offset - AFU_CTRL_START) / AFU_CTRL_SIZE);
        return ctx ? ctrl_read(ctx, (offset - AFU_CTRL_START) % AFU_CTRL_SIZE) : 0;
    }
    port = find_port(a, offset, &in_page, &table);
    if (port)
        return table ? port->lun_table[in_page / 8] : port_read(port, in_page);
    return offset < AFU_MAP_SIZE ? global_read(a, offset - AFU_GLOBAL_BASE) : 0;
}
