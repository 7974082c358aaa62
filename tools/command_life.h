/* SPDX-License-Identifier: Apache-2.0 */
/* Which command does a trace record belong to? Records name slots, and slots are used again and
 * again. Commands count from 1 in the order in which they are fetched, over all adapters. One lives
 * from its FETCH record to its RRQ record, or to the end of its context, a reset, or the next FETCH
 * in its slot (a command that a fault dropped leaves no record of its end). */
#ifndef TOOLS_COMMAND_LIFE_H
#define TOOLS_COMMAND_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_trace.h"
#include "sim/sim_trace_output.h"

#define COMMAND_LIFE_SLOTS 256u  /* of an adapter */
#define COMMAND_LIFE_BELLS 4096u /* doorbells that are remembered */

enum command_state {
    COMMAND_STATE_RUNNING,
    COMMAND_STATE_DONE,
    COMMAND_STATE_ABORTED, /* with its context, or by a reset */
    COMMAND_STATE_DROPPED, /* ended without a record before its slot was used again */
};

/** What is known of the last command in a slot. */
struct command_slot {
    uint64_t number; /* 0 = none was seen */
    uint32_t context;
    enum command_state state;
};

/** All slots of all adapters; all 0 in the beginning. */
struct command_life {
    uint64_t fetched; /* commands so far */
    struct command_slot slot[SIM_TRACE_ADAPTERS_MAX][COMMAND_LIFE_SLOTS];
    struct sim_trace_record bell[COMMAND_LIFE_BELLS];
    uint64_t bells;
};

/** Takes the next record of a trace. Returns the number of the command that it belongs to; 0 = to
 * none, or to one that was fetched before the trace began. */
uint64_t command_life_follow(struct command_life *l, const struct sim_trace_record *r);

/** How command `number`, which was fetched into this slot, is doing. */
enum command_state command_life_state(const struct command_life *l, unsigned adapter, unsigned slot,
                                      uint64_t number);

/** Name of a state: "done". */
const char *command_state_name(enum command_state state);

/** The latest doorbell of this FETCH record's IOARCB, or NULL. Means something in IOARRIN mode
 * only: in SQ mode a doorbell names the slot behind those that it submits. */
const struct sim_trace_record *command_life_bell(const struct command_life *l,
                                                 const struct sim_trace_record *fetch);

/** Whether a record that belongs to no command, or to another one, tells something about the
 * commands of a context: its register accesses, interrupts, errors and resets, faults of the
 * adapter, links. */
bool command_life_concerns(const struct sim_trace_record *r, unsigned adapter, uint32_t context);

#endif
