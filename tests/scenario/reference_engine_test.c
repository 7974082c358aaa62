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

#define WORKLOADS 84 /* of each shape with drawn latencies; there are three */
#define PROFILED 2   /* long ones with the latencies of each profile */
#define CYCLES_MAX UINT64_C(2000000)

struct run {
    struct recording trace;
    uint64_t memory, cycles, faults;
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
    out->faults = storm_faults(s);
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
           event->cycles == reference->cycles && event->faults == reference->faults;
}

struct kind {
    struct storm_shape shape;
    unsigned first, workloads; /* numbers: no two kinds have one in common */
};

/* Whether they agree on all workloads of one kind. */
static bool agree_on_all(const struct kind *kind, bool quiet)
{
    struct storm *s = storm_create(&kind->shape);
    struct run event = {.cycles = 0}, reference = {.cycles = 0};
    uint64_t seed = test_seed(1) * 1000 + kind->first, cycles = 0, records = 0;
    unsigned faulty = 0;
    bool same = true;

    for (unsigned i = 0; same && i < kind->workloads; i++) {
        same = agree(s, seed + i, quiet, &event, &reference);
        cycles += event.cycles;
        records += event.trace.count;
        faulty += event.faults != 0;
    }
    fprintf(stderr, "%" PRIu64 " cycles, %" PRIu64 " records, faults in %u of %u workloads\n",
            cycles, records, faulty, kind->workloads);
    if (!quiet)
        cr_expect_geq(faulty, kind->workloads * 2 / 3, "most workloads are to have faults");
    storm_destroy(s);
    recording_free(&event.trace);
    recording_free(&reference.trace);
    return same;
}

static const struct kind usual = {{256, 64, 2, 0, 160, NULL}, 0, WORKLOADS},
                         narrow = {{6, 1, 4, 16, 160, NULL}, 200, WORKLOADS},
                         single = {{1, 0, 2, 3, 160, NULL}, 400, WORKLOADS};

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

/* A million cycles and more each, with the latencies that a run has. */
static const struct kind flashsystem = {{256, 64, 2, 0, 4000, "flashsystem"}, 600, PROFILED},
                         flashgt = {{256, 64, 2, 0, 4000, "flashgt"}, 800, PROFILED};

Test(reference_engine, same_trace_with_the_flashsystem_profile)
{
    cr_assert(agree_on_all(&flashsystem, false));
}

Test(reference_engine, same_trace_with_the_flashgt_profile)
{
    cr_assert(agree_on_all(&flashgt, false));
}
#endif
