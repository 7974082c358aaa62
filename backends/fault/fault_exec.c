/* SPDX-License-Identifier: Apache-2.0 */
/* Calls the operations of the environment below, not its wrappers: those keep the ranks of mutexes,
 * which the wrappers around this filter have done already. */
#include "backends/fault/fault_exec.h"

#include <errno.h>

#include "hal/support/bits.h"

static struct fault_exec *filter_of(struct exec *e)
{
    return HAL_CONTAINER_OF(e, struct fault_exec, base);
}

static struct exec *below(struct exec *e) { return filter_of(e)->below; }

static enum fault_effect ask(struct exec *e, enum fault_filter_site site)
{
    return fault_filter_ask(filter_of(e)->filter, site, NULL);
}

static uint64_t planned(struct exec *e, uint64_t deadline)
{
    return fault_filter_deadline(filter_of(e)->filter, deadline);
}

/* ---- where things go wrong --------------------------------------------------------------------
 */

static int sleep_until(struct exec *e, uint64_t deadline)
{
    if (ask(e, FAULT_SITE_WAIT) == FAULT_SIGNAL)
        return -EINTR;
    return below(e)->ops->sleep_until(below(e), planned(e, deadline));
}

static int thread_create(struct exec *e, const char *name, void (*body)(void *), void *arg,
                         struct exec_thread **out)
{
    if (ask(e, FAULT_SITE_THR) == FAULT_REFUSE)
        return -EAGAIN;
    return below(e)->ops->thread_create(below(e), name, body, arg, out);
}

static int cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m, uint64_t deadline,
                     bool interruptible)
{
    if (interruptible && ask(e, FAULT_SITE_WAIT) == FAULT_SIGNAL)
        return -EINTR;
    return below(e)->ops->cond_wait(below(e), c, m, planned(e, deadline), interruptible);
}

static int fd_wait(struct exec *e, int fd, uint64_t deadline)
{
    if (ask(e, FAULT_SITE_WAIT) == FAULT_SIGNAL)
        return -EINTR;
    return below(e)->ops->fd_wait(below(e), fd, planned(e, deadline));
}

static void *mem_alloc(struct exec *e, size_t size, size_t align)
{
    if (ask(e, FAULT_SITE_MEM) == FAULT_REFUSE)
        return NULL;
    return below(e)->ops->mem_alloc(below(e), size, align);
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

static uint64_t now(struct exec *e) { return below(e)->ops->now(below(e)); }

static void thread_join(struct exec *e, struct exec_thread *t)
{
    below(e)->ops->thread_join(below(e), t);
}

static void thread_interrupt(struct exec *e, struct exec_thread *t)
{
    below(e)->ops->thread_interrupt(below(e), t);
}

static void thread_forget_interrupt(struct exec *e)
{
    below(e)->ops->thread_forget_interrupt(below(e));
}

static void thread_yield(struct exec *e) { below(e)->ops->thread_yield(below(e)); }

static uint64_t *thread_ranks(struct exec *e) { return below(e)->ops->thread_ranks(below(e)); }

static void mutex_init(struct exec *e, struct exec_mutex *m, const char *name)
{
    below(e)->ops->mutex_init(below(e), m, name);
}

static void mutex_fini(struct exec *e, struct exec_mutex *m)
{
    below(e)->ops->mutex_fini(below(e), m);
}

static void mutex_lock(struct exec *e, struct exec_mutex *m)
{
    below(e)->ops->mutex_lock(below(e), m);
}

static void mutex_lock_behind(struct exec *e, struct exec_mutex *m)
{
    below(e)->ops->mutex_lock_behind(below(e), m);
}

static void mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    below(e)->ops->mutex_unlock(below(e), m);
}

static void cond_init(struct exec *e, struct exec_cond *c, const char *name)
{
    below(e)->ops->cond_init(below(e), c, name);
}

static void cond_fini(struct exec *e, struct exec_cond *c)
{
    below(e)->ops->cond_fini(below(e), c);
}

static void cond_signal(struct exec *e, struct exec_cond *c, bool all)
{
    below(e)->ops->cond_signal(below(e), c, all);
}

static void mem_free(struct exec *e, void *p, size_t size)
{
    below(e)->ops->mem_free(below(e), p, size);
}

static uint64_t atomic_load(struct exec *e, struct exec_atomic *a)
{
    return below(e)->ops->atomic_load(below(e), a);
}

static void atomic_store(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    below(e)->ops->atomic_store(below(e), a, value);
}

static uint64_t atomic_add(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    return below(e)->ops->atomic_add(below(e), a, value);
}

static bool atomic_swap_if(struct exec *e, struct exec_atomic *a, uint64_t *expected,
                           uint64_t wanted)
{
    return below(e)->ops->atomic_swap_if(below(e), a, expected, wanted);
}

static uint64_t entropy(struct exec *e) { return below(e)->ops->entropy(below(e)); }

static const struct exec_ops fault_ops = {
    .name = "fault",
    .now = now,
    .sleep_until = sleep_until,
    .thread_create = thread_create,
    .thread_join = thread_join,
    .thread_interrupt = thread_interrupt,
    .thread_forget_interrupt = thread_forget_interrupt,
    .thread_yield = thread_yield,
    .thread_ranks = thread_ranks,
    .mutex_init = mutex_init,
    .mutex_fini = mutex_fini,
    .mutex_lock = mutex_lock,
    .mutex_lock_behind = mutex_lock_behind,
    .mutex_unlock = mutex_unlock,
    .cond_init = cond_init,
    .cond_fini = cond_fini,
    .cond_wait = cond_wait,
    .cond_signal = cond_signal,
    .fd_wait = fd_wait,
    .mem_alloc = mem_alloc,
    .mem_free = mem_free,
    .atomic_load = atomic_load,
    .atomic_store = atomic_store,
    .atomic_add = atomic_add,
    .atomic_swap_if = atomic_swap_if,
    .entropy = entropy,
};

void fault_exec_init(struct fault_exec *e, struct fault_filter *filter)
{
    exec_init(&e->base, &fault_ops);
    e->below = filter->exec;
    e->filter = filter;
}
