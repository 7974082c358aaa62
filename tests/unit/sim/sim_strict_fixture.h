/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the strict checker share: an observer with four credits, a read latency of one
 * cycle, two ports, and context 1. */
#ifndef TESTS_UNIT_SIM_STRICT_FIXTURE_H
#define TESTS_UNIT_SIM_STRICT_FIXTURE_H

#include "sim/sim_strict.h"

static struct sim_strict s;

static inline void up(void)
{
    struct sim_strict_config config = {.credits = 4, .read_latency = 1, .ports = 2};

    sim_strict_init(&s, &config);
    sim_strict_ctx_add(&s, 1);
}

/* So far this rule was broken so often, and no other. */
static inline void only(enum sim_rule rule, uint64_t n)
{
    char text[400];

    for (unsigned r = 0; r < SIM_RULE_COUNT; r++)
        cr_assert_eq(s.count[r], r == rule ? n : 0, "%s: %s", sim_rule_table[r].name,
                     sim_strict_text(&s, sim_rule_table[r].verdict, text, sizeof text));
}

static inline void nothing(void) { only(SIM_RULE_COUNT, 0); }

#endif
