/* SPDX-License-Identifier: Apache-2.0 */
/* A filter over an execution environment: memory and threads that cannot be had, timers that are
 * early or late, signals in interruptible waits (campaigns.md FS-1, FS-2, FS-4, FS-5). Threads,
 * mutexes and conditions are those of the environment below, so the two may be mixed. */
#ifndef BACKENDS_FAULT_FAULT_EXEC_H
#define BACKENDS_FAULT_FAULT_EXEC_H

#include "backends/fault/fault_filter.h"
#include "hal/exec.h"

struct fault_exec {
    struct exec base; /* hand out &x->base */
    struct exec *below;
    struct fault_filter *filter;
};

/** Stacks a filter on the environment of `filter`, which must outlive it. */
void fault_exec_init(struct fault_exec *e, struct fault_filter *filter);

#endif
