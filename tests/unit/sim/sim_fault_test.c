/* SPDX-License-Identifier: Apache-2.0 */
/* The fault sites of the model, and the effects that each offers. */
#include "sim/sim_fault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"

/* Sites and effects as the model offers them, by hand. */
static const struct {
    enum sim_site site;
    const char *name, *id, *effects;
} sites[] = {
    {SIM_SITE_CTX, "ctx", "FS-7", "f"},          {SIM_SITE_VPD, "vpd", "FS-8", "fs"},
    {SIM_SITE_MR, "mr", "FS-9", "ovl"},          {SIM_SITE_MW, "mw", "FS-10", "dle"},
    {SIM_SITE_BELL, "bell", "FS-11", "dvx"},     {SIM_SITE_ROOM, "room", "FS-11", "vo"},
    {SIM_SITE_FETCH, "fetch", "FS-12", "xlvn"},  {SIM_SITE_CAP, "cap", "FS-13", "x"},
    {SIM_SITE_RHT, "rht", "FS-14", "xvl"},       {SIM_SITE_LXT, "lxt", "FS-14", "xvl"},
    {SIM_SITE_XC, "xc", "FS-15", "t"},           {SIM_SITE_PORT, "port", "FS-16", "x"},
    {SIM_SITE_FC, "fc", "FS-17", "xdlnscgp"},    {SIM_SITE_MEDIA, "media", "FS-18", "xvln"},
    {SIM_SITE_DATA, "data", "FS-19", "xdsl"},    {SIM_SITE_ASA, "asa", "FS-20", "vdlx"},
    {SIM_SITE_RRQ, "rrq", "FS-21", "d2levx"},    {SIM_SITE_LISN, "lisn", "FS-22", "d2le"},
    {SIM_SITE_EVT, "evt", "FS-23", "xd2lv"},     {SIM_SITE_AFUCMD, "afucmd", "FS-24", "xdlns"},
    {SIM_SITE_CRESET, "creset", "FS-25", "lno"}, {SIM_SITE_PLINK, "plink", "FS-26", "xlndb"},
    {SIM_SITE_AINTR, "aintr", "FS-27", "d2lv"},  {SIM_SITE_HB, "hb", "FS-28", "v"},
    {SIM_SITE_AFURST, "afurst", "FS-29", "xln"}, {SIM_SITE_PERR, "perr", "FS-30", "zkrh"},
};

Test(sim_fault, table_of_sites)
{
    cr_assert_eq(HAL_ARRAY_LENGTH(sites), (size_t)SIM_SITE_COUNT);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(sites); i++) {
        cr_expect_eq((size_t)sites[i].site, i);
        cr_expect(!strcmp(sim_site_name(sites[i].site), sites[i].name), "%s", sites[i].name);
        cr_expect(!strcmp(sim_site_id(sites[i].site), sites[i].id), "%s", sites[i].name);
        cr_expect(!strcmp(sim_site_effects(sites[i].site), sites[i].effects), "%s", sites[i].name);
        cr_expect(*sim_site_text(sites[i].site), "%s", sites[i].name);
    }
}

/* Every pair of site and effect is accepted if and only if the site offers it. */
Test(sim_fault, only_offered_effects)
{
    static struct fault_plan f;

    fault_plan_init(&f, &sim_fault_registry);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(sites); i++)
        for (int e = '!'; e <= '~'; e++) {
            char plan[32];
            snprintf(plan, sizeof plan, "%s#1=%c", sites[i].name, e);
            int rc = sim_faults_load(&f, plan, NULL, 0);
            cr_expect_eq(rc, strchr(sites[i].effects, e) ? 0 : -EINVAL, "%s", plan);
            cr_expect(rc || (f.rule[0].site == sites[i].site && f.rule[0].effect == (char)e), "%s",
                      plan);
        }
}
