/* SPDX-License-Identifier: Apache-2.0 */
/* Work for the model alone, measured in its own cycles: single commands on an idle adapter, and
 * closed loops that keep a number of commands in flight. Nothing here looks at a clock. */
#ifndef TESTS_FIDELITY_LOAD_H
#define TESTS_FIDELITY_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/testlib/model.h"

#define LOAD_CONTEXTS_MAX 511 /* one process element is the master's */
#define LOAD_PER_CONTEXT 16   /* commands of one context in flight: its credits */
#define LOAD_VIRTUAL_LUNS 64  /* LXT words of the fixture */

/** How a command names its blocks: handle of a virtual LUN (RHT and LXT), handle of a LUN (RHT),
 * port and LUN id (no table). */
enum load_way { LOAD_VIRTUAL, LOAD_DIRECT, LOAD_PORT };

/** What the commands are. */
struct load_plan {
    enum load_way way;
    bool write;
    bool written;      /* reads: the blocks have been written before */
    bool sq;           /* submission queue instead of doorbells */
    unsigned contexts; /* 0 = 1 */
    unsigned luns;     /* 0 = 1; commands take them in turn */
    unsigned blocks;   /* of 4096 bytes a command; 0 = 1 */
};

/** An adapter with contexts that are ready to work. */
struct load {
    struct load_plan plan;
    struct model *m;
    struct model_ctx *ctx; /* plan.contexts */
    uint8_t *data;         /* plan.blocks; all commands share it */
    uint8_t *ring;         /* submission queues, one a context */
    unsigned *tail;        /* next slot of each */
    uint64_t turn;         /* commands prepared so far */
};

/** Builds an adapter with these parameters, every LUN 4 chunks on both ports. What goes wrong ends
 * the process. */
void load_begin(struct load *l, const struct sim_params *params, const struct load_plan *plan);
void load_end(struct load *l);

/** Issues one command of a context and waits for it; returns the cycles from the store of its
 * doorbell to its RRQ element. Nothing else must be in flight. The first command on a LUN finds no
 * table in the cache of the card, the next one does. */
uint64_t load_one(struct load *l, unsigned context);

/** Keeps `depth` commands in flight, spread evenly over the contexts, until n are complete; at[i]
 * becomes the cycle at which the i-th completed. What completes is followed by the next one in the
 * same cycle. */
void load_closed(struct load *l, unsigned depth, unsigned n, uint64_t *at);

#endif
