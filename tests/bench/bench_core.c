/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/bench_core.h"

#include <stdlib.h>
#include <string.h>

#include "core/context/context.h"
#include "hal/hal_nosys.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

enum {
    ROOM = 16, /* credits the device grants at a time: the default of the model (MD-3) */
    BLOCK_SHIFT = 12,
    BLOCK = 1 << BLOCK_SHIFT,
    HANDLE = 7,
};

/* The device: doorbells go into an array, and device_run() answers them in the RRQ. */
struct device {
    struct hal_dev hal;
    struct hal_ctx ctx;
    struct spipe__queue *queue;
    uint64_t bells[BENCH_CORE_BATCH_MAX];
    unsigned bell_count;
    uint64_t *rrq_at;
    uint64_t toggle;
};

/* The execution environment: memory and a clock that stands still. */
struct bench_core {
    struct exec exec;
    struct device device;
    struct spipe_ctx ctx;
    struct spipe_io ios[BENCH_CORE_BATCH_MAX];
    struct spipe_completion done[BENCH_CORE_BATCH_MAX];
    uint64_t clock;
    unsigned batch;
    unsigned char *data;
};

/* ---- the device ---- */

void bench_core_device_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct device *d = HAL_CONTAINER_OF(ctx, struct device, ctx);

    if (offset == AFU_HOST_IOARRIN)
        d->bells[d->bell_count++] = value;
}

static uint64_t device_read(struct hal_ctx *ctx, uint64_t offset)
{
    (void)ctx;
    return offset == AFU_HOST_CMD_ROOM ? ROOM : 0;
}

static int device_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    (void)dev, (void)addr, (void)size, (void)name;
    return 0;
}

static void device_run(struct device *d)
{
    const struct spipe__queue *q = d->queue;

    for (unsigned i = 0; i < d->bell_count; i++) {
        *d->rrq_at = hal_swap64(q->order, d->bells[i] | d->toggle);
        if (d->rrq_at++ == q->rrq_last) {
            d->rrq_at = q->rrq;
            d->toggle ^= 1;
        }
    }
    d->bell_count = 0;
}

static void device_init(struct device *d, struct spipe__queue *q)
{
    static struct hal_ops ops; /* hal_nosys_ops with three slots of our own */

    ops = hal_nosys_ops;
    ops.reg_write64 = bench_core_device_write;
    ops.reg_read64 = device_read;
    ops.mem_register = device_register;
    hal_dev_init(&d->hal, &ops);
    d->ctx = (struct hal_ctx){
        .ops = &ops, .dev = &d->hal, .kind = HAL_CTX_USER, .started = true, .handle = 3};
    d->queue = q;
    d->toggle = 1;
}

/* ---- the execution environment ---- */

static uint64_t bench_now(struct exec *e)
{
    return HAL_CONTAINER_OF(e, struct bench_core, exec)->clock;
}

static void *bench_alloc(struct exec *e, size_t size, size_t align)
{
    void *p = NULL;

    (void)e;
    if (posix_memalign(&p, hal_max64(align, sizeof(void *)), size))
        return NULL;
    return memset(p, 0, size);
}

static void bench_free(struct exec *e, void *p, size_t size)
{
    (void)e, (void)size;
    free(p);
}

/* Only what a queue uses; a call of any other slot stops the program. */
static const struct exec_ops bench_exec_ops = {
    .name = "bench", .now = bench_now, .mem_alloc = bench_alloc, .mem_free = bench_free};

/* ---- the loop around it ---- */

static void prepare_ios(struct bench_core *b)
{
    for (unsigned i = 0; i < b->batch; i++) {
        b->ios[i] = (struct spipe_io){.tag = i,
                                      .lba = UINT64_C(0x2ABCD) + i,
                                      .buffer = b->data,
                                      .blocks = 1,
                                      .handle = HANDLE,
                                      .op = SPIPE_READ};
    }
}

uint64_t bench_core_run(struct bench_core *b, uint64_t rounds)
{
    uint64_t ended = 0;

    prepare_ios(b);
    for (uint64_t r = 0; r < rounds; r++) {
        CHECK(spipe_submit(&b->ctx, b->ios, b->batch) == (int)b->batch);
        device_run(&b->device);
        CHECK(spipe_poll(&b->ctx, b->done, b->batch) == b->batch);
        for (unsigned i = 0; i < b->batch; i++)
            ended += b->done[i].status == 0;
    }
    return ended;
}

static int start(struct bench_core *b, bool swapped)
{
    enum hal_order other = HAL_ORDER_HOST == HAL_ORDER_BIG ? HAL_ORDER_LITTLE : HAL_ORDER_BIG;
    struct spipe__queue_config config = {.order = swapped ? other : HAL_ORDER_HOST,
                                         .depth = b->batch,
                                         .rrq_elements = 2 * BENCH_CORE_BATCH_MAX,
                                         .name = "bench"};
    int rc = spipe__queue_init(&b->ctx.queue, &b->exec, &b->device.hal, &config);

    if (rc)
        return rc;
    spipe__queue_bind(&b->ctx.queue, &b->device.ctx);
    b->ctx.block_shift[HANDLE] = BLOCK_SHIFT;
    b->device.rrq_at = b->ctx.queue.rrq;
    return 0;
}

struct bench_core *bench_core_create(unsigned batch, bool swapped)
{
    struct bench_core *b = calloc(1, sizeof *b);

    CHECK(batch >= 1 && batch <= BENCH_CORE_BATCH_MAX);
    if (!b)
        return NULL;
    b->exec.ops = &bench_exec_ops;
    b->batch = batch;
    b->data = calloc(1, BLOCK);
    device_init(&b->device, &b->ctx.queue);
    if (b->data && start(b, swapped) == 0)
        return b;
    free(b->data);
    free(b);
    return NULL;
}

void bench_core_destroy(struct bench_core *b)
{
    if (!b)
        return;
    spipe__queue_fini(&b->ctx.queue);
    free(b->data);
    free(b);
}
