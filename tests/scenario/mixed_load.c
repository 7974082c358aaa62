/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/mixed_load.h"

#include <criterion/criterion.h>

#include "backends/fault/fault_filter.h"
#include "hal/support/prng.h"
#include "sim/sim_media.h"
#include "tests/testlib/stack.h"

enum { CLIENTS = 4, BLOCKS = 64, ROUNDS = 150 };

struct worker {
    struct stack *stack;
    struct stack_client client;
    struct exec_thread *thread;
    unsigned number;
    uint32_t handle;
    uint32_t generation[BLOCKS];
    uint32_t *page; /* one block */
    struct hal_prng rng;
};

static void one_round(struct worker *w)
{
    uint64_t block = hal_prng_below(&w->rng, BLOCKS), lba = block * 1500; /* over two chunks */
    bool write = hal_prng_below(&w->rng, 2);

    if (write)
        for (unsigned i = 0; i < STACK_BLOCK / 4; i++)
            w->page[i] = w->number << 24 | (w->generation[block] + 1);
    cr_assert_eq(stack_io(&w->client, write ? SPIPE_WRITE : SPIPE_READ, w->handle, lba, 1, w->page),
                 0);
    if (write) {
        w->generation[block]++;
        return;
    }
    for (unsigned i = 0; i < STACK_BLOCK / 4; i += 97)
        cr_assert_eq(w->page[i], w->generation[block] ? w->number << 24 | w->generation[block] : 0,
                     "client %u, block %u", w->number, (unsigned)block);
}

static void work(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < ROUNDS; i++)
        one_round(w);
}

static void start(struct stack *s, struct worker *w, unsigned number)
{
    w->stack = s;
    w->number = number + 1;
    hal_prng_seed(&w->rng, 9, number);
    w->page = exec_alloc(s->exec, STACK_BLOCK, STACK_BLOCK);
    cr_assert_not_null(w->page);
    cr_assert_eq(hal_mem_register(sim_host_device(s->host, 0), w->page, STACK_BLOCK, "page"), 0);
    stack_client(s, &w->client, number % 2, 8, false);
    w->handle = stack_open(&w->client, number % 2, 2);
    cr_assert_eq(exec_thread_create(s->exec, "worker", work, w, &w->thread), 0);
}

static void load(struct stack *s, void *arg)
{
    struct worker *w = exec_alloc(s->exec, CLIENTS * sizeof *w, 64);

    (void)arg;
    for (unsigned i = 0; i < CLIENTS; i++)
        start(s, &w[i], i);
    for (unsigned i = 0; i < CLIENTS; i++) {
        exec_thread_join(s->exec, w[i].thread);
        spipe_client_destroy(w[i].client.client);
        hal_mem_release(sim_host_device(s->host, 0), w[i].page);
        exec_free(s->exec, w[i].page, STACK_BLOCK);
    }
    exec_free(s->exec, w, CLIENTS * sizeof *w);
}

static uint64_t run(struct stack_setup *setup)
{
    uint64_t hash;

    setup->media = stack_media(8);
    hash = stack_run(setup, load, NULL);
    sim_media_close(setup->media);
    return hash;
}

uint64_t mixed_load(uint64_t seed, struct exec *threads, uint64_t interface_version)
{
    return run(&(struct stack_setup){
        .seed = seed, .threads = threads, .interface_version = interface_version});
}

uint64_t mixed_load_filtered(uint64_t seed, struct exec *threads)
{
    static struct fault_filter filter;

    return run(&(struct stack_setup){.seed = seed,
                                     .threads = threads,
                                     .interface_version = MIXED_LOAD_IOARRIN,
                                     .filter = &filter});
}
