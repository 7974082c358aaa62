/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/info_sites.h"

#include <stdio.h>

#include "backends/fault/fault_filter.h"
#include "sim/sim_fault.h"
#include "tools/text.h"

/* Who applies rules, in the order in which they are asked. */
static const struct {
    const struct fault_registry *registry;
    const char *by;
} part[] = {{&sim_fault_registry, "model"}, {&fault_filter_registry, "filter"}};

#define PARTS (sizeof part / sizeof part[0])

static void print_site(const struct fault_site *s, const char *by)
{
    char effects[128] = "";

    for (const char *e = s->effects; *e; e++)
        text_append(effects, sizeof effects, "%s%c %s", *effects ? ", " : "", *e,
                    fault_effect_word(*e));
    printf("%-7s %-6s %-7s %s\n%24s%s\n", s->name, s->id, by, s->text, "", effects);
}

void info_sites_print(void)
{
    printf("%-7s %-6s %-7s %s\n%24s%s\n", "NAME", "ID", "BY", "WHERE, AND ARGUMENTS OF EFFECTS", "",
           "EFFECTS");
    for (unsigned i = 0; i < PARTS; i++)
        for (unsigned k = 0; k < part[i].registry->count; k++)
            print_site(&part[i].registry->site[k], part[i].by);
    printf(
        "\nA rule is NAME#HIT=EFFECT(ARGUMENT). HIT is 17, 17..20, 17x3 or 17*; %%100 in place of "
        "#HIT is every\n100th hit, and NAME@STATE counts hits in that state of the adapter only. A "
        "delay is in cycles of 4 ns,\n0 means xlate.fault.major (1 ms). \"Changed byte\" is number "
        "<< 8 | bits to "
        "invert.\nWhere the model and the filter have a site, the model applies the rule; the "
        "filter does over a card.\n");
}

static void add_site(cJSON *array, const struct fault_site *s, const char *by)
{
    cJSON *j = cJSON_CreateObject(), *effects;

    cJSON_AddItemToArray(array, j);
    cJSON_AddStringToObject(j, "name", s->name);
    cJSON_AddStringToObject(j, "id", s->id);
    cJSON_AddStringToObject(j, "by", by);
    cJSON_AddStringToObject(j, "text", s->text);
    effects = cJSON_AddObjectToObject(j, "effects");
    for (const char *e = s->effects; *e; e++)
        cJSON_AddStringToObject(effects, (char[]){*e, 0}, fault_effect_word(*e));
}

void info_sites_add(cJSON *root)
{
    cJSON *array = cJSON_AddArrayToObject(root, "sites");

    for (unsigned i = 0; i < PARTS; i++)
        for (unsigned k = 0; k < part[i].registry->count; k++)
            add_site(array, &part[i].registry->site[k], part[i].by);
}
