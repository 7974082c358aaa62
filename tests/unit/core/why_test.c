/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences are cut to the caller's buffer and may be unwanted. */
#include "core/adapter/why.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

TestSuite(why, .timeout = 10);

Test(why, writes_and_passes_the_error_on)
{
    char text[32] = "before";

    cr_expect_eq(spipe__why((struct spipe__why){text, sizeof text}, -EIO, "port %d", 7), -EIO);
    cr_expect_str_eq(text, "port 7");
}

Test(why, is_cut)
{
    char text[8] = "xxxxxxx";

    (void)spipe__why((struct spipe__why){text, 4}, -EIO, "%s", "long text");
    cr_expect_str_eq(text, "lon");
    cr_expect_eq(text[4], 'x');
}

Test(why, may_be_unwanted)
{
    char text[8] = "as is";

    cr_expect_eq(spipe__why((struct spipe__why){NULL, 100}, -EIO, "no"), -EIO);
    cr_expect_eq(spipe__why((struct spipe__why){text, 0}, -ENODEV, "no"), -ENODEV);
    cr_expect_str_eq(text, "as is");
}
