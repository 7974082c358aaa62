/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lun/rescan.h"

#include "core/adapter/adapter.h"
#include "core/adapter/event.h"
#include "core/adapter/verb.h"
#include "hal/support/check.h"

int spipe__rescan(struct spipe *s)
{
    int rc, entered;

    spipe__gate_leave(&s->gate);
    spipe__event(s, RESCAN_BEGIN, 0);
    rc = spipe__discover_luns(s, (struct spipe__why){0});
    spipe__event(s, RESCAN_END, spipe__result(rc));
    entered = spipe__gate_enter(&s->gate, SPIPE__ADMIT_ALWAYS);
    CHECK(!entered); /* it lets everybody in */
    return spipe__verb_end(s, SPIPE__VERB_RESCAN, rc);
}

int spipe_rescan(struct spipe *s)
{
    int rc = spipe__verb_begin(s, SPIPE__VERB_RESCAN, SPIPE__ADMIT_NORMAL);

    return rc ? rc : spipe__rescan(s);
}
