/* SPDX-License-Identifier: Apache-2.0 */
/* Which command a command line means, and what reaches it. */
#include "tools/command_group.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/command.h"

/* ---- two levels of commands that write down what reached them ---- */

static char reached[128];

static int note(const char *who, int argc, char **argv)
{
    size_t used = (size_t)snprintf(reached, sizeof reached, "%s:", who);

    for (int i = 0; i < argc; i++)
        used += (size_t)snprintf(reached + used, sizeof reached - used, " %s", argv[i]);
    cr_assert_null(argv[argc], "the words end as those of main do");
    return 7;
}

static int make(int argc, char **argv) { return note("make", argc, argv); }
static int grow(int argc, char **argv) { return note("grow", argc, argv); }

static const struct command inner_commands[] = {{"grow", grow, "make larger"}};

static const struct command_group inner = {
    .words = "program inner",
    .manual = "program-inner",
    .summary = "Inner.",
    .commands = inner_commands,
    .count = HAL_ARRAY_LENGTH(inner_commands),
};

static int run_inner(int argc, char **argv) { return command_group_run(&inner, argc, argv); }

static const struct command commands[] = {{"make", make, "make"}, {"inner", run_inner, "more"}};

static const struct command_group outer = {
    .words = "program",
    .manual = "program",
    .summary = "Outer.",
    .commands = commands,
    .count = HAL_ARRAY_LENGTH(commands),
};

/* Types "program " and the words of a line; returns the exit code. */
static int type(const char *line)
{
    static char copy[128];
    char *argv[8] = {(char[]){"program"}, NULL}, *save = NULL;
    int argc = 1;

    *reached = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    argv[argc] = NULL;
    return command_group_run(&outer, argc, argv);
}

static void expect(const char *line, int code, const char *expected)
{
    cr_assert_eq(type(line), code, "%s", line);
    cr_assert_str_eq(reached, expected, "%s", line);
}

/* ---- tests ---- */

Test(command_group, a_command_gets_its_words_and_its_exit_code_counts)
{
    expect("make", 7, "make: make");
    expect("make a --b c", 7, "make: make a --b c");
    expect("inner grow a", 7, "grow: grow a");
    expect("make help", 7, "make: make help");
}

Test(command_group, help_of_a_command_is_asked_of_it)
{
    expect("help make", 7, "make: make --help");
    expect("help inner grow", 7, "grow: grow --help");
    expect("inner help grow", 7, "grow: grow --help");
}

Test(command_group, help_and_version_of_a_group_need_no_command)
{
    static const char *const lines[] = {"help",         "--help",          "-h",       "--version",
                                        "-V",           "help inner",      "inner -h", "inner help",
                                        "inner --help", "inner --version", "help help"};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lines); i++)
        expect(lines[i], COMMAND_GOOD, "");
}

Test(command_group, other_words_are_wrong_usage_and_reach_nobody)
{
    static const char *const lines[] = {"",
                                        "mak",
                                        "grow",
                                        "--frobnicate",
                                        "inner",
                                        "inner make",
                                        "help frobnicate",
                                        "inner --x grow"};

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(lines); i++)
        expect(lines[i], COMMAND_USAGE, "");
}
