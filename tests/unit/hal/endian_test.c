/* Typed byte order: what each conversion puts into memory, byte by byte. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/endian.h"

static void assert_bytes(const void *p, const char *want, size_t n)
{
    cr_assert_eq(memcmp(p, want, n), 0, "%zu bytes differ", n);
}

Test(endian, big_endian_types)
{
    be16_t a = be16_of(0x0102);
    be32_t b = be32_of(0x01020304);
    be64_t c = be64_of(UINT64_C(0x0102030405060708));

    assert_bytes(&a, "\1\2", 2);
    assert_bytes(&b, "\1\2\3\4", 4);
    assert_bytes(&c, "\1\2\3\4\5\6\7\10", 8);
    cr_assert_eq(be16_get(a), 0x0102);
    cr_assert_eq(be32_get(b), 0x01020304);
    cr_assert_eq(be64_get(c), UINT64_C(0x0102030405060708));
}

Test(endian, types_of_the_order_big)
{
    xe16_t a = xe16_of(HAL_ORDER_BIG, 0x0102);
    xe32_t b = xe32_of(HAL_ORDER_BIG, 0x01020304);
    xe64_t c = xe64_of(HAL_ORDER_BIG, UINT64_C(0x0102030405060708));

    assert_bytes(&a, "\1\2", 2);
    assert_bytes(&b, "\1\2\3\4", 4);
    assert_bytes(&c, "\1\2\3\4\5\6\7\10", 8);
    cr_assert_eq(xe16_get(HAL_ORDER_BIG, a), 0x0102);
    cr_assert_eq(xe32_get(HAL_ORDER_BIG, b), 0x01020304);
    cr_assert_eq(xe64_get(HAL_ORDER_BIG, c), UINT64_C(0x0102030405060708));
}

Test(endian, types_of_the_order_little)
{
    xe16_t a = xe16_of(HAL_ORDER_LITTLE, 0x0102);
    xe32_t b = xe32_of(HAL_ORDER_LITTLE, 0x01020304);
    xe64_t c = xe64_of(HAL_ORDER_LITTLE, UINT64_C(0x0102030405060708));

    assert_bytes(&a, "\2\1", 2);
    assert_bytes(&b, "\4\3\2\1", 4);
    assert_bytes(&c, "\10\7\6\5\4\3\2\1", 8);
    cr_assert_eq(xe16_get(HAL_ORDER_LITTLE, a), 0x0102);
    cr_assert_eq(xe32_get(HAL_ORDER_LITTLE, b), 0x01020304);
    cr_assert_eq(xe64_get(HAL_ORDER_LITTLE, c), UINT64_C(0x0102030405060708));
}

/* HAL_ORDER_HOST is what this machine really does. */
Test(endian, order_of_the_host)
{
    const uint32_t number = 1;
    uint8_t first;

    memcpy(&first, &number, 1);
    cr_assert_eq(HAL_ORDER_HOST, first ? HAL_ORDER_LITTLE : HAL_ORDER_BIG);
    cr_assert_eq(xe64_of(HAL_ORDER_HOST, 77).raw, 77);
    cr_assert_eq(hal_swap64(HAL_ORDER_HOST, 77), 77);
}

Test(endian, a_wrong_order_swaps)
{
    xe32_t v = xe32_of(HAL_ORDER_BIG, 0x01020304);

    cr_assert_eq(xe32_get(HAL_ORDER_LITTLE, v), 0x04030201);
}

Test(endian, unaligned_access_at_every_offset)
{
    uint8_t buf[17];

    for (unsigned at = 0; at <= 8; at++) {
        memset(buf, 0xEE, sizeof buf);
        hal_be64_put(buf + at, UINT64_C(0x0102030405060708));
        assert_bytes(buf + at, "\1\2\3\4\5\6\7\10", 8);
        cr_assert_eq(hal_be64_at(buf + at), UINT64_C(0x0102030405060708));
        cr_assert_eq(hal_be32_at(buf + at), 0x01020304);
        cr_assert_eq(hal_be16_at(buf + at), 0x0102);
        hal_be32_put(buf + at, 0x11121314);
        hal_be16_put(buf + at + 4, 0x2122);
        assert_bytes(buf + at, "\x11\x12\x13\x14\x21\x22\7\10", 8);
        cr_assert_eq(buf[at + 8], 0xEE, "nothing beyond is touched");
    }
}

/* The point of the types: they have the size of the integer and no padding, so layouts hold. */
Test(endian, types_have_the_size_of_the_integer)
{
    cr_assert_eq(sizeof(be16_t), 2);
    cr_assert_eq(sizeof(be32_t), 4);
    cr_assert_eq(sizeof(be64_t), 8);
    cr_assert_eq(sizeof(xe16_t), 2);
    cr_assert_eq(sizeof(xe32_t), 4);
    cr_assert_eq(sizeof(xe64_t), 8);
}
