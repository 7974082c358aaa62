/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/record/record_backend.h"

#include <errno.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/endian.h"

#define PENDING_MAX 64

struct device {
    struct hal_dev hal;
    struct hal_dev *below;
    const struct record_config *config;
    /* Held for moments only and never across a call that waits: commands of all contexts, and the
     * sink. */
    bool busy;
    uint64_t in_flight, submitted; /* commands of all contexts, with those that were missed */
    uint64_t missed;
};

/* A command under way. */
struct pending {
    uint64_t element; /* of the RRQ, without its toggle bit */
    uint64_t since;   /* ns */
    uint64_t number;  /* of the device's commands */
    struct record_sample sample;
};

struct context {
    struct hal_ctx hal;
    struct hal_ctx *below;
    struct device *dev;
    enum hal_order order;
    const uint64_t *rrq, *rrq_last, *rrq_at; /* NULL: not programmed */
    bool toggle;
    uint64_t sq_start, sq_end, sq_tail; /* addresses of slots; 0: not in SQ mode */
    struct pending pending[PENDING_MAX];
    unsigned pendings;
    uint64_t unknown; /* under way, but not in `pending` */
};

static struct device *device(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct device, hal);
}

static struct context *context(struct hal_ctx *ctx)
{
    return HAL_CONTAINER_OF(ctx, struct context, hal);
}

static uint64_t now(const struct device *d) { return d->config->now(d->config->now_arg); }

static void lock(struct device *d)
{
    while (__atomic_exchange_n(&d->busy, true, __ATOMIC_ACQUIRE))
        ;
}

static void unlock(struct device *d) { __atomic_store_n(&d->busy, false, __ATOMIC_RELEASE); }

static void give(const struct device *d, const struct record_sample *sample)
{
    d->config->sample(d->config->sample_arg, sample);
}

static void give_time(struct device *d, enum record_kind kind, uint64_t ns)
{
    const struct record_sample sample = {.kind = kind, .ns = ns};

    lock(d);
    give(d, &sample);
    unlock(d);
}

/* ---- commands under way; all of it locked -----------------------------------------------------
 */

static void forget(struct context *c)
{
    c->dev->in_flight -= c->pendings + c->unknown;
    c->pendings = 0;
    c->unknown = 0;
}

static void complete(struct context *c, uint64_t element, uint64_t at, enum record_kind kind)
{
    struct device *d = c->dev;

    for (unsigned i = 0; i < c->pendings; i++) {
        struct pending *p = &c->pending[i];

        if (p->element != element)
            continue;
        p->sample.kind = kind;
        p->sample.ns = at - p->since;
        p->sample.alone &= d->submitted == p->number;
        give(d, &p->sample);
        *p = c->pending[--c->pendings];
        d->in_flight--;
        return;
    }
    if (c->unknown) {
        c->unknown--;
        d->in_flight--;
    }
}

/* What has arrived in the RRQ since the last look, found at a time. */
static void look_at(struct context *c, uint64_t at, enum record_kind kind)
{
    while (c->rrq_at) {
        const xe64_t raw = {__atomic_load_n(c->rrq_at, __ATOMIC_ACQUIRE)};
        uint64_t element = xe64_get(c->order, raw);

        if (!element || afu_rrq_toggle(element) != c->toggle)
            return;
        complete(c, afu_rrq_ea(element), at, kind);
        if (c->rrq_at == c->rrq_last) {
            c->rrq_at = c->rrq;
            c->toggle = !c->toggle;
        } else {
            c->rrq_at++;
        }
    }
}

static void look(struct context *c, enum record_kind kind)
{
    uint64_t at = now(c->dev);

    lock(c->dev);
    look_at(c, at, kind);
    unlock(c->dev);
}

static void submit(struct context *c, const struct afu_ioarcb *rcb, uint64_t element, uint64_t at)
{
    struct device *d = c->dev;
    struct pending *p = &c->pending[c->pendings];

    d->submitted++;
    if (c->pendings == PENDING_MAX) {
        d->missed++;
        c->unknown++;
    } else {
        *p = (struct pending){
            .element = element,
            .since = at,
            .number = d->submitted,
            .sample = {.opcode = rcb->cdb[0],
                       .afu_command = xe16_get(c->order, rcb->req_flags) & AFU_REQ_AFU_CMD,
                       .alone = !d->in_flight,
                       .bytes = xe32_get(c->order, rcb->data_len)}};
        c->pendings++;
    }
    d->in_flight++;
}

static const struct afu_ioarcb *at_address(uint64_t address)
{
    return (const struct afu_ioarcb *)(uintptr_t)address; // NOLINT(performance-no-int-to-ptr)
}

/* Every slot from the old tail up to the new one (SL 10.2). */
static void submit_ring(struct context *c, uint64_t tail, uint64_t at)
{
    while (c->sq_tail != tail) {
        const struct afu_ioarcb *rcb = at_address(c->sq_tail);

        submit(c, rcb, xe64_get(c->order, rcb->ioasa), at);
        c->sq_tail = c->sq_tail == c->sq_end ? c->sq_start : c->sq_tail + AFU_SQ_SLOT_SIZE;
    }
}

/* ---- registers --------------------------------------------------------------------------------
 */

static uint64_t own_page(const struct context *c)
{
    return c->hal.kind == HAL_CTX_MASTER ? AFU_HOST_BASE(c->below->handle) : 0;
}

static void program_rrq(struct context *c, uint64_t start)
{
    forget(c);
    c->rrq = (const uint64_t *)at_address(start);
    c->rrq_at = NULL; /* it begins with its end */
    c->toggle = true;
}

/* A store of one of the context's own registers, before it is made. `at` is the time. */
static void note_store(struct context *c, uint64_t reg, uint64_t value, uint64_t at)
{
    switch (reg) {
    case AFU_HOST_ENDIAN_CTRL:
        c->order = value == AFU_ENDIAN_CTRL_BIG ? HAL_ORDER_BIG : HAL_ORDER_LITTLE;
        break;
    case AFU_HOST_RRQ_START:
        program_rrq(c, value);
        break;
    case AFU_HOST_RRQ_END:
        c->rrq_last = (const uint64_t *)at_address(value);
        c->rrq_at = c->rrq;
        break;
    case AFU_HOST_SQ_START:
        c->sq_start = c->sq_tail = value;
        break;
    case AFU_HOST_SQ_END:
        c->sq_end = value;
        break;
    case AFU_HOST_SQ_CTX_RESET:
        forget(c);
        c->sq_tail = c->sq_start;
        break;
    case AFU_HOST_SQ_TAIL:
        submit_ring(c, value, at);
        break;
    case AFU_HOST_IOARRIN:
        if (value == AFU_CTX_RESET)
            forget(c);
        else
            submit(c, at_address(value), value, at);
        break;
    default:
        break;
    }
}

static void reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct context *c = context(ctx);
    struct device *d = c->dev;
    uint64_t begin = now(d), page = own_page(c);

    lock(d);
    look_at(c, begin, RECORD_COMMAND);
    if (ctx->started && offset >= page && offset - page < AFU_HOST_REGS_END)
        note_store(c, offset - page, value, begin);
    unlock(d);
    hal_reg_write64(c->below, offset, value);
    give_time(d, RECORD_STORE, now(d) - begin);
}

static uint64_t reg_read64(struct hal_ctx *ctx, uint64_t offset)
{
    struct context *c = context(ctx);
    uint64_t begin = now(c->dev), value = hal_reg_read64(c->below, offset), end = now(c->dev);

    if (value != HAL_ALL_ONES) /* one that a dead card answers is no measurement */
        give_time(c->dev, RECORD_LOAD, end - begin);
    look(c, RECORD_COMMAND);
    return value;
}

static void progress(struct hal_ctx *ctx)
{
    hal_progress(context(ctx)->below);
    look(context(ctx), RECORD_COMMAND);
}

static int event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct context *c = context(ctx);
    bool woken;
    int rc;

    look(c, RECORD_COMMAND);
    rc = hal_event_wait(c->below, deadline, out);
    woken = !rc && out->kind == HAL_EVENT_AFU_INTERRUPT && out->number == AFU_LISN_RRQ;
    look(c, woken ? RECORD_INTERRUPT : RECORD_COMMAND);
    return rc;
}

/* ---- contexts ---------------------------------------------------------------------------------
 */

static int ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct device *d = device(dev);
    struct context *c = exec_alloc(d->config->exec, sizeof *c, 64);
    int rc;

    if (!c)
        return -ENOMEM;
    rc = hal_ctx_create(d->below, kind, &c->below);
    if (rc) {
        exec_free(d->config->exec, c, sizeof *c);
        return rc;
    }
    c->dev = d;
    c->hal.handle = c->below->handle;
    *out = &c->hal;
    return 0;
}

static int ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    return hal_ctx_start(context(ctx)->below, interrupts);
}

/* Its memory may go now: nothing is looked at any more. */
static void stop_looking(struct context *c)
{
    lock(c->dev);
    forget(c);
    c->rrq_at = NULL;
    unlock(c->dev);
}

static int ctx_stop(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    stop_looking(c);
    return hal_ctx_stop(c->below);
}

static void ctx_lose(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    stop_looking(c);
    hal_ctx_lose(c->below);
}

static void ctx_release(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    stop_looking(c);
    hal_ctx_release(c->below);
    exec_free(c->dev->config->exec, c, sizeof *c);
}

/* ---- the device -------------------------------------------------------------------------------
 */

static void close_device(struct hal_dev *dev)
{
    struct device *d = device(dev);

    exec_free(d->config->exec, d, sizeof *d);
}

static int afu_reset(struct hal_dev *dev)
{
    struct device *d = device(dev);
    uint64_t begin = now(d);
    int rc = hal_afu_reset(d->below);

    if (!rc)
        give_time(d, RECORD_AFU_RESET, now(d) - begin);
    return rc;
}

static int reload_same_image(struct hal_dev *dev, bool same)
{
    return hal_reload_same_image(device(dev)->below, same);
}

static int vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    return hal_vpd_read(device(dev)->below, buf, size, length);
}

static int mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    return hal_mem_register(device(dev)->below, addr, size, name);
}

static void mem_release(struct hal_dev *dev, void *addr)
{
    hal_mem_release(device(dev)->below, addr);
}

static void table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    hal_table_store(device(dev)->below, addr, value);
}

static void publish(struct hal_dev *dev) { hal_publish(device(dev)->below); }

static void note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    hal_note(device(dev)->below, what, a, b);
}

static int platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    return hal_platform_wait(device(dev)->below, deadline, out);
}

static void platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    hal_platform_answer(device(dev)->below, answer);
}

static const struct hal_ops record_ops = {
    .name = "record",
    .close = close_device,
    .afu_reset = afu_reset,
    .reload_same_image = reload_same_image,
    .vpd_read = vpd_read,
    .ctx_create = ctx_create,
    .ctx_start = ctx_start,
    .ctx_stop = ctx_stop,
    .ctx_lose = ctx_lose,
    .ctx_release = ctx_release,
    .reg_read64 = reg_read64,
    .reg_write64 = reg_write64,
    .event_wait = event_wait,
    .progress = progress,
    .mem_register = mem_register,
    .mem_release = mem_release,
    .table_store = table_store,
    .publish = publish,
    .note = note,
    .platform_wait = platform_wait,
    .platform_answer = platform_answer,
};

int record_backend_open(struct hal_dev *below, const struct record_config *config,
                        struct hal_dev **out)
{
    struct device *d = exec_alloc(config->exec, sizeof *d, 64);

    if (!d)
        return -ENOMEM;
    hal_dev_init(&d->hal, &record_ops);
    d->hal.card = below->card;
    d->below = below;
    d->config = config;
    *out = &d->hal;
    return 0;
}

uint64_t record_backend_missed(const struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct device, hal)->missed;
}
