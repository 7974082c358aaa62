/* SPDX-License-Identifier: Apache-2.0 */
/* Doorbells, credits and the fetch of IOARCBs (SL 10.1; sim_sq.c has the other mode). Contexts with
 * something to fetch are served round robin, one fetch at a time; a credit returns when its IOARCB
 * is fetched, not when the command completes. */
#include <stddef.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/afu/sim_psl.h"
#include "sim/afu/sim_wait.h"

static void look(struct sim_event *ev);

/* There is something to fetch: the fetch unit looks, if it has a slot. */
static inline void look_soon(struct sim_afu *a)
{
    if (sim_stepped(a) || sim_event_pending(&a->fetch_event) || !a->free_count)
        return;
    sim_engine_at(a->engine, &a->fetch_event, a->engine->now + a->params.doorbell_to_fetch,
                  SIM_RANK_FETCH, look);
}

void sim_fetch_kick(struct sim_afu *a)
{
    if (a->ready_words)
        look_soon(a);
}

SIM_IN_LINE static inline void ready(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;
    unsigned handle = ctx->handle;

    a->ready[handle / 64] |= HAL_BIT(handle % 64);
    a->ready_words |= 1u << handle / 64;
    look_soon(a);
}

void sim_fetch_ready(struct sim_ctx *ctx) { ready(ctx); }

void sim_fetch_idle(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;
    unsigned handle = ctx->handle, word = handle / 64;

    a->ready[word] &= ~HAL_BIT(handle % 64);
    if (!a->ready[word])
        a->ready_words &= ~(1u << word);
}

/* The ready context after the one served last. */
static struct sim_ctx *next_ready(struct sim_afu *a)
{
    uint32_t word = a->fetch_last / 64, above;
    uint64_t bits = a->ready[word] & ~UINT64_C(1) << a->fetch_last % 64;

    if (!bits) {
        above = a->ready_words & ~1u << word;
        word = hal_lowest_bit(above ? above : a->ready_words);
        bits = a->ready[word];
    }
    a->fetch_last = word * 64 + hal_lowest_bit(bits);
    return a->ctx[a->fetch_last];
}

uint64_t sim_cmd_room(struct sim_ctx *ctx)
{
    uint64_t arg = 0;

    switch (sim_site(ctx->afu, SIM_SITE_ROOM, &arg)) {
    case SIM_EFFECT_VALUE:
        return arg;
    case SIM_EFFECT_ONES:
        return UINT64_MAX;
    default:
        return ctx->afu->params.cmd_room - ctx->bell_count;
    }
}

void sim_doorbells_drop(struct sim_ctx *ctx)
{
    ctx->bell_count = 0;
    ctx->sq_head = ctx->sq_tail;
    sim_fetch_idle(ctx);
}

SIM_COLD bool sim_bell_planned(struct sim_ctx *ctx, uint64_t *value)
{
    uint64_t arg = 0;

    switch (sim_site_armed(ctx->afu, SIM_SITE_BELL, &arg)) {
    case SIM_EFFECT_DROP:
        return true;
    case SIM_EFFECT_ERROR:
        sim_intr_status(ctx, AFU_INTR_PERM_ERR_CMDROOM);
        return true;
    case SIM_EFFECT_VALUE:
        *value = arg;
        return false;
    default:
        return false;
    }
}

SIM_IN_LINE static inline void doorbell_record(struct sim_ctx *ctx, uint64_t value)
{
    sim_record_address_a(ctx->afu, SIM_EVENT_DOORBELL, ctx->handle, value, &ctx->command_hint,
                         ctx->afu->params.cmd_room - ctx->bell_count);
}

void sim_doorbell_record(struct sim_ctx *ctx, uint64_t value) { doorbell_record(ctx, value); }

/* Somebody is told of the doorbell. Kept apart: else nobody needs to know which region it names. */
HAL_HOT static __attribute__((noinline)) void ring_told(struct sim_ctx *ctx, uint64_t value,
                                                        uint64_t under_way)
{
    struct sim_afu *a = ctx->afu;

    sim_strict_submitted(&a->strict, a->engine->now, ctx->handle, under_way);
    if (a->tracing)
        doorbell_record(ctx, value);
    ready(ctx);
}

SIM_IN_LINE static inline void ring(struct sim_ctx *ctx, uint64_t value)
{
    struct sim_afu *a = ctx->afu;
    uint64_t under_way;
    uint32_t tail;

    a->counters.doorbells++;
    if (value % 16) {
        sim_violation(a, ctx->handle, SIM_RULE_DOORBELL_ALIGN, value % 16);
        sim_intr_status(ctx, AFU_INTR_PERM_ERR_RCB_READ);
        return;
    }
    if (ctx->bell_count == a->params.cmd_room) {
        sim_violation(a, ctx->handle, SIM_RULE_DOORBELL_CREDIT, ctx->bell_count);
        sim_intr_status(ctx, AFU_INTR_PERM_ERR_CMDROOM);
        return;
    }
    tail = ctx->bell_head + ctx->bell_count++;
    if (tail >= a->params.cmd_room)
        tail -= (uint32_t)a->params.cmd_room;
    ctx->bells[tail] = value;
    under_way = sim_under_way(ctx);
    if (__builtin_expect(a->tracing | sim_strict_too_many(&a->strict, ctx->handle, under_way), 0))
        ring_told(ctx, value, under_way);
    else
        ready(ctx);
}

SIM_COLD static void doorbell_planned(struct sim_ctx *ctx, uint64_t value)
{
    if (!sim_bell_planned(ctx, &value))
        ring(ctx, value);
}

HAL_HOT void sim_doorbell(struct sim_ctx *ctx, uint64_t value)
{
    if (sim_site_planned(ctx->afu, SIM_SITE_BELL))
        doorbell_planned(ctx, value);
    else
        ring(ctx, value);
}

/* Clears members of a command, from `first` up to and including `last`. */
#define CLEAR(c, first, last)                                                                      \
    memset((char *)(c) + offsetof(struct sim_cmd, first), 0,                                       \
           offsetof(struct sim_cmd, last) + sizeof(c)->last - offsetof(struct sim_cmd, first))

static inline struct sim_cmd *take_slot(struct sim_afu *a)
{
    struct sim_cmd *c = a->free_cmd[--a->free_count];

    CHECK(c->state == SIM_CMD_FREE && !sim_event_pending(&c->event));
    c->state = SIM_CMD_FETCH;
    CLEAR(c, port, segment);
    CLEAR(c, hold_until, status.answer);
    return c;
}

static uint64_t take_doorbell(struct sim_ctx *ctx)
{
    uint64_t ea = ctx->bells[ctx->bell_head];

    if (--ctx->bell_count == 0 || ++ctx->bell_head == ctx->afu->params.cmd_room)
        ctx->bell_head = 0; /* an empty ring begins in its first cache line again */
    return ea;
}

/* A fault lost what the bus has brought: the command stays in its slot. */
static void never_decoded(struct sim_event *ev) { (void)ev; }

/* Issues the read of one IOARCB; the command is decoded when it is here. */
SIM_IN_LINE static inline void fetch_read(struct sim_cmd *c, uint64_t late, sim_event_fn *fn)
{
    sim_wait_bus(c, SIM_BUS_READ, SIM_STRICT_IOARCB, c->ea, sizeof(struct afu_ioarcb),
                 c->afu->params.cmd_decode + late, SIM_RANK_DECODE, fn);
}

SIM_COLD static void fetch_planned(struct sim_cmd *c)
{
    struct sim_afu *a = c->afu;
    uint64_t arg = 0, late = 0;

    switch (sim_site_armed(a, SIM_SITE_FETCH, &arg)) {
    case SIM_EFFECT_NEVER:
        c->state = SIM_CMD_STUCK;
        break;
    case SIM_EFFECT_ERROR:
        c->psl.code = sim_psl_planned(arg, AFU_PSL_AERROR);
        break;
    case SIM_EFFECT_VALUE:
        c->plan.wrong = true;
        c->plan.value = arg;
        break;
    case SIM_EFFECT_LATE:
        late = sim_late(a, arg);
        break;
    default:
        break;
    }
    fetch_read(c, late, c->state == SIM_CMD_STUCK ? never_decoded : sim_decode);
}

SIM_IN_LINE static inline void fetch_ioarcb(struct sim_cmd *c)
{
    if (sim_site_planned(c->afu, SIM_SITE_FETCH))
        fetch_planned(c);
    else
        fetch_read(c, 0, sim_decode);
}

void sim_fetch_ioarcb(struct sim_cmd *c) { fetch_ioarcb(c); }

HAL_HOT static __attribute__((noinline)) void record_fetch(const struct sim_cmd *c)
{
    sim_record_address_b(c->afu, SIM_EVENT_FETCH, c->slot, c->ctx->handle, c->ea,
                         &c->ctx->command_hint);
}

SIM_IN_LINE static inline void fetch(struct sim_afu *a, struct sim_ctx *ctx, struct sim_cmd *c)
{
    c->ctx = ctx;
    c->sq = !ctx->bell_count;
    c->ea = c->sq ? sim_sq_take(ctx) : take_doorbell(ctx);
    if (!ctx->bell_count && sim_sq_empty(ctx))
        sim_fetch_idle(ctx);
    ctx->in_flight++;
    sim_memory_expect(ctx->rrq_at);
    a->counters.fetched++;
    if (a->tracing)
        record_fetch(c);
    fetch_ioarcb(c);
}

/* Whether the fetch unit has something to do, and a slot for it. */
static inline bool can_fetch(const struct sim_afu *a) { return a->ready_words && a->free_count; }

void sim_fetch_one(struct sim_afu *a)
{
    CHECK(can_fetch(a));
    fetch(a, next_ready(a), take_slot(a));
}

/* The next read goes to the bus when the one before it has left. */
HAL_HOT static void look(struct sim_event *ev)
{
    struct sim_afu *a = HAL_CONTAINER_OF(ev, struct sim_afu, fetch_event);

    if (!can_fetch(a))
        return;
    fetch(a, next_ready(a), take_slot(a));
    if (can_fetch(a))
        sim_engine_at(a->engine, ev, hal_max64(a->engine->now + 1, a->bus_free[SIM_BUS_READ]),
                      SIM_RANK_FETCH, look);
}
