/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the reference engine: all that wait are compared with the clock at every cycle; what is
 * due in this cycle stands in order of rank, then of request. */
#include "hal/support/check.h"
#include "sim/afu/sim_reference_internal.h"

static void due(struct sim_reference *r, struct sim_event *ev)
{
    struct sim_event **at = &r->due[sim_event_rank(ev)];

    while (*at && (*at)->serial < ev->serial)
        at = &(*at)->next;
    ev->next = *at;
    *at = ev;
    ev->place = REFERENCE_DUE;
    r->due_ranks |= 1u << sim_event_rank(ev);
}

void reference__wait(struct sim_reference *r, struct sim_event *ev, uint64_t cycles)
{
    if (!cycles) {
        due(r, ev);
        return;
    }
    CHECK(r->waits < REFERENCE_WAITS_MAX);
    ev->place = REFERENCE_WAIT;
    ev->index = r->waits;
    r->wait[r->waits] = ev;
    r->wait_until[r->waits] = r->engine->now + cycles;
    r->wait_low[r->waits] = (uint32_t)r->wait_until[r->waits];
    r->waits++;
}

static void unwait(struct sim_reference *r, uint32_t i)
{
    r->waits--;
    r->wait[i] = r->wait[r->waits];
    r->wait_until[i] = r->wait_until[r->waits];
    r->wait_low[i] = r->wait_low[r->waits];
    r->wait[i]->index = i;
}

static void undue(struct sim_reference *r, struct sim_event *ev)
{
    struct sim_event **at = &r->due[sim_event_rank(ev)];

    while (*at != ev)
        at = &(*at)->next;
    *at = ev->next;
    if (!r->due[sim_event_rank(ev)])
        r->due_ranks &= ~(1u << sim_event_rank(ev));
}

/* Takes an event over: its place among those of its rank is that of the request. */
static void take(struct sim_reference *r, struct sim_event *ev)
{
    ev->serial = r->serial++;
    r->live++;
}

void reference__run_due(struct sim_reference *r, unsigned rank)
{
    struct sim_event *ev = r->due[rank];

    undue(r, ev);
    ev->place = SIM_EVENT_IDLE;
    r->live--;
    ev->fn(ev);
}

void reference__waits_tick(struct sim_reference *r)
{
    if (!reference__any_now(r->wait_low, r->waits, r->engine->now))
        return;
    for (uint32_t i = 0; i < r->waits;) {
        if (r->wait_until[i] != r->engine->now) {
            i++;
            continue;
        }
        due(r, r->wait[i]);
        unwait(r, i);
    }
}

struct reference_item *reference__new_item(struct sim_reference *r, struct sim_event *ev,
                                           uint64_t after, enum sim_rank rank, sim_event_fn *fn)
{
    struct reference_item *it = r->free_items;

    CHECK(it);
    CHECK(ev->place == SIM_EVENT_IDLE);
    r->free_items = it->next;
    *it = (struct reference_item){.ev = ev, .after = after};
    take(r, ev);
    ev->when = rank;
    ev->fn = fn;
    ev->place = REFERENCE_ITEM;
    ev->index = (uint32_t)(it - r->item);
    return it;
}

void reference__free_item(struct sim_reference *r, struct reference_item *it)
{
    it->next = r->free_items;
    r->free_items = it;
}

void reference__through(struct sim_reference *r, struct reference_item *it)
{
    if (it->ev)
        reference__wait(r, it->ev, it->after);
    it->ev = NULL;
}

void reference__at(struct sim_engine *e, struct sim_event *ev, uint64_t cycle)
{
    struct sim_reference *r = e->other;

    take(r, ev);
    reference__wait(r, ev, cycle - e->now);
}

void reference__cancel(struct sim_engine *e, struct sim_event *ev)
{
    struct sim_reference *r = e->other;

    r->live--;
    if (ev->place == REFERENCE_WAIT)
        unwait(r, ev->index);
    else if (ev->place == REFERENCE_DUE)
        undue(r, ev);
    else
        reference__withdraw(r, &r->item[ev->index]);
}
