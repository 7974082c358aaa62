/* SPDX-License-Identifier: Apache-2.0 */
/* The loop-back test of a port (SL 5.3). */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_port_fixture.h"

#define FRAMES 1000
#define INTERVAL 620 /* cycles from one frame to the next, by default */

TestSuite(sim_echo, .init = up_flashsystem, .fini = down);

static void run_test(void)
{
    set_port_reg(0, AFU_FC_CONFIG2, AFU_FC_CONFIG2_ECHO);
    model_run(m, FRAMES * INTERVAL);
    set_port_reg(0, AFU_FC_CONFIG2, 0);
}

/* The counters are not cleared by a start: the second test adds to the first. */
Test(sim_echo, counts_up)
{
    for (uint64_t i = 1; i <= 2; i++) {
        run_test();
        cr_assert_eq(port_reg(0, AFU_FC_LOOPBACK_TXCNT), i * FRAMES);
        cr_assert_eq(port_reg(0, AFU_FC_LOOPBACK_PASSCNT), i * FRAMES);
        cr_assert_eq(port_reg(0, AFU_FC_LOOPBACK_ERRCNT), 0);
        model_run(m, FRAMES * INTERVAL); /* off: nothing moves */
    }
    cr_assert_eq(port_reg(1, AFU_FC_LOOPBACK_TXCNT), 0);
}

Test(sim_echo, nothing_comes_back_without_a_link)
{
    set_port_reg(0, AFU_FC_CONFIG2, AFU_FC_CONFIG2_ECHO);
    model_run(m, 10 * INTERVAL);
    sim_afu_link_down(m->afu, 0);
    model_run(m, 20 * INTERVAL);
    set_port_reg(0, AFU_FC_CONFIG2, 0);
    cr_assert_eq(port_reg(0, AFU_FC_LOOPBACK_PASSCNT), 10);
    cr_assert_eq(port_reg(0, AFU_FC_LOOPBACK_ERRCNT), 20);
    cr_assert_eq(port_reg(0, AFU_FC_LOOPBACK_TXCNT), 30);
}
