/* SPDX-License-Identifier: Apache-2.0 */
/* The event engine against the reference engine: the same trace, cycle for cycle, on random
 * workloads with faults, each started from a snapshot after bring-up. Linked with a model that has
 * one wrong wake-up planted (sim_wait.h), the test says that it is found. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "tests/testlib/recording.h"
#include "tests/testlib/storm.h"
#include "tests/testlib/test_seed.h"

#define WORKLOADS 70 /* a shape; there are three */
#define CYCLES_MAX UINT64_C(2000000)

struct run {
    struct recording trace;
    uint64_t memory, cycles;
};

static void expect_no_model_error(const struct sim_afu *a, uint64_t seed, bool reference)
{
    const struct sim_strict *strict = sim_afu_strict(a);
    char text[512];

    cr_assert_eq(strict->total[SIM_VERDICT_MODEL], 0, "workload %" PRIu64 ", %s engine: %s", seed,
                 reference ? "reference" : "event",
                 sim_strict_text(strict, SIM_VERDICT_MODEL, text, sizeof text));
}

static void go(struct storm *s, uint64_t seed, bool reference, bool quiet, struct run *out)
{
    struct sim_machine *machine;
    uint64_t begin;

    out->trace.count = 0;
    storm_rewind(s, reference);
    machine = storm_model(s)->machine;
    sim_trace_set_sink(&machine->trace, recording_add, &out->trace);
    begin = machine->engine.now;
    out->memory = storm_run(s, seed);
    out->cycles = machine->engine.now - begin;
    if (!quiet) /* a planted error may break a rule of the bus too */
        expect_no_model_error(storm_model(s)->afu, seed, reference);
    cr_assert_leq(out->cycles, CYCLES_MAX);
}

/* Whether both engines agree on one workload. */
static bool agree(struct storm *s, uint64_t seed, bool quiet, struct run *event,
                  struct run *reference)
{
    size_t at;

    go(s, seed, false, quiet, event);
    go(s, seed, true, quiet, reference);
    at = recording_difference(&event->trace, &reference->trace);
    if (at != SIZE_MAX && !quiet) {
        fprintf(stderr, "workload %" PRIu64 ": record %zu differs\n", seed, at);
        recording_explain(&event->trace, "event", &reference->trace, "reference", at);
    }
    return at == SIZE_MAX && event->memory == reference->memory &&
           event->cycles == reference->cycles;
}

/* Whether they agree on all workloads of one shape. */
static bool agree_on_all(const struct storm_shape *shape, bool quiet)
{
    struct storm *s = storm_create(shape);
    struct run event = {.cycles = 0}, reference = {.cycles = 0};
    uint64_t seed = test_seed(1), cycles = 0, records = 0;
    bool same = true;

    for (unsigned i = 0; same && i < WORKLOADS; i++) {
        same = agree(s, seed * 1000 + i, quiet, &event, &reference);
        cycles += event.cycles;
        records += event.trace.count;
    }
    fprintf(stderr, "%" PRIu64 " cycles, %" PRIu64 " records\n", cycles, records);
    storm_destroy(s);
    recording_free(&event.trace);
    recording_free(&reference.trace);
    return same;
}

static const struct storm_shape usual = {256, 64, 2, 0}, narrow = {6, 1, 4, 16},
                                single = {1, 0, 2, 3};

#ifdef PLANTED
Test(reference_engine, finds_the_planted_wake_up)
{
    cr_assert(!agree_on_all(&usual, true) || !agree_on_all(&narrow, true) ||
              !agree_on_all(&single, true));
}
#else
Test(reference_engine, same_trace_with_the_default_shape)
{
    cr_assert(agree_on_all(&usual, false));
}

/* Six command slots: the fetch unit stalls most of the time. */
Test(reference_engine, same_trace_with_few_slots) { cr_assert(agree_on_all(&narrow, false)); }

Test(reference_engine, same_trace_with_one_slot) { cr_assert(agree_on_all(&single, false)); }
#endif
