/* SPDX-License-Identifier: Apache-2.0 */
/* Ports, media, and closed-form times of timing.md 8. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

static struct model *m;
static struct model_ctx user;
static const uint64_t chunk0[] = {0};

static void start(const char *profile)
{
    m = model_create(profile);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
}

static void up(void) { start("flashsystem"); }

static void down(void)
{
    model_ctx_end(m, &user);
    model_destroy(m);
}

static void restart(const char *profile)
{
    down();
    start(profile);
}

TestSuite(sim_port, .init = up, .fini = down);

/* Cycles from the store of the doorbell to the RRQ element, translation cached. */
static uint64_t warm_latency(bool write, uint64_t lba)
{
    uint64_t begin;

    model_rw(m, &user, 0, write, 0, lba, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_rw(m, &user, 1, write, 0, lba, 1, m->buffer);
    begin = m->machine->engine.now;
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(model_ioasc(&user, 1), 0);
    return m->machine->engine.now - begin;
}

/* The sum of the default path, warm, queue depth 1: timing.md section 8. */
Test(sim_port, unloaded_read_is_the_sum_of_its_parts)
{
    cr_assert_eq(warm_latency(false, 0), 35124);
}

Test(sim_port, flashgt_read_latencies)
{
    restart("flashgt");
    cr_assert_eq(warm_latency(false, 0), 6134); /* never written */
    model_rw(m, &user, 2, true, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 2, 1000000));
    cr_assert_eq(warm_latency(false, 0), 11884);
    PROVES(TM_22);
}

/* 75 doorbell, 8, 220 fetch, 16, 4, 25, 250 frame, 320 + 220 data, 1240 link, 21250 medium, 16,
 * 150, 150. */
Test(sim_port, unloaded_write)
{
    cr_assert_eq(warm_latency(true, 5),
                 75 + 8 + 220 + 16 + 4 + 25 + 250 + 320 + 220 + 1240 + 21250 + 16 + 150 + 150);
}

static unsigned run_many(unsigned n)
{
    unsigned done = 0;

    for (unsigned i = 0; i < n; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer + (i % 64) * 4096);
        model_doorbell(m, &user, i);
    }
    while (sim_engine_next(&m->machine->engine) != SIM_NEVER) {
        sim_engine_run(&m->machine->engine, sim_engine_next(&m->machine->engine));
        while (model_harvest(&user) >= 0)
            done++;
    }
    return done;
}

/* Port 0 serves 4 KiB every 1240 cycles: 16 reads leave the link 15 x 1240 after the first. */
Test(sim_port, the_link_is_serial)
{
    uint64_t begin = m->machine->engine.now;

    cr_assert_eq(run_many(16), 16);
    cr_assert_geq(m->machine->engine.now - begin, 35124 + 15 * 1240);
    cr_assert_lt(m->machine->engine.now - begin, 35124 + 15 * 1240 + 1000);
}

Test(sim_port, media_places_are_limited)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t begin = m->machine->engine.now;

    p->media_parallel = 4;
    cr_assert_eq(run_many(16), 16);
    cr_assert_geq(m->machine->engine.now - begin, 4 * 32500);
    cr_assert_lt(m->machine->engine.now - begin, 4 * 32500 + 10000);
}

Test(sim_port, round_robin_uses_both_ports)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    unsigned by_port[2] = {0};

    p->port_choice_rr = 1;
    for (unsigned i = 0; i < 8; i++) {
        model_rw(m, &user, 0, false, 0, i, 1, m->buffer);
        cr_assert(model_issue(m, &user, 0, 1000000));
        by_port[user.pair[0].ioasa.port]++;
    }
    cr_assert_eq(by_port[0], 4);
    cr_assert_eq(by_port[1], 4);
}

Test(sim_port, no_channel)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_RW, 2)); /* port 1 only */
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x20); /* SL 23.7: available 1, requested 2 */
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x06);
    PROVES(R_23);
}

Test(sim_port, a_link_that_falls_ends_commands_in_flight)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 5000);
    sim_afu_link_down(m->afu, 0);
    model_run(m, 300000);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x57);
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer); /* the other port goes on */
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(model_ioasc(&user, 1), 0);
    cr_assert_eq(user.pair[1].ioasa.port, 1);
}

/* nothing written, fc_rc 0x58; on FlashGT also afu_rc 0x62. */
Test(sim_port, direction_mismatch)
{
    for (int gt = 0; gt < 2; gt++) {
        if (gt)
            restart("flashgt");
        model_rw(m, &user, 0, true, 0, 0, 1, m->buffer);
        user.pair[0].ioarcb.req_flags = xe16_of(user.order, AFU_REQ_RES_HNDL);
        cr_assert(model_issue(m, &user, 0, 1000000));
        cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x58);
        cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, gt ? 0x62 : 0);
        cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, 0);
    }
    PROVES(R_28);
}

/* The fixture's LUNs answer on ports 0 and 1 only, which the card does not know. */
static uint8_t port_of_a_read(void)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0);
    return user.pair[0].ioasa.port;
}

static void with_ports(uint64_t ports, bool round_robin)
{
    struct sim_params p;

    down();
    sim_params_default(&p);
    p.ports = ports;
    p.port_choice_rr = round_robin;
    m = model_create_bare(&p);
    model_bring_up(m);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_RW, 0xF));
}

/* MD-10: the lowest usable port, always the same; or each in turn. */
Test(sim_port, choice_of_the_port)
{
    static const uint64_t port_sel = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL;

    with_ports(4, false);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(port_of_a_read(), 0);
    model_store(m, &m->master, port_sel, 0xC);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(port_of_a_read(), 2);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_RW, 0xA));
    model_sync(m, AFU_SYNC_LW, user.handle, 0);
    cr_assert_eq(port_of_a_read(), 3);
    with_ports(4, true);
    for (int i = 0, last = port_of_a_read(); i < 8; i++) {
        int next = port_of_a_read();

        cr_assert_eq(next, (last + 1) % 4);
        last = next;
    }
    model_store(m, &m->master, port_sel, 0x5);
    for (int i = 0, last = port_of_a_read(); i < 4; i++) {
        int next = port_of_a_read();

        cr_assert_eq(next, 2 - last);
        last = next;
    }
    PROVES(MD_10);
    PROVES(SL_17_2);
}

/* SL 5.2, 8.4 step 10: the LUN index of an LXT word is looked up in the table of the port that was
 * chosen, up to index 255. */
Test(sim_port, each_port_has_a_lun_table_of_its_own)
{
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 255, AFU_PERM_RW, 3));
    model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(0, 255), afu_lun_id(9)); /* there is none */
    model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(1, 255), afu_lun_id(0));
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 1);
    cr_assert_eq(port_of_a_read(), 0);
    cr_assert_eq(user.pair[0].ioasa.sense_data[12], 0x25, "not the id of port 0");
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 2);
    cr_assert_eq(port_of_a_read(), 1);
    cr_assert_eq(model_ioasc(&user, 0), 0);
}

/* with four ports a nibble each. */
Test(sim_port, no_channel_of_four)
{
    with_ports(4, false);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 0x9);
    m->lxt[0] = hal_swap64(HAL_ORDER_LITTLE, afu_lxt_word(0, 0, AFU_PERM_RW, 0x6));
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x20);
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x96);
    PROVES(R_23);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

static bool io(unsigned slot, bool write)
{
    model_rw(m, &user, slot, write, 0, slot, 1, m->buffer);
    return model_issue(m, &user, slot, 2000000);
}

/* FS-16: no channel, or what the argument says. */
Test(sim_port, planned_faults_of_the_choice)
{
    static const uint8_t rc[] = {0x20, 0x50, 0x30};

    plan("port#1=x+port#2=x(0x50)+port#3=x(0x30)");
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(io(i, false));
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, rc[i]);
    }
    cr_assert_eq(user.pair[0].ioasa.afu_extra, 0x0F); /* both available, both requested */
}

/* FS-17 x: fc_rc, with an afu_rc in front of it. */
Test(sim_port, planned_codes_of_an_exchange)
{
    plan("fc#1=x+fc#2=x(0x5B)+fc#3=x(0x5100)+fc#4=x(0x6258)");
    for (unsigned i = 0; i < 4; i++) {
        static const uint8_t fc_rc[] = {0x52, 0x5B, 0, 0x58}, afu_rc[] = {0, 0, 0x51, 0x62};

        cr_assert(io(i, false));
        cr_assert_eq(user.pair[i].ioasa.rc.fc_rc, fc_rc[i]);
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, afu_rc[i]);
    }
}

/* FS-17 d and n: neither answers, but only a lost answer has written. */
Test(sim_port, lost_commands_and_lost_answers)
{
    plan("fc#1=d+fc#2=n+fc#4=l(1000)");
    cr_assert_not(io(0, true));
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, 0);
    cr_assert_not(io(1, true));
    cr_assert_eq(sim_media_counters(m->media, 0)->blocks_written, 1);
    cr_assert(io(2, false));
    cr_assert_eq(warm_latency(false, 0), 35124); /* the first of the two was late */
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    model_run_dry(m);
}

Test(sim_port, a_late_exchange)
{
    uint64_t begin;

    warm_latency(false, 0);
    plan("fc#1=l(777)");
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    begin = m->machine->engine.now;
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(m->machine->engine.now - begin, 35124 + 777);
}
