/* SPDX-License-Identifier: Apache-2.0 */
/* The drive for fibers: virtual time as pollers and sleepers see it, and the store buffer that
 * makes table stores as weakly ordered as on POWER. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sched/sched.h"
#include "sim/sim_control.h"
#include "sim/world.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/conformance/hal_conformance_sim.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

TestSuite(sim_drive_sched, .timeout = 50);

static struct conf_sim sim;

/* Runs body once for each seed. */
static void run_seeds(unsigned seeds, void (*body)(void *), void *arg)
{
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct sim_host_config config = {.seed = seed};

        conf_sim_up(&sim, &config);
        conf_sim_run(&sim, body, arg);
        conf_sim_down(&sim);
    }
}

static struct exec_thread *spawn(void (*body)(void *), void *arg)
{
    struct exec_thread *t;

    cr_assert_eq(exec_thread_create(sim.env.exec, "fiber", body, arg, &t), 0);
    return t;
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void poll_silent_device(void *arg)
{
    struct exec *e = sim.env.exec;
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    uint64_t end = exec_now(e) + 10 * MS;
    unsigned polls = 0;

    (void)arg;
    for (; exec_now(e) < end; polls++)
        hal_progress(ctx);
    cr_assert_lt(polls, 1000, "time hardly passes");
    cr_assert_leq(exec_now(e), end + MS, "it passes in leaps");
    hal_ctx_release(ctx);
}

Test(sim_drive_sched, a_poller_of_a_silent_device_sees_time_pass)
{
    run_seeds(5, poll_silent_device, NULL);
}

/* How much virtual time body's accesses take. */
static void time_accesses(void *arg)
{
    const struct sim_params *p = sim_afu_params(sim_host_afu(sim.host, 0));
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    uint64_t begin = exec_now(sim.env.exec);

    (void)arg;
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 8);
    cr_assert_eq(exec_now(sim.env.exec), begin, "a store is posted");
    (void)hal_reg_read64(ctx, AFU_HOST_RRQ_START);
    begin = exec_now(sim.env.exec);
    (void)hal_reg_read64(ctx, AFU_HOST_RRQ_START);
    cr_assert_eq(exec_now(sim.env.exec) - begin, p->mmio_read_latency * SIM_CYCLE_NS);
    hal_ctx_release(ctx);
}

Test(sim_drive_sched, a_load_takes_its_latency) { run_seeds(3, time_accesses, NULL); }

struct alarm {
    uint64_t deadline, woke;
};

static void sleep_body(void *arg)
{
    struct alarm *a = arg;

    cr_assert_eq(exec_sleep_until(sim.env.exec, a->deadline), 0);
    a->woke = exec_now(sim.env.exec);
}

/* Others who poll, load and wait do not make a sleeper late: time stops at its deadline. */
static void sleep_beside_pollers(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct alarm a[3] = {{.deadline = 3 * MS}, {.deadline = 3 * MS + 1}, {.deadline = 7 * MS}};
    struct exec_thread *t[3];
    struct hal_event ev;

    (void)arg;
    for (unsigned i = 0; i < 3; i++)
        t[i] = spawn(sleep_body, &a[i]);
    while (exec_now(sim.env.exec) < 8 * MS) {
        hal_progress(ctx);
        (void)hal_reg_read64(ctx, AFU_HOST_CMD_ROOM);
        cr_assert_eq(hal_event_wait(ctx, exec_now(sim.env.exec) + 777, &ev), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        exec_thread_join(sim.env.exec, t[i]);
        cr_assert_eq(a[i].woke, hal_align_up(a[i].deadline, SIM_CYCLE_NS), "sleeper %u at %llu", i,
                     (unsigned long long)a[i].woke);
    }
    hal_ctx_release(ctx);
}

Test(sim_drive_sched, sleepers_wake_at_their_cycle) { run_seeds(10, sleep_beside_pollers, NULL); }

/* Whoever waits, for an event or by polling, sees the device at the moment of the news, not when
 * the next deadline has come. */
static void wait_and_look_at_the_clock(void *arg)
{
    struct exec *e = sim.env.exec;
    struct conf_client m;
    struct hal_event ev;
    uint64_t begin;

    (void)arg;
    conf_client_up(&m, &sim.env, NULL);
    conf_sync(&m, 0, AFU_SYNC_LW, &m, 0);
    m.pair[0].ioarcb.msi = AFU_LISN_RRQ;
    begin = exec_now(e);
    conf_ring(&m, 0);
    cr_assert_eq(hal_event_wait(m.ctx, begin + 100 * MS, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_AFU_INTERRUPT);
    cr_assert_lt(exec_now(e) - begin, 20 * US);
    cr_assert_eq(conf_harvest(&m), 0);
    conf_sync(&m, 1, AFU_SYNC_LW, &m, 0);
    begin = exec_now(e);
    cr_assert_eq(conf_do(&m, 1), 0);
    cr_assert_lt(exec_now(e) - begin, 10 * US);
    conf_client_down(&m);
}

static void look_beside_a_sleeper(void *arg)
{
    struct alarm a = {.deadline = 50 * MS};
    struct exec_thread *t = spawn(sleep_body, &a);

    wait_and_look_at_the_clock(arg);
    exec_thread_join(sim.env.exec, t);
}

Test(sim_drive_sched, news_come_in_time)
{
    run_seeds(5, wait_and_look_at_the_clock, NULL);
    run_seeds(5, look_beside_a_sleeper, NULL);
}

static void wait_for_ever(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct hal_event ev;

    (void)arg;
    (void)!hal_event_wait(ctx, EXEC_FOREVER, &ev);
}

Test(sim_drive_sched, a_wait_for_nothing_is_a_deadlock)
{
    struct sim_host_config config = {.seed = 1};
    char report[1024];

    conf_sim_up(&sim, &config);
    cr_assert_eq(sim_host_run(sim.host, wait_for_ever, NULL), -EDEADLK);
    sched_report(sim_host_sched(sim.host), report, sizeof report);
    cr_assert_not_null(strstr(report, "an event of the adapter"), "%s", report);
}

static void load_in_spite_of_interrupt(void *arg)
{
    struct hal_ctx *ctx = arg;
    struct hal_event ev;

    for (unsigned i = 0; i < 5; i++) {
        hal_reg_write64(ctx, AFU_HOST_RRQ_START, 8 * i);
        cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), 8 * i);
        hal_progress(ctx);
    }
    cr_assert_eq(hal_event_wait(ctx, EXEC_FOREVER, &ev), -EINTR);
}

static void interrupt_a_loader(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct exec_thread *t = spawn(load_in_spite_of_interrupt, ctx);

    (void)arg;
    exec_thread_interrupt(sim.env.exec, t);
    exec_thread_join(sim.env.exec, t);
    hal_ctx_release(ctx);
}

Test(sim_drive_sched, accesses_and_polls_leave_interrupts_alone)
{
    run_seeds(20, interrupt_a_loader, NULL);
}

/* ---- the store buffer: one fiber stores, another looks ----------------------------------------
 */

#define WORDS 8

struct table {
    uint64_t *word; /* WORDS of them, registered */
    struct exec_atomic done;
    void (*check)(const uint64_t *word, void *arg); /* by the onlooker, at each step */
    void *arg;
};

static void look_on(void *arg)
{
    struct table *t = arg;

    while (!exec_atomic_load(sim.env.exec, &t->done)) {
        t->check(t->word, t->arg);
        cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + 20), 0);
    }
}

/* Runs the stores of body beside an onlooker. */
static void with_onlooker(struct table *t, void (*body)(uint64_t *word))
{
    struct exec_thread *onlooker;

    t->word = exec_alloc(sim.env.exec, WORDS * sizeof *t->word, 128);
    cr_assert_eq(hal_mem_register(sim.env.dev, t->word, WORDS * sizeof *t->word, "table"), 0);
    onlooker = spawn(look_on, t);
    body(t->word);
    exec_atomic_store(sim.env.exec, &t->done, 1);
    exec_thread_join(sim.env.exec, onlooker);
    hal_mem_release(sim.env.dev, t->word);
    exec_free(sim.env.exec, t->word, WORDS * sizeof *t->word);
}

static void store_all(uint64_t *word)
{
    for (unsigned i = 0; i < WORDS; i++)
        hal_table_store(sim.env.dev, &word[i], 1);
    hal_publish(sim.env.dev);
}

struct order {
    unsigned forward,
        backward; /* seeds in which word i was there without i + 1, or without i - 1 */
    bool now_forward, now_backward;
};

static void note_order(const uint64_t *word, void *arg)
{
    struct order *o = arg;

    for (unsigned i = 0; i + 1 < WORDS; i++) {
        o->now_forward |= word[i] && !word[i + 1];
        o->now_backward |= !word[i] && word[i + 1];
    }
}

static void store_without_order(void *arg)
{
    struct order *o = arg;
    struct table t = {.check = note_order, .arg = o};

    o->now_forward = o->now_backward = false;
    with_onlooker(&t, store_all);
    o->forward += o->now_forward;
    o->backward += o->now_backward;
}

Test(sim_drive_sched, stores_between_publishes_take_any_order)
{
    struct order o = {0};

    run_seeds(40, store_without_order, &o);
    cr_assert_gt(o.forward, 10, "in %u of 40 seeds", o.forward);
    cr_assert_gt(o.backward, 10, "in %u of 40 seeds", o.backward);
}

static void store_with_barriers(uint64_t *word)
{
    for (unsigned i = 0; i < WORDS; i++) {
        hal_table_store(sim.env.dev, &word[i], 1);
        hal_publish(sim.env.dev);
        cr_assert_eq(word[i], 1, "published, but not visible");
    }
}

static void never_backward(const uint64_t *word, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i + 1 < WORDS; i++)
        cr_assert(word[i] || !word[i + 1], "word %u came over a publish", i + 1);
}

static void store_in_order(void *arg)
{
    struct table t = {.check = never_backward};

    (void)arg;
    with_onlooker(&t, store_with_barriers);
}

Test(sim_drive_sched, no_store_crosses_a_publish) { run_seeds(200, store_in_order, NULL); }

static void count_up(uint64_t *word)
{
    for (uint64_t i = 1; i <= 100; i++)
        hal_table_store(sim.env.dev, &word[i % 3], i);
    hal_publish(sim.env.dev);
    cr_assert(word[0] == 99 && word[1] == 100 && word[2] == 98);
}

static void never_down(const uint64_t *word, void *arg)
{
    uint64_t *last = arg;

    for (unsigned i = 0; i < 3; i++) {
        cr_assert_geq(word[i], last[i], "word %u went back", i);
        last[i] = word[i];
    }
}

static void store_one_word_often(void *arg)
{
    uint64_t last[3] = {0};
    struct table t = {.check = never_down, .arg = last};

    (void)arg;
    with_onlooker(&t, count_up);
}

Test(sim_drive_sched, a_word_keeps_program_order) { run_seeds(50, store_one_word_often, NULL); }

/* ---- the store buffer: several fibers, and ends -------------------------------------------------
 */

struct shared {
    uint64_t *word;
    struct exec_mutex lock;
    uint64_t turns;
    bool publish;
};

/* Stores, and says so only in plain data under the lock. */
static void take_turns(void *arg)
{
    struct shared *s = arg;

    for (unsigned i = 0; i < 5; i++) {
        exec_mutex_lock(sim.env.exec, &s->lock);
        hal_table_store(sim.env.dev, s->word, ++s->turns);
        exec_mutex_unlock(sim.env.exec, &s->lock);
    }
    if (s->publish)
        hal_publish(sim.env.dev);
}

static void share_a_word(void *arg)
{
    struct exec *e = sim.env.exec;
    const bool *publish = arg;
    struct shared s = {.word = exec_alloc(e, 128, 128), .publish = *publish};
    struct exec_thread *t[3];

    exec_mutex_init(e, &s.lock, "lock");
    for (unsigned i = 0; i < 3; i++)
        t[i] = spawn(take_turns, &s);
    for (unsigned i = 0; i < 3; i++)
        exec_thread_join(e, t[i]);
    if (!s.publish) /* nobody will: then time does it */
        cr_assert_eq(exec_sleep_until(e, exec_now(e) + 10 * US), 0);
    cr_assert_eq(*s.word, 15, "an older store came last: %llu", (unsigned long long)*s.word);
    exec_mutex_fini(e, &s.lock);
    exec_free(e, s.word, 128);
}

/* A lock orders the stores of different fibers to one word, with or without a publish. */
Test(sim_drive_sched, stores_of_several_fibers_to_one_word)
{
    bool publish[2] = {true, false};

    run_seeds(100, share_a_word, &publish[0]);
    run_seeds(100, share_a_word, &publish[1]);
}

static void store_and_end(void *arg)
{
    uint64_t *word = arg;

    for (unsigned i = 0; i < WORDS; i++)
        hal_table_store(sim.env.dev, &word[i], 1);
}

/* No processor keeps a store for ever. */
static void leave_stores_behind(void *arg)
{
    uint64_t *word = exec_alloc(sim.env.exec, WORDS * sizeof *word, 128);
    struct exec_thread *t = spawn(store_and_end, word);

    (void)arg;
    exec_thread_join(sim.env.exec, t);
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + 10 * US), 0);
    for (unsigned i = 0; i < WORDS; i++)
        cr_assert_eq(word[i], 1);
    exec_free(sim.env.exec, word, WORDS * sizeof *word);
}

/* The same when the one fiber there is only polls. */
static void store_and_poll(void *arg)
{
    uint64_t *word = exec_alloc(sim.env.exec, WORDS * sizeof *word, 128);
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);

    (void)arg;
    store_and_end(word);
    hal_progress(ctx);
    for (unsigned i = 0; i < WORDS; i++)
        cr_assert_eq(word[i], 1);
    hal_ctx_release(ctx);
    exec_free(sim.env.exec, word, WORDS * sizeof *word);
}

Test(sim_drive_sched, stores_drain_by_themselves)
{
    run_seeds(30, leave_stores_behind, NULL);
    run_seeds(30, store_and_poll, NULL);
}

static void store_many(void *arg)
{
    const unsigned n = 500; /* more than any buffer holds */
    uint64_t *word = exec_alloc(sim.env.exec, n * sizeof *word, 128);

    (void)arg;
    for (unsigned i = 0; i < n; i++)
        hal_table_store(sim.env.dev, &word[i], i + 1);
    hal_publish(sim.env.dev);
    for (unsigned i = 0; i < n; i++)
        cr_assert_eq(word[i], i + 1);
    exec_free(sim.env.exec, word, n * sizeof *word);
}

Test(sim_drive_sched, more_stores_than_the_buffer_holds) { run_seeds(10, store_many, NULL); }

/* Memory whose region was withdrawn belongs to somebody else. */
static void free_after_store(void *arg)
{
    uint64_t *word = exec_alloc(sim.env.exec, 4096, 4096);

    (void)arg;
    cr_assert_eq(hal_mem_register(sim.env.dev, word, 4096, "table"), 0);
    for (unsigned i = 0; i < 10; i++)
        hal_table_store(sim.env.dev, &word[i], 1);
    hal_mem_release(sim.env.dev, word);
    memset(word, 0, 4096);
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + MS), 0);
    for (unsigned i = 0; i < 10; i++)
        cr_assert_eq(word[i], 0, "a store came after the release");
    exec_free(sim.env.exec, word, 4096);
}

Test(sim_drive_sched, release_waits_for_stores) { run_seeds(30, free_after_store, NULL); }

/* Fibers come and go in a long run: they must cost nothing for good. */
static void many_fibers(void *arg)
{
    uint64_t *word = exec_alloc(sim.env.exec, WORDS * sizeof *word, 128);
    size_t after_first = 0;

    (void)arg;
    for (unsigned i = 0; i < 50; i++) {
        exec_thread_join(sim.env.exec, spawn(store_and_end, word));
        if (i == 0)
            after_first = sim_world_used(sim_host_world(sim.host));
    }
    cr_assert_eq(sim_world_used(sim_host_world(sim.host)), after_first);
    exec_free(sim.env.exec, word, WORDS * sizeof *word);
}

Test(sim_drive_sched, fibers_leave_nothing_behind) { run_seeds(1, many_fibers, NULL); }

/* ---- a missing barrier is found ----------------------------------------------------------------
 */

#define PATTERN 0xA7

struct gate {
    struct conf_client master, user;
    struct exec_atomic stop;
    bool barriers, foreign;
    uint32_t wrong;
};

static void barrier(const struct gate *g)
{
    if (g->barriers)
        hal_publish(sim.env.dev);
}

static void put(const struct gate *g, unsigned word, uint64_t value)
{
    hal_table_store(sim.env.dev, &g->user.rht[0].word[word], value);
    barrier(g);
}

/* Opens and closes handle 0 as SL 8.5 says. Without barriers the mark "valid" may come before the
 * LUN id, and then the entry leads to LUN 0. */
static void open_and_close(struct gate *g)
{
    struct afu_rht_entry e = conf_entry(&sim.env, AFU_PERM_READ);

    put(g, 0, e.word[0]);
    put(g, 1, e.word[1]);
    (void)conf_do_sync(&g->user, AFU_SYNC_LW, 0);
    put(g, 1, 0);
    put(g, 0, 0);
    (void)conf_do_sync(&g->user, AFU_SYNC_HW, 0);
}

static void check_answer(struct gate *g, unsigned slot)
{
    uint32_t status = afu_ioasc(&g->user.pair[slot].ioasa.rc);

    if (!status)
        g->foreign |= conf_data(&g->user, slot)[0] != PATTERN;
    else if (conf_afu_rc(status) != AFU_RC_RHT_INVALID && conf_afu_rc(status) != AFU_RC_RHT_RW_PERM)
        g->wrong = status;
}

/* Keeps eight reads under way. */
static void read_all_the_time(void *arg)
{
    struct gate *g = arg;
    unsigned under_way = 0;
    int slot;

    for (; under_way < 8; under_way++) {
        conf_rw(&g->user, under_way, false, 0, 0);
        conf_ring(&g->user, under_way);
    }
    while (under_way) {
        while ((slot = conf_harvest(&g->user)) < 0)
            hal_progress(g->user.ctx);
        check_answer(g, (unsigned)slot);
        under_way--;
        if (exec_atomic_load(sim.env.exec, &g->stop))
            continue;
        conf_rw(&g->user, (unsigned)slot, false, 0, 0);
        conf_ring(&g->user, (unsigned)slot);
        under_way++;
    }
}

static void prepare(struct gate *g)
{
    conf_client_up(&g->master, &sim.env, NULL);
    conf_client_up(&g->user, &sim.env, &g->master);
    conf_open(&g->user, 1, AFU_PERM_RW);
    memset(conf_data(&g->user, 0), PATTERN, sim.env.lun.block_size);
    conf_rw(&g->user, 0, true, 1, 0);
    cr_assert_eq(conf_do(&g->user, 0), 0);
}

static void plant(void *arg)
{
    struct gate g = {.barriers = !arg};
    unsigned *found = arg;
    struct exec_thread *reader;

    prepare(&g);
    reader = spawn(read_all_the_time, &g);
    for (unsigned i = 0; i < 20; i++)
        open_and_close(&g);
    exec_atomic_store(sim.env.exec, &g.stop, 1);
    exec_thread_join(sim.env.exec, reader);
    cr_assert_eq(g.wrong, 0, "status %08x", g.wrong);
    if (found)
        *found += g.foreign;
    else
        cr_assert(!g.foreign, "with barriers the AFU saw a half-open entry");
    conf_client_down(&g.user);
    conf_client_down(&g.master);
}

/* As planted, but on an AFU that reads the entry for each command and is quick, so that there are
 * many chances. */
static void plant_seeds(unsigned seeds, unsigned *found)
{
    struct sim_params params;

    cr_assert_eq(sim_params_profile(&params, "zero"), 0);
    params.xlt_entries = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct sim_host_config config = {.seed = seed, .params = &params};

        conf_sim_up(&sim, &config);
        conf_sim_run(&sim, plant, found);
        if (found)
            sim.breaks = SIM_RULE_TABLE_BARRIER; /* which the strict checker sees in each run */
        conf_sim_down(&sim);
    }
}

Test(sim_drive_sched, a_missing_barrier_is_found)
{
    unsigned found = 0;

    plant_seeds(100, NULL);
    plant_seeds(30, &found);
    cr_log_info("the missing barrier showed in %u of 30 seeds", found);
    cr_assert_geq(found, 3);
}
