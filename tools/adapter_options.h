/* SPDX-License-Identifier: Apache-2.0 */
/* The options that choose the adapter, simulated or a card, and where names of virtual LUNs are:
 * --names, --backend, --libcxl, --require-card, --afu. */
#ifndef TOOLS_ADAPTER_OPTIONS_H
#define TOOLS_ADAPTER_OPTIONS_H

#include <stdbool.h>

#include "backends/posix/posix_record_file.h"
#include "hal/support/must_check.h"
#include "tools/options.h"
#include "tools/session.h"

/** What was on the command line. Zero is: nothing. */
struct adapter_options {
    unsigned backend; /* enum session_backend */
    const char *libcxl, *afu, *names;
    bool require_card;
};

/** Rows of an option table; `member` is the struct adapter_options in `type`. */
#define ADAPTER_NAMES_ROW(type, member)                                                            \
    {                                                                                              \
        .name = "names", .value = "FILE", .kind = OPTION_TEXT,                                     \
        .offset = offsetof(type, member.names),                                                    \
        .help = "the file that names of virtual LUNs are in, made when\n"                          \
                "missing; blocks of named ones stay as they are (the media,\n"                     \
                "or " POSIX_RECORD_FILE_PATH " with a card)"                                       \
    }
#define ADAPTER_BACKEND_ROWS(type, member)                                                         \
    {.name = "backend",                                                                            \
     .value = "KIND",                                                                              \
     .kind = OPTION_CHOICE,                                                                        \
     .offset = offsetof(type, member.backend),                                                     \
     .choices = "sim|capi",                                                                        \
     .help = "what the adapter is reached through: sim, or capi:\nIBM's libcxl, or a stand-in "    \
             "for it without a card (sim)"},                                                       \
        {.name = "libcxl",                                                                         \
         .value = "PATH",                                                                          \
         .kind = OPTION_TEXT,                                                                      \
         .offset = offsetof(type, member.libcxl),                                                  \
         .help = "the library, for --backend capi (found)"},                                       \
        {.name = "require-card",                                                                   \
         .kind = OPTION_FLAG,                                                                      \
         .offset = offsetof(type, member.require_card),                                            \
         .help = "for --backend capi: fail rather than use the stand-in"},                         \
    {                                                                                              \
        .name = "afu", .value = "NAME", .kind = OPTION_TEXT, .offset = offsetof(type, member.afu), \
        .help = "which one of a machine with cards (the first)"                                    \
    }

/** Whether they go together. Returns 0, or -EINVAL with a sentence in why: a wrong usage. */
HAL_MUST_CHECK int adapter_options_check(const struct adapter_options *o, char *why, size_t size);

/** Puts them into the description of a session. The texts are lent as long as it lasts. */
void adapter_options_apply(const struct adapter_options *o, struct session_config *config);

#endif
