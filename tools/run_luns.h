/* SPDX-License-Identifier: Apache-2.0 */
/* Which LUNs of its adapters a run works on, as the command line and lun_guard.h allow. */
#ifndef TOOLS_RUN_LUNS_H
#define TOOLS_RUN_LUNS_H

#include <stddef.h>

#include "hal/support/must_check.h"
#include "tools/lun_guard.h"

struct session;

#define RUN_LUNS_MAX 256

/** Numbers of LUNs of one adapter. */
struct run_luns {
    unsigned count;
    unsigned lun[RUN_LUNS_MAX];
};

/** Chooses the LUNs of an adapter that is up: on a card those that were named, in the simulator all
 * unless some are. Reads both ends of each that may be written on a card and carries no names,
 * nothing else. Returns 0,
 * or as lun_guard_decide() with a sentence in why; -ENOENT: there is none. */
HAL_MUST_CHECK int run_luns_choose(struct session *s, unsigned adapter,
                                   const struct lun_guard_options *options, struct run_luns *out,
                                   char *why, size_t size);

#endif
