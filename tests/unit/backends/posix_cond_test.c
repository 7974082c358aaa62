/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of the POSIX back end at the moments that real threads meet once in a million times:
 * the sources are included, and the parking place is a stub that acts in the middle of the wait. */
#include <criterion/criterion.h>
#include <errno.h>

#include "backends/posix/posix_exec.c" /* NOLINT(bugprone-suspicious-include) */

/* What happens while the thread "sleeps", and how its sleep ends. */
static void (*during_wait)(void);
static int wait_result;
static unsigned signals, interrupts;

int posix_park_init(struct posix_park *p, bool with_descriptor)
{
    (void)with_descriptor;
    memset(p, 0, sizeof *p);
    return 0;
}

void posix_park_fini(struct posix_park *p) { (void)p; }

void posix_park_begin(struct posix_park *p) { (void)p; }

int posix_park_wait(struct posix_park *p, uint64_t deadline, bool interruptible)
{
    (void)p;
    (void)deadline;
    (void)interruptible;
    if (during_wait)
        during_wait();
    return wait_result;
}

void posix_park_signal(struct posix_park *p)
{
    (void)p;
    signals++;
}

void posix_park_interrupt(struct posix_park *p)
{
    (void)p;
    interrupts++;
}

void posix_park_forget_interrupt(struct posix_park *p) { (void)p; }

int posix_park_poll(struct posix_park *p, int fd, uint64_t deadline)
{
    (void)p;
    (void)fd;
    (void)deadline;
    return 0;
}

uint64_t posix_now(void) { return 0; }

static struct exec *e;
static struct exec_mutex m;
static struct exec_cond c;

static void open_cond(void)
{
    cr_assert_eq(posix_exec_create(&e), 0);
    exec_mutex_init(e, &m, "m");
    exec_cond_init(e, &c, "c");
    exec_mutex_lock(e, &m);
}

/* Also shows that the mutex is held and nobody is left in the list. */
static void close_cond(void)
{
    exec_mutex_unlock(e, &m);
    exec_cond_fini(e, &c);
    exec_mutex_fini(e, &m);
    posix_exec_destroy(e);
}

TestSuite(posix_cond, .init = open_cond, .fini = close_cond);

static void signal_once(void) { exec_cond_signal(e, &c); }

static int wait_with(void (*during)(void), int result)
{
    during_wait = during;
    wait_result = result;
    return exec_cond_wait(e, &c, &m, 1, true);
}

Test(posix_cond, a_timeout_is_a_timeout)
{
    cr_assert_eq(wait_with(NULL, -ETIMEDOUT), -ETIMEDOUT);
    cr_assert_eq(signals, 0);
}

Test(posix_cond, an_interrupt_is_an_interrupt)
{
    cr_assert_eq(wait_with(NULL, -EINTR), -EINTR);
    cr_assert_eq(interrupts, 0);
}

/* The signal was spent on a thread that had just given up: it must say so. */
Test(posix_cond, a_signal_spent_on_a_timed_out_thread_counts)
{
    cr_assert_eq(wait_with(signal_once, -ETIMEDOUT), 0);
    cr_assert_eq(signals, 1);
}

Test(posix_cond, a_signal_spent_on_an_interrupted_thread_counts_and_the_interrupt_stays)
{
    cr_assert_eq(wait_with(signal_once, -EINTR), 0);
    cr_assert_eq(signals, 1);
    cr_assert_eq(interrupts, 1);
}

static struct posix_park other_park;
static struct waiter other[2] = {{.park = &other_park}, {.park = &other_park}};

static void another_arrives(void) { enqueue(cond_of(&c), &other[0]); }

Test(posix_cond, the_first_of_the_list_may_withdraw)
{
    cr_assert_eq(wait_with(another_arrives, -ETIMEDOUT), -ETIMEDOUT);
    exec_cond_signal(e, &c);
    cr_assert_eq(signals, 1);
}

/* One that comes after that is found too. */
Test(posix_cond, the_last_of_the_list_may_withdraw)
{
    another_arrives();
    cr_assert_eq(wait_with(NULL, -ETIMEDOUT), -ETIMEDOUT);
    enqueue(cond_of(&c), &other[1]);
    exec_cond_broadcast(e, &c);
    cr_assert_eq(signals, 2);
}

Test(posix_cond, the_list_begins_again_after_the_last_signal)
{
    another_arrives();
    exec_cond_signal(e, &c);
    enqueue(cond_of(&c), &other[1]);
    exec_cond_signal(e, &c);
    exec_cond_signal(e, &c);
    cr_assert_eq(signals, 2);
}

static void unlocked_for_others(void)
{
    exec_mutex_lock(e, &m); /* aborts if it is still held */
    exec_mutex_unlock(e, &m);
}

Test(posix_cond, the_mutex_is_free_during_the_wait)
{
    cr_assert_eq(wait_with(unlocked_for_others, -ETIMEDOUT), -ETIMEDOUT);
}
