/* SPDX-License-Identifier: Apache-2.0 */
/* Exhaustive single faults (campaigns.md CF-7): a life of clients, verb after verb, in which hit 1,
 * 2, 3 ... of a site goes wrong within one verb, until a run sees none; each once, and from then on
 * until the verb has ended. A verb that fails says so with an error of its kind and leaves memory,
 * chunks, users and names as they were (FK-40 to FK-42); repeated without the fault it succeeds,
 * and so does everything after it, with the data that were there. */
#ifndef TESTS_SCENARIO_FAULT_SWEEP_H
#define TESTS_SCENARIO_FAULT_SWEEP_H

#include <stdbool.h>

enum { FAULT_SWEEP_ERRORS = 4, FAULT_SWEEP_SKIPPED = 2 };

/** What to sweep over. */
struct fault_sweep {
    const char *name; /* "FK-40: ..." */
    const char *site; /* and effect by its word: "mem", "refuse" */
    const char *effect;
    int errors[FAULT_SWEEP_ERRORS];        /* that a verb may end with */
    const char *skip[FAULT_SWEEP_SKIPPED]; /* parts of the names of verbs that are left out */
    const char *only;                      /* name of a verb, or NULL */
    bool partial;   /* a verb that fails may have done a part, or reset the adapter */
    bool once_only; /* not from then on */
    bool must_fail; /* a verb that met it may not be successful */
};

/** What a sweep has seen. */
struct fault_sweep_result {
    unsigned verbs;        /* that it was for */
    unsigned runs, failed; /* runs with a fault; verbs that failed because of one */
};

/** Sweeps over all verbs, opening and closing the adapter included. Aborts the test on failure,
 * with name, verb and hit. */
struct fault_sweep_result fault_sweep(const struct fault_sweep *sweep);

/** The same; tells what it has seen, and aborts the test if fewer than `least` verbs failed. */
void fault_sweep_expect(const struct fault_sweep *sweep, unsigned least);

#endif
