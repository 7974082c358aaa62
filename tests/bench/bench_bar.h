/* SPDX-License-Identifier: Apache-2.0 */
/* A bar: what is to be reached, and what was measured. */
#ifndef TESTS_BENCH_BENCH_BAR_H
#define TESTS_BENCH_BENCH_BAR_H

#include <stdbool.h>
#include <stddef.h>

enum {
    BENCH_WINDOWS = 5, /* samples of which the median counts */
    /* Small differences: what else the machine does only ever adds time, so the best of each side
     * counts. They are measured in turn. */
    BENCH_TURNS = 2 * BENCH_WINDOWS,
};

/** One bar. NAN = not measured, or nothing is asked of it. */
struct bench_bar {
    const char *id, *what, *unit;
    double must, aim;
    bool higher; /* is better */
    double (*measure)(double *roofline);
    double value, roofline;
};

/** Bars of one kind. */
struct bench_bars {
    struct bench_bar *bar;
    size_t n;
};

/** The bars of the allocation table, and those of requests. The arrays are static. */
struct bench_bars bench_alloc_bars(void);
struct bench_bars bench_request_bars(void);

#endif
