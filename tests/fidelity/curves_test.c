/* SPDX-License-Identifier: Apache-2.0 */
/* The files under docs/fidelity are what the model gives now, on every host; and what they show
 * holds: latency and rate do not depend on how many contexts and LUNs there are, and no assumption
 * looks like a measurement (TM-26). */
#include "tests/fidelity/curves.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_params.h"
#include "tests/fidelity/load.h"
#include "tests/testlib/proves.h"

#define COMPLETIONS 2048

static char *contents(void (*write)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    write(out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

static char *committed(const char *name)
{
    static char text[1 << 17];
    char path[256];
    size_t n;
    FILE *in;

    snprintf(path, sizeof path, "docs/%s", name);
    in = fopen(path, "re");
    cr_assert_not_null(in, "%s is not there", path);
    n = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    text[n] = 0;
    return text;
}

Test(curves, committed_files_are_those_of_the_model)
{
    for (size_t i = 0; i < curves_count; i++) {
        char *now = contents(curves_files[i].write), name[64];

        snprintf(name, sizeof name, "fidelity/%s", curves_files[i].name);
        cr_expect(!strcmp(now, committed(name)),
                  "docs/fidelity/%s is not what the model gives: bazel run //tests/fidelity:curves "
                  "-- docs/fidelity",
                  curves_files[i].name);
        free(now);
    }
}

/* ---- numbers of what is decided ----------------------------------------------------------------
 */

/* Whether the page has "MD-1", and not only "MD-12". */
static bool named(const char *page, const char *prefix, unsigned number)
{
    char id[16];
    size_t n = (size_t)snprintf(id, sizeof id, "%s-%u", prefix, number);

    for (const char *at = page; (at = strstr(at, id)); at += n)
        if (!isdigit((unsigned char)at[n]) && !isalnum((unsigned char)at[-1]))
            return true;
    return false;
}

Test(curves, the_page_names_every_decision_and_rule)
{
    static const struct {
        const char *prefix;
        unsigned first, last;
    } rows[] = {{"MD", 1, 26}, {"R", 4, 29}, {"TM", 1, 13}, {"TM", 20, 26}};
    const char *page = committed("fidelity.md");

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(rows); i++)
        for (unsigned n = rows[i].first; n <= rows[i].last; n++)
            cr_expect(named(page, rows[i].prefix, n), "%s-%u", rows[i].prefix, n);
}

/* ---- marks of what is not known ---------------------------------------------------------------
 */

/* The table row of a parameter: its line. */
static const char *row_of(const char *table, const char *name, char *line, size_t size)
{
    char begin[80];
    const char *at;

    snprintf(begin, sizeof begin, "| `%s` |", name);
    at = strstr(table, begin);
    cr_assert_not_null(at, "%s is not in the table", name);
    cr_assert_lt(strcspn(at, "\n"), size);
    snprintf(line, size, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

Test(curves, assumptions_are_marked_as_such)
{
    const char *table = committed("fidelity/parameters.md");
    char line[1024];

    for (size_t i = 0; i < sim_param_count; i++) {
        const struct sim_param_info *p = &sim_param_table[i];
        const char *row = row_of(table, p->name, line, sizeof line);

        cr_expect_eq(!!strstr(row, "| D: assumption |"), p->confidence == 'D', "%s", p->name);
        cr_expect_eq(!!strstr(row, "| C: recalled, not seen |"), p->confidence == 'C', "%s",
                     p->name);
        cr_expect(!strstr(row, "measured"), "%s", p->name);
    }
    cr_expect(
        strstr(committed("fidelity/figures.md"), "Most parameters behind them are assumptions"));
    PROVES(TM_26);
}

/* ---- flatness ---------------------------------------------------------------------------------
 */

/* Warm latency in the last context on the last LUN, and cycles for the last 1024 completions with
 * 64 commands in flight. */
static void measure(const char *profile, struct load_plan plan, uint64_t *latency, uint64_t *busy)
{
    static uint64_t at[COMPLETIONS];
    unsigned depth = plan.contexts > 64 ? plan.contexts : 64;
    struct sim_params p;
    struct load l;

    cr_assert_eq(sim_params_profile(&p, profile), 0);
    load_begin(&l, &p, &plan);
    for (int i = 0; i < 2; i++) {
        l.turn = plan.luns - 1;
        *latency = load_one(&l, plan.contexts - 1);
    }
    load_closed(&l, depth, COMPLETIONS, at);
    load_end(&l);
    *busy = at[COMPLETIONS - 1] - at[COMPLETIONS - 1025];
}

Test(curves, contexts_cost_nothing)
{
    static const unsigned contexts[] = {4, 5, 16, 100, 511};

    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
        struct load_plan plan = {.contexts = contexts[i], .luns = 1};
        uint64_t latency, busy;

        measure("flashsystem", plan, &latency, &busy);
        cr_expect_eq(latency, 35124, "%u contexts", contexts[i]);
        cr_expect_eq(busy, 1024 * 1240, "%u contexts", contexts[i]);
        measure("flashgt", plan, &latency, &busy);
        cr_expect_eq(latency, 6134, "%u contexts", contexts[i]);
        cr_expect_eq(busy, 1024 * 772, "%u contexts", contexts[i]);
    }
}

Test(curves, luns_cost_nothing)
{
    static const unsigned luns[] = {2, 3, 16, 100, 255};

    for (size_t i = 0; i < sizeof luns / sizeof *luns; i++) {
        struct load_plan plan = {.way = LOAD_DIRECT, .contexts = 4, .luns = luns[i]};
        uint64_t latency, busy;

        measure("flashsystem", plan, &latency, &busy);
        cr_expect_eq(latency, 35124, "%u LUNs", luns[i]);
        cr_expect_eq(busy, 1024 * 1240, "%u LUNs", luns[i]);
    }
}
