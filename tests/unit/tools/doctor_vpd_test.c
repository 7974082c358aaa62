/* SPDX-License-Identifier: Apache-2.0 */
/* Vital product data: fields in order, names of ports, garbage. */
#include "tools/doctor_vpd.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes in a block of memory of exactly their size, for AddressSanitizer. */
static uint8_t *exactly(const char *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

/* Keywords of all fields, one behind the other. */
static const char *keywords(const char *bytes, size_t size)
{
    static char list[64];
    uint8_t *vpd = exactly(bytes, size);
    struct doctor_vpd_walk w = {0};
    struct doctor_vpd_field f;

    list[0] = 0;
    while (doctor_vpd_next(vpd, size, &w, &f)) {
        cr_assert(f.data >= vpd && f.data + f.length <= vpd + size);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s", f.keyword);
    }
    free(vpd);
    return list;
}

#define KEYWORDS(bytes) keywords(bytes, sizeof(bytes) - 1)

static const char good[] = "\x82\x05\0flash"
                           "\x90\x2d\0"
                           "PN\x04"
                           "00WT"
                           "V5\x10"
                           "5005076802000001"
                           "V6\x10"
                           "500507680200000G"
                           "\x91\x04\0"
                           "YA\x01"
                           "1"
                           "\x78";

Test(doctor_vpd, fields_in_order)
{
    struct doctor_vpd_walk w = {0};
    struct doctor_vpd_field f;

    cr_assert_str_eq(KEYWORDS(good), "IDPNV5V6YA");
    cr_assert(doctor_vpd_next((const uint8_t *)good, sizeof good - 1, &w, &f));
    cr_assert_eq(f.length, 5);
    cr_assert_eq(memcmp(f.data, "flash", 5), 0);
    cr_assert(doctor_vpd_next((const uint8_t *)good, sizeof good - 1, &w, &f));
    cr_assert_eq(f.length, 4);
    cr_assert_eq(memcmp(f.data, "00WT", 4), 0);
}

Test(doctor_vpd, names_of_ports)
{
    cr_assert(doctor_vpd_has_port((const uint8_t *)good, sizeof good - 1, 0));
    cr_assert_not(doctor_vpd_has_port((const uint8_t *)good, sizeof good - 1, 1), "a letter G");
    cr_assert_not(doctor_vpd_has_port((const uint8_t *)good, sizeof good - 1, 2), "no V7");
    cr_assert_not(doctor_vpd_has_port((const uint8_t *)"\x90\x04\0V5\x01"
                                                       "1",
                                      7, 0),
                  "too short");
}

Test(doctor_vpd, garbage_ends_the_walk)
{
    cr_assert_str_eq(KEYWORDS(""), "");
    cr_assert_str_eq(KEYWORDS("\x78"), "");
    cr_assert_str_eq(KEYWORDS("\xFF\xFF\xFF\xFF"), "");
    cr_assert_str_eq(KEYWORDS("\x90\x00"), "", "half a header");
    cr_assert_str_eq(KEYWORDS("\x90\xFF\x7FV5"), "", "a section beyond the end");
    cr_assert_str_eq(KEYWORDS("\x90\x02\0V5"), "", "half a field");
    cr_assert_str_eq(KEYWORDS("\x90\x04\0V5\x02"
                              "1"),
                     "", "a field beyond its section");
    cr_assert_str_eq(KEYWORDS("\x90\x00\0\x91\x03\0V5\0\x78"), "V5", "an empty section");
    cr_assert_str_eq(KEYWORDS("\x90\x03\0V5\0\x42"), "V5", "an unknown tag");
}
