/* SPDX-License-Identifier: Apache-2.0 */
/* Fault plans: which hit of which site goes wrong, and how. One language and one way to count for
 * everything that has sites: the model (sim/sim_fault.h) and the filter of backends/fault.
 *
 * A plan is rules joined by '+':
 *
 *   SITE#17=d           hit 17, counted from 1 and from the moment the plan is loaded
 *   SITE#17..20=d       hits 17 to 20
 *   SITE#17x3=d         hit 17 and the two behind it
 *   SITE#17*=d          hit 17 and all behind it
 *   SITE%100=d          every 100th hit; SITE%100x3=d only the first three of them
 *   SITE@RESET#1=d      of the hits in that state of the adapter only; with all of the above
 *   SITE#17=late(250)   an effect is a letter or a word, and may take a number as argument, 0 when
 *                       it is left out
 *
 * Where several rules cover a hit, the first of them counts.
 *
 * Thread rules: none of its own; whoever has a plan has a lock for it. */
#ifndef HAL_SUPPORT_FAULT_PLAN_H
#define HAL_SUPPORT_FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

#define FAULT_SITES_MAX 32
#define FAULT_RULES_MAX 64
#define FAULT_RUNS_MAX 64

/** A place that can go wrong. */
struct fault_site {
    const char *name, *id; /* id: of campaigns.md section 3 */
    const char *effects;   /* letters of fault_effects.def that it knows */
    const char *text;      /* where it is, and what effects take as argument */
};

/** The sites of one part of the stack; constant. */
struct fault_registry {
    const struct fault_site *site;
    unsigned count; /* at most FAULT_SITES_MAX */
};

/** One rule: hits first, first + step, ... so many times (UINT64_MAX = for ever). */
struct fault_rule {
    uint32_t site;
    char effect;  /* letter */
    int8_t state; /* hits in this state of the adapter count; -1 = all do */
    uint64_t first, step, times;
    uint64_t arg;
    uint64_t before; /* hits that counted until the adapter left `state` for the last time */
    uint64_t fired;
};

/** Hits of a rule that went wrong one behind the other. */
struct fault_run {
    uint32_t rule;
    uint64_t first, last;
};

/** A plan and the counters of its sites. Plain data, apart from the pointer to a constant. */
struct fault_plan {
    const struct fault_registry *registry;
    int8_t state; /* of the adapter, as announced; NORMAL before the first time */
    uint32_t count, runs;
    uint64_t unlisted; /* hits that went wrong and found no room in run[] */
    /* of each site: hits until the next one that a rule wants, and the number of that hit, so that
     * one countdown both counts and asks; and its hits when the adapter came into its state */
    uint64_t left[FAULT_SITES_MAX], next[FAULT_SITES_MAX], entered[FAULT_SITES_MAX];
    struct fault_rule rule[FAULT_RULES_MAX];
    struct fault_run run[FAULT_RUNS_MAX];
};

/** Clears plan and counters. */
void fault_plan_init(struct fault_plan *p, const struct fault_registry *registry);

/** Takes all rules away. With `counters`, those go back to 0; the state of the adapter stays. */
void fault_plan_clear(struct fault_plan *p, bool counters);

/** Adds a rule, as a text would say it; at most FAULT_RULES_MAX. */
void fault_plan_add(struct fault_plan *p, const struct fault_rule *rule);

/** Counts one hit of a site. True: a rule wants it, ask fault_plan_match. */
static inline bool fault_plan_count(struct fault_plan *p, unsigned site)
{
    return --p->left[site] == 0;
}

/** How often a site was passed since the plan was loaded. */
static inline uint64_t fault_plan_hits(const struct fault_plan *p, unsigned site)
{
    return p->next[site] - p->left[site];
}

/** After fault_plan_count said so, once: the letter of this hit's effect, with its argument in *arg
 * (may be NULL), or 0. */
char fault_plan_match(struct fault_plan *p, unsigned site, uint64_t *arg);

/** Passes on a hal_note(), with its arguments: rules with a state follow that of the adapter. */
void fault_plan_note(struct fault_plan *p, uint32_t note, uint64_t a, uint64_t b);

/** Loads one text into n plans at once: each rule goes to the first of them that has its site. All
 * counters go back to 0. An empty text unloads and leaves the counters. Returns 0, or -EINVAL with
 * a sentence in why (size bytes, may be NULL) that names the bad rule; then all plans are as
 * before. */
HAL_MUST_CHECK int fault_plans_load(struct fault_plan *const *plans, unsigned n, const char *text,
                                    char *why, size_t size);

/** The rules as a text that can be loaded again, "" without any. Returns the length without the
 * final NUL, also when it was cut to size bytes: as with snprintf, the text is complete if that is
 * less than size. */
size_t fault_plan_format(const struct fault_plan *p, char *text, size_t size);

/** The same with what happened in place of the rules: the hits that went wrong, as rules of the
 * form SITE#HIT or SITE#FIRST..LAST. With more than FAULT_RUNS_MAX of them, the first ones. */
size_t fault_plan_resolved(const struct fault_plan *p, char *text, size_t size);

/** One rule as text. Returns as fault_plan_format. */
size_t fault_rule_format(const struct fault_plan *p, unsigned rule, char *text, size_t size);

/** The word of an effect: "drop" for d; NULL if the letter is none. */
const char *fault_effect_word(char effect);

/** The number of a state as fault_plan_note takes it, -1 if there is none of this name (n bytes,
 * not terminated). */
int fault_state_number(const char *name, size_t n);

#endif
