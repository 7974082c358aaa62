/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/lun_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sim/sim_media.h"
#include "tools/option_values.h"
#include "tools/run_luns.h"
#include "tools/session.h"
#include "tools/session_names.h"

#define WWID_DIGITS 32u
_Static_assert(WWID_DIGITS == 2 * LUN_GUARD_WWID_BYTES, "two a byte");

int lun_choice_set(void *member, const char *text, char *why, size_t size)
{
    struct lun_choice *c = member;
    uint64_t number;

    c->by_number = strlen(text) < WWID_DIGITS && !option_value_count(text, &number) &&
                   number < SIM_MEDIA_LUNS_MAX;
    c->number = c->by_number ? number : 0;
    if (c->by_number || !lun_guard_add(&c->guard, text, why, size))
        return 0;
    snprintf(why, size,
             "must be a number from 0 to %d, or the %u hexadecimal digits of a WWID, which "
             "'superpipe lun list' shows",
             SIM_MEDIA_LUNS_MAX - 1, WWID_DIGITS);
    return -EINVAL;
}

/* Free space, bytes. */
static uint64_t room_of(const struct spipe_lun_info *info)
{
    return info->free_chunks * SPIPE_CHUNK_BLOCKS * info->block_size;
}

static int by_number(struct session *s, unsigned number, uint64_t *room, char *why, size_t size)
{
    char repeat[SESSION_REPEAT_BYTES];
    struct spipe_lun_info info;

    if (s->card) {
        snprintf(why, size,
                 "LUNs behind a real card are touched only by their names, not by numbers: give "
                 "--lun WWID; 'superpipe lun list%s' shows them",
                 session_repeat(s, repeat));
        return -EINVAL;
    }
    if (spipe_lun_info(s->spipe[0], number, &info)) {
        snprintf(why, size,
                 "there is no LUN %u in '%s': 'superpipe lun list%s' shows what there is", number,
                 session_names_where(s), session_repeat(s, repeat));
        return -ENOENT;
    }
    *room = room_of(&info);
    return 0;
}

static unsigned roomiest(struct spipe *s, const struct run_luns *luns, uint64_t *room)
{
    struct spipe_lun_info info;
    unsigned best = luns->lun[0];

    *room = 0;
    for (unsigned i = 0; i < luns->count; i++)
        if (!spipe_lun_info(s, luns->lun[i], &info) && room_of(&info) > *room) {
            *room = room_of(&info);
            best = luns->lun[i];
        }
    return best;
}

int lun_choice_make(struct session *s, const struct lun_choice *choice, unsigned *lun,
                    uint64_t *room, char *why, size_t size)
{
    static struct run_luns luns; /* too large for the stack of a fiber; made afresh */
    int rc;

    if (choice->by_number) {
        *lun = (unsigned)choice->number;
        return by_number(s, *lun, room, why, size);
    }
    rc = run_luns_choose(s, 0, &choice->guard, &luns, why, size);
    if (!rc)
        *lun = roomiest(s->spipe[0], &luns, room);
    return rc;
}
