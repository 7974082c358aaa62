/* SPDX-License-Identifier: Apache-2.0 */
/* What the filters of an adapter share: the plan of sites on the host's side, and what planned
 * delays are. A filter stands between core and a back end, which knows nothing of it:
 *
 *     struct fault_filter filter;
 *     fault_filter_init(&filter, exec);             exec, dev: of any back ends
 *     fault_exec_init(&fe, &filter);                fault_exec.h
 *     fault_backend_open(dev, &filter, &faulty);    fault_backend.h
 *     fault_plans_load(...&filter.plan...)
 *     spipe_open(&fe.base, faulty, ...);
 *
 * Without a plan a filter changes nothing, and lets no time pass. Any thread. */
#ifndef BACKENDS_FAULT_FAULT_FILTER_H
#define BACKENDS_FAULT_FAULT_FILTER_H

#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/fault_plan.h"

enum fault_filter_site {
#define FAULT_SITE(enumerator, name, id, effects, text) FAULT_SITE_##enumerator,
#include "backends/fault/fault_sites.def"
#undef FAULT_SITE
    FAULT_SITE_COUNT
};

enum fault_effect {
    FAULT_NONE = 0,
#define FAULT_EFFECT(enumerator, letter, word) FAULT_##enumerator = letter,
#include "hal/support/fault_effects.def"
#undef FAULT_EFFECT
};

/** The sites of the filters. */
extern const struct fault_registry fault_filter_registry;

struct fault_filter {
    struct exec *exec; /* below: whose time planned delays take */
    int lock;          /* guards plan; for moments only */
    struct fault_plan plan;
};

/** Sets up a filter without a plan. `exec` must outlive it. */
void fault_filter_init(struct fault_filter *f, struct exec *exec);

/** Counts a hit of a site. Returns what is planned for it, with its argument in *arg (untouched
 * without one). */
enum fault_effect fault_filter_ask(struct fault_filter *f, enum fault_filter_site site,
                                   uint64_t *arg);

/** Passes on a hal_note(), for rules with a state. */
void fault_filter_note(struct fault_filter *f, uint32_t note, uint64_t a, uint64_t b);

/** A planned delay of `cycles` as ns. */
uint64_t fault_filter_ns(uint64_t cycles);

/** Lets `ns` pass; interruptions stay for the next wait. */
void fault_filter_pause(struct fault_filter *f, uint64_t ns);

/** The deadline of a wait as a planned timer has it; also counts the hit. */
uint64_t fault_filter_deadline(struct fault_filter *f, uint64_t deadline);

#endif
