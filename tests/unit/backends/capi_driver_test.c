/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_driver.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/testlib/fake_cxl.h"
#include "tests/testlib/proves.h"

#define CARD "/sys/devices/pci0000:00/0000:00:00.0/0006:00:00.0"
#define OTHER "/sys/devices/pci0000:00/0000:00:00.0/0008:00:00.0"
#define DRIVERS "../../../../../../../bus/pci/drivers/"

TestSuite(capi_driver, .init = fake_cxl_init, .fini = fake_cxl_fini);

static char function[32];

static bool find(const char *pci)
{
    memset(function, 'x', sizeof function - 1);
    return capi_driver_find(&fake_cxl_kernel, pci, function, sizeof function);
}

/* CX-132: the driver link of a child of the virtual host bridge. */
Test(capi_driver, a_function_behind_the_virtual_host_bridge_tells)
{
    fake_cxl_attribute(CARD "/vpd", "");
    fake_cxl_link(CARD "/pci0007:00/0007:00:00.0/driver", DRIVERS "cxlflash");
    cr_assert(find(CARD));
    cr_assert_str_eq(function, "0007:00:00.0");
    PROVES(CX_132);
}

Test(capi_driver, it_is_looked_for_in_every_bridge_and_function)
{
    fake_cxl_attribute(CARD "/pci0007:00/power/control", "auto");
    fake_cxl_attribute(CARD "/pci0007:00/0007:00:00.0/class", "0x010000");
    fake_cxl_link(CARD "/pci0008:00/0008:00:00.0/driver", DRIVERS "other");
    fake_cxl_link(CARD "/pci0008:00/0008:00:01.0/driver", "cxlflash");
    cr_assert(find(CARD));
    cr_assert_str_eq(function, "0008:00:01.0");
    PROVES(CX_132);
}

/* One card's driver is nothing against another card. */
Test(capi_driver, functions_of_other_cards_do_not_count)
{
    fake_cxl_attribute(CARD "/pci0007:00/0007:00:00.0/class", "0x010000");
    fake_cxl_link(OTHER "/pci0009:00/0009:00:00.0/driver", DRIVERS "cxlflash");
    cr_assert_not(find(CARD));
    cr_assert_str_eq(function, "");
    cr_assert(find(OTHER));
    cr_assert_str_eq(function, "0009:00:00.0");
    PROVES(CX_132);
}

/* Each differs from a bound function in one thing. */
Test(capi_driver, what_looks_like_one_is_none)
{
    static const char *const links[][2] = {
        {CARD "/driver", DRIVERS "cxlflash"},                         /* of the card itself */
        {CARD "/0007:00:00.0/driver", DRIVERS "cxlflash"},            /* behind no bridge */
        {CARD "/bus0007:00/0007:00:00.0/driver", DRIVERS "cxlflash"}, /* that is none */
        {CARD "/pci0007:00/power/driver", DRIVERS "cxlflash"},        /* no function */
        {CARD "/pci0007:00/0007:00:00.0/module", DRIVERS "cxlflash"}, /* no driver */
        {CARD "/pci0007:00/0007:00:01.0/driver", DRIVERS "cxlflash2"},
        {CARD "/pci0007:00/0007:00:02.0/driver", DRIVERS "notcxlflash"},
        {CARD "/pci0007:00/0007:00:03.0/driver", "cxlflash/x"},
        {CARD "/pci0007:00/0007:00:04.0/driver", ""},
    };

    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        fake_cxl_link(links[i][0], links[i][1]);
    fake_cxl_attribute(CARD "/pci0007:00/0007:00:05.0/driver", "cxlflash"); /* no link */
    cr_assert_not(find(CARD), "%s", function);
    cr_assert_str_eq(function, "");
    cr_assert_not(find("/sys/devices/nothing"));
}

/* A name that is as long as a file's may be hides nothing behind it. */
Test(capi_driver, long_names_are_passed_over)
{
    fake_cxl_attribute(CARD "/a_name_with_more_characters_than_a_function_has", "");
    fake_cxl_attribute(CARD "/pci0007:00/another_name_that_is_longer_than_all_others", "");
    fake_cxl_link(CARD "/pci0007:00/0007:00:00.0/driver", DRIVERS "cxlflash");
    cr_assert(find(CARD));
    PROVES(CX_132);
}
