/* SPDX-License-Identifier: Apache-2.0 */
/* The link machine: up, login, down, reset, shutdown (SL 16, 17; MD-22, MD-26). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

TestSuite(sim_link, .init = up_flashsystem, .fini = down);

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
    PROVES(MD_22);
    PROVES(SL_17_1);
}

Test(sim_link, turning_round_half_way)
{
    set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x43);
    set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x23); /* before it was down */
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
}

/* Port p of four, its byte of SL 16: FC0 0x100.., FC1 0x1.., FC2 0x01000000.., FC3 0x010000.. */
static const unsigned shift[4] = {8, 0, 24, 16};

static void four_ports(void)
{
    struct sim_params params;

    down();
    sim_params_default(&params);
    params.ports = 4;
    up_with(&params);
    for (unsigned p = 0; p < 4; p++)
        set_port_reg(p, AFU_FC_ERRMSK, 0);
    cr_assert_eq(take_events(), 0);
}

static void bounce(unsigned p)
{
    sim_afu_link_down(m->afu, p);
    model_run(m, 250000);
    cr_assert_eq(take_events(), UINT64_C(0x2) << shift[p]);
    sim_afu_link_up(m->afu, p);
    model_run(m, 50000000);
}

/* LINK_DN, LINK_UP, LOGI_S; LOGI_F with its cause; LOGI_R and a login that then works. */
Test(sim_link, login_events_of_all_ports)
{
    four_ports();
    for (unsigned p = 0; p < 4; p++) {
        bounce(p);
        cr_assert_eq(take_events(), UINT64_C(0x5) << shift[p]);
        plan("plink#1=x(9)");
        bounce(p);
        cr_assert_eq(take_events(), UINT64_C(0x9) << shift[p]);
        cr_assert_eq(port_reg(p, AFU_FC_ERROR), 9);
        set_port_reg(p, AFU_FC_ERROR, 0xFFFFFFFF);
        cr_assert_eq(port_reg(p, AFU_FC_ERROR), 0);
        plan("plink#1=n");
        bounce(p);
        cr_assert_eq(take_events(), UINT64_C(0x1) << shift[p]);
        model_run(m, 500000000);
        cr_assert_eq(take_events(), UINT64_C(0x14) << shift[p]);
        cr_assert_eq(port_reg(p, AFU_FC_CNT_TIMEOUT), 1);
    }
    PROVES(SL_16);
}

/* INQUIRY by the master through one port, which answers wherever a LUN may be. */
static void inquiry(unsigned port)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->req_flags = xe16_of(m->master.order, AFU_REQ_SUP_UNDERRUN);
    r->port_sel = xe32_of(m->master.order, 1u << port);
    r->data_len = xe32_of(m->master.order, 36);
    r->data_ea = xe64_of(m->master.order, (uintptr_t)m->buffer);
    r->cdb[0] = 0x12;
    r->cdb[4] = 36;
    cr_assert(model_issue(m, &m->master, 0, 1000000));
}

/* CRC_T, OTHER, LOGO: bits 5, 7 and 6 of the port's byte. */
Test(sim_link, exchange_events_of_all_ports)
{
    four_ports();
    for (unsigned p = 0; p < 4; p++) {
        plan("fc#1=c+fc#2=p(0x10000000)+fc#3=g");
        set_port_reg(p, AFU_FC_CRC_THRESH, 1);
        inquiry(p);
        cr_assert_eq(take_events(), UINT64_C(0x20) << shift[p]);
        inquiry(p);
        cr_assert_eq(take_events(), UINT64_C(0x80) << shift[p]);
        cr_assert_eq(port_reg(p, AFU_FC_ERRCAP), 0x10000000);
        inquiry(p);
        cr_assert_eq(take_events(), UINT64_C(0x40) << shift[p]);
    }
    PROVES(SL_16);
}

/* A read by port 0 that is going to take 400 ms on the medium, the first in this test to get there.
 */
static void long_read(void)
{
    plan("media#1=l(100000000)");
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 2000);
}

/* SL 17.2: an exchange does not outlive its link, whether that is back before the target answers
 * or not; nor its login. */
Test(sim_link, exchanges_end_with_their_link)
{
    long_read();
    bounce(0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0x57, "%08x", model_ioasc(&user, 0));
    long_read();
    set_port_reg(0, AFU_FC_CONFIG, 0x11); /* port reset */
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0x57);
    plan("media#1=l(100000000)+fc#2=g(1000)");
    for (unsigned i = 0; i < 2; i++) { /* the target logs out at the second and in again */
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        model_doorbell(m, &user, i);
    }
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0x54);
    cr_assert_eq(model_ioasc(&user, 1), 0x54);
    cr_assert_eq(transfer(0, false, 0, 1), 0);
    PROVES(SL_17_2);
}

/* The other port's exchanges go on, and so does what waits for an answer that does not come. */
Test(sim_link, exchanges_of_the_other_port_go_on)
{
    long_read();
    bounce(1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    cr_assert_eq(take_events(), 0x5);
    plan("fc#1=d");
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 1, "lost, until the link was");
    cr_assert_eq(model_ioasc(&user, 1), 0x57);
}

/* Without an answer the attempts go on; with time-outs disabled the first one waits for ever. */
Test(sim_link, time_outs_of_the_login)
{
    plan("plink#1x3=n");
    bounce(0);
    model_run(m, UINT64_C(1499000000));
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20, "the link is up all the time");
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0);
    model_run(m, 1000000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0xF);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TIMEOUT), 3);
    set_port_reg(0, AFU_FC_CONFIG, AFU_FC_CONFIG_AUTO_LOGIN | AFU_FC_CONFIG_NO_TIMEOUTS);
    take_events();
    plan("plink#1=n");
    bounce(0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0);
    cr_assert_eq(take_events(), 0x100);
}

/* The steps of a login take the time that they are given, and can be seen. */
Test(sim_link, login_takes_its_time)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);

    p->flogi = 100000;
    p->plogi = 50000;
    bounce(0);
    cr_assert_eq(take_events(), 0x100);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
    cr_assert_eq(port_reg(0, AFU_FC_PORT_ID), 0);
    model_run(m, 148000);
    cr_assert_eq(take_events(), 0);
    model_run(m, 2000);
    cr_assert_eq(take_events(), 0x400);
    cr_assert_eq(port_reg(0, AFU_FC_PORT_ID), 0x010100);
    cr_assert_eq(port_reg(0, AFU_FC_CNT_TXLOGI), 2);
}

Test(sim_link, no_light_and_late_light)
{
    plan("plink#1=d+plink#2=l(700)");
    bounce(0);
    model_run(m, 1000000000);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0, "no cable, and yet online");
    cr_assert_eq(take_events(), 0);
    bounce(0);
    cr_assert_eq(take_events(), 0);
    model_run(m, 700);
    cr_assert_eq(take_events(), 0x500);
}

/* SL 5.3: without auto-login the link comes up and nothing more, until it is asked for. */
Test(sim_link, auto_login)
{
    cr_assert_eq(port_reg(0, AFU_FC_CONFIG), 1);
    set_port_reg(0, AFU_FC_CONFIG, 0);
    bounce(0);
    cr_assert_eq(take_events(), 0x100);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0);
    set_port_reg(0, AFU_FC_CONFIG, 1);
    cr_assert_eq(take_events(), 0x400);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0xF);
}

/* SL 17.3: bits 4 and 0 reset the port, bit 4 alone turns it off. */
Test(sim_link, port_reset_and_port_off)
{
    set_port_reg(0, AFU_FC_CONFIG, 0x11);
    cr_assert_eq(port_reg(0, AFU_FC_CONFIG), 1);
    model_run(m, 250000 + 50000000);
    cr_assert_eq(take_events(), 0x700);
    set_port_reg(0, AFU_FC_CONFIG, 0x10);
    model_run_dry(m);
    cr_assert_eq(take_events(), 0x200);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x10);
    set_port_reg(0, AFU_FC_CONFIG, 0x11); /* from off: comes up again */
    model_run_dry(m);
    cr_assert_eq(take_events(), 0x500);
}

/* The target logs out: commands in flight 0x54, new ones have no channel, the link is still up. */
Test(sim_link, target_logs_out)
{
    for (unsigned p = 0; p < 2; p++) {
        model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, p + 1);
        plan("fc#2=g(1000000)");
        model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
        model_doorbell(m, &user, 1);
        model_run(m, 5000);
        cr_assert_eq(transfer(2, false, 8, 1), 0x54);
        cr_assert_eq(take_events(), p ? 0x40 : 0x4000);
        cr_assert_eq(port_reg(p, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
        cr_assert_eq(port_reg(p, AFU_FC_TGT_LOGI), 0);
        cr_assert_eq(transfer(3, false, 8, 1), 0x2000);
        model_run(m, 100000);
        cr_assert_eq(model_harvest(&user), 1);
        cr_assert_eq(user.pair[1].ioasa.rc.fc_rc, 0x54);
        model_run(m, 900000);
        cr_assert_eq(take_events(), p ? 0x4 : 0x400, "logged in again");
        cr_assert_eq(transfer(4, false, 8, 1), 0);
    }
}

/* A command on a port that logs out goes to the other port when it is issued again. */
Test(sim_link, logout_leaves_the_other_port)
{
    plan("fc#1=g");
    cr_assert_eq(transfer(0, false, 0, 1), 0x54);
    cr_assert_eq(transfer(1, false, 0, 1), 0);
    cr_assert_eq(user.pair[1].ioasa.port, 1);
    model_run(m, 1000000000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0, "nobody asked for a new login");
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0xF, 0xF);
}

Test(sim_link, shutdown_states)
{
    set_port_reg(0, AFU_FC_CONFIG2, AFU_FC_CONFIG2_SHUTDOWN_NORMAL);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x30, 0x10);
    model_run(m, 24999000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x30, 0x10);
    model_run(m, 1000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x30, 0x20);
    PROVES(MD_22);
    PROVES(SL_17_5);
}

static uint8_t fc_rc_of_shutdown(uint64_t how)
{
    for (unsigned p = 0; p < 2; p++)
        set_port_reg(p, AFU_FC_CONFIG2, 0);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 5000);
    for (unsigned p = 0; p < 2; p++)
        set_port_reg(p, AFU_FC_CONFIG2, how);
    cr_assert_eq(transfer(1, false, 0, 1), 0x2000, "no new I/O while shutting down");
    model_run(m, 1000000);
    cr_assert_eq(model_harvest(&user), 0);
    return user.pair[0].ioasa.rc.fc_rc;
}

Test(sim_link, normal_shutdown_flushes)
{
    cr_assert_eq(fc_rc_of_shutdown(AFU_FC_CONFIG2_SHUTDOWN_NORMAL), 0);
}

/* And no I/O until the next AFU reset (SL 17.5). */
Test(sim_link, abrupt_shutdown_ends_commands)
{
    uint64_t done = 0;

    cr_assert_eq(fc_rc_of_shutdown(AFU_FC_CONFIG2_SHUTDOWN_ABRUPT), 0x5E);
    model_run(m, 30000000);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x30, 0x20);
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    sim_afu_link_up(m->afu, 0);
    model_run_dry(m);
    cr_assert_eq(transfer(1, false, 0, 1), 0x2000);
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, 250000);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    cr_assert_eq(port_reg(0, AFU_FC_STATUS) & 0x3F, 0x0F);
}

/* A command that outlasts a normal shutdown ends as in an abrupt one. */
Test(sim_link, flush_has_an_end)
{
    sim_afu_params_mutable(m->afu)->media_read = 30000000;
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 5000);
    set_port_reg(0, AFU_FC_CONFIG2, AFU_FC_CONFIG2_SHUTDOWN_NORMAL);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x5E);
}

/* SL 17.5: nothing is in flight any more when the shutdown is complete, not even what nobody would
 * have answered. */
Test(sim_link, complete_means_that_nothing_is_in_flight)
{
    static const uint64_t how[] = {AFU_FC_CONFIG2_SHUTDOWN_NORMAL, AFU_FC_CONFIG2_SHUTDOWN_ABRUPT};

    for (unsigned p = 0; p < 2; p++) { /* one port the one way, the other the other way */
        model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1u << p);
        plan("media#1=n+fc#2=d");
        for (unsigned i = 0; i < 2; i++) {
            model_rw(m, &user, i, false, 0, i, 1, m->buffer);
            model_doorbell(m, &user, i);
        }
        model_run(m, 100000);
        set_port_reg(p, AFU_FC_CONFIG2, how[p]);
        model_run(m, 25000000 + 1000);
        cr_assert_eq(port_reg(p, AFU_FC_STATUS) & 0x30, 0x20);
        for (unsigned i = 0; i < 2; i++) {
            int slot = model_harvest(&user);

            cr_assert_geq(slot, 0);
            cr_assert_eq(model_ioasc(&user, (unsigned)slot), 0x5E);
        }
    }
}

/* FK-1: down and up again, so many times, each with all its events; then it stays. */
Test(sim_link, a_link_that_flaps)
{
    sim_afu_params_mutable(m->afu)->login = 1000000;
    plan("plink#1=flap(3)");
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    take_events();
    sim_afu_link_up(m->afu, 0);
    for (unsigned i = 0; i < 3; i++) {
        model_run(m, 1000000);
        cr_assert_eq(take_events(), 0x500, "%u", i); /* LINK_UP, LOGI_S */
        model_run(m, 250000);
        cr_assert_eq(take_events(), 0x200, "%u", i); /* LINK_DN */
    }
    model_run_dry(m);
    cr_assert_eq(take_events(), 0x500);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
    cr_assert_eq(transfer(1, false, 0, 1), 0);
}

/* While it falls no command takes it; the other port does. */
Test(sim_link, a_flap_under_load)
{
    sim_afu_link_down(m->afu, 1);
    model_run_dry(m);
    plan("plink#1=flap");
    sim_afu_link_up(m->afu, 1);
    model_run(m, 50000000);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 2);
    cr_assert_eq(transfer(1, false, 0, 1), 0x2000, "the link is on its way down");
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 3);
    cr_assert_eq(transfer(2, false, 0, 1), 0);
    cr_assert_eq(user.pair[2].ioasa.port, 0);
}

Test(sim_link, a_late_link)
{
    sim_afu_link_down(m->afu, 0);
    model_run_dry(m);
    plan("plink#1=l");
    sim_afu_link_up(m->afu, 0);
    model_run(m, 50000000 + 249000);
    cr_assert_neq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
    model_run(m, 1000);
    cr_assert_eq(port_reg(0, AFU_FC_MTIP_STATUS) & 0x30, 0x20);
}

/* by itself a login raises nothing; as an option 29/00, once and on its port alone. */
Test(sim_link, unit_attention_after_a_login)
{
    for (unsigned option = 0; option < 2; option++) {
        sim_afu_params_mutable(m->afu)->ua_on_login = option;
        set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x43);
        model_run_dry(m);
        cr_assert_eq(transfer(0, false, 0, 1), 0, "by port 1");
        set_port_reg(0, AFU_FC_MTIP_CMDCONFIG, 0x23);
        model_run_dry(m);
        cr_assert_eq(transfer(0, false, 0, 1), option ? 0x020000 : 0);
        if (option)
            cr_assert_eq(user.pair[0].ioasa.sense_data[12], 0x29);
        cr_assert_eq(transfer(0, false, 0, 1), 0);
    }
    PROVES(R_27);
}
