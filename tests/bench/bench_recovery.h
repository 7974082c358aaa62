/* SPDX-License-Identifier: Apache-2.0 */
/* What recoveries cost: of a frozen slot with many busy contexts, and those that wait for time-outs
 * (PB-9). */
#ifndef TESTS_BENCH_BENCH_RECOVERY_H
#define TESTS_BENCH_BENCH_RECOVERY_H

#include "tests/bench/bench_bar.h"

/** From what went wrong until every context serves I/O again. */
struct bench_recovery {
    double simulated_ns, cpu_ns;
};

/** The slot freezes while each of so many contexts has I/O in flight. Returns 0, or -1 after a
 * message on stderr. */
int bench_eeh(unsigned contexts, struct bench_recovery *out);

/** AFU syncs are lost until two of them have timed out, and the adapter is reset. As above. */
int bench_lost_sync(struct bench_recovery *out);

/** The bars of recoveries. The array is static. */
struct bench_bars bench_recovery_bars(void);

#endif
