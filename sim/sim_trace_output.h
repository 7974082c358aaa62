/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers of trace files share: creating the file, remembering its first error, closing
 * it, and what stands at the head of every format. */
#ifndef SIM_SIM_TRACE_OUTPUT_H
#define SIM_SIM_TRACE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hal/support/must_check.h"
#include "sim/sim_params.h"

#define SIM_TRACE_ADAPTERS_MAX 64
#define SIM_TRACE_CYCLE_NS 4u /* of all formats */

/** What the head of a file says. The file depends on nothing else: no date, no host, so the same
 * run gives the same bytes. */
struct sim_trace_info {
    uint64_t seed;
    unsigned adapters; /* 1 .. SIM_TRACE_ADAPTERS_MAX; records of others are left out */
    /* Of each adapter; those that differ from the default are listed (TM-20). NULL = all default.
     * Read while the file is opened only. */
    const struct sim_params *const *params;
};

/** The file of a writer; stands first in the struct of the writer. */
struct sim_trace_output {
    FILE *file;
    char *path;
    int error; /* the first one, negative errno */
    char buffer[65536];
};

/**
 * Allocates a writer and creates (or empties) its file.
 *
 * @param path   of the file
 * @param info   its number of adapters is checked; nothing is written yet
 * @param bytes  of the writer's struct, which begins with the struct sim_trace_output; all 0
 * @param out    the writer; its owner ends it with sim_trace_output_close
 * @param why    receives a sentence on failure, `size` bytes, may be NULL
 * @return       0, -EINVAL (number of adapters), -ENOMEM, or the errno of creating the file
 */
HAL_MUST_CHECK int sim_trace_output_open(const char *path, const struct sim_trace_info *info,
                                         size_t bytes, struct sim_trace_output **out, char *why,
                                         size_t size);

/** After a group of writes that began with errno = 0: remembers the first error. Returns it, 0
 * while there is none. */
int sim_trace_output_check(struct sim_trace_output *o);

/** Closes the file and frees the writer. Returns 0 or the first error of writing (-ENOSPC, -EIO,
 * ...) with a sentence in why (size bytes, may be NULL). */
HAL_MUST_CHECK int sim_trace_output_close(struct sim_trace_output *o, char *why, size_t size);

/** The first parameter of an adapter, from row `from` of sim_param_table on, that differs from the
 * default; sim_param_count when none does (TM-20). */
size_t sim_trace_next_difference(const struct sim_trace_info *info, unsigned adapter, size_t from);

#endif
