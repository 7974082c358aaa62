/* The fillers: complete, and each with the answer that hal_nosys.h promises. */
#include <criterion/criterion.h>
#include <errno.h>

#include "hal/hal_nosys.h"

static struct hal_dev dev;
static struct hal_ctx ctx;

static void set_up(void)
{
    hal_dev_init(&dev, &hal_nosys_ops); /* aborts if a slot is empty */
    ctx = (struct hal_ctx){.ops = &hal_nosys_ops, .dev = &dev, .kind = HAL_CTX_MASTER};
}

TestSuite(hal_nosys, .init = set_up);

Test(hal_nosys, operations_of_a_device)
{
    char vpd[4] = "abc";
    size_t length = 7;
    struct hal_ctx *made = &ctx;
    enum hal_platform_event event = HAL_PLATFORM_FROZEN;

    cr_assert_eq(hal_afu_reset(&dev), -ENOSYS);
    cr_assert_eq(hal_reload_same_image(&dev, true), -ENOSYS);
    cr_assert_eq(hal_vpd_read(&dev, vpd, sizeof vpd, &length), -ENOSYS);
    cr_assert_str_eq(vpd, "abc");
    cr_assert_eq(length, 7);
    cr_assert_eq(hal_ctx_create(&dev, HAL_CTX_USER, &made), -ENOSYS);
    cr_assert_eq(made, &ctx);
    cr_assert_eq(dev.open_contexts, 0);
    cr_assert_eq(hal_platform_wait(&dev, UINT64_MAX, &event), -ENOSYS);
    cr_assert_eq(event, HAL_PLATFORM_NONE);
    dev.asked = HAL_PLATFORM_FROZEN;
    hal_platform_answer(&dev, HAL_PLATFORM_NEED_RESET);
    hal_note(&dev, HAL_NOTE_STATE, 1, 2);
    hal_close(&dev);
}

Test(hal_nosys, operations_of_a_context)
{
    struct hal_event event = {.kind = HAL_EVENT_DEVICE_LOST};

    cr_assert_eq(hal_ctx_start(&ctx, 1), -ENOSYS);
    cr_assert_not(ctx.started);
    cr_assert_eq(hal_event_wait(&ctx, 0, &event), -ENOSYS);
    cr_assert_eq(event.kind, HAL_EVENT_NONE);
    hal_progress(&ctx);
    ctx.started = true;
    cr_assert_eq(hal_ctx_stop(&ctx), -ENOSYS);
    dev.open_contexts = 1;
    hal_ctx_release(&ctx);
}

Test(hal_nosys, registers_of_a_dead_card)
{
    cr_assert_eq(hal_reg_read64(&ctx, 0), HAL_ALL_ONES);
    hal_reg_write64(&ctx, 0, 5);
    cr_assert_eq(hal_reg_read64(&ctx, 0), HAL_ALL_ONES);
}

Test(hal_nosys, memory)
{
    static _Alignas(128) uint64_t table[16];

    cr_assert_eq(hal_mem_register(&dev, table, sizeof table, "table"), -ENOSYS);
    hal_mem_release(&dev, table);
    hal_table_store(&dev, &table[3], UINT64_C(0x0102030405060708));
    hal_publish(&dev);
    cr_assert_eq(table[3], UINT64_C(0x0102030405060708));
    cr_assert_eq(table[2] | table[4], 0);
}

Test(hal_nosys, has_a_name) { cr_assert_str_eq(hal_nosys_ops.name, "nosys"); }
