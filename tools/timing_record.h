/* SPDX-License-Identifier: Apache-2.0 */
/* What backends/record measures, collected, and held against the parameters of the model that it
 * corresponds to. */
#ifndef TOOLS_TIMING_RECORD_H
#define TOOLS_TIMING_RECORD_H

#include <stdint.h>
#include <stdio.h>

#include "backends/record/record_backend.h"
#include "sim/sim_params.h"
#include "tools/histogram.h"

#define TIMING_RECORD_CLASSES 16u

#define TIMING_RECENT_MAX 1023u

/** Durations, ns: all in a histogram, and the last ones exactly: what is derived from a difference
 * of medians wants those nearer than a bucket. */
struct timing_series {
    struct histogram all;
    uint64_t recent[TIMING_RECENT_MAX];
};

/** Commands of one kind and size. */
struct timing_class {
    uint8_t opcode;
    bool afu_command;
    uint32_t bytes;
    struct timing_series all;   /* found by looking */
    struct timing_series alone; /* of those, the ones that were alone on the adapter */
    struct timing_series woken; /* alone, found after an interrupt */
};

/** Everything of a run. Large: not for a stack. */
struct timing_record {
    struct timing_series load, store, reset;
    struct timing_class class[TIMING_RECORD_CLASSES];
    unsigned classes;
    uint64_t dropped; /* commands of kinds for which there was no room */
};

/** Empties it. */
void timing_record_init(struct timing_record *r);

/** Adds a sample: the sink of a record_config, whose argument is the record. */
void timing_record_sample(void *record, const struct record_sample *sample);

/** A row of the comparison. */
struct timing_row {
    char parameter[64]; /* as `superpipe info --parameters` names it */
    char confidence;    /* of the model's value: A to D; 0: a sum of several */
    char from[96];      /* what it was taken from */
    uint64_t samples;
    uint64_t measured, model; /* ns */
};

#define TIMING_ROWS_MAX 8u

/** Derives each parameter for which there are samples. A measured value is a median (of the last
 * 1023); what else is on the path of a command is taken from `p`. Returns the number of rows. */
unsigned timing_record_compare(const struct timing_record *r, const struct sim_params *p,
                               struct timing_row rows[TIMING_ROWS_MAX]);

/** Error of a row in thousandths of the model's value, signed; 0 when both are 0, INT64_MAX when
 * only the model's is. */
int64_t timing_row_error(const struct timing_row *row);

/** Writes figures and comparison as text. */
void timing_record_print(const struct timing_record *r, const struct sim_params *p, uint64_t missed,
                         FILE *to);

#endif
