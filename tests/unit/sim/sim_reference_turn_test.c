/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks that look for themselves whether there is something to do. */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_reference_fixture.h"

TestSuite(sim_reference_turn, .init = up_reference, .fini = down_reference);

/* The fetch unit looks so many cycles after a doorbell (doorbell_to_fetch). */
Test(sim_reference_turn, fetch_looks_when_its_time_has_passed)
{
    uint64_t begin = m->machine->engine.now, before;

    for (unsigned slot = 0; slot < 2; slot++) { /* the first one warms translation and medium */
        begin = m->machine->engine.now;
        model_rw(m, &user, slot, false, 0, 0, 1, m->buffer);
        cr_assert(model_issue(m, &user, slot, 1000000));
    }
    before = m->machine->engine.now - begin;
    sim_afu_params_mutable(m->afu)->doorbell_to_fetch += 11;
    begin = m->machine->engine.now;
    model_rw(m, &user, 2, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 2, 1000000));
    cr_assert_eq(m->machine->engine.now - begin, before + 11);
}

static void short_of_time(unsigned slot, uint16_t cycles)
{
    model_rw(m, &user, slot, false, 0, slot, 1, m->buffer);
    user.pair[slot].ioarcb.req_flags =
        xe16_of(user.order, AFU_REQ_RES_HNDL | AFU_REQ_TIMEOUT_CYCLES);
    user.pair[slot].ioarcb.timeout = xe16_of(user.order, cycles);
    model_doorbell(m, &user, slot);
}

/* whoever has less time ends first, and one that has enough of it is not touched. */
Test(sim_reference_turn, time_outs_in_order_of_expiry)
{
    sim_afu_params_mutable(m->afu)->media_unwritten = 50000;
    short_of_time(0, 20000);
    short_of_time(1, 10000);
    short_of_time(2, 65535);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_harvest(&user), 2);
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x51);
    cr_assert_eq(user.pair[1].ioasa.rc.afu_rc, 0x51);
    cr_assert_eq(model_ioasc(&user, 2), 0);
}
