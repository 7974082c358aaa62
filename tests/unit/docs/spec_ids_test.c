/* Ids and definitions, on literal tables. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "docs/spec_ids.h"
#include "tests/testlib/proves.h"

static bool parse(const char *text, struct spec_id *id)
{
    return spec_id_parse(text, strlen(text), id);
}

static const struct spec_row *find(struct spec *spec, const char *text)
{
    struct spec_id id;

    cr_assert(parse(text, &id), "%s", text);
    return spec_find(spec, &id);
}

Test(spec_id, parts_of_an_id)
{
    struct spec_id id;

    cr_assert(parse("AD-46a", &id));
    cr_assert_str_eq(id.prefix, "AD");
    cr_assert_eq(id.number, 46);
    cr_assert_eq(id.letter, 'a');
}

Test(spec_id, underscore_is_the_same_id)
{
    char text[SPEC_ID_TEXT_MAX];
    struct spec_id id;

    cr_assert(parse("VLW_5", &id));
    cr_assert_str_eq(spec_id_text(&id, text), "VLW-5");
}

Test(spec_id, number_of_a_section)
{
    char text[SPEC_ID_TEXT_MAX];
    struct spec_id id, whole;

    cr_assert(parse("SL-18.1", &id));
    cr_assert_eq(id.number, 18);
    cr_assert_eq(id.section, 1);
    cr_assert(parse("SL_18_1", &whole));
    cr_assert_str_eq(spec_id_text(&whole, text), "SL-18.1");
    cr_assert_eq(spec_id_compare(&id, &whole), 0);
    cr_assert(parse("SL-18", &whole));
    cr_assert_gt(spec_id_compare(&id, &whole), 0);
    cr_assert_not(parse("SL-18.", &id));
    cr_assert_not(parse("SL-18..1", &id));
    cr_assert_not(parse("SL-.1", &id));
}

Test(spec_id, other_text_is_refused)
{
    static const char *const wrong[] = {"",          "AD",      "AD-",       "AD46",
                                        "ad-46",     "AD-46ab", "46-AD",     "AD-46 ",
                                        "AD-46a..b", "AD--46",  "ABCDEFGH-1"};
    struct spec_id id;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_not(parse(wrong[i], &id), "%s", wrong[i]);
}

Test(spec_id, order_is_prefix_number_letter)
{
    static const char *const sorted[] = {"AD-9", "AD-46", "AD-46a", "AD-46b", "AD-47", "SP-1"};
    struct spec_id a, b;

    for (size_t i = 0; i + 1 < sizeof sorted / sizeof *sorted; i++) {
        cr_assert(parse(sorted[i], &a) && parse(sorted[i + 1], &b));
        cr_assert_lt(spec_id_compare(&a, &b), 0, "%s %s", sorted[i], sorted[i + 1]);
        cr_assert_eq(spec_id_compare(&a, &a), 0);
    }
}

/* A heading with nothing but subsections is no row; ids in tables are rows as ever. */
Test(spec_table, sections_of_sislite)
{
    static const char text[] = "# Title\n"
                               "## 1. MMIO\n\nAligned accesses only.\n"
                               "----------\n"
                               "## 5. Banks\n\n### 5.1 Layout [S]\n\n| Port | At |\n|---|---|\n"
                               "### 5.2 Table\n\nWords.\n### Notes\ntext\n"
                               "## 22. Decisions\n| Id | |\n|---|---|\n| MD-1 | reset value |\n";
    static const char *const want[] = {"SL-1", "SL-5.1", "SL-5.2", "SL-22", "MD-1"};
    struct spec spec;

    spec_init(&spec);
    spec_add_text(&spec, "sislite.md", text);
    cr_assert_eq(spec.count, sizeof want / sizeof *want);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        cr_assert(find(&spec, want[i]), "%s", want[i]);
    cr_assert_eq(find(&spec, "SL-5.1")->line, 8);
    cr_assert_str_eq(find(&spec, "SL-1")->file, "sislite.md");
    spec_finish(&spec);
    spec_init(&spec);
    spec_add_text(&spec, "timing.md", text);
    cr_assert_eq(spec.count, 0, "sections of other files are none");
    spec_finish(&spec);
}

static bool in_range(const char *text, const char *id_text)
{
    struct spec_range range;
    struct spec_id id;

    cr_assert(spec_range_parse(text, strlen(text), &range), "%s", text);
    cr_assert(parse(id_text, &id));
    return spec_range_holds(&range, &id);
}

Test(spec_range, ends_are_inside)
{
    cr_assert(in_range("AD-30..AD-49j", "AD-30"));
    cr_assert(in_range("AD-30..AD-49j", "AD-46c"));
    cr_assert(in_range("AD-30..AD-49j", "AD-49j"));
    cr_assert_not(in_range("AD-30..AD-49j", "AD-29"));
    cr_assert_not(in_range("AD-30..AD-49j", "AD-50"));
    cr_assert_not(in_range("AD-30..AD-49j", "VL-40"));
}

Test(spec_range, one_id_is_a_range)
{
    cr_assert(in_range("AD-46", "AD-46"));
    cr_assert_not(in_range("AD-46", "AD-46a"));
}

Test(spec_range, wrong_ranges)
{
    static const char *const wrong[] = {"AD-49..AD-30", "AD-1..VL-2", "AD-1..", "..AD-1",
                                        "AD-1-AD-2"};
    struct spec_range range;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_not(spec_range_parse(wrong[i], strlen(wrong[i]), &range), "%s", wrong[i]);
}

Test(spec_table, class_from_its_column)
{
    struct spec spec;

    spec_init(&spec);
    spec_add_text(&spec, "vlun.md",
                  "# VL\n"
                  "\n"
                  "| Req | Requirement | Class |\n"
                  "|---|---|---|\n"
                  "| VL-1 | first | C |\n"
                  "| VL-2 | with a \\| in the text | F |\n"
                  "| VL-3 | cites VL-1 | C, F for 0 |\n");
    cr_assert_eq(spec.count, 3);
    cr_assert_eq(find(&spec, "VL-1")->class, 'C');
    cr_assert_eq(find(&spec, "VL-2")->class, 'F');
    cr_assert_eq(find(&spec, "VL-3")->class, 'C');
    cr_assert_eq(find(&spec, "VL-2")->line, 6);
    spec_finish(&spec);
}

Test(spec_table, class_column_may_stand_anywhere)
{
    struct spec spec;

    spec_init(&spec);
    spec_add_text(&spec, "libcxl.md",
                  "| Id | Class | Statement |\n|---|---|---|\n| CX-1 | K | x |\n");
    cr_assert_eq(find(&spec, "CX-1")->class, 'K');
    spec_finish(&spec);
}

Test(spec_table, no_class_column)
{
    struct spec spec;

    spec_init(&spec);
    spec_add_text(&spec, "adapter.md",
                  "| Req | Class |\n|---|---|\n| AD-1 | I |\n\ntext\n"
                  "| Id | Step | Source |\n|---|---|---|\n| AD-2 | x | C |\n");
    cr_assert_eq(find(&spec, "AD-1")->class, 'I');
    cr_assert_eq(find(&spec, "AD-2")->class, 0);
    spec_finish(&spec);
}

Test(spec_table, citations_and_foreign_ids_define_nothing)
{
    struct spec spec;

    spec_init(&spec);
    spec_add_text(
        &spec, "libcxl.md",
        "| AD-7 contexts | a |\n| AD-8 | a foreign id |\n| x | CX-9 |\n| CX-9, CX-10 | b |\n"
        "text CX-11\n| SN-1 | no home |\n| CX_12 | not how a table writes it |\n");
    cr_assert_eq(spec.count, 0);
    spec_finish(&spec);
    PROVES(R_5);
}

Test(spec_table, block_library_defines_in_bold)
{
    struct spec spec;

    spec_init(&spec);
    spec_add_text(
        &spec, "block-library.md",
        "- **BL-1** text, see BL-9\n| get_size | **BL-17** EINVAL; **BL-18** both | **x** |\n");
    cr_assert_eq(spec.count, 3);
    cr_assert_eq(find(&spec, "BL-18")->line, 2);
    cr_assert_null(find(&spec, "BL-9"));
    spec_finish(&spec);
}

Test(spec_table, second_definition_is_counted)
{
    struct spec spec;

    spec_init(&spec);
    spec_add_text(&spec, "timing.md", "| TM-1 | a |\n| TM-1 | b |\n");
    cr_assert_eq(spec.count, 1);
    cr_assert_eq(spec.duplicates, 1);
    spec_finish(&spec);
}

Test(spec_table, many_rows)
{
    struct spec spec;
    char row[64];

    spec_init(&spec);
    for (int i = 0; i < 1000; i++) {
        snprintf(row, sizeof row, "| SP-%d | x |\n", i);
        spec_add_text(&spec, "superpipe.md", row);
    }
    cr_assert_eq(spec.count, 1000);
    cr_assert_not_null(find(&spec, "SP-999"));
    spec_finish(&spec);
}

Test(spec_table, classes_that_want_a_proof)
{
    static const char wants[] = {'C', 'F', 'K', 'B', 0}, does_not[] = {'H', 'I', 'Q'};
    struct spec_row row = {.line = 1};

    for (size_t i = 0; i < sizeof wants; i++) {
        row.class = wants[i];
        cr_assert(spec_row_wants_proof(&row));
    }
    for (size_t i = 0; i < sizeof does_not; i++) {
        row.class = does_not[i];
        cr_assert_not(spec_row_wants_proof(&row));
    }
}
