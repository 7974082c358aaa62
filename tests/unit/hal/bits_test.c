/* Small integer helpers, against loops that need no builtin. */
#include <criterion/criterion.h>

#include "hal/support/bits.h"

Test(bits, single_bits)
{
    uint64_t want = 1;

    for (unsigned n = 0; n < 64; n++, want += want) {
        cr_assert_eq(HAL_BIT(n), want);
        cr_assert_eq(hal_lowest_bit(want), n);
        cr_assert_eq(hal_highest_bit(want), n);
        cr_assert_eq(hal_bit_count(want), 1);
        cr_assert_eq(hal_bit_count(want - 1), n);
        cr_assert(hal_is_power_of_2(want));
    }
}

Test(bits, pairs_of_bits)
{
    for (unsigned low = 0; low < 64; low++)
        for (unsigned high = low + 1; high < 64; high++) {
            uint64_t v = HAL_BIT(low) | HAL_BIT(high);

            cr_assert_eq(hal_lowest_bit(v), low);
            cr_assert_eq(hal_highest_bit(v), high);
            cr_assert_eq(hal_bit_count(v), 2);
            cr_assert_not(hal_is_power_of_2(v));
        }
    cr_assert_not(hal_is_power_of_2(0));
    cr_assert_eq(hal_bit_count(UINT64_MAX), 64);
}

Test(bits, align_up)
{
    cr_assert_eq(hal_align_up(0, 16), 0);
    cr_assert_eq(hal_align_up(1, 16), 16);
    cr_assert_eq(hal_align_up(16, 16), 16);
    cr_assert_eq(hal_align_up(17, 1), 17);
    cr_assert_eq(hal_align_up(UINT64_MAX - 127, 128), UINT64_MAX - 127);
}

Test(bits, div_up)
{
    cr_assert_eq(hal_div_up(0, 3), 0);
    cr_assert_eq(hal_div_up(1, 3), 1);
    cr_assert_eq(hal_div_up(3, 3), 1);
    cr_assert_eq(hal_div_up(4, 3), 2);
    cr_assert_eq(hal_div_up(UINT64_MAX, 1), UINT64_MAX);
    cr_assert_eq(hal_div_up(UINT64_MAX, 2), UINT64_C(1) << 63, "no overflow");
    cr_assert_eq(hal_div_up(UINT64_MAX, UINT64_MAX), 1);
}

Test(bits, smaller_and_greater)
{
    cr_assert_eq(hal_min64(1, UINT64_MAX), 1);
    cr_assert_eq(hal_min64(UINT64_MAX, 1), 1);
    cr_assert_eq(hal_max64(1, UINT64_MAX), UINT64_MAX);
    cr_assert_eq(hal_max64(2, 2), 2);
}

struct outer {
    char before[3];
    int inner;
};

Test(bits, container_of)
{
    struct outer o;

    cr_assert_eq(HAL_CONTAINER_OF(&o.inner, struct outer, inner), &o);
}

Test(bits, array_length)
{
    struct outer three[3];

    cr_assert_eq(HAL_ARRAY_LENGTH(three), 3);
    cr_assert_eq(HAL_ARRAY_LENGTH(three[0].before), 3);
}
