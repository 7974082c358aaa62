/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a transcript, shared by its parts. */
#ifndef TESTS_SCENARIO_TRANSCRIPT_INTERNAL_H
#define TESTS_SCENARIO_TRANSCRIPT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/superpipe.h"
#include "sim/sim_trace.h"
#include "tests/testlib/stack.h"

enum { TRANSCRIPT_WORDS = 12, TRANSCRIPT_CLIENTS = 4, TRANSCRIPT_SHOWN = 8, TRANSCRIPT_LINE = 200 };

/** A client of a transcript, with one context. */
struct transcript_client {
    struct stack_client c;
    uint8_t *page; /* one block */
};

struct transcript {
    const char *text; /* what to run */
    FILE *out;
    unsigned line; /* number of the step */
    char *word[TRANSCRIPT_WORDS];
    unsigned words;

    struct stack *s;
    struct transcript_client client[TRANSCRIPT_CLIENTS]; /* "a" and so on */

    /* Registers whose accesses are told: parts of their names. */
    char shown[TRANSCRIPT_SHOWN][24];
    unsigned shown_count;
    bool bring_up;        /* steps of an initialisation are told, and what happens in them */
    bool initialising;    /* one is under way */
    uint64_t commands[4]; /* slots with an AFU command, one bit each */

    uint64_t began;             /* the step, cycle */
    uint64_t filtered;          /* faults that the filters have done so far */
    char last[TRANSCRIPT_LINE]; /* event that may repeat */
    char first_at[16];
    unsigned repeated;
};

/** Tells the result of a step. */
__attribute__((format(printf, 2, 3))) void transcript_say(struct transcript *t, const char *format,
                                                          ...);

/** The name of an error: "EIO"; "ok" for 0. */
const char *transcript_errno(int rc);

/** Word i of the step as a number; aborts the test if it is none. */
uint64_t transcript_number(struct transcript *t, unsigned i);

/** Runs the step that the words say. */
void transcript_step(struct transcript *t);

/** A sim_trace_sink; arg is the transcript. Tells what is worth it. */
void transcript_events(void *arg, const struct sim_trace_record *records, size_t count);

/** Tells the last event, if it was not yet. */
void transcript_flush(struct transcript *t);

/** Tells what the filters have done since it was called last. */
void transcript_filtered(struct transcript *t);

#endif
