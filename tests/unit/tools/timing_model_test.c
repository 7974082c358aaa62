/* SPDX-License-Identifier: Apache-2.0 */
/* Closed forms of lone commands, held against the sums of docs/spec/timing.md section 8. */
#include "tools/timing_model.h"

#include <criterion/criterion.h>

static struct sim_params params(const char *profile)
{
    struct sim_params p;

    cr_assert_eq(sim_params_profile(&p, profile), 0);
    return p;
}

/* timing.md 8: 35,124 cycles; FlashGT written 11,884 and unwritten 6,134. */
Test(timing_model, sums_of_the_specification)
{
    struct sim_params p = params("flashsystem");

    cr_assert_eq(timing_model_command(&p, false, 4096), 35124);
    p = params("flashgt");
    cr_assert_eq(timing_model_command(&p, false, 4096), 11884);
    p.media_read = p.media_unwritten;
    cr_assert_eq(timing_model_command(&p, false, 4096), 6134);
}

/* The same path; data come the other way: 32 lines of 10 cycles and a read of 220, medium 21250. */
Test(timing_model, writes)
{
    struct sim_params p = params("flashsystem");

    cr_assert_eq(timing_model_command(&p, true, 4096),
                 75 + 8 + 220 + 16 + 4 + 25 + 250 + 21250 + 1240 + 320 + 220 + 16 + 150 + 150);
}

Test(timing_model, larger_ones)
{
    struct sim_params p = params("flashsystem");

    cr_assert_eq(timing_model_block(&p, false), 1240 + 320);
    cr_assert_eq(timing_model_block(&p, true), 1240 + 320);
    cr_assert_eq(timing_model_command(&p, false, 65536), 35124 + 15 * 1560);
    p.read_interval = 12;
    p.write_interval = 14;
    cr_assert_eq(timing_model_block(&p, true), 1240 + 32 * 12);
    cr_assert_eq(timing_model_block(&p, false), 1240 + 32 * 14);
}

/* TM-2: few credits stretch the lines. 16 of them: 8 for writes at most, 7 of which carry lines;
 * 7 of the 8 for reads. */
Test(timing_model, few_credits)
{
    struct sim_params p = params("flashsystem");

    p.credits = 16;
    cr_assert_eq(timing_model_block(&p, true), 1240 + 32 * 32);  /* 220 / 7, rounded up */
    cr_assert_eq(timing_model_block(&p, false), 1240 + 32 * 22); /* 150 / 7, rounded up */
}
