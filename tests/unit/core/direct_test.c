/* SPDX-License-Identifier: Apache-2.0 */
/* Direct handles: the stores and syncs of USER_DIRECT and RELEASE, the mode of the LUN, and what is
 * quarantined when a sync fails. */
#include "core/vlun/direct.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(direct, .timeout = 60);

static uint32_t open_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port)
{
    uint32_t handle = UINT32_MAX;
    uint64_t last = 0;

    cr_assert_eq(spipe_open_direct(ctx, lun, port, &handle, &last), 0);
    cr_assert_eq(last, rig.s.lun[lun].global->last_lba); /* device blocks, with the tail (SP-57) */
    return handle;
}

static int try_virtual(struct spipe_ctx *ctx, unsigned lun)
{
    uint32_t handle;
    uint64_t last;

    return spipe_open_virtual(ctx, lun, 1, &handle, &last);
}

static int try_direct(struct spipe_ctx *ctx, unsigned lun, unsigned port)
{
    uint32_t handle;
    uint64_t last;

    return spipe_open_direct(ctx, lun, port, &handle, &last);
}

Test(direct, open_and_release)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    recording_hal_clear(&rig.hal);
    h = open_direct(rig.ctx, 0, 1);
    rig_expect("rht1[0].direct=invalid ports 0 permissions 0\npublish\n"
               "rht1[0].start=0\npublish\n" /* LUN 0 has the id 0 */
               "rht1[0].direct=valid ports 2 permissions 3\npublish\nsync LW 4.0\n");
    PROVES(SP_55);
    PROVES(VL_50);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_PHYSICAL);
    rig_check_books();
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    rig_expect("rht1[0].direct=invalid ports 2 permissions 3\npublish\nrht1[0].start=0\npublish\n"
               "rht1[0].count=free\npublish\nsync HW 4.0\n");
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    PROVES(SP_2);
    cr_assert_eq(spipe_release(rig.ctx, h), -EINVAL); /* SP-70 */
    rig_check_books();
    rig_end();
}

/* SP-2, SP-53: the first handle decides. */
Test(direct, one_mode_at_a_time)
{
    struct spipe_ctx *other;
    uint32_t h, v;

    rig_begin(HAL_ORDER_BIG, 4);
    other = rig_attach(0);
    h = open_direct(rig.ctx, 0, 0);
    cr_assert_eq(try_virtual(other, 0), -EINVAL);
    cr_assert_eq(open_direct(other, 0, 1), 0); /* several may */
    cr_assert_eq(rig.s.lun[0].global->users, 2);
    PROVES(SP_1);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(try_virtual(rig.ctx, 0), -EINVAL);
    cr_assert_eq(spipe_release(other, 0), 0);
    v = rig_open(rig.ctx, 1);
    cr_assert_eq(try_direct(other, 0, 0), -EINVAL);
    PROVES(SP_53);
    cr_assert_eq(spipe_release(rig.ctx, v), 0);
    cr_assert_eq(try_direct(other, 0, 0), 0);
    rig_check_books();
    rig_end();
}

/* SP-58, R-34: a request that fails leaves the LUN's mode alone. */
Test(direct, bad_requests_change_nothing)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(try_direct(rig.ctx, 1, 0), -EINVAL); /* not attached */
    cr_assert_eq(try_direct(rig.ctx, 77, 0), -EINVAL);
    cr_assert_eq(try_direct(rig.ctx, 0, 2), -EINVAL); /* no such port */
    rig.s.lun[0].port_mask = 2;
    cr_assert_eq(try_direct(rig.ctx, 0, 0), -EINVAL); /* not its port */
    rig.s.lun[0].port_mask = 3;
    for (unsigned i = 0; i < SPIPE__RHT_SIZE; i++)
        cr_assert_eq(open_direct(rig.ctx, 0, 0), i); /* SP-35 */
    cr_assert_eq(try_direct(rig.ctx, 0, 0), -EMFILE);
    PROVES(SP_54);
    for (unsigned i = 0; i < SPIPE__RHT_SIZE; i++)
        cr_assert_eq(spipe_release(rig.ctx, i), 0);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    PROVES(SP_58);
    rig_end();
}

/* SP-56: the sync's own error, and the handle is gone. */
Test(direct, open_with_a_failing_sync)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    rig_fail_syncs(1);
    cr_assert_eq(try_direct(rig.ctx, 0, 0), -EIO);
    PROVES(SP_56);
    PROVES(R_15);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE); /* the HW sync of closing it worked */
    cr_assert_eq(open_direct(rig.ctx, 0, 0), 0);
    rig_check_books();
    rig_end();
}

/* SP-73, VL-51: handle and mode wait for a sync, the release does not. */
Test(direct, release_with_a_failing_sync)
{
    struct spipe_ctx *other;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    other = rig_attach(0);
    h = open_direct(rig.ctx, 0, 0);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_PHYSICAL);
    rig_check_books();
    recording_hal_clear(&rig.hal);
    cr_assert_eq(try_virtual(other, 0), -EINVAL); /* after one more try */
    rig_expect("sync HW 4.0 failed\n");
    cr_assert_eq(open_direct(other, 0, 0), 0); /* the same mode is no harm */
    rig_fail_syncs(1);
    cr_assert_eq(spipe_release(other, 0), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 2);
    cr_assert_eq(try_virtual(other, 0), 0); /* two syncs work */
    PROVES(SP_73);
    PROVES(VL_51);
    PROVES(R_32);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_VIRTUAL);
    rig_check_books();
    rig_end();
}

/* A handle number is not given out again before its sync (vlun.md 15.1). */
Test(direct, a_held_handle_is_not_reused)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    h = open_direct(rig.ctx, 0, 0);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(open_direct(rig.ctx, 0, 0), 1); /* the retry for handle 0 fails */
    cr_assert_eq(open_direct(rig.ctx, 0, 0), 0);
    rig_check_books();
    rig_end();
}

/* SP-161, SP-163: no sync on an errored context; what it had waits for the AFU init. */
Test(direct, errored_context)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    h = open_direct(rig.ctx, 0, 0);
    rig.ctx->errored = true;
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    rig_expect("rht1[0].direct=invalid ports 1 permissions 3\npublish\nrht1[0].start=0\npublish\n"
               "rht1[0].count=free\npublish\n");
    PROVES(AD_127);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    rig.ctx->errored = false;
    rig_end();
}

/* A detach ends direct handles too (SP-75), and so does the end of a client. */
Test(direct, detach_and_death)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    open_direct(rig.ctx, 1, 0);
    open_direct(rig.ctx, 0, 0);
    cr_assert_eq(spipe_detach(rig.ctx, 1), 0);
    cr_assert_eq(rig.s.lun[1].global->mode, SPIPE_LUN_NONE);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    rig_end(); /* destroys the client, and expects that nothing is left */
}

/* A name keeps its LUN virtual. */
Test(direct, not_on_a_lun_with_names)
{
    uint32_t v;

    rig_begin(HAL_ORDER_LITTLE, 4);
    v = rig_open(rig.ctx, 1);
    cr_assert_eq(spipe_name_set(rig.ctx, v, "keep", 0), 0);
    cr_assert_eq(spipe_release(rig.ctx, v), 0);
    cr_assert_eq(try_direct(rig.ctx, 0, 0), -EINVAL);
    cr_assert_eq(spipe_name_remove(&rig.s, "keep"), 0);
    cr_assert_eq(try_direct(rig.ctx, 0, 0), 0);
    rig_end();
}
