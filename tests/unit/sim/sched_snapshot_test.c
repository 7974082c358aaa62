/* SPDX-License-Identifier: Apache-2.0 */
/* A paused run, copied and put back, goes on exactly as it would have; as often as wanted, from a
 * fiber or from within the device, with fibers created or ended meanwhile. Everything that the
 * fibers use stands in the world. */
#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

#include "sim/sanitizer.h"
#include "tests/unit/sim/sched_fixture.h"

/* A workload that pauses itself now and then; in the world, so that it is put back too. */
struct paused {
    struct contended contended;
    unsigned pauses; /* wanted in each fiber */
    bool in_device;
    uint64_t time;
};

static void pause_now_and_then(void *arg)
{
    struct paused *p = arg;
    volatile char on_stack[512];

    for (unsigned i = 0; i < p->pauses; i++) {
        for (size_t k = 0; k < sizeof on_stack; k++)
            on_stack[k] = (char)(i + k);
        exec_yield(e);
        sched_pause(s);
        exec_yield(e);
        for (size_t k = 0; k < sizeof on_stack; k++)
            cr_assert_eq(on_stack[k], (char)(i + k));
    }
}

static void paused_main(void *arg)
{
    struct paused *p = arg;
    struct exec_thread *a = spawn("pauses", pause_now_and_then, p);
    struct exec_thread *b = spawn("pauses too", pause_now_and_then, p);

    contended_main(&p->contended);
    exec_thread_join(e, a);
    exec_thread_join(e, b);
}

static struct paused *open_paused(uint64_t seed, unsigned pauses)
{
    struct paused *p;

    open_seed(seed);
    p = sim_world_alloc(w, sizeof *p, 16);
    cr_assert_not_null(p);
    p->pauses = pauses;
    return p;
}

static void close_paused(struct paused *p)
{
    sim_world_free(w, p, sizeof *p);
    close_sched();
}

static struct sim_snapshot *snapshot(void)
{
    struct sim_snapshot *snap = NULL;

    cr_assert_eq(sim_world_snapshot(w, &snap), 0);
    return snap;
}

/* What a run came to. */
struct outcome {
    struct sched_stats stats;
    uint64_t order, time;
};

static struct outcome outcome(const struct paused *p)
{
    return (struct outcome){sched_stats(s), p->contended.order, exec_now(e)};
}

static void check_same(const struct outcome *a, const struct outcome *b)
{
    cr_assert_eq(a->stats.hash, b->stats.hash);
    cr_assert_eq(a->stats.points, b->stats.points);
    cr_assert_eq(a->stats.switches, b->stats.switches);
    cr_assert_eq(a->order, b->order);
    cr_assert_eq(a->time, b->time);
}

static void go_on_to_the_end(void)
{
    int rc;

    while ((rc = sched_resume(s)) == -EAGAIN)
        ;
    cr_assert_eq(rc, 0);
}

Test(sched_snapshot, a_pause_changes_nothing)
{
    struct paused *p = open_paused(11, 4);
    struct outcome with, without;
    int pauses = 1;

    cr_assert_eq(sched_run(s, paused_main, p), -EAGAIN);
    cr_assert_eq(sched_self(s), 0);
    while (sched_resume(s) == -EAGAIN)
        pauses++;
    cr_assert_eq(pauses, 8);
    with = outcome(p);
    close_paused(p);

    p = open_paused(11, 4);
    cr_assert_eq(sched_run(s, paused_main, p), -EAGAIN);
    go_on_to_the_end();
    without = outcome(p);
    check_same(&with, &without);
    close_paused(p);
}

Test(sched_snapshot, goes_on_alike_from_every_pause)
{
    struct sim_snapshot *snap[16];
    struct outcome first, again;
    size_t count = 0;
    struct paused *p = open_paused(42, 8);
    int rc = sched_run(s, paused_main, p);

    for (; rc == -EAGAIN; rc = sched_resume(s))
        snap[count++] = snapshot();
    cr_assert_eq(rc, 0);
    cr_assert_eq(count, 16);
    first = outcome(p);
    for (int round = 0; round < 3; round++) {
        for (size_t i = count; i-- > 0;) {
            sim_world_restore(w, snap[i]);
            go_on_to_the_end();
            again = outcome(p);
            check_same(&first, &again);
        }
    }
    for (size_t i = 0; i < count; i++)
        sim_snapshot_destroy(snap[i]);
    close_paused(p);
}

Test(sched_snapshot, goes_on_after_other_things_happened)
{
    struct paused *p = open_paused(3, 3);
    struct sim_snapshot *snap;
    struct outcome first, again;

    cr_assert_eq(sched_run(s, paused_main, p), -EAGAIN);
    snap = snapshot();
    go_on_to_the_end();
    first = outcome(p);
    /* Another run on the same memory, with deeper stacks and more of them. */
    memset(&p->contended, 0, sizeof p->contended);
    p->pauses = 0;
    cr_assert_eq(sched_run(s, paused_main, p), 0);
    sim_world_restore(w, snap);
    go_on_to_the_end();
    again = outcome(p);
    check_same(&first, &again);
    sim_snapshot_destroy(snap);
    close_paused(p);
}

/* ---- a pause within the device ---- */

static void device_advance(void *arg, uint64_t until)
{
    struct paused *p = arg;

    if (p->in_device && p->time < 150 && until >= 150)
        sched_pause(s);
    p->time = until;
}

static bool device_idle(void *arg)
{
    (void)arg;
    return true;
}

static const struct sched_clock device_clock = {1, device_advance, device_idle};

static void sleep_twice(void *arg)
{
    (void)arg;
    cr_assert_eq(exec_sleep_until(e, 100), 0);
    cr_assert_eq(exec_sleep_until(e, 200), 0);
}

static void sleepers(void *arg)
{
    struct exec_thread *t = spawn("sleeper", sleep_twice, NULL);

    (void)arg;
    sleep_twice(NULL);
    exec_thread_join(e, t);
    exec_thread_join(e, spawn("late", sleep_twice, NULL));
}

Test(sched_snapshot, the_device_may_pause)
{
    struct paused *p = open_paused(5, 0);
    struct sim_snapshot *snap;
    struct outcome first, again;

    p->in_device = true;
    sched_set_clock(s, &device_clock, &p->time, p);
    cr_assert_eq(sched_run(s, sleepers, p), -EAGAIN);
    cr_assert_eq(exec_now(e), 100);
    snap = snapshot();
    go_on_to_the_end();
    first = outcome(p);
    for (int i = 0; i < 3; i++) {
        sim_world_restore(w, snap);
        go_on_to_the_end();
        again = outcome(p);
        check_same(&first, &again);
    }
    sim_snapshot_destroy(snap);
    close_paused(p);
}

/* ---- branches ---- */

static void branch(void *arg)
{
    struct paused *p = arg;
    uint64_t *choice = sim_world_alloc(w, sizeof *choice, 16);

    contended_main(&p->contended);
    p->time = (uint64_t)(uintptr_t)choice;
    sched_pause(s);
    for (uint64_t i = 0; i < *choice; i++)
        exec_yield(e);
    exec_free(e, choice, sizeof *choice);
}

/* The host changes the world between restore and resume: that is how a campaign branches. */
Test(sched_snapshot, each_branch_goes_its_own_way)
{
    struct paused *p = open_paused(5, 0);
    struct sim_snapshot *snap;
    uint64_t points = 0, *choice;

    cr_assert_eq(sched_run(s, branch, p), -EAGAIN);
    snap = snapshot();
    choice = (uint64_t *)(uintptr_t)p->time;
    for (uint64_t i = 0; i < 10; i++) {
        sim_world_restore(w, snap);
        *choice = 1000 * i;
        cr_assert_eq(sched_resume(s), 0);
        cr_assert(i == 0 || sched_stats(s).points == points + 1000);
        points = sched_stats(s).points;
    }
    sim_snapshot_destroy(snap);
    close_paused(p);
}

/* ---- size ---- */

Test(sched_snapshot, unused_stack_is_not_copied)
{
    struct paused *p = open_paused(5, 1);
    struct sim_snapshot *snap;

    cr_assert_eq(sched_run(s, paused_main, p), -EAGAIN);
    snap = snapshot();
    cr_log_info("extent %zu, snapshot %zu bytes", sim_world_extent(w), sim_snapshot_size(snap));
    cr_assert_gt(sim_world_extent(w), 400000);
#ifndef FIBER_USE_UCONTEXT
    if (!SIM_ASAN)
        cr_assert_lt(sim_snapshot_size(snap), 64000);
#endif
    sim_snapshot_destroy(snap);
    go_on_to_the_end();
    close_paused(p);
}

/* ---- the end of a paused run ---- */

static void wait_for_descriptor(void *arg)
{
    cr_assert_eq(exec_fd_wait(e, *(const int *)arg, EXEC_FOREVER), 0);
}

static void pause_beside_descriptor(void *arg)
{
    spawn("waits", wait_for_descriptor, arg);
    while (!sim_world_pinned(w))
        exec_yield(e);
    sched_pause(s);
}

Test(sched_snapshot, a_paused_run_may_be_destroyed)
{
    struct sim_snapshot *snap;
    int pipe_fd[2];

    cr_assert_eq(pipe(pipe_fd), 0);
    open_seed(1);
    cr_assert_eq(sched_run(s, pause_beside_descriptor, &pipe_fd[0]), -EAGAIN);
    cr_assert_eq(sim_world_snapshot(w, &snap), -EBUSY);
    sched_destroy(s);
    cr_assert_null(sim_world_pinned(w));
    cr_assert_eq(sim_world_blocks(w), 0);
    sim_world_destroy(w);
    close(pipe_fd[0]);
    close(pipe_fd[1]);
}
