/* SPDX-License-Identifier: Apache-2.0 */
/* What each context had when it was drawn last: its handles and their chunks, and the memory that
 * the AFU reaches through it. So a look may be at some contexts only, while events and sums are
 * still about all of them. */
#ifndef SIM_CHECK_CHECK_OWNED_H
#define SIM_CHECK_CHECK_OWNED_H

#include "sim/check/check.h"
#include "sim/check/check_known.h"

/** A handle; `first` and `count` are those of its chunks among the chunks of its context. */
struct check_owned_handle {
    uint32_t number, lun, first, count, kind;
};

/** LXT entries in memory that the AFU can reach. */
struct check_range {
    uint64_t start, bytes;
};

/** What a context had. Zero all but world of both rooms. */
struct check_holder {
    struct check_room has; /* handles, then chunks */
    struct check_room reach;
    uint64_t rht; /* where the AFU looks for it, 0: nowhere */
    uint32_t handles, chunks, ranges;
    bool known; /* core has a healthy context of that number */
};

struct check_owned {
    struct check_holder of[CHECK_NUMBERS];
    uint64_t used[CHECK_NUMBER_WORDS]; /* those that are not all zero */
    uint64_t handles, chunks;          /* of all */
};

/** Takes note of the contexts of `only`, a bit for each number, or of all: those that are not in
 * the picture have nothing. False: no memory. */
HAL_MUST_CHECK bool check_owned_take(struct check_owned *o, const uint64_t *only,
                                     const struct hal_picture *p, const struct check_view *view);

void check_owned_fini(struct check_owned *o);

/** The handles of a context, and its chunks. */
const struct check_owned_handle *check_owned_handles(const struct check_holder *owner);
const uint64_t *check_owned_chunks(const struct check_holder *owner);

/** The handle of that number, or NULL. */
const struct check_owned_handle *check_owned_handle(const struct check_owned *o, uint16_t context,
                                                    uint32_t handle);

/** Whether any handle of any context has the chunk. */
bool check_owned_has(const struct check_owned *o, uint32_t lun, uint64_t chunk);

/** The context through which the AFU can reach this word of LXT memory, or CHECK_NUMBERS. */
uint32_t check_owned_reaches(const struct check_owned *o, uint64_t ea);

/** The first context, but for those of `but`, through which the AFU can reach memory [start, start
 * + bytes); CHECK_NUMBERS if there is none. */
uint32_t check_owned_reaches_into(const struct check_owned *o, const uint64_t *but, uint64_t start,
                                  uint64_t bytes);

/** Whether all references of chunks and all users of LUNs have a handle, something quarantined or a
 * name (INV-1, INV-2, INV-18), in sum. No request is under way, and no context is lost. */
bool check_owned_adds_up(const struct check_owned *o, const struct hal_picture *p);

/** Whether contexts that are not in `touched` are as they were: nothing else may have changed them.
 * Returns the number of one that is not, or CHECK_NUMBERS. */
uint32_t check_owned_changed(const struct check_owned *o, const uint64_t *touched,
                             const struct hal_picture *p);

#endif
