/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_sched.h"

#include <stdlib.h>
#include <ucontext.h>

#include "hal/exec.h"
#include "hal/support/check.h"
#include "sim/sched/fiber.h"
#include "sim/sched/sched.h"
#include "sim/world.h"
#include "tests/bench/bench_clock.h"

#define STACK_BYTES 65536

/* ---- bare switches ---- */

struct pair {
    struct fiber host, fiber;
};

static void ping(void *arg)
{
    struct pair *p = arg;

    for (;;)
        fiber_switch(&p->fiber, &p->host);
}

double bench_fiber_switch_ns(uint64_t rounds)
{
    struct pair p;
    void *stack = aligned_alloc(64, STACK_BYTES);
    double start;

    CHECK(stack);
    fiber_adopt(&p.host);
    fiber_init(&p.fiber, stack, STACK_BYTES, ping, &p);
    fiber_switch(&p.host, &p.fiber);
    start = bench_cpu_ns();
    for (uint64_t i = 0; i < rounds; i++)
        fiber_switch(&p.host, &p.fiber);
    start = bench_cpu_ns() - start;
    fiber_fini(&p.fiber);
    free(stack);
    return start / (double)(2 * rounds);
}

static ucontext_t context_host, context_fiber;

static void context_ping(void)
{
    for (;;)
        CHECK(swapcontext(&context_fiber, &context_host) == 0);
}

double bench_swapcontext_ns(uint64_t rounds)
{
    void *stack = aligned_alloc(64, STACK_BYTES);
    double start;

    CHECK(stack && getcontext(&context_fiber) == 0);
    context_fiber.uc_stack.ss_sp = stack;
    context_fiber.uc_stack.ss_size = STACK_BYTES;
    makecontext(&context_fiber, context_ping, 0);
    start = bench_cpu_ns();
    for (uint64_t i = 0; i < rounds; i++)
        CHECK(swapcontext(&context_host, &context_fiber) == 0);
    start = bench_cpu_ns() - start;
    free(stack);
    return start / (double)(2 * rounds);
}

/* ---- the scheduler ---- */

struct bench {
    struct sim_world *world;
    struct sched *sched;
    unsigned fibers;
    uint64_t rounds; /* for each fiber */
    void (*body)(void *);
    struct bench_turn {
        struct bench *bench;
        struct exec_thread *thread;
        uint64_t key;
    } turn[64];
    /* The device of the keyed waits. */
    uint64_t time, next_key;
    double elapsed;
};

static void pass_points(void *arg)
{
    const struct bench_turn *t = arg;

    for (uint64_t i = 0; i < t->bench->rounds; i++)
        sched_point(t->bench->sched);
}

/* main is one of the fibers, so that 1 means alone. */
static void start_all(void *arg)
{
    struct bench *b = arg;
    struct exec *e = sched_exec(b->sched);
    double start = bench_cpu_ns();

    for (unsigned i = 1; i < b->fibers; i++)
        CHECK(exec_thread_create(e, "bench", b->body, &b->turn[i], &b->turn[i].thread) == 0);
    b->body(&b->turn[0]);
    for (unsigned i = 1; i < b->fibers; i++)
        exec_thread_join(e, b->turn[i].thread);
    b->elapsed = bench_cpu_ns() - start;
}

static struct bench *open_bench(unsigned fibers, uint64_t rounds, void (*body)(void *),
                                const struct sched_config *cfg)
{
    struct sim_world *w;
    struct bench *b;

    CHECK(fibers >= 1 && fibers <= 64);
    CHECK(sim_world_create((size_t)64 << 20, &w) == 0);
    b = sim_world_alloc(w, sizeof *b, 64);
    CHECK(b);
    b->world = w;
    b->fibers = fibers;
    b->rounds = rounds / fibers;
    b->body = body;
    for (unsigned i = 0; i < fibers; i++)
        b->turn[i] = (struct bench_turn){.bench = b, .key = i};
    CHECK(sched_create(w, cfg, &b->sched) == 0);
    return b;
}

struct bench_sched_points bench_sched_point_ns(unsigned fibers, unsigned stickiness,
                                               uint64_t points)
{
    struct sched_config cfg = {.seed = 1, .stickiness = stickiness};
    struct bench *b = open_bench(fibers, points, pass_points, &cfg);
    struct bench_sched_points result;
    struct sched_stats stats;

    CHECK(sched_run(b->sched, start_all, b) == 0);
    stats = sched_stats(b->sched);
    result.ns_per_point = b->elapsed / (double)stats.points;
    result.switches_per_point = (double)stats.switches / (double)stats.points;
    sim_world_destroy(b->world);
    return result;
}

/* Wakes the fibers round robin, one each 100 ns. */
static void device_advance(void *arg, uint64_t until)
{
    struct bench *b = arg;
    unsigned silent = 0;

    while (b->time < until && silent++ < b->fibers) {
        b->time += 100;
        b->next_key = (b->next_key + 1) % b->fibers;
        if (sched_wake_key(b->sched, b->next_key))
            return;
    }
    b->time = until > b->time ? until : b->time;
}

static bool device_idle(void *arg)
{
    (void)arg;
    return false;
}

static void wait_for_key(void *arg)
{
    struct bench_turn *t = arg;
    struct bench *b = t->bench;

    for (uint64_t i = 0; i < b->rounds; i++)
        CHECK(sched_wait_key(b->sched, t->key, b->time + 5000000000, true, "I/O") == 0);
}

double bench_sched_keyed_wait_ns(unsigned fibers, uint64_t waits)
{
    static const struct sched_clock clock = {1, device_advance, device_idle};
    struct sched_config cfg = {.seed = 1};
    struct bench *b = open_bench(fibers, waits, wait_for_key, &cfg);
    double result;

    sched_set_clock(b->sched, &clock, &b->time, b);
    CHECK(sched_run(b->sched, start_all, b) == 0);
    result = b->elapsed / (double)(b->rounds * fibers);
    sim_world_destroy(b->world);
    return result;
}

double bench_sched_wake_nobody_ns(uint64_t calls)
{
    struct bench *b = open_bench(1, 1, pass_points, NULL);
    double start = bench_cpu_ns();
    bool any = false;

    for (uint64_t i = 0; i < calls; i++)
        any |= sched_wake_key(b->sched, i);
    start = bench_cpu_ns() - start;
    CHECK(!any);
    sim_world_destroy(b->world);
    return start / (double)calls;
}
