/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe doctor on the machine that the test runs on. Wherever that is, a report says what is
 * there; nearly everywhere there is no card, and the verdict says so. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/cli/cli_fixture.h"

TestSuite(doctor, .init = cli_begin, .fini = cli_end);

static bool has_cards(void) { return access("/sys/class/cxl", F_OK) == 0; }

Test(doctor, no_card_here)
{
    struct cli_result r = cli("doctor");

    if (has_cards())
        return; /* a machine for docs/hardware-runs.md */
    cr_assert_eq(r.code, 1);
    cr_assert_str_eq(r.err, "");
    cr_assert_eq(strncmp(r.out, "Report of superpipe doctor ", 27), 0);
    cr_assert(strstr(r.out, "\nMachine\n"));
    cr_assert(strstr(r.out, "\n  /sys/class/cxl            missing\n"));
    cr_assert(strstr(r.out, "\nVerdict\nThis machine has no CAPI card"), "%s", r.out);
    cr_assert(strstr(r.out, "\nWhat is missing:\n\n 1. "));
}

Test(doctor, a_report_in_a_file)
{
    struct cli_result r = cli("doctor --output report.txt");
    const char *report, *verdict;

    cr_assert_eq(r.code, cli("doctor").code);
    r = cli("doctor --output report.txt");
    report = cli_read("report.txt");
    cr_assert_not_null(report);
    verdict = strstr(report, "\nVerdict\n");
    cr_assert_not_null(verdict);
    cr_assert_str_eq(r.out, verdict, "standard output has the verdict only");
    cr_assert_eq(strncmp(report, "Report of superpipe doctor ", 27), 0);
    cr_assert_eq(strncmp(cli("doctor --output -").out, "Report of superpipe doctor ", 27), 0);
}

/* A library that is none of both, and a file that is no library. */
Test(doctor, the_library_that_is_named)
{
    struct cli_result r = cli("doctor --libcxl libm.so.6");

    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.out, "  asked for                 libm.so.6\n"));
    cr_assert(strstr(r.out, "libm.so.6 is an unknown library"), "%s", r.out);
    r = cli("doctor --libcxl ./none.so");
    cr_assert_eq(r.code, 1);
    cr_assert(strstr(r.out, "none.so: cannot open shared object file"), "%s", r.out);
}

/* Nothing to open: the same words, and no lock file is made. */
Test(doctor, open_without_a_card)
{
    struct cli_result r;
    char *closed;

    if (has_cards())
        return;
    closed = strdup(cli("doctor").out);
    cr_assert_not_null(closed);
    r = cli("doctor --open");
    cr_assert_eq(r.code, 1);
    cr_assert_str_eq(r.out, closed);
    free(closed);
}
