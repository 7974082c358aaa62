/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/fault_kinds.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "backends/fault/fault_filter.h"
#include "core/adapter/adapter.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "sim/sim_media.h"

enum { WORKERS = 4, BLOCKS = 16, SEEDS = 2, TRIES = 40 };

#define MS UINT64_C(1000000)
#define IO_TIMEOUT (2000 * MS)
#define PATIENCE 120000 /* ms that rules have to happen in */
#define CHUNK UINT64_C(65536)

struct worker {
    struct stack_client c;
    struct exec_thread *thread;
    uint32_t handle;
    uint64_t stamp[BLOCKS]; /* what each block holds */
    uint64_t count;
    uint8_t *page;
};

/* One run. */
static struct run {
    const struct fault_case *c;
    struct stack *s;
    uint64_t seed, errors;
    bool stop;
    struct worker worker[WORKERS];
    struct exec_thread *resizer;
} run;

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_log_error("%s, plan '%s', seed %u", run.c->name, run.c->plan, (unsigned)run.seed);  \
        cr_assert(condition, __VA_ARGS__);                                                         \
    } while (0)

void fault_case_pause(struct stack *s, uint64_t ms)
{
    EXPECT(exec_sleep_until(s->exec, exec_now(s->exec) + ms * MS) == 0, "nobody interrupts");
}

static enum spipe_state state_now(void)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(run.s->adapter, &info);
    return info.state;
}

/* ---- one operation, until it succeeds ---- */

static void note_error(int rc)
{
    bool allowed = false;

    for (unsigned i = 0; i < FAULT_CASE_ERRORS; i++)
        allowed |= rc == run.c->errors[i];
    EXPECT(allowed, "%s is not an error of this kind", strerrorname_np(-rc));
    run.errors++;
}

static int one_io(struct worker *w, enum spipe_op op, uint64_t lba)
{
    struct spipe_io io = {
        .buffer = w->page, .blocks = 1, .handle = w->handle, .lba = lba, .op = op};
    struct spipe_completion done = {.status = -EBUSY};
    int n;

    do
        n = spipe_submit(w->c.ctx, &io, 1);
    while (n == 0 && spipe_poll(w->c.ctx, &done, 1) == 0);
    if (n < 0)
        return n;
    while (spipe_poll(w->c.ctx, &done, 1) == 0)
        if (run.c->interrupts)
            (void)!spipe_wait(w->c.ctx, exec_now(run.s->exec) + 20 * MS);
    return done.status;
}

static void recover(struct worker *w)
{
    bool recovered;
    int rc;

    if (!spipe_ctx_lost(w->c.ctx))
        return;
    rc = spipe_recover(w->c.ctx, &recovered);
    EXPECT(rc == 0 || (rc == -ENODEV && run.c->may_fail), "recovery: %d", rc);
}

/* Returns whether it was done at last; if not, the adapter has failed, and may. */
static bool until_done(struct worker *w, enum spipe_op op, uint64_t lba)
{
    for (unsigned tries = 0; tries < TRIES; tries++) {
        int rc = one_io(w, op, lba);

        if (rc == 0)
            return true;
        note_error(rc);
        if (run.c->may_fail && state_now() == SPIPE_STATE_FAILED)
            return false;
        fault_case_pause(run.s, 50);
        recover(w);
    }
    EXPECT(false, "no success in %d tries", TRIES);
    return false;
}

static bool write_block(struct worker *w, uint64_t block)
{
    uint64_t stamp = (uint64_t)(w - run.worker + 1) << 56 | ++w->count;

    for (size_t i = 0; i < STACK_BLOCK / 8; i++)
        memcpy(w->page + 8 * i, &stamp, 8);
    if (!until_done(w, SPIPE_WRITE, block * 3000))
        return false;
    w->stamp[block] = stamp;
    return true;
}

static bool read_block(struct worker *w, uint64_t block)
{
    memset(w->page, 0xEE, STACK_BLOCK);
    if (!until_done(w, SPIPE_READ, block * 3000))
        return false;
    for (size_t i = 0; i < STACK_BLOCK / 8; i++)
        EXPECT(memcmp(w->page + 8 * i, &w->stamp[block], 8) == 0, "block %u is wrong",
               (unsigned)block);
    return true;
}

/* ---- who works ---- */

static void work(void *arg)
{
    struct worker *w = arg;

    for (uint64_t i = 0; !run.stop; i++) {
        if (!write_block(w, i % BLOCKS) || !read_block(w, (i + 5) % BLOCKS))
            return;
        fault_case_pause(run.s, 2);
    }
}

/* A client that grows and shrinks. EAGAIN says that a sync failed, which its handle survives. */
static void resize(void *arg)
{
    struct stack_client *c = arg;
    uint32_t handle = stack_open(c, 0, 1);
    uint64_t last;
    bool recovered;

    for (unsigned i = 0; !run.stop; i++) {
        int rc = spipe_resize(c->ctx, handle, (1 + i % 2) * CHUNK, &last);

        if (rc)
            note_error(rc);
        if (rc == -ENODEV)
            break;
        fault_case_pause(run.s, 20);
        if (spipe_ctx_lost(c->ctx))
            (void)!spipe_recover(c->ctx, &recovered);
    }
}

static void start_worker(struct worker *w, unsigned number)
{
    struct spipe_attach_options options = {.size = sizeof options,
                                           .depth = 32,
                                           .interrupts = run.c->interrupts,
                                           .io_timeout_ns = IO_TIMEOUT};
    struct exec *e = run.s->exec;

    w->page = exec_alloc(e, STACK_BLOCK, STACK_BLOCK);
    cr_assert_not_null(w->page);
    cr_assert_eq(hal_mem_register(sim_host_device(run.s->host, 0), w->page, STACK_BLOCK, "p"), 0);
    cr_assert_eq(spipe_client_create(run.s->adapter, "worker", &w->c.client), 0);
    cr_assert_eq(spipe_attach(w->c.client, number % 2, &options, &w->c.ctx), 0);
    w->handle = stack_open(&w->c, number % 2, 1);
    for (unsigned i = 0; i < BLOCKS; i++)
        write_block(w, i);
    cr_assert_eq(exec_thread_create(e, "worker", work, w, &w->thread), 0);
}

static void end_worker(struct worker *w)
{
    spipe_client_destroy(w->c.client);
    hal_mem_release(sim_host_device(run.s->host, 0), w->page);
    exec_free(run.s->exec, w->page, STACK_BLOCK);
}

/* ---- phases ---- */

static bool all_fired(const struct fault_plan *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (!p->rule[i].fired)
            return false;
    return true;
}

/* Until every rule has happened, and all that follows from it has had its time. */
static void inject(struct stack *s)
{
    const struct fault_plan *model = sim_afu_faults(sim_host_afu(s->host, 0));

    stack_plan(s, run.c->plan);
    if (run.c->meanwhile)
        run.c->meanwhile(s);
    for (uint64_t ms = 0; ms < PATIENCE && !(all_fired(model) && all_fired(&s->filter->plan));
         ms += 10)
        fault_case_pause(s, 10);
    if (!(all_fired(model) && all_fired(&s->filter->plan)))
        cr_log_error("%s, plan '%s'", run.c->name, run.c->plan);
    stack_fired(s);
    fault_case_pause(s, 500);
    stack_plan(s, "");
}

/* Liveness: with the fault away, everything works again. */
static void settle(struct stack *s)
{
    run.stop = true;
    for (unsigned i = 0; i < WORKERS; i++)
        exec_thread_join(s->exec, run.worker[i].thread);
    if (run.resizer)
        exec_thread_join(s->exec, run.resizer);
    fault_case_pause(s, 3000);
    if (run.c->may_fail && state_now() == SPIPE_STATE_FAILED)
        return;
    EXPECT(state_now() == SPIPE_STATE_NORMAL, "state %d", (int)state_now());
    for (unsigned i = 0; i < WORKERS; i++) {
        recover(&run.worker[i]);
        for (unsigned k = 0; k < BLOCKS; k++)
            read_block(&run.worker[i], k);
    }
}

/* Somebody new finds an adapter that works, or one that says that it has failed. */
static void expect_service(struct stack *s)
{
    struct stack_client c;
    uint32_t handle;

    if (state_now() == SPIPE_STATE_FAILED) {
        cr_assert_eq(spipe_client_create(s->adapter, "late", &c.client), 0);
        EXPECT(spipe_attach(c.client, 0, NULL, &c.ctx) == -ENODEV, "an adapter that failed");
        spipe_client_destroy(c.client);
        return;
    }
    stack_client(s, &c, 0, 4, false);
    handle = stack_open(&c, 0, 1);
    stack_put(&c, handle, 1, 99);
    EXPECT(stack_get(&c, handle, 1) == 99, "a new client");
    spipe_client_destroy(c.client);
}

/* An adapter that failed cannot say any more that chunks are revoked: they stay in quarantine. */
static void expect_given_back(struct stack *s)
{
    bool failed = state_now() == SPIPE_STATE_FAILED;
    struct spipe_lun_info info;

    for (unsigned lun = 0; lun < 2; lun++) {
        cr_assert_eq(spipe_lun_info(s->adapter, lun, &info), 0);
        EXPECT(info.users == 0 && (failed || !info.chunks || info.free_chunks == info.chunks),
               "LUN %u: %u of %u chunks are free", lun, (unsigned)info.free_chunks,
               (unsigned)info.chunks);
    }
}

static void body(struct stack *s, void *arg)
{
    struct stack_client resizer;
    uint64_t before;

    (void)arg;
    run.s = s;
    for (unsigned i = 0; i < WORKERS; i++)
        start_worker(&run.worker[i], i);
    if (run.c->resizes) {
        stack_client(s, &resizer, 0, 4, false);
        cr_assert_eq(exec_thread_create(s->exec, "resizer", resize, &resizer, &run.resizer), 0);
    }
    fault_case_pause(s, 20);
    before = spipe__generation(s->adapter);
    inject(s);
    settle(s);
    EXPECT(spipe__generation(s->adapter) - before <= run.c->resets, "%u resets",
           (unsigned)(spipe__generation(s->adapter) - before));
    EXPECT(!run.c->needs_errors || run.errors, "nobody saw it");
    if (run.c->judge)
        run.c->judge(s);
    for (unsigned i = 0; i < WORKERS; i++)
        end_worker(&run.worker[i]);
    if (run.c->resizes)
        spipe_client_destroy(resizer.client);
    expect_service(s);
    expect_given_back(s);
}

static void run_case(const struct fault_case *c, uint64_t seed)
{
    static struct fault_filter filter;
    struct stack_setup setup = {.seed = seed,
                                .media = stack_media(8),
                                .interface_version = c->interface_version,
                                .filter = &filter};

    run = (struct run){.c = c, .seed = seed};
    stack_run(&setup, body, NULL);
    sim_media_close(setup.media);
}

void fault_cases_run(const struct fault_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
            run_case(&c[i], seed);
}
