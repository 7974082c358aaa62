/* SPDX-License-Identifier: Apache-2.0 */
/* The heartbeat of the AFU: a register that grows by one with each read (SL 20.1, R-29), so that a
 * value that is anything else tells that the AFU was reset, or hangs, or that somebody else reads
 * it. It is a hint for people: nothing is done about it. Shared inside core only. */
#ifndef CORE_HEARTBEAT_H
#define CORE_HEARTBEAT_H

struct spipe;

/** Looks at it, unless the state is not NORMAL; a surprise is an event, and where it goes on from.
 * For the worker, which is outside the gate and holds no lock. */
void spipe__heartbeat_look(struct spipe *s);

#endif
