/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fidelity/chart.h"

#include <inttypes.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

/* Where the plot lies, in tenths of a pixel. */
#define LEFT 900
#define RIGHT 5700
#define TOP 500
#define BOTTOM 3700
#define WIDTH 790
#define HEIGHT 420
#define LEGEND 5900
#define TICKS 5

/* Tenths of a pixel, as SVG writes them. */
#define AT "%" PRIu64 ".%" PRIu64
#define TENTHS(v) (v) / 10, (v) % 10

uint64_t chart_log2(uint64_t v)
{
    unsigned whole = hal_highest_bit(v);
    uint64_t m = v << (63 - whole) >> 32, log = (uint64_t)whole << 16; /* m: 1..2 in 1/2^31 */

    for (unsigned bit = 1u << 15; bit; bit >>= 1) {
        m = m * m >> 31;
        if (m >> 32) {
            m >>= 1;
            log += bit;
        }
    }
    return log;
}

void chart_line(struct chart_series *s, uint64_t x, uint64_t y)
{
    CHECK(s->n_line < CHART_POINTS_MAX);
    s->line[s->n_line++] = (struct chart_point){x, y};
}

void chart_dot(struct chart_series *s, uint64_t x, uint64_t y)
{
    CHECK(s->n_dots < CHART_POINTS_MAX);
    s->dots[s->n_dots++] = (struct chart_point){x, y};
}

/* ---- positions --------------------------------------------------------------------------------
 */

/* The place of v between from and to, of `length` tenths. */
static uint64_t along(uint64_t v, uint64_t from, uint64_t to, uint64_t length)
{
    CHECK(to > from);
    v = hal_min64(hal_max64(v, from), to);
    return (v - from) * length / (to - from);
}

static uint64_t x_of(const struct chart *c, uint64_t x)
{
    return LEFT + along(chart_log2(hal_max64(x, 1)), chart_log2(c->x_min), chart_log2(c->x_max),
                        RIGHT - LEFT);
}

static uint64_t y_of(const struct chart *c, uint64_t y)
{
    if (c->y_logarithmic)
        return BOTTOM - along(chart_log2(hal_max64(y, 1)), chart_log2(c->y_min),
                              chart_log2(c->y_max), BOTTOM - TOP);
    return BOTTOM - along(y, 0, c->y_max, BOTTOM - TOP);
}

/* ---- axes -------------------------------------------------------------------------------------
 */

static void number(FILE *out, uint64_t v, enum chart_numbers kind)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB"};
    unsigned i = 0;

    if (kind == CHART_PLAIN) {
        if (v >= 1000000 && v % 1000000 == 0)
            fprintf(out, "%" PRIu64 " M", v / 1000000);
        else if (v >= 10000 && v % 1000 == 0)
            fprintf(out, "%" PRIu64 " k", v / 1000);
        else
            fprintf(out, "%" PRIu64, v);
        return;
    }
    for (; v >= 1024 && v % 1024 == 0 && i < 3; i++)
        v /= 1024;
    fprintf(out, "%" PRIu64 " %s", v, unit[i]);
}

static void text(FILE *out, uint64_t x, uint64_t y, const char *anchor, const char *s)
{
    fprintf(out, "<text x=\"" AT "\" y=\"" AT "\" text-anchor=\"%s\">%s</text>\n", TENTHS(x),
            TENTHS(y), anchor, s);
}

static void x_tick(const struct chart *c, FILE *out, uint64_t v)
{
    uint64_t x = x_of(c, v);

    fprintf(out, "<path class=\"grid\" d=\"M" AT " " AT "V" AT "\"/>\n", TENTHS(x),
            TENTHS((uint64_t)TOP), TENTHS((uint64_t)BOTTOM));
    fprintf(out, "<text x=\"" AT "\" y=\"" AT "\" text-anchor=\"middle\">", TENTHS(x),
            TENTHS((uint64_t)BOTTOM + 180));
    number(out, v, c->x_numbers);
    fprintf(out, "</text>\n");
}

static void y_tick(const struct chart *c, FILE *out, uint64_t v)
{
    uint64_t y = y_of(c, v);

    fprintf(out, "<path class=\"grid\" d=\"M" AT " " AT "H" AT "\"/>\n", TENTHS((uint64_t)LEFT),
            TENTHS(y), TENTHS((uint64_t)RIGHT));
    fprintf(out, "<text x=\"" AT "\" y=\"" AT "\" text-anchor=\"end\">",
            TENTHS((uint64_t)LEFT - 80), TENTHS(y + 40));
    number(out, v, CHART_PLAIN);
    fprintf(out, "</text>\n");
}

/* 1, 2 or 5 times a power of ten, so that at most TICKS of them fit. */
static uint64_t nice_step(uint64_t max)
{
    for (uint64_t ten = 1;; ten *= 10)
        for (unsigned i = 0; i < 3; i++)
            if (max / (ten * (i == 0 ? 1 : i == 1 ? 2 : 5)) <= TICKS)
                return ten * (i == 0 ? 1 : i == 1 ? 2 : 5);
}

static void axes(const struct chart *c, FILE *out)
{
    uint64_t octaves = (chart_log2(c->x_max) - chart_log2(c->x_min)) >> 16;
    uint64_t step = c->y_logarithmic ? 0 : nice_step(c->y_max);

    for (uint64_t x = c->x_min; x <= c->x_max; x *= octaves > 9 ? 4 : 2)
        x_tick(c, out, x);
    if (c->y_logarithmic)
        for (uint64_t y = c->y_min; y <= c->y_max; y *= 10)
            y_tick(c, out, y);
    else
        for (uint64_t y = 0; y <= c->y_max; y += step)
            y_tick(c, out, y);
    fprintf(out, "<path class=\"axis\" d=\"M" AT " " AT "V" AT "H" AT "\"/>\n",
            TENTHS((uint64_t)LEFT), TENTHS((uint64_t)TOP), TENTHS((uint64_t)BOTTOM),
            TENTHS((uint64_t)RIGHT));
    text(out, (LEFT + RIGHT) / 2, BOTTOM + 400, "middle", c->x_label);
    text(out, LEFT - 700, TOP - 120, "start", c->y_label);
}

/* ---- curves -----------------------------------------------------------------------------------
 */

/* One shape a series, so that colour is not needed to tell them apart. */
static void mark(FILE *out, unsigned series, uint64_t x, uint64_t y)
{
    static const char *const shape[CHART_SERIES_MAX] = {
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        "m-4 -4h8v8h-8z",
        "m0 -5l5 9h-10z",
        "m0 -5l5 5l-5 5l-5 -5z",
        "m0 5l5 -9h-10z",
        "m-5 -2h10v4h-10z",
    };

    fprintf(out, "<path class=\"f%u\" d=\"M" AT " " AT "%s\"/>\n", series, TENTHS(x), TENTHS(y),
            shape[series]);
}

static void curve(const struct chart *c, FILE *out, unsigned i)
{
    const struct chart_series *s = &c->series[i];
    uint64_t legend = TOP + 100 + i * 480;

    if (s->n_line)
        fprintf(out, "<path class=\"l%u\" d=\"", i);
    for (unsigned k = 0; k < s->n_line; k++)
        fprintf(out, "%s" AT " " AT, k ? "L" : "M", TENTHS(x_of(c, s->line[k].x)),
                TENTHS(y_of(c, s->line[k].y)));
    if (s->n_line)
        fprintf(out, "\"/>\n");
    for (unsigned k = 0; k < s->n_dots; k++)
        mark(out, i, x_of(c, s->dots[k].x), y_of(c, s->dots[k].y));
    fprintf(out, "<path class=\"l%u\" d=\"M" AT " " AT "h24\"/>\n", i, TENTHS((uint64_t)LEGEND),
            TENTHS(legend));
    mark(out, i, LEGEND + 120, legend);
    text(out, LEGEND + 320, legend + 40, "start", s->label);
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static const char *const light[CHART_SERIES_MAX] = {"#0b5fa5", "#b3400b", "#1a7a3c",
                                                    "#7b3fa0", "#8a6d00", "#5a5a5a"};
static const char *const dark[CHART_SERIES_MAX] = {"#6cb6ff", "#ff9a5c", "#6bd68a",
                                                   "#d2a8ff", "#e3c04f", "#b0b0b0"};

static void colours(FILE *out, const char *const *colour)
{
    for (unsigned i = 0; i < CHART_SERIES_MAX; i++)
        fprintf(out, ".l%u{stroke:%s}.f%u{fill:%s}", i, colour[i], i, colour[i]);
    fprintf(out, "\n");
}

static void style(FILE *out)
{
    fprintf(out, "<style>\ntext{font:12px sans-serif;fill:#1f2328}.title{font-weight:bold}"
                 "path{fill:none;stroke:none;stroke-width:1.5}.ground{fill:#fff}"
                 ".grid{stroke:#d8dee4;stroke-width:1}.axis{stroke:#1f2328;stroke-width:1}\n");
    colours(out, light);
    fprintf(out, "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}"
                 ".grid{stroke:#30363d}.axis{stroke:#e6edf3}\n");
    colours(out, dark);
    fprintf(out, "}\n</style>\n");
}

void chart_write(const struct chart *c, FILE *out)
{
    CHECK(c->n_series <= CHART_SERIES_MAX && c->x_min && c->x_max > c->x_min);
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
            WIDTH, HEIGHT, WIDTH, HEIGHT, c->title);
    style(out);
    fprintf(out, "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n", WIDTH, HEIGHT);
    fprintf(out, "<text class=\"title\" x=\"20\" y=\"22\">%s</text>\n", c->title);
    axes(c, out);
    for (unsigned i = 0; i < c->n_series; i++)
        curve(c, out, i);
    fprintf(out, "</svg>\n");
}
