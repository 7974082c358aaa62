/* SPDX-License-Identifier: Apache-2.0 */
/* What every back end of hal/exec.h must do. A test program per back end includes this list, runs
 * each case in a thread of its back end, and adds nothing to what the cases know. No case asserts
 * how long anything takes, in what order waiters are served, or that a waiting thread is not woken
 * for nothing: none of that is promised. */
#ifndef TESTS_CONFORMANCE_EXEC_CONFORMANCE_H
#define TESTS_CONFORMANCE_EXEC_CONFORMANCE_H

#include "hal/exec.h"

/* Cases that must run to their end without a failed assertion. */
#define EXEC_CONFORMANCE_CASES(X)                                                                  \
    X(clock_never_goes_back)                                                                       \
    X(sleep_lasts_until_its_deadline)                                                              \
    X(sleep_until_a_past_deadline_returns)                                                         \
    X(sleep_is_interrupted)                                                                        \
    X(interrupt_before_a_sleep_counts_once)                                                        \
    X(interrupts_do_not_add_up)                                                                    \
    X(an_interrupt_is_put_back)                                                                    \
    X(an_interrupt_is_forgotten)                                                                   \
    X(interrupt_of_a_thread_that_never_waits)                                                      \
    X(thread_runs_and_is_joined)                                                                   \
    X(thread_that_ended_is_joined)                                                                 \
    X(threads_create_threads)                                                                      \
    X(many_threads_at_once)                                                                        \
    X(thread_joined_by_another)                                                                    \
    X(yield_lets_others_run)                                                                       \
    X(mutex_excludes)                                                                              \
    X(mutexes_are_independent)                                                                     \
    X(mutex_may_be_made_again)                                                                     \
    X(signal_wakes_a_waiter)                                                                       \
    X(broadcast_wakes_all)                                                                         \
    X(signal_without_waiter_is_nothing)                                                            \
    X(condition_times_out)                                                                         \
    X(condition_with_past_deadline_times_out)                                                      \
    X(condition_releases_its_mutex)                                                                \
    X(condition_is_interrupted)                                                                    \
    X(interrupt_before_a_condition_counts)                                                         \
    X(uninterruptible_condition_keeps_the_interrupt)                                               \
    X(signal_is_not_lost_to_a_timeout)                                                             \
    X(signal_is_not_lost_to_an_interrupt)                                                          \
    X(condition_ends_right_after_broadcast)                                                        \
    X(bounded_queue_keeps_everything)                                                              \
    X(descriptor_is_readable)                                                                      \
    X(descriptor_becomes_readable)                                                                 \
    X(descriptor_at_its_end_is_readable)                                                           \
    X(descriptor_times_out)                                                                        \
    X(descriptor_is_bad)                                                                           \
    X(descriptor_wait_is_interrupted)                                                              \
    X(interrupt_before_a_descriptor_wait_counts)                                                   \
    X(memory_is_zeroed_and_aligned)                                                                \
    X(memory_comes_back_zeroed)                                                                    \
    X(atomics_do_what_they_say)                                                                    \
    X(atomic_add_loses_nothing)                                                                    \
    X(atomic_swap_loses_nothing)                                                                   \
    X(atomics_are_sequentially_consistent)                                                         \
    X(entropy_varies)

/* Cases that must end the program by abort(3): programming errors that every back end finds. */
#define EXEC_CONFORMANCE_ABORTS(X)                                                                 \
    X(unlock_of_a_free_mutex)                                                                      \
    X(unlock_of_a_foreign_mutex)                                                                   \
    X(fini_of_a_locked_mutex)                                                                      \
    X(fini_of_a_condition_with_a_waiter)                                                           \
    X(wait_without_the_mutex)

#define EXEC_CONFORMANCE_DECLARE(name) void exec_case_##name(struct exec *e);
EXEC_CONFORMANCE_CASES(EXEC_CONFORMANCE_DECLARE)
EXEC_CONFORMANCE_ABORTS(EXEC_CONFORMANCE_DECLARE)

#endif
