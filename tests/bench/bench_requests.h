/* SPDX-License-Identifier: Apache-2.0 */
/* What requests cost: CPU time of core, HAL and the model of the card together, on a 64 TB LUN. One
 * call is one sample. */
#ifndef TESTS_BENCH_BENCH_REQUESTS_H
#define TESTS_BENCH_BENCH_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

/** CPU ns of an attach and a detach while `others` contexts are attached, each with a virtual LUN
 * of 16 chunks. Negative after a message on stderr. */
double bench_attach_ns(unsigned others);

/** The same of an open of a virtual LUN of 16 chunks and its release, in one context. */
double bench_open_ns(unsigned others);

/** A resize that is measured. */
struct bench_resize {
    uint64_t from, to; /* chunks, from < to */
    unsigned fill;     /* per cent of the LUN that others have, scattered in pieces of 16 chunks */
    bool plain_stores; /* see bench_rig.h */
    double grow_ns, shrink_ns; /* CPU ns of a resize from `from` to `to`, and of one back */
};

/** Measures it. Returns 0, or -1 after a message on stderr. */
int bench_resize(struct bench_resize *r);

#endif
