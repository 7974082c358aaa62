/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupt messages and the error status registers behind them (SL 2.1, 14, 16; MD-15, R-19).
 * A message for a number that is already on its way or unread collapses into it (CX-72). */
#include "hal/support/check.h"
#include "sim/afu/sim_afu.h"

static void deliver(struct sim_ctx *ctx, unsigned lisn)
{
    struct sim_afu *a = ctx->afu;

    ctx->lisn_pending |= 1u << lisn;
    a->counters.interrupts++;
    sim_record(a, SIM_EVENT_INTERRUPT, ctx->handle, lisn, ctx->lisn_pending);
    a->wake(a->wake_arg, ctx->wake_key);
}

/* One function a LISN: the event alone says which it is. */
static void deliver_1(struct sim_event *ev)
{
    deliver(HAL_CONTAINER_OF(ev, struct sim_ctx, lisn_event[1]), 1);
}

static void deliver_2(struct sim_event *ev)
{
    deliver(HAL_CONTAINER_OF(ev, struct sim_ctx, lisn_event[2]), 2);
}

static void deliver_3(struct sim_event *ev)
{
    deliver(HAL_CONTAINER_OF(ev, struct sim_ctx, lisn_event[3]), 3);
}

struct sim_message sim_interrupt_ask(struct sim_ctx *ctx, unsigned lisn)
{
    struct sim_message message = {.effect = SIM_EFFECT_NONE};
    uint64_t wrong;

    if (!lisn || lisn > SIM_LISN_MAX || lisn > ctx->interrupts) {
        sim_violation(ctx->afu, ctx->handle, SIM_RULE_LISN, lisn);
        return message;
    }
    if (sim_event_pending(&ctx->lisn_event[lisn]))
        return message;
    wrong = sim_lisn_error(ctx, lisn);
    if (wrong) {
        if (~ctx->intr_status & wrong) /* once: the error may have no way out itself */
            sim_intr_status(ctx, wrong);
        return message;
    }
    message.wanted = true;
    message.effect = sim_site(ctx->afu, SIM_SITE_LISN, &message.arg);
    return message;
}

void sim_interrupt_send(struct sim_ctx *ctx, unsigned lisn, struct sim_message message)
{
    static sim_event_fn *const fn[SIM_LISN_MAX + 1] = {NULL, deliver_1, deliver_2, deliver_3};
    struct sim_afu *a = ctx->afu;
    uint64_t delay = a->params.irq_delivery;

    switch (message.effect) {
    case SIM_EFFECT_DROP:
        return;
    case SIM_EFFECT_EARLY:
        deliver(ctx, lisn);
        return;
    case SIM_EFFECT_LATE:
        delay += sim_late(a, message.arg);
        break;
    case SIM_EFFECT_TWICE:
        deliver(ctx, lisn);
        break;
    default:
        break;
    }
    sim_engine_at(a->engine, &ctx->lisn_event[lisn], a->engine->now + delay, SIM_RANK_INTERRUPT,
                  fn[lisn]);
}

void sim_interrupt(struct sim_ctx *ctx, unsigned lisn)
{
    struct sim_message message = sim_interrupt_ask(ctx, lisn);

    if (message.wanted)
        sim_interrupt_send(ctx, lisn, message);
}

/* ---- synchronous errors of a context ----------------------------------------------------------
 */

void sim_intr_reevaluate(struct sim_ctx *ctx)
{
    if ((ctx->intr_status & ~ctx->intr_mask) && ctx->lisn_sync)
        sim_interrupt(ctx, (unsigned)ctx->lisn_sync);
}

void sim_intr_status(struct sim_ctx *ctx, uint64_t bits)
{
    bool quiet = !(ctx->intr_status & ~ctx->intr_mask);

    ctx->intr_status |= bits;
    sim_record(ctx->afu, SIM_EVENT_INTR_STATUS, ctx->handle, bits, ctx->intr_status);
    if (quiet)
        sim_intr_reevaluate(ctx);
}

/* ---- asynchronous events of the adapter -------------------------------------------------------
 */

void sim_aintr_reevaluate(struct sim_afu *a)
{
    uint16_t handle = afu_ctrl_handle(a->afu_ctrl);
    struct sim_ctx *ctx = handle < SIM_CONTEXTS_MAX ? a->ctx[handle] : NULL;

    if ((a->aintr_status & ~a->aintr_mask) && ctx && ctx->started && afu_ctrl_lisn(a->afu_ctrl))
        sim_interrupt(ctx, afu_ctrl_lisn(a->afu_ctrl));
}

static void raise_bits(struct sim_afu *a, uint64_t bits)
{
    bool quiet = !(a->aintr_status & ~a->aintr_mask);

    a->aintr_status |= bits;
    sim_record(a, SIM_EVENT_AINTR_STATUS, 0, bits, a->aintr_status);
    if (quiet)
        sim_aintr_reevaluate(a);
}

static void raise_again(struct sim_event *ev)
{
    struct sim_afu *a = HAL_CONTAINER_OF(ev, struct sim_afu, aintr_event);
    uint64_t bits = a->aintr_again;

    a->aintr_again = 0;
    raise_bits(a, bits);
}

/* Planned: what is under way already goes with it. */
static void raise_later(struct sim_afu *a, uint64_t bits, uint64_t cycles)
{
    a->aintr_again |= bits;
    if (!sim_event_pending(&a->aintr_event))
        sim_engine_at(a->engine, &a->aintr_event, a->engine->now + cycles, SIM_RANK_INTERRUPT,
                      raise_again);
}

#define SPURIOUS AFU_AINTR(3, AFU_AINTR_LINK_UP) /* of a port that most cards have not */

void sim_aintr_status(struct sim_afu *a, uint64_t bits)
{
    uint64_t arg = 0;

    switch (sim_site(a, SIM_SITE_AINTR, &arg)) {
    case SIM_EFFECT_DROP:
        break;
    case SIM_EFFECT_LATE:
        raise_later(a, bits, sim_late(a, arg));
        break;
    case SIM_EFFECT_TWICE:
        raise_bits(a, bits);
        raise_later(a, bits, sim_late(a, arg));
        break;
    case SIM_EFFECT_VALUE:
        raise_bits(a, arg ? arg : SPURIOUS);
        break;
    default:
        raise_bits(a, bits);
        break;
    }
}

/* ---- faults that the system could not resolve -------------------------------------------------
 */

#define DSISR_NO_TRANSLATION UINT64_C(0x40000000)
#define DSISR_STORE UINT64_C(0x02000000)

static void storage_arrived(struct sim_event *ev)
{
    struct sim_ctx *ctx = HAL_CONTAINER_OF(ev, struct sim_ctx, storage_event);
    struct sim_afu *a = ctx->afu;

    for (; ctx->storage_ready < ctx->storage_count; ctx->storage_ready++) {
        const struct sim_storage_fault *f = &ctx->storage[ctx->storage_ready];

        if (a->tracing)
            sim_record(a, SIM_EVENT_DATA_STORAGE, ctx->handle,
                       sim_memory_canonical(&a->memory, f->address, &ctx->data_hint), f->dsisr);
    }
    a->wake(a->wake_arg, ctx->wake_key);
}

void sim_storage_fault(struct sim_ctx *ctx, uint64_t address, uint64_t store)
{
    struct sim_afu *a = ctx->afu;
    struct sim_storage_fault *f;

    if (ctx->storage_count == SIM_FAULTS_QUEUED)
        return; /* the program is told about the first ones; more change nothing for it */
    f = &ctx->storage[ctx->storage_count++];
    f->address = address;
    f->dsisr = DSISR_NO_TRANSLATION | (store ? DSISR_STORE : 0);
    if (!sim_event_pending(&ctx->storage_event))
        sim_engine_at(a->engine, &ctx->storage_event, a->engine->now + a->params.xlate_bad,
                      SIM_RANK_INTERRUPT, storage_arrived);
}
