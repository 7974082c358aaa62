/* SPDX-License-Identifier: Apache-2.0 */
/* Global registers, row by row of SL 4. */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_register_global, .init = up_flashsystem, .fini = down);

static void set_global(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + reg, value);
}

/* Reset values; only afu_config was written by the fixture. */
Test(sim_register_global, reset_values)
{
    cr_assert_eq(global_reg(0x00), 0);
    cr_assert_eq(global_reg(0x08), 0);
    cr_assert_eq(global_reg(0x10), UINT64_MAX);
    PROVES(MD_2);
    cr_assert_eq(global_reg(0x18), 0);
    cr_assert_eq(global_reg(0x28), 0);
    cr_assert_eq(global_reg(0x30), 3);
    cr_assert_eq(global_reg(0x38), 0x7F20);
    cr_assert_eq(global_reg(0x40), 0);
    cr_assert_eq(global_reg(0x48), 0);
}

Test(sim_register_global, read_and_write)
{
    static const uint16_t regs[] = {0x10, 0x18, 0x28, 0x38, 0x40, 0x48};

    for (unsigned i = 0; i < sizeof regs / sizeof regs[0]; i++)
        set_global(regs[i], UINT64_C(0x1122334455667780) + i);
    for (unsigned i = 0; i < sizeof regs / sizeof regs[0]; i++)
        cr_assert_eq(global_reg(regs[i]), UINT64_C(0x1122334455667780) + i, "0x%02x", regs[i]);
    set_global(AFU_GLOBAL_AFU_VERSION, 0);
    set_global(AFU_GLOBAL_INTERFACE_VERSION, 0);
    cr_assert_eq(global_reg(AFU_GLOBAL_INTERFACE_VERSION), 0x8000000000010002);
    model_expect_violations(m, SIM_RULE_AFU_CONFIG, 1);
    PROVES(SL_4);
}

Test(sim_register_global, identity)
{
    uint64_t version = global_reg(AFU_GLOBAL_AFU_VERSION);
    char text[9] = {0};

    version = hal_swap64(HAL_ORDER_BIG, version); /* bytes in memory order, no swap on the bus */
    memcpy(text, &version, 8);
    cr_assert_str_eq(text, "SIM00001");
    cr_assert_eq(global_reg(AFU_GLOBAL_INTERFACE_VERSION), 0x8000000000010002);
    PROVES(R_4);
}

/* SL 20.2: capabilities as they are, and an AFU that predates the register. */
Test(sim_register_global, interface_versions)
{
    static const uint64_t versions[] = {0x8000000000010002, 0x4000000000010002, 0xC000000000010002,
                                        0x2000000000010002, 0x1000000000000000, 0xCC00000000010002,
                                        0x0200000000010002, UINT64_MAX};

    for (unsigned i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        sim_afu_params_mutable(m->afu)->interface_version = versions[i];
        cr_assert_eq(global_reg(AFU_GLOBAL_INTERFACE_VERSION), versions[i]);
        cr_assert_eq(transfer(0, false, i, 1), 0, "IOARRIN always works");
    }
    PROVES(SL_20_2);
}

/* each read gives the value before plus one; nothing else moves it; a reset takes it to 0. */
Test(sim_register_global, heartbeat)
{
    uint64_t first = global_reg(AFU_GLOBAL_AFU_HB), done = 0;

    for (uint64_t i = 1; i < 10; i++)
        cr_assert_eq(global_reg(AFU_GLOBAL_AFU_HB), first + i);
    set_global(AFU_GLOBAL_AFU_HB, 1000);
    model_run(m, 1000000);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_HB), first + 10);
    PROVES(R_29);
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, 250000);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_HB), 1);
    PROVES(MD_17);
    PROVES(SL_20_1);
}

/* the two registers that confirm a card that is there. A read changes neither. */
Test(sim_register_global, confirmation_reads)
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(model_load(m, &user, AFU_HOST_ENDIAN_CTRL), 0);
        cr_assert_eq(global_reg(AFU_GLOBAL_AFU_PORT_SEL), 3);
    }
    PROVES(R_30);
}

Test(sim_register_global, port_selection_keeps_to_ports_present)
{
    set_global(AFU_GLOBAL_AFU_PORT_SEL, 0xFF);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_PORT_SEL), 3);
    set_global(AFU_GLOBAL_AFU_PORT_SEL, 2);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_PORT_SEL), 2);
}

/* SL 4: afu_ctrl goes to zero when the context that it names exits, and only then. */
Test(sim_register_global, afu_ctrl_forgets_a_context_that_ended)
{
    struct model_ctx other = {0};

    model_ctx_start(m, &other, false, HAL_ORDER_LITTLE);
    set_global(AFU_GLOBAL_AFU_CTRL, afu_ctrl(user.handle, 3, false));
    model_ctx_end(m, &other);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_CTRL), (uint64_t)user.handle << 48 | UINT64_C(3) << 40);
    model_ctx_end(m, &user);
    cr_assert_eq(global_reg(AFU_GLOBAL_AFU_CTRL), 0);
    PROVES(MD_18);
}

/* aintr_status is cleared bit by bit and is not written. */
Test(sim_register_global, asynchronous_status)
{
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(global_reg(0x00), 0x700);
    set_global(0x00, 0);
    cr_assert_eq(global_reg(0x00), 0x700);
    set_global(0x08, 0x200);
    cr_assert_eq(global_reg(0x00), 0x500);
    set_global(0x08, UINT64_MAX);
    cr_assert_eq(global_reg(0x00), 0);
}
