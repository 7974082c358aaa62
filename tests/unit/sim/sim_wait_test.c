/* SPDX-License-Identifier: Apache-2.0 */
/* How many bus commands a transfer takes (TM-7), and how credits pace them (TM-2). */
#include <criterion/criterion.h>

#include "sim/afu/sim_wait.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

/* The largest aligned power of two up to a line, again and again: written from TM-7 alone. */
static uint32_t greedy(uint64_t at, uint64_t end)
{
    uint32_t n = 0;

    while (at < end) {
        uint64_t size = 128;

        while (at % size || at + size > end)
            size /= 2;
        at += size;
        n++;
    }
    return n;
}

Test(sim_wait, writes_are_aligned_powers_of_two)
{
    for (uint64_t ea = 0x1000; ea < 0x1080; ea++)
        for (uint64_t n = 1; n <= 400; n++)
            cr_assert_eq(sim_bus_commands(SIM_BUS_WRITE, ea, n), greedy(ea, ea + n),
                         "0x%llx, %llu bytes", (unsigned long long)ea, (unsigned long long)n);
    PROVES(TM_7);
}

Test(sim_wait, reads_take_whole_lines)
{
    cr_assert_eq(sim_bus_commands(SIM_BUS_READ, 0x1000, 64), 1);
    cr_assert_eq(sim_bus_commands(SIM_BUS_READ, 0x1000, 4096), 32); /* timing.md 5 */
    cr_assert_eq(sim_bus_commands(SIM_BUS_READ, 0x1010, 4096), 33);
    cr_assert_eq(sim_bus_commands(SIM_BUS_READ, 0x107F, 2), 2);
    cr_assert_eq(sim_bus_commands(SIM_BUS_WRITE, 0x1000, 4096), 32);
    cr_assert_eq(sim_bus_commands(SIM_BUS_WRITE, 0x1000, 16), 1); /* IOASA */
    cr_assert_eq(sim_bus_commands(SIM_BUS_WRITE, 0x1000, 8), 1);  /* RRQ element */
}

/* Commands under way at any time, both directions at their fastest; in each a single command may go
 * together with the last line of a transfer (decision 0003). */
static uint64_t most_under_way(const struct sim_params *p)
{
    struct sim_bus_rate r = sim_bus_rate(p, SIM_BUS_READ), w = sim_bus_rate(p, SIM_BUS_WRITE);

    return hal_div_up(r.latency, r.step) + 1 + hal_div_up(w.latency, w.step) + 1;
}

Test(sim_wait, never_more_under_way_than_credits)
{
    struct sim_params p;

    sim_params_default(&p);
    p.read_interval = p.write_interval = 10;
    for (p.credits = 4; p.credits <= 255; p.credits++)
        for (p.read_latency = 1; p.read_latency < 600; p.read_latency += 37)
            for (p.write_latency = 1; p.write_latency < 600; p.write_latency += 41)
                cr_assert_leq(most_under_way(&p), p.credits, "credits %llu",
                              (unsigned long long)p.credits);
    PROVES(TM_2);
}

/* bus.shared_penalty: 25 % make 3.18 GB/s of one direction 2.55 of each (timing.md 1). */
Test(sim_wait, both_directions_share_the_link)
{
    struct sim_params *p;

    up_flashsystem();
    p = sim_afu_params_mutable(m->afu);
    m->afu->bus_free[SIM_BUS_WRITE] = m->machine->engine.now + 100;
    cr_assert_eq(sim_bus_rate_now(m->afu, SIM_BUS_READ).step, 10, "off by itself");
    p->shared_penalty = 25;
    cr_assert_eq(sim_bus_rate_now(m->afu, SIM_BUS_READ).step, 13);
    cr_assert_eq(sim_bus_rate_now(m->afu, SIM_BUS_WRITE).step, 10, "nobody reads");
    model_run(m, 100);
    cr_assert_eq(sim_bus_rate_now(m->afu, SIM_BUS_READ).step, 10);
    down();
}
