/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual LUNs when AFU syncs fail, and on errored contexts: what is quarantined, for how long, and
 * what callers see. The rig checks after every publish what the AFU could see. */
#include "core/vlun/vlun.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/core_rig.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/proves.h"

TestSuite(vlun_fault, .timeout = 60);

/* VL-22, VL-33: the size has changed, the old array stays until the handle is synced. */
Test(vlun_fault, grow_with_a_failing_sync)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 8);
    recording_hal_clear(&rig.hal);
    rig_fail_syncs(2);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), -EAGAIN);
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 9);
    cr_assert_eq(rig_entry(rig.ctx, h).lxt_cnt, 9);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), -EAGAIN);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), 0);
    rig_expect("sync HW 4.0\n- lxt1\n");
    PROVES(VL_22);
    PROVES(VL_33);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(rig_free(), 55);
    rig_end();
}

Test(vlun_fault, grow_in_place_with_a_failing_sync)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 7);
    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), -EAGAIN);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), 0); /* there is no old array */
    rig_expect("sync HW 4.0\n");
    rig_end();
}

/* VL-73, R-15: the AFU may go on with the old size, so it is synced again, whether the application
 * asks for that or not. */
Test(vlun_fault, a_failed_sync_is_tried_again_though_nothing_was_withdrawn)
{
    static const uint64_t sizes[] = {8, 7}; /* in place, and the same size */

    for (unsigned i = 0; i < 2; i++) {
        struct spipe__lun *lun = &rig.s.lun[0];
        uint32_t h;

        rig_begin(HAL_ORDER_LITTLE, 64);
        h = rig_open(rig.ctx, 7);
        rig_fail_syncs(1);
        cr_assert_eq(rig.s.worker.tidy_at, EXEC_FOREVER);
        cr_assert_eq(rig_resize(rig.ctx, h, sizes[i]), -EAGAIN);
        cr_assert_lt(rig.s.worker.tidy_at, EXEC_FOREVER);
        cr_assert_eq(lun->global->holds, 1);
        recording_hal_clear(&rig.hal);
        cr_assert(spipe__quarantine_retry_lun(&rig.s, lun)); /* as the worker does */
        rig_expect("sync HW 4.0\n");
        cr_assert_eq(lun->global->holds, 0);
        cr_assert_eq(rig_free(), 64 - sizes[i]);
        rig_fail_syncs(3);
        cr_assert_eq(rig_resize(rig.ctx, h, sizes[i]), -EAGAIN);
        cr_assert_eq(rig_resize(rig.ctx, h, sizes[i]), -EAGAIN);
        cr_assert_not(rig.s.worker.reset_wanted);
        cr_assert_eq(spipe_release(rig.ctx, h), -EAGAIN);
        cr_assert(rig.s.worker.reset_wanted, "the third in a row");
        rig_end();
    }
    PROVES(VL_73);
    PROVES(R_15);
}

/* VL-26: nothing of what was withdrawn is used again before a sync succeeded. */
static void failing_shrink(uint64_t from, uint64_t to, const char *retry)
{
    uint32_t h, other;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 20);
    h = rig_open(rig.ctx, from);
    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, to), -EAGAIN);
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, to);
    cr_assert_eq(rig_entry(rig.ctx, h).lxt_cnt, to);
    cr_assert_eq(rig_free(), 20 - from);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    other = rig_open(rig.ctx, 1);
    cr_assert_geq(rig_chunk(rig.ctx, other, 0), from);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, to), 0); /* one sync, not two */
    rig_expect(retry);
    cr_assert_eq(rig_free(), 19 - to);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    PROVES(VL_26);
    cr_assert_eq(spipe_resize(rig.ctx, h, 0, &last), 0);
    rig_end();
}

Test(vlun_fault, shrink_with_a_failing_sync)
{
    failing_shrink(10, 3, "sync HW 4.0\n- lxt1\n");
    failing_shrink(8, 7, "sync HW 4.0\n"); /* in place */
    failing_shrink(8, 0, "sync HW 4.0\n- lxt1\n");
}

/* a request on the handle settles first, and does nothing if it cannot. */
Test(vlun_fault, every_request_settles_first)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 20);
    h = rig_open(rig.ctx, 8);
    rig_fail_syncs(4);
    cr_assert_eq(rig_resize(rig.ctx, h, 6), -EAGAIN);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), -EAGAIN);
    cr_assert_eq(rig_resize(rig.ctx, h, 2), -EAGAIN);
    cr_assert_eq(spipe_release(rig.ctx, h), -EAGAIN);
    rig_expect("sync HW 4.0 failed\nsync HW 4.0 failed\nsync HW 4.0 failed\n");
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 6);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), 0);
    rig_expect("sync HW 4.0\nlxt1[6]=6\nlxt1[7]=7\n"
               "publish\nrht1[0].start=lxt1\npublish\nrht1[0].count=8\npublish\nsync LW 4.0\n");
    rig_end();
}

/* SP-164, AD-141: the adapter fails for good between two requests, and its contexts are not lost
 * yet. What is pending waits, and nobody waits for it. */
Test(vlun_fault, failed_with_something_pending)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 40);
    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, 33), -EAGAIN);
    recording_hal_clear(&rig.hal);
    gate_force(&rig.s.gate, SPIPE_STATE_FAILED);
    cr_assert_eq(rig_resize(rig.ctx, h, 20), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 2), 0);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(rig_free(), 24, "the AFU may reach them");
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    PROVES(SP_164);
    gate_force(&rig.s.gate, SPIPE_STATE_NORMAL);
    rig_end();
}

/* A reset begins while a request is under way, and what an earlier sync of the handle left is still
 * held: entries behind the count are to be freed yet, so nothing grows over them (VL-26). */
Test(vlun_fault, no_grow_over_what_is_pending)
{
    static const uint64_t sizes[][2] = {{6, 8}, {6, 20}, {0, 1}, {20, 30}};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t left = sizes[i][0], wanted = sizes[i][1];
        struct spipe__resource *v;

        rig_begin(HAL_ORDER_LITTLE, 40);
        v = rig_vlun(rig.ctx, rig_open(rig.ctx, 8));
        rig_fail_syncs(1);
        cr_assert_eq(rig_resize(rig.ctx, 0, left), -EAGAIN);
        recording_hal_clear(&rig.hal);
        gate_force(&rig.s.gate, SPIPE_STATE_RESET);
        cr_assert_eq(spipe__vlun_resize(rig.ctx, v, wanted), -EAGAIN); /* it entered before */
        rig_expect("");
        cr_assert_eq(v->size, left);
        cr_assert_eq(rig_free(), left < 8 ? 32 : 20);
        rig.s.generation++;
        gate_force(&rig.s.gate, SPIPE_STATE_NORMAL);
        cr_assert_eq(spipe__vlun_resize(rig.ctx, v, wanted), 0);
        cr_assert_eq(rig_free(), 40 - wanted);
        rig_end();
    }
    PROVES(VL_26);
}

/* a sync that the AFU refuses three times in a row asks for a reset of the adapter. */
Test(vlun_fault, three_failures_ask_for_a_reset)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 20);
    h = rig_open(rig.ctx, 8);
    for (unsigned round = 0; round < 2; round++) {
        rig_fail_syncs(2);
        cr_assert_eq(rig_resize(rig.ctx, h, 6), -EAGAIN);
        cr_assert_eq(rig_resize(rig.ctx, h, 6), -EAGAIN);
        cr_assert_not(rig.s.worker.reset_wanted);
        cr_assert_eq(rig_resize(rig.ctx, h, 8), 0, "a good one in between counts anew");
    }
    rig_fail_syncs(3);
    cr_assert_eq(rig_resize(rig.ctx, h, 6), -EAGAIN);
    cr_assert_eq(rig_resize(rig.ctx, h, 6), -EAGAIN);
    cr_assert_not(rig.s.worker.reset_wanted);
    cr_assert_eq(rig_resize(rig.ctx, h, 6), -EAGAIN);
    cr_assert(rig.s.worker.reset_wanted);
    PROVES(R_15);
    cr_assert_eq(rig_resize(rig.ctx, h, 6), 0);
    rig_end();
}

/* VL-41, SP-71. */
Test(vlun_fault, release_with_a_failing_sync)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 20);
    h = rig_open(rig.ctx, 8);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_release(rig.ctx, h), -EAGAIN);
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 0);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    PROVES(VL_41);
    PROVES(SP_71);
    cr_assert_eq(spipe_release(rig.ctx, h), -EAGAIN);
    cr_assert_eq(rig_free(), 12);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    rig_expect("sync HW 4.0\n- lxt1\nrht1[0].count=free\npublish\nrht1[0].start=0\npublish\n");
    cr_assert_null(rig.s.lun[0].global->ba);
    PROVES(SP_72);
    rig_end();
}

/* VL-38: the first size cannot be synced, so the handle is gone again; its number comes back when
 * the AFU has been synced. */
Test(vlun_fault, open_with_a_failing_sync)
{
    uint32_t h = 99;
    uint64_t last = 7;

    rig_begin(HAL_ORDER_LITTLE, 20);
    rig_fail_syncs(2); /* LW, then the HW of the undo */
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 3 * 65536, &h, &last), -EAGAIN);
    rig_expect("rht1[0].count=0\npublish\n"
               "+ lxt1:8\nlxt1[0]=0\nlxt1[1]=1\nlxt1[2]=2\n"
               "publish\nrht1[0].start=lxt1\npublish\nrht1[0].count=3\npublish\n"
               "sync LW 4.0 failed\n"
               "publish\nrht1[0].count=0\npublish\nrht1[0].start=0\npublish\n"
               "sync HW 4.0 failed\n"
               "rht1[0].count=free\npublish\nrht1[0].start=0\npublish\n");
    cr_assert_eq(h, 99);
    cr_assert_eq(last, 7);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig_free(), 17);
    PROVES(VL_38);

    rig_fail_syncs(1);
    h = rig_open(rig.ctx, 1);
    cr_assert_eq(h, 1); /* handle 0 is still held */
    cr_assert_eq(rig_chunk(rig.ctx, h, 0), 3);
    cr_assert_eq(rig_open(rig.ctx, 1), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(rig_free(), 18);
    PROVES(SP_73);
    rig_end();
}

/* The same when it was opened with size 0: nothing was withdrawn, but the AFU may have cached the
 * entry. */
Test(vlun_fault, open_empty_with_a_failing_sync)
{
    uint32_t h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 20);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 0, &h, &last), -EAGAIN);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig_open(rig.ctx, 1), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    rig_end();
}

/* Before ENOSPC everything that is held on the LUN is tried once (vlun.md 15.1). */
Test(vlun_fault, quarantine_is_retried_before_enospc)
{
    uint32_t a, b;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 12);
    a = rig_open(rig.ctx, 8);
    b = rig_open(rig.ctx, 4);
    rig_fail_syncs(5); /* the shrink, a try before ENOSPC, the undone open, two tries */
    cr_assert_eq(rig_resize(rig.ctx, a, 2), -EAGAIN);
    cr_assert_eq(rig_resize(rig.ctx, b, 5), -ENOSPC);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &b, &last), -ENOSPC);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, b, 20), 0);
    cr_assert_eq(rig_vlun(rig.ctx, b)->size, 10);
    cr_assert_not_null(strstr(rig.hal.text, "sync HW 4.0\n"));
    rig_end();
}

/* The last thing that keeps a LUN in mode VIRTUAL may be in quarantine. */
Test(vlun_fault, retry_ends_the_mode)
{
    struct spipe__lun *lun = &rig.s.lun[0];

    rig_begin(HAL_ORDER_LITTLE, 12);
    rig_open(rig.ctx, 8);
    rig_open(rig.ctx, 1);
    rig_fail_syncs(2);
    cr_assert_eq(spipe_detach(rig.ctx, 0), 0);
    cr_assert_eq(lun->global->holds, 2);
    cr_assert_eq(lun->global->mode, SPIPE_LUN_VIRTUAL);
    rig_fail_syncs(1);
    spipe__quarantine_retry_lun(&rig.s, lun);
    cr_assert_eq(lun->global->holds, 2);
    recording_hal_clear(&rig.hal);
    spipe__quarantine_retry_lun(&rig.s, lun);
    rig_expect("sync HW 4.1\n- lxt2\nsync HW 4.0\n- lxt1\n");
    cr_assert_eq(lun->global->holds, 0);
    cr_assert_eq(lun->global->mode, SPIPE_LUN_NONE);
    spipe__quarantine_retry_lun(&rig.s, lun);
    PROVES(VL_13);
    PROVES(R_32);
    rig_end();
}

/* Detaching by force adds to what a failed shrink left (SP-80, VL-42); the AFU's next generation
 * frees it all. */
static void forced(uint64_t from, uint64_t to)
{
    struct spipe_ctx *other;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 40);
    other = rig_attach(0);
    h = rig_open(other, from);
    rig_fail_syncs(2);
    cr_assert_eq(rig_resize(other, h, to), -EAGAIN);
    cr_assert_eq(spipe_detach(other, 0), 0);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig_free(), 40 - (from > to ? from : to));
    rig.s.generation++;
    recording_hal_clear(&rig.hal);
    rig_open(rig.ctx, 0); /* keeps the mode */
    cr_assert(spipe__quarantine_retry_lun(&rig.s, &rig.s.lun[0]));
    cr_assert_eq(rig_free(), 40);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_null(strstr(rig.hal.text, "sync HW 5"));
    rig_end();
}

Test(vlun_fault, forced_close_after_a_failed_sync)
{
    forced(20, 5);  /* another array */
    forced(20, 19); /* the same array */
    forced(20, 30); /* grown: the old array only */
    forced(8, 0);
}

/* VL-23, VL-35, SP-161: no sync on an errored context. What it gives up in the window before the
 * AFU is reset waits for the reset; afterwards it is free at once. */
/* what is withdrawn on top of what is pending does not begin a new count. */
Test(vlun_fault, a_forced_close_counts_on)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 20);
    h = rig_open(rig.ctx, 9);
    rig_fail_syncs(3);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), -EAGAIN);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), -EAGAIN);
    cr_assert_not(rig.s.worker.reset_wanted);
    cr_assert_eq(spipe_detach(rig.ctx, 0), 0);
    cr_assert(rig.s.worker.reset_wanted, "the third in a row");
    rig_end();
    PROVES(R_15);
}

Test(vlun_fault, errored_context)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 40);
    h = rig_open(rig.ctx, 20);
    rig.ctx->errored = true;
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, 20), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 30), 0); /* holds the old array */
    PROVES(VL_23);
    PROVES(VL_35);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig_resize(rig.ctx, h, 7), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 5), 0); /* in steps, and nothing is free */
    cr_assert_eq(rig_free(), 10);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_null(strstr(rig.hal.text, "sync"));
    rig.s.generation++;
    cr_assert_eq(rig_resize(rig.ctx, h, 5), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(rig_free(), 35);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_null(rig.s.lun[0].global->ba);
    cr_assert_null(strstr(rig.hal.text, "sync"));
    PROVES(SP_161);
    PROVES(AD_127);
    rig_end();
}

/* A sync that is never answered comes back as EAGAIN too, after two context resets. */
Test(vlun_fault, lost_sync)
{
    static const enum rec_sync lost[] = {REC_SYNC_LOST, REC_SYNC_LOST};
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 40);
    h = rig_open(rig.ctx, 2);
    recording_hal_syncs(&rig.hal, lost, 2);
    cr_assert_eq(rig_resize(rig.ctx, h, 1), -EAGAIN);
    cr_assert_eq(rig_free(), 38);
    cr_assert_eq(rig_resize(rig.ctx, h, 1), 0);
    cr_assert_eq(rig_free(), 39);
    rig_end();
}

/* SP-163, INV-15: a sync that is skipped during a reset is not a failure, and confirms nothing. */
Test(vlun_fault, skipped_sync)
{
    struct spipe__resource *v;

    rig_begin(HAL_ORDER_LITTLE, 40);
    v = rig_vlun(rig.ctx, rig_open(rig.ctx, 4));
    recording_hal_clear(&rig.hal);
    gate_force(&rig.s.gate, SPIPE_STATE_RESET);
    cr_assert_eq(spipe__vlun_resize(rig.ctx, v, 1), 0); /* it entered before the reset */
    cr_assert_null(strstr(rig.hal.text, "sync"));
    cr_assert_eq(v->size, 1);
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    cr_assert_eq(rig_free(), 36);
    PROVES(SP_163);
    rig.s.generation++;
    gate_force(&rig.s.gate, SPIPE_STATE_NORMAL);
    cr_assert_eq(spipe__vlun_resize(rig.ctx, v, 1), 0);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    cr_assert_eq(rig_free(), 39);
    rig_end();
}
