/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_checks.h"

#include "hal/support/check.h"
#include "hal/support/prng.h"
#include "sim/check/sim_check.h"
#include "tests/bench/bench_clock.h"

enum {
    MOST = 16,    /* clients, and handles of one */
    CHUNKS = 8,   /* of a virtual LUN, at most */
    ALL_END = 50, /* one request in so many ends a client */
    BLOCK = 4096,
};

struct member {
    struct spipe_client *client;
    struct spipe_ctx *ctx;
    uint32_t handle[MOST];
    bool open[MOST];
};

struct work {
    const struct bench_checks_config *config;
    struct bench_checks_result *out;
    struct bench_rig *rig;
    struct member member[MOST];
    struct hal_prng rng;
    uint8_t *page;
};

static void begin_member(struct work *w, struct member *m)
{
    *m = (struct member){0};
    if (bench_good(w->rig, spipe_client_create(w->rig->adapter, "member", &m->client), "client"))
        bench_good(w->rig, spipe_attach(m->client, 0, NULL, &m->ctx), "attach");
}

static void end_member(struct member *m)
{
    if (m->client)
        spipe_client_destroy(m->client);
    m->client = NULL;
}

/* Whatever comes back is thrown away; there is a chunk at least. */
static void read_blocks(struct work *w, struct member *m, uint32_t handle)
{
    struct spipe_completion done;
    struct spipe_io io = {.buffer = w->page, .blocks = 1, .handle = handle, .op = SPIPE_READ};

    for (unsigned i = 0; i < w->config->reads; i++) {
        io.lba = hal_prng_below(&w->rng, SPIPE_CHUNK_BLOCKS);
        while (spipe_submit(m->ctx, &io, 1) == 0)
            continue;
        while (!spipe_poll(m->ctx, &done, 1))
            continue;
        bench_good(w->rig, done.status, "read");
    }
}

static void request(struct work *w)
{
    struct member *m = &w->member[hal_prng_below(&w->rng, w->config->clients)];
    unsigned i = (unsigned)hal_prng_below(&w->rng, w->config->handles);
    uint64_t blocks = (1 + hal_prng_below(&w->rng, CHUNKS)) * SPIPE_CHUNK_BLOCKS, last;

    if (m->open[i])
        read_blocks(w, m, m->handle[i]);
    if (hal_prng_below(&w->rng, ALL_END) == 0) {
        end_member(m);
        begin_member(w, m);
    } else if (!m->open[i]) {
        bench_good(w->rig, spipe_open_virtual(m->ctx, 0, blocks, &m->handle[i], &last), "open");
        m->open[i] = true;
    } else if (hal_prng_below(&w->rng, 4) == 0) {
        bench_good(w->rig, spipe_release(m->ctx, m->handle[i]), "release");
        m->open[i] = false;
    } else {
        bench_good(w->rig, spipe_resize(m->ctx, m->handle[i], blocks, &last), "resize");
    }
}

static void count_looks(struct work *w, uint64_t sign)
{
    const struct sim_check_result *r;

    if (!w->rig->check)
        return;
    r = sim_check_result(w->rig->check);
    w->out->looks += sign * r->looks;
    w->out->put_off += sign * r->put_off;
}

static void measure(struct work *w)
{
    unsigned n = w->config->requests;
    double begin;

    CHECK(n > 0);
    for (unsigned i = 0; !w->rig->failed && i < n / 10; i++)
        request(w);
    count_looks(w, UINT64_MAX); /* minus those so far */
    begin = bench_cpu_ns();
    for (unsigned i = 0; !w->rig->failed && i < n; i++)
        request(w);
    w->out->ns = (bench_cpu_ns() - begin) / n;
    count_looks(w, 1);
    w->out->looks = w->out->looks * 1000 / n;
    w->out->put_off = w->out->put_off * 1000 / n;
}

static void body(struct bench_rig *r, void *arg)
{
    struct work *w = arg;

    w->rig = r;
    hal_prng_seed(&w->rng, 1, 0);
    w->page = exec_alloc(r->exec, BLOCK, BLOCK);
    CHECK(w->page);
    bench_good(r, hal_mem_register(sim_host_device(r->host, 0), w->page, BLOCK, "page"), "page");
    for (unsigned i = 0; i < w->config->clients; i++)
        begin_member(w, &w->member[i]);
    if (!r->failed)
        measure(w);
    for (unsigned i = 0; i < w->config->clients; i++)
        end_member(&w->member[i]);
    hal_mem_release(sim_host_device(r->host, 0), w->page);
    exec_free(r->exec, w->page, BLOCK);
}

int bench_checks_run(const struct bench_checks_config *c, struct bench_checks_result *out)
{
    struct bench_rig_config config = {.chunks = (uint64_t)c->clients * c->handles * CHUNKS,
                                      .checks = c->checks};
    struct work w = {.config = c, .out = out};

    CHECK(c->clients >= 1 && c->clients <= MOST && c->handles >= 1 && c->handles <= MOST);
    *out = (struct bench_checks_result){0};
    return bench_rig_run(&config, body, &w);
}
