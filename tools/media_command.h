/* SPDX-License-Identifier: Apache-2.0 */
/* A subcommand that works on one media file, or on a card: its common options, and everything
 * between the command line and the exit code except for what it is there for. */
#ifndef TOOLS_MEDIA_COMMAND_H
#define TOOLS_MEDIA_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/adapter_options.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/param_options.h"
#include "tools/session.h"

/** What the common options set. */
struct media_options {
    const char *path;   /* NULL: a card, if the adapter is one */
    uint64_t lun_bytes; /* of each LUN of a new media file */
    struct adapter_options adapter;
    bool json, quiet;
    struct param_options param;
};

/** Rows of an option table; `member` is the struct media_options in `type`. */
#define MEDIA_PATH_ROW(type, member, text)                                                         \
    {                                                                                              \
        .name = "media", .value = "PATH", .kind = OPTION_TEXT,                                     \
        .offset = offsetof(type, member.path), .help = text                                        \
    }
#define MEDIA_JSON_ROW(type, member)                                                               \
    {                                                                                              \
        .name = "json", .kind = OPTION_FLAG, .offset = offsetof(type, member.json),                \
        .help = "print one JSON object instead"                                                    \
    }
#define MEDIA_QUIET_ROW(type, member)                                                              \
    {                                                                                              \
        .name = "quiet", .kind = OPTION_FLAG, .offset = offsetof(type, member.quiet),              \
        .help = "say nothing when all is well"                                                     \
    }

/** The rows of a subcommand that a card will do for, too; in place of "media", MEDIA_OR_CARD is
 * required of it. */
#define MEDIA_ADAPTER_ROWS(type, member)                                                           \
    ADAPTER_NAMES_ROW(type, member.adapter), ADAPTER_BACKEND_ROWS(type, member.adapter)
#define MEDIA_OR_CARD "media|backend"

/** The same; `member` is the uint64_t that holds the size, MEDIA_NEW_LUN_BYTES by default. */
#define MEDIA_LUN_SIZE_ROW(type, member)                                                           \
    {                                                                                              \
        .name = "lun-size", .value = "SIZE", .kind = OPTION_SIZE,                                  \
        .offset = offsetof(type, member), .min = SESSION_CHUNK_BYTES,                              \
        .max = SIM_MEDIA_LUN_BYTES_MAX,                                                            \
        .help = "size of each of the two LUNs of a new media file, which\n"                        \
                "takes space only for what is written (64 GiB)"                                    \
    }

#define MEDIA_NEW_LUNS 2                         /* of a media file that is made */
#define MEDIA_NEW_LUN_BYTES (UINT64_C(64) << 30) /* each, unless --lun-size says otherwise */

/** How a subcommand runs. */
struct media_command {
    const struct option_set *set;
    enum session_media media;
    unsigned names; /* so many operands, from the first on, are names of virtual LUNs */
    session_body *body;
};

/** One call of it: the first member of the struct that the body gets. */
struct media_call {
    struct media_options options;
    struct option_rest rest;
    struct sim_params params;
    uint64_t capabilities; /* that the adapter has besides those of the parameters (SL 20.2) */
    cJSON *json;           /* an empty object to be filled; NULL without --json */
    char said[SESSION_WHY_BYTES]; /* what the body leaves here is printed, unless --quiet */
    char why[SESSION_WHY_BYTES];
};

/** Reads the command line into *call, or the struct that it begins; brings the adapter up, runs the
 * body with that struct as its argument, and prints what it left. Returns the exit code. */
int media_command(const struct media_command *m, struct media_call *call, int argc, char **argv);

/** The same in two steps for who has more to check: media_command_begin() returns true if the
 * command line was good; else *code is the exit code. */
bool media_command_begin(const struct media_command *m, struct media_call *call, int argc,
                         char **argv, int *code);

/** The second step. Returns the exit code. */
int media_command_finish(const struct media_command *m, struct media_call *call);

#endif
