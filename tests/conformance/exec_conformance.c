/* SPDX-License-Identifier: Apache-2.0 */
/* Exec conformance: clock, sleep, threads, interrupts, memory, atomics, entropy. */
#include "tests/conformance/exec_conformance.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "tests/conformance/exec_conformance_internal.h"

/* ---- clock and sleep ---- */

void exec_case_clock_never_goes_back(struct exec *e)
{
    uint64_t last = exec_now(e);

    for (int i = 0; i < 1000; i++) {
        uint64_t now = exec_now(e);

        cr_assert_geq(now, last);
        last = now;
    }
}

void exec_case_sleep_lasts_until_its_deadline(struct exec *e)
{
    for (int i = 0; i < 3; i++) {
        uint64_t deadline = exec_now(e) + SHORT_NS;

        cr_assert_eq(exec_sleep_until(e, deadline), 0);
        cr_assert_geq(exec_now(e), deadline);
    }
}

void exec_case_sleep_until_a_past_deadline_returns(struct exec *e)
{
    cr_assert_eq(exec_sleep_until(e, 0), 0);
    cr_assert_eq(exec_sleep_until(e, exec_now(e)), 0);
}

/* ---- interrupts ---- */

struct sleeper {
    struct exec *e;
    struct gate ready, go;
    int rc[3];
};

static void sleep_for_ever(void *arg)
{
    struct sleeper *s = arg;

    s->rc[0] = exec_sleep_until(s->e, EXEC_FOREVER);
}

void exec_case_sleep_is_interrupted(struct exec *e)
{
    struct sleeper s = {.e = e, .rc = {1}};
    struct exec_thread *t = start(e, "sleeper", sleep_for_ever, &s);

    exec_yield(e);
    exec_thread_interrupt(e, t); /* asleep already or not: both must work */
    exec_thread_join(e, t);
    cr_assert_eq(s.rc[0], -EINTR);
}

static void sleep_three_times(void *arg)
{
    struct sleeper *s = arg;

    gate_open(&s->ready);
    gate_wait(&s->go, 1);
    for (int i = 0; i < 3; i++)
        s->rc[i] = exec_sleep_until(s->e, i == 0 ? EXEC_FOREVER : exec_now(s->e) + 1000);
}

/* Interrupts a thread `times` times before its first sleep. */
static void interrupt_early(struct exec *e, int times, struct sleeper *s)
{
    struct exec_thread *t;

    *s = (struct sleeper){.e = e, .rc = {1, 1, 1}};
    gate_init(e, &s->ready);
    gate_init(e, &s->go);
    t = start(e, "sleeper", sleep_three_times, s);
    gate_wait(&s->ready, 1);
    for (int i = 0; i < times; i++)
        exec_thread_interrupt(e, t);
    gate_open(&s->go);
    exec_thread_join(e, t);
    gate_fini(&s->go);
    gate_fini(&s->ready);
}

void exec_case_interrupt_before_a_sleep_counts_once(struct exec *e)
{
    struct sleeper s;

    interrupt_early(e, 1, &s);
    cr_assert_eq(s.rc[0], -EINTR);
    cr_assert_eq(s.rc[1], 0);
    cr_assert_eq(s.rc[2], 0);
}

void exec_case_interrupts_do_not_add_up(struct exec *e)
{
    struct sleeper s;

    interrupt_early(e, 3, &s);
    cr_assert_eq(s.rc[0], -EINTR);
    cr_assert_eq(s.rc[1], 0);
    cr_assert_eq(s.rc[2], 0);
}

static void put_back(void *arg)
{
    struct sleeper *s = arg;
    uint64_t soon = exec_now(s->e) + 1000000;

    s->rc[0] = exec_sleep_until(s->e, EXEC_FOREVER);
    exec_keep_interrupt(s->e);
    s->rc[1] = exec_sleep_until(s->e, EXEC_FOREVER);
    s->rc[2] = exec_sleep_until(s->e, soon);
}

/* By whoever had to go on waiting for something else. */
void exec_case_an_interrupt_is_put_back(struct exec *e)
{
    struct sleeper s = {.e = e};
    struct exec_thread *t = start(e, "sleeper", put_back, &s);

    exec_thread_interrupt(e, t);
    exec_thread_join(e, t);
    cr_assert_eq(s.rc[0], -EINTR);
    cr_assert_eq(s.rc[1], -EINTR);
    cr_assert_eq(s.rc[2], 0);
}

static void forget(void *arg)
{
    struct sleeper *s = arg;

    exec_keep_interrupt(s->e);
    exec_forget_interrupt(s->e);
    s->rc[0] = exec_sleep_until(s->e, exec_now(s->e) + 1000000);
    exec_keep_interrupt(s->e); /* the next one counts again */
    s->rc[1] = exec_sleep_until(s->e, EXEC_FOREVER);
    exec_forget_interrupt(s->e); /* there is none */
    s->rc[2] = exec_sleep_until(s->e, exec_now(s->e) + 1000000);
}

void exec_case_an_interrupt_is_forgotten(struct exec *e)
{
    struct sleeper s = {.e = e};
    struct exec_thread *t = start(e, "sleeper", forget, &s);

    exec_thread_join(e, t);
    cr_assert_eq(s.rc[0], 0);
    cr_assert_eq(s.rc[1], -EINTR);
    cr_assert_eq(s.rc[2], 0);
}

static void do_nothing(void *arg) { (void)arg; }

void exec_case_interrupt_of_a_thread_that_never_waits(struct exec *e)
{
    for (int i = 0; i < 20; i++) {
        struct exec_thread *t = start(e, "idle", do_nothing, NULL);

        exec_thread_interrupt(e, t); /* perhaps it has ended: until the join that is fine */
        exec_thread_join(e, t);
    }
}

/* ---- threads ---- */

struct child {
    struct exec *e;
    uint64_t done;
    struct exec_thread *child;
    struct child *next;
};

static void be_done(void *arg)
{
    struct child *c = arg;

    exec_yield(c->e);
    c->done++;
}

void exec_case_thread_runs_and_is_joined(struct exec *e)
{
    struct child c = {.e = e};
    char name[] = "a name that may be longer than a back end keeps";
    struct exec_thread *t = start(e, name, be_done, &c);

    memset(name, 0, sizeof name); /* it was copied */
    exec_thread_join(e, t);
    cr_assert_eq(c.done, 1);
}

struct ended {
    struct gate gate;
    uint64_t done;
};

static void end_soon(void *arg)
{
    struct ended *n = arg;

    n->done = 1;
    gate_open(&n->gate);
}

void exec_case_thread_that_ended_is_joined(struct exec *e)
{
    struct ended n = {.done = 0};
    struct exec_thread *t;

    gate_init(e, &n.gate);
    t = start(e, "ends", end_soon, &n);
    gate_wait(&n.gate, 1);
    for (int i = 0; i < 50; i++)
        exec_yield(e);
    exec_thread_join(e, t);
    cr_assert_eq(n.done, 1);
    gate_fini(&n.gate);
}

static void have_child(void *arg)
{
    struct child *c = arg;

    if (c->next) {
        c->child = start(c->e, "child", have_child, c->next);
        exec_thread_join(c->e, c->child);
        cr_assert_eq(c->next->done, 1);
    }
    c->done = 1;
}

void exec_case_threads_create_threads(struct exec *e)
{
    struct child c[6];

    for (int i = 0; i < 6; i++)
        c[i] = (struct child){.e = e, .next = i < 5 ? &c[i + 1] : NULL};
    have_child(&c[0]);
    cr_assert_eq(c[0].done, 1);
}

void exec_case_many_threads_at_once(struct exec *e)
{
    enum { COUNT = 24 };
    struct child c[COUNT];
    struct exec_thread *t[COUNT];

    for (int i = 0; i < COUNT; i++) {
        c[i] = (struct child){.e = e};
        t[i] = start(e, "one of many", be_done, &c[i]);
    }
    for (int i = COUNT; i-- > 0;) {
        exec_thread_join(e, t[i]);
        cr_assert_eq(c[i].done, 1);
    }
}

static void join_the_other(void *arg)
{
    struct child *c = arg;

    exec_thread_join(c->e, c->child);
    cr_assert_eq(c->next->done, 1);
}

void exec_case_thread_joined_by_another(struct exec *e)
{
    struct child worker = {.e = e}, joiner = {.e = e, .next = &worker};
    struct exec_thread *t;

    joiner.child = start(e, "worker", be_done, &worker);
    t = start(e, "joiner", join_the_other, &joiner);
    exec_thread_join(e, t);
    cr_assert_eq(worker.done, 1);
}

/* ---- memory ---- */

static bool all_bytes(const unsigned char *p, int value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != value)
            return false;
    return true;
}

void exec_case_memory_is_zeroed_and_aligned(struct exec *e)
{
    for (size_t align = 1; align <= 65536; align *= 4) {
        for (size_t size = 1; size < 200000; size = size * 5 + 3) {
            unsigned char *p = exec_alloc(e, size, align);

            cr_assert_not_null(p);
            cr_assert_eq((uintptr_t)p % align, 0);
            cr_assert(all_bytes(p, 0, size));
            memset(p, 0xff, size);
            exec_free(e, p, size);
        }
    }
    exec_free(e, NULL, 0);
}

void exec_case_memory_comes_back_zeroed(struct exec *e)
{
    for (int i = 0; i < 100; i++) {
        unsigned char *p = exec_alloc(e, 300, 8), *q = exec_alloc(e, 5, 8);

        cr_assert(p && q && all_bytes(p, 0, 300) && all_bytes(q, 0, 5));
        memset(p, 0xff, 300);
        memset(q, 0xff, 5);
        exec_free(e, p, 300);
        exec_free(e, q, 5);
    }
}

/* ---- atomics ---- */

void exec_case_atomics_do_what_they_say(struct exec *e)
{
    struct exec_atomic a = {7};
    uint64_t expected = 9;

    cr_assert_eq(exec_atomic_load(e, &a), 7);
    exec_atomic_store(e, &a, UINT64_MAX);
    cr_assert_eq(exec_atomic_add(e, &a, 3), UINT64_MAX);
    cr_assert_eq(exec_atomic_load(e, &a), 2);
    cr_assert(!exec_atomic_swap_if(e, &a, &expected, 5));
    cr_assert_eq(expected, 2);
    cr_assert_eq(exec_atomic_load(e, &a), 2);
    cr_assert(exec_atomic_swap_if(e, &a, &expected, 5));
    cr_assert_eq(expected, 2);
    cr_assert_eq(exec_atomic_load(e, &a), 5);
}

struct counter {
    struct exec *e;
    struct exec_atomic value;
};

static void set_flag(void *arg)
{
    struct counter *c = arg;

    exec_atomic_store(c->e, &c->value, 1);
}

void exec_case_yield_lets_others_run(struct exec *e)
{
    struct counter c = {.e = e};
    struct exec_thread *t = start(e, "flag", set_flag, &c);

    while (!exec_atomic_load(e, &c.value))
        exec_yield(e);
    exec_thread_join(e, t);
}

#define ADDERS 3
#define ADDS 300

static void add_often(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < ADDS; i++)
        exec_atomic_add(c->e, &c->value, 1);
}

static void swap_often(void *arg)
{
    struct counter *c = arg;

    for (int i = 0; i < ADDS; i++) {
        uint64_t seen = exec_atomic_load(c->e, &c->value);

        while (!exec_atomic_swap_if(c->e, &c->value, &seen, seen + 1))
            ;
    }
}

static void count_in_threads(struct exec *e, void (*body)(void *))
{
    struct counter c = {.e = e};
    struct exec_thread *t[ADDERS];

    for (int i = 0; i < ADDERS; i++)
        t[i] = start(e, "adder", body, &c);
    for (int i = 0; i < ADDERS; i++)
        exec_thread_join(e, t[i]);
    cr_assert_eq(exec_atomic_load(e, &c.value), ADDERS * ADDS);
}

void exec_case_atomic_add_loses_nothing(struct exec *e) { count_in_threads(e, add_often); }

void exec_case_atomic_swap_loses_nothing(struct exec *e) { count_in_threads(e, swap_often); }

/* Two threads that each store to their own word and then load the other's: with one order of all
 * accesses at least one of them sees the store. They meet before each round, as closely as they
 * can: real processors delay a store only for moments. */
#define CROSSINGS 400

struct crossing {
    struct exec *e;
    struct exec_atomic *mine, *other, *arrived;
    uint64_t seen[CROSSINGS];
};

static void cross(void *arg)
{
    struct crossing *c = arg;

    for (uint64_t i = 0; i < CROSSINGS; i++) {
        bool last = exec_atomic_add(c->e, c->arrived, 1) % 2;

        for (unsigned spin = 1; exec_atomic_load(c->e, c->arrived) < 2 * (i + 1); spin++)
            if (spin % 64 == 0)
                exec_yield(c->e);
        /* It takes the other a moment to see that the last has come. */
        for (volatile uint64_t delay = last ? i % 64 * 4 : 0; delay > 0; delay--)
            ;
        exec_atomic_store(c->e, &c->mine[i], 1);
        c->seen[i] = exec_atomic_load(c->e, &c->other[i]);
    }
}

void exec_case_atomics_are_sequentially_consistent(struct exec *e)
{
    struct exec_atomic x[CROSSINGS] = {{0}}, y[CROSSINGS] = {{0}}, arrived = {0};
    struct crossing a = {.e = e, .mine = x, .other = y, .arrived = &arrived};
    struct crossing b = {.e = e, .mine = y, .other = x, .arrived = &arrived};
    struct exec_thread *t = start(e, "crossing", cross, &a);

    cross(&b);
    exec_thread_join(e, t);
    for (int i = 0; i < CROSSINGS; i++)
        cr_assert(a.seen[i] || b.seen[i]);
}

/* ---- entropy ---- */

void exec_case_entropy_varies(struct exec *e)
{
    uint64_t ones = 0, zeros = 0, last = 0;

    for (int i = 0; i < 64; i++) {
        uint64_t v = exec_entropy(e);

        cr_assert_neq(v, last);
        ones |= v;
        zeros |= ~v;
        last = v;
    }
    cr_assert_eq(ones, UINT64_MAX);
    cr_assert_eq(zeros, UINT64_MAX);
}
