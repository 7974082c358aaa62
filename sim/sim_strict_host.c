/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for drivers and clients: what they put into registers, commands and tables, and in which
 * order (R-20, R-22, SL 2..9, INV-14). */
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/support/bits.h"
#include "sim/sim_strict.h"

/* Low bits of an address: what says how it is misaligned, and the same wherever memory lies. */
static uint64_t low(uint64_t ea) { return ea % 128; }

/* ---- registers --------------------------------------------------------------------------------
 */

static void check_zero(struct sim_strict *s, uint64_t now, enum sim_rule rule, uint32_t context,
                       uint64_t reserved)
{
    if (reserved)
        sim_strict_breach(s, now, rule, context, reserved);
}

static void check_multiple(struct sim_strict *s, uint64_t now, enum sim_rule rule, uint32_t context,
                           uint64_t ea, uint64_t of)
{
    if (ea % of)
        sim_strict_breach(s, now, rule, context, low(ea));
}

static void check_busy(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t under_way)
{
    if (under_way)
        sim_strict_breach(s, now, SIM_RULE_RRQ_BUSY, context, under_way);
}

/* A ring of at least one element; 0 takes it away. */
static void rrq_end(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t end)
{
    struct sim_strict_ctx *c = &s->ctx[context];

    c->elements = 0;
    if (!end)
        return;
    if (end < c->rrq_start)
        sim_strict_breach(s, now, SIM_RULE_RRQ_ORDER, context, c->rrq_start - end);
    else
        c->elements = (end - c->rrq_start) / AFU_RRQ_ELEMENT_SIZE + 1;
}

static void host_page(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t offset,
                      uint64_t value, uint64_t under_way)
{
    switch (offset) {
    case AFU_HOST_RRQ_START:
        check_multiple(s, now, SIM_RULE_RRQ_ALIGN, context, value, AFU_RRQ_ELEMENT_SIZE);
        check_busy(s, now, context, under_way);
        s->ctx[context].rrq_start = value;
        break;
    case AFU_HOST_RRQ_END:
        check_multiple(s, now, SIM_RULE_RRQ_ALIGN, context, value, AFU_RRQ_ELEMENT_SIZE);
        check_busy(s, now, context, under_way);
        rrq_end(s, now, context, value);
        break;
    case AFU_HOST_CTX_CTRL:
        check_zero(s, now, SIM_RULE_CTX_CTRL, context,
                   value & ~(AFU_CTX_CTRL_LISN_MASK | AFU_CTX_CTRL_UNMAP));
        break;
    default:
        break;
    }
}

static void control(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t offset,
                    uint64_t value)
{
    struct sim_strict_ctx *c = &s->ctx[context];

    switch (offset) {
    case AFU_CTRL_RHT_START:
        check_multiple(s, now, SIM_RULE_RHT_ALIGN, context, value, AFU_RHT_ENTRY_SIZE);
        c->rht_start = value;
        break;
    case AFU_CTRL_RHT_CNT_ID:
        check_zero(s, now, SIM_RULE_RHT_COUNT, context, value & UINT32_MAX);
        c->rht_bytes = (uint64_t)afu_rht_cnt_id_count(value) * AFU_RHT_ENTRY_SIZE;
        break;
    case AFU_CTRL_CTX_CAP:
        check_zero(s, now, SIM_RULE_CTX_CAP, context, value & ~AFU_CTX_CAP_ALL);
        break;
    default:
        break;
    }
}

void sim_strict_register(struct sim_strict *s, uint64_t now, uint64_t offset, uint64_t value,
                         uint64_t under_way)
{
    if (offset < AFU_CTRL_START)
        host_page(s, now, (uint16_t)(offset / AFU_HOST_SIZE), offset % AFU_HOST_SIZE, value,
                  under_way);
    else if (offset < AFU_GLOBAL_BASE)
        control(s, now, (uint16_t)((offset - AFU_CTRL_START) / AFU_CTRL_SIZE),
                (offset - AFU_CTRL_START) % AFU_CTRL_SIZE, value);
    else if (offset == AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG)
        check_zero(s, now, SIM_RULE_AFU_CONFIG, 0,
                   value &
                       ~(AFU_CONFIG_AR_ALL | AFU_CONFIG_ENDIAN_LITTLE | AFU_CONFIG_MBOX_CLR_READ));
}

/* ---- commands ---------------------------------------------------------------------------------
 */

/* The field of a command that is no resource handle. */
static void check_ports(struct sim_strict *s, uint64_t now, uint16_t context, unsigned flags,
                        uint32_t ports)
{
    uint32_t exist = flags & AFU_REQ_AFU_CMD ? 0 : (uint32_t)HAL_BIT(s->ports) - 1;

    check_zero(s, now, SIM_RULE_IOARCB_PORTS, context, ports & ~exist);
}

void sim_strict_ioarcb_examine(struct sim_strict *s, uint64_t now, uint16_t context,
                               enum hal_order order, const struct afu_ioarcb *r, uint64_t ioasa_ea)
{
    unsigned flags = xe16_get(order, r->req_flags);
    uint32_t reserved;

    memcpy(&reserved, r->reserved, sizeof reserved);
    if (!(flags & AFU_REQ_RES_HNDL))
        check_ports(s, now, context, flags, xe32_get(order, r->port_sel));
    check_zero(s, now, SIM_RULE_IOARCB_FLAGS, context, flags & ~(unsigned)AFU_REQ_DEFINED);
    check_zero(s, now, SIM_RULE_IOARCB_RESERVED, context, xe32_get(order, (xe32_t){reserved}));
    check_zero(s, now, SIM_RULE_IOARCB_IOADL, context, xe32_get(order, r->ioadl_len));
    check_zero(s, now, SIM_RULE_IOARCB_RRQ, context, r->rrq);
    check_multiple(s, now, SIM_RULE_IOASA_ALIGN, context, ioasa_ea, AFU_BLOCK_ALIGN);
}

/* ---- tables: what they say --------------------------------------------------------------------
 */

/* A word that the AFU reads must not lie among those that nobody published. */
static void check_shown(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t ea)
{
    for (uint32_t i = 0; i < s->runs; i++)
        if (ea >= s->run[i].start && ea < s->run[i].end)
            sim_strict_breach(s, now, SIM_RULE_TABLE_SHOWN, context, low(ea));
}

void sim_strict_rht_examine(struct sim_strict *s, uint64_t now, uint16_t context,
                            enum hal_order order, const struct afu_rht_entry *e)
{
    struct afu_rht_virtual v;

    if (!afu_rht_entry_reserved_clear(e))
        sim_strict_breach(s, now, SIM_RULE_RHT_RESERVED, context, afu_rht_entry_fp(e));
    if (afu_rht_entry_format(e) != AFU_RHT_FORMAT_VIRTUAL)
        return;
    v = afu_rht_unpack_virtual(order, e);
    check_multiple(s, now, SIM_RULE_LXT_ALIGN, context, v.lxt_start, AFU_LXT_ENTRY_SIZE);
}

void sim_strict_lxt_examine(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t ea,
                            uint64_t word)
{
    check_zero(s, now, SIM_RULE_LXT_RESERVED, context, word & AFU_LXT_RESERVED);
    check_shown(s, now, context, ea);
}

/* ---- tables: order of the stores --------------------------------------------------------------
 */

/* Forgets the oldest when there are more than it can remember. */
static void remember(struct sim_strict *s, uint64_t ea)
{
    for (uint32_t i = 0; i < s->runs; i++)
        if (s->run[i].end == ea) {
            s->run[i].end += sizeof(uint64_t);
            return;
        }
    if (s->runs == SIM_STRICT_RUNS)
        memmove(s->run, s->run + 1, --s->runs * sizeof *s->run);
    s->run[s->runs++] = (struct sim_strict_run){ea, ea + sizeof(uint64_t)};
}

static bool unpublished(const struct sim_strict *s, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < s->runs; i++)
        if (s->run[i].start < end && start < s->run[i].end)
            return true;
    return false;
}

bool sim_strict_in_rht(const struct sim_strict *s, uint64_t ea, uint16_t *context)
{
    for (uint32_t i = 0; i < s->contexts; i++)
        if (s->ctx[i].rht_start && ea - s->ctx[i].rht_start < s->ctx[i].rht_bytes) {
            *context = (uint16_t)i;
            return true;
        }
    return false;
}

/* SL 8.5: one word after the other, each published before the next; and a pointer or a count that
 * leads to LXT entries after those entries. */
void sim_strict_rht_store(struct sim_strict *s, uint64_t now, uint16_t context, uint64_t ea,
                          enum hal_order order, const struct afu_rht_entry *with)
{
    uint64_t entry = ea - ea % AFU_RHT_ENTRY_SIZE, other = entry + (ea == entry ? 8 : 0);
    struct afu_rht_virtual v = afu_rht_unpack_virtual(order, with);

    if (unpublished(s, other, other + 8))
        sim_strict_breach(s, now, SIM_RULE_TABLE_BARRIER, context, low(ea));
    else if (afu_rht_entry_format(with) == AFU_RHT_FORMAT_VIRTUAL && v.lxt_start && v.lxt_cnt &&
             unpublished(s, v.lxt_start, v.lxt_start + (uint64_t)v.lxt_cnt * AFU_LXT_ENTRY_SIZE))
        sim_strict_breach(s, now, SIM_RULE_TABLE_BARRIER, context, v.lxt_cnt);
    remember(s, ea);
}

void sim_strict_lxt_store(struct sim_strict *s, uint64_t ea) { remember(s, ea); }

void sim_strict_publish(struct sim_strict *s) { s->runs = 0; }
