/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and media: a command is sent to a port, the target decodes it, the medium works on it, data
 * crosses the link. Command frames, data in and data out of a port are separate stages, each
 * serial; a medium has places for `media.parallel` operations a LUN. */
#include <errno.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/sim_afu.h"

static bool usable(const struct sim_port *p)
{
    return p->link == SIM_LINK_ONLINE && !p->shutdown_active && !p->shutdown_complete;
}

uint64_t sim_ports_present(const struct sim_afu *a) { return HAL_BIT(a->params.ports) - 1; }

/* Ports that may carry a command now: selected and up (SL 8.4 step 10). */
static uint8_t available(const struct sim_afu *a)
{
    uint8_t mask = 0;

    for (unsigned p = 0; p < a->params.ports; p++)
        if (usable(&a->port[p]) && (a->port_sel & HAL_BIT(p)))
            mask |= (uint8_t)HAL_BIT(p);
    return mask;
}

/* MD-10: the lowest usable port, or round robin over all commands. */
static uint8_t choose(struct sim_afu *a, uint8_t candidates)
{
    uint8_t above;

    if (!a->params.port_choice_rr)
        return (uint8_t)hal_lowest_bit(candidates);
    above = (uint8_t)(candidates & ~((2u << a->port_rr) - 1));
    a->port_rr = (uint8_t)hal_lowest_bit(above ? above : candidates);
    return a->port_rr;
}

/* ---- the request as the target sees it --------------------------------------------------------
 */

/* A virtual LUN's CDB gets the physical block; READ and WRITE become their 16-byte form. */
static void rewrite_cdb(struct sim_cmd *c, const struct sim_segment *part)
{
    uint8_t *cdb = c->rq.cdb, opcode = cdb[0];

    if (opcode != 0x93) {
        uint8_t flags = opcode == 0x08 || opcode == 0x0A ? 0 : cdb[1];

        memset(cdb, 0, sizeof c->rq.cdb);
        cdb[0] = (opcode & 0x0F) == 0x08 ? 0x88 : 0x8A;
        cdb[1] = flags;
    }
    hal_be64_put(cdb + 2, part->lba);
    hal_be32_put(cdb + 10, part->blocks);
}

static uint32_t lun_block_size(const struct sim_afu *a, uint64_t lun_id)
{
    const struct sim_media_lun *lun = sim_media_lun(a->scsi.media, afu_lun_number(lun_id));

    return lun ? lun->block_size : 4096;
}

/* The piece of the client's buffer that belongs to the current segment. */
static uint32_t segment_length(const struct sim_cmd *c, const struct sim_segment *part)
{
    uint32_t left = c->data_len - c->part_offset;

    if (c->segment + 1 == c->segments)
        return left;
    return (uint32_t)hal_min64(left,
                               (uint64_t)part->blocks * lun_block_size(c->ctx->afu, part->lun_id));
}

static void prepare_request(struct sim_cmd *c)
{
    struct sim_segment *part = &c->part[c->segment];

    if (!part->whole) {
        part->lun_id = c->ctx->afu->port[c->port].lun_table[part->lun_index];
        rewrite_cdb(c, part);
    }
    c->rq.lun_id = part->lun_id;
    c->rq.port = c->port;
    c->rq.data_len = segment_length(c, part);
}

/* ---- the medium -------------------------------------------------------------------------------
 */

static void media_done(struct sim_event *ev);

static uint64_t media_time(struct sim_afu *a, const struct sim_cmd *c)
{
    const struct sim_params *p = &a->params;
    uint64_t base;

    if (c->rs.medium != SIM_SCSI_MEDIUM_READ)
        base = p->media_write;
    else if (p->media_read == p->media_unwritten ||
             sim_media_mapped(a->scsi.media, c->rs.lun, c->rs.lba))
        base = p->media_read;
    else
        base = p->media_unwritten;
    if (p->media_jitter)
        base += hal_prng_below(&a->latency, base * p->media_jitter / 100 + 1);
    return base;
}

/* Asks the site of the medium, once a segment and before any data moves, so that a write which is
 * going to fail changes nothing. */
void sim_media_plan(struct sim_cmd *c)
{
    uint64_t arg = 0;

    c->media_extra = 0;
    c->media_stuck = false;
    switch (sim_site(c->ctx->afu, SIM_SITE_MEDIA, &arg)) {
    case SIM_EFFECT_LATE:
        c->media_extra = arg;
        break;
    case SIM_EFFECT_NEVER:
        c->media_stuck = true;
        break;
    case SIM_EFFECT_ERROR: /* medium error: unrecovered read, or write error */
        sim_scsi_force(&c->rs, SIM_SCSI_CHECK_CONDITION, 3,
                       c->rs.medium == SIM_SCSI_MEDIUM_READ ? 0x11 : 0x0C, 0, false);
        break;
    case SIM_EFFECT_VALUE:
        c->corrupt = true;
        break;
    default:
        break;
    }
}

static void media_start(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;
    uint64_t time = media_time(a, c) + c->media_extra;

    a->stage[c->rs.lun].busy++;
    c->state = SIM_CMD_MEDIA;
    sim_record(a, SIM_EVENT_MEDIA_START, c->slot, c->rs.lun, c->rs.blocks);
    if (!c->media_stuck)
        sim_cmd_at(c, a->engine->now + time, SIM_RANK_MEDIA, media_done);
}

static void media_enter(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;
    struct sim_media_stage *s = &a->stage[c->rs.lun];

    if (s->busy < a->params.media_parallel) {
        media_start(c);
        return;
    }
    c->state = SIM_CMD_MEDIA_QUEUE;
    c->next_waiting = NULL;
    if (s->last)
        s->last->next_waiting = c;
    else
        s->first = c;
    s->last = c;
}

static void media_next(struct sim_afu *a, unsigned lun)
{
    struct sim_media_stage *s = &a->stage[lun];
    struct sim_cmd *c = s->first;

    CHECK(s->busy > 0);
    s->busy--;
    if (!c)
        return;
    s->first = c->next_waiting;
    if (!s->first)
        s->last = NULL;
    media_start(c);
}

static void media_unqueue(struct sim_afu *a, struct sim_cmd *c)
{
    struct sim_media_stage *s = &a->stage[c->rs.lun];
    struct sim_cmd *before = NULL;

    for (struct sim_cmd *at = s->first; at != c; at = at->next_waiting)
        before = at;
    if (before)
        before->next_waiting = c->next_waiting;
    else
        s->first = c->next_waiting;
    if (s->last == c)
        s->last = before;
}

void sim_port_leave_media(struct sim_cmd *c)
{
    if (c->state == SIM_CMD_MEDIA)
        media_next(c->ctx->afu, c->rs.lun);
    else if (c->state == SIM_CMD_MEDIA_QUEUE)
        media_unqueue(c->ctx->afu, c);
}

/* ---- the link ---------------------------------------------------------------------------------
 */

/* Reserves the link in one direction; returns the cycle at which the last frame is over. */
static uint64_t link_time(const struct sim_afu *a, uint64_t *stage, uint64_t bytes)
{
    uint64_t time = hal_div_up(bytes * a->params.fc_block_time, 4096);

    *stage = hal_max64(a->engine->now, *stage) + time;
    return *stage;
}

/* Ends a command that the link lost. */
static bool link_lost(struct sim_cmd *c)
{
    const struct sim_port *p = &c->ctx->afu->port[c->port];

    if (usable(p))
        return false;
    c->status.fc_rc =
        p->shutdown_active || p->shutdown_complete ? AFU_FC_RC_SHUTDOWN : AFU_FC_RC_LINKDOWN;
    sim_status(c);
    return true;
}

static uint64_t moved_bytes(const struct sim_cmd *c)
{
    return c->rs.forced && !c->rs.forced_after_data ? 0
                                                    : hal_min64(c->rs.transfer_len, c->rq.data_len);
}

static void link_in_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (!link_lost(c))
        sim_data_in(c);
}

static void send_data_in(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;

    c->state = SIM_CMD_DATA;
    sim_cmd_at(c, link_time(a, &a->port[c->port].in_free, moved_bytes(c)), SIM_RANK_PORT,
               link_in_done);
}

/* The medium is done: reads send their data, everything else is over. */
static void media_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->ctx->afu;

    sim_record(a, SIM_EVENT_MEDIA_DONE, c->slot, c->rs.lun, c->rs.forced ? c->rs.forced_status : 0);
    media_next(a, c->rs.lun);
    c->state = SIM_CMD_DATA;
    if (link_lost(c))
        return;
    if (c->rs.kind == SIM_SCSI_DATA_IN)
        send_data_in(c);
    else
        sim_segment_done(c);
}

static void link_out_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (!link_lost(c))
        media_enter(c);
}

void sim_port_data_out(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;

    sim_cmd_at(c, link_time(a, &a->port[c->port].out_free, moved_bytes(c)), SIM_RANK_PORT,
               link_out_done);
}

/* ---- the command at its port ------------------------------------------------------------------
 */

static void mismatch(struct sim_cmd *c)
{
    c->status.fc_rc = AFU_FC_RC_ABORTOK;
    if (c->ctx->afu->params.card == 0x0600)
        c->status.afu_rc = AFU_RC_GT_DIRECTION;
    sim_status(c);
}

static void without_data(struct sim_cmd *c)
{
    int rc;

    if (c->rs.medium != SIM_SCSI_MEDIUM_NONE)
        sim_media_plan(c);
    rc = sim_data_finish(c);
    CHECK(rc == 0);
    if (c->rs.medium == SIM_SCSI_MEDIUM_NONE)
        sim_segment_done(c);
    else
        media_enter(c);
}

static void begin(struct sim_cmd *c)
{
    prepare_request(c);
    sim_scsi_begin(&c->ctx->afu->scsi, &c->rq, &c->rs);
    if (c->rs.direction_mismatch)
        mismatch(c);
    else if (c->rs.failed)
        sim_segment_done(c);
    else if (c->rs.kind == SIM_SCSI_DATA_OUT)
        sim_data_out(c);
    else if (c->rs.kind == SIM_SCSI_NO_DATA)
        without_data(c);
    else if (c->rs.medium == SIM_SCSI_MEDIUM_NONE)
        send_data_in(c);
    else {
        sim_media_plan(c);
        media_enter(c);
    }
}

static void at_target(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->ctx->afu;
    uint64_t arg = 0;

    if (link_lost(c))
        return;
    switch (sim_site(a, SIM_SITE_FC, &arg)) {
    case SIM_EFFECT_ERROR:
        c->status.fc_rc = arg ? (uint8_t)arg : AFU_FC_RC_ABORTPEND;
        sim_status(c);
        return;
    case SIM_EFFECT_DROP:
    case SIM_EFFECT_NEVER:
        c->state = SIM_CMD_STUCK;
        return;
    case SIM_EFFECT_LATE:
        if (!c->delayed) {
            c->delayed = true;
            sim_cmd_at(c, a->engine->now + arg, SIM_RANK_PORT, at_target);
            return;
        }
        break;
    default:
        break;
    }
    begin(c);
}

void sim_port_command(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;
    uint8_t up = available(a);
    uint64_t arg = 0, arrival;
    struct sim_port *p;

    if (!(c->ports & up) || sim_site(a, SIM_SITE_PORT, &arg) == SIM_EFFECT_ERROR) {
        sim_status_afu(c, AFU_RC_NO_CHANNELS,
                       afu_no_channels_extra(up, c->ports, (unsigned)a->params.ports));
        return;
    }
    c->port = choose(a, c->ports & up);
    c->state = SIM_CMD_PORT;
    p = &a->port[c->port];
    arrival = a->engine->now + a->params.xlt_hit + a->params.to_port;
    p->cmd_free = hal_max64(arrival, p->cmd_free) + a->params.fc_cmd_overhead;
    sim_record(a, SIM_EVENT_PORT_START, c->slot, c->port, c->rq.cdb[0]);
    sim_cmd_at(c, p->cmd_free, SIM_RANK_PORT, at_target);
}
