/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "backends/posix/posix_exec.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_lock_watch.h"
#include "tests/bench/bench_median.h"
#include "tests/bench/bench_processors.h"
#include "tests/bench/bench_rig.h"

enum {
    SAMPLES_MOST = 1 << 20,
    RESIZES_MOST = 1 << 16,
    WARM_UP = 200,      /* requests */
    WARM_RESIZES = 4,   /* before that */
    PIECE = 16,         /* chunks that are opened */
    HALF_LUN = 1 << 17, /* chunks that the resizer takes and gives back */
};

static const double run_ns = 3e9;

/* One request. */
struct sample {
    double total, locks, moments, computed; /* ns */
};

struct wait_run {
    struct bench_rig *rig;
    enum bench_beside beside;
    struct sample *sample;
    uint64_t samples;
    double *held; /* of each resize: the most CPU time with one lock, ns */
    uint64_t resizes;
    bool running, stop; /* atomic: the other thread is in its loop; it is to end */
    clockid_t other;    /* of that thread; valid when it is running */
};

static bool is_set(const bool *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }

static void set(bool *flag) { __atomic_store_n(flag, true, __ATOMIC_RELEASE); }

/* ---- the other thread -------------------------------------------------------------------------
 */

static void compute(struct wait_run *w)
{
    volatile uint64_t x = 0;

    set(&w->running);
    while (!is_set(&w->stop))
        for (unsigned i = 0; i < 1000; i++)
            x += i;
    (void)x;
}

static void resizes(struct wait_run *w, struct bench_rig *r, struct spipe_ctx *ctx, uint32_t handle)
{
    uint64_t last;

    (void)bench_lock_held();
    while (!r->failed && !is_set(&w->stop)) {
        uint64_t chunks = w->resizes % 2 ? 1 : HALF_LUN;

        bench_good(r, spipe_resize(ctx, handle, chunks * SPIPE_CHUNK_BLOCKS, &last), "resize");
        w->held[w->resizes % RESIZES_MOST] = bench_lock_held();
        if (++w->resizes == WARM_RESIZES)
            set(&w->running);
    }
}

static void resize_on(struct bench_rig *r, void *arg)
{
    struct wait_run *w = arg;
    struct spipe_client *c = NULL;
    struct spipe_ctx *ctx = NULL;
    uint64_t last;
    uint32_t handle = 0;

    if (!bench_good(r, spipe_client_create(r->adapter, "resizer", &c), "client"))
        return;
    if (bench_good(r, spipe_attach(c, 0, NULL, &ctx), "attach"))
        bench_good(r, spipe_open_virtual(ctx, 0, 1, &handle, &last), "open");
    if (!r->failed)
        resizes(w, r, ctx, handle);
    spipe_client_destroy(c);
}

static const struct bench_rig_config *config_of(struct exec *threads)
{
    static struct bench_rig_config config;

    config = (struct bench_rig_config){
        .chunks = BENCH_CHUNKS_64TB, .plain_stores = true, .threads = threads};
    return &config;
}

static void other_thread(void *arg)
{
    struct wait_run *w = arg;

    w->other = bench_processors_clock();
    if (w->beside == BENCH_BUSY)
        compute(w);
    else if (w->beside != BENCH_ELSEWHERE)
        resize_on(w->rig, w);
    else if (bench_rig_run(config_of(w->rig->exec), resize_on, w))
        w->rig->failed = true;
    set(&w->running);
}

/* ---- the one that is timed --------------------------------------------------------------------
 */

static double start_timer(void)
{
    (void)bench_lock_waited();
    return bench_wall_ns();
}

static void stop_timer(struct wait_run *w, double begin)
{
    double total = bench_wall_ns() - begin;
    struct bench_waited waited = bench_lock_waited();

    if (w->samples < SAMPLES_MOST)
        w->sample[w->samples++] =
            (struct sample){total, waited.all, waited.all - waited.master, waited.computed};
}

/* Attach, open, release, detach. */
static void four_requests(struct wait_run *w, struct spipe_client *c)
{
    struct bench_rig *r = w->rig;
    struct spipe_ctx *ctx = NULL;
    uint64_t last;
    uint32_t handle;
    double t = start_timer();

    if (!bench_good(r, spipe_attach(c, 0, NULL, &ctx), "attach"))
        return;
    stop_timer(w, t);
    t = start_timer();
    if (!bench_good(r, spipe_open_virtual(ctx, 0, PIECE * SPIPE_CHUNK_BLOCKS, &handle, &last),
                    "open"))
        return;
    stop_timer(w, t);
    t = start_timer();
    bench_good(r, spipe_release(ctx, handle), "release");
    stop_timer(w, t);
    t = start_timer();
    bench_good(r, spipe_detach(ctx, 0), "detach");
    stop_timer(w, t);
}

static void timed_requests(struct wait_run *w, struct spipe_client *c)
{
    double begin;

    while (w->samples < WARM_UP && !w->rig->failed)
        four_requests(w, c);
    w->samples = 0;
    begin = bench_wall_ns();
    while (bench_wall_ns() - begin < run_ns && !w->rig->failed)
        four_requests(w, c);
}

static void timed_client(struct wait_run *w)
{
    struct bench_processors processors;
    struct spipe_client *c;

    if (!bench_good(w->rig, spipe_client_create(w->rig->adapter, "timed", &c), "client"))
        return;
    if (w->beside == BENCH_COMPUTING) {
        bench_processors_open(&processors, w->other);
        bench_lock_watch_processors(&processors);
    }
    timed_requests(w, c);
    if (w->beside == BENCH_COMPUTING) {
        bench_lock_watch_processors(NULL);
        bench_processors_close(&processors);
    }
    spipe_client_destroy(c);
}

/* Somebody else has the LUN open, or each open would make its allocation table and each release
 * take it away. */
static struct spipe_client *keep_lun(struct bench_rig *r)
{
    struct spipe_client *c = NULL;
    struct spipe_ctx *ctx = NULL;
    uint64_t last;
    uint32_t handle;

    if (bench_good(r, spipe_client_create(r->adapter, "keeper", &c), "client") &&
        bench_good(r, spipe_attach(c, 0, NULL, &ctx), "attach"))
        bench_good(r, spipe_open_virtual(ctx, 0, 1, &handle, &last), "open");
    return c;
}

static void both(struct bench_rig *r, void *arg)
{
    struct wait_run *w = arg;
    struct exec_thread *other = NULL;
    struct spipe_client *keeper = keep_lun(r);

    w->rig = r;
    if (!r->failed && w->beside != BENCH_NOTHING &&
        bench_good(r, exec_thread_create(r->exec, "other", other_thread, w, &other), "thread"))
        while (!is_set(&w->running))
            exec_yield(r->exec);
    if (!r->failed)
        timed_client(w);
    set(&w->stop);
    if (other)
        exec_thread_join(r->exec, other);
    if (keeper)
        spipe_client_destroy(keeper);
}

/* ---- figures ----------------------------------------------------------------------------------
 */

static struct bench_spread spread_of(double *v, uint64_t n)
{
    if (!n)
        return (struct bench_spread){0};
    bench_sort(v, n);
    return (struct bench_spread){.median = v[n / 2] / 1e3,
                                 .p99 = v[n * 99 / 100] / 1e3,
                                 .p999 = v[n * 999 / 1000] / 1e3,
                                 .longest = v[n - 1] / 1e3};
}

static void evaluate(struct wait_run *w, struct bench_wait_result *out)
{
    double *room = malloc(SAMPLES_MOST * sizeof *room);

    CHECK(room);
    out->requests = w->samples;
    out->resizes = w->resizes;
    out->held = spread_of(w->held, hal_min64(w->resizes, RESIZES_MOST));
    for (uint64_t i = 0; i < w->samples; i++)
        room[i] = w->sample[i].total;
    out->total = spread_of(room, w->samples);
    for (uint64_t i = 0; i < w->samples; i++) {
        room[i] = w->sample[i].locks;
        out->above_100_us += room[i] > 1e5;
    }
    out->locks = spread_of(room, w->samples);
    for (uint64_t i = 0; i < w->samples; i++) {
        room[i] = w->sample[i].moments;
        out->moments_above_100_us += room[i] > 1e5;
    }
    out->moments = spread_of(room, w->samples);
    for (uint64_t i = 0; i < w->samples; i++) {
        room[i] = w->sample[i].computed;
        out->computed_above_100_us += room[i] > 1e5;
    }
    out->computed = spread_of(room, w->samples);
    free(room);
}

/* The model sleeps until its next event is due, and Linux lets threads sleep up to 50 us longer
 * unless they ask it not to; threads that are made later inherit that. */
static void wake_in_time(void) { CHECK(prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL) == 0); }

int bench_wait(enum bench_beside beside, struct bench_wait_result *out)
{
    struct wait_run w = {.beside = beside};
    struct exec *threads;
    int rc = -1;

    *out = (struct bench_wait_result){0};
    w.sample = malloc(SAMPLES_MOST * sizeof *w.sample);
    w.held = malloc(RESIZES_MOST * sizeof *w.held);
    if (!w.sample || !w.held || posix_exec_create(&threads)) {
        fprintf(stderr, "bench: not enough memory\n");
    } else {
        wake_in_time();
        bench_lock_watch(threads, beside == BENCH_ELSEWHERE);
        rc = bench_rig_run(config_of(threads), both, &w);
        posix_exec_destroy(threads);
        evaluate(&w, out);
    }
    free(w.held);
    free(w.sample);
    return rc;
}
