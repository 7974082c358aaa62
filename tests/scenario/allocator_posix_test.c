/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that grow and shrink on one LUN at the same time, in real threads, which ThreadSanitizer
 * watches: a chunk that two of them got, or that nobody has, shows in the sums, or is freed twice,
 * which core refuses. */
#include <criterion/criterion.h>
#include <errno.h>

#include "backends/posix/posix_exec.h"
#include "hal/support/prng.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

enum { CLIENTS = 4, ROUNDS = 600, CHUNKS = 8, CHUNK = 65536 };

struct worker {
    struct stack_client client;
    struct exec_thread *thread;
    struct hal_prng rng;
    uint64_t chunks;
    uint32_t handle;
};

/* Together they want more than there is: grants may be partial (VL-20), or none. */
static void one_round(struct worker *w)
{
    uint64_t wanted = hal_prng_below(&w->rng, 5), last;
    int rc = spipe_resize(w->client.ctx, w->handle, wanted * CHUNK, &last);

    if (rc == 0)
        w->chunks = last == SPIPE_NO_BLOCK ? 0 : (last + 1) / CHUNK;
    else
        cr_assert_eq(rc, -ENOSPC);
}

static void work(void *arg)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        one_round(arg);
}

static void start(struct stack *s, struct worker *w, unsigned number)
{
    hal_prng_seed(&w->rng, 12, number);
    stack_client(s->other && number % 2 ? s->other : s, &w->client, 0, 8, false);
    w->handle = stack_open(&w->client, 0, 0);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

static void churn(struct stack *s, void *arg)
{
    static struct worker w[CLIENTS];
    struct spipe_lun_info info;
    uint64_t owned = 0;

    (void)arg;
    for (unsigned i = 0; i < CLIENTS; i++)
        start(s, &w[i], i);
    for (unsigned i = 0; i < CLIENTS; i++) {
        exec_thread_join(s->exec, w[i].thread);
        owned += w[i].chunks;
    }
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.free_chunks + owned, CHUNKS);
    for (unsigned i = 0; i < CLIENTS; i++)
        spipe_client_destroy(w[i].client.client);
    cr_assert_eq(spipe_lun_info(s->adapter, 0, &info), 0);
    cr_assert_eq(info.mode, SPIPE_LUN_NONE);
    PROVES(VL_14);
}

static void run(bool pair)
{
    struct sim_media *media = stack_media(CHUNKS);
    struct exec *threads;

    cr_assert_eq(posix_exec_create(&threads), 0);
    stack_run(&(struct stack_setup){.seed = 1, .media = media, .threads = threads, .pair = pair},
              churn, NULL);
    posix_exec_destroy(threads);
    sim_media_close(media);
}

Test(allocator, many_threads) { run(false); }

/* VL-14: it is shared by all adapters. */
Test(allocator, threads_of_two_adapters) { run(true); }
