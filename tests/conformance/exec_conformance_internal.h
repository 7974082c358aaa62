/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the exec conformance suite. */
#ifndef TESTS_CONFORMANCE_EXEC_CONFORMANCE_INTERNAL_H
#define TESTS_CONFORMANCE_EXEC_CONFORMANCE_INTERNAL_H

#include <criterion/criterion.h>

#include "hal/exec.h"

/* Short enough for a test on a real clock, long enough to get there first now and then. */
#define SHORT_NS UINT64_C(300000)

static inline struct exec_thread *start(struct exec *e, const char *name, void (*body)(void *),
                                        void *arg)
{
    struct exec_thread *t = NULL;

    cr_assert_eq(exec_thread_create(e, name, body, arg, &t), 0);
    cr_assert_not_null(t);
    return t;
}

/* A flag that threads wait for as the contract says: under the mutex, in a loop. */
struct gate {
    struct exec *e;
    struct exec_mutex lock;
    struct exec_cond changed;
    uint64_t count;
};

static inline void gate_init(struct exec *e, struct gate *g)
{
    g->e = e;
    g->count = 0;
    exec_mutex_init(e, &g->lock, "gate lock");
    exec_cond_init(e, &g->changed, "gate changed");
}

static inline void gate_fini(struct gate *g)
{
    exec_cond_fini(g->e, &g->changed);
    exec_mutex_fini(g->e, &g->lock);
}

/* Adds one and tells everybody. */
static inline void gate_open(struct gate *g)
{
    exec_mutex_lock(g->e, &g->lock);
    g->count++;
    exec_cond_broadcast(g->e, &g->changed);
    exec_mutex_unlock(g->e, &g->lock);
}

/* Waits until at least `count` were added. */
static inline void gate_wait(struct gate *g, uint64_t count)
{
    exec_mutex_lock(g->e, &g->lock);
    while (g->count < count)
        cr_assert_eq(exec_cond_wait(g->e, &g->changed, &g->lock, EXEC_FOREVER, false), 0);
    exec_mutex_unlock(g->e, &g->lock);
}

#endif
