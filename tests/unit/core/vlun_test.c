/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual LUNs: sizes, what is granted, in which order the AFU sees changes, and what happens when
 * a sync fails. The rig checks after every publish what the AFU could see (INV-4, 7, 8, 10, 11,
 * 13).
 */
#include "core/vlun/vlun.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/lun/lun_mode.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(vlun, .timeout = 60);

/* ---- sizes ---- */

/* The table of vlun.md section 7, literally. */
Test(vlun, arithmetic)
{
    static const struct {
        uint32_t block_size;
        uint64_t blocks, chunks, last_lba;
    } row[] = {
        {4096, 0, 0, UINT64_MAX},  {4096, 1, 1, 0xFFFF},    {4096, 65536, 1, 0xFFFF},
        {4096, 65537, 2, 0x1FFFF}, {512, 1, 1, 0x1FFF},     {512, 8192, 1, 0x1FFF},
        {512, 8193, 2, 0x3FFF},    {512, 65536, 8, 0xFFFF}, {512, 0, 0, UINT64_MAX},
    };

    for (unsigned i = 0; i < sizeof row / sizeof row[0]; i++) {
        cr_assert_eq(spipe__vlun_chunks(row[i].blocks, row[i].block_size), row[i].chunks);
        PROVES(VL_29);
        cr_assert_eq(spipe__vlun_last_lba(row[i].chunks, row[i].block_size), row[i].last_lba);
        PROVES(VL_32);
    }
    cr_assert_eq(spipe__vlun_chunks(UINT64_MAX, 4096), UINT64_C(1) << 36);
    cr_assert_eq(spipe__vlun_chunks(UINT64_MAX, 512), UINT64_C(1) << 39);
    cr_assert_eq(spipe__vlun_chunks(UINT64_C(1) << 52, 4096), UINT64_C(1) << 36);
    cr_assert_eq(spipe__vlun_chunks(UINT64_C(1) << 52, 512), UINT64_C(1) << 39);
    PROVES(VL_30);
}

static uint64_t open_blocks(unsigned lun, uint64_t blocks, uint32_t *handle)
{
    uint64_t last = 77;

    cr_assert_eq(spipe_open_virtual(rig.ctx, lun, blocks, handle, &last), 0);
    return last;
}

Test(vlun, granted_sizes)
{
    uint64_t last;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 10);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    cr_assert_eq(open_blocks(0, 65537, &h), 0x1FFFF);
    cr_assert_eq(open_blocks(1, 8193, &h), 0x3FFF);
    cr_assert_eq(open_blocks(1, 0, &h), SPIPE_NO_BLOCK);
    PROVES(SP_64);
    cr_assert_eq(open_blocks(0, UINT64_MAX, &h), 8 * 65536 - 1); /* all that is left */
    PROVES(VL_20);
    PROVES(SP_69);
    PROVES(R_42);
    cr_assert_eq(spipe_resize(rig.ctx, h, UINT64_C(1) << 52, &last), -ENOSPC);
    cr_assert_eq(spipe_resize(rig.ctx, h, 1, &last), 0);
    cr_assert_eq(last, 0xFFFF);
    cr_assert_eq(spipe_resize(rig.ctx, h, 4 * 65536 + 1, &last), 0);
    cr_assert_eq(last, 5 * 65536 - 1); /* whole chunks, at least what was asked for */
    PROVES(VL_34);
    cr_assert_eq(spipe_resize(rig.ctx, h, 0, &last), 0);
    cr_assert_eq(last, SPIPE_NO_BLOCK);
    rig_end();
}

Test(vlun, last_chunk_is_granted_then_nothing)
{
    uint32_t a, b;
    uint64_t last = 5;

    rig_begin(HAL_ORDER_LITTLE, 3);
    a = rig_open(rig.ctx, 2);
    b = rig_open(rig.ctx, 2);
    cr_assert_eq(rig_vlun(rig.ctx, b)->size, 1);
    cr_assert_eq(rig_resize(rig.ctx, a, 3), -ENOSPC);
    cr_assert_eq(rig_vlun(rig.ctx, a)->size, 2);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &a, &last), -ENOSPC);
    PROVES(SP_67);
    cr_assert_eq(last, 5);
    cr_assert_eq(rig.s.lun[0].global->users, 2);
    cr_assert_eq(spipe__rht_free_handle(&rig.ctx->rht, 0), 2);
    rig_end();
}

/* ---- order ---- */

static void sequence(enum hal_order order)
{
    uint32_t h;

    rig_begin(order, 64);
    h = rig_open(rig.ctx, 2);
    rig_expect("rht1[0].count=0\npublish\n"
               "+ lxt1:8\nlxt1[0]=0\nlxt1[1]=1\n"
               "publish\nrht1[0].start=lxt1\npublish\nrht1[0].count=2\npublish\nsync LW 4.0\n");
    PROVES(VL_36);
    cr_assert_eq(rig_resize(rig.ctx, h, 3), 0); /* in place */
    rig_expect("lxt1[2]=2\n"
               "publish\nrht1[0].start=lxt1\npublish\nrht1[0].count=3\npublish\nsync LW 4.0\n");
    cr_assert_eq(rig_resize(rig.ctx, h, 9), 0); /* another group */
    rig_expect("+ lxt2:16\nlxt2[0]=0\nlxt2[1]=1\nlxt2[2]=2\n"
               "lxt2[3]=3\nlxt2[4]=4\nlxt2[5]=5\nlxt2[6]=6\nlxt2[7]=7\nlxt2[8]=8\n"
               "publish\nrht1[0].start=lxt2\npublish\nrht1[0].count=9\npublish\nsync LW 4.0\n"
               "- lxt1\n");
    PROVES(VL_19);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), 0); /* a group less */
    rig_expect("+ lxt3:8\n"
               "lxt3[0]=0\nlxt3[1]=1\nlxt3[2]=2\nlxt3[3]=3\n"
               "lxt3[4]=4\nlxt3[5]=5\nlxt3[6]=6\nlxt3[7]=7\n"
               "publish\nrht1[0].count=8\npublish\nrht1[0].start=lxt3\npublish\nsync HW 4.0\n"
               "- lxt2\n");
    PROVES(VL_25);
    cr_assert_eq(rig_resize(rig.ctx, h, 1), 0); /* in place */
    rig_expect("publish\nrht1[0].count=1\npublish\nrht1[0].start=lxt3\npublish\nsync HW 4.0\n");
    cr_assert_eq(rig_resize(rig.ctx, h, 1), 0); /* equal */
    rig_expect("sync HW 4.0\n");
    PROVES(VL_31);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    rig_expect("publish\nrht1[0].count=0\npublish\nrht1[0].start=0\npublish\nsync HW 4.0\n- lxt3\n"
               "rht1[0].count=free\npublish\nrht1[0].start=0\npublish\n");
    PROVES(VL_39);
    rig_end();
}

Test(vlun, stores_and_syncs_little_endian) { sequence(HAL_ORDER_LITTLE); }

Test(vlun, stores_and_syncs_big_endian) { sequence(HAL_ORDER_BIG); }

/* Growing and shrinking re-allocate when the number of groups changes, and only then. */
Test(vlun, groups)
{
    uint32_t h;
    const uint64_t *lxt;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 1);
    lxt = rig_vlun(rig.ctx, h)->lxt.entry;
    cr_assert_eq(rig_resize(rig.ctx, h, 8), 0);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.entry, lxt);
    cr_assert_eq(rig_resize(rig.ctx, h, 1), 0);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.entry, lxt);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), 0);
    cr_assert_neq(rig_vlun(rig.ctx, h)->lxt.entry, lxt);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.capacity, 16);
    cr_assert_eq(rig_resize(rig.ctx, h, 17), 0);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.capacity, 24);
    cr_assert_eq(rig_resize(rig.ctx, h, 8), 0);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.capacity, 8);
    cr_assert_eq(rig_resize(rig.ctx, h, 0), 0);
    cr_assert_null(rig_vlun(rig.ctx, h)->lxt.entry);
    cr_assert_eq(rig_entry(rig.ctx, h).lxt_start, 0);
    PROVES(VL_16);
    rig_end();
}

/* VL-28 and VL-8: freed from the end, and found again in ascending order. */
Test(vlun, chunks_are_freed_and_found_again)
{
    uint32_t a, b;

    rig_begin(HAL_ORDER_LITTLE, 64);
    a = rig_open(rig.ctx, 4);
    b = rig_open(rig.ctx, 1);
    cr_assert_eq(rig_chunk(rig.ctx, b, 0), 4);
    cr_assert_eq(rig_resize(rig.ctx, a, 1), 0);
    cr_assert_eq(rig_free(), 62);
    cr_assert_eq(rig_resize(rig.ctx, b, 4), 0);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert_eq(rig_chunk(rig.ctx, b, i + 1), i + 1);
    rig_end();
}

/* ---- open and release ---- */

Test(vlun, entry_and_books_of_a_handle)
{
    static const struct afu_rht_entry zero;
    struct spipe_attach_options options = {.size = sizeof options, .no_write = true};
    struct spipe_ctx *reader;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    cr_assert_eq(spipe_attach(rig.client, 0, &options, &reader), 0);
    h = rig_open(reader, 1);
    cr_assert_eq(rig_entry(reader, h).nmask, 16);
    cr_assert_eq(rig_entry(reader, h).permissions, AFU_PERM_READ); /* INV-10 */
    cr_assert_eq(reader->block_shift[h], 12);
    cr_assert_eq(rig.s.lun[0].global->users, 1);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_VIRTUAL);
    PROVES(SP_62);
    cr_assert_eq(spipe_release(reader, h), 0);
    cr_assert_eq(memcmp(&reader->rht.entries[h], &zero, sizeof zero), 0);
    PROVES(VL_40);
    cr_assert_eq(reader->block_shift[h], 0);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    PROVES(SP_1);
    cr_assert_eq(rig.s.lun[0].global->mode, SPIPE_LUN_NONE);
    cr_assert_null(rig.s.lun[0].global->ba);
    PROVES(SP_2);
    PROVES(VL_13);
    rig_end();
}

/* SP-36: nothing of a handle is left for the next one that has its number. */
Test(vlun, a_freed_handle_is_as_new)
{
    struct spipe_open_options wiped = {.size = sizeof wiped, .wipe = true};
    uint64_t last;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    cr_assert_eq(spipe_open_virtual_with(rig.ctx, 0, 0, &wiped, &h, &last), 0);
    cr_assert(rig_vlun(rig.ctx, h)->wipe);
    cr_assert_eq(rig.ctx->rht.used[0], 1);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    rig_expect("sync HW 4.0\nrht1[0].count=free\npublish\nrht1[0].start=0\npublish\n");
    cr_assert_null(rig.ctx->resource[h]);
    cr_assert_eq(rig.ctx->block_shift[h], 0);
    cr_assert_eq(rig.ctx->rht.used[0], 0);
    cr_assert_eq(rig_open(rig.ctx, 1), h);
    cr_assert_not(rig_vlun(rig.ctx, h)->wipe);
    PROVES(SP_36);
    rig_end();
}

/* SP-130: a slot of the LUN table is for LXT entries, so for virtual LUNs only. */
Test(vlun, the_first_virtual_lun_takes_a_slot)
{
    const struct spipe__lun *lun = &rig.s.lun[0];
    struct spipe_ctx *ctx;
    uint64_t last;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    ctx = rig_attach(0);
    cr_assert_not(lun->in_table);
    cr_assert_eq(spipe_open_direct(ctx, 0, 0, &h, &last), 0);
    cr_assert_not(lun->in_table);
    cr_assert_eq(rig.s.promote_lun_index, 0);
    cr_assert_eq(spipe_release(ctx, h), 0);
    rig_open(ctx, 0);
    cr_assert(lun->in_table);
    rig_open(ctx, 0);
    cr_assert_eq(rig.s.promote_lun_index, 1);
    PROVES(SP_130);
    rig_end();
}

/* VL-52: a virtual LUN has all ports on which its LUN is enabled, a direct handle has one. */
static void expect_ports(unsigned ports)
{
    struct afu_rht_direct d;
    uint64_t last;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 4);
    rig.s.lun[0].port_mask = (uint8_t)ports;
    h = rig_open(rig.ctx, 1);
    cr_assert_eq(afu_lxt_ports(rig_lxt_entry(rig.ctx, h, 0)), ports);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(spipe_open_direct(rig.ctx, 0, ports >> 1, &h, &last), 0);
    d = afu_rht_unpack_direct(rig.hal.order, &rig.ctx->rht.entries[h]);
    cr_assert_eq(d.port_sel, ports == 1 ? 1 : 2);
    rig_end();
}

Test(vlun, ports)
{
    expect_ports(1);
    expect_ports(2);
    expect_ports(3);
    PROVES(VL_52);
}

Test(vlun, unknown_handles)
{
    uint64_t last = 3;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 1);
    cr_assert_eq(spipe_release(rig.ctx, 1), -EINVAL);
    cr_assert_eq(spipe_release(rig.ctx, 256), -EINVAL);
    cr_assert_eq(spipe_resize(rig.ctx, 1, 1, &last), -EINVAL);
    cr_assert_eq(spipe_resize(rig.ctx, UINT32_MAX, 1, &last), -EINVAL);
    PROVES(SP_34);
    PROVES(SP_66);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    cr_assert_eq(spipe_release(rig.ctx, h), -EINVAL);
    PROVES(SP_70);
    cr_assert_eq(last, 3);
    rig_end();
}

Test(vlun, refused_opens_change_nothing)
{
    uint32_t h = 99;
    uint64_t last = 3;

    rig_begin(HAL_ORDER_LITTLE, 64);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 1, 1, &h, &last), -EINVAL); /* not attached */
    cr_assert_eq(spipe_open_virtual(rig.ctx, 2, 1, &h, &last), -EINVAL);
    rig.s.lun[0].global->mode = SPIPE_LUN_PHYSICAL;
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &h, &last), -EINVAL);
    rig.s.lun[0].global->mode = SPIPE_LUN_NONE;
    rig.s.lun[0].global->last_lba = 65534; /* no whole chunk */
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &h, &last), -ENOMEM);
    PROVES(SP_59);
    rig.s.lun[0].global->last_lba = UINT64_MAX;
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &h, &last), -ENOMEM);
    rig.s.lun[0].global->last_lba = 65535;
    rig.s.promote_lun_index = rig.s.last_lun_index[0]; /* LUN table full */
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &h, &last), -ENOSPC);
    rig.s.promote_lun_index = 0;
    rig.s.lun[0].port_mask = 0;
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &h, &last), -EIO);
    PROVES(SP_60);
    cr_assert_eq(h, 99);
    cr_assert_eq(last, 3);
    cr_assert_null(rig.s.lun[0].global->ba);
    cr_assert_eq(rig.s.lun[0].global->users, 0);
    rig_expect("");
    rig_end();
}

/* a handle comes before memory and space. */
Test(vlun, no_handle_left)
{
    uint32_t h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 1);
    rig.hal.silent = true;
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        cr_assert_eq(rig_open(rig.ctx, 0), i);
    rig.exec.fail_after = 0;
    cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 1, &h, &last), -EMFILE);
    PROVES(SP_61);
    cr_assert_geq(SPIPE__RHT_SIZE, 256);
    cr_assert_eq(rig.hal.ctx[RIG_FIRST].ctrl[AFU_CTRL_RHT_CNT_ID / 8] >> 48, SPIPE__RHT_SIZE);
    PROVES(SP_6);
    PROVES(R_34);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    cr_assert_eq(spipe_release(rig.ctx, 17), 0);
    cr_assert_eq(rig_open(rig.ctx, 1), 17);
    PROVES(SP_35);
    rig_end();
}

/* Every allocation of an open and of a grow fails once. */
Test(vlun, no_memory)
{
    size_t blocks;
    uint32_t h;
    uint64_t last;

    rig_begin(HAL_ORDER_LITTLE, 64);
    blocks = rig.exec.blocks;
    for (int64_t n = 0; n < 3; n++) { /* virtual LUN, allocator, LXT */
        rig.exec.fail_after = n;
        cr_assert_eq(spipe_open_virtual(rig.ctx, 0, 65536, &h, &last), -ENOMEM);
        rig.exec.fail_after = FAKE_EXEC_NEVER;
        cr_assert_eq(rig.exec.blocks, blocks);
        cr_assert_eq(rig.s.lun[0].global->users, 0);
        PROVES(SP_65);
    }
    h = rig_open(rig.ctx, 8);
    rig.exec.fail_after = 0;
    recording_hal_clear(&rig.hal);
    cr_assert_eq(rig_resize(rig.ctx, h, 9), -ENOMEM);
    rig_expect("");
    cr_assert_eq(rig_free(), 56);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    rig.hal.fail_register = -ENOMEM;
    cr_assert_eq(rig_resize(rig.ctx, h, 9), -ENOMEM);
    cr_assert_eq(rig_vlun(rig.ctx, h)->size, 8);
    rig_end();
}

/* no shrink needs memory; the capacity stays, and is used again. */
Test(vlun, shrink_without_memory)
{
    const uint64_t *lxt;
    uint32_t h;

    rig_begin(HAL_ORDER_LITTLE, 64);
    h = rig_open(rig.ctx, 20);
    lxt = rig_vlun(rig.ctx, h)->lxt.entry;
    rig.exec.fail_after = 0;
    cr_assert_eq(rig_resize(rig.ctx, h, 5), 0);
    cr_assert_eq(rig_free(), 59);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.entry, lxt);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.capacity, 24);
    cr_assert_eq(rig_resize(rig.ctx, h, 12), 0);
    cr_assert_eq(rig_vlun(rig.ctx, h)->lxt.entry, lxt);
    cr_assert_eq(rig_resize(rig.ctx, h, 0), 0);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    cr_assert_eq(rig_free(), 64);
    PROVES(R_52);
    rig_end();
}

/* VL-21, VL-45: the third of four chunks has 256 owners. */
Test(vlun, allocator_fails_against_expectation)
{
    struct spipe__resource *v;

    rig_begin(HAL_ORDER_LITTLE, 64);
    rig_open(rig.ctx, 4);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe__ba_add_reference(rig.s.lun[0].global->ba, 2), 0);
    cr_assert_eq(spipe__vlun_open(rig.ctx, &rig.s.lun[0], false, &v), 0);
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe__vlun_share_with(rig.ctx, v, rig_vlun(rig.ctx, 0)), -EIO);
    rig_expect("publish\n+ lxt2:8\nlxt2[0]=0\nlxt2[1]=1\npublish\n- lxt2\n");
    cr_assert_eq(v->size, 0);
    cr_assert_eq(rig_entry(rig.ctx, 1).lxt_cnt, 0);
    cr_assert_eq(rig_references(0), 1);
    cr_assert_eq(rig_references(1), 1);
    cr_assert_eq(rig_references(3), 1);
    for (unsigned i = 0; i < 255; i++)
        cr_assert_eq(spipe__ba_free(rig.s.lun[0].global->ba, 2), 0);
    PROVES(VL_21);
    PROVES(VL_45);
    rig_end();
}
