/* SPDX-License-Identifier: Apache-2.0 */
/* The fault sites of the model, for plans (hal/support/fault_plan.h). The blocks of the model pass
 * their sites by sim_site_planned() of sim/afu/sim_afu.h, which counts here; with no plan loaded
 * that is a countdown and one predictable branch (PB-7). */
#ifndef SIM_SIM_FAULT_H
#define SIM_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/fault_plan.h"
#include "hal/support/must_check.h"

/* What planned faults do is kept apart from the way of every command: in a function of its own, so
 * that the fast path needs no registers for it (PB-7). */
#define SIM_COLD __attribute__((cold, noinline))

/* On the way of every command, though planned faults call it too. */
#define SIM_IN_LINE __attribute__((always_inline))

enum sim_site {
#define SIM_SITE(enumerator, name, id, effects, text) SIM_SITE_##enumerator,
#include "sim/sim_sites.def"
#undef SIM_SITE
    SIM_SITE_COUNT
};

enum sim_effect {
    SIM_EFFECT_NONE = 0,
#define FAULT_EFFECT(enumerator, letter, word) SIM_EFFECT_##enumerator = letter,
#include "hal/support/fault_effects.def"
#undef FAULT_EFFECT
};

/** The sites of the model. */
extern const struct fault_registry sim_fault_registry;

/** How often a site was passed since the plan was loaded. */
static inline uint64_t sim_fault_hits(const struct fault_plan *p, enum sim_site site)
{
    return fault_plan_hits(p, site);
}

/** After sim_fault_count said so, once: the planned effect of this hit, and its argument. */
static inline enum sim_effect sim_fault_match(struct fault_plan *p, enum sim_site site,
                                              uint64_t *arg)
{
    return (enum sim_effect)fault_plan_match(p, site, arg);
}

/** Counts one hit of a site. True: a fault wants it, ask sim_fault_match. */
static inline bool sim_fault_count(struct fault_plan *p, enum sim_site site)
{
#ifndef SIM_NO_FAULT_SITES /* a build that only a benchmark makes */
    return fault_plan_count(p, site);
#else
    (void)p, (void)site;
    return false;
#endif
}

/** Loads a plan of sites of the model, as fault_plans_load does. */
HAL_MUST_CHECK static inline int sim_faults_load(struct fault_plan *p, const char *text, char *why,
                                                 size_t size)
{
    return fault_plans_load(&p, 1, text, why, size);
}

/** Whether the model has a site of this name. */
bool sim_fault_knows(const char *name);

/** Name, id, allowed effects and text of a site. */
const char *sim_site_name(enum sim_site site);
const char *sim_site_id(enum sim_site site);
const char *sim_site_effects(enum sim_site site);
const char *sim_site_text(enum sim_site site);

#endif
