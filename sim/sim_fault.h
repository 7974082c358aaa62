/* SPDX-License-Identifier: Apache-2.0 */
/* Fault sites and plans. A plan says which hit of which site goes wrong, and how. The blocks of the
 * model pass their sites by sim_site_planned() of sim/afu/sim_afu.h, which counts here; with no
 * plan loaded that is a countdown and one predictable branch (PB-7). */
#ifndef SIM_SIM_FAULT_H
#define SIM_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

enum sim_site {
#define SIM_SITE(enumerator, name, id, effects, text) SIM_SITE_##enumerator,
#include "sim/sim_sites.def"
#undef SIM_SITE
    SIM_SITE_COUNT
};

enum sim_effect {
    SIM_EFFECT_NONE = 0,
    SIM_EFFECT_DROP = 'd',
    SIM_EFFECT_TWICE = '2',
    SIM_EFFECT_LATE = 'l',
    SIM_EFFECT_EARLY = 'e',
    SIM_EFFECT_VALUE = 'v',
    SIM_EFFECT_ERROR = 'x',
    SIM_EFFECT_NEVER = 'n',
    SIM_EFFECT_SHORT = 's',
    SIM_EFFECT_REFUSE = 'f',
    SIM_EFFECT_ONES = 'o',
    SIM_EFFECT_CRC = 'c',
    SIM_EFFECT_LOGOUT = 'g',
    SIM_EFFECT_PORT_ERROR = 'p',
    SIM_EFFECT_FLAP = 'b',
    SIM_EFFECT_STALE = 't',
};

#define SIM_FAULTS_MAX 64

/** One planned fault: from hit `first` on, `times` times (UINT64_MAX = for ever). */
struct sim_fault {
    enum sim_site site;
    enum sim_effect effect;
    uint64_t first, times;
    uint64_t arg; /* meaning by effect: cycles of a delay, code of an error, value */
    uint64_t fired;
};

/** Sites and plan of one adapter; lives in the world, plain data. */
struct sim_faults {
    bool armed; /* a plan is loaded */
    uint32_t count;
    /* of each site: passes until the next one that a fault wants, and the number of that pass; so
     * one countdown both counts and asks */
    uint64_t left[SIM_SITE_COUNT], next[SIM_SITE_COUNT];
    struct sim_fault fault[SIM_FAULTS_MAX];
};

/** How often a site was passed since the plan was loaded. */
static inline uint64_t sim_fault_hits(const struct sim_faults *f, enum sim_site site)
{
    return f->next[site] - f->left[site];
}

/** After sim_fault_count said so, once: the planned effect of this hit, and its argument. */
enum sim_effect sim_fault_match(struct sim_faults *f, enum sim_site site, uint64_t *arg);

/** Counts one hit of a site. True: a fault wants it, ask sim_fault_match. */
static inline bool sim_fault_count(struct sim_faults *f, enum sim_site site)
{
#ifndef SIM_NO_FAULT_SITES /* a build that only a benchmark makes */
    return --f->left[site] == 0;
#else
    (void)f, (void)site;
    return false;
#endif
}

/** Clears counters and plan. */
void sim_faults_init(struct sim_faults *f);

/** Loads a plan: `site#hit=effect(arg)` terms joined by '+', e.g. "rrq#17=d+creset#1=n"; the hit
 * may be followed by '*' (from then on) or 'xN' (N times). An effect is its letter or its word
 * (sim_effect_word): "mr#1=ones". The argument with its brackets may be left out and is then 0.
 * Where several terms cover a hit, the first of them counts. Hits count from 1 and from now: the
 * counters of all sites go back to 0. An empty string unloads and leaves the counters. Returns 0 or
 * -EINVAL with a sentence in why (size bytes, may be NULL) naming the bad term; *f is unchanged on
 * failure. */
HAL_MUST_CHECK int sim_faults_load(struct sim_faults *f, const char *plan, char *why, size_t size);

/** Writes the plan back as text that sim_faults_load takes again, with the hits it resolved to;
 * "" when none is loaded. Returns the length without the final NUL, also when it was cut to size
 * bytes: as with snprintf, the text is complete if that is less than size. */
size_t sim_faults_format(const struct sim_faults *f, char *text, size_t size);

/** Name, id, allowed effects and text of a site. */
const char *sim_site_name(enum sim_site site);
const char *sim_site_id(enum sim_site site);
const char *sim_site_effects(enum sim_site site);
const char *sim_site_text(enum sim_site site);

/** The word of an effect: "drop" for d; NULL if the letter is none. */
const char *sim_effect_word(enum sim_effect effect);

#endif
