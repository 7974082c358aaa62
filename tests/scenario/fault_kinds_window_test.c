/* SPDX-License-Identifier: Apache-2.0 */
/* FK-32 and FK-46 in every window of vlun.md 15.2 to 15.7 that a sync makes: each AFU sync of each
 * verb fails (E1), or is never answered and ends in a reset of the adapter (E2). Whoever asked
 * tries again, after recovery if need be; INV-4, 13 to 15, 24 and 25 hold all the time. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/scenario/fault_sweep.h"

TestSuite(fault_kinds_window, .timeout = 280);

Test(fault_kinds_window, a_sync_fails)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "E1: a sync fails",
                                             .site = "afucmd",
                                             .effect = "error",
                                             .errors = {-EAGAIN, -EIO},
                                             .partial = true},
                       10);
}

Test(fault_kinds_window, a_sync_is_lost)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "E1: a sync is lost, and repeated",
                                             .site = "afucmd",
                                             .effect = "drop",
                                             .errors = {-EAGAIN, -ETIMEDOUT},
                                             .partial = true,
                                             .once_only = true},
                       0);
}

Test(fault_kinds_window, a_sync_ends_in_a_reset)
{
    fault_sweep_expect(&(struct fault_sweep){.name = "E2: a sync ends in a reset",
                                             .site = "afucmd",
                                             .effect = "drop+creset#1=never",
                                             .errors = {-EAGAIN, -ETIMEDOUT, -EINVAL, -EIO},
                                             .partial = true,
                                             .once_only = true},
                       10);
}
