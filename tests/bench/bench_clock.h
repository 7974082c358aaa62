/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks of measurements. */
#ifndef TESTS_BENCH_BENCH_CLOCK_H
#define TESTS_BENCH_BENCH_CLOCK_H

#include <time.h>

static inline double bench_clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/** CPU time of this process, ns: other work on the machine hardly disturbs it. */
static inline double bench_cpu_ns(void) { return bench_clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

/** Time of day, ns: what somebody who waits waits. */
static inline double bench_wall_ns(void) { return bench_clock_ns(CLOCK_MONOTONIC); }

#endif
