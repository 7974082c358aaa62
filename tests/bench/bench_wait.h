/* SPDX-License-Identifier: Apache-2.0 */
/* How long the requests of one client wait for those of another: two POSIX threads over a model
 * that runs in real time. One attaches, opens, releases and detaches, and every request is timed;
 * what goes on beside it is chosen. */
#ifndef TESTS_BENCH_BENCH_WAIT_H
#define TESTS_BENCH_BENCH_WAIT_H

#include <stdint.h>

/** What the other thread does all the while. */
enum bench_beside {
    BENCH_NOTHING,
    BENCH_BUSY,      /* it computes, and takes no lock: what a processor less costs */
    BENCH_ELSEWHERE, /* as the next one, on an adapter and a LUN that nobody shares: what is left
                        when locks of core play no part */
    BENCH_RESIZER,   /* resizes a virtual LUN of half a 64 TB LUN up and down, on the same LUN */
    BENCH_COMPUTING, /* the same; what of waits the machine is to blame for is left out */
    BENCH_BESIDE_KINDS
};

/** Of one kind of time of all requests, us. */
struct bench_spread {
    double median, p99, p999, longest;
};

struct bench_wait_result {
    uint64_t requests, resizes;
    struct bench_spread total;   /* from call to return */
    struct bench_spread locks;   /* in a request, for mutexes and conditions of core all together */
    struct bench_spread moments; /* the same without the lock of the master, which is held across
                                    an AFU sync: one at a time (VL-68) */
    /* `locks`, but of each wait no more than what the other thread has computed meanwhile, and no
     * time on the run queue: what would be left of it if both always had a processor. With
     * BENCH_COMPUTING only, since looking makes each lock longer. Otherwise zeros. */
    struct bench_spread computed;
    uint64_t above_100_us; /* requests that waited longer for locks */
    uint64_t moments_above_100_us, computed_above_100_us;
    /* The most CPU time that a resize spends holding one lock of core but that of its context: what
     * the machine does to waits is not in it. With BENCH_ELSEWHERE only, because looking at it
     * makes holding longer, which nobody waits for there. Otherwise zeros. */
    struct bench_spread held;
};

/** Measures for some seconds. Returns 0, or -1 after a message on stderr. */
int bench_wait(enum bench_beside beside, struct bench_wait_result *out);

#endif
