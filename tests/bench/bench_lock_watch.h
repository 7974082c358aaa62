/* SPDX-License-Identifier: Apache-2.0 */
/* Times how long threads wait for each other, and hold what others wait for: stands in front of the
 * mutexes and conditions of an execution environment. The lock of the model and its condition do
 * not count: the card has none. */
#ifndef TESTS_BENCH_BENCH_LOCK_WATCH_H
#define TESTS_BENCH_BENCH_LOCK_WATCH_H

#include <stdbool.h>

struct bench_processors;
struct exec;

/** How long a thread has waited, ns. */
struct bench_waited {
    double all;
    double master;   /* part of that: for the lock that is held across a command of the master */
    double computed; /* part of that: bench_share_computed(); 0 unless processors are looked at */
};

/** Puts it in front of `e`, before anything is made with it. One at a time. `holds`: looks at how
 * long locks are held, too, which makes that a little longer. */
void bench_lock_watch(struct exec *e, bool holds);

/** From now on the calling thread looks at the processors before and after it takes a lock or waits
 * for a condition, which makes that some microseconds longer; NULL ends it. */
void bench_lock_watch_processors(const struct bench_processors *p);

/** What the calling thread has waited since it asked last. */
struct bench_waited bench_lock_waited(void);

/** The most CPU time, ns, that the calling thread has spent holding one mutex since it asked last,
 * locks of contexts left out: those that a client uses are its own. Unlike a wait, it does not
 * depend on what else the machine does. 0 if nobody looks at holds. */
double bench_lock_held(void);

#endif
