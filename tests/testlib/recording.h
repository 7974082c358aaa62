/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a trace, kept to be compared with those of another run. */
#ifndef TESTS_TESTLIB_RECORDING_H
#define TESTS_TESTLIB_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/sim_trace.h"

/** All zero is an empty one. Lives outside the world. */
struct recording {
    struct sim_trace_record *record;
    size_t count, room;
};

/** A sim_trace_sink; arg is the struct recording. */
void recording_add(void *arg, const struct sim_trace_record *records, size_t count);

void recording_free(struct recording *r);

/** Index of the first record that differs (the length of the shorter one if it is the beginning of
 * the longer one), or SIZE_MAX if none does. */
size_t recording_difference(const struct recording *a, const struct recording *b);

/** Prints what both have before record `at`, and what each has from there. */
void recording_explain(const struct recording *a, const char *name_a, const struct recording *b,
                       const char *name_b, size_t at);

#endif
