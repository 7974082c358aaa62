/* SPDX-License-Identifier: Apache-2.0 */
/* The IOARCB is here: read it, check capabilities, choose the way (SL 6, 13; order of MD-9:
 * context, addressing, command class, then tables). */
#include <string.h>

#include "sim/afu/sim_psl.h"

static inline __attribute__((always_inline)) void parse(struct sim_cmd *c, enum hal_order o,
                                                        const struct afu_ioarcb *r)
{
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

static inline __attribute__((always_inline)) void take(struct sim_cmd *c, enum hal_order o,
                                                       const struct afu_ioarcb *r)
{
    parse(c, o, r);
    sim_strict_ioarcb(&c->afu->strict, c->afu->engine->now, c->ctx->handle, o, r,
                      c->sq ? c->ioasa_ea : 0);
}

/* Kept apart: contexts are nearly always of the host's order. */
static __attribute__((noinline)) void take_swapped(struct sim_cmd *c, const struct afu_ioarcb *r)
{
    take(c, c->ctx->order, r);
}

/* A command's class decides which capability it needs (MD-19). */
enum class { GENERAL, READ, WRITE, WRITE_SAME };

static const uint8_t class_of[256] = {
    [0x08] = READ,       /* READ(6) */
    [0x28] = READ,       /* READ(10) */
    [0xA8] = READ,       /* READ(12) */
    [0x88] = READ,       /* READ(16) */
    [0x0A] = WRITE,      /* WRITE(6) */
    [0x2A] = WRITE,      /* WRITE(10) */
    [0xAA] = WRITE,      /* WRITE(12) */
    [0x8A] = WRITE,      /* WRITE(16) */
    [0x93] = WRITE_SAME, /* WRITE SAME(16): a write on FlashGT */
};

static inline uint64_t class_capability(const struct sim_afu *a, const uint8_t cdb[16])
{
    enum class class = class_of[cdb[0]];

    if (class == READ)
        return AFU_CTX_CAP_READ_CMD;
    if (class == WRITE || (class == WRITE_SAME && a->params.card == 0x0600))
        return AFU_CTX_CAP_WRITE_CMD;
    return AFU_CTX_CAP_GSCSI_CMD;
}

/* A SCSI command to a resource handle, as nearly all are. */
static inline bool by_handle(const struct sim_cmd *c)
{
    return (c->flags & (AFU_REQ_AFU_CMD | AFU_REQ_TMF_CMD | AFU_REQ_RES_HNDL)) == AFU_REQ_RES_HNDL;
}

static __attribute__((noinline)) uint64_t other_capabilities(const struct sim_cmd *c)
{
    if (c->flags & AFU_REQ_AFU_CMD)
        return AFU_CTX_CAP_AFU_CMD;
    if (c->flags & AFU_REQ_TMF_CMD)
        return AFU_CTX_CAP_REAL_MODE | AFU_CTX_CAP_GSCSI_CMD;
    return class_capability(c->afu, c->rq.cdb) | AFU_CTX_CAP_REAL_MODE;
}

static inline uint64_t needed_capabilities(const struct sim_cmd *c)
{
    return by_handle(c) ? class_capability(c->afu, c->rq.cdb) : other_capabilities(c);
}

/* Issuing for another context needs a capability on both sides. */
static bool proxy_allowed(const struct sim_cmd *c)
{
    const struct sim_ctx *target;

    if (c->ctx_id == c->ctx->handle)
        return true;
    target = c->ctx_id < SIM_CONTEXTS_MAX ? c->afu->ctx[c->ctx_id] : NULL;
    return (c->ctx->ctx_cap & AFU_CTX_CAP_PROXY_ISSUE) && target && target->started &&
           (target->ctx_cap & AFU_CTX_CAP_PROXY_TARGET);
}

static uint64_t timeout_cycles(const struct sim_cmd *c)
{
    static const uint64_t unit[4] = {250000000, 250000, 250, 1}; /* s, ms, us, cycles */

    return c->timeout_field * unit[(c->flags & AFU_REQ_TIMEOUT_UNIT_MASK) >> 6];
}

static __attribute__((noinline)) void dispatch_other(struct sim_cmd *c)
{
    if (c->flags & AFU_REQ_AFU_CMD)
        sim_afu_command(c);
    else if (c->flags & AFU_REQ_TMF_CMD)
        sim_task_management(c);
    else /* port and LUN are in the IOARCB: no translation */
        sim_whole_command(c, c->lun_id, (uint8_t)(c->res_hndl & 0xF));
}

/* True: the command goes no further, because its IOARCB did not come. */
SIM_COLD static bool unread_or_wrong(struct sim_cmd *c, struct afu_ioarcb *r)
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

static inline bool unread(struct sim_cmd *c, struct afu_ioarcb *r)
{
    if (__builtin_expect(c->psl.code | c->plan.wrong, 0) || sim_memory_read(c->ea, r, sizeof *r))
        return unread_or_wrong(c, r);
    return false;
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

/* Kept apart, but not cold: see tell_media() in sim_data.c. */
static __attribute__((noinline)) void tell_command(const struct sim_cmd *c)
{
    sim_tell(c->afu, &(struct sim_watched){.what = SIM_WATCH_COMMAND, .context = c->ctx->handle});
}

HAL_HOT void sim_decode(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->afu;
    struct afu_ioarcb *ioarcb = &a->ioarcb;
    uint64_t needed, timeout;

    if (unread(c, ioarcb))
        return;
    if (c->ctx->order == HAL_ORDER_HOST)
        take(c, HAL_ORDER_HOST, ioarcb);
    else
        take_swapped(c, ioarcb);
    if (__builtin_expect(!a->internal_fixed, 0))
        sim_internal_fix(a);
    if (sim_watched_by(a))
        tell_command(c);
    sim_record(a, SIM_EVENT_DECODE, c->slot, ((uint64_t)c->flags << 32) | c->res_hndl,
               hal_be64_at(c->rq.cdb + 2));
    timeout = timeout_cycles(c);
    if (timeout)
        sim_timeout_start(c, timeout);
    if (ended(c))
        return;
    needed = needed_capabilities(c);
    if (!proxy_allowed(c) || (c->ctx->ctx_cap & needed) != needed ||
        (sim_site_planned(a, SIM_SITE_CAP) && planned_violation(a)))
        sim_status_afu(c, AFU_RC_CAP_VIOLATION, afu_ctx_cap_extra(c->ctx->ctx_cap));
    else if (by_handle(c))
        sim_translate(c);
    else
        dispatch_other(c);
}
