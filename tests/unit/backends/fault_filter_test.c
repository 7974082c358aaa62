/* SPDX-License-Identifier: Apache-2.0 */
/* The sites on the host's side, and what they have in common with those of the model. */
#include "backends/fault/fault_filter.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_fault.h"
#include "tests/testlib/fake_exec.h"

/* Sites and effects of campaigns.md section 3, by hand. FS-1 has two names: memory, and memory that
 * the AFU may reach; FS-7 and FS-8 one for each call. The model has what is missing of FS-10. */
static const struct {
    enum fault_filter_site site;
    const char *name, *id, *effects;
} sites[] = {
    {FAULT_SITE_CTX, "ctx", "FS-7", "f"},         {FAULT_SITE_START, "start", "FS-7", "fv"},
    {FAULT_SITE_STOP, "stop", "FS-7", "f"},       {FAULT_SITE_IRQMAP, "irqmap", "FS-8", "f"},
    {FAULT_SITE_MAP, "map", "FS-8", "f"},         {FAULT_SITE_VPD, "vpd", "FS-8", "fs"},
    {FAULT_SITE_DMA, "dma", "FS-1", "f"},         {FAULT_SITE_MR, "mr", "FS-9", "ovl"},
    {FAULT_SITE_MW, "mw", "FS-10", "dl"},         {FAULT_SITE_EVT, "evt", "FS-23", "xd2lv"},
    {FAULT_SITE_CRESET, "creset", "FS-25", "no"}, {FAULT_SITE_AFURST, "afurst", "FS-29", "xln"},
    {FAULT_SITE_MEM, "mem", "FS-1", "f"},         {FAULT_SITE_THR, "thr", "FS-2", "f"},
    {FAULT_SITE_CLK, "clk", "FS-4", "le"},        {FAULT_SITE_WAIT, "wait", "FS-5", "i"},
};

Test(fault_filter, table_of_sites)
{
    cr_assert_eq(fault_filter_registry.count, HAL_ARRAY_LENGTH(sites));
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(sites); i++) {
        const struct fault_site *s = &fault_filter_registry.site[sites[i].site];

        cr_expect(!strcmp(s->name, sites[i].name) && !strcmp(s->id, sites[i].id) &&
                      !strcmp(s->effects, sites[i].effects) && *s->text,
                  "%s", sites[i].name);
    }
}

/* A plan for a card can be tried on the model: what the two share has one id, and the model knows
 * every effect. */
Test(fault_filter, shared_sites_mean_the_same)
{
    unsigned shared = 0;

    for (unsigned i = 0; i < fault_filter_registry.count; i++)
        for (unsigned k = 0; k < sim_fault_registry.count; k++) {
            const struct fault_site *here = &fault_filter_registry.site[i];
            const struct fault_site *there = &sim_fault_registry.site[k];

            if (strcmp(here->name, there->name) != 0)
                continue;
            cr_expect(!strcmp(here->id, there->id), "%s", here->name);
            cr_expect_eq(strspn(here->effects, there->effects), strlen(here->effects), "%s",
                         here->name);
            shared++;
        }
    cr_assert_eq(shared, 7);
}

Test(fault_filter, delays)
{
    struct fake_exec fake;
    static struct fault_filter f;

    fake_exec_init(&fake, 1);
    fault_filter_init(&f, &fake.exec);
    cr_assert_eq(fault_filter_ns(0), 1000000);
    cr_assert_eq(fault_filter_ns(3), 12);
    fault_filter_pause(&f, 77);
    cr_assert_eq(fake.now, 77);
    cr_assert_eq(fault_filter_deadline(&f, 0), 0);
    cr_assert_eq(fault_filter_deadline(&f, EXEC_FOREVER), EXEC_FOREVER);
    cr_assert_eq(fault_plan_hits(&f.plan, FAULT_SITE_CLK), 0, "neither is a timer");
    cr_assert_eq(fault_filter_deadline(&f, 5), 5);
    cr_assert_eq(fault_plan_hits(&f.plan, FAULT_SITE_CLK), 1);
}
