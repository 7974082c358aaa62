/* SPDX-License-Identifier: Apache-2.0 */
/* Process elements, interrupts budget, context reset, AFU reset (MD-17, R-31). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/unit/sim/sim_afu_fixture.h"

TestSuite(sim_context, .init = up_flashsystem, .fini = down);

/* with 4 interrupts each 508 users fit beside a master with 3; the next start is -ENOSPC. With
 * 3 each the process elements run out first. */
static unsigned fill(unsigned interrupts, int *rc)
{
    static struct sim_ctx *ctx[512];
    unsigned n = 0;

    for (;; n++) {
        *rc = sim_bus_ctx_create(m->afu, false, &ctx[n]);
        if (*rc)
            break;
        *rc = sim_bus_ctx_start(ctx[n], interrupts);
        if (*rc) {
            sim_bus_ctx_release(ctx[n]);
            break;
        }
    }
    for (unsigned i = 0; i < n; i++)
        sim_bus_ctx_release(ctx[i]);
    return n;
}

Test(sim_context, limits)
{
    int rc;

    model_ctx_end(m, &user);
    cr_assert_eq(fill(4, &rc), 508);
    cr_assert_eq(rc, -ENOSPC);
    cr_assert_eq(fill(3, &rc), 511);
    cr_assert_eq(rc, -ENODEV);
    cr_assert_eq(fill(4, &rc), 508, "something was not given back");
    cr_assert_eq(fill(2, &rc), 0);
    cr_assert_eq(rc, -EINVAL);
    PROVES(R_7);
}

/* aborted silently, nothing posts, credits full, RRQ position and registers unchanged. */
Test(sim_context, context_reset)
{
    for (unsigned i = 0; i < 8; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        model_doorbell(m, &user, i);
    }
    model_run(m, 1000);
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_IOARRIN), 1);
    model_run(m, 128);
    cr_assert_eq(model_load(m, &user, AFU_HOST_IOARRIN) & 1, 0);
    model_run_dry(m);
    cr_assert_eq(model_harvest(&user), -1);
    cr_assert_eq(model_load(m, &user, AFU_HOST_CMD_ROOM), 16);
    model_rw(m, &user, 9, false, 0, 0, 1, m->buffer);
    cr_assert(model_issue(m, &user, 9, 1000000), "translations or capabilities were lost");
    cr_assert_eq(model_ioasc(&user, 9), 0);
    PROVES(R_16);
    PROVES(SL_11);
}

/* MD-18: the end of a context aborts silently and clears its registers. */
Test(sim_context, context_end)
{
    uint64_t ctrl = AFU_CTRL_BASE(user.handle);
    struct sim_afu_stats stats;

    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 1000);
    model_ctx_end(m, &user);
    model_run_dry(m);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 0);
    cr_assert_eq(model_load(m, &m->master, ctrl + AFU_CTRL_CTX_CAP), 0);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE); /* the lowest free handle: the same */
    cr_assert_eq(AFU_CTRL_BASE(user.handle), ctrl);
}

/* MD-14, R-17: locked at start, unlocked by mbox_r, zero always accepted. */
Test(sim_context, capability_lock)
{
    struct sim_ctx *other;
    uint64_t cap;

    cr_assert_eq(sim_bus_ctx_create(m->afu, false, &other), 0);
    cr_assert_eq(sim_bus_ctx_start(other, 3), 0);
    cap = AFU_CTRL_BASE(sim_bus_ctx_handle(other)) + AFU_CTRL_CTX_CAP;
    model_store(m, &m->master, cap, 3);
    cr_assert_eq(model_load(m, &m->master, cap), 0);
    model_load(m, &m->master, AFU_CTRL_BASE(sim_bus_ctx_handle(other)) + AFU_CTRL_MBOX_R);
    model_store(m, &m->master, cap, 3);
    cr_assert_eq(model_load(m, &m->master, cap), 3);
    model_store(m, &m->master, cap, 0);
    model_store(m, &m->master, cap, 3); /* stays unlocked */
    cr_assert_eq(model_load(m, &m->master, cap), 3);
    sim_bus_ctx_stop(other);
    cr_assert_eq(sim_bus_ctx_start(other, 3), 0);
    model_store(m, &m->master, cap, 3);
    cr_assert_eq(model_load(m, &m->master, cap), 0);
    sim_bus_ctx_release(other);
    PROVES(R_17);
}

Test(sim_context, afu_reset_needs_an_idle_adapter)
{
    uint64_t done = 0, sel = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL;

    model_store(m, &m->master, sel, 1);
    model_store(m, &m->master, AFU_LUN_TABLE_ENTRY(0, 9), 77);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), -EBUSY);
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    cr_assert_eq(done - m->machine->engine.now, 250000);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), -EBUSY);
    model_run(m, 250000);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), 0);
    cr_assert_eq(sim_afu_peek(m->afu, sel), 3);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_LUN_TABLE_ENTRY(0, 9)), 0);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    PROVES(R_31);
}

Test(sim_context, planned_faults)
{
    struct sim_ctx *other;
    uint64_t done = 0;
    char why[96];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), "ctx#1=f+creset#1=n+creset#2=o+afurst#1=x",
                                 why, sizeof why),
                 0);
    cr_assert_eq(sim_bus_ctx_create(m->afu, false, &other), -ENODEV);
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    model_run(m, 1000000);
    cr_assert_eq(model_load(m, &user, AFU_HOST_IOARRIN), 1, "a reset that never ends ended");
    model_ctx_end(m, &user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    cr_assert_eq(model_load(m, &user, AFU_HOST_IOARRIN), UINT64_MAX);
    sim_bus_ctx_stop(user.sim);
    cr_assert_eq(sim_bus_ctx_start(user.sim, 3), 0);
    cr_assert_eq(model_load(m, &user, AFU_HOST_IOARRIN), 0, "a new life remembers the old one");
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, 250000);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), -EIO);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

static struct sim_bus_event interrupt_of_a_read(void)
{
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    user.pair[0].ioarcb.msi = 2;
    cr_assert(model_issue(m, &user, 0, 1000000));
    model_run_dry(m);
    return sim_bus_event(user.sim);
}

/* FS-23: the read of an event fails, loses it, gives it twice, late, or wrong. */
Test(sim_context, planned_faults_of_events)
{
    struct sim_bus_event ev;

    plan("evt#1=x+evt#3=d+evt#4=2+evt#6=l(5000)+evt#8=v+evt#9=v(9)");
    cr_assert_eq(interrupt_of_a_read().kind, SIM_BUS_EVENT_LOST);
    ev = sim_bus_event(user.sim);
    cr_assert(ev.kind == SIM_BUS_EVENT_INTERRUPT && ev.number == 2, "the event is gone");
    cr_assert_eq(interrupt_of_a_read().kind, SIM_BUS_EVENT_NONE);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_NONE);
    cr_assert_eq(interrupt_of_a_read().number, 2);
    cr_assert_eq(sim_bus_event(user.sim).number, 2);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_NONE);
    cr_assert_eq(interrupt_of_a_read().kind, SIM_BUS_EVENT_NONE);
    model_run(m, 4999);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_NONE);
    model_run(m, 1);
    cr_assert_eq(sim_bus_event(user.sim).number, 2);
    cr_assert_eq(interrupt_of_a_read().number, 4);
    cr_assert_eq(interrupt_of_a_read().number, 9);
}

/* The same for a data-storage event, whose address can be wrong. */
Test(sim_context, planned_faults_of_storage_events)
{
    plan("evt#1=v(0x1000)+evt#2=2");
    model_rw(m, &user, 0, false, 0, 0, 1, (void *)(uintptr_t)0x1000);
    cr_assert_not(model_issue(m, &user, 0, 1000000));
    model_run_dry(m);
    cr_assert_eq(sim_bus_event(user.sim).address, 0);
    model_doorbell(m, &user, 0);
    model_run_dry(m);
    cr_assert_eq(sim_bus_event(user.sim).address, 0x1000);
    cr_assert_eq(sim_bus_event(user.sim).address, 0x1000);
    cr_assert_eq(sim_bus_event(user.sim).kind, SIM_BUS_EVENT_NONE);
}

/* FS-25 l: AD-115 polls for 2.047 ms at most. */
Test(sim_context, a_slow_context_reset)
{
    plan("creset#1=l(600000)");
    model_store(m, &user, AFU_HOST_IOARRIN, 1);
    model_run(m, 600000 + 127);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_IOARRIN), 1);
    model_run(m, 1);
    cr_assert_eq(sim_afu_peek(m->afu, AFU_HOST_BASE(user.handle) + AFU_HOST_IOARRIN), 0);
}

/* TM-10: after the reset "done", nothing of the life before is under way: no event, no command, no
 * translation, no interrupt, and what is asked next is answered in the usual time. FS-29: late, or
 * given up by the system after 5 s, and then another one is possible. */
Test(sim_context, afu_reset_leaves_nothing)
{
    uint64_t done = 0;
    struct sim_afu_stats stats;

    for (unsigned i = 0; i < 8; i++) {
        model_rw(m, &user, i, false, 0, i, 1, m->buffer);
        user.pair[i].ioarcb.msi = 2;
        model_doorbell(m, &user, i);
    }
    model_run(m, 40000); /* some are at their status, some on the link */
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    plan("afurst#1=n+afurst#2=l(1000)");
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    cr_assert_eq(done - m->machine->engine.now, UINT64_C(1250000000));
    model_run(m, UINT64_C(1250000000));
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), -EBUSY);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    cr_assert_eq(done - m->machine->engine.now, 250000 + 1000);
    model_run(m, 250000 + 1000);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), 0);
    cr_assert_eq(sim_engine_next(&m->machine->engine), SIM_NEVER);
    sim_afu_stats(m->afu, &stats);
    cr_assert_eq(stats.in_flight, 0);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    cr_assert_eq(model_harvest(&m->master), -1);
    cr_assert_eq(sim_bus_event(m->master.sim).kind, SIM_BUS_EVENT_NONE);
    PROVES(TM_10);
}

/* TM-10, TM-9: a transfer that would take longer than the reset is cut off with its context. The
 * reset finds the bus idle, and what comes after it does not wait behind lines that nobody sends.
 */
static void reset_cuts_a_long_transfer(uint64_t block_time)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    struct sim_engine *e = &m->machine->engine;
    uint64_t done = 0, before, interval = p->write_interval;

    p->write_interval = 1000;
    p->fc_block_time = block_time;
    for (unsigned i = 0; i < 2; i++) { /* 2048 lines each: one transfer under way, one queued */
        model_rw(m, &user, i, false, 0, 0, 64, m->buffer);
        model_doorbell(m, &user, i);
    }
    model_run(m, 36000 + 2 * 64 * 1240);
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    p->write_interval = interval;
    p->fc_block_time = 1240;
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, done - e->now);
    cr_assert_eq(sim_afu_strict(m->afu)->total[SIM_VERDICT_MODEL], 0);
    model_bring_up(m);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    before = e->now;
    model_run(m, 35124 + 440 - 1); /* timing.md 8, with cold tables */
    cr_assert_eq(model_harvest(&user), -1);
    model_run(m, 1);
    cr_assert_eq(model_harvest(&user), 0, "%llu cycles", (unsigned long long)(e->now - before));
}

Test(sim_context, afu_reset_cuts_long_transfers)
{
    reset_cuts_a_long_transfer(1240);
    PROVES(TM_10);
}

/* The first of them is on the link for more than 1,280,000 cycles. */
Test(sim_context, afu_reset_cuts_long_exchanges) { reset_cuts_a_long_transfer(20000); }

/* The fetch unit does not wait for a read that never goes either. */
Test(sim_context, afu_reset_cuts_long_writes)
{
    sim_afu_params_mutable(m->afu)->read_interval = 1000;
    for (unsigned i = 2; i < 4; i++) {
        model_rw(m, &user, i, true, 0, 0, 64, m->buffer);
        model_doorbell(m, &user, i);
    }
    model_run(m, 20000); /* their data are on the bus; then two more: one read goes, one waits */
    model_rw(m, &user, 4, true, 0, 0, 64, m->buffer);
    model_doorbell(m, &user, 4);
    model_rw(m, &user, 5, true, 0, 0, 64, m->buffer);
    model_doorbell(m, &user, 5);
    model_run(m, 100);
    sim_afu_params_mutable(m->afu)->read_interval = 10;
    reset_cuts_a_long_transfer(1240);
}

Test(sim_context, afu_reset_cuts_long_transfers_in_the_reference_engine)
{
    model_run(m, 1000); /* at rest */
    cr_assert_eq(sim_reference_start(m->machine), 0);
    reset_cuts_a_long_transfer(1240);
    model_run(m, 1000);
    sim_reference_stop(m->machine);
}

/* AD-40: an old AFU says nothing about its ports after a reset. */
Test(sim_context, an_old_afu_has_no_ports_selected)
{
    uint64_t done = 0, sel = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL;

    sim_afu_params_mutable(m->afu)->port_sel_reset_zero = 1;
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    model_run(m, 250000);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
    cr_assert_eq(model_load(m, &m->master, sel), 0);
    model_store(m, &m->master, sel, 3);
    cr_assert_eq(model_load(m, &m->master, sel), 3);
}

/* TM-10: a reset does not end before the last response of what was sent. */
Test(sim_context, afu_reset_waits_for_the_bus)
{
    struct sim_params *p = sim_afu_params_mutable(m->afu);
    uint64_t done = 0;

    p->afu_reset = 1;
    model_rw(m, &user, 0, false, 0, 0, 1, m->buffer);
    model_doorbell(m, &user, 0);
    model_run(m, 75 + 8); /* its IOARCB is being read */
    model_ctx_end(m, &user);
    model_ctx_end(m, &m->master);
    cr_assert_eq(sim_bus_afu_reset(m->afu, &done), 0);
    cr_assert_eq(done - m->machine->engine.now, 220);
    model_run(m, 220);
    cr_assert_eq(sim_bus_afu_reset_result(m->afu), 0);
    model_ctx_start(m, &m->master, true, HAL_ORDER_LITTLE);
}

/* timing.md 4: what a program does with a context that is still being added waits (ctx.add). */
Test(sim_context, accesses_wait_until_it_is_added)
{
    struct sim_engine *e = &m->machine->engine;
    uint64_t when = 0, begin;

    sim_afu_params_mutable(m->afu)->ctx_add = 500;
    sim_bus_ctx_stop(user.sim);
    cr_assert_eq(sim_bus_ctx_start(user.sim, 3), 0);
    begin = e->now;
    cr_assert_eq(sim_bus_store(user.sim, AFU_HOST_MBOX_W, 7, &when), 0);
    cr_assert_eq(sim_engine_next(e), begin + 500);
    model_run_dry(m);
    begin = e->now;
    cr_assert_eq(sim_bus_store(user.sim, AFU_HOST_MBOX_W, 8, &when), 0);
    cr_assert_eq(sim_engine_next(e), begin + sim_afu_params(m->afu)->mmio_write_latency);
    model_run_dry(m);
}
