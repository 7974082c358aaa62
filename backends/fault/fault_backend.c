/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/fault/fault_backend.h"

#include <errno.h>

#include "hal/afu_regs.h"
#include "hal/support/bits.h"

#define VPD_SHORT 8
#define RESET_GIVEN_UP UINT64_C(5000000000) /* ns, timing.md 4 */
#define LISN_OF_NOBODY 64

struct device {
    struct hal_dev hal;
    struct hal_dev *below;
    struct fault_filter *filter;
};

/* An event that is to come again, or later; one thread at a time waits for events. */
struct held {
    struct hal_event event; /* kind NONE: there is none */
    uint64_t due;           /* ns; 0 = now */
};

struct context {
    struct hal_ctx hal;
    struct hal_ctx *below;
    struct device *dev;
    struct held held;
    /* Atomic: what a load of the reset register gives, 0 = what it does below; hal_ctx_lose(). */
    uint64_t stuck;
    bool gone;
};

static struct device *device(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct device, hal);
}

static struct context *context(struct hal_ctx *ctx)
{
    return HAL_CONTAINER_OF(ctx, struct context, hal);
}

static enum fault_effect ask(struct device *d, enum fault_filter_site site, uint64_t *arg)
{
    return fault_filter_ask(d->filter, site, arg);
}

static bool refused(struct device *d, enum fault_filter_site site)
{
    return ask(d, site, NULL) == FAULT_REFUSE;
}

static void late(struct device *d, uint64_t cycles)
{
    fault_filter_pause(d->filter, fault_filter_ns(cycles));
}

/* ---- adapter ----------------------------------------------------------------------------------
 */

static void close_device(struct hal_dev *dev)
{
    struct device *d = device(dev);

    exec_free(d->filter->exec, d, sizeof *d);
}

static int afu_reset(struct hal_dev *dev)
{
    struct device *d = device(dev);
    uint64_t arg = 0;

    switch (ask(d, FAULT_SITE_AFURST, &arg)) {
    case FAULT_ERROR:
        return -EIO;
    case FAULT_NEVER:
        fault_filter_pause(d->filter, RESET_GIVEN_UP);
        return -EBUSY;
    case FAULT_LATE:
        late(d, arg);
        break;
    default:
        break;
    }
    return hal_afu_reset(d->below);
}

static int reload_same_image(struct hal_dev *dev, bool same)
{
    return hal_reload_same_image(device(dev)->below, same);
}

static int vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    struct device *d = device(dev);

    switch (ask(d, FAULT_SITE_VPD, NULL)) {
    case FAULT_REFUSE:
        return -EIO;
    case FAULT_SHORT:
        size = size < VPD_SHORT ? size : VPD_SHORT;
        break;
    default:
        break;
    }
    return hal_vpd_read(d->below, buf, size, length);
}

/* ---- contexts ---------------------------------------------------------------------------------
 */

static int ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct device *d = device(dev);
    struct context *c;
    int rc;

    if (refused(d, FAULT_SITE_CTX))
        return -ENODEV;
    c = exec_alloc(d->filter->exec, sizeof *c, 64);
    if (!c)
        return -ENOMEM;
    rc = hal_ctx_create(d->below, kind, &c->below);
    if (rc) {
        exec_free(d->filter->exec, c, sizeof *c);
        return rc;
    }
    c->dev = d;
    c->hal.handle = c->below->handle;
    *out = &c->hal;
    return 0;
}

static int ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    struct context *c = context(ctx);
    uint64_t number = 0;
    enum fault_effect effect;
    int rc;

    if (interrupts && refused(c->dev, FAULT_SITE_IRQMAP))
        return -ENOSPC;
    effect = ask(c->dev, FAULT_SITE_START, &number);
    if (effect == FAULT_REFUSE || refused(c->dev, FAULT_SITE_MAP))
        return -EIO;
    rc = hal_ctx_start(c->below, interrupts);
    if (!rc && effect == FAULT_VALUE)
        ctx->handle = (uint16_t)number; /* as no back end may */
    return rc;
}

static int ctx_stop(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);
    bool refuse = refused(c->dev, FAULT_SITE_STOP);
    int rc = hal_ctx_stop(c->below);

    return refuse ? -EIO : rc;
}

static void ctx_lose(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    __atomic_store_n(&c->gone, true, __ATOMIC_RELEASE);
    hal_ctx_lose(c->below);
}

static void ctx_release(struct hal_ctx *ctx)
{
    struct context *c = context(ctx);

    hal_ctx_release(c->below);
    exec_free(c->dev->filter->exec, c, sizeof *c);
}

/* ---- registers --------------------------------------------------------------------------------
 */

/* Whether an access goes to the register by which the context is reset. */
static bool is_reset_register(const struct context *c, uint64_t offset)
{
    uint64_t page = c->hal.kind == HAL_CTX_MASTER ? AFU_HOST_BASE(c->below->handle) : 0;

    return offset == page + AFU_HOST_IOARRIN || offset == page + AFU_HOST_SQ_CTX_RESET;
}

static uint64_t stuck_value(const struct context *c, uint64_t offset)
{
    uint64_t value = __atomic_load_n(&c->stuck, __ATOMIC_ACQUIRE);

    return value && is_reset_register(c, offset) ? value : 0;
}

static uint64_t reg_read64(struct hal_ctx *ctx, uint64_t offset)
{
    struct context *c = context(ctx);
    uint64_t arg = 0, stuck;

    switch (ask(c->dev, FAULT_SITE_MR, &arg)) {
    case FAULT_ONES:
        return HAL_ALL_ONES;
    case FAULT_VALUE:
        return arg;
    case FAULT_LATE:
        late(c->dev, arg);
        break;
    default:
        break;
    }
    stuck = stuck_value(c, offset);
    return stuck ? stuck : hal_reg_read64(c->below, offset);
}

/* The AFU does reset the context; its register does not tell. */
static void begin_reset(struct context *c)
{
    uint64_t stuck = 0;

    switch (ask(c->dev, FAULT_SITE_CRESET, NULL)) {
    case FAULT_NEVER:
        stuck = AFU_CTX_RESET;
        break;
    case FAULT_ONES:
        stuck = HAL_ALL_ONES;
        break;
    default:
        break;
    }
    __atomic_store_n(&c->stuck, stuck, __ATOMIC_RELEASE);
}

static void reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct context *c = context(ctx);
    uint64_t arg = 0;

    switch (ask(c->dev, FAULT_SITE_MW, &arg)) {
    case FAULT_DROP:
        return;
    case FAULT_LATE:
        late(c->dev, arg);
        break;
    default:
        break;
    }
    if (value == AFU_CTX_RESET && is_reset_register(c, offset))
        begin_reset(c);
    hal_reg_write64(c->below, offset, value);
}

/* ---- events -----------------------------------------------------------------------------------
 */

static int lost(struct hal_event *out)
{
    *out = (struct hal_event){.kind = HAL_EVENT_DEVICE_LOST};
    return -EIO;
}

/* Something that nobody sends. */
static void distort(struct hal_event *event, uint64_t arg)
{
    if (event->kind == HAL_EVENT_AFU_INTERRUPT)
        event->number = arg ? (uint32_t)arg : LISN_OF_NOBODY;
    else
        event->address ^= arg ? arg : 1;
}

/* Gives an event that was held back, once it is due, or waits for that. Returns as hal_event_wait
 * does; *out is NONE when the deadline comes first. */
static int give_held(struct context *c, uint64_t deadline, struct hal_event *out)
{
    struct exec *exec = c->dev->filter->exec;
    uint64_t now = exec_now(exec);

    if (now < c->held.due && now < deadline) {
        int rc = exec_sleep_until(exec, hal_min64(deadline, c->held.due));

        if (rc)
            return rc;
        now = exec_now(exec);
    }
    if (now < c->held.due)
        return 0;
    *out = c->held.event;
    c->held.event.kind = HAL_EVENT_NONE;
    return 0;
}

/* What becomes of an event that came. Returns -EAGAIN if there is none to give now. */
static int pass(struct context *c, struct hal_event *event)
{
    struct fault_filter *filter = c->dev->filter;
    uint64_t arg = 0;

    switch (fault_filter_ask(filter, FAULT_SITE_EVT, &arg)) {
    case FAULT_ERROR: /* the read fails, the event is still there */
        c->held = (struct held){*event, 0};
        return lost(event);
    case FAULT_DROP:
        return -EAGAIN;
    case FAULT_LATE:
        c->held = (struct held){*event, exec_now(filter->exec) + fault_filter_ns(arg)};
        return -EAGAIN;
    case FAULT_TWICE:
        c->held = (struct held){*event, 0};
        return 0;
    case FAULT_VALUE:
        distort(event, arg);
        return 0;
    default:
        return 0;
    }
}

static int event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct context *c = context(ctx);
    int rc;

    if (deadline && ask(c->dev, FAULT_SITE_WAIT, NULL) == FAULT_SIGNAL)
        return -EINTR;
    deadline = fault_filter_deadline(c->dev->filter, deadline);
    do {
        if (__atomic_load_n(&c->gone, __ATOMIC_ACQUIRE))
            return lost(out);
        if (c->held.event.kind != HAL_EVENT_NONE)
            return give_held(c, deadline, out);
        rc = hal_event_wait(c->below, deadline, out);
        if (!rc && out->kind != HAL_EVENT_NONE)
            rc = pass(c, out);
        if (rc == -EAGAIN)
            *out = (struct hal_event){.kind = HAL_EVENT_NONE};
    } while (rc == -EAGAIN);
    return rc;
}

static void progress(struct hal_ctx *ctx) { hal_progress(context(ctx)->below); }

/* ---- memory -----------------------------------------------------------------------------------
 */

static int mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    struct device *d = device(dev);

    if (refused(d, FAULT_SITE_DMA))
        return -ENOMEM;
    return hal_mem_register(d->below, addr, size, name);
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
    struct device *d = device(dev);

    fault_filter_note(d->filter, what, a, b);
    hal_note(d->below, what, a, b);
}

/* ---- platform: it is the one below, and so are its sites ---- */

static int platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    return hal_platform_wait(device(dev)->below, deadline, out);
}

static void platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    hal_platform_answer(device(dev)->below, answer);
}

static const struct hal_ops fault_ops = {
    .name = "fault",
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

int fault_backend_open(struct hal_dev *below, struct fault_filter *filter, struct hal_dev **out)
{
    struct device *d = exec_alloc(filter->exec, sizeof *d, 64);

    if (!d)
        return -ENOMEM;
    hal_dev_init(&d->hal, &fault_ops);
    d->hal.card = below->card;
    d->below = below;
    d->filter = filter;
    *out = &d->hal;
    return 0;
}
