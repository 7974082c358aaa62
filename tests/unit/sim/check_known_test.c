/* SPDX-License-Identifier: Apache-2.0 */
/* What the next look has to be at, and as of when something is known. Rules that were learnt
 * from false alarms of long random runs (random_requests) say so. */
#include "sim/check/check_known.h"

#include <criterion/criterion.h>
#include <string.h>

static struct check_known k;

static enum check_extent within(void) { return check_known_next(&k, false); }
static enum check_extent quietly(void) { return check_known_next(&k, true); }

/* A look at everything, which finds nothing that it must come back to. */
static void look_at_all(bool quiet)
{
    check_known_drawn(&k);
    check_known_remember(&k, true, quiet, true);
    check_known_looked(&k, quiet);
}

static void look_at_part(bool quiet)
{
    check_known_drawn(&k);
    check_known_remember(&k, false, quiet, true);
    check_known_looked(&k, quiet);
}

static bool is_touched(unsigned number) { return k.touched[number / 64] >> number % 64 & 1; }

/* Everything is known, and nothing is under way. */
static void begin(void)
{
    memset(&k, 0, sizeof k);
    look_at_all(true);
}

TestSuite(check_known, .init = begin);

/* ---- what a look is at ---- */

Test(check_known, at_first_everything)
{
    memset(&k, 0, sizeof k);
    cr_assert_eq(within(), CHECK_ALL);
    cr_assert_eq(quietly(), CHECK_ALL);
    cr_assert_not(check_known_holds(&k));
    cr_assert_not(check_known_compares(&k), "with what?");
    look_at_all(false);
    cr_assert(check_known_holds(&k));
    cr_assert_eq(within(), CHECK_NOTHING);
    cr_assert_eq(quietly(), CHECK_NOTHING);
}

Test(check_known, what_was_touched)
{
    check_known_touch(&k, 0);
    check_known_touch(&k, CHECK_NUMBERS - 1);
    cr_assert_eq(within(), CHECK_PART);
    cr_assert_eq(quietly(), CHECK_PART);
    cr_assert(is_touched(0) && is_touched(CHECK_NUMBERS - 1) && !is_touched(1));
    cr_assert(check_known_compares(&k), "the others are as they were");
    look_at_part(false);
    cr_assert_eq(within(), CHECK_PART, "its request may go on");
    cr_assert(is_touched(0));
    look_at_part(true);
    cr_assert_eq(quietly(), CHECK_NOTHING);
    cr_assert(!is_touched(0) && !is_touched(CHECK_NUMBERS - 1));
}

/* Errors of this bookkeeping show at the next look at everything. */
Test(check_known, everything_now_and_then)
{
    for (unsigned i = 0; i < CHECK_WHOLE_EVERY; i++) {
        check_known_touch(&k, 5);
        cr_assert_eq(quietly(), CHECK_PART, "look %u", i);
        look_at_part(false); /* they do not count */
        look_at_part(true);
    }
    check_known_touch(&k, 5);
    cr_assert_eq(within(), CHECK_PART);
    cr_assert_eq(quietly(), CHECK_ALL);
    cr_assert(check_known_compares(&k));
    look_at_all(true);
    check_known_touch(&k, 5);
    cr_assert_eq(quietly(), CHECK_PART);
}

Test(check_known, a_change_of_everything)
{
    check_known_changed(&k);
    cr_assert_eq(within(), CHECK_ALL);
    cr_assert_not(check_known_compares(&k));
    look_at_all(false);
    cr_assert_eq(within(), CHECK_NOTHING);
}

/* ---- requests about no certain context ---- */

Test(check_known, any_context_may_have_changed)
{
    check_known_touch(&k, CHECK_NUMBERS);
    check_known_touch(&k, UINT64_MAX);
    cr_assert_eq(within(), CHECK_NOTHING, "nobody knows yet which");
    cr_assert_eq(quietly(), CHECK_ALL);
    cr_assert_not(check_known_compares(&k));
    check_known_touch(&k, 7);
    look_at_part(false);
    cr_assert_eq(quietly(), CHECK_ALL, "not only number 7");
    look_at_all(true);
    cr_assert_eq(quietly(), CHECK_NOTHING);
}

/* False alarm: a request without a number ended beside others, and what it got was used by
 * somebody who had it by the picture of before (CLONE). */
Test(check_known, what_one_got_is_used_beside_others)
{
    check_known_touch(&k, CHECK_NUMBERS);
    check_known_ended(&k);
    cr_assert_eq(within(), CHECK_ALL);
    look_at_all(false);
    cr_assert_eq(within(), CHECK_NOTHING);
    check_known_ended(&k);
    cr_assert_eq(within(), CHECK_ALL, "it may have been that of another one");
    look_at_all(true);
    check_known_touch(&k, 7);
    check_known_ended(&k);
    cr_assert_eq(within(), CHECK_PART, "one with a number");
}

Test(check_known, an_attach_tells_its_context)
{
    check_known_attach(&k);
    cr_assert_eq(within(), CHECK_NOTHING);
    cr_assert_eq(quietly(), CHECK_ALL, "it has not told");
    cr_assert_not(check_known_compares(&k));
    check_known_told(&k, 9);
    cr_assert_eq(quietly(), CHECK_PART);
    cr_assert(is_touched(9));
    check_known_told(&k, 10); /* one that is lost, or recovered */
    check_known_attach(&k);
    cr_assert_eq(quietly(), CHECK_ALL, "what others tell is not what this one does");
    look_at_all(true);
    cr_assert_eq(quietly(), CHECK_NOTHING, "when it is quiet it has failed");
}

/* ---- looks that could not be had ---- */

/* False alarm: a look was put off, and what contexts had before was taken for what they have. */
Test(check_known, a_look_that_was_put_off)
{
    check_known_touch(&k, 3);
    check_known_forget(&k);
    cr_assert_not(check_known_holds(&k));
    cr_assert_not(check_known_compares(&k));
    cr_assert_eq(within(), CHECK_ALL);
    look_at_all(false);
    cr_assert(check_known_holds(&k));
    cr_assert_eq(within(), CHECK_PART, "number 3 may go on to change");
}

/* No memory for what was drawn, or a context that is lost, whose number says nothing. */
Test(check_known, what_could_not_be_remembered)
{
    check_known_touch(&k, 3);
    check_known_remember(&k, false, true, false);
    check_known_looked(&k, true);
    cr_assert_eq(within(), CHECK_ALL);
    cr_assert(check_known_holds(&k), "of those that were not drawn");
    check_known_remember(&k, true, true, false);
    check_known_looked(&k, true);
    cr_assert_eq(quietly(), CHECK_ALL, "as long as it lasts");
    look_at_all(true);
    cr_assert_eq(quietly(), CHECK_NOTHING);
}

/* ---- tables ---- */

Test(check_known, a_word_that_arrives)
{
    cr_assert(check_known_tables(&k, true));
    cr_assert(check_known_current(&k));
}

/* False alarm: a store that had not arrived left the picture as if it were of now. */
Test(check_known, a_store_on_its_way)
{
    cr_assert(check_known_current(&k));
    cr_assert_not(check_known_tables(&k, false));
    cr_assert_not(check_known_current(&k));
    check_known_looked(&k, true);
    cr_assert_not(check_known_current(&k), "without another picture");
    look_at_part(false);
    cr_assert(check_known_current(&k));
}

/* False alarm: words arrived with the doorbell of a sync, when no picture could be drawn; a look by
 * the picture of before was the last one at them. */
Test(check_known, words_that_arrived_unseen)
{
    check_known_arrived(&k);
    cr_assert(check_known_tables(&k, false), "the next occasion is one");
    cr_assert(check_known_tables(&k, false), "until somebody has looked");
    look_at_part(false);
    cr_assert_not(check_known_tables(&k, false));
}

/* What should not have been stored may be reached before anything arrives. */
Test(check_known, a_store_to_memory_in_use)
{
    check_known_stored_in_use(&k, 12);
    cr_assert(is_touched(12));
    cr_assert(check_known_tables(&k, false));
    look_at_part(false);
    cr_assert(check_known_tables(&k, false), "as long as its request goes on");
    look_at_part(true);
    cr_assert_not(check_known_tables(&k, false));
    check_known_stored_in_use(&k, CHECK_NUMBERS);
    cr_assert_eq(quietly(), CHECK_ALL, "nobody knows whose it is");
}
