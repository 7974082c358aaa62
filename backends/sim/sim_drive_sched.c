/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>

#include "backends/sim/sim_drive.h"
#include "hal/exec.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sched/sched.h"
#include "sim/sim_control.h"
#include "sim/world.h"

/* An empty poll waits at most so long for news: a poller with a time-out of its own must see time
 * pass when the device is silent. */
#define POLL_SLICE_NS UINT64_C(100000)

/* Stores that one fiber has made and the AFU may not have seen yet. */
#define STORE_BUFFER 16

struct store_buffer {
    unsigned count;
    struct {
        uint64_t *addr;
        uint64_t value;
    } entry[STORE_BUFFER];
};

struct drive {
    struct sim_drive base;
    struct sched *sched;
    bool woke;
};

static struct drive *of(struct sim_drive *d) { return HAL_CONTAINER_OF(d, struct drive, base); }

/* ---- the scheduler's clock --------------------------------------------------------------------
 */

static uint64_t clock_now(void *arg)
{
    const struct drive *d = arg;

    return d->base.machine->engine.now * SIM_CYCLE_NS;
}

static void clock_advance(void *arg, uint64_t until_ns)
{
    struct drive *d = arg;

    d->woke = false;
    sim_engine_run(&d->base.machine->engine, hal_div_up(until_ns, SIM_CYCLE_NS));
}

static bool clock_idle(void *arg)
{
    struct drive *d = arg;

    return sim_engine_next(&d->base.machine->engine) == SIM_NEVER;
}

static const struct sched_clock device_clock = {clock_now, clock_advance, clock_idle};

/* The model reports news: the engine stops only when a fiber waits for it. */
static void on_wake(void *arg, uint64_t key)
{
    struct drive *d = arg;

    if (sched_wake_key(d->sched, key))
        d->base.machine->engine.stop = true;
}

/* ---- operations -------------------------------------------------------------------------------
 */

/* Fibers switch only at scheduling points, and the model has none. */
static void enter(struct sim_drive *b) { (void)b; }

static void leave(struct sim_drive *b) { (void)b; }

/* A key that nobody wakes. */
#define KEY_TIME UINT64_MAX

static void until(struct sim_drive *b, uint64_t cycle)
{
    struct drive *d = of(b);
    int rc;

    if (b->machine->engine.now >= cycle) {
        sched_point(d->sched);
        return;
    }
    rc = sched_wait_key(d->sched, KEY_TIME, cycle * SIM_CYCLE_NS, false, "a register access");
    CHECK(rc == -ETIMEDOUT);
}

static int wait(struct sim_drive *b, uint64_t key, uint64_t deadline)
{
    return sched_wait_key(of(b)->sched, key, deadline, true, "an event of the adapter");
}

static void poll(struct sim_drive *b, uint64_t key)
{
    uint64_t slice = b->machine->engine.now * SIM_CYCLE_NS + POLL_SLICE_NS;
    int rc = sched_wait_key(of(b)->sched, key, slice, false, "a completion (polling)");

    CHECK(rc == 0 || rc == -ETIMEDOUT);
}

/* ---- the store buffer: POWER is weakly ordered -------------------------------------------------
 */

static struct store_buffer *buffer(struct drive *d)
{
    void **local = sched_local(d->sched);

    if (!*local) {
        *local = sim_world_alloc(d->base.machine->world, sizeof(struct store_buffer), 64);
        CHECK(*local);
    }
    return *local;
}

/* The oldest store to the same word as entry i: program order holds within a word. */
static unsigned oldest_to(const struct store_buffer *sb, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (sb->entry[k].addr == sb->entry[i].addr)
            return k;
    return i;
}

static void drain_one(struct drive *d, struct store_buffer *sb)
{
    unsigned i = oldest_to(sb, sched_choose(d->sched, sb->count));

    __atomic_store_n(sb->entry[i].addr, sb->entry[i].value, __ATOMIC_RELEASE);
    sb->count--;
    for (; i < sb->count; i++)
        sb->entry[i] = sb->entry[i + 1];
}

/* Sometimes the device gets a few cycles between two stores, so that it can see the tables half
 * changed. */
static void let_device_look(struct drive *d)
{
    uint64_t cycles = sched_choose(d->sched, 4) == 3 ? 1 + sched_choose(d->sched, 64) : 0;

    until(&d->base, d->base.machine->engine.now + cycles);
}

static void store(struct sim_drive *b, uint64_t *addr, uint64_t value)
{
    struct drive *d = of(b);
    struct store_buffer *sb = buffer(d);

    if (sb->count == STORE_BUFFER)
        drain_one(d, sb);
    sb->entry[sb->count].addr = addr;
    sb->entry[sb->count++].value = value;
    if (sched_choose(d->sched, 2))
        drain_one(d, sb);
    let_device_look(d);
}

static uint64_t publish(struct sim_drive *b)
{
    struct drive *d = of(b);
    struct store_buffer *sb = buffer(d);
    uint64_t n = sb->count;

    while (sb->count) {
        drain_one(d, sb);
        let_device_look(d);
    }
    return n;
}

static const struct sim_drive_ops ops = {
    .enter = enter,
    .leave = leave,
    .until = until,
    .wait = wait,
    .poll = poll,
    .store = store,
    .publish = publish,
};

int sim_drive_sched(struct sched *s, struct sim_machine *m, struct sim_drive **out)
{
    struct drive *d = sim_world_alloc(m->world, sizeof *d, 64);

    if (!d)
        return -ENOMEM;
    d->base = (struct sim_drive){&ops, sched_exec(s), m};
    d->sched = s;
    m->wake = on_wake;
    m->wake_arg = d;
    sched_set_clock(s, &device_clock, d);
    *out = &d->base;
    return 0;
}
