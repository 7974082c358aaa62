/* SPDX-License-Identifier: Apache-2.0 */
/* Order among measurements. */
#ifndef TESTS_BENCH_BENCH_MEDIAN_H
#define TESTS_BENCH_BENCH_MEDIAN_H

#include <stddef.h>
#include <stdlib.h>

static inline int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/** Sorts n values, the smallest first. */
static inline void bench_sort(double *v, size_t n)
{
    /* cppcheck-suppress uninitvar; it does not see that the loops that fill v run */
    qsort(v, n, sizeof *v, bench_by_value);
}

/** Sorts n > 0 values and returns their median, the upper one of an even number. */
static inline double bench_median(double *v, size_t n)
{
    bench_sort(v, n);
    return v[n / 2];
}

#endif
