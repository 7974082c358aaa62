/* SPDX-License-Identifier: Apache-2.0 */
/* Data between the card and the client's memory. The bus time of a transfer is computed in closed
 * form; the bytes move at its end, in one copy between medium and memory. */
#include <errno.h>

#include "sim/sim_wait.h"

static uint64_t segment_ea(const struct sim_cmd *c) { return c->data_ea + c->part_offset; }

static uint32_t transfer_bytes(const struct sim_cmd *c)
{
    return (uint32_t)hal_min64(c->rs.transfer_len, c->rq.data_len);
}

static int sink(void *arg, uint64_t offset, const void *data, size_t n)
{
    struct sim_cmd *c = arg;
    uint64_t ea = segment_ea(c) + offset;
    size_t left = sim_memory_write(ea, data, n);

    if (!left)
        return 0;
    c->fault_address = ea + (n - left);
    return -EFAULT;
}

static int source(void *arg, uint64_t offset, void *data, size_t n)
{
    struct sim_cmd *c = arg;
    uint64_t ea = segment_ea(c) + offset;
    size_t left = sim_memory_read(ea, data, n);

    if (c->corrupt && n)
        ((uint8_t *)data)[0] ^= 1; /* planned silent corruption (FK-48) */
    if (!left)
        return 0;
    c->fault_address = ea + (n - left);
    return -EFAULT;
}

int sim_data_finish(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;
    int rc = sim_scsi_finish(&a->scsi, &c->rq, &c->rs, sink, source, c);

    if (c->corrupt && !rc && c->rs.kind == SIM_SCSI_DATA_IN && c->rs.moved) {
        uint8_t byte;

        if (!sim_memory_read(segment_ea(c), &byte, 1)) {
            byte ^= 1;
            (void)sim_memory_write(segment_ea(c), &byte, 1);
        }
    }
    return rc;
}

/* no status and no RRQ element, only an event; the slot is free again. */
static void unreachable(struct sim_cmd *c)
{
    struct sim_afu *a = c->ctx->afu;

    if (a->params.bad_ea_status) {
        sim_status_afu(c, AFU_RC_DATA_DMA_ERR, AFU_PSL_CONTEXT);
        return;
    }
    sim_storage_fault(c->ctx, c->fault_address, c->rs.kind == SIM_SCSI_DATA_IN);
    sim_cmd_drop(c);
}

/* True: a fault has ended the command. */
static bool data_site(struct sim_cmd *c, uint64_t *late)
{
    uint64_t arg = 0;

    switch (sim_site(c->ctx->afu, SIM_SITE_DATA, &arg)) {
    case SIM_EFFECT_ERROR:
        sim_status_afu(c, AFU_RC_DATA_DMA_ERR, arg ? (uint8_t)arg : AFU_PSL_CONTEXT);
        return true;
    case SIM_EFFECT_LATE:
        *late = arg;
        return false;
    default:
        return false;
    }
}

static void record(struct sim_cmd *c, uint32_t bytes)
{
    struct sim_afu *a = c->ctx->afu;

    if (!a->trace->on)
        return;
    sim_trace_add(a->trace, a->engine->now, SIM_EVENT_DATA, a->number, c->slot,
                  sim_memory_canonical(&a->memory, segment_ea(c), &c->ctx->data_hint), bytes);
}

static void in_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (sim_data_finish(c)) {
        unreachable(c);
        return;
    }
    record(c, c->rs.moved);
    sim_segment_done_now(c);
}

/* Sends the data of a segment over the bus; `after` cycles later fn runs. */
static void transfer(struct sim_cmd *c, enum sim_direction direction, uint64_t after,
                     sim_event_fn *fn)
{
    uint32_t bytes = transfer_bytes(c);
    uint64_t late = 0;

    c->state = SIM_CMD_DATA;
    c->ctx->afu->counters.misaligned_data += segment_ea(c) % SIM_LINE != 0;
    if (data_site(c, &late))
        return;
    if (bytes)
        sim_wait_bus(c, direction, SIM_STRICT_DATA, segment_ea(c), bytes, after + late,
                     SIM_RANK_DATA, fn);
    else
        sim_wait(c, after + late, SIM_RANK_DATA, fn);
}

void sim_data_in(struct sim_cmd *c)
{
    transfer(c, SIM_BUS_WRITE, c->ctx->afu->params.status_build, in_done);
}

static void out_done(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);

    if (c->rs.medium != SIM_SCSI_MEDIUM_NONE)
        sim_media_plan(c);
    if (sim_data_finish(c)) {
        unreachable(c);
        return;
    }
    record(c, c->rs.moved);
    if (c->rs.medium == SIM_SCSI_MEDIUM_NONE || (c->rs.status && !c->rs.forced))
        sim_segment_done(c);
    else
        sim_port_data_out(c);
}

void sim_data_out(struct sim_cmd *c) { transfer(c, SIM_BUS_READ, 0, out_done); }
