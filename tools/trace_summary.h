/* SPDX-License-Identifier: Apache-2.0 */
/* What a whole trace amounts to, as a table or as JSON. */
#ifndef TOOLS_TRACE_SUMMARY_H
#define TOOLS_TRACE_SUMMARY_H

#include <stdint.h>

#include "sim/sim_trace_reader.h"
#include "tools/json.h"

#define TRACE_SUMMARY_KINDS 8192u /* more than a file and this build have together */
#define TRACE_SUMMARY_FAULTS 20u  /* that are listed */

/** Figures of a trace; all 0 in the beginning. */
struct trace_summary {
    const char *path;
    uint64_t commands, total; /* total: records */
    uint64_t first, last;     /* cycles */
    uint64_t violations, faults;
    uint64_t records[TRACE_SUMMARY_KINDS];
    struct sim_trace_record fault[TRACE_SUMMARY_FAULTS]; /* the first ones */
};

/** Counts one record. */
void trace_summary_add(struct trace_summary *s, const struct sim_trace_record *r);

/** Writes the table to standard output. The reader stands at the end. */
void trace_summary_print(const struct trace_summary *s, const struct sim_trace_reader *reader);

/** Adds everything to an object. The reader stands at the end. */
void trace_summary_json(cJSON *json, const struct trace_summary *s,
                        const struct sim_trace_reader *reader);

#endif
