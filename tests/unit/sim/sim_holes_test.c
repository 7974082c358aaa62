/* SPDX-License-Identifier: Apache-2.0 */
/* What the model says nobody needs, nobody needs: filled with garbage, it changes nothing. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_afu.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_holes, .init = up_flashsystem, .fini = down);

#define COMMANDS 12

static struct sim_world_hole *ask(size_t *count)
{
    struct sim_world_hole *h;

    *count = sim_machine_holes(m->machine, NULL, 0);
    h = calloc(*count, sizeof *h);
    cr_assert_not_null(h);
    cr_assert_eq(sim_machine_holes(m->machine, h, *count), *count);
    return h;
}

/* Fills all of them and returns how many bytes that was. */
static size_t spoil(void)
{
    size_t count, bytes = 0;
    struct sim_world_hole *h = ask(&count);

    for (size_t i = 0; i < count; i++) {
        cr_assert(sim_world_contains(m->world, h[i].start, h[i].size));
        memset(h[i].start, 0xEE, h[i].size);
        bytes += h[i].size;
    }
    free(h);
    return bytes;
}

/* Everything that is told apart in a trace, with or without garbage every thousand cycles. */
static uint64_t run(bool spoiled)
{
    for (unsigned i = 0; i < COMMANDS; i++) {
        model_rw(m, &user, i, i % 2, 0, i, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
    }
    for (unsigned k = 0; k < 60; k++) {
        model_run(m, 1000);
        if (spoiled)
            cr_assert_gt(spoil(), 50000);
    }
    for (unsigned i = 0; i < COMMANDS; i++) {
        cr_assert_geq(model_harvest(&user), 0);
        cr_assert_eq(model_ioasc(&user, i), 0);
    }
    return sim_trace_hash(&m->machine->trace);
}

Test(sim_holes, garbage_in_them_changes_nothing)
{
    uint64_t clean = run(false);

    down();
    up_flashsystem();
    cr_assert_eq(run(true), clean);
}
