/* SPDX-License-Identifier: Apache-2.0 */
/* Fault plans: what is accepted, what is refused and with which words, which hits go wrong, and
 * that a plan comes back as text (campaigns.md section 6). */
#include "hal/support/fault_plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"

/* Sites of nobody. */
enum site { RRQ, FC, ASA, MR, XC, LISN, HB, PLINK, CTX, CRESET, SITES };

static const struct fault_site sites[SITES] = {
    [RRQ] = {"rrq", "FS-21", "d2levx", "an element"},
    [FC] = {"fc", "FS-17", "xdlns", "an exchange"},
    [ASA] = {"asa", "FS-20", "vdlx", "a status"},
    [MR] = {"mr", "FS-9", "ovl", "a load"},
    [XC] = {"xc", "FS-15", "t", "a translation"},
    [LISN] = {"lisn", "FS-22", "d2le", "a message"},
    [HB] = {"hb", "FS-28", "v", "a heartbeat"},
    [PLINK] = {"plink", "FS-26", "xlnb", "a login"},
    [CTX] = {"ctx", "FS-7", "f", "a context"},
    [CRESET] = {"creset", "FS-25", "lno", "a reset"},
};

static const struct fault_registry registry = {sites, SITES};
static struct fault_plan f, *const only[] = {&f};

static void init(void) { fault_plan_init(&f, &registry); }

static int try(const char *plan, char *why, size_t size)
{
    return fault_plans_load(only, 1, plan, why, size);
}

TestSuite(fault_plan, .init = init);

static void load(const char *plan)
{
    char why[256] = "";

    cr_assert_eq(try(plan, why, sizeof why), 0, "%s", why);
}

/* As everybody does who has sites: counts a hit, and asks for the effect if a fault wants it. */
static char pass_once(enum site site, uint64_t *arg)
{
    if (!fault_plan_count(&f, site))
        return 0;
    return fault_plan_match(&f, site, arg);
}

/* Passes the site `hits` times; writes the effects, '.' for none. */
static const char *pass(enum site site, unsigned hits)
{
    static char effects[64];
    uint64_t arg = 77;

    for (unsigned i = 0; i < hits; i++) {
        char e = pass_once(site, &arg);
        effects[i] = '.';
        if (e)
            effects[i] = e;
    }
    effects[hits] = 0;
    return effects;
}

/* ---- matching ---- */

Test(fault_plan, without_a_plan_hits_are_counted_and_nothing_happens)
{
    uint64_t arg = 77;

    cr_assert_str_eq(pass(RRQ, 5), ".....");
    cr_assert_eq(pass_once(FC, &arg), 0);
    cr_assert_eq(arg, 77);
    cr_assert_eq(fault_plan_hits(&f, RRQ), 5);
    cr_assert_eq(fault_plan_hits(&f, FC), 1);
    cr_assert_eq(fault_plan_hits(&f, HB), 0);
}

Test(fault_plan, one_hit)
{
    load("rrq#3=d");
    cr_assert_str_eq(pass(RRQ, 6), "..d...");
    cr_assert_eq(f.rule[0].fired, 1);
    cr_assert_eq(fault_plan_hits(&f, RRQ), 6);
}

Test(fault_plan, several_hits_and_from_then_on)
{
    load("rrq#2x3=2+fc#3*=x");
    cr_assert_str_eq(pass(RRQ, 7), ".222...");
    cr_assert_str_eq(pass(FC, 7), "..xxxxx");
    cr_assert_eq(f.rule[0].fired, 3);
    cr_assert_eq(f.rule[1].fired, 5);
}

Test(fault_plan, from_one_hit_to_another)
{
    load("rrq#2..4=d+rrq#6..6=e");
    cr_assert_str_eq(pass(RRQ, 7), ".ddd.e.");
}

Test(fault_plan, every_so_many_hits)
{
    load("rrq%3=d+fc%2x2=x");
    cr_assert_str_eq(pass(RRQ, 10), "..d..d..d.");
    cr_assert_str_eq(pass(FC, 8), ".x.x....");
    cr_assert_eq(f.rule[0].fired, 3);
    load("rrq%1=d");
    cr_assert_str_eq(pass(RRQ, 3), "ddd");
}

/* ---- states of the adapter ---- */

static void enter(unsigned state) { fault_plan_note(&f, 2, 2, state); }

enum { NORMAL = 2, RESET, FAILED };

/* Hits in other states do not count for such a rule; it goes on counting where it was. */
Test(fault_plan, hits_in_one_state_count)
{
    load("rrq@RESET#2..3=d+rrq@NORMAL%3=e+rrq#9=2");
    cr_assert_str_eq(pass(RRQ, 4), "..e.");
    enter(RESET);
    cr_assert_str_eq(pass(RRQ, 1), ".");
    enter(NORMAL);
    cr_assert_str_eq(pass(RRQ, 3), ".e.");
    enter(RESET);
    cr_assert_str_eq(pass(RRQ, 3), "dd.");
    enter(NORMAL);
    cr_assert_str_eq(pass(RRQ, 2), ".e");
    enter(FAILED);
    cr_assert_str_eq(pass(RRQ, 4), "....");
}

/* The first that covers a hit counts, whatever it counts. */
Test(fault_plan, a_state_and_a_hit_at_once)
{
    load("rrq@RESET#1*=d+rrq#2=e");
    enter(RESET);
    cr_assert_str_eq(pass(RRQ, 2), "dd");
    enter(NORMAL);
    load("rrq@RESET#1*=d+rrq#2=e");
    cr_assert_str_eq(pass(RRQ, 2), ".e");
}

/* A plan that is loaded meanwhile begins in the state that there is; other notes are no states. */
Test(fault_plan, the_state_outlives_a_plan)
{
    enter(RESET);
    fault_plan_note(&f, 2, 1, NORMAL);
    fault_plan_note(&f, 1, 2, NORMAL);
    load("rrq@RESET#2=d");
    cr_assert_str_eq(pass(RRQ, 2), ".d");
}

/* ---- several plans ---- */

/* Two parts of the stack: each rule goes to the first that has the site. */
Test(fault_plan, one_text_for_several_plans)
{
    static const struct fault_site others[] = {{"mem", "FS-1", "f", "memory"},
                                               {"rrq", "FS-21", "d2levx", "another one"}};
    static const struct fault_registry second = {others, 2};
    static struct fault_plan g;
    struct fault_plan *const both[] = {&f, &g};
    char why[128];

    fault_plan_init(&g, &second);
    cr_assert_eq(fault_plans_load(both, 2, "mem#2=f+rrq#1=d+mem#3=f", why, sizeof why), 0);
    cr_assert_eq(f.count, 1);
    cr_assert_eq(g.count, 2);
    cr_assert_str_eq(pass(RRQ, 2), "d.");
    cr_assert_not(fault_plan_count(&g, 0));
    cr_assert(fault_plan_count(&g, 0));
    cr_assert_eq(fault_plan_match(&g, 0, NULL), 'f');
    cr_assert_eq(fault_plans_load(both, 2, "mem#1=f+fd#1=f", why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "fault 2, 'fd#1=f': there is no such site");
    cr_assert_eq(g.count, 2);
}

/* ---- more about hits ---- */

Test(fault_plan, sites_do_not_touch_each_other)
{
    load("rrq#1*=d");
    cr_assert_str_eq(pass(ASA, 4), "....");
    cr_assert_str_eq(pass(RRQ, 2), "dd");
}

Test(fault_plan, the_first_term_that_covers_a_hit_counts)
{
    load("fc#3=x+fc#2x3=l(9)");
    cr_assert_str_eq(pass(FC, 6), ".lxl..");
    cr_assert_eq(f.rule[0].fired, 1);
    cr_assert_eq(f.rule[1].fired, 2);
}

Test(fault_plan, arguments)
{
    uint64_t arg = 77;

    load("fc#1=l(250)+fc#2=x(0x31)+fc#3=l(2k)+fc#4=d");
    cr_assert_eq(pass_once(FC, &arg), 'l');
    cr_assert_eq(arg, 250);
    cr_assert_eq(pass_once(FC, &arg), 'x');
    cr_assert_eq(arg, 0x31);
    cr_assert_eq(pass_once(FC, &arg), 'l');
    cr_assert_eq(arg, 2000);
    cr_assert_eq(pass_once(FC, &arg), 'd');
    cr_assert_eq(arg, 0);
    load("fc#1=x(5)");
    cr_assert_eq(pass_once(FC, NULL), 'x');
}

Test(fault_plan, hits_count_from_the_moment_of_loading)
{
    pass(RRQ, 10);
    pass(FC, 3);
    load("rrq#2=d");
    cr_assert_eq(fault_plan_hits(&f, FC), 0);
    cr_assert_str_eq(pass(RRQ, 4), ".d..");
}

Test(fault_plan, the_last_hits_of_all)
{
    load("rrq#18446744073709551615=d+fc#18446744073709551614x18446744073709551614=x");
    f.left[RRQ] = f.next[RRQ] - (UINT64_MAX - 2); /* so many hits ago */
    f.left[FC] = f.next[FC] - (UINT64_MAX - 3);
    cr_assert_str_eq(pass(RRQ, 2), ".d");
    cr_assert_str_eq(pass(FC, 3), ".xx");
}

Test(fault_plan, empty_plan_unloads_and_leaves_the_counters)
{
    load("rrq#1*=d");
    pass(RRQ, 3);
    load("");
    cr_assert_eq(f.count, 0);
    cr_assert_eq(fault_plan_hits(&f, RRQ), 3);
    cr_assert_str_eq(pass(RRQ, 3), "...");
}

Test(fault_plan, a_new_plan_replaces_the_old_one)
{
    load("rrq#1*=d+fc#1*=x");
    pass(FC, 2);
    load("asa#2=d");
    cr_assert_eq(f.count, 1);
    cr_assert_eq(f.rule[0].fired, 0);
    cr_assert_str_eq(pass(FC, 2), "..");
    cr_assert_str_eq(pass(ASA, 2), ".d");
}

/* An effect is its letter or its word; what comes back is the letter. */
Test(fault_plan, effects_have_words)
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
        fault_plan_format(&f, text, sizeof text);
        cr_expect(!strcmp(text, plans[i].text), "%s", text);
    }
    cr_assert_eq(try("rrq#1=ones", NULL, 0), -EINVAL, "not offered");
    cr_assert_eq(try("rrq#1=dropped", NULL, 0), -EINVAL, "no word");
    cr_assert_null(fault_effect_word('q'));
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
    {"rrq",
     "fault 1, 'rrq': '#' and the number of a hit, or '%' and a distance, must follow the site"},
    {"rrq=d",
     "fault 1, 'rrq=d': '#' and the number of a hit, or '%' and a distance, must follow the site"},
    {"rrq#=d", "fault 1, 'rrq#=d': the hit is missing or not a number"},
    {"rrq#-1=d", "fault 1, 'rrq#-1=d': the hit is missing or not a number"},
    {"rrq#0=d", "fault 1, 'rrq#0=d': hits count from 1"},
    {"fc#1=x+rrq#0*=d", "fault 2, 'rrq#0*=d': hits count from 1"},
    {"rrq#18446744073709551616=d",
     "fault 1, 'rrq#18446744073709551616=d': the hit does not fit in 64 bits"},
    {"rrq@LIMBO#1=d", "fault 1, 'rrq@LIMBO#1=d': there is no such state of an adapter"},
    {"rrq@#1=d", "fault 1, 'rrq@#1=d': there is no such state of an adapter"},
    {"rrq%0=d", "fault 1, 'rrq%0=d': a distance of 0 hits"},
    {"rrq%=d", "fault 1, 'rrq%=d': the distance is missing or not a number"},
    {"rrq%2x0=d", "fault 1, 'rrq%2x0=d': a fault that happens 0 times"},
    {"rrq%2..4=d", "fault 1, 'rrq%2..4=d': '=' and an effect must follow the hit"},
    {"rrq#5..4=d", "fault 1, 'rrq#5..4=d': the last hit lies before the first one"},
    {"rrq#5..=d", "fault 1, 'rrq#5..=d': the last hit is missing or not a number"},
    {"rrq#5.6=d", "fault 1, 'rrq#5.6=d': '=' and an effect must follow the hit"},
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

Test(fault_plan, bad_plans_are_refused_and_leave_the_old_one)
{
    load("asa#5=d");
    pass(ASA, 2);
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++) {
        struct fault_plan before = f;
        char why[256] = "";
        cr_expect_eq(try(bad[i].plan, why, sizeof why), -EINVAL);
        cr_expect(!strcmp(why, bad[i].why), "got '%s'\nnot '%s'", why, bad[i].why);
        cr_expect(f.count == 1 && f.rule[0].site == ASA, "%s", bad[i].plan);
        cr_expect(!memcmp(f.left, before.left, sizeof f.left), "%s", bad[i].plan);
        cr_expect(!memcmp(f.next, before.next, sizeof f.next), "%s", bad[i].plan);
    }
    cr_assert_str_eq(pass(ASA, 4), "..d.");
}

/* "rrq#1=d+rrq#2=d+..." */
static void many(char *plan, unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        plan += sprintf(plan, "%srrq#%u=d", i > 1 ? "+" : "", 2 * i);
}

Test(fault_plan, at_most_64_faults)
{
    char plan[1024], why[256];

    many(plan, 64);
    load(plan);
    cr_assert_eq(f.count, 64);
    cr_assert_str_eq(pass(RRQ, 6), ".d.d.d");
    many(plan, 65);
    cr_assert_eq(try(plan, why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "fault 65, 'rrq#130=d': a plan has at most 64 faults");
}

Test(fault_plan, a_very_long_plan)
{
    size_t size = 1 << 20;
    char *plan = malloc(size + 1), why[256];

    cr_assert_not_null(plan);
    memset(plan, 'r', size);
    plan[size] = 0;
    cr_assert_eq(try(plan, why, sizeof why), -EINVAL);
    cr_assert_eq(try(plan, why, 10), -EINVAL);
    cr_assert_str_eq(why, "fault 1, ");
    free(plan);
}

/* ---- back to text ---- */

Test(fault_plan, plans_come_back_as_text)
{
    static const struct {
        const char *plan, *text;
    } plans[] = {
        {"", ""},
        {"rrq#17=d+creset#1=n", "rrq#17=d+creset#1=n"},
        {"fc#0x10x3=l(2k)", "fc#16x3=l(2000)"},
        {"fc#2*=x(0)", "fc#2*=x"},
        {"fc#2..4=x", "fc#2x3=x"},
        {"fc@RESET#2=x", "fc@RESET#2=x"},
        {"fc%5=x+fc%5x1=x", "fc%5=x+fc%5x1=x"},
        {"fc@FAILED%7x2=l(3)", "fc@FAILED%7x2=l(3)"},
        {"fc#2x1=x", "fc#2=x"},
        {"fc#2x18446744073709551615=x", "fc#2*=x"},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(plans); i++) {
        char text[64], again[64];
        load(plans[i].plan);
        cr_expect_eq(fault_plan_format(&f, text, sizeof text), strlen(plans[i].text));
        cr_expect(!strcmp(text, plans[i].text), "%s", text);
        load(text);
        fault_plan_format(&f, again, sizeof again);
        cr_expect(!strcmp(text, again), "%s", again);
    }
}

/* What went wrong, as a plan: the same hits without distances and states. */
Test(fault_plan, what_happened_comes_as_a_plan)
{
    char text[128], one[32];

    load("rrq%2=d+fc#2..4=x(5)+fc#9=d+asa@RESET#1=d");
    pass(RRQ, 5);
    pass(FC, 3);
    enter(RESET);
    pass(ASA, 1);
    pass(FC, 1);
    cr_assert_eq(fault_plan_resolved(&f, text, sizeof text), strlen(text));
    cr_assert_str_eq(text, "rrq#2=d+rrq#4=d+fc#2..3=x(5)+asa#1=d+fc#4=x(5)");
    load(text);
    cr_assert_eq(fault_rule_format(&f, 2, one, sizeof one), strlen(one));
    cr_assert_str_eq(one, "fc#2x2=x(5)");
    fault_plan_resolved(&f, text, sizeof text);
    cr_assert_str_eq(text, "", "nothing yet");
}

Test(fault_plan, what_happened_more_often_than_there_is_room)
{
    load("rrq%2=d");
    for (unsigned i = 0; i < 140; i++)
        (void)pass_once(RRQ, NULL);
    cr_assert_eq(f.runs, FAULT_RUNS_MAX);
    cr_assert_eq(f.unlisted, 6);
    cr_assert_eq(f.rule[0].fired, 70);
}

Test(fault_plan, text_is_cut_to_the_buffer)
{
    char text[16];

    load("rrq#17=d+creset#1=n+fc#123456789=x");
    memset(text, '?', sizeof text);
    cr_assert_eq(fault_plan_format(&f, text, 12), 34);
    cr_assert_str_eq(text, "rrq#17=d+cr");
    cr_assert_eq(text[12], '?');
    cr_assert_eq(fault_plan_format(&f, NULL, 0), 34);
    cr_assert_eq(fault_plan_format(&f, text, 1), 34);
    cr_assert_str_eq(text, "");
}

/* One countdown counts and asks: hits are right before, at and behind each planned one, and go on
 * when the plan is taken away. */
Test(fault_plan, hits_are_counted_through_a_plan)
{
    static const char expected[] = {[3] = 'x', [7] = 'l', [8] = 'l', [20] = 'n'};

    load("fc#3=x+fc#3=d+fc#7x2=l+fc#20*=n");
    for (uint64_t hit = 1; hit <= 30; hit++) {
        char e = pass_once(FC, NULL);

        cr_assert_eq(fault_plan_hits(&f, FC), hit);
        cr_assert_eq(e, expected[hit <= 20 ? hit : 20], "hit %d", (int)hit);
    }
    cr_assert_eq(try("", NULL, 0), 0);
    cr_assert_eq(pass_once(FC, NULL), 0);
    cr_assert_eq(fault_plan_hits(&f, FC), 31);
}
