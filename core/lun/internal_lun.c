/* SPDX-License-Identifier: Apache-2.0 */
/* Disks inside the AFU instead of the external ones (SL 19; AD-201, SP-172). */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/reset.h"
#include "core/adapter/verb.h"
#include "core/mutants.h"
#include "core/mutants/longer.h"

enum { MODES = 5 };

static bool in_use(const struct spipe *s)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        if (s->lun[i].global->mode != SPIPE_LUN_NONE)
            return true;
    return false;
}

/* Ids of LUNs mean other disks from here on: nobody may reach one by an id of before. */
static void forget_ports(struct spipe *s)
{
    for (unsigned i = 0; i < s->lun_count; i++)
        s->lun[i].found_ports = s->lun[i].port_mask = 0;
}

/* No request is under way. */
static int choose(struct spipe *s, void *arg)
{
    const unsigned *mode = arg;
    int rc = 0;

    spipe__books_lock(s);
    if (in_use(s)) {
        rc = -EBUSY;
    } else {
        forget_ports(s);
        s->internal_lun = *mode;
    }
    spipe__books_unlock(s);
    return rc;
}

static unsigned mode_now(struct spipe *s)
{
    unsigned mode;

    spipe__books_lock(s);
    mode = s->internal_lun;
    spipe__books_unlock(s);
    return mode;
}

/* The adapter works, whatever became of its LUNs (AD-201). */
static int rescan(struct spipe *s)
{
    return spipe__discover_luns(s, (struct spipe__why){0}) ? -EIO : 0;
}

int spipe_internal_lun(struct spipe *s, unsigned mode)
{
    int rc = 0;

    if (mode >= MODES)
        return -EINVAL;
    if (spipe__mutant(D_13))
        return spipe__mutant_internal_lun(s, mode);
    while (mode_now(s) != mode) {
        if (spipe__reset_begin_closed(s)) {
            rc = spipe__reset_with(s, choose, &mode);
            spipe__event(s, INTERNAL_LUN, mode, spipe__result(rc));
            if (!rc)
                rc = rescan(s);
            spipe__request_over(s);
            return rc;
        }
        if (spipe__gate_await(&s->gate) != SPIPE_STATE_NORMAL)
            return -EIO;
    }
    return 0;
}
