/* SPDX-License-Identifier: Apache-2.0 */
/* MANAGE_LUN: which LUNs the other requests may use, and through which ports (SP 8.1). */
#include <errno.h>

#include "core/context.h"
#include "core/quarantine.h"
#include "core/verb.h"

int spipe__lun_enable(struct spipe *s, struct spipe__lun *lun, unsigned port)
{
    if (port >= s->ports || !(lun->found_ports & AFU_PORT_BIT(port)))
        return -EINVAL;
    if (lun->port_mask & AFU_PORT_BIT(port))
        return 0;
    if (lun->in_table)
        return -EBUSY;
    lun->port_mask |= (uint8_t)AFU_PORT_BIT(port);
    return 0;
}

static bool is_attached(const struct spipe *s, const struct spipe__lun *lun)
{
    for (unsigned i = 0; i < SPIPE__CONTEXTS; i++)
        if (s->contexts[i] && spipe__ctx_has_lun(s->contexts[i], (unsigned)(lun - s->lun)))
            return true;
    return false;
}

int spipe__lun_disable(struct spipe *s, struct spipe__lun *lun, unsigned port)
{
    if (port >= s->ports)
        return -EINVAL;
    if (lun->mode != SPIPE_LUN_NONE && lun->users == 0)
        spipe__quarantine_retry_lun(s, lun);
    if (lun->mode != SPIPE_LUN_NONE || is_attached(s, lun))
        return -EBUSY;
    lun->port_mask &= (uint8_t)~AFU_PORT_BIT(port);
    return 0;
}

/* ---- verbs ---- */

int spipe_lun_enable(struct spipe *s, unsigned lun, unsigned port)
{
    spipe__verb_begin(s, SPIPE__VERB_MANAGE_LUN, SPIPE__NO_CONTEXT);
    return spipe__verb_end(s, SPIPE__VERB_MANAGE_LUN,
                           lun < s->lun_count ? spipe__lun_enable(s, &s->lun[lun], port) : -ENOENT);
}

int spipe_lun_disable(struct spipe *s, unsigned lun, unsigned port)
{
    spipe__verb_begin(s, SPIPE__VERB_MANAGE_LUN, SPIPE__NO_CONTEXT);
    return spipe__verb_end(s, SPIPE__VERB_MANAGE_LUN,
                           lun < s->lun_count ? spipe__lun_disable(s, &s->lun[lun], port)
                                              : -ENOENT);
}
