/* SPDX-License-Identifier: Apache-2.0 */
/* What a run has to say at its end: as a table for people, as one JSON object for programs. Rates
 * and latencies are in device time. */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/superpipe_event.h"
#include "hal/support/fault_plan.h"
#include "tools/workload.h"

/** Everything about one run. */
struct report {
    const struct workload_config *config;
    const struct workload_result *result;
    const char *replay;      /* command line that repeats the run */
    const char *failure;     /* why it could not be carried through; NULL or "" = it was */
    unsigned adapters, luns; /* luns: of each adapter */
    uint64_t lun_bytes;      /* of the first LUN */
    bool threads;            /* over POSIX threads: not reproducible, no hash */
    uint64_t trace_hash, trace_records;
    const char *trace_path; /* NULL = no trace file */
    uint64_t bring_up_ns;   /* device time */
    uint64_t violations;    /* accesses that a correct host never makes */
    uint64_t model_errors;  /* rules of its bus that the model broke: a fault of this program */
    const char *violations_text, *model_errors_text; /* which; NULL or "" = none */
    bool checked;                                    /* the invariants were */
    uint64_t checks, broken;                         /* how often; what did not hold */
    const char *broken_text;                         /* the first of it; NULL or "" = nothing */
    uint64_t faults_fired;
    const char *faults;    /* plan, or NULL */
    const char *resolved;  /* hits that went wrong, as a plan; of the first adapter */
    const char *unreached; /* rules that never did anything; NULL or "" = none */
    /* passes of each site, and how often something went wrong there; of all adapters, since the
     * plan was loaded, or since power-on */
    unsigned sites;
    struct report_site {
        const char *name;
        uint64_t hits, fired;
    } site[2 * FAULT_SITES_MAX];
    struct spipe_counter counter[SPIPE_EVENTS]; /* of all adapters together; no name: none yet */
};

/** Whether the run is a success: carried through, without error, mismatch or violation, and every
 * planned fault has happened (campaigns.md CF-6). */
bool report_passed(const struct report *r);

/** Prints the table; nothing for a run that could not begin. */
void report_table(FILE *out, const struct report *r);

/** The JSON object as text ending in a line feed, from malloc; NULL without memory. The member
 * "jobs" has the keys of fio's JSON output, so that tools for that can read it. */
char *report_json(const struct report *r);

#endif
