/* SPDX-License-Identifier: Apache-2.0 */
/* VERIFY: every key and ASC of the table in docs/spec/superpipe.md 7.7, every errno, what is sent
 * to the device for it, and what a device of another size changes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/rig_disks.h"

TestSuite(verify, .timeout = 60);

#define CHUNK SPIPE_CHUNK_BLOCKS
#define UNTOUCHED UINT64_C(0x1234)
#define READ_CAPACITY_0 "scsi 9e ports 1 lun 0\n"
#define READ_CAPACITY_1 "scsi 9e ports 2 lun 0\n"

static uint64_t last;
static uint8_t sense[SPIPE_SENSE_BYTES];

static const uint8_t *fixed(uint8_t key, uint8_t asc)
{
    memset(sense, 0, sizeof sense);
    sense[0] = 0x70;
    sense[2] = key;
    sense[7] = 10;
    sense[12] = asc;
    return sense;
}

static const uint8_t *descriptor(uint8_t key, uint8_t asc)
{
    memset(sense, 0, sizeof sense);
    sense[0] = 0x72;
    sense[1] = key;
    sense[2] = asc;
    return sense;
}

static int verify(uint32_t handle, const uint8_t *bytes)
{
    last = UNTOUCHED;
    recording_hal_clear(&rig.hal);
    return spipe_verify(rig.ctx, handle, bytes, &last);
}

static void expect_refused(int rc, uint32_t handle, const uint8_t *bytes)
{
    cr_assert_eq(verify(handle, bytes), rc);
    cr_assert_eq(last, UNTOUCHED);
}

static uint32_t open_direct(unsigned lun, unsigned port)
{
    uint32_t handle;

    cr_assert_eq(spipe_open_direct(rig.ctx, lun, port, &handle, &last), 0);
    return handle;
}

static void begin(uint64_t chunks)
{
    rig_begin(HAL_ORDER_LITTLE, chunks);
    rig_disks_begin();
}

static void end(void)
{
    rig_check_books();
    rig_end();
}

/* ---- without the hint ---- */

Test(verify, no_hint_no_device_access)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    rig_disks_resize(0, 2 * CHUNK, 4096);
    cr_assert_eq(verify(h, NULL), 0);
    rig_expect("");
    cr_assert_eq(last, 3 * CHUNK - 1);
    cr_assert_eq(rig.s.lun[0].global->last_lba, 16 * CHUNK + 99);
    PROVES(SP_83);
    end();
}

/* SP-87: virtual LUNs in 4096-byte blocks, whole LUNs in blocks of the device. */
Test(verify, last_lba)
{
    uint32_t h;

    begin(16);
    cr_assert_eq(spipe_attach_lun(rig.ctx, 1), 0);
    h = rig_open(rig.ctx, 0);
    cr_assert_eq(verify(h, NULL), 0);
    cr_assert_eq(last, SPIPE_NO_BLOCK);
    cr_assert_eq(rig_resize(rig.ctx, h, 5), 0);
    cr_assert_eq(verify(h, NULL), 0);
    cr_assert_eq(last, 5 * CHUNK - 1);
    cr_assert_eq(spipe_open_virtual(rig.ctx, 1, 2 * CHUNK / 8, &h, &last), 0);
    cr_assert_eq(verify(h, NULL), 0);
    cr_assert_eq(last, 2 * CHUNK / 8 - 1); /* 512 bytes a block */
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    h = open_direct(1, 0);
    cr_assert_eq(verify(h, NULL), 0);
    cr_assert_eq(last, 16 * CHUNK + 99);
    PROVES(SP_87);
    end();
}

/* ---- what is refused ---- */

Test(verify, context_and_handle)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    expect_refused(-EINVAL, h + 1, NULL);
    expect_refused(-EINVAL, h + 1, fixed(6, 0x29));
    expect_refused(-EINVAL, SPIPE__RHT_SIZE, NULL);
    expect_refused(-EINVAL, UINT32_MAX, NULL);
    rig.ctx->errored = true;
    expect_refused(-EINVAL, h, NULL);
    expect_refused(-EINVAL, h, fixed(6, 0x29));
    rig_expect("");
    rig.ctx->errored = false;
    cr_assert_eq(verify(h, NULL), 0);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    expect_refused(-EINVAL, h, NULL);
    PROVES(SP_82);
    end();
}

/* SP-85: what is no sense data, in every response code. */
Test(verify, response_codes)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    for (unsigned code = 0; code < 256; code++) {
        bool valid = (code & 0x70) == 0x70;

        descriptor(6, 0x29);
        sense[12] = 0x29; /* key 9, ASC 29 in fixed format */
        sense[2] = 0x29;
        sense[7] = 10;
        sense[0] = (uint8_t)code;
        if (!valid) {
            expect_refused(-EINVAL, h, sense);
            rig_expect("");
            continue;
        }
        cr_assert_eq(verify(h, sense), (code & 0x7F) < 0x72 ? -EIO : 0, "code %02x", code);
    }
    PROVES(SP_85);
    end();
}

/* SP-85: an ASC that the additional length does not cover is 0, which is an error here. */
Test(verify, additional_length)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    fixed(6, 0x29);
    sense[7] = 4;
    expect_refused(-EIO, h, sense);
    sense[7] = 5;
    cr_assert_eq(verify(h, sense), 0);
    rig_expect(READ_CAPACITY_0);
    PROVES(SP_85);
    end();
}

/* ---- the table ---- */

static int required(uint8_t key, uint8_t asc)
{
    if (key <= 2)
        return 0;
    return key == 6 && (asc == 0x29 || asc == 0x2A || asc == 0x3F) ? 0 : -EIO;
}

static void expect_row(uint32_t h, const uint8_t *bytes, uint8_t key, uint8_t asc)
{
    uint64_t before = rig_disks.commands, sent;
    int rc = verify(h, bytes);

    sent = rig_disks.commands - before;
    cr_assert_eq(rc, required(key, asc), "key %x asc %02x: %d", key, asc, rc);
    cr_assert_eq(last, rc ? UNTOUCHED : 3 * CHUNK - 1);
    if (rc || key <= 2)
        cr_assert_eq(sent, 0, "key %x asc %02x", key, asc);
    else if (asc == 0x3F)
        cr_assert_eq(sent, 10, "two ports: the list, and two commands a LUN");
    else
        cr_assert_eq(sent, 1, "READ CAPACITY");
}

Test(verify, every_key_and_asc)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    for (unsigned key = 0; key < 16; key++) {
        for (unsigned asc = 0; asc < 256; asc++) {
            expect_row(h, fixed((uint8_t)key, (uint8_t)asc), (uint8_t)key, (uint8_t)asc);
            expect_row(h, descriptor((uint8_t)key, (uint8_t)asc), (uint8_t)key, (uint8_t)asc);
        }
    }
    PROVES(SP_86);
    PROVES(SPW_1);
    end();
}

/* ---- the capacity is read ---- */

/* Whatever goes wrong: ENODEV, and nothing has changed (SP-86, SP-105). */
Test(verify, capacity_that_cannot_be_read)
{
    const struct fake_answer errors[] = {
        fake_check_condition(2, 0x04, 1), /* "not ready" without data */
        fake_check_condition(3, 0x11, 0),
        fake_check_condition(5, 0x25, 0),
        fake_check_condition(0x0B, 0x44, 0),
        {.rc = {.flags = AFU_RC_FLAG_UNDERRUN}, .residual = 4096},
    };
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(errors); i++) {
        rig_disks_fail(&errors[i]);
        expect_refused(-ENODEV, h, fixed(6, 0x2A));
        rig_expect(READ_CAPACITY_0);
    }
    PROVES(SP_86);
    rig_disks_resize(0, 16 * CHUNK, 0);
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    PROVES(SP_105);
    rig_disks_resize(0, 8 * CHUNK, 512); /* another device, to all who count in its blocks */
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    PROVES(SP_88);
    cr_assert_eq(rig.s.lun[0].global->last_lba, 16 * CHUNK + 99);
    cr_assert_eq(rig.s.lun[0].global->block_size, 4096);
    end();
}

/* SP-102: the attention may be pending for the command that asks, too. */
Test(verify, unit_attention_on_the_way)
{
    struct fake_answer attention = fake_check_condition(6, 0x2A, 9);
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    rig_disks_fail(&attention);
    cr_assert_eq(verify(h, fixed(6, 0x2A)), 0);
    rig_expect(READ_CAPACITY_0 READ_CAPACITY_0);
    PROVES(SP_102);
    end();
}

Test(verify, ports)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    rig_disks.ports_up = 2;
    cr_assert_eq(verify(h, fixed(6, 0x29)), 0); /* any port of a virtual LUN */
    rig_expect(READ_CAPACITY_0 READ_CAPACITY_1);
    rig_disks.ports_up = 0;
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    rig_expect(READ_CAPACITY_0 READ_CAPACITY_1);
    cr_assert_eq(spipe_release(rig.ctx, h), 0);
    h = open_direct(0, 1);
    rig_disks.ports_up = 3;
    cr_assert_eq(verify(h, fixed(6, 0x29)), 0); /* its own of a direct handle */
    rig_expect(READ_CAPACITY_1);
    rig_disks.ports_up = 1;
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    rig_expect(READ_CAPACITY_1);
    end();
}

/* An answer that never comes, and an adapter that is gone. */
Test(verify, silence)
{
    struct fake_answer lost = {.lost = true};
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    for (unsigned i = 0; i < 6; i++)
        fake_luns_fail(&rig_disks, i, &lost);
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    cr_assert_eq(rig_disks.commands, 6); /* SP-101, and no other port: R-40 */
    PROVES(SP_101);
    cr_assert_eq(verify(h, fixed(6, 0x29)), 0);
    rig.hal.ctx[RIG_MASTER].dead = true;
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    expect_refused(-ENODEV, h, fixed(6, 0x3F));
    cr_assert_eq(verify(h, fixed(1, 0)), 0);
    rig.hal.ctx[RIG_MASTER].dead = false;
    end();
}

/* ---- what it changes ---- */

Test(verify, direct_handles_see_the_new_size)
{
    uint32_t h;

    begin(16);
    h = open_direct(0, 0);
    rig_disks_resize(0, 1000, 4096);
    cr_assert_eq(verify(h, fixed(6, 0x2A)), 0);
    cr_assert_eq(last, 999);
    rig_disks_resize(0, 100 * CHUNK, 4096);
    cr_assert_eq(verify(h, NULL), 0);
    cr_assert_eq(last, 999);
    cr_assert_eq(verify(h, descriptor(6, 0x29)), 0);
    cr_assert_eq(last, 100 * CHUNK - 1);
    PROVES(SP_87);
    PROVES(SP_88);
    end();
}

Test(verify, virtual_luns_keep_their_size)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 6);
    rig_disks_resize(0, 4 * CHUNK, 4096);
    cr_assert_eq(verify(h, fixed(6, 0x2A)), 0);
    cr_assert_eq(last, 6 * CHUNK - 1);
    cr_assert_eq(rig_entry(rig.ctx, h).lxt_cnt, 6);
    rig_expect(READ_CAPACITY_0); /* nothing that the AFU sees */
    PROVES(SP_87);
    cr_assert_eq(rig.s.lun[0].global->last_lba, 4 * CHUNK - 1);
    cr_assert_eq(rig_free(), 0);
    cr_assert_eq(rig_resize(rig.ctx, h, 7), -ENOSPC);
    rig_disks_resize(0, 16 * CHUNK, 4096);
    cr_assert_eq(verify(h, fixed(6, 0x2A)), 0);
    cr_assert_eq(rig_free(), 10);
    cr_assert_eq(rig_resize(rig.ctx, h, 7), 0);
    PROVES(SP_88);
    PROVES(R_50);
    end();
}

/* ---- the adapter is scanned again ---- */

Test(verify, rescan_finds_luns_and_sizes)
{
    struct spipe_lun_info info;
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    rig_disks_resize(0, 5 * CHUNK, 4096);
    rig_disks_resize(1, 77, 4096);
    fake_luns_add(&rig_disks, 1, afu_lun_id(9), 9);
    cr_assert_eq(verify(h, fixed(6, 0x3F)), 0);
    cr_assert_eq(last, 3 * CHUNK - 1);
    cr_assert_eq(rig_free(), 2);
    cr_assert_eq(spipe_lun_info(&rig.s, 1, &info), 0);
    cr_assert_eq(info.last_lba, 76);
    cr_assert_eq(info.block_size, 4096);
    cr_assert_eq(spipe_lun_info(&rig.s, 2, &info), 0);
    cr_assert_eq(info.port_mask, 2);
    PROVES(SP_86);
    end();
}

/* A LUN that was lost is still known (SP-122); with nobody there it is still a rescan. */
Test(verify, rescan_of_nothing)
{
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    rig_disks.count = 0;
    cr_assert_eq(verify(h, fixed(6, 0x3F)), 0);
    cr_assert_eq(rig.s.lun_count, 2);
    PROVES(SP_122);
    expect_refused(-ENODEV, h, fixed(6, 0x29));
    rig_disks.ports_up = 0;
    cr_assert_eq(verify(h, fixed(6, 0x3F)), 0);
    end();
}

/* Chunks of names are taken before anybody can ask for one; a LUN that cannot have them is told. */
Test(verify, rescan_finds_a_lun_with_names)
{
    static const uint32_t chunks[] = {1, 3};
    static const uint8_t wwid[16] = {0x60, 0x05, 0x07, 0x68, [15] = 9};
    struct fake_lun *disk;
    uint32_t h;

    begin(16);
    h = rig_open(rig.ctx, 3);
    cr_assert_eq(spipe__cat_replace(rig.s.group->catalogue, "far", wwid, chunks, 2, 0, NULL, NULL),
                 0);
    disk = fake_luns_add(&rig_disks, 0, afu_lun_id(9), 9);
    disk->last_lba = 3 * CHUNK;
    expect_refused(-EIO, h, fixed(6, 0x3F));
    disk->last_lba = 4 * CHUNK;
    cr_assert_eq(verify(h, fixed(6, 0x3F)), 0);
    cr_assert_eq(rig.s.lun[2].global->mode, SPIPE_LUN_VIRTUAL);
    cr_assert_eq(spipe__ba_references(rig.s.lun[2].global->ba, 3), 1);
    end();
}
