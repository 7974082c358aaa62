/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: which registers are touched in which order when one begins and ends, and that a failure
 * anywhere leaves nothing behind. */
#include "core/context/context.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/context/client.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(context, .timeout = 60);

static struct spipe_attach_options defaults = {.size = sizeof defaults};
static struct spipe_client owner;

/* Everything is written down, and nothing is attached. */
static void begin(enum hal_order order)
{
    rig_begin(order, 4);
    spipe_client_destroy(rig.client);
    rig.client = NULL;
    owner = (struct spipe_client){.s = &rig.s};
    rig.hal.no_regs = false;
    recording_hal_clear(&rig.hal);
    memset(rig.hal.number, 0, sizeof rig.hal.number);
}

static int create_with(const struct spipe_attach_options *options, struct spipe_ctx **ctx)
{
    struct spipe__ctx_setup setup = spipe__ctx_setup_of(options);
    struct spipe_ctx *made;
    int rc = spipe__ctx_create(&owner, &setup, 0, &made);

    if (rc)
        return rc;
    *ctx = made;
    spipe__ctx_leave(made);
    return 0;
}

static void end_context(struct spipe_ctx *ctx)
{
    cr_assert(spipe__ctx_enter(ctx));
    spipe__ctx_end(ctx);
    spipe__ctx_leave(ctx);
}

Test(context, registers_in_order)
{
    struct spipe_ctx *ctx = NULL;

    begin(HAL_ORDER_LITTLE);
    cr_assert_eq(create_with(&defaults, &ctx), 0);
    rig_expect("+ rht1\n+ queue1\n"
               "create user\nstart 4:4\n"
               "r ctrl4+18\nw ctrl4+10=3\nr ctrl4+10\n"
               "w ctrl4+0=rht1\nw ctrl4+8=100000300000000\n"
               "w host4+0=0\nw host4+28=queue1\nw host4+30=queue1\n"
               "w host4+40=1\nw host4+18=fffffffffffff800\nr host4+38\n");
    PROVES(AD_163);
    PROVES(SP_46);
    PROVES(SP_180);
    cr_assert_eq(ctx->number, 4);
    cr_assert_eq(spipe_ctx_handle(ctx), 4);
    cr_assert_eq(rig.s.contexts[4], ctx);
    cr_assert_eq(ctx->permissions, AFU_PERM_RW);
    cr_assert_eq(rig.hal.ctx[4].ctrl[AFU_CTRL_RHT_START / 8] % 4096, 0);

    end_context(ctx);
    rig_expect("w ctrl4+0=0\nw ctrl4+8=0\nw ctrl4+10=0\n"
               "stop 4\nrelease 4\n- queue1\n- rht1\n");
    PROVES(AD_164);
    PROVES(SP_77);
    cr_assert_null(rig.s.contexts[4]);
    rig_end();
}

Test(context, big_endian_queue)
{
    struct spipe_ctx *ctx = NULL;

    begin(HAL_ORDER_BIG);
    cr_assert_eq(create_with(&defaults, &ctx), 0);
    cr_assert_eq(rig.hal.ctx[4].host[0], AFU_ENDIAN_CTRL_BIG);
    end_context(ctx);
    rig_end();
}

Test(context, capability_does_not_stick)
{
    struct spipe_ctx *ctx = NULL;

    begin(HAL_ORDER_LITTLE);
    rig.hal.wrong_capability = true;
    cr_assert_eq(create_with(&defaults, &ctx), -EAGAIN);
    rig_expect("+ rht1\n+ queue1\ncreate user\nstart 4:4\n"
               "r ctrl4+18\nw ctrl4+10=3\nr ctrl4+10\n"
               "w ctrl4+0=0\nw ctrl4+8=0\nw ctrl4+10=0\n"
               "stop 4\nrelease 4\n- queue1\n- rht1\n");
    PROVES(SP_51);
    cr_assert_null(ctx);
    rig_end();
}

static int create_failing(void)
{
    struct spipe_ctx *ctx = NULL;
    int rc = create_with(&defaults, &ctx);

    cr_assert_neq(rc, 0);
    cr_assert_null(ctx);
    return rc;
}

Test(context, every_failure_is_undone)
{
    size_t blocks, regions;

    begin(HAL_ORDER_LITTLE);
    blocks = rig.exec.blocks;
    regions = rig.hal.regions;
    for (int64_t n = 0; n < 4; n++) { /* context, RHT, slots, pairs and RRQ */
        rig.exec.fail_after = n;
        cr_assert_eq(create_failing(), -ENOMEM);
        PROVES(SP_42);
        cr_assert_eq(rig.exec.blocks, blocks);
    }
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    rig.hal.fail_register = -ENOMEM;
    cr_assert_eq(create_failing(), -ENOMEM);
    rig.hal.fail_create = -ENOSPC;
    cr_assert_eq(create_failing(), -ENODEV);
    rig.hal.fail_create = 0;
    rig.hal.fail_start = -ENOSPC;
    cr_assert_eq(create_failing(), -ENOSPC);
    rig.hal.fail_start = -EINVAL;
    cr_assert_eq(create_failing(), -EINVAL);
    PROVES(SP_43);
    rig.hal.fail_start = 0;
    rig.hal.wrong_handle = true;
    cr_assert_eq(create_failing(), -EPERM);
    PROVES(SP_44);
    rig.hal.wrong_handle = false;
    cr_assert_eq(rig.exec.blocks, blocks);
    cr_assert_eq(rig.hal.regions, regions);
    cr_assert_eq(rig.hal.dev.open_contexts, 1);
    rig_end();
}

Test(context, options)
{
    struct spipe_attach_options options = {.size = sizeof options, .depth = 4097};
    struct spipe_ctx *ctx = NULL;

    begin(HAL_ORDER_LITTLE);
    cr_assert_eq(create_with(&options, &ctx), -EINVAL);
    options = (struct spipe_attach_options){
        .depth = 4096, .no_write = true, .interrupts = true, .io_timeout_ns = UINT64_C(6000000000)};
    cr_assert_eq(create_with(&options, &ctx), 0);
    cr_assert_eq(ctx->queue.config.depth, 4096);
    cr_assert_gt(ctx->queue.config.rrq_elements, 4096);
    cr_assert_eq(ctx->queue.config.afu_timeout, 5);
    cr_assert_eq(ctx->permissions, AFU_PERM_READ);
    end_context(ctx);

    options = (struct spipe_attach_options){.no_read = true, .io_timeout_ns = 1};
    cr_assert_eq(create_with(&options, &ctx), 0);
    cr_assert_eq(ctx->queue.config.depth, 64);
    cr_assert_eq(ctx->queue.config.afu_timeout, 0);
    cr_assert_eq(ctx->permissions, AFU_PERM_WRITE);
    end_context(ctx);

    options = (struct spipe_attach_options){.io_timeout_ns = UINT64_MAX, .depth = 1};
    cr_assert_eq(create_with(&options, &ctx), 0);
    cr_assert_eq(ctx->queue.config.afu_timeout, UINT16_MAX);
    end_context(ctx);
    rig_end();
}

/* The mode of submission is that of the adapter. */
Test(context, submission_queue)
{
    struct spipe_ctx *ctx = NULL;

    begin(HAL_ORDER_LITTLE);
    rig.s.sq = true;
    cr_assert_eq(create_with(&defaults, &ctx), 0);
    cr_assert(spipe__queue_is_sq(&ctx->queue));
    cr_assert_eq(rig.hal.ctx[4].host[AFU_HOST_SQ_START / 8], spipe__queue_sq_start(&ctx->queue));
    cr_assert_eq(rig.hal.ctx[4].host[AFU_HOST_SQ_END / 8], spipe__queue_sq_end(&ctx->queue));
    end_context(ctx);
    rig_end();
}

Test(context, all_numbers)
{
    static struct spipe_ctx *ctx[512];

    begin(HAL_ORDER_LITTLE);
    rig.hal.silent = true;
    for (unsigned i = RIG_FIRST; i < 512; i++) {
        cr_assert_eq(create_with(&defaults, &ctx[i]), 0);
        cr_assert_eq(ctx[i]->number, i);
    }
    cr_assert_eq(create_failing(), -ENODEV);
    for (unsigned i = RIG_FIRST; i < 512; i++)
        end_context(ctx[i]);
    rig_end();
}
