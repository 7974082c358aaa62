/* SPDX-License-Identifier: Apache-2.0 */
/* Stamps of blocks: what is right is accepted, everything else is found and named. */
#include "tools/stamp.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"

static uint64_t block[512], other[512];

static const struct stamp stamp = {
    .run = 0x1234, .adapter = 1, .client = 5, .lun = 2, .block = 777, .generation = 3};

static void init(void)
{
    memset(block, 0xEE, sizeof block);
    stamp_fill(block, sizeof block, &stamp);
}

TestSuite(stamp, .init = init);

Test(stamp, a_block_matches_its_own_stamp_in_every_size)
{
    static const size_t size[] = {64, 512, 520, 4096};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(size); i++) {
        memset(other, 0, sizeof other);
        stamp_fill(other, size[i], &stamp);
        cr_assert(stamp_matches(other, size[i], &stamp), "%zu bytes", size[i]);
        cr_assert_eq(size[i] == sizeof other ? 0 : other[size[i] / 8], 0, "not beyond its end");
    }
}

Test(stamp, every_part_of_a_stamp_counts)
{
    struct stamp s[6];

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(s); i++)
        s[i] = stamp;
    s[0].run++;
    s[1].adapter++;
    s[2].client++;
    s[3].lun++;
    s[4].block++;
    s[5].generation++;
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(s); i++) {
        cr_assert_not(stamp_matches(block, sizeof block, &s[i]), "part %zu", i);
        stamp_fill(other, sizeof other, &s[i]);
        for (size_t w = 6; w < 512; w++)
            cr_assert_neq(other[w], block[w], "the pattern of part %zu, word %zu", i, w);
    }
}

Test(stamp, every_flipped_bit_is_found)
{
    for (size_t bit = 0; bit < sizeof block * 8; bit += 7) {
        block[bit / 64] ^= HAL_BIT(bit % 64);
        cr_assert_not(stamp_matches(block, sizeof block, &stamp), "bit %zu", bit);
        block[bit / 64] ^= HAL_BIT(bit % 64);
    }
    cr_assert(stamp_matches(block, sizeof block, &stamp));
}

Test(stamp, a_torn_block_is_damaged)
{
    struct stamp next = stamp, found = {0};

    next.generation++;
    stamp_fill(other, sizeof other, &next);
    memcpy(block, other, 512); /* only its first 512 bytes arrived */
    cr_assert_eq(stamp_read(block, sizeof block, &found), STAMP_DAMAGED);
    cr_assert_eq(found.generation, next.generation);
}

Test(stamp, reading_tells_what_a_block_is)
{
    struct stamp found = {0};

    cr_assert_eq(stamp_read(block, sizeof block, &found), STAMP_WHOLE);
    cr_assert_eq(found.run, stamp.run);
    cr_assert_eq(found.adapter, stamp.adapter);
    cr_assert_eq(found.client, stamp.client);
    cr_assert_eq(found.lun, stamp.lun);
    cr_assert_eq(found.block, stamp.block);
    cr_assert_eq(found.generation, stamp.generation);

    memset(block, 0, sizeof block);
    cr_assert(stamp_is_blank(block, sizeof block));
    cr_assert_eq(stamp_read(block, sizeof block, &found), STAMP_BLANK);
    ((uint8_t *)block)[4095] = 1;
    cr_assert_not(stamp_is_blank(block, sizeof block));
    cr_assert_eq(stamp_read(block, sizeof block, &found), STAMP_NONE);
}

/* ---- sentences ---- */

static const char *explain(const struct stamp *expected)
{
    static char text[384];

    stamp_explain(block, sizeof block, expected, text, sizeof text);
    return text;
}

Test(stamp, a_foreign_block_is_named)
{
    struct stamp expected = stamp;

    expected.client = 6;
    expected.block = 12;
    cr_assert_str_eq(explain(&expected),
                     "expected adapter 1, client 6, virtual LUN 2, block 12, generation 3; found "
                     "adapter 1, client 5, virtual LUN 2, block 777, generation 3");
    expected.run++;
    cr_assert(strstr(explain(&expected), "generation 3 of another run"));
}

Test(stamp, other_finds_are_named)
{
    struct stamp expected = stamp;

    block[100] ^= 1;
    cr_assert(strstr(explain(&expected), "found a block damaged from byte 8") != NULL, "%s",
              explain(&expected));
    memset(block, 0, sizeof block);
    cr_assert(strstr(explain(&expected), "; found zeros"));
    memset(block, 0xAB, sizeof block);
    cr_assert(strstr(explain(&expected), "; found data without a stamp, first byte 0xab"));
    expected.generation = 0;
    cr_assert(strstr(explain(&expected), "expected a block never written (adapter 1, client 5, "
                                         "virtual LUN 2, block 777); found"));
}
