/* SPDX-License-Identifier: Apache-2.0 */
/* Serial stages, frame by frame. */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_reference_fixture.h"

TestSuite(sim_reference_stage, .init = up_reference, .fini = down_reference);

/* A link at 1240 cycles a block serves one block after the other. */
Test(sim_reference_stage, stages_are_serial)
{
    uint64_t begin;
    unsigned done = 0;

    for (unsigned i = 0; i < 4; i++) { /* translations and media are warm */
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 1000000));
    }
    begin = m->machine->engine.now;
    for (unsigned i = 0; i < 4; i++)
        model_doorbell(m, &user, i);
    model_run_dry(m);
    while (model_harvest(&user) >= 0)
        done++;
    cr_assert_eq(done, 4);
    cr_assert_eq(m->machine->engine.now - begin, 35124 + 3 * 1240);
}
