/* SPDX-License-Identifier: Apache-2.0 */
/* Two adapters of one host that reach the same LUNs: one mode, one capacity, one allocator, one set
 * of names (SP-124), while contexts, tables and resets are each one's own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/exec.h"
#include "hal/support/prng.h"
#include "sim/sim_control.h"
#include "sim/sim_fault.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"
#include "tests/testlib/test_seed.h"

TestSuite(shared_lun, .timeout = 120);

enum { CHUNKS = 12, CHUNK = 65536 };

static struct sim_media *media;

static void run_from(uint64_t seed, void (*body)(struct stack *, void *))
{
    media = stack_media(CHUNKS);
    stack_run(&(struct stack_setup){.seed = seed, .media = media, .pair = true}, body, NULL);
    sim_media_close(media);
}

static void run(void (*body)(struct stack *, void *)) { run_from(1, body); }

/* A client on each adapter, with a context on LUN 0. */
struct pair {
    struct stack_client a, b;
};

static struct pair clients(struct stack *s)
{
    struct pair p;

    stack_client(s, &p.a, 0, 8, false);
    stack_client(s->other, &p.b, 0, 8, false);
    return p;
}

static void leave(struct pair *p)
{
    spipe_client_destroy(p->a.client);
    spipe_client_destroy(p->b.client);
}

static struct spipe_lun_info lun(struct stack *s)
{
    struct spipe_lun_info info;

    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    return info;
}

/* ---- one allocator ---- */

/* VL-7: the lowest chunk that is free, whoever asks. */
static void one_allocator(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    uint32_t a, b;
    uint64_t last;

    (void)arg;
    a = stack_open(&p.a, 0, 2);                                  /* chunks 0, 1 */
    b = stack_open(&p.b, 0, 3);                                  /* chunks 2 to 4 */
    cr_assert_eq(spipe_resize(p.a.ctx, a, 3 * CHUNK, &last), 0); /* chunk 5 */
    stack_put(&p.a, a, 2 * CHUNK, 1);
    stack_put(&p.b, b, 0, 2);
    stack_put(&p.b, b, 2 * CHUNK + 1, 3);
    cr_assert_eq(stack_on_medium(media, 5 * CHUNK), 1);
    cr_assert_eq(stack_on_medium(media, 2 * CHUNK), 2);
    cr_assert_eq(stack_on_medium(media, 4 * CHUNK + 1), 3);
    cr_assert_eq(lun(s).free_chunks, CHUNKS - 6);
    cr_assert_eq(lun(s->other).free_chunks, CHUNKS - 6);
    cr_assert_eq(lun(s).users, 2);
    cr_assert_eq(lun(s->other).users, 2);
    PROVES(SP_124);
    PROVES(VL_14);
    leave(&p);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_NONE);
    cr_assert_eq(lun(s->other).mode, SPIPE_LUN_NONE);
}

Test(shared_lun, one_allocator) { run(one_allocator); }

/* ---- one mode ---- */

static void one_mode(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    uint32_t a, b, none;
    uint64_t last;

    (void)arg;
    a = stack_open(&p.a, 0, 1);
    cr_assert_eq(spipe_open_direct(p.b.ctx, 0, 0, &none, &last), -EINVAL);
    cr_assert_eq(spipe_lun_disable(s->other->adapter, 0, 1), -EBUSY, "SP-120");
    cr_assert_eq(spipe_release(p.a.ctx, a), 0);
    cr_assert_eq(spipe_open_direct(p.b.ctx, 0, 0, &b, &last), 0);
    cr_assert_eq(spipe_open_virtual(p.a.ctx, 0, CHUNK, &none, &last), -EINVAL);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_PHYSICAL);
    cr_assert_eq(spipe_open_direct(p.a.ctx, 0, 1, &a, &last), 0);
    stack_put(&p.a, a, 17, 9);
    cr_assert_eq(stack_get(&p.b, b, 17), 9);
    cr_assert_eq(spipe_release(p.b.ctx, b), 0);
    cr_assert_eq(spipe_open_virtual(p.b.ctx, 0, CHUNK, &none, &last), -EINVAL, "a is still open");
    PROVES(SP_2);
    leave(&p);
}

Test(shared_lun, one_mode) { run(one_mode); }

/* ---- one capacity ---- */

/* chunks beyond an end that one adapter notices are handed out by neither. */
static void one_capacity(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    uint8_t sense[SPIPE_SENSE_BYTES] = {
        0x70, 0, 6, [7] = 10, [12] = 0x2A, [13] = 9}; /* capacity changed */
    uint32_t a = stack_open(&p.a, 0, 1), b = stack_open(&p.b, 0, 1);
    uint64_t last;

    (void)arg;
    cr_assert_eq(sim_media_set_size(media, 0, 4 * CHUNK), 0);
    cr_assert_eq(spipe_verify(p.a.ctx, a, sense, &last), 0);
    cr_assert_eq(lun(s->other).last_lba, 4 * CHUNK - 1);
    cr_assert_eq(spipe_resize(p.b.ctx, b, 9 * CHUNK, &last), 0);
    cr_assert_eq(last, 3 * CHUNK - 1, "chunks 1, 2 and 3 are there");
    PROVES(SP_124);
    leave(&p);
}

Test(shared_lun, one_capacity) { run(one_capacity); }

/* ---- names ---- */

static void one_catalogue(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    struct spipe_name_info name;
    uint32_t a, b;
    uint64_t last;
    unsigned on;

    (void)arg;
    a = stack_open(&p.a, 0, 2);
    stack_put(&p.a, a, CHUNK + 3, 7);
    cr_assert_eq(spipe_name_set(p.a.ctx, a, "disk", 100), 0);
    cr_assert_eq(spipe_name_stat(s->other->adapter, "disk", &name, &on), 0);
    cr_assert_eq(name.blocks, 2 * CHUNK);
    cr_assert_eq(spipe_name_open(p.b.ctx, "disk", &b, &last), 0);
    cr_assert_eq(stack_get(&p.b, b, CHUNK + 3), 7);
    cr_assert_eq(spipe_release(p.a.ctx, a), 0);
    cr_assert_eq(spipe_resize(p.b.ctx, b, 3 * CHUNK, &last), 0); /* and with it the name */
    cr_assert_eq(spipe_name_open(p.a.ctx, "disk", &a, &last), 0);
    cr_assert_eq(last, 3 * CHUNK - 1);
    cr_assert_eq(spipe_name_remove(s->adapter, "disk"), 0);
    cr_assert_eq(spipe_name_stat(s->other->adapter, "disk", &name, &on), -ENOENT);
    cr_assert_eq(spipe_resize(p.b.ctx, b, 0, &last), 0, "nobody's name any more");
    leave(&p);
}

Test(shared_lun, one_catalogue) { run(one_catalogue); }

/* ---- wiping ---- */

/* What one adapter cannot wipe the other one does. */
static void wiped_by_the_other(struct stack *s, void *arg)
{
    struct spipe_open_options options = {.size = sizeof options, .wipe = true};
    struct pair p = clients(s);
    uint32_t handle;
    uint64_t last;
    char why[128];

    (void)arg;
    cr_assert_eq(spipe_open_virtual_with(p.a.ctx, 0, CHUNK, &options, &handle, &last), 0);
    stack_put(&p.a, handle, 65000, 5);
    cr_assert_eq(sim_faults_load(sim_afu_faults(sim_host_afu(s->host, 0)),
                                 "media#2x100000=x(33833984)", why, sizeof why),
                 0, "%s", why);
    cr_assert_eq(spipe_release(p.a.ctx, handle), 0);
    cr_assert_eq(lun(s->other).mode, SPIPE_LUN_VIRTUAL);
    stack_sleep_s(s, 30);
    cr_assert_eq(stack_on_medium(media, 65000), 0);
    cr_assert_eq(lun(s).mode, SPIPE_LUN_NONE);
    leave(&p);
}

Test(shared_lun, wiped_by_the_other) { run(wiped_by_the_other); }

/* ---- each one's own ---- */

/* A reset of one adapter takes nothing from clients of the other. */
static void reset_of_one(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    uint32_t a = stack_open(&p.a, 0, 2), b = stack_open(&p.b, 0, 2);
    bool recovered;
    uint64_t last;

    (void)arg;
    stack_put(&p.a, a, CHUNK, 1);
    stack_put(&p.b, b, CHUNK, 2);
    cr_assert_eq(spipe_reset(s->adapter), 0);
    cr_assert(spipe_ctx_lost(p.a.ctx));
    cr_assert_not(spipe_ctx_lost(p.b.ctx));
    cr_assert_eq(stack_get(&p.b, b, CHUNK), 2);
    cr_assert_eq(spipe_resize(p.b.ctx, b, 4 * CHUNK, &last), 0);
    stack_put(&p.b, b, 3 * CHUNK, 3);
    cr_assert_eq(spipe_recover(p.a.ctx, &recovered), 0);
    cr_assert(recovered);
    cr_assert_eq(stack_get(&p.a, a, CHUNK), 1);
    PROVES(INV_24);
    leave(&p);
}

Test(shared_lun, reset_of_one) { run(reset_of_one); }

/* R-9, INV-15: no AFU has said that it reaches the blocks no more, so the other adapter, which
 * works, gives them to nobody until the one that failed is closed. */
static void failure_of_one(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    uint32_t b = stack_open(&p.b, 0, 2);
    uint64_t last;

    (void)arg;
    (void)stack_open(&p.a, 0, 3);
    stack_plan(s, "afurst#1=x");
    cr_assert_eq(spipe_reset(s->adapter), -EIO);
    spipe_client_destroy(p.a.client);
    cr_assert_eq(lun(s->other).users, 1);
    cr_assert_eq(lun(s->other).free_chunks, CHUNKS - 5);
    cr_assert_eq(spipe_resize(p.b.ctx, b, CHUNKS * UINT64_C(65536), &last), 0);
    cr_assert_eq(last, (CHUNKS - 3) * UINT64_C(65536) - 1, "all that there is");
    stack_sleep_s(s, 100);
    cr_assert_eq(lun(s->other).free_chunks, 0);
    stack_close(s);
    cr_assert_eq(spipe_resize(p.b.ctx, b, CHUNKS * UINT64_C(65536), &last), 0);
    cr_assert_eq(last, CHUNKS * UINT64_C(65536) - 1);
    PROVES(R_9);
    PROVES(INV_15);
    spipe_client_destroy(p.b.client);
}

/* Without checkers: INV-26 wants no quarantine that is left. */
Test(shared_lun, failure_of_one)
{
    media = stack_media(CHUNKS);
    stack_run(&(struct stack_setup){.seed = 1, .media = media, .pair = true, .unchecked = true},
              failure_of_one, NULL);
    sim_media_close(media);
}

/* The adapter that was opened first is closed first: names and LUNs live on. */
static void first_closes_first(struct stack *s, void *arg)
{
    struct pair p = clients(s);
    uint32_t a = stack_open(&p.a, 0, 2), b = stack_open(&p.b, 0, 2), named;
    uint64_t last;

    (void)arg;
    stack_put(&p.a, a, 5, 1);
    stack_put(&p.b, b, 5, 2);
    cr_assert_eq(spipe_name_set(p.a.ctx, a, "kept", 0), 0);
    spipe_client_destroy(p.a.client);
    stack_close(s);
    cr_assert_eq(stack_get(&p.b, b, 5), 2);
    cr_assert_eq(lun(s->other).free_chunks, CHUNKS - 4);
    cr_assert_eq(spipe_name_open(p.b.ctx, "kept", &named, &last), 0);
    cr_assert_eq(stack_get(&p.b, named, 5), 1);
    spipe_client_destroy(p.b.client);
}

Test(shared_lun, first_closes_first) { run(first_closes_first); }

static void refused(struct stack *s, void *arg)
{
    struct spipe_options options = {.size = sizeof options, .peer = s->adapter};
    struct spipe *none;
    char why[256];

    (void)arg;
    cr_assert_eq(spipe_open(s->exec, sim_host_device(s->host, 1), sim_host_store(s->host, 1),
                            &options, &none, why, sizeof why),
                 -EINVAL);
    cr_assert_str_eq(why, "the catalogue of names is that of the peer: no store");
}

Test(shared_lun, a_peer_has_no_store_of_its_own) { run(refused); }

/* ---- many at once ---- */

enum { WORKERS = 6, ROUNDS = 60, MOST = 4 };

struct worker {
    struct stack_client client;
    struct exec_thread *thread;
    struct hal_prng rng;
    uint8_t *block; /* for I/O */
    uint64_t chunks;
    uint32_t handle;
    uint32_t written[MOST]; /* what the first block of each chunk begins with */
    unsigned number;
    bool resets; /* its adapter is reset now and then */
};

static bool lost(struct worker *w, int rc)
{
    bool recovered;

    if (!w->resets || rc == 0)
        return false;
    cr_assert(spipe_ctx_lost(w->client.ctx), "%d", rc);
    while (spipe_recover(w->client.ctx, &recovered))
        continue;
    return true;
}

static void io(struct worker *w, enum spipe_op op, uint64_t chunk)
{
    int rc;

    do
        rc = stack_io(&w->client, op, w->handle, chunk * CHUNK, 1, w->block);
    while (lost(w, rc));
    cr_assert_eq(rc, 0);
}

static void sign(struct worker *w, uint64_t chunk)
{
    w->written[chunk] = (uint32_t)hal_prng_below(&w->rng, 1 << 24) * 256 + w->number;
    memcpy(w->block, &w->written[chunk], 4);
    io(w, SPIPE_WRITE, chunk);
}

static void check(struct worker *w, uint64_t chunk)
{
    io(w, SPIPE_READ, chunk);
    cr_assert_eq(memcmp(w->block, &w->written[chunk], 4), 0, "worker %u, chunk %u", w->number,
                 (unsigned)chunk);
}

/* A lost context may shrink, and grows only after it has been recovered. */
static int resize(struct worker *w, uint64_t wanted, uint64_t *last)
{
    int rc;

    do
        rc = spipe_resize(w->client.ctx, w->handle, wanted * CHUNK, last);
    while (rc != -ENOSPC && lost(w, rc));
    return rc;
}

static void one_round(struct worker *w)
{
    uint64_t wanted = hal_prng_below(&w->rng, MOST + 1), had = w->chunks, last;
    int rc = resize(w, wanted, &last);

    if (rc == 0)
        w->chunks = last == SPIPE_NO_BLOCK ? 0 : (last + 1) / CHUNK;
    else
        cr_assert_eq(rc, -ENOSPC);
    for (uint64_t c = had; c < w->chunks; c++)
        sign(w, c);
    for (uint64_t c = 0; c < w->chunks; c++)
        check(w, c);
}

static void work(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        one_round(arg);
}

static void start(struct stack *s, struct worker *w, unsigned number, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    hal_prng_seed(&w->rng, seed, number);
    w->number = number;
    w->resets = number % 2 == 0;
    w->block = exec_alloc(s->exec, STACK_BLOCK, 128);
    stack_client(w->resets ? s : s->other, &w->client, 0, 8, false);
    w->handle = stack_open(&w->client, 0, 0);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

static void crowd(struct stack *s, void *arg)
{
    static struct worker w[WORKERS];
    uint64_t owned = 0;

    (void)arg;
    for (unsigned i = 0; i < WORKERS; i++)
        start(s, &w[i], i, test_seed(1));
    for (unsigned i = 0; i < 3; i++) {
        stack_sleep(s, 2000000);
        cr_assert_eq(spipe_reset(s->adapter), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        exec_thread_join(s->exec, w[i].thread);
        owned += w[i].chunks;
    }
    cr_assert_eq(lun(s).free_chunks + owned, CHUNKS);
    for (unsigned i = 0; i < WORKERS; i++) {
        spipe_client_destroy(w[i].client.client);
        exec_free(s->exec, w[i].block, STACK_BLOCK);
    }
    cr_assert_eq(lun(s->other).mode, SPIPE_LUN_NONE);
    PROVES(SP_124);
    PROVES(VL_14);
}

Test(shared_lun, crowds_on_both) { run_from(test_seed(1), crowd); }
