/* SPDX-License-Identifier: Apache-2.0 */
/* Resets at random moments under clients that go on: whatever a client was doing, after RECOVER its
 * handles have their sizes and its blocks their contents (INV-24), with all checkers on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/prng.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"
#include "tests/testlib/test_seed.h"

TestSuite(reset_random, .timeout = 250);

enum { CLIENTS = 4, HANDLES = 3, STEPS = 120, CHUNKS = 24, RESETS = 5, SEEDS = 2, CHUNK = 65536 };

/* What a client has under one handle. The first block of each chunk carries its number of the last
 * write; one that failed may have been carried out or not. */
struct item {
    bool open;
    uint32_t handle;
    uint64_t size; /* chunks */
    uint32_t stamp[CHUNKS], maybe[CHUNKS];
};

struct worker {
    struct stack *s;
    struct stack_client c;
    struct hal_prng rng;
    unsigned number;
    uint32_t *page; /* of one block */
    uint32_t stamps;
    uint64_t recoveries;
    struct item item[HANDLES];
    struct exec_thread *thread;
};

struct run {
    uint64_t seed, recoveries;
};

/* ---- recovery ---- */

static void collect(struct worker *w)
{
    struct spipe_completion done;

    while (spipe_in_flight(w->c.ctx))
        (void)spipe_poll(w->c.ctx, &done, 1);
}

static void recover(struct worker *w)
{
    bool recovered = false;
    int rc;

    do {
        collect(w);
        rc = spipe_recover(w->c.ctx, &recovered);
    } while (rc == -EBUSY || rc == -EAGAIN);
    cr_assert_eq(rc, 0, "client %u", w->number);
    w->recoveries += recovered;
}

/* A request may fail because the context was lost, and for no other reason. */
static bool worked(struct worker *w, int rc)
{
    if (rc == 0)
        return true;
    cr_assert(spipe_ctx_lost(w->c.ctx) || rc == -EAGAIN, "client %u: result %d", w->number, rc);
    recover(w);
    return false;
}

/* ---- I/O ---- */

/* True: it was carried out. It may fail even if the context has been recovered by now. */
static bool io(struct worker *w, enum spipe_op op, const struct item *it, uint64_t chunk)
{
    int rc = stack_io(&w->c, op, it->handle, chunk * CHUNK, 1, w->page);

    if (rc)
        cr_assert(spipe_ctx_lost(w->c.ctx), "client %u: I/O ends with %d", w->number, rc);
    return rc == 0;
}

static void write_one(struct worker *w, struct item *it, uint64_t chunk)
{
    uint32_t stamp = ++w->stamps << 8 | w->number;

    w->page[0] = stamp;
    if (io(w, SPIPE_WRITE, it, chunk)) {
        it->stamp[chunk] = it->maybe[chunk] = stamp;
        return;
    }
    it->maybe[chunk] = stamp;
    recover(w);
}

static void read_one(struct worker *w, struct item *it, uint64_t chunk)
{
    if (!io(w, SPIPE_READ, it, chunk)) {
        recover(w);
        return;
    }
    if (!it->stamp[chunk] && !it->maybe[chunk])
        return; /* never written by this handle (VL-65) */
    cr_assert(w->page[0] == it->stamp[chunk] || w->page[0] == it->maybe[chunk],
              "client %u: chunk %llu has %#x, not %#x", w->number, (unsigned long long)chunk,
              w->page[0], it->stamp[chunk]);
}

/* ---- requests ---- */

static void open_one(struct worker *w, struct item *it)
{
    uint64_t wanted = 1 + hal_prng_below(&w->rng, 3), last;
    int rc = spipe_open_virtual(w->c.ctx, 0, wanted * CHUNK, &it->handle, &last);

    if (rc == -ENOSPC || !worked(w, rc))
        return;
    *it = (struct item){.open = true, .handle = it->handle, .size = (last + 1) / CHUNK};
}

static void note_size(struct item *it, uint64_t size)
{
    for (uint64_t c = size; c < it->size; c++)
        it->stamp[c] = it->maybe[c] = 0;
    it->size = size;
}

static void resize_one(struct worker *w, struct item *it)
{
    uint64_t wanted = hal_prng_below(&w->rng, 5), last;
    int rc = spipe_resize(w->c.ctx, it->handle, wanted * CHUNK, &last);

    if (rc == -ENOSPC)
        return;
    while (rc == -EAGAIN) /* the sync failed: the same request again (VL-33) */
        rc = spipe_resize(w->c.ctx, it->handle, wanted * CHUNK, &last);
    cr_assert_eq(rc, 0, "a lost context resizes too: %d", rc);
    note_size(it, last == SPIPE_NO_BLOCK ? 0 : (last + 1) / CHUNK);
}

static void check_size(struct worker *w, struct item *it)
{
    uint64_t last;

    if (worked(w, spipe_verify(w->c.ctx, it->handle, NULL, &last)))
        cr_assert_eq(last, it->size ? it->size * CHUNK - 1 : SPIPE_NO_BLOCK);
}

static void release_one(struct worker *w, struct item *it)
{
    int rc = spipe_release(w->c.ctx, it->handle);

    while (rc == -EAGAIN)
        rc = spipe_release(w->c.ctx, it->handle);
    cr_assert_eq(rc, 0);
    it->open = false;
}

static void use(struct worker *w, struct item *it)
{
    uint64_t chunk = it->size ? hal_prng_below(&w->rng, it->size) : 0;

    switch (hal_prng_below(&w->rng, 8)) {
    case 0:
        release_one(w, it);
        break;
    case 1:
        resize_one(w, it);
        break;
    case 2:
        check_size(w, it);
        break;
    default:
        if (it->size && hal_prng_below(&w->rng, 2))
            write_one(w, it, chunk);
        else if (it->size)
            read_one(w, it, chunk);
    }
}

static void look_at_everything(struct worker *w)
{
    recover(w);
    for (unsigned i = 0; i < HANDLES; i++)
        for (uint64_t c = 0; w->item[i].open && c < w->item[i].size; c++)
            read_one(w, &w->item[i], c);
}

static void work(void *arg)
{
    struct worker *w = arg;

    for (unsigned step = 0; step < STEPS; step++) {
        struct item *it = &w->item[hal_prng_below(&w->rng, HANDLES)];

        if (it->open)
            use(w, it);
        else
            open_one(w, it);
        if (step % 16 == 15)
            look_at_everything(w);
    }
    look_at_everything(w);
}

/* ---- the run ---- */

static void start(struct stack *s, struct worker *w, uint64_t seed, unsigned number)
{
    w->s = s;
    w->number = number;
    hal_prng_seed(&w->rng, seed, number);
    w->page = exec_alloc(s->exec, STACK_BLOCK, STACK_BLOCK);
    cr_assert_eq(hal_mem_register(sim_host_device(s->host, 0), w->page, STACK_BLOCK, "page"), 0);
    stack_client(s, &w->c, 0, 8, false);
    cr_assert_eq(exec_thread_create(s->exec, "client", work, w, &w->thread), 0);
}

static void end(struct stack *s, struct worker *w)
{
    exec_thread_join(s->exec, w->thread);
    spipe_client_destroy(w->c.client);
    hal_mem_release(sim_host_device(s->host, 0), w->page);
    exec_free(s->exec, w->page, STACK_BLOCK);
}

static void reset(void *arg)
{
    struct stack *s = arg;

    cr_assert_eq(spipe_reset(s->adapter), 0);
}

static void await(struct stack *s, enum spipe_state state)
{
    struct spipe_adapter_info info;

    do {
        stack_sleep(s, 1000);
        spipe_adapter_info(s->adapter, &info);
    } while (info.state != state);
}

/* Each from a thread of its own: whoever resets pauses for a second afterwards (AD-132), in which
 * clients would come to their end. */
static void reset_often(struct stack *s, struct exec_thread **t, uint64_t seed)
{
    struct hal_prng rng;

    hal_prng_seed(&rng, seed, 77);
    for (unsigned i = 0; i < RESETS; i++) {
        stack_sleep(s, hal_prng_below(&rng, 2000000));
        cr_assert_eq(exec_thread_create(s->exec, "reset", reset, s, &t[i]), 0);
        await(s, SPIPE_STATE_RESET);
        await(s, SPIPE_STATE_NORMAL);
    }
}

static void campaign(struct stack *s, void *arg)
{
    struct run *run = arg;
    struct worker *w = exec_alloc(s->exec, CLIENTS * sizeof *w, 64);
    struct exec_thread *t[RESETS];

    for (unsigned i = 0; i < CLIENTS; i++)
        start(s, &w[i], run->seed, i);
    reset_often(s, t, run->seed);
    for (unsigned i = 0; i < CLIENTS; i++) {
        end(s, &w[i]);
        run->recoveries += w[i].recoveries;
    }
    for (unsigned i = 0; i < RESETS; i++)
        exec_thread_join(s->exec, t[i]);
    exec_free(s->exec, w, CLIENTS * sizeof *w);
}

static void run_campaigns(uint64_t first)
{
    uint64_t recoveries = 0;

    for (unsigned i = 0; i < SEEDS; i++) {
        struct sim_media *media = stack_media(CHUNKS);
        struct run run = {.seed = first + i};

        stack_run(&(struct stack_setup){.seed = run.seed, .media = media}, campaign, &run);
        sim_media_close(media);
        recoveries += run.recoveries;
    }
    cr_assert_gt(recoveries, SEEDS * CLIENTS, "resets hit clients that go on");
}

Test(reset_random, clients_go_on)
{
    run_campaigns(test_seed(500));
    PROVES(INV_24);
    PROVES(SP_159);
}
