/* SPDX-License-Identifier: Apache-2.0 */
/* A storm: a random workload over the model alone, from a seed. Clients of both byte orders and
 * both submission modes send good and bad commands, syncs, resets and register accesses at random
 * cycles, with random latencies and planned faults. Nothing waits for an answer, so what happens
 * depends on the seed and on the model, and on nothing else. */
#ifndef TESTS_TESTLIB_STORM_H
#define TESTS_TESTLIB_STORM_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/testlib/model.h"

struct storm;

/** Sizes that cannot change in a running adapter, and how a workload is drawn. */
struct storm_shape {
    uint64_t cmd_slots, xlt_entries, ports, xlate_entries;
    unsigned actions;    /* of the clients */
    const char *profile; /* whose latencies stay as they are, but that links, resets and the
                          * platform take a thousandth; NULL: they are drawn */
};

/** Builds an adapter with clients that are ready to begin, and remembers it. */
struct storm *storm_create(const struct storm_shape *shape);

void storm_destroy(struct storm *s);

/** Puts everything back to the moment of creation; then, if asked to, hands the clock over to the
 * reference engine. */
void storm_rewind(struct storm *s, bool reference);

/** Runs the workload of a seed to its end. Returns a hash of the clients' memory; the trace is that
 * of storm_model(s)->machine. */
uint64_t storm_run(struct storm *s, uint64_t seed);

/** Faults that happened in the workload that ran last. */
uint64_t storm_faults(const struct storm *s);

struct model *storm_model(struct storm *s);

#endif
