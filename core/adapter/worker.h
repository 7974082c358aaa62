/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of an adapter that does what no request waits for: resets that an AFU command made
 * necessary (AD-135), further tries of what is quarantined, what the AFU tells of its ports
 * (AD-94), and wiping. When there is nothing to do it listens to the AFU (core/adapter/listen.h).
 * Shared inside core only.
 *
 * Thread rules: any thread may ask; the lock of the gate guards the members. */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/must_check.h"

struct spipe;

struct spipe__worker {
    struct exec_thread *thread; /* NULL: there is none */
    struct exec_cond work;
    uint64_t tidy_at;     /* when to try what is quarantined; EXEC_FOREVER: nothing waits for it */
    uint64_t events_at;   /* when to look at asynchronous events; EXEC_FOREVER: there are none */
    uint64_t events_from; /* not before: a storm of events must not keep it busy (AD-88) */
    uint64_t wipe_at;     /* when to wipe; EXEC_FOREVER: nothing is dirty */
    bool stop;
    bool reset_wanted;     /* a command of the master was given up for good (AD-124, R-15) */
    uint64_t heartbeat_at; /* when to look at the heartbeat; EXEC_FOREVER: never */
};

/** The thread, or NULL. */
struct exec_thread *spipe__worker_thread(const struct spipe *s);

/** Starts the thread. Returns 0, -EAGAIN or -ENOMEM. */
HAL_MUST_CHECK int spipe__worker_start(struct spipe *s);

/** Ends it, and waits for what it is doing. Harmless without one. The caller holds no lock. */
void spipe__worker_stop(struct spipe *s);

/** Asks for a reset of the adapter. May be called with any lock held but the gate's. */
void spipe__worker_want_reset(struct spipe *s);

/** The AFU has been initialised: whatever was wrong with it is over. */
void spipe__worker_forget_reset(struct spipe *s);

/** Asks for another try of what is quarantined, in a while. May be called with any lock held. */
void spipe__worker_want_tidy(struct spipe *s);

/** Asks for what is dirty to be wiped, soon. May be called with any lock held. */
void spipe__worker_want_wipe(struct spipe *s);

/** The same at a given time. */
void spipe__worker_want_wipe_at(struct spipe *s, uint64_t at);

/** Tells that the AFU has asynchronous events. May be called with any lock held but the gate's. */
void spipe__worker_want_events(struct spipe *s);

/** Makes it look whether the state of the adapter has changed. */
void spipe__worker_look(struct spipe *s);

/** Asks it to end. */
void spipe__worker_ask_to_stop(struct spipe *s);

/** Whether the thread is asked to end: it interrupts what may take long. */
bool spipe__worker_stopping(struct spipe *s);

#endif
