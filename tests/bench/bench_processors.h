/* SPDX-License-Identifier: Apache-2.0 */
/* What two threads had of the processors, so that of a wait for a lock only what its holder
 * computed need be counted: a machine that is shared takes processors from whoever it likes. */
#ifndef TESTS_BENCH_BENCH_PROCESSORS_H
#define TESTS_BENCH_BENCH_PROCESSORS_H

#include <time.h>

struct bench_processors {
    clockid_t other; /* CPU time of the other thread */
    int schedstat;   /* of the one that opened it; -1: the kernel does not count */
};

/** Since those threads began, ns. */
struct bench_share {
    double other;  /* CPU time of the other thread */
    double queued; /* in which this thread could have run and was not let */
};

/** The clock of the calling thread, for another one's bench_processors_open(). */
clockid_t bench_processors_clock(void);

/** Begins to look, in the thread that is to be timed. */
void bench_processors_open(struct bench_processors *p, clockid_t other);

void bench_processors_close(struct bench_processors *p);

/** Now. A microsecond or two: system calls. The thread that opened it only. */
struct bench_share bench_processors_look(const struct bench_processors *p);

/** What is left of a wait of `ns` between two looks when both threads always have a processor: no
 * more than the other one has computed meanwhile, and no time on the run queue. */
double bench_share_computed(double ns, struct bench_share before, struct bench_share after);

#endif
