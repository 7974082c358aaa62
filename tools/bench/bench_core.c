/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/bench/bench_core.h"

#include <stdlib.h>
#include <string.h>

#include "core/queue.h"
#include "hal/hal_nosys.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

enum {
    ROOM = 16, /* credits the device grants at a time: the default of the model (MD-3) */
    BLOCK = 4096,
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
    struct spipe__queue queue;
    struct spipe_io ios[BENCH_CORE_BATCH_MAX];
    struct spipe_completion done[BENCH_CORE_BATCH_MAX];
    uint64_t clock;
    unsigned batch;
    unsigned char *data;
};

/* ---- the device ---- */

static void device_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
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
    ops.reg_write64 = device_write;
    ops.reg_read64 = device_read;
    ops.mem_register = device_register;
    hal_dev_init(&d->hal, &ops);
    d->ctx = (struct hal_ctx){
        .ops = &ops, .dev = &d->hal, .kind = HAL_CTX_USER, .started = true, .handle = 3};
    d->queue = q;
    d->toggle = 1;
}

/* ---- the execution environment ---- */

static uint64_t bench_now(struct exec *e) { return HAL_CONTAINER_OF(e, struct bench_core, exec)->clock; }

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

/* ---- what is measured ---- */

__attribute__((noinline)) unsigned bench_core_submit(struct bench_core *b,
                                                     const struct spipe_io *ios, unsigned n)
{
    struct spipe__queue *q = &b->queue;
    uint64_t now = exec_now(&b->exec);
    unsigned i;

    for (i = 0; i < n; i++) {
        const struct spipe_io *io = &ios[i];
        uint32_t slot;

        if (!spipe__queue_room(q))
            break;
        slot = spipe__queue_take(q);
        if (slot == SPIPE__SLOT_NONE)
            break;
        spipe__queue_fill_io(q, slot, io->op == SPIPE_WRITE, io->handle, io->lba, io->blocks,
                             io->buffer, io->blocks * BLOCK);
        spipe__queue_send(q, slot, io->tag, now);
    }
    return i;
}

__attribute__((noinline)) unsigned bench_core_harvest(struct bench_core *b,
                                                      struct spipe_completion *out, unsigned max)
{
    struct spipe__queue *q = &b->queue;
    unsigned n;

    for (n = 0; n < max; n++) {
        bool lost;
        int status;
        uint32_t slot = spipe__queue_next(q, &lost, &status);

        if (slot == SPIPE__SLOT_NONE)
            break;
        CHECK(!lost && afu_rc_good(&spipe__queue_ioasa(q, slot)->rc));
        out[n] = (struct spipe_completion){.tag = spipe__queue_tag(q, slot)};
        spipe__queue_done(q, slot);
    }
    return n;
}

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
        CHECK(bench_core_submit(b, b->ios, b->batch) == b->batch);
        device_run(&b->device);
        ended += bench_core_harvest(b, b->done, b->batch);
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
    int rc = spipe__queue_init(&b->queue, &b->exec, &b->device.hal, &config);

    if (rc)
        return rc;
    spipe__queue_bind(&b->queue, &b->device.ctx);
    b->device.rrq_at = b->queue.rrq;
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
    device_init(&b->device, &b->queue);
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
    spipe__queue_fini(&b->queue);
    free(b->data);
    free(b);
}
