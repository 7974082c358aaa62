/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/fault_options.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct fault_options o;
static char why[256];

static int add(const char *text) { return fault_options_add(&o, text, why, sizeof why); }

Test(fault_options, rules_are_joined)
{
    cr_assert_eq(add("rrq#17=d"), 0);
    cr_assert_eq(add("media%5=x+mem#1=f"), 0);
    cr_assert_str_eq(o.plan, "rrq#17=d+media%5=x+mem#1=f");
}

Test(fault_options, what_is_none_is_refused)
{
    cr_assert_eq(add(""), -EINVAL);
    cr_assert_str_eq(why, "must not be empty");
    cr_assert_eq(add("rrq"), -EINVAL);
    cr_assert(strstr(why, "is no fault rule: fault 1, 'rrq'"), "%s", why);
}

Test(fault_options, there_is_an_end_of_room)
{
    while (!add("rrq#1=d"))
        ;
    cr_assert(strstr(why, "a plan has at most 64 faults"), "%s", why);
    memset(o.plan, 0, sizeof o.plan);
    memset(o.plan, 'r', sizeof o.plan - 8);
    cr_assert_eq(add("rrq#1=d"), -EINVAL);
    cr_assert_str_eq(why, "is more than there is room for");
}
