/* SPDX-License-Identifier: Apache-2.0 */
/* The states of an adapter and every change that there is between them, as one table (AD section
 * 14; docs/state-machine.md is drawn from it). core/adapter/gate.c makes changes, and none that is
 * not a row. */
#ifndef CORE_ADAPTER_STATE_H
#define CORE_ADAPTER_STATE_H

#include <stdbool.h>

#include "core/superpipe.h"

/** What makes an adapter change its state. */
enum spipe_trigger {
    SPIPE_ON_PROBED,            /* the probe is over, and nobody waits for that */
    SPIPE_ON_PROBED_FROZEN,     /* the same while a platform event waits: recovery goes on */
    SPIPE_ON_PROBE_FAILED,      /* what the probe did is taken back */
    SPIPE_ON_HOST_RESET,        /* spipe_reset() */
    SPIPE_ON_ASYNC_RESET,       /* an AFU command was given up */
    SPIPE_ON_CONFIGURATION,     /* hardware queues or internal LUNs are chosen anew */
    SPIPE_ON_FROZEN,            /* the platform has stopped the slot */
    SPIPE_ON_RESET_DONE,        /* the AFU is initialised */
    SPIPE_ON_RESET_CALLED_OFF,  /* nothing was changed */
    SPIPE_ON_RESET_FAILED,      /* it could not be initialised */
    SPIPE_ON_RESUME,            /* the platform has finished its recovery */
    SPIPE_ON_PERMANENT_FAILURE, /* the platform has given the adapter up, or it was pulled */
    SPIPE_ON_SILENCE,           /* the platform did not finish its recovery in time */
    SPIPE_ON_REMOVE,            /* spipe_remove(), spipe_close() */
};

/** One row: from any of several states to one. */
struct spipe_state_row {
    unsigned from; /* states, a bit each: 1u << state */
    enum spipe_state to;
    enum spipe_trigger trigger;
    const char *text, *actor;
    const char *requirement; /* of docs/spec */
    bool wakes;              /* those who wait for a change */
};

/** The table, in the order of AD section 14. */
const struct spipe_state_row *spipe_state_rows(unsigned *count);

/** The row by which `trigger` leads out of `from`; NULL: it does nothing in that state. */
const struct spipe_state_row *spipe_state_row(enum spipe_state from, enum spipe_trigger trigger);

/** "NORMAL" and its like. */
const char *spipe_state_name(enum spipe_state state);

#endif
