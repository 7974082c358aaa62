/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afu/sim_reference.h"

#include <errno.h>

#include "hal/support/check.h"
#include "sim/afu/sim_reference_internal.h"
#include "sim/sim_control.h"
#include "sim/world.h"

static void tick(struct sim_reference *r)
{
    sim_psl_bus_tick(&r->psl, r->engine->now, r->afu->params.buffer_disorder);
    r->engine->now++;
    reference__waits_tick(r);
    reference__bus_tick(r, &r->bus[SIM_BUS_READ]);
    reference__bus_tick(r, &r->bus[SIM_BUS_WRITE]);
    reference__stages_tick(r);
    reference__turn_tick(r);
}

static bool idle(const struct sim_reference *r)
{
    return !r->live && !r->afu->mmio_count && r->fetch == REFERENCE_FETCH_IDLE &&
           !reference__any_timeout(r);
}

void sim_reference_cut(struct sim_afu *a)
{
    struct sim_reference *r = a->engine->other;

    r->fetch = REFERENCE_FETCH_IDLE;
    r->fetch_item = NULL;
    reference__bus_cut(r, &r->bus[SIM_BUS_READ]);
    reference__bus_cut(r, &r->bus[SIM_BUS_WRITE]);
    reference__stages_cut(r);
}

/* Whether this very cycle has something to do, nobody knows before it is asked. */
static uint64_t engine_next(struct sim_engine *e)
{
    struct sim_reference *r = e->other;

    reference__fetch_begin(r);
    return idle(r) ? SIM_NEVER : e->now + 1;
}

static bool engine_run(struct sim_engine *e, uint64_t until)
{
    struct sim_reference *r = e->other;

    for (;;) {
        while (reference__act(r)) {
            e->count++;
            if (e->stop)
                return true;
        }
        if (until == SIM_NEVER ? idle(r) : e->now >= until)
            return false;
        tick(r);
    }
}

static const struct sim_engine_ops ops = {reference__at, reference__cancel, engine_next,
                                          engine_run};

/* What the event engine would remember and this one could not know. */
static bool at_rest(const struct sim_afu *a)
{
    uint64_t now = a->engine->now;

    return a->bus_free[SIM_BUS_READ] <= now && a->bus_free[SIM_BUS_WRITE] <= now &&
           a->mmio_soonest <= now + a->params.mmio_write_latency;
}

int sim_reference_start(struct sim_machine *m)
{
    struct sim_reference *r;

    CHECK(m->afu_count == 1 && !m->engine.ops && sim_engine_next(&m->engine) == SIM_NEVER);
    CHECK(at_rest(m->afu[0]));
    r = sim_world_alloc(m->world, sizeof *r, 64);
    if (!r)
        return -ENOMEM;
    r->engine = &m->engine;
    r->afu = m->afu[0];
    for (unsigned i = 0; i < REFERENCE_ITEMS_MAX; i++)
        reference__free_item(r, &r->item[i]);
    sim_strict_forget(&r->afu->strict);
    sim_bus_changes(r->afu);
    sim_psl_bus_init(&r->psl, &r->afu->strict, m->seed);
    sim_engine_replace(&m->engine, &ops, r);
    return 0;
}

void sim_reference_stop(struct sim_machine *m)
{
    struct sim_reference *r = m->engine.other;

    CHECK(m->engine.ops == &ops && idle(r));
    sim_strict_forget(&m->afu[0]->strict);
    sim_bus_changes(m->afu[0]);
    sim_engine_replace(&m->engine, NULL, NULL);
    sim_world_free(m->world, r, sizeof *r);
}
