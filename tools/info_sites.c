/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/info_sites.h"

#include <stdio.h>

#include "sim/sim_fault.h"
#include "tools/text.h"

void info_sites_print(void)
{
    char effects[128];

    printf("%-7s %-6s %s\n%16s%s\n", "NAME", "ID", "WHERE, AND ARGUMENTS OF EFFECTS", "",
           "EFFECTS");
    for (unsigned s = 0; s < SIM_SITE_COUNT; s++) {
        enum sim_site site = (enum sim_site)s;

        *effects = 0;
        for (const char *e = sim_site_effects(site); *e; e++)
            text_append(effects, sizeof effects, "%s%c %s", *effects ? ", " : "", *e,
                        sim_effect_word((enum sim_effect) * e));
        printf("%-7s %-6s %s\n%16s%s\n", sim_site_name(site), sim_site_id(site),
               sim_site_text(site), "", effects);
    }
    printf("\nA plan is NAME#HIT=EFFECT(ARGUMENT), several joined by '+'. A delay is in cycles of "
           "4 ns, "
           "0 means\nxlate.fault.major. \"Changed byte\" is number << 8 | bits to invert.\n");
}

void info_sites_add(cJSON *root)
{
    cJSON *array = cJSON_AddArrayToObject(root, "sites");

    for (unsigned s = 0; s < SIM_SITE_COUNT; s++) {
        enum sim_site site = (enum sim_site)s;
        cJSON *j = cJSON_CreateObject(), *effects;

        cJSON_AddItemToArray(array, j);
        cJSON_AddStringToObject(j, "name", sim_site_name(site));
        cJSON_AddStringToObject(j, "id", sim_site_id(site));
        cJSON_AddStringToObject(j, "text", sim_site_text(site));
        effects = cJSON_AddObjectToObject(j, "effects");
        for (const char *e = sim_site_effects(site); *e; e++)
            cJSON_AddStringToObject(effects, (char[]){*e, 0},
                                    sim_effect_word((enum sim_effect) * e));
    }
}
