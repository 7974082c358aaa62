/* SPDX-License-Identifier: Apache-2.0 */
/* Which LUN a new virtual LUN is cut from: --lun and --destroy of `superpipe put` and `vlun
 * create`. In the simulator any will do; behind a card only one that was named by its WWID
 * (lun_guard.h), since numbers are what the adapter happened to find first. */
#ifndef TOOLS_LUN_CHOICE_H
#define TOOLS_LUN_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "tools/lun_guard.h"
#include "tools/options.h"

struct session;

/** What was on the command line. Zero is: nothing. */
struct lun_choice {
    bool by_number; /* of LUN `number`; the last --lun counts */
    uint64_t number;
    struct lun_guard_options guard; /* else of one of these, of any if there are none */
};

/** Rows of an option table; `member` is the struct lun_choice in `type`. */
#define LUN_CHOICE_ROWS(type, member)                                                              \
    {.name = "lun",                                                                                \
     .value = "LUN",                                                                               \
     .kind = OPTION_CUSTOM,                                                                        \
     .offset = offsetof(type, member),                                                             \
     .custom = lun_choice_set,                                                                     \
     .help = "the LUN to take the chunks from: its number or WWID; a\ncard needs the WWID, which " \
             "may be repeated (the one with\nmost free space)"},                                   \
    {                                                                                              \
        .name = "destroy", .kind = OPTION_FLAG, .offset = offsetof(type, member.guard.destroy),    \
        .help = "a LUN of a card may be used although it has partitions, a\nfile system or the "   \
                "like: they will be lost"                                                          \
    }

/** option_custom of --lun. */
int lun_choice_set(void *member, const char *text, char *why, size_t size);

/** Chooses the LUN of adapter 0 with most free space among those that may be used; the adapter is
 * up.
 *
 * @param lun   receives its number
 * @param room  receives its free space, bytes; 0 if there is none on any of them
 * @return      0; -ENOENT (no such number, or the adapter has no LUN), -EINVAL (a number on a
 *              card), and as run_luns_choose(), with a sentence in why. Not for several threads. */
HAL_MUST_CHECK int lun_choice_make(struct session *s, const struct lun_choice *choice,
                                   unsigned *lun, uint64_t *room, char *why, size_t size);

#endif
