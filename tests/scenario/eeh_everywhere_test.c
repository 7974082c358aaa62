/* SPDX-License-Identifier: Apache-2.0 */
/* The slot freezes, or the adapter fails for good, before the events of every cycle in which
 * anything happens in a small scenario (FK-35, FK-37, FK-38). CI takes every so many-th; all of
 * them with SPIPE_TEST_ALL=1. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "hal/exec.h"
#include "hal/support/bits.h"
#include "sim/sim_control.h"
#include "sim/sim_media.h"
#include "tests/scenario/survivor.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/recording.h"

TestSuite(eeh_everywhere, .timeout = 600);

enum { CHUNKS = 8, RUNS_IN_CI = 500 };

struct fault {
    enum sim_effect effect; /* NONE: no fault */
    uint64_t at, arg;       /* cycle of the run */
};

struct run {
    struct fault fault[2];
    bool sq;
    int hwqs; /* 0: as by default */
    struct recording *records;
    /* results */
    uint64_t begin, end; /* cycles of the client's life */
    enum spipe_state state;
    unsigned recoveries;
};

static uint64_t cycle(struct stack *s) { return sim_host_machine(s->host)->engine.now; }

/* Faults later than the life of the client are none. */
static void until_calm(struct stack *s, const struct run *r)
{
    for (unsigned i = 0; i < 2; i++)
        if (r->fault[i].effect && cycle(s) <= r->fault[i].at)
            cr_assert_eq(exec_sleep_until(s->exec, (r->fault[i].at + 1) * SIM_CYCLE_NS), 0);
    stack_sleep_s(s, 1);
    while (stack_state(s) == SPIPE_STATE_RESET)
        stack_sleep_s(s, 1);
}

static void body(struct stack *s, void *arg)
{
    struct survivor v = {.s = s, .base = 10};
    struct run *r = arg;

    if (r->hwqs)
        cr_assert_eq(spipe_hwqs_set(s->adapter, r->hwqs), 0);
    r->begin = cycle(s);
    for (unsigned i = 0; i < 2; i++)
        if (r->fault[i].effect)
            sim_afu_platform_at(sim_host_afu(s->host, 0), r->fault[i].effect, r->fault[i].arg,
                                hal_max64(r->fault[i].at, r->begin + 1));
    survivor_live(&v);
    r->end = cycle(s);
    until_calm(s, r);
    r->state = stack_state(s);
    r->recoveries = v.recoveries;
    survivor_expect_nothing_left(s, CHUNKS);
}

static void quick(struct sim_params *p)
{
    p->platform_slot_reset = 25000000; /* 100 ms: nothing depends on it */
}

static void run(struct run *r)
{
    struct sim_media *media = stack_media(CHUNKS);

    stack_run(&(struct stack_setup){.seed = 1,
                                    .media = media,
                                    .interface_version = r->sq ? UINT64_C(0x4000000000010002) : 0,
                                    .change_params = quick,
                                    .records = r->records},
              body, r);
    sim_media_close(media);
}

/* ---- which cycles ---- */

struct cycles {
    uint64_t *at;
    size_t n;
};

/* Those of a run, from one cycle to another, in which something is recorded. */
static struct cycles cycles_of(const struct recording *r, uint64_t from, uint64_t to)
{
    struct cycles c = {malloc(r->count * sizeof(uint64_t)), 0};

    cr_assert_not_null(c.at);
    for (size_t i = 0; i < r->count; i++) {
        uint64_t at = r->record[i].cycle;

        if (at >= from && at <= to && (!c.n || at > c.at[c.n - 1]))
            c.at[c.n++] = at;
    }
    cr_assert_gt(c.n, 100);
    return c;
}

static size_t step(size_t n) { return getenv("SPIPE_TEST_ALL") ? 1 : n / RUNS_IN_CI + 1; }

static struct cycles reference(struct run *r)
{
    struct recording records = {0};
    struct cycles c;

    r->records = &records;
    run(r);
    r->records = NULL;
    c = cycles_of(&records, r->begin, r->end);
    recording_free(&records);
    return c;
}

/* ---- one fault ---- */

static void freeze_everywhere(struct run r)
{
    struct cycles c = reference(&r);
    size_t runs = 0, recoveries = 0;

    for (size_t i = 0; i < c.n; i += step(c.n)) {
        r.fault[0] = (struct fault){SIM_EFFECT_FREEZE, c.at[i], 0};
        run(&r);
        cr_assert_eq(r.state, SPIPE_STATE_NORMAL, "frozen in cycle %llu",
                     (unsigned long long)c.at[i]);
        runs++;
        recoveries += r.recoveries;
    }
    cr_assert_geq(recoveries, runs * 9 / 10, "%zu of %zu", recoveries, runs);
    free(c.at);
    PROVES(INV_24);
}

Test(eeh_everywhere, freeze) { freeze_everywhere((struct run){.sq = false}); }

Test(eeh_everywhere, freeze_in_sq_mode) { freeze_everywhere((struct run){.sq = true}); }

Test(eeh_everywhere, freeze_with_four_queues) { freeze_everywhere((struct run){.hwqs = 4}); }

static void end_everywhere(enum sim_effect effect)
{
    struct run r = {.sq = false};
    struct cycles c = reference(&r);

    for (size_t i = 0; i < c.n; i += step(c.n)) {
        r.fault[0] = (struct fault){effect, c.at[i], 0};
        run(&r);
        cr_assert_eq(r.state, SPIPE_STATE_FAILED);
    }
    free(c.at);
    PROVES(INV_26);
}

Test(eeh_everywhere, permanent_failure) { end_everywhere(SIM_EFFECT_PERMANENT); }

Test(eeh_everywhere, removal) { end_everywhere(SIM_EFFECT_REMOVE); }

/* ---- another one during the recovery from the first ---- */

/* Cycles of a recovery from a freeze in the middle of the client's life, to its end. */
static struct cycles recovery(struct run *r)
{
    struct recording records = {0};
    struct cycles c = reference(r);
    uint64_t at = c.at[c.n / 2];

    free(c.at);
    r->fault[0] = (struct fault){SIM_EFFECT_FREEZE, at, 0};
    r->records = &records;
    run(r);
    r->records = NULL;
    cr_assert_gt(r->recoveries, 0);
    c = cycles_of(&records, at, r->end);
    recording_free(&records);
    return c;
}

/* A second freeze during the AFU init that follows the slot reset may end in FAILED (AD-143);
 * elsewhere every client recovers twice. */
static void twice(enum sim_effect effect)
{
    struct run r = {.sq = false};
    struct cycles c = recovery(&r);
    unsigned failed = 0, good = 0;

    for (size_t i = 1; i < c.n; i += step(c.n)) {
        r.fault[1] = (struct fault){effect, c.at[i], 0};
        run(&r);
        failed += r.state == SPIPE_STATE_FAILED;
        good += r.state == SPIPE_STATE_NORMAL;
        cr_assert_neq(r.state, SPIPE_STATE_RESET);
    }
    free(c.at);
    cr_assert(effect == SIM_EFFECT_FREEZE ? good && failed : failed && !good);
}

Test(eeh_everywhere, freeze_during_recovery)
{
    twice(SIM_EFFECT_FREEZE);
    PROVES(AD_143);
}

Test(eeh_everywhere, permanent_failure_during_recovery) { twice(SIM_EFFECT_PERMANENT); }
