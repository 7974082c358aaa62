/* Run by runner_test.c only: one test of each verdict. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

Test(sample, passes) { cr_assert(1); }

Test(sample, fails) { cr_assert_eq(1, 2, "one is not two"); }

Test(sample, fails_softly) { cr_expect(0); }

Test(sample, crashes) { raise(SIGKILL); }

Test(sample, leaves) { exit(5); }

Test(sample, hangs, .timeout = 0.2)
{
    for (;;)
        pause();
}

Test(sample, skips) { cr_skip_test("nothing to see"); }

Test(sample, expected_signal, .signal = SIGKILL) { raise(SIGKILL); }

Test(sample, expected_exit, .exit_code = 7) { exit(7); }

ParameterizedTestParameters(sample, numbers)
{
    static int numbers[] = {1, 2, 3};

    return cr_make_param_array(int, numbers, sizeof numbers / sizeof *numbers);
}

ParameterizedTest(int *n, sample, numbers) { cr_assert_gt(*n, 0); }
