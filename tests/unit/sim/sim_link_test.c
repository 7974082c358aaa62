/* SPDX-License-Identifier: Apache-2.0 */
/* The link machine and shutdown (SL 17.1, 17.5; MD-22). */
#include <criterion/criterion.h>

#include "tests/testlib/model.h"

static struct model *m;

static void up(void) { m = model_create("flashsystem"); }
static void down(void) { model_destroy(m); }

TestSuite(sim_link, .init = up, .fini = down);

static uint64_t port_reg(unsigned port, uint64_t reg)
{
    return model_load(m, &m->master, AFU_PORT_REGS(port) + reg);
}

static void set_port_reg(unsigned port, uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_PORT_REGS(port) + reg, value);
}

Test(sim_link, offline_and_online)
{
    cr_assert_eq(port_reg(1, AFU_FC_MTIP_CMDCONFIG), 0x23);
    cr_assert_eq(port_reg(1, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
    set_port_reg(1, AFU_FC_MTIP_CMDCONFIG, 0x43);
    cr_assert_eq(port_reg(1, AFU_FC_MTIP_STATUS) & 0x30, 0x00); /* neither */
    model_run(m, 250000);
    cr_assert_eq(port_reg(1, AFU_FC_MTIP_STATUS) & 0x30, 0x10);
    set_port_reg(1, AFU_FC_PNAME, 0x5005076012345678);
    set_port_reg(1, AFU_FC_MTIP_CMDCONFIG, 0x23);
    model_run(m, 49000000);
    cr_assert_eq(port_reg(1, AFU_FC_MTIP_STATUS) & 0x30, 0x00);
    model_run(m, 1000000);
    cr_assert_eq(port_reg(1, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
    cr_assert_eq(port_reg(1, AFU_FC_PNAME), 0x5005076012345678);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20, "the other port moved too");
}

Test(sim_link, turning_round_half_way)
{
    set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x43);
    set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x23); /* before it was down */
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
}

Test(sim_link, shutdown)
{
    set_port_reg(0, AFU_FC_CONFIG2, AFU_FC_CONFIG2_SHUTDOWN_NORMAL);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x30, 0x10);
    model_run(m, 25000000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x30, 0x20);
}

Test(sim_link, planned_faults)
{
    char why[96];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "plink#1=x(4)+plink#2=n", why, sizeof why),
                 0);
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_ERROR), 4); /* login failed, cause kept */
    cr_assert_eq(model_load(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS), 0xA00);
    set_port_reg(0, AFU_FC_ERROR, 4);
    cr_assert_eq(port_reg(0, AFU_FC_ERROR), 0);
}
