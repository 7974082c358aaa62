/* SPDX-License-Identifier: Apache-2.0 */
/* Every register of a port, row by row of SL 5.3. */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_register_port, .init = up_flashsystem, .fini = down);

#define PATTERN UINT64_C(0xA5A5000012345678)

/* Registers without a meaning of their own read back what was written. */
static const uint16_t stored[] = {0x008, 0x020, 0x028, 0x030, 0x038, 0x040, 0x048, 0x050,
                                  0x058, 0x060, 0x068, 0x070, 0x078, 0x100, 0x108, 0x308,
                                  0x338, 0x340, 0x390, 0x3A0, 0x3B8, 0x580, 0x600};

/* What the model knows no value for, or counts itself: 0, and writes change nothing. */
static const uint16_t fixed[] = {0x000, 0x080, 0x088, 0x090, 0x098, 0x110, 0x200, 0x208, 0x210,
                                 0x218, 0x220, 0x228, 0x500, 0x508, 0x510, 0x518, 0x520, 0x528,
                                 0x530, 0x538, 0x540, 0x548, 0x550, 0x608, 0x610, 0x618, 0x620,
                                 0x628, 0x630, 0x638, 0x640, 0x648, 0x650, 0x658, 0x660, 0x670,
                                 0x678, 0x680, 0x700, 0x708, 0x710};

Test(sim_register_port, storage_of_each_port)
{
    for (unsigned p = 0; p < 2; p++)
        for (unsigned i = 0; i < sizeof stored / sizeof stored[0]; i++)
            set_port_reg(p, stored[i], PATTERN + p * 1000 + i);
    for (unsigned p = 0; p < 2; p++)
        for (unsigned i = 0; i < sizeof stored / sizeof stored[0]; i++)
            cr_assert_eq(port_reg(p, stored[i]), PATTERN + p * 1000 + i, "0x%03x", stored[i]);
    PROVES(SL_5_3);
}

Test(sim_register_port, what_a_write_does_not_change)
{
    for (unsigned i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        cr_assert_eq(port_reg(0, fixed[i]), 0, "0x%03x", fixed[i]);
        set_port_reg(0, fixed[i], PATTERN);
        cr_assert_eq(port_reg(0, fixed[i]), 0, "0x%03x", fixed[i]);
    }
    PROVES(MD_21);
}

/* Every other offset of the page reads 0 and ignores writes. */
Test(sim_register_port, undescribed_offsets)
{
    static const uint16_t offsets[] = {0x0A0, 0x0F8, 0x118, 0x1F8, 0x230, 0x2F8, 0x318, 0x350,
                                       0x378, 0x398, 0x3C0, 0x3F8, 0x438, 0x4F8, 0x558, 0x578,
                                       0x588, 0x5F8, 0x668, 0x688, 0x6F8, 0x718, 0xFF8};

    for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        set_port_reg(0, offsets[i], PATTERN);
        cr_assert_eq(port_reg(0, offsets[i]), 0, "0x%03x", offsets[i]);
    }
    PROVES(MD_4);
}

/* SL 17.1: a name is taken while the port is offline, and only then. */
Test(sim_register_port, port_name)
{
    uint64_t before = violations();

    set_port_reg(0, AFU_FC_PNAME, 0x5005076012340001);
    cr_assert_eq(port_reg(0, AFU_FC_PNAME), 0);
    cr_assert_eq(violations(), before + 1);
    set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x43);
    set_port_reg(0, AFU_FC_PNAME, 0x5005076012340001); /* not yet */
    cr_assert_eq(port_reg(0, AFU_FC_PNAME), 0);
    model_run_dry(m);
    set_port_reg(0, AFU_FC_PNAME, 0x5005076012340001);
    cr_assert_eq(port_reg(0, AFU_FC_PNAME), 0x5005076012340001);
    cr_assert_eq(violations(), before + 2);
    model_expect_violations(m, SIM_RULE_WWPN, 2);
}

/* What FLOGI and PLOGI brought, as long as the port is logged in. */
Test(sim_register_port, login_data)
{
    static const uint16_t offsets[] = {0x310, 0x400, 0x408, 0x410, 0x418, 0x420, 0x428, 0x430};

    for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        cr_assert_neq(port_reg(0, offsets[i]), 0, "0x%03x", offsets[i]);
        set_port_reg(0, offsets[i], 0);
        cr_assert_neq(port_reg(0, offsets[i]), 0, "0x%03x", offsets[i]);
    }
    cr_assert_neq(port_reg(0, 0x400), port_reg(1, 0x400), "two targets with one address");
    cr_assert_neq(port_reg(0, 0x310), port_reg(1, 0x310), "two ports with one address");
    sim_afu_link_down(m->afu, 0);
    for (unsigned i = 0; i < sizeof offsets / sizeof offsets[0]; i++)
        cr_assert_eq(port_reg(0, offsets[i]), 0, "0x%03x", offsets[i]);
}

/* SL 17.3: the four bits of a port that is online; nothing of a FlashGT on another card. */
Test(sim_register_port, status_of_other_cards)
{
    cr_assert_eq(port_reg(0, AFU_FC_STATUS), 0x0F);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS2), 0);
    sim_afu_link_down(m->afu, 0);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS), 0);
}

Test(sim_register_port, status_of_flashgt)
{
    down();
    up("flashgt");
    cr_assert_eq(port_reg(0, AFU_FC_STATUS), 0xCF); /* both queues empty */
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 1000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS), 0x0F);
    cr_assert_eq(port_reg(1, AFU_FC_STATUS), 0xCF);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS2), 0x6900); /* gen3, 4 lanes, link up */
    set_port_reg(0, AFU_FC_CONFIG, 0x11);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS2), 0x18000); /* user reset, PHY down */
    model_run(m, 250000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS2), 0x12000); /* training */
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS2), 0x6900);
    cr_assert_eq(port_reg(1, AFU_FC_NVME_VERSION), global_reg(AFU_GLOBAL_AFU_VERSION));
    PROVES(SL_17_3);
}

/* MD-17: an AFU reset takes everything back but the name and the link; MD-5: the LUN table too. */
Test(sim_register_port, afu_reset)
{
    uint64_t done = 0;

    set_port_reg(0, AFU_FC_MTIP_SCRATCH, PATTERN);
    set_port_reg(0, AFU_FC_ERRMSK, 0);
    set_port_reg(0, AFU_FC_CRC_THRESH, 100);
    set_port_reg(0, AFU_FC_CONFIG, 0);
    model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(0, 511), PATTERN);
    plan("fc#1=c");
    transfer(0, false, 0, 1);
    set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x43);
    model_run_dry(m);
    set_port_reg(0, AFU_FC_PNAME, PATTERN);
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, 250000);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_SCRATCH), 0);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_CMDCONFIG), 0x23);
    cr_assert_eq(port_reg(0, AFU_FC_CONFIG), 1);
    cr_assert_eq(port_reg(0, AFU_FC_ERRMSK), 0xFFFFFFFF);
    cr_assert_eq(port_reg(0, AFU_FC_CRC_THRESH), 0);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_CRCTOT), 0);
    cr_assert_eq(port_reg(0, AFU_FC_TX_FRM_CNT), 0);
    cr_assert_eq(port_reg(0, AFU_FC_PNAME), PATTERN);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x10, "the link moved");
    PROVES(MD_17);
    cr_assert_eq(model_load(m, &m->master, AFU_LUN_TABLE_ENTRY(0, 511)), 0);
    PROVES(MD_5);
}
