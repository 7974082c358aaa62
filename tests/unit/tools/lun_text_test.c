/* SPDX-License-Identifier: Apache-2.0 */
/* LUNs as people read them. */
#include "tools/lun_text.h"

#include <criterion/criterion.h>

static char buf[LUN_TEXT_BYTES];

Test(lun_text, wwid)
{
    static const uint8_t wwid[16] = {0x60, 0x0a, [14] = 0xff, 0x01};

    cr_assert_str_eq(lun_text_wwid(buf, wwid), "600a000000000000000000000000ff01");
}

Test(lun_text, ports)
{
    cr_assert_str_eq(lun_text_ports(buf, 0), "none");
    cr_assert_str_eq(lun_text_ports(buf, 1), "0");
    cr_assert_str_eq(lun_text_ports(buf, 0xA), "1,3");
    cr_assert_str_eq(lun_text_ports(buf, 0xF), "0,1,2,3");
}

Test(lun_text, ids_are_those_of_the_ports_that_found_it)
{
    struct spipe_lun_info l = {.lun_id = {1, UINT64_MAX, 0, 0xABC}, .found_ports = 0xA};

    cr_assert_str_eq(lun_text_ids(buf, &l), "1:ffffffffffffffff,3:abc");
    l.found_ports = 0;
    cr_assert_str_eq(lun_text_ids(buf, &l), "none");
    l = (struct spipe_lun_info){.lun_id = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
                                .found_ports = 0xF};
    cr_assert_str_eq(lun_text_ids(buf, &l), "0:ffffffffffffffff,1:ffffffffffffffff,"
                                            "2:ffffffffffffffff,3:ffffffffffffffff");
}

Test(lun_text, mode)
{
    struct spipe_lun_info l = {.mode = SPIPE_LUN_NONE};

    cr_assert_str_eq(lun_text_mode(&l), "none");
    l.mode = SPIPE_LUN_VIRTUAL;
    cr_assert_str_eq(lun_text_mode(&l), "virtual");
    l.mode = SPIPE_LUN_PHYSICAL;
    cr_assert_str_eq(lun_text_mode(&l), "physical");
}
