/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_flat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/sim/sim_host.h"
#include "core/superpipe.h"
#include "sim/sim_media.h"

#define BLOCK 4096u
#define IN_FLIGHT 16u
#define READS 200000u

/* A context and its virtual LUN. */
struct member {
    struct spipe_ctx *ctx;
    uint32_t handle;
};

struct flat {
    struct sim_host *host;
    struct spipe *adapter;
    struct spipe_client *client;
    unsigned contexts, luns;
    struct member *member;
    uint8_t *buffer;
    double ns;
};

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

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

static int open_contexts(struct flat *f)
{
    struct spipe_attach_options opts = {.size = sizeof opts, .depth = IN_FLIGHT};
    uint64_t last;
    int rc = spipe_client_create(f->adapter, "flat", &f->client);

    for (unsigned i = 0; !rc && i < f->contexts; i++) {
        rc = spipe_attach(f->client, i % f->luns, &opts, &f->member[i].ctx);
        if (!rc)
            rc =
                spipe_open_virtual(f->member[i].ctx, i % f->luns, 256, &f->member[i].handle, &last);
    }
    return rc;
}

static void body(void *arg)
{
    struct flat *f = arg;
    char why[256] = "";
    int rc = spipe_open(sim_host_exec(f->host), sim_host_device(f->host, 0), NULL, NULL,
                        &f->adapter, why, sizeof why);

    f->ns = -1;
    if (rc) {
        fprintf(stderr, "bench: %s\n", why);
        return;
    }
    rc = open_contexts(f);
    if (!rc)
        rc = pump(f, READS / 4); /* caches are warm, blocks of the media exist */
    if (!rc) {
        double begin = cpu_ns();

        rc = pump(f, READS);
        f->ns = (cpu_ns() - begin) / READS;
    }
    if (rc)
        fprintf(stderr, "bench: %s\n", strerror(-rc));
    if (f->client)
        spipe_client_destroy(f->client);
    spipe_close(f->adapter);
}

static struct sim_media *make_media(const struct flat *f)
{
    struct sim_media_lun luns[SIM_MEDIA_LUNS_MAX];
    struct sim_media_opts opts = {.luns = luns, .n_luns = f->luns, .kind = SIM_MEDIA_TAG};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    for (unsigned i = 0; i < f->luns; i++) {
        luns[i] =
            (struct sim_media_lun){.blocks = 520 * 65536, .block_size = BLOCK, .port_mask = 3};
        sim_media_make_wwid(1, i, luns[i].wwid);
    }
    if (!sim_media_create(&opts, &media, why, sizeof why))
        return media;
    fprintf(stderr, "bench: %s\n", why);
    return NULL;
}

static void run(struct flat *f, uint64_t xlt_entries)
{
    struct sim_host_config config = {.seed = 1};
    struct sim_params params;
    char why[256];

    sim_params_default(&params);
    params.xlt_entries = xlt_entries;
    config.params = &params;
    config.media[0] = make_media(f);
    if (!config.media[0])
        return;
    if (sim_host_create(&config, &f->host, why, sizeof why))
        fprintf(stderr, "bench: %s\n", why);
    else if (sim_host_run(f->host, body, f) == 0)
        sim_host_destroy(f->host);
    sim_media_close(config.media[0]);
}

double bench_flat_ns(unsigned contexts, unsigned luns, uint64_t xlt_entries)
{
    struct flat f = {.contexts = contexts, .luns = luns, .ns = -1};

    f.member = calloc(contexts, sizeof *f.member);
    f.buffer = aligned_alloc(BLOCK, (size_t)IN_FLIGHT * BLOCK);
    if (f.member && f.buffer)
        run(&f, xlt_entries);
    free(f.member);
    free(f.buffer);
    return f.ns;
}
