/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_requests.h"

#include <errno.h>

#include "hal/support/prng.h"
#include "tests/bench/bench_clock.h"
#include "tests/bench/bench_rig.h"

enum {
    PIECE = 16, /* chunks of a virtual LUN that is opened */
    PIECE_BLOCKS = PIECE * SPIPE_CHUNK_BLOCKS,
    ROUNDS = 2000, /* of one sample */
    WARM_UP = 200, /* before it */
    CONTEXTS_MAX = 508,
    HANDLES_MAX = 250,        /* of one context; it could have 256 */
    RESIZED_CHUNKS = 1 << 20, /* by one sample at least, each way */
};

static const struct bench_rig_config lun_of_64_tb = {.chunks = BENCH_CHUNKS_64TB,
                                                     .plain_stores = true};

static struct spipe_ctx *attach(struct bench_rig *r, struct spipe_client *c)
{
    struct spipe_ctx *ctx = NULL;

    bench_good(r, spipe_attach(c, 0, NULL, &ctx), "attach");
    return ctx;
}

static uint32_t open_piece(struct bench_rig *r, struct spipe_ctx *ctx)
{
    uint32_t handle = 0;
    uint64_t last;

    bench_good(r, spipe_open_virtual(ctx, 0, PIECE_BLOCKS, &handle, &last), "open");
    return handle;
}

/* ---- attach and open --------------------------------------------------------------------------
 */

struct pair {
    unsigned others;
    void (*round)(struct bench_rig *r, struct spipe_client *c, struct spipe_ctx *ctx);
    double ns;
};

static void attach_detach(struct bench_rig *r, struct spipe_client *c, struct spipe_ctx *ctx)
{
    (void)ctx;
    ctx = attach(r, c);
    if (ctx)
        bench_good(r, spipe_detach(ctx, 0), "detach");
}

static void open_release(struct bench_rig *r, struct spipe_client *c, struct spipe_ctx *ctx)
{
    uint32_t handle = open_piece(r, ctx);

    (void)c;
    if (!r->failed)
        bench_good(r, spipe_release(ctx, handle), "release");
}

static void measure_pair(struct bench_rig *r, void *arg)
{
    struct pair *p = arg;
    struct spipe_client *others = NULL, *c = NULL;
    struct spipe_ctx *ctx = NULL;
    double begin = 0;

    bench_good(r, spipe_client_create(r->adapter, "others", &others), "client");
    bench_good(r, spipe_client_create(r->adapter, "measured", &c), "client");
    for (unsigned i = 0; !r->failed && i < p->others; i++) {
        ctx = attach(r, others);
        if (ctx)
            open_piece(r, ctx);
    }
    if (!r->failed && p->round == open_release)
        ctx = attach(r, c);
    for (unsigned i = 0; !r->failed && i < WARM_UP + ROUNDS; i++) {
        if (i == WARM_UP)
            begin = bench_cpu_ns();
        p->round(r, c, ctx);
    }
    p->ns = (bench_cpu_ns() - begin) / ROUNDS;
    spipe_client_destroy(c);
    spipe_client_destroy(others);
}

static double pair_ns(struct pair p)
{
    return bench_rig_run(&lun_of_64_tb, measure_pair, &p) ? -1 : p.ns;
}

double bench_attach_ns(unsigned others)
{
    return pair_ns((struct pair){.others = others, .round = attach_detach});
}

double bench_open_ns(unsigned others)
{
    return pair_ns((struct pair){.others = others, .round = open_release});
}

/* ---- resize -----------------------------------------------------------------------------------
 */

/* Fills the LUN with pieces, then gives all back but the share that others are to have. */
static void scatter(struct bench_rig *r, struct spipe_client *c, unsigned fill)
{
    unsigned pieces = fill ? BENCH_CHUNKS_64TB / PIECE : 0;
    struct hal_prng prng;
    struct spipe_ctx *ctx[CONTEXTS_MAX];

    hal_prng_seed(&prng, 1, fill);
    for (unsigned i = 0; !r->failed && i < pieces; i++) {
        if (i % HANDLES_MAX == 0)
            ctx[i / HANDLES_MAX] = attach(r, c);
        if (!r->failed)
            open_piece(r, ctx[i / HANDLES_MAX]);
    }
    for (unsigned i = 0; !r->failed && i < pieces; i++)
        if (hal_prng_below(&prng, 100) >= fill)
            bench_good(r, spipe_release(ctx[i / HANDLES_MAX], i % HANDLES_MAX), "release");
}

static double resize_ns(struct bench_rig *r, struct spipe_ctx *ctx, uint32_t handle,
                        uint64_t chunks)
{
    uint64_t last, blocks = chunks * SPIPE_CHUNK_BLOCKS;
    double begin = bench_cpu_ns();
    int rc = spipe_resize(ctx, handle, blocks, &last);
    double ns = bench_cpu_ns() - begin;

    if (!rc && last != (chunks ? blocks - 1 : SPIPE_NO_BLOCK))
        rc = -ENOSPC; /* a smaller grant */
    bench_good(r, rc, "resize");
    return ns;
}

static void up_and_down(struct bench_rig *r, struct spipe_ctx *ctx, struct bench_resize *m)
{
    unsigned rounds = (unsigned)(RESIZED_CHUNKS / (m->to - m->from));
    uint64_t last;
    uint32_t handle;

    if (rounds > ROUNDS)
        rounds = ROUNDS;
    bench_good(r, spipe_open_virtual(ctx, 0, m->from * SPIPE_CHUNK_BLOCKS, &handle, &last), "open");
    for (unsigned i = 0; !r->failed && i < rounds + 1; i++) {
        double grow = resize_ns(r, ctx, handle, m->to);
        double shrink = r->failed ? 0 : resize_ns(r, ctx, handle, m->from);

        if (i == 0)
            continue; /* to warm up */
        m->grow_ns += grow / rounds;
        m->shrink_ns += shrink / rounds;
    }
}

static void measure_resize(struct bench_rig *r, void *arg)
{
    struct bench_resize *m = arg;
    struct spipe_client *others = NULL, *c = NULL;
    struct spipe_ctx *ctx;

    bench_good(r, spipe_client_create(r->adapter, "others", &others), "client");
    bench_good(r, spipe_client_create(r->adapter, "measured", &c), "client");
    scatter(r, others, m->fill);
    ctx = r->failed ? NULL : attach(r, c);
    if (ctx)
        up_and_down(r, ctx, m);
    spipe_client_destroy(c);
    spipe_client_destroy(others);
}

int bench_resize(struct bench_resize *m)
{
    struct bench_rig_config config = lun_of_64_tb;

    config.plain_stores = m->plain_stores;
    m->grow_ns = m->shrink_ns = 0;
    return bench_rig_run(&config, measure_resize, m);
}
