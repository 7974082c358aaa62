/* SPDX-License-Identifier: Apache-2.0 */
/* Commands below a word: those of `superpipe`, and those of `superpipe vlun`. Which of them is
 * meant, --help, --version, and what is said about a word that is none. */
#ifndef TOOLS_COMMAND_GROUP_H
#define TOOLS_COMMAND_GROUP_H

#include <stddef.h>

/** One command of a group. */
struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the name; returns an exit code */
    const char *help;                  /* a few words */
};

/** Commands that share a word. */
struct command_group {
    const char *words;   /* what is typed in front of them: "superpipe vlun" */
    const char *manual;  /* "superpipe-vlun" */
    const char *summary; /* one sentence; '\n' between lines */
    const struct command *commands;
    size_t count;
};

/** Runs the command that argv[1] names. --help and --version stand for themselves; "help WORD..."
 * means "WORD... --help" (argv is changed then). Returns an exit code; everything has been said. */
int command_group_run(const struct command_group *g, int argc, char **argv);

#endif
