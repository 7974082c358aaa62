/* SPDX-License-Identifier: Apache-2.0 */
/* Resets of the adapter in random_requests, and how a client finds out.
 *
 * A client believes that its contexts are healthy, and judges what they give by that, until it gets
 * what a healthy one would not give. Then it asks whether the context is lost. If so the result may
 * have been any that the specification has for lost contexts, or for a request that was under way
 * when the reset began; if not, the result was wrong. From then on the client knows, and judges the
 * context by what a lost one has to do, until it recovers it or lets it go. */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_RESET_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_RESET_H

#include <stdbool.h>

#include "hal/exec.h"

struct rr_context;
struct rr_worker;

enum { RR_RESETS = 48 }; /* threads that reset; each pauses for a second afterwards (AD-132) */

struct rr_resetter {
    struct exec_atomic done;    /* 1: it has nothing left to do */
    struct exec_thread *thread; /* NULL: none */
    struct rr_worker *worker;   /* that asked for it */
};

/** Whoever resets. */
struct rr_resets {
    struct exec_mutex lock;
    struct rr_resetter resetter[RR_RESETS];
};

/** Whether a context is lost, after a reset that is under way: the excuse for a result that no
 * healthy one gives. The context is known to be lost from then on. Without resets: false. */
bool rr_lost(struct rr_worker *w, struct rr_context *c);

/** The same, without another request: whether the registers read all ones, and the file says so.
 * Binary clients only. */
bool rr_reads_lost(struct rr_worker *w, struct rr_context *c);

/** Before the first worker starts, and after the last one has ended: waits until nobody resets. */
void rr_resets_begin(struct exec *exec, struct rr_resets *r);
void rr_resets_end(struct exec *exec, struct rr_resets *r);

#endif
