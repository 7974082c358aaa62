/* SPDX-License-Identifier: Apache-2.0 */
/* What the AFU tells of its ports by itself: asynchronous events (SL 16; AD-87, AD-94). Shared
 * inside core only. */
#ifndef CORE_ASYNC_EVENT_H
#define CORE_ASYNC_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct spipe;

/** What is done about an event, besides counting it. */
enum spipe__async_action {
    SPIPE__ASYNC_LOG = 0,
    SPIPE__ASYNC_CLEAR = 1,      /* FC_ERROR and FC_ERRCAP of the port */
    SPIPE__ASYNC_LINK_RESET = 2, /* comes before the former (D-20) */
    SPIPE__ASYNC_SCAN = 4,       /* look for LUNs */
};

/** What a value of aintr_status asks for. */
struct spipe__async_wants {
    uint8_t reset, clear; /* masks of ports (D-7) */
    bool scan;
    uint64_t unknown; /* bits of ports that the card has not */
};

/** Decodes aintr_status of a card with `ports` ports; bits outside of AFU_AINTR_ALL are none. */
struct spipe__async_wants spipe__async_decode(uint64_t status, unsigned ports);

/** Reads and clears aintr_status, counts, and carries out what the events ask for: link resets,
 * each with the errors of its port cleared afterwards, then a look for LUNs. Nothing of it happens,
 * or goes on, when the state is not NORMAL (AD-94, D-11): an initialisation of the AFU makes all of
 * it unnecessary. For the worker, which is outside the gate and holds no lock. */
void spipe__async_run(struct spipe *s);

#endif
