/* SPDX-License-Identifier: Apache-2.0 */
/* The bus of the reference engine: transfers queue for a direction and cross it line by line. */
#include "hal/support/check.h"
#include "sim/afu/sim_reference_internal.h"

static void bus_retire(struct sim_reference *r, struct reference_item *it)
{
    if (!it->on_bus && !it->to_answer)
        reference__free_item(r, it);
}

/* Bytes of the next command of a transfer (TM-7): a line that is read, or the most that one write
 * can hold. */
static uint32_t command_size(const struct sim_strict_transfer *t)
{
    uint32_t size = SIM_LINE;

    while (t->direction && (t->ea % size || size > t->bytes))
        size /= 2;
    return size;
}

/* Takes the next command from what a transfer has left. */
static struct sim_strict_command next_command(struct sim_strict_transfer *t)
{
    struct sim_strict_command c = {
        .size = command_size(t), .context = t->context, .direction = t->direction};
    uint64_t skip = t->ea % c.size;

    c.ea = t->ea - skip;
    t->ea = c.ea + c.size;
    t->bytes -= hal_min64(t->bytes, c.size - skip);
    return c;
}

/* A line of a transfer that nobody waits for any more leaves its turn empty. */
static uint32_t psl_send(struct sim_reference *r, struct reference_item *it)
{
    struct sim_strict_command c = next_command(&it->fact);

    if ((it->to_send == 1) != !it->fact.bytes)
        sim_strict_breach(&r->afu->strict, r->engine->now, SIM_RULE_BUS_SIZE, c.context,
                          it->fact.bytes);
    if (!it->ev || it->fact.latency < SIM_PSL_BUS_LATENCY_MIN)
        return REFERENCE_NO_PSL;
    return sim_psl_bus_ready(&r->psl, &c);
}

/* One of its commands was answered. */
static void bus_answer(struct sim_reference *r, struct reference_item *it)
{
    if (--it->to_answer)
        return;
    if (it->ev)
        sim_strict_answered(&r->afu->strict, r->engine->now, it->fact.slot);
    reference__through(r, it);
    bus_retire(r, it);
}

static void bus_send(struct sim_reference *r, struct reference_bus *b)
{
    struct reference_item *it = b->current;

    CHECK(b->lines < REFERENCE_LINES_MAX);
    b->line[b->lines++] = (struct reference_line){it, it->fact.latency, psl_send(r, it)};
    it->to_send--;
    if (it->fact.latency)
        return;
    b->lines--; /* answered in the same cycle */
    bus_answer(r, it);
}

static void bus_leave(struct sim_reference *r, struct reference_bus *b)
{
    struct reference_item *it = b->current;

    if (r->fetch_item == it)
        r->fetch_item = NULL;
    it->on_bus = false;
    b->current = NULL;
    bus_retire(r, it);
}

/* The next transfer has the bus: one line goes at once, the first of many when its interval has
 * passed. */
static void bus_begin(struct sim_reference *r, struct reference_bus *b)
{
    if (b->current || !b->queue.first)
        return;
    b->current = reference__pop(&b->queue);
    b->pace = b->current->fact.step;
    if (b->current->to_send == 1)
        bus_send(r, b);
}

static void bus_pace(struct sim_reference *r, struct reference_bus *b)
{
    if (!b->pace || --b->pace)
        return;
    if (b->current->to_send) {
        bus_send(r, b);
        b->pace = b->current->to_send ? b->current->fact.step : 0;
    }
    if (!b->pace)
        bus_leave(r, b);
}

static void bus_answers(struct sim_reference *r, struct reference_bus *b)
{
    for (uint32_t i = 0; i < b->lines;) {
        struct reference_line *l = &b->line[i];
        struct reference_item *it = l->item;

        if (--l->left) {
            if (l->psl != REFERENCE_NO_PSL)
                sim_psl_bus_left(&r->psl, l->psl, l->left);
            i++;
            continue;
        }
        if (l->psl != REFERENCE_NO_PSL)
            sim_psl_bus_due(&r->psl, r->engine->now, l->psl);
        *l = b->line[--b->lines];
        bus_answer(r, it);
    }
}

void reference__bus_tick(struct sim_reference *r, struct reference_bus *b)
{
    bus_answers(r, b);
    bus_pace(r, b);
    bus_begin(r, b);
}

void sim_reference_bus(struct sim_afu *a, struct sim_event *ev, const struct sim_strict_transfer *t,
                       uint64_t after, enum sim_rank rank, sim_event_fn *fn)
{
    struct sim_reference *r = a->engine->other;
    struct reference_item *it = reference__new_item(r, ev, after, rank, fn);

    it->fact = *t;
    sim_strict_begin(&a->strict, a->engine->now, t->slot, t->context, t->what);
    sim_strict_credits(&a->strict, t->credits);
    it->to_send = it->to_answer = t->commands;
    it->on_bus = true;
    reference__push(&r->bus[t->direction].queue, it);
    bus_begin(r, &r->bus[t->direction]);
}

bool sim_reference_bus_busy(const struct sim_afu *a, enum sim_direction direction)
{
    const struct sim_reference *r = a->engine->other;

    return r->bus[direction].current || r->bus[direction].queue.first;
}

void reference__withdraw(struct sim_reference *r, struct reference_item *it)
{
    it->ev = NULL;
    for (unsigned d = 0; d < HAL_ARRAY_LENGTH(r->bus); d++)
        for (uint32_t i = 0; i < r->bus[d].lines; i++) {
            const struct reference_line *l = &r->bus[d].line[i];

            if (l->item == it && l->psl != REFERENCE_NO_PSL)
                sim_psl_bus_withdraw(&r->psl, l->psl);
        }
}

/* What it has sent is answered all the same. */
static void transfer_cut(struct sim_reference *r, struct reference_item *it)
{
    CHECK(!it->ev);
    it->to_answer -= it->to_send;
    it->to_send = 0;
    it->on_bus = false;
    bus_retire(r, it);
}

void reference__bus_cut(struct sim_reference *r, struct reference_bus *b)
{
    while (b->queue.first)
        transfer_cut(r, reference__pop(&b->queue));
    if (b->current)
        transfer_cut(r, b->current);
    b->current = NULL;
    b->pace = 0;
}

/* Nobody has waited for a line since the transfers were cut. */
void sim_reference_forget(struct sim_afu *a)
{
    struct sim_reference *r = a->engine->other;

    for (struct reference_bus *b = r->bus; b < r->bus + HAL_ARRAY_LENGTH(r->bus); b++)
        while (b->lines)
            bus_answer(r, b->line[--b->lines].item);
    sim_psl_bus_forget(&r->psl);
}
