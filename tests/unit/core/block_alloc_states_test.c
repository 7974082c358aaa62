/* SPDX-License-Identifier: Apache-2.0 */
/* Every sequence of operations, however long, on small tables. What the block allocation table
 * does depends on nothing but its memory; so the states that can be reached are enumerated, and
 * from each of them every operation is done once, in lock step with the naive table. A state that
 * is reached again must be the same memory, byte for byte, or there would be a second one that this
 * enumeration takes for the first.
 *
 * References are bounded, or there would be 257^n states: where the bound is below 256, sequences
 * in which a chunk has more references are left out. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/testlib/proves.h"
#include "tests/unit/core/block_alloc_twin.h"

TestSuite(block_alloc_states, .timeout = 240);

enum { TRACKED_MAX = 4, OPS_MAX = 1 + 3 * (TRACKED_MAX + 1), UNSEEN = 0 };

/* One enumeration. */
struct plan {
    uint64_t total;                /* chunks of the table */
    unsigned n;                    /* chunks that change; all others are allocated for ever */
    uint64_t tracked[TRACKED_MAX]; /* those */
    unsigned most;                 /* references a chunk, 1..256 */
    unsigned cursors;              /* places where the cursor can stand */
};

/* A state: the table's, and of the naive one the cursor; its chunks are read from the table. */
struct state {
    struct spipe__ba ba;
    uint16_t owners[TRACKED_MAX];
    uint8_t mem[]; /* of ba */
};

struct search {
    const struct plan *plan;
    struct twin twin;
    struct twin_op op[OPS_MAX];
    unsigned ops;
    uint8_t *states; /* in order of discovery */
    size_t state_size;
    uint32_t *number; /* by code: position in states + 1, or UNSEEN */
    uint32_t found, codes;
    uint64_t steps;
};

static struct state *state_at(const struct search *s, uint32_t i)
{
    return (struct state *)(void *)(s->states + i * s->state_size);
}

/* A number for what the naive table looks like now. */
static uint32_t code_of(const struct search *s)
{
    uint64_t code = s->twin.naive.current;
    for (unsigned i = 0; i < s->plan->n; i++)
        code = code * (s->plan->most + 1) + naive_references(&s->twin.naive, s->plan->tracked[i]);
    cr_assert_lt(code, s->codes);
    return (uint32_t)code;
}

static void keep(const struct search *s, struct state *st)
{
    st->ba = s->twin.ba;
    for (unsigned i = 0; i < s->plan->n; i++)
        st->owners[i] = s->twin.naive.owners[s->plan->tracked[i]];
    memcpy(st->mem, s->twin.mem, s->twin.bytes);
}

static void put_back(struct search *s, const struct state *st)
{
    struct naive *n = &s->twin.naive;
    s->twin.ba = st->ba;
    memcpy(s->twin.mem, st->mem, s->twin.bytes);
    n->current = st->ba.current;
    n->free_count = st->ba.free_count;
    for (unsigned i = 0; i < s->plan->n; i++)
        n->owners[s->plan->tracked[i]] = st->owners[i];
}

/* Whether the table as it is now is the one that was kept, and not merely one that looks alike. */
static bool is_same(const struct search *s, const struct state *st)
{
    return !memcmp(st->mem, s->twin.mem, s->twin.bytes) && st->ba.current == s->twin.ba.current &&
           st->ba.free_count == s->twin.ba.free_count;
}

static void reached(struct search *s)
{
    uint32_t *number = &s->number[code_of(s)];
    if (*number != UNSEEN) {
        cr_assert(is_same(s, state_at(s, *number - 1)), "a second state of %u", *number - 1);
        return;
    }
    cr_assert_lt(s->found, s->codes);
    keep(s, state_at(s, s->found));
    *number = ++s->found;
}

/* One more reference than the bound would lead out of what is enumerated. At 256 it is refused. */
static bool leaves(const struct search *s, const struct twin_op *op)
{
    bool adds = op->kind == TWIN_ADD_REFERENCE || op->kind == TWIN_RESERVE;
    return adds && s->plan->most < 256 &&
           naive_references(&s->twin.naive, op->chunk) == s->plan->most;
}

static void try_all(struct search *s, uint32_t from)
{
    for (unsigned i = 0; i < s->ops; i++) {
        const char *why = "";
        put_back(s, state_at(s, from));
        if (leaves(s, &s->op[i]))
            continue;
        if (!twin_apply(&s->twin, s->op[i], &why) || !twin_agrees(&s->twin, &why))
            cr_assert_fail("%" PRIu64 " chunks, state %u, operation %d on chunk %" PRIu64 ": %s",
                           s->plan->total, from, (int)s->op[i].kind, s->op[i].chunk, why);
        s->steps++;
        reached(s);
    }
}

/* Allocate, and everything else for each chunk that changes and for the first that is none. */
static void list_ops(struct search *s)
{
    const struct plan *p = s->plan;
    s->op[s->ops++] = (struct twin_op){TWIN_ALLOCATE, 0xDEAD};
    for (unsigned i = 0; i <= p->n; i++) {
        uint64_t chunk = i < p->n ? p->tracked[i] : p->total;
        for (int kind = TWIN_FREE; kind < TWIN_KINDS; kind++)
            s->op[s->ops++] = (struct twin_op){(enum twin_kind)kind, chunk};
    }
}

static bool is_tracked(const struct plan *p, uint64_t chunk)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->tracked[i] == chunk)
            return true;
    return false;
}

/* All others are taken before it begins, with reserve, which leaves the cursor where it is. */
static void take_others(struct search *s)
{
    for (uint64_t c = 0; c < s->plan->total; c++)
        if (!is_tracked(s->plan, c))
            cr_assert(twin_apply(&s->twin, (struct twin_op){TWIN_RESERVE, c}, NULL));
}

static void begin(struct search *s, const struct plan *p)
{
    uint64_t codes = p->total / 64 + 2;
    *s = (struct search){.plan = p};
    twin_init(&s->twin, p->total);
    take_others(s);
    for (unsigned i = 0; i < p->n; i++)
        codes *= p->most + 1;
    s->codes = (uint32_t)codes;
    s->state_size =
        (size_t)hal_align_up(sizeof(struct state) + s->twin.bytes, _Alignof(struct state));
    s->states = malloc(codes * s->state_size); /* no more of it is touched than there are states */
    s->number = calloc(codes, sizeof *s->number);
    cr_assert(s->states && s->number);
    list_ops(s);
}

/* Every combination of references with every place of the cursor is reached: as many states as the
 * plan has, counted by hand, or the enumeration has missed some. */
static void enumerate(const struct plan *p)
{
    struct search s;
    uint64_t expected = p->cursors;
    begin(&s, p);
    reached(&s);
    for (uint32_t i = 0; i < s.found; i++)
        try_all(&s, i);
    for (unsigned i = 0; i < p->n; i++)
        expected *= p->most + 1;
    cr_assert_eq(s.found, expected, "%" PRIu64 " chunks: %u states", p->total, s.found);
    fprintf(stderr, "%" PRIu64 " chunks, %u of them change: %u states, %" PRIu64 " steps\n",
            p->total, p->n, s.found, s.steps);
    free(s.states);
    free(s.number);
    twin_fini(&s.twin);
}

/* One word: the cursor never leaves it, because nobody takes bit 63 (VL-7). */
Test(block_alloc_states, up_to_four_chunks)
{
    static const struct plan plans[] = {
        {1, 1, {0}, 256, 1},
        {2, 2, {0, 1}, 256, 1},
        {3, 3, {0, 1, 2}, 36, 1},
        {4, 4, {0, 1, 2, 3}, 12, 1},
    };
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(plans); i++)
        enumerate(&plans[i]);
    PROVES(VL_7);
    PROVES(VL_9);
    PROVES(VL_10);
    PROVES(VL_12);
    PROVES(R_51);
}

/* Around the border of two words. The cursor can stand at the word of each chunk that changes, or
 * at the next one behind a bit 63, and at 0, where it begins: at 64 chunks {0, high}; at 65 {0, 1},
 * because chunk 64 is no bit 63; at 128 and 129 {0, 1, 2}. */
Test(block_alloc_states, at_the_border_of_a_word)
{
    static const struct plan plans[] = {
        {63, 3, {0, 1, 62}, 8, 1},       {64, 3, {0, 62, 63}, 12, 2},
        {65, 4, {0, 62, 63, 64}, 5, 2},  {128, 3, {63, 64, 127}, 8, 3},
        {128, 4, {0, 1, 63, 127}, 3, 3}, {129, 4, {0, 63, 127, 128}, 4, 3},
    };
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(plans); i++)
        enumerate(&plans[i]);
    PROVES(VL_7);
    PROVES(VL_8);
    PROVES(R_51);
}

/* Two and three levels of summaries; the last word is alone under its summary word. Cursors of
 * 4097: 0, 1 behind chunk 63, 64 behind chunk 4095 and at chunk 4096. */
Test(block_alloc_states, at_the_border_of_a_summary)
{
    static const struct plan plans[] = {
        {4096, 2, {0, 4095}, 2, 2},
        {4097, 4, {0, 63, 4095, 4096}, 1, 3},
    };
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(plans); i++)
        enumerate(&plans[i]);
    PROVES(VL_7);
    PROVES(R_51);
}
