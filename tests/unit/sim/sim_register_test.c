/* SPDX-License-Identifier: Apache-2.0 */
/* The address map (SL 1, 5.1): what an offset names, and what offsets do that name nothing. */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_register, .init = up_flashsystem, .fini = down);

static void poke(uint64_t offset) { model_store(m, &m->master, offset, UINT64_MAX); }

Test(sim_register, lun_tables_of_each_port)
{
    for (unsigned port = 0; port < 2; port++)
        for (unsigned i = 0; i < 512; i += 73)
            model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(port, i), port * 1000 + i + 1);
    for (unsigned port = 0; port < 2; port++)
        for (unsigned i = 0; i < 512; i += 73)
            cr_assert_eq(model_load(m, &m->master, AFU_LUN_TABLE_ENTRY(port, i)),
                         port * 1000 + i + 1);
    PROVES(SL_5_2);
}

/* Control registers of contexts that do not exist read 0 and take no writes. */
Test(sim_register, absent_contexts)
{
    uint64_t ctrl = AFU_CTRL_BASE(400);

    model_store(m, &m->master, ctrl + AFU_CTRL_RHT_START, 0x1000);
    cr_assert_eq(model_load(m, &m->master, ctrl + AFU_CTRL_RHT_START), 0);
    cr_assert_eq(model_load(m, &m->master, AFU_HOST_BASE(400) + AFU_HOST_CMD_ROOM), 0);
}

/* Offsets that nobody describes, one of each gap of the map. */
static const uint64_t nowhere[] = {
    0x78,      0xFFF8,                                                /* host page of the master */
    0x2000048, 0x2000078,                                             /* its control registers */
    0x2010050, 0x20107F8, 0x2010810, 0x2010FF8, 0x2011000, 0x2011028, /* pages 0 and 1 */
    0x20120A0, 0x2012FF8,                                             /* port 0 */
    0x2016010, 0x2018000,                                  /* port 2 of a card with two */
    0x201A000, 0x201FFF8,                                  /* behind the ports */
    0x2020000, 0x2040000, 0x2060000, 0x2060700, 0x209FFF8, /* reserved, debug windows */
};

#define NOWHERE (sizeof nowhere / sizeof nowhere[0])

Test(sim_register, undescribed_offsets_read_zero)
{
    uint64_t before = violations();

    for (unsigned i = 0; i < NOWHERE; i++) {
        poke(nowhere[i]);
        cr_assert_eq(model_load(m, &m->master, nowhere[i]), 0, "0x%llx",
                     (unsigned long long)nowhere[i]);
    }
    cr_assert_eq(violations(), before, "only the strict mode records");
    PROVES(MD_4);
    PROVES(MD_21);
}

Test(sim_register, strict_mode_records)
{
    uint64_t before = violations();

    sim_afu_params_mutable(m->afu)->strict_registers = 1;
    for (unsigned i = 0; i < NOWHERE; i++) {
        poke(nowhere[i]);
        model_load(m, &m->master, nowhere[i]);
        cr_assert_eq(violations(), before + 2 * i + 2, "0x%llx", (unsigned long long)nowhere[i]);
    }
    PROVES(MD_4);
    model_expect_violations(m, SIM_RULE_UNDESCRIBED, 42);
}

/* What drivers do is no violation: registers, tables, contexts that do not exist. */
Test(sim_register, strict_mode_lets_described_offsets_pass)
{
    uint64_t before = violations();

    sim_afu_params_mutable(m->afu)->strict_registers = 1;
    for (uint64_t at = 0; at < 0x78; at += 8)
        model_load(m, &user, at);
    for (uint64_t at = 0; at < 0x48; at += 8)
        model_load(m, &m->master, AFU_CTRL_BASE(511) + at);
    for (uint64_t at = 0; at < 0x50; at += 8)
        global_reg(at);
    for (unsigned c = 0; c < 512; c++)
        model_store(m, &m->master, AFU_CTRL_BASE(c) + AFU_CTRL_CTX_CAP, 0);
    model_load(m, &m->master, AFU_LUN_TABLE_ENTRY(1, 511));
    port_reg(1, AFU_FC_LOOPBACK_ERRCNT);
    cr_assert_eq(violations(), before);
}

/* SL 1: aligned accesses only; the neighbours do not change. */
Test(sim_register, unaligned)
{
    uint64_t before = violations(), word = AFU_LUN_TABLE_ENTRY(0, 5);

    model_store(m, &m->master, word, 0x55);
    for (unsigned i = 1; i < 8; i++) {
        poke(word + i);
        cr_assert_eq(model_load(m, &m->master, word + i), 0);
    }
    cr_assert_eq(model_load(m, &m->master, word), 0x55);
    cr_assert_eq(violations(), before);
    sim_afu_params_mutable(m->afu)->strict_registers = 1;
    model_load(m, &m->master, word + 4);
    cr_assert_eq(violations(), before + 1);
    model_expect_violations(m, SIM_RULE_UNDESCRIBED, 1);
    PROVES(SL_1);
}

/* SL 1: a user context has its own 64 KiB; what lies behind is not the page of its neighbour. */
Test(sim_register, window_of_a_user)
{
    struct model_ctx next = {0};

    model_ctx_start(m, &next, false, HAL_ORDER_LITTLE);
    cr_assert_eq(next.handle, user.handle + 1);
    cr_assert_eq(model_load(m, &user, AFU_HOST_SIZE + AFU_HOST_CMD_ROOM), 0);
    model_store(m, &user, AFU_HOST_SIZE + AFU_HOST_INTR_MASK, 0);
    cr_assert_eq(model_load(m, &next, AFU_HOST_INTR_MASK), UINT64_MAX);
    model_ctx_end(m, &next);
    PROVES(SL_1);
}
