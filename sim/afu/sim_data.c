/* SPDX-License-Identifier: Apache-2.0 */
/* Data between the card and the client's memory. The bus time of a transfer is computed in closed
 * form; the bytes move at its end, in one copy between medium and memory. */
#include <errno.h>
#include <string.h>

#include "sim/afu/sim_psl.h"
#include "sim/afu/sim_wait.h"

static uint64_t segment_ea(const struct sim_cmd *c) { return c->data_ea + c->part_offset; }

static uint32_t transfer_bytes(const struct sim_cmd *c) { return (uint32_t)c->rs.transfer_len; }

/* The part of [offset, offset + n) that a fault loses: its begin in *from, its length. */
static size_t lost_part(const struct sim_cmd *c, uint64_t offset, size_t n, size_t *from)
{
    uint64_t begin = hal_max64(offset, c->plan.hole_at);
    uint64_t end = hal_min64(offset + n, (uint64_t)c->plan.hole_at + c->plan.hole);

    *from = begin < end ? (size_t)(begin - offset) : n;
    return begin < end ? (size_t)(end - begin) : 0;
}

static int to_host(struct sim_cmd *c, uint64_t offset, const void *data, size_t n)
{
    uint64_t ea = segment_ea(c) + offset;
    size_t left = sim_memory_write(ea, data, n);

    if (!left)
        return 0;
    c->bus_ea = ea + (n - left);
    return -EFAULT;
}

/* A fault loses some of it. */
SIM_COLD static int sink_rest(struct sim_cmd *c, uint64_t offset, const void *data, size_t n)
{
    size_t from, lost = lost_part(c, offset, n, &from);
    int rc = to_host(c, offset, data, from);

    if (rc || !lost)
        return rc;
    from += lost;
    return to_host(c, offset + from, (const uint8_t *)data + from, n - from);
}

static int sink(void *arg, uint64_t offset, const void *data, size_t n)
{
    struct sim_cmd *c = arg;

    return c->plan.hole ? sink_rest(c, offset, data, n) : to_host(c, offset, data, n);
}

static int source(void *arg, uint64_t offset, void *data, size_t n)
{
    struct sim_cmd *c = arg;
    uint64_t ea = segment_ea(c) + offset;
    size_t from, lost = lost_part(c, offset, n, &from), left = sim_memory_read(ea, data, n);

    memset((uint8_t *)data + from, 0, lost);
    if (c->plan.damage == SIM_DAMAGE_BIT && n)
        ((uint8_t *)data)[0] ^= 1;
    if (!left)
        return 0;
    c->bus_ea = ea + (n - left);
    return -EFAULT;
}

/* Who does what to which blocks, before a fault of the medium makes others of them. Not SIM_COLD:
 * with checkers every command comes here, and cold code clears structures by string instructions.
 */
static __attribute__((noinline)) void tell_media(const struct sim_cmd *c)
{
    bool by_handle = c->flags & AFU_REQ_RES_HNDL;

    sim_tell(c->afu, &(struct sim_watched){.what = SIM_WATCH_MEDIA,
                                           .context = by_handle ? c->ctx_id : c->ctx->handle,
                                           .handle = by_handle ? c->res_hndl : 0,
                                           .by_handle = by_handle,
                                           .port = c->port,
                                           .lun_id = c->rq.lun_id,
                                           .value = c->rs.lba,
                                           .other = c->rs.blocks,
                                           .index = (c->vlba >> AFU_NMASK_MIN) + c->segment,
                                           .good = c->rs.medium != SIM_SCSI_MEDIUM_READ});
}

/* A fault of the medium lies about them. */
SIM_COLD static int finish_damaged(struct sim_cmd *c)
{
    int rc = sim_target_finish(c, sink, source);

    if (c->plan.damage == SIM_DAMAGE_BIT && !rc && c->rs.kind == SIM_SCSI_DATA_IN && c->rs.moved) {
        uint8_t byte;

        if (!sim_memory_read(segment_ea(c), &byte, 1)) {
            byte ^= 1;
            (void)sim_memory_write(segment_ea(c), &byte, 1);
        }
    }
    return rc;
}

int sim_data_finish(struct sim_cmd *c)
{
    if (sim_watched_by(c->afu) && !c->afu->internal_mode && c->rs.medium != SIM_SCSI_MEDIUM_NONE &&
        c->rs.medium != SIM_SCSI_MEDIUM_SYNC)
        tell_media(c);
    if (__builtin_expect(c->plan.damage != SIM_DAMAGE_NONE, 0))
        return finish_damaged(c);
    return sim_scsi_finish(&c->afu->scsi, &c->rq, &c->rs, sink, source, c);
}

/* Moves the bytes. True: the bus would not, as planned or because the buffer is not there, and the
 * command has ended or tries again. */
static bool move_fails(struct sim_cmd *c)
{
    if (c->psl.code)
        sim_psl_refused(c, SIM_PSL_DATA, c->psl.code, segment_ea(c));
    else if (sim_data_finish(c))
        sim_psl_refused(c, SIM_PSL_DATA, AFU_PSL_AERROR, c->bus_ea);
    else
        return false;
    return true;
}

/* A line that gets lost keeps what was there: in the host's memory, or zeros on the card. */
static void lose_line(struct sim_cmd *c, uint64_t line)
{
    uint32_t bytes = transfer_bytes(c);

    c->plan.hole_at = (uint32_t)(hal_min64(line, bytes / SIM_LINE) * SIM_LINE);
    c->plan.hole = SIM_LINE;
}

/* Returns by how much the data are late. */
SIM_COLD static uint64_t data_planned(struct sim_cmd *c)
{
    uint64_t arg = 0;
    uint32_t bytes = transfer_bytes(c);

    switch (sim_site_armed(c->afu, SIM_SITE_DATA, &arg)) {
    case SIM_EFFECT_ERROR:
        c->psl.code = sim_psl_planned(arg, AFU_PSL_CONTEXT);
        return 0;
    case SIM_EFFECT_DROP:
        lose_line(c, arg);
        return 0;
    case SIM_EFFECT_SHORT:
        sim_segment_shorten(c, SIM_LOSS_DMA, bytes - hal_min64(bytes, arg ? arg : bytes / 2));
        return 0;
    case SIM_EFFECT_LATE:
        return sim_late(c->afu, arg);
    default:
        return 0;
    }
}

HAL_HOT static __attribute__((noinline)) void append_record(struct sim_cmd *c, uint32_t bytes)
{
    sim_record_address_a(c->afu, SIM_EVENT_DATA, c->slot, segment_ea(c), &c->ctx->data_hint, bytes);
}

static inline void record(struct sim_cmd *c, uint32_t bytes)
{
    if (c->afu->tracing)
        append_record(c, bytes);
}

HAL_HOT static void in_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (move_fails(c))
        return;
    record(c, c->rs.moved);
    sim_segment_done_now(c);
}

/* Sends the data of a segment over the bus; `after` cycles later fn runs. */
SIM_IN_LINE static inline void transfer(struct sim_cmd *c, enum sim_direction direction,
                                        uint64_t after, sim_event_fn *fn)
{
    uint32_t bytes = transfer_bytes(c);
    uint64_t late = sim_site_planned(c->afu, SIM_SITE_DATA) ? data_planned(c) : 0;

    c->state = SIM_CMD_DATA;
    if (__builtin_expect(segment_ea(c) % SIM_LINE != 0, 0))
        c->afu->counters.misaligned_data++;
    if (bytes)
        sim_wait_transfer(c, direction, SIM_STRICT_DATA, segment_ea(c), bytes, after + late,
                          SIM_RANK_DATA, fn);
    else
        sim_wait(c, after + late, SIM_RANK_DATA, fn);
}

HAL_HOT void sim_data_in(struct sim_cmd *c)
{
    transfer(c, SIM_BUS_WRITE, c->afu->params.status_build, in_done);
}

HAL_HOT static void out_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (!c->psl.code && c->rs.medium != SIM_SCSI_MEDIUM_NONE)
        sim_media_plan(c);
    if (move_fails(c))
        return;
    record(c, c->rs.moved);
    if (c->rs.medium == SIM_SCSI_MEDIUM_NONE || (c->rs.status && !c->rs.forced))
        sim_segment_done(c);
    else
        sim_port_data_out(c);
}

HAL_HOT void sim_data_out(struct sim_cmd *c) { transfer(c, SIM_BUS_READ, 0, out_done); }

void sim_data_again(struct sim_cmd *c)
{
    if (c->rs.kind == SIM_SCSI_DATA_IN)
        sim_data_in(c);
    else
        sim_data_out(c);
}
