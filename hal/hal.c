/* SPDX-License-Identifier: Apache-2.0 */
/* Checked wrappers: the only callers of struct hal_ops. */
#include "hal/hal.h"

#include <errno.h>

#include "hal/support/check.h"

#define HAL_MAP_SIZE UINT64_C(0x2100000) /* beyond the last debug window of SL 1 */
#define MEM_ALIGN 128

/* The closed set of R-43. */
static bool errno_allowed(int rc)
{
    switch (rc) {
    case 0:
    case -EINVAL:
    case -ENOMEM:
    case -EACCES:
    case -EBUSY:
    case -EIO:
    case -ENODEV:
    case -ENOSPC:
    case -ENXIO:
    case -ENOSYS:
    case -ETIMEDOUT:
    case -EINTR:
        return true;
    default:
        return false;
    }
}

static int checked(int rc)
{
    CHECK(errno_allowed(rc));
    return rc;
}

void hal_dev_init(struct hal_dev *dev, const struct hal_ops *ops)
{
    CHECK(ops->name && ops->close);
    CHECK(ops->afu_reset && ops->reload_same_image && ops->vpd_read);
    CHECK(ops->platform_wait && ops->platform_answer);
    CHECK(ops->ctx_create && ops->ctx_start && ops->ctx_stop);
    CHECK(ops->ctx_lose && ops->ctx_release);
    CHECK(ops->reg_read64 && ops->reg_write64 && ops->event_wait && ops->progress);
    CHECK(ops->mem_register && ops->mem_release);
    CHECK(ops->table_store && ops->publish && ops->note);
    dev->ops = ops;
    dev->open_contexts = 0;
    dev->asked = HAL_PLATFORM_NONE;
    dev->card = 0;
}

void hal_close(struct hal_dev *dev)
{
    CHECK(dev->open_contexts == 0);
    dev->ops->close(dev);
}

int hal_afu_reset(struct hal_dev *dev)
{
    if (dev->open_contexts)
        return -EBUSY;
    return checked(dev->ops->afu_reset(dev));
}

int hal_reload_same_image(struct hal_dev *dev, bool same)
{
    return checked(dev->ops->reload_same_image(dev, same));
}

int hal_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    int rc = checked(dev->ops->vpd_read(dev, buf, size, length));
    CHECK(rc || *length <= size);
    return rc;
}

/* The answers that an event allows, a bit each; 0: it wants none. */
static unsigned answers(enum hal_platform_event event)
{
    switch (event) {
    case HAL_PLATFORM_FROZEN:
    case HAL_PLATFORM_OTHER:
        return 1u << HAL_PLATFORM_NEED_RESET | 1u << HAL_PLATFORM_DISCONNECT;
    case HAL_PLATFORM_SLOT_RESET:
        return 1u << HAL_PLATFORM_RECOVERED | 1u << HAL_PLATFORM_DISCONNECT;
    case HAL_PLATFORM_PERMANENT_FAILURE:
        return 1u << HAL_PLATFORM_DISCONNECT;
    case HAL_PLATFORM_NONE:
    case HAL_PLATFORM_RESUMED:
    case HAL_PLATFORM_REMOVED:
        break;
    }
    return 0;
}

int hal_platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    int rc;

    CHECK(dev->asked == HAL_PLATFORM_NONE);
    *out = HAL_PLATFORM_NONE;
    rc = checked(dev->ops->platform_wait(dev, deadline, out));
    CHECK(!rc || *out == HAL_PLATFORM_NONE);
    if (answers(*out))
        dev->asked = *out;
    return rc;
}

void hal_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    CHECK(answers(dev->asked) >> answer & 1);
    dev->asked = HAL_PLATFORM_NONE;
    dev->ops->platform_answer(dev, answer);
}

int hal_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct hal_ctx *ctx;
    int rc = checked(dev->ops->ctx_create(dev, kind, &ctx));

    if (rc)
        return rc;
    ctx->ops = dev->ops;
    ctx->dev = dev;
    ctx->kind = kind;
    ctx->started = false;
    ctx->lost = false;
    dev->open_contexts++;
    *out = ctx;
    return 0;
}

static void count_closed(struct hal_dev *dev)
{
    unsigned before = dev->open_contexts--;

    CHECK(before > 0);
}

int hal_ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    int rc;

    CHECK(!ctx->started);
    rc = checked(ctx->ops->ctx_start(ctx, interrupts));
    ctx->started = rc == 0;
    return rc;
}

int hal_ctx_stop(struct hal_ctx *ctx)
{
    CHECK(ctx->started && !ctx->lost);
    ctx->started = false;
    return checked(ctx->ops->ctx_stop(ctx));
}

void hal_ctx_lose(struct hal_ctx *ctx)
{
    CHECK(ctx->started && !ctx->lost);
    ctx->lost = true;
    count_closed(ctx->dev);
    ctx->ops->ctx_lose(ctx);
}

void hal_ctx_release(struct hal_ctx *ctx)
{
    if (!ctx)
        return;
    if (!ctx->lost)
        count_closed(ctx->dev);
    ctx->ops->ctx_release(ctx);
}

static void check_offset(const struct hal_ctx *ctx, uint64_t offset)
{
    CHECK(offset % 8 == 0);
    CHECK(offset < (ctx->kind == HAL_CTX_MASTER ? HAL_MAP_SIZE : HAL_USER_WINDOW));
}

uint64_t hal_reg_read64(struct hal_ctx *ctx, uint64_t offset)
{
    check_offset(ctx, offset);
    return ctx->ops->reg_read64(ctx, offset);
}

void hal_reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    check_offset(ctx, offset);
    ctx->ops->reg_write64(ctx, offset, value);
}

int hal_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    int rc;

    out->kind = HAL_EVENT_NONE;
    rc = checked(ctx->ops->event_wait(ctx, deadline, out));
    CHECK((rc == -EIO) == (out->kind == HAL_EVENT_DEVICE_LOST));
    return rc;
}

void hal_progress(struct hal_ctx *ctx) { ctx->ops->progress(ctx); }

int hal_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    CHECK((uintptr_t)addr % MEM_ALIGN == 0 && size > 0 && name);
    return checked(dev->ops->mem_register(dev, addr, size, name));
}

void hal_mem_release(struct hal_dev *dev, void *addr) { dev->ops->mem_release(dev, addr); }

void hal_table_store(struct hal_dev *dev, uint64_t *addr, uint64_t value)
{
    CHECK((uintptr_t)addr % 8 == 0);
    dev->ops->table_store(dev, addr, value);
}

void hal_publish(struct hal_dev *dev) { dev->ops->publish(dev); }

void hal_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    dev->ops->note(dev, what, a, b);
}
