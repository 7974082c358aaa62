/* enforced.txt and not-applicable.md, on literal text. */
#include <criterion/criterion.h>
#include <string.h>

#include "docs/spec_ids.h"
#include "docs/spec_lists.h"

static struct spec spec;

static void three_requirements(void)
{
    spec_init(&spec);
    spec_add_text(&spec, "adapter.md", "| AD-1 | a |\n| AD-2 | b |\n| AD-3 | c |\n");
}

static void drop(void) { spec_finish(&spec); }

TestSuite(spec_lists, .init = three_requirements, .fini = drop);

Test(spec_lists, enforced_ids_ranges_and_comments)
{
    cr_assert_eq(spec_apply_enforced(&spec, "f", "# text\n\n  AD-1  # why\nAD-3..AD-9\n"), 0);
    cr_assert(spec.rows[0].enforced);
    cr_assert_not(spec.rows[1].enforced);
    cr_assert(spec.rows[2].enforced);
}

Test(spec_lists, enforced_without_a_last_newline)
{
    cr_assert_eq(spec_apply_enforced(&spec, "f", "AD-2"), 0);
    cr_assert(spec.rows[1].enforced);
}

Test(spec_lists, enforced_mistakes_are_counted)
{
    cr_assert_eq(spec_apply_enforced(&spec, "f", "AD1\nAD-4\nAD-7..AD-9\nAD-1\n"), 3);
}

Test(spec_lists, excuse_with_a_reason)
{
    const char *text = "| Id | Reason |\n|---|---|\n| AD-1..AD-2 | not part of this card |\n";

    cr_assert_eq(spec_apply_excuses(&spec, "f", text), 0);
    cr_assert(spec.rows[0].excused);
    cr_assert(spec.rows[1].excused);
    cr_assert_not(spec.rows[2].excused);
}

Test(spec_lists, excuse_without_a_reason)
{
    cr_assert_eq(spec_apply_excuses(&spec, "f", "| AD-1 | |\n| AD-2 | no |\n| AD-3 |\n"), 3);
    cr_assert_not(spec.rows[0].excused);
}

Test(spec_lists, excuse_for_nothing)
{
    cr_assert_eq(spec_apply_excuses(&spec, "f", "| AD-77 | it does not exist at all |\n"), 1);
}
