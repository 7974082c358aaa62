/* SPDX-License-Identifier: Apache-2.0 */
/* What is particular to the POSIX back end; what every back end must do is in tests/conformance. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "backends/posix/posix_exec.h"
#include "hal/exec.h"

static struct exec *e;

static void open_exec(void) { cr_assert_eq(posix_exec_create(&e), 0); }

static void close_exec(void) { posix_exec_destroy(e); }

TestSuite(posix_exec, .init = open_exec, .fini = close_exec, .timeout = 30);

static struct exec_thread *start(struct exec *on, const char *name, void (*body)(void *), void *arg)
{
    struct exec_thread *t = NULL;

    cr_assert_eq(exec_thread_create(on, name, body, arg, &t), 0);
    return t;
}

static void nothing(void *arg) { (void)arg; }

Test(posix_exec, destroy_takes_null) { posix_exec_destroy(NULL); }

Test(posix_exec, destroy_before_join_stops, .signal = SIGABRT)
{
    start(e, "left behind", nothing, NULL);
    posix_exec_destroy(e);
}

Test(posix_exec, clock_is_monotonic_time)
{
    struct timespec ts;
    uint64_t before = exec_now(e), between;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    between = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
    cr_assert_leq(before, between);
    cr_assert_leq(between, exec_now(e));
}

static void read_name(void *arg)
{
    /* The creator may still be about to set it. */
    while (pthread_getname_np(pthread_self(), arg, 16) || strcmp(arg, "a name too long"))
        exec_yield(e);
}

Test(posix_exec, the_system_knows_the_name)
{
    char name[16] = "";

    exec_thread_join(e, start(e, "a name too long for it", read_name, name));
    cr_assert_str_eq(name, "a name too long");
}

Test(posix_exec, no_descriptor_no_thread)
{
    struct rlimit before, none;
    struct exec_thread *t = NULL;
    int rc;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* and 0, 1, 2 are in use */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    rc = exec_thread_create(e, "none", nothing, NULL, &t);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_assert_eq(rc, -EAGAIN);
    cr_assert_null(t);
}

/* ---- several environments, and threads from elsewhere ---- */

struct meeting {
    struct exec *e;
    struct exec_mutex lock;
    struct exec_cond changed;
    unsigned arrived;
};

static void *meet(void *arg)
{
    struct meeting *m = arg;

    exec_mutex_lock(m->e, &m->lock);
    m->arrived++;
    exec_cond_broadcast(m->e, &m->changed);
    while (m->arrived < 4)
        cr_assert_eq(exec_cond_wait(m->e, &m->changed, &m->lock, EXEC_FOREVER, true), 0);
    exec_mutex_unlock(m->e, &m->lock);
    return NULL;
}

static void meet_body(void *arg) { meet(arg); }

Test(posix_exec, threads_of_all_kinds_meet)
{
    struct exec *other;
    struct meeting m = {.e = e};
    struct exec_thread *ours, *theirs;
    pthread_t foreign;

    cr_assert_eq(posix_exec_create(&other), 0);
    exec_mutex_init(e, &m.lock, "meeting");
    exec_cond_init(e, &m.changed, "arrived");
    ours = start(e, "ours", meet_body, &m);
    theirs = start(other, "theirs", meet_body, &m);
    cr_assert_eq(pthread_create(&foreign, NULL, meet, &m), 0);
    meet(&m);
    exec_thread_join(e, ours);
    exec_thread_join(other, theirs);
    pthread_join(foreign, NULL);
    exec_cond_fini(e, &m.changed);
    exec_mutex_fini(e, &m.lock);
    posix_exec_destroy(other);
}

/* ---- signals of the process are not interrupts ---- */

static volatile sig_atomic_t alarms;

static void count_alarm(int number)
{
    (void)number;
    alarms++;
}

static void set_timer(suseconds_t us)
{
    struct itimerval timer = {{0, us}, {0, us}};

    cr_assert_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

Test(posix_exec, process_signals_end_no_wait)
{
    struct sigaction action = {.sa_handler = count_alarm}; /* no SA_RESTART */
    int fd = eventfd(0, EFD_CLOEXEC);
    uint64_t deadline;

    cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(500);
    deadline = exec_now(e) + 3000000;
    cr_assert_eq(exec_sleep_until(e, deadline), 0);
    cr_assert_geq(exec_now(e), deadline);
    deadline = exec_now(e) + 3000000;
    cr_assert_eq(exec_fd_wait(e, fd, deadline), -ETIMEDOUT);
    cr_assert_geq(exec_now(e), deadline);
    while (!alarms)
        exec_yield(e);
    set_timer(0);
    close(fd);
}

/* ---- many interrupts at many moments ---- */

struct target {
    struct exec_atomic interrupts, ended; /* said by the target */
    struct exec_atomic stop;              /* said by the tester */
    struct exec_mutex lock;
    struct exec_cond never;
    int fd;
};

static void be_interrupted(void *arg)
{
    struct target *t = arg;

    while (!exec_atomic_load(e, &t->stop)) {
        int rc[3];

        rc[0] = exec_sleep_until(e, EXEC_FOREVER);
        rc[1] = exec_fd_wait(e, t->fd, EXEC_FOREVER);
        exec_mutex_lock(e, &t->lock);
        rc[2] = exec_cond_wait(e, &t->never, &t->lock, EXEC_FOREVER, true);
        exec_mutex_unlock(e, &t->lock);
        for (int i = 0; i < 3; i++)
            cr_assert_eq(rc[i], -EINTR);
        exec_atomic_add(e, &t->interrupts, 3);
    }
    exec_atomic_store(e, &t->ended, 1);
}

/* Each interrupt comes at another moment of the wait, and none may be lost: the target has no other
 * way to go on. */
Test(posix_exec, no_interrupt_is_lost)
{
    struct target target = {.fd = eventfd(0, EFD_CLOEXEC)};
    struct exec_thread *t;
    uint64_t sent = 0;

    exec_mutex_init(e, &target.lock, "target");
    exec_cond_init(e, &target.never, "never");
    t = start(e, "target", be_interrupted, &target);
    while (exec_atomic_load(e, &target.interrupts) < 300) {
        exec_thread_interrupt(e, t);
        for (uint64_t i = 0; i < sent % 7; i++)
            exec_yield(e);
        sent++;
    }
    exec_atomic_store(e, &target.stop, 1);
    while (!exec_atomic_load(e, &target.ended)) { /* it may be anywhere in its last round */
        exec_thread_interrupt(e, t);
        exec_yield(e);
    }
    exec_thread_join(e, t);
    cr_assert_geq(sent, 300);
    exec_cond_fini(e, &target.never);
    exec_mutex_fini(e, &target.lock);
    close(target.fd);
}
