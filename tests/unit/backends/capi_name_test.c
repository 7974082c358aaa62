/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_name.h"

#include <criterion/criterion.h>

#include "tests/testlib/proves.h"

Test(capi_name, afus)
{
    static const char *const others[] = {"afu0",    "afu.0",   "afu0.",   "card0",
                                         "afu0.0m", "xafu0.0", "afu0.0.", "afu 0.0",
                                         "afu-1.0", "afu0.+1", "",        "afu"};
    unsigned card = 9;

    cr_assert(capi_name_is_afu("afu0.0", &card) && card == 0);
    cr_assert(capi_name_is_afu("afu12.3", &card) && card == 12);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert(!capi_name_is_afu(others[i], &card), "%s", others[i]);
    PROVES(CX_17);
}

Test(capi_name, views_are_an_afu_and_a_letter)
{
    unsigned card;

    cr_assert_str_eq(capi_name_afu("afu3.0m", &card), "m");
    cr_assert_eq(card, 3);
    cr_assert_str_eq(capi_name_afu("afu3.0", &card), "");
    cr_assert_null(capi_name_afu("card3", &card));
    cr_assert_null(capi_name_afu("afu99999999999999999999.0", &card));
    PROVES(CX_10);
}

Test(capi_name, pci_functions)
{
    static const char *const others[] = {
        "0007:00:00", "0007:00.0", "power", "0007:00:00.", "", "0007:00:00.0.1", "0007:00:zz.0"};

    cr_assert(capi_name_is_function("0007:00:00.0"));
    cr_assert(capi_name_is_function("00ab:C0:1f.7"));
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_assert(!capi_name_is_function(others[i]), "%s", others[i]);
}
