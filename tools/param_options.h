/* SPDX-License-Identifier: Apache-2.0 */
/* The options that choose parameters of the simulated adapter: --profile, --params, --param. */
#ifndef TOOLS_PARAM_OPTIONS_H
#define TOOLS_PARAM_OPTIONS_H

#include <stddef.h>

#include "hal/support/must_check.h"
#include "sim/sim_params.h"
#include "tools/options.h"

#define PARAM_OPTIONS_MAX 64
#define PARAM_PROFILES "flashsystem|flashgt|zero"

/** What was on the command line. */
struct param_options {
    unsigned profile; /* index into PARAM_PROFILES */
    const char *file;
    struct param_settings {
        unsigned count;
        const char *text[PARAM_OPTIONS_MAX]; /* "name=value" */
    } settings;
};

/** option_custom of --param: checks and remembers one setting. */
int param_options_set(void *member, const char *text, char *why, size_t size);

/** The three rows of an option table; `member` is the struct param_options in `type`. */
#define PARAM_OPTION_ROWS(type, member)                                                            \
    {.name = "profile",                                                                            \
     .value = "NAME",                                                                              \
     .kind = OPTION_CHOICE,                                                                        \
     .offset = offsetof(type, member.profile),                                                     \
     .choices = PARAM_PROFILES,                                                                    \
     .help = "what the adapter is like: flashsystem (default), flashgt,\n"                         \
             "or zero (no assumed latencies)"},                                                    \
        {.name = "params",                                                                         \
         .value = "FILE",                                                                          \
         .kind = OPTION_TEXT,                                                                      \
         .offset = offsetof(type, member.file),                                                    \
         .help = "parameters from a file, lines of NAME = VALUE"},                                 \
    {                                                                                              \
        .name = "param", .value = "NAME=VALUE", .kind = OPTION_CUSTOM,                             \
        .offset = offsetof(type, member.settings), .custom = param_options_set,                    \
        .help = "one parameter, above profile and file; may be repeated"                           \
    }

/** Builds the parameters: the profile, then the file, then single settings. Returns an exit code:
 * COMMAND_GOOD; or, with a sentence in why (size bytes), COMMAND_FAILED for a file that cannot be
 * used, COMMAND_USAGE for settings that break a rule between parameters. */
HAL_MUST_CHECK int param_options_apply(const struct param_options *o, struct sim_params *params,
                                       char *why, size_t size);

#endif
