/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_recovery.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "hal/exec.h"
#include "sim/sim_control.h"
#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_median.h"
#include "tests/bench/bench_rig.h"

enum { BLOCK = 4096, IN_FLIGHT = 4, CONTEXTS_MOST = 508, TRIES = 10000 };

#define PAUSE UINT64_C(1000000) /* ns, between two tries */

/* A context and its virtual LUN. */
struct member {
    struct spipe_ctx *ctx;
    uint32_t handle;
};

struct run {
    unsigned contexts;
    struct spipe_client *client;
    struct member member[CONTEXTS_MOST];
    uint8_t *buffer;
    struct bench_recovery *out;
};

static int open_contexts(struct bench_rig *r, struct run *run)
{
    struct spipe_attach_options opts = {.size = sizeof opts, .depth = IN_FLIGHT};
    uint64_t last;
    int rc = spipe_client_create(r->adapter, "recovery", &run->client);

    for (unsigned i = 0; !rc && i < run->contexts; i++) {
        struct member *m = &run->member[i];

        rc = spipe_attach(run->client, 0, &opts, &m->ctx);
        if (!rc)
            rc = spipe_open_virtual(m->ctx, 0, 256, &m->handle, &last);
    }
    return rc;
}

static int submit(const struct run *run, const struct member *m, uint64_t k)
{
    struct spipe_io io = {.tag = k,
                          .lba = k,
                          .buffer = run->buffer,
                          .blocks = 1,
                          .handle = m->handle,
                          .op = SPIPE_READ};
    int n;

    while ((n = spipe_submit(m->ctx, &io, 1)) == 0)
        continue;
    return n < 0 ? n : 0;
}

static int busy(const struct run *run)
{
    int rc = 0;

    for (unsigned k = 0; k < IN_FLIGHT; k++)
        for (unsigned i = 0; !rc && i < run->contexts; i++)
            rc = submit(run, &run->member[i], k);
    return rc;
}

/* Takes what is in flight back, good or not. */
static int collect(const struct member *m)
{
    struct spipe_completion done;
    int status = 0;

    while (spipe_in_flight(m->ctx))
        if (spipe_poll(m->ctx, &done, 1) && done.status)
            status = done.status;
    return status;
}

/* A context serves again when a read of it has succeeded. */
static int serve_again(struct bench_rig *r, const struct run *run, const struct member *m)
{
    bool recovered;
    int rc = collect(m);

    for (unsigned i = 0; i < TRIES; i++) {
        rc = spipe_recover(m->ctx, &recovered);
        if (!rc)
            rc = submit(run, m, 0);
        if (!rc)
            rc = collect(m);
        if (!rc)
            return 0;
        (void)!exec_sleep_until(r->exec, exec_now(r->exec) + PAUSE);
    }
    return rc;
}

static int all_serve_again(struct bench_rig *r, const struct run *run)
{
    int rc = 0;

    for (unsigned i = 0; !rc && i < run->contexts; i++)
        rc = serve_again(r, run, &run->member[i]);
    return rc;
}

static void start_clocks(struct bench_rig *r, struct run *run)
{
    run->out->simulated_ns = -(double)exec_now(r->exec);
    run->out->cpu_ns = -bench_cpu_ns();
}

static void stop_clocks(struct bench_rig *r, struct run *run)
{
    run->out->cpu_ns += bench_cpu_ns();
    run->out->simulated_ns += (double)exec_now(r->exec);
}

static void eeh_body(struct bench_rig *r, void *arg)
{
    struct run *run = arg;

    if (bench_good(r, open_contexts(r, run), "open") && bench_good(r, busy(run), "read")) {
        start_clocks(r, run);
        sim_afu_platform(sim_host_afu(r->host, 0), SIM_EFFECT_FREEZE, 0);
        bench_good(r, all_serve_again(r, run), "recovery");
        stop_clocks(r, run);
    }
    if (run->client)
        spipe_client_destroy(run->client);
}

/* A resize whose sync has no answer, nor its repetition: it ends after 20 s, and the worker resets
 * the adapter. */
static void lost_sync_body(struct bench_rig *r, void *arg)
{
    struct fault_plan *faults = sim_afu_faults(sim_host_afu(r->host, 0));
    struct run *run = arg;
    uint64_t last;

    if (bench_good(r, open_contexts(r, run), "open") &&
        bench_good(r, sim_faults_load(faults, "afucmd#1x2=d", NULL, 0), "plan")) {
        start_clocks(r, run);
        bench_good(r,
                   spipe_resize(run->member[0].ctx, run->member[0].handle, 2 * SPIPE_CHUNK_BLOCKS,
                                &last) != -EAGAIN,
                   "lost sync");
        while (!spipe_ctx_lost(run->member[0].ctx))
            (void)!exec_sleep_until(r->exec, exec_now(r->exec) + PAUSE);
        bench_good(r, all_serve_again(r, run), "recovery");
        stop_clocks(r, run);
    }
    if (run->client)
        spipe_client_destroy(run->client);
}

static int measure(unsigned contexts, void (*body)(struct bench_rig *, void *),
                   struct bench_recovery *out)
{
    struct bench_rig_config config = {.chunks = 520};
    struct run *run = calloc(1, sizeof *run);
    int rc = -1;

    if (!run)
        return -1;
    run->contexts = contexts;
    run->out = out;
    run->buffer = aligned_alloc(BLOCK, BLOCK);
    if (run->buffer)
        rc = bench_rig_run(&config, body, run);
    free(run->buffer);
    free(run);
    return rc;
}

int bench_eeh(unsigned contexts, struct bench_recovery *out)
{
    return measure(contexts, eeh_body, out);
}

int bench_lost_sync(struct bench_recovery *out) { return measure(1, lost_sync_body, out); }

/* ---- bars --------------------------------------------------------------------------------------
 */

/* Medians of the runs. */
static int median_eeh(unsigned contexts, struct bench_recovery *out)
{
    double cpu[BENCH_WINDOWS];

    for (unsigned i = 0; i < BENCH_WINDOWS; i++) {
        if (bench_eeh(contexts, out))
            return -1;
        cpu[i] = out->cpu_ns;
    }
    out->cpu_ns = bench_median(cpu, BENCH_WINDOWS);
    return 0;
}

/* The roofline column has the simulated time, ms. */
static double eeh(unsigned contexts, double *simulated_ms)
{
    struct bench_recovery r;

    if (median_eeh(contexts, &r))
        return NAN;
    *simulated_ms = r.simulated_ns / 1e6;
    return r.cpu_ns / 1e6;
}

static double eeh_1(double *roofline) { return eeh(1, roofline); }

static double eeh_64(double *roofline) { return eeh(64, roofline); }

static double eeh_508(double *roofline) { return eeh(508, roofline); }

/* Beyond what the adapter itself takes. */
static double eeh_flat(double *roofline)
{
    struct bench_recovery one, some, all;

    *roofline = NAN;
    if (median_eeh(1, &one) || median_eeh(64, &some) || median_eeh(508, &all))
        return NAN;
    return (all.cpu_ns - one.cpu_ns) / 507 / ((some.cpu_ns - one.cpu_ns) / 63);
}

static double pb9(double *roofline)
{
    double v[BENCH_WINDOWS];

    *roofline = NAN;
    for (unsigned i = 0; i < BENCH_WINDOWS; i++) {
        struct bench_recovery r;

        if (bench_lost_sync(&r))
            return NAN;
        v[i] = r.simulated_ns / r.cpu_ns;
    }
    return bench_median(v, BENCH_WINDOWS);
}

static struct bench_bar bars[] = {
    {"PB-9", "simulated against real time, lost AFU sync", "x", 1e4, 1e6, true, pb9, NAN, NAN},
    {"EEH.1", "recovery, 1 context (roofline: simulated)", "ms", NAN, NAN, false, eeh_1, NAN, NAN},
    {"EEH.64", "the same, 64 contexts", "ms", NAN, NAN, false, eeh_64, NAN, NAN},
    {"EEH.508", "the same, 508 contexts", "ms", NAN, NAN, false, eeh_508, NAN, NAN},
    {"EEH.flat", "cost of one more context, of 508 against 64", "x", 1.3, 1.3, false, eeh_flat, NAN,
     NAN},
};

struct bench_bars bench_recovery_bars(void)
{
    return (struct bench_bars){bars, sizeof bars / sizeof *bars};
}
