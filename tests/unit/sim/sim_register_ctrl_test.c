/* SPDX-License-Identifier: Apache-2.0 */
/* The control map, row by row of SL 3, and the lock of ctx_cap (SL 13.2). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_register_ctrl, .init = up_flashsystem, .fini = down);

static uint64_t ctrl(uint64_t reg)
{
    return model_load(m, &m->master, AFU_CTRL_BASE(user.handle) + reg);
}

static void set_ctrl(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + reg, value);
}

Test(sim_register_ctrl, read_and_write)
{
    set_ctrl(AFU_CTRL_RHT_START, 0x7FFF00001000);
    cr_assert_eq(ctrl(AFU_CTRL_RHT_START), 0x7FFF00001000);
    set_ctrl(AFU_CTRL_RHT_CNT_ID, 0x0100000300000000);
    cr_assert_eq(ctrl(AFU_CTRL_RHT_CNT_ID), 0x0100000300000000);
    cr_assert_eq(ctrl(0x48), 0);
    cr_assert_eq(ctrl(0x78), 0);
    PROVES(SL_3);
}

/* One mailbox a context: written by it, read by the master; cleared by reading if so configured. */
Test(sim_register_ctrl, mailbox)
{
    model_store(m, &user, AFU_HOST_MBOX_W, 0xC0FFEE);
    cr_assert_eq(ctrl(AFU_CTRL_MBOX_R), 0xC0FFEE);
    cr_assert_eq(ctrl(AFU_CTRL_MBOX_R), 0xC0FFEE);
    set_ctrl(AFU_CTRL_MBOX_R, 5); /* read only */
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, AFU_CONFIG_MBOX_CLR_READ);
    cr_assert_eq(ctrl(AFU_CTRL_MBOX_R), 0xC0FFEE);
    cr_assert_eq(ctrl(AFU_CTRL_MBOX_R), 0);
    PROVES(SL_13_2);
}

static void restart_user(void)
{
    sim_bus_ctx_stop(user.sim);
    cr_assert_eq(sim_bus_ctx_start(user.sim, 3), 0);
}

/* MD-14: locked at start; unlocked by mbox_r until the context ends; zero at any time. */
Test(sim_register_ctrl, lock)
{
    restart_user();
    set_ctrl(AFU_CTRL_CTX_CAP, 3);
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 0);
    ctrl(AFU_CTRL_MBOX_R);
    set_ctrl(AFU_CTRL_CTX_CAP, 3);
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 3);
    set_ctrl(AFU_CTRL_CTX_CAP, 0);
    set_ctrl(AFU_CTRL_CTX_CAP, 1); /* still unlocked */
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 1);
    PROVES(MD_14);
    model_store(m, &user, AFU_HOST_IOARRIN, AFU_CTX_RESET); /* a context reset keeps it */
    model_run_dry(m);
    set_ctrl(AFU_CTRL_CTX_CAP, 2);
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 2);
    PROVES(R_17);
    PROVES(SL_13_2);
}

/* Closed and opened again between unlock and write: the write has no effect, and the reader of the
 * register sees it. */
Test(sim_register_ctrl, reopened_between_unlock_and_write)
{
    ctrl(AFU_CTRL_MBOX_R);
    restart_user();
    set_ctrl(AFU_CTRL_CTX_CAP, 3);
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 0);
    PROVES(R_17);
}

/* The end of a context locks and clears, whatever it had; zero is taken while locked. */
Test(sim_register_ctrl, end_of_a_context)
{
    struct model_ctx other = {0};

    model_ctx_start(m, &other, false, HAL_ORDER_LITTLE);
    cr_assert_eq(model_load(m, &m->master, AFU_CTRL_BASE(other.handle) + AFU_CTRL_CTX_CAP), 3);
    restart_user();
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 0);
    cr_assert_eq(ctrl(AFU_CTRL_RHT_START), 0);
    cr_assert_eq(ctrl(AFU_CTRL_RHT_CNT_ID), 0);
    set_ctrl(AFU_CTRL_CTX_CAP, 0);
    set_ctrl(AFU_CTRL_CTX_CAP, 1);
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 0, "writing 0 has unlocked it");
    cr_assert_eq(model_load(m, &m->master, AFU_CTRL_BASE(other.handle) + AFU_CTRL_CTX_CAP), 3,
                 "a lock is per context");
    model_ctx_end(m, &other);
    PROVES(MD_14);
    PROVES(MD_18);
}

/* Unnamed bits of ctx_cap do not exist (SL 13.1). */
Test(sim_register_ctrl, capability_bits)
{
    ctrl(AFU_CTRL_MBOX_R);
    set_ctrl(AFU_CTRL_CTX_CAP, UINT64_MAX);
    cr_assert_eq(ctrl(AFU_CTRL_CTX_CAP), 0xF00000000000000F);
    model_expect_violations(m, SIM_RULE_CTX_CAP, 1);
}
