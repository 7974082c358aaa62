/* SPDX-License-Identifier: Apache-2.0 */
/* Planned faults of an execution environment: memory, threads, timers, signals. */
#include "backends/fault/fault_exec.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/testlib/fake_exec.h"

#define MS UINT64_C(1000000)

static struct fake_exec fake;
static struct fault_filter filter;
static struct fault_exec faulty;
static struct exec *e;

static void up(void)
{
    fake_exec_init(&fake, 1);
    fault_filter_init(&filter, &fake.exec);
    fault_exec_init(&faulty, &filter);
    e = &faulty.base;
}

TestSuite(fault_exec, .init = up);

static void plan(const char *text)
{
    struct fault_plan *const plans[] = {&filter.plan};
    char why[128];

    cr_assert_eq(fault_plans_load(plans, 1, text, why, sizeof why), 0, "%s", why);
}

Test(fault_exec, memory_runs_out)
{
    void *p;

    plan("mem#2..3=f");
    p = exec_alloc(e, 100, 8);
    cr_assert_not_null(p);
    cr_assert_null(exec_alloc(e, 100, 8));
    cr_assert_null(exec_alloc(e, 100, 8));
    cr_assert_eq(fake.allocations, 1, "the one below was not asked");
    exec_free(e, p, 100);
    cr_assert_eq(fake.blocks, 0);
}

static void nothing(void *arg) { (void)arg; }

Test(fault_exec, threads_run_out)
{
    struct exec_thread *t;

    plan("thr#1=f");
    cr_assert_eq(exec_thread_create(e, "t", nothing, NULL, &t), -EAGAIN);
    cr_assert_eq(exec_thread_create(e, "t", nothing, NULL, &t), 0);
    exec_thread_join(e, t);
}

Test(fault_exec, timers_are_late_and_early)
{
    plan("clk#1=l+clk#2=e(250)+clk#3=l(18446744073709551615)");
    cr_assert_eq(exec_sleep_until(e, 5 * MS), 0);
    cr_assert_eq(fake.now, 6 * MS);
    cr_assert_eq(exec_sleep_until(e, 7 * MS), 0);
    cr_assert_eq(fake.now, 7 * MS - 1000);
    cr_assert_eq(exec_sleep_until(e, 8 * MS), 0, "late for ever is as late as a number may be");
}

Test(fault_exec, a_signal_ends_interruptible_waits)
{
    struct exec_mutex m;
    struct exec_cond c;

    plan("wait#1..2=i+wait#3=i");
    exec_mutex_init(e, &m, "m");
    exec_cond_init(e, &c, "c");
    exec_mutex_lock(e, &m);
    cr_assert_eq(exec_cond_wait(e, &c, &m, 2 * MS, true), -EINTR);
    cr_assert_eq(exec_cond_wait(e, &c, &m, 2 * MS, false), -ETIMEDOUT);
    exec_mutex_unlock(e, &m);
    cr_assert_eq(exec_sleep_until(e, 9 * MS), -EINTR);
    cr_assert_eq(exec_fd_wait(e, 0, 9 * MS), -EINTR);
    cr_assert_eq(fake.now, 2 * MS, "nobody slept");
    exec_cond_fini(e, &c);
    exec_mutex_fini(e, &m);
}

/* Ranks are kept once, though two environments see each mutex. */
Test(fault_exec, ranks_of_mutexes)
{
    struct exec_mutex low, first, second;

    exec_mutex_init_ranked(e, &low, "low", 1);
    exec_mutex_init_ranked(e, &first, "first", 2);
    exec_mutex_init_ranked(e, &second, "second", 2);
    exec_mutex_lock(e, &low);
    exec_mutex_lock(e, &first);
    exec_mutex_lock_second(e, &second);
    exec_mutex_unlock(e, &second);
    exec_mutex_unlock(e, &first);
    exec_mutex_unlock(e, &low);
    cr_assert_not(exec_holds_ranked(e));
    exec_mutex_fini(e, &low);
    exec_mutex_fini(e, &first);
    exec_mutex_fini(e, &second);
}
