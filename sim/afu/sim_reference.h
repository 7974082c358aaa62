/* SPDX-License-Identifier: Apache-2.0 */
/* The reference engine: a second way to make time pass for one adapter, slow and plain, against
 * which the event engine is checked (design: both give the same trace, cycle for cycle).
 *
 * There is no queue of events and no closed form. At each cycle every block is asked, in a fixed
 * order, what it does now from its own state: all waits are compared with the clock, lines cross
 * the bus one by one, stages serve the frame at their head, the fetch unit looks whether a context
 * has something and a slot is free. So a wake-up that the event engine forgets or computes wrongly
 * shows as a difference of the traces.
 *
 * What the blocks do when it is their turn is shared by both engines; only "when" is not. */
#ifndef SIM_AFU_SIM_REFERENCE_H
#define SIM_AFU_SIM_REFERENCE_H

#include <stdint.h>

#include "sim/afu/sim_afu.h"

/* ---- for sim_wait.h and the blocks, while the reference engine is on -------------------------
 */

/** How a command uses a stage: cycles on the way to it, of service, until the stage is free again
 * after that, and of the command itself after the service. */
struct sim_stage_use {
    uint64_t travel, service, gap, after;
};

/** ev runs when the commands of a transfer (without its cycles) have been answered and `after`
 * cycles have passed. */
void sim_reference_bus(struct sim_afu *a, struct sim_event *ev, const struct sim_strict_transfer *t,
                       uint64_t after, enum sim_rank rank, sim_event_fn *fn);

/** Whether a direction of the bus has something to do. */
bool sim_reference_bus_busy(const struct sim_afu *a, enum sim_direction direction);

/** See sim_wait_cut. */
void sim_reference_cut(struct sim_afu *a);

/** See sim_wait_forget; what has not been sent is cut. */
void sim_reference_forget(struct sim_afu *a);

/** ev runs when the stage has served it, see sim_wait_stage. */
void sim_reference_stage(struct sim_afu *a, struct sim_event *ev, const struct sim_stage *s,
                         struct sim_stage_use use, enum sim_rank rank, sim_event_fn *fn);

/** The command in a slot has so many cycles, at least one; what stops it is that its `expires` is
 * 0. */
void sim_reference_timeout(struct sim_afu *a, uint32_t slot, uint64_t cycles);

#endif
