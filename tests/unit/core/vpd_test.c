/* SPDX-License-Identifier: Apache-2.0 */
/* Port names in vital product data: what is there, what is missing, and what is garbage. */
#include "core/adapter/vpd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(vpd, .timeout = 30);

#define ID                                                                                         \
    "\x82\x04\x00"                                                                                 \
    "card"
#define V5                                                                                         \
    "V5\x10"                                                                                       \
    "5005076802000001"
#define V6                                                                                         \
    "V6\x10"                                                                                       \
    "50050768020000Ab"
#define V8                                                                                         \
    "V8\x10"                                                                                       \
    "500507680200FFFF"
#define OTHER                                                                                      \
    "PN\x03"                                                                                       \
    "ABC"

static int wwpn_of(const void *vpd, size_t length, unsigned port, uint64_t *wwpn)
{
    *wwpn = 42;
    return spipe__vpd_wwpn(vpd, length, port, wwpn);
}

/* Section 24.4 of adapter.md, with other keywords around it. */
Test(vpd, names_of_the_ports)
{
    static const char vpd[] = ID "\x90\x45\x00" V5 OTHER V6 OTHER V8 "\x78";
    static const uint64_t names[4] = {UINT64_C(0x5005076802000001), UINT64_C(0x50050768020000AB), 0,
                                      UINT64_C(0x500507680200FFFF)};
    uint64_t wwpn;

    for (unsigned port = 0; port < 4; port++) {
        cr_assert_eq(wwpn_of(vpd, sizeof vpd - 1, port, &wwpn), 0);
        cr_expect_eq(wwpn, names[port], "port %u", port);
    }
    PROVES(AD_45);
    PROVES(R_47);
}

Test(vpd, lists_without_names)
{
    static const struct {
        const char *data;
        size_t size;
    } cases[] = {
#define CASE(s) {s, sizeof(s) - 1}
        CASE(""),
        CASE(ID),
        CASE(ID "\x78"),
        CASE("\x78"
             "\x90\x13\x00" V5),
        CASE(ID "\x90\x00\x00\x78"),
        CASE(ID "\x90\x06\x00" OTHER "\x78"),
        CASE(ID "\x91\x13\x00" V5), /* the read-write section */
        CASE("\x82\xff\xff"
             "short"),
        CASE("\x82"),
        CASE("\x90\x13"),
        CASE("\x90\x06\x00" OTHER V5), /* behind the section */
        CASE("\x90\x10\x00"
             "PN\xf0"
             "0123456789"), /* cut off before any name */
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        uint64_t wwpn;
        cr_assert_eq(wwpn_of(cases[i].data, cases[i].size, 0, &wwpn), 0, "case %zu", i);
        cr_expect_eq(wwpn, 0, "case %zu", i);
    }
    PROVES(AD_45);
    PROVES(R_47);
}

Test(vpd, names_that_are_none)
{
    static const struct {
        const char *data;
        size_t size;
    } cases[] = {
        CASE("\x90\x13\x00"
             "V5\x10"
             "500507680200000g"),
        CASE("\x90\x13\x00"
             "V5\x10"
             " 005076802000001"),
        CASE("\x90\x12\x00"
             "V5\x0f"
             "500507680200000"),
        CASE("\x90\x14\x00"
             "V5\x11"
             "50050768020000010"),
        CASE("\x90\x03\x00"
             "V5\x00"),
        CASE("\x90\x13\x00"
             "V5\x10"
             "50050768"),
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(cases); i++) {
        uint64_t wwpn;
        cr_expect_eq(wwpn_of(cases[i].data, cases[i].size, 0, &wwpn), -ENODEV, "case %zu", i);
        cr_expect_eq(wwpn, 42, "untouched on failure");
    }
    PROVES(AD_45);
    PROVES(R_47);
}

/* A list longer than the 256 bytes that are read: names before the cut are found. */
Test(vpd, list_that_was_cut)
{
    static const char vpd[] = "\x90\xff\x03" V5 "YA\xff"
                              "......";
    uint64_t wwpn;

    cr_assert_eq(wwpn_of(vpd, sizeof vpd - 1, 0, &wwpn), 0);
    cr_expect_eq(wwpn, UINT64_C(0x5005076802000001));
    cr_assert_eq(wwpn_of(vpd, sizeof vpd - 1, 1, &wwpn), 0);
    cr_expect_eq(wwpn, 0);
}

/* Whatever the bytes: an answer, and no access beyond them (the sanitizer looks). */
Test(vpd, random_bytes)
{
    struct hal_prng prng;

    hal_prng_seed(&prng, test_seed(4), 0);
    for (unsigned i = 0; i < 20000; i++) {
        size_t size = (size_t)hal_prng_below(&prng, 65);
        char *data = malloc(size ? size : 1);
        uint64_t wwpn;
        int rc;

        cr_assert(data);
        for (size_t k = 0; k < size; k++)
            data[k] = "\x82\x90\x78V56\x10\x03"
                      "0A"[hal_prng_below(&prng, 10)];
        rc = wwpn_of(data, size, (unsigned)hal_prng_below(&prng, 4), &wwpn);
        cr_assert(rc == 0 || rc == -ENODEV);
        free(data);
    }
}
