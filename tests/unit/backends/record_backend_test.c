/* SPDX-License-Identifier: Apache-2.0 */
/* The stopwatch: what it measures over a device whose times are chosen, in both byte orders and
 * both ways of submission, and that everything passes through. */
#include "backends/record/record_backend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/hal_nosys.h"
#include "hal/support/bits.h"
#include "tests/testlib/fake_exec.h"

#define HANDLE 5
#define ELEMENTS 4
#define SAMPLES_MAX 256

/* ---- a device below: its accesses take time on a clock that nothing else moves ---- */

static uint64_t clock_ns, load_value;
static uint64_t last_store[2]; /* offset, value */
static struct hal_event event; /* of the next wait */
static unsigned progressed;

static int below_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    static struct hal_ctx made[2];
    struct hal_ctx *c = &made[kind];

    (void)dev;
    *c = (struct hal_ctx){.handle = HANDLE};
    *out = c;
    return 0;
}

static int below_start(struct hal_ctx *ctx, unsigned interrupts)
{
    (void)ctx, (void)interrupts;
    return 0;
}

static int below_stop(struct hal_ctx *ctx)
{
    (void)ctx;
    return 0;
}

static uint64_t below_load(struct hal_ctx *ctx, uint64_t offset)
{
    (void)ctx, (void)offset;
    clock_ns += 1000;
    return load_value;
}

static void below_store(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    (void)ctx;
    clock_ns += 20;
    last_store[0] = offset;
    last_store[1] = value;
}

static int below_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    (void)ctx, (void)deadline;
    clock_ns += 5000;
    *out = event;
    return event.kind == HAL_EVENT_DEVICE_LOST ? -EIO : 0;
}

static void below_progress(struct hal_ctx *ctx)
{
    (void)ctx;
    progressed++;
}

static int below_reset(struct hal_dev *dev)
{
    (void)dev;
    clock_ns += 1000000;
    return 0;
}

/* ---- the recorder above it ---- */

static struct fake_exec exec;
static struct hal_ops ops;
static struct hal_dev below;
static struct record_config config;
static struct hal_dev *dev;
static struct hal_ctx *ctx;
static struct record_sample sample[SAMPLES_MAX];
static unsigned samples;

/* What core and AFU share. */
static struct afu_cmd_pair pair[80];
static struct afu_ioarcb ring[4];
static uint64_t rrq[128];
static enum hal_order order;

static uint64_t now(void *arg)
{
    (void)arg;
    return clock_ns;
}

static void take(void *arg, const struct record_sample *s)
{
    cr_assert_eq(arg, (void *)&config);
    if (s->kind != RECORD_LOAD && s->kind != RECORD_STORE) {
        cr_assert_lt(samples, SAMPLES_MAX);
        sample[samples++] = *s;
    }
}

static void up(void)
{
    fake_exec_init(&exec, 1);
    ops = hal_nosys_ops;
    ops.ctx_create = below_create;
    ops.ctx_start = below_start;
    ops.ctx_stop = below_stop;
    ops.reg_read64 = below_load;
    ops.reg_write64 = below_store;
    ops.event_wait = below_wait;
    ops.progress = below_progress;
    ops.afu_reset = below_reset;
    hal_dev_init(&below, &ops);
    below.card = 0x04F0;
    config = (struct record_config){&exec.exec, now, NULL, take, &config};
    cr_assert_eq(record_backend_open(&below, &config, &dev), 0);
    cr_assert_eq(dev->card, 0x04F0);
    clock_ns = 100;
}

static void down(void)
{
    hal_close(dev);
    cr_assert_eq(exec.blocks, 0);
}

TestSuite(record_backend, .init = up, .fini = down);

static uint64_t page(void) { return ctx->kind == HAL_CTX_MASTER ? AFU_HOST_BASE(HANDLE) : 0; }

static uint64_t address(const void *p) { return (uint64_t)(uintptr_t)p; }

static void store(uint64_t reg, uint64_t value) { hal_reg_write64(ctx, page() + reg, value); }

static void start(enum hal_ctx_kind kind, enum hal_order of, unsigned elements)
{
    order = of;
    cr_assert_eq(hal_ctx_create(dev, kind, &ctx), 0);
    cr_assert_eq(ctx->handle, HANDLE);
    cr_assert_eq(hal_ctx_start(ctx, 1), 0);
    store(AFU_HOST_ENDIAN_CTRL, of == HAL_ORDER_BIG ? UINT64_C(0x8000000000000080) : UINT64_C(0));
    store(AFU_HOST_RRQ_START, address(rrq));
    store(AFU_HOST_RRQ_END, address(rrq + elements - 1));
}

/* Rings the doorbell of a command. */
static void submit(unsigned i, uint8_t opcode, uint32_t bytes)
{
    pair[i].ioarcb.cdb[0] = opcode;
    pair[i].ioarcb.data_len = xe32_of(order, bytes);
    pair[i].ioarcb.req_flags = xe16_of(order, opcode == 0xC0 ? AFU_REQ_AFU_CMD : 0);
    store(AFU_HOST_IOARRIN, address(&pair[i]));
}

/* The AFU posts an element. */
static void respond(unsigned element, const void *what, bool toggle)
{
    rrq[element] = xe64_of(order, address(what) | toggle).raw;
}

static void is(unsigned i, enum record_kind kind, uint8_t opcode, uint32_t bytes, uint64_t ns,
               bool alone)
{
    cr_assert_lt(i, samples);
    cr_assert_eq(sample[i].kind, kind);
    cr_assert_eq(sample[i].opcode, opcode);
    cr_assert_eq(sample[i].bytes, bytes);
    cr_assert_eq(sample[i].ns, ns, "%llu ns", (unsigned long long)sample[i].ns);
    cr_assert_eq(sample[i].alone, alone);
}

/* ---- registers ---- */

static struct record_sample register_sample;

static void take_register(void *arg, const struct record_sample *s)
{
    (void)arg;
    register_sample = *s;
}

Test(record_backend, loads_stores_resets)
{
    config.sample = take_register;
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    load_value = 77;
    cr_assert_eq(hal_reg_read64(ctx, 0x38), 77);
    cr_assert_eq(register_sample.kind, RECORD_LOAD);
    cr_assert_eq(register_sample.ns, 1000);
    hal_reg_write64(ctx, 0x48, 9);
    cr_assert_eq(register_sample.kind, RECORD_STORE);
    cr_assert_eq(register_sample.ns, 20);
    cr_assert_eq(last_store[0], 0x48);
    cr_assert_eq(last_store[1], 9);
    load_value = UINT64_MAX;
    cr_assert_eq(hal_reg_read64(ctx, 0x38), UINT64_MAX);
    cr_assert_eq(register_sample.kind, RECORD_STORE, "a dead card is no measurement");
    hal_ctx_release(ctx);
    cr_assert_eq(hal_afu_reset(dev), 0);
    cr_assert_eq(register_sample.kind, RECORD_AFU_RESET);
    cr_assert_eq(register_sample.ns, 1000000);
}

/* ---- commands ---- */

static void one_command(enum hal_ctx_kind kind, enum hal_order of)
{
    samples = 0;
    memset(rrq, 0, sizeof rrq);
    start(kind, of, ELEMENTS);
    submit(0, 0x88, 4096);
    hal_progress(ctx);
    cr_assert_eq(samples, 0);
    clock_ns += 140000;
    respond(0, &pair[0], true);
    hal_progress(ctx);
    cr_assert_eq(samples, 1);
    is(0, RECORD_COMMAND, 0x88, 4096, 140020, true); /* its own store included */
    cr_assert_not(sample[0].afu_command);
    hal_progress(ctx);
    cr_assert_eq(samples, 1, "once");
    hal_ctx_release(ctx);
}

Test(record_backend, one_command)
{
    one_command(HAL_CTX_USER, HAL_ORDER_LITTLE);
    one_command(HAL_CTX_USER, HAL_ORDER_BIG);
    one_command(HAL_CTX_MASTER, HAL_ORDER_LITTLE);
    one_command(HAL_CTX_MASTER, HAL_ORDER_BIG);
    cr_assert_eq(progressed, 12);
}

/* Two rounds of the ring and more: the toggle bit turns at its end. */
Test(record_backend, the_ring_goes_round)
{
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    for (unsigned i = 0; i < 3 * ELEMENTS; i++) {
        submit(0, 0xC0, 0);
        respond(i % ELEMENTS, &pair[0], i / ELEMENTS % 2 == 0);
        hal_progress(ctx);
        cr_assert_eq(samples, i + 1);
        cr_assert(sample[i].afu_command);
    }
    hal_ctx_release(ctx);
}

/* Whoever had company was not alone, before or after. */
Test(record_backend, alone)
{
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    submit(0, 0x88, 4096);
    submit(1, 0x8A, 8192);
    respond(0, &pair[1], true);
    hal_progress(ctx);
    respond(1, &pair[0], true);
    hal_progress(ctx);
    is(0, RECORD_COMMAND, 0x8A, 8192, 20, false);
    is(1, RECORD_COMMAND, 0x88, 4096, 40, false);
    submit(2, 0x88, 512);
    respond(2, &pair[2], true);
    hal_progress(ctx);
    is(2, RECORD_COMMAND, 0x88, 512, 20, true);
    hal_ctx_release(ctx);
}

Test(record_backend, found_by_registers_and_events)
{
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    submit(0, 0x88, 4096);
    respond(0, &pair[0], true);
    store(AFU_HOST_MBOX_W, 0);
    is(0, RECORD_COMMAND, 0x88, 4096, 20, true);
    submit(0, 0x88, 4096);
    respond(1, &pair[0], true);
    (void)hal_reg_read64(ctx, 0x38);
    is(1, RECORD_COMMAND, 0x88, 4096, 1020, true);
    hal_ctx_release(ctx);
}

/* Only the interrupt of the RRQ is one of commands; what was there before is seen before. */
Test(record_backend, interrupts)
{
    struct hal_event ev;

    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    event = (struct hal_event){HAL_EVENT_AFU_INTERRUPT, AFU_LISN_RRQ, 0, 0};
    submit(0, 0x88, 4096);
    respond(0, &pair[0], true);
    cr_assert_eq(hal_event_wait(ctx, EXEC_FOREVER, &ev), 0);
    is(0, RECORD_COMMAND, 0x88, 4096, 20, true);
    cr_assert_eq(ev.number, AFU_LISN_RRQ);
    hal_ctx_release(ctx);
}

static int wait_and_respond(struct hal_ctx *c, uint64_t deadline, struct hal_event *out)
{
    respond(0, &pair[0], true);
    return below_wait(c, deadline, out);
}

static void woken_by(uint32_t lisn, enum record_kind kind)
{
    struct hal_event ev;

    samples = 0;
    memset(rrq, 0, sizeof rrq);
    ops.event_wait = wait_and_respond;
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    event = (struct hal_event){HAL_EVENT_AFU_INTERRUPT, lisn, 0, 0};
    submit(0, 0x8A, 4096);
    cr_assert_eq(hal_event_wait(ctx, EXEC_FOREVER, &ev), 0);
    is(0, kind, 0x8A, 4096, 5020, true);
    hal_ctx_release(ctx);
}

Test(record_backend, woken)
{
    woken_by(AFU_LISN_RRQ, RECORD_INTERRUPT);
    woken_by(AFU_LISN_SYNC_ERROR, RECORD_COMMAND);
}

/* SL 10.2: the doorbell is the new tail, the element the address of the IOASA. */
Test(record_backend, submission_queue)
{
    start(HAL_CTX_USER, HAL_ORDER_BIG, ELEMENTS);
    store(AFU_HOST_SQ_START, address(ring));
    store(AFU_HOST_SQ_END, address(ring + 3));
    for (unsigned i = 0; i < 4; i++) {
        ring[i].cdb[0] = 0x88;
        ring[i].data_len = xe32_of(order, 4096 * (i + 1));
        ring[i].ioasa = xe64_of(order, address(&pair[i].ioasa));
    }
    store(AFU_HOST_SQ_TAIL, address(ring + 2));
    respond(0, &pair[1].ioasa, true);
    respond(1, &pair[0].ioasa, true);
    hal_progress(ctx);
    is(0, RECORD_COMMAND, 0x88, 8192, 20, false);
    is(1, RECORD_COMMAND, 0x88, 4096, 20, false);
    store(AFU_HOST_SQ_TAIL, address(ring + 3));
    store(AFU_HOST_SQ_TAIL, address(ring + 1)); /* around its end */
    respond(2, &pair[2].ioasa, true);
    respond(3, &pair[3].ioasa, true);
    respond(0, &pair[0].ioasa, false);
    hal_progress(ctx);
    cr_assert_eq(samples, 5);
    is(3, RECORD_COMMAND, 0x88, 16384, 20, false);
    is(4, RECORD_COMMAND, 0x88, 4096, 20, false);
    hal_ctx_release(ctx);
}

/* A reset of the context, a stop and a loss take its commands along. */
Test(record_backend, what_ends_commands)
{
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    submit(0, 0x88, 4096);
    store(AFU_HOST_IOARRIN, AFU_CTX_RESET);
    submit(1, 0x88, 512);
    respond(0, &pair[1], true);
    hal_progress(ctx);
    is(0, RECORD_COMMAND, 0x88, 512, 20, true);
    submit(0, 0x88, 4096);
    store(AFU_HOST_SQ_CTX_RESET, AFU_CTX_RESET);
    submit(2, 0x88, 512);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    hal_ctx_release(ctx);
    memset(rrq, 0, sizeof rrq);
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    submit(0, 0x88, 4096);
    hal_ctx_lose(ctx);
    respond(0, &pair[0], true);
    hal_progress(ctx);
    cr_assert_eq(samples, 1, "nobody looks into the memory of a lost context");
    hal_ctx_release(ctx);
    memset(rrq, 0, sizeof rrq);
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    submit(0, 0x88, 512);
    respond(0, &pair[0], true);
    hal_progress(ctx);
    is(1, RECORD_COMMAND, 0x88, 512, 20, true);
    hal_ctx_release(ctx);
}

/* A context that does not run has no commands, and whatever is stored leads nowhere. */
Test(record_backend, stores_of_a_stopped_context)
{
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, ELEMENTS);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    store(AFU_HOST_IOARRIN, 0x5A5A5A5A5A5A5A00);
    cr_assert_eq(last_store[1], 0x5A5A5A5A5A5A5A00);
    cr_assert_eq(samples, 0);
    hal_ctx_release(ctx);
}

/* More than it has room for are counted, and the others measured. */
Test(record_backend, more_than_it_can_hold)
{
    start(HAL_CTX_USER, HAL_ORDER_LITTLE, 128);
    for (unsigned i = 0; i < 70; i++)
        submit(i, 0x88, 512);
    cr_assert_eq(record_backend_missed(dev), 6);
    for (unsigned i = 0; i < 70; i++)
        respond(i, &pair[i], true);
    hal_progress(ctx);
    cr_assert_eq(samples, 64);
    submit(0, 0x88, 512);
    respond(70, &pair[0], true);
    hal_progress(ctx);
    is(64, RECORD_COMMAND, 0x88, 512, 20, true);
    hal_ctx_release(ctx);
}

Test(record_backend, what_fails_below_fails_above)
{
    char vpd[8];
    size_t length;

    cr_assert_eq(hal_vpd_read(dev, vpd, sizeof vpd, &length), -ENOSYS);
    cr_assert_eq(hal_reload_same_image(dev, true), -ENOSYS);
    ops.afu_reset = hal_nosys_afu_reset;
    cr_assert_eq(hal_afu_reset(dev), -ENOSYS);
    cr_assert_eq(samples, 0);
    ops.ctx_create = hal_nosys_ctx_create;
    cr_assert_eq(hal_ctx_create(dev, HAL_CTX_USER, &ctx), -ENOSYS);
}
