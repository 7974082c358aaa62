/* SPDX-License-Identifier: Apache-2.0 */
/* AFU sync and task management (SL 12; ). */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_afu_command, .init = up_flashsystem, .fini = down);

static void start_read(unsigned slot, uint32_t handle)
{
    model_rw(m, &user, slot, false, handle, 0, 1, m->buffer);
    model_doorbell(m, &user, slot);
    model_run(m, 2000); /* translated, on the medium */
}

Test(sim_afu_command, heavy_sync_waits_for_old_translations)
{
    start_read(0, 0);
    cr_assert_eq(model_sync(m, AFU_SYNC_HW, user.handle, 0), 0);
    cr_assert_eq(model_harvest(&user), 0, "the sync ended before the command it had to wait for");
    PROVES(R_9);
}

Test(sim_afu_command, light_sync_and_other_handles_do_not_wait)
{
    start_read(0, 0);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0);
    cr_assert_eq(model_harvest(&user), -1);
    cr_assert_eq(model_sync(m, AFU_SYNC_HW, user.handle, 1), 0);
    cr_assert_eq(model_harvest(&user), -1);
}

Test(sim_afu_command, global_sync_waits_for_unselected_ports)
{
    start_read(0, 0);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 2);
    cr_assert_eq(model_sync(m, AFU_SYNC_GSYNC, 0, 0), 0);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_not(sim_afu_xlt_cached(m->afu, user.handle, 0));
}

static void prepare_sync(unsigned slot, uint8_t mode, uint32_t handle, uint16_t seconds)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, slot);

    r->req_flags = xe16_of(m->master.order, AFU_REQ_AFU_CMD);
    r->timeout = xe16_of(m->master.order, seconds);
    afu_sync_cdb(r->cdb, (enum afu_sync_mode)mode, user.handle, handle);
}

Test(sim_afu_command, one_at_a_time)
{
    start_read(0, 0);
    prepare_sync(0, AFU_SYNC_HW, 0, 5);
    prepare_sync(1, AFU_SYNC_LW, 0, 5);
    model_doorbell(m, &m->master, 0);
    model_run(m, 1000);
    model_doorbell(m, &m->master, 1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&m->master), 1);
    cr_assert_eq(m->master.pair[1].ioasa.rc.afu_rc, 0x22);
    cr_assert_eq(model_harvest(&m->master), 0);
    cr_assert_eq(m->master.pair[0].ioasa.rc.afu_rc, 0);
    PROVES(SL_12);
}

/* a drain that takes longer than the field ends the sync with 0x51. */
Test(sim_afu_command, a_slow_drain_times_out_on_the_card)
{
    char why[64];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "media#1=n", why, sizeof why), 0);
    start_read(0, 0);
    prepare_sync(0, AFU_SYNC_HW, 0, 5);
    cr_assert(model_issue(m, &m->master, 0, UINT64_C(1300000000)));
    cr_assert_eq(m->master.pair[0].ioasa.rc.afu_rc, 0x51);
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0, "the unit is stuck");
    PROVES(R_14);
}

Test(sim_afu_command, a_lost_answer_bypasses_the_cards_timer)
{
    char why[64];

    cr_assert_eq(
        sim_faults_load(sim_afu_faults(m->afu), "afucmd#1=d+afucmd#2=x(0x22)", why, sizeof why), 0);
    prepare_sync(0, AFU_SYNC_LW, 0, 5);
    cr_assert_not(model_issue(m, &m->master, 0, UINT64_C(3000000000)));
    cr_assert_eq(model_sync(m, AFU_SYNC_LW, user.handle, 0), 0x22);
}

Test(sim_afu_command, users_may_not)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.req_flags = xe16_of(user.order, AFU_REQ_AFU_CMD);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x21);
}

/* every command in flight to the LUN ends with 0x5C, then 6/29/00 once on each port. */
Test(sim_afu_command, lun_reset)
{
    struct afu_ioarcb *r;

    start_read(0, 0);
    r = model_ioarcb(&m->master, 0);
    r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
    r->port_sel = xe32_of(m->master.order, 1);
    afu_tmf_cdb(r->cdb, m->master.order, AFU_TMF_LUN_RESET);
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
    model_run(m, 2000);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x5C);
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(user.pair[1].ioasa.rc.scsi_rc, 0x02);
    cr_assert_eq(user.pair[1].ioasa.sense_data[2], 0x06);
    cr_assert_eq(user.pair[1].ioasa.sense_data[12], 0x29);
    model_rw(m, &user, 2, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 2, 1000000));
    cr_assert_eq(model_ioasc(&user, 2), 0);
    PROVES(R_27);
    PROVES(SL_12);
}

static void cache_two_of_each(struct model_ctx *two)
{
    model_ctx_start(m, two, false, HAL_ORDER_LITTLE);
    user.rht[1] = two->rht[0] = two->rht[1] = user.rht[0];
    for (unsigned h = 0; h < 2; h++) {
        model_rw(m, &user, h, false, h, 0, 1, m->buffer);
        cr_assert(model_issue(m, &user, h, 100000));
        model_rw(m, two, h, false, h, 0, 1, m->buffer);
        cr_assert(model_issue(m, two, h, 100000));
    }
}

/* Bits: user's handles 0 and 1, the other's 0 and 1. */
static unsigned cached(const struct model_ctx *two)
{
    return (unsigned)sim_afu_xlt_cached(m->afu, user.handle, 0) |
           (unsigned)sim_afu_xlt_cached(m->afu, user.handle, 1) << 1 |
           (unsigned)sim_afu_xlt_cached(m->afu, two->handle, 0) << 2 |
           (unsigned)sim_afu_xlt_cached(m->afu, two->handle, 1) << 3;
}

/* MD-13: LW and HW drop what (context, handle) has cached and nothing else, GSYNC everything; what
 * waits for commands is in the tests above. */
Test(sim_afu_command, what_a_sync_drops)
{
    static const struct {
        uint8_t mode;
        unsigned left;
    } row[] = {{AFU_SYNC_LW, 0xE}, {AFU_SYNC_HW, 0xE}, {AFU_SYNC_GSYNC, 0}};
    struct model_ctx two;

    for (unsigned i = 0; i < 3; i++) {
        bool global = row[i].mode == AFU_SYNC_GSYNC;

        memset(&two, 0, sizeof two);
        cache_two_of_each(&two);
        cr_assert_eq(cached(&two), 0xF);
        cr_assert_eq(model_sync(m, row[i].mode, global ? 0 : user.handle, 0), 0);
        cr_assert_eq(cached(&two), row[i].left, "mode %u", row[i].mode);
        model_ctx_end(m, &two);
    }
    start_read(0, 1);
    model_sync(m, AFU_SYNC_HW, user.handle, 0);
    cr_assert_eq(model_harvest(&user), -1, "another handle's command was waited for");
    start_read(2, 0);
    model_sync(m, AFU_SYNC_GSYNC, 0, 0);
    cr_assert_eq(model_harvest(&user), -1, "a command on a selected port was waited for");
    model_sync(m, AFU_SYNC_HW, user.handle, 0);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_harvest(&user), 2);
    PROVES(MD_13);
}

static uint8_t one_sync(unsigned slot, uint64_t limit)
{
    prepare_sync(slot, AFU_SYNC_LW, 0, 5);
    return model_issue(m, &m->master, slot, limit) ? m->master.pair[slot].ioasa.rc.afu_rc : 0xFF;
}

/* planned delays are not seen by the timer of the card, so a sync may take 9.9 or 10.1 s. */
Test(sim_afu_command, a_slow_sync_bypasses_the_cards_timer)
{
    uint64_t start;

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "afucmd#1=l(2475000000)", NULL, 0), 0);
    start = m->machine->engine.now;
    cr_assert_eq(one_sync(0, UINT64_C(3000000000)), 0);
    cr_assert_geq(m->machine->engine.now - start, UINT64_C(2475000000));
    PROVES(R_14);
}

/* A unit that hangs answers nobody, and everybody else with 0x22, until its context is reset. */
Test(sim_afu_command, a_unit_that_hangs)
{
    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "afucmd#1=n", NULL, 0), 0);
    cr_assert_eq(one_sync(0, UINT64_C(3000000000)), 0xFF);
    cr_assert_eq(one_sync(1, 1000000), 0x22);
    model_store(m, &m->master, AFU_HOST_BASE(m->master.handle) + AFU_HOST_IOARRIN, 1);
    model_run_dry(m);
    cr_assert_eq(one_sync(2, 1000000), 0, "the reset left it hanging");
    PROVES(R_16);
}

/* commands of all contexts end, and each port reports the reset once. */
Test(sim_afu_command, lun_reset_concerns_all_contexts_and_ports)
{
    struct model_ctx two = {0};
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    model_ctx_start(m, &two, false, HAL_ORDER_BIG);
    two.rht[0] = user.rht[0];
    start_read(0, 0);
    model_rw(m, &two, 0, false, 0, 3, 1, m->buffer + 8192);
    model_doorbell(m, &two, 0);
    model_run(m, 2000);
    r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
    r->port_sel = xe32_of(m->master.order, 1);
    afu_tmf_cdb(r->cdb, m->master.order, AFU_TMF_LUN_RESET);
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    model_run(m, 2000);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_harvest(&two), 0);
    cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x5C);
    cr_assert_eq(two.pair[0].ioasa.rc.fc_rc, 0x5C);
    sim_afu_params_mutable(m->afu)->port_choice_rr = 1;
    for (unsigned i = 1; i < 5; i++) {
        model_rw(m, &user, i, false, 0, 0, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 1000000));
        cr_assert_eq(user.pair[i].ioasa.rc.scsi_rc, i < 3 ? 0x02 : 0, "%u", i);
    }
    cr_assert_neq(user.pair[1].ioasa.port, user.pair[2].ioasa.port);
    model_ctx_end(m, &two);
    PROVES(R_27);
}

/* commands of which the port waits in vain for an answer are in flight too. */
Test(sim_afu_command, lun_reset_ends_lost_commands)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "fc#1=d+fc#2=n+media#1=n", NULL, 0), 0);
    for (unsigned i = 0; i < 3; i++) {
        model_rw(m, &user, i, i == 1, 0, i, 1, m->buffer);
        model_doorbell(m, &user, i);
    }
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
    r->port_sel = xe32_of(m->master.order, 1);
    afu_tmf_cdb(r->cdb, m->master.order, AFU_TMF_LUN_RESET);
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    model_run_dry(m);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_geq(model_harvest(&user), 0);
        cr_assert_eq(user.pair[i].ioasa.rc.fc_rc, 0x5C);
    }
    PROVES(R_27);
}

static void reset_lun(uint32_t ports)
{
    struct afu_ioarcb *r = model_ioarcb(&m->master, 0);

    r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
    r->port_sel = xe32_of(m->master.order, ports);
    afu_tmf_cdb(r->cdb, m->master.order, AFU_TMF_LUN_RESET);
    cr_assert(model_issue(m, &m->master, 0, 1000000));
}

/* SL 17.2: task management goes through a port like any other command, or ends with 0x20. */
Test(sim_afu_command, lun_reset_needs_a_port)
{
    const struct afu_ioasa *s = &m->master.pair[0].ioasa;

    start_read(0, 0);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 2);
    reset_lun(1);
    cr_assert_eq(model_ioasc(&m->master, 0), 0x00200000);
    cr_assert_eq(s->afu_extra, 0x09, "available 2, requested 1");
    reset_lun(0);
    cr_assert_eq(model_ioasc(&m->master, 0), 0x00200000);
    cr_assert_eq(s->afu_extra, 0x08);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL, 3);
    sim_afu_link_down(m->afu, 1);
    reset_lun(2);
    cr_assert_eq(model_ioasc(&m->master, 0), 0x00200000);
    model_run(m, 100000);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_ioasc(&user, 0), 0, "nothing was reset");
    model_rw(m, &user, 1, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 1, 1000000));
    cr_assert_eq(model_ioasc(&user, 1), 0);
    sim_afu_link_down(m->afu, 0);
    sim_afu_link_up(m->afu, 1);
    model_run_dry(m);
    reset_lun(3);
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
    cr_assert_eq(s->port, 1, "the one that is up");
}

/* SL 12: the function is a word in the order of the context. Read the other way round it is none,
 * and nothing happens to the LUN. */
Test(sim_afu_command, the_function_has_the_order_of_its_context)
{
    static const uint8_t word[2][8] = {{1}, {0, 0, 0, 0, 0, 0, 0, 1}};

    model_store(m, &m->master, AFU_HOST_BASE(m->master.handle), AFU_ENDIAN_CTRL_BIG);
    m->master.order = HAL_ORDER_BIG;
    for (unsigned i = 0; i < 2; i++) {
        struct afu_ioarcb *r = model_ioarcb(&m->master, i);

        r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
        r->port_sel = xe32_of(m->master.order, 1);
        memcpy(r->cdb, word[i], 8);
        start_read(i, 0);
        cr_assert(model_issue(m, &m->master, i, 1000000));
        model_run_dry(m);
        cr_assert_eq(model_harvest(&user), (int)i);
        cr_assert_eq(user.pair[i].ioasa.rc.fc_rc, i ? 0x5C : 0);
    }
}

/* SL 7.1, 12: a function that the target does not carry out is no success: for a LUN that is not
 * there, or not behind the port, and for a number that is no function. */
Test(sim_afu_command, functions_that_are_not_carried_out)
{
    static const struct {
        uint64_t function, lun_id;
        uint32_t port;
        bool good;
    } row[] = {{1, 0, 1, true},
               {1, UINT64_C(1) << 48, 2, true},
               {1, UINT64_C(9) << 48, 1, false},
               {1, (UINT64_C(1) << 48) + 1, 1, false},
               {2, 0, 1, true}, /* there is no ACA to clear */
               {0, 0, 1, false},
               {3, 0, 1, false},
               {UINT32_MAX, 0, 1, false}};

    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        struct afu_ioarcb *r = model_ioarcb(&m->master, i);

        r->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
        r->port_sel = xe32_of(m->master.order, row[i].port);
        r->lun_id = xe64_of(m->master.order, row[i].lun_id);
        afu_tmf_cdb(r->cdb, m->master.order, (enum afu_tmf)row[i].function);
        cr_assert(model_issue(m, &m->master, i, 1000000));
        cr_expect_eq(model_ioasc(&m->master, i), row[i].good ? 0 : 0x40000000, "row %u", i);
    }
    sim_scsi_set_ports(sim_afu_scsi(m->afu), 1, 1);
    model_ioarcb(&m->master, 0)->req_flags = xe16_of(m->master.order, AFU_TMF_REQ_FLAGS);
    m->master.pair[0].ioarcb.port_sel = xe32_of(m->master.order, 2);
    m->master.pair[0].ioarcb.lun_id = xe64_of(m->master.order, afu_lun_id(1));
    afu_tmf_cdb(m->master.pair[0].ioarcb.cdb, m->master.order, AFU_TMF_LUN_RESET);
    cr_assert(model_issue(m, &m->master, 0, 1000000));
    cr_assert_eq(m->master.pair[0].ioasa.rc.flags, AFU_RC_FLAG_FCP_RSP_CODE_VALID);
}
