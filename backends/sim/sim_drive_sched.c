/* SPDX-License-Identifier: Apache-2.0 */
/* Fibers drive the model: each access is a scheduling point, and time goes on when all wait. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "backends/sim/sim_drive.h"
#include "hal/exec.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/hot.h"
#include "sim/sched/sched.h"
#include "sim/sim_control.h"
#include "sim/world.h"

/* An empty poll waits at most so long for news: a poller with a time-out of its own must see time
 * pass when the device is silent. */
#define POLL_SLICE_NS UINT64_C(100000)

/* Stores that the AFU may not have seen yet, of all fibers: like the copies of a cache line, stores
 * to one word have one order, whoever makes them. */
#define STORE_BUFFER 64

/* So many cycles after the last store the buffer drains by itself. No processor keeps a store for
 * ever; and the fiber that made it may have ended without a publish. */
#define STORE_LIFE 1024

struct store {
    uint64_t *addr;
    uint64_t value;
    unsigned fiber; /* who made it */
};

struct drive {
    struct sim_drive base;
    struct sched *sched;
    uint64_t last_store; /* cycle */
    unsigned stores;
    struct store store[STORE_BUFFER]; /* oldest first */
};

static struct drive *of(struct sim_drive *d) { return HAL_CONTAINER_OF(d, struct drive, base); }

/* ---- the store buffer: POWER is weakly ordered -------------------------------------------------
 */

/* The oldest store to the same word as store i: program order holds within a word. */
static unsigned oldest_to(const struct drive *d, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (d->store[k].addr == d->store[i].addr)
            return k;
    return i;
}

static void drain(struct drive *d, unsigned i)
{
    i = oldest_to(d, i);
    __atomic_store_n(d->store[i].addr, d->store[i].value, __ATOMIC_RELEASE);
    d->stores--;
    memmove(&d->store[i], &d->store[i + 1], (d->stores - i) * sizeof d->store[i]);
}

static void drain_any(struct drive *d) { drain(d, sched_choose(d->sched, d->stores)); }

static unsigned stores_of(const struct drive *d, unsigned fiber)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->stores; i++)
        n += d->store[i].fiber == fiber;
    return n;
}

/* Drains one of the n > 0 stores of a fiber. */
static void drain_of(struct drive *d, unsigned fiber, unsigned n)
{
    unsigned skip = sched_choose(d->sched, n), i = 0;

    while (d->store[i].fiber != fiber || skip-- > 0)
        i++;
    drain(d, i);
}

/* ---- the scheduler's clock --------------------------------------------------------------------
 */

/* Until the store buffer drains by itself, then on to `until`. Kept apart, as nearly always it is
 * empty. */
static __attribute__((noinline)) void run_device_with_stores(struct drive *d, uint64_t until)
{
    struct sim_engine *engine = &d->base.machine->engine;
    uint64_t drained = d->last_store + STORE_LIFE;

    if (drained < until) {
        if (drained > engine->now && sim_engine_run(engine, drained))
            return;
        while (d->stores)
            drain_any(d);
    }
    sim_engine_run(engine, until);
}

/* Runs the device to a cycle, or until it wakes somebody. */
static void run_device(struct drive *d, uint64_t until)
{
    if (d->stores)
        run_device_with_stores(d, until);
    else
        sim_engine_run(&d->base.machine->engine, until);
}

HAL_HOT static void clock_advance(void *arg, uint64_t until_ns)
{
    run_device(arg, hal_div_up(until_ns, SIM_CYCLE_NS));
}

static bool clock_idle(void *arg)
{
    struct drive *d = arg;

    return sim_engine_next(&d->base.machine->engine) == SIM_NEVER;
}

static const struct sched_clock device_clock = {SIM_CYCLE_NS, clock_advance, clock_idle};

/* Kept apart, as nearly always nobody watches. */
static __attribute__((noinline)) void tell(struct drive *d, uint64_t key)
{
    if (sim_drive_tell(&d->base, key) && sched_any_descriptor(d->sched))
        sim_engine_stop(&d->base.machine->engine);
}

/* The model reports news: the engine stops only when a fiber waits for it. */
HAL_HOT static void on_wake(void *arg, uint64_t key)
{
    struct drive *d = arg;

    if (sched_wake_key(d->sched, key))
        sim_engine_stop(&d->base.machine->engine);
    if (d->base.watches)
        tell(d, key);
}

/* ---- operations -------------------------------------------------------------------------------
 */

/* Fibers switch only at scheduling points, and the model has none. */
static void enter(struct sim_drive *b) { (void)b; }

static void leave(struct sim_drive *b) { (void)b; }

static void point(struct sim_drive *b) { sched_point(of(b)->sched); }

/* A key that nobody wakes. */
#define KEY_TIME UINT64_MAX

HAL_HOT static void until(struct sim_drive *b, uint64_t cycle)
{
    struct drive *d = of(b);

    if (b->machine->engine.now >= cycle)
        sched_point(d->sched);
    else
        CHECK(sched_poll_key(d->sched, KEY_TIME, cycle * SIM_CYCLE_NS, "a register access") ==
              -ETIMEDOUT);
    /* News of somebody else may have stopped the clock within that cycle. */
    while (sim_engine_run(&b->machine->engine, cycle))
        ;
}

static int wait(struct sim_drive *b, uint64_t key, uint64_t deadline)
{
    return sched_wait_key(of(b)->sched, key, deadline, true, "an event of the adapter");
}

HAL_HOT static void poll(struct sim_drive *b, uint64_t key)
{
    uint64_t slice = b->machine->engine.now * SIM_CYCLE_NS + POLL_SLICE_NS;
    int rc = sched_poll_key(of(b)->sched, key, slice, "a completion (polling)");

    CHECK(rc == 0 || rc == -ETIMEDOUT);
}

/* Every second time the device gets some cycles between two stores, so that it can see the tables
 * half changed: 4, 8 .. 512 of them, which is from less than one table walk to a few. */
static void let_device_look(struct drive *d)
{
    uint32_t chosen = sched_choose(d->sched, 16);
    uint64_t cycles = chosen < 8 ? 0 : UINT64_C(1) << (chosen - 6);

    until(&d->base, d->base.machine->engine.now + cycles);
}

static void store(struct sim_drive *b, uint64_t *addr, uint64_t value)
{
    struct drive *d = of(b);
    unsigned self = sched_self(d->sched);

    if (d->stores == STORE_BUFFER)
        drain_any(d);
    d->store[d->stores++] = (struct store){addr, value, self};
    d->last_store = b->machine->engine.now;
    if (sched_choose(d->sched, 2))
        drain_of(d, self, stores_of(d, self));
    let_device_look(d);
}

static uint64_t thread(struct sim_drive *b) { return sched_self(of(b)->sched); }

static __attribute__((noinline)) uint64_t publish_stores(struct drive *d)
{
    unsigned self = sched_self(d->sched), n;
    uint64_t made = stores_of(d, self);

    while ((n = stores_of(d, self))) {
        drain_of(d, self, n);
        let_device_look(d);
    }
    return made;
}

static uint64_t publish(struct sim_drive *b) { return of(b)->stores ? publish_stores(of(b)) : 0; }

HAL_HOT static void enter_to_store(struct sim_drive *b)
{
    sched_point(of(b)->sched);
    publish(b);
}

/* Whoever waits for a descriptor lets the scheduler run the model. */
static int attend(struct sim_drive *b)
{
    (void)b;
    return 0;
}

/* The clock stands still from here on. */
static void destroy(struct sim_drive *b)
{
    struct drive *d = of(b);

    sched_set_clock(d->sched, NULL, NULL, NULL);
    sim_world_free(b->machine->world, d, sizeof *d);
}

static const struct sim_drive_ops ops = {
    .enter = enter,
    .leave = leave,
    .point = point,
    .enter_to_store = enter_to_store,
    .until = until,
    .wait = wait,
    .park = wait, /* a fiber that waits costs nothing */
    .poll = poll,
    .store = store,
    .thread = thread,
    .publish = publish,
    .attend = attend,
    .destroy = destroy,
};

int sim_drive_sched(struct sched *s, struct sim_machine *m, struct sim_drive **out)
{
    struct drive *d = sim_world_alloc(m->world, sizeof *d, 64);

    if (!d)
        return -ENOMEM;
    d->base = (struct sim_drive){.ops = &ops, .exec = sched_exec(s), .machine = m};
    d->sched = s;
    m->wake = on_wake;
    m->wake_arg = d;
    sched_set_clock(s, &device_clock, &m->engine.now, d);
    *out = &d->base;
    return 0;
}
