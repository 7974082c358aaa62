/* SPDX-License-Identifier: Apache-2.0 */
/* The invariant checkers of one adapter (INV-1..28, docs/spec/vlun.md section 16): an observer that
 * compares what core believes with what the model sees. It draws nothing from the seed, lets no
 * time pass and records nothing: a checked run is the same run.
 *
 * It looks
 *   at quiet points  the end of a request, when no other is under way: everything;
 *   always           after table stores and publishes, starts, ends and other changes of state of
 *                    contexts and the adapter, and AFU syncs:
 *                    what must hold within requests too; and at each access to the medium, whether
 *                    the context may have the blocks (INV-25).
 * A look is at the contexts that were touched: by requests of theirs that are under way, or by
 * stores to their tables and registers. Of all the others it knows what they had (check_owned.h),
 * so that sums are over everything. Every 64th quiet look, each after a request that is about no
 * certain context, each while a context is lost, and each after something that is wrong in a part,
 * is at everything; it also compares the contexts that were not touched with what they had.
 *
 * A look costs time in proportion to what it is at. So that many handles do not make a run slow,
 * each occasion earns a budget, and looks wait until it pays for them; a small stack is looked at
 * on every occasion. */
#ifndef SIM_CHECK_SIM_CHECK_H
#define SIM_CHECK_SIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/picture.h"
#include "hal/support/must_check.h"

struct sim_afu;
struct sim_check;

/** Draws the picture of now, of all contexts or of some numbers only, a bit each; called inside
 * hooks of the model, where the thread that it runs on holds core's lock, or no request is under
 * way (spipe_picture_inside()). Returns 0 or -ENOMEM. */
typedef int sim_check_picture(void *arg, const uint64_t *only, struct hal_picture_room *room,
                              const struct hal_picture **out);

/** How to check. */
struct sim_check_config {
    sim_check_picture *picture;
    void *arg;
    bool quiet_only; /* looks at quiet points only: for long runs */
    /* NULL, or where requests under way are counted together with those of other adapters that
     * share LUNs with this one: then it is quiet when it is everywhere. 0 at first. */
    uint64_t *begun;
    /* NULL, or is told the first thing that does not hold, at once: core may not live to the end */
    void (*told)(const char *text);
};

/** Begins to check an adapter. No request is under way. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int sim_check_start(struct sim_afu *a, const struct sim_check_config *config,
                                   struct sim_check **out);

/** Looks at everything once more (INV-26 if no client is left), and pictures come no more: core is
 * about to close. No request is under way. */
void sim_check_finish(struct sim_check *c);

/** Ends it. NULL is ignored. */
void sim_check_stop(struct sim_check *c);

#define SIM_CHECK_INVARIANTS 29 /* INV-1..28 by their number */

/** What it did, and found. */
struct sim_check_result {
    uint64_t quiet_looks, looks, put_off; /* at quiet points, at all, saved by the budget */
    uint64_t accesses;                    /* to the medium, that were judged */
    uint64_t broken;                      /* verdicts against the stack */
    uint64_t by_invariant[SIM_CHECK_INVARIANTS];
    unsigned invariant; /* the first of them; 0: a context changed that was not touched */
    char text[320];     /* of the first: when and what, "" without any */
};

const struct sim_check_result *sim_check_result(const struct sim_check *c);

#endif
