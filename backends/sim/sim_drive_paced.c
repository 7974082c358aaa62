/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of the operating system drive the model: its time follows their clock, and one lock
 * guards all of it. */
#include <errno.h>
#include <stddef.h>

#include "backends/sim/sim_drive.h"
#include "hal/exec.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "sim/sim_control.h"

/* A register access is sooner over than a thread is put to sleep and woken. */
#define SPIN_NS UINT64_C(200000)

struct drive {
    struct sim_drive base;
    struct exec_mutex lock; /* guards the whole model */
    struct exec_cond news, parked_news;
    uint64_t parked[SIM_AFUS_MAX]; /* keys, 0 = none */
    unsigned waiters, pace;
    uint64_t start;            /* ns of exec at cycle 0 of the model */
    uint64_t due;              /* no waiter sleeps beyond this cycle */
    struct exec_thread *clock; /* NULL: nobody waits outside the model */
    bool ends;
};

static struct drive *of(struct sim_drive *d) { return HAL_CONTAINER_OF(d, struct drive, base); }

static uint64_t cycle_at(const struct drive *d, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)(ns - d->start) * d->pace / 1000 / SIM_CYCLE_NS);
}

/* First moment of exec at which device time has reached a cycle. */
static uint64_t ns_at(const struct drive *d, uint64_t cycle)
{
    unsigned __int128 ns = (unsigned __int128)cycle * SIM_CYCLE_NS * 1000;

    return d->start + (uint64_t)((ns + d->pace - 1) / d->pace);
}

static void on_wake(void *arg, uint64_t key)
{
    struct drive *d = arg;

    if (d->waiters) /* few: all look */
        exec_cond_broadcast(d->base.exec, &d->news);
    for (unsigned i = 0; i < SIM_AFUS_MAX; i++)
        if (d->parked[i] == key)
            exec_cond_broadcast(d->base.exec, &d->parked_news);
    if (d->base.watches)
        (void)sim_drive_tell(&d->base, key); /* the kernel wakes them */
}

/* Runs what is due. The lock is held. */
static void catch_up(struct drive *d)
{
    uint64_t cycle = cycle_at(d, exec_now(d->base.exec));

    while (cycle > d->base.machine->engine.now && sim_engine_run(&d->base.machine->engine, cycle))
        ;
}

static void enter(struct sim_drive *b)
{
    exec_mutex_lock(b->exec, &of(b)->lock);
    catch_up(of(b));
}

/* What the caller did may have brought the next event of the device forward: those who sleep for
 * the old one must know, because nobody else may be there to run the engine. */
static void leave(struct sim_drive *b)
{
    struct drive *d = of(b);
    uint64_t next = d->waiters ? sim_engine_next(&b->machine->engine) : SIM_NEVER;

    if (next < d->due) {
        d->due = next;
        exec_cond_broadcast(b->exec, &d->news);
    }
    exec_mutex_unlock(b->exec, &d->lock);
}

static void point(struct sim_drive *b) { (void)b; }

/* Not interruptible: an interrupt stays pending for the next wait that is. */
static void until(struct sim_drive *b, uint64_t cycle)
{
    struct drive *d = of(b);
    uint64_t end = ns_at(d, cycle);
    int rc;

    enter(b);
    while (b->machine->engine.now < cycle) {
        if (end < exec_now(b->exec) + SPIN_NS) {
            leave(b);
            exec_yield(b->exec);
            enter(b);
            continue;
        }
        rc = exec_cond_wait(b->exec, &d->news, &d->lock, end, false);
        CHECK(rc == 0 || rc == -ETIMEDOUT);
        catch_up(d);
    }
    leave(b);
}

/* Whoever waits runs the engine: it sleeps until the next event of the device is due. */
static int wait(struct sim_drive *b, uint64_t key, uint64_t deadline)
{
    struct drive *d = of(b);
    uint64_t next = sim_engine_next(&b->machine->engine), wake = deadline;
    int rc;

    (void)key;
    if (next != SIM_NEVER)
        wake = hal_min64(wake, ns_at(d, next));
    d->due = next;
    d->waiters++;
    rc = exec_cond_wait(b->exec, &d->news, &d->lock, wake, true);
    d->waiters--;
    catch_up(d);
    if (rc == -ETIMEDOUT && exec_now(b->exec) < deadline)
        return 0;
    return rc;
}

static int park(struct sim_drive *b, uint64_t key, uint64_t deadline)
{
    struct drive *d = of(b);
    unsigned i = 0;
    int rc;

    while (d->parked[i])
        CHECK(++i < SIM_AFUS_MAX);
    d->parked[i] = key;
    rc = exec_cond_wait(b->exec, &d->parked_news, &d->lock, deadline, true);
    d->parked[i] = 0;
    catch_up(d);
    return rc;
}

static void poll(struct sim_drive *b, uint64_t key)
{
    (void)key;
    enter(b);
    leave(b);
    exec_yield(b->exec);
}

static void store(struct sim_drive *b, uint64_t *addr, uint64_t value)
{
    (void)b;
    __atomic_store_n(addr, value, __ATOMIC_RELEASE);
}

/* The address of something that each thread has for itself. */
static uint64_t thread(struct sim_drive *b)
{
    static _Thread_local char mine;

    (void)b;
    return (uintptr_t)&mine;
}

static uint64_t publish(struct sim_drive *b)
{
    (void)b;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return 0;
}

static void enter_to_store(struct sim_drive *b)
{
    publish(b);
    enter(b);
}

/* Waits in the model in place of those who wait for descriptors. */
static void clock(void *arg)
{
    struct drive *d = arg;
    int rc;

    enter(&d->base);
    while (!d->ends) {
        rc = wait(&d->base, 0, EXEC_FOREVER);
        CHECK(rc == 0 || rc == -EINTR);
    }
    leave(&d->base);
}

static int attend(struct sim_drive *b)
{
    struct drive *d = of(b);

    CHECK(!d->clock);
    return exec_thread_create(b->exec, "clock of the model", clock, d, &d->clock);
}

static void end_clock(struct drive *d)
{
    enter(&d->base);
    d->ends = true;
    exec_cond_broadcast(d->base.exec, &d->news);
    leave(&d->base);
    exec_thread_join(d->base.exec, d->clock);
}

static void destroy(struct sim_drive *b)
{
    struct drive *d = of(b);
    struct exec *exec = b->exec;

    if (d->clock)
        end_clock(d);

    exec_cond_fini(exec, &d->parked_news);
    exec_cond_fini(exec, &d->news);
    exec_mutex_fini(exec, &d->lock);
    exec_free(exec, d, sizeof *d);
}

static const struct sim_drive_ops ops = {
    .enter = enter,
    .leave = leave,
    .point = point,
    .enter_to_store = enter_to_store,
    .until = until,
    .wait = wait,
    .park = park,
    .poll = poll,
    .store = store,
    .thread = thread,
    .publish = publish,
    .attend = attend,
    .destroy = destroy,
};

int sim_drive_paced(struct exec *exec, struct sim_machine *m, unsigned pace, struct sim_drive **out)
{
    struct drive *d = exec_alloc(exec, sizeof *d, 64);

    CHECK(pace > 0);
    if (!d)
        return -ENOMEM;
    d->base = (struct sim_drive){.ops = &ops, .exec = exec, .machine = m};
    d->pace = pace;
    exec_mutex_init(exec, &d->lock, "model");
    exec_cond_init(exec, &d->news, "news of the model");
    exec_cond_init(exec, &d->parked_news, "news of a slot");
    d->start = exec_now(exec);
    m->wake = on_wake;
    m->wake_arg = d;
    *out = &d->base;
    return 0;
}
