/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a command: status, IOASA, RRQ element, interrupt, free slot. Each write waits for the
 * response of the one before it, so that a host that sees the element sees the rest (TM-4). */
#include <string.h>

#include "hal/support/check.h"
#include "sim/afu/sim_psl.h"
#include "sim/afu/sim_wait.h"

#define IOASA_BYTES 12       /* written always (MD-7) */
#define IOASA_BUS_BYTES 16   /* as a bus command, of which MD-7 uses 12 */
#define IOASA_SENSE_BYTES 32 /* with sense data, or an answer in its place */

static inline void free_slot(struct sim_afu *a, struct sim_cmd *c)
{
    CHECK(!sim_event_pending(&c->event));
    sim_timeout_stop(c);
    sim_buffer_free(c);
    c->state = SIM_CMD_FREE;
    c->ctx->in_flight--;
    sim_strict_free(&a->strict, c->slot);
    a->free_cmd[a->free_count++] = c;
    sim_drain_check(c);
    if (__builtin_expect(a->ready_words != 0, 0) && !SIM_PLANTED(2))
        sim_fetch_kick(a);
}

void sim_cmd_abort(struct sim_cmd *c)
{
    sim_engine_cancel(c->afu->engine, &c->event);
    sim_port_leave_media(c);
    sim_afu_command_gone(c);
    free_slot(c->afu, c);
}

void sim_cmd_drop(struct sim_cmd *c)
{
    c->afu->counters.dropped++;
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

/* Writes one element and moves on; at the end back to the start with the toggle inverted (SL 9).
 * False: the ring is not there. */
static bool rrq_write(struct sim_ctx *ctx, uint64_t element)
{
    element = hal_swap64(ctx->order, element);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    if (!ctx->rrq_at || sim_memory_write(ctx->rrq_at, &element, sizeof element))
        return false;
    ctx->elements++;
    if (ctx->rrq_at == ctx->rrq_end) {
        ctx->rrq_at = ctx->rrq_start;
        ctx->toggle = !ctx->toggle;
    } else {
        ctx->rrq_at += AFU_RRQ_ELEMENT_SIZE;
    }
    return true;
}

static void count(struct sim_afu *a, const struct sim_cmd *c)
{
    const struct afu_rc *rc = &c->status.rc;

    a->counters.completed++;
    if (__builtin_expect(!(afu_ioasc(rc) & 0x00FFFFFF), 1)) /* whatever the flags */
        a->counters.by_status[0]++;
    else
        a->counters.by_status[rc->afu_rc ? 1 : rc->fc_rc ? 3 : 2]++;
}

/* What the element names (SL 9). */
static uint64_t rrq_ea(const struct sim_cmd *c) { return c->sq ? c->ioasa_ea : c->ea; }

static uint64_t element_of(const struct sim_cmd *c)
{
    return afu_rrq_element(rrq_ea(c), c->ctx->toggle);
}

static void ioasa_overdue(struct sim_event *ev);

/* A fault lets the element overtake the IOASA. */
static __attribute__((noinline)) void ioasa_follows(struct sim_cmd *c)
{
    sim_wait(c, c->late, SIM_RANK_STATUS, ioasa_overdue);
}

/* The element is written: the host is told, and the slot is free unless the IOASA is missing. */
SIM_IN_LINE static inline void posted(struct sim_cmd *c, struct sim_ctx *ctx,
                                      struct sim_message message)
{
    struct sim_afu *a = c->afu;
    uint8_t msi = c->msi;

    sim_strict_posted(&a->strict, a->engine->now, c->slot, ctx->handle);
    count(a, c);
    if (__builtin_expect(c->late != 0, 0))
        ioasa_follows(c);
    else
        free_slot(a, c);
    a->wake(a->wake_arg, ctx->wake_key);
    if (message.wanted)
        sim_interrupt_send(ctx, msi, message);
}

HAL_HOT static __attribute__((noinline)) void record_element(const struct sim_cmd *c)
{
    struct sim_ctx *ctx = c->ctx;

    sim_record_address_b(c->afu, SIM_EVENT_RRQ, c->slot, ctx->handle, rrq_ea(c) | ctx->toggle,
                         &ctx->command_hint);
}

static inline void record(const struct sim_cmd *c)
{
    if (c->afu->tracing)
        record_element(c);
}

/* The element is recorded, and the interrupt of the command asked for, if it has one. */
SIM_IN_LINE static inline void rrq_post_with(struct sim_cmd *c, uint64_t element, bool twice,
                                             struct sim_message message)
{
    struct sim_ctx *ctx = c->ctx;

    if (!rrq_write(ctx, element) || (twice && !rrq_write(ctx, element_of(c))))
        sim_psl_refused(c, SIM_PSL_RRQ, AFU_PSL_AERROR, ctx->rrq_at);
    else
        posted(c, ctx, message);
}

static void rrq_post(struct sim_cmd *c, uint64_t element, bool twice);

static void rrq_post_now(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    rrq_post(c, element_of(c), false);
}

static __attribute__((noinline)) void rrq_post(struct sim_cmd *c, uint64_t element, bool twice)
{
    struct sim_message message = {.wanted = false};

    if (c->msi && !c->interrupted)
        message = sim_interrupt_ask(c->ctx, c->msi);
    if (message.effect == SIM_EFFECT_EARLY) {
        c->interrupted = true;
        sim_interrupt_send(c->ctx, c->msi, message);
        sim_wait(c, sim_late(c->afu, message.arg), SIM_RANK_STATUS, rrq_post_now);
        return;
    }
    record(c);
    rrq_post_with(c, element, twice, message);
}

/* Another element of the context is to go first; after a while it goes anyhow. */
static void rrq_held(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (c->plan.elements != c->ctx->elements || c->afu->engine->now >= c->hold_until)
        rrq_post(c, element_of(c), false);
    else
        sim_wait(c, 1, SIM_RANK_STATUS, rrq_held);
}

static void rrq_hold(struct sim_cmd *c, uint64_t cycles)
{
    c->plan.elements = c->ctx->elements;
    c->hold_until = c->afu->engine->now + cycles;
    sim_wait(c, 1, SIM_RANK_STATUS, rrq_held);
}

SIM_COLD static void rrq_planned(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t element = element_of(c), arg = 0;

    switch (sim_site_armed(a, SIM_SITE_RRQ, &arg)) {
    case SIM_EFFECT_DROP:
        sim_cmd_drop(c);
        break;
    case SIM_EFFECT_VALUE:
        rrq_post(c, arg == UINT64_MAX ? arg : element ^ (arg ? arg : 1), false);
        break;
    case SIM_EFFECT_LATE:
        sim_wait(c, sim_late(a, arg), SIM_RANK_STATUS, rrq_post_now);
        break;
    case SIM_EFFECT_EARLY:
        rrq_hold(c, sim_late(a, arg));
        break;
    case SIM_EFFECT_ERROR:
        sim_psl_refused(c, SIM_PSL_RRQ, sim_psl_planned(arg, AFU_PSL_AERROR), c->ctx->rrq_at);
        break;
    case SIM_EFFECT_TWICE:
        rrq_post(c, element, true);
        break;
    default:
        rrq_post(c, element, false);
        break;
    }
}

HAL_HOT static void rrq_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (sim_site_planned(c->afu, SIM_SITE_RRQ)) {
        rrq_planned(c);
    } else if (c->msi) {
        rrq_post(c, element_of(c), false);
    } else { /* no interrupt: nothing is kept for one */
        record(c);
        rrq_post_with(c, element_of(c), false, (struct sim_message){.wanted = false});
    }
}

HAL_HOT void sim_rrq_send(struct sim_cmd *c)
{
    c->state = SIM_CMD_STATUS;
    sim_wait_bus(c, SIM_BUS_WRITE, SIM_STRICT_ELEMENT, c->ctx->rrq_at, AFU_RRQ_ELEMENT_SIZE, 0,
                 SIM_RANK_STATUS, rrq_done);
}

/* ---- IOASA ------------------------------------------------------------------------------------
 */

static bool has_sense(const struct sim_cmd *c)
{
    return c->status.rc.flags & AFU_RC_FLAG_SENSE_VALID || c->status.answer;
}

/* What is written always: an IOASA up to its sense data. */
struct ioasa_head {
    struct afu_rc rc;
    xe32_t resid;
    uint8_t port, afu_extra, scsi_extra, fc_extra;
};
_Static_assert(sizeof(struct ioasa_head) == IOASA_BYTES, "MD-7");

static inline void fill_head(const struct sim_cmd *c, struct ioasa_head *head)
{
    head->rc = c->status.rc;
    head->resid = xe32_of(c->ctx->order, c->status.resid);
    head->port = c->port;
    head->afu_extra = c->status.afu_extra;
    head->scsi_extra = head->fc_extra = 0;
}

/* A planned rc word; without an argument a code that nobody knows. */
static void lie(struct afu_rc *rc, uint64_t arg)
{
    uint32_t word = arg ? (uint32_t)arg : 0x00FF0000;

    *rc = (struct afu_rc){(uint8_t)(word >> 24), (uint8_t)(word >> 16), (uint8_t)(word >> 8),
                          (uint8_t)word};
}

/* True: the IOASA is in memory. */
static bool ioasa_to(const struct sim_cmd *c, const void *from, size_t n)
{
    return c->ioasa_ea % AFU_BLOCK_ALIGN == 0 && !sim_memory_write(c->ioasa_ea, from, n);
}

/* With what follows the head, too. */
static __attribute__((noinline)) bool ioasa_write_whole(const struct sim_cmd *c,
                                                        enum sim_effect effect, uint64_t arg)
{
    struct ioasa_head head;
    uint8_t bytes[IOASA_SENSE_BYTES] = {0};

    fill_head(c, &head);
    if (effect == SIM_EFFECT_VALUE)
        lie(&head.rc, arg);
    memcpy(bytes, &head, sizeof head);
    if (has_sense(c))
        memcpy(bytes + sizeof head, c->status.sense, sizeof c->status.sense);
    return ioasa_to(c, bytes, sizeof bytes);
}

static inline bool ioasa_write(const struct sim_cmd *c, enum sim_effect effect, uint64_t arg)
{
    struct ioasa_head head;

    if (effect == SIM_EFFECT_VALUE || has_sense(c))
        return ioasa_write_whole(c, effect, arg);
    fill_head(c, &head);
    return ioasa_to(c, &head, sizeof head);
}

/* One that is not aligned is not written, and no address was faulty. */
static void ioasa_refused(struct sim_cmd *c)
{
    sim_psl_refused(c, SIM_PSL_IOASA,
                    c->ioasa_ea % AFU_BLOCK_ALIGN ? AFU_PSL_FAILED : AFU_PSL_AERROR, c->ioasa_ea);
}

/* The element follows (TM-4). */
static void ioasa_written(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    sim_record(a, SIM_EVENT_IOASA, c->slot, afu_ioasc(&c->status.rc), c->status.resid);
    sim_rrq_send(c);
}

/* The element did not wait for it: the order of TM-4 is broken. */
static void ioasa_overdue(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_ctx *ctx = c->ctx;

    c->late = 0;
    sim_violation(ctx->afu, ctx->handle, SIM_RULE_IOASA_LATE, c->slot);
    if (!ioasa_write(c, SIM_EFFECT_NONE, 0))
        sim_storage_fault(ctx, c->ioasa_ea, 1);
    free_slot(ctx->afu, c);
}

static void ioasa_now(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (ioasa_write(c, SIM_EFFECT_NONE, 0))
        ioasa_written(c);
    else
        ioasa_refused(c);
}

/* By itself the element overtakes the IOASA (FK-14); with bit 32 the address takes its time. */
static void ioasa_late(struct sim_cmd *c, uint64_t arg)
{
    uint64_t cycles = sim_late(c->afu, (uint32_t)arg);

    if (arg >> 32) {
        sim_wait(c, cycles, SIM_RANK_STATUS, ioasa_now);
        return;
    }
    c->late = cycles;
    sim_rrq_send(c);
}

SIM_COLD static void ioasa_planned(struct sim_cmd *c)
{
    uint64_t arg = 0;
    enum sim_effect effect = sim_site_armed(c->afu, SIM_SITE_ASA, &arg);

    if (effect == SIM_EFFECT_LATE)
        ioasa_late(c, arg);
    else if (effect == SIM_EFFECT_ERROR)
        sim_psl_refused(c, SIM_PSL_IOASA, sim_psl_planned(arg, AFU_PSL_AERROR), c->ioasa_ea);
    else if (effect == SIM_EFFECT_DROP || ioasa_write(c, effect, arg))
        ioasa_written(c);
    else
        ioasa_refused(c);
}

HAL_HOT static void ioasa_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (sim_site_planned(c->afu, SIM_SITE_ASA))
        ioasa_planned(c);
    else
        ioasa_now(ev);
}

HAL_HOT void sim_ioasa_send(struct sim_cmd *c)
{
    c->state = SIM_CMD_STATUS;
    if (has_sense(c))
        sim_wait_special(c, SIM_BUS_WRITE, SIM_STRICT_IOASA, c->ioasa_ea, IOASA_SENSE_BYTES, 0,
                         SIM_RANK_STATUS, ioasa_done);
    else
        sim_wait_bus(c, SIM_BUS_WRITE, SIM_STRICT_IOASA, c->ioasa_ea, IOASA_BUS_BYTES, 0,
                     SIM_RANK_STATUS, ioasa_done);
}

static void status_built(struct sim_event *ev) { sim_ioasa_send(sim_cmd_of(ev)); }

void sim_status(struct sim_cmd *c)
{
    sim_timeout_stop(c);
    c->state = SIM_CMD_STATUS;
    sim_wait(c, c->afu->params.status_build, SIM_RANK_STATUS, status_built);
}

void sim_status_afu(struct sim_cmd *c, uint8_t afu_rc, uint8_t afu_extra)
{
    c->status.rc.afu_rc = afu_rc;
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
    c->status.rc.scsi_rc = rs->status;
    c->status.resid += rs->residual;
    if (rs->underrun && !(c->flags & AFU_REQ_SUP_UNDERRUN))
        c->status.rc.flags |= AFU_RC_FLAG_UNDERRUN;
    if (rs->overrun)
        c->status.rc.flags |= AFU_RC_FLAG_OVERRUN;
    if (rs->sense_valid) {
        c->status.rc.flags |= AFU_RC_FLAG_SENSE_VALID;
        memcpy(c->status.sense, rs->sense, sizeof c->status.sense);
    }
}

/* Bytes of later segments that are not going to move any more. */
static uint32_t left_out(const struct sim_cmd *c)
{
    uint32_t done = c->part_offset + c->rq.data_len;

    return c->status.rc.flags & AFU_RC_FLAG_OVERRUN ? 0 : c->data_len - done;
}

/* True when the command goes on with its next segment. */
static bool next_segment(struct sim_cmd *c)
{
    if (c->segment + 1 >= c->segments && !c->rest)
        return false;
    if (c->rs.status || c->plan.loss) {
        c->status.resid += left_out(c);
        return false;
    }
    if (sim_cmd_is_same(c)) /* the rest of the buffer is told of again */
        c->status.resid = 0;
    else
        c->part_offset += c->rq.data_len;
    c->plan = (struct sim_fault_plan){0};
    if (++c->segment == c->segments)
        sim_translate_rest(c);
    else
        sim_port_command(c);
    return true;
}

/* True: nothing more is to be done, because the command goes on or never ends. */
static bool goes_on(struct sim_cmd *c)
{
    if (c->plan.no_response) {
        c->state = SIM_CMD_LOST;
        return true;
    }
    merge(c);
    if (__builtin_expect(c->plan.loss != SIM_LOSS_NONE, 0))
        sim_loss_merge(c);
    return next_segment(c);
}

void sim_segment_done(struct sim_cmd *c)
{
    if (!goes_on(c))
        sim_status(c);
}

void sim_segment_done_now(struct sim_cmd *c)
{
    if (goes_on(c))
        return;
    sim_timeout_stop(c);
    sim_ioasa_send(c);
}
