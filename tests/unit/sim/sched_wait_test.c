/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual time, devices, keyed waits and descriptors under the deterministic scheduler. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/sim/sched_fixture.h"

/* ---- time ---- */

static void sleeper(void *arg)
{
    uint64_t *at = arg;

    cr_assert_eq(exec_sleep_until(e, *at), 0);
    cr_assert_eq(exec_now(e), *at);
}

static void sleep_long(void *arg)
{
    uint64_t at[3] = {UINT64_C(3000000000000), 5, UINT64_C(7000000000)};
    struct exec_thread *t[3];

    (void)arg;
    for (int i = 0; i < 3; i++)
        t[i] = spawn("sleeper", sleeper, &at[i]);
    for (int i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
    cr_assert_eq(exec_now(e), at[0]);
}

Test(sched_wait, time_jumps_to_each_deadline)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        run_seed(seed, sleep_long, NULL);
}

static void spin(void *arg)
{
    uint64_t now = exec_now(e);

    (void)arg;
    for (int i = 0; i < 100; i++)
        exec_yield(e);
    cr_assert_eq(exec_now(e), now);
}

static void sleep_beside_spinner(void *arg)
{
    struct exec_thread *t = spawn("spinner", spin, NULL);

    (void)arg;
    cr_assert_eq(exec_sleep_until(e, 1000), 0);
    exec_thread_join(e, t);
}

Test(sched_wait, time_stands_still_while_somebody_can_run)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        run_seed(seed, sleep_beside_spinner, NULL);
}

static void yield_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        exec_yield(e);
}

Test(sched_wait, a_run_without_end_is_stopped)
{
    struct sched_config cfg = {.points_max = 1000};

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, yield_for_ever, NULL), -ETIME);
    cr_assert_eq(sched_stats(s).points, 1000);
    cr_assert_not_null(strstr(report(), "1 \"main\" can run\n"));
    close_sched();
}

/* ---- a device ---- */

struct device {
    uint64_t time, next_event, events_left, period;
    uint64_t key;
    unsigned advanced;
};

static bool device_idle(void *arg) { return ((const struct device *)arg)->events_left == 0; }

/* Time is a multiple of 4, as in the AFU. */
static void device_advance(void *arg, uint64_t until)
{
    struct device *d = arg;

    d->advanced++;
    cr_assert_neq(until, EXEC_FOREVER);
    while (d->events_left && d->next_event < until) {
        d->time = d->next_event;
        d->next_event += d->period;
        d->events_left--;
        if (sched_wake_key(s, d->key))
            return;
    }
    if (d->time < until)
        d->time = (until + 3) / 4 * 4;
}

static const struct sched_clock device_clock = {1, device_advance, device_idle};

static struct device *open_device(uint64_t seed, uint64_t events, uint64_t period)
{
    struct device *d;

    open_seed(seed);
    d = sim_world_alloc(w, sizeof *d, 16);
    *d = (struct device){.next_event = period, .events_left = events, .period = period};
    sched_set_clock(s, &device_clock, &d->time, d);
    return d;
}

static void close_device(struct device *d)
{
    sim_world_free(w, d, sizeof *d);
    close_sched();
}

static void wait_for_events(void *arg)
{
    struct device *d = arg;

    for (uint64_t i = 1; i <= 10; i++) {
        cr_assert_eq(sched_wait_key(s, 0, EXEC_FOREVER, false, "an event"), 0);
        cr_assert_eq(exec_now(e), i * d->period);
    }
}

Test(sched_wait, the_waiter_runs_the_device)
{
    struct device *d = open_device(0, 10, 400);

    cr_assert_eq(sched_run(s, wait_for_events, d), 0);
    cr_assert_eq(d->advanced, 10);
    cr_assert_eq(sched_stats(s).switches, 0);
    close_device(d);
}

static void wait_with_deadline(void *arg)
{
    struct device *d = arg;

    /* Not a multiple of 4: the device can only be a little later. */
    cr_assert_eq(sched_wait_key(s, 1, 1001, false, "nothing"), -ETIMEDOUT);
    cr_assert_eq(exec_now(e), 1004);
    cr_assert_eq(sched_wait_key(s, 1, 1004, false, "nothing"), -ETIMEDOUT);
    cr_assert_eq(sched_wait_key(s, d->key, 5000, false, "the event"), 0);
    cr_assert_eq(exec_now(e), 4000);
    cr_assert_eq(exec_sleep_until(e, 1000000), 0); /* beyond all events: time jumps */
    cr_assert_eq(exec_now(e), 1000000);
}

Test(sched_wait, deadlines_hold_with_a_device)
{
    struct device *d = open_device(0, 1, 4000);

    cr_assert_eq(sched_run(s, wait_with_deadline, d), 0);
    close_device(d);
}

static void wait_for_nobody(void *arg)
{
    (void)arg;
    (void)!sched_wait_key(s, 99, EXEC_FOREVER, false, "a completion");
}

Test(sched_wait, an_idle_device_is_a_deadlock)
{
    struct device *d = open_device(0, 5, 100);

    cr_assert_eq(sched_run(s, wait_for_nobody, d), -EDEADLK);
    cr_assert_not_null(
        strstr(report(), "1 \"main\" waits for a completion (key 0x63) without a deadline\n"));
    close_device(d);
}

Test(sched_wait, a_device_that_is_busy_for_nobody_is_a_deadlock)
{
    struct device *d = open_device(0, UINT64_MAX, 1000000000);

    cr_assert_eq(sched_run(s, wait_for_nobody, d), -EDEADLK);
    cr_assert_geq(d->time, UINT64_C(600000000000));
    close_device(d);
}

static void lazy_advance(void *arg, uint64_t until)
{
    (void)arg;
    (void)until;
}

Test(sched_wait, a_device_that_does_not_advance_stops_the_program, .signal = SIGABRT)
{
    static const struct sched_clock lazy = {1, lazy_advance, device_idle};
    struct device *d = open_device(0, 1, 100);

    sched_set_clock(s, &lazy, &d->time, d);
    (void)!sched_run(s, wait_for_nobody, d);
}

/* ---- keyed waits ---- */

struct keyed {
    unsigned woken[4], waiting;
};

static void wait_for_own_key(void *arg)
{
    struct keyed *k = arg;
    unsigned me = sched_self(s) - 2; /* 0.. */

    k->waiting++;
    cr_assert_eq(sched_wait_key(s, me / 2, EXEC_FOREVER, false, "its key"), 0);
    k->woken[me]++;
}

static void wake_keys(void *arg)
{
    struct keyed *k = arg;
    struct exec_thread *t[4];

    for (int i = 0; i < 4; i++)
        t[i] = spawn("waiter", wait_for_own_key, k);
    while (k->waiting < 4)
        exec_yield(e);
    cr_assert(!sched_any_ready(s));
    for (uint64_t key = 2; key < 1000; key++) /* some share a bucket with those */
        cr_assert(!sched_wake_key(s, key));
    cr_assert(sched_wake_key(s, 1));
    cr_assert(sched_any_ready(s));
    cr_assert(!sched_wake_key(s, 1));
    exec_thread_join(e, t[2]);
    exec_thread_join(e, t[3]);
    cr_assert_eq(k->woken[0] + k->woken[1], 0);
    cr_assert(sched_wake_key(s, 0));
    exec_thread_join(e, t[0]);
    exec_thread_join(e, t[1]);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(k->woken[i], 1);
}

Test(sched_wait, a_key_wakes_all_its_waiters_and_no_others)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct keyed k = {.waiting = 0};

        run_seed(seed, wake_keys, &k);
    }
}

static void wait_interruptibly(void *arg)
{
    int *rc = arg;

    *rc = sched_wait_key(s, 5, EXEC_FOREVER, true, "an event");
}

static void interrupt_key(void *arg)
{
    int rc = 1;
    struct exec_thread *t = spawn("waiter", wait_interruptibly, &rc);

    (void)arg;
    exec_thread_interrupt(e, t);
    exec_thread_join(e, t);
    cr_assert_eq(rc, -EINTR);
    cr_assert(!sched_wake_key(s, 5));
}

Test(sched_wait, a_keyed_wait_can_be_interrupted)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        run_seed(seed, interrupt_key, NULL);
}

/* ---- polling ---- */

/* A device whose events wake one key, several, or none. */
struct busy {
    uint64_t time, next_event, events;
    bool polls; /* its waiters do, else they wait */
    uint64_t woken, timed_out, log;
};

static bool busy_idle(void *arg)
{
    (void)arg;
    return false;
}

static void busy_advance(void *arg, uint64_t until)
{
    struct busy *d = arg;

    while (d->next_event <= until) {
        uint64_t n = d->events++;
        bool any = false;

        d->time = d->next_event;
        d->next_event += 4 * (1 + n % 7);
        for (uint64_t key = 1; key <= 3; key++)
            if (n * 5 % 11 >> key & 1)
                any |= sched_wake_key(s, key);
        if (any)
            return;
    }
    d->time = until;
}

static const struct sched_clock busy_clock = {1, busy_advance, busy_idle};

/* Keys 1 and 2 have one waiter, 3 has two; deadlines come before, with and behind events. */
static void wait_or_poll(void *arg)
{
    struct busy *d = arg;

    for (uint64_t i = 0; i < 60; i++) {
        uint64_t self = sched_self(s), key = self > 3 ? 3 : self;
        uint64_t deadline = d->time + 4 * ((i * 7 + self) % 13);
        int rc = d->polls ? sched_poll_key(s, key, deadline, "news")
                          : sched_wait_key(s, key, deadline, false, "news");

        d->woken += rc == 0;
        d->timed_out += rc == -ETIMEDOUT;
        d->log = d->log * 31 + d->time * 8 + self * 2 + (rc == 0);
        if (i % 5 == self % 5)
            exec_yield(e);
    }
}

static void four_of_them(void *arg)
{
    struct exec_thread *t[3];

    for (int i = 0; i < 3; i++)
        t[i] = spawn("waiter", wait_or_poll, arg);
    wait_or_poll(arg);
    for (int i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
}

static struct sched_stats run_busy(uint64_t seed, void (*body)(void *), bool polls,
                                   struct busy *out)
{
    struct sched_stats stats;
    struct busy *d;

    open_seed(seed);
    d = sim_world_alloc(w, sizeof *d, 16);
    *d = (struct busy){.next_event = 4, .polls = polls};
    sched_set_clock(s, &busy_clock, &d->time, d);
    cr_assert_eq(sched_run(s, body, d), 0);
    stats = sched_stats(s);
    *out = *d;
    sim_world_free(w, d, sizeof *d);
    close_sched();
    return stats;
}

/* Alone, and beside others that wait for the same and for other things. */
Test(sched_wait, polling_is_waiting)
{
    static void (*const bodies[])(void *) = {wait_or_poll, four_of_them};
    struct busy waited, polled;

    for (uint64_t i = 0; i < 100; i++) {
        struct sched_stats a = run_busy(i / 2, bodies[i % 2], false, &waited);
        struct sched_stats b = run_busy(i / 2, bodies[i % 2], true, &polled);

        cr_assert_eq(a.hash, b.hash);
        cr_assert_eq(a.points, b.points);
        cr_assert_eq(a.choices, b.choices);
        cr_assert_eq(a.switches, b.switches);
        cr_assert_eq(waited.log, polled.log);
        cr_assert_eq(waited.time, polled.time);
        cr_assert(waited.woken && waited.timed_out, "both ends happen");
    }
}

static void poll_for_ever(void *arg)
{
    for (;;)
        (void)!sched_poll_key(s, 1, ((struct busy *)arg)->time + 400, "news");
}

Test(sched_wait, a_poll_without_end_is_stopped)
{
    struct sched_config cfg = {.points_max = 1000};
    struct busy *d;

    open_sched(&cfg);
    d = sim_world_alloc(w, sizeof *d, 16);
    d->next_event = 4;
    sched_set_clock(s, &busy_clock, &d->time, d);
    cr_assert_eq(sched_run(s, poll_for_ever, d), -ETIME);
    cr_assert_eq(sched_stats(s).points, 1000);
    cr_assert_not_null(strstr(report(), "news"));
    sim_world_free(w, d, sizeof *d);
    close_sched();
}

/* The check before the wait still holds in it: the flag is set and the key woken by another fiber
 * only at scheduling points, and there is none in between. */
struct flag {
    bool set;
};

static void set_flag(void *arg)
{
    struct flag *f = arg;

    exec_yield(e);
    f->set = true;
    sched_wake_key(s, 7);
}

static void wait_for_flag(void *arg)
{
    struct flag *f = arg;
    struct exec_thread *t = spawn("setter", set_flag, f);

    exec_yield(e);
    while (!f->set)
        cr_assert_eq(sched_wait_key(s, 7, EXEC_FOREVER, false, "the flag"), 0);
    exec_thread_join(e, t);
}

Test(sched_wait, no_point_between_check_and_keyed_wait)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct flag f = {false};

        run_seed(seed, wait_for_flag, &f);
    }
}

/* ---- descriptors ---- */

struct event {
    int fd;
    unsigned order;
};

static void wait_for_event(void *arg)
{
    struct event *ev = arg;

    cr_assert_eq(exec_fd_wait(e, ev->fd, EXEC_FOREVER), 0);
    ev->order = 1;
}

static void post_event(void *arg)
{
    struct event *ev = arg;
    struct exec_thread *t = spawn("waiter", wait_for_event, ev);

    for (int i = 0; i < 10; i++)
        exec_yield(e);
    cr_assert_eq(ev->order, 0);
    cr_assert_eq(eventfd_write(ev->fd, 1), 0);
    /* Never waiting itself, main must not keep the waiter from its event. */
    for (int i = 0; i < 1000 && !ev->order; i++)
        exec_yield(e);
    cr_assert_eq(ev->order, 1);
    exec_thread_join(e, t);
}

Test(sched_wait, a_descriptor_is_seen_beside_a_spinner)
{
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};
    uint64_t hash, again;

    hash = run_seed(1, post_event, &ev);
    close(ev.fd);
    ev = (struct event){.fd = eventfd(0, EFD_CLOEXEC)};
    again = run_seed(1, post_event, &ev);
    cr_assert_eq(again, hash);
    close(ev.fd);
}

static void pin_by_waiting(void *arg)
{
    struct event *ev = arg;
    struct exec_thread *t = spawn("waiter", wait_for_event, ev);

    while (!sim_world_pinned(w))
        exec_yield(e);
    cr_assert_eq(eventfd_write(ev->fd, 1), 0);
    exec_thread_join(e, t);
    cr_assert_null(sim_world_pinned(w));
}

Test(sched_wait, waiting_for_a_descriptor_pins_the_world)
{
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};

    run_seed(1, pin_by_waiting, &ev);
    close(ev.fd);
}

static void wait_for_bad(void *arg)
{
    struct event *ev = arg;

    ev->order = (unsigned)-exec_fd_wait(e, ev->fd, EXEC_FOREVER);
}

static void close_under_waiter(void *arg)
{
    struct event *ev = arg;
    struct exec_thread *t = spawn("waiter", wait_for_bad, ev);

    cr_assert_eq(exec_sleep_until(e, 1000), 0);
    close(ev->fd);
    exec_thread_join(e, t);
}

Test(sched_wait, a_descriptor_that_is_closed_during_the_wait_is_bad)
{
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};

    run_seed(1, close_under_waiter, &ev);
    cr_assert_eq(ev.order, EBADF);
}

#define MANY 40

static void many_descriptors(void *arg)
{
    struct event *ev = arg;
    struct exec_thread *t[MANY];

    for (int i = 0; i < MANY; i++)
        t[i] = spawn("waiter", wait_for_event, &ev[i]);
    cr_assert_eq(exec_sleep_until(e, 1000), 0); /* all wait by now */
    for (int i = MANY - 1; i >= 0; i--) {
        cr_assert_eq(eventfd_write(ev[i].fd, 1), 0);
        exec_thread_join(e, t[i]);
        cr_assert_eq(ev[i].order, 1);
    }
}

Test(sched_wait, more_descriptors_than_one_poll_takes)
{
    struct event ev[MANY];

    for (int i = 0; i < MANY; i++)
        ev[i] = (struct event){.fd = eventfd(0, EFD_CLOEXEC)};
    run_seed(1, many_descriptors, ev);
    for (int i = 0; i < MANY; i++)
        close(ev[i].fd);
}

Test(sched_wait, a_silent_descriptor_is_a_deadlock)
{
    struct sched_config cfg = {.descriptor_ms_max = 20};
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};
    char expected[80];

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, wait_for_event, &ev), -EDEADLK);
    snprintf(expected, sizeof expected, "waits for descriptor %d without a deadline", ev.fd);
    cr_assert_not_null(strstr(report(), expected));
    cr_assert_null(sim_world_pinned(w)); /* the world can be put back */
    close_sched();
    close(ev.fd);
}

static void wait_briefly(void *arg)
{
    struct event *ev = arg;

    cr_assert_eq(exec_fd_wait(e, ev->fd, 500), -ETIMEDOUT);
    cr_assert_eq(exec_now(e), 500);
}

Test(sched_wait, a_descriptor_wait_with_deadline_costs_no_real_time)
{
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};

    run_seed(1, wait_briefly, &ev);
    close(ev.fd);
}
