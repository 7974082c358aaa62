/* SPDX-License-Identifier: Apache-2.0 */
/* What docs/spec/timing.md says about a command, in closed form and from the table of parameters
 * alone: the sum of its path (section 8), and the stages that it shares with others. No code of the
 * model is behind these numbers; they are what the model is held against. */
#ifndef TESTS_FIDELITY_THEORY_H
#define TESTS_FIDELITY_THEORY_H

#include "sim/sim_params.h"
#include "tests/fidelity/load.h"

/** A stage that serves `per` commands in `cycles`. */
struct theory_stage {
    const char *name;
    uint64_t cycles, per;
    bool serial; /* one after the other, in order of arrival */
};

#define THEORY_STAGES 9

/** Cycles from doorbell to RRQ element on an idle adapter, tables in the cache of the card; with
 * `cold`, none of them. */
uint64_t theory_latency(const struct sim_params *p, const struct load_plan *plan, bool cold);

/** The stages that commands share, THEORY_STAGES of them. */
void theory_stages(const struct sim_params *p, const struct load_plan *plan,
                   struct theory_stage *stages);

/** The slowest of them. */
struct theory_stage theory_slowest(const struct sim_params *p, const struct load_plan *plan);

/** Cycles in which `depth` commands complete when so many are kept in flight: the latency, or as
 * long as the slowest stage needs for them (Little's law), rounded up. */
uint64_t theory_round(const struct sim_params *p, const struct load_plan *plan, unsigned depth);

/** The longest that such a round may take: every command waits at every serial stage for all the
 * others. Between the two lies what really happens where a command passes a stage more than once:
 * it needs the bus for its data, for its IOASA and for its RRQ element, and data of others may be
 * in front each time. */
uint64_t theory_worst_round(const struct sim_params *p, const struct load_plan *plan,
                            unsigned depth);

#endif
