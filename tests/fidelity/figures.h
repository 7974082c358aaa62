/* SPDX-License-Identifier: Apache-2.0 */
/* The published end-to-end figures that rulings.md R-26 keeps (timing.md sections 6 and 7), each
 * with the work that the model does for it. */
#ifndef TESTS_FIDELITY_FIGURES_H
#define TESTS_FIDELITY_FIGURES_H

#include <stddef.h>

#include "tests/fidelity/load.h"

/** What a figure says: nanoseconds a command, or commands a second. */
enum figure_kind { FIGURE_LATENCY, FIGURE_RATE };

struct figure {
    const char *text; /* the row */
    const char *profile, *source;
    enum figure_kind kind;
    unsigned depth;
    uint64_t published;
    unsigned percent; /* how near the model must come */
    struct load_plan plan;
    bool both_ports; /* round robin over the ports */
};

extern const struct figure figures[];
extern const size_t figure_count;

/** The same figure by the model alone, rounded down. Latencies are those of a warm command. */
uint64_t figure_modelled(const struct figure *f);

/** Deviation of the model in tenths of a percent, rounded to the nearest; negative = less. */
int figure_deviation(const struct figure *f, uint64_t modelled);

#define FIGURE_TEXT 16

/** Tenths of a percent as text: "+4.5 %", "-0.1 %", "0.0 %". Returns buf, FIGURE_TEXT bytes. */
const char *figure_percent(int tenths, char *buf);

#endif
