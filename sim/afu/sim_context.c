/* SPDX-License-Identifier: Apache-2.0 */
/* Process elements and resets: create, start, stop, context reset (SL 11), AFU reset (MD-17). */
#include <errno.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"
#include "sim/sim_bus.h"
#include "sim/world.h"

/* ---- life of a context ------------------------------------------------------------------------
 */

static int free_handle(const struct sim_afu *a)
{
    for (uint64_t h = a->params.ctx_first; h < a->params.contexts; h++)
        if (!a->ctx[h])
            return (int)h;
    return -ENODEV;
}

int sim_bus_ctx_create(struct sim_afu *a, bool master, struct sim_ctx **out)
{
    int handle = free_handle(a);
    uint64_t arg = 0;
    struct sim_ctx *ctx;

    if (handle < 0 || !sim_slot_up(a) || sim_site(a, SIM_SITE_CTX, &arg) == SIM_EFFECT_REFUSE)
        return -ENODEV;
    ctx = sim_world_alloc(a->world, sizeof *ctx, 64);
    if (!ctx)
        return -ENOMEM;
    ctx->bells = sim_world_alloc(a->world, a->params.cmd_room * sizeof *ctx->bells, 64);
    if (!ctx->bells) {
        sim_world_free(a->world, ctx, sizeof *ctx);
        return -ENOMEM;
    }
    ctx->afu = a;
    ctx->handle = (uint16_t)handle;
    ctx->master = master;
    ctx->wake_key = (((uint64_t)a->number << 16) | (uint64_t)handle) + 1;
    a->ctx[handle] = ctx;
    a->ctx_open++;
    *out = ctx;
    return 0;
}

/* MD-18: host map to reset values, capabilities zero and locked, no translations. */
static void clear_registers(struct sim_ctx *ctx)
{
    ctx->order = HAL_ORDER_LITTLE;
    ctx->endian_ctrl = ctx->intr_status = ctx->lisn_sync = ctx->mbox = 0;
    ctx->intr_mask = AFU_INTR_MASK_RESET;
    ctx->rrq_start = ctx->rrq_end = ctx->rrq_at = 0;
    ctx->toggle = true;
    ctx->sq_start = ctx->sq_base = ctx->sq_end = ctx->sq_head = ctx->sq_tail = 0;
    ctx->rht_start = ctx->rht_cnt_id = ctx->ctx_cap = 0;
    memset(ctx->lisn_pasid, 0, sizeof ctx->lisn_pasid);
    memset(ctx->lisn_ea, 0, sizeof ctx->lisn_ea);
    ctx->cap_unlocked = ctx->reset_ones = false;
    ctx->lisn_pending = ctx->storage_count = ctx->storage_ready = 0;
    ctx->bell_head = 0;
}

static void tell(const struct sim_ctx *ctx, enum sim_watch_what what)
{
    if (sim_watched_by(ctx->afu))
        sim_tell(ctx->afu, &(struct sim_watched){.what = what, .context = ctx->handle});
}

int sim_bus_ctx_start(struct sim_ctx *ctx, unsigned interrupts)
{
    struct sim_afu *a = ctx->afu;

    CHECK(!ctx->started);
    if (ctx->lost)
        return -EIO;
    if ((!ctx->master && interrupts < a->params.irqs_min) || interrupts > a->params.irqs_max)
        return -EINVAL;
    if (a->irqs_used + interrupts > a->params.irq_budget)
        return -ENOSPC;
    a->irqs_used += interrupts;
    ctx->interrupts = interrupts;
    clear_registers(ctx);
    sim_xlt_drop(a, ctx, SIM_XLT_ALL_HANDLES);
    ctx->started = true;
    ctx->added_at = a->engine->now + a->params.ctx_add;
    sim_strict_ctx_add(&a->strict, ctx->handle);
    sim_record(a, SIM_EVENT_CTX_START, ctx->handle, ctx->master, interrupts);
    tell(ctx, SIM_WATCH_CTX_START);
    return 0;
}

static void cancel_events(struct sim_ctx *ctx)
{
    struct sim_engine *e = ctx->afu->engine;

    sim_engine_cancel(e, &ctx->reset_event);
    sim_engine_cancel(e, &ctx->storage_event);
    sim_engine_cancel(e, &ctx->events_event);
    for (unsigned i = 0; i <= SIM_LISN_MAX; i++)
        sim_engine_cancel(e, &ctx->lisn_event[i]);
}

/* Nothing of it is left in the AFU, and whoever waits for its events is woken. */
static void end(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;

    sim_record(a, SIM_EVENT_CTX_END, ctx->handle, ctx->in_flight, 0);
    sim_mmio_forget(ctx);
    sim_doorbells_drop(ctx);
    sim_abort_context(ctx);
    sim_strict_ctx_terminate(&a->strict, ctx->handle);
    cancel_events(ctx);
    sim_xlt_drop(a, ctx, SIM_XLT_ALL_HANDLES);
    sim_erat_forget(ctx);
    if (afu_ctrl_handle(a->afu_ctrl) == ctx->handle && afu_ctrl_lisn(a->afu_ctrl))
        a->afu_ctrl = 0; /* SL 4: nobody is there to be interrupted */
    clear_registers(ctx);
    ctx->resetting = false;
    ctx->started = false;
    a->irqs_used -= ctx->interrupts;
    a->wake(a->wake_arg, ctx->wake_key);
}

void sim_bus_ctx_stop(struct sim_ctx *ctx)
{
    if (!ctx->started)
        return;
    end(ctx);
    tell(ctx, SIM_WATCH_CTX_END);
}

void sim_context_kill(struct sim_ctx *ctx)
{
    if (ctx->started)
        end(ctx);
    ctx->lost = true;
}

void sim_bus_ctx_release(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;

    sim_bus_ctx_stop(ctx);
    a->ctx[ctx->handle] = NULL;
    a->ctx_open--;
    sim_world_free(a->world, ctx->bells, a->params.cmd_room * sizeof *ctx->bells);
    sim_world_free(a->world, ctx, sizeof *ctx);
}

uint16_t sim_bus_ctx_handle(const struct sim_ctx *ctx) { return ctx->handle; }

uint64_t sim_bus_ctx_key(const struct sim_ctx *ctx) { return ctx->wake_key; }

/* ---- events that a program reads --------------------------------------------------------------
 */

static const struct sim_bus_event no_event = {SIM_BUS_EVENT_NONE, 0, 0, 0};
static const struct sim_bus_event lost_event = {SIM_BUS_EVENT_LOST, 0, 0, 0};

/* The event that is next, without taking it. */
static struct sim_bus_event next_event(const struct sim_ctx *ctx)
{
    const struct sim_storage_fault *f = &ctx->storage[0];

    if (ctx->storage_ready)
        return (struct sim_bus_event){SIM_BUS_EVENT_DATA_STORAGE, 0, f->address, f->dsisr};
    return (struct sim_bus_event){SIM_BUS_EVENT_INTERRUPT, hal_lowest_bit(ctx->lisn_pending), 0, 0};
}

static void take_event(struct sim_ctx *ctx, const struct sim_bus_event *ev)
{
    if (ev->kind == SIM_BUS_EVENT_INTERRUPT) {
        ctx->lisn_pending &= ~(1u << ev->number);
        return;
    }
    ctx->storage_count--;
    ctx->storage_ready--;
    memmove(ctx->storage, ctx->storage + 1, ctx->storage_count * sizeof ctx->storage[0]);
}

/* Something that nobody sends: a number without an interrupt, an address that was not touched. */
static void distort(struct sim_bus_event *ev, uint64_t arg)
{
    if (ev->kind == SIM_BUS_EVENT_INTERRUPT)
        ev->number = arg ? (uint32_t)arg : SIM_LISN_MAX + 1;
    else
        ev->address ^= arg ? arg : 1;
}

static void events_there(struct sim_event *ev)
{
    struct sim_ctx *ctx = HAL_CONTAINER_OF(ev, struct sim_ctx, events_event);

    ctx->afu->wake(ctx->afu->wake_arg, ctx->wake_key);
}

/* No event can be read before the delay is over. */
static void events_late(struct sim_ctx *ctx, uint64_t cycles)
{
    struct sim_afu *a = ctx->afu;

    sim_engine_at(a->engine, &ctx->events_event, a->engine->now + cycles, SIM_RANK_INTERRUPT,
                  events_there);
}

bool sim_bus_event_pending(const struct sim_ctx *ctx)
{
    return (ctx->storage_ready || ctx->lisn_pending) && !sim_event_pending(&ctx->events_event);
}

bool sim_bus_event_none(const struct sim_ctx *ctx)
{
    return ctx->started && !ctx->lost && !sim_bus_event_pending(ctx);
}

bool sim_bus_ctx_lost(const struct sim_ctx *ctx) { return ctx->lost; }

struct sim_bus_event sim_bus_event(struct sim_ctx *ctx)
{
    struct sim_bus_event ev;
    uint64_t arg = 0;

    if (sim_bus_event_none(ctx))
        return no_event;
    if (!ctx->started || ctx->lost)
        return lost_event;
    ev = next_event(ctx);
    switch (sim_site(ctx->afu, SIM_SITE_EVT, &arg)) {
    case SIM_EFFECT_ERROR: /* the read fails, the event is still there */
        return lost_event;
    case SIM_EFFECT_DROP:
        take_event(ctx, &ev);
        return no_event;
    case SIM_EFFECT_LATE:
        events_late(ctx, sim_late(ctx->afu, arg));
        return no_event;
    case SIM_EFFECT_TWICE:
        return ev;
    case SIM_EFFECT_VALUE:
        take_event(ctx, &ev);
        distort(&ev, arg);
        return ev;
    default:
        take_event(ctx, &ev);
        return ev;
    }
}

/* ---- context reset (SL 11, R-16) --------------------------------------------------------------
 */

static void reset_over(struct sim_event *ev)
{
    struct sim_ctx *ctx = HAL_CONTAINER_OF(ev, struct sim_ctx, reset_event);

    sim_record(ctx->afu, SIM_EVENT_CTX_RESET, ctx->handle, 0, ctx->in_flight);
    sim_doorbells_drop(ctx);
    sim_abort_context(ctx);
    ctx->resetting = false;
}

void sim_context_reset(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;
    uint64_t arg = 0, time = a->params.ctx_reset;

    if (ctx->resetting)
        return;
    ctx->resetting = true;
    ctx->reset_ones = false;
    sim_record(a, SIM_EVENT_CTX_RESET, ctx->handle, 1, 0);
    switch (sim_site(a, SIM_SITE_CRESET, &arg)) {
    case SIM_EFFECT_NEVER:
        return;
    case SIM_EFFECT_ONES:
        ctx->reset_ones = true;
        return;
    case SIM_EFFECT_LATE:
        time += sim_late(a, arg);
        break;
    default:
        break;
    }
    sim_engine_at(a->engine, &ctx->reset_event, a->engine->now + time, SIM_RANK_CONTEXT,
                  reset_over);
}

/* ---- AFU reset --------------------------------------------------------------------------------
 */

void sim_afu_registers_reset(struct sim_afu *a)
{
    a->aintr_status = a->afu_ctrl = a->hb = a->scratch = a->config = 0;
    a->rrin_read_to = a->cont_retry_to = 0;
    a->aintr_mask = AFU_AINTR_MASK_RESET;
    a->port_sel = a->params.port_sel_reset_zero ? 0 : sim_ports_present(a);
    sim_xlt_drop(a, NULL, SIM_XLT_ALL_HANDLES);
    sim_internal_reset(a);
    for (unsigned p = 0; p < a->params.ports; p++)
        sim_port_reset(&a->port[p], a, p);
}

void sim_afu_restart(struct sim_afu *a)
{
    sim_afu_registers_reset(a);
    a->resetting = false;
    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_AFU_RESET});
}

static void afu_reset_over(struct sim_event *ev)
{
    struct sim_afu *a = HAL_CONTAINER_OF(ev, struct sim_afu, reset_event);

    sim_record(a, SIM_EVENT_AFU_RESET, 0, 0, 0);
    sim_strict_reset(&a->strict, a->engine->now);
    sim_bus_changes(a);
    sim_afu_restart(a);
}

/* A reset that never ends is given up by the system after this time; the next one may work. */
#define RESET_GIVEN_UP (UINT64_C(5) * 250000000) /* 5 s (timing 4) */

/* The last response must have come (TM-10): nothing is sent from the begin of the reset on. */
static uint64_t reset_time(const struct sim_afu *a)
{
    const struct sim_params *p = &a->params;

    return hal_max64(p->afu_reset, hal_max64(p->read_latency, p->write_latency));
}

int sim_bus_afu_reset(struct sim_afu *a, uint64_t *done)
{
    uint64_t arg = 0, time = reset_time(a);
    enum sim_effect effect;

    if (!sim_slot_up(a))
        return -EIO;
    if (a->ctx_open || sim_event_pending(&a->reset_event))
        return -EBUSY;
    effect = sim_site(a, SIM_SITE_AFURST, &arg);
    a->reset_failed = effect == SIM_EFFECT_ERROR;
    a->resetting = true;
    sim_wait_cut(a);
    sim_strict_reset_begins(&a->strict, a->engine->now);
    sim_record(a, SIM_EVENT_AFU_RESET, 0, 1, 0);
    if (effect == SIM_EFFECT_NEVER) {
        *done = a->engine->now + RESET_GIVEN_UP;
        return 0;
    }
    if (effect == SIM_EFFECT_LATE)
        time += sim_late(a, arg);
    *done = a->engine->now + time;
    sim_engine_at(a->engine, &a->reset_event, *done, SIM_RANK_CONTEXT, afu_reset_over);
    return 0;
}

int sim_bus_afu_reset_result(const struct sim_afu *a)
{
    if (a->resetting)
        return -EBUSY;
    return a->reset_failed ? -EIO : 0;
}
