/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_fault.h"

#include <string.h>

#include "hal/support/bits.h"

static const struct fault_site sites[] = {
#define SIM_SITE(enumerator, name, id, effects, text)                                              \
    [SIM_SITE_##enumerator] = {name, id, effects, text},
#include "sim/sim_sites.def"
#undef SIM_SITE
};

_Static_assert(HAL_ARRAY_LENGTH(sites) <= FAULT_SITES_MAX, "counters for each");

const struct fault_registry sim_fault_registry = {sites, HAL_ARRAY_LENGTH(sites)};

bool sim_fault_knows(const char *name)
{
    for (unsigned s = 0; s < HAL_ARRAY_LENGTH(sites); s++)
        if (!strcmp(sites[s].name, name))
            return true;
    return false;
}

const char *sim_site_name(enum sim_site site) { return sites[site].name; }

const char *sim_site_id(enum sim_site site) { return sites[site].id; }

const char *sim_site_effects(enum sim_site site) { return sites[site].effects; }

const char *sim_site_text(enum sim_site site) { return sites[site].text; }
