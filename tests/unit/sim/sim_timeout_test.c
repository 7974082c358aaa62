/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs that IOARCBs ask for: order, units, what stops them. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_timeout, .init = up_zero, .fini = down);

static void slow_read(unsigned slot, uint16_t unit, uint16_t timeout)
{
    model_rw(m, &user, slot, false, 0, slot, 1, m->buffer);
    user.pair[slot].ioarcb.req_flags = xe16_of(user.order, AFU_REQ_RES_HNDL | unit);
    user.pair[slot].ioarcb.timeout = xe16_of(user.order, timeout);
    model_doorbell(m, &user, slot);
}

static void slow_medium(void)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);

    p->media_read = p->media_unwritten = 2000000000;
}

/* The first to expire is the first to end, whatever the order of submission. */
Test(sim_timeout, ends_in_order_of_expiry)
{
    static const int order[] = {3, 2, 0, 1};

    slow_medium();
    slow_read(0, AFU_REQ_TIMEOUT_MILLISECONDS, 2);
    slow_read(1, AFU_REQ_TIMEOUT_SECONDS, 1);
    slow_read(2, AFU_REQ_TIMEOUT_MICROSECONDS, 900);
    slow_read(3, AFU_REQ_TIMEOUT_CYCLES, 60000); /* 240 us */
    slow_read(4, AFU_REQ_TIMEOUT_SECONDS, 0);    /* none */
    model_run(m, 260000000);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(model_harvest(&user), order[i]);
    cr_assert_eq(model_harvest(&user), -1);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, 0x51);
    PROVES(R_14);
}

/* Before the frame leaves it is 0x50; afterwards 0x51, whatever keeps the exchange (SL 18.1). */
Test(sim_timeout, a_late_exchange_is_past_the_port)
{
    static const char *const plans[] = {"rht#1=l(1000000)", "fc#1=l(1000000)", "fc#1=d", "fc#1=n"};
    char why[64];

    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), plans[i], why, sizeof why), 0);
        slow_read(i, AFU_REQ_TIMEOUT_MILLISECONDS, 1);
        model_run_dry(m);
        cr_assert_eq(model_harvest(&user), (int)i);
        cr_expect_eq(model_ioasc(&user, i), i ? 0x00510000 : 0x00500000, "%s: %08x", plans[i],
                     model_ioasc(&user, i));
    }
    PROVES(R_14);
}

/* A command that ends in time is not touched later, and nothing stays armed. */
Test(sim_timeout, stops_with_the_command)
{
    slow_read(0, AFU_REQ_TIMEOUT_MILLISECONDS, 1);
    slow_read(1, AFU_REQ_TIMEOUT_SECONDS, 5);
    model_run(m, 100000);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_harvest(&user), 1);
    cr_assert_eq(sim_engine_next(&m->machine->engine), SIM_NEVER);
}

/* Aborted commands leave no time-out behind. */
Test(sim_timeout, stops_with_the_context)
{
    slow_medium();
    slow_read(0, AFU_REQ_TIMEOUT_MILLISECONDS, 1);
    slow_read(1, AFU_REQ_TIMEOUT_MILLISECONDS, 3);
    model_run(m, 1000);
    model_store(m, &user, AFU_HOST_IOARRIN, 1); /* context reset */
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
}

/* SL 18.1: 0x51 once it has reached the FC module, although its frame is late at the target. */
Test(sim_timeout, a_late_frame_has_reached_the_port)
{
    char why[64];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "fc#1=l(1000000)", why, sizeof why), 0);
    slow_read(0, AFU_REQ_TIMEOUT_MICROSECONDS, 900);
    model_run(m, 230000);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(user.pair[0].ioasa.rc.afu_rc, 0x51);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    PROVES(R_14);
}

/* MD-6: a field of 0 asks for no time-out, in any unit: longer than the longest field, 65,535 s. */
Test(sim_timeout, none_asked_for_none_given)
{
    static const uint16_t units[] = {AFU_REQ_TIMEOUT_SECONDS, AFU_REQ_TIMEOUT_MILLISECONDS,
                                     AFU_REQ_TIMEOUT_MICROSECONDS, AFU_REQ_TIMEOUT_CYCLES};
    char why[64];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "media#1=n+media#2=n+media#3=n+media#4=n",
                                 why, sizeof why),
                 0);
    for (unsigned i = 0; i < 4; i++)
        slow_read(i, units[i], 0);
    model_run(m, UINT64_C(65536) * 250000000);
    cr_assert_eq(model_harvest(&user), -1);
    cr_assert_eq(sim_engine_next(&m->machine->engine), SIM_NEVER);
    PROVES(MD_6);
}

/* TM-25: seconds are cycles of the model; waiting through them costs a handful of events however
 * long they are. Here 18 hours, eight times. */
Test(sim_timeout, seconds_are_virtual)
{
    char why[64];

    for (unsigned i = 0; i < 8; i++) {
        uint64_t begin, events = m->machine->engine.count;

        cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "media#1=n", why, sizeof why), 0);
        slow_read(i, AFU_REQ_TIMEOUT_SECONDS, 65535);
        begin = m->machine->engine.now;
        model_run_dry(m);
        cr_assert_eq(model_harvest(&user), (int)i);
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, 0x51);
        cr_assert_geq(m->machine->engine.now - begin, UINT64_C(65535) * 250000000);
        cr_assert_lt(m->machine->engine.count - events, 20);
    }
    PROVES(TM_25);
}
