/* SPDX-License-Identifier: Apache-2.0 */
/* The chart writer: logarithms, places, shapes. */
#include "tests/fidelity/chart.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct chart c;

static char *written(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    chart_write(&c, out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

static void start(void)
{
    c = (struct chart){.title = "title",
                       .x_label = "horizontal",
                       .y_label = "vertical",
                       .x_min = 1,
                       .x_max = 256,
                       .y_max = 1000,
                       .n_series = 1};
    c.series[0].label = "curve";
}

TestSuite(chart, .init = start);

/* log2(3) = 1.5849625, log2(10) = 3.3219281, log2(1000003) = 19.9315729 in 1/65536. */
Test(chart, logarithms)
{
    cr_assert_eq(chart_log2(1), 0);
    cr_assert_eq(chart_log2(2), 65536);
    cr_assert_eq(chart_log2(UINT64_C(1) << 63), 63 * 65536);
    cr_assert_eq(chart_log2(3), 103872);
    cr_assert_eq(chart_log2(10), 217705);
    cr_assert_eq(chart_log2(1000003), 1306235);
    for (uint64_t v = 1; v < 5000; v++)
        cr_assert_leq(chart_log2(v), chart_log2(v + 1));
}

/* The plot is from 90 to 570 and from 370 up to 50. */
Test(chart, points_lie_where_they_belong)
{
    char *text;

    chart_line(&c.series[0], 1, 0);
    chart_line(&c.series[0], 16, 500);
    chart_line(&c.series[0], 256, 1000);
    chart_dot(&c.series[0], 4, 250);
    chart_dot(&c.series[0], 1000, 5000); /* beyond both ends */
    text = written();
    cr_assert(strstr(text, "d=\"M90.0 370.0L330.0 210.0L570.0 50.0\""), "%s", text);
    cr_assert(strstr(text, "d=\"M210.0 290.0m"), "%s", text);
    cr_assert(strstr(text, "d=\"M570.0 50.0m"), "%s", text);
    free(text);
}

Test(chart, logarithmic_height)
{
    char *text;

    c.y_logarithmic = true;
    c.y_min = 1;
    c.y_max = 1024;
    chart_line(&c.series[0], 1, 1);
    chart_line(&c.series[0], 1, 32);
    chart_line(&c.series[0], 1, 1024);
    text = written();
    cr_assert(strstr(text, "d=\"M90.0 370.0L90.0 210.0L90.0 50.0\""), "%s", text);
    free(text);
}

Test(chart, is_labelled_in_both_schemes)
{
    static const char *const parts[] = {
        ">title<",  ">horizontal<", ">vertical<", ">curve<",   "prefers-color-scheme:dark",
        ">1000</t", ">200</text>",  ">256</text", ">64</text", "</svg>\n"};
    char *text = written();

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(strstr(text, parts[i]), "%s is not in %s", parts[i], text);
    free(text);
}

Test(chart, sizes_are_written_in_binary_units)
{
    char *text;

    c.x_numbers = CHART_BYTES;
    c.x_min = 4096;
    c.x_max = 1 << 20;
    c.y_max = 2000000;
    text = written();
    cr_assert(strstr(text, ">4 KiB<") && strstr(text, ">1 MiB<") && strstr(text, ">500 k<") &&
              strstr(text, ">2 M<"));
    free(text);
}
