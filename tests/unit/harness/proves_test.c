/* PROVES() itself: what it writes, where, and how often. The ids here belong to no specification;
 * this package is not among the sources that docs/requirements.c scans. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/testlib/proves.h"

static char report[4096];

static void own_report_file(void)
{
    const char *dir = getenv("TEST_TMPDIR");

    snprintf(report, sizeof report, "%s/proves_%d.txt", dir ? dir : "/tmp", (int)getpid());
    setenv("SPIPE_PROVES_FILE", report, 1);
}

static void drop_report_file(void) { unlink(report); }

TestSuite(proves, .init = own_report_file, .fini = drop_report_file);

static const char *reported(void)
{
    static char text[4096];
    FILE *f = fopen(report, "r");

    memset(text, 0, sizeof text);
    if (f) {
        size_t n = fread(text, 1, sizeof text - 1, f);

        text[n] = '\0';
        fclose(f);
    }
    return text;
}

Test(proves, writes_test_name_and_id)
{
    PROVES(XX_46a);
    cr_assert_str_eq(reported(), "proves::writes_test_name_and_id XX-46a\n");
}

Test(proves, underscore_in_the_name_stays)
{
    PROVES(XX_1);
    cr_assert_str_eq(reported(), "proves::underscore_in_the_name_stays XX-1\n");
}

Test(proves, one_line_reports_once)
{
    for (int i = 0; i < 1000; i++)
        PROVES(XX_2);
    cr_assert_str_eq(reported(), "proves::one_line_reports_once XX-2\n");
}

Test(proves, child_process_reports_for_its_test)
{
    pid_t pid = fork();
    int st;

    if (pid == 0) {
        PROVES(XX_3);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &st, 0), pid);
    PROVES(XX_4);
    cr_assert_str_eq(reported(), "proves::child_process_reports_for_its_test XX-3\n"
                                 "proves::child_process_reports_for_its_test XX-4\n");
}

Test(proves, undeclared_outputs_directory_is_the_second_choice)
{
    const char *dir = getenv("TEST_TMPDIR");
    char path[4096];

    if (!dir)
        cr_skip_test("needs a directory from the test runner");
    unsetenv("SPIPE_PROVES_FILE");
    setenv("TEST_UNDECLARED_OUTPUTS_DIR", dir, 1);
    PROVES(XX_5);
    snprintf(path, sizeof path, "%s/proves.txt", dir);
    cr_assert_eq(rename(path, report), 0);
    cr_assert_str_eq(reported(),
                     "proves::undeclared_outputs_directory_is_the_second_choice XX-5\n");
}

Test(proves, silent_without_a_destination)
{
    unsetenv("SPIPE_PROVES_FILE");
    unsetenv("TEST_UNDECLARED_OUTPUTS_DIR");
    PROVES(XX_6);
    cr_assert_str_eq(reported(), "");
}
