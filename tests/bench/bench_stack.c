/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/sim/sim_host.h"
#include "core/superpipe.h"
#include "hal/support/check.h"
#include "hal/support/prng.h"
#include "sim/sched/sched.h"
#include "sim/sim_media.h"
#include "sim/sim_params.h"
#include "sim/world.h"
#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_median.h"

#define BLOCK 4096u
#define HOT_BLOCKS 4096u /* 16 MiB of media are read, as PB-2 says */
#define BATCH 32u
#define DEPTH_MAX 128u
#define CLIENTS_MAX 64u
#define HANDLES_MAX 16u

/* ---- the run ----------------------------------------------------------------------------------
 */

struct client {
    struct run *run;
    struct spipe_client *spipe;
    struct spipe_ctx *ctx;
    struct exec_thread *thread;
    uint8_t *buffers; /* depth x 4 KiB */
    uint32_t handle[HANDLES_MAX];
    uint64_t reads;

    /* The loop: I/Os are made in a ring, one of each buffer, and submitted from there. */
    uint64_t unmade;
    unsigned next;           /* to be made */
    unsigned first, waiting; /* to be submitted */
    unsigned next_handle;
    struct hal_prng rng;
    struct spipe_io io[DEPTH_MAX];
};

struct run {
    const struct bench_stack_config *config;
    struct sim_host *host;
    struct exec *exec;
    struct spipe *adapter;
    struct client client[CLIENTS_MAX];
    uint64_t blocks; /* that each handle reads */
    struct bench_stack_result *out;
    bool failed;
};

static bool good(struct run *r, int rc, const char *what)
{
    if (!rc)
        return true;
    if (!r->failed)
        fprintf(stderr, "bench: %s: %s\n", what, strerror(-rc));
    r->failed = true;
    return false;
}

/* Makes the next I/O in the next place of the ring. Reads draw their block and take handles in
 * turn, writes go through block after block of one handle after the other. */
static inline void make_io(struct client *c)
{
    const struct run *r = c->run;
    struct spipe_io *io = &c->io[c->next];

    if (++c->next == r->config->depth)
        c->next = 0;
    io->tag = c->unmade--;
    if (io->op == SPIPE_WRITE) {
        io->lba = io->tag % r->blocks;
        io->handle = c->handle[io->tag / r->blocks % r->config->handles];
        return;
    }
    io->lba = hal_prng_below(&c->rng, r->blocks);
    io->handle = c->handle[c->next_handle];
    if (++c->next_handle == r->config->handles)
        c->next_handle = 0;
}

/* Submits what is made, as far as the queue takes it: a batch of those that stand in a row. */
static inline bool submit(struct client *c)
{
    const struct bench_stack_config *config = c->run->config;
    unsigned row = config->depth - c->first;
    unsigned n = c->waiting < row ? c->waiting : row;
    int taken = spipe_submit(c->ctx, &c->io[c->first], n < BATCH ? n : BATCH);

    if (taken < 0)
        return good(c->run, taken, "submit");
    c->waiting -= (unsigned)taken;
    c->first += (unsigned)taken;
    if (c->first == config->depth)
        c->first = 0;
    return true;
}

/* What a pump begins with: all of the depth is made, nothing submitted. */
static void prime(struct client *c, uint64_t total, enum spipe_op op)
{
    unsigned depth = c->run->config->depth;

    c->unmade = total;
    c->next = c->first = 0;
    for (unsigned i = 0; i < depth; i++)
        c->io[i] = (struct spipe_io){.buffer = c->buffers + i * BLOCK, .blocks = 1, .op = op};
    for (c->waiting = 0; c->waiting < depth && c->unmade; c->waiting++)
        make_io(c);
}

/* Keeps `depth` I/Os in flight until `total` are done: each that is finished, and good, makes room
 * for another one. */
static void pump(struct client *c, uint64_t total, enum spipe_op op)
{
    struct spipe_completion done[BATCH];

    prime(c, total, op);
    while (total) {
        unsigned n;

        if (c->waiting && !submit(c))
            return;
        n = spipe_poll(c->ctx, done, BATCH);
        total -= n;
        for (unsigned i = 0; i < n; i++) {
            if (!good(c->run, done[i].status, "an I/O"))
                return;
            if (c->unmade) {
                make_io(c);
                c->waiting++;
            }
        }
    }
}

#define STRETCHES 80u /* half of them with the trace on */

/* In one machine, so that both have the same memory at the same place: that alone makes a fifth
 * from one machine to the next. Off, on, on, off and so forth, as the load of the host drifts. */
static void pump_in_turn(struct client *c)
{
    struct sim_machine *m = sim_host_machine(c->run->host);
    double ns[2][STRETCHES / 2];
    uint64_t reads = c->reads / STRETCHES;

    for (unsigned i = 0; i < STRETCHES && !c->run->failed; i++) {
        bool on = (i + 1) / 2 % 2;
        double begin;

        sim_machine_trace(m, on);
        begin = bench_cpu_ns();
        pump(c, reads, SPIPE_READ);
        ns[on][i / 2] = (bench_cpu_ns() - begin) / (double)reads;
    }
    c->run->out->untraced_ns = bench_median(ns[0], STRETCHES / 2);
    c->run->out->traced_ns = bench_median(ns[1], STRETCHES / 2);
}

static void client_body(void *arg)
{
    struct client *c = arg;

    if (c->run->config->trace_in_turn)
        pump_in_turn(c);
    else
        pump(c, c->reads, SPIPE_READ);
}

static bool open_client(struct run *r, unsigned i)
{
    const struct bench_stack_config *config = r->config;
    struct client *c = &r->client[i];
    struct spipe_attach_options opts = {.size = sizeof opts, .depth = config->depth};
    uint64_t last;

    CHECK(config->depth <= DEPTH_MAX);
    c->run = r;
    c->reads = config->reads / config->clients;
    hal_prng_seed(&c->rng, 1, i);
    c->buffers = exec_alloc(r->exec, (size_t)config->depth * BLOCK, BLOCK);
    if (!c->buffers || !good(r, spipe_client_create(r->adapter, "bench", &c->spipe), "client") ||
        !good(r, spipe_attach(c->spipe, i % 2, &opts, &c->ctx), "attach"))
        return false;
    memset(c->buffers, 0x5A, (size_t)config->depth * BLOCK); /* a snapshot would leave out zeros */
    good(r,
         hal_mem_register(sim_host_device(r->host, 0), c->buffers, (size_t)config->depth * BLOCK,
                          "buffers"),
         "register");
    for (unsigned h = 0; h < config->handles && !r->failed; h++)
        good(r, spipe_open_virtual(c->ctx, i % 2, r->blocks, &c->handle[h], &last), "open");
    return !r->failed;
}

static void close_client(struct run *r, unsigned i)
{
    struct client *c = &r->client[i];

    if (c->spipe)
        spipe_client_destroy(c->spipe);
    if (c->buffers) {
        hal_mem_release(sim_host_device(r->host, 0), c->buffers);
        exec_free(r->exec, c->buffers, (size_t)r->config->depth * BLOCK);
    }
}

static void run_clients(struct run *r)
{
    const struct bench_stack_config *config = r->config;

    if (config->clients == 1) {
        client_body(&r->client[0]);
        return;
    }
    for (unsigned i = 0; i < config->clients; i++)
        if (!good(r,
                  exec_thread_create(r->exec, "client", client_body, &r->client[i],
                                     &r->client[i].thread),
                  "thread"))
            return;
    for (unsigned i = 0; i < config->clients; i++)
        exec_thread_join(r->exec, r->client[i].thread);
}

/* Nothing may be about to happen when the engines change places. */
static void settle(struct sim_engine *e)
{
    while (sim_engine_next(e) != SIM_NEVER)
        sim_engine_run(e, sim_engine_next(e));
    while (sim_engine_run(e, e->now + 1000))
        continue;
}

static void measure(struct run *r)
{
    struct sim_machine *m = sim_host_machine(r->host);
    uint64_t events, ns;
    double begin;

    if (r->config->reference) {
        settle(&m->engine);
        if (!good(r, sim_reference_start(m), "reference engine"))
            return;
    }
    events = m->engine.count;
    ns = sim_host_now(r->host);
    begin = bench_cpu_ns();

    run_clients(r);
    r->out->cpu_ns = bench_cpu_ns() - begin;
    r->out->events = m->engine.count - events;
    r->out->virtual_ns = sim_host_now(r->host) - ns;
    r->out->trace_hash = sim_trace_hash(&m->trace);
    r->out->world_bytes = sim_world_used(sim_host_world(r->host));
    r->out->buffer_bytes = (size_t)r->config->clients * r->config->depth * BLOCK;
    if (r->config->reference) {
        settle(&m->engine);
        sim_reference_stop(m);
    }
    if (r->config->snapshot)
        sched_pause(sim_host_sched(r->host));
}

static void body(void *arg)
{
    struct run *r = arg;
    char why[256];
    unsigned n = 0;

    r->exec = sim_host_exec(r->host);
    if (!good(r,
              spipe_open(r->exec, sim_host_device(r->host, 0), NULL, NULL, &r->adapter, why,
                         sizeof why),
              "open adapter"))
        return;
    while (n < r->config->clients && open_client(r, n))
        n++;
    for (unsigned i = 0; i < n && !r->failed; i++) /* so that reads find written blocks */
        pump(&r->client[i], r->blocks * r->config->handles, SPIPE_WRITE);
    if (!r->failed)
        measure(r);
    for (unsigned i = 0; i < r->config->clients; i++)
        close_client(r, i);
    spipe_close(r->adapter);
}

static struct sim_media *make_media(bool data)
{
    struct sim_media_lun luns[2] = {
        {.blocks = 64 * 65536 + 100, .block_size = BLOCK, .port_mask = 3},
        {.blocks = 64 * 65536 + 100, .block_size = BLOCK, .port_mask = 3},
    };
    struct sim_media_opts opts = {
        .luns = luns, .n_luns = 2, .kind = data ? SIM_MEDIA_MEMORY : SIM_MEDIA_TAG};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    sim_media_make_wwid(1, 0, luns[0].wwid);
    sim_media_make_wwid(1, 1, luns[1].wwid);
    if (!sim_media_create(&opts, &media, why, sizeof why))
        return media;
    fprintf(stderr, "bench: %s\n", why);
    return NULL;
}

/* The run stands still: a copy of it is measured, then it goes on. */
static int measure_snapshot(struct run *r, const struct sim_media *media)
{
    struct sim_snapshot *s;
    size_t media_bytes;
    void *arena;

    if (!good(r, sim_host_snapshot(r->host, &s), "snapshot"))
        return -1;
    sim_media_arena(media, &arena, &media_bytes);
    r->out->snapshot_bytes = sim_snapshot_size(s) - media_bytes - r->out->buffer_bytes;
    sim_snapshot_destroy(s);
    return sched_resume(sim_host_sched(r->host));
}

int bench_stack_run(const struct bench_stack_config *c, struct bench_stack_result *out)
{
    struct sim_params params;
    struct sim_host_config hc = {.seed = 1, .trace = c->trace, .params = &params};
    struct run *r = calloc(1, sizeof *r);
    struct sim_media *media = make_media(c->data);
    char why[256];
    int rc;

    memset(out, 0, sizeof *out);
    sim_params_default(&params);
    if (c->xlt_entries)
        params.xlt_entries = c->xlt_entries;
    hc.media[0] = media;
    if (!r || !media || sim_host_create(&hc, &r->host, why, sizeof why)) {
        fprintf(stderr, "bench: %s\n", why);
        free(r);
        return -1;
    }
    r->config = c;
    r->out = out;
    r->blocks = HOT_BLOCKS / (c->clients * c->handles);
    rc = sim_host_run(r->host, body, r);
    if (rc == -EAGAIN)
        rc = measure_snapshot(r, media);
    if (rc == 0 && !r->failed) {
        sim_host_destroy(r->host);
    } else {
        rc = -1;
    }
    sim_media_close(media);
    free(r);
    return rc;
}

/* ---- rooflines --------------------------------------------------------------------------------
 */

static int copy_out(void *arg, uint64_t offset, const void *data, size_t n)
{
    memcpy((uint8_t *)arg + offset, data, n);
    return 0;
}

static int copy_in(void *arg, uint64_t offset, void *data, size_t n)
{
    (void)offset;
    memset(data, *(uint8_t *)arg, n);
    return 0;
}

double bench_copy_4k_ns(void)
{
    enum { N = 200000 };
    struct sim_media *media = make_media(true);
    static uint8_t buffer[BLOCK];
    struct hal_prng rng;
    double begin;
    int bad = !media;

    for (uint64_t lba = 0; !bad && lba < HOT_BLOCKS; lba++)
        bad = sim_media_write(media, 0, lba, 1, copy_in, buffer);
    hal_prng_seed(&rng, 1, 1);
    begin = bench_cpu_ns();
    for (int i = 0; !bad && i < N; i++)
        bad = sim_media_read(media, 0, hal_prng_below(&rng, HOT_BLOCKS), 1, copy_out, buffer);
    begin = (bench_cpu_ns() - begin) / N;
    sim_media_close(media);
    return bad ? -1 : begin;
}

static struct sim_engine engine;

static void again(struct sim_event *ev)
{
    enum sim_rank rank = (enum sim_rank)sim_event_rank(ev);

    sim_engine_at(&engine, ev, engine.now + 40 + (uint64_t)rank * 97, rank, again);
}

double bench_event_ns(void)
{
    enum { N = 4000000 };
    static struct sim_event ev[32];
    double begin;

    sim_engine_init(&engine);
    memset(ev, 0, sizeof ev);
    for (unsigned i = 0; i < 32; i++)
        sim_engine_at(&engine, &ev[i], i, (enum sim_rank)(i % 11), again);
    begin = bench_cpu_ns();
    while (engine.count < N)
        sim_engine_run(&engine, engine.now + 1000);
    return (bench_cpu_ns() - begin) / (double)engine.count;
}
