/* SPDX-License-Identifier: Apache-2.0 */
/* Planted errors are found within 1,000 seeds, the report says who waits for whom, and the seed
 * that it prints leads there again. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/sim/sched_fixture.h"

struct locks {
    struct exec_mutex left, right;
};

static void left_then_right(void *arg)
{
    struct locks *l = arg;

    exec_mutex_lock(e, &l->left);
    exec_mutex_lock(e, &l->right);
    exec_mutex_unlock(e, &l->right);
    exec_mutex_unlock(e, &l->left);
}

static void right_then_left(void *arg)
{
    struct locks *l = arg;

    exec_mutex_lock(e, &l->right);
    exec_mutex_lock(e, &l->left);
    exec_mutex_unlock(e, &l->left);
    exec_mutex_unlock(e, &l->right);
}

static void lock_order_error(void *arg)
{
    struct locks *l = arg;
    struct exec_thread *a, *b;

    exec_mutex_init(e, &l->left, "left");
    exec_mutex_init(e, &l->right, "right");
    a = spawn("first", left_then_right, l);
    b = spawn("second", right_then_left, l);
    exec_thread_join(e, a);
    exec_thread_join(e, b);
}

struct mailbox {
    struct exec_mutex lock;
    struct exec_cond filled;
    struct exec_atomic full;
};

static void wait_for_mail(void *arg)
{
    struct mailbox *m = arg;

    /* The error: between the look and the wait nothing is locked. */
    if (!exec_atomic_load(e, &m->full)) {
        exec_mutex_lock(e, &m->lock);
        (void)!exec_cond_wait(e, &m->filled, &m->lock, EXEC_FOREVER, true);
        exec_mutex_unlock(e, &m->lock);
    }
}

static void lost_wakeup(void *arg)
{
    struct mailbox *m = arg;
    struct exec_thread *t;

    exec_mutex_init(e, &m->lock, "mailbox");
    exec_cond_init(e, &m->filled, "filled");
    t = spawn("reader", wait_for_mail, m);
    exec_atomic_store(e, &m->full, 1);
    exec_cond_signal(e, &m->filled);
    exec_thread_join(e, t);
}

/* The first of 1,000 seeds that deadlocks; its report and hash. */
static uint64_t hunt(void (*body)(void *), void *arg, size_t size, char *text, size_t text_size,
                     uint64_t *hash)
{
    for (uint64_t seed = 0; seed < 1000; seed++) {
        int rc;

        memset(arg, 0, size);
        open_seed(seed);
        rc = sched_run(s, body, arg);
        cr_assert(rc == 0 || rc == -EDEADLK);
        if (rc) {
            sched_report(s, text, text_size);
            *hash = sched_stats(s).hash;
        }
        close_sched();
        if (rc)
            return seed;
    }
    cr_assert_fail("not found in 1,000 seeds");
    return 0;
}

/* The seed that a report begins with leads to the same report. */
static void replay(void (*body)(void *), void *arg, size_t size, const char *text, uint64_t hash)
{
    uint64_t seed = strtoull(text + strlen("seed "), NULL, 10);

    cr_assert_eq(strncmp(text, "seed ", 5), 0);
    memset(arg, 0, size);
    open_seed(seed);
    cr_assert_eq(sched_run(s, body, arg), -EDEADLK);
    cr_assert_str_eq(report(), text);
    cr_assert_eq(sched_stats(s).hash, hash);
    close_sched();
}

Test(sched_report, finds_a_wrong_lock_order_and_names_the_cycle)
{
    static struct locks l;
    char text[2048];
    uint64_t hash;

    hunt(lock_order_error, &l, sizeof l, text, sizeof text, &hash);
    cr_assert_not_null(strstr(text, "1 \"main\" waits for the end of 2 \"first\"\n"));
    cr_assert_not_null(
        strstr(text, "2 \"first\" waits for mutex \"right\" held by 3 \"second\"\n"));
    cr_assert_not_null(strstr(text, "3 \"second\" waits for mutex \"left\" held by 2 \"first\"\n"));
    cr_assert_not_null(strstr(text, "cycle: 2 \"first\" -> mutex \"right\" of 3 \"second\" -> "
                                    "mutex \"left\" of 2 \"first\"\n"));
    replay(lock_order_error, &l, sizeof l, text, hash);
}

Test(sched_report, finds_a_lost_wakeup_and_names_the_condition)
{
    static struct mailbox m;
    char text[2048];
    uint64_t hash;

    hunt(lost_wakeup, &m, sizeof m, text, sizeof text, &hash);
    cr_assert_not_null(strstr(text, "2 \"reader\" waits for condition \"filled\" (mutex "
                                    "\"mailbox\") without a deadline\n"));
    cr_assert_null(strstr(text, "cycle"));
    replay(lost_wakeup, &m, sizeof m, text, hash);
}

static void lock_twice(void *arg)
{
    struct locks *l = arg;

    exec_mutex_init(e, &l->left, "left");
    exec_mutex_lock(e, &l->left);
    exec_mutex_lock(e, &l->left);
}

Test(sched_report, locking_twice_is_a_cycle_of_one)
{
    struct locks l;

    open_seed(0);
    cr_assert_eq(sched_run(s, lock_twice, &l), -EDEADLK);
    cr_assert_not_null(strstr(report(), "cycle: 1 \"main\" -> mutex \"left\" of 1 \"main\"\n"));
    cr_assert_eq(sched_run(s, lock_twice, &l), -EDEADLK); /* it stays dead */
    close_sched();
}

/* ---- a ring of three, and two more that wait for it ---- */

struct ring {
    struct exec_mutex lock[3];
    struct exec_atomic locked;
};

static void lock_own_then_next(void *arg)
{
    struct ring *r = arg;
    unsigned own = sched_self(s) % 3, next = (own + 1) % 3;

    exec_mutex_lock(e, &r->lock[own]);
    exec_atomic_add(e, &r->locked, 1);
    while (exec_atomic_load(e, &r->locked) < 3)
        exec_yield(e);
    exec_mutex_lock(e, &r->lock[next]);
}

static void lock_one_of_ring(void *arg)
{
    struct ring *r = arg;

    while (exec_atomic_load(e, &r->locked) < 3)
        exec_yield(e);
    exec_mutex_lock(e, &r->lock[1]);
}

static void lock_in_a_ring(void *arg)
{
    struct ring *r = arg;
    struct exec_thread *t;

    for (int i = 0; i < 3; i++)
        exec_mutex_init(e, &r->lock[i], "link");
    t = spawn("outside", lock_one_of_ring, r);
    for (int i = 0; i < 3; i++)
        spawn("link", lock_own_then_next, r);
    exec_thread_join(e, t);
}

/* main waits for 2, which waits for one of 3, 4, 5; those wait for each other. */
Test(sched_report, a_cycle_is_told_once_from_its_lowest_fiber)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct ring r = {.locked = {0}};
        const char *cycle;

        open_seed(seed);
        cr_assert_eq(sched_run(s, lock_in_a_ring, &r), -EDEADLK);
        cycle = strstr(report(), "cycle: ");
        cr_assert(cycle && strcmp(cycle, "cycle: 3 \"link\" -> mutex \"link\" of 4 \"link\" -> "
                                         "mutex \"link\" of 5 \"link\" -> mutex \"link\" of "
                                         "3 \"link\"\n") == 0);
        close_sched();
    }
}

Test(sched_report, report_fits_any_buffer)
{
    char small[40], whole[4096];
    struct locks l;
    size_t length;

    open_seed(0);
    cr_assert_eq(sched_run(s, lock_twice, &l), -EDEADLK);
    length = sched_report(s, whole, sizeof whole);
    cr_assert_eq(length, strlen(whole));
    cr_assert_eq(sched_report(s, NULL, 0), length);
    cr_assert_eq(sched_report(s, small, sizeof small), length);
    cr_assert_eq(strlen(small), sizeof small - 1);
    cr_assert_eq(strncmp(small, whole, sizeof small - 1), 0);
    close_sched();
}
