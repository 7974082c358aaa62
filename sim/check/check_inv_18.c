/* SPDX-License-Identifier: Apache-2.0 */
/* INV-18: mode, users and allocator of a LUN (R-32; names keep the mode, as design says). */
#include <inttypes.h>

#include "sim/check/check.h"

static bool handles_are_right(const struct hal_picture *p, uint32_t lun, struct check_verdict *v)
{
    const struct hal_picture_lun *l = hal_picture_lun(p, lun);
    uint32_t users = 0;

    for (uint32_t i = 0; i < p->n.handles; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, i);

        if (h->lun != lun)
            continue;
        users++;
        if (h->kind != l->mode)
            return check_broken(v, 18,
                                "LUN %" PRIu32 " is in mode %u, and handle %" PRIu32 " in %u", lun,
                                l->mode, h->number, h->kind);
    }
    if (p->part)
        return true; /* users of other contexts are missing */
    return users == l->users ||
           check_broken(v, 18, "LUN %" PRIu32 ": %" PRIu32 " handles, users = %" PRIu32, lun, users,
                        l->users);
}

static bool holds_are_right(const struct hal_picture *p, uint32_t lun, struct check_verdict *v)
{
    uint32_t holds = 0;

    for (uint32_t i = 0; i < p->n.held; i++)
        holds += hal_picture_held(p, i)->lun == lun;
    return holds == hal_picture_lun(p, lun)->holds ||
           check_broken(v, 18, "LUN %" PRIu32 ": %" PRIu32 " things quarantined, holds = %" PRIu32,
                        lun, holds, hal_picture_lun(p, lun)->holds);
}

static bool is_named(const struct hal_picture *p, uint32_t lun)
{
    for (uint32_t i = 0; i < p->n.names; i++)
        if (hal_picture_name(p, i)->lun == lun && hal_picture_name(p, i)->chunks.count)
            return true;
    return false;
}

static bool mode_is_right(const struct hal_picture *p, uint32_t lun, struct check_verdict *v)
{
    const struct hal_picture_lun *l = hal_picture_lun(p, lun);
    bool needed = l->users || l->holds || is_named(p, lun);

    if (needed != (l->mode != HAL_PICTURE_FREE))
        return check_broken(
            v, 18, "LUN %" PRIu32 " is in mode %u with %" PRIu32 " users and %" PRIu32 " holds",
            lun, l->mode, l->users, l->holds);
    if (l->allocator != (l->mode == HAL_PICTURE_VIRTUAL))
        return check_broken(v, 18, "LUN %" PRIu32 " is in mode %u and has %s allocator", lun,
                            l->mode, l->allocator ? "an" : "no");
    return true;
}

/** INV-18: users counts handles; NONE iff nobody needs the mode; an allocator iff VIRTUAL; handles
 * have the format of the mode. */
bool check_inv_18(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t lun = 0; lun < in->picture->n.luns; lun++)
        if (!handles_are_right(in->picture, lun, v) || !holds_are_right(in->picture, lun, v) ||
            !mode_is_right(in->picture, lun, v))
            return false;
    return true;
}
