/* SPDX-License-Identifier: Apache-2.0 */
/* Mutexes and conditions between fibers. Both promise no order, as pthreads do not: which waiter
 * goes on is a choice of the schedule, and a mutex that was unlocked may be taken by anybody before
 * the woken waiter runs. */
#include <errno.h>

#include "hal/support/check.h"
#include "sim/sched/sched.h"
#include "sim/sched/sched_internal.h"

#define MUTEX_MAGIC UINT64_C(0x6D75746578)
#define COND_MAGIC UINT64_C(0x636F6E64)

static struct sched_mutex *mutex_of(struct exec_mutex *m)
{
    struct sched_mutex *sm = (struct sched_mutex *)(void *)m->opaque;

    CHECK(sm->magic == MUTEX_MAGIC); /* exec_mutex_init was called, exec_mutex_fini was not */
    return sm;
}

static struct sched_cond *cond_of(struct exec_cond *c)
{
    struct sched_cond *sc = (struct sched_cond *)(void *)c->opaque;

    CHECK(sc->magic == COND_MAGIC);
    return sc;
}

static struct sched_fiber *any_of(struct sched *s, struct sched_link *waiters, uint32_t count)
{
    struct sched_link *l = waiters->next;

    for (uint32_t skip = sched_choose(s, count); skip > 0; skip--)
        l = l->next;
    CHECK(l != waiters);
    return SCHED_FIBER_OF(l, queue);
}

/* ---- mutex ---- */

void sched__mutex_init(struct exec *e, struct exec_mutex *m, const char *name)
{
    struct sched_mutex *sm = (struct sched_mutex *)(void *)m->opaque;

    sched_point(sched__of(e));
    *sm = (struct sched_mutex){.magic = MUTEX_MAGIC, .name = name};
    sched__list_init(&sm->waiters);
}

void sched__mutex_fini(struct exec *e, struct exec_mutex *m)
{
    struct sched_mutex *sm = mutex_of(m);

    sched_point(sched__of(e));
    CHECK(!sm->holder && !sm->waiting);
    sm->magic = 0;
}

/* Locking without the scheduling point. A fiber that locks what it holds waits for itself, which
 * the report shows. */
static void acquire(struct sched *s, struct sched_mutex *sm)
{
    struct sched_fiber *f = s->current;

    CHECK(f);
    while (sm->holder) {
        f->mutex = sm;
        sm->waiting++;
        sched__list_add(&sm->waiters, &f->queue);
        sched__block(s, SCHED_WAITS_MUTEX, EXEC_FOREVER, false);
    }
    sm->holder = f;
    f->held++;
}

static void release(struct sched *s, struct sched_mutex *sm)
{
    CHECK(s->current && sm->holder == s->current);
    sm->holder = NULL;
    s->current->held--;
    if (sm->waiting)
        sched__wake(s, any_of(s, &sm->waiters, sm->waiting), 0);
}

void sched__mutex_lock(struct exec *e, struct exec_mutex *m)
{
    sched_point(sched__of(e));
    acquire(sched__of(e), mutex_of(m));
}

void sched__mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    sched_point(sched__of(e));
    release(sched__of(e), mutex_of(m));
}

/* ---- condition ---- */

void sched__cond_init(struct exec *e, struct exec_cond *c, const char *name)
{
    struct sched_cond *sc = (struct sched_cond *)(void *)c->opaque;

    sched_point(sched__of(e));
    *sc = (struct sched_cond){.magic = COND_MAGIC, .name = name};
    sched__list_init(&sc->waiters);
}

void sched__cond_fini(struct exec *e, struct exec_cond *c)
{
    struct sched_cond *sc = cond_of(c);

    sched_point(sched__of(e));
    CHECK(!sc->waiting);
    sc->magic = 0;
}

static bool spurious(struct sched *s)
{
    uint32_t one_in = s->config.spurious_one_in;

    return one_in && sched_choose(s, one_in) == one_in - 1;
}

/* Waiting proper: from joining the queue to leaving the mutex nobody else runs, so a signal of a
 * thread that saw the mutex free finds this one waiting. */
static int wait_signal(struct sched *s, struct sched_cond *sc, struct sched_mutex *sm,
                       uint64_t deadline, bool interruptible)
{
    struct sched_fiber *f = s->current;

    f->cond = sc;
    f->mutex = sm; /* for reports */
    sc->waiting++;
    sched__list_add(&sc->waiters, &f->queue);
    release(s, sm);
    return sched__block(s, SCHED_WAITS_COND, deadline, interruptible);
}

int sched__cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m, uint64_t deadline,
                     bool interruptible)
{
    struct sched *s = sched__of(e);
    struct sched_cond *sc = cond_of(c);
    struct sched_mutex *sm = mutex_of(m);
    int result = 0;

    sched_point(s);
    CHECK(s->current && sm->holder == s->current);
    if (interruptible && sched__take_interrupt(s))
        result = -EINTR;
    else if (deadline <= sched__now(s))
        result = -ETIMEDOUT;
    else if (!spurious(s))
        result = wait_signal(s, sc, sm, deadline, interruptible);

    if (sm->holder == s->current) { /* it did not wait: others still get their chance */
        release(s, sm);
        sched_point(s);
    }
    acquire(s, sm);
    return result;
}

void sched__cond_signal(struct exec *e, struct exec_cond *c, bool all)
{
    struct sched *s = sched__of(e);
    struct sched_cond *sc = cond_of(c);

    sched_point(s);
    while (sc->waiting) {
        sched__wake(s, any_of(s, &sc->waiters, all ? 1 : sc->waiting), 0);
        if (!all)
            return;
    }
}
