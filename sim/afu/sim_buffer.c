/* SPDX-License-Identifier: Apache-2.0 */
/* Data buffers of the card: a command that moves data has one from the choice of its port until its
 * slot is free. When all are taken, afu_config says what happens (SL 4.1): with automatic retry on
 * resource errors the command waits for its turn, without it ends with afu_rc 0x30. */
#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"

static bool left(const struct sim_afu *a) { return a->buffers_used < a->params.data_buffers; }

static void have(struct sim_cmd *c)
{
    c->has_buffer = true;
    c->afu->buffers_used++;
}

static void enqueue(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    c->state = SIM_CMD_BUFFER_QUEUE;
    c->next_waiting = NULL;
    if (a->buffer_last)
        a->buffer_last->next_waiting = c;
    else
        a->buffer_first = c;
    a->buffer_last = c;
}

static void dequeue(struct sim_afu *a, struct sim_cmd *before, const struct sim_cmd *c)
{
    if (before)
        before->next_waiting = c->next_waiting;
    else
        a->buffer_first = c->next_waiting;
    if (a->buffer_last == c)
        a->buffer_last = before;
}

bool sim_buffer_take(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    if (c->has_buffer || !c->data_len)
        return true;
    if (left(a) && !a->buffer_first) {
        have(c);
        return true;
    }
    if (a->config & AFU_CONFIG_AR_RSRC)
        enqueue(c);
    else
        sim_status_afu(c, AFU_RC_OUT_OF_DATA_BUFS, 0);
    return false;
}

void sim_buffer_leave(struct sim_cmd *c)
{
    struct sim_cmd *before = NULL;

    if (c->state != SIM_CMD_BUFFER_QUEUE)
        return;
    for (struct sim_cmd *at = c->afu->buffer_first; at != c; at = at->next_waiting)
        before = at;
    dequeue(c->afu, before, c);
}

bool sim_buffer_wanted(const struct sim_afu *a) { return a->buffer_first && left(a); }

void sim_buffer_serve(struct sim_afu *a)
{
    while (sim_buffer_wanted(a)) {
        struct sim_cmd *c = a->buffer_first;

        dequeue(a, NULL, c);
        have(c);
        sim_port_command(c);
    }
}

static void serve(struct sim_event *ev)
{
    sim_buffer_serve(HAL_CONTAINER_OF(ev, struct sim_afu, buffer_event));
}

/* Who gets it is decided when everybody who leaves in this cycle has left. */
static __attribute__((noinline)) void serve_soon(struct sim_afu *a)
{
    if (!sim_stepped(a) && !sim_event_pending(&a->buffer_event))
        sim_engine_at(a->engine, &a->buffer_event, a->engine->now, SIM_RANK_BUFFER, serve);
}

void sim_buffer_free(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;

    if (!c->has_buffer)
        return;
    CHECK(a->buffers_used > 0);
    c->has_buffer = false;
    a->buffers_used--;
    if (__builtin_expect(a->buffer_first != NULL, 0))
        serve_soon(a);
}
