/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe: the program. It finds the subcommand; each has a file cmd_NAME.c. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"
#include "hal/support/bits.h"
#include "tools/command.h"

/* One subcommand. */
struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

static const struct command commands[] = {
    {"run", cmd_run, "mixed I/O with verification by many clients, with figures"},
    {"put", cmd_put, "store a file in a named virtual LUN"},
    {"get", cmd_get, "copy a named virtual LUN into a file"},
    {"list", cmd_list, "list the named virtual LUNs"},
    {"remove", cmd_remove, "remove a named virtual LUN"},
    {"info", cmd_info, "show adapter, ports, LUNs and parameters"},
    {"trace", cmd_trace, "show what a trace file tells, for example the life of a command"},
};

static void usage(FILE *out)
{
    fprintf(out, "Usage: superpipe COMMAND [OPTION]...\n"
                 "The CAPI Flash stack in user space, on a simulated adapter.\n\n"
                 "Commands:\n");
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(commands); i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\n"
                 "  --help     show this help\n"
                 "  --version  show the version\n\n"
                 "'superpipe COMMAND --help' tells the options of a command.\n"
                 "Exit status: 0 success, 1 failure, 2 wrong usage. See superpipe(1).\n");
}

static const char *command_name(const void *arg, size_t i)
{
    (void)arg;
    return i < HAL_ARRAY_LENGTH(commands) ? commands[i].name : NULL;
}

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < HAL_ARRAY_LENGTH(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int unknown(const char *word)
{
    const char *like = options_suggest(word, command_name, NULL);

    if (word[0] == '-')
        fprintf(stderr,
                "superpipe: there is no option %s here: give a command first, 'superpipe "
                "--help' lists them\n",
                word);
    else if (like)
        fprintf(stderr, "superpipe: there is no command '%s', did you mean '%s'?\n", word, like);
    else
        fprintf(stderr, "superpipe: there is no command '%s': 'superpipe --help' lists all\n",
                word);
    return COMMAND_USAGE;
}

/* "superpipe help [COMMAND]" */
static int help(int argc, char **argv)
{
    char *words[] = {argc > 2 ? argv[2] : NULL, (char[]){"--help"}, NULL};
    const struct command *c;

    if (argc < 3) {
        usage(stdout);
        return COMMAND_GOOD;
    }
    c = find(argv[2]);
    return c ? c->run(2, words) : unknown(argv[2]);
}

int main(int argc, char **argv)
{
    const struct command *c;

    /* Writing too much, or to nobody, is an error with a sentence, not a sudden death. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        usage(stderr);
        return COMMAND_USAGE;
    }
    if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
        return help(argc, argv);
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("superpipe %s\n", SPIPE_VERSION);
        return COMMAND_GOOD;
    }
    c = find(argv[1]);
    return c ? c->run(argc - 1, argv + 1) : unknown(argv[1]);
}
