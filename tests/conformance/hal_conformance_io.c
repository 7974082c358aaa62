/* SPDX-License-Identifier: Apache-2.0 */
/* Cases that place commands: completions, events, tables under way. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/conformance/hal_conformance.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/testlib/proves.h"

#define MS UINT64_C(1000000)

/* An event of the client until patience ends; kind NONE then. */
static struct hal_event await(struct conf_client *c)
{
    struct exec *e = c->env->exec;
    struct hal_event ev;

    cr_assert_eq(hal_event_wait(c->ctx, exec_now(e) + c->env->patience, &ev), 0);
    return ev;
}

static bool is_rrq(const struct hal_event *ev)
{
    return ev->kind == HAL_EVENT_AFU_INTERRUPT && ev->number == AFU_LISN_RRQ;
}

/* Lets time pass, with the device at work. */
static void let_pass(struct conf_client *busy, uint64_t ns)
{
    uint64_t until = exec_now(busy->env->exec) + ns;

    do {
        conf_sync(busy, 0, AFU_SYNC_LW, busy, 0);
        cr_assert_eq(conf_do(busy, 0), 0);
        hal_progress(busy->ctx);
    } while (exec_now(busy->env->exec) < until);
}

/* A sync of the master's own, whose end interrupts. */
static void place_sync(struct conf_client *master, unsigned slot)
{
    conf_sync(master, slot, AFU_SYNC_LW, master, 0);
    master->pair[slot].ioarcb.msi = AFU_LISN_RRQ;
}

/* ---- completions and events -------------------------------------------------------------------
 */

void hal_conformance_a_poll_lets_completions_arrive(struct hal_conformance *env)
{
    struct conf_client m;

    conf_client_up(&m, env, NULL);
    for (unsigned i = 0; i < 3 * CONF_SLOTS; i++) { /* the RRQ wraps */
        conf_sync(&m, i % CONF_SLOTS, AFU_SYNC_LW, &m, 0);
        cr_assert_eq(conf_do(&m, i % CONF_SLOTS), 0, "command %u", i);
    }
    cr_assert_eq(conf_harvest(&m), -1);
    conf_client_down(&m);
}

/* Events of one number may collapse; whoever drains at each loses nothing. */
void hal_conformance_an_event_arrives(struct hal_conformance *env)
{
    struct conf_client m;
    struct hal_event ev;
    unsigned done = 0, events = 0;

    conf_client_up(&m, env, NULL);
    for (unsigned i = 0; i < 4; i++) {
        place_sync(&m, i);
        conf_ring(&m, i);
    }
    while (done < 4) {
        ev = await(&m);
        cr_assert(is_rrq(&ev), "kind %d after %u completions", ev.kind, done);
        events++;
        while (conf_harvest(&m) >= 0)
            done++;
    }
    cr_assert_leq(events, 4);
    place_sync(&m, 5);
    conf_ring(&m, 5);
    do {
        ev = await(&m);
        cr_assert(is_rrq(&ev));
    } while (conf_harvest(&m) < 0); /* a message of before may be left */
    conf_client_down(&m);
    PROVES(AD_227);
}

void hal_conformance_a_look_does_not_wait(struct hal_conformance *env)
{
    struct conf_client m;
    struct hal_event ev;
    uint64_t deadline;

    conf_client_up(&m, env, NULL);
    cr_assert_eq(hal_event_wait(m.ctx, 0, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_NONE);
    place_sync(&m, 0);
    conf_ring(&m, 0);
    deadline = exec_now(env->exec) + env->patience;
    do {
        hal_progress(m.ctx);
        cr_assert_eq(hal_event_wait(m.ctx, 0, &ev), 0);
    } while (ev.kind == HAL_EVENT_NONE && exec_now(env->exec) < deadline);
    cr_assert(is_rrq(&ev));
    cr_assert_eq(conf_harvest(&m), 0);
    cr_assert_eq(hal_event_wait(m.ctx, 0, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_NONE);
    conf_client_down(&m);
}

/* Completions of another context are no events, and no end, for this one. */
void hal_conformance_a_wait_outlasts_what_others_do(struct hal_conformance *env)
{
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct conf_client m;
    struct hal_event ev;
    uint64_t deadline;

    conf_client_up(&m, env, NULL);
    for (unsigned i = 0; i < 8; i++) {
        place_sync(&m, i);
        conf_ring(&m, i);
    }
    deadline = exec_now(env->exec) + MS;
    cr_assert_eq(hal_event_wait(ctx, deadline, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_NONE);
    cr_assert_geq(exec_now(env->exec), deadline);
    conf_client_down(&m);
    hal_ctx_release(ctx);
}

struct waiter {
    struct conf_client *client;
    struct exec_atomic events, interrupts;
    unsigned wanted; /* of each */
    int rc;
    struct hal_event ev;
};

static void wait_once(void *arg)
{
    struct waiter *w = arg;

    w->rc = hal_event_wait(w->client->ctx, EXEC_FOREVER, &w->ev);
}

/* A thread sleeps for an event before there is anything to come; then another one starts what it
 * waits for, and does nothing more for it. */
void hal_conformance_a_sleeper_is_woken(struct hal_conformance *env)
{
    struct conf_client m;
    struct exec_thread *t;

    conf_client_up(&m, env, NULL);
    for (unsigned i = 0; i < 5; i++) {
        struct waiter w = {.client = &m};

        place_sync(&m, i);
        cr_assert_eq(exec_thread_create(env->exec, "waiter", wait_once, &w, &t), 0);
        cr_assert_eq(exec_sleep_until(env->exec, exec_now(env->exec) + MS), 0);
        conf_ring(&m, i);
        exec_thread_join(env->exec, t);
        cr_assert_eq(w.rc, 0);
        cr_assert(is_rrq(&w.ev));
        cr_assert_eq(conf_harvest(&m), (int)i);
    }
    conf_client_down(&m);
}

static bool wants_more(struct exec *e, struct waiter *w)
{
    return exec_atomic_load(e, &w->interrupts) < w->wanted ||
           exec_atomic_load(e, &w->events) < w->wanted;
}

static void count_both(void *arg)
{
    struct waiter *w = arg;
    struct exec *e = w->client->env->exec;

    while (wants_more(e, w)) {
        w->rc = hal_event_wait(w->client->ctx, exec_now(e) + w->client->env->patience, &w->ev);
        if (w->rc == -EINTR)
            exec_atomic_add(e, &w->interrupts, 1);
        else if (w->rc == 0 && is_rrq(&w->ev))
            exec_atomic_add(e, &w->events, 1);
        else
            return;
    }
}

/* Each interrupt ends a wait, also when an event comes at the same moment, and the event is not
 * lost either. */
void hal_conformance_events_and_interrupts_both_count(struct hal_conformance *env)
{
    struct conf_client m;
    struct waiter w = {.client = &m, .wanted = 100};
    struct exec *e = env->exec;
    struct exec_thread *t;

    conf_client_up(&m, env, NULL);
    cr_assert_eq(exec_thread_create(e, "waiter", count_both, &w, &t), 0);
    for (unsigned i = 0; i < w.wanted; i++) {
        uint64_t deadline = exec_now(e) + env->patience;

        place_sync(&m, i % CONF_SLOTS);
        conf_ring(&m, i % CONF_SLOTS);
        exec_thread_interrupt(e, t);
        while ((exec_atomic_load(e, &w.interrupts) <= i || exec_atomic_load(e, &w.events) <= i) &&
               exec_now(e) < deadline)
            hal_progress(m.ctx);
        cr_assert_eq(exec_atomic_load(e, &w.interrupts), i + 1, "interrupt %u was lost", i);
        cr_assert_eq(exec_atomic_load(e, &w.events), i + 1, "event %u was lost", i);
        cr_assert_eq(conf_poll(&m, i % CONF_SLOTS), 0);
    }
    exec_thread_join(e, t);
    conf_client_down(&m);
}

/* an event to the context, no answer to the command, and the context goes on. */
void hal_conformance_a_bad_address_is_an_event(struct hal_conformance *env)
{
    const size_t page = 65536; /* of the largest size in use */
    void *nowhere = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct conf_client m, u;
    struct hal_event ev;

    cr_assert_neq(nowhere, MAP_FAILED);
    conf_client_up(&m, env, NULL);
    conf_client_up(&u, env, &m);
    conf_open(&u, 0, AFU_PERM_RW);
    conf_rw(&u, 0, false, 0, 0);
    u.pair[0].ioarcb.data_ea = xe64_of(HAL_ORDER_HOST, (uintptr_t)nowhere);
    conf_ring(&u, 0);
    ev = await(&u);
    cr_assert_eq(ev.kind, HAL_EVENT_DATA_STORAGE);
    /* Systems report the address or its page. */
    cr_assert_leq((uintptr_t)nowhere - ev.address, page, "address 0x%llx",
                  (unsigned long long)ev.address);
    cr_assert_neq(ev.dsisr, 0);
    conf_rw(&u, 1, false, 0, 0);
    cr_assert_eq(conf_do(&u, 1), 0, "the context does not go on");
    cr_assert_eq(conf_harvest(&u), -1);
    conf_client_down(&u);
    conf_client_down(&m);
    munmap(nowhere, page);
    PROVES(R_11);
    PROVES(AD_227);
}

/* ---- the end of a context ---------------------------------------------------------------------
 */

static void expect_no_event(struct conf_client *c)
{
    struct hal_event ev;

    cr_assert_eq(hal_event_wait(c->ctx, exec_now(c->env->exec) + 3 * MS, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_NONE, "an event of the context before");
}

struct image {
    struct afu_cmd_pair pair[CONF_SLOTS];
    uint64_t rrq[CONF_SLOTS];
    uint8_t data[CONF_SLOTS * 4096];
};

static size_t image_data(const struct conf_client *c)
{
    size_t size = (size_t)CONF_SLOTS * c->env->lun.block_size;

    return size < sizeof((struct image *)0)->data ? size : sizeof((struct image *)0)->data;
}

static void take_image(const struct conf_client *c, struct image *i)
{
    memcpy(i->pair, c->pair, sizeof i->pair);
    memcpy(i->rrq, c->rrq, sizeof i->rrq);
    memcpy(i->data, c->data, image_data(c));
}

/* Eight reads of a block of 0x5A into zeroed buffers. */
static void place_reads(struct conf_client *c)
{
    memset(conf_data(c, 0), 0x5A, c->env->lun.block_size);
    conf_rw(c, 0, true, 0, 0);
    cr_assert_eq(conf_do(c, 0), 0);
    memset(conf_data(c, 0), 0, c->env->lun.block_size);
    for (unsigned i = 0; i < 8; i++) {
        conf_rw(c, i, false, 0, 0);
        c->pair[i].ioarcb.msi = AFU_LISN_RRQ;
        conf_ring(c, i);
    }
}

/* Ends a client in the midst of its commands: with the doorbells under way, with the commands under
 * way, or with the first of them done. */
static void stop_midway(struct conf_client *c, unsigned how)
{
    uint64_t deadline = exec_now(c->env->exec) + c->env->patience;

    place_reads(c);
    if (how == 1) /* a load follows the stores */
        cr_assert_neq(conf_read(c, AFU_HOST_CMD_ROOM), HAL_ALL_ONES);
    while (how == 2 && conf_harvest(c) < 0 && exec_now(c->env->exec) < deadline)
        hal_progress(c->ctx);
    conf_client_stop(c);
}

/* Nothing that was under way writes to memory after the context's end, and its successor hears
 * nothing of it. */
void hal_conformance_stop_silences_commands(struct hal_conformance *env)
{
    static struct image before;
    struct conf_client m, u, next;

    conf_client_up(&m, env, NULL);
    for (unsigned how = 0; how < 3; how++) {
        conf_client_up(&u, env, &m);
        conf_open(&u, 0, AFU_PERM_RW);
        stop_midway(&u, how);
        take_image(&u, &before);
        conf_client_up(&next, env, &m);
        let_pass(&m, 3 * MS);
        expect_no_event(&next);
        cr_assert_arr_eq(u.pair, before.pair, sizeof before.pair);
        cr_assert_arr_eq(u.rrq, before.rrq, sizeof before.rrq);
        cr_assert_arr_eq(u.data, before.data, image_data(&u));
        conf_client_down(&next);
        conf_client_free(&u);
    }
    conf_client_down(&m);
}

/* An interrupt message that is under way at the end of the context is gone. */
void hal_conformance_stop_silences_events(struct hal_conformance *env)
{
    struct conf_client m, u, next;

    conf_client_up(&m, env, NULL);
    for (unsigned round = 0; round < 3; round++) {
        conf_client_up(&u, env, &m);
        conf_sync(&u, 0, AFU_SYNC_LW, &u, 0); /* which a user may not: refused, but answered */
        u.pair[0].ioarcb.msi = AFU_LISN_RRQ;
        cr_assert_eq(conf_afu_rc(conf_do(&u, 0)), AFU_RC_CAP_VIOLATION);
        conf_client_down(&u);
        conf_client_up(&next, env, &m);
        expect_no_event(&next);
        conf_client_down(&next);
    }
    conf_client_down(&m);
}

/* ---- tables -----------------------------------------------------------------------------------
 */

/* The last store to a table needs no publish if a doorbell follows. No entry was ever looked at
 * before, so no sync is needed either. */
void hal_conformance_a_doorbell_is_a_barrier(struct hal_conformance *env)
{
    struct afu_rht_entry e = conf_entry(env, AFU_PERM_RW);
    struct conf_client m, u;

    conf_client_up(&m, env, NULL);
    conf_client_up(&u, env, &m);
    for (uint32_t handle = 0; handle < 40; handle++) {
        hal_table_store(env->dev, &u.rht[handle].word[0], e.word[0]);
        hal_publish(env->dev);
        hal_table_store(env->dev, &u.rht[handle].word[1], e.word[1]);
        conf_rw(&u, handle % CONF_SLOTS, false, handle, 0);
        cr_assert_eq(conf_do(&u, handle % CONF_SLOTS), 0, "handle %u", handle);
    }
    conf_client_down(&u);
    conf_client_down(&m);
}

void hal_conformance_a_published_entry_counts_after_a_sync(struct hal_conformance *env)
{
    struct conf_client m, u;

    conf_client_up(&m, env, NULL);
    conf_client_up(&u, env, &m);
    for (unsigned round = 0; round < 3; round++) {
        conf_rw(&u, 0, false, 7, 0);
        cr_assert_eq(conf_afu_rc(conf_do(&u, 0)), AFU_RC_RHT_RW_PERM);
        conf_open(&u, 7, AFU_PERM_READ);
        cr_assert_eq(conf_do_sync(&u, AFU_SYNC_LW, 7), 0);
        conf_rw(&u, 1, false, 7, 0);
        cr_assert_eq(conf_do(&u, 1), 0);
        conf_rw(&u, 2, true, 7, 0);
        cr_assert_eq(conf_afu_rc(conf_do(&u, 2)), AFU_RC_RHT_RW_PERM);
        conf_close(&u, 7);
        cr_assert_eq(conf_do_sync(&u, AFU_SYNC_HW, 7), 0);
    }
    conf_client_down(&u);
    conf_client_down(&m);
}

struct reader {
    struct conf_client *client;
    struct exec_atomic stop;
    unsigned good, refused;
    uint32_t wrong; /* status that nothing explains; 0 = none */
    bool foreign;   /* data of another LUN */
};

static void read_while_open(void *arg)
{
    struct reader *r = arg;
    struct conf_client *c = r->client;

    for (unsigned i = 0; !r->wrong && !exec_atomic_load(c->env->exec, &r->stop); i++) {
        unsigned slot = i % CONF_SLOTS, rc;
        uint32_t status;

        conf_rw(c, slot, false, 0, 0);
        conf_data(c, slot)[0] = 0;
        status = conf_do(c, slot);
        rc = conf_afu_rc(status);
        if (status == 0)
            r->good++;
        else if (rc == AFU_RC_RHT_INVALID || rc == AFU_RC_RHT_RW_PERM)
            r->refused++;
        else
            r->wrong = status;
        r->foreign |= status == 0 && conf_data(c, slot)[0] != 0xA7;
    }
}

/* whoever reads while the handle is opened and closed gets the block or a refusal. */
void hal_conformance_entries_change_under_io(struct hal_conformance *env)
{
    struct conf_client m, u;
    struct reader r = {.client = &u};
    struct exec_thread *t;

    conf_client_up(&m, env, NULL);
    conf_client_up(&u, env, &m);
    conf_open(&u, 1, AFU_PERM_RW);
    memset(conf_data(&u, 0), 0xA7, env->lun.block_size);
    conf_rw(&u, 0, true, 1, 0);
    cr_assert_eq(conf_do(&u, 0), 0);
    cr_assert_eq(exec_thread_create(env->exec, "reader", read_while_open, &r, &t), 0);
    for (unsigned round = 0; round < 20; round++) {
        conf_open(&u, 0, AFU_PERM_READ);
        cr_assert_eq(conf_do_sync(&u, AFU_SYNC_LW, 0), 0);
        let_pass(&m, 50000);
        conf_close(&u, 0);
        cr_assert_eq(conf_do_sync(&u, AFU_SYNC_HW, 0), 0);
    }
    exec_atomic_store(env->exec, &r.stop, 1);
    exec_thread_join(env->exec, t);
    cr_assert_eq(r.wrong, 0, "status %08x", r.wrong);
    cr_assert(!r.foreign, "a half-open entry led to another LUN");
    conf_client_down(&u);
    conf_client_down(&m);
    PROVES(R_13);
}

/* ---- two of them ------------------------------------------------------------------------------
 */

struct worker {
    struct conf_client client;
    bool sleeps; /* waits for events instead of polling */
    uint8_t pattern;
    uint64_t lba;
    const char *failed;
};

/* Status of a command, by events. */
static uint32_t do_sleeping(struct conf_client *c, unsigned slot)
{
    struct exec *e = c->env->exec;
    struct hal_event ev;

    c->pair[slot].ioarcb.msi = AFU_LISN_RRQ;
    conf_ring(c, slot);
    for (;;) {
        int found = conf_harvest(c);

        if (found >= 0)
            return found == (int)slot ? afu_ioasc(&c->pair[slot].ioasa.rc) : CONF_LOST;
        if (hal_event_wait(c->ctx, exec_now(e) + c->env->patience, &ev) || !is_rrq(&ev))
            return CONF_LOST;
    }
}

static uint32_t work_one(struct worker *w, unsigned slot, bool write)
{
    conf_rw(&w->client, slot, write, 0, w->lba + slot % 8);
    return w->sleeps ? do_sleeping(&w->client, slot) : conf_do(&w->client, slot);
}

static void work(void *arg)
{
    struct worker *w = arg;
    size_t size = w->client.env->lun.block_size;

    for (unsigned i = 0; i < 30 && !w->failed; i++) {
        unsigned slot = i % CONF_SLOTS;
        uint8_t *block = conf_data(&w->client, slot), value = (uint8_t)(w->pattern + i);

        memset(block, value, size);
        if (work_one(w, slot, true))
            w->failed = "a write";
        memset(block, 0, size);
        if (!w->failed && work_one(w, slot, false))
            w->failed = "a read";
        if (!w->failed && (block[0] != value || memcmp(block, block + 1, size - 1) != 0))
            w->failed = "the data";
    }
}

void hal_conformance_two_threads_use_two_contexts(struct hal_conformance *env)
{
    static struct worker w[2];
    struct exec_thread *t[2];
    struct conf_client m;

    conf_client_up(&m, env, NULL);
    for (unsigned i = 0; i < 2; i++) {
        w[i] = (struct worker){.sleeps = i, .pattern = (uint8_t)(128 * i + 1), .lba = 16 * i};
        conf_client_up(&w[i].client, env, &m);
        conf_open(&w[i].client, 0, AFU_PERM_RW);
    }
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(exec_thread_create(env->exec, "worker", work, &w[i], &t[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        exec_thread_join(env->exec, t[i]);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_null(w[i].failed, "%s of worker %u went wrong", w[i].failed, i);
        conf_client_down(&w[i].client);
    }
    conf_client_down(&m);
}
