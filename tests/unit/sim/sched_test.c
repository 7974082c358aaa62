/* SPDX-License-Identifier: Apache-2.0 */
/* The deterministic scheduler: schedules, choices, replay, deadlocks and their reports, time, keyed
 * waits, devices, descriptors. What every execution back end must do is in tests/conformance. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/unit/sim/sched_fixture.h"

static const char *report(void)
{
    static char text[4096];

    cr_assert_lt(sched_report(s, text, sizeof text), sizeof text);
    return text;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static size_t distinct(uint64_t *v, size_t count)
{
    size_t n = 0;

    qsort(v, count, sizeof *v, compare_u64);
    for (size_t i = 0; i < count; i++)
        n += i == 0 || v[i] != v[i - 1];
    return n;
}

/* ---- a contended workload ---- */

#define WORKERS 4

struct contended {
    struct exec_mutex lock;
    struct exec_cond changed;
    struct exec_atomic turns;
    uint64_t order, finished;
    bool wait_at_end;
};

static void contended_worker(void *arg)
{
    struct contended *c = arg;

    for (int i = 0; i < 5; i++) {
        exec_atomic_add(e, &c->turns, 1);
        exec_mutex_lock(e, &c->lock);
        c->order = c->order * 7 + sched_self(s);
        exec_mutex_unlock(e, &c->lock);
        if (i == 2)
            (void)!exec_sleep_until(e, exec_now(e) + 100);
    }
    exec_mutex_lock(e, &c->lock);
    c->finished++;
    exec_cond_broadcast(e, &c->changed);
    exec_mutex_unlock(e, &c->lock);
}

static void contended_main(void *arg)
{
    struct contended *c = arg;
    struct exec_thread *t[WORKERS];
    char name[] = "worker 0";

    exec_mutex_init(e, &c->lock, "lock");
    exec_cond_init(e, &c->changed, "changed");
    for (size_t i = 0; i < WORKERS; i++) {
        name[7] = (char)('0' + i);
        t[i] = spawn(name, contended_worker, c);
    }
    exec_mutex_lock(e, &c->lock);
    while (c->finished < WORKERS)
        cr_assert_eq(exec_cond_wait(e, &c->changed, &c->lock, EXEC_FOREVER, false), 0);
    exec_mutex_unlock(e, &c->lock);
    for (size_t i = 0; i < WORKERS; i++)
        exec_thread_join(e, t[i]);
    exec_cond_fini(e, &c->changed);
    exec_mutex_fini(e, &c->lock);
}

static uint64_t contended_run(uint64_t seed)
{
    struct contended c = {.order = 0};

    return run_seed(seed, contended_main, &c);
}

Test(sched, one_seed_gives_one_schedule)
{
    uint64_t hash = contended_run(1);

    for (int i = 0; i < 1000; i++)
        cr_assert_eq(contended_run(1), hash);
}

/* The number that every machine, compiler and sanitizer must arrive at. */
Test(sched, the_schedule_is_the_same_on_every_machine)
{
    uint64_t hash = contended_run(20240607);

    cr_assert_eq(hash, UINT64_C(0x55ca2fcba34c7b1c), "%016llx", (unsigned long long)hash);
}

Test(sched, many_seeds_give_many_schedules)
{
    static uint64_t hash[1000];

    for (uint64_t i = 0; i < 1000; i++)
        hash[i] = contended_run(i);
    cr_assert_geq(distinct(hash, 1000), 990);
}

/* ---- every interleaving of a small program ---- */

static char letters[8];
static size_t letter_count;

static void letter(void *arg)
{
    const char *text = arg;

    for (size_t i = 0; text[i]; i++) {
        exec_yield(e);
        letters[letter_count++] = text[i];
    }
}

static void two_letters(void *arg)
{
    struct exec_thread *a, *b;

    (void)arg;
    a = spawn("a", letter, (void *)(uintptr_t) "abc");
    b = spawn("b", letter, (void *)(uintptr_t) "xyz");
    exec_thread_join(e, a);
    exec_thread_join(e, b);
}

Test(sched, all_interleavings_come_up)
{
    static uint64_t seen[2000];

    for (uint64_t seed = 0; seed < 2000; seed++) {
        memset(letters, 0, sizeof letters);
        letter_count = 0;
        run_seed(seed, two_letters, NULL);
        cr_assert_eq(letter_count, 6);
        memcpy(&seen[seed], letters, sizeof seen[0]);
    }
    cr_assert_eq(distinct(seen, 2000), 20); /* 6 over 3 */
}

/* ---- planted errors ---- */

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
    unsigned long long seed;

    cr_assert_eq(sscanf(text, "seed %llu,", &seed), 1);
    memset(arg, 0, size);
    open_seed(seed);
    cr_assert_eq(sched_run(s, body, arg), -EDEADLK);
    cr_assert_str_eq(report(), text);
    cr_assert_eq(sched_stats(s).hash, hash);
    close_sched();
}

Test(sched, finds_a_wrong_lock_order_and_names_the_cycle)
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

Test(sched, finds_a_lost_wakeup_and_names_the_condition)
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

Test(sched, locking_twice_is_a_cycle_of_one)
{
    struct locks l;

    open_seed(0);
    cr_assert_eq(sched_run(s, lock_twice, &l), -EDEADLK);
    cr_assert_not_null(strstr(report(), "cycle: 1 \"main\" -> mutex \"left\" of 1 \"main\"\n"));
    cr_assert_eq(sched_run(s, lock_twice, &l), -EDEADLK); /* it stays dead */
    close_sched();
}

Test(sched, report_fits_any_buffer)
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

/* ---- recorded choices ---- */

struct tape {
    uint32_t choice[4096], alternatives[4096];
    size_t count;
};

static void record(void *arg, uint32_t chosen, uint32_t alternatives)
{
    struct tape *t = arg;

    cr_assert_lt(chosen, alternatives);
    t->choice[t->count] = chosen;
    t->alternatives[t->count++] = alternatives;
}

static uint64_t contended_order(const struct sched_config *cfg, uint64_t *hash)
{
    struct contended c = {.order = 0};

    open_sched(cfg);
    cr_assert_eq(sched_run(s, contended_main, &c), 0);
    *hash = sched_stats(s).hash;
    close_sched();
    return c.order;
}

static void check_replay(unsigned stickiness)
{
    static struct tape tape;
    struct sched_config live = {.on_choice = record, .arg = &tape, .stickiness = stickiness};
    struct sched_config again = {.choices = tape.choice};
    uint64_t hash, hash_again, order;

    for (live.seed = 0; live.seed < 50; live.seed++) {
        tape.count = 0;
        order = contended_order(&live, &hash);
        again.seed = live.seed + 1000; /* it has no say */
        again.choice_count = tape.count;
        cr_assert_eq(contended_order(&again, &hash_again), order);
        cr_assert_eq(hash_again, hash);
    }
}

Test(sched, choices_replay_without_the_seed) { check_replay(0); }

Test(sched, choices_replay_under_stickiness) { check_replay(3); }

Test(sched, any_list_of_choices_is_a_schedule)
{
    static const uint32_t zeros[1], wild[] = {77, 1000000, 3, UINT32_MAX, 5, 9, 2};
    struct sched_config cfg = {.choices = zeros};
    uint64_t tame, hash;

    /* An empty list: everybody goes on as long as it can. */
    contended_order(&cfg, &tame);
    cfg.choice_count = 1;
    contended_order(&cfg, &hash);
    cr_assert_eq(hash, tame);
    cfg.choices = wild;
    cfg.choice_count = sizeof wild / sizeof wild[0];
    contended_order(&cfg, &hash);
    cr_assert_neq(hash, tame);
}

static void record_switch(void *arg, unsigned from, unsigned to)
{
    struct tape *t = arg;

    cr_assert_neq(from, to);
    cr_assert(t->count == 0 || t->choice[t->count - 1] == from);
    t->choice[t->count++] = to;
}

Test(sched, every_switch_is_told)
{
    static struct tape tape;
    struct sched_config cfg = {.seed = 3, .on_switch = record_switch, .arg = &tape};
    struct contended c = {.order = 0};

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, contended_main, &c), 0);
    cr_assert_eq(sched_stats(s).switches, tape.count);
    cr_assert_gt(tape.count, 20);
    close_sched();
}

static void draw(void *arg)
{
    uint64_t *out = arg;

    for (int i = 0; i < 8; i++)
        out[i] = i % 2 ? sched_random(s) : exec_entropy(e);
}

Test(sched, random_and_entropy_come_from_the_seed)
{
    uint64_t a[8], b[8];

    run_seed(5, draw, a);
    run_seed(5, draw, b);
    cr_assert_arr_eq(a, b, sizeof a);
    run_seed(6, draw, b);
    for (int i = 0; i < 8; i++)
        cr_assert_neq(a[i], b[i]);
}

static void choose_often(void *arg)
{
    unsigned *seen = arg;

    for (int i = 0; i < 300; i++)
        seen[sched_choose(s, 3)]++;
    cr_assert_eq(sched_choose(s, 1), 0);
}

Test(sched, choose_covers_its_range)
{
    unsigned seen[3] = {0, 0, 0};

    run_seed(1, choose_often, seen);
    for (int i = 0; i < 3; i++)
        cr_assert_gt(seen[i], 60);
}

Test(sched, stickiness_makes_switches_rare)
{
    struct sched_config cfg = {.stickiness = 4};
    struct contended c = {.order = 0};
    uint64_t points, switches;

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, contended_main, &c), 0);
    points = sched_stats(s).points;
    switches = sched_stats(s).switches;
    cr_assert_lt(switches * 3, points);
    close_sched();
}

static void wait_without_signal(void *arg)
{
    struct mailbox *m = arg;
    unsigned returned = 0;

    exec_mutex_init(e, &m->lock, "mailbox");
    exec_cond_init(e, &m->filled, "filled");
    exec_mutex_lock(e, &m->lock);
    for (int i = 0; i < 400; i++)
        returned += exec_cond_wait(e, &m->filled, &m->lock, exec_now(e) + 10, false) == 0;
    exec_mutex_unlock(e, &m->lock);
    m->full.value = returned;
}

Test(sched, spurious_wakeups_only_if_asked_for)
{
    struct sched_config cfg = {.spurious_one_in = 4};
    struct mailbox m = {.full.value = 0};

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, wait_without_signal, &m), 0);
    cr_assert(m.full.value > 50 && m.full.value < 150);
    close_sched();
    run_seed(0, wait_without_signal, &m);
    cr_assert_eq(m.full.value, 0);
}

/* ---- fairness of waking ---- */

struct queue {
    struct exec_mutex lock;
    struct exec_cond go;
    unsigned waiting;
    unsigned first; /* of those that were woken */
};

static void wait_in_queue(void *arg)
{
    struct queue *q = arg;

    exec_mutex_lock(e, &q->lock);
    q->waiting++;
    (void)!exec_cond_wait(e, &q->go, &q->lock, EXEC_FOREVER, false);
    if (!q->first)
        q->first = sched_self(s);
    exec_mutex_unlock(e, &q->lock);
}

static void signal_queue(void *arg)
{
    struct queue *q = arg;
    struct exec_thread *t[3];

    exec_mutex_init(e, &q->lock, "queue");
    exec_cond_init(e, &q->go, "go");
    for (int i = 0; i < 3; i++)
        t[i] = spawn("waiter", wait_in_queue, q);
    while (q->waiting < 3)
        exec_yield(e);
    exec_mutex_lock(e, &q->lock); /* so that the last one does wait */
    exec_mutex_unlock(e, &q->lock);
    for (int i = 0; i < 3; i++)
        exec_cond_signal(e, &q->go);
    for (int i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, no_waiter_is_first_by_right)
{
    unsigned first[8] = {0};

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct queue q = {.first = 0};

        run_seed(seed, signal_queue, &q);
        first[q.first]++;
    }
    for (unsigned i = 2; i <= 4; i++)
        cr_assert_gt(first[i], 30, "fiber %u", i);
}

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

Test(sched, time_jumps_to_each_deadline)
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

Test(sched, time_stands_still_while_somebody_can_run)
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

Test(sched, a_run_without_end_is_stopped)
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

static uint64_t device_now(void *arg) { return ((const struct device *)arg)->time; }

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

static const struct sched_clock device_clock = {device_now, device_advance, device_idle};

static struct device *open_device(uint64_t seed, uint64_t events, uint64_t period)
{
    struct device *d;

    open_seed(seed);
    d = sim_world_alloc(w, sizeof *d, 16);
    *d = (struct device){.next_event = period, .events_left = events, .period = period};
    sched_set_clock(s, &device_clock, d);
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

Test(sched, the_waiter_runs_the_device)
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

Test(sched, deadlines_hold_with_a_device)
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

Test(sched, an_idle_device_is_a_deadlock)
{
    struct device *d = open_device(0, 5, 100);

    cr_assert_eq(sched_run(s, wait_for_nobody, d), -EDEADLK);
    cr_assert_not_null(
        strstr(report(), "1 \"main\" waits for a completion (key 0x63) without a deadline\n"));
    close_device(d);
}

Test(sched, a_device_that_is_busy_for_nobody_is_a_deadlock)
{
    struct device *d = open_device(0, UINT64_MAX, 1000000000);

    cr_assert_eq(sched_run(s, wait_for_nobody, d), -EDEADLK);
    cr_assert_geq(d->time, UINT64_C(600000000000));
    close_device(d);
}

/* HAL progress: a poller that never waits moves the device. */
static void poll_device(void *arg)
{
    struct device *d = arg;

    for (int i = 0; i < 100; i++) {
        d->time += 4;
        sched_time_moved(s);
        exec_yield(e);
    }
}

static void sleep_beside_poller(void *arg)
{
    struct device *d = arg;
    struct exec_thread *t = spawn("poller", poll_device, d);

    cr_assert_eq(exec_sleep_until(e, 200), 0);
    cr_assert_geq(exec_now(e), 200);
    cr_assert_lt(exec_now(e), 400); /* with many points to run, it does not come last */
    exec_thread_join(e, t);
}

Test(sched, deadlines_come_while_a_poller_moves_time)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct device *d = open_device(seed, 0, 100);

        cr_assert_eq(sched_run(s, sleep_beside_poller, d), 0);
        cr_assert_eq(d->advanced, 0);
        close_device(d);
    }
}

static void lazy_advance(void *arg, uint64_t until)
{
    (void)arg;
    (void)until;
}

Test(sched, a_device_that_does_not_advance_stops_the_program, .signal = SIGABRT)
{
    static const struct sched_clock lazy = {device_now, lazy_advance, device_idle};
    struct device *d = open_device(0, 1, 100);

    sched_set_clock(s, &lazy, d);
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
    cr_assert(!sched_wake_key(s, 64)); /* same bucket as some, but another key */
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

Test(sched, a_key_wakes_all_its_waiters_and_no_others)
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

Test(sched, a_keyed_wait_can_be_interrupted)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        run_seed(seed, interrupt_key, NULL);
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

Test(sched, no_point_between_check_and_keyed_wait)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct flag f = {false};

        run_seed(seed, wait_for_flag, &f);
    }
}

/* ---- identity ---- */

static void check_identity(void *arg)
{
    unsigned *numbers = arg;

    exec_yield(e);
    numbers[sched_self(s)]++;
    cr_assert_null(*sched_local(s));
    *sched_local(s) = &numbers[sched_self(s)];
    exec_yield(e);
    cr_assert_eq(*sched_local(s), &numbers[sched_self(s)]);
}

static void spawn_and_check(void *arg)
{
    struct exec_thread *t[3];
    char name[40] = "a name that is far too long for it";

    cr_assert_eq(sched_self(s), 1);
    cr_assert_str_eq(sched_fiber_name(s, 1), "main");
    for (int i = 0; i < 3; i++)
        t[i] = spawn(name, check_identity, arg);
    memset(name, 'x', sizeof name - 1);
    cr_assert_str_eq(sched_fiber_name(s, 2), "a name that is far too ");
    cr_assert_str_eq(sched_fiber_name(s, 99), "?");
    for (int i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, fibers_have_numbers_names_and_a_word)
{
    unsigned numbers[8] = {0};

    open_seed(1);
    cr_assert_eq(sched_self(s), 0);
    *sched_local(s) = numbers;
    cr_assert_eq(sched_run(s, spawn_and_check, numbers), 0);
    cr_assert_eq(*sched_local(s), numbers);
    cr_assert_eq(sched_self(s), 0);
    cr_assert(numbers[2] == 1 && numbers[3] == 1 && numbers[4] == 1);
    cr_assert_eq(sched_stats(s).live, 0);
    close_sched();
}

static void nothing(void *arg) { (void)arg; }

static void leave_one_unjoined(void *arg)
{
    (void)arg;
    spawn("forgotten", nothing, NULL);
    exec_thread_join(e, spawn("joined", nothing, NULL));
}

Test(sched, threads_that_nobody_joined_are_counted_and_freed)
{
    open_seed(1);
    cr_assert_eq(sched_run(s, leave_one_unjoined, NULL), 0);
    cr_assert_eq(sched_stats(s).unjoined, 1);
    cr_assert_not_null(strstr(report(), "2 \"forgotten\" has ended and was not joined\n"));
    close_sched();
}

static void hundred(void *arg)
{
    static struct exec_thread *t[100];

    (void)arg;
    for (int i = 0; i < 100; i++)
        t[i] = spawn("one of many", nothing, NULL);
    for (int i = 0; i < 100; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, many_threads) { run_seed(1, hundred, NULL); }

/* ---- host ---- */

Test(sched, the_host_prepares_what_cannot_block)
{
    struct exec_mutex m;
    struct exec_cond c;
    struct exec_atomic a = {0};
    struct exec_thread *t = NULL;
    void *p;

    open_seed(1);
    exec_mutex_init(e, &m, "m");
    exec_cond_init(e, &c, "c");
    p = exec_alloc(e, 100, 64);
    exec_atomic_store(e, &a, exec_now(e) + 5);
    cr_assert_eq(exec_atomic_load(e, &a), 5);
    cr_assert_eq(exec_thread_create(e, "early", nothing, NULL, &t), 0);
    cr_assert_eq(sched_run(s, nothing, NULL), 0);
    exec_thread_join(e, t);
    cr_assert_eq(sched_run(s, nothing, NULL), 0);
    exec_free(e, p, 100);
    exec_cond_fini(e, &c);
    exec_mutex_fini(e, &m);
    close_sched();
}

Test(sched, the_host_cannot_lock, .signal = SIGABRT)
{
    struct exec_mutex m;

    open_seed(1);
    exec_mutex_init(e, &m, "m");
    exec_mutex_lock(e, &m);
}

Test(sched, refuses_wrong_configurations)
{
    struct sched_config tiny = {.stack_size = 100}, sticky = {.stickiness = 17};
    struct sched_config no_list = {.choice_count = 1};
    struct sim_world *small;
    struct sched *none;

    cr_assert_eq(sim_world_create((size_t)1 << 16, &small), 0);
    cr_assert_eq(sched_create(small, &tiny, &none), -EINVAL);
    cr_assert_eq(sched_create(small, &sticky, &none), -EINVAL);
    cr_assert_eq(sched_create(small, &no_list, &none), -EINVAL);
    cr_assert_eq(sched_create(small, NULL, &none), 0);
    cr_assert_eq(sched_run(none, nothing, NULL), -ENOMEM); /* no room for the stack */
    sched_destroy(none);
    cr_assert_eq(sim_world_blocks(small), 0);
    sim_world_destroy(small);
}

static void create_until_full(void *arg)
{
    unsigned *count = arg;
    struct exec_thread *t[4096];
    int rc;

    while ((rc = exec_thread_create(e, "one more", nothing, NULL, &t[*count])) == 0)
        ++*count;
    cr_assert_eq(rc, -ENOMEM);
    for (unsigned i = 0; i < *count; i++)
        exec_thread_join(e, t[i]);
}

Test(sched, a_full_world_has_no_threads)
{
    unsigned count = 0;

    run_seed(0, create_until_full, &count);
    cr_assert_gt(count, 100);
}

static void end_with_lock(void *arg)
{
    exec_mutex_init(e, arg, "kept");
    exec_mutex_lock(e, arg);
}

Test(sched, a_thread_must_not_end_with_a_mutex, .signal = SIGABRT)
{
    struct exec_mutex m;

    open_seed(1);
    (void)!sched_run(s, end_with_lock, &m);
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

Test(sched, a_descriptor_is_seen_beside_a_spinner)
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

Test(sched, waiting_for_a_descriptor_pins_the_world)
{
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};

    run_seed(1, pin_by_waiting, &ev);
    close(ev.fd);
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

Test(sched, more_descriptors_than_one_poll_takes)
{
    struct event ev[MANY];

    for (int i = 0; i < MANY; i++)
        ev[i] = (struct event){.fd = eventfd(0, EFD_CLOEXEC)};
    run_seed(1, many_descriptors, ev);
    for (int i = 0; i < MANY; i++)
        close(ev[i].fd);
}

Test(sched, a_silent_descriptor_is_a_deadlock)
{
    struct sched_config cfg = {.descriptor_ms_max = 20};
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};
    char expected[80];

    open_sched(&cfg);
    cr_assert_eq(sched_run(s, wait_for_event, &ev), -EDEADLK);
    snprintf(expected, sizeof expected, "waits for descriptor %d without a deadline", ev.fd);
    cr_assert_not_null(strstr(report(), expected));
    close_sched();
    close(ev.fd);
}

static void wait_briefly(void *arg)
{
    struct event *ev = arg;

    cr_assert_eq(exec_fd_wait(e, ev->fd, 500), -ETIMEDOUT);
    cr_assert_eq(exec_now(e), 500);
}

Test(sched, a_descriptor_wait_with_deadline_costs_no_real_time)
{
    struct event ev = {.fd = eventfd(0, EFD_CLOEXEC)};

    run_seed(1, wait_briefly, &ev);
    close(ev.fd);
}
