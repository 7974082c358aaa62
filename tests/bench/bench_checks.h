/* SPDX-License-Identifier: Apache-2.0 */
/* What the invariant checkers cost: the same requests without them, with checks at quiet points,
 * and with checks on every occasion. */
#ifndef TESTS_BENCH_BENCH_CHECKS_H
#define TESTS_BENCH_BENCH_CHECKS_H

#include <stdint.h>

#include "tests/bench/bench_rig.h"

/** What happens. Zero every field, then what differs. */
struct bench_checks_config {
    enum bench_checks checks;
    unsigned clients, handles; /* at most 16 each; handles of a client */
    unsigned reads;            /* of 4 KiB, by the client of a request before it */
    unsigned requests;         /* that are measured, after a tenth of them to warm up */
};

/** What it took. */
struct bench_checks_result {
    double ns;               /* CPU, a request with its reads */
    uint64_t looks, put_off; /* of the checkers, a thousand requests; those saved by their budget */
};

/** Runs requests drawn from one seed: resizes of small virtual LUNs, opens, releases,
 * and now and then all of a client ends and comes back. Returns 0, or -1 after a message on
 * stderr, also if an invariant broke. */
int bench_checks_run(const struct bench_checks_config *c, struct bench_checks_result *out);

#endif
