/* SPDX-License-Identifier: Apache-2.0 */
/* The PSL's own translation (timing.md 4): pages of 64 KiB, known or not. */
#include <criterion/criterion.h>

#include "tests/unit/sim/sim_afu_fixture.h"

#define MISS 100 /* timing.md 4, cycles */

static void up_with(uint64_t entries)
{
    struct sim_params params;

    sim_params_default(&params);
    params.xlate_entries = entries;
    m = model_create_bare(&params);
    model_bring_up(m);
    memset(&user, 0, sizeof user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
}

static uint64_t latency(void *buffer)
{
    uint64_t begin = m->machine->engine.now;

    model_rw(m, &user, 0, false, 0, 0, 1, buffer);
    cr_assert(model_issue(m, &user, 0, 1000000));
    cr_assert_eq(model_ioasc(&user, 0), 0);
    return m->machine->engine.now - begin;
}

/* IOARCB with IOASA, data, RRQ, RHT and LXT lie in five regions, and so in five pages. */
Test(sim_erat, each_page_is_missed_once)
{
    uint64_t cold, warm;

    up_with(0);
    cold = latency(m->buffer);
    warm = latency(m->buffer);
    cr_assert_eq(warm, 35124); /* timing.md 8 */
    down();
    up_with(4096);
    cr_assert_eq(latency(m->buffer), cold + 5 * MISS);
    cr_assert_eq(latency(m->buffer), warm);
    cr_assert_eq(latency(m->buffer + 65536), warm + MISS, "another page of the buffer");
    cr_assert_eq(latency(m->buffer), warm);
    down();
}

/* With one place IOARCB, data, IOASA and RRQ push each other out. */
Test(sim_erat, few_places_miss_again_and_again)
{
    up_with(1);
    latency(m->buffer);
    cr_assert_eq(latency(m->buffer), 35124 + 4 * MISS);
    sim_afu_params_mutable(m->afu)->xlate_miss = 7;
    cr_assert_eq(latency(m->buffer), 35124 + 4 * 7);
    down();
}

Test(sim_erat, hits_can_cost_too)
{
    up_with(4096);
    latency(m->buffer);
    sim_afu_params_mutable(m->afu)->xlate_hit_time = 3;
    cr_assert_eq(latency(m->buffer), 35124 + 4 * 3);
    down();
}

/* A context that ends takes its pages along. */
Test(sim_erat, forgets_with_the_context)
{
    uint64_t warm;

    up_with(4096);
    latency(m->buffer);
    warm = latency(m->buffer);
    model_ctx_end(m, &user);
    model_ctx_start(m, &user, false, HAL_ORDER_LITTLE);
    model_virtual(m, &user, 0, chunk0, 1, 0, AFU_PERM_RW);
    cr_assert_geq(latency(m->buffer), warm + 5 * MISS);
    down();
}
