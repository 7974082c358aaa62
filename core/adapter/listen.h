/* SPDX-License-Identifier: Apache-2.0 */
/* When the worker listens to the AFU. Shared inside core only.
 *
 * Whoever waits for an answer of the primary hardware queue hears what the AFU tells by itself as
 * well (core/command/hwq.h). When nobody has sent anything for a while the worker listens, so that
 * the AFU is heard when nothing else happens; whoever wants something of the worker calls it away.
 * A command that meets it gets its answer from it. It stops at the first thing that it hears, so
 * that of commands in a row all but the first wait for themselves, and cost nothing more.
 *
 * Thread rules: the lock of the gate guards the members. */
#ifndef CORE_LISTEN_H
#define CORE_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"

struct spipe__listening {
    bool active; /* the worker waits for events, or is about to */
    bool called; /* and was interrupted */
    bool deaf;   /* the adapter is lost: there are no events until the next initialisation */
};

/** Whether there is something to hear, now or later. The caller holds the lock of the gate. */
bool spipe__listen_worthwhile(const struct spipe *s);

/** Waits until `until` for an event of the primary queue, and deals with it, or does nothing if
 * somebody listens to it. For the worker, which holds the lock of the gate; it is given back
 * meanwhile. Returns whether the AFU has asynchronous events to tell of. */
HAL_MUST_CHECK bool spipe__listen(struct spipe *s, uint64_t until);

#endif
