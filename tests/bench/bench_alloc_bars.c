/* SPDX-License-Identifier: Apache-2.0 */
/* The bars of the allocation table, beside two plain ones measured in the same run. */
#include <math.h>
#include <stdio.h>

#include "tests/bench/bench_bar.h"
#include "tests/bench/bench_block_alloc.h"

enum { FILLS = 3 };

static const unsigned fill[FILLS] = {10, 500, 999}; /* per mille */

struct cost {
    double allocate, release; /* ns, best of several */
};

/* Of every table at every fill; the samples of all tables in turn. */
struct costs {
    struct cost of[BENCH_BA_KINDS][FILLS];
};

static void measure_fill(struct costs *c, unsigned f)
{
    for (unsigned k = 0; k < BENCH_BA_KINDS; k++)
        c->of[k][f] = (struct cost){INFINITY, INFINITY};
    for (unsigned i = 0; i < BENCH_TURNS; i++) {
        for (unsigned k = 0; k < BENCH_BA_KINDS; k++) {
            struct cost *cost = &c->of[k][f];

            cost->allocate =
                fmin(cost->allocate, bench_ba_allocate_ns((enum bench_ba_kind)k, fill[f]));
            cost->release = fmin(cost->release, bench_ba_free_ns((enum bench_ba_kind)k, fill[f]));
        }
    }
    for (unsigned k = 0; k < BENCH_BA_KINDS; k++)
        fprintf(stderr, "bench:   %-16s %4.1f %% full: allocate %7.1f ns, free %5.1f ns\n",
                bench_ba_name((enum bench_ba_kind)k), fill[f] / 10.0, c->of[k][f].allocate,
                c->of[k][f].release);
}

/* Once for all bars. */
static const struct costs *measure(void)
{
    static struct costs costs;
    static bool done;

    for (unsigned f = 0; !done && f < FILLS; f++)
        measure_fill(&costs, f);
    done = true;
    return &costs;
}

static double worst(enum bench_ba_kind kind)
{
    const struct costs *c = measure();
    double ns = 0;

    for (unsigned f = 0; f < FILLS; f++)
        ns = fmax(ns, fmax(c->of[kind][f].allocate, c->of[kind][f].release));
    return ns;
}

static double pb21(double *roofline)
{
    *roofline = measure()->of[BENCH_BA_SCAN][0].allocate;
    return worst(BENCH_BA_SUMMARIES);
}

/* Of an allocation, which is what has something to search. */
static double pb21_flat(double *roofline)
{
    const struct cost *c = measure()->of[BENCH_BA_SUMMARIES];
    double least = INFINITY, most = 0;

    *roofline = 1;
    for (unsigned f = 0; f < FILLS; f++) {
        least = fmin(least, c[f].allocate);
        most = fmax(most, c[f].allocate);
    }
    return most / least;
}

static double scan_worst(double *roofline)
{
    *roofline = NAN;
    return worst(BENCH_BA_SCAN);
}

static double counts_worst(double *roofline)
{
    *roofline = NAN;
    return worst(BENCH_BA_COUNTS);
}

static double full_pair(enum bench_ba_kind kind)
{
    double best = INFINITY;

    for (unsigned i = 0; i < BENCH_WINDOWS; i++)
        best = fmin(best, bench_ba_full_pair_ns(kind));
    return best;
}

static double pb21_full(double *roofline)
{
    *roofline = NAN;
    return full_pair(BENCH_BA_SUMMARIES);
}

static double scan_full(double *roofline)
{
    *roofline = NAN;
    return full_pair(BENCH_BA_SCAN);
}

static double counts_full(double *roofline)
{
    *roofline = NAN;
    return full_pair(BENCH_BA_COUNTS);
}

static double pb22(double *roofline)
{
    *roofline = 262144 * 1.125 / 1024; /* one bit and one count a chunk */
    return (double)bench_ba_bytes() / 1024;
}

static struct bench_bar bars[] = {
    {"PB-21", "allocate or free a chunk, 64 TB, worst fill", "ns", 20, 10, false, pb21, NAN, NAN},
    {"PB-21.flat", "allocate: fullest against emptiest LUN", "x", 2, 2, false, pb21_flat, NAN, NAN},
    {"PB-21.scan", "as PB-21, bitmap scan", "ns", NAN, NAN, false, scan_worst, NAN, NAN},
    {"PB-21.counts", "as PB-21, array of reference counts", "ns", NAN, NAN, false, counts_worst,
     NAN, NAN},
    {"PB-21.full", "free and allocate, one chunk free, worst place", "ns", 40, 20, false, pb21_full,
     NAN, NAN},
    {"PB-21.f.scan", "as PB-21.full, bitmap scan", "ns", NAN, NAN, false, scan_full, NAN, NAN},
    {"PB-21.f.cnts", "as PB-21.full, array of reference counts", "ns", NAN, NAN, false, counts_full,
     NAN, NAN},
    {"PB-22", "allocation table of 64 TB", "KiB", 400, 300, false, pb22, NAN, NAN},
};

struct bench_bars bench_alloc_bars(void)
{
    return (struct bench_bars){bars, sizeof bars / sizeof *bars};
}
