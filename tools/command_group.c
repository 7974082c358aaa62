/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command_group.h"

#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"
#include "tools/command.h"

static void usage(const struct command_group *g, FILE *out)
{
    fprintf(out, "Usage: %s COMMAND [OPTION]...\n%s\n\nCommands:\n", g->words, g->summary);
    for (size_t i = 0; i < g->count; i++)
        fprintf(out, "  %-10s %s\n", g->commands[i].name, g->commands[i].help);
    fprintf(out,
            "\n"
            "  --help     show this help\n"
            "  --version  show the version\n\n"
            "'%s COMMAND --help' tells the options of a command.\n"
            "Exit status: 0 success, 1 failure, 2 wrong usage. See %s(1).\n",
            g->words, g->manual);
}

static const char *command_name(const void *arg, size_t i)
{
    const struct command_group *g = arg;

    return i < g->count ? g->commands[i].name : NULL;
}

static const struct command *find(const struct command_group *g, const char *name)
{
    for (size_t i = 0; i < g->count; i++)
        if (!strcmp(g->commands[i].name, name))
            return &g->commands[i];
    return NULL;
}

static int unknown(const struct command_group *g, const char *word)
{
    const char *like = options_suggest(word, command_name, g);

    fprintf(stderr, "%s: ", g->words);
    if (word[0] == '-')
        fprintf(stderr,
                "there is no option %s here: give a command first, '%s --help' lists them\n", word,
                g->words);
    else if (like)
        fprintf(stderr, "there is no command '%s', did you mean '%s'?\n", word, like);
    else
        fprintf(stderr, "there is no command '%s': '%s --help' lists all\n", word, g->words);
    return COMMAND_USAGE;
}

/* "help WORD..." becomes "WORD... --help". */
static void ask_for_help(int argc, char **argv)
{
    static char word[] = "--help";

    memmove(argv + 1, argv + 2, (size_t)(argc - 2) * sizeof *argv);
    argv[argc - 1] = word;
}

int command_group_run(const struct command_group *g, int argc, char **argv)
{
    const struct command *c;

    if (argc < 2) {
        usage(g, stderr);
        return COMMAND_USAGE;
    }
    while (!strcmp(argv[1], "help"))
        ask_for_help(argc, argv);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage(g, stdout);
        return COMMAND_GOOD;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        printf("superpipe %s\n", SPIPE_VERSION);
        return COMMAND_GOOD;
    }
    c = find(g, argv[1]);
    return c ? c->run(argc - 1, argv + 1) : unknown(g, argv[1]);
}
