/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/hal_nosys.h"

#include <errno.h>

void hal_nosys_close(struct hal_dev *dev) { (void)dev; }

int hal_nosys_afu_reset(struct hal_dev *dev)
{
    (void)dev;
    return -ENOSYS;
}

int hal_nosys_reload_same_image(struct hal_dev *dev, bool same)
{
    (void)dev, (void)same;
    return -ENOSYS;
}

int hal_nosys_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    (void)dev, (void)buf, (void)size, (void)length;
    return -ENOSYS;
}

int hal_nosys_platform_wait(struct hal_dev *dev, uint64_t deadline, enum hal_platform_event *out)
{
    (void)dev, (void)deadline, (void)out;
    return -ENOSYS;
}

void hal_nosys_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer)
{
    (void)dev, (void)answer;
}

int hal_nosys_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    (void)dev, (void)kind, (void)out;
    return -ENOSYS;
}

int hal_nosys_ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    (void)ctx, (void)interrupts;
    return -ENOSYS;
}

int hal_nosys_ctx_stop(struct hal_ctx *ctx)
{
    (void)ctx;
    return -ENOSYS;
}

void hal_nosys_ctx_lose(struct hal_ctx *ctx) { (void)ctx; }

void hal_nosys_ctx_release(struct hal_ctx *ctx) { (void)ctx; }

uint64_t hal_nosys_reg_read64(struct hal_ctx *ctx, uint64_t offset)
{
    (void)ctx, (void)offset;
    return HAL_ALL_ONES;
}

void hal_nosys_reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    (void)ctx, (void)offset, (void)value;
}

int hal_nosys_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    (void)ctx, (void)deadline, (void)out;
    return -ENOSYS;
}

void hal_nosys_progress(struct hal_ctx *ctx) { (void)ctx; }

int hal_nosys_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    (void)dev, (void)addr, (void)size, (void)name;
    return -ENOSYS;
}

void hal_nosys_mem_release(struct hal_dev *dev, void *addr) { (void)dev, (void)addr; }

void hal_nosys_table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    (void)dev;
    /* Atomic, not ordered: the AFU must never see half of it. */
    __atomic_store_n((uint64_t *)addr, value, __ATOMIC_RELAXED);
}

void hal_nosys_publish(struct hal_dev *dev)
{
    (void)dev;
    __sync_synchronize(); /* a full barrier; ThreadSanitizer knows no C11 fence */
}

void hal_nosys_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    (void)dev, (void)what, (void)a, (void)b;
}

const struct hal_ops hal_nosys_ops = {
    .name = "nosys",
    .close = hal_nosys_close,
    .afu_reset = hal_nosys_afu_reset,
    .reload_same_image = hal_nosys_reload_same_image,
    .vpd_read = hal_nosys_vpd_read,
    .platform_wait = hal_nosys_platform_wait,
    .platform_answer = hal_nosys_platform_answer,
    .ctx_create = hal_nosys_ctx_create,
    .ctx_start = hal_nosys_ctx_start,
    .ctx_stop = hal_nosys_ctx_stop,
    .ctx_lose = hal_nosys_ctx_lose,
    .ctx_release = hal_nosys_ctx_release,
    .reg_read64 = hal_nosys_reg_read64,
    .reg_write64 = hal_nosys_reg_write64,
    .event_wait = hal_nosys_event_wait,
    .progress = hal_nosys_progress,
    .mem_register = hal_nosys_mem_register,
    .mem_release = hal_nosys_mem_release,
    .table_store = hal_nosys_table_store,
    .publish = hal_nosys_publish,
    .note = hal_nosys_note,
};
