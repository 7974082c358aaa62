/* SPDX-License-Identifier: Apache-2.0 */
/* Every effect of every site of the model (FS-9 to FS-29) fires from the command line, and the
 * counters of its site say so. What an effect does is tested with its block. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_fault.h"
#include "tests/cli/cli_fixture.h"

TestSuite(fault, .init = cli_begin, .fini = cli_end, .timeout = 300);

/* Sites that an undisturbed run passes during its bring-up only; a context reset takes a command
 * that hangs. */
static const char *options_of(const char *site)
{
    static const char *const bring_up[] = {"plink", "aintr", "hb", "afurst"};

    for (size_t i = 0; i < sizeof bring_up / sizeof *bring_up; i++)
        if (!strcmp(site, bring_up[i]))
            return "--faults-from power-on";
    return strcmp(site, "creset") ? "" : "--recover --fault afucmd#1=n";
}

static void fires(const char *site, char effect)
{
    struct cli_result r = clif("run --duration 2ms --clients 2 --json --fault %s#1=%c %s", site,
                               effect, options_of(site));
    char rule[40], counters[40];
    const char *at;

    cr_assert(r.code == 0 || r.code == 1, "%s %c: %d, %s", site, effect, r.code, r.err);
    snprintf(rule, sizeof rule, "%s#1=%c", site, effect);
    cr_expect(strstr(cli_json(r.out, "faults_resolved"), rule), "%s did not fire", rule);
    snprintf(counters, sizeof counters, "\"%s\":\t{", site);
    at = strstr(r.out, counters);
    cr_assert_not_null(at, "no counters of %s", site);
    cr_expect_geq(cli_json_number(at, "hits"), 1, "%s", rule);
    cr_expect_eq(cli_json_number(at, "fired"), 1, "%s", rule);
}

Test(fault, every_effect_fires_from_the_command_line)
{
    unsigned fired = 0;

    for (int s = 0; s < SIM_SITE_COUNT; s++) {
        enum sim_site site = (enum sim_site)s;
        long number = strtol(sim_site_id(site) + 3, NULL, 10); /* behind "FS-" */

        if (number < 9 || number > 29)
            continue;
        for (const char *e = sim_site_effects(site); *e; e++, fired++)
            fires(sim_site_name(site), *e);
    }
    cr_expect_eq(fired, 80, "effects of the table of campaigns.md and those beside it: %u", fired);
}
