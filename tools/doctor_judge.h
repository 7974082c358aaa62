/* SPDX-License-Identifier: Apache-2.0 */
/* What the facts about a machine mean: what is missing for a run on its card, and the step that
 * mends each. (CX = docs/spec/libcxl.md) */
#ifndef TOOLS_DOCTOR_JUDGE_H
#define TOOLS_DOCTOR_JUDGE_H

#include "tools/doctor_facts.h"

#define DOCTOR_FINDINGS_MAX 64u
#define DOCTOR_ALL UINT32_MAX

enum doctor_weight {
    DOCTOR_BLOCKS, /* nothing runs until it is mended */
    DOCTOR_LIMITS, /* it runs, and something is worse or impossible */
};

struct doctor_finding {
    enum doctor_weight weight;
    unsigned card;   /* number of the card that it is about, or DOCTOR_ALL */
    unsigned afu;    /* index in the facts, or DOCTOR_ALL */
    char what[320];  /* a sentence */
    char step[1024]; /* what to do: lines; those that begin with two blanks are commands */
};

struct doctor_verdict {
    bool usable;    /* some AFU has nothing that blocks it */
    unsigned afu;   /* index of the first one that is */
    char text[256]; /* one sentence */
    struct doctor_finding finding[DOCTOR_FINDINGS_MAX];
    unsigned findings;
};

/** Judges a machine. Findings come in the order in which they are best mended. */
void doctor_judge(const struct doctor_facts *f, struct doctor_verdict *out);

/** Whether a finding keeps an AFU (index in the facts) from being used. */
bool doctor_blocked(const struct doctor_facts *f, const struct doctor_verdict *v, unsigned afu);

#endif
