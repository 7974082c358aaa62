/* SPDX-License-Identifier: Apache-2.0 */
/* An idle adapter: the latency of a command is the sum of the parameters on its path, to the cycle
 * (timing.md 8), and moves with each of them exactly as that sum does. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "tests/fidelity/load.h"
#include "tests/fidelity/theory.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

static const char *const profiles[] = {"flashsystem", "flashgt", "zero"};

static struct sim_params profile(const char *name)
{
    struct sim_params p;

    cr_assert_eq(sim_params_profile(&p, name), 0);
    return p;
}

static const char *name_of(const struct load_plan *plan)
{
    static const char *const way[] = {"virtual LUN", "direct LUN", "port and LUN id"};
    static char text[96];

    snprintf(text, sizeof text, "%s %u blocks by %s, %s, %s", plan->write ? "write of" : "read of",
             plan->blocks ? plan->blocks : 1, way[plan->way], plan->sq ? "SQ" : "IOARRIN",
             plan->written ? "written" : "never written");
    return text;
}

/* Measured latency of the first command that finds its tables cold, and of the next one. A plan of
 * written blocks is warm from the beginning, because writing them was a command too. */
static void measure(const struct sim_params *p, const struct load_plan *plan, uint64_t *cold,
                    uint64_t *warm)
{
    struct load l;

    load_begin(&l, p, plan);
    *cold = plan->written ? 0 : load_one(&l, 0);
    *warm = load_one(&l, 0);
    load_end(&l);
}

static void check(const struct sim_params *p, const struct load_plan *plan, const char *what)
{
    uint64_t cold, warm;

    measure(p, plan, &cold, &warm);
    cr_expect_eq(warm, theory_latency(p, plan, false), "%s, %s, warm: %llu, sum %llu", what,
                 name_of(plan), (unsigned long long)warm,
                 (unsigned long long)theory_latency(p, plan, false));
    if (plan->written)
        return;
    cr_expect_eq(cold, theory_latency(p, plan, true), "%s, %s, cold: %llu, sum %llu", what,
                 name_of(plan), (unsigned long long)cold,
                 (unsigned long long)theory_latency(p, plan, true));
}

/* ---- the sum ----------------------------------------------------------------------------------
 */

/* Every way to name blocks, to submit, to move data: 3 x 2 x 3 plans. */
static struct load_plan plan_number(unsigned i)
{
    return (struct load_plan){
        .way = (enum load_way)(i % 3),
        .sq = i / 3 % 2,
        .write = i / 6 == 1,
        .written = i / 6 == 2,
    };
}

#define PLANS 18

Test(latency, is_the_sum_of_its_parameters)
{
    for (size_t k = 0; k < HAL_ARRAY_LENGTH(profiles); k++)
        for (unsigned i = 0; i < PLANS; i++) {
            struct sim_params p = profile(profiles[k]);
            struct load_plan plan = plan_number(i);

            check(&p, &plan, profiles[k]);
        }
    PROVES(R_4);
}

/* The sums of timing.md section 8, added up there by hand; and the same by the other ways: two bus
 * reads more when the tables are cold, one with a direct LUN. */
Test(latency, calibration_of_section_8)
{
    static const struct {
        const char *profile;
        struct load_plan plan;
        uint64_t warm, cold;
    } row[] = {
        {"flashsystem", {.way = LOAD_VIRTUAL}, 35124, 35124 + 220 + 220},
        {"flashsystem", {.way = LOAD_DIRECT}, 35124, 35124 + 220},
        {"flashsystem", {.way = LOAD_PORT}, 35124, 35124},
        {"flashgt", {.way = LOAD_VIRTUAL}, 6134, 6134 + 220 + 220},
        {"flashgt", {.way = LOAD_VIRTUAL, .written = true}, 11884, 0},
    };

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(row); i++) {
        struct sim_params p = profile(row[i].profile);
        uint64_t cold, warm;

        measure(&p, &row[i].plan, &cold, &warm);
        cr_assert_eq(warm, row[i].warm, "%s", name_of(&row[i].plan));
        cr_assert_eq(cold, row[i].cold, "%s", name_of(&row[i].plan));
    }
    PROVES(TM_22);
}

/* One line, one link, one medium more a block: sizes up to the longest transfer. */
Test(latency, grows_with_the_size)
{
    static const unsigned blocks[] = {1, 2, 3, 16, 256, 4096};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(blocks); i++)
        for (int write = 0; write < 2; write++) {
            struct sim_params p = profile("flashsystem");
            struct load_plan plan = {.way = LOAD_DIRECT, .write = write, .blocks = blocks[i]};

            check(&p, &plan, "flashsystem");
        }
    PROVES(R_12);
}

/* ---- one parameter at a time ------------------------------------------------------------------
 */

/* How many times each duration of the table is on the path of a warm 4 KiB command of the profile
 * "flashsystem", counted in timing.md sections 4 to 8 by hand: a read of never-written blocks, of
 * written ones, a write; and how many times more when the tables of a virtual LUN are cold. Every
 * parameter in cycles must stand here. */
static const struct {
    const char *name;
    unsigned unwritten, written, write, cold;
} on_path[] = {
    {"afu.doorbell_to_fetch", 1, 1, 1, 0},
    {"afu.cmd_decode", 1, 1, 1, 0},
    {"afu.xlt.hit", 1, 1, 1, 0},
    {"afu.to_port", 1, 1, 1, 0},
    {"afu.status_build", 1, 1, 1, 0},
    {"afu.sync.lw", 0, 0, 0, 0},
    {"afu.sync.hw", 0, 0, 0, 0},
    {"ctx.add", 0, 0, 0, 0}, /* long over */
    {"afu.provision", 0, 0, 0, 0},
    {"afu.debug", 0, 0, 0, 0},
    {"afu.ctx_reset", 0, 0, 0, 0},
    {"afu.reset", 0, 0, 0, 0},
    {"mmio.write.latency", 1, 1, 1, 0},
    {"mmio.read.latency", 0, 0, 0, 0},
    {"mmio.afu_ack", 0, 0, 0, 0},      /* between accesses only */
    {"bus.read.latency", 1, 1, 2, 2},  /* IOARCB; data of a write; RHT and LXT */
    {"bus.write.latency", 3, 3, 2, 0}, /* data of a read; IOASA; RRQ element */
    {"bus.read.line_interval", 0, 0, 32, 0},
    {"bus.write.line_interval", 32, 32, 0, 0},
    {"irq.delivery", 0, 0, 0, 0},      /* the host polls */
    {"xlate.fault.minor", 0, 0, 0, 0}, /* planned faults only */
    {"xlate.fault.major", 0, 0, 0, 0},
    {"xlate.fault.bad", 0, 0, 0, 0},
    {"xlate.hit", 0, 0, 0, 0}, /* with xlate.entries only */
    {"xlate.miss", 0, 0, 0, 0},
    {"fc.cmd_overhead", 1, 1, 1, 0},
    {"fc.4k_time", 1, 1, 1, 0},
    {"media.read.base", 0, 1, 0, 0},
    {"media.read.unwritten", 1, 0, 0, 0},
    {"media.write.base", 0, 0, 1, 0},
    {"media.lun.read_interval", 0, 0, 0, 0}, /* intervals: many commands only */
    {"media.lun.write_interval", 0, 0, 0, 0},
    {"card.interval", 0, 0, 0, 0},
    {"internal.access", 0, 0, 0, 0}, /* internal LUNs only */
    {"fc.link_loss", 0, 0, 0, 0},
    {"fc.login", 0, 0, 0, 0},
    {"fc.flogi", 0, 0, 0, 0},
    {"fc.plogi", 0, 0, 0, 0},
    {"fc.login_timeout", 0, 0, 0, 0},
    {"fc.shutdown", 0, 0, 0, 0},
    {"fc.echo_interval", 0, 0, 0, 0},
    {"platform.detect", 0, 0, 0, 0},
    {"platform.slot_reset", 0, 0, 0, 0},
};

static const struct load_plan varied[] = {
    {.way = LOAD_VIRTUAL},
    {.way = LOAD_VIRTUAL, .written = true},
    {.way = LOAD_VIRTUAL, .write = true},
};

static uint64_t *field(struct sim_params *p, const struct sim_param_info *info)
{
    return (uint64_t *)(void *)((char *)p + info->offset);
}

static size_t row_of(const struct sim_param_info *info)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(on_path); i++)
        if (!strcmp(on_path[i].name, info->name))
            return i;
    cr_assert_fail("%s is in cycles: say how often it is on the path of a command", info->name);
    return 0;
}

/* The latency moves by `more` times what the table above says, and by what the sum says. */
static void vary(const struct sim_param_info *info, unsigned variant, uint64_t more)
{
    const struct load_plan *plan = &varied[variant];
    struct sim_params p = profile("flashsystem");
    uint64_t cold, warm, cold_more, warm_more, times;
    size_t row = row_of(info);

    times = variant == 0   ? on_path[row].unwritten
            : variant == 1 ? on_path[row].written
                           : on_path[row].write;
    measure(&p, plan, &cold, &warm);
    *field(&p, info) += more;
    measure(&p, plan, &cold_more, &warm_more);
    cr_expect_eq(warm_more - warm, times * more, "%s + %llu moves a %s by %lld, not %llu",
                 info->name, (unsigned long long)more, name_of(plan), (long long)(warm_more - warm),
                 (unsigned long long)(times * more));
    if (!plan->written)
        cr_expect_eq(cold_more - cold, (times + on_path[row].cold) * more, "%s, cold", info->name);
}

Test(latency, moves_with_each_parameter_as_the_sum_does)
{
    for (size_t i = 0; i < sim_param_count; i++)
        for (unsigned v = 0; v < HAL_ARRAY_LENGTH(varied); v++)
            if (!strcmp(sim_param_table[i].unit, "cycles"))
                vary(&sim_param_table[i], v, 13 + v);
}

/* The same in every profile and by every way, expected from the sum alone: in "zero" lines follow
 * each other faster than the link takes them, and a change may vanish behind that. */
Test(latency, follows_the_sum_in_every_profile)
{
    for (size_t i = 0; i < sim_param_count; i++)
        for (size_t k = 0; k < HAL_ARRAY_LENGTH(profiles); k++)
            for (unsigned w = 0; w < 3; w++) {
                struct sim_params p = profile(profiles[k]);
                struct load_plan plan = plan_number((unsigned)(i + k) % 6 + 6 * w);

                if (strcmp(sim_param_table[i].unit, "cycles") != 0)
                    continue;
                *field(&p, &sim_param_table[i]) += 7;
                check(&p, &plan, sim_param_table[i].name);
            }
}

/* Sizes and rates do not change what a lone command takes. */
Test(latency, ignores_what_only_many_commands_meet)
{
    static const char *const only_rates[] = {"afu.cmd_room", "afu.cmd_slots", "media.parallel"};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(only_rates); i++) {
        struct sim_params p = profile("flashsystem");
        struct load_plan plan = {.way = LOAD_VIRTUAL};

        cr_assert_eq(sim_params_set(&p, only_rates[i], "1", NULL, 0), 0);
        check(&p, &plan, only_rates[i]);
    }
}

/* Without a cache every command reads its tables. */
Test(latency, no_cache_is_always_cold)
{
    struct sim_params p = profile("flashsystem");
    struct load_plan plan = {.way = LOAD_VIRTUAL};
    uint64_t cold, warm;

    p.xlt_entries = 0;
    measure(&p, &plan, &cold, &warm);
    cr_assert_eq(cold, 35124 + 440);
    cr_assert_eq(warm, 35124 + 440);
}

/* Few credits pace the lines of a transfer: to host memory 15 keep up a line every 10 cycles for
 * 150, from there 22 for 220; one more each is for a single command that goes together with a last
 * line; writes never get more than half. */
Test(latency, credits_pace_lines)
{
    static const unsigned credits[] = {4, 5, 15, 28, 30, 31, 32, 33, 37, 38, 39, 40, 64, 255};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(credits); i++)
        for (int write = 0; write < 2; write++) {
            struct sim_params p = profile("flashsystem");
            struct load_plan plan = {.way = LOAD_DIRECT, .write = write};
            bool enough = credits[i] >= (write ? 22 + 1 + 15 + 1 : 2 * (15 + 1));
            uint64_t cold, warm;

            p.credits = credits[i];
            check(&p, &plan, "psl.credits");
            measure(&p, &plan, &cold, &warm);
            cr_expect_eq(warm == (write ? 23944 : 35124), enough, "%u credits: %llu", credits[i],
                         (unsigned long long)warm);
        }
}

/* ---- what is unknown ------------------------------------------------------------------------- */

/* The medium's jitter is an addition of 0 to so many percent of its time. */
Test(latency, jitter_is_uniform_and_bounded)
{
    struct sim_params p = profile("flashsystem");
    struct load_plan plan = {.way = LOAD_VIRTUAL};
    uint64_t least = UINT64_MAX, most = 0, sum = 0;
    struct load l;

    p.media_jitter = 10;
    load_begin(&l, &p, &plan);
    load_one(&l, 0);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t t = load_one(&l, 0);

        least = hal_min64(least, t);
        most = hal_max64(most, t);
        sum += t;
    }
    load_end(&l);
    cr_assert(least >= 35124 && least < 35124 + 50, "%llu", (unsigned long long)least);
    cr_assert(most <= 35124 + 3250 && most > 35124 + 3200, "%llu", (unsigned long long)most);
    cr_assert(sum / 1000 > 35124 + 1500 && sum / 1000 < 35124 + 1750, "%llu",
              (unsigned long long)(sum / 1000));
}

/* Any value of what nobody knows gives the sum again: nothing else depends on it. */
Test(latency, follows_random_assumptions)
{
    struct hal_prng rng;

    hal_prng_seed(&rng, test_seed(1), 0);
    for (unsigned round = 0; round < 60; round++) {
        struct sim_params p = profile(profiles[round % 2]);
        struct load_plan plan = plan_number(round % PLANS);

        for (size_t i = 0; i < sim_param_count; i++) {
            const struct sim_param_info *info = &sim_param_table[i];

            if (info->confidence == 'D' && !strcmp(info->unit, "cycles"))
                *field(&p, info) = info->min + hal_prng_below(&rng, hal_min64(info->max, 100000));
        }
        p.credits = 255; /* few would pace lines: another test */
        check(&p, &plan, "random");
    }
    PROVES(TM_23);
}
