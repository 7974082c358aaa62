/* SPDX-License-Identifier: Apache-2.0 */
/* What all subcommands share: exit codes, the begin of each, and how they say what went wrong. */
#ifndef TOOLS_COMMAND_H
#define TOOLS_COMMAND_H

#include <stdbool.h>

#include "tools/options.h"

#define COMMAND_GOOD 0
#define COMMAND_FAILED 1
#define COMMAND_USAGE 2

/* The subcommands: argv[0] is the name of the subcommand. Each returns an exit code. */
int cmd_run(int argc, char **argv);
int cmd_put(int argc, char **argv);
int cmd_get(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_remove(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_events(int argc, char **argv);
int cmd_vlun(int argc, char **argv);
int cmd_lun(int argc, char **argv);
int cmd_attr(int argc, char **argv);
int cmd_port(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_scsi(int argc, char **argv);

/** Parses the command line of a subcommand. Returns true if it goes on; else *code is the exit code
 * and everything has been said. */
bool command_begin(const struct option_set *set, int argc, char **argv, void *target,
                   struct option_rest *rest, int *code);

/** Writes "superpipe COMMAND: sentence" to standard error. Returns `code`. */
int command_fail(const struct option_set *set, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Makes sure that everything written to standard output arrived. Returns `code`, or
 * COMMAND_FAILED. */
int command_end(const struct option_set *set, int code);

/** Checks a name of a virtual LUN as people type it. Returns 0, or -EINVAL with a sentence in why:
 * names have 1 to 63 of A-Z a-z 0-9 . _ - and no dash in front. */
HAL_MUST_CHECK int command_check_name(const char *name, char *why, size_t size);

#endif
