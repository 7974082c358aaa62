/* SPDX-License-Identifier: Apache-2.0 */
/* Looking for LUNs of an adapter that is open: after a login, and when somebody asks
 * (spipe_rescan). Shared inside core only. */
#ifndef CORE_RESCAN_H
#define CORE_RESCAN_H

#include "hal/support/must_check.h"

struct spipe;

/** Looks for LUNs, and ends the verb. The caller has begun SPIPE__VERB_RESCAN, which has it inside
 * the gate, and holds no lock. Devices take their time: nobody waits for the gate meanwhile.
 * Returns as spipe__discover_luns(). */
HAL_MUST_CHECK int spipe__rescan(struct spipe *s);

#endif
