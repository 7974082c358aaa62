/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/afu/sim_psl_bus.h"

#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sim_control.h"

#define HALF 64u

static void push(struct sim_psl_bus_queue *q, uint32_t n)
{
    CHECK(q->count < SIM_PSL_BUS_COMMANDS);
    q->at[(q->head + q->count++) % SIM_PSL_BUS_COMMANDS] = (uint8_t)n;
}

static uint32_t first(const struct sim_psl_bus_queue *q) { return q->at[q->head]; }

static uint32_t pop(struct sim_psl_bus_queue *q)
{
    uint32_t n = first(q);

    CHECK(q->count);
    q->head = (q->head + 1) % SIM_PSL_BUS_COMMANDS;
    q->count--;
    return n;
}

void sim_psl_bus_init(struct sim_psl_bus *p, struct sim_strict *strict, uint64_t seed)
{
    p->strict = strict;
    hal_prng_seed(&p->order, seed, SIM_STREAM_BUFFER);
    sim_psl_bus_forget(p);
}

void sim_psl_bus_forget(struct sim_psl_bus *p)
{
    struct sim_strict *strict = p->strict;
    struct hal_prng order = p->order;

    memset(p, 0, sizeof *p);
    p->strict = strict;
    p->order = order;
    for (uint32_t i = 0; i < SIM_PSL_BUS_COMMANDS; i++) {
        push(&p->free, i);
        push(&p->tags, i);
    }
}

uint32_t sim_psl_bus_ready(struct sim_psl_bus *p, const struct sim_strict_command *c)
{
    uint32_t n = pop(&p->free);

    p->command[n] = (struct sim_psl_bus_command){
        .command = *c, .halves = c->size > HALF ? 3 : (uint8_t)(1u << c->ea / HALF % 2)};
    push(&p->skid, n);
    return n;
}

/* ---- one thing an interface and cycle ---------------------------------------------------------
 */

static void issue(struct sim_psl_bus *p, uint64_t now)
{
    struct sim_psl_bus_command *c;
    uint32_t n;

    while (p->skid.count && p->command[first(&p->skid)].withdrawn)
        (void)pop(&p->skid);
    if (!p->skid.count)
        return;
    n = pop(&p->skid);
    c = &p->command[n];
    c->issued = true;
    c->command.tag = (uint8_t)pop(&p->tags);
    sim_strict_command(p->strict, now, &c->command);
    if (c->command.direction) /* the PSL asks for data to be written at once */
        push(&p->buffer[1], n);
}

/* Which half of the first in a queue crosses now; with disorder either one, and sometimes one that
 * has crossed. */
static unsigned choose(struct sim_psl_bus *p, const struct sim_psl_bus_command *c)
{
    bool both = c->halves == 3;

    if (p->disorder && c->command.size > HALF && hal_prng_below(&p->order, 4) == 0)
        return (unsigned)hal_prng_below(&p->order, 2);
    if (both && p->disorder)
        return (unsigned)hal_prng_below(&p->order, 2);
    return hal_lowest_bit(c->halves);
}

static void transfer(struct sim_psl_bus *p, uint64_t now, unsigned direction)
{
    struct sim_psl_bus_queue *q = &p->buffer[direction];
    struct sim_psl_bus_command *c;
    unsigned half;

    if (!q->count)
        return;
    c = &p->command[first(q)];
    half = q->count > 1 ? hal_lowest_bit(c->halves) : choose(p, c);
    c->halves &= (uint8_t) ~(1u << half);
    if (!c->halves)
        (void)pop(q);
    if (!direction) {
        sim_strict_buffer_write(p->strict, now, c->command.tag, half);
        return;
    }
    sim_strict_buffer_read(p->strict, now, c->command.tag, half);
    p->data[(p->data_head + p->data_count++) % HAL_ARRAY_LENGTH(p->data)] =
        (struct sim_psl_bus_data){.cycle = now + 1 + p->strict->read_latency,
                                  .tag = c->command.tag,
                                  .half = (uint8_t)half};
}

/* The AFU supplies what was asked for so many cycles ago. */
static void supply(struct sim_psl_bus *p, uint64_t now)
{
    const struct sim_psl_bus_data *d = &p->data[p->data_head];

    if (!p->data_count || d->cycle != now)
        return;
    p->data_head = (p->data_head + 1) % HAL_ARRAY_LENGTH(p->data);
    p->data_count--;
    sim_strict_buffer_data(p->strict, now, d->tag, d->half);
}

static void respond(struct sim_psl_bus *p, uint64_t now)
{
    struct sim_psl_bus_command *c;

    if (!p->response.count)
        return;
    c = &p->command[pop(&p->response)];
    c->answered = true;
    sim_strict_response(p->strict, now, c->command.tag);
    push(&p->tags, c->command.tag);
}

void sim_psl_bus_data(struct sim_psl_bus *p, uint32_t n)
{
    if (!p->command[n].command.direction && !p->command[n].withdrawn)
        push(&p->buffer[0], n);
}

void sim_psl_bus_answer(struct sim_psl_bus *p, uint32_t n)
{
    if (!p->command[n].withdrawn)
        push(&p->response, n);
}

void sim_psl_bus_withdraw(struct sim_psl_bus *p, uint32_t n)
{
    p->command[n].withdrawn = !p->command[n].issued;
}

void sim_psl_bus_tick(struct sim_psl_bus *p, uint64_t now, bool disorder)
{
    p->disorder = disorder;
    if (p->free.count == SIM_PSL_BUS_COMMANDS)
        return;
    issue(p, now);
    sim_strict_skid(p->strict, now, p->skid.count);
    supply(p, now);
    transfer(p, now, 0);
    transfer(p, now, 1);
    respond(p, now);
}

void sim_psl_bus_due(struct sim_psl_bus *p, uint64_t now, uint32_t n)
{
    struct sim_psl_bus_command *c = &p->command[n];

    if (!c->answered && !c->withdrawn)
        sim_strict_breach(p->strict, now, SIM_RULE_BUS_RESPONSE, c->command.context, n);
    push(&p->free, n);
}
