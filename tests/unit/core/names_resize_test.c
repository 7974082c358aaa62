/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing named virtual LUNs: record, AFU and allocator change in an order that no failure and no
 * crash can turn into a chunk with two owners (core/catalogue/name_binding.h). */
#include "core/catalogue/name_binding.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/core_rig.h"

TestSuite(names_resize, .timeout = 60);

static uint32_t begin(uint64_t chunks)
{
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, chunks);
    cr_assert_eq(spipe_name_set(rig.ctx, h, "vol", 0), 0);
    recording_hal_clear(&rig.hal);
    return h;
}

static uint32_t recorded(void)
{
    return spipe__cat_find(rig.s.group->catalogue, "vol")->chunk_count;
}

static uint32_t open_again(void)
{
    uint32_t h;
    uint64_t last;

    cr_assert_eq(spipe_name_open(rig.ctx, "vol", &h, &last), 0);
    recording_hal_clear(&rig.hal);
    return h;
}

Test(names_resize, in_order)
{
    uint32_t h = begin(1);

    cr_assert_eq(rig_resize(rig.ctx, h, 3), 0);
    rig_expect("lxt1[1]=1\nlxt1[2]=2\n"
               "publish\nrht1[0].start=lxt1\npublish\nrht1[0].count=3\npublish\nsync LW 4.0\n"
               "record\n");
    cr_assert_eq(recorded(), 3);
    cr_assert_eq(rig_references(2), 2);
    cr_assert_eq(rig_resize(rig.ctx, h, 2), 0);
    rig_expect("record\n"
               "publish\nrht1[0].count=2\npublish\nrht1[0].start=lxt1\npublish\nsync HW 4.0\n");
    cr_assert_eq(recorded(), 2);
    cr_assert_eq(rig_references(2), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 2), 0);
    rig_expect("sync HW 4.0\n");
    rig_restart(64);
    cr_assert_eq(recorded(), 2);
    rig_end();
}

Test(names_resize, releases_do_not_cut_the_name)
{
    uint32_t h = begin(3);

    rig_fail_syncs(1);
    cr_assert_eq(spipe_release(rig.ctx, h), -EAGAIN);
    cr_assert_eq(recorded(), 3);
    cr_assert_eq(rig_resize(rig.ctx, h, 2), 0); /* of a handle that has no name any more */
    cr_assert_eq(recorded(), 3);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(recorded(), 3);
    rig_end();
}

Test(names_resize, growth_cannot_be_recorded)
{
    uint32_t h = begin(7);
    static const int errors[] = {-EIO, -ENOSPC};

    for (unsigned i = 0; i < 2; i++) {
        rig.store.fail = errors[i];
        cr_assert_eq(rig_resize(rig.ctx, h, 9), errors[i]);
        rig.store.fail = 0;
        cr_assert_eq(rig_vlun(rig.ctx, h)->size, 7);
        cr_assert_eq(recorded(), 7);
        cr_assert_eq(rig_free(), 57);
        rig_check_books();
    }
    rig.store.fail = -EIO;
    recording_hal_syncs(&rig.hal, (enum rec_sync[]){REC_SYNC_OK, REC_SYNC_ERROR}, 2);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), -EIO); /* and the undo cannot be synced */
    rig.store.fail = 0;
    cr_assert_eq(rig_free(), 55);
    rig_check_books();
    cr_assert_eq(rig_resize(rig.ctx, h, 9), 0);
    cr_assert_eq(recorded(), 9);
    rig_end();
}

/* A chunk has 256 owners at most, and one of the new ones has them already. */
Test(names_resize, growth_with_too_many_owners)
{
    uint32_t h = begin(1);

    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), -EAGAIN);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe__ba_add_reference(rig.s.lun[0].global->ba, 2), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), -EIO);
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 1);
    cr_assert_eq(rig_references(1), 0);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, 2), 0);
    rig_end();
}

Test(names_resize, growth_without_memory_for_the_record)
{
    uint32_t h = begin(1);

    rig.exec.fail_after = 0;
    cr_assert_eq(rig_resize(rig.ctx, h, 2), -ENOMEM);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 1);
    rig_check_books();
    rig_end();
}

/* Not recorded before it is synced; a retry does both. */
Test(names_resize, growth_cannot_be_synced)
{
    uint32_t h = begin(1);

    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), -EAGAIN);
    cr_assert_eq(recorded(), 1);
    rig_check_books();
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), 0);
    rig_expect("sync HW 4.0\nrecord\n");
    cr_assert_eq(recorded(), 3);

    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, 7), -EAGAIN);
    cr_assert_eq(rig_resize(rig.ctx, h, 5), 0); /* another size instead of the retry */
    cr_assert_eq(recorded(), 5);
    rig_check_books();
    rig_end();
}

Test(names_resize, shrink_cannot_be_recorded)
{
    uint32_t h = begin(3);

    rig.store.fail = -EIO;
    cr_assert_eq(rig_resize(rig.ctx, h, 1), -EIO);
    rig_expect("");
    rig.store.fail = 0;
    cr_assert_eq(recorded(), 3);
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 3);
    rig_check_books();
    rig_end();
}

/* The record is durable, the chunks are not free. */
Test(names_resize, shrink_cannot_be_synced)
{
    uint32_t h = begin(3);

    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, h, 1), -EAGAIN);
    cr_assert_eq(recorded(), 1);
    cr_assert_eq(rig_free(), 61);
    rig_check_books();
    cr_assert_eq(rig_resize(rig.ctx, h, 1), 0);
    cr_assert_eq(rig_free(), 63);
    rig_end();
}

/* What its owner said it holds cannot be more than it can hold, and does not come back. */
Test(names_resize, length_is_cut_too)
{
    const uint64_t chunk = UINT64_C(65536) * 4096;
    struct spipe_name_info info;
    uint32_t h = begin(4);
    unsigned lun;

    cr_assert_eq(spipe_name_set(rig.ctx, h, "vol", 2 * chunk), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), 0);
    cr_assert_eq(spipe_name_stat(&rig.s, "vol", &info, &lun), 0);
    cr_assert_eq(info.byte_length, 2 * chunk);
    cr_assert_eq(rig_resize(rig.ctx, h, 1), 0);
    rig_check_books();
    cr_assert_eq(rig_resize(rig.ctx, h, 4), 0);
    rig_restart(64);
    cr_assert_eq(spipe_name_stat(&rig.s, "vol", &info, &lun), 0);
    cr_assert_eq(info.byte_length, chunk);
    cr_assert_eq(info.blocks, 4 * 65536);
    rig_end();
}

/* Two handles of one name: the one that comes second finds that the name has changed. */
Test(names_resize, stale_handles)
{
    uint32_t a = begin(2), b = open_again();

    cr_assert_eq(rig_resize(rig.ctx, a, 4), 0);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, b, 3), -ESTALE);
    cr_assert_eq(rig_resize(rig.ctx, b, 4), -ESTALE);
    rig_expect("");
    cr_assert_eq(rig_resize(rig.ctx, b, 2), 0); /* what both have: the name is cut to it */
    cr_assert_eq(recorded(), 2);
    cr_assert_eq(rig_vlun(rig.ctx, a)->size, 4);
    rig_check_books();
    cr_assert_eq(rig_resize(rig.ctx, b, 3), 0); /* chunk 4; a has chunk 2 there */
    cr_assert_eq(rig_resize(rig.ctx, a, 4), -ESTALE);
    cr_assert_eq(rig_resize(rig.ctx, a, 1), 0);
    cr_assert_eq(recorded(), 1);
    rig_check_books();
    rig_end();
}
