/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery by the platform (enhanced error handling, AD section 13): the thread of an adapter that
 * hears of frozen slots, slot resets and failures, and does its part. Shared inside core only.
 *
 *   FROZEN      wait until no reset and no probe is under way -> state RESET -> no request is under
 *               way -> contexts and files lose the hardware -> AFU down -> answer NEED_RESET
 *   SLOT_RESET  initialise the AFU -> answer RECOVERED, or DISCONNECT if it cannot be
 *   RESUMED     state NORMAL; everybody who waited goes on
 *   failure, removal, or no further step of the platform in two minutes
 *               state FAILED at once; then as above without answers
 *
 * Thread rules: its thread alone uses the members but for `stop`. */
#ifndef CORE_EEH_H
#define CORE_EEH_H

#include <stdbool.h>

#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/must_check.h"

struct spipe;

struct spipe__eeh {
    struct exec_thread *thread;    /* NULL: there is none, the back end has no platform events */
    bool recovering;               /* FROZEN was answered: the thread has the hardware */
    bool stop;                     /* atomically */
    enum hal_platform_event first; /* that was there before the thread */
};

/** Starts the thread, before the adapter is brought up (AD-145). Returns 0, or -EAGAIN or -ENOMEM
 * without a thread. */
HAL_MUST_CHECK int spipe__eeh_start(struct spipe *s);

/** Ends it. The adapter has failed, so that nothing is left to recover. The caller holds no lock.
 * Harmless without one. */
void spipe__eeh_stop(struct spipe *s);

#endif
