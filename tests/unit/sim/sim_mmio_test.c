/* SPDX-License-Identifier: Apache-2.0 */
/* Register accesses in time: latency, one a cycle, order, back pressure, faults (timing.md 4,
 * TM-8). */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/testlib/model.h"
#include "tests/testlib/proves.h"

#define SCRATCH (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD)

static struct model *m;

static void up(void) { m = model_create("flashsystem"); }
static void down(void) { model_destroy(m); }

TestSuite(sim_mmio, .init = up, .fini = down);

Test(sim_mmio, a_store_arrives_after_its_latency)
{
    uint64_t when = 0;

    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 42, &when), 0);
    model_run(m, 74);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 0);
    model_run(m, 1);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 42);
}

Test(sim_mmio, a_load_takes_250_cycles_and_sees_earlier_stores)
{
    uint64_t when = 0, answer = 0, start = m->machine->engine.now;
    bool done = false;

    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 43, &when), 0);
    cr_assert_eq(sim_bus_load(m->master.sim, SCRATCH, &answer, &done, &when), 0);
    cr_assert_eq(when, start + 250 + 1); /* one behind the store: one access a cycle */
    model_run(m, when - start);
    cr_assert(done);
    cr_assert_eq(answer, 43);
    PROVES(TM_8);
}

/* TM-8: the AFU acknowledges after any number of cycles, 0 allowed; the next access comes then, but
 * still one at a time. */
Test(sim_mmio, one_at_a_time_however_long_the_acknowledge_takes)
{
    static const struct {
        uint64_t ack, apart;
    } row[] = {{0, 1}, {1, 1}, {2, 2}, {1000, 1000}};
    uint64_t when = 0;

    for (unsigned i = 0; i < 4; i++) {
        sim_afu_params_mutable(m->afu)->mmio_ack = row[i].ack;
        cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 100, &when), 0);
        cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 200, &when), 0);
        model_run(m, 75 + row[i].apart - 1);
        cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 100, "%u", i);
        model_run(m, 1);
        cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 200, "%u", i);
        model_run(m, 2000);
    }
    PROVES(TM_8);
}

Test(sim_mmio, refuses_when_too_many_are_under_way)
{
    uint64_t when = 0, start = m->machine->engine.now;
    int rc = 0;
    unsigned n = 0;

    while (!(rc = sim_bus_store(m->master.sim, SCRATCH, n, &when)))
        n++;
    cr_assert_eq(rc, -EAGAIN);
    cr_assert_eq(when, start + 75); /* the first one leaves then */
    model_run(m, 75);
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, n, &when), 0);
    model_run(m, 2000);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), n);
}

Test(sim_mmio, a_context_that_ends_takes_its_accesses_along)
{
    struct model_ctx user = {0};
    uint64_t answer = 0, when = 0;
    bool done = false;

    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    cr_assert_eq(sim_bus_load(user.sim, AFU_HOST_CMD_ROOM, &answer, &done, &when), 0);
    model_ctx_end(m, &user);
    cr_assert(done);
    cr_assert_eq(answer, UINT64_MAX);
    model_run_dry(m);
}

Test(sim_mmio, planned_faults)
{
    char why[128];

    cr_assert_eq(
        sim_faults_load(sim_afu_faults(m->afu), "mr#2=o+mr#3=v(17)+mw#1=d", why, sizeof why), 0);
    model_store(m, &m->master, SCRATCH, 5); /* dropped */
    cr_assert_eq(model_load(m, &m->master, SCRATCH), 0);
    cr_assert_eq(model_load(m, &m->master, SCRATCH), UINT64_MAX);
    cr_assert_eq(model_load(m, &m->master, SCRATCH), 17);
    cr_assert_eq(model_load(m, &m->master, SCRATCH), 0);
}

static void plan(const char *faults)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(m->afu), faults, why, sizeof why), 0, "%s", why);
}

/* FS-10 e: the second store arrives at once and before the first one; a load keeps its place. */
Test(sim_mmio, a_store_overtakes_the_one_before_it)
{
    uint64_t when = 0, answer = 0;
    bool done = false;

    plan("mw#2=e+mw#4=e");
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 1, &when), 0);
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 2, &when), 0);
    model_run(m, 75);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 2);
    model_run(m, 1);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 1);
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 3, &when), 0);
    cr_assert_eq(sim_bus_load(m->master.sim, SCRATCH, &answer, &done, &when), 0);
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 4, &when), 0);
    model_run(m, 300);
    cr_assert(done && answer == 3);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 4);
}

Test(sim_mmio, early_and_late_stores)
{
    uint64_t when = 0;

    plan("mw#1=e+mw#2=l(1000)");
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 1, &when), 0);
    model_run(m, 1);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 1);
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 2, &when), 0);
    model_run(m, 1074);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 1);
    model_run(m, 1);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 2);
}

/* TM-23: early is not later than usual. */
Test(sim_mmio, an_early_store_without_a_latency)
{
    uint64_t when = 0;

    sim_afu_params_mutable(m->afu)->mmio_write_latency = 0;
    plan("mw#1=e");
    model_run(m, 1); /* the last access was taken in this cycle */
    cr_assert_eq(sim_bus_store(m->master.sim, SCRATCH, 1, &when), 0);
    model_run(m, 0);
    cr_assert_eq(sim_afu_peek(m->afu, SCRATCH), 1);
}

Test(sim_mmio, a_late_load)
{
    uint64_t when = 0, answer = 0, start = m->machine->engine.now;
    bool done = false;

    plan("mr#1=l(1000)");
    cr_assert_eq(sim_bus_load(m->master.sim, SCRATCH, &answer, &done, &when), 0);
    cr_assert_eq(when, start + 250 + 1000);
    model_run(m, when - start - 1 - 175); /* the value is there when the access is taken */
    cr_assert_not(done);
    model_run(m, 1 + 175);
    cr_assert(done);
}
