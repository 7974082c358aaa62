/* SPDX-License-Identifier: Apache-2.0 */
/* The checked wrappers of hal/exec.h, over a back end that does as it is told. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "hal/exec.h"

/* What the back end shall answer and what it was asked. */
struct fake {
    struct exec exec;
    int rc;
    void *pointer;
    uint64_t number;
    bool flag;
    const char *called;
    uint64_t a, b, ranks;
};

static struct fake fake;
static struct exec *e = &fake.exec;

static struct fake *called(struct exec *x, const char *name)
{
    struct fake *f = (struct fake *)x;

    f->called = name;
    return f;
}

static uint64_t fake_now(struct exec *x) { return called(x, "now")->number; }

static int fake_sleep_until(struct exec *x, uint64_t deadline)
{
    called(x, "sleep_until")->a = deadline;
    return fake.rc;
}

static int fake_thread_create(struct exec *x, const char *name, void (*body)(void *), void *arg,
                              struct exec_thread **out)
{
    (void)name;
    (void)body;
    (void)arg;
    *out = called(x, "thread_create")->pointer;
    return fake.rc;
}

static void fake_thread_join(struct exec *x, struct exec_thread *t)
{
    called(x, "thread_join")->a = (uintptr_t)t;
}

static void fake_thread_interrupt(struct exec *x, struct exec_thread *t)
{
    called(x, "thread_interrupt")->a = (uintptr_t)t;
}

static void fake_thread_forget_interrupt(struct exec *x) { called(x, "thread_forget_interrupt"); }

static void fake_thread_yield(struct exec *x) { called(x, "thread_yield"); }

static uint64_t *fake_thread_ranks(struct exec *x)
{
    (void)x;
    return &fake.ranks;
}

static void fake_mutex_init(struct exec *x, struct exec_mutex *m, const char *name)
{
    (void)m;
    (void)name;
    called(x, "mutex_init");
}

static void fake_mutex_fini(struct exec *x, struct exec_mutex *m)
{
    (void)m;
    called(x, "mutex_fini");
}

static void fake_mutex_lock(struct exec *x, struct exec_mutex *m)
{
    (void)m;
    called(x, "mutex_lock");
}

static void fake_mutex_lock_behind(struct exec *x, struct exec_mutex *m)
{
    (void)m;
    called(x, "mutex_lock_behind");
}

static void fake_mutex_unlock(struct exec *x, struct exec_mutex *m)
{
    (void)m;
    called(x, "mutex_unlock");
}

static void fake_cond_init(struct exec *x, struct exec_cond *c, const char *name)
{
    (void)c;
    (void)name;
    called(x, "cond_init");
}

static void fake_cond_fini(struct exec *x, struct exec_cond *c)
{
    (void)c;
    called(x, "cond_fini");
}

static int fake_cond_wait(struct exec *x, struct exec_cond *c, struct exec_mutex *m,
                          uint64_t deadline, bool interruptible)
{
    (void)c;
    (void)m;
    called(x, "cond_wait")->a = deadline;
    fake.flag = interruptible;
    return fake.rc;
}

static void fake_cond_signal(struct exec *x, struct exec_cond *c, bool all)
{
    (void)c;
    called(x, "cond_signal")->flag = all;
}

static int fake_fd_wait(struct exec *x, int fd, uint64_t deadline)
{
    called(x, "fd_wait")->a = (uint64_t)fd;
    fake.b = deadline;
    return fake.rc;
}

static void *fake_mem_alloc(struct exec *x, size_t size, size_t align)
{
    called(x, "mem_alloc")->a = size;
    fake.b = align;
    return fake.pointer;
}

static void fake_mem_free(struct exec *x, void *p, size_t size)
{
    called(x, "mem_free")->a = (uintptr_t)p;
    fake.b = size;
}

static uint64_t fake_atomic_load(struct exec *x, struct exec_atomic *a)
{
    called(x, "atomic_load");
    return a->value;
}

static void fake_atomic_store(struct exec *x, struct exec_atomic *a, uint64_t value)
{
    called(x, "atomic_store");
    a->value = value;
}

static uint64_t fake_atomic_add(struct exec *x, struct exec_atomic *a, uint64_t value)
{
    called(x, "atomic_add");
    a->value += value;
    return fake.number;
}

static bool fake_atomic_swap_if(struct exec *x, struct exec_atomic *a, uint64_t *expected,
                                uint64_t wanted)
{
    called(x, "atomic_swap_if");
    *expected = a->value;
    a->value = wanted;
    return fake.flag;
}

static uint64_t fake_entropy(struct exec *x) { return called(x, "entropy")->number; }

static const struct exec_ops fake_ops = {
    .name = "fake",
    .now = fake_now,
    .sleep_until = fake_sleep_until,
    .thread_create = fake_thread_create,
    .thread_join = fake_thread_join,
    .thread_interrupt = fake_thread_interrupt,
    .thread_forget_interrupt = fake_thread_forget_interrupt,
    .thread_yield = fake_thread_yield,
    .thread_ranks = fake_thread_ranks,
    .mutex_init = fake_mutex_init,
    .mutex_fini = fake_mutex_fini,
    .mutex_lock = fake_mutex_lock,
    .mutex_lock_behind = fake_mutex_lock_behind,
    .mutex_unlock = fake_mutex_unlock,
    .cond_init = fake_cond_init,
    .cond_fini = fake_cond_fini,
    .cond_wait = fake_cond_wait,
    .cond_signal = fake_cond_signal,
    .fd_wait = fake_fd_wait,
    .mem_alloc = fake_mem_alloc,
    .mem_free = fake_mem_free,
    .atomic_load = fake_atomic_load,
    .atomic_store = fake_atomic_store,
    .atomic_add = fake_atomic_add,
    .atomic_swap_if = fake_atomic_swap_if,
    .entropy = fake_entropy,
};

static void open_fake(void)
{
    memset(&fake, 0, sizeof fake);
    exec_init(e, &fake_ops);
}

TestSuite(exec, .init = open_fake);

/* ---- the table ---- */

#define SLOTS (sizeof(struct exec_ops) / sizeof(void *))

ParameterizedTestParameters(exec, no_slot_may_be_missing)
{
    static size_t slot[SLOTS];

    for (size_t i = 0; i < SLOTS; i++)
        slot[i] = i;
    return cr_make_param_array(size_t, slot, SLOTS);
}

ParameterizedTest(size_t *slot, exec, no_slot_may_be_missing, .signal = SIGABRT)
{
    struct exec_ops ops = fake_ops;

    memset((char *)&ops + *slot * sizeof(void *), 0, sizeof(void *));
    exec_init(e, &ops);
}

/* ---- each wrapper reaches its slot ---- */

static void nothing(void *arg) { (void)arg; }

Test(exec, values_pass_through)
{
    struct exec_atomic a = {5};
    uint64_t expected = 1;

    fake.number = 42;
    cr_assert_eq(exec_now(e), 42);
    cr_assert_str_eq(fake.called, "now");
    cr_assert_eq(exec_entropy(e), 42);
    cr_assert_str_eq(fake.called, "entropy");
    cr_assert_eq(exec_atomic_load(e, &a), 5);
    exec_atomic_store(e, &a, 6);
    cr_assert_eq(a.value, 6);
    cr_assert_eq(exec_atomic_add(e, &a, 2), 42);
    cr_assert_eq(a.value, 8);
    fake.flag = true;
    cr_assert(exec_atomic_swap_if(e, &a, &expected, 9));
    cr_assert_eq(expected, 8);
    cr_assert_eq(a.value, 9);
    exec_yield(e);
    cr_assert_str_eq(fake.called, "thread_yield");
}

static struct exec_mutex first, second, other;

static void make_ranked(void)
{
    exec_mutex_init_ranked(e, &first, "first", 1);
    exec_mutex_init_ranked(e, &second, "second", 2);
    exec_mutex_init_ranked(e, &other, "also second", 2);
}

Test(exec, ranks_may_rise)
{
    make_ranked();
    cr_assert(!exec_holds_ranked(e));
    exec_mutex_lock(e, &first);
    exec_mutex_lock(e, &second);
    exec_mutex_unlock(e, &first);
    cr_assert(exec_holds_ranked(e));
    exec_mutex_unlock(e, &second);
    cr_assert(!exec_holds_ranked(e));
    exec_mutex_lock_behind(e, &second);
    cr_assert(exec_holds_ranked(e));
    exec_mutex_unlock(e, &second);
    exec_mutex_lock(e, &first);
}

Test(exec, a_second_one_of_a_rank)
{
    make_ranked();
    exec_mutex_lock(e, &second);
    exec_mutex_lock_second(e, &other);
    exec_mutex_unlock(e, &other);
    cr_assert(exec_holds_ranked(e), "the first one is still locked");
    exec_mutex_unlock(e, &second);
    cr_assert(!exec_holds_ranked(e));
}

Test(exec, ranks_must_not_fall, .signal = SIGABRT)
{
    make_ranked();
    exec_mutex_lock(e, &second);
    exec_mutex_lock(e, &first);
}

Test(exec, ranks_must_not_fall_from_behind, .signal = SIGABRT)
{
    make_ranked();
    exec_mutex_lock(e, &second);
    exec_mutex_lock_behind(e, &first);
}

Test(exec, ranks_must_not_repeat, .signal = SIGABRT)
{
    make_ranked();
    exec_mutex_lock(e, &second);
    exec_mutex_lock(e, &other);
}

Test(exec, a_second_one_needs_a_first, .signal = SIGABRT)
{
    make_ranked();
    exec_mutex_lock(e, &first);
    exec_mutex_lock_second(e, &other);
}

Test(exec, a_mutex_without_rank_fits_anywhere)
{
    struct exec_mutex m;

    make_ranked();
    exec_mutex_init(e, &m, "m");
    exec_mutex_lock(e, &second);
    exec_mutex_lock(e, &m);
    exec_mutex_unlock(e, &m);
    exec_mutex_unlock(e, &second);
}

Test(exec, mutexes_pass_through)
{
    struct exec_mutex m;

    exec_mutex_init(e, &m, "m");
    cr_assert_str_eq(fake.called, "mutex_init");
    exec_mutex_lock(e, &m);
    cr_assert_str_eq(fake.called, "mutex_lock");
    exec_mutex_unlock(e, &m);
    cr_assert_str_eq(fake.called, "mutex_unlock");
    exec_mutex_lock_behind(e, &m);
    cr_assert_str_eq(fake.called, "mutex_lock_behind");
    exec_mutex_unlock(e, &m);
    exec_mutex_fini(e, &m);
    cr_assert_str_eq(fake.called, "mutex_fini");
}

Test(exec, conditions_pass_through)
{
    struct exec_mutex m;
    struct exec_cond c;

    exec_cond_init(e, &c, "c");
    cr_assert_str_eq(fake.called, "cond_init");
    exec_cond_signal(e, &c);
    cr_assert(!fake.flag);
    exec_cond_broadcast(e, &c);
    cr_assert(fake.flag);
    exec_cond_fini(e, &c);
    cr_assert_str_eq(fake.called, "cond_fini");
    fake.rc = -EINTR;
    cr_assert_eq(exec_cond_wait(e, &c, &m, 77, true), -EINTR);
    cr_assert(fake.flag && fake.a == 77);
    fake.rc = -ETIMEDOUT;
    cr_assert_eq(exec_cond_wait(e, &c, &m, 77, false), -ETIMEDOUT);
    cr_assert(!fake.flag);
}

Test(exec, threads_pass_through)
{
    struct exec_thread *t = NULL;

    fake.pointer = &fake;
    cr_assert_eq(exec_thread_create(e, "t", nothing, NULL, &t), 0);
    cr_assert_eq((void *)t, (void *)&fake);
    exec_thread_interrupt(e, t);
    cr_assert_str_eq(fake.called, "thread_interrupt");
    cr_assert_eq(fake.a, (uintptr_t)t);
    exec_forget_interrupt(e);
    cr_assert_str_eq(fake.called, "thread_forget_interrupt");
    exec_thread_join(e, t);
    cr_assert_str_eq(fake.called, "thread_join");
    fake.rc = -EAGAIN;
    cr_assert_eq(exec_thread_create(e, "t", nothing, NULL, &t), -EAGAIN);
    fake.rc = -ENOMEM;
    cr_assert_eq(exec_thread_create(e, "t", nothing, NULL, &t), -ENOMEM);
}

Test(exec, waits_pass_through)
{
    static const int allowed[] = {0, -ETIMEDOUT, -EINTR, -EBADF};

    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        fake.rc = allowed[i];
        cr_assert_eq(exec_fd_wait(e, 3, 99), allowed[i]);
        cr_assert(fake.a == 3 && fake.b == 99);
    }
    fake.rc = -EINTR;
    cr_assert_eq(exec_sleep_until(e, 55), -EINTR);
    cr_assert_eq(fake.a, 55);
}

Test(exec, memory_passes_through)
{
    static uint64_t block[4] __attribute__((aligned(32)));

    fake.pointer = block;
    cr_assert_eq(exec_alloc(e, 32, 32), block);
    cr_assert(fake.a == 32 && fake.b == 32);
    exec_free(e, block, 32);
    cr_assert_str_eq(fake.called, "mem_free");
    fake.pointer = NULL;
    cr_assert_null(exec_alloc(e, 32, 32));
    fake.called = NULL;
    exec_free(e, NULL, 32);
    cr_assert_null(fake.called);
}

/* ---- what the wrappers do not let pass ---- */

Test(exec, sleep_cannot_time_out, .signal = SIGABRT)
{
    fake.rc = -ETIMEDOUT;
    (void)!exec_sleep_until(e, 1);
}

Test(exec, thread_create_has_two_errors, .signal = SIGABRT)
{
    struct exec_thread *t;

    fake.rc = -EINVAL;
    (void)!exec_thread_create(e, "t", nothing, NULL, &t);
}

Test(exec, a_thread_has_a_name, .signal = SIGABRT)
{
    struct exec_thread *t;

    (void)!exec_thread_create(e, NULL, nothing, NULL, &t);
}

Test(exec, a_mutex_has_a_name, .signal = SIGABRT)
{
    struct exec_mutex m;

    exec_mutex_init(e, &m, NULL);
}

Test(exec, a_condition_has_a_name, .signal = SIGABRT)
{
    struct exec_cond c;

    exec_cond_init(e, &c, NULL);
}

Test(exec, no_thread_to_join, .signal = SIGABRT) { exec_thread_join(e, NULL); }

Test(exec, no_thread_to_interrupt, .signal = SIGABRT) { exec_thread_interrupt(e, NULL); }

Test(exec, uninterruptible_means_it, .signal = SIGABRT)
{
    struct exec_mutex m;
    struct exec_cond c;

    fake.rc = -EINTR;
    (void)!exec_cond_wait(e, &c, &m, 1, false);
}

Test(exec, fd_wait_has_three_errors, .signal = SIGABRT)
{
    fake.rc = -EIO;
    (void)!exec_fd_wait(e, 0, 1);
}

Test(exec, no_allocation_of_nothing, .signal = SIGABRT) { exec_alloc(e, 0, 8); }

Test(exec, alignment_is_a_power_of_two, .signal = SIGABRT) { exec_alloc(e, 8, 24); }

Test(exec, alignment_must_be_kept, .signal = SIGABRT)
{
    fake.pointer = (void *)(uintptr_t)0x1008;
    exec_alloc(e, 8, 16);
}
