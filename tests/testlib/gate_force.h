/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of one part of core: puts an adapter into a state without the events that lead there.
 */
#ifndef SPIPE_TESTS_TESTLIB_GATE_FORCE_H
#define SPIPE_TESTS_TESTLIB_GATE_FORCE_H

#include "core/adapter/gate.h"

/** Sets the state, wakes who waits for it, and nobody has the hardware unless the state is RESET or
 * PROBING. */
void gate_force(struct spipe__gate *g, enum spipe_state state);

#endif
