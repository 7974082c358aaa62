/* SPDX-License-Identifier: Apache-2.0 */
/* Fault plans: what is accepted, what is refused and with which words, which hits go wrong, and
 * that a plan comes back as text. */
#include "sim/sim_fault.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"

static struct sim_faults f;

static void init(void) { sim_faults_init(&f); }

TestSuite(sim_fault, .init = init);

static void load(const char *plan)
{
    char why[256] = "";

    cr_assert_eq(sim_faults_load(&f, plan, why, sizeof why), 0, "%s", why);
}

/* As the blocks do (sim_site): counts a hit, and asks for the effect if a fault wants it. */
static enum sim_effect pass_once(enum sim_site site, uint64_t *arg)
{
    return sim_fault_count(&f, site) ? sim_fault_match(&f, site, arg) : SIM_EFFECT_NONE;
}

/* Passes the site `hits` times; writes the effects, '.' for none. */
static const char *pass(enum sim_site site, unsigned hits)
{
    static char effects[64];
    uint64_t arg = 77;

    for (unsigned i = 0; i < hits; i++) {
        enum sim_effect e = pass_once(site, &arg);
        effects[i] = '.';
        if (e != SIM_EFFECT_NONE)
            effects[i] = (char)e;
    }
    effects[hits] = 0;
    return effects;
}

/* ---- matching ---- */

Test(sim_fault, without_a_plan_hits_are_counted_and_nothing_happens)
{
    uint64_t arg = 77;

    cr_assert_str_eq(pass(SIM_SITE_RRQ, 5), ".....");
    cr_assert_eq(pass_once(SIM_SITE_FC, &arg), SIM_EFFECT_NONE);
    cr_assert_eq(arg, 77);
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_RRQ), 5);
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_FC), 1);
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_HB), 0);
    cr_assert_not(f.armed);
}

Test(sim_fault, one_hit)
{
    load("rrq#3=d");
    cr_assert(f.armed);
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 6), "..d...");
    cr_assert_eq(f.fault[0].fired, 1);
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_RRQ), 6);
}

Test(sim_fault, several_hits_and_from_then_on)
{
    load("rrq#2x3=2+fc#3*=x");
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 7), ".222...");
    cr_assert_str_eq(pass(SIM_SITE_FC, 7), "..xxxxx");
    cr_assert_eq(f.fault[0].fired, 3);
    cr_assert_eq(f.fault[1].fired, 5);
}

Test(sim_fault, sites_do_not_touch_each_other)
{
    load("rrq#1*=d");
    cr_assert_str_eq(pass(SIM_SITE_ASA, 4), "....");
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 2), "dd");
}

Test(sim_fault, the_first_term_that_covers_a_hit_counts)
{
    load("fc#3=x+fc#2x3=l(9)");
    cr_assert_str_eq(pass(SIM_SITE_FC, 6), ".lxl..");
    cr_assert_eq(f.fault[0].fired, 1);
    cr_assert_eq(f.fault[1].fired, 2);
}

Test(sim_fault, arguments)
{
    uint64_t arg = 77;

    load("fc#1=l(250)+fc#2=x(0x31)+fc#3=l(2k)+fc#4=d");
    cr_assert_eq(pass_once(SIM_SITE_FC, &arg), SIM_EFFECT_LATE);
    cr_assert_eq(arg, 250);
    cr_assert_eq(pass_once(SIM_SITE_FC, &arg), SIM_EFFECT_ERROR);
    cr_assert_eq(arg, 0x31);
    cr_assert_eq(pass_once(SIM_SITE_FC, &arg), SIM_EFFECT_LATE);
    cr_assert_eq(arg, 2000);
    cr_assert_eq(pass_once(SIM_SITE_FC, &arg), SIM_EFFECT_DROP);
    cr_assert_eq(arg, 0);
    load("fc#1=x(5)");
    cr_assert_eq(pass_once(SIM_SITE_FC, NULL), SIM_EFFECT_ERROR);
}

Test(sim_fault, hits_count_from_the_moment_of_loading)
{
    pass(SIM_SITE_RRQ, 10);
    pass(SIM_SITE_FC, 3);
    load("rrq#2=d");
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_FC), 0);
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 4), ".d..");
}

Test(sim_fault, the_last_hits_of_all)
{
    load("rrq#18446744073709551615=d+fc#18446744073709551614x18446744073709551614=x");
    f.left[SIM_SITE_RRQ] = f.next[SIM_SITE_RRQ] - (UINT64_MAX - 2); /* so many hits ago */
    f.left[SIM_SITE_FC] = f.next[SIM_SITE_FC] - (UINT64_MAX - 3);
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 2), ".d");
    cr_assert_str_eq(pass(SIM_SITE_FC, 3), ".xx");
}

Test(sim_fault, empty_plan_unloads_and_leaves_the_counters)
{
    load("rrq#1*=d");
    pass(SIM_SITE_RRQ, 3);
    load("");
    cr_assert_not(f.armed);
    cr_assert_eq(f.count, 0);
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_RRQ), 3);
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 3), "...");
}

Test(sim_fault, a_new_plan_replaces_the_old_one)
{
    load("rrq#1*=d+fc#1*=x");
    pass(SIM_SITE_FC, 2);
    load("asa#2=d");
    cr_assert_eq(f.count, 1);
    cr_assert_eq(f.fault[0].fired, 0);
    cr_assert_str_eq(pass(SIM_SITE_FC, 2), "..");
    cr_assert_str_eq(pass(SIM_SITE_ASA, 2), ".d");
}

/* ---- the table ---- */

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
    {SIM_SITE_AFURST, "afurst", "FS-29", "xln"},
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
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(sites); i++)
        for (int e = '!'; e <= '~'; e++) {
            char plan[32];
            snprintf(plan, sizeof plan, "%s#1=%c", sites[i].name, e);
            int rc = sim_faults_load(&f, plan, NULL, 0);
            cr_expect_eq(rc, strchr(sites[i].effects, e) ? 0 : -EINVAL, "%s", plan);
            cr_expect(rc || (f.fault[0].site == sites[i].site && (int)f.fault[0].effect == e), "%s",
                      plan);
        }
}

/* An effect is its letter or its word; what comes back is the letter. */
Test(sim_fault, effects_have_words)
{
    static const struct {
        const char *plan, *text;
    } plans[] = {
        {"mr#1=ones", "mr#1=o"},
        {"xc#3=stale", "xc#3=t"},
        {"rrq#1x2=twice", "rrq#1x2=2"},
        {"fc#2=late(7)", "fc#2=l(7)"},
        {"rrq#1=drop+asa#1=error", "rrq#1=d+asa#1=x"},
        {"lisn#1=early", "lisn#1=e"},
        {"fc#1=short+fc#2=never", "fc#1=s+fc#2=n"},
        {"hb#1=value(3)", "hb#1=v(3)"},
        {"plink#1=flap(3)", "plink#1=b(3)"},
        {"ctx#1=refuse", "ctx#1=f"},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(plans); i++) {
        char text[64];

        load(plans[i].plan);
        sim_faults_format(&f, text, sizeof text);
        cr_expect(!strcmp(text, plans[i].text), "%s", text);
    }
    cr_assert_eq(sim_faults_load(&f, "rrq#1=ones", NULL, 0), -EINVAL, "not offered");
    cr_assert_eq(sim_faults_load(&f, "rrq#1=dropped", NULL, 0), -EINVAL, "no word");
    cr_assert_null(sim_effect_word((enum sim_effect)'q'));
}

/* ---- refusals ---- */

static const struct {
    const char *plan, *why;
} bad[] = {
    {"rqr#1=d", "fault 1, 'rqr#1=d': there is no such site"},
    {"RRQ#1=d", "fault 1, 'RRQ#1=d': there is no such site"},
    {"rrqx#1=d", "fault 1, 'rrqx#1=d': there is no such site"},
    {" rrq#1=d", "fault 1, ' rrq#1=d': there is no such site"},
    {"+", "fault 1, '': the name of a site is missing"},
    {"rrq#1=d+", "fault 2, '': the name of a site is missing"},
    {"rrq#1=d++fc#1=x", "fault 2, '': the name of a site is missing"},
    {"rrq", "fault 1, 'rrq': '#' and the number of a hit must follow the site"},
    {"rrq=d", "fault 1, 'rrq=d': '#' and the number of a hit must follow the site"},
    {"rrq#=d", "fault 1, 'rrq#=d': the hit is missing or not a number"},
    {"rrq#-1=d", "fault 1, 'rrq#-1=d': the hit is missing or not a number"},
    {"rrq#0=d", "fault 1, 'rrq#0=d': hits count from 1"},
    {"fc#1=x+rrq#0*=d", "fault 2, 'rrq#0*=d': hits count from 1"},
    {"rrq#18446744073709551616=d",
     "fault 1, 'rrq#18446744073709551616=d': the hit does not fit in 64 bits"},
    {"rrq#1x0=d", "fault 1, 'rrq#1x0=d': a fault that happens 0 times"},
    {"rrq#1x=d", "fault 1, 'rrq#1x=d': the number of times is missing or not a number"},
    {"rrq#1x99999999999999999999=d",
     "fault 1, 'rrq#1x99999999999999999999=d': the number of times does not fit in 64 bits"},
    {"rrq#1", "fault 1, 'rrq#1': '=' and an effect must follow the hit"},
    {"rrq#1**=d", "fault 1, 'rrq#1**=d': '=' and an effect must follow the hit"},
    {"rrq#1=", "fault 1, 'rrq#1=': the effect is missing (the site offers: d2levx)"},
    {"rrq#1=+fc#1=x", "fault 1, 'rrq#1=': the effect is missing (the site offers: d2levx)"},
    {"rrq#1=n", "fault 1, 'rrq#1=n': the site does not offer this effect (it offers: d2levx)"},
    {"rrq#1=(", "fault 1, 'rrq#1=(': the site does not offer this effect (it offers: d2levx)"},
    {"rrq#1=dd", "fault 1, 'rrq#1=dd': '+' or the end must follow the effect"},
    {"rrq#1=d ", "fault 1, 'rrq#1=d ': '+' or the end must follow the effect"},
    {"rrq#1=l(", "fault 1, 'rrq#1=l(': the argument is missing or not a number"},
    {"rrq#1=l()", "fault 1, 'rrq#1=l()': the argument is missing or not a number"},
    {"rrq#1=l(1", "fault 1, 'rrq#1=l(1': ')' must follow the argument"},
    {"rrq#1=l(1,2)", "fault 1, 'rrq#1=l(1,2)': ')' must follow the argument"},
    {"rrq#1=l(0x10000000000000000)",
     "fault 1, 'rrq#1=l(0x10000000000000000)': the argument does not fit in 64 bits"},
    {"\033[2J", "fault 1, '?[2J': there is no such site"},
};

Test(sim_fault, bad_plans_are_refused_and_leave_the_old_one)
{
    load("asa#5=d");
    pass(SIM_SITE_ASA, 2);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++) {
        struct sim_faults before = f;
        char why[256] = "";
        cr_expect_eq(sim_faults_load(&f, bad[i].plan, why, sizeof why), -EINVAL);
        cr_expect(!strcmp(why, bad[i].why), "got '%s'\nnot '%s'", why, bad[i].why);
        cr_expect(f.armed && f.count == 1 && f.fault[0].site == SIM_SITE_ASA, "%s", bad[i].plan);
        cr_expect(!memcmp(f.left, before.left, sizeof f.left), "%s", bad[i].plan);
        cr_expect(!memcmp(f.next, before.next, sizeof f.next), "%s", bad[i].plan);
    }
    cr_assert_str_eq(pass(SIM_SITE_ASA, 4), "..d.");
}

/* "rrq#1=d+rrq#2=d+..." */
static void many(char *plan, unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        plan += sprintf(plan, "%srrq#%u=d", i > 1 ? "+" : "", 2 * i);
}

Test(sim_fault, at_most_64_faults)
{
    char plan[1024], why[256];

    many(plan, 64);
    load(plan);
    cr_assert_eq(f.count, 64);
    cr_assert_str_eq(pass(SIM_SITE_RRQ, 6), ".d.d.d");
    many(plan, 65);
    cr_assert_eq(sim_faults_load(&f, plan, why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "fault 65, 'rrq#130=d': a plan has at most 64 faults");
}

Test(sim_fault, a_very_long_plan)
{
    size_t size = 1 << 20;
    char *plan = malloc(size + 1), why[256];

    cr_assert_not_null(plan);
    memset(plan, 'r', size);
    plan[size] = 0;
    cr_assert_eq(sim_faults_load(&f, plan, why, sizeof why), -EINVAL);
    cr_assert_eq(sim_faults_load(&f, plan, why, 10), -EINVAL);
    cr_assert_str_eq(why, "fault 1, ");
    free(plan);
}

/* ---- back to text ---- */

Test(sim_fault, plans_come_back_as_text)
{
    static const struct {
        const char *plan, *text;
    } plans[] = {
        {"", ""},
        {"rrq#17=d+creset#1=n", "rrq#17=d+creset#1=n"},
        {"fc#0x10x3=l(2k)", "fc#16x3=l(2000)"},
        {"fc#2*=x(0)", "fc#2*=x"},
        {"fc#2x1=x", "fc#2=x"},
        {"fc#2x18446744073709551615=x", "fc#2*=x"},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(plans); i++) {
        char text[64], again[64];
        load(plans[i].plan);
        cr_expect_eq(sim_faults_format(&f, text, sizeof text), strlen(plans[i].text));
        cr_expect(!strcmp(text, plans[i].text), "%s", text);
        load(text);
        sim_faults_format(&f, again, sizeof again);
        cr_expect(!strcmp(text, again), "%s", again);
    }
}

Test(sim_fault, text_is_cut_to_the_buffer)
{
    char text[16];

    load("rrq#17=d+creset#1=n+fc#123456789=x");
    memset(text, '?', sizeof text);
    cr_assert_eq(sim_faults_format(&f, text, 12), 34);
    cr_assert_str_eq(text, "rrq#17=d+cr");
    cr_assert_eq(text[12], '?');
    cr_assert_eq(sim_faults_format(&f, NULL, 0), 34);
    cr_assert_eq(sim_faults_format(&f, text, 1), 34);
    cr_assert_str_eq(text, "");
}

/* One countdown counts and asks: hits are right before, at and behind each planned one, and go on
 * when the plan is taken away. */
Test(sim_fault, hits_are_counted_through_a_plan)
{
    static const enum sim_effect expected[] = {[3] = SIM_EFFECT_ERROR,
                                               [7] = SIM_EFFECT_LATE,
                                               [8] = SIM_EFFECT_LATE,
                                               [20] = SIM_EFFECT_NEVER};

    load("fc#3=x+fc#3=d+fc#7x2=l+fc#20*=n");
    for (uint64_t hit = 1; hit <= 30; hit++) {
        enum sim_effect e = pass_once(SIM_SITE_FC, NULL);

        cr_assert_eq(sim_fault_hits(&f, SIM_SITE_FC), hit);
        cr_assert_eq(e, expected[hit <= 20 ? hit : 20], "hit %d", (int)hit);
    }
    cr_assert_eq(sim_faults_load(&f, "", NULL, 0), 0);
    cr_assert_eq(pass_once(SIM_SITE_FC, NULL), SIM_EFFECT_NONE);
    cr_assert_eq(sim_fault_hits(&f, SIM_SITE_FC), 31);
}
