/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a command: status, IOASA, RRQ element, interrupt, free slot. Each write waits for the
 * response of the one before it, so that a host that sees the element sees the rest (TM-4). */
#include <string.h>

#include "hal/support/check.h"
#include "sim/sim_wait.h"

#define IOASA_BYTES 12       /* written always (MD-7) */
#define IOASA_BUS_BYTES 16   /* as a bus command, of which MD-7 uses 12 */
#define IOASA_SENSE_BYTES 32 /* with sense data, or an answer in its place */

static void free_slot(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;

    CHECK(!sim_event_pending(&c->event));
    sim_timeout_stop(c);
    c->state = SIM_CMD_FREE;
    c->ctx->in_flight--;
    sim_strict_free(&a->strict, c->slot);
    a->free_slot[a->free_count++] = c->slot;
    sim_drain_check(c);
    if (__builtin_expect(a->ready_count != 0, 0) && !SIM_PLANTED(2))
        sim_fetch_kick(a);
}

void sim_cmd_abort(struct sim_cmd *c)
{
    sim_engine_cancel(c->ctx->afu->engine, &c->event);
    sim_port_leave_media(c);
    sim_afu_command_gone(c);
    free_slot(c);
}

void sim_cmd_drop(struct sim_cmd *c)
{
    c->ctx->afu->counters.dropped++;
    sim_cmd_abort(c);
}

void sim_abort_context(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;

    for (uint64_t i = 0; ctx->in_flight && i < a->params.cmd_slots; i++)
        if (a->cmds[i].state != SIM_CMD_FREE && a->cmds[i].ctx == ctx)
            sim_cmd_abort(&a->cmds[i]);
}

/* ---- RRQ --------------------------------------------------------------------------------------
 */

/* Writes one element and moves on; at the end back to the start with the toggle inverted (SL 9). */
static void rrq_write(struct sim_ctx *ctx, uint64_t element)
{
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (!ctx->rrq_at || sim_memory_write(ctx->rrq_at, &element, sizeof element)) {
        sim_storage_fault(ctx, ctx->rrq_at, 1);
        sim_intr_status(ctx, AFU_INTR_PERM_ERR_RRQ_WRITE);
        return;
    }
    if (ctx->rrq_at == ctx->rrq_end) {
        ctx->rrq_at = ctx->rrq_start;
        ctx->toggle ^= 1;
    } else {
        ctx->rrq_at += AFU_RRQ_ELEMENT_SIZE;
    }
}

static void count(struct sim_afu *a, const struct sim_cmd *c)
{
    unsigned kind = c->status.afu_rc ? 1 : c->status.fc_rc ? 3 : c->status.scsi_rc ? 2 : 0;

    a->counters.completed++;
    a->counters.by_status[kind]++;
}

/* What the element names (SL 9). */
static uint64_t rrq_ea(const struct sim_cmd *c) { return c->sq ? c->ioasa_ea : c->ea; }

static void rrq_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_ctx *ctx = c->ctx;
    struct sim_afu *a = ctx->afu;
    uint64_t element = hal_swap64(ctx->order, afu_rrq_element(rrq_ea(c), ctx->toggle)), arg = 0;
    uint8_t msi = c->msi;

    switch (sim_site(a, SIM_SITE_RRQ, &arg)) {
    case SIM_EFFECT_DROP:
        sim_cmd_drop(c);
        return;
    case SIM_EFFECT_VALUE:
        element = hal_swap64(ctx->order, arg);
        break;
    case SIM_EFFECT_TWICE:
        rrq_write(ctx, element);
        element = hal_swap64(ctx->order, afu_rrq_element(rrq_ea(c), ctx->toggle));
        break;
    case SIM_EFFECT_LATE:
        if (!c->delayed) {
            c->delayed = true;
            sim_wait(c, arg, SIM_RANK_STATUS, rrq_done);
            return;
        }
        break;
    case SIM_EFFECT_ERROR:
        sim_intr_status(ctx, AFU_INTR_PERM_ERR_RRQ_WRITE);
        sim_cmd_drop(c);
        return;
    default:
        break;
    }
    if (a->trace->on)
        sim_record(a, SIM_EVENT_RRQ, c->slot, ctx->handle,
                   sim_memory_canonical(&a->memory, rrq_ea(c), &ctx->command_hint) | ctx->toggle);
    sim_strict_posted(&a->strict, a->engine->now, c->slot, ctx->handle);
    rrq_write(ctx, element);
    count(a, c);
    free_slot(c);
    a->wake(a->wake_arg, ctx->wake_key);
    if (msi)
        sim_interrupt(ctx, msi);
}

/* ---- IOASA ------------------------------------------------------------------------------------
 */

static bool has_sense(const struct sim_cmd *c)
{
    return c->status.flags & AFU_RC_FLAG_SENSE_VALID || c->status.answer;
}

static void build(const struct sim_cmd *c, struct afu_ioasa *s)
{
    memset(s, 0, sizeof *s);
    s->rc.flags = c->status.flags;
    s->rc.afu_rc = c->status.afu_rc;
    s->rc.scsi_rc = c->status.scsi_rc;
    s->rc.fc_rc = c->status.fc_rc;
    s->resid = xe32_of(c->ctx->order, c->status.resid);
    s->port = c->port;
    s->afu_extra = c->status.afu_extra;
    if (has_sense(c))
        memcpy(s->sense_data, c->status.sense, sizeof s->sense_data);
}

/* True: the IOASA is in memory, or a fault wants the host to believe so. */
static bool ioasa_write(struct sim_cmd *c, uint64_t arg, enum sim_effect effect)
{
    struct afu_ioasa s;
    size_t n = has_sense(c) ? IOASA_SENSE_BYTES : IOASA_BYTES;

    build(c, &s);
    if (effect == SIM_EFFECT_VALUE) {
        s.rc = (struct afu_rc){(uint8_t)(arg >> 24), (uint8_t)(arg >> 16), (uint8_t)(arg >> 8),
                               (uint8_t)arg};
        n = IOASA_SENSE_BYTES;
    }
    if (effect == SIM_EFFECT_DROP)
        return true;
    if (effect == SIM_EFFECT_ERROR || sim_memory_write(c->ioasa_ea, &s, n)) {
        sim_storage_fault(c->ctx, c->ioasa_ea, 1);
        sim_intr_status(c->ctx, AFU_INTR_PERM_ERR_SA_WRITE);
        return false;
    }
    return true;
}

static void ioasa_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->ctx->afu;
    uint64_t arg = 0;
    enum sim_effect effect = sim_site(a, SIM_SITE_ASA, &arg);

    if (effect == SIM_EFFECT_LATE && !c->delayed) {
        c->delayed = true;
        sim_wait(c, arg, SIM_RANK_STATUS, ioasa_done);
        return;
    }
    if (!ioasa_write(c, arg, effect)) {
        sim_cmd_drop(c);
        return;
    }
    sim_record(a, SIM_EVENT_IOASA, c->slot,
               ((uint64_t)c->status.flags << 24) | ((uint64_t)c->status.afu_rc << 16) |
                   ((uint64_t)c->status.scsi_rc << 8) | c->status.fc_rc,
               c->status.resid);
    sim_wait_bus(c, SIM_BUS_WRITE, SIM_STRICT_ELEMENT, c->ctx->rrq_at, AFU_RRQ_ELEMENT_SIZE, 0,
                 SIM_RANK_STATUS, rrq_done);
}

static void status_write(struct sim_cmd *c)
{
    c->state = SIM_CMD_STATUS;
    sim_wait_bus(c, SIM_BUS_WRITE, SIM_STRICT_IOASA, c->ioasa_ea,
                 has_sense(c) ? IOASA_SENSE_BYTES : IOASA_BUS_BYTES, 0, SIM_RANK_STATUS,
                 ioasa_done);
}

static void status_built(struct sim_event *ev) { status_write(sim_cmd_of(ev)); }

void sim_status(struct sim_cmd *c)
{
    sim_timeout_stop(c);
    c->state = SIM_CMD_STATUS;
    sim_wait(c, c->ctx->afu->params.status_build, SIM_RANK_STATUS, status_built);
}

void sim_status_afu(struct sim_cmd *c, uint8_t afu_rc, uint8_t afu_extra)
{
    c->status.afu_rc = afu_rc;
    c->status.afu_extra = afu_extra;
    sim_status(c);
}

/* ---- segments ---------------------------------------------------------------------------------
 */

/* What the target said about this segment becomes part of the command's status. */
static void merge(struct sim_cmd *c)
{
    const struct sim_scsi_result *rs = &c->rs;

    sim_frame_response(c);
    c->status.scsi_rc = rs->status;
    c->status.resid += rs->residual;
    if (rs->underrun && !(c->flags & AFU_REQ_SUP_UNDERRUN))
        c->status.flags |= AFU_RC_FLAG_UNDERRUN;
    if (rs->overrun)
        c->status.flags |= AFU_RC_FLAG_OVERRUN;
    if (rs->sense_valid) {
        c->status.flags |= AFU_RC_FLAG_SENSE_VALID;
        memcpy(c->status.sense, rs->sense, sizeof c->status.sense);
    }
}

/* True when the command goes on with its next segment. */
static bool next_segment(struct sim_cmd *c)
{
    if (c->rs.status || c->segment + 1 >= c->segments)
        return false;
    c->part_offset += c->rq.data_len;
    c->segment++;
    sim_port_command(c);
    return true;
}

void sim_segment_done(struct sim_cmd *c)
{
    merge(c);
    if (!next_segment(c))
        sim_status(c);
}

void sim_segment_done_now(struct sim_cmd *c)
{
    merge(c);
    if (next_segment(c))
        return;
    sim_timeout_stop(c);
    status_write(c);
}
