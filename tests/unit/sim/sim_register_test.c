/* SPDX-License-Identifier: Apache-2.0 */
/* Registers as SL 2-5 describe them: reset values, side effects, unknown offsets. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

static struct model *m;

static void up(void) { m = model_create("flashsystem"); }
static void down(void) { model_destroy(m); }

TestSuite(sim_register, .init = up, .fini = down);

static uint64_t global(uint64_t reg) { return model_load(m, &m->master, AFU_GLOBAL_BASE + reg); }

Test(sim_register, reset_values_of_a_context)
{
    struct sim_ctx *ctx;
    struct model_ctx user = {0};

    cr_assert_eq(sim_bus_ctx_create(m->afu, false, &ctx), 0);
    cr_assert_eq(sim_bus_ctx_start(ctx, 3), 0);
    user.sim = ctx;
    cr_assert_eq(model_load(m, &user, 0x00), 0);
    cr_assert_eq(model_load(m, &user, 0x08), 0);
    cr_assert_eq(model_load(m, &user, 0x18), UINT64_MAX); /* MD-2 */
    cr_assert_eq(model_load(m, &user, 0x20), 0);
    cr_assert_eq(model_load(m, &user, 0x38), 16); /* MD-3 */
    cr_assert_eq(model_load(m, &user, 0x40), 0);
    cr_assert_eq(model_load(m, &user, 0x78), 0); /* MD-4 */
    cr_assert_eq(model_load(m, &user, 0xFFF8), 0);
    sim_bus_ctx_release(ctx);
}

Test(sim_register, identity)
{
    uint64_t version = global(AFU_GLOBAL_AFU_VERSION);
    char text[9] = {0};

    version = hal_swap64(HAL_ORDER_BIG, version); /* bytes in memory order, no swap on the bus */
    memcpy(text, &version, 8);
    cr_assert_str_eq(text, "SIM00001");
    cr_assert_eq(global(AFU_GLOBAL_INTERFACE_VERSION), 0x8000000000010002);
    cr_assert_eq(global(AFU_GLOBAL_AFU_PORT_SEL), 3);
    PROVES(R_4);
}

/* each read gives the value before plus one. */
Test(sim_register, heartbeat)
{
    uint64_t first = global(AFU_GLOBAL_AFU_HB);

    for (uint64_t i = 1; i < 10; i++)
        cr_assert_eq(global(AFU_GLOBAL_AFU_HB), first + i);
    PROVES(R_29);
}

Test(sim_register, port_selection_keeps_to_ports_present)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 0xFF);
    cr_assert_eq(global(AFU_GLOBAL_AFU_PORT_SEL), 3);
}

Test(sim_register, mailbox)
{
    struct model_ctx user = {0};
    uint64_t mbox;

    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    mbox = AFU_CTRL_BASE(user.handle) + AFU_CTRL_MBOX_R;
    model_store(m, &user, AFU_HOST_MBOX_W, 0xC0FFEE);
    cr_assert_eq(model_load(m, &m->master, mbox), 0xC0FFEE);
    cr_assert_eq(model_load(m, &m->master, mbox), 0xC0FFEE);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, AFU_CONFIG_MBOX_CLR_READ);
    cr_assert_eq(model_load(m, &m->master, mbox), 0xC0FFEE);
    cr_assert_eq(model_load(m, &m->master, mbox), 0);
    model_ctx_end(m, &user);
}

Test(sim_register, write_one_to_clear)
{
    struct model_ctx user = {0};

    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_store(m, &user, AFU_HOST_IOARRIN, 0x18); /* unaligned: RCB_READ */
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 8);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, ~UINT64_C(8));
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 8);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, 8);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
    model_ctx_end(m, &user);
}

Test(sim_register, lun_tables_of_each_port)
{
    for (unsigned port = 0; port < 2; port++)
        for (unsigned i = 0; i < 512; i += 73)
            model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(port, i), port * 1000 + i + 1);
    for (unsigned port = 0; port < 2; port++)
        for (unsigned i = 0; i < 512; i += 73)
            cr_assert_eq(model_load(m, &m->master, AFU_LUN_TABLE_ENTRY(port, i)),
                         port * 1000 + i + 1);
}

/* Control registers of contexts that do not exist read 0 and take no writes. */
Test(sim_register, absent_contexts)
{
    uint64_t ctrl = AFU_CTRL_BASE(400);

    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_START, 0x1000);
    cr_assert_eq(model_load(m, &m->master, ctrl + AFU_CTRL_RHT_START), 0);
    cr_assert_eq(model_load(m, &m->master, AFU_HOST_BASE(400) + AFU_HOST_CMD_ROOM), 0);
}
