/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt triggers of OpenCAPI (SL 2.1, 3; MD-24). */
#include <criterion/criterion.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_port_fixture.h"

static void up_opencapi(void)
{
    up("flashsystem");
    sim_afu_params_mutable(m->afu)->interface_version |= UINT64_C(1) << 57;
}

TestSuite(sim_lisn, .init = up_opencapi, .fini = down);

#define NO_CONTEXT 400

static uint64_t ctrl(uint64_t reg)
{
    return model_load(m, &m->master, AFU_CTRL_BASE(user.handle) + reg);
}

static void set_ctrl(uint64_t reg, uint64_t value)
{
    model_store(m, &m->master, AFU_CTRL_BASE(user.handle) + reg, value);
}

/* PASIDs of LISN 1, 2, 3; all triggers at one good address. */
static void program(uint32_t pasid1, uint32_t pasid2, uint32_t pasid3)
{
    set_ctrl(0x20, (uint64_t)pasid1 << 32 | pasid2);
    set_ctrl(0x28, pasid3);
    for (unsigned i = 0; i < 3; i++)
        set_ctrl(0x30 + 8 * i, (uintptr_t)m->buffer);
}

/* Completes a command that raises `lisn`; returns whether the message came. */
static bool raise(uint8_t lisn)
{
    struct sim_bus_event ev;
    bool came = false;

    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.msi = lisn;
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_run_dry(m);
    while ((ev = sim_bus_event(user.sim)).kind != SIM_BUS_EVENT_NONE)
        came = came || ev.number == lisn;
    return came;
}

Test(sim_lisn, registers)
{
    for (uint64_t at = 0x20; at < 0x48; at += 8) {
        cr_assert_eq(ctrl(at), 0);
        set_ctrl(at, 0x0000000300000003 + at);
    }
    for (uint64_t at = 0x20; at < 0x48; at += 8)
        cr_assert_eq(ctrl(at), 0x0000000300000003 + at);
    cr_assert_eq(ctrl(0x48), 0);
    sim_bus_ctx_stop(user.sim);
    cr_assert_eq(sim_bus_ctx_start(user.sim, 3), 0);
    for (uint64_t at = 0x20; at < 0x48; at += 8)
        cr_assert_eq(ctrl(at), 0, "a new life remembers the old one");
}

/* Without the capability, or on an AFU older than the register, there are no such registers. */
Test(sim_lisn, capability)
{
    static const uint64_t versions[] = {0x8000000000010002, UINT64_MAX};

    for (unsigned i = 0; i < 2; i++) {
        sim_afu_params_mutable(m->afu)->interface_version = versions[i];
        program(NO_CONTEXT, NO_CONTEXT, NO_CONTEXT);
        for (uint64_t at = 0x20; at < 0x48; at += 8)
            cr_assert_eq(ctrl(at), 0);
        cr_assert(raise(2));
    }
}

/* MD-24: pasid[0] high is LISN 1, low LISN 2, pasid[1] low LISN 3; bits 5, 6, 7. */
Test(sim_lisn, bad_pasid)
{
    uint32_t good = m->master.handle;

    for (unsigned bad = 1; bad <= 3; bad++) {
        program(bad == 1 ? NO_CONTEXT : good, bad == 2 ? NO_CONTEXT : good,
                bad == 3 ? NO_CONTEXT : good);
        for (uint8_t lisn = 1; lisn <= 3; lisn++)
            cr_assert_eq(raise(lisn), lisn != bad, "LISN %u, PASID %u is bad", lisn, bad);
        cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0x20u << (bad - 1));
        model_store(m, &user, AFU_HOST_INTR_CLEAR, UINT64_MAX);
    }
    PROVES(MD_24);
}

/* Bits 8, 9, 10: not aligned, or not there. */
Test(sim_lisn, bad_trigger_address)
{
    for (unsigned bad = 1; bad <= 3; bad++) {
        program(user.handle, user.handle, user.handle);
        set_ctrl(0x30 + 8 * (bad - 1), bad == 2 ? (uintptr_t)m->buffer + 4 : 0x1000);
        for (uint8_t lisn = 1; lisn <= 3; lisn++)
            cr_assert_eq(raise(lisn), lisn != bad, "LISN %u, address %u is bad", lisn, bad);
        cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0x100u << (bad - 1));
        model_store(m, &user, AFU_HOST_INTR_CLEAR, UINT64_MAX);
    }
}

/* The error is told by LISN 1; if that is the bad one nothing comes, and nothing hangs. */
Test(sim_lisn, errors_are_told)
{
    struct sim_bus_event ev;

    model_store(m, &user, AFU_HOST_CTX_CTRL, 1);
    model_store(m, &user, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    program(user.handle, NO_CONTEXT, user.handle);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.msi = 2;
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_run_dry(m);
    ev = sim_bus_event(user.sim);
    cr_assert(ev.kind == SIM_BUS_EVENT_INTERRUPT && ev.number == 1);
    model_store(m, &user, AFU_HOST_INTR_CLEAR, UINT64_MAX);
    program(NO_CONTEXT, NO_CONTEXT, user.handle);
    cr_assert_not(raise(2));
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0x60);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_NONE);
}

/* AD-228: address 0, as a CAPI host writes it, is no trigger at all. */
Test(sim_lisn, no_trigger_address)
{
    set_ctrl(0x20, (uint64_t)NO_CONTEXT << 32 | NO_CONTEXT);
    cr_assert(raise(2));
    cr_assert_eq(model_load(m, &user, AFU_HOST_INTR_STATUS), 0);
}
