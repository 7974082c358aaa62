/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afu/sim_wait.h"

void sim_wait_stepped(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
                      uint64_t ea, uint64_t bytes, uint64_t after, enum sim_rank rank,
                      sim_event_fn *fn)
{
    struct sim_afu *a = c->ctx->afu;
    uint32_t n = sim_bus_commands(direction, ea, bytes);
    struct sim_strict_transfer t =
        sim_wait_fact(c, direction, what, ea, bytes, n, sim_bus_rate_now(a, direction));

    a->counters.bus_commands[direction] += n;
    sim_reference_bus(a, &c->event, &t, after, rank, fn);
}

void sim_wait_transfer(struct sim_cmd *c, enum sim_direction direction, enum sim_strict_what what,
                       uint64_t ea, uint64_t bytes, uint64_t after, enum sim_rank rank,
                       sim_event_fn *fn)
{
    sim_wait_commands(c, direction, what, ea, bytes, sim_bus_commands(direction, ea, bytes), after,
                      rank, fn);
}
