/* SPDX-License-Identifier: Apache-2.0 */
/* MANAGE_LUN: which ports of a LUN requests may use, and when that may change. */
#include <criterion/criterion.h>
#include <errno.h>

#include "core/lun/lun_mode.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(lun_manage, .timeout = 60);

static struct spipe__lun *lun1(void) { return &rig.s.lun[1]; }

static int attach1(void)
{
    struct spipe_ctx *ctx;
    int rc = spipe_attach(rig.client, 1, NULL, &ctx);

    return rc ? rc : spipe_detach(ctx, 1);
}

/* SP-118, SP-120, SP-16: the bits of the ports; a LUN without any cannot be used. */
Test(lun_manage, enable_and_disable)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(attach1(), 0);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 0), 0);
    cr_assert_eq(lun1()->port_mask, 2);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 1), 0);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 1), 0); /* again */
    cr_assert_eq(lun1()->port_mask, 0);
    cr_assert_eq(attach1(), -EINVAL);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), -EINVAL);
    PROVES(SP_120);
    cr_assert_eq(spipe_lun_enable(&rig.s, 1, 1), 0);
    cr_assert_eq(spipe_lun_enable(&rig.s, 1, 1), 0);
    cr_assert_eq(lun1()->port_mask, 2); /* SPW-17: the same port twice is one port */
    cr_assert_eq(spipe_lun_enable(&rig.s, 1, 0), 0);
    cr_assert_eq(lun1()->port_mask, 3);
    cr_assert_eq(attach1(), 0);
    PROVES(SP_118);
    rig_end();
}

Test(lun_manage, what_does_not_exist)
{
    rig_begin(HAL_ORDER_LITTLE, 4);
    cr_assert_eq(spipe_lun_enable(&rig.s, 2, 0), -ENOENT);
    cr_assert_eq(spipe_lun_disable(&rig.s, 2, 0), -ENOENT);
    cr_assert_eq(spipe_lun_enable(&rig.s, 1, 2), -EINVAL);
    cr_assert_eq(spipe_lun_enable(&rig.s, 1, UINT32_MAX), -EINVAL);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 2), -EINVAL);
    lun1()->found_ports = 1;
    lun1()->port_mask = 1;
    cr_assert_eq(spipe_lun_enable(&rig.s, 1, 1), -EINVAL); /* not behind that port */
    rig_end();
}

/* SP-120, SP-127: not while anybody needs it. */
Test(lun_manage, busy)
{
    struct spipe_ctx *ctx;
    uint64_t last;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    ctx = rig_attach(1);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 0), -EBUSY); /* attached, no handle */
    PROVES(SP_127);
    cr_assert_eq(spipe_open_direct(ctx, 1, 0, &h, &last), 0);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 0), -EBUSY);
    cr_assert_eq(spipe_detach(ctx, 1), 0);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 0), 0);
    rig_end();
}

/* what is only quarantined gets one more sync. */
Test(lun_manage, busy_with_holds)
{
    struct spipe_ctx *ctx;
    uint64_t last;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    ctx = rig_attach(1);
    cr_assert_eq(spipe_open_direct(ctx, 1, 0, &h, &last), 0);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_detach(ctx, 1), 0);
    cr_assert_eq(lun1()->global->holds, 1);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 0), -EBUSY);
    cr_assert_eq(spipe_lun_disable(&rig.s, 1, 0), 0);
    rig_check_books();
    rig_end();
}

Test(lun_manage, busy_with_names)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    h = rig_open(rig.ctx, 1);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "keep", 0), 0);
    cr_assert_eq(spipe_detach(rig.ctx, 0), 0);
    cr_assert_eq(spipe_lun_disable(&rig.s, 0, 0), -EBUSY);
    cr_assert_eq(spipe_name_remove(&rig.s, "keep"), 0);
    cr_assert_eq(spipe_lun_disable(&rig.s, 0, 0), 0);
    rig_end();
}

/* SP-128, SPW-16: LXT entries that exist would name a slot that is another LUN's on the new port.
 */
Test(lun_manage, no_new_port_for_a_slot)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    rig.s.lun[0].port_mask = 1;
    h = rig_open(rig.ctx, 1);
    cr_assert_eq(spipe_lun_enable(&rig.s, 0, 1), -EBUSY);
    cr_assert_eq(spipe_lun_enable(&rig.s, 0, 0), 0); /* it is */
    PROVES(SP_128);
    cr_assert_eq(spipe_lun_disable(&rig.s, 0, 0), -EBUSY);
    cr_assert_eq(afu_lxt_ports(rig_lxt_entry(rig.ctx, h, 0)), 1);
    PROVES(VL_54); /* the rig has checked slot and mask of every entry that was published */
    cr_assert_eq(spipe_release(rig.ctx, h), 0); /* gives the slot back (SP-135) */
    cr_assert_eq(spipe_lun_enable(&rig.s, 0, 1), 0);
    rig_end();
}
