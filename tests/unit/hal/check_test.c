/* Assertions: they stay in every build, evaluate once, and end the program with a message. */
#ifndef NDEBUG
#define NDEBUG /* must change nothing */
#endif

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hal/support/check.h"

Test(check, a_condition_that_holds_is_evaluated_once)
{
    int n = 0;

    CHECK(++n == 1);
    CHECK(++n == 2);
    cr_assert_eq(n, 2);
}

Test(check, is_an_expression)
{
    int n = 1;
    int v = (CHECK(n == 1), n + 1);

    cr_assert_eq(v, 2);
}

Test(check, pointers_and_numbers_are_conditions)
{
    const char *text = "text";

    CHECK(text);
    CHECK(4);
    cr_assert_str_eq(text, "text");
}

Test(check, a_condition_that_fails_aborts, .signal = SIGABRT) { CHECK(1 + 1 == 3); }

Test(check, null_aborts, .signal = SIGABRT)
{
    const void *p = NULL;

    CHECK(p);
}

Test(check, unreachable_aborts, .signal = SIGABRT) { CHECK_UNREACHABLE(); }

static void fail_quotes(void) { CHECK(strcmp("a", "b") == 0); }

static void fail_unreachable(void) { CHECK_UNREACHABLE(); }

/* Runs `fails` in a child and gives what it wrote to stderr; the child must abort. */
static void message_of(void (*fails)(void), char *buf, size_t size)
{
    int ends[2], status = 0;
    ssize_t n;
    size_t used = 0;
    pid_t child;

    cr_assert_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        fails();
        _exit(0);
    }
    close(ends[1]);
    while ((n = read(ends[0], buf + used, size - 1 - used)) > 0)
        used += (size_t)n;
    buf[used] = 0;
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status 0x%x", (unsigned)status);
}

Test(check, message_says_where_and_what)
{
    char text[512];

    message_of(fail_quotes, text, sizeof text);
    cr_assert_not_null(strstr(text, "check_test.c:"), "%s", text);
    cr_assert_not_null(strstr(text, "strcmp(\"a\", \"b\") == 0 does not hold"), "%s", text);
    message_of(fail_unreachable, text, sizeof text);
    cr_assert_not_null(strstr(text, "unreachable"), "%s", text);
}
