/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/fault_sweep.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/fault/fault_filter.h"
#include "core/adapter/adapter.h"
#include "hal/exec.h"
#include "hal/support/bits.h"
#include "sim/sim_media.h"
#include "tests/testlib/stack.h"

#define CHUNK UINT64_C(65536)

enum { HITS_MAX = 400 };

/* One run. */
static struct run {
    const struct fault_sweep *sweep;
    unsigned verb, hit; /* where it goes wrong */
    bool on, fired, failed;
    struct stack *s;

    struct stack_client a, b; /* b: of a child */
    uint32_t kept, wiped, direct, named;
    uint64_t generation; /* of the adapter, at the end */
} run;

/* ---- the verbs, in order ---- */

static int open_adapter(void)
{
    char why[256];

    return stack_bring_up(run.s, why, sizeof why);
}

static int create_client(void) { return spipe_client_create(run.s->adapter, "a", &run.a.client); }

static int attach(void) { return spipe_attach(run.a.client, 0, NULL, &run.a.ctx); }

static int attach_lun(void) { return spipe_attach_lun(run.a.ctx, 1); }

static int open_virtual(void)
{
    uint64_t last;

    return spipe_open_virtual(run.a.ctx, 0, CHUNK, &run.kept, &last);
}

static int write_block(void)
{
    stack_put(&run.a, run.kept, 3, 0x5A);
    return 0;
}

static int resize(uint64_t chunks)
{
    uint64_t last;

    return spipe_resize(run.a.ctx, run.kept, chunks * CHUNK, &last);
}

static int grow(void) { return resize(5); }

static int shrink(void) { return resize(2); }

static int open_wiped(void)
{
    struct spipe_open_options options = {.size = sizeof options, .wipe = true};
    uint64_t last;

    return spipe_open_virtual_with(run.a.ctx, 0, CHUNK, &options, &run.wiped, &last);
}

static int open_direct(void)
{
    uint64_t last;

    return spipe_open_direct(run.a.ctx, 1, SPIPE_PORT_ANY, &run.direct, &last);
}

static int fork_client(void) { return spipe_client_fork(run.a.client, "b", &run.b.client); }

static int attach_child(void) { return spipe_attach(run.b.client, 0, NULL, &run.b.ctx); }

static int clone(void) { return spipe_clone(run.b.ctx, run.a.ctx); }

static int set_name(void) { return spipe_name_set(run.a.ctx, run.kept, "kept", 4096); }

static int open_name(void)
{
    uint64_t last;

    return spipe_name_open(run.a.ctx, "kept", &run.named, &last);
}

/* Tells of LUNs that changed: all of them are looked for again. */
static int verify(void)
{
    static const uint8_t sense[SPIPE_SENSE_BYTES] = {0x70, 0, 6, 0, 0, 0,    0,
                                                     10,   0, 0, 0, 0, 0x3F, 0x0E};
    uint64_t last;

    return spipe_verify(run.a.ctx, run.kept, sense, &last);
}

static int release_name(void) { return spipe_release(run.a.ctx, run.named); }

static int remove_name(void) { return spipe_name_remove(run.s->adapter, "kept"); }

static int reset_port(void) { return spipe_port_reset(run.s->adapter, 0); }

static int reset(void) { return spipe_reset(run.s->adapter); }

static void reset_meanwhile(void *arg)
{
    int rc = spipe_reset(arg);

    (void)rc; /* an error is for whoever asked */
}

static bool is_normal(void)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(run.s->adapter, &info);
    return info.state == SPIPE_STATE_NORMAL;
}

/* A request that comes while the adapter is being reset waits for the end. */
static int attach_in_a_reset(void)
{
    struct exec_thread *t;
    struct stack_client c;
    int rc = spipe_client_create(run.s->adapter, "c", &c.client);

    if (rc)
        return rc;
    cr_assert_eq(exec_thread_create(run.s->exec, "reset", reset_meanwhile, run.s->adapter, &t), 0);
    for (unsigned i = 0; i < 1000 && is_normal(); i++)
        exec_yield(run.s->exec);
    rc = spipe_attach(c.client, 0, NULL, &c.ctx);
    exec_thread_join(run.s->exec, t);
    spipe_client_destroy(c.client);
    return rc;
}

static int recover(struct stack_client *c)
{
    bool recovered;

    return spipe_recover(c->ctx, &recovered);
}

static int recover_parent(void) { return recover(&run.a); }

static int recover_child(void) { return recover(&run.b); }

static int grow_again(void) { return resize(3); }

static int read_block(void)
{
    cr_assert_eq(stack_get(&run.a, run.kept, 3), 0x5A);
    return 0;
}

static int release_direct(void) { return spipe_release(run.a.ctx, run.direct); }

static int detach_lun(void) { return spipe_detach(run.a.ctx, 1); }

static int destroy_child(void)
{
    spipe_client_destroy(run.b.client);
    run.b.ctx = NULL;
    return 0;
}

static int destroy_client(void)
{
    spipe_client_destroy(run.a.client);
    run.a.ctx = NULL;
    return 0;
}

static int close_adapter(void)
{
    stack_sleep_s(run.s, 5); /* the wiper */
    run.generation = spipe__generation(run.s->adapter);
    stack_close(run.s);
    return 0;
}

static const struct verb {
    const char *name;
    int (*run)(void);
} verbs[] = {
    {"open adapter", open_adapter},
    {"create client", create_client},
    {"attach", attach},
    {"attach LUN", attach_lun},
    {"open virtual", open_virtual},
    {"write", write_block},
    {"grow", grow},
    {"shrink", shrink},
    {"open wiped", open_wiped},
    {"open direct", open_direct},
    {"fork", fork_client},
    {"attach child", attach_child},
    {"clone", clone},
    {"set name", set_name},
    {"open name", open_name},
    {"verify", verify},
    {"release name", release_name},
    {"remove name", remove_name},
    {"reset port", reset_port},
    {"reset", reset},
    {"recover parent", recover_parent},
    {"attach in a reset", attach_in_a_reset},
    {"recover parent again", recover_parent},
    {"recover child", recover_child},
    {"grow again", grow_again},
    {"read", read_block},
    {"release direct", release_direct},
    {"detach LUN", detach_lun},
    {"destroy child", destroy_child},
    {"destroy client", destroy_client},
    {"close adapter", close_adapter},
};

/* ---- memory of core ---- */

static const struct exec_ops *filter_ops;
static struct exec_ops counting_ops;
static size_t core_bytes;

static void *count_alloc(struct exec *e, size_t size, size_t align)
{
    void *p = filter_ops->mem_alloc(e, size, align);

    core_bytes += p ? size : 0;
    return p;
}

static void count_free(struct exec *e, void *p, size_t size)
{
    core_bytes -= size;
    filter_ops->mem_free(e, p, size);
}

static void count_memory(struct exec *e)
{
    core_bytes = 0;
    filter_ops = e->ops;
    counting_ops = *e->ops;
    counting_ops.mem_alloc = count_alloc;
    counting_ops.mem_free = count_free;
    e->ops = &counting_ops;
}

/* ---- what is as before ---- */

struct state {
    size_t memory;
    uint64_t free[2];
    unsigned users[2], names;
};

static struct state look(void)
{
    struct state now = {.memory = core_bytes};
    struct spipe_lun_info lun;
    struct spipe_name_info name;

    for (unsigned i = 0; run.s->adapter && i < 2; i++)
        if (!spipe_lun_info(run.s->adapter, i, &lun)) {
            now.free[i] = lun.free_chunks;
            now.users[i] = lun.users;
        }
    while (run.s->adapter && !spipe_name_at(run.s->adapter, now.names, &name))
        now.names++;
    return now;
}

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_log_error("%s: '%s', %s hit %u%s", run.sweep->name, verbs[run.verb].name,           \
                         run.sweep->site, run.hit, run.on ? " and from then on" : "");             \
        cr_assert(condition, __VA_ARGS__);                                                         \
    } while (0)

static void expect_as_before(const struct state *before)
{
    struct state now = look();

    EXPECT(now.memory <= before->memory, "%zu bytes more", now.memory - before->memory);
    for (unsigned i = 0; i < 2; i++)
        EXPECT(now.free[i] == before->free[i] && now.users[i] == before->users[i], "LUN %u", i);
    EXPECT(now.names == before->names, "names");
}

/* ---- a run ---- */

static bool allowed(int rc)
{
    for (unsigned i = 0; i < FAULT_SWEEP_ERRORS; i++)
        if (rc == run.sweep->errors[i])
            return true;
    return false;
}

static bool has_fired(void)
{
    const struct fault_plan *plans[] = {sim_afu_faults(sim_host_afu(run.s->host, 0)),
                                        &run.s->filter->plan};
    bool fired = false;

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(plans); i++)
        for (unsigned k = 0; k < plans[i]->count; k++)
            fired |= plans[i]->rule[k].fired != 0;
    return fired;
}

/* One that came in a wait of the verb that cannot be given up is still there, for a wait that can:
 * here, so that it is not one of the next verb. */
static void take_interruption(void)
{
    int rc = exec_sleep_until(run.s->core_exec, 0);

    EXPECT(rc == 0 || rc == -EINTR, "sleep: %s", strerrorname_np(-rc));
}

/* Runs a verb with the fault. */
static int run_planned(const struct verb *v)
{
    char rule[64];
    int rc;

    snprintf(rule, sizeof rule, "%s#%u%s=%s", run.sweep->site, run.hit, run.on ? "*" : "",
             run.sweep->effect);
    stack_plan(run.s, rule);
    rc = v->run();
    run.fired = has_fired();
    stack_plan(run.s, "");
    take_interruption();
    EXPECT(rc == 0 || (run.fired && allowed(rc)), "it ends with %s", strerrorname_np(-rc));
    EXPECT(rc || !run.fired || !run.sweep->must_fail, "it is successful");
    return rc;
}

/* A reset that a verb asked for is over, and clients have recovered. */
static void come_back(void)
{
    struct stack_client *const clients[] = {&run.a, &run.b};

    stack_sleep_s(run.s, 5);
    for (unsigned i = 0; i < 2; i++)
        if (clients[i]->ctx && spipe_ctx_lost(clients[i]->ctx))
            EXPECT(recover(clients[i]) == 0, "recovery");
}

/* What is made once for a LUN may stay after the first failure, but nothing after the second. */
static void go_wrong(const struct verb *v)
{
    struct state before = look();
    int rc = run_planned(v);

    run.failed = rc != 0;
    if (run.sweep->partial) {
        if (strstr(v->name, "close") == NULL)
            come_back();
        rc = rc ? v->run() : 0;
        EXPECT(rc == 0, "once more: %s", strerrorname_np(-rc));
        return;
    }
    if (rc && look().memory > before.memory) {
        before = look();
        rc = run_planned(v);
    }
    if (rc) {
        expect_as_before(&before);
        rc = v->run();
    }
    EXPECT(rc == 0, "once more: %s", strerrorname_np(-rc));
}

static void body(struct stack *s, void *arg)
{
    (void)arg;
    run.s = s;
    count_memory(s->core_exec);
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(verbs); i++) {
        int rc = 0;

        if (i == run.verb)
            go_wrong(&verbs[i]);
        else
            rc = verbs[i].run();
        EXPECT(rc == 0, "'%s' afterwards: %s", verbs[i].name, strerrorname_np(-rc));
    }
    if (!strstr(verbs[run.verb].name, "reset") && !run.sweep->partial)
        EXPECT(run.generation == 3, "nobody but the verbs resets: %u", (unsigned)run.generation);
}

static void run_once(const struct fault_sweep *sweep, unsigned verb, unsigned hit, bool on)
{
    static struct fault_filter filter;
    struct stack_setup setup = {
        .seed = 1, .media = stack_media(12), .closed = true, .filter = &filter};

    run = (struct run){.sweep = sweep, .verb = verb, .hit = hit, .on = on};
    stack_run(&setup, body, NULL);
    sim_media_close(setup.media);
}

/* Hit after hit, until a run sees none. */
static void sweep_hits(const struct fault_sweep *sweep, unsigned verb, bool on,
                       struct fault_sweep_result *result)
{
    for (unsigned hit = 1; hit <= HITS_MAX; hit++) {
        run_once(sweep, verb, hit, on);
        if (!run.fired)
            return;
        result->runs++;
        result->failed += run.failed;
    }
}

static void sweep_verb(const struct fault_sweep *sweep, unsigned verb,
                       struct fault_sweep_result *result)
{
    sweep_hits(sweep, verb, false, result);
    if (!sweep->once_only)
        sweep_hits(sweep, verb, true, result);
}

static bool wanted(const struct fault_sweep *sweep, const char *verb)
{
    for (unsigned i = 0; i < FAULT_SWEEP_SKIPPED; i++)
        if (sweep->skip[i] && strstr(verb, sweep->skip[i]))
            return false;
    return !sweep->only || !strcmp(verb, sweep->only);
}

struct fault_sweep_result fault_sweep(const struct fault_sweep *sweep)
{
    struct fault_sweep_result result = {0};

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(verbs); i++) {
        if (!wanted(sweep, verbs[i].name))
            continue;
        result.verbs++;
        sweep_verb(sweep, i, &result);
    }
    return result;
}

void fault_sweep_expect(const struct fault_sweep *sweep, unsigned least)
{
    struct fault_sweep_result r = fault_sweep(sweep);

    cr_log_info("%s: %u runs, %u failed", sweep->name, r.runs, r.failed);
    cr_assert_geq(r.failed, least, "%s: %u runs, %u failed", sweep->name, r.runs, r.failed);
}
