/* SPDX-License-Identifier: Apache-2.0 */
/* Fault kinds (campaigns.md section 4) under load: four clients that write and read blocks, and if
 * wanted one that resizes, while something goes wrong. Who gets an error tries again, as the block
 * library of an application would, and recovers its context when it is lost. Afterwards the fault
 * is taken away, and it is judged: everybody's data, the state of the adapter, what errors there
 * were, that a new client can work, that nothing is left. All invariants are checked all the time.
 */
#ifndef TESTS_SCENARIO_FAULT_KINDS_H
#define TESTS_SCENARIO_FAULT_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/testlib/stack.h"

enum { FAULT_CASE_ERRORS = 6 };

/** One kind, with one way to cause it. */
struct fault_case {
    const char *name; /* "FK-6: ..." */
    const char *plan; /* loaded while everybody works; every rule of it has to happen */
    /* errors that a caller may see before it has success; none: class S in the strictest sense */
    int errors[FAULT_CASE_ERRORS];
    unsigned resets;                    /* of the adapter, at most; 0: a reset is a failure */
    bool needs_errors;                  /* somebody has to see one: class R */
    bool interrupts;                    /* clients sleep for completions */
    bool resizes;                       /* somebody resizes, so that the master sends AFU syncs */
    bool may_fail;                      /* class T: the adapter may end as FAILED */
    uint64_t interface_version;         /* of the AFU; 0 = the default */
    void (*meanwhile)(struct stack *s); /* NULL, or what happens while everybody works */
    void (*judge)(struct stack *s);     /* NULL, or what has to hold at the end */
};

/** Runs n cases with several seeds each. Aborts the test on failure, with the name of the case. */
void fault_cases_run(const struct fault_case *c, size_t n);

#define FAULT_CASES_RUN(cases) fault_cases_run(cases, sizeof cases / sizeof cases[0])

/** Lets virtual time pass. */
void fault_case_pause(struct stack *s, uint64_t ms);

#endif
