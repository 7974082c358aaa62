/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/posix/posix_exec.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "backends/posix/posix_mutex.h"
#include "backends/posix/posix_park.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define THREAD_NAME_MAX 16 /* bytes that the system keeps of a thread's name, final 0 included */

struct posix_exec {
    struct exec exec;
    uint64_t threads; /* created and not joined; atomic */
};

/* A thread that this back end created. */
struct exec_thread {
    struct posix_park park;
    pthread_t thread;
    void (*body)(void *);
    void *arg;
    char name[THREAD_NAME_MAX];
};

/* NULL in threads that somebody else created. */
static _Thread_local struct exec_thread *self;

/* A thread that somebody else created borrows a parking place on its stack for each wait. */
static struct posix_park *own_park(struct posix_park *borrowed)
{
    if (self)
        return &self->park;
    CHECK(posix_park_init(borrowed, false) == 0);
    return borrowed;
}

static void leave_park(struct posix_park *p, struct posix_park *borrowed)
{
    if (p == borrowed)
        posix_park_fini(borrowed);
}

/* ---- clock ---- */

static uint64_t op_now(struct exec *e)
{
    (void)e;
    return posix_now();
}

static int op_sleep_until(struct exec *e, uint64_t deadline)
{
    struct posix_park borrowed, *p = own_park(&borrowed);
    int rc;

    (void)e;
    posix_park_begin(p);
    rc = posix_park_wait(p, deadline, true);
    leave_park(p, &borrowed);
    return rc == -ETIMEDOUT ? 0 : rc;
}

/* ---- threads ---- */

static void *thread_main(void *arg)
{
    self = arg;
    self->body(self->arg);
    return NULL;
}

static int start_thread(struct exec_thread *t)
{
    int rc = pthread_create(&t->thread, NULL, thread_main, t);

    CHECK(rc == 0 || rc == EAGAIN || rc == ENOMEM);
    if (rc == 0)
        pthread_setname_np(t->thread, t->name);
    return -rc;
}

static int op_thread_create(struct exec *e, const char *name, void (*body)(void *), void *arg,
                            struct exec_thread **out)
{
    struct posix_exec *pe = (struct posix_exec *)e;
    struct exec_thread *t = calloc(1, sizeof *t);
    int rc;

    if (!t)
        return -ENOMEM;
    t->body = body;
    t->arg = arg;
    strncpy(t->name, name, sizeof t->name - 1);
    rc = posix_park_init(&t->park, true);
    if (rc)
        goto free_thread;
    __atomic_add_fetch(&pe->threads, 1, __ATOMIC_RELAXED);
    rc = start_thread(t);
    if (rc)
        goto fini_park;
    *out = t;
    return 0;

fini_park:
    __atomic_sub_fetch(&pe->threads, 1, __ATOMIC_RELAXED);
    posix_park_fini(&t->park);
free_thread:
    free(t);
    return rc;
}

static void op_thread_join(struct exec *e, struct exec_thread *t)
{
    struct posix_exec *pe = (struct posix_exec *)e;

    CHECK(pthread_join(t->thread, NULL) == 0);
    posix_park_fini(&t->park);
    free(t);
    __atomic_sub_fetch(&pe->threads, 1, __ATOMIC_RELAXED);
}

static void op_thread_interrupt(struct exec *e, struct exec_thread *t)
{
    (void)e;
    if (!t)
        t = self; /* one that was not made here cannot be interrupted */
    if (t)
        posix_park_interrupt(&t->park);
}

static void op_thread_forget_interrupt(struct exec *e)
{
    (void)e;
    if (self)
        posix_park_forget_interrupt(&self->park);
}

static void op_thread_yield(struct exec *e)
{
    (void)e;
    sched_yield();
}

static uint64_t *op_thread_ranks(struct exec *e)
{
    static _Thread_local uint64_t ranks; /* of whatever environment: there is one order */

    (void)e;
    return &ranks;
}

/* ---- mutex ---- */

_Static_assert(sizeof(struct posix_mutex) <= sizeof(((struct exec_mutex *)0)->opaque), "fits");

static struct posix_mutex *mutex_of(struct exec_mutex *m)
{
    return (struct posix_mutex *)(void *)m->opaque;
}

static void op_mutex_init(struct exec *e, struct exec_mutex *m, const char *name)
{
    (void)e;
    (void)name;
    posix_mutex_init(mutex_of(m));
}

static void op_mutex_fini(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    posix_mutex_fini(mutex_of(m));
}

static void op_mutex_lock(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    posix_mutex_lock(mutex_of(m));
}

static void op_mutex_lock_behind(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    posix_mutex_lock_behind(mutex_of(m));
}

static void op_mutex_unlock(struct exec *e, struct exec_mutex *m)
{
    (void)e;
    posix_mutex_unlock(mutex_of(m));
}

/* ---- condition ---- */

/* One waiting thread, on its own stack. */
struct waiter {
    struct posix_park *park;
    struct waiter *next;
};

/* First in, first out, though nobody is promised that. */
struct posix_cond {
    pthread_mutex_t lock; /* guards the list */
    struct waiter *first, **end;
};

_Static_assert(sizeof(struct posix_cond) <= sizeof(struct exec_cond), "fits");

static struct posix_cond *cond_of(struct exec_cond *c)
{
    return (struct posix_cond *)(void *)c->opaque;
}

static void op_cond_init(struct exec *e, struct exec_cond *c, const char *name)
{
    struct posix_cond *pc = cond_of(c);

    (void)e;
    (void)name;
    CHECK(pthread_mutex_init(&pc->lock, NULL) == 0);
    pc->first = NULL;
    pc->end = &pc->first;
}

static void op_cond_fini(struct exec *e, struct exec_cond *c)
{
    struct posix_cond *pc = cond_of(c);

    (void)e;
    CHECK(pthread_mutex_lock(&pc->lock) == 0);
    CHECK(!pc->first);
    CHECK(pthread_mutex_unlock(&pc->lock) == 0);
    CHECK(pthread_mutex_destroy(&pc->lock) == 0);
}

static void enqueue(struct posix_cond *pc, struct waiter *w)
{
    CHECK(pthread_mutex_lock(&pc->lock) == 0);
    *pc->end = w;
    pc->end = &w->next;
    CHECK(pthread_mutex_unlock(&pc->lock) == 0);
}

/* Takes w out if it is still in. Returns false if a signal took it first. */
static bool withdraw(struct posix_cond *pc, struct waiter *w)
{
    struct waiter **at;
    bool found;

    CHECK(pthread_mutex_lock(&pc->lock) == 0);
    for (at = &pc->first; *at && *at != w; at = &(*at)->next)
        ;
    found = *at;
    if (found) {
        *at = w->next;
        if (pc->end == &w->next)
            pc->end = at;
    }
    CHECK(pthread_mutex_unlock(&pc->lock) == 0);
    return found;
}

/* A thread that was signalled touches the condition no more, so it may end right after a
 * broadcast. One that timed out or was interrupted looks under the condition's lock whether a
 * signal was spent on it in the same moment: then the wait ended with that signal, which would
 * else be lost for all others. */
static int wait_signal(struct posix_cond *pc, struct exec_mutex *m, uint64_t deadline,
                       bool interruptible)
{
    struct posix_park borrowed, *p = own_park(&borrowed);
    struct waiter w = {.park = p};
    int rc;

    posix_park_begin(p);
    enqueue(pc, &w);
    op_mutex_unlock(NULL, m);
    rc = posix_park_wait(p, deadline, interruptible);
    if (rc && !withdraw(pc, &w)) {
        if (rc == -EINTR)
            posix_park_interrupt(p); /* not used: it is for the next wait */
        rc = 0;
    }
    leave_park(p, &borrowed);
    return rc;
}

static int op_cond_wait(struct exec *e, struct exec_cond *c, struct exec_mutex *m,
                        uint64_t deadline, bool interruptible)
{
    int rc = wait_signal(cond_of(c), m, deadline, interruptible);

    op_mutex_lock(e, m);
    return rc;
}

static void op_cond_signal(struct exec *e, struct exec_cond *c, bool all)
{
    struct posix_cond *pc = cond_of(c);

    (void)e;
    CHECK(pthread_mutex_lock(&pc->lock) == 0);
    while (pc->first) {
        struct waiter *w = pc->first;

        pc->first = w->next;
        if (!pc->first)
            pc->end = &pc->first;
        posix_park_signal(w->park); /* from here on w may be gone */
        if (!all)
            break;
    }
    CHECK(pthread_mutex_unlock(&pc->lock) == 0);
}

/* ---- descriptors, memory, atomics, entropy ---- */

static int op_fd_wait(struct exec *e, int fd, uint64_t deadline)
{
    struct posix_park borrowed, *p = own_park(&borrowed);
    int rc = posix_park_poll(p, fd, deadline);

    (void)e;
    leave_park(p, &borrowed);
    return rc;
}

static void *op_mem_alloc(struct exec *e, size_t size, size_t align)
{
    void *p;

    (void)e;
    if (posix_memalign(&p, hal_max64(align, sizeof(void *)), size))
        return NULL;
    return memset(p, 0, size);
}

static void op_mem_free(struct exec *e, void *p, size_t size)
{
    (void)e;
    (void)size;
    free(p);
}

static uint64_t op_atomic_load(struct exec *e, struct exec_atomic *a)
{
    (void)e;
    return __atomic_load_n(&a->value, __ATOMIC_SEQ_CST);
}

static void op_atomic_store(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    (void)e;
    __atomic_store_n(&a->value, value, __ATOMIC_SEQ_CST);
}

static uint64_t op_atomic_add(struct exec *e, struct exec_atomic *a, uint64_t value)
{
    (void)e;
    return __atomic_fetch_add(&a->value, value, __ATOMIC_SEQ_CST);
}

static bool op_atomic_swap_if(struct exec *e, struct exec_atomic *a, uint64_t *expected,
                              uint64_t wanted)
{
    (void)e;
    return __atomic_compare_exchange_n(&a->value, expected, wanted, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static uint64_t op_entropy(struct exec *e)
{
    uint64_t value;

    (void)e;
    while (getrandom(&value, sizeof value, 0) != sizeof value)
        CHECK(errno == EINTR);
    return value;
}

static const struct exec_ops posix_ops = {
    .name = "posix",
    .now = op_now,
    .sleep_until = op_sleep_until,
    .thread_create = op_thread_create,
    .thread_join = op_thread_join,
    .thread_interrupt = op_thread_interrupt,
    .thread_forget_interrupt = op_thread_forget_interrupt,
    .thread_yield = op_thread_yield,
    .thread_ranks = op_thread_ranks,
    .mutex_init = op_mutex_init,
    .mutex_fini = op_mutex_fini,
    .mutex_lock = op_mutex_lock,
    .mutex_lock_behind = op_mutex_lock_behind,
    .mutex_unlock = op_mutex_unlock,
    .cond_init = op_cond_init,
    .cond_fini = op_cond_fini,
    .cond_wait = op_cond_wait,
    .cond_signal = op_cond_signal,
    .fd_wait = op_fd_wait,
    .mem_alloc = op_mem_alloc,
    .mem_free = op_mem_free,
    .atomic_load = op_atomic_load,
    .atomic_store = op_atomic_store,
    .atomic_add = op_atomic_add,
    .atomic_swap_if = op_atomic_swap_if,
    .entropy = op_entropy,
};

int posix_exec_create(struct exec **out)
{
    struct posix_exec *pe = calloc(1, sizeof *pe);

    if (!pe)
        return -ENOMEM;
    exec_init(&pe->exec, &posix_ops);
    *out = &pe->exec;
    return 0;
}

void posix_exec_destroy(struct exec *e)
{
    struct posix_exec *pe = (struct posix_exec *)e;

    if (!pe)
        return;
    CHECK(__atomic_load_n(&pe->threads, __ATOMIC_RELAXED) == 0);
    free(pe);
}
