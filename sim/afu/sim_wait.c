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
