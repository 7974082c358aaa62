/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fidelity/figures.h"

#include <stdio.h>
#include <stdlib.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

#define HZ UINT64_C(250000000)
#define CYCLE_NS 4
#define CONTEXTS 16
#define COMPLETIONS 4096
#define WINDOW 2048

/* A latency is the adapter's own, so 5 %. A rate at depth 1 has the program between two commands in
 * it, which the model alone does not have: 15 % (TM-22). */
const struct figure figures[] = {
    {"read, virtual LUN (written blocks), latency",
     "flashgt",
     "CU",
     FIGURE_LATENCY,
     1,
     48000,
     5,
     {.way = LOAD_VIRTUAL, .written = true},
     false},
    {"read, direct LUN (never written), latency",
     "flashgt",
     "CU",
     FIGURE_LATENCY,
     1,
     25000,
     5,
     {.way = LOAD_DIRECT},
     false},
    {"write, virtual LUN, latency",
     "flashgt",
     "CU",
     FIGURE_LATENCY,
     1,
     20000,
     15,
     {.way = LOAD_VIRTUAL, .write = true},
     false},
    {"write, direct LUN, latency",
     "flashgt",
     "CU",
     FIGURE_LATENCY,
     1,
     19000,
     5,
     {.way = LOAD_DIRECT, .write = true},
     false},
    {"read, virtual LUN, depth 1",
     "flashgt",
     "CU",
     FIGURE_RATE,
     1,
     20025,
     15,
     {.way = LOAD_VIRTUAL, .written = true},
     false},
    {"read, direct LUN, depth 1",
     "flashgt",
     "CU",
     FIGURE_RATE,
     1,
     37888,
     15,
     {.way = LOAD_DIRECT},
     false},
    {"write, virtual LUN, depth 1",
     "flashgt",
     "CU",
     FIGURE_RATE,
     1,
     48210,
     15,
     {.way = LOAD_VIRTUAL, .write = true},
     false},
    {"write, direct LUN, depth 1",
     "flashgt",
     "CU",
     FIGURE_RATE,
     1,
     50834,
     5,
     {.way = LOAD_DIRECT, .write = true},
     false},
    {"read, depth 128",
     "flashgt",
     "CU",
     FIGURE_RATE,
     128,
     324000,
     5,
     {.way = LOAD_VIRTUAL, .written = true},
     false},
    {"write, depth 128",
     "flashgt",
     "CU",
     FIGURE_RATE,
     128,
     185000,
     5,
     {.way = LOAD_VIRTUAL, .write = true},
     false},
    {"one 8GFC port, 4 KiB reads",
     "flashsystem",
     "computed",
     FIGURE_RATE,
     256,
     201000,
     5,
     {.way = LOAD_VIRTUAL},
     false},
    {"two 8GFC ports, 4 KiB reads",
     "flashsystem",
     "computed",
     FIGURE_RATE,
     256,
     403000,
     5,
     {.way = LOAD_VIRTUAL},
     true},
};

const size_t figure_count = HAL_ARRAY_LENGTH(figures);

static uint64_t latency(struct load *l)
{
    load_one(l, 0);
    return load_one(l, 0) * CYCLE_NS;
}

static uint64_t rate(struct load *l, unsigned depth)
{
    static uint64_t at[COMPLETIONS];

    load_closed(l, depth, COMPLETIONS, at);
    return WINDOW * HZ / (at[COMPLETIONS - 1] - at[COMPLETIONS - 1 - WINDOW]);
}

uint64_t figure_modelled(const struct figure *f)
{
    struct load_plan plan = f->plan;
    struct sim_params p;
    struct load l;
    uint64_t value;
    int rc = sim_params_profile(&p, f->profile);

    CHECK(rc == 0);
    p.port_choice_rr = f->both_ports;
    plan.contexts = f->kind == FIGURE_RATE ? CONTEXTS : 1;
    load_begin(&l, &p, &plan);
    value = f->kind == FIGURE_LATENCY ? latency(&l) : rate(&l, f->depth);
    load_end(&l);
    return value;
}

int figure_deviation(const struct figure *f, uint64_t modelled)
{
    int64_t more = ((int64_t)modelled - (int64_t)f->published) * 1000;
    int64_t half = (int64_t)f->published / 2;

    return (int)((more + (more < 0 ? -half : half)) / (int64_t)f->published);
}

const char *figure_percent(int tenths, char *buf)
{
    const char *sign = tenths < 0 ? "-" : tenths ? "+" : "";

    snprintf(buf, FIGURE_TEXT, "%s%d.%d %%", sign, abs(tenths) / 10 % 1000, abs(tenths) % 10);
    return buf;
}
