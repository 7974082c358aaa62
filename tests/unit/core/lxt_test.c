/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of LXT entries: capacities, alignment, bytes. When an array is replaced is in vlun_test.c.
 */
#include "core/vlun/lxt.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/testlib/proves.h"
#include "tests/testlib/recording_hal.h"

TestSuite(lxt, .timeout = 60);

static struct fake_exec exec;
static struct recording_hal hal;
static struct spipe__lxt_home home;

static void begin(enum hal_order order)
{
    fake_exec_init(&exec, 1);
    recording_hal_init(&hal, &exec, order);
    home = (struct spipe__lxt_home){.exec = &exec.exec, .dev = &hal.dev, .order = order};
}

/* The last line of vlun.md section 18. */
Test(lxt, capacities)
{
    static const uint32_t counts[] = {0, 1, 8, 9, 16, 17}, capacities[] = {0, 8, 8, 16, 16, 24};

    begin(HAL_ORDER_LITTLE);
    for (unsigned i = 0; i < 6; i++) {
        struct spipe__lxt lxt = {NULL, 99};

        cr_assert_eq(spipe__lxt_capacity(counts[i]), capacities[i]);
        cr_assert_eq(spipe__lxt_create(&home, counts[i], &lxt), 0);
        cr_assert_eq(lxt.capacity, capacities[i]);
        cr_assert_eq((lxt.entry != NULL), (counts[i] > 0));
        cr_assert_eq((uintptr_t)lxt.entry % 128, 0);
        for (uint32_t k = 0; lxt.entry && k < lxt.capacity; k++)
            cr_assert_eq(lxt.entry[k], 0);
        cr_assert_eq(hal.regions, counts[i] ? 1 : 0);
        spipe__lxt_destroy(&home, &lxt);
        cr_assert_eq(lxt.entry, NULL);
        spipe__lxt_destroy(&home, &lxt);
        PROVES(VL_16);
    }
    cr_assert_eq(exec.blocks, 0);
    cr_assert_eq(hal.regions, 0);
}

/* SL 23.4, entry 2, and the two examples of vlun.md section 2. */
Test(lxt, bytes_of_an_entry)
{
    static const uint8_t big[8] = {0, 0, 0, 0, 0x7f, 0xf3, 1, 0x33};
    static const uint8_t little[8] = {0x33, 1, 0xf3, 0x7f, 0, 0, 0, 0};

    for (unsigned o = 0; o < 2; o++) {
        struct spipe__lxt lxt, copy;

        begin(o ? HAL_ORDER_BIG : HAL_ORDER_LITTLE);
        cr_assert_eq(spipe__lxt_create(&home, 3, &lxt), 0);
        cr_assert_eq(spipe__lxt_create(&home, 2, &copy), 0);
        spipe__lxt_store(&home, &lxt, 0, 0x7FF3, 1, 3);
        spipe__lxt_store(&home, &lxt, 1, 5, 255, 1);
        spipe__lxt_store(&home, &lxt, 2, 5, 0, 3);
        hal_publish(&hal.dev);
        cr_assert_eq(memcmp(&lxt.entry[0], o ? big : little, 8), 0);
        cr_assert_eq(hal_swap64(home.order, lxt.entry[1]), 0x5FF31);
        cr_assert_eq(hal_swap64(home.order, lxt.entry[2]), 0x50033);
        PROVES(VL_18);
        cr_assert_eq(spipe__lxt_chunk(&home, &lxt.entry[0]), 0x7FF3);
        spipe__lxt_copy(&home, &copy, &lxt, 2);
        hal_publish(&hal.dev);
        cr_assert_eq(memcmp(copy.entry, lxt.entry, 16), 0);
        cr_assert_eq(copy.entry[2], 0);
        spipe__lxt_destroy(&home, &copy);
        spipe__lxt_destroy(&home, &lxt);
        cr_assert_eq(exec.blocks, 0);
    }
}

Test(lxt, memory)
{
    struct spipe__lxt lxt = {NULL, 7};

    begin(HAL_ORDER_LITTLE);
    exec.fail_after = 0;
    cr_assert_eq(spipe__lxt_create(&home, 1, &lxt), -ENOMEM);
    exec.fail_after = FAKE_EXEC_NEVER;
    hal.fail_register = -EINVAL;
    cr_assert_eq(spipe__lxt_create(&home, 1, &lxt), -ENOMEM);
    cr_assert_eq(spipe__lxt_create(&home, UINT32_MAX, &lxt), -ENOMEM);
    cr_assert_eq(lxt.capacity, 7);
    cr_assert_eq(exec.blocks, 0);
}
