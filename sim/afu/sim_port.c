/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and media: a command is sent to a port, the target decodes it, the medium works on it, data
 * crosses the link. Command frames, data in and data out of a port are separate stages, each
 * serial; a medium has places for `media.parallel` operations a LUN. */
#include <errno.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"

uint64_t sim_ports_present(const struct sim_afu *a) { return HAL_BIT(a->params.ports) - 1; }

/* Ports that may carry a command now: selected and up (SL 8.4 step 10). Internal LUNs are behind
 * port 0. */
static uint8_t available(const struct sim_afu *a)
{
    uint64_t usable = a->links_quiet;

    if (__builtin_expect(a->internal_mode, 0))
        usable = sim_link_usable(&a->port[0]);
    return (uint8_t)(a->port_sel & usable);
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

/* READ and WRITE of any length in their 16-byte form, whose other fields follow. */
static __attribute__((noinline)) void lengthen_cdb(uint8_t cdb[16])
{
    uint8_t opcode = cdb[0], flags = opcode == 0x08 || opcode == 0x0A ? 0 : cdb[1];

    memset(cdb, 0, 16);
    cdb[0] = (opcode & 0x0F) == 0x08 ? 0x88 : 0x8A;
    cdb[1] = flags;
}

/* A virtual LUN's CDB gets the physical block. */
SIM_IN_LINE static inline void rewrite_cdb(struct sim_cmd *c, const struct sim_segment *part)
{
    uint8_t *cdb = c->rq.cdb;

    if (__builtin_expect((cdb[0] & ~2) == 0x88, 1))
        cdb[14] = cdb[15] = 0; /* group number, control */
    else if (!sim_cmd_is_same(c))
        lengthen_cdb(cdb);
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

    if (c->segment + 1 == c->segments || sim_cmd_is_same(c))
        return left;
    return (uint32_t)hal_min64(left, (uint64_t)part->blocks * lun_block_size(c->afu, part->lun_id));
}

SIM_IN_LINE static inline void prepare_request(struct sim_cmd *c)
{
    struct sim_segment *part = &c->part[c->segment];

    if (__builtin_expect(!part->whole, 1)) {
        rewrite_cdb(c, part);
        part->lun_id = c->afu->port[c->port].lun_table[part->lun_index];
    }
    c->rq.lun_id = part->lun_id;
    c->rq.port = c->port;
    c->rq.data_len = segment_length(c, part);
}

/* ---- the medium -------------------------------------------------------------------------------
 */

static void media_done(struct sim_event *ev);

static __attribute__((noinline)) uint64_t with_jitter(struct sim_afu *a, uint64_t base)
{
    return base + hal_prng_below(&a->latency, base * a->params.media_jitter / 100 + 1);
}

static inline uint64_t media_time(struct sim_afu *a, const struct sim_cmd *c)
{
    const struct sim_params *p = &a->params;
    uint64_t base;

    if (a->internal_mode)
        return p->internal_access;
    if (c->rs.medium != SIM_SCSI_MEDIUM_READ)
        base = p->media_write;
    else if (p->media_read == p->media_unwritten ||
             sim_media_mapped(a->scsi.media, c->rs.lun, c->rs.lba))
        base = p->media_read;
    else
        base = p->media_unwritten;
    return __builtin_expect(p->media_jitter != 0, 0) ? with_jitter(a, base) : base;
}

/* Shortest time between two operations of one LUN. */
static uint64_t media_interval(const struct sim_params *p, const struct sim_cmd *c)
{
    return c->rs.medium == SIM_SCSI_MEDIUM_READ ? p->media_lun_read_interval
                                                : p->media_lun_write_interval;
}

static __attribute__((noinline)) void start_paced(struct sim_cmd *c, uint64_t gap, uint64_t time)
{
    sim_wait_stage(c, &c->afu->stage[c->rs.lun].interval, 0, 0, gap, time, SIM_RANK_MEDIA,
                   media_done);
}

SIM_IN_LINE static inline void media_start(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    struct sim_media_stage *s = &a->stage[c->rs.lun];
    uint64_t time, gap;

    s->busy++;
    c->state = SIM_CMD_MEDIA;
    sim_record(a, SIM_EVENT_MEDIA_START, c->slot, c->rs.lun, c->rs.blocks);
    time = media_time(a, c) + c->media_extra; /* drawn for one that stays there, too */
    gap = media_interval(&a->params, c);
    if (__builtin_expect(c->media_stuck, 0))
        return;
    if (__builtin_expect(gap != 0, 0))
        start_paced(c, gap, time);
    else
        sim_wait(c, time, SIM_RANK_MEDIA, media_done);
}

static __attribute__((noinline)) void media_queue(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    struct sim_media_stage *s = &a->stage[c->rs.lun];

    c->state = SIM_CMD_MEDIA_QUEUE;
    c->next_waiting = NULL;
    if (s->last)
        s->last->next_waiting = c;
    else
        s->first = c;
    s->last = c;
    a->media_waiting[c->rs.lun / 64] |= HAL_BIT(c->rs.lun % 64);
}

SIM_IN_LINE static inline void media_enter(struct sim_cmd *c)
{
    const struct sim_media_stage *s = &c->afu->stage[c->rs.lun];

    if (__builtin_expect(!s->first && s->busy < c->afu->params.media_parallel, 1))
        media_start(c);
    else
        media_queue(c);
}

static void media_dequeue(struct sim_afu *a, unsigned lun, struct sim_cmd *before,
                          struct sim_cmd *c)
{
    struct sim_media_stage *s = &a->stage[lun];

    if (before)
        before->next_waiting = c->next_waiting;
    else
        s->first = c->next_waiting;
    if (s->last == c)
        s->last = before;
    if (!s->first)
        a->media_waiting[lun / 64] &= ~HAL_BIT(lun % 64);
}

void sim_media_stage_reset(struct sim_afu *a, unsigned lun)
{
    a->stage[lun] = (struct sim_media_stage){.interval.id = (uint16_t)(SIM_STAGE_LUN + lun)};
}

bool sim_media_place(const struct sim_afu *a, unsigned lun)
{
    return a->stage[lun].first && a->stage[lun].busy < a->params.media_parallel;
}

void sim_media_start_waiting(struct sim_afu *a)
{
    for (unsigned word = 0; word < HAL_ARRAY_LENGTH(a->media_waiting); word++)
        for (uint64_t bits = a->media_waiting[word]; bits; bits &= bits - 1) {
            unsigned lun = word * 64 + hal_lowest_bit(bits);

            while (sim_media_place(a, lun)) {
                struct sim_cmd *c = a->stage[lun].first;

                media_dequeue(a, lun, NULL, c);
                media_start(c);
            }
        }
}

static void places_free(struct sim_event *ev)
{
    sim_media_start_waiting(HAL_CONTAINER_OF(ev, struct sim_afu, media_event));
}

/* Gives a place back; who gets it is decided when everybody who leaves in this cycle has left. */
static void media_leave(struct sim_afu *a, unsigned lun, bool early)
{
    struct sim_media_stage *s = &a->stage[lun];

    CHECK(s->busy > 0);
    s->busy--;
    if (s->first && !sim_stepped(a) && !sim_event_pending(&a->media_event) &&
        !(SIM_PLANTED(4) && early))
        sim_engine_at(a->engine, &a->media_event, a->engine->now, SIM_RANK_MEDIA_START,
                      places_free);
}

static void media_unqueue(struct sim_afu *a, struct sim_cmd *c)
{
    struct sim_media_stage *s = &a->stage[c->rs.lun];
    struct sim_cmd *before = NULL;

    for (struct sim_cmd *at = s->first; at != c; at = at->next_waiting)
        before = at;
    media_dequeue(a, c->rs.lun, before, c);
}

void sim_port_leave_media(struct sim_cmd *c)
{
    sim_buffer_leave(c);
    sim_frame_aborted(c);
    if (c->state == SIM_CMD_MEDIA)
        media_leave(c->afu, c->rs.lun, true);
    else if (c->state == SIM_CMD_MEDIA_QUEUE)
        media_unqueue(c->afu, c);
}

/* ---- the link ---------------------------------------------------------------------------------
 */

/* The next step comes when the bytes have crossed the link in one direction; memory of the FPGA is
 * behind no link. */
SIM_IN_LINE static inline void wait_link(struct sim_cmd *c, struct sim_stage *direction,
                                         uint64_t bytes, sim_event_fn *fn)
{
    const struct sim_afu *a = c->afu;
    bool here = __builtin_expect(a->internal_mode, 0);
    uint64_t time = here ? 0 : (bytes * a->params.fc_block_time + 4095) / 4096;

    sim_wait_stage(c, direction, 0, time, 0, 0, SIM_RANK_PORT, fn);
}

static __attribute__((noinline)) bool link_lost_now(struct sim_cmd *c)
{
    uint8_t fc_rc = sim_link_lost(&c->afu->port[c->port]);

    if (!fc_rc)
        return false;
    c->status.rc.fc_rc = fc_rc;
    sim_status(c);
    return true;
}

/* Ends a command that the link lost. */
static inline bool link_lost(struct sim_cmd *c)
{
    return !sim_link_quiet(c->afu, c->port) && link_lost_now(c);
}

static uint64_t moved_bytes(const struct sim_cmd *c)
{
    return c->rs.forced && !c->rs.forced_after_data ? 0 : c->rs.transfer_len;
}

HAL_HOT static void link_in_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (!link_lost(c) && !sim_frame_data(c, moved_bytes(c)))
        sim_data_in(c);
}

SIM_IN_LINE static inline void send_data_in(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    c->state = SIM_CMD_DATA;
    wait_link(c, &a->port[c->port].in, moved_bytes(c), link_in_done);
}

/* The medium is done: reads send their data, everything else is over. */
HAL_HOT static void media_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    struct sim_afu *a = c->afu;

    sim_record(a, SIM_EVENT_MEDIA_DONE, c->slot, c->rs.lun, c->rs.forced_status);
    media_leave(a, c->rs.lun, false);
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

    if (!link_lost(c) && !sim_frame_data(c, moved_bytes(c)))
        media_enter(c);
}

void sim_port_data_out(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    wait_link(c, &a->port[c->port].out, moved_bytes(c), link_out_done);
}

/* ---- the command at its port ------------------------------------------------------------------
 */

static void mismatch(struct sim_cmd *c)
{
    c->status.rc.fc_rc = AFU_FC_RC_ABORTOK;
    if (c->afu->params.card == 0x0600)
        c->status.rc.afu_rc = AFU_RC_GT_DIRECTION;
    sim_status(c);
}

static void without_data(struct sim_cmd *c)
{
    int rc;

    if (sim_frame_data(c, 0))
        return;
    if (c->rs.medium != SIM_SCSI_MEDIUM_NONE)
        sim_media_plan(c);
    rc = sim_data_finish(c);
    CHECK(rc == 0);
    if (c->rs.medium == SIM_SCSI_MEDIUM_NONE)
        sim_segment_done(c);
    else
        media_enter(c);
}

SIM_IN_LINE static inline void with_medium(struct sim_cmd *c)
{
    sim_media_plan(c);
    media_enter(c);
}

static __attribute__((noinline)) bool begin_failed(struct sim_cmd *c)
{
    if (c->rs.direction_mismatch)
        mismatch(c);
    else
        sim_segment_done(c);
    return true;
}

/* True: there is nothing to carry out, and the command has ended. */
SIM_IN_LINE static inline bool begin_fails(struct sim_cmd *c)
{
    prepare_request(c);
    sim_scsi_begin(&c->afu->scsi, &c->rq, &c->rs);
    return (c->rs.direction_mismatch || c->rs.failed) && begin_failed(c);
}

SIM_IN_LINE static inline void carry_out(struct sim_cmd *c)
{
    sim_frame_accepted(c);
    if (__builtin_expect(sim_inject_armed(&c->afu->port[c->port]), 0) && sim_inject(c))
        return;
    if (c->rs.kind == SIM_SCSI_DATA_OUT)
        sim_data_out(c);
    else if (c->rs.kind == SIM_SCSI_NO_DATA)
        without_data(c);
    else if (c->rs.medium == SIM_SCSI_MEDIUM_NONE)
        send_data_in(c);
    else
        with_medium(c);
}

SIM_IN_LINE static inline void begin(struct sim_cmd *c)
{
    if (!begin_fails(c))
        carry_out(c);
}

/* Frames of the exchange are going to be lost. */
static void begin_short(struct sim_cmd *c, uint64_t arg)
{
    if (!begin_fails(c) && !sim_exchange_fault(c, arg))
        carry_out(c);
}

/* Its frame has left the card and does not arrive, or not yet: the target knows nothing of it. */
static void on_its_way(struct sim_cmd *c)
{
    prepare_request(c);
    c->rs.lun = (uint16_t)afu_lun_number(c->rq.lun_id);
    c->state = SIM_CMD_LOST;
}

static void at_target_late(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (!link_lost(c))
        begin(c);
}

/* True: the command goes no further for now. */
SIM_COLD static bool exchange_planned(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t arg = 0;

    switch (sim_site_armed(a, SIM_SITE_FC, &arg)) {
    case SIM_EFFECT_ERROR:
        c->status.rc.fc_rc = arg ? (uint8_t)arg : AFU_FC_RC_ABORTPEND;
        c->status.rc.afu_rc = (uint8_t)(arg >> 8);
        if (c->status.rc.fc_rc == AFU_FC_RC_ABORTPEND)
            sim_frame_timed_out(c);
        sim_status(c);
        return true;
    case SIM_EFFECT_DROP:
        on_its_way(c);
        return true;
    case SIM_EFFECT_NEVER:
        c->plan.no_response = true;
        break;
    case SIM_EFFECT_SHORT:
        begin_short(c, arg);
        return true;
    case SIM_EFFECT_LATE:
        on_its_way(c);
        sim_wait(c, sim_late(a, arg), SIM_RANK_PORT, at_target_late);
        return true;
    case SIM_EFFECT_CRC:
        c->bad_frames = (uint8_t)hal_min64(arg ? arg : 1, UINT8_MAX);
        break;
    case SIM_EFFECT_LOGOUT:
        sim_link_logout(&a->port[c->port], arg);
        break;
    case SIM_EFFECT_PORT_ERROR:
        sim_port_error_lasting(&a->port[c->port], arg);
        break;
    default:
        break;
    }
    return link_lost(c);
}

HAL_HOT static void at_target(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (!link_lost(c) && !(sim_site_planned(c->afu, SIM_SITE_FC) && exchange_planned(c)))
        begin(c);
}

/* The frame of the command leaves in its turn. */
static void send_frame(struct sim_cmd *c)
{
    const struct sim_params *p = &c->afu->params;

    sim_wait_stage(c, &c->afu->port[c->port].command, p->xlt_hit + p->to_port, p->fc_cmd_overhead,
                   0, 0, SIM_RANK_PORT, at_target);
}

static void passed_card(struct sim_event *ev) { send_frame(sim_cmd_of(ev)); }

static void end_without_port(struct sim_cmd *c, uint8_t up)
{
    sim_status_afu(c, AFU_RC_NO_CHANNELS,
                   afu_no_channels_extra(up, c->ports, (unsigned)c->afu->params.ports));
}

/* True: no port can have the command. */
SIM_COLD static bool refused_channel(struct sim_cmd *c, uint8_t up)
{
    struct sim_afu *a = c->afu;
    uint64_t arg = 0;

    if (c->ports & up && sim_site_armed(a, SIM_SITE_PORT, &arg) != SIM_EFFECT_ERROR)
        return false;
    if (arg && arg != AFU_RC_NO_CHANNELS)
        sim_status_afu(c, (uint8_t)arg, 0);
    else
        end_without_port(c, up);
    return true;
}

static bool no_channel(struct sim_cmd *c, uint8_t up)
{
    if (c->ports & up && !sim_site_planned(c->afu, SIM_SITE_PORT))
        return false;
    return refused_channel(c, up);
}

/* The lowest port: task management takes no turn of the round robin. */
bool sim_port_for_task(struct sim_cmd *c)
{
    uint8_t up = available(c->afu);

    if (c->ports & up)
        c->port = (uint8_t)hal_lowest_bit(c->ports & up);
    else
        end_without_port(c, up);
    return c->ports & up;
}

HAL_HOT void sim_port_command(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint8_t up = available(a);

    if (!sim_buffer_take(c) || no_channel(c, up))
        return;
    c->port = choose(a, c->ports & up);
    c->state = SIM_CMD_PORT;
    sim_record(a, SIM_EVENT_PORT_START, c->slot, c->port, c->rq.cdb[0]);
    sim_frame_command(c);
    if (a->params.card_interval)
        sim_wait_stage(c, &a->card, 0, 0, a->params.card_interval, 0, SIM_RANK_PORT, passed_card);
    else
        send_frame(c);
}
