/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt messages (SL 14, MD-15, R-19): edges, re-evaluation, collapsing, masks. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_interrupt, .init = up_flashsystem, .fini = down);

static unsigned interrupts(unsigned lisn)
{
    struct sim_bus_event ev;
    unsigned n = 0;

    while ((ev = sim_bus_event(user.sim)).kind != SIM_BUS_EVENT_NONE)
        n += ev.kind == SIM_BUS_EVENT_INTERRUPT && ev.number == lisn;
    return n;
}

static void read_with_msi(unsigned slot, uint8_t msi)
{
    model_rw(m, &user, slot, false, 0, 0, 1, m->buffer);
    user.pair[slot].ioarcb.msi = msi;
    model_doorbell(m, &user, slot);
}

Test(sim_interrupt, msi_zero_means_none)
{
    read_with_msi(0, 0);
    model_run_dry(m);
    cr_assert_eq(interrupts(2), 0);
    PROVES(SL_6_2);
}

Test(sim_interrupt, completions_collapse_while_one_is_on_its_way)
{
    for (unsigned i = 0; i < 4; i++)
        read_with_msi(i, 2);
    model_run_dry(m);
    for (int i = 0; i < 4; i++)
        cr_assert_geq(model_harvest(&user), 0);
    cr_assert_geq(interrupts(2), 1);
    cr_assert_leq(interrupts(2), 4);
    PROVES(SL_14);
}

static void provoke(void) /* PERM_ERR_RCB_READ by an unaligned doorbell */
{
    model_store(m, &user, AFU_HOST_IOARRIN, 0x10008);
}

Test(sim_interrupt, status_latches_while_masked_and_fires_on_unmask)
{
    model_store(m, &user, AFU_HOST_CTX_CTRL, 1);
    provoke();
    model_run_dry(m);
    cr_assert_eq(interrupts(1), 0);
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RCB_READ);
    model_store(m, &user, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    model_run_dry(m);
    cr_assert_eq(interrupts(1), 1);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
    PROVES(MD_2);
}

/* no message for a second bit while one is pending; one after a clear that leaves a bit. */
Test(sim_interrupt, edges_and_re_evaluation)
{
    model_store(m, &user, AFU_HOST_CTX_CTRL, 1);
    model_store(m, &user, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    provoke();
    model_run_dry(m);
    cr_assert_eq(interrupts(1), 1);
    sim_afu_params_mutable(m->afu)->doorbell_to_fetch = 5000;
    for (unsigned i = 0; i < 17; i++) /* PERM_ERR_CMDROOM while RCB_READ is set */
        model_doorbell(m, &user, 0);
    model_run(m, 4000);
    cr_assert_eq(interrupts(1), 0);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, AFU_INTR_PERM_ERR_RCB_READ);
    model_run(m, 1600);
    cr_assert_eq(interrupts(1), 1);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, AFU_INTR_PERM_ERR_CMDROOM);
    model_run_dry(m);
    cr_assert_eq(interrupts(1), 0);
    PROVES(R_19);
    model_expect_violations(m, SIM_RULE_DOORBELL_ALIGN, 1);
    model_expect_violations(m, SIM_RULE_DOORBELL_CREDIT, 1);
    PROVES(MD_15);
    PROVES(SL_14);
}

static unsigned async_interrupts(void)
{
    struct sim_bus_event ev;
    unsigned n = 0;

    model_run(m, 2000);
    while ((ev = sim_bus_event(m->master.sim)).kind != SIM_BUS_EVENT_NONE)
        n += ev.kind == SIM_BUS_EVENT_INTERRUPT && ev.number == 3;
    return n;
}

static void set_global(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_GLOBAL_BASE + reg, value);
}

/* MD-15 for asynchronous events: a message on the edge, then at every write to clear or mask that
 * leaves an unmasked bit, and at no other time. */
Test(sim_interrupt, asynchronous_re_evaluation)
{
    set_global(AFU_GLOBAL_AFU_CTRL, afu_ctrl(m->master.handle, 3, false));
    sim_afu_link_down(m->afu, 0);
    model_run(m, 250000);
    cr_assert_eq(async_interrupts(), 0, "masked");
    set_global(AFU_GLOBAL_AINTR_MASK, ~UINT64_C(0x1)); /* another port's */
    cr_assert_eq(async_interrupts(), 0);
    set_global(AFU_GLOBAL_AINTR_MASK, AFU_AINTR_MASK_NONE);
    cr_assert_eq(async_interrupts(), 1);
    sim_afu_link_down(m->afu, 1); /* a second bit while one is pending */
    model_run(m, 250000);
    cr_assert_eq(async_interrupts(), 0);
    set_global(AFU_GLOBAL_AINTR_CLEAR, 0x200);
    cr_assert_eq(async_interrupts(), 1, "the bit that came between read and clear is lost");
    set_global(AFU_GLOBAL_AINTR_MASK, AFU_AINTR_MASK_NONE);
    cr_assert_eq(async_interrupts(), 1);
    set_global(AFU_GLOBAL_AINTR_CLEAR, 0x2);
    cr_assert_eq(async_interrupts(), 0);
    PROVES(MD_15);
    PROVES(R_19);
}

/* Nobody named in afu_ctrl, or LISN 0: no message, the bits wait. */
Test(sim_interrupt, asynchronous_events_without_an_address)
{
    set_global(AFU_GLOBAL_AINTR_MASK, AFU_AINTR_MASK_NONE);
    sim_afu_link_down(m->afu, 0);
    model_run(m, 250000);
    cr_assert_eq(async_interrupts(), 0);
    set_global(AFU_GLOBAL_AFU_CTRL, afu_ctrl(m->master.handle, 3, false));
    set_global(AFU_GLOBAL_AINTR_CLEAR, 0);
    cr_assert_eq(async_interrupts(), 1);
}

/* SL 16: the byte of a port, sent to the context named in afu_ctrl. */
Test(sim_interrupt, asynchronous_events_reach_the_master)
{
    struct sim_bus_event ev;
    uint64_t status = AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS;

    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_MASK, 0xFFFFFFFF00000000);
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL,
                afu_ctrl(m->master.handle, 3, false));
    sim_afu_link_down(m->afu, 1);
    model_run(m, 260000);
    cr_assert_eq(model_load(m, &m->master, status), 0x2); /* FC1 LINK_DN */
    ev = sim_bus_event(m->master.sim);
    cr_assert(ev.kind == SIM_BUS_EVENT_INTERRUPT && ev.number == 3);
    sim_afu_link_up(m->afu, 1);
    model_run_dry(m);
    cr_assert_eq(model_load(m, &m->master, status), 0x7); /* + LINK_UP, LOGI_S */
    model_store(m, &m->master, AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR, UINT64_MAX);
    cr_assert_eq(model_load(m, &m->master, status), 0);
}

Test(sim_interrupt, planned_faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "lisn#1=d+evt#1=d", why, sizeof why), 0);
    read_with_msi(0, 2);
    model_run_dry(m);
    cr_assert_eq(interrupts(2), 0, "a dropped message arrived");
    read_with_msi(1, 2);
    model_run_dry(m);
    cr_assert_eq(interrupts(2), 0, "a dropped event was read");
    read_with_msi(2, 2);
    model_run_dry(m);
    cr_assert_eq(interrupts(2), 1);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

static uint64_t cycles_to_interrupt(void)
{
    uint64_t start = m->machine->engine.now;

    while (!interrupts(2) && m->machine->engine.now < start + 1000000)
        model_run(m, 1);
    return m->machine->engine.now - start;
}

/* FK-7: before its element is visible, late, twice; a host that finds nothing new looks again. */
Test(sim_interrupt, early_late_and_twice)
{
    uint64_t plain;

    read_with_msi(0, 2);
    (void)cycles_to_interrupt();
    cr_assert_eq(model_harvest(&user), 0);
    model_run_dry(m);
    read_with_msi(0, 2); /* the translation is cached from here on */
    plain = cycles_to_interrupt();
    cr_assert_eq(model_harvest(&user), 0);
    plan("lisn#1=e(400)+lisn#2=l(900)+lisn#3=2");
    read_with_msi(0, 2);
    cr_assert_eq(cycles_to_interrupt(), plain - 1500);
    cr_assert_eq(model_harvest(&user), -1, "the element was there before it");
    model_run(m, 399);
    cr_assert_eq(model_harvest(&user), -1);
    model_run(m, 1);
    cr_assert_eq(model_harvest(&user), 0);
    model_run_dry(m);
    cr_assert_eq(interrupts(2), 0, "a second message for the same element");
    read_with_msi(1, 2);
    cr_assert_eq(cycles_to_interrupt(), plain + 900);
    read_with_msi(2, 2);
    cr_assert_eq(cycles_to_interrupt(), plain - 1500);
    cr_assert_eq(cycles_to_interrupt(), 1500, "the second one");
}

/* FK-4, FK-5: bits of asynchronous events lost, late, again after they were cleared, wrong. */
Test(sim_interrupt, planned_faults_of_asynchronous_bits)
{
    uint64_t status = AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_STATUS;
    uint64_t clear = AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_CLEAR;
    static const struct {
        const char *plan;
        uint64_t at_once, later;
    } rows[] = {
        {"aintr#1=d", 0, 0},
        {"aintr#1=l(5000)", 0, 0x200},
        {"aintr#1=2(5000)", 0x200, 0x200},
        {"aintr#1=v(0xA020)", 0xA020, 0},
        {"aintr#1=v", 0x10000, 0},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        model_store(m, &m->master, clear, UINT64_MAX);
        plan(rows[i].plan);
        sim_afu_link_down(m->afu, 0); /* one bit: FC0 LINK_DN 0x200 */
        model_run(m, 250000);
        cr_assert_eq(sim_afu_peek(m->afu, status), rows[i].at_once, "%s", rows[i].plan);
        model_store(m, &m->master, clear, UINT64_MAX);
        model_run(m, 5000);
        cr_assert_eq(sim_afu_peek(m->afu, status), rows[i].later, "%s", rows[i].plan);
        sim_afu_link_up(m->afu, 0);
        model_run_dry(m);
    }
}
