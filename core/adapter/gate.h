/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an adapter, and the gate that requests pass (SP-13, SP-17, SP-26; AD-131, AD-150).
 * Shared inside core only. Every change of state is a row of core/adapter/adapter_state.h, and is
 * made here.
 *
 * Every request is inside the gate while it works. A reset closes the gate, which waits until
 * nobody is inside, and changes what requests rely on; so whoever is inside, and has seen NORMAL
 * since it entered, may use the hardware. A request that sleeps for a reset, or for a long SCSI
 * command, leaves the gate meanwhile.
 *
 * One thread at a time takes the AFU down or up: it *has the hardware* from spipe__gate_begin() to
 * spipe__gate_end(). A permanent failure changes the state at once all the same; whoever has the
 * hardware then ends without success, and is waited for.
 *
 * Thread rules: any thread; one that enters or closes the gate holds no lock of core. */
#ifndef CORE_GATE_H
#define CORE_GATE_H

#include <stdbool.h>

#include "core/adapter/adapter_state.h"
#include "core/superpipe.h"
#include "hal/exec.h"
#include "hal/support/must_check.h"

struct spipe__gate {
    struct exec *exec;
    struct exec_mutex lock; /* guards everything below */
    struct exec_cond changed;
    enum spipe_state state;
    unsigned inside; /* threads */
    bool closed;
    bool taken;  /* somebody has the hardware */
    bool frozen; /* a platform event waits until it may begin (AD-145) */
};

/** What a request does in states other than NORMAL. */
enum spipe__admission {
    SPIPE__ADMIT_NORMAL,  /* waits for the end of a reset; -ENODEV when the adapter failed */
    SPIPE__ADMIT_CLEANUP, /* the same, but goes on when the adapter failed (SP-18) */
    SPIPE__ADMIT_ALWAYS,  /* goes on (SP-24, SP-149) */
};

/** Sets up a gate, open, in state PROBING; the caller has the hardware (AD-12). */
void spipe__gate_init(struct spipe__gate *g, struct exec *exec);

/** Ends a gate that nobody uses. */
void spipe__gate_fini(struct spipe__gate *g);

/**
 * Enters. Waits while the gate is closed, and as `admission` says.
 *
 * @return  0; -ENODEV: the adapter failed; -EINTR: interrupted while waiting for a reset. The
 *          caller is inside only after 0
 */
HAL_MUST_CHECK int spipe__gate_enter(struct spipe__gate *g, enum spipe__admission admission);

/** Looks at the state again, from inside; waits, outside, as spipe__gate_enter() does. After an
 * error the caller is still inside. */
HAL_MUST_CHECK int spipe__gate_pass(struct spipe__gate *g, enum spipe__admission admission);

void spipe__gate_leave(struct spipe__gate *g);

/** Closes the gate and waits until nobody is inside; one thread at a time. */
void spipe__gate_close(struct spipe__gate *g);

void spipe__gate_open(struct spipe__gate *g);

/** The state of now; it can change at once unless the caller is inside and it is NORMAL. */
enum spipe_state spipe__gate_state(struct spipe__gate *g);

/**
 * Changes the state by `trigger` and gives the caller the hardware, to take the AFU down and up.
 *
 * @return  false, and nothing happens: there is no such row from the state of now, or somebody has
 *          the hardware
 */
HAL_MUST_CHECK bool spipe__gate_begin(struct spipe__gate *g, enum spipe_trigger trigger);

/** For a platform event: waits, uninterruptibly, until the state is neither RESET nor PROBING and
 * nobody has the hardware, then begins (AD-140, AD-153). False: the adapter has failed. */
HAL_MUST_CHECK bool spipe__gate_begin_frozen(struct spipe__gate *g);

/** Fails at once by `trigger`, whatever the state, wakes everybody, and gives the caller the
 * hardware as soon as nobody else has it (AD-141). `mine`: the caller has it already. */
void spipe__gate_fail(struct spipe__gate *g, enum spipe_trigger trigger, bool mine);

/** Gives the hardware back, with the change that `trigger` makes; none if the adapter has failed
 * meanwhile. Returns the state. */
enum spipe_state spipe__gate_end(struct spipe__gate *g, enum spipe_trigger trigger);

/** Gives the hardware back of an adapter that has failed. */
void spipe__gate_end_failed(struct spipe__gate *g);

/** Ends the probe (AD-15, AD-18). False: it failed, and the remove path follows. True, also after a
 * failure if a platform event waits, which goes on then: spipe__gate_await() tells what becomes of
 * the adapter. */
HAL_MUST_CHECK bool spipe__gate_end_probe(struct spipe__gate *g, bool good);

/** Waits, uninterruptibly, until the state is neither RESET nor PROBING and nobody has the
 * hardware, and returns it: PROBED, NORMAL or FAILED (AD-154). From outside. */
enum spipe_state spipe__gate_settle(struct spipe__gate *g);

/** Waits, uninterruptibly, until the adapter works or has failed for good: NORMAL or FAILED
 * (AD-133, AD-151, AD-152). From outside. */
enum spipe_state spipe__gate_await(struct spipe__gate *g);

#endif
