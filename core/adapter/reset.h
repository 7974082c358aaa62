/* SPDX-License-Identifier: Apache-2.0 */
/* Resetting an adapter that has contexts open (SP section 10; AD-130..AD-135, AD-160). Shared
 * inside core only; the verb is spipe_reset of core/superpipe.h.
 *
 *   state RESET -> gate closed: no request is under way -> contexts and files lose the hardware ->
 *   gate open -> take the AFU down -> initialise it -> state NORMAL, or FAILED
 *
 * Handles, tables, chunks, modes and what is quarantined stay; the last is free from then on, since
 * the AFU has forgotten everything (vlun.md 15.1). */
#ifndef CORE_RESET_H
#define CORE_RESET_H

#include <stdbool.h>

#include "core/adapter/adapter_state.h"
#include "hal/support/must_check.h"

struct spipe;

/** Begins a reset, if the state is NORMAL; an adapter that is silent gets time for the platform to
 * say why before that (AD-147). The caller is outside the gate and holds no lock. True: it has the
 * hardware, and carries the reset out. */
HAL_MUST_CHECK bool spipe__reset_begin(struct spipe *s, enum spipe_trigger trigger);

/** Carries a reset out. The caller has begun it (spipe__reset_begin()), is outside the gate and
 * holds no lock. Afterwards the state is NORMAL or FAILED, and everybody who waited goes on. */
void spipe__reset_run(struct spipe *s);

/** Begins a reset that may be called off: like spipe__reset_begin(), by SPIPE_ON_CONFIGURATION, but
 * requests under way end first, in state NORMAL, and the gate is closed. spipe__reset_with() has to
 * follow. False: it is open again. */
HAL_MUST_CHECK bool spipe__reset_begin_closed(struct spipe *s);

/** Called when no request is under way and the gate is closed. An error calls the reset off. */
typedef int spipe__reset_prepare(struct spipe *s, void *arg);

/** Carries it out, for who has to change something in between, and opens the gate. Returns 0, -EIO
 * if the adapter has failed, or what `prepare` returned: then the state is NORMAL and nobody has
 * lost anything. */
HAL_MUST_CHECK int spipe__reset_with(struct spipe *s, spipe__reset_prepare *prepare, void *arg);

/** Ends an adapter: waits until no reset is under way, lets requests finish, and takes it down with
 * state FAILED (AD-180). Nothing happens if it has failed already. The caller is outside the gate
 * and holds no lock. */
void spipe__retire(struct spipe *s);

/* ---- the parts, for whoever has the hardware ---- */

/** Waits for the requests that run, then takes the hardware from all contexts and files. */
void spipe__reset_drain(struct spipe *s);

/** What was quarantined until the AFU forgot it is free: it has been initialised. */
void spipe__reset_free(struct spipe *s);

/** Announces a state to traces and checkers. Before NORMAL is set, after any other one. */
void spipe__reset_announce(struct spipe *s, enum spipe_state state);

#endif
