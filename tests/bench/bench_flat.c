/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_flat.h"

#include <stdlib.h>

#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_rig.h"

#define BLOCK 4096u
#define IN_FLIGHT 16u
#define READS 200000u

/* A context and its virtual LUN. */
struct member {
    struct spipe_ctx *ctx;
    uint32_t handle;
};

struct flat {
    struct spipe_client *client;
    unsigned contexts, luns;
    struct member *member;
    uint8_t *buffer;
    double ns;
};

static int read_on(struct flat *f, uint64_t k)
{
    unsigned i = (unsigned)(k % f->contexts);
    struct spipe_io io = {.tag = k,
                          .lba = k / f->contexts % 256,
                          .buffer = f->buffer + k % IN_FLIGHT * BLOCK,
                          .blocks = 1,
                          .handle = f->member[i].handle,
                          .op = SPIPE_READ};
    int n;

    while ((n = spipe_submit(f->member[i].ctx, &io, 1)) == 0)
        continue;
    return n < 0 ? n : 0;
}

static int reap(struct flat *f, uint64_t k)
{
    struct spipe_completion done;

    while (!spipe_poll(f->member[k % f->contexts].ctx, &done, 1))
        continue;
    return done.status;
}

static int pump(struct flat *f, uint64_t reads)
{
    int rc = 0;

    for (uint64_t k = 0; !rc && k < reads; k++) {
        if (k >= IN_FLIGHT)
            rc = reap(f, k - IN_FLIGHT);
        if (!rc)
            rc = read_on(f, k);
    }
    for (uint64_t k = reads - IN_FLIGHT; !rc && k < reads; k++)
        rc = reap(f, k);
    return rc;
}

static int open_contexts(struct bench_rig *r, struct flat *f)
{
    struct spipe_attach_options opts = {.size = sizeof opts, .depth = IN_FLIGHT};
    uint64_t last;
    int rc = spipe_client_create(r->adapter, "flat", &f->client);

    for (unsigned i = 0; !rc && i < f->contexts; i++) {
        struct member *m = &f->member[i];

        rc = spipe_attach(f->client, i % f->luns, &opts, &m->ctx);
        if (!rc)
            rc = spipe_open_virtual(m->ctx, i % f->luns, 256, &m->handle, &last);
    }
    return rc;
}

static void body(struct bench_rig *r, void *arg)
{
    struct flat *f = arg;
    double begin;

    /* After the first reads caches are warm and blocks of the media exist. */
    if (bench_good(r, open_contexts(r, f), "open") && bench_good(r, pump(f, READS / 4), "read")) {
        begin = bench_cpu_ns();
        bench_good(r, pump(f, READS), "read");
        f->ns = (bench_cpu_ns() - begin) / READS;
    }
    if (f->client)
        spipe_client_destroy(f->client);
}

double bench_flat_ns(unsigned contexts, unsigned luns, uint64_t xlt_entries)
{
    struct bench_rig_config config = {.chunks = 520, .luns = luns, .xlt_entries = xlt_entries};
    struct flat f = {.contexts = contexts, .luns = luns};
    int rc = -1;

    f.member = calloc(contexts, sizeof *f.member);
    f.buffer = aligned_alloc(BLOCK, (size_t)IN_FLIGHT * BLOCK);
    if (f.member && f.buffer)
        rc = bench_rig_run(&config, body, &f);
    free(f.member);
    free(f.buffer);
    return rc ? -1 : f.ns;
}
