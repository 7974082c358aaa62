/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a subcommand, as a table: parsing, checks, --help and messages all come from
 * it. Options and operands may stand in any order; "--" ends the options; a value follows its
 * option as the next word or behind '='. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

enum option_kind {
    OPTION_FLAG,     /* bool; takes no value */
    OPTION_COUNT,    /* uint64_t, as are the next five */
    OPTION_SIZE,     /* bytes */
    OPTION_DURATION, /* ns */
    OPTION_PERCENT,
    OPTION_FACTOR, /* thousandths */
    OPTION_SEED,
    OPTION_TEXT,   /* const char *: the word of the command line itself */
    OPTION_CHOICE, /* unsigned: index of the word in `choices` */
    OPTION_CUSTOM, /* whatever `custom` sets */
};

/** Sets what an option of kind OPTION_CUSTOM means. `member` is where its offset points. Returns 0,
 * or -EINVAL with the end of a sentence in why: "must be ...". */
typedef int option_custom(void *member, const char *text, char *why, size_t size);

/** One option. */
struct option_spec {
    const char *name;  /* "depth" for --depth */
    const char *value; /* placeholder in the help, NULL for a flag */
    enum option_kind kind;
    bool not_replayed;   /* leaves the run as it is: not part of a replay line */
    size_t offset;       /* of the member that it sets */
    uint64_t min, max;   /* of numbers; max 0 = no check */
    const char *choices; /* "little|big|host" */
    option_custom *custom;
    const char *help; /* '\n' between lines */
};

/** One subcommand's command line. */
struct option_set {
    const char *command;  /* "run", "vlun create": its first word names the manual page */
    const char *operands; /* for the usage line, e.g. "FILE NAME"; "" = none */
    unsigned operand_count;
    bool operands_optional; /* they may be left out */
    const char *required;   /* options that must be given, e.g. "size media", or NULL; of
                               "media|backend" one will do */
    const char *summary;    /* one sentence */
    const char *notes;      /* after the options; may be NULL */
    const struct option_spec *specs;
    size_t count;
};

#define OPTIONS_OPERANDS_MAX 17
#define OPTIONS_WHY_BYTES 512
#define OPTIONS_REPLAY_BYTES 4096

/** What was on the command line besides the members that options set. */
struct option_rest {
    bool help, version;
    const char *operand[OPTIONS_OPERANDS_MAX];
    unsigned operands;
    uint64_t given;                    /* bit i: option i of the table was there */
    char replay[OPTIONS_REPLAY_BYTES]; /* " --depth 4 ...": what a replay line repeats */
};

/** Reads a command line (argv[0] is the subcommand) into the members of *target, which hold the
 * defaults. Stops at --help and --version, which every subcommand has. Returns 0, or -EINVAL with
 * one sentence in why (size bytes) that names option and value and says what is allowed. */
HAL_MUST_CHECK int options_parse(const struct option_set *set, int argc, char **argv, void *target,
                                 struct option_rest *rest, char *why, size_t size);

/** Whether the option `name` of the table was on the command line. */
bool options_given(const struct option_set *set, const struct option_rest *rest, const char *name);

/** Writes the help text of a subcommand to standard output. */
void options_help(const struct option_set *set);

/** The word of a list that looks most like `word`, or NULL when none does. `next` gives the words:
 * next(arg, i) is the i-th one, NULL after the last. */
const char *options_suggest(const char *word, const char *(*next)(const void *arg, size_t i),
                            const void *arg);

#endif
