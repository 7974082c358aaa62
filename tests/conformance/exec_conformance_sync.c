/* SPDX-License-Identifier: Apache-2.0 */
/* Exec conformance: mutexes, conditions, descriptors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "tests/conformance/exec_conformance.h"
#include "tests/conformance/exec_conformance_internal.h"

/* ---- mutex ---- */

struct guarded {
    struct exec *e;
    struct exec_mutex lock;
    uint64_t inside, count;
};

#define LOCKERS 4
#define LOCKS 100

static void lock_often(void *arg)
{
    struct guarded *g = arg;

    for (int i = 0; i < LOCKS; i++) {
        exec_mutex_lock(g->e, &g->lock);
        cr_assert_eq(g->inside, 0);
        g->inside = 1;
        exec_yield(g->e);
        g->count++;
        g->inside = 0;
        exec_mutex_unlock(g->e, &g->lock);
    }
}

void exec_case_mutex_excludes(struct exec *e)
{
    struct guarded g = {.e = e};
    struct exec_thread *t[LOCKERS];

    exec_mutex_init(e, &g.lock, "guard");
    for (int i = 0; i < LOCKERS; i++)
        t[i] = start(e, "locker", lock_often, &g);
    for (int i = 0; i < LOCKERS; i++)
        exec_thread_join(e, t[i]);
    cr_assert_eq(g.count, LOCKERS * LOCKS);
    exec_mutex_fini(e, &g.lock);
}

static void lock_and_leave(void *arg)
{
    struct guarded *g = arg;

    exec_mutex_lock(g->e, &g->lock);
    g->count++;
    exec_mutex_unlock(g->e, &g->lock);
}

void exec_case_mutexes_are_independent(struct exec *e)
{
    struct guarded a = {.e = e}, b = {.e = e};
    struct exec_thread *t;

    exec_mutex_init(e, &a.lock, "a");
    exec_mutex_init(e, &b.lock, "b");
    exec_mutex_lock(e, &a.lock);
    t = start(e, "locks b", lock_and_leave, &b);
    exec_thread_join(e, t);
    exec_mutex_lock(e, &b.lock);
    exec_mutex_unlock(e, &a.lock); /* not in reverse order: fine */
    exec_mutex_unlock(e, &b.lock);
    exec_mutex_fini(e, &a.lock);
    exec_mutex_fini(e, &b.lock);
}

void exec_case_mutex_may_be_made_again(struct exec *e)
{
    struct guarded g = {.e = e};

    for (int i = 0; i < 3; i++) {
        exec_mutex_init(e, &g.lock, "again");
        lock_and_leave(&g);
        exec_mutex_fini(e, &g.lock);
    }
}

/* ---- condition ---- */

struct waiter {
    struct exec *e;
    struct exec_mutex lock;
    struct exec_cond cond;
    uint64_t deadline;
    bool interruptible;
    uint64_t waiting, tokens, taken;
    struct exec_atomic told;
    int rc; /* of the last wait that returned */
};

static void waiter_init(struct exec *e, struct waiter *w)
{
    *w = (struct waiter){.e = e, .deadline = EXEC_FOREVER, .rc = 1};
    exec_mutex_init(e, &w->lock, "waiter lock");
    exec_cond_init(e, &w->cond, "waiter cond");
}

static void waiter_fini(struct waiter *w)
{
    exec_cond_fini(w->e, &w->cond);
    exec_mutex_fini(w->e, &w->lock);
}

/* Takes one token, waiting for it. */
static void take_token(void *arg)
{
    struct waiter *w = arg;

    exec_mutex_lock(w->e, &w->lock);
    w->waiting++;
    while (!w->tokens)
        cr_assert_eq(exec_cond_wait(w->e, &w->cond, &w->lock, EXEC_FOREVER, false), 0);
    w->tokens--;
    w->taken++;
    exec_mutex_unlock(w->e, &w->lock);
}

/* Returns with the mutex held once `count` threads wait: each counts itself under the mutex and
 * gives it up only by waiting. */
static void lock_when_waiting(struct waiter *w, uint64_t count)
{
    exec_mutex_lock(w->e, &w->lock);
    while (w->waiting < count) {
        exec_mutex_unlock(w->e, &w->lock);
        exec_yield(w->e);
        exec_mutex_lock(w->e, &w->lock);
    }
}

void exec_case_signal_wakes_a_waiter(struct exec *e)
{
    enum { COUNT = 3 };
    struct waiter w;
    struct exec_thread *t[COUNT];

    waiter_init(e, &w);
    for (int i = 0; i < COUNT; i++)
        t[i] = start(e, "taker", take_token, &w);
    lock_when_waiting(&w, COUNT);
    exec_mutex_unlock(e, &w.lock);
    for (int i = 0; i < COUNT; i++) {
        exec_mutex_lock(e, &w.lock);
        w.tokens++;
        exec_mutex_unlock(e, &w.lock);
        exec_cond_signal(e, &w.cond); /* without the mutex: allowed */
    }
    for (int i = 0; i < COUNT; i++)
        exec_thread_join(e, t[i]);
    cr_assert_eq(w.taken, COUNT);
    waiter_fini(&w);
}

void exec_case_broadcast_wakes_all(struct exec *e)
{
    enum { COUNT = 5 };
    struct waiter w;
    struct exec_thread *t[COUNT];

    waiter_init(e, &w);
    for (int i = 0; i < COUNT; i++)
        t[i] = start(e, "taker", take_token, &w);
    lock_when_waiting(&w, COUNT);
    w.tokens = COUNT;
    exec_cond_broadcast(e, &w.cond);
    exec_mutex_unlock(e, &w.lock);
    for (int i = 0; i < COUNT; i++)
        exec_thread_join(e, t[i]);
    cr_assert_eq(w.taken, COUNT);
    waiter_fini(&w);
}

/* A wait may end for nothing, but not for ever. */
static int wait_to_the_end(struct waiter *w)
{
    int rc;

    do
        rc = exec_cond_wait(w->e, &w->cond, &w->lock, w->deadline, w->interruptible);
    while (rc == 0 && !w->tokens);
    return rc;
}

void exec_case_signal_without_waiter_is_nothing(struct exec *e)
{
    struct waiter w;

    waiter_init(e, &w);
    exec_cond_signal(e, &w.cond);
    exec_cond_broadcast(e, &w.cond);
    exec_mutex_lock(e, &w.lock);
    w.deadline = exec_now(e) + SHORT_NS;
    cr_assert_eq(wait_to_the_end(&w), -ETIMEDOUT);
    exec_mutex_unlock(e, &w.lock);
    waiter_fini(&w);
}

void exec_case_condition_times_out(struct exec *e)
{
    struct waiter w;

    waiter_init(e, &w);
    for (int i = 0; i < 2; i++) {
        w.interruptible = i;
        exec_mutex_lock(e, &w.lock);
        w.deadline = exec_now(e) + SHORT_NS;
        cr_assert_eq(wait_to_the_end(&w), -ETIMEDOUT);
        cr_assert_geq(exec_now(e), w.deadline);
        exec_mutex_unlock(e, &w.lock); /* it is ours again, or this aborts */
    }
    waiter_fini(&w);
}

void exec_case_condition_with_past_deadline_times_out(struct exec *e)
{
    struct waiter w;

    waiter_init(e, &w);
    exec_mutex_lock(e, &w.lock);
    w.deadline = 0;
    cr_assert_eq(wait_to_the_end(&w), -ETIMEDOUT);
    w.deadline = exec_now(e);
    cr_assert_eq(wait_to_the_end(&w), -ETIMEDOUT);
    exec_mutex_unlock(e, &w.lock);
    waiter_fini(&w);
}

static void put_token(void *arg)
{
    struct waiter *w = arg;

    exec_mutex_lock(w->e, &w->lock); /* succeeds only if the wait let go of it */
    w->tokens = 1;
    exec_cond_signal(w->e, &w->cond);
    exec_mutex_unlock(w->e, &w->lock);
}

void exec_case_condition_releases_its_mutex(struct exec *e)
{
    struct waiter w;
    struct exec_thread *t;

    waiter_init(e, &w);
    exec_mutex_lock(e, &w.lock);
    t = start(e, "putter", put_token, &w);
    cr_assert_eq(wait_to_the_end(&w), 0);
    cr_assert_eq(w.tokens, 1);
    exec_mutex_unlock(e, &w.lock);
    exec_thread_join(e, t);
    waiter_fini(&w);
}

static void wait_once(void *arg)
{
    struct waiter *w = arg;

    exec_mutex_lock(w->e, &w->lock);
    w->waiting++;
    w->rc = wait_to_the_end(w);
    if (w->rc == 0) {
        w->tokens--;
        w->taken++;
    }
    w->waiting--;
    exec_mutex_unlock(w->e, &w->lock);
}

void exec_case_condition_is_interrupted(struct exec *e)
{
    struct waiter w;
    struct exec_thread *t;

    waiter_init(e, &w);
    w.interruptible = true;
    t = start(e, "waiter", wait_once, &w);
    lock_when_waiting(&w, 1);
    exec_thread_interrupt(e, t); /* holding the mutex: allowed */
    exec_mutex_unlock(e, &w.lock);
    exec_thread_join(e, t);
    cr_assert_eq(w.rc, -EINTR);
    waiter_fini(&w);
}

void exec_case_interrupt_before_a_condition_counts(struct exec *e)
{
    for (int i = 0; i < 10; i++) {
        struct waiter w;
        struct exec_thread *t;

        waiter_init(e, &w);
        w.interruptible = true;
        t = start(e, "waiter", wait_once, &w);
        exec_thread_interrupt(e, t); /* before, within or after its lock */
        exec_thread_join(e, t);
        cr_assert_eq(w.rc, -EINTR);
        waiter_fini(&w);
    }
}

struct deaf {
    struct waiter w;
    int rc_sleep[2];
};

static void wait_then_sleep(void *arg)
{
    struct deaf *d = arg;

    wait_once(&d->w);
    d->rc_sleep[0] = exec_sleep_until(d->w.e, EXEC_FOREVER);
    d->rc_sleep[1] = exec_sleep_until(d->w.e, 0);
}

void exec_case_uninterruptible_condition_keeps_the_interrupt(struct exec *e)
{
    struct deaf d;
    struct exec_thread *t;

    waiter_init(e, &d.w);
    t = start(e, "waiter", wait_then_sleep, &d);
    lock_when_waiting(&d.w, 1);
    exec_thread_interrupt(e, t);
    exec_mutex_unlock(e, &d.w.lock);
    for (int i = 0; i < 20; i++)
        exec_yield(e);
    put_token(&d.w);
    exec_thread_join(e, t);
    cr_assert_eq(d.w.rc, 0);
    cr_assert_eq(d.rc_sleep[0], -EINTR);
    cr_assert_eq(d.rc_sleep[1], 0);
    waiter_fini(&d.w);
}

/* One signal for two waiters, of which one gives up at about the same time. If that one says that
 * it gave up, the signal must reach the other. A lost signal hangs. */
static void one_signal_two_waiters(struct exec *e, bool interrupt)
{
    struct waiter w;
    struct exec_thread *quitter, *taker;

    waiter_init(e, &w);
    w.interruptible = interrupt;
    if (!interrupt)
        w.deadline = exec_now(e) + SHORT_NS / 10;
    quitter = start(e, "quitter", wait_once, &w);
    taker = start(e, "taker", take_token, &w);
    exec_mutex_lock(e, &w.lock);
    w.tokens++;
    exec_cond_signal(e, &w.cond);
    exec_mutex_unlock(e, &w.lock);
    if (interrupt)
        exec_thread_interrupt(e, quitter);
    exec_thread_join(e, quitter);
    if (w.rc == 0)
        put_token(&w);
    exec_thread_join(e, taker);
    cr_assert_eq(w.tokens, 0);
    waiter_fini(&w);
}

void exec_case_signal_is_not_lost_to_a_timeout(struct exec *e)
{
    for (int i = 0; i < 30; i++)
        one_signal_two_waiters(e, false);
}

void exec_case_signal_is_not_lost_to_an_interrupt(struct exec *e)
{
    for (int i = 0; i < 30; i++)
        one_signal_two_waiters(e, true);
}

void exec_case_condition_ends_right_after_broadcast(struct exec *e)
{
    enum { COUNT = 3 };

    for (int round = 0; round < 10; round++) {
        struct waiter w;
        struct exec_thread *t[COUNT];

        waiter_init(e, &w);
        for (int i = 0; i < COUNT; i++)
            t[i] = start(e, "taker", take_token, &w);
        lock_when_waiting(&w, COUNT);
        w.tokens = COUNT;
        exec_cond_broadcast(e, &w.cond);
        exec_cond_fini(e, &w.cond); /* nobody waits for it any more */
        exec_mutex_unlock(e, &w.lock);
        for (int i = 0; i < COUNT; i++)
            exec_thread_join(e, t[i]);
        exec_mutex_fini(e, &w.lock);
    }
}

/* ---- a queue of two places, several producers and consumers ---- */

#define SIDES 2
#define ITEMS 40

struct queue {
    struct exec *e;
    struct exec_mutex lock;
    struct exec_cond not_full, not_empty;
    uint64_t slot[2], head, tail, sum;
};

static void produce(void *arg)
{
    struct queue *q = arg;

    for (uint64_t i = 1; i <= ITEMS; i++) {
        exec_mutex_lock(q->e, &q->lock);
        while (q->head - q->tail == 2)
            (void)!exec_cond_wait(q->e, &q->not_full, &q->lock, EXEC_FOREVER, true);
        q->slot[q->head++ % 2] = i;
        exec_cond_signal(q->e, &q->not_empty);
        exec_mutex_unlock(q->e, &q->lock);
    }
}

static void consume(void *arg)
{
    struct queue *q = arg;

    for (uint64_t i = 1; i <= ITEMS; i++) {
        exec_mutex_lock(q->e, &q->lock);
        while (q->head == q->tail)
            (void)!exec_cond_wait(q->e, &q->not_empty, &q->lock, exec_now(q->e) + SHORT_NS, false);
        q->sum += q->slot[q->tail++ % 2];
        exec_cond_signal(q->e, &q->not_full);
        exec_mutex_unlock(q->e, &q->lock);
    }
}

void exec_case_bounded_queue_keeps_everything(struct exec *e)
{
    struct queue q = {.e = e};
    struct exec_thread *t[2 * SIDES];

    exec_mutex_init(e, &q.lock, "queue");
    exec_cond_init(e, &q.not_full, "not full");
    exec_cond_init(e, &q.not_empty, "not empty");
    for (int i = 0; i < 2 * SIDES; i++)
        t[i] = start(e, i % 2 ? "consumer" : "producer", i % 2 ? consume : produce, &q);
    for (int i = 0; i < 2 * SIDES; i++)
        exec_thread_join(e, t[i]);
    cr_assert_eq(q.sum, SIDES * ITEMS * (ITEMS + 1) / 2);
    exec_cond_fini(e, &q.not_full);
    exec_cond_fini(e, &q.not_empty);
    exec_mutex_fini(e, &q.lock);
}

/* ---- descriptors ---- */

struct stream {
    struct exec *e;
    int fd[2]; /* read end, write end */
    uint64_t deadline;
    int rc[2];
};

static void stream_init(struct exec *e, struct stream *s)
{
    *s = (struct stream){.e = e, .deadline = EXEC_FOREVER, .rc = {1, 1}};
    cr_assert_eq(pipe(s->fd), 0);
}

static void stream_fini(struct stream *s)
{
    close(s->fd[0]);
    if (s->fd[1] >= 0)
        close(s->fd[1]);
}

void exec_case_descriptor_is_readable(struct exec *e)
{
    struct stream s;

    stream_init(e, &s);
    cr_assert_eq(write(s.fd[1], "x", 1), 1);
    cr_assert_eq(exec_fd_wait(e, s.fd[0], EXEC_FOREVER), 0);
    cr_assert_eq(exec_fd_wait(e, s.fd[0], 0), 0); /* the deadline matters only if it must wait */
    stream_fini(&s);
}

static void wait_for_stream(void *arg)
{
    struct stream *s = arg;

    s->rc[0] = exec_fd_wait(s->e, s->fd[0], s->deadline);
    if (s->rc[0] == -EINTR)
        s->rc[1] = exec_fd_wait(s->e, s->fd[0], 0);
}

void exec_case_descriptor_becomes_readable(struct exec *e)
{
    for (int i = 0; i < 10; i++) {
        struct stream s;
        struct exec_thread *t;

        stream_init(e, &s);
        t = start(e, "reader", wait_for_stream, &s);
        for (int k = 0; k < i; k++)
            exec_yield(e);
        cr_assert_eq(write(s.fd[1], "x", 1), 1);
        exec_thread_join(e, t);
        cr_assert_eq(s.rc[0], 0);
        stream_fini(&s);
    }
}

void exec_case_descriptor_at_its_end_is_readable(struct exec *e)
{
    struct stream s;

    stream_init(e, &s);
    close(s.fd[1]);
    s.fd[1] = -1;
    cr_assert_eq(exec_fd_wait(e, s.fd[0], EXEC_FOREVER), 0);
    stream_fini(&s);
}

void exec_case_descriptor_times_out(struct exec *e)
{
    struct stream s;
    uint64_t deadline = exec_now(e) + SHORT_NS;

    stream_init(e, &s);
    cr_assert_eq(exec_fd_wait(e, s.fd[0], 0), -ETIMEDOUT);
    cr_assert_eq(exec_fd_wait(e, s.fd[0], deadline), -ETIMEDOUT);
    cr_assert_geq(exec_now(e), deadline);
    stream_fini(&s);
}

void exec_case_descriptor_is_bad(struct exec *e)
{
    struct stream s;

    stream_init(e, &s);
    stream_fini(&s);
    cr_assert_eq(exec_fd_wait(e, -1, EXEC_FOREVER), -EBADF);
    cr_assert_eq(exec_fd_wait(e, 1 << 20, EXEC_FOREVER), -EBADF);
    cr_assert_eq(exec_fd_wait(e, s.fd[0], EXEC_FOREVER), -EBADF);
}

void exec_case_descriptor_wait_is_interrupted(struct exec *e)
{
    for (int i = 0; i < 10; i++) {
        struct stream s;
        struct exec_thread *t;

        stream_init(e, &s);
        t = start(e, "reader", wait_for_stream, &s);
        for (int k = 0; k < i * 5; k++)
            exec_yield(e);
        exec_thread_interrupt(e, t);
        exec_thread_join(e, t);
        cr_assert_eq(s.rc[0], -EINTR);
        cr_assert_eq(s.rc[1], -ETIMEDOUT); /* once */
        stream_fini(&s);
    }
}

static void wait_after_interrupt(void *arg)
{
    struct stream *s = arg;
    struct waiter w;

    /* Somebody interrupts us before we begin; that shows when we do. */
    waiter_init(s->e, &w);
    exec_mutex_lock(s->e, &w.lock);
    w.deadline = exec_now(s->e) + SHORT_NS;
    (void)!wait_to_the_end(&w);
    exec_mutex_unlock(s->e, &w.lock);
    waiter_fini(&w);
    wait_for_stream(s);
}

void exec_case_interrupt_before_a_descriptor_wait_counts(struct exec *e)
{
    struct stream s;
    struct exec_thread *t;

    stream_init(e, &s);
    t = start(e, "reader", wait_after_interrupt, &s);
    exec_thread_interrupt(e, t);
    exec_thread_join(e, t);
    cr_assert_eq(s.rc[0], -EINTR);
    cr_assert_eq(s.rc[1], -ETIMEDOUT);
    stream_fini(&s);
}

/* ---- programming errors ---- */

void exec_case_unlock_of_a_free_mutex(struct exec *e)
{
    struct exec_mutex m;

    exec_mutex_init(e, &m, "free");
    exec_mutex_unlock(e, &m);
}

static void lock_and_tell(void *arg)
{
    struct waiter *w = arg;

    exec_mutex_lock(w->e, &w->lock);
    exec_atomic_store(w->e, &w->told, 1);
    (void)!exec_sleep_until(w->e, EXEC_FOREVER);
}

void exec_case_unlock_of_a_foreign_mutex(struct exec *e)
{
    static struct waiter w;

    waiter_init(e, &w);
    start(e, "holder", lock_and_tell, &w);
    while (!exec_atomic_load(e, &w.told))
        exec_yield(e);
    exec_mutex_unlock(e, &w.lock);
}

void exec_case_fini_of_a_locked_mutex(struct exec *e)
{
    struct exec_mutex m;

    exec_mutex_init(e, &m, "locked");
    exec_mutex_lock(e, &m);
    exec_mutex_fini(e, &m);
}

void exec_case_fini_of_a_condition_with_a_waiter(struct exec *e)
{
    static struct waiter w;

    waiter_init(e, &w);
    start(e, "waiter", take_token, &w);
    lock_when_waiting(&w, 1);
    exec_cond_fini(e, &w.cond);
}

void exec_case_wait_without_the_mutex(struct exec *e)
{
    struct waiter w;

    waiter_init(e, &w);
    (void)!exec_cond_wait(e, &w.cond, &w.lock, EXEC_FOREVER, false);
}
