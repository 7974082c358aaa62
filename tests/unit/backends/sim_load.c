/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/backends/sim_load.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/hash.h"
#include "sim/sched/sched.h"
#include "tests/conformance/hal_conformance_client.h"

#define FIBERS 2
#define DEPTH 4          /* commands under way of each fiber */
#define PIECE_BLOCKS 256 /* media take space by so many blocks */
#define PIECES 4
#define LUN 1

struct state {
    const struct sim_load *load;
    struct conf_client master;
    struct exec_mutex lock; /* of the master's queue, and of what follows */
    struct exec_cond all_here;
    unsigned here, round;
    uint64_t turns;
    struct exec_atomic commands;
};

struct worker {
    struct state *state;
    struct conf_client client;
    unsigned number;
    uint8_t written[DEPTH][PIECES]; /* value of each block of this fiber */
};

/* Rounds wander through the pieces, so that media grow all the time. */
static uint64_t lba_of(const struct worker *w, unsigned slot, unsigned round)
{
    return round % PIECES * PIECE_BLOCKS + w->number * DEPTH + slot;
}

static void ring_all(struct worker *w, unsigned round, bool write)
{
    for (unsigned slot = 0; slot < DEPTH; slot++) {
        conf_rw(&w->client, slot, write, 0, lba_of(w, slot, round));
        conf_ring(&w->client, slot);
        exec_atomic_add(w->client.env->exec, &w->state->commands, 1);
    }
}

static void finish_all(struct worker *w)
{
    for (unsigned done = 0; done < DEPTH; done++) {
        int slot;

        while ((slot = conf_harvest(&w->client)) < 0)
            hal_progress(w->client.ctx);
        cr_assert_eq(afu_ioasc(&w->client.pair[slot].ioasa.rc), 0);
    }
}

static void compare_all(struct worker *w, unsigned round)
{
    for (unsigned slot = 0; slot < DEPTH; slot++) {
        uint8_t *block = conf_data(&w->client, slot), *value = &w->written[slot][round % PIECES];

        cr_assert_eq(block[0], *value, "fiber %u, round %u, slot %u", w->number, round, slot);
        cr_assert_arr_eq(block, block + 1, 4095);
        *value = (uint8_t)(*value + 1 + slot);
        memset(block, *value, 4096);
    }
}

/* Opens one more handle and closes the one before, through the one queue of the master. */
static void change_table(struct worker *w, unsigned round)
{
    struct exec *e = w->client.env->exec;
    uint32_t handle = 1 + round % 2;

    exec_mutex_lock(e, &w->state->lock);
    conf_open(&w->client, handle, AFU_PERM_READ);
    cr_assert_eq(conf_do_sync(&w->client, AFU_SYNC_LW, handle), 0);
    conf_close(&w->client, handle ^ 3);
    cr_assert_eq(conf_do_sync(&w->client, AFU_SYNC_HW, handle ^ 3), 0);
    exec_mutex_unlock(e, &w->state->lock);
}

/* Waits for the other fibers. */
static void meet(struct state *s)
{
    struct exec *e = s->load->sim->env.exec;
    unsigned round;

    exec_mutex_lock(e, &s->lock);
    round = s->round;
    if (++s->here == FIBERS) {
        s->here = 0;
        s->round++;
        exec_cond_broadcast(e, &s->all_here);
    }
    while (s->round == round)
        cr_assert_eq(exec_cond_wait(e, &s->all_here, &s->lock, EXEC_FOREVER, false), 0);
    exec_mutex_unlock(e, &s->lock);
}

/* All fibers can run: which one does is for the scheduler to say. */
static void quarrel(struct worker *w)
{
    struct state *s = w->state;
    struct exec *e = s->load->sim->env.exec;

    meet(s);
    for (unsigned i = 0; i < 4; i++) {
        exec_mutex_lock(e, &s->lock);
        s->turns = s->turns * 3 + w->number;
        exec_yield(e);
        exec_mutex_unlock(e, &s->lock);
    }
}

static void work(void *arg)
{
    struct worker *w = arg;
    const struct sim_load *load = w->state->load;

    for (unsigned round = 0; round < load->rounds; round++) {
        quarrel(w);
        ring_all(w, round, false);
        if (load->pause_every && w->number == 0 && round % load->pause_every == 0)
            sched_pause(sim_host_sched(load->sim->host));
        finish_all(w);
        compare_all(w, round);
        ring_all(w, round, true);
        if (round % 2)
            change_table(w, round);
        finish_all(w);
    }
}

void sim_load_main(void *arg)
{
    const struct sim_load *load = arg;
    struct hal_conformance *env = &load->sim->env;
    struct exec *e = env->exec;
    struct state *s = exec_alloc(e, sizeof *s, 64);
    struct worker *w = exec_alloc(e, FIBERS * sizeof *w, 64);
    struct exec_thread *t[FIBERS];

    s->load = load;
    exec_mutex_init(e, &s->lock, "master's queue");
    exec_cond_init(e, &s->all_here, "all here");
    conf_client_up(&s->master, env, NULL);
    for (unsigned i = 0; i < FIBERS; i++) {
        w[i].state = s;
        w[i].number = i;
        conf_client_up(&w[i].client, env, &s->master);
        conf_open(&w[i].client, 0, AFU_PERM_RW);
        cr_assert_eq(exec_thread_create(e, i ? "second" : "first", work, &w[i], &t[i]), 0);
    }
    for (unsigned i = 0; i < FIBERS; i++) {
        exec_thread_join(e, t[i]);
        conf_client_down(&w[i].client);
    }
    cr_assert_eq(exec_atomic_load(e, &s->commands), 2 * FIBERS * DEPTH * load->rounds);
    conf_client_down(&s->master);
    exec_cond_fini(e, &s->all_here);
    exec_mutex_fini(e, &s->lock);
    exec_free(e, w, FIBERS * sizeof *w);
    exec_free(e, s, sizeof *s);
}

static int hash_data(void *arg, uint64_t offset, const void *data, size_t n)
{
    uint64_t *hash = arg, word;

    (void)offset;
    for (size_t i = 0; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, (const uint8_t *)data + i, sizeof word);
        *hash = hal_hash_word(*hash, word);
    }
    return 0;
}

struct sim_load_print sim_load_print(const struct conf_sim *sim)
{
    const struct sim_trace *trace = &sim_host_machine(sim->host)->trace;
    struct sim_load_print p = {
        .trace = sim_trace_hash(trace),
        .records = sim_trace_total(trace),
        .schedule = sched_stats(sim_host_sched(sim->host)).hash,
        .media = HAL_HASH_START,
        .now = sim_host_now(sim->host),
    };

    for (uint64_t piece = 0; piece < PIECES; piece++)
        cr_assert_eq(sim_media_read(sim->media, LUN, piece * PIECE_BLOCKS, FIBERS * DEPTH,
                                    hash_data, &p.media),
                     0);
    return p;
}
