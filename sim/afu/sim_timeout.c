/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs of commands. Hosts give all their commands the same one or two values, so a ring
 * in order of expiry costs nothing to keep: new ones go to its end. One event serves the first. */
#include "sim/afu/sim_wait.h"

static void expired(struct sim_event *ev);

static void arm(struct sim_afu *a)
{
    struct sim_expiry *first = a->expiries.after;

    if (first != &a->expiries)
        sim_engine_at(a->engine, &a->timeout_event, first->cycle, SIM_RANK_TIMEOUT, expired);
}

static __attribute__((noinline)) void is_first(struct sim_afu *a)
{
    sim_engine_cancel(a->engine, &a->timeout_event);
    arm(a);
}

void sim_timeout_init(struct sim_afu *a)
{
    a->expiries = (struct sim_expiry){.before = &a->expiries, .after = &a->expiries};
}

void sim_timeout_start(struct sim_cmd *c, uint64_t cycles)
{
    struct sim_afu *a = c->afu;
    struct sim_expiry *own = &c->expiry, *before = a->expiries.before;

    own->cycle = a->engine->now + cycles;
    while (before->cycle > own->cycle)
        before = before->before;
    own->before = before;
    own->after = before->after;
    own->after->before = own;
    before->after = own;
    if (sim_stepped(a))
        sim_reference_timeout(a, c->slot, cycles);
    else if (before == &a->expiries)
        is_first(a);
}

/* The event stays where it is as long as somebody waits: if it comes too early it looks again. */
void sim_timeout_stop(struct sim_cmd *c)
{
    struct sim_expiry *own = &c->expiry;

    if (!own->cycle)
        return;
    own->cycle = 0;
    own->before->after = own->after;
    own->after->before = own->before;
    if (own->before == own->after) /* nobody is left */
        sim_engine_cancel(c->afu->engine, &c->afu->timeout_event);
}

/* Not yet at a port 0x50, later 0x51. */
void sim_timeout_expired(struct sim_cmd *c)
{
    bool at_port = c->state >= SIM_CMD_MEDIA_QUEUE && c->state != SIM_CMD_AFU;
    bool late = at_port || (c->flags & AFU_REQ_AFU_CMD);

    sim_timeout_stop(c);
    sim_engine_cancel(c->afu->engine, &c->event);
    sim_strict_abandoned(&c->afu->strict, c->slot);
    sim_frame_timed_out(c);
    sim_port_leave_media(c);
    sim_afu_command_gone(c);
    sim_status_afu(c, late ? AFU_RC_TIMED_OUT : AFU_RC_TIMED_OUT_PRE_FC, 0);
}

static void expired(struct sim_event *ev)
{
    struct sim_afu *a = HAL_CONTAINER_OF(ev, struct sim_afu, timeout_event);
    const struct sim_expiry *first = a->expiries.after;

    for (; first != &a->expiries && first->cycle <= a->engine->now; first = a->expiries.after)
        sim_timeout_expired(HAL_CONTAINER_OF(first, struct sim_cmd, expiry));
    if (!sim_event_pending(&a->timeout_event) && !SIM_PLANTED(5))
        arm(a);
}
