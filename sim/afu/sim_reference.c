/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afu/sim_reference.h"

#include <errno.h>
#include <stddef.h>

#include "hal/support/check.h"
#include "sim/afu/sim_psl_bus.h"
#include "sim/afu/sim_wait.h"
#include "sim/sim_control.h"
#include "sim/world.h"

#define WAITS_MAX (8 * SIM_CONTEXTS_MAX) /* commands, timers of contexts, ports and adapter */
#define ITEMS_MAX 8192
#define LINES_MAX 256 /* more than credits */
#define NO_PSL UINT32_MAX

/* Where an event is. */
enum { PLACE_WAIT = SIM_EVENT_OTHER, PLACE_DUE, PLACE_ITEM };

/* A transfer on the bus, or a frame at a stage. */
struct item {
    struct item *next;
    struct sim_event *ev; /* NULL: withdrawn, but what it asked for is still used */
    uint64_t after;       /* cycles for the event itself when it is through */
    /* bus */
    struct sim_strict_transfer fact; /* its ea and bytes: what is not sent yet */
    uint32_t to_send, to_answer;
    bool on_bus;
    /* stage */
    struct sim_stage_use use;
};

struct fifo {
    struct item *first, *last;
};

struct line {
    struct item *item;
    uint64_t left; /* cycles to its answer */
    uint32_t psl;  /* its number there, or NO_PSL */
};

struct bus {
    struct fifo queue;
    struct item *current; /* whose lines go now */
    uint64_t pace;        /* cycles until the next line may go */
    uint32_t lines;       /* under way */
    struct line line[LINES_MAX];
};

struct stage {
    struct fifo queue;
    uint64_t busy; /* cycles until it serves the next */
    bool active;
};

enum fetch_state { FETCH_IDLE, FETCH_LOOK, FETCH_ISSUE };

struct sim_reference {
    struct sim_engine *engine;
    struct sim_afu *afu;
    uint64_t serial;
    uint32_t live; /* events that will run */

    /* Events that wait for a cycle, and of that cycle the low bits once more: see any_now. */
    uint32_t waits;
    uint32_t wait_low[WAITS_MAX];
    uint64_t wait_until[WAITS_MAX];
    struct sim_event *wait[WAITS_MAX];

    /* what runs in this cycle, in order of the requests */
    uint32_t due_ranks;
    struct sim_event *due[SIM_RANKS];

    enum fetch_state fetch;
    uint64_t fetch_left;
    struct item *fetch_item; /* on the bus */

    uint64_t mmio_pace;

    /* Likewise, by slot: what counts is the last one of a command that still has one. */
    uint32_t timeout_slots; /* slots from here on have never had one */
    bool timeouts_over;     /* one has perhaps come to its end in this cycle */
    uint32_t timeout_low[SIM_SLOTS_MAX];
    uint64_t timeout_until[SIM_SLOTS_MAX], timeout_serial[SIM_SLOTS_MAX];

    struct bus bus[2];
    struct sim_psl_bus psl;
    struct stage stage[SIM_STAGES];
    uint32_t active; /* stages that are busy or have somebody waiting */
    uint16_t active_stage[SIM_STAGES];

    struct item *free_items;
    struct item item[ITEMS_MAX];
};

/* ---- events ------------------------------------------------------------------------------------
 */

/* Whether one of these low halves is that of `now`; whether it is the cycle itself is for the
 * caller to see. Half of the bits, and no branch: so all that wait can be asked in every cycle,
 * several in one instruction. */
static bool any_now(const uint32_t *low, uint32_t count, uint64_t now)
{
    uint32_t any = 0;

    for (uint32_t i = 0; i < count; i++)
        any |= low[i] == (uint32_t)now;
    return any;
}

static void due(struct sim_reference *r, struct sim_event *ev)
{
    struct sim_event **at = &r->due[sim_event_rank(ev)];

    while (*at && (*at)->serial < ev->serial)
        at = &(*at)->next;
    ev->next = *at;
    *at = ev;
    ev->place = PLACE_DUE;
    r->due_ranks |= 1u << sim_event_rank(ev);
}

static void wait(struct sim_reference *r, struct sim_event *ev, uint64_t cycles)
{
    if (!cycles) {
        due(r, ev);
        return;
    }
    CHECK(r->waits < WAITS_MAX);
    ev->place = PLACE_WAIT;
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

static void run_due(struct sim_reference *r, unsigned rank)
{
    struct sim_event *ev = r->due[rank];

    undue(r, ev);
    ev->place = SIM_EVENT_IDLE;
    r->live--;
    ev->fn(ev);
}

/* ---- items -------------------------------------------------------------------------------------
 */

static struct item *new_item(struct sim_reference *r, struct sim_event *ev, uint64_t after,
                             enum sim_rank rank, sim_event_fn *fn)
{
    struct item *it = r->free_items;

    CHECK(it);
    CHECK(ev->place == SIM_EVENT_IDLE);
    r->free_items = it->next;
    *it = (struct item){.ev = ev, .after = after};
    take(r, ev);
    ev->when = rank;
    ev->fn = fn;
    ev->place = PLACE_ITEM;
    ev->index = (uint32_t)(it - r->item);
    return it;
}

static void free_item(struct sim_reference *r, struct item *it)
{
    it->next = r->free_items;
    r->free_items = it;
}

static void push(struct fifo *f, struct item *it)
{
    it->next = NULL;
    if (f->first)
        f->last->next = it;
    else
        f->first = it;
    f->last = it;
}

static struct item *pop(struct fifo *f)
{
    struct item *it = f->first;

    f->first = it->next;
    return it;
}

/* The item is through: its event has only its own cycles left. */
static void through(struct sim_reference *r, struct item *it)
{
    if (it->ev)
        wait(r, it->ev, it->after);
    it->ev = NULL;
}

/* ---- the bus, line by line ---------------------------------------------------------------------
 */

static void bus_retire(struct sim_reference *r, struct item *it)
{
    if (!it->on_bus && !it->to_answer)
        free_item(r, it);
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
static uint32_t psl_send(struct sim_reference *r, struct item *it)
{
    struct sim_strict_command c = next_command(&it->fact);

    if ((it->to_send == 1) != !it->fact.bytes)
        sim_strict_breach(&r->afu->strict, r->engine->now, SIM_RULE_BUS_SIZE, c.context,
                          it->fact.bytes);
    if (!it->ev || it->fact.latency < SIM_PSL_BUS_LATENCY_MIN)
        return NO_PSL;
    return sim_psl_bus_ready(&r->psl, &c);
}

/* One of its commands was answered. */
static void bus_answer(struct sim_reference *r, struct item *it)
{
    if (--it->to_answer)
        return;
    if (it->ev)
        sim_strict_answered(&r->afu->strict, r->engine->now, it->fact.slot);
    through(r, it);
    bus_retire(r, it);
}

static void bus_send(struct sim_reference *r, struct bus *b)
{
    struct item *it = b->current;

    CHECK(b->lines < LINES_MAX);
    b->line[b->lines++] = (struct line){it, it->fact.latency, psl_send(r, it)};
    it->to_send--;
    if (it->fact.latency)
        return;
    b->lines--; /* answered in the same cycle */
    bus_answer(r, it);
}

static void bus_leave(struct sim_reference *r, struct bus *b)
{
    struct item *it = b->current;

    if (r->fetch_item == it)
        r->fetch_item = NULL;
    it->on_bus = false;
    b->current = NULL;
    bus_retire(r, it);
}

/* The next transfer has the bus: one line goes at once, the first of many when its interval has
 * passed. */
static void bus_begin(struct sim_reference *r, struct bus *b)
{
    if (b->current || !b->queue.first)
        return;
    b->current = pop(&b->queue);
    b->pace = b->current->fact.step;
    if (b->current->to_send == 1)
        bus_send(r, b);
}

static void bus_pace(struct sim_reference *r, struct bus *b)
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

static void bus_answers(struct sim_reference *r, struct bus *b)
{
    for (uint32_t i = 0; i < b->lines;) {
        struct line *l = &b->line[i];
        struct item *it = l->item;

        if (--l->left) {
            if (l->psl != NO_PSL)
                sim_psl_bus_left(&r->psl, l->psl, l->left);
            i++;
            continue;
        }
        if (l->psl != NO_PSL)
            sim_psl_bus_due(&r->psl, r->engine->now, l->psl);
        *l = b->line[--b->lines];
        bus_answer(r, it);
    }
}

static void bus_tick(struct sim_reference *r, struct bus *b)
{
    bus_answers(r, b);
    bus_pace(r, b);
    bus_begin(r, b);
}

void sim_reference_bus(struct sim_afu *a, struct sim_event *ev, const struct sim_strict_transfer *t,
                       uint64_t after, enum sim_rank rank, sim_event_fn *fn)
{
    struct sim_reference *r = a->engine->other;
    struct item *it = new_item(r, ev, after, rank, fn);

    it->fact = *t;
    sim_strict_begin(&a->strict, a->engine->now, t->slot, t->context, t->what);
    sim_strict_credits(&a->strict, t->credits);
    it->to_send = it->to_answer = t->commands;
    it->on_bus = true;
    push(&r->bus[t->direction].queue, it);
    bus_begin(r, &r->bus[t->direction]);
}

bool sim_reference_bus_busy(const struct sim_afu *a, enum sim_direction direction)
{
    const struct sim_reference *r = a->engine->other;

    return r->bus[direction].current || r->bus[direction].queue.first;
}

/* ---- serial stages -----------------------------------------------------------------------------
 */

static void stage_serve(struct sim_reference *r, struct stage *s)
{
    while (!s->busy && s->queue.first && !s->queue.first->use.travel) {
        struct item *it = pop(&s->queue);

        s->busy = it->use.service + it->use.gap;
        it->after = it->use.service + it->use.after;
        through(r, it);
        free_item(r, it);
    }
}

static void stage_tick(struct sim_reference *r, struct stage *s)
{
    for (struct item *it = s->queue.first; it; it = it->next)
        it->use.travel -= it->use.travel != 0;
    s->busy -= s->busy != 0;
    stage_serve(r, s);
}

static void stages_tick(struct sim_reference *r)
{
    for (uint32_t i = 0; i < r->active;) {
        struct stage *s = &r->stage[r->active_stage[i]];

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
    struct stage *s = &r->stage[stage->id];
    struct item *it = new_item(r, ev, 0, rank, fn);

    it->use = use;
    push(&s->queue, it);
    stage_serve(r, s);
    if (!s->active && (s->busy || s->queue.first)) {
        s->active = true;
        r->active_stage[r->active++] = stage->id;
    }
}

/* ---- blocks that look whether there is something to do -----------------------------------------
 */

/* An idle fetch unit begins to look when a context has something and a slot is free. */
static void fetch_begin(struct sim_reference *r)
{
    if (r->fetch != FETCH_IDLE || !r->afu->ready_words || !r->afu->free_count)
        return;
    r->fetch = FETCH_LOOK;
    r->fetch_left = r->afu->params.doorbell_to_fetch;
}

static bool fetch_turn(const struct sim_reference *r)
{
    return r->fetch == FETCH_LOOK ? !r->fetch_left : r->fetch == FETCH_ISSUE && !r->fetch_item;
}

/* The command that was fetched is the one whose read is the youngest on the bus. */
static void fetch_act(struct sim_reference *r)
{
    struct sim_afu *a = r->afu;

    r->fetch = FETCH_IDLE;
    if (!a->ready_words || !a->free_count)
        return;
    sim_fetch_one(a);
    if (!a->ready_words || !a->free_count)
        return;
    r->fetch = FETCH_ISSUE;
    r->fetch_item = r->bus[SIM_BUS_READ].queue.first ? r->bus[SIM_BUS_READ].queue.last
                                                     : r->bus[SIM_BUS_READ].current;
}

static bool mmio_turn(const struct sim_reference *r)
{
    const struct sim_afu *a = r->afu;

    return a->mmio_count && !r->mmio_pace && !a->mmio[a->mmio_head].travel;
}

static void mmio_act(struct sim_reference *r)
{
    r->mmio_pace = sim_mmio_pace(&r->afu->params);
    sim_mmio_accept(r->afu);
}

static void mmio_tick(struct sim_reference *r)
{
    struct sim_afu *a = r->afu;

    r->mmio_pace -= r->mmio_pace != 0;
    for (uint32_t i = 0; i < a->mmio_count; i++) {
        struct sim_mmio *m = &a->mmio[(a->mmio_head + i) % SIM_MMIO_RING];

        m->travel -= m->travel != 0;
    }
}

static bool running_out(const struct sim_reference *r, unsigned slot)
{
    return r->afu->cmds[slot].expires && r->timeout_until[slot] == r->engine->now;
}

/* The slot whose time is over, of several the one that began first; SIM_SLOTS_MAX if none. */
static unsigned timeout_first(const struct sim_reference *r)
{
    unsigned first = SIM_SLOTS_MAX;

    for (unsigned slot = 0; slot < r->timeout_slots; slot++)
        if (running_out(r, slot) &&
            (first == SIM_SLOTS_MAX || r->timeout_serial[slot] < r->timeout_serial[first]))
            first = slot;
    return first;
}

static bool timeout_turn(const struct sim_reference *r)
{
    return r->timeouts_over && timeout_first(r) != SIM_SLOTS_MAX;
}

static void timeout_act(struct sim_reference *r)
{
    sim_timeout_expired(&r->afu->cmds[timeout_first(r)]);
}

void sim_reference_timeout(struct sim_afu *a, uint32_t slot, uint64_t cycles)
{
    struct sim_reference *r = a->engine->other;

    CHECK(cycles);
    r->timeout_slots = (uint32_t)hal_max64(r->timeout_slots, slot + 1);
    r->timeout_until[slot] = a->engine->now + cycles;
    r->timeout_low[slot] = (uint32_t)r->timeout_until[slot];
    r->timeout_serial[slot] = r->serial++;
}

static bool drain_turn(const struct sim_reference *r)
{
    const struct sim_afu *a = r->afu;

    if (!a->internal || a->internal->state != SIM_CMD_DRAIN)
        return false;
    for (uint64_t i = 0; i < a->params.cmd_slots; i++)
        if (a->cmds[i].draining)
            return false;
    return true;
}

static void drain_act(struct sim_reference *r) { sim_drain_over(r->afu); }

static bool media_turn(const struct sim_reference *r)
{
    const struct sim_afu *a = r->afu;

    for (unsigned word = 0; word < HAL_ARRAY_LENGTH(a->media_waiting); word++)
        for (uint64_t bits = a->media_waiting[word]; bits; bits &= bits - 1)
            if (sim_media_place(a, word * 64 + hal_lowest_bit(bits)))
                return true;
    return false;
}

static void media_act(struct sim_reference *r) { sim_media_start_waiting(r->afu); }

static bool buffer_turn(const struct sim_reference *r) { return sim_buffer_wanted(r->afu); }

static void buffer_act(struct sim_reference *r) { sim_buffer_serve(r->afu); }

/* ---- a reset: nobody waits for anything any more ------------------------------------------------
 */

/* What it has sent is answered all the same. */
static void transfer_cut(struct sim_reference *r, struct item *it)
{
    CHECK(!it->ev);
    it->to_answer -= it->to_send;
    it->to_send = 0;
    it->on_bus = false;
    bus_retire(r, it);
}

static void bus_cut(struct sim_reference *r, struct bus *b)
{
    while (b->queue.first)
        transfer_cut(r, pop(&b->queue));
    if (b->current)
        transfer_cut(r, b->current);
    b->current = NULL;
    b->pace = 0;
}

static void stage_cut(struct sim_reference *r, struct stage *s)
{
    while (s->queue.first) {
        CHECK(!s->queue.first->ev);
        free_item(r, pop(&s->queue));
    }
    s->busy = 0;
}

void sim_reference_cut(struct sim_afu *a)
{
    struct sim_reference *r = a->engine->other;

    r->fetch = FETCH_IDLE;
    r->fetch_item = NULL;
    bus_cut(r, &r->bus[SIM_BUS_READ]);
    bus_cut(r, &r->bus[SIM_BUS_WRITE]);
    for (unsigned id = 0; id <= SIM_STAGE_CARD; id++)
        stage_cut(r, &r->stage[id]);
}

/* Nobody has waited for a line since the transfers were cut. */
void sim_reference_forget(struct sim_afu *a)
{
    struct sim_reference *r = a->engine->other;

    for (struct bus *b = r->bus; b < r->bus + HAL_ARRAY_LENGTH(r->bus); b++)
        while (b->lines)
            bus_answer(r, b->line[--b->lines].item);
    sim_psl_bus_forget(&r->psl);
}

/* ---- a cycle -----------------------------------------------------------------------------------
 */

/* Asks every block: a bit a rank that has something to do. Blocks with a rank of their own look for
 * themselves, the others have what is due. */
static uint32_t turns(const struct sim_reference *r)
{
    return r->due_ranks | (uint32_t)mmio_turn(r) << SIM_RANK_MMIO |
           (uint32_t)fetch_turn(r) << SIM_RANK_FETCH |
           (uint32_t)timeout_turn(r) << SIM_RANK_TIMEOUT |
           (uint32_t)drain_turn(r) << SIM_RANK_DRAIN |
           (uint32_t)media_turn(r) << SIM_RANK_MEDIA_START |
           (uint32_t)buffer_turn(r) << SIM_RANK_BUFFER;
}

static void (*const acts[SIM_RANKS])(struct sim_reference *r) = {
    [SIM_RANK_MMIO] = mmio_act,         [SIM_RANK_FETCH] = fetch_act,
    [SIM_RANK_TIMEOUT] = timeout_act,   [SIM_RANK_DRAIN] = drain_act,
    [SIM_RANK_MEDIA_START] = media_act, [SIM_RANK_BUFFER] = buffer_act,
};

/* Of the blocks that have something to do the first in order does one thing. */
static bool act(struct sim_reference *r)
{
    uint32_t all;
    unsigned rank;

    fetch_begin(r);
    all = turns(r);
    if (!all)
        return false;
    rank = hal_lowest_bit(all);
    if (r->due_ranks >> rank & 1)
        run_due(r, rank);
    else
        acts[rank](r);
    return true;
}

static void waits_tick(struct sim_reference *r)
{
    if (!any_now(r->wait_low, r->waits, r->engine->now))
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

static void tick(struct sim_reference *r)
{
    sim_psl_bus_tick(&r->psl, r->engine->now, r->afu->params.buffer_disorder);
    r->engine->now++;
    waits_tick(r);
    bus_tick(r, &r->bus[SIM_BUS_READ]);
    bus_tick(r, &r->bus[SIM_BUS_WRITE]);
    stages_tick(r);
    mmio_tick(r);
    r->timeouts_over = any_now(r->timeout_low, r->timeout_slots, r->engine->now);
    r->fetch_left -= r->fetch_left != 0;
}

static bool any_timeout(const struct sim_reference *r)
{
    for (unsigned slot = 0; slot < r->timeout_slots; slot++)
        if (r->afu->cmds[slot].expires)
            return true;
    return false;
}

static bool idle(const struct sim_reference *r)
{
    return !r->live && !r->afu->mmio_count && r->fetch == FETCH_IDLE && !any_timeout(r);
}

/* ---- the face of an engine ---------------------------------------------------------------------
 */

static void engine_at(struct sim_engine *e, struct sim_event *ev, uint64_t cycle)
{
    struct sim_reference *r = e->other;

    take(r, ev);
    wait(r, ev, cycle - e->now);
}

/* Nobody waits for it: what is ready and not issued yet is not issued (TM-9). */
static void withdraw(struct sim_reference *r, struct item *it)
{
    it->ev = NULL;
    for (unsigned d = 0; d < HAL_ARRAY_LENGTH(r->bus); d++)
        for (uint32_t i = 0; i < r->bus[d].lines; i++) {
            const struct line *l = &r->bus[d].line[i];

            if (l->item == it && l->psl != NO_PSL)
                sim_psl_bus_withdraw(&r->psl, l->psl);
        }
}

static void engine_cancel(struct sim_engine *e, struct sim_event *ev)
{
    struct sim_reference *r = e->other;

    r->live--;
    if (ev->place == PLACE_WAIT)
        unwait(r, ev->index);
    else if (ev->place == PLACE_DUE)
        undue(r, ev);
    else
        withdraw(r, &r->item[ev->index]);
}

/* Whether this very cycle has something to do, nobody knows before it is asked. */
static uint64_t engine_next(struct sim_engine *e)
{
    struct sim_reference *r = e->other;

    fetch_begin(r);
    return idle(r) ? SIM_NEVER : e->now + 1;
}

static bool engine_run(struct sim_engine *e, uint64_t until)
{
    struct sim_reference *r = e->other;

    for (;;) {
        while (act(r)) {
            e->count++;
            if (e->stop)
                return true;
        }
        if (until == SIM_NEVER ? idle(r) : e->now >= until)
            return false;
        tick(r);
    }
}

static const struct sim_engine_ops ops = {engine_at, engine_cancel, engine_next, engine_run};

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
    for (unsigned i = 0; i < ITEMS_MAX; i++)
        free_item(r, &r->item[i]);
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
