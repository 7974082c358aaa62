/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_lock_watch.h"

#include <string.h>

#include "core/adapter/lock_rank.h"
#include "hal/exec.h"
#include "hal/support/check.h"
#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_processors.h"

enum { MODEL_MOST = 8, HELD_MOST = 16 };

/* A mutex that a thread holds. */
struct held {
    const struct exec_mutex *mutex;
    double since; /* CPU time of the thread */
};

static struct exec_ops watching; /* what stands in front */
static const struct exec_ops *inner;
static const struct exec_mutex *model[MODEL_MOST]; /* mutexes of models */
static unsigned models;
static bool holds;
static _Thread_local struct bench_waited waited;
static _Thread_local const struct bench_processors *processors;
static _Thread_local double held_longest;
static _Thread_local struct held held[HELD_MOST];
static _Thread_local unsigned helds;

static void note_name(const struct exec_mutex *m, const char *name)
{
    if (!strstr(name, "model"))
        return;
    CHECK(models < MODEL_MOST);
    model[models] = m;
    __atomic_store_n(&models, models + 1, __ATOMIC_RELEASE);
}

static int of_model(const struct exec_mutex *m)
{
    unsigned n = __atomic_load_n(&models, __ATOMIC_ACQUIRE);

    while (n > 0)
        if (model[--n] == m)
            return 1;
    return 0;
}

static void hold(const struct exec_mutex *m)
{
    if (!holds)
        return;
    CHECK(helds < HELD_MOST);
    held[helds++] = (struct held){m, bench_clock_ns(CLOCK_THREAD_CPUTIME_ID)};
}

static void let_go(const struct exec_mutex *m)
{
    double ns;
    unsigned i = helds;

    if (!holds)
        return;
    while (i > 0 && held[i - 1].mutex != m)
        i--;
    CHECK(i > 0);
    i--;
    ns = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - held[i].since;
    if (m->rank != SPIPE__RANK_CONTEXT && ns > held_longest)
        held_longest = ns;
    held[i] = held[--helds];
}

static void mutex_init(struct exec *e, struct exec_mutex *m, const char *name)
{
    note_name(m, name);
    inner->mutex_init(e, m, name);
}

/* A wait, while it goes on. */
struct wait {
    struct bench_share share;
    double begin;
};

static struct wait begin_wait(void)
{
    struct wait w = {.begin = 0};

    if (processors)
        w.share = bench_processors_look(processors);
    w.begin = bench_wall_ns();
    return w;
}

/* Returns how long it was. */
static double end_wait(const struct wait *w)
{
    double ns = bench_wall_ns() - w->begin;

    waited.all += ns;
    if (processors)
        waited.computed += bench_share_computed(ns, w->share, bench_processors_look(processors));
    return ns;
}

static void lock_by(void (*lock)(struct exec *, struct exec_mutex *), struct exec *e,
                    struct exec_mutex *m)
{
    struct wait w;
    double ns;

    if (of_model(m)) {
        lock(e, m);
        return;
    }
    w = begin_wait();
    lock(e, m);
    ns = end_wait(&w);
    if (m->rank == SPIPE__RANK_INTERNAL)
        waited.master += ns;
    hold(m);
}

static void mutex_lock(struct exec *e, struct exec_mutex *m) { lock_by(inner->mutex_lock, e, m); }

static void mutex_lock_behind(struct exec *e, struct exec_mutex *m)
{
    lock_by(inner->mutex_lock_behind, e, m);
}

static void mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    if (!of_model(m))
        let_go(m);
    inner->mutex_unlock(e, m);
}

static int cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m, uint64_t deadline,
                     bool interruptible)
{
    struct wait w;
    int rc;

    if (of_model(m))
        return inner->cond_wait(e, c, m, deadline, interruptible);
    let_go(m);
    w = begin_wait();
    rc = inner->cond_wait(e, c, m, deadline, interruptible);
    (void)end_wait(&w);
    hold(m);
    return rc;
}

void bench_lock_watch(struct exec *e, bool with_holds)
{
    inner = e->ops;
    watching = *inner;
    watching.mutex_init = mutex_init;
    watching.mutex_lock = mutex_lock;
    watching.mutex_lock_behind = mutex_lock_behind;
    watching.mutex_unlock = mutex_unlock;
    watching.cond_wait = cond_wait;
    models = 0;
    holds = with_holds;
    e->ops = &watching;
}

void bench_lock_watch_processors(const struct bench_processors *p) { processors = p; }

struct bench_waited bench_lock_waited(void)
{
    struct bench_waited w = waited;

    waited = (struct bench_waited){0};
    return w;
}

double bench_lock_held(void)
{
    double ns = held_longest;

    held_longest = 0;
    return ns;
}
