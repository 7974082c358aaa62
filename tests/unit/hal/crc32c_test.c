/* CRC-32C against the check value of the algorithm and the test vectors of RFC 3720, B.4. */
#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/crc32c.h"

Test(crc32c, check_value)
{
    cr_assert_eq(hal_crc32c(0, "123456789", 9), 0xE3069283);
    cr_assert_eq(hal_crc32c(0, "", 0), 0);
    cr_assert_eq(hal_crc32c(0x12345678, "", 0), 0x12345678);
}

Test(crc32c, vectors_of_32_bytes)
{
    uint8_t zeros[32], ones[32], up[32], down[32];

    memset(zeros, 0, sizeof zeros);
    memset(ones, 0xFF, sizeof ones);
    for (unsigned i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    cr_assert_eq(hal_crc32c(0, zeros, 32), 0x8A9136AA);
    cr_assert_eq(hal_crc32c(0, ones, 32), 0x62A8AB43);
    cr_assert_eq(hal_crc32c(0, up, 32), 0x46DD794E);
    cr_assert_eq(hal_crc32c(0, down, 32), 0x113FDB5C);
}

/* The definition: reflected polynomial 0x82F63B78, one bit at a time. */
static uint32_t bitwise(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t i = 0; i < n * 8; i++) {
        uint32_t bit = (p[i / 8] >> (i % 8)) & 1;

        crc = ((crc ^ bit) & 1) ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
    }
    return ~crc;
}

Test(crc32c, every_byte_value_as_the_definition_says)
{
    uint8_t bytes[256];

    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t n = 0; n <= sizeof bytes; n++)
        cr_assert_eq(hal_crc32c(0, bytes, n), bitwise(bytes, n), "%zu bytes", n);
}

Test(crc32c, continued_at_every_place)
{
    static const char text[] = "a record that was written in two pieces";

    for (size_t cut = 0; cut < sizeof text; cut++) {
        uint32_t crc = hal_crc32c(0, text, cut);

        cr_assert_eq(hal_crc32c(crc, text + cut, sizeof text - cut),
                     hal_crc32c(0, text, sizeof text), "cut at %zu", cut);
    }
}
