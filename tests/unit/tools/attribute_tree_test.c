/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of LUNs as ids encode them (SL 23.9). The files are in //tests/cli:cli_attr_test. */
#include "tools/attribute_tree.h"

#include <criterion/criterion.h>

Test(attribute_tree, lun_numbers)
{
    cr_assert_eq(attribute_tree_lun_number(0), 0);
    cr_assert_eq(attribute_tree_lun_number(0x0001000000000000), 1);
    cr_assert_eq(attribute_tree_lun_number(0x00FF000000000000), 255);
    cr_assert_eq(attribute_tree_lun_number(0x0100000000000000), 256);
    cr_assert_eq(attribute_tree_lun_number(0x4001000000000000), 0x4001);
    cr_assert_eq(attribute_tree_lun_number(0x5678123400000000), 0x12345678);
}
