/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/lun_clean.h"

#include "core/lun/wipe.h"
#include "core/vlun/quarantine.h"

static uint64_t dirty(struct spipe *s, const struct spipe__lun *lun)
{
    uint64_t count;

    spipe__books_lock(s);
    count = spipe__wipe_dirty(lun->global);
    spipe__books_unlock(s);
    return count;
}

/* The worker may be at it: then this waits for it. */
bool spipe__lun_clean(struct spipe *s, struct spipe__lun *lun)
{
    bool any = spipe__quarantine_retry_lun(s, lun);
    uint64_t before = dirty(s, lun);
    int rc;

    if (before == 0)
        return any;
    spipe__gate_leave(&s->gate);
    spipe__wipe_run(s, lun);
    rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);
    (void)rc; /* it lets everybody in */
    return any || dirty(s, lun) < before;
}
