/* SPDX-License-Identifier: Apache-2.0 */
/* What the device contract over the model does beyond the conformance suite: translation of
 * results, events and faults, what reaches the trace, and running out of memory. */
#include "backends/sim/sim_backend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "backends/sim/sim_drive.h"
#include "sim/sched/sched.h"
#include "sim/sim_bus.h"
#include "sim/world.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/conformance/hal_conformance_sim.h"

#define MS UINT64_C(1000000)

static struct conf_sim sim;
static struct conf_client master, user;

static void up(void)
{
    struct sim_host_config config = {.seed = 1, .trace = true};

    conf_sim_up(&sim, &config);
}

static void down(void) { conf_sim_down(&sim); }

TestSuite(sim_backend, .init = up, .fini = down, .timeout = 30);

static void run(void (*body)(void *)) { conf_sim_run(&sim, body, NULL); }

static void plan(const char *text)
{
    char why[128];

    cr_assert_eq(sim_faults_load(sim_afu_faults(sim_host_afu(sim.host, 0)), text, why, sizeof why),
                 0, "%s", why);
}

/* ---- planned faults become the errors of R-43 -------------------------------------------------
 */

static void refused_context(void *arg)
{
    struct hal_ctx *ctx;

    (void)arg;
    plan("ctx#1=f");
    cr_assert_eq(hal_ctx_create(sim.env.dev, HAL_CTX_USER, &ctx), -ENODEV);
    cr_assert_eq(sim.env.dev->open_contexts, 0);
    ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    hal_ctx_release(ctx);
}

Test(sim_backend, a_refused_context_leaves_nothing) { run(refused_context); }

static void failed_reset(void *arg)
{
    uint64_t begin;

    (void)arg;
    plan("afurst#1=x+afurst#2=l(250000)");
    begin = exec_now(sim.env.exec);
    cr_assert_eq(hal_afu_reset(sim.env.dev), -EIO);
    cr_assert_eq(exec_now(sim.env.exec) - begin, MS);
    cr_assert_eq(hal_afu_reset(sim.env.dev), 0);
    cr_assert_eq(exec_now(sim.env.exec) - begin, 3 * MS, "it did not wait for the late end");
}

Test(sim_backend, reset_reports_its_end) { run(failed_reset); }

static void damaged_vpd(void *arg)
{
    uint8_t vpd[256];
    size_t length = 77;

    (void)arg;
    plan("vpd#1=f+vpd#2=s");
    cr_assert_eq(hal_vpd_read(sim.env.dev, vpd, sizeof vpd, &length), -EIO);
    cr_assert_eq(length, 77);
    cr_assert_eq(hal_vpd_read(sim.env.dev, vpd, sizeof vpd, &length), 0);
    cr_assert_eq(length, 8);
}

Test(sim_backend, vpd_can_fail_or_be_short) { run(damaged_vpd); }

static void wrong_loads(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    uint64_t begin;

    (void)arg;
    plan("mr#1=o+mr#2=v(7)+mr#3=l(1000)+mw#2=d");
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_ENDIAN_CTRL), HAL_ALL_ONES);
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_ENDIAN_CTRL), 7);
    begin = exec_now(sim.env.exec);
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_ENDIAN_CTRL), 0);
    cr_assert_eq(exec_now(sim.env.exec) - begin, 5000, "1000 cycles late");
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 16);
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 32); /* dropped */
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), 16);
    hal_ctx_release(ctx);
}

Test(sim_backend, loads_and_stores_can_go_wrong) { run(wrong_loads); }

/* ---- events -----------------------------------------------------------------------------------
 */

static void both_up(void)
{
    conf_client_up(&master, &sim.env, NULL);
    conf_client_up(&user, &sim.env, &master);
    conf_open(&user, 0, AFU_PERM_RW);
}

static void both_down(void)
{
    conf_client_down(&user);
    conf_client_down(&master);
}

static struct hal_event next_event(struct conf_client *c)
{
    struct hal_event ev;

    cr_assert_eq(hal_event_wait(c->ctx, exec_now(sim.env.exec) + 10 * MS, &ev), 0);
    return ev;
}

/* A read stores into memory, a write loads from it: the reason says which (DSISR of Power). */
static void exact_addresses(void *arg)
{
    const uint64_t nowhere = 0x1230;

    (void)arg;
    both_up();
    for (unsigned write = 0; write < 2; write++) {
        struct hal_event ev;

        conf_rw(&user, write, write, 0, 0);
        user.pair[write].ioarcb.data_ea = xe64_of(HAL_ORDER_HOST, nowhere + write);
        conf_ring(&user, write);
        ev = next_event(&user);
        cr_assert_eq(ev.kind, HAL_EVENT_DATA_STORAGE);
        cr_assert_eq(ev.address, nowhere + write);
        cr_assert_eq(ev.number, 0);
        cr_assert_eq(ev.dsisr, write ? 0x40000000 : 0x42000000);
        cr_assert_eq(next_event(&user).kind, HAL_EVENT_NONE);
    }
    both_down();
}

Test(sim_backend, data_storage_events_name_the_address) { run(exact_addresses); }

/* R-11 for the IOARCB: the event and PERM_ERR, in either order. */
static void bad_command(void *arg)
{
    unsigned storage = 0, errors = 0;

    (void)arg;
    both_up();
    conf_write(&user, AFU_HOST_CTX_CTRL, AFU_LISN_SYNC_ERROR);
    conf_write(&user, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    conf_write(&user, AFU_HOST_IOARRIN, 0x1000);
    for (unsigned i = 0; i < 2; i++) {
        struct hal_event ev = next_event(&user);

        storage += ev.kind == HAL_EVENT_DATA_STORAGE && ev.address == 0x1000;
        errors += ev.kind == HAL_EVENT_AFU_INTERRUPT && ev.number == AFU_LISN_SYNC_ERROR;
    }
    cr_assert_eq(storage, 1);
    cr_assert_eq(errors, 1);
    cr_assert_eq(conf_read(&user, AFU_HOST_INTR_STATUS), AFU_INTR_PERM_ERR_RCB_READ);
    both_down();
}

Test(sim_backend, a_bad_command_address_is_two_events) { run(bad_command); }

/* More faults than one, each an event of its own; a fault goes before an interrupt. */
static void many_events(void *arg)
{
    (void)arg;
    both_up();
    for (unsigned i = 0; i < 3; i++) {
        conf_rw(&user, i, false, 0, i);
        user.pair[i].ioarcb.data_ea = xe64_of(HAL_ORDER_HOST, 0x100 * (i + 1));
        conf_ring(&user, i);
    }
    conf_rw(&user, 3, false, 0, 0);
    user.pair[3].ioarcb.msi = AFU_LISN_RRQ;
    cr_assert_eq(conf_do(&user, 3), 0);
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + MS), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_eq(next_event(&user).address, 0x100 * (i + 1));
    cr_assert_eq(next_event(&user).kind, HAL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(next_event(&user).kind, HAL_EVENT_NONE);
    both_down();
}

Test(sim_backend, faults_queue_and_go_first) { run(many_events); }

/* ---- an event and an interrupt at the same moment ----------------------------------------------
 */

/* A drive without an execution contract: its waits are interrupted, in the moment in which what is
 * under way in the device has arrived too. */
static void fake_enter(struct sim_drive *d) { (void)d; }

static void fake_until(struct sim_drive *d, uint64_t cycle)
{
    sim_engine_run(&d->machine->engine, cycle);
}

static int fake_wait(struct sim_drive *d, uint64_t key, uint64_t deadline)
{
    (void)key;
    (void)deadline;
    fake_until(d, d->machine->engine.now + 100000);
    return -EINTR;
}

static void fake_poll(struct sim_drive *d, uint64_t key)
{
    (void)key;
    fake_until(d, d->machine->engine.now + 1000);
}

static void fake_store(struct sim_drive *d, uint64_t *addr, uint64_t value)
{
    (void)d;
    *addr = value;
}

static uint64_t fake_publish(struct sim_drive *d)
{
    (void)d;
    return 0;
}

static const struct sim_drive_ops fake_ops = {
    .enter = fake_enter,
    .leave = fake_enter,
    .point = fake_enter,
    .enter_to_store = fake_enter,
    .until = fake_until,
    .wait = fake_wait,
    .poll = fake_poll,
    .store = fake_store,
    .publish = fake_publish,
    .destroy = fake_enter,
};

Test(sim_backend, neither_event_nor_interrupt_is_lost)
{
    struct sim_drive fake = {
        .ops = &fake_ops, .exec = sim.env.exec, .machine = sim_host_machine(sim.host)};
    struct hal_conformance env = sim.env;
    struct hal_event ev;

    cr_assert_eq(sim_backend_open(&fake, sim_host_afu(sim.host, 0), &env.dev), 0);
    conf_client_up(&master, &env, NULL);
    conf_sync(&master, 0, AFU_SYNC_LW, &master, 0);
    master.pair[0].ioarcb.msi = AFU_LISN_RRQ;
    conf_ring(&master, 0);
    cr_assert_eq(hal_event_wait(master.ctx, EXEC_FOREVER, &ev), -EINTR);
    cr_assert_eq(ev.kind, HAL_EVENT_NONE);
    cr_assert_eq(hal_event_wait(master.ctx, EXEC_FOREVER, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_AFU_INTERRUPT);
    cr_assert_eq(hal_event_wait(master.ctx, EXEC_FOREVER, &ev), -EINTR);
    conf_client_down(&master);
    hal_close(env.dev);
}

/* ---- what reaches the trace -------------------------------------------------------------------
 */

static struct sim_trace_record seen[64];
static size_t seen_count;

/* Keeps what the host tells, not what the device does. */
static void keep(void *arg, const struct sim_trace_record *r, size_t count)
{
    (void)arg;
    for (size_t i = 0; i < count && seen_count < 64; i++)
        if (r[i].kind == SIM_EVENT_NOTE || r[i].kind == SIM_EVENT_TABLE_STORE ||
            r[i].kind == SIM_EVENT_PUBLISH)
            seen[seen_count++] = r[i];
}

static void tell(void *arg)
{
    uint64_t *table = exec_alloc(sim.env.exec, 256, 128);

    (void)arg;
    cr_assert_eq(hal_mem_register(sim.env.dev, table, 256, "table"), 0);
    hal_note(sim.env.dev, HAL_NOTE_STATE, 5, 6);
    hal_table_store(sim.env.dev, &table[3], be64_of(42).raw);
    hal_publish(sim.env.dev);
    hal_mem_release(sim.env.dev, table);
    exec_free(sim.env.exec, table, 256);
}

/* Addresses are region and offset, words are what the table owner means (it is big endian after a
 * reset), so that the trace is the same on every host. */
Test(sim_backend, notes_and_table_stores_are_traced)
{
    struct sim_trace *trace = &sim_host_machine(sim.host)->trace;

    sim_trace_set_sink(trace, keep, NULL);
    run(tell);
    sim_trace_set_sink(trace, NULL, NULL);
    cr_assert_eq(seen_count, 3);
    cr_assert(seen[0].kind == SIM_EVENT_NOTE && seen[0].who == HAL_NOTE_STATE && seen[0].a == 5 &&
              seen[0].b == 6);
    cr_assert_eq(seen[1].kind, SIM_EVENT_TABLE_STORE);
    cr_assert_eq(seen[1].a, 24, "it is 0x%llx", (unsigned long long)seen[1].a);
    cr_assert_eq(seen[1].b, 42);
    cr_assert_eq(seen[2].kind, SIM_EVENT_PUBLISH);
}

/* ---- contract details -------------------------------------------------------------------------
 */

static void failed_start(void *arg)
{
    struct hal_ctx *ctx[2];

    (void)arg;
    ctx[0] = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS); /* takes handle 0 */
    cr_assert_eq(hal_ctx_create(sim.env.dev, HAL_CTX_USER, &ctx[1]), 0);
    cr_assert_eq(hal_ctx_start(ctx[1], 2), -EINVAL);
    cr_assert_eq(ctx[1]->handle, 1);
    cr_assert_eq(hal_ctx_start(ctx[1], 3), 0);
    cr_assert_eq(ctx[1]->handle, 1);
    hal_ctx_release(ctx[0]);
    hal_ctx_release(ctx[1]);
}

Test(sim_backend, a_failed_start_keeps_the_handle) { run(failed_start); }

/* Register accesses and looks for events are scheduling points, as design and docs promise. */
static void count_points(void *arg)
{
    struct hal_ctx *ctx = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct sched *sched = sim_host_sched(sim.host);
    struct hal_event ev;
    uint64_t before;

    (void)arg;
    before = sched_stats(sched).points;
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0);
    cr_assert_gt(sched_stats(sched).points, before, "a store");
    before = sched_stats(sched).points;
    cr_assert_eq(hal_event_wait(ctx, 0, &ev), 0);
    cr_assert_gt(sched_stats(sched).points, before, "a look");
    hal_ctx_release(ctx);
}

Test(sim_backend, accesses_are_scheduling_points) { run(count_points); }

/* ---- a clock that stops within a cycle ---------------------------------------------------------
 */

TestSuite(sim_backend_pair, .timeout = 30);

static void wait_for_error(void *arg)
{
    struct hal_event ev;

    cr_assert_eq(hal_event_wait(arg, EXEC_FOREVER, &ev), 0);
    cr_assert_eq(ev.number, AFU_LISN_SYNC_ERROR);
}

/* A store to one adapter brings news, and so stops the clock, in the cycle in which a load of
 * another adapter should be answered, or room for a store should be made: both must go on. */
static void access_in_the_same_cycle(void *arg)
{
    const uint64_t *stores = arg;
    struct hal_ctx *first = conf_context(&sim.env, HAL_CTX_USER, CONF_INTERRUPTS), *second;
    struct hal_dev *other = sim_host_device(sim.host, 1);
    struct exec_thread *t;

    cr_assert_eq(hal_ctx_create(other, HAL_CTX_USER, &second), 0);
    cr_assert_eq(hal_ctx_start(second, CONF_INTERRUPTS), 0);
    plan("lisn#1=2"); /* the first message comes at once, too */
    cr_assert_eq(exec_thread_create(sim.env.exec, "waiter", wait_for_error, first, &t), 0);
    hal_reg_write64(first, AFU_HOST_CTX_CTRL, AFU_LISN_SYNC_ERROR);
    hal_reg_write64(first, AFU_HOST_IOARRIN, 8); /* not aligned: an error, still masked */
    (void)hal_reg_read64(first, AFU_HOST_INTR_STATUS);
    cr_assert_eq(exec_sleep_until(sim.env.exec, exec_now(sim.env.exec) + MS), 0);
    hal_reg_write64(first, AFU_HOST_INTR_MASK, AFU_INTR_MASK_NONE);
    for (uint64_t i = 1; i <= *stores; i++)
        hal_reg_write64(second, AFU_HOST_RRQ_START, 8 * i);
    cr_assert_eq(hal_reg_read64(second, AFU_HOST_RRQ_START), 8 * *stores);
    exec_thread_join(sim.env.exec, t);
    hal_ctx_release(first);
    hal_ctx_release(second);
}

Test(sim_backend_pair, accesses_end_though_the_clock_stops)
{
    uint64_t stores[2] = {0, 300}; /* more than the model holds */
    struct sim_host_config config = {.seed = 1, .adapters = 2};
    struct sim_params params;

    cr_assert_eq(sim_params_profile(&params, "zero"), 0);
    config.params = &params;
    for (config.seed = 1; config.seed <= 20; config.seed++) {
        conf_sim_up(&sim, &config);
        conf_sim_run(&sim, access_in_the_same_cycle, &stores[config.seed % 2]);
        sim.breaks = SIM_RULE_DOORBELL_ALIGN;
        conf_sim_down(&sim);
    }
}

/* ---- out of memory ----------------------------------------------------------------------------
 */

TestSuite(sim_backend_memory, .timeout = 30);

/* Takes all that is left in the world. */
static void fill_world(void)
{
    for (size_t size = (size_t)1 << 24; size >= 16; size /= 2)
        while (sim_world_alloc(sim_host_world(sim.host), size, 16))
            ;
}

static void up_small(void)
{
    struct sim_host_config config = {.seed = 1, .world_bytes = (size_t)8 << 20};

    conf_sim_up(&sim, &config);
}

static void down_full(void)
{
    cr_assert_gt(sim_host_destroy(sim.host), 0);
    sim_media_close(sim.media);
}

Test(sim_backend_memory, a_device)
{
    struct sim_drive *drive;
    struct hal_dev *dev;

    up_small();
    fill_world();
    cr_assert_eq(sim_drive_sched(sim_host_sched(sim.host), sim_host_machine(sim.host), &drive),
                 -ENOMEM);
    drive = &(struct sim_drive){.exec = sim.env.exec};
    cr_assert_eq(sim_backend_open(drive, sim_host_afu(sim.host, 0), &dev), -ENOMEM);
    down_full();
}

static void create(void)
{
    size_t before = sim_world_used(sim_host_world(sim.host));
    struct hal_ctx *ctx = NULL;

    cr_assert_eq(hal_ctx_create(sim.env.dev, HAL_CTX_USER, &ctx), -ENOMEM);
    cr_assert_null(ctx);
    cr_assert_eq(sim.env.dev->open_contexts, 0);
    cr_assert_eq(sim_world_used(sim_host_world(sim.host)), before);
}

/* Once nothing is left at all, once only what the model needs is missing: its contexts are larger
 * than the back end's. */
static void create_twice(void *arg)
{
    struct sim_world *world = sim_host_world(sim.host);
    void *spare[8];

    (void)arg;
    for (size_t i = 0; i < 8; i++)
        spare[i] = sim_world_alloc(world, 16 * (i + 1), 64);
    fill_world();
    create();
    for (size_t i = 0; i < 8; i++)
        sim_world_free(world, spare[i], 16 * (i + 1));
    create();
}

Test(sim_backend_memory, a_context)
{
    up_small();
    run(create_twice);
    down_full();
}
