/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/lun_clean.h"

#include "core/lun/wipe.h"
#include "core/vlun/quarantine.h"

static bool is_dirty(struct spipe *s, const struct spipe__lun *lun)
{
    bool dirty;

    spipe__books_lock(s);
    dirty = spipe__wipe_dirty(lun->global) > 0;
    spipe__books_unlock(s);
    return dirty;
}

bool spipe__lun_has_space(struct spipe *s, const struct spipe__lun *lun)
{
    bool space;

    spipe__books_lock(s);
    space = !lun->global->ba || spipe__ba_space(lun->global->ba) > 0;
    spipe__books_unlock(s);
    return space;
}

/* The worker may be at it: then this waits for it. */
void spipe__lun_clean(struct spipe *s, struct spipe__lun *lun)
{
    int rc;

    (void)spipe__quarantine_retry_lun(s, lun);
    if (!is_dirty(s, lun))
        return;
    spipe__gate_leave(&s->gate);
    spipe__wipe_run(s, lun);
    rc = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);
    (void)rc; /* it lets everybody in */
}
