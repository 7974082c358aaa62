/* SPDX-License-Identifier: Apache-2.0 */
/* AFU debug (SL 12): 12 opaque bytes, and data in one direction. What cards do with them is not
 * public, so no 12 bytes are wrong. Here the AFU has a debug memory of 256 KiB, a ring: the first 4
 * of the 12 bytes, big endian, modulo its size, say where in it the data go to or come from; the
 * others change nothing. Never-written bytes are zeros; an AFU reset keeps the contents. More data
 * than the memory has are refused with 5/24/00. */
#include <string.h>

#include "sim/afu/sim_wait.h"
#include "sim/world.h"

#define MEMORY_BYTES AFU_DEBUG_DATA_MAX

static uint32_t address(const struct sim_cmd *c)
{
    return hal_be32_at(c->rq.cdb + 4) % MEMORY_BYTES;
}

/* Made when it is first needed, so that machines without it do not carry it through snapshots. */
static bool have_memory(struct sim_afu *a)
{
    if (!a->debug_memory)
        a->debug_memory = sim_world_alloc(a->world, MEMORY_BYTES, 128);
    return a->debug_memory;
}

void sim_debug_free(struct sim_afu *a)
{
    if (a->debug_memory)
        sim_world_free(a->world, a->debug_memory, MEMORY_BYTES);
}

/* A buffer that cannot be reached: as for data of other commands. */
static void unreachable(struct sim_cmd *c, size_t left)
{
    bool store = !(c->flags & AFU_REQ_HOST_WRITE);

    if (c->afu->params.bad_ea_status) {
        c->status.rc.afu_rc = AFU_RC_DATA_DMA_ERR;
        c->status.afu_extra = AFU_PSL_CONTEXT;
        sim_afu_command_done(c);
        return;
    }
    sim_storage_fault(c->ctx, c->data_ea + (c->data_len - left), store);
    sim_cmd_drop(c);
}

/* Bytes that move; a fault may leave some out. */
static uint32_t bytes(const struct sim_cmd *c)
{
    const struct sim_afu *a = c->afu;
    uint64_t planned = a->internal_arg ? a->internal_arg : c->data_len / 2;

    return a->internal_effect == SIM_EFFECT_SHORT ? (uint32_t)hal_min64(planned, c->data_len)
                                                  : c->data_len;
}

/* Moves n bytes of the data, from byte `from` of them on, to or from one piece of the memory.
 * Returns how many could not be moved. */
static size_t move(const struct sim_cmd *c, uint32_t at, uint32_t from, uint32_t n)
{
    uint8_t *memory = c->afu->debug_memory + at;

    return c->flags & AFU_REQ_HOST_WRITE ? sim_memory_read(c->data_ea + from, memory, n)
                                         : sim_memory_write(c->data_ea + from, memory, n);
}

static void moved(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    uint32_t n = bytes(c), first = (uint32_t)hal_min64(n, MEMORY_BYTES - address(c));
    size_t left = move(c, address(c), 0, first);

    if (left)
        left += n - first;
    else if (first < n) /* round the end */
        left = move(c, 0, first, n - first);
    if (left) {
        unreachable(c, left + c->data_len - n);
        return;
    }
    c->status.resid = c->data_len - n;
    c->status.rc.flags |= c->status.resid ? AFU_RC_FLAG_UNDERRUN : 0;
    sim_afu_command_done(c);
}

void sim_debug(struct sim_event *ev)
{
    struct sim_cmd *c = sim_cmd_of(ev);
    enum sim_direction direction = c->flags & AFU_REQ_HOST_WRITE ? SIM_BUS_READ : SIM_BUS_WRITE;

    if (!c->data_len) {
        sim_afu_command_done(c);
    } else if (c->data_len > MEMORY_BYTES) {
        sim_afu_command_refuse(c, 5, 0x24, 0x00);
        sim_afu_command_done(c);
    } else if (!have_memory(c->afu)) {
        c->status.rc.afu_rc = AFU_RC_OUT_OF_DATA_BUFS;
        sim_afu_command_done(c);
    } else {
        sim_wait_bus(c, direction, SIM_STRICT_DATA, c->data_ea, c->data_len, 0,
                     SIM_RANK_AFU_COMMAND, moved);
    }
}
