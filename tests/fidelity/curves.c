/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fidelity/curves.h"

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "tests/fidelity/chart.h"
#include "tests/fidelity/load.h"
#include "tests/fidelity/theory.h"

#define HZ UINT64_C(250000000)
#define CYCLES_A_US 250
#define CONTEXTS 16
#define COMPLETIONS 4096
#define WINDOW 2048
#define DEPTH_MAX 256

/* ---- what the model does ----------------------------------------------------------------------
 */

static struct sim_params profile(const char *name)
{
    struct sim_params p;
    int rc = sim_params_profile(&p, name);

    CHECK(rc == 0);
    return p;
}

/* Cycles in which `depth` commands complete, so many in flight: WINDOW completions, rounded. */
static uint64_t round_of(const struct sim_params *p, const struct load_plan *plan, unsigned depth)
{
    static uint64_t at[COMPLETIONS];
    uint64_t cycles;
    struct load l;

    load_begin(&l, p, plan);
    load_closed(&l, depth, COMPLETIONS, at);
    load_end(&l);
    cycles = at[COMPLETIONS - 1] - at[COMPLETIONS - 1 - WINDOW];
    return (cycles * depth + WINDOW / 2) / WINDOW;
}

static uint64_t warm_latency(const struct sim_params *p, const struct load_plan *plan,
                             unsigned context)
{
    uint64_t cycles;
    struct load l;

    load_begin(&l, p, plan);
    l.turn = l.plan.luns - 1; /* of the last LUN, twice */
    load_one(&l, context);
    l.turn = l.plan.luns - 1;
    cycles = load_one(&l, context);
    load_end(&l);
    return cycles;
}

/* The four kinds of work that the curves show. */
static const struct {
    const char *label, *profile;
    struct load_plan plan;
} works[] = {
    {"FlashSystem, read", "flashsystem", {.way = LOAD_VIRTUAL}},
    {"FlashSystem, write", "flashsystem", {.way = LOAD_VIRTUAL, .write = true}},
    {"FlashGT, read (written)", "flashgt", {.way = LOAD_VIRTUAL, .written = true}},
    {"FlashGT, write", "flashgt", {.way = LOAD_VIRTUAL, .write = true}},
};

/* ---- over depth -------------------------------------------------------------------------------
 */

/* Depths for the line of the theory: up to eight an octave, every power of two among them. */
static unsigned next_depth(unsigned depth)
{
    return depth + (depth < 8 ? 1 : 1u << (hal_highest_bit(depth) - 3));
}

static uint64_t rate(unsigned depth, uint64_t cycles) { return depth * HZ / cycles; }

static uint64_t microseconds(unsigned depth, uint64_t cycles)
{
    (void)depth;
    return (cycles + CYCLES_A_US / 2) / CYCLES_A_US;
}

static void over_depth(struct chart *c, uint64_t (*value)(unsigned depth, uint64_t cycles))
{
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(works); i++) {
        struct chart_series *s = &c->series[c->n_series++];
        struct sim_params p = profile(works[i].profile);
        struct load_plan plan = works[i].plan;

        s->label = works[i].label;
        plan.contexts = CONTEXTS;
        for (unsigned d = 1; d <= DEPTH_MAX; d = next_depth(d))
            chart_line(s, d, value(d, theory_round(&p, &plan, d)));
        for (unsigned d = 1; d <= DEPTH_MAX; d *= 2)
            chart_dot(s, d, value(d, round_of(&p, &plan, d)));
    }
}

static void rate_over_depth(FILE *out)
{
    static struct chart c;

    c = (struct chart){
        .title = "4 KiB commands a second over depth (line: theory, marks: model)",
        .x_label = "commands in flight, 16 contexts",
        .y_label = "commands a second",
        .x_min = 1,
        .x_max = DEPTH_MAX,
        .y_max = 350000,
    };
    over_depth(&c, rate);
    chart_write(&c, out);
}

static void latency_over_depth(FILE *out)
{
    static struct chart c;

    c = (struct chart){
        .title = "Mean latency of 4 KiB commands over depth (line: theory, marks: model)",
        .x_label = "commands in flight, 16 contexts",
        .y_label = "us, doorbell to RRQ element",
        .x_min = 1,
        .x_max = DEPTH_MAX,
        .y_max = 1400,
    };
    over_depth(&c, microseconds);
    chart_write(&c, out);
}

/* ---- over size --------------------------------------------------------------------------------
 */

static void latency_over_size(FILE *out)
{
    static struct chart c;

    c = (struct chart){
        .title = "Latency of one command over its size (line: theory, marks: model)",
        .x_label = "bytes of the transfer",
        .y_label = "us, doorbell to RRQ element",
        .x_numbers = CHART_BYTES,
        .x_min = 4096,
        .x_max = 16 << 20,
        .y_logarithmic = true,
        .y_min = 10,
        .y_max = 100000,
    };
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(works); i++) {
        struct chart_series *s = &c.series[c.n_series++];
        struct sim_params p = profile(works[i].profile);

        s->label = works[i].label;
        for (unsigned blocks = 1; blocks <= 4096; blocks *= 2) {
            struct load_plan plan = works[i].plan;

            plan.blocks = blocks;
            chart_line(s, blocks * 4096, microseconds(1, theory_latency(&p, &plan, false)));
            chart_dot(s, blocks * 4096, microseconds(1, warm_latency(&p, &plan, 0)));
        }
    }
    chart_write(&c, out);
}

/* ---- flatness ---------------------------------------------------------------------------------
 */

/* Cycles between two completions of a saturated adapter, rounded. */
static uint64_t interval(const struct sim_params *p, const struct load_plan *plan, unsigned depth)
{
    return (round_of(p, plan, depth) + depth / 2) / depth;
}

static void latency_dot(struct chart_series *s, const struct sim_params *p,
                        const struct load_plan *plan, uint64_t x)
{
    chart_line(s, x, theory_latency(p, plan, false));
    chart_dot(s, x, warm_latency(p, plan, plan->contexts - 1));
}

static void interval_dot(struct chart_series *s, const struct sim_params *p,
                         const struct load_plan *plan, uint64_t x, unsigned depth)
{
    struct theory_stage slowest = theory_slowest(p, plan);

    chart_line(s, x, (slowest.cycles + slowest.per / 2) / slowest.per);
    chart_dot(s, x, interval(p, plan, depth));
}

/* One process element is the master's. Fewer than two users cannot fill a link: 16 commands each.
 */
static void over_contexts(FILE *out)
{
    static const char *const label[] = {"FlashSystem, latency", "FlashSystem, interval",
                                        "FlashGT, latency", "FlashGT, interval"};
    static struct chart c;

    c = (struct chart){
        .title = "4 KiB reads over contexts (line: theory, marks: model)",
        .x_label = "contexts in use, the master's included",
        .y_label = "cycles: latency of the last context when idle; between completions when full",
        .x_min = 2,
        .x_max = 512,
        .y_logarithmic = true,
        .y_min = 100,
        .y_max = 100000,
        .n_series = 4,
    };
    for (unsigned i = 0; i < 4; i++)
        c.series[i].label = label[i];
    for (unsigned i = 0; i < 4; i += 2)
        for (unsigned n = 2; n <= 512; n *= 2) {
            struct sim_params p = profile(works[i].profile);
            struct load_plan plan = works[i].plan;

            plan.contexts = n - 1;
            latency_dot(&c.series[i], &p, &plan, n);
            if (n > 2)
                interval_dot(&c.series[i + 1], &p, &plan, n, (unsigned)hal_max64(48, n - 1));
        }
    chart_write(&c, out);
}

static void over_luns(FILE *out)
{
    static const unsigned luns[] = {2, 4, 8, 16, 32, 64, 128, 255};
    static const char *const label[] = {"FlashSystem, latency", "FlashSystem, interval",
                                        "FlashGT, latency", "FlashGT, interval"};
    static struct chart c;

    c = (struct chart){
        .title = "4 KiB reads over LUNs (line: theory, marks: model)",
        .x_label = "LUNs in use, by handle of the whole LUN",
        .y_label = "cycles: latency when idle; between completions when full, depth 256",
        .x_min = 2,
        .x_max = 256,
        .y_logarithmic = true,
        .y_min = 100,
        .y_max = 100000,
        .n_series = 4,
    };
    for (unsigned i = 0; i < 4; i++)
        c.series[i].label = label[i];
    for (unsigned i = 0; i < 4; i += 2)
        for (unsigned k = 0; k < HAL_ARRAY_LENGTH(luns); k++) {
            struct sim_params p = profile(works[i].profile);
            struct load_plan plan = works[i].plan;

            plan.way = LOAD_DIRECT;
            plan.luns = luns[k];
            plan.contexts = CONTEXTS;
            latency_dot(&c.series[i], &p, &plan, luns[k]);
            interval_dot(&c.series[i + 1], &p, &plan, luns[k], DEPTH_MAX);
        }
    chart_write(&c, out);
}

const struct curves_file curves_files[] = {
    {"rate.svg", rate_over_depth},   {"latency.svg", latency_over_depth},
    {"size.svg", latency_over_size}, {"contexts.svg", over_contexts},
    {"luns.svg", over_luns},         {"parameters.md", tables_parameters},
    {"figures.md", tables_figures},
};

const size_t curves_count = HAL_ARRAY_LENGTH(curves_files);
