/* SPDX-License-Identifier: Apache-2.0 */
/* Register accesses on their way to the AFU: posted stores and loads in one queue, one accepted a
 * cycle (TM-8). The latency is constant, so the queue is in order of arrival. */
#include <errno.h>

#include "hal/support/check.h"
#include "sim/afu/sim_wait.h"
#include "sim/sim_bus.h"
#include "sim/sim_control.h"

/* Room for one more access; else the cycle at which there will be. */
static int ring_room(struct sim_afu *a, uint64_t *when)
{
    if (a->mmio_count < SIM_MMIO_RING)
        return 0;
    *when = a->mmio[a->mmio_head].cycle;
    return -EAGAIN;
}

static void arrive(struct sim_event *ev);

/* Wakes the decoder when the access at the head, m, is there. */
static inline void expect(struct sim_afu *a, const struct sim_mmio *m)
{
    if (!sim_stepped(a))
        sim_engine_at(a->engine, &a->mmio_event, m->cycle, SIM_RANK_MMIO, arrive);
}

/* The next place of the ring, which ring_push() will take: everything but what a store and a load
 * have of their own is filled in. */
static inline struct sim_mmio *ring_next(struct sim_ctx *ctx, uint64_t offset, uint64_t travel)
{
    struct sim_afu *a = ctx->afu;
    struct sim_mmio *m = &a->mmio[(a->mmio_head + a->mmio_count) % SIM_MMIO_RING];
    uint64_t now = a->engine->now, arrives = hal_max64(now + travel, ctx->added_at);

    m->travel = arrives - now;
    m->cycle = hal_max64(arrives, a->mmio_soonest);
    m->ctx = ctx;
    m->offset = ctx->master ? offset : AFU_HOST_BASE(ctx->handle) + offset;
    return m;
}

static inline void ring_push(struct sim_afu *a, const struct sim_mmio *m)
{
    a->mmio_soonest = m->cycle + sim_mmio_pace(&a->params);
    if (a->mmio_count++ == 0)
        expect(a, m);
}

/* A fault lets the youngest store arrive before the store that was posted before it. Times stay
 * with their places, and loads stay where they are. */
static void overtake(struct sim_afu *a)
{
    struct sim_mmio *m, *before, store;

    if (a->mmio_count < 2)
        return;
    m = &a->mmio[(a->mmio_head + a->mmio_count - 1) % SIM_MMIO_RING];
    before = &a->mmio[(a->mmio_head + a->mmio_count - 2) % SIM_MMIO_RING];
    if (before->answer)
        return;
    store = *m;
    m->ctx = before->ctx;
    m->offset = before->offset;
    m->value = before->value;
    before->ctx = store.ctx;
    before->offset = store.offset;
    before->value = store.value;
}

SIM_IN_LINE static inline void post(struct sim_ctx *ctx, uint64_t offset, uint64_t value,
                                    uint64_t travel)
{
    struct sim_mmio *m;

    sim_strict_publish(&ctx->afu->strict); /* a store to a register is a barrier too */
    m = ring_next(ctx, offset, travel);
    m->value = value;
    m->answer = NULL;
    ring_push(ctx->afu, m);
}

SIM_COLD static void store_planned(struct sim_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct sim_afu *a = ctx->afu;
    uint64_t arg = 0, travel = a->params.mmio_write_latency;

    switch (sim_site_armed(a, SIM_SITE_MW, &arg)) {
    case SIM_EFFECT_DROP:
        break;
    case SIM_EFFECT_LATE:
        post(ctx, offset, value, travel + sim_late(a, arg));
        break;
    case SIM_EFFECT_EARLY:
        post(ctx, offset, value, hal_min64(travel, 1));
        overtake(a);
        break;
    default:
        post(ctx, offset, value, travel);
        break;
    }
}

HAL_HOT int sim_bus_store(struct sim_ctx *ctx, uint64_t offset, uint64_t value, uint64_t *when)
{
    struct sim_afu *a = ctx->afu;
    int rc = ring_room(a, when);

    if (rc)
        return rc;
    if (!ctx->started || ctx->lost)
        return 0;
    if (sim_site_planned(a, SIM_SITE_MW))
        store_planned(ctx, offset, value);
    else
        post(ctx, offset, value, a->params.mmio_write_latency);
    return 0;
}

int sim_bus_load(struct sim_ctx *ctx, uint64_t offset, uint64_t *answer, bool *done, uint64_t *when)
{
    struct sim_afu *a = ctx->afu;
    struct sim_mmio *m;
    enum sim_effect effect;
    uint64_t arg = 0, back;
    int rc = ring_room(a, when);

    if (rc)
        return rc;
    *done = false;
    if (!ctx->started || ctx->lost) {
        *answer = UINT64_MAX;
        *done = true;
        *when = a->engine->now;
        return 0;
    }
    effect = sim_site(a, SIM_SITE_MR, &arg);
    m = ring_next(ctx, offset,
                  a->params.mmio_write_latency +
                      (effect == SIM_EFFECT_LATE ? sim_late(a, arg) : 0));
    m->effect = effect;
    m->value = arg;
    m->answer = answer;
    m->done = done;
    ring_push(a, m);
    back = hal_max64(a->params.mmio_read_latency, a->params.mmio_write_latency) -
           a->params.mmio_write_latency;
    *when = m->cycle + back;
    return 0;
}

/* The value that the program gets, unless a fault says otherwise. */
static uint64_t load(struct sim_afu *a, const struct sim_mmio *m)
{
    uint64_t value = sim_register_read(a, m->ctx, m->offset);

    switch (m->effect) {
    case SIM_EFFECT_ONES:
        return UINT64_MAX;
    case SIM_EFFECT_VALUE:
        return m->value;
    default:
        return value;
    }
}

/* What the strict checker sees of a store; doorbells it is told about when they are taken. */
static void tell_store(struct sim_afu *a, const struct sim_mmio *m)
{
    const struct sim_ctx *ctx = NULL;

    if (m->offset < AFU_CTRL_START) {
        if (m->offset % AFU_HOST_SIZE == AFU_HOST_IOARRIN)
            return;
        ctx = a->ctx[m->offset / AFU_HOST_SIZE];
    }
    sim_strict_register(&a->strict, a->engine->now, m->offset, m->value,
                        ctx ? sim_under_way(ctx) : 0);
}

/* Whether it rings the doorbell of its own context: the most frequent access, which needs no
 * look at the map. */
static inline bool own_doorbell(const struct sim_mmio *m)
{
    return !m->answer && m->offset == AFU_HOST_BASE(m->ctx->handle) + AFU_HOST_IOARRIN;
}

/* Kept apart: with all that registers do it would cost a doorbell six saved ones. */
static __attribute__((noinline)) void access(struct sim_afu *a, const struct sim_mmio *m)
{
    if (!m->answer) {
        tell_store(a, m);
        sim_register_write(a, m->ctx, m->offset, m->value);
        return;
    }
    *m->answer = load(a, m);
    *m->done = true;
    if (sim_watched_by(a))
        sim_tell(a, &(struct sim_watched){.what = SIM_WATCH_LOAD,
                                          .context = m->ctx->handle,
                                          .ea = m->offset,
                                          .value = *m->answer});
    sim_record(a, SIM_EVENT_MMIO_READ, m->ctx->handle, m->offset, *m->answer);
}

/* Something happens to the slot before the access reaches it. */
SIM_COLD static void slot_planned(struct sim_afu *a)
{
    uint64_t arg = 0;
    enum sim_effect effect = sim_site_armed(a, SIM_SITE_PERR, &arg);

    sim_afu_platform(a, effect, arg);
}

/* The access does not come through. */
static void lose(const struct sim_mmio *m)
{
    if (!m->answer)
        return;
    *m->answer = UINT64_MAX;
    *m->done = true;
}

/* The access at the head has been taken, and others wait behind it. */
static __attribute__((noinline)) void expect_next(struct sim_afu *a)
{
    a->mmio_head = (a->mmio_head + 1) % SIM_MMIO_RING;
    expect(a, &a->mmio[a->mmio_head]);
}

void sim_mmio_accept(struct sim_afu *a)
{
    const struct sim_mmio *m; /* the host posts nothing meanwhile */

    CHECK(a->mmio_count > 0);
    sim_strict_mmio(&a->strict, a->engine->now, sim_mmio_pace(&a->params));
    m = &a->mmio[a->mmio_head];
    if (--a->mmio_count)
        expect_next(a);
    else
        a->mmio_head = 0; /* few cache lines instead of the whole ring */
    if (!m->ctx)
        return;
    if (sim_site_planned(a, SIM_SITE_PERR))
        slot_planned(a);
    if (!sim_slot_up(a))
        lose(m);
    else if (!own_doorbell(m))
        access(a, m);
    else if (m->ctx->started)
        sim_ioarrin(m->ctx, m->value);
}

HAL_HOT static void arrive(struct sim_event *ev)
{
    sim_mmio_accept(HAL_CONTAINER_OF(ev, struct sim_afu, mmio_event));
}

void sim_mmio_forget(struct sim_ctx *ctx)
{
    struct sim_afu *a = ctx->afu;

    for (uint32_t i = 0; i < a->mmio_count; i++) {
        struct sim_mmio *m = &a->mmio[(a->mmio_head + i) % SIM_MMIO_RING];

        if (m->ctx != ctx)
            continue;
        m->ctx = NULL;
        lose(m);
        m->answer = NULL;
    }
}
