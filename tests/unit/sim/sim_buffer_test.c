/* SPDX-License-Identifier: Apache-2.0 */
/* Data buffers of the card: wait for one, or afu_rc 0x30 (SL 4.1, 18.1). */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_buffer, .init = up_flashsystem, .fini = down);

static void set_config(uint64_t bits)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG,
                AFU_CONFIG_ENDIAN_LITTLE | bits);
}

static void ring(unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
    }
}

static unsigned harvest_all(void)
{
    unsigned n = 0;

    while (model_harvest(&user) >= 0)
        n++;
    return n;
}

/* Without automatic retry on resource errors a command that finds none is told so. */
Test(sim_buffer, none_left_is_a_status)
{
    set_config(AFU_CONFIG_AR_ALL & ~AFU_CONFIG_AR_RSRC);
    sim_afu_params_mutable(m->afu)->data_buffers = 2;
    ring(0, 5);
    model_run_dry(m);
    cr_assert_eq(harvest_all(), 5);
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, i < 2 ? 0 : 0x30, "%u", i);
    ring(5, 2); /* they are given back */
    model_run_dry(m);
    for (unsigned i = 5; i < 7; i++)
        cr_assert_eq(model_ioasc(&user, i), 0);
}

/* With it they wait for their turn, in order: five commands, two at a time. */
Test(sim_buffer, none_left_is_a_wait)
{
    uint64_t begin = m->machine->engine.now;

    set_config(AFU_CONFIG_AR_RSRC);
    sim_afu_params_mutable(m->afu)->data_buffers = 2;
    ring(0, 6);
    model_run_dry(m);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(model_harvest(&user), i);
        cr_assert_eq(model_ioasc(&user, (unsigned)i), 0);
    }
    cr_assert_geq(m->machine->engine.now - begin, 3 * 32500);
    cr_assert_lt(m->machine->engine.now - begin, 3 * 32500 + 12000);
}

/* A command without data needs none. */
Test(sim_buffer, only_data_need_one)
{
    struct afu_ioarcb *r;

    set_config(0);
    sim_afu_params_mutable(m->afu)->data_buffers = 1;
    ring(0, 1);
    model_run(m, 2000);
    r = model_ioarcb(&m->master, 0);
    r->port_sel = xe32_of(m->master.order, 1);
    cr_assert(model_issue(m, &m->master, 0, 10000)); /* TEST UNIT READY */
    cr_assert_eq(model_ioasc(&m->master, 0), 0);
}

/* Those who wait leave with their context or by time-out (0x50: not yet at a port), and the
 * others' turn comes nevertheless. */
Test(sim_buffer, waiting_ends_early)
{
    struct model_ctx two = {0};
    struct sim_afu_stats stats;

    set_config(AFU_CONFIG_AR_RSRC | AFU_CONFIG_ENDIAN_LITTLE);
    sim_afu_params_mutable(m->afu)->data_buffers = 1;
    model_ctx_start(m, &two, false, HAL_ORDER_LITTLE);
    two.rht[0] = user.rht[0];
    ring(0, 1);
    for (unsigned i = 0; i < 3; i++) {
        model_rw(m, &two, i, false, 0, i, 1, m->buffer + i * 4096);
        if (i == 1) {
            two.pair[1].ioarcb.req_flags =
                xe16_of(two.order, AFU_REQ_RES_HNDL | AFU_REQ_TIMEOUT_MICROSECONDS);
            two.pair[1].ioarcb.timeout = xe16_of(two.order, 20);
        }
        model_doorbell(m, &two, i);
    }
    model_run(m, 10000);
    cr_assert_eq(model_harvest(&two), 1);
    cr_assert_eq(two.pair[1].ioasa.rc.afu_rc, 0x50);
    ring(1, 1);
    model_run(m, 1000);
    model_store(m, &two, AFU_HOST_IOARRIN, 1);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&two), -1);
    cr_assert_eq(model_harvest(&user), 0);
    cr_assert_eq(model_harvest(&user), 1);
    cr_assert_eq(model_ioasc(&user, 1), 0);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 0);
    model_ctx_end(m, &two);
    PROVES(R_14);
    PROVES(R_16);
}
