/* SPDX-License-Identifier: Apache-2.0 */
/* The binary trace: its hash against a second, slow computation written from the words of the
 * format and against pinned numbers, so that it can never change unnoticed; ring and sink. */
#include "sim/sim_trace.h"

#include <criterion/criterion.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"

static struct sim_trace trace;

/* ---- the hash, again ---- */

/* Product modulo 2^64 by addition of shifted factors. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;

    for (; b; b >>= 1, a += a)
        if (b & 1)
            sum += a;
    return sum;
}

/* A record is folded into one word:
 *   (cycle * K1 + kind:16 adapter:16 who:32) ^ a * K2 ^ (b + K3) * K4
 * and the word into the state: state = (state ^ word) * K5, then its upper bits onto the lower. */
static uint64_t fold(uint64_t state, const struct sim_trace_record *r)
{
    uint64_t identity =
        multiply(r->kind, UINT64_C(1) << 48) + multiply(r->adapter, UINT64_C(1) << 32) + r->who;
    uint64_t word = multiply(r->cycle, UINT64_C(0x9E3779B97F4A7C15)) + identity;

    word ^= multiply(r->a, UINT64_C(0xC2B2AE3D27D4EB4F));
    word ^= multiply(r->b + 0x165667B1u, UINT64_C(0xD6E8FEB86659FD93));
    state = multiply(state ^ word, UINT64_C(0x9FB21C651E98DF25));
    return state ^ (state / (UINT64_C(1) << 35));
}

static void add(const struct sim_trace_record *r)
{
    sim_trace_add(&trace, r->cycle, (enum sim_event_kind)r->kind, r->adapter, r->who, r->a, r->b);
}

/* 32 kinds whatever the table holds, so that a new row does not move the pinned number. */
static struct sim_trace_record random_record(struct hal_prng *p)
{
    struct sim_trace_record r;

    r.cycle = hal_prng_next(p);
    r.kind = (uint16_t)hal_prng_below(p, 32);
    r.adapter = (uint16_t)hal_prng_next(p);
    r.who = (uint32_t)hal_prng_next(p);
    r.a = hal_prng_next(p);
    r.b = hal_prng_next(p);
    return r;
}

Test(sim_trace, hash_is_what_the_format_says)
{
    uint64_t state = UINT64_C(0x5350495045303031); /* "SPIPE001" */
    struct hal_prng p;

    hal_prng_seed(&p, 7, 1);
    sim_trace_init(&trace, true);
    cr_assert_eq(sim_trace_hash(&trace), state);
    for (unsigned i = 0; i < 5000; i++) {
        struct sim_trace_record r = random_record(&p);
        add(&r);
        state = fold(state, &r);
        cr_assert_eq(sim_trace_hash(&trace), state, "record %u", i);
    }
    cr_assert_eq(sim_trace_total(&trace), 5000);
}

/* Every trace that is quoted anywhere hangs on these numbers. They were computed by a third
 * program, in another language. */
Test(sim_trace, hash_is_pinned)
{
    struct hal_prng p;

    sim_trace_init(&trace, true);
    sim_trace_add(&trace, 0, SIM_EVENT_MMIO_WRITE, 0, 0, 0, 0);
    cr_assert_eq(sim_trace_hash(&trace), UINT64_C(0x06EC2F75083F03F4));
    sim_trace_add(&trace, 12345, SIM_EVENT_RRQ, 1, 2, UINT64_C(0x1000000000080), UINT64_MAX);
    cr_assert_eq(sim_trace_hash(&trace), UINT64_C(0xF5D183F876450828));
    hal_prng_seed(&p, 42, 0);
    for (unsigned i = 0; i < 5000; i++) {
        struct sim_trace_record r = random_record(&p);
        add(&r);
    }
    cr_assert_eq(sim_trace_hash(&trace), UINT64_C(0x7DE51C2C95DFEBEE));
}

Test(sim_trace, every_field_counts)
{
    static const struct sim_trace_record variants[] = {
        {1, 1, 1, 1, 1, 1}, {2, 1, 1, 1, 1, 1}, {1, 2, 1, 1, 1, 1}, {1, 1, 2, 1, 1, 1},
        {1, 1, 1, 2, 1, 1}, {1, 1, 1, 1, 2, 1}, {1, 1, 1, 1, 1, 2}, {1, 1, 1, 1, 0, 0},
    };
    uint64_t hash[HAL_ARRAY_LENGTH(variants)];

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(variants); i++) {
        sim_trace_init(&trace, true);
        add(&variants[i]);
        hash[i] = sim_trace_hash(&trace);
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(hash[i], hash[k], "%zu and %zu", i, k);
    }
}

Test(sim_trace, order_counts)
{
    struct sim_trace_record r[2] = {{1, 1, 0, 1, 1, 1}, {1, 2, 0, 1, 1, 1}};
    uint64_t hash;

    sim_trace_init(&trace, true);
    add(&r[0]);
    add(&r[1]);
    hash = sim_trace_hash(&trace);
    sim_trace_init(&trace, true);
    add(&r[1]);
    add(&r[0]);
    cr_assert_neq(sim_trace_hash(&trace), hash);
}

/* ---- ring and sink ---- */

/* Keeps what it is handed and checks that it continues without a gap. */
struct receiver {
    uint64_t next; /* value of `a` that must come now */
    unsigned calls;
    size_t last; /* records of the last call */
};

static void receive(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct receiver *r = arg;

    r->calls++;
    r->last = count;
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(records[i].a, r->next);
        cr_assert_eq(records[i].cycle, 10 * r->next);
        cr_assert_eq(records[i].kind, SIM_EVENT_NOTE);
        cr_assert_eq(records[i].adapter, 3);
        cr_assert_eq(records[i].who, 4);
        cr_assert_eq(records[i].b, ~r->next);
        r->next++;
    }
}

static void add_numbered(uint64_t from, uint64_t count)
{
    for (uint64_t i = from; i < from + count; i++)
        sim_trace_add(&trace, 10 * i, SIM_EVENT_NOTE, 3, 4, i, ~i);
}

Test(sim_trace, sink_gets_each_full_ring_at_once)
{
    struct receiver r = {0};

    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, receive, &r);
    add_numbered(0, SIM_TRACE_RING - 1);
    cr_assert_eq(r.calls, 0);
    add_numbered(SIM_TRACE_RING - 1, 1);
    cr_assert_eq(r.calls, 1);
    cr_assert_eq(r.last, SIM_TRACE_RING);
    add_numbered(SIM_TRACE_RING, 3 * SIM_TRACE_RING + 5);
    cr_assert_eq(r.calls, 4);
    cr_assert_eq(sim_trace_total(&trace), 4 * SIM_TRACE_RING + 5);
}

Test(sim_trace, flush_hands_over_the_rest_once)
{
    struct receiver r = {0};

    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, receive, &r);
    sim_trace_flush(&trace);
    cr_assert_eq(r.calls, 0, "nothing to hand over");
    add_numbered(0, 5);
    sim_trace_flush(&trace);
    sim_trace_flush(&trace);
    cr_assert_eq(r.calls, 1);
    cr_assert_eq(r.last, 5);
    cr_assert_eq(r.next, 5);
}

Test(sim_trace, a_new_sink_begins_where_the_old_one_ends)
{
    struct receiver first = {0}, second = {.next = 7};

    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, receive, &first);
    add_numbered(0, 7);
    sim_trace_set_sink(&trace, receive, &second);
    cr_assert_eq(first.next, 7);
    add_numbered(7, 3);
    sim_trace_set_sink(&trace, NULL, NULL);
    cr_assert_eq(first.next, 7);
    cr_assert_eq(second.next, 10);
    add_numbered(10, 3 * SIM_TRACE_RING);
    cr_assert_eq(second.next, 10);
}

Test(sim_trace, a_sink_gets_nothing_that_another_one_has)
{
    struct receiver first = {0}, second = {.next = 10};

    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, receive, &first);
    add_numbered(0, 10);
    sim_trace_set_sink(&trace, NULL, NULL);
    add_numbered(10, 2);
    sim_trace_set_sink(&trace, receive, &second);
    cr_assert_eq(first.next, 10);
    add_numbered(12, SIM_TRACE_RING);
    cr_assert_eq(second.next, SIM_TRACE_RING);
    sim_trace_flush(&trace);
    cr_assert_eq(second.next, SIM_TRACE_RING + 12);
}

Test(sim_trace, the_first_sink_gets_what_came_before_it)
{
    struct receiver first = {0}, late = {.next = SIM_TRACE_RING};

    sim_trace_init(&trace, true);
    add_numbered(0, 7);
    sim_trace_set_sink(&trace, receive, &first);
    add_numbered(7, 3);
    sim_trace_set_sink(&trace, NULL, NULL);
    cr_assert_eq(first.next, 10);

    /* More than the ring holds is gone, except for the last of it. */
    sim_trace_init(&trace, true);
    add_numbered(0, SIM_TRACE_RING + 4);
    sim_trace_set_sink(&trace, receive, &late);
    sim_trace_flush(&trace);
    cr_assert_eq(late.next, SIM_TRACE_RING + 4);
}

Test(sim_trace, sink_and_flush_do_not_move_the_hash)
{
    struct receiver r = {0};
    uint64_t hash;

    sim_trace_init(&trace, true);
    add_numbered(0, 3000);
    hash = sim_trace_hash(&trace);
    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, receive, &r);
    for (uint64_t i = 0; i < 3000; i += 10) {
        add_numbered(i, 10);
        sim_trace_flush(&trace);
    }
    cr_assert_eq(sim_trace_hash(&trace), hash);
    cr_assert_eq(r.next, 3000);
}

/* As after sim_trace_init; the ring too, so that equal worlds are equal byte for byte. */
static void expect_fresh(bool on)
{
    static const struct sim_trace_record zero[SIM_TRACE_RING];

    cr_assert_eq(trace.on, on);
    cr_assert_eq(sim_trace_total(&trace), 0);
    cr_assert_eq(sim_trace_hash(&trace), HAL_HASH_START);
    cr_assert(!memcmp(trace.ring, zero, sizeof zero));
}

Test(sim_trace, off_means_nothing)
{
    struct receiver r = {0};

    sim_trace_init(&trace, false);
    sim_trace_set_sink(&trace, receive, &r);
    add_numbered(0, 3 * SIM_TRACE_RING);
    sim_trace_flush(&trace);
    expect_fresh(false);
    cr_assert_eq(r.calls, 0);
}

Test(sim_trace, init_forgets_everything)
{
    struct receiver r = {0};

    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, receive, &r);
    add_numbered(0, SIM_TRACE_RING - 1);
    sim_trace_init(&trace, true);
    expect_fresh(true);
    cr_assert_null(trace.sink);
    sim_trace_flush(&trace);
    cr_assert_eq(r.calls, 0);
}

/* ---- names ---- */

Test(sim_trace, every_kind_has_names)
{
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++) {
        const struct sim_event_info *e = &sim_event_table[k];
        cr_assert(e->name && *e->name && e->track && *e->track, "%u", k);
        cr_assert(e->who && *e->who && e->a && *e->a && e->b && *e->b, "%s", e->name);
        for (unsigned i = 0; i < k; i++)
            cr_assert(strcmp(e->name, sim_event_table[i].name), "%s twice", e->name);
    }
    cr_assert_str_eq(sim_event_table[SIM_EVENT_RRQ].name, "rrq");
    cr_assert_str_eq(sim_event_table[SIM_EVENT_RRQ].track, "status");
    cr_assert_str_eq(sim_event_table[SIM_EVENT_RRQ].who, "slot");
    cr_assert_str_eq(sim_event_table[SIM_EVENT_RRQ].b, "element");
    cr_assert_str_eq(sim_event_table[SIM_EVENT_MMIO_WRITE].a, "offset");
    cr_assert_str_eq(sim_event_table[SIM_EVENT_SWITCH].track, "sched");
}
