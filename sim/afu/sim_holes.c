/* SPDX-License-Identifier: Apache-2.0 */
/* What a snapshot of the model can leave out: memory whose contents nobody reads before they are
 * written again. Campaigns copy a world thousands of times a second. */
#include <stddef.h>
#include <string.h>

#include "sim/afu/sim_afu.h"
#include "sim/sim_control.h"

struct list {
    struct sim_world_hole *out;
    size_t count, max;
};

static void add(struct list *l, void *start, size_t size)
{
    if (!size)
        return;
    if (l->count < l->max)
        l->out[l->count] = (struct sim_world_hole){start, size};
    l->count++;
}

static void engine_holes(struct list *l, struct sim_engine *e)
{
    struct sim_event **first = &e->heap[e->heap_count], **end = &e->heap[SIM_HEAP_MAX];

    add(l, first, (size_t)((char *)end - (char *)first));
}

static void trace_holes(struct list *l, struct sim_trace *t)
{
    size_t held = t->end == t->full ? sizeof t->ring : t->end % sizeof t->ring;

    add(l, (char *)t->ring + held, sizeof t->ring - held);
}

static void command_holes(struct list *l, struct sim_afu *a)
{
    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        if (a->cmds[i].state == SIM_CMD_FREE)
            add(l, &a->cmds[i], sizeof a->cmds[i]);
}

/* A free slot is as it was before its first command: what one left there, the next does not see.
 * Only the head matters: whose it is, number, state, and that no event is pending. */
static void make_free_commands(struct sim_afu *a)
{
    for (uint32_t i = 0; i < a->free_count; i++) {
        struct sim_cmd *c = a->free_cmd[i];

        memset(c, 0, offsetof(struct sim_cmd, ea));
        c->afu = a;
        c->slot = (uint16_t)(c - a->cmds);
    }
}

/* The ring of register accesses, without those under way. */
static void mmio_holes(struct list *l, struct sim_afu *a)
{
    uint32_t begin = (a->mmio_head + a->mmio_count) % SIM_MMIO_RING;
    uint32_t free = SIM_MMIO_RING - a->mmio_count, first = SIM_MMIO_RING - begin;

    if (first > free)
        first = free;
    add(l, &a->mmio[begin], first * sizeof a->mmio[0]);
    add(l, &a->mmio[0], (free - first) * sizeof a->mmio[0]);
}

/* Ports, LUNs of the target and contexts that this adapter does not have, or never had. */
static void absent_holes(struct list *l, struct sim_afu *a)
{
    unsigned ports = (unsigned)a->params.ports, luns = sim_media_n_luns(a->scsi.media);

    add(l, &a->strict.ctx[a->strict.contexts],
        (SIM_STRICT_CONTEXTS - a->strict.contexts) * sizeof a->strict.ctx[0]);
    add(l, &a->port[ports], (SIM_PORTS_MAX - ports) * sizeof a->port[0]);
    add(l, &a->stage[luns], (SIM_MEDIA_LUNS_MAX - luns) * sizeof a->stage[0]);
    add(l, &a->scsi.luns[luns], (SIM_MEDIA_LUNS_MAX - luns) * sizeof a->scsi.luns[0]);
}

size_t sim_machine_holes(void *arg, struct sim_world_hole *out, size_t max)
{
    struct sim_machine *m = arg;
    struct list l = {out, 0, max};

    engine_holes(&l, &m->engine);
    trace_holes(&l, &m->trace);
    for (uint32_t i = 0; i < m->afu_count; i++) {
        mmio_holes(&l, m->afu[i]);
        command_holes(&l, m->afu[i]);
        absent_holes(&l, m->afu[i]);
    }
    return l.count;
}

void sim_machine_refill(void *arg)
{
    struct sim_machine *m = arg;

    for (uint32_t i = 0; i < m->afu_count; i++)
        make_free_commands(m->afu[i]);
}
