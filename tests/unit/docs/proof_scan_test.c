/* Finding proofs in C text. The calls stand in strings here, which the scanner itself skips. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "docs/proof_scan.h"

/* What the scan found: "line:id " for a proof, "line!n " for a function that proves too much. */
static char found[1024];

static void on_proof(void *arg, unsigned line, const char *id, size_t length)
{
    size_t used = strlen(found);

    (void)arg;
    snprintf(found + used, sizeof found - used, "%u:%.*s ", line, (int)length, id);
}

static void on_too_many(void *arg, unsigned line, unsigned ids)
{
    size_t used = strlen(found);

    (void)arg;
    snprintf(found + used, sizeof found - used, "%u!%u ", line, ids);
}

static const char *scan(const char *text)
{
    static const struct proof_sink sink = {NULL, on_proof, on_too_many};

    found[0] = '\0';
    proof_scan(text, &sink);
    return found;
}

#define SIX "PROVES(A_1); PROVES(A_2); PROVES(A_3); PROVES(A_4); PROVES(A_5); PROVES(A_6);\n"
#define SIX_FOUND(line)                                                                            \
    line ":A_1 " line ":A_2 " line ":A_3 " line ":A_4 " line ":A_5 " line ":A_6 "

Test(proof_scan, finds_line_and_id)
{
    cr_assert_str_eq(scan("Test(a, b)\n{\n    PROVES(AD_46a);\n\n    PROVES( SP_1 );\n}\n"),
                     "3:AD_46a 5:SP_1 ");
}

Test(proof_scan, reports_what_is_no_id)
{
    cr_assert_str_eq(scan("Test(a, b) { PROVES(whatever); }\n"), "1:whatever ");
}

Test(proof_scan, ignores_comments_strings_and_directives)
{
    cr_assert_str_eq(
        scan("// PROVES(A_1)\n/* PROVES(A_2)\n */\nchar *s = \"PROVES(A_3) \\\" PROVES(A_4)\";\n"
             "#define X PROVES(A_5) \\\n PROVES(A_6)\nchar c = '\"';\nint PROVES_x(A_7);\n"
             "void f(void) { PROVES(A_8); }\n"),
        "9:A_8 ");
}

Test(proof_scan, five_ids_need_no_reason)
{
    cr_assert_str_eq(scan("Test(a, b)\n{\nPROVES(A_1); PROVES(A_2); PROVES(A_3); PROVES(A_4);\n"
                          "PROVES(A_5); PROVES(A_5); PROVES(A_1);\n}\n"),
                     "3:A_1 3:A_2 3:A_3 3:A_4 4:A_5 4:A_5 4:A_1 ");
}

Test(proof_scan, six_ids_need_a_reason)
{
    cr_assert_str_eq(scan("Test(a, b)\n{\n" SIX "}\n"), SIX_FOUND("3") "4!6 ");
}

Test(proof_scan, reason_inside_or_before)
{
    cr_assert_str_eq(scan("Test(a, b)\n{\n/* PROVES-MANY: one golden trace */\n" SIX "}\n"),
                     SIX_FOUND("4"));
    cr_assert_str_eq(scan("/* PROVES-MANY: one golden trace */\nTest(a, b)\n{\n" SIX "}\n"),
                     SIX_FOUND("4"));
}

Test(proof_scan, empty_reason_is_none)
{
    cr_assert_str_eq(scan("Test(a, b)\n{\n/* PROVES-MANY: */\n" SIX "}\n"), SIX_FOUND("4") "5!6 ");
}

Test(proof_scan, reason_holds_for_one_function)
{
    cr_assert_str_eq(
        scan("/* PROVES-MANY: one golden trace */\nvoid f(void)\n{\n}\nvoid g(void)\n{\n" SIX
             "}\n"),
        SIX_FOUND("7") "8!6 ");
}

Test(proof_scan, unbalanced_conditional_text)
{
    cr_assert_str_eq(scan("void f(void)\n{\n#if X\n if (a) {\n#else\n if (b) {\n#endif\n }\n"
                          "PROVES(A_9);\n}\nvoid g(void)\n{\n" SIX "}\n"),
                     "9:A_9 " SIX_FOUND("13") "14!6 ");
}
