/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/fault_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/fault/fault_filter.h"
#include "sim/sim_fault.h"

/* Whether a plan is one, and why not. */
static int check(const char *plan, char *why, size_t size)
{
    static struct fault_plan model, filter; /* too large for a small stack */
    static struct fault_plan *const both[] = {&model, &filter};

    fault_plan_init(&model, &sim_fault_registry);
    fault_plan_init(&filter, &fault_filter_registry);
    return fault_plans_load(both, 2, plan, why, size);
}

int fault_options_add(void *member, const char *text, char *why, size_t size)
{
    struct fault_options *o = member;
    size_t used = strlen(o->plan);
    char sentence[192];

    if (used + strlen(text) + 2 > sizeof o->plan) {
        snprintf(why, size, "is more than there is room for");
        return -EINVAL;
    }
    snprintf(o->plan + used, sizeof o->plan - used, "%s%s", used ? "+" : "", text);
    if (*text && !check(o->plan, sentence, sizeof sentence))
        return 0;
    snprintf(why, size, *text ? "is no fault rule: %s" : "must not be empty", sentence);
    return -EINVAL;
}
