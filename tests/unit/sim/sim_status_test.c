/* SPDX-License-Identifier: Apache-2.0 */
/* IOASA and RRQ: bytes, order, toggle, faults (SL 7, 9; MD-7). */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_status, .init = up_zero, .fini = down);

static void read_one(unsigned slot)
{
    model_rw(m, &user, slot, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, slot, 1000000));
}

/* MD-7: bytes 0..11 always, sense only when valid, bytes 32..63 never. */
Test(sim_status, writes_only_what_it_may)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    memset(&user.pair[0].ioasa, 0xEE, 64);
    cr_assert(model_issue(m, &user, 0, 1000000));
    for (int i = 0; i < 12; i++)
        cr_assert_eq(((uint8_t *)&user.pair[0].ioasa)[i], 0);
    for (int i = 12; i < 64; i++)
        cr_assert_eq(((uint8_t *)&user.pair[0].ioasa)[i], 0xEE);
    PROVES(SL_7);
}

Test(sim_status, sense_of_a_check_condition)
{
    static const uint8_t expected[32] = {0x80, 0x00, 0x02, 0x00, 0, 0,    0, 0, 0,    0, 0,
                                         0,    0xF0, 0,    0x05, 0, 0x0A, 0, 0, 0x0A, 0, 0,
                                         0,    0,    0x21, 0,    0, 0,    0, 0, 0,    0};
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    user.rht[1] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    model_rw(m, &user, 0, false, 1, 10 * 65536, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    user.pair[0].ioasa.rc.flags &= 0x8F; /* residual flags are tested elsewhere */
    memset((uint8_t *)&user.pair[0].ioasa + 4, 0, 4);
    cr_assert_arr_eq((uint8_t *)&user.pair[0].ioasa, expected, 32);
}

/* SL 9: toggle 1 on the first lap, 0 on the second; the element at rrq_end is used. */
Test(sim_status, rrq_wraps_and_toggles)
{
    for (unsigned lap = 0; lap < 3; lap++)
        for (unsigned i = 0; i < MODEL_RRQ; i++) {
            uint64_t element;

            read_one(i);
            element = hal_swap64(HAL_ORDER_LITTLE, user.rrq[i]);
            cr_assert_eq(afu_rrq_toggle(element), lap % 2 == 0);
            cr_assert_eq(afu_rrq_ea(element), (uintptr_t)&user.pair[i]);
        }
    PROVES(SL_9);
}

/* SL 15: the context's order, on any host. */
Test(sim_status, big_endian_context)
{
    struct model_ctx big = {0};
    uint8_t bytes[8];

    model_ctx_start(m, &big, false, HAL_ORDER_BIG);
    big.rht[0] = user.rht[0];
    model_rw(m, &big, 3, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &big, 3);
    model_run_dry(m);
    memcpy(bytes, big.rrq, 8);
    cr_assert_eq(hal_be64_at(bytes), (uintptr_t)&big.pair[3] | 1);
    model_ctx_end(m, &big);
    PROVES(SL_15);
}

Test(sim_status, an_unreachable_rrq_is_an_error_of_that_context_only)
{
    struct model_ctx two = {0};

    model_ctx_start(m, &two, false, HAL_ORDER_LITTLE);
    two.rht[0] = user.rht[0];
    model_store(m, &two, AFU_HOST_RRQ_START, 0x1000);
    model_store(m, &two, AFU_HOST_RRQ_END, 0x1078);
    model_rw(m, &two, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &two, 0);
    model_run_dry(m);
    cr_assert_eq(model_load(m, &two, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RRQ_WRITE);
    cr_assert_eq(sim_bus_event(two.sim).kind, SIM_BUS_EVENT_DATA_STORAGE);
    read_one(0);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0);
    model_ctx_end(m, &two);
}

Test(sim_status, planned_faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu),
                                 "rrq#1=d+rrq#2=2+asa#3=v(0x00130000)+asa#4=x", why, sizeof why),
                 0);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert_not(model_issue(m, &user, 0, 1000000), "the element was not dropped");
    read_one(1);
    cr_assert_eq(model_harvest(&user), 1, "the element did not come twice");
    read_one(2);
    cr_assert_eq(user.pair[2].ioasa.rc.afu_rc, 0x13);
    model_rw(m, &user, 3, false, 0, 0, 1, m->buffer);
    cr_assert_not(model_issue(m, &user, 3, 1000000));
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_SA_WRITE);
}

/* MD-7: with sense data the AFU writes up to byte 31, the rest belongs to the host. */
Test(sim_status, the_hosts_half_stays)
{
    struct afu_rht_direct d = {
        .lun_id = afu_lun_id(0), .valid = true, .permissions = AFU_PERM_RW, .port_sel = 1};

    user.rht[1] = afu_rht_pack_direct(HAL_ORDER_LITTLE, &d);
    model_rw(m, &user, 0, false, 1, 10 * 65536, 1, m->buffer);
    memset(&user.pair[0].ioasa, 0xEE, 64);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert(user.pair[0].ioasa.rc.flags & AFU_RC_FLAG_SENSE_VALID);
    cr_assert_eq(((uint8_t *)&user.pair[0].ioasa)[31], 0);
    for (int i = 32; i < 64; i++)
        cr_assert_eq(((uint8_t *)&user.pair[0].ioasa)[i], 0xEE);
    PROVES(MD_7);
}

/* MD-20: scsi_extra and fc_extra, bytes 10 and 11, are 0 whatever failed: AFU, target, link. */
Test(sim_status, extra_bytes_of_target_and_link_are_zero)
{
    static const char *const plan[] = {"cap#1=x", "media#1=x", "fc#1=x(0x57)"};
    char why[128];

    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *status = (const uint8_t *)&user.pair[i].ioasa;

        cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), plan[i], why, sizeof why), 0, "%s",
                     why);
        model_rw(m, &user, i, false, 0, 0, 1, m->buffer);
        memset(&user.pair[i].ioasa, 0xEE, 64);
        cr_assert(model_issue(m, &user, i, 1000000));
        cr_assert_neq(status[i == 0 ? 1 : i + 1], 0, "%s did not fail", plan[i]);
        cr_assert_eq(status[10], 0);
        cr_assert_eq(status[11], 0);
    }
    PROVES(MD_20);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

/* MD-20: bytes that no public source defines. */
Test(sim_status, undefined_bytes_are_zero)
{
    plan("fc#1=x(0x5B)+media#1=x");
    for (unsigned i = 0; i < 2; i++) {
        model_rw(m, &user, i, false, 0, 0, 1, m->buffer);
        memset(&user.pair[i].ioasa, 0xEE, 64);
        cr_assert(model_issue(m, &user, i, 1000000));
        cr_assert_neq(model_ioasc(&user, i), 0);
        cr_assert_eq(user.pair[i].ioasa.scsi_extra, 0);
        cr_assert_eq(user.pair[i].ioasa.fc_extra, 0);
    }
    PROVES(MD_20);
}

/* FK-14: the element does not wait for the IOASA, and that is a violation of the model's own. */
Test(sim_status, an_ioasa_after_its_element)
{
    struct sim_afu_stats stats;

    plan("asa#1=l(3000)+fc#1=x(0x5B)");
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(model_ioasc(&user, 0), 0, "it is there already");
    model_run(m, 2999);
    cr_assert_eq(model_ioasc(&user, 0), 0);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.violations, 0);
    model_run(m, 1);
    cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x5B);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 0);
    model_expect_violations(m, SIM_RULE_IOASA_LATE, 1);
}

/* TM-23: also when a delay takes no time. */
Test(sim_status, an_ioasa_right_after_its_element)
{
    cr_assert_eq(sim_afu_params(m->afu)->xlate_major, 0);
    plan("asa#1=l+fc#1=x(0x5B)");
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(model_ioasc(&user, 0), 0);
    model_run(m, 1);
    cr_assert_eq(user.pair[0].ioasa.rc.fc_rc, 0x5B);
    model_expect_violations(m, SIM_RULE_IOASA_LATE, 1);
}

/* FK-13: any word, and one that nobody knows. */
Test(sim_status, planned_words)
{
    plan("asa#1=v(0x80130252)+asa#2=v+asa#3=v(0x100000000)+fc#3=x(0x5B)+asa#4=d+fc#4=x(0x5B)");
    read_one(0);
    cr_assert_eq(model_ioasc(&user, 0), 0x80130252);
    read_one(1);
    cr_assert_eq(model_ioasc(&user, 1), 0x00FF0000);
    read_one(2);
    cr_assert_eq(model_ioasc(&user, 2), 0, "good instead of 0x5B");
    read_one(3);
    cr_assert_eq(model_ioasc(&user, 3), 0, "the IOASA was not lost");
}

/* FK-11: toggle wrong, misaligned, far away, all ones. */
Test(sim_status, wrong_elements)
{
    static const uint64_t inverted[] = {1, 8, UINT64_C(1) << 40};

    plan("rrq#1=v+rrq#2=v(8)+rrq#3=v(0x10000000000)+rrq#4=v(0xFFFFFFFFFFFFFFFF)");
    for (unsigned i = 0; i < 4; i++) {
        uint64_t element, good = (uintptr_t)&user.pair[i] | 1;

        model_rw(m, &user, i, false, 0, 0, 1, m->buffer);
        model_doorbell(m, &user, i);
        model_run_dry(m);
        element = hal_swap64(HAL_ORDER_LITTLE, user.rrq[i]);
        cr_assert_eq(element, i == 3 ? UINT64_MAX : good ^ inverted[i], "%u", i);
    }
}

/* FK-28: the element of the first command waits for that of the second, or for a while. */
Test(sim_status, elements_out_of_order)
{
    uint64_t start;

    plan("rrq#1=e(100000)+rrq#3=e(5000)");
    for (unsigned i = 0; i < 2; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        model_doorbell(m, &user, i);
        model_run(m, 20000);
    }
    model_run(m, 2);
    cr_assert_eq(model_harvest(&user), 1);
    cr_assert_eq(model_harvest(&user), 0);
    start = m->machine->engine.now;
    read_one(2);
    cr_assert_geq(m->machine->engine.now - start, 5000);
    cr_assert_lt(m->machine->engine.now - start, 10000);
}
