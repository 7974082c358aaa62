/* SPDX-License-Identifier: Apache-2.0 */
/* A small writer of line charts as SVG: linear or binary logarithmic axes, theory as lines, the
 * model as points. Everything is integer arithmetic, so the same chart has the same bytes on every
 * host. Readable on light and on dark ground. */
#ifndef TESTS_FIDELITY_CHART_H
#define TESTS_FIDELITY_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CHART_SERIES_MAX 6
#define CHART_POINTS_MAX 64

struct chart_point {
    uint64_t x, y;
};

/** One curve. `line` is joined, `dots` are marked; either may be empty. */
struct chart_series {
    const char *label;
    struct chart_point line[CHART_POINTS_MAX], dots[CHART_POINTS_MAX];
    unsigned n_line, n_dots;
};

enum chart_numbers { CHART_PLAIN, CHART_BYTES };

/** The x axis is logarithmic: x_min and x_max are at least 1. The y axis begins at 0, or, if it is
 * logarithmic, at y_min, at least 1. */
struct chart {
    const char *title, *x_label, *y_label;
    enum chart_numbers x_numbers;
    uint64_t x_min, x_max, y_min, y_max;
    bool y_logarithmic;
    struct chart_series series[CHART_SERIES_MAX];
    unsigned n_series;
};

/** Appends a point; there must be room. */
void chart_line(struct chart_series *s, uint64_t x, uint64_t y);
void chart_dot(struct chart_series *s, uint64_t x, uint64_t y);

/** Writes the chart. Points outside of the axes are put on their ends. */
void chart_write(const struct chart *c, FILE *out);

/** The binary logarithm of v > 0 in 1/65536, rounded down. */
uint64_t chart_log2(uint64_t v);

#endif
