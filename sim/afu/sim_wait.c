/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afu/sim_wait.h"

/* For the reference engine. */
static void wait_stepped(struct sim_cmd *c, struct sim_strict_transfer *t, uint64_t after,
                         enum sim_rank rank, sim_event_fn *fn)
{
    c->afu->counters.bus_commands[t->direction] += t->commands;
    sim_reference_bus(c->afu, &c->event, t, after, rank, fn);
}

/* Directions do not slow each other down, and every page is known: what holds for one transfer
 * holds for those that follow. */
static void keep_pace(struct sim_afu *a, enum sim_direction direction, struct sim_bus_rate rate)
{
    a->bus_pace[direction] = (struct sim_bus_pace){
        .rate = rate, .plain = !(a->params.shared_penalty | a->params.xlate_entries)};
}

void sim_wait_special(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
                      uint64_t ea, uint64_t bytes, uint64_t after, enum sim_rank rank,
                      sim_event_fn *fn)
{
    struct sim_afu *a = c->afu;
    struct sim_bus_rate rate = sim_bus_rate_now(a, direction);
    uint32_t n = sim_bus_commands(direction, ea, bytes);
    struct sim_strict_transfer t;

    if (__builtin_expect(a->params.xlate_entries != 0, 0) && what != SIM_STRICT_RESTART)
        after += sim_erat_cycles(c->ctx, ea, bytes);
    if (sim_stepped(a)) {
        t = sim_wait_fact(c, direction, what, ea, bytes, n, rate);
        wait_stepped(c, &t, after, rank, fn);
        return;
    }
    t = sim_wait_schedule(c, direction, what, ea, bytes, n, rate);
    sim_strict_transfer(&a->strict, &t);
    keep_pace(a, direction, rate);
    sim_wait_response(c, &t, after, rank, fn);
}

static void stage_cut(struct sim_stage *s, uint64_t now) { s->free = hal_min64(s->free, now); }

void sim_wait_cut(struct sim_afu *a)
{
    uint64_t now = a->engine->now;

    if (sim_stepped(a)) {
        sim_reference_cut(a);
        return;
    }
    sim_engine_cancel(a->engine, &a->fetch_event);
    a->bus_free[SIM_BUS_READ] = hal_min64(a->bus_free[SIM_BUS_READ], now);
    a->bus_free[SIM_BUS_WRITE] = hal_min64(a->bus_free[SIM_BUS_WRITE], now);
    stage_cut(&a->card, now);
    for (unsigned p = 0; p < SIM_PORTS_MAX; p++) {
        stage_cut(&a->port[p].command, now);
        stage_cut(&a->port[p].in, now);
        stage_cut(&a->port[p].out, now);
    }
}

void sim_wait_forget(struct sim_afu *a)
{
    sim_wait_cut(a);
    if (sim_stepped(a))
        sim_reference_forget(a);
}
