/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/strict_check.h"

#include <criterion/criterion.h>

static void expect_none(const struct sim_afu *a, enum sim_verdict verdict, const char *name)
{
    const struct sim_strict *s = sim_afu_strict(a);
    char text[512];

    cr_assert_eq(s->total[verdict], 0, "%s: %s", name,
                 sim_strict_text(s, verdict, text, sizeof text));
}

void strict_check_model(const struct sim_afu *a)
{
    expect_none(a, SIM_VERDICT_MODEL, "model errors");
}

void strict_check(const struct sim_afu *a)
{
    strict_check_model(a);
    expect_none(a, SIM_VERDICT_HOST, "violations");
}

void strict_check_broken(const struct sim_afu *a, enum sim_rule rule)
{
    const struct sim_strict *s = sim_afu_strict(a);
    char text[512];

    strict_check_model(a);
    cr_assert(s->count[rule] && s->count[rule] == s->total[SIM_VERDICT_HOST], "not just %s: %s",
              sim_rule_table[rule].name, sim_strict_text(s, SIM_VERDICT_HOST, text, sizeof text));
}
