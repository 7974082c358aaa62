/* SPDX-License-Identifier: Apache-2.0 */
/* The bars of requests: what they cost, who waits for whom, and what the invariant checkers cost.
 * Figures behind a bar go to stderr. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tests/bench/bench_bar.h"
#include "tests/bench/bench_checks.h"
#include "tests/bench/bench_requests.h"
#include "tests/bench/bench_wait.h"

/* ---- requests ---------------------------------------------------------------------------------
 */

typedef double sample_fn(unsigned others);

/* Best of several with 1 and with 508 other contexts, in turn. */
static int few_and_many(sample_fn *sample, double *few, double *many)
{
    *few = *many = INFINITY;
    for (unsigned i = 0; i < BENCH_WINDOWS; i++) {
        double a = sample(1), b = sample(508);

        if (a < 0 || b < 0)
            return -1;
        *few = fmin(*few, a);
        *many = fmin(*many, b);
    }
    return 0;
}

static double worst_us(sample_fn *sample, double *roofline)
{
    double few, many;

    *roofline = NAN;
    if (few_and_many(sample, &few, &many))
        return NAN;
    fprintf(stderr, "bench:   %.2f us beside 1 context, %.2f us beside 508\n", few / 1e3,
            many / 1e3);
    return fmax(few, many) / 1e3;
}

static double ratio(sample_fn *sample, double *roofline)
{
    double few, many;

    *roofline = 1;
    return few_and_many(sample, &few, &many) ? NAN : many / few;
}

static double attach_us(double *roofline) { return worst_us(bench_attach_ns, roofline); }

static double attach_flat(double *roofline) { return ratio(bench_attach_ns, roofline); }

static double open_us(double *roofline) { return worst_us(bench_open_ns, roofline); }

static double open_flat(double *roofline) { return ratio(bench_open_ns, roofline); }

/* ---- resize -----------------------------------------------------------------------------------
 */

enum { RESIZES = 14 };

static struct bench_resize resizes[RESIZES] = {
    {.from = 0, .to = 1, .plain_stores = true},
    {.from = 0, .to = 16, .plain_stores = true},
    {.from = 16, .to = 4096, .plain_stores = true},
    {.from = 0, .to = 65536, .plain_stores = true},
    {.from = 65536, .to = 65544, .plain_stores = true},
    {.from = 0, .to = 262144, .plain_stores = true},
    {.from = 0, .to = 1, .fill = 50, .plain_stores = true},
    {.from = 0, .to = 4096, .fill = 50, .plain_stores = true},
    {.from = 0, .to = 120000, .fill = 50, .plain_stores = true},
    {.from = 0, .to = 1, .fill = 90, .plain_stores = true},
    {.from = 0, .to = 4096, .fill = 90, .plain_stores = true},
    {.from = 0, .to = 20000, .fill = 90, .plain_stores = true},
    {.from = 0, .to = 1, .fill = 99, .plain_stores = true},
    {.from = 0, .to = 1000, .fill = 99, .plain_stores = true},
};

/* Of the larger size: whoever grows by one chunk more than its array holds copies all entries. */
static double budget_ns(const struct bench_resize *m) { return 20000 + 30 * (double)m->to; }

/* Measures them all, once for all bars. The best of three. */
static int measure_resizes(void)
{
    static bool done;

    for (unsigned i = 0; !done && i < RESIZES; i++) {
        struct bench_resize *m = &resizes[i];
        double grow = INFINITY, shrink = INFINITY;

        for (unsigned k = 0; k < 3; k++) {
            if (bench_resize(m))
                return -1;
            grow = fmin(grow, m->grow_ns);
            shrink = fmin(shrink, m->shrink_ns);
        }
        m->grow_ns = grow;
        m->shrink_ns = shrink;
        fprintf(stderr,
                "bench:   %6u <-> %6u chunks, %2u %% full: grow %9.2f us, shrink %9.2f us "
                "(%.2f and %.2f of 20 us + 30 ns a chunk)\n",
                (unsigned)m->from, (unsigned)m->to, m->fill, grow / 1e3, shrink / 1e3,
                grow / budget_ns(m), shrink / budget_ns(m));
    }
    done = true;
    return 0;
}

static double resize_share(double *roofline)
{
    double worst = 0;

    *roofline = NAN;
    if (measure_resizes())
        return NAN;
    for (unsigned i = 0; i < RESIZES; i++)
        worst =
            fmax(worst, fmax(resizes[i].grow_ns, resizes[i].shrink_ns) / budget_ns(&resizes[i]));
    return worst;
}

/* The whole LUN at once. */
static double resize_chunk(double *roofline)
{
    const struct bench_resize *m = &resizes[5];

    *roofline = NAN;
    return measure_resizes() ? NAN : fmax(m->grow_ns, m->shrink_ns) / (double)m->to;
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

static void print_spread(const char *what, const struct bench_spread *s)
{
    fprintf(stderr, "bench:     %-8s median %7.1f, 99 %% %9.1f, 99.9 %% %9.1f, longest %9.1f us\n",
            what, s->median, s->p99, s->p999, s->longest);
}

static void print_waits(const char *beside, const struct bench_wait_result *r)
{
    fprintf(stderr,
            "bench:   %s: %" PRIu64 " requests, %" PRIu64
            " waited more than 100 us for locks, %" PRIu64 " without that of the master, %" PRIu64
            " by what the other thread computed; %" PRIu64 " resizes\n",
            beside, r->requests, r->above_100_us, r->moments_above_100_us, r->computed_above_100_us,
            r->resizes);
    print_spread("requests", &r->total);
    print_spread("locks", &r->locks);
    print_spread("moments", &r->moments);
    print_spread("computed", &r->computed);
    print_spread("held", &r->held);
}

/* Measures all, once for all bars: NULL after a failure. */
static const struct bench_wait_result *measure_waits(void)
{
    static const char *const name[BENCH_BESIDE_KINDS] = {
        "alone", "beside a busy thread", "beside a resizer on another adapter",
        "beside a resizer of the LUN", "the same, looking at processors"};
    static struct bench_wait_result result[BENCH_BESIDE_KINDS];
    static bool done;

    for (unsigned i = 0; !done && i < BENCH_BESIDE_KINDS; i++) {
        struct bench_wait_result *r = &result[i];

        if (bench_wait((enum bench_beside)i, r))
            return NULL;
        print_waits(name[i], r);
    }
    done = true;
    return result;
}

/* Roofline: the same beside the same resizer, but on an adapter that nobody shares. */
static double beside_resizer(double (*of)(const struct bench_wait_result *), double *roofline)
{
    const struct bench_wait_result *r = measure_waits();

    *roofline = r ? of(&r[BENCH_ELSEWHERE]) : NAN;
    return r ? of(&r[BENCH_RESIZER]) : NAN;
}

static double longest_of(const struct bench_wait_result *r) { return r->locks.longest; }

static double p999_of(const struct bench_wait_result *r) { return r->locks.p999; }

static double moments_longest_of(const struct bench_wait_result *r) { return r->moments.longest; }

static double moments_p999_of(const struct bench_wait_result *r) { return r->moments.p999; }

static double request_of(const struct bench_wait_result *r) { return r->total.p999; }

static double wait_longest(double *roofline) { return beside_resizer(longest_of, roofline); }

static double wait_p999(double *roofline) { return beside_resizer(p999_of, roofline); }

static double moments_longest(double *roofline)
{
    return beside_resizer(moments_longest_of, roofline);
}

static double moments_p999(double *roofline) { return beside_resizer(moments_p999_of, roofline); }

static double wait_computed(double *roofline)
{
    const struct bench_wait_result *r = measure_waits();

    *roofline = NAN;
    return r ? r[BENCH_COMPUTING].computed.longest : NAN;
}

static double wait_held(double *roofline)
{
    const struct bench_wait_result *r = measure_waits();

    *roofline = NAN;
    return r ? r[BENCH_ELSEWHERE].held.median : NAN;
}

static double wait_request(double *roofline) { return beside_resizer(request_of, roofline); }

/* ---- invariant checkers -----------------------------------------------------------------------
 */

/* Cost of the same requests with checks against that without, in turn, best of each. The standard
 * scenario: 8 clients with 4 handles. */
static double checks_cost(enum bench_checks checks, unsigned requests, unsigned reads)
{
    struct bench_checks_config off = {.clients = 8,
                                      .handles = 4,
                                      .requests = requests,
                                      .reads = reads},
                               on = off;
    struct bench_checks_result a, b = {0};
    double best_a = INFINITY, best_b = INFINITY;

    on.checks = checks;
    for (unsigned i = 0; i < BENCH_WINDOWS; i++) {
        if (bench_checks_run(&off, &a) || bench_checks_run(&on, &b))
            return NAN;
        best_a = fmin(best_a, a.ns);
        best_b = fmin(best_b, b.ns);
    }
    fprintf(stderr,
            "bench:   %.2f us without, %.2f us with checks; a thousand requests: %u looks, %u put "
            "off\n",
            best_a / 1e3, best_b / 1e3, (unsigned)b.looks, (unsigned)b.put_off);
    return best_b / best_a;
}

static double checks_always(double *roofline)
{
    *roofline = NAN;
    return checks_cost(BENCH_ALWAYS, 4000, 0);
}

static double checks_quiet(double *roofline)
{
    *roofline = NAN;
    return (checks_cost(BENCH_QUIET, 4000, 0) - 1) * 100;
}

/* So many reads a request as `superpipe run` has with its defaults. */
static double checks_run(double *roofline)
{
    *roofline = NAN;
    return (checks_cost(BENCH_QUIET, 300, 3200) - 1) * 100;
}

static struct bench_bar bars[] = {
    {"RQ-1", "attach and detach, 64 TB, worst of 1, 508 contexts", "us", 20, 20, false, attach_us,
     NAN, NAN},
    {"RQ-1.flat", "the same, 508 contexts against 1", "x", 1.3, 1.3, false, attach_flat, NAN, NAN},
    {"RQ-2", "open and release 16 chunks, likewise", "us", 10, 10, false, open_us, NAN, NAN},
    {"RQ-2.flat", "the same, 508 contexts against 1", "x", 1.3, 1.3, false, open_flat, NAN, NAN},
    {"RQ-3", "resize against 20 us + 30 ns a chunk, worst", "x", 1, 1, false, resize_share, NAN,
     NAN},
    {"RQ-3.64tb", "resize of all of 64 TB, a chunk", "ns", 30, 30, false, resize_chunk, NAN, NAN},
    {"RQ-5", "wait for a lock beside a resizer, longest", "us", 100, 100, false, wait_longest, NAN,
     NAN},
    {"RQ-5.p999", "the same, 99.9 %", "us", 100, 100, false, wait_p999, NAN, NAN},
    {"RQ-5.moments", "as RQ-5, but for the lock of the master", "us", 100, 100, false,
     moments_longest, NAN, NAN},
    {"RQ-5.m.p999", "the same, 99.9 %", "us", 100, 100, false, moments_p999, NAN, NAN},
    {"RQ-5.computed", "as RQ-5, without time that a thread had no processor", "us", 100, 100, false,
     wait_computed, NAN, NAN},
    {"RQ-5.held", "CPU time of a resize with a lock, median", "us", 100, 100, false, wait_held, NAN,
     NAN},
    {"RQ-5.request", "request beside a resizer, 99.9 %", "us", NAN, NAN, false, wait_request, NAN,
     NAN},
    {"RQ-6", "checkers on every occasion against none", "x", 5, 5, false, checks_always, NAN, NAN},
    {"RQ-6.quiet", "checkers at quiet points, requests only", "%", 10, 10, false, checks_quiet, NAN,
     NAN},
    {"RQ-6.run", "the same, 3,200 reads a request as in a run", "%", 10, 10, false, checks_run, NAN,
     NAN},
};

struct bench_bars bench_request_bars(void)
{
    return (struct bench_bars){bars, sizeof bars / sizeof *bars};
}
