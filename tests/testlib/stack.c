/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/stack.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/picture.h"
#include "sim/check/sim_check.h"
#include "sim/sched/sched.h"
#include "sim/sim_media.h"
#include "tests/testlib/recording.h"
#include "tests/testlib/strict_check.h"

struct start {
    struct stack stack;
    void (*body)(struct stack *, void *);
    void *arg;
    bool unchecked;
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

static int picture(void *adapter, struct hal_picture_room *room, const struct hal_picture **out)
{
    return spipe_picture_inside(adapter, room, out);
}

/* At once: core may stop at an assertion of its own that follows from it. */
static void report(const char *text) { fprintf(stderr, "%s\n", text); }

static void start_checks(struct stack *s)
{
    struct sim_check_config config = {.picture = picture, .arg = s->adapter, .told = report};

    cr_assert_eq(sim_check_start(sim_host_afu(s->host, 0), &config, &s->check), 0);
}

static void first_thread(void *arg)
{
    struct start *start = arg;
    struct stack *s = &start->stack;
    struct spipe_options options = {.size = sizeof options, .order = SPIPE_ORDER_LITTLE};
    char why[256] = "";
    int rc = spipe_open(s->exec, sim_host_device(s->host, 0), sim_host_store(s->host, 0), &options,
                        &s->adapter, why, sizeof why);

    cr_assert_eq(rc, 0, "%s", why);
    if (!start->unchecked)
        start_checks(s);
    start->body(s, start->arg);
    if (s->check)
        sim_check_finish(s->check);
    spipe_close(s->adapter);
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

static void expect_invariants(struct stack *s, const struct stack_setup *setup)
{
    const struct sim_check_result *r;

    if (!s->check)
        return;
    r = sim_check_result(s->check);
    cr_assert_eq(r->broken, 0, "seed %llu: %s", (unsigned long long)setup->seed, r->text);
    sim_check_stop(s->check);
}

static uint64_t finish(struct stack *s, const struct stack_setup *setup)
{
    struct sim_host *host = s->host;
    struct sim_machine *machine = sim_host_machine(host);
    uint64_t hash = sim_trace_hash(&machine->trace);

    sim_trace_flush(&machine->trace);
    if (setup->reference) {
        sim_engine_run(&machine->engine, SIM_NEVER);
        sim_reference_stop(machine);
    }
    strict_check(sim_host_afu(host, 0));
    expect_invariants(s, setup);
    sim_host_destroy(host);
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
    struct start start = {.body = body, .arg = arg, .unchecked = setup->unchecked};
    char why[256], report[2000] = "";
    int rc;

    set_params(&params, setup);
    config.media[0] = setup->media;
    cr_assert_eq(sim_host_create(&config, &start.stack.host, why, sizeof why), 0, "%s", why);
    start.stack.exec = sim_host_exec(start.stack.host);
    prepare(start.stack.host, setup);
    rc = sim_host_run(start.stack.host, first_thread, &start);
    if (rc && !setup->threads)
        sched_report(sim_host_sched(start.stack.host), report, sizeof report);
    cr_assert_eq(rc, 0, "seed %llu: %s", (unsigned long long)setup->seed, report);
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

uint32_t stack_open(struct stack_client *c, unsigned lun, uint64_t chunks)
{
    uint64_t last = 0, blocks = chunks * 65536;
    uint32_t handle = 0;

    cr_assert_eq(spipe_open_virtual(c->ctx, lun, blocks, &handle, &last), 0);
    cr_assert_eq(last, blocks ? blocks - 1 : SPIPE_NO_BLOCK);
    return handle;
}
