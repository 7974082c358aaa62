/* SPDX-License-Identifier: Apache-2.0 */
/* The event engine against the reference engine: the same trace, cycle for cycle, on random
 * workloads with faults, each started from a snapshot after bring-up. Linked with a model that has
 * one wrong wake-up planted, the test says that it is found. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/testlib/storm.h"
#include "tests/testlib/test_seed.h"

#define WORKLOADS 70 /* a shape; there are three */
#define CYCLES_MAX UINT64_C(2000000)

/* Records of one run, outside the world. */
struct recording {
    struct sim_trace_record *record;
    size_t count, room;
};

struct comparison {
    struct recording event, reference;
    uint64_t event_memory, reference_memory, cycles;
};

static void record(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct recording *r = arg;

    if (r->count + count > r->room) {
        r->room = 2 * (r->count + count);
        r->record = realloc(r->record, r->room * sizeof *r->record);
        cr_assert_not_null(r->record);
    }
    memcpy(r->record + r->count, records, count * sizeof *records);
    r->count += count;
}

static uint64_t run(struct storm *s, uint64_t seed, bool reference, struct recording *out,
                    uint64_t *cycles)
{
    struct sim_machine *machine;
    uint64_t begin, memory;

    out->count = 0;
    storm_rewind(s, reference);
    machine = storm_model(s)->machine;
    sim_trace_set_sink(&machine->trace, record, out);
    begin = machine->engine.now;
    memory = storm_run(s, seed);
    *cycles = machine->engine.now - begin;
    return memory;
}

static void print(const char *engine, const struct recording *r, size_t i)
{
    const struct sim_trace_record *at = &r->record[i];

    if (i >= r->count)
        fprintf(stderr, "%s ends\n", engine);
    else
        fprintf(stderr, "%s %" PRIu64 " %s %" PRIu32 " 0x%" PRIx64 " 0x%" PRIx64 "\n", engine,
                at->cycle, sim_event_table[at->kind].name, at->who, at->a, at->b);
}

/* Index of the first record that differs; SIZE_MAX if none does. */
static size_t first_difference(const struct recording *a, const struct recording *b)
{
    size_t n = a->count < b->count ? a->count : b->count;

    for (size_t i = 0; i < n; i++)
        if (memcmp(&a->record[i], &b->record[i], sizeof *a->record))
            return i;
    return a->count == b->count ? SIZE_MAX : n;
}

static void explain(const struct comparison *c, uint64_t seed, size_t at)
{
    fprintf(stderr, "workload %" PRIu64 ": record %zu of %zu differs\n", seed, at, c->event.count);
    for (size_t i = at < 12 ? 0 : at - 12; i < at; i++)
        print("both     ", &c->event, i);
    for (size_t i = at; i < at + 3; i++)
        print("event    ", &c->event, i);
    for (size_t i = at; i < at + 3; i++)
        print("reference", &c->reference, i);
}

/* Whether both engines agree on one workload. */
static bool agree(struct storm *s, struct comparison *c, uint64_t seed, bool quiet)
{
    uint64_t cycles;
    size_t at;

    c->event_memory = run(s, seed, false, &c->event, &c->cycles);
    c->reference_memory = run(s, seed, true, &c->reference, &cycles);
    cr_assert_leq(c->cycles, CYCLES_MAX);
    at = first_difference(&c->event, &c->reference);
    if (at != SIZE_MAX && !quiet)
        explain(c, seed, at);
    return at == SIZE_MAX && c->event_memory == c->reference_memory && cycles == c->cycles;
}

/* Workloads of one shape on which the engines differ. */
static unsigned differing(const struct storm_shape *shape, bool quiet)
{
    struct storm *s = storm_create(shape);
    struct comparison c = {.cycles = 0};
    uint64_t seed = test_seed(1), cycles = 0, records = 0;
    unsigned found = 0;

    for (unsigned i = 0; i < WORKLOADS; i++) {
        found += !agree(s, &c, seed * 1000 + i, quiet);
        cycles += c.cycles;
        records += c.event.count;
        if (found)
            break;
    }
    fprintf(stderr, "%" PRIu64 " cycles, %" PRIu64 " records\n", cycles, records);
    storm_destroy(s);
    free(c.event.record);
    free(c.reference.record);
    return found;
}

static const struct storm_shape usual = {256, 64, 2}, narrow = {6, 1, 4}, single = {1, 0, 2};

#ifdef PLANTED
Test(reference_engine, finds_the_planted_wake_up)
{
    cr_assert(differing(&usual, true) || differing(&narrow, true) || differing(&single, true));
}
#else
Test(reference_engine, same_trace_with_the_default_shape)
{
    cr_assert_eq(differing(&usual, false), 0);
}

/* Six command slots: the fetch unit stalls most of the time. */
Test(reference_engine, same_trace_with_few_slots) { cr_assert_eq(differing(&narrow, false), 0); }

Test(reference_engine, same_trace_with_one_slot) { cr_assert_eq(differing(&single, false), 0); }
#endif
