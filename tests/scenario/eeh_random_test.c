/* SPDX-License-Identifier: Apache-2.0 */
/* Clients at work, resets and platform events at random moments, under schedules that the seed
 * draws: every request meets every step of every recovery, in the end. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "hal/exec.h"
#include "hal/support/prng.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/scenario/survivor.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_seed.h"

TestSuite(eeh_random, .timeout = 600);

enum { CLIENTS = 4, LIVES = 3, CHUNKS = 16, SEEDS = 60 };

struct worker {
    struct stack *s;
    struct exec_thread *thread;
    uint8_t base;
    uint64_t seed; /* of the one who resets */
    unsigned recoveries;
};

struct storm {
    uint64_t seed;
    bool resets, ends;
    /* results of all seeds */
    unsigned normal, failed, recoveries;
};

static void live(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < LIVES; i++) {
        struct survivor v = {.s = w->s, .base = (uint8_t)(w->base + 10 * i)};

        survivor_live(&v);
        w->recoveries += v.recoveries;
    }
}

static void sleep_us(struct stack *s, uint64_t us) { stack_sleep(s, us * 1000); }

/* Most events come while clients work, which takes some milliseconds; others in recoveries. */
static void disturb(struct stack *s, const struct storm *storm, struct hal_prng *rng)
{
    struct sim_afu *afu = sim_host_afu(s->host, 0);

    for (unsigned i = 0; i < 4; i++) {
        sleep_us(s, hal_prng_below(rng, hal_prng_below(rng, 4) ? 1500 : 900000));
        switch (hal_prng_below(rng, storm->ends ? 8 : 6)) {
        case 0:
        case 1:
        case 2:
            sim_afu_platform(afu, SIM_EFFECT_FREEZE, 0);
            break;
        case 3:
            sim_afu_platform(afu, SIM_EFFECT_OTHER, 0);
            break;
        case 4:
        case 5:
            break;
        case 6:
            sim_afu_platform(afu, SIM_EFFECT_PERMANENT, 0);
            break;
        default:
            cr_assert_eq(spipe_remove(s->adapter, UINT64_MAX), 0);
            break;
        }
    }
}

/* Host resets beside all that. */
static void reset_now_and_then(void *arg)
{
    struct worker *w = arg;
    struct hal_prng rng;

    hal_prng_seed(&rng, w->seed, SIM_STREAM_FAULTS);
    for (unsigned i = 0; i < 2; i++) {
        sleep_us(w->s, hal_prng_below(&rng, hal_prng_below(&rng, 4) ? 1500 : 900000));
        (void)!spipe_reset(w->s->adapter);
    }
}

static void body(struct stack *s, void *arg)
{
    static struct worker w[CLIENTS];
    struct storm *storm = arg;
    struct worker reset = {.s = s, .seed = storm->seed};
    struct hal_prng rng;

    hal_prng_seed(&rng, storm->seed, SIM_STREAM_WORKLOAD);
    for (unsigned i = 0; i < CLIENTS; i++) {
        w[i] = (struct worker){.s = s, .base = (uint8_t)(50 * i)};
        cr_assert_eq(exec_thread_create(s->exec, "client", live, &w[i], &w[i].thread), 0);
    }
    if (storm->resets)
        cr_assert_eq(
            exec_thread_create(s->exec, "reset", reset_now_and_then, &reset, &reset.thread), 0);
    disturb(s, storm, &rng);
    if (storm->resets)
        exec_thread_join(s->exec, reset.thread);
    for (unsigned i = 0; i < CLIENTS; i++) {
        exec_thread_join(s->exec, w[i].thread);
        storm->recoveries += w[i].recoveries;
    }
    stack_sleep_s(s, 5);
    cr_assert_neq(stack_state(s), SPIPE_STATE_RESET);
    storm->normal += stack_state(s) == SPIPE_STATE_NORMAL;
    storm->failed += stack_state(s) == SPIPE_STATE_FAILED;
    survivor_expect_nothing_left(s, CHUNKS);
}

static void quick(struct sim_params *p) { p->platform_slot_reset = 25000000; }

static uint64_t one(struct storm *storm, uint64_t seed)
{
    struct sim_media *media = stack_media(CHUNKS);
    uint64_t hash;

    storm->seed = seed;
    hash = stack_run(&(struct stack_setup){.seed = seed, .media = media, .change_params = quick},
                     body, storm);
    sim_media_close(media);
    return hash;
}

static unsigned seeds(void)
{
    const char *text = getenv("SPIPE_TEST_SEEDS");

    return text ? (unsigned)strtoul(text, NULL, 0) : SEEDS;
}

static struct storm storm_of(bool resets, bool ends)
{
    struct storm storm = {.resets = resets, .ends = ends};
    uint64_t first = test_seed(1);

    for (uint64_t i = 0; i < seeds(); i++)
        one(&storm, first + i);
    return storm;
}

/* Freezes alone: only one that meets an AFU init may be the end (AD-143). */
Test(eeh_random, freezes)
{
    struct storm storm = storm_of(false, false);

    cr_assert_gt(storm.normal, storm.failed);
    cr_assert_gt(storm.recoveries, seeds());
}

/* FK-46: a reset that the freeze meets fails, which is the end as well (AD-132). */
Test(eeh_random, freezes_and_resets)
{
    struct storm storm = storm_of(true, false);

    cr_assert_gt(storm.normal, 0);
    cr_assert_gt(storm.recoveries, seeds() / 2);
}

/* FK-38: whatever clients are at, they come to their end. */
Test(eeh_random, ends)
{
    struct storm storm = storm_of(true, true);

    cr_assert_gt(storm.failed, 0);
    PROVES(INV_26);
}

Test(eeh_random, a_seed_replays)
{
    struct storm storm = {.resets = true};

    cr_assert_eq(one(&storm, 77), one(&storm, 77));
}
