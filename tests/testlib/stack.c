/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/stack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backends/fault/fault_backend.h"
#include "backends/fault/fault_exec.h"
#include "core/adapter/picture.h"
#include "hal/support/bits.h"
#include "sim/check/sim_check.h"
#include "sim/sched/sched.h"
#include "sim/sim_media.h"
#include "tests/testlib/device.h"
#include "tests/testlib/recording.h"
#include "tests/testlib/strict_check.h"

struct start {
    struct stack stack, other;
    uint64_t begun; /* requests under way on both */
    void (*body)(struct stack *, void *);
    void *arg;
    bool wipe_always, wipe_nothing, luns_disabled, pair, unchecked, threads, big_endian, closed;
    struct fault_exec fault_exec;
    struct hal_record_store *store; /* NULL: the medium's */
    spipe_event_sink *event_sink;
    void *event_arg;
    uint64_t heartbeat_ns;
};

struct sim_media *stack_media(unsigned chunks)
{
    struct sim_media_lun luns[2] = {
        {.blocks = chunks * 65536 + 100, .block_size = STACK_BLOCK, .port_mask = 3},
        {.blocks = chunks * 65536 + 100, .block_size = STACK_BLOCK, .port_mask = 3},
    };
    struct sim_media_opts opts = {.luns = luns, .n_luns = 2};
    struct sim_media *media;
    char why[SIM_MEDIA_WHY_BYTES];

    sim_media_make_wwid(1, 0, luns[0].wwid);
    sim_media_make_wwid(1, 1, luns[1].wwid);
    cr_assert_eq(sim_media_create(&opts, &media, why, sizeof why), 0, "%s", why);
    return media;
}

static int picture(void *adapter, const uint64_t *only, struct hal_picture_room *room,
                   const struct hal_picture **out)
{
    return spipe_picture_inside(adapter, only, room, out);
}

/* At once: core may stop at an assertion of its own that follows from it. */
static void report(const char *text) { fprintf(stderr, "%s\n", text); }

static void start_checks(struct stack *s, unsigned adapter, uint64_t *begun)
{
    struct sim_check_config config = {
        .picture = picture, .arg = s->adapter, .told = report, .begun = begun};

    cr_assert_eq(sim_check_start(sim_host_afu(s->host, adapter), &config, &s->check), 0);
}

static void start_all_checks(struct start *start)
{
    start_checks(&start->stack, 0, start->pair ? &start->begun : NULL);
    if (start->pair)
        start_checks(&start->other, 1, &start->begun);
}

static int try_open(struct stack *s, unsigned adapter, const struct start *start, char *why,
                    size_t size)
{
    struct spipe_options options = {.size = sizeof options,
                                    .order =
                                        start->big_endian ? SPIPE_ORDER_BIG : SPIPE_ORDER_LITTLE,
                                    .wipe_always = start->wipe_always,
                                    .wipe_nothing = start->wipe_nothing,
                                    .luns_disabled = start->luns_disabled,
                                    .event_sink = adapter ? NULL : start->event_sink,
                                    .event_arg = start->event_arg,
                                    .heartbeat_ns = start->heartbeat_ns,
                                    .peer = adapter ? start->stack.adapter : NULL};
    struct hal_record_store *store = start->store ? start->store : sim_host_store(s->host, 0);

    return spipe_open(s->core_exec, s->core_dev, adapter ? NULL : store, &options, &s->adapter, why,
                      size);
}

static void open_adapter(struct stack *s, unsigned adapter, const struct start *start)
{
    char why[256] = "";
    int rc = try_open(s, adapter, start, why, sizeof why);

    cr_assert_eq(rc, 0, "%s", why);
}

int stack_bring_up(struct stack *s, char *why, size_t size)
{
    struct start *start = HAL_CONTAINER_OF(s, struct start, stack);
    int rc = try_open(s, 0, start, why, size);

    if (!rc && !start->unchecked && !start->threads && !s->check)
        start_all_checks(start);
    return rc;
}

/* The plans of a stack; returns their number. */
static unsigned plans_of(struct stack *s, struct fault_plan *plan[2])
{
    plan[0] = sim_afu_faults(sim_host_afu(s->host, 0));
    plan[1] = s->filter ? &s->filter->plan : NULL;
    return s->filter ? 2 : 1;
}

void stack_plan(struct stack *s, const char *text)
{
    struct fault_plan *plan[2];
    unsigned n = plans_of(s, plan);
    char why[256] = "";

    cr_assert_eq(fault_plans_load(plan, n, text, why, sizeof why), 0, "%s", why);
}

uint64_t stack_fired(struct stack *s)
{
    struct fault_plan *plan[2];
    uint64_t fired = 0;
    char rule[64];

    for (unsigned i = plans_of(s, plan); i-- > 0;)
        for (unsigned k = 0; k < plan[i]->count; k++) {
            fault_rule_format(plan[i], k, rule, sizeof rule);
            cr_assert_neq(plan[i]->rule[k].fired, 0, "%s never happened", rule);
            fired += plan[i]->rule[k].fired;
        }
    return fired;
}

static void expect_invariants(struct stack *s)
{
    const struct sim_check_result *r;

    if (!s->check)
        return;
    r = sim_check_result(s->check);
    cr_assert_eq(r->broken, 0, "%s", r->text);
    sim_check_stop(s->check);
    s->check = NULL;
}

void stack_close(struct stack *s)
{
    if (!s->adapter)
        return;
    if (s->check)
        sim_check_finish(s->check);
    spipe_close(s->adapter);
    s->adapter = NULL;
    expect_invariants(s);
}

static void first_thread(void *arg)
{
    struct start *start = arg;
    struct stack *s = &start->stack;

    if (!start->closed)
        open_adapter(s, 0, start);
    if (start->pair)
        open_adapter(s->other, 1, start);
    if (!start->closed && !start->unchecked && !start->threads)
        start_all_checks(start);
    start->body(s, start->arg);
    if (!start->unchecked && start->threads)
        start_all_checks(start); /* now that nobody else is inside core */
    if (start->pair)
        stack_close(s->other);
    stack_close(s);
}

static void set_params(struct sim_params *p, const struct stack_setup *setup)
{
    sim_params_default(p);
    if (setup->threads) { /* real time: no second of login, no millisecond of reset */
        cr_assert_eq(sim_params_profile(p, "zero"), 0);
        p->login = p->link_loss = p->afu_reset = 1000;
    }
    if (setup->interface_version)
        p->interface_version = setup->interface_version;
    if (setup->change_params)
        setup->change_params(p);
}

static void prepare(struct sim_host *host, const struct stack_setup *setup)
{
    struct sim_machine *machine = sim_host_machine(host);

    if (setup->records)
        sim_trace_set_sink(&machine->trace, recording_add, setup->records);
    if (setup->change_exec)
        setup->change_exec(sim_host_exec(host));
    if (setup->reference)
        cr_assert_eq(sim_reference_start(machine), 0);
}

/* What core stands on: the host, or filters over it. */
static void put_filters(struct start *start, struct fault_filter *filter)
{
    struct stack *s = &start->stack;

    s->core_exec = s->exec;
    s->core_dev = test_device(s->host, 0);
    s->filter = filter;
    if (!filter)
        return;
    fault_filter_init(filter, s->exec);
    fault_exec_init(&start->fault_exec, filter);
    s->core_exec = &start->fault_exec.base;
    cr_assert_eq(fault_backend_open(s->core_dev, filter, &s->core_dev), 0);
}

static uint64_t finish(struct stack *s, const struct stack_setup *setup)
{
    struct sim_host *host = s->host;
    struct sim_machine *machine = sim_host_machine(host);
    uint64_t hash = sim_trace_hash(&machine->trace);
    size_t left;

    sim_trace_flush(&machine->trace);
    if (setup->reference) {
        sim_engine_run(&machine->engine, SIM_NEVER);
        sim_reference_stop(machine);
    }
    strict_check(sim_host_afu(host, 0));
    if (s->other)
        strict_check(sim_host_afu(host, 1));
    test_device_done(host);
    left = sim_host_destroy(host);
    cr_assert(setup->threads || left == 0, "%zu bytes are left allocated", left);
    return hash;
}

uint64_t stack_run(const struct stack_setup *setup, void (*body)(struct stack *, void *), void *arg)
{
    struct sim_params params;
    struct sim_host_config config = {.seed = setup->seed,
                                     .params = &params,
                                     .trace = true,
                                     .threads = setup->threads,
                                     .pace = 1000};
    struct start start = {.body = body,
                          .arg = arg,
                          .wipe_always = setup->wipe_always,
                          .wipe_nothing = setup->wipe_nothing,
                          .luns_disabled = setup->luns_disabled,
                          .store = setup->store,
                          .event_sink = setup->event_sink,
                          .event_arg = setup->event_arg,
                          .heartbeat_ns = setup->heartbeat_ns,
                          .pair = setup->pair,
                          .unchecked = setup->unchecked,
                          .big_endian = setup->big_endian,
                          .closed = setup->closed,
                          .threads = setup->threads != NULL};
    char why[256], report[2000] = "";
    int rc;

    set_params(&params, setup);
    config.adapters = setup->pair ? 2 : 1;
    config.media[0] = config.media[1] = setup->media;
    cr_assert_eq(sim_host_create(&config, &start.stack.host, why, sizeof why), 0, "%s", why);
    start.stack.exec = sim_host_exec(start.stack.host);
    if (setup->pair) {
        start.other = start.stack;
        start.other.core_exec = start.other.exec;
        start.other.core_dev = test_device(start.other.host, 1);
        start.stack.other = &start.other;
    }
    prepare(start.stack.host, setup);
    put_filters(&start, setup->filter);
    rc = sim_host_run(start.stack.host, first_thread, &start);
    if (rc && !setup->threads)
        sched_report(sim_host_sched(start.stack.host), report, sizeof report);
    cr_assert_eq(rc, 0, "seed %llu: %s", (unsigned long long)setup->seed, report);
    if (setup->filter)
        hal_close(start.stack.core_dev);
    return finish(&start.stack, setup);
}

void stack_client(struct stack *s, struct stack_client *c, unsigned lun, unsigned depth,
                  bool interrupts)
{
    struct spipe_attach_options options = {
        .size = sizeof options, .depth = depth, .interrupts = interrupts};

    cr_assert_eq(spipe_client_create(s->adapter, "client", &c->client), 0);
    cr_assert_eq(spipe_attach(c->client, lun, &options, &c->ctx), 0);
}

int stack_io(struct stack_client *c, enum spipe_op op, uint32_t handle, uint64_t lba,
             uint32_t blocks, void *buffer)
{
    struct spipe_io io = {
        .tag = 77, .lba = lba, .buffer = buffer, .blocks = blocks, .handle = handle, .op = op};
    struct spipe_completion done;
    int rc;

    do
        rc = spipe_submit(c->ctx, &io, 1);
    while (rc == 0 && spipe_poll(c->ctx, &done, 1) == 0);
    if (rc < 0)
        return rc;
    while (spipe_poll(c->ctx, &done, 1) == 0)
        ;
    cr_assert_eq(done.tag, 77);
    return done.status;
}

static uint8_t page[STACK_BLOCK] __attribute__((aligned(128)));

void stack_put(struct stack_client *c, uint32_t handle, uint64_t lba, uint8_t value)
{
    memset(page, value, sizeof page);
    cr_assert_eq(stack_io(c, SPIPE_WRITE, handle, lba, 1, page), 0);
}

uint8_t stack_get(struct stack_client *c, uint32_t handle, uint64_t lba)
{
    memset(page, 0xEE, sizeof page);
    cr_assert_eq(stack_io(c, SPIPE_READ, handle, lba, 1, page), 0);
    for (unsigned i = 1; i < sizeof page; i++)
        cr_assert_eq(page[i], page[0]);
    return page[0];
}

static int keep_block(void *arg, uint64_t offset, const void *data, size_t n)
{
    memcpy((char *)arg + offset, data, n);
    return 0;
}

uint8_t stack_on_medium(struct sim_media *media, uint64_t lba)
{
    uint8_t block[STACK_BLOCK];

    cr_assert_eq(sim_media_read(media, 0, lba, 1, keep_block, block), 0);
    return block[0];
}

void stack_sleep(struct stack *s, uint64_t ns)
{
    cr_assert_eq(exec_sleep_until(s->exec, exec_now(s->exec) + ns), 0);
}

void stack_sleep_s(struct stack *s, uint64_t seconds) { stack_sleep(s, seconds * 1000000000); }

enum spipe_state stack_state(struct stack *s)
{
    struct spipe_adapter_info info;

    spipe_adapter_info(s->adapter, &info);
    return info.state;
}

uint32_t stack_open(struct stack_client *c, unsigned lun, uint64_t chunks)
{
    uint64_t last = 0, blocks = chunks * 65536;
    uint32_t handle = 0;

    cr_assert_eq(spipe_open_virtual(c->ctx, lun, blocks, &handle, &last), 0);
    cr_assert_eq(last, blocks ? blocks - 1 : SPIPE_NO_BLOCK);
    return handle;
}
