/* SPDX-License-Identifier: Apache-2.0 */
/* A device that is another one with faults (campaigns.md FS-7 to FS-10, FS-23, FS-25, FS-29 as the
 * host sees them): over the model for what that cannot plan, over a card for nearly all. */
#ifndef BACKENDS_FAULT_FAULT_BACKEND_H
#define BACKENDS_FAULT_FAULT_BACKEND_H

#include "backends/fault/fault_filter.h"
#include "hal/hal.h"

/** Stacks a filter on `below`, which and whose contexts it uses alone. Its memory comes from the
 * environment of `filter`. hal_close() of *out leaves `below` open. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int fault_backend_open(struct hal_dev *below, struct fault_filter *filter,
                                      struct hal_dev **out);

#endif
