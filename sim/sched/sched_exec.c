/* SPDX-License-Identifier: Apache-2.0 */
/* The table of exec operations: each is a scheduling point, then acts at once. */
#include <errno.h>

#include "hal/support/check.h"
#include "hal/support/hot.h"
#include "sim/sched/sched.h"
#include "sim/sched/sched_internal.h"

/* Kept apart as sched__point_busy() is. */
SCHED_APART static uint64_t expired_now(struct sched *s)
{
    uint64_t now = sched__now(s);

    sched__expire(s, now);
    return now;
}

SCHED_APART static uint64_t busy_now(struct sched *s)
{
    sched__point_busy(s);
    return expired_now(s);
}

/* All three ends are jumps: the frequent one saves no registers. */
HAL_HOT static uint64_t op_now(struct exec *e)
{
    struct sched *s = sched__of(e);
    uint64_t now;

    if (!sched__point_quiet(s))
        return busy_now(s);
    now = sched__now(s);
    return now < s->deadline_min ? now : expired_now(s);
}

static int op_sleep_until(struct exec *e, uint64_t deadline)
{
    struct sched *s = sched__of(e);

    sched_point(s);
    CHECK(s->current);
    if (sched__take_interrupt(s))
        return -EINTR;
    if (deadline <= sched__now(s))
        return 0;
    return sched__block(s, SCHED_SLEEPS, deadline, true);
}

static struct sched_fiber *fiber_of(struct exec_thread *t)
{
    return (struct sched_fiber *)(void *)t;
}

static int op_thread_create(struct exec *e, const char *name, void (*body)(void *), void *arg,
                            struct exec_thread **out)
{
    struct sched *s = sched__of(e);
    struct sched_fiber *f;

    sched_point(s);
    f = sched__spawn(s, name, body, arg, s->config.stack_size);
    if (!f)
        return -ENOMEM;
    s->ready[s->ready_count++] = f;
    *out = (struct exec_thread *)(void *)f;
    return 0;
}

static void op_thread_join(struct exec *e, struct exec_thread *t)
{
    struct sched *s = sched__of(e);
    struct sched_fiber *f = fiber_of(t), *self;

    sched_point(s);
    self = s->current;
    CHECK(f->s == s && f != self && !f->joiner);
    if (f->wait != SCHED_ENDED) {
        CHECK(self); /* the host cannot wait */
        f->joiner = self;
        self->target = f;
        sched__block(s, SCHED_WAITS_JOIN, EXEC_FOREVER, false);
    }
    s->unjoined--;
    sched__free_fiber(s, f);
}

static void op_thread_interrupt(struct exec *e, struct exec_thread *t)
{
    struct sched *s = sched__of(e);
    struct sched_fiber *f = t ? fiber_of(t) : s->current;

    sched_point(s);
    CHECK(f && f->s == s);
    if (f->wait != SCHED_RUNS && f->wait != SCHED_ENDED && f->interruptible)
        sched__wake(s, f, -EINTR);
    else
        f->interrupt_pending = true;
}

static void op_thread_forget_interrupt(struct exec *e)
{
    struct sched *s = sched__of(e);

    if (s->current) /* the host cannot be interrupted */
        s->current->interrupt_pending = false;
}

static void op_thread_yield(struct exec *e) { sched_point(sched__of(e)); }

static uint64_t *op_thread_ranks(struct exec *e)
{
    CHECK(sched__of(e)->current);
    return &sched__of(e)->current->ranks;
}

static void *op_mem_alloc(struct exec *e, size_t size, size_t align)
{
    sched_point(sched__of(e));
    return sim_world_alloc(sched__of(e)->world, size, align);
}

static void op_mem_free(struct exec *e, void *p, size_t size)
{
    sched_point(sched__of(e));
    sim_world_free(sched__of(e)->world, p, size);
}

/* Fibers interleave only at scheduling points, so plain accesses are atomic and ordered. */

static uint64_t op_atomic_load(struct exec *e, struct exec_atomic *a)
{
    sched_point(sched__of(e));
    return a->value;
}

static void op_atomic_store(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    sched_point(sched__of(e));
    a->value = value;
}

static uint64_t op_atomic_add(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    uint64_t before;

    sched_point(sched__of(e));
    before = a->value;
    a->value += value;
    return before;
}

static bool op_atomic_swap_if(struct exec *e, struct exec_atomic *a, uint64_t *expected,
                              uint64_t wanted)
{
    sched_point(sched__of(e));
    if (a->value != *expected) {
        *expected = a->value;
        return false;
    }
    a->value = wanted;
    return true;
}

static uint64_t op_entropy(struct exec *e)
{
    sched_point(sched__of(e));
    return hal_prng_next(&sched__of(e)->entropy);
}

const struct exec_ops sched__exec_ops = {
    .name = "sched",
    .now = op_now,
    .sleep_until = op_sleep_until,
    .thread_create = op_thread_create,
    .thread_join = op_thread_join,
    .thread_interrupt = op_thread_interrupt,
    .thread_forget_interrupt = op_thread_forget_interrupt,
    .thread_yield = op_thread_yield,
    .thread_ranks = op_thread_ranks,
    .mutex_init = sched__mutex_init,
    .mutex_fini = sched__mutex_fini,
    .mutex_lock = sched__mutex_lock,
    .mutex_lock_behind = sched__mutex_lock, /* waiting takes no time here */
    .mutex_unlock = sched__mutex_unlock,
    .cond_init = sched__cond_init,
    .cond_fini = sched__cond_fini,
    .cond_wait = sched__cond_wait,
    .cond_signal = sched__cond_signal,
    .fd_wait = sched__fd_wait,
    .mem_alloc = op_mem_alloc,
    .mem_free = op_mem_free,
    .atomic_load = op_atomic_load,
    .atomic_store = op_atomic_store,
    .atomic_add = op_atomic_add,
    .atomic_swap_if = op_atomic_swap_if,
    .entropy = op_entropy,
};
