/* Both runners (Criterion with our main, the stand-in) must agree on verdicts and exit codes:
 * 0 all passed, 1 some failed, 2 unknown option, 3 nothing ran. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAMPLE "tests/unit/harness/sample"

struct run_case {
    char what[32];
    char arg[48];
    char env[2][48];
    int exit_code;
};

/* The sample must not see the shards and the XML file of this test, nor take itself for one of
 * the processes that Criterion starts. */
static void clean_environment(void)
{
    static const char *const mine[] = {"TEST_TOTAL_SHARDS",      "TEST_SHARD_INDEX",
                                       "TEST_SHARD_STATUS_FILE", "XML_OUTPUT_FILE",
                                       "TESTBRIDGE_TEST_ONLY",   "BXFI_MAP"};

    for (size_t i = 0; i < sizeof mine / sizeof *mine; i++)
        unsetenv(mine[i]);
}

static int run_sample(struct run_case *c)
{
    pid_t pid = fork();
    int st = -1;

    if (pid == 0) {
        clean_environment();
        for (int i = 0; i < 2; i++)
            if (c->env[i][0])
                putenv(c->env[i]);
        dup2(open("/dev/null", O_WRONLY), 2);
        execl(SAMPLE, SAMPLE, c->arg[0] ? c->arg : (char *)NULL, (char *)NULL);
        _exit(99);
    }
    cr_assert_eq(waitpid(pid, &st, 0), pid);
    return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

ParameterizedTestParameters(runner, exit_codes)
{
    static struct run_case cases[] = {
        {"a test that passes", "--filter=sample/passes", {"", ""}, 0},
        {"a failing assertion", "--filter=sample/fails", {"", ""}, 1},
        {"a failing expectation", "--filter=sample/fails_softly", {"", ""}, 1},
        {"a crash", "--filter=sample/crashes", {"", ""}, 1},
        {"an unexpected exit", "--filter=sample/leaves", {"", ""}, 1},
        {"a time-out", "--filter=sample/hangs", {"", ""}, 1},
        {"a skip only", "--filter=sample/skips", {"", ""}, 0},
        {"an expected signal", "--filter=sample/expected_signal", {"", ""}, 0},
        {"an expected exit code", "--filter=sample/expected_exit", {"", ""}, 0},
        {"three parameters", "--filter=sample/numbers", {"", ""}, 0},
        {"everything", "", {"", ""}, 1},
        {"an extended glob", "--filter=sample/@(passes|skips)", {"", ""}, 0},
        {"no match", "--filter=sample/nothing", {"", ""}, 3},
        {"unknown option", "--no-such-option", {"", ""}, 2},
        {"Bazel's filter", "", {"TESTBRIDGE_TEST_ONLY=sample/passes", ""}, 0},
        {"Bazel's filter, no match", "", {"TESTBRIDGE_TEST_ONLY=sample/nothing", ""}, 0},
        {"an empty shard", "", {"TEST_TOTAL_SHARDS=100", "TEST_SHARD_INDEX=99"}, 0},
    };

    return cr_make_param_array(struct run_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct run_case *c, runner, exit_codes)
{
    int code = run_sample(c);

    cr_assert_eq(code, c->exit_code, "%s: exit code %d, not %d", c->what, code, c->exit_code);
}
