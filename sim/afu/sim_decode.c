/* SPDX-License-Identifier: Apache-2.0 */
/* The IOARCB is here: read it, check capabilities, choose the way (SL 6, 13; order of MD-9:
 * context, addressing, command class, then tables). */
#include <string.h>

#include "sim/afu/sim_psl.h"

static void parse(struct sim_cmd *c, const struct afu_ioarcb *r)
{
    enum hal_order o = c->ctx->order;

    c->ctx_id = xe16_get(o, r->ctx_id);
    c->flags = xe16_get(o, r->req_flags);
    c->res_hndl = xe32_get(o, r->res_hndl);
    c->lun_id = xe64_get(o, r->lun_id);
    c->data_len = xe32_get(o, r->data_len);
    c->data_ea = xe64_get(o, r->data_ea);
    c->msi = r->msi;
    c->timeout_field = xe16_get(o, r->timeout);
    c->ioasa_ea = c->sq ? xe64_get(o, r->ioasa) : c->ea + sizeof *r;
    memcpy(c->rq.cdb, r->cdb, sizeof c->rq.cdb);
    c->rq.data_len = c->data_len;
    c->rq.host_write = c->flags & AFU_REQ_HOST_WRITE;
}

/* A command's class decides which capability it needs (MD-19). */
static uint64_t class_capability(const struct sim_afu *a, const uint8_t cdb[16])
{
    switch (cdb[0]) {
    case 0x08: /* READ(6) */
    case 0x28: /* READ(10) */
    case 0xA8: /* READ(12) */
    case 0x88: /* READ(16) */
        return AFU_CTX_CAP_READ_CMD;
    case 0x0A: /* WRITE(6) */
    case 0x2A: /* WRITE(10) */
    case 0xAA: /* WRITE(12) */
    case 0x8A: /* WRITE(16) */
        return AFU_CTX_CAP_WRITE_CMD;
    case 0x93: /* WRITE SAME(16): a write on FlashGT */
        return a->params.card == 0x0600 ? AFU_CTX_CAP_WRITE_CMD : AFU_CTX_CAP_GSCSI_CMD;
    default:
        return AFU_CTX_CAP_GSCSI_CMD;
    }
}

static uint64_t needed_capabilities(const struct sim_cmd *c)
{
    if (c->flags & AFU_REQ_AFU_CMD)
        return AFU_CTX_CAP_AFU_CMD;
    if (c->flags & AFU_REQ_TMF_CMD)
        return AFU_CTX_CAP_REAL_MODE | AFU_CTX_CAP_GSCSI_CMD;
    return class_capability(c->afu, c->rq.cdb) |
           (c->flags & AFU_REQ_RES_HNDL ? 0 : AFU_CTX_CAP_REAL_MODE);
}

/* Issuing for another context needs a capability on both sides. Returns whose is missing, or NULL.
 */
static const struct sim_ctx *proxy_offender(const struct sim_cmd *c)
{
    const struct sim_ctx *target;

    if (c->ctx_id == c->ctx->handle)
        return NULL;
    target = c->ctx_id < SIM_CONTEXTS_MAX ? c->afu->ctx[c->ctx_id] : NULL;
    if (!target || !target->started || !(c->ctx->ctx_cap & AFU_CTX_CAP_PROXY_ISSUE))
        return c->ctx;
    return target->ctx_cap & AFU_CTX_CAP_PROXY_TARGET ? NULL : target;
}

/* The context that lacks a capability for the command (SL 13.1), or NULL: it may go on. */
static const struct sim_ctx *offender(const struct sim_cmd *c)
{
    const struct sim_ctx *proxy = proxy_offender(c);
    uint64_t needed = needed_capabilities(c);

    if (proxy)
        return proxy;
    return (c->ctx->ctx_cap & needed) == needed ? NULL : c->ctx;
}

static uint64_t timeout_cycles(const struct sim_cmd *c)
{
    static const uint64_t unit[4] = {250000000, 250000, 250, 1}; /* s, ms, us, cycles */

    return c->timeout_field * unit[(c->flags & AFU_REQ_TIMEOUT_UNIT_MASK) >> 6];
}

static void dispatch(struct sim_cmd *c)
{
    if (c->flags & AFU_REQ_AFU_CMD)
        sim_afu_command(c);
    else if (c->flags & AFU_REQ_TMF_CMD)
        sim_task_management(c);
    else if (c->flags & AFU_REQ_RES_HNDL)
        sim_translate(c);
    else /* port and LUN are in the IOARCB: no translation */
        sim_whole_command(c, c->lun_id, (uint8_t)(c->res_hndl & 0xF));
}

/* True: the command goes no further, because its IOARCB did not come. */
static bool unread(struct sim_cmd *c, struct afu_ioarcb *r)
{
    uint8_t code = c->psl.code <= AFU_PSL_CONTEXT ? c->psl.code : 0;

    if (!code && sim_memory_read(c->ea, r, sizeof *r))
        code = AFU_PSL_AERROR;
    if (!code && c->plan.wrong) {
        sim_change_byte(r, sizeof *r, c->plan.value);
        c->plan.wrong = false;
    }
    if (code)
        sim_psl_refused(c, SIM_PSL_IOARCB, code, c->ea);
    return code;
}

/* A fault says how the command ends. */
static bool ended(struct sim_cmd *c)
{
    uint8_t afu_rc = c->psl.code;

    if (!afu_rc)
        return false;
    c->psl.code = 0;
    sim_status_afu(c, afu_rc, 0);
    return true;
}

SIM_COLD static bool planned_violation(struct sim_afu *a)
{
    return sim_site_armed(a, SIM_SITE_CAP, NULL) == SIM_EFFECT_ERROR;
}

void sim_decode(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->afu;
    struct afu_ioarcb ioarcb;
    const struct sim_ctx *lacks;
    uint64_t timeout;

    if (unread(c, &ioarcb))
        return;
    parse(c, &ioarcb);
    sim_strict_ioarcb(&a->strict, a->engine->now, c->ctx->handle, c->ctx->order, &ioarcb,
                      c->sq ? c->ioasa_ea : 0);
    if (__builtin_expect(!a->internal_fixed, 0))
        sim_internal_fix(a);
    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_COMMAND, .context = c->ctx->handle});
    sim_record(a, SIM_EVENT_DECODE, c->slot, ((uint64_t)c->flags << 32) | c->res_hndl,
               hal_be64_at(c->rq.cdb + 2));
    timeout = timeout_cycles(c);
    if (timeout)
        sim_timeout_start(c, timeout);
    if (ended(c))
        return;
    lacks = offender(c);
    if (!lacks && sim_site_planned(a, SIM_SITE_CAP) && planned_violation(a))
        lacks = c->ctx;
    if (lacks)
        sim_status_afu(c, AFU_RC_CAP_VIOLATION, afu_ctx_cap_extra(lacks->ctx_cap));
    else
        dispatch(c);
}
