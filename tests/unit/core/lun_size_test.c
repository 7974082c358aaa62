/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that shrink and grow under a LUN in use: what is handed out, what is parked, what comes
 * back, in every state that a chunk can be in. names_model_test has the same at random. */
#include "core/lun/lun_size.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "core/lun/lun_mode.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(lun_size, .timeout = 60);

#define CHUNK SPIPE_CHUNK_BLOCKS
#define LUN (rig.s.lun[0].global)

static int set_blocks(uint64_t blocks)
{
    int rc = spipe__lun_set_capacity(
        &rig.s, LUN,
        &(struct spipe__capacity){.last_lba = blocks - 1, .block_size = LUN->block_size});

    spipe__lun_move_end(&rig.s, LUN);
    return rc;
}

/* The device has this many whole chunks now. */
static void device_has(uint64_t chunks)
{
    cr_assert_eq(set_blocks(chunks * CHUNK + 99), 0);
    rig_check_books();
}

static int try_open(uint64_t chunks)
{
    uint32_t handle;
    uint64_t last;

    return spipe_open_virtual(rig.ctx, 0, chunks * CHUNK, &handle, &last);
}

static struct spipe_lun_info info(void)
{
    struct spipe_lun_info i;

    cr_assert_eq(spipe_lun_info(&rig.s, 0, &i), 0);
    return i;
}

/* ---- the device ---- */

Test(lun_size, capacity_of_an_unused_lun)
{
    struct spipe__capacity now = {.last_lba = 77, .block_size = 512, .reads_zero_unmapped = true};

    rig_begin(HAL_ORDER_LITTLE, 8);
    cr_assert_eq(spipe__lun_set_capacity(&rig.s, LUN, &now), 0);
    cr_assert_eq(LUN->last_lba, 77);
    cr_assert_eq(LUN->block_size, 512);
    cr_assert(LUN->reads_zero_unmapped);
    cr_assert_eq(try_open(1), -ENOMEM); /* less than a chunk */
    device_has(3);
    rig_open(rig.ctx, 3);
    PROVES(SP_88);
    rig_end();
}

/* SP-88: the size counts at once; whatever uses the LUN, another block size does not. */
Test(lun_size, capacity_of_a_lun_in_use)
{
    struct spipe__capacity now = {.last_lba = 77, .block_size = 512, .reads_zero_unmapped = true};
    uint32_t handle;
    uint64_t last;

    for (unsigned direct = 0; direct < 2; direct++) {
        rig_begin(HAL_ORDER_LITTLE, 8);
        if (direct)
            cr_assert_eq(spipe_open_direct(rig.ctx, 0, 0, &handle, &last), 0);
        else
            rig_open(rig.ctx, 0);
        last = LUN->last_lba;
        cr_assert_eq(spipe__lun_set_capacity(&rig.s, LUN, &now), -EIO);
        cr_assert_eq(LUN->last_lba, last);
        cr_assert_eq(LUN->block_size, 4096);
        cr_assert_not(LUN->reads_zero_unmapped);
        cr_assert_eq(set_blocks(5 * CHUNK), 0);
        cr_assert_eq(LUN->last_lba, 5 * CHUNK - 1);
        cr_assert_eq(info().chunks, direct ? 5 : 8);
        PROVES(SP_88);
        rig_end();
    }
}

/* ---- chunks ---- */

Test(lun_size, free_chunks_beyond_the_end)
{
    uint32_t a;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = rig_open(rig.ctx, 2);
    device_has(10);
    cr_assert_eq(rig_free(), 8);
    cr_assert_eq(info().free_chunks, 8);
    cr_assert_eq(info().chunks, 64); /* the allocator keeps its size */
    cr_assert_eq(spipe__ba_total(LUN->ba), 64);
    cr_assert_eq(rig_resize(rig.ctx, a, 64), 0); /* what is left (VL-20) */
    cr_assert_eq(rig_vlun(rig.ctx, a)->size, 10);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert_lt(rig_chunk(rig.ctx, a, i), 10);
    cr_assert_eq(rig_resize(rig.ctx, a, 11), -ENOSPC);
    PROVES(R_50);
    device_has(12);
    cr_assert_eq(rig_resize(rig.ctx, a, 64), 0);
    cr_assert_eq(rig_vlun(rig.ctx, a)->size, 12);
    PROVES(R_50);
    rig_check_books();
    rig_end();
}

/* A chunk that the device has in part only is beyond the end as well. */
Test(lun_size, the_end_is_a_whole_chunk)
{
    rig_begin(HAL_ORDER_BIG, 64);
    rig_open(rig.ctx, 0);
    cr_assert_eq(set_blocks(10 * CHUNK - 1), 0);
    cr_assert_eq(rig_free(), 9);
    cr_assert_eq(set_blocks(10 * CHUNK), 0);
    cr_assert_eq(rig_free(), 10);
    cr_assert_eq(set_blocks(1), 0);
    cr_assert_eq(rig_free(), 0);
    cr_assert_eq(try_open(1), -ENOSPC);
    rig_check_books();
    rig_end();
}

/* Chunks with an owner stay mapped; when it leaves they are parked, and growth frees them. */
Test(lun_size, chunks_in_use_beyond_the_end)
{
    uint32_t a, b;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = rig_open(rig.ctx, 8);
    b = rig_open(rig.ctx, 8); /* chunks 8..15 */
    device_has(4);
    cr_assert_eq(rig_vlun(rig.ctx, b)->size, 8);
    cr_assert_eq(rig_chunk(rig.ctx, b, 7), 15);
    cr_assert_eq(rig_references(15), 1);
    cr_assert_not(spipe__lun_is_parked(LUN, 15));
    PROVES(VLW_16);
    cr_assert_eq(rig_resize(rig.ctx, b, 3), 0);
    cr_assert(spipe__lun_is_parked(LUN, 15));
    rig_check_books();
    cr_assert_eq(rig_free(), 0);
    device_has(14);
    cr_assert_eq(rig_free(), 3); /* 11, 12, 13 */
    cr_assert_eq(spipe_release(rig.ctx, a), 0);
    cr_assert_eq(rig_free(), 11);
    device_has(64);
    cr_assert_eq(rig_free(), 61);
    rig_check_books();
    rig_end();
}

/* A device that grows beyond the size at creation changes nothing until the mode ends. */
Test(lun_size, growth_beyond_the_allocator)
{
    uint32_t a;

    rig_begin(HAL_ORDER_LITTLE, 8);
    a = rig_open(rig.ctx, 1);
    device_has(100);
    cr_assert_eq(info().chunks, 8);
    cr_assert_eq(rig_free(), 7);
    cr_assert_eq(LUN->last_lba, 100 * CHUNK + 98);
    cr_assert_eq(spipe_release(rig.ctx, a), 0);
    cr_assert_eq(LUN->mode, SPIPE_LUN_NONE);
    rig_open(rig.ctx, 90);
    cr_assert_eq(info().chunks, 100);
    PROVES(SP_88);
    PROVES(R_50);
    rig_end();
}

/* With the mode everything that was parked ends. */
Test(lun_size, the_mode_ends)
{
    uint32_t a;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = rig_open(rig.ctx, 3);
    device_has(2);
    cr_assert_eq(spipe_release(rig.ctx, a), 0);
    cr_assert_eq(LUN->mode, SPIPE_LUN_NONE);
    cr_assert_null(LUN->ba);
    cr_assert_null(LUN->parked);
    rig_check_books();
    rig_open(rig.ctx, 0);
    cr_assert_eq(spipe__ba_total(LUN->ba), 2);
    cr_assert_eq(rig_free(), 2);
    PROVES(SP_88);
    rig_end();
}

/* ---- owners of other kinds ---- */

/* What is quarantined beyond the end is parked when it leaves the quarantine. */
Test(lun_size, quarantine)
{
    uint32_t a;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = rig_open(rig.ctx, 8);
    rig_fail_syncs(1);
    cr_assert_eq(rig_resize(rig.ctx, a, 1), -EAGAIN);
    device_has(3);
    cr_assert_not(spipe__lun_is_parked(LUN, 7));
    cr_assert_eq(rig_resize(rig.ctx, a, 1), 0);
    cr_assert(spipe__lun_is_parked(LUN, 7));
    cr_assert_not(spipe__lun_is_parked(LUN, 2));
    cr_assert_eq(rig_free(), 2);
    rig_check_books();
    rig_end();
}

/* A chunk with every owner that it can have, of which one is a name. */
Test(lun_size, all_256_references)
{
    uint32_t a, h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 8);
    a = rig_open(rig.ctx, 6);
    cr_assert_eq(spipe_name_set(rig.ctx, a, "vol", 0), 0);
    for (unsigned i = 0; i < 254; i++)
        cr_assert_eq(spipe_name_open(rig.ctx, "vol", &h, &last), 0);
    cr_assert_eq(rig_references(5), 256);
    device_has(4);
    cr_assert_eq(rig_references(5), 256);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe_release(rig.ctx, i), 0);
    cr_assert_eq(rig_references(5), 1); /* the name */
    cr_assert_eq(spipe_name_open(rig.ctx, "vol", &h, &last), 0);
    cr_assert_eq(last, 6 * CHUNK - 1);
    cr_assert_eq(spipe_name_remove(&rig.s, "vol"), 0);
    cr_assert_not(spipe__lun_is_parked(LUN, 5));
    cr_assert_eq(rig_resize(rig.ctx, h, 2), 0);
    cr_assert(spipe__lun_is_parked(LUN, 5));
    cr_assert_eq(rig_free(), 2);
    rig_check_books();
    rig_end();
}

Test(lun_size, names_lose_chunks_beyond_the_end)
{
    uint32_t a;

    rig_begin(HAL_ORDER_LITTLE, 8);
    a = rig_open(rig.ctx, 6);
    cr_assert_eq(spipe_name_set(rig.ctx, a, "vol", 0), 0);
    device_has(3);
    cr_assert_eq(rig_resize(rig.ctx, a, 1), 0); /* record, then handle */
    cr_assert_eq(rig_free(), 2);
    rig_check_books();
    device_has(8);
    cr_assert_eq(rig_free(), 7);
    rig_end();
}
