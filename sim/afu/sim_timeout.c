/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs of commands. Hosts give all their commands the same one or two values, so a list
 * in order of expiry costs nothing to keep: new ones go to its end. One event serves the first. */
#include "sim/afu/sim_wait.h"

static void expired(struct sim_event *ev);

static void arm(struct sim_afu *a)
{
    if (a->expires_first)
        sim_engine_at(a->engine, &a->timeout_event, a->expires_first->expires, SIM_RANK_TIMEOUT,
                      expired);
}

void sim_timeout_start(struct sim_cmd *c, uint64_t cycles)
{
    struct sim_afu *a = c->afu;
    struct sim_cmd *before = a->expires_last;

    c->expires = a->engine->now + cycles;
    if (sim_stepped(a)) {
        sim_reference_timeout(a, c->slot, cycles);
        return;
    }
    while (before && before->expires > c->expires)
        before = before->expires_before;
    c->expires_before = before;
    c->expires_after = before ? before->expires_after : a->expires_first;
    if (c->expires_after)
        c->expires_after->expires_before = c;
    else
        a->expires_last = c;
    if (before) {
        before->expires_after = c;
        return;
    }
    a->expires_first = c;
    sim_engine_cancel(a->engine, &a->timeout_event);
    arm(a);
}

/* The event stays where it is as long as somebody waits: if it comes too early it looks again. */
void sim_timeout_stop(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    if (!c->expires)
        return;
    c->expires = 0;
    if (sim_stepped(a))
        return;
    if (c->expires_before)
        c->expires_before->expires_after = c->expires_after;
    else
        a->expires_first = c->expires_after;
    if (c->expires_after)
        c->expires_after->expires_before = c->expires_before;
    else
        a->expires_last = c->expires_before;
    if (!a->expires_first)
        sim_engine_cancel(a->engine, &a->timeout_event);
}

/* Not yet at a port 0x50, later 0x51. */
void sim_timeout_expired(struct sim_cmd *c)
{
    bool at_port = c->delayed || (c->state >= SIM_CMD_MEDIA_QUEUE && c->state != SIM_CMD_AFU);
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

    while (a->expires_first && a->expires_first->expires <= a->engine->now)
        sim_timeout_expired(a->expires_first);
    if (!sim_event_pending(&a->timeout_event) && !SIM_PLANTED(5))
        arm(a);
}
