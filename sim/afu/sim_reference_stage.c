/* SPDX-License-Identifier: Apache-2.0 */
/* Serial stages of the reference engine: frames travel to a stage, and it serves the one at the
 * head of its queue. */
#include "hal/support/check.h"
#include "sim/afu/sim_reference_internal.h"

static void stage_serve(struct sim_reference *r, struct reference_stage *s)
{
    while (!s->busy && s->queue.first && !s->queue.first->use.travel) {
        struct reference_item *it = reference__pop(&s->queue);

        s->busy = it->use.service + it->use.gap;
        it->after = it->use.service + it->use.after;
        reference__through(r, it);
        reference__free_item(r, it);
    }
}

static void stage_tick(struct sim_reference *r, struct reference_stage *s)
{
    for (struct reference_item *it = s->queue.first; it; it = it->next)
        it->use.travel -= it->use.travel != 0;
    s->busy -= s->busy != 0;
    stage_serve(r, s);
}

void reference__stages_tick(struct sim_reference *r)
{
    for (uint32_t i = 0; i < r->active;) {
        struct reference_stage *s = &r->stage[r->active_stage[i]];

        stage_tick(r, s);
        if (s->busy || s->queue.first) {
            i++;
            continue;
        }
        s->active = false;
        r->active_stage[i] = r->active_stage[--r->active];
    }
}

void sim_reference_stage(struct sim_afu *a, struct sim_event *ev, const struct sim_stage *stage,
                         struct sim_stage_use use, enum sim_rank rank, sim_event_fn *fn)
{
    struct sim_reference *r = a->engine->other;
    struct reference_stage *s = &r->stage[stage->id];
    struct reference_item *it = reference__new_item(r, ev, 0, rank, fn);

    it->use = use;
    reference__push(&s->queue, it);
    stage_serve(r, s);
    if (!s->active && (s->busy || s->queue.first)) {
        s->active = true;
        r->active_stage[r->active++] = stage->id;
    }
}

static void stage_cut(struct sim_reference *r, struct reference_stage *s)
{
    while (s->queue.first) {
        CHECK(!s->queue.first->ev);
        reference__free_item(r, reference__pop(&s->queue));
    }
    s->busy = 0;
}

void reference__stages_cut(struct sim_reference *r)
{
    for (unsigned id = 0; id <= SIM_STAGE_CARD; id++)
        stage_cut(r, &r->stage[id]);
}
