/* SPDX-License-Identifier: Apache-2.0 */
/* SCSI as people read and write it. */
#include "tools/scsi_text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(scsi_text, words)
{
    cr_expect_str_eq(scsi_text_status(0x00), "GOOD");
    cr_expect_str_eq(scsi_text_status(0x02), "CHECK CONDITION");
    cr_expect_str_eq(scsi_text_status(0x28), "TASK SET FULL");
    cr_expect_str_eq(scsi_text_status(0xFF), "unknown status");
    cr_expect_str_eq(scsi_text_sense_key(0), "no sense");
    cr_expect_str_eq(scsi_text_sense_key(6), "unit attention");
    cr_expect_str_eq(scsi_text_sense_key(15), "completed");
    cr_expect_str_eq(scsi_text_sense_code(0x24, 0), "invalid field in CDB");
    cr_expect_str_eq(scsi_text_sense_code(0x3F, 0x0E), "reported LUNs data has changed");
    cr_expect_null(scsi_text_sense_code(0x24, 1));
}

Test(scsi_text, every_key_has_a_word)
{
    for (unsigned key = 0; key < 256; key++)
        cr_assert_gt(strlen(scsi_text_sense_key((uint8_t)key)), 0);
}

Test(scsi_text, bytes)
{
    static const uint8_t expected[] = {0x12, 0x00, 0xAB, 0xCD, 0xEF};
    uint8_t bytes[8] = {0};
    size_t n = 0;

    cr_assert_eq(scsi_text_bytes("12", bytes, 5, &n), 0);
    cr_assert_eq(scsi_text_bytes("0x00", bytes, 5, &n), 0);
    cr_assert_eq(scsi_text_bytes("aBCdef", bytes, 5, &n), 0);
    cr_assert_eq(n, 5);
    cr_assert_arr_eq(bytes, expected, 5);
    cr_assert_eq(scsi_text_bytes("00", bytes, 5, &n), -ENOSPC);
    cr_assert_eq(n, 5);
}

Test(scsi_text, no_bytes)
{
    static const char *const words[] = {"", "0x", "1", "123", "0x1", "gg", "1g", "-1", "1 ", "/0"};
    uint8_t bytes[8];
    size_t n;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        n = 0;
        cr_expect_eq(scsi_text_bytes(words[i], bytes, 8, &n), -EINVAL, "'%s'", words[i]);
    }
}
