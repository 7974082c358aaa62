/* SPDX-License-Identifier: Apache-2.0 */
/* A busy adapter: with `depth` commands in flight it completes so many in one latency, or as many
 * as its slowest stage lets through (Little's law), whichever is less. In cycles, from 1 to 256
 * commands of 16 contexts; each stage in turn is the slowest. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/fidelity/load.h"
#include "tests/fidelity/theory.h"
#include "tests/testlib/proves.h"

#define CONTEXTS 16
#define COMPLETIONS 20000
#define WINDOW 8192 /* of them, at the end: the adapter is in its steady state */
#define DEPTH_MAX 256

static uint64_t at[COMPLETIONS];

/* One stage made the slowest. */
struct limit {
    const char *profile, *stage; /* name in theory.h */
    struct load_plan plan;
    struct {
        const char *name, *value;
    } set[3];
};

static struct sim_params params_of(const struct limit *c)
{
    struct sim_params p;
    char why[256];

    cr_assert_eq(sim_params_profile(&p, c->profile), 0);
    p.xlt_entries = 4096; /* 16 contexts do not drive each other out of the cache */
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(c->set) && c->set[i].name; i++)
        cr_assert_eq(sim_params_set(&p, c->set[i].name, c->set[i].value, why, sizeof why), 0, "%s",
                     why);
    return p;
}

/* Cycles for WINDOW completions at the end of n. */
static uint64_t window(const struct limit *c, unsigned depth, unsigned n)
{
    struct sim_params p = params_of(c);
    struct load_plan plan = c->plan;
    struct load l;

    plan.contexts = CONTEXTS;
    load_begin(&l, &p, &plan);
    load_closed(&l, depth, n, at);
    load_end(&l);
    return at[n - 1] - at[n - 1 - WINDOW];
}

/* ---- stages that a command passes once ---------------------------------------------------------
 */

static const struct limit exact[] = {
    {"flashsystem", "FC link", {.way = LOAD_VIRTUAL}, {{0}}},
    {"flashsystem", "FC link", {.way = LOAD_DIRECT, .write = true}, {{0}}},
    {"flashsystem", "FC link", {.way = LOAD_PORT, .sq = true}, {{0}}},
    {"zero", "FC link", {.way = LOAD_DIRECT}, {{0}}},
    {"flashsystem", "command frame", {.way = LOAD_DIRECT}, {{"fc.cmd_overhead", "2000"}}},
    {"flashsystem", "places on the medium", {.way = LOAD_VIRTUAL}, {{"media.parallel", "8"}}},
    {"flashsystem",
     "places on the medium",
     {.way = LOAD_DIRECT, .write = true},
     {{"media.parallel", "4"}}},
    {"flashsystem", "command slots", {.way = LOAD_DIRECT}, {{"afu.cmd_slots", "16"}}},
    {"flashsystem",
     "register interface",
     {.way = LOAD_DIRECT, .sq = true},
     {{"mmio.afu_ack", "1000"}, {"fc.4k_time", "900"}}},
    /* one line a read: the fetch of its IOARCB */
    {"flashsystem",
     "bus, host to card",
     {.way = LOAD_DIRECT},
     {{"bus.read.line_interval", "2000"}}},
    {"flashsystem",
     "bus, host to card",
     {.way = LOAD_PORT},
     {{"psl.credits", "8"}, {"bus.read.latency", "10000"}}},
    {"flashgt", "LUN", {.way = LOAD_VIRTUAL}, {{0}}},
    {"flashgt", "LUN", {.way = LOAD_VIRTUAL, .written = true}, {{0}}},
    {"flashgt", "LUN", {.way = LOAD_DIRECT, .write = true}, {{0}}},
    {"flashgt", "card", {.way = LOAD_DIRECT, .luns = 4, .write = true}, {{0}}},
};

/* WINDOW completions take WINDOW / depth rounds; depths are powers of two, so this is whole. */
static void check_exact(const struct limit *c, unsigned depth)
{
    struct sim_params p = params_of(c);
    struct theory_stage s = theory_slowest(&p, &c->plan);
    uint64_t rounds = theory_latency(&p, &c->plan, false) * (WINDOW / depth);
    uint64_t expected = hal_max64(rounds, WINDOW * s.cycles / s.per);
    uint64_t measured = window(c, depth, WINDOW + 4 * DEPTH_MAX);

    cr_expect(!strcmp(s.name, c->stage), "%s is slowest, not %s", s.name, c->stage);
    cr_expect_eq(WINDOW * s.cycles % s.per, 0);
    cr_expect_eq(measured, expected, "%s, %s slowest, depth %u: %llu cycles, expected %llu",
                 c->profile, c->stage, depth, (unsigned long long)measured,
                 (unsigned long long)expected);
}

Test(rate, is_depth_over_latency_up_to_the_slowest_stage)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(exact); i++)
        for (unsigned depth = 1; depth <= DEPTH_MAX; depth *= 2)
            check_exact(&exact[i], depth);
}

/* Saturated, one completion follows the other exactly so many cycles later: 4 KiB on an 8 Gb/s
 * link, a read or a write of one FlashGT LUN, a command of the FlashGT card. */
Test(rate, completions_are_the_interval_of_the_slowest_stage_apart)
{
    static const struct {
        struct limit limit;
        uint64_t interval;
    } row[] = {
        {{"flashsystem", "FC link", {.way = LOAD_VIRTUAL}, {{0}}}, 1240},
        {{"flashgt", "LUN", {.way = LOAD_VIRTUAL}, {{0}}}, 772},
        {{"flashgt", "LUN", {.way = LOAD_VIRTUAL, .write = true}, {{0}}}, 1351},
        {{"flashgt", "card", {.way = LOAD_DIRECT, .luns = 4, .write = true}, {{0}}}, 568},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(row); i++) {
        unsigned n = WINDOW + 4 * DEPTH_MAX;

        window(&row[i].limit, DEPTH_MAX, n);
        for (unsigned k = n - WINDOW; k < n; k++)
            cr_assert_eq(at[k] - at[k - 1], row[i].interval, "%s, %s", row[i].limit.profile,
                         row[i].limit.stage);
    }
    PROVES(R_26);
}

/* ---- the bus, which a command needs three times ------------------------------------------------
 */

static const struct limit bus[] = {
    {"flashgt",
     "bus, card to host",
     {.way = LOAD_DIRECT},
     {{"media.lun.read_interval", "0"}, {"card.interval", "0"}}},
    {"flashgt",
     "bus, host to card",
     {.way = LOAD_DIRECT, .write = true},
     {{"media.lun.write_interval", "0"}, {"card.interval", "0"}}},
    {"flashgt", "bus, card to host", {.way = LOAD_DIRECT}, {{"psl.credits", "8"}}},
    {"flashgt", "bus, host to card", {.way = LOAD_DIRECT, .write = true}, {{"psl.credits", "8"}}},
    {"flashsystem", "bus, card to host", {.way = LOAD_DIRECT}, {{"psl.credits", "8"}}},
    {"flashsystem", "FC link", {.way = LOAD_VIRTUAL}, {{"port.choice_rr", "1"}}},
    {"flashgt", "card", {.way = LOAD_DIRECT, .luns = 4}, {{0}}},
};

/* Between the two bounds of theory.h. Completions come in bunches of up to `depth`, so the window
 * may begin or end within one. */
static void check_bounds(const struct limit *c, unsigned depth)
{
    struct sim_params p = params_of(c);
    struct theory_stage s = theory_slowest(&p, &c->plan);
    uint64_t least = theory_round(&p, &c->plan, depth) * (WINDOW / depth - 1);
    uint64_t most = theory_worst_round(&p, &c->plan, depth) * (WINDOW / depth + 1);
    uint64_t measured = window(c, depth, COMPLETIONS);

    cr_expect(!strcmp(s.name, c->stage), "%s is slowest, not %s", s.name, c->stage);
    cr_expect(measured >= least && measured <= most,
              "%s, %s slowest, depth %u: %llu, not %llu..%llu", c->profile, c->stage, depth,
              (unsigned long long)measured, (unsigned long long)least, (unsigned long long)most);
}

Test(rate, of_a_busy_bus_lies_between_its_bounds)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bus); i++)
        for (unsigned depth = 1; depth <= DEPTH_MAX; depth *= 2)
            check_bounds(&bus[i], depth);
}

/* Over all completions of a long run, at most 5 % below what the slowest stage lets through. */
Test(rate, of_a_saturated_bus_is_that_of_its_lines)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bus); i++) {
        struct sim_params p = params_of(&bus[i]);
        struct theory_stage s = theory_slowest(&p, &bus[i].plan);
        uint64_t least = (COMPLETIONS - DEPTH_MAX) * s.cycles / s.per, measured;

        window(&bus[i], DEPTH_MAX, COMPLETIONS);
        measured = at[COMPLETIONS - 1] - at[0];
        cr_expect(measured >= least && measured <= COMPLETIONS * s.cycles / s.per * 105 / 100,
                  "%s, %s: %llu cycles, %llu", bus[i].profile, bus[i].stage,
                  (unsigned long long)measured, (unsigned long long)least);
    }
}
