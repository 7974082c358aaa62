/* SPDX-License-Identifier: Apache-2.0 */
/* The bus, line by line: what a transfer takes (timing.md 8). */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_reference_fixture.h"

TestSuite(sim_reference_bus, .init = up_reference, .fini = down_reference);

/* Cycles of a read of one block by itself; the first one warms translation and medium. */
static uint64_t read_cycles(unsigned slot)
{
    uint64_t begin = m->machine->engine.now;

    model_rw(m, &user, slot, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, slot, 1000000));
    return m->machine->engine.now - begin;
}

/* A block is 32 lines that are written to the host, and each one goes when its interval has
 * passed. The IOARCB, IOASA and RRQ element are single lines, which go at once. */
Test(sim_reference_bus, a_line_an_interval)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t before;

    (void)read_cycles(0);
    before = read_cycles(1);
    p->write_interval += 3;
    p->read_interval += 5;
    cr_assert_eq(read_cycles(2), before + UINT64_C(32) * 3);
}

/* Latency comes once, however many lines there are: for data, IOASA and RRQ element; the IOARCB is
 * the one thing that is read. */
Test(sim_reference_bus, a_latency_a_transfer)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t before;

    (void)read_cycles(0);
    before = read_cycles(1);
    p->write_latency += 7;
    p->read_latency += 100;
    cr_assert_eq(read_cycles(2), before + UINT64_C(3) * 7 + 100);
}
