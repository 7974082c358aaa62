/* SPDX-License-Identifier: Apache-2.0 */
/* What contexts had when they were drawn last, and sums of it. */
#include <criterion/criterion.h>
#include <string.h>

#include "sim/check/check_owned.h"
#include "tests/unit/sim/check_fixture.h"

static struct check_owned *owned;
static uint64_t none[CHECK_NUMBER_WORDS], both[CHECK_NUMBER_WORDS];

static void take_all(void) { owned = (struct check_owned *)(uintptr_t)check_fixture_input().owned; }

static void set_up(void)
{
    check_fixture_make();
    take_all();
    both[0] = 1 << FIX_RW | 1 << FIX_RO;
}

TestSuite(check_owned, .init = set_up);

Test(check_owned, handles_and_chunks)
{
    const struct check_owned_handle *h = check_owned_handle(owned, FIX_RW, 0);
    const struct check_holder *of = &owned->of[FIX_RW];

    cr_assert_eq(owned->handles, 3);
    cr_assert_eq(owned->chunks, 5);
    cr_assert_not_null(h);
    cr_assert(h->lun == 0 && h->count == 3 && h->kind == HAL_PICTURE_VIRTUAL);
    cr_assert_eq(check_owned_chunks(of)[h->first + 2], 2);
    cr_assert_eq(check_owned_handle(owned, FIX_RW, 1)->kind, HAL_PICTURE_DIRECT);
    cr_assert_null(check_owned_handle(owned, FIX_RW, 2));
    cr_assert_null(check_owned_handle(owned, 9, 0));
    cr_assert(check_owned_has(owned, 0, 2));
    cr_assert_not(check_owned_has(owned, 0, 7), "it is quarantined");
    cr_assert_not(check_owned_has(owned, 1, 2));
}

Test(check_owned, what_the_afu_reaches)
{
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT), FIX_RW);
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT + 23), FIX_RW);
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT + 24), CHECK_NUMBERS);
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT_CLONE), FIX_RO);
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT_HELD), CHECK_NUMBERS, "in the cache only");
    cr_assert_eq(check_owned_reaches_into(owned, none, FIX_LXT - 8, 9), FIX_RW);
    cr_assert_eq(check_owned_reaches_into(owned, none, FIX_LXT - 8, 8), CHECK_NUMBERS);
    cr_assert_eq(check_owned_reaches_into(owned, none, FIX_RHT_RO, 1), FIX_RO);
    cr_assert_eq(check_owned_reaches_into(owned, both, FIX_RHT_RO, 1), CHECK_NUMBERS);
}

Test(check_owned, sums)
{
    cr_assert(check_owned_adds_up(owned, fix.p));
    fix.run[2].count++; /* nobody has it */
    cr_assert_not(check_owned_adds_up(owned, fix.p));
    fix.run[2].count--;
    fix.run[2].references++;
    cr_assert_not(check_owned_adds_up(owned, fix.p));
    fix.run[2].references--;
    fix.lun[0].users++;
    cr_assert_not(check_owned_adds_up(owned, fix.p));
    fix.lun[0].users--;
    fix.name[0].lun = HAL_PICTURE_NONE;
    cr_assert_not(check_owned_adds_up(owned, fix.p));
    fix.name[0].lun = 0;
    fix.held[0].chunks.count = 0;
    cr_assert_not(check_owned_adds_up(owned, fix.p));
}

static void other_chunk(void) { fix.chunk[1] = 6; }
static void other_size(void) { fix.handle[0].chunks.count--; }
static void other_number(void) { fix.handle[1].number = 2; }
static void other_lun(void) { fix.handle[1].lun = 2; }
static void other_kind(void) { fix.handle[0].kind = HAL_PICTURE_DIRECT; }
static void one_less(void) { fix.context[0].handles.count = 1; }
static void none_left(void) { fix.context[0].errored = true; }

static void (*const changes[])(void) = {other_chunk, other_size, other_number, other_lun,
                                        other_kind,  one_less,   none_left};

Test(check_owned, who_has_changed)
{
    cr_assert_eq(check_owned_changed(owned, none, fix.p), CHECK_NUMBERS);
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        set_up();
        changes[i]();
        cr_assert_eq(check_owned_changed(owned, none, fix.p), FIX_RW, "change %u", i);
        cr_assert_eq(check_owned_changed(owned, both, fix.p), CHECK_NUMBERS, "change %u", i);
    }
    set_up();
    fix.context[1].number = 9;
    cr_assert_eq(check_owned_changed(owned, none, fix.p), 9, "a new one");
}

/* The others stay as they were. */
Test(check_owned, a_part)
{
    uint64_t only[CHECK_NUMBER_WORDS] = {1 << FIX_RO};

    fix.context[0] = fix.context[1]; /* the picture has context 5 only */
    fix.p->n.contexts = 1;
    fix.handle[2].chunks.count = 1;
    fix.view.entries = 0;
    cr_assert(check_owned_take(owned, only, fix.p, &fix.view));
    cr_assert_eq(owned->handles, 3);
    cr_assert_eq(owned->chunks, 4);
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT), FIX_RW);
    cr_assert_eq(check_owned_reaches(owned, FIX_LXT_CLONE), CHECK_NUMBERS);
    fix.p->n.contexts = 0;
    cr_assert(check_owned_take(owned, only, fix.p, &fix.view));
    cr_assert_eq(owned->handles, 2);
    cr_assert_not(owned->of[FIX_RO].known);
}

/* Owners that a part lacks are no reason for a verdict; what it has is judged as ever. */
Test(check_owned, invariants_of_a_part)
{
    struct check_input in;
    struct check_verdict v = {0};

    fix.context[0] = fix.context[1];
    fix.p->n.contexts = 1;
    fix.handle[0] = fix.handle[2];
    fix.handle[0].context = 0;
    fix.context[0].handles.first = 0;
    fix.p->n.handles = 1;
    fix.p->part = true;
    fix.view.entry = &fix.entry[FIX_ENTRY_CLONE];
    fix.view.word = &fix.word[FIX_WORD_CLONE_0];
    fix.view.entries = 2;
    fix.view.words = 3;
    in = check_fixture_input();
    cr_assert(check_inv_01(&in, &v) && check_inv_02(&in, &v) && check_inv_18(&in, &v) &&
              check_inv_13(&in, &v) && check_inv_19(&in, &v));
    fix.p->clients = 0;
    cr_assert(check_inv_26(&in, &v));
    fix.word[FIX_WORD_CLONE_1].word = 2 << 16 | 0x33; /* chunk 2 is context 4's, who is not there */
    cr_assert_not(check_inv_13(&in, &v));
}
