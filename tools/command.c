/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/superpipe.h"

int command_fail(const struct option_set *set, int code, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "superpipe %s: ", set->command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int command_end(const struct option_set *set, int code)
{
    if (!fflush(stdout) && !ferror(stdout))
        return code;
    return command_fail(set, COMMAND_FAILED, "standard output cannot be written (%s)",
                        strerror(errno));
}

bool command_begin(const struct option_set *set, int argc, char **argv, void *target,
                   struct option_rest *rest, int *code)
{
    char why[OPTIONS_WHY_BYTES];

    if (options_parse(set, argc, argv, target, rest, why, sizeof why)) {
        *code = command_fail(set, COMMAND_USAGE, "%s", why);
        return false;
    }
    if (rest->help)
        options_help(set);
    else if (rest->version)
        printf("superpipe %s\n", SPIPE_VERSION);
    else
        return true;
    *code = command_end(set, COMMAND_GOOD);
    return false;
}

int command_check_name(const char *name, char *why, size_t size)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t n = strlen(name);

    if (n && n <= SPIPE_NAME_MAX && strspn(name, allowed) == n && name[0] != '-')
        return 0;
    snprintf(why, size,
             "'%.80s' cannot name a virtual LUN: use 1 to %d of A-Z a-z 0-9 . _ - "
             "with no dash in front",
             name, SPIPE_NAME_MAX);
    return -EINVAL;
}
