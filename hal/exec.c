/* SPDX-License-Identifier: Apache-2.0 */
/* Checked wrappers: the only callers of struct exec_ops. */
#include "hal/exec.h"

#include <errno.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

void exec_init(struct exec *e, const struct exec_ops *ops)
{
    CHECK(ops->name && ops->now && ops->sleep_until);
    CHECK(ops->thread_create && ops->thread_join && ops->thread_interrupt &&
          ops->thread_forget_interrupt && ops->thread_yield);
    CHECK(ops->thread_ranks);
    CHECK(ops->mutex_init && ops->mutex_fini && ops->mutex_lock && ops->mutex_lock_behind &&
          ops->mutex_unlock);
    CHECK(ops->cond_init && ops->cond_fini && ops->cond_wait && ops->cond_signal);
    CHECK(ops->fd_wait && ops->mem_alloc && ops->mem_free && ops->entropy);
    CHECK(ops->atomic_load && ops->atomic_store && ops->atomic_add && ops->atomic_swap_if);
    e->ops = ops;
}

uint64_t exec_now(struct exec *e) { return e->ops->now(e); }

int exec_sleep_until(struct exec *e, uint64_t deadline)
{
    int rc = e->ops->sleep_until(e, deadline);
    CHECK(rc == 0 || rc == -EINTR);
    return rc;
}

int exec_thread_create(struct exec *e, const char *name, void (*body)(void *), void *arg,
                       struct exec_thread **out)
{
    int rc;

    CHECK(name && body && out);
    rc = e->ops->thread_create(e, name, body, arg, out);
    CHECK(rc == 0 || rc == -EAGAIN || rc == -ENOMEM);
    return rc;
}

void exec_thread_join(struct exec *e, struct exec_thread *t)
{
    CHECK(t);
    e->ops->thread_join(e, t);
}

void exec_thread_interrupt(struct exec *e, struct exec_thread *t)
{
    CHECK(t);
    e->ops->thread_interrupt(e, t);
}

void exec_keep_interrupt(struct exec *e) { e->ops->thread_interrupt(e, NULL); }

void exec_forget_interrupt(struct exec *e) { e->ops->thread_forget_interrupt(e); }

void exec_yield(struct exec *e) { e->ops->thread_yield(e); }

void exec_mutex_init(struct exec *e, struct exec_mutex *m, const char *name)
{
    CHECK(name);
    e->ops->mutex_init(e, m, name);
    m->rank = 0;
    m->second = false;
}

void exec_mutex_init_ranked(struct exec *e, struct exec_mutex *m, const char *name, unsigned rank)
{
    CHECK(rank >= 1 && rank <= EXEC_RANK_MAX);
    exec_mutex_init(e, m, name);
    m->rank = (uint8_t)rank;
}

bool exec_holds_ranked(struct exec *e) { return *e->ops->thread_ranks(e) != 0; }

void exec_mutex_fini(struct exec *e, struct exec_mutex *m) { e->ops->mutex_fini(e, m); }

/* Before the lock is waited for: an order that is broken shows without a deadlock. */
static void check_order(struct exec *e, const struct exec_mutex *m, unsigned lowest)
{
    if (m->rank)
        CHECK(*e->ops->thread_ranks(e) >> lowest == 0);
}

static void note_rank(struct exec *e, const struct exec_mutex *m)
{
    if (m->rank)
        *e->ops->thread_ranks(e) |= HAL_BIT(m->rank);
}

void exec_mutex_lock(struct exec *e, struct exec_mutex *m)
{
    check_order(e, m, m->rank);
    e->ops->mutex_lock(e, m);
    note_rank(e, m);
}

void exec_mutex_lock_behind(struct exec *e, struct exec_mutex *m)
{
    check_order(e, m, m->rank);
    e->ops->mutex_lock_behind(e, m);
    note_rank(e, m);
}

void exec_mutex_lock_second(struct exec *e, struct exec_mutex *m)
{
    CHECK(m->rank && *e->ops->thread_ranks(e) & HAL_BIT(m->rank));
    check_order(e, m, m->rank + 1u);
    e->ops->mutex_lock(e, m);
    m->second = true;
}

void exec_mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    if (m->rank && !m->second)
        *e->ops->thread_ranks(e) &= ~HAL_BIT(m->rank);
    m->second = false;
    e->ops->mutex_unlock(e, m);
}

void exec_cond_init(struct exec *e, struct exec_cond *c, const char *name)
{
    CHECK(name);
    e->ops->cond_init(e, c, name);
}

void exec_cond_fini(struct exec *e, struct exec_cond *c) { e->ops->cond_fini(e, c); }

int exec_cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m, uint64_t deadline,
                   bool interruptible)
{
    int rc = e->ops->cond_wait(e, c, m, deadline, interruptible);
    CHECK(rc == 0 || rc == -ETIMEDOUT || (rc == -EINTR && interruptible));
    return rc;
}

void exec_cond_signal(struct exec *e, struct exec_cond *c) { e->ops->cond_signal(e, c, false); }

void exec_cond_broadcast(struct exec *e, struct exec_cond *c) { e->ops->cond_signal(e, c, true); }

int exec_fd_wait(struct exec *e, int fd, uint64_t deadline)
{
    int rc = e->ops->fd_wait(e, fd, deadline);
    CHECK(rc == 0 || rc == -ETIMEDOUT || rc == -EINTR || rc == -EBADF);
    return rc;
}

void *exec_alloc(struct exec *e, size_t size, size_t align)
{
    void *p;

    CHECK(size && hal_is_power_of_2(align));
    p = e->ops->mem_alloc(e, size, align);
    CHECK(((uintptr_t)p & (align - 1)) == 0);
    return p;
}

void exec_free(struct exec *e, void *p, size_t size)
{
    if (p)
        e->ops->mem_free(e, p, size);
}

uint64_t exec_atomic_load(struct exec *e, struct exec_atomic *a)
{
    return e->ops->atomic_load(e, a);
}

void exec_atomic_store(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    e->ops->atomic_store(e, a, value);
}

uint64_t exec_atomic_add(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    return e->ops->atomic_add(e, a, value);
}

bool exec_atomic_swap_if(struct exec *e, struct exec_atomic *a, uint64_t *expected, uint64_t wanted)
{
    return e->ops->atomic_swap_if(e, a, expected, wanted);
}

uint64_t exec_entropy(struct exec *e) { return e->ops->entropy(e); }
