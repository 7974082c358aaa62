/* SPDX-License-Identifier: Apache-2.0 */
/* The published figures that R-26 keeps, against the model alone (TM-22). */
#include "tests/fidelity/figures.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/testlib/proves.h"

static const struct figure *find(const char *text)
{
    for (size_t i = 0; i < figure_count; i++)
        if (!strcmp(figures[i].text, text))
            return &figures[i];
    cr_assert_fail("no figure '%s'", text);
    return NULL;
}

Test(figures, the_model_comes_near_what_was_published)
{
    for (size_t i = 0; i < figure_count; i++) {
        const struct figure *f = &figures[i];
        uint64_t modelled = figure_modelled(f);
        int deviation = figure_deviation(f, modelled);
        char percent[FIGURE_TEXT];

        fprintf(stderr, "%-45s %-12s published %7llu, modelled %7llu, %s\n", f->text, f->profile,
                (unsigned long long)f->published, (unsigned long long)modelled,
                figure_percent(deviation, percent));
        cr_expect_leq(f->percent, 15, "%s", f->text);
        cr_expect_leq((unsigned)abs(deviation), f->percent * 10, "%s", f->text);
    }
    PROVES(TM_22);
    PROVES(R_26);
}

/* TM-22 and R-26 name them. */
Test(figures, those_that_the_specification_asks_for_are_there)
{
    cr_assert_eq(find("read, direct LUN (never written), latency")->published, 25000);
    cr_assert_eq(find("read, virtual LUN (written blocks), latency")->published, 48000);
    cr_assert_eq(find("one 8GFC port, 4 KiB reads")->published, 201000);
    cr_assert_eq(find("read, virtual LUN, depth 1")->published, 20025);
    cr_assert_eq(find("read, direct LUN, depth 1")->published, 37888);
    cr_assert_eq(find("write, virtual LUN, depth 1")->published, 48210);
    cr_assert_eq(find("write, direct LUN, depth 1")->published, 50834);
    cr_assert_eq(find("read, depth 128")->published, 324000);
    cr_assert_eq(find("write, depth 128")->published, 185000);
    cr_assert_eq(find("read, depth 128")->depth, 128);
}

/* In cycles: 24.5 and 47.5 us of timing.md 8; 250 MHz over 772, 1351, 1240 and 620 cycles. */
Test(figures, modelled_values_are_known)
{
    cr_assert_eq(figure_modelled(find("read, direct LUN (never written), latency")), 6134 * 4);
    cr_assert_eq(figure_modelled(find("read, virtual LUN (written blocks), latency")), 11884 * 4);
    cr_assert_eq(figure_modelled(find("read, depth 128")), 323834);
    cr_assert_eq(figure_modelled(find("write, depth 128")), 185048);
    cr_assert_eq(figure_modelled(find("one 8GFC port, 4 KiB reads")), 201612);
    cr_assert_eq(figure_modelled(find("two 8GFC ports, 4 KiB reads")), 403225);
}

Test(figures, deviation_is_rounded_to_the_nearest)
{
    struct figure f = {.published = 1000};
    char text[FIGURE_TEXT];

    cr_assert_eq(figure_deviation(&f, 1000), 0);
    cr_assert_eq(figure_deviation(&f, 1001), 1);
    cr_assert_eq(figure_deviation(&f, 950), -50);
    f.published = 3000;
    cr_assert_eq(figure_deviation(&f, 3002), 1); /* 0.67 */
    cr_assert_eq(figure_deviation(&f, 2999), 0); /* -0.33 */
    cr_assert_eq(figure_deviation(&f, 2998), -1);
    cr_assert_str_eq(figure_percent(-1, text), "-0.1 %");
    cr_assert_str_eq(figure_percent(45, text), "+4.5 %");
    cr_assert_str_eq(figure_percent(0, text), "0.0 %");
}
