/* SPDX-License-Identifier: Apache-2.0 */
/* hal/exec.h over POSIX threads and CLOCK_MONOTONIC: for production, and for race tests under
 * ThreadSanitizer.
 *
 * Interrupts need no signals. Every thread has a parking place (a mutex, a condition, an event
 * descriptor), and is asleep nowhere else: not on the condition it was asked to wait for. That one
 * is a list of the threads that wait. So whoever wants to wake a thread, be it for a signal or for
 * an interrupt, does it at one place, under one lock, and cannot come in between "nothing is there"
 * and "asleep": no wake-up is lost, without the interrupter having to know what its victim waits
 * for. Lock order: the list of a condition, then a parking place. */
#ifndef BACKENDS_POSIX_POSIX_EXEC_H
#define BACKENDS_POSIX_POSIX_EXEC_H

#include "hal/exec.h"
#include "hal/support/must_check.h"

/** Makes an execution environment; any number of threads of this process may use it, also those it
 * did not create (they cannot be interrupted). Several environments do not disturb each other. The
 * caller owns *out until posix_exec_destroy. Returns 0 or -ENOMEM.
 *
 * Times are CLOCK_MONOTONIC. thread_create returns -EAGAIN when the process has no descriptor or
 * no thread left, -ENOMEM without memory. fd_wait takes the end of a stream and errors of the
 * descriptor for readable, as poll(2) does: a read then returns at once. */
HAL_MUST_CHECK int posix_exec_create(struct exec **out);

/** Frees an environment. Its threads must have been joined (checked). NULL is ignored. */
void posix_exec_destroy(struct exec *e);

#endif
