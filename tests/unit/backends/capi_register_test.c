/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>

#include "backends/capi/capi_internal.h"
#include "hal/afu_regs.h"
#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"

#define VERSION (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION)

/* The card counts as lost, and whoever waits for the platform is told. */
static void expect_lost(struct capi_rig *rig)
{
    enum hal_platform_event event;

    cr_assert(!capi_usable(capi_dev_of(rig->dev)));
    cr_assert_eq(hal_platform_wait(rig->dev, EXEC_FOREVER, &event), 0);
    cr_assert_eq(event, HAL_PLATFORM_FROZEN);
}

static void expect_alive(const struct capi_rig *rig)
{
    cr_assert(capi_usable(capi_dev_of(rig->dev)));
}

static void both_views(bool raw)
{
    struct hal_ctx *master, *user;
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl.raw = raw;
    capi_rig_open(&rig);
    fake_cxl.element = 7;
    user = capi_rig_context(&rig, HAL_CTX_USER);
    fake_cxl.element = 0;
    master = capi_rig_context(&rig, HAL_CTX_MASTER);
    hal_reg_write64(user, AFU_HOST_RRQ_START, UINT64_C(0x0102030405060708));
    cr_assert_eq(hal_reg_read64(master, 7 * 0x10000 + 0x28), UINT64_C(0x0102030405060708));
    hal_reg_write64(master, VERSION, 5);
    cr_assert_eq(hal_reg_read64(master, VERSION), 5);
    cr_assert_eq(fake_cxl_register(VERSION), 5);
    expect_alive(&rig);
    hal_ctx_release(user);
    hal_ctx_release(master);
    capi_rig_down(&rig);
}

Test(capi_register, by_a_pointer)
{
    both_views(true);
    PROVES(CX_140);
}

Test(capi_register, by_accessors)
{
    both_views(false);
    PROVES(CX_140);
}

/* the caller gets ones, and the card is asked whether it is still there. */
static void one_register_of_ones(bool raw)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_init(&rig);
    fake_cxl.raw = raw;
    capi_rig_open(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_MASTER);
    fake_cxl_set_register(VERSION, UINT64_MAX);
    fake_cxl.loads = 0;
    cr_assert_eq(hal_reg_read64(ctx, VERSION), HAL_ALL_ONES);
    cr_assert_eq(fake_cxl.loads, raw ? 0 : 2, "it was not confirmed by one more load");
    expect_alive(&rig);
    fake_cxl_set_register(VERSION, 9);
    cr_assert_eq(hal_reg_read64(ctx, VERSION), 9);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
}

Test(capi_register, ones_alone_prove_nothing)
{
    one_register_of_ones(true);
    one_register_of_ones(false);
    PROVES(CX_63);
    PROVES(R_30);
}

/* Which register confirms: endian_ctrl of the own context, in the map of a master too. */
Test(capi_register, the_own_context_confirms)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    fake_cxl.element = 5;
    ctx = capi_rig_context(&rig, HAL_CTX_MASTER);
    fake_cxl_set_register(0, UINT64_MAX);
    fake_cxl_set_register(VERSION, UINT64_MAX);
    cr_assert_eq(hal_reg_read64(ctx, VERSION), HAL_ALL_ONES);
    expect_alive(&rig);
    fake_cxl_set_register(5 * 0x10000, UINT64_MAX);
    cr_assert_eq(hal_reg_read64(ctx, VERSION), HAL_ALL_ONES);
    expect_lost(&rig);
    hal_ctx_release(ctx);
    fake_cxl.element = -1;
    capi_rig_down(&rig);
    PROVES(R_30);
    PROVES(CX_63);
}

static void dead_card(bool raw, void (*kill)(void))
{
    struct capi_rig rig;
    struct hal_ctx *ctx;
    struct hal_event event;
    unsigned stores;

    capi_rig_init(&rig);
    fake_cxl.raw = raw;
    capi_rig_open(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    kill();
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), HAL_ALL_ONES);
    cr_assert_eq(hal_event_wait(ctx, EXEC_FOREVER, &event), -EIO);
    cr_assert_eq(event.kind, HAL_EVENT_DEVICE_LOST);
    fake_cxl_thaw(); /* it stays lost for who had it */
    stores = fake_cxl.stores;
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x40);
    cr_assert_eq(fake_cxl.stores, stores);
    cr_assert_eq(fake_cxl_register(AFU_HOST_RRQ_START), 0);
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), HAL_ALL_ONES);
    expect_lost(&rig);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
}

Test(capi_register, a_dead_card_is_ones_for_ever)
{
    dead_card(true, fake_cxl_freeze);
    dead_card(false, fake_cxl_freeze);
    PROVES(CX_63);
    PROVES(R_44);
}

/* A kernel that does not know ERR_FF: the load ends in a signal. */
Test(capi_register, a_fault_is_ones)
{
    dead_card(true, fake_cxl_cut_off);
    PROVES(CX_48);
    PROVES(CX_64);
}
