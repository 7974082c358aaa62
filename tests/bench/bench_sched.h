/* SPDX-License-Identifier: Apache-2.0 */
/* Costs of the deterministic scheduler (PB-11). Plain functions; the driver program prints. */
#ifndef TESTS_BENCH_BENCH_SCHED_H
#define TESTS_BENCH_BENCH_SCHED_H

#include <stdint.h>

/** ns per switch between two bare fibers, over `rounds` round trips of two switches each. */
double bench_fiber_switch_ns(uint64_t rounds);

/** The same with the C library's swapcontext, for comparison. */
double bench_swapcontext_ns(uint64_t rounds);

/** What one measurement of scheduling points gave. */
struct bench_sched_points {
    double ns_per_point;
    double switches_per_point; /* 0 to 1: how many of them led to another fiber */
};

/** Scheduling points passed by `fibers` fibers that can all run (1 = nothing to draw), `points` in
 * all. stickiness as in struct sched_config. Needs about 64 KiB of memory a fiber. */
struct bench_sched_points bench_sched_point_ns(unsigned fibers, unsigned stickiness,
                                               uint64_t points);

/** ns for one keyed wait and its wake-up, when `fibers` fibers wait for a device that wakes one at
 * a time: the scheduler's share of one I/O at full load. */
double bench_sched_keyed_wait_ns(unsigned fibers, uint64_t waits);

/** ns per sched_wake_key for a key that nobody waits for. */
double bench_sched_wake_nobody_ns(uint64_t calls);

#endif
