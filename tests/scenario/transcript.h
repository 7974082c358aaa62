/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios as text that can be read and reviewed: steps, and below each what came of it.
 *
 *     # Why this scenario is here.
 *     > adapter
 *     > a attach 0
 *       = context 1
 *     > fault media#1=error
 *     > a read 0 5
 *       0.000  fault media=x, block read or write
 *       = EIO
 *
 * A line that begins with '>' is a step, '#' begins a comment; all else is what came of the step
 * above it: events with the time since it began, in seconds, and its result. Steps, with their
 * words, stand in transcript_steps.c, events in transcript_events.c. A line that repeats is told
 * once, with how often. */
#ifndef TESTS_SCENARIO_TRANSCRIPT_H
#define TESTS_SCENARIO_TRANSCRIPT_H

/** Runs the steps of a text, over fibers with seed 1, on an adapter with two LUNs of eight chunks,
 * while all invariants are checked. Returns the text with what comes of them now, from malloc. A
 * step that is none aborts the test. */
char *transcript_run(const char *text);

#endif
