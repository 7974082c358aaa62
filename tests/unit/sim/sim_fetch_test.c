/* SPDX-License-Identifier: Apache-2.0 */
/* Doorbells, credits, fetch order (SL 10.1, R-21). */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_fetch, .init = up_flashsystem, .fini = down);

static void ring(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer + i * 4096);
        model_doorbell(m, &user, i);
    }
}

/* Arrival of the last of 16 stores, before the first fetch of the card gives anything back. */
Test(sim_fetch, room_is_what_was_not_fetched)
{
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 16);
    ring(4);
    model_run(m, 75 + 3); /* four stores, one a cycle; the first fetch is 8 cycles later */
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_CMD_ROOM), 12);
    model_run(m, 5 + 10); /* fetches at +83 and +93: one credit each comes back */
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_CMD_ROOM), 14);
    model_run_dry(m);
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 16);
    PROVES(SL_10_1);
}

Test(sim_fetch, sixteen_never_violate)
{
    ring(16);
    model_run_dry(m);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0);
    for (int i = 0; i < 16; i++)
        cr_assert_geq(model_harvest(&user), 0);
    PROVES(SL_10_1);
}

Test(sim_fetch, one_doorbell_too_many_is_dropped)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);

    p->doorbell_to_fetch = 1000; /* so that all arrive before the first fetch */
    ring(17);
    model_run(m, 500);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_INTR_STATUS),
                 AFU_INTR_PERM_ERR_CMDROOM);
    model_expect_violations(m, SIM_RULE_DOORBELL_CREDIT, 1);
    model_run_dry(m);
    for (int i = 0; i < 16; i++)
        cr_assert_eq(model_harvest(&user), i);
    cr_assert_eq(model_harvest(&user), -1);
    /* the context goes on accepting */
    model_rw(m, &user, 20, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 20, 100000));
    PROVES(R_21);
}

Test(sim_fetch, an_unaligned_doorbell_is_dropped)
{
    model_store(m, &user, AFU_HOST_IOARRIN, (uintptr_t)&user.pair[0] + 8);
    model_run_dry(m);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RCB_READ);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
}

Test(sim_fetch, contexts_take_turns)
{
    struct model_ctx two = {0};

    model_ctx_start(m, &two, false, HAL_ORDER_LITTLE);
    two.rht[0] = user.rht[0];
    ring(4);
    for (unsigned i = 0; i < 4; i++) {
        model_rw(m, &two, i, false, 0, i, 1, m->buffer + (8 + i) * 4096);
        model_doorbell(m, &two, i);
    }
    model_run(m, 75 + 8 + 8 + 10 * 4); /* at least four fetches */
    cr_assert_leq(sim_afu_peek(m->afu, AFU_HOST_BASE(two.handle) + AFU_HOST_CMD_ROOM), 16);
    cr_assert_geq(sim_afu_peek(m->afu, AFU_HOST_BASE(two.handle) + AFU_HOST_CMD_ROOM), 14,
                  "the second context waited for all of the first");
    model_run_dry(m);
    model_ctx_end(m, &two);
}

/* A full set of command slots stops fetching; the credits stay with the doorbells. */
Test(sim_fetch, no_slot_no_fetch)
{
    struct sim_params p;
    struct sim_afu_stats stats;

    down();
    sim_params_default(&p);
    p.cmd_slots = 2;
    m = model_create_bare(&p);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, AFU_CONFIG_ENDIAN_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    ring(6);
    model_run(m, 10000);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 2);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_CMD_ROOM), 12);
    model_run_dry(m);
    for (int i = 0; i < 6; i++)
        cr_assert_geq(model_harvest(&user), 0);
}

/* MD-3: each context has credits of its own, as many as the parameter says. */
Test(sim_fetch, credits_belong_to_a_context)
{
    struct model_ctx two = {0};
    struct sim_params p;

    down();
    sim_params_default(&p);
    p.cmd_room = 5;
    p.doorbell_to_fetch = 1000;
    m = model_create_bare(&p);
    model_bring_up(m);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_ctx_start(m, &two, false, HAL_ORDER_LITTLE);
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 5);
    ring(3);
    model_run(m, 200);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_CMD_ROOM), 2);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(two.handle) + AFU_HOST_CMD_ROOM), 5);
    model_run_dry(m);
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 5);
    model_ctx_end(m, &two);
    PROVES(MD_3);
}

/* MD-23: the bit stays until it is cleared, a message comes, what offended is gone, the context
 * goes on. */
Test(sim_fetch, a_permanent_error_costs_one_command)
{
    model_store(m, &user, AFU_HOST_CTX_CTRL, 1);
    model_store(m, &user, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    model_store(m, &user, AFU_HOST_IOARRIN, (uintptr_t)&user.pair[0] + 8);
    model_run_dry(m);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_INTERRUPT);
    cr_assert_eq(model_harvest(&user), -1);
    for (unsigned i = 0; i < 3; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 100000));
        cr_assert_eq(model_ioasc(&user, i), 0);
        cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RCB_READ);
    }
    model_store(m, &user, AFU_HOST_INTR_CLEAR, AFU_INTR_PERM_ERR_RCB_READ);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0);
    PROVES(MD_23);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

static uint64_t intr_status(void)
{
    uint64_t bits = model_load(m, &user, AFU_HOST_INTR_STATUS);

    model_store(m, &user, AFU_HOST_INTR_CLEAR, bits);
    return bits;
}

/* FS-11: lost, at a wrong address, refused as without credit; what the credit register says. */
Test(sim_fetch, planned_faults_of_doorbell_and_credit)
{
    plan("bell#1=d+bell#2=v(0x10008)+bell#3=v(0x10000)+bell#4=x+room#1=v(3)+room#2=o");
    for (unsigned i = 0; i < 5; i++) {
        static const uint64_t bits[] = {0, AFU_INTR_PERM_ERR_RCB_READ, AFU_INTR_PERM_ERR_RCB_READ,
                                        AFU_INTR_PERM_ERR_CMDROOM, 0};

        ring(1);
        model_run_dry(m);
        cr_assert_eq(intr_status(), bits[i], "%u", i);
        cr_assert_eq(model_harvest(&user), i == 4 ? 0 : -1, "%u", i);
    }
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 3);
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), UINT64_MAX);
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 16);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
}

/* FS-12 v: one byte of the IOARCB is not what the host wrote. Byte 0x28 is the opcode: 0x88
 * becomes 0x89; byte 0 belongs to the context handle. */
Test(sim_fetch, wrong_bytes_of_an_ioarcb)
{
    plan("fetch#1=v(0x2801)+fetch#2=v+fetch#3=v(0x2F02)");
    for (unsigned i = 0; i < 2; i++) {
        model_rw(m, &user, i, false, 0, 0, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 1000000));
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, 0x21);
    }
    model_rw(m, &user, 2, false, 0, 0, 1, m->buffer); /* bit 17 of the LBA: beyond the LXT */
    cr_assert(model_issue(m, &user, 2, 1000000));
    cr_assert_eq(user.pair[2].ioasa.rc.afu_rc, 0x13);
}

/* FK-19: a command that ends before it reaches the port; FK-30: one that is never decoded. */
Test(sim_fetch, commands_that_end_early_or_never)
{
    plan("fetch#1=x(0x30)+fetch#2=x(0x50)+fetch#3=n");
    for (unsigned i = 0; i < 2; i++) {
        model_rw(m, &user, i, false, 0, 0, 1, m->buffer);
        cr_assert(model_issue(m, &user, i, 1000000));
        cr_assert_eq(user.pair[i].ioasa.rc.afu_rc, i ? 0x50 : 0x30);
    }
    model_rw(m, &user, 2, false, 0, 0, 1, m->buffer);
    cr_assert_not(model_issue(m, &user, 2, 1000000));
}
