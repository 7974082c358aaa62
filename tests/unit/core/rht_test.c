/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of RHT entries and the order of the stores they are made of. */
#include "core/vlun/rht.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/testlib/recording_hal.h"

TestSuite(rht, .timeout = 60);

static struct fake_exec exec;
static struct recording_hal hal;
static struct spipe__rht rht;
static uint64_t *lxt[2];

static void begin(enum hal_order order)
{
    fake_exec_init(&exec, 1);
    recording_hal_init(&hal, &exec, order);
    for (unsigned i = 0; i < 2; i++) {
        lxt[i] = exec_alloc(&exec.exec, 128, 128);
        cr_assert_eq(hal_mem_register(&hal.dev, lxt[i], 128, "lxt"), 0);
    }
    cr_assert_eq(spipe__rht_init(&rht, &exec.exec, &hal.dev, order), 0);
    recording_hal_clear(&hal);
}

static void end(void)
{
    spipe__rht_fini(&rht);
    for (unsigned i = 0; i < 2; i++) {
        hal_mem_release(&hal.dev, lxt[i]);
        exec_free(&exec.exec, lxt[i], 128);
    }
    cr_assert_eq(hal.regions, 0);
    cr_assert_eq(exec.blocks, 0);
}

static void expect(const char *lines)
{
    cr_assert_str_eq(hal.text, lines, "it was\n%s", hal.text);
    recording_hal_clear(&hal);
}

static struct afu_rht_virtual entry(unsigned handle)
{
    return afu_rht_unpack_virtual(hal.order, &rht.entries[handle]);
}

static void expect_entry(unsigned handle, const uint64_t *start, uint32_t count, unsigned perm)
{
    struct afu_rht_virtual v = entry(handle);

    cr_assert_eq(v.lxt_start, (uint64_t)(uintptr_t)start);
    cr_assert_eq(v.lxt_cnt, count);
    cr_assert_eq(v.permissions, perm);
    cr_assert_eq(v.nmask, 16);
    cr_assert_eq(afu_rht_entry_format(&rht.entries[handle]), AFU_RHT_FORMAT_VIRTUAL);
    cr_assert(afu_rht_entry_reserved_clear(&rht.entries[handle]));
}

static void life_of_an_entry(enum hal_order order)
{
    static const struct afu_rht_entry zero;

    begin(order);
    spipe__rht_open(&rht, 5, AFU_PERM_READ);
    expect("rht1[5].count=0\npublish\n");
    expect_entry(5, NULL, 0, AFU_PERM_READ);
    PROVES(VL_37);

    spipe__rht_grow(&rht, 5, AFU_PERM_READ, lxt[0], 3);
    expect("publish\nrht1[5].start=lxt1\npublish\nrht1[5].count=3\npublish\n");
    expect_entry(5, lxt[0], 3, AFU_PERM_READ);
    PROVES(VL_19);

    spipe__rht_shrink(&rht, 5, AFU_PERM_READ, lxt[0], lxt[1], 2);
    expect("publish\nrht1[5].count=2\npublish\nrht1[5].start=lxt2\npublish\n");
    expect_entry(5, lxt[1], 2, AFU_PERM_READ);
    PROVES(VL_25);

    spipe__rht_shrink(&rht, 5, AFU_PERM_READ, lxt[1], NULL, 0);
    expect("publish\nrht1[5].count=0\npublish\nrht1[5].start=0\npublish\n");
    expect_entry(5, NULL, 0, AFU_PERM_READ);

    spipe__rht_close(&rht, 5);
    expect("rht1[5].count=free\npublish\nrht1[5].start=0\npublish\n");
    cr_assert_eq(memcmp(&rht.entries[5], &zero, sizeof zero), 0);
    PROVES(VL_40);
    end();
    PROVES(SL_8_5);
}

Test(rht, entry_little_endian) { life_of_an_entry(HAL_ORDER_LITTLE); }

Test(rht, entry_big_endian) { life_of_an_entry(HAL_ORDER_BIG); }

/* The example of SL 23.5, with an address of our own in the first half. */
Test(rht, bytes)
{
    static const uint8_t big[8] = {0, 0, 0, 3, 0, 0, 3, 0x10};
    static const uint8_t little[8] = {3, 0, 0, 0, 0, 0, 3, 0x10};

    begin(HAL_ORDER_BIG);
    spipe__rht_open(&rht, 0, AFU_PERM_RW);
    spipe__rht_grow(&rht, 0, AFU_PERM_RW, lxt[0], 3);
    cr_assert_eq(memcmp(&rht.entries[0].word[1], big, 8), 0);
    cr_assert_eq(hal_be64_at(&rht.entries[0].word[0]), (uint64_t)(uintptr_t)lxt[0]);
    end();
    begin(HAL_ORDER_LITTLE);
    spipe__rht_open(&rht, 0, AFU_PERM_RW);
    spipe__rht_grow(&rht, 0, AFU_PERM_RW, lxt[0], 3);
    cr_assert_eq(memcmp(&rht.entries[0].word[1], little, 8), 0);
    end();
}

Test(rht, handles_are_the_lowest_free_ones)
{
    begin(HAL_ORDER_LITTLE);
    hal.silent = true;
    cr_assert_eq(spipe__rht_address(&rht) % 4096, 0);
    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++) {
        cr_assert_eq(spipe__rht_free_handle(&rht, 0), i);
        spipe__rht_open(&rht, i, AFU_PERM_RW);
    }
    cr_assert_eq(spipe__rht_free_handle(&rht, 0), SPIPE__RHT_SIZE);
    spipe__rht_close(&rht, 200);
    spipe__rht_close(&rht, 63);
    spipe__rht_close(&rht, 64);
    cr_assert_eq(spipe__rht_free_handle(&rht, 0), 63);
    PROVES(SP_35);
    cr_assert_eq(spipe__rht_free_handle(&rht, 64), 64);
    cr_assert_eq(spipe__rht_free_handle(&rht, 65), 200);
    cr_assert_eq(spipe__rht_free_handle(&rht, 201), SPIPE__RHT_SIZE);
    cr_assert_eq(spipe__rht_free_handle(&rht, SPIPE__RHT_SIZE), SPIPE__RHT_SIZE);
    end();
}

Test(rht, memory)
{
    begin(HAL_ORDER_LITTLE);
    exec.fail_after = 0;
    cr_assert_eq(spipe__rht_init(&(struct spipe__rht){0}, &exec.exec, &hal.dev, HAL_ORDER_BIG),
                 -ENOMEM);
    exec.fail_after = FAKE_EXEC_NEVER;
    hal.fail_register = -ENOMEM;
    cr_assert_eq(spipe__rht_init(&(struct spipe__rht){0}, &exec.exec, &hal.dev, HAL_ORDER_BIG),
                 -ENOMEM);
    end();
}

/* VL-49: valid comes last and goes first. */
static void life_of_a_direct_entry(enum hal_order order, const char *id)
{
    static const struct afu_rht_entry zero;
    char lines[256];

    begin(order);
    spipe__rht_open_direct(&rht, 7, UINT64_C(0x0005000000000000), AFU_PERM_READ, 1);
    snprintf(lines, sizeof lines,
             "rht1[7].direct=invalid ports 0 permissions 0\npublish\nrht1[7].lun=%s\npublish\n"
             "rht1[7].direct=valid ports 2 permissions 1\npublish\n",
             id);
    expect(lines);
    spipe__rht_close_direct(&rht, 7, AFU_PERM_READ, 1);
    expect("rht1[7].direct=invalid ports 2 permissions 1\npublish\nrht1[7].start=0\npublish\n"
           "rht1[7].count=free\npublish\n");
    PROVES(VL_49);
    cr_assert_eq(memcmp(&rht.entries[7], &zero, sizeof zero), 0);
    cr_assert_eq(spipe__rht_free_handle(&rht, 7), 7);
    end();
    PROVES(SL_8_5);
}

Test(rht, life_of_a_direct_entry)
{
    life_of_a_direct_entry(HAL_ORDER_LITTLE, "5000000000000");
    life_of_a_direct_entry(HAL_ORDER_BIG, "5000000000000");
}

/* The bytes of vlun.md section 2: LUN id, valid, fp, port mask. */
Test(rht, bytes_of_a_direct_entry)
{
    static const uint8_t big[16] = {0, 5, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0x13, 0x01};
    static const uint8_t little[16] = {0, 0, 0, 0, 0, 0, 5, 0, 0x80, 0, 0, 0, 0, 0, 0x13, 0x01};

    begin(HAL_ORDER_BIG);
    spipe__rht_open_direct(&rht, 0, UINT64_C(0x0005000000000000), AFU_PERM_RW, 0);
    cr_assert_arr_eq(&rht.entries[0], big, 16);
    end();
    begin(HAL_ORDER_LITTLE);
    spipe__rht_open_direct(&rht, 0, UINT64_C(0x0005000000000000), AFU_PERM_RW, 0);
    cr_assert_arr_eq(&rht.entries[0], little, 16);
    PROVES(VL_1);
    end();
}
