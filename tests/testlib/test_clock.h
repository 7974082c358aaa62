/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that no test waits for, over threads: a number, which jumps to the deadline of whoever
 * waits with one. Such a wait looks once at what it waits for, and has then timed out; a wait
 * without a deadline is a real one, for what another thread does. So a test sees exact times, and
 * it runs under ThreadSanitizer, which fibers do not. */
#ifndef SPIPE_TESTS_TESTLIB_TEST_CLOCK_H
#define SPIPE_TESTS_TESTLIB_TEST_CLOCK_H

#include "hal/exec.h"

/** Puts the clock into an environment of backends/posix that nobody uses yet; it begins at one
 * second. It stays until that is destroyed. One at a time. */
void test_clock_install(struct exec *exec);

/** Lets other threads run until so many waits without a deadline have begun since then, for
 * something that must reach a thread while it waits. */
void test_clock_await(struct exec *exec, unsigned wanted);

#endif
