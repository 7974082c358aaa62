/* SPDX-License-Identifier: Apache-2.0 */
/* MANAGE_LUN: which LUNs the other requests may use, and through which ports (SP 8.1). */
#include <errno.h>

#include "core/adapter/verb.h"
#include "core/context/context.h"
#include "core/lun/lun_clean.h"
#include "core/mutants.h"

int spipe__lun_enable(struct spipe *s, struct spipe__lun *lun, unsigned port)
{
    if (port >= s->ports || !(lun->found_ports & AFU_PORT_BIT(port)))
        return -EINVAL;
    if (lun->port_mask & AFU_PORT_BIT(port)) {
        if (spipe__mutant(SPW_17))
            lun->port_mask |= AFU_PORT_BIT(0) | AFU_PORT_BIT(1);
        return 0;
    }
    if ((lun->in_table && !spipe__mutant(SPW_16)) || lun->unfit)
        return -EBUSY;
    lun->port_mask |= (uint8_t)AFU_PORT_BIT(port);
    return 0;
}

static int disable(struct spipe__lun *lun, unsigned port)
{
    if (lun->global->mode != SPIPE_LUN_NONE || (lun->attached && !spipe__mutant(SPW_15)))
        return -EBUSY;
    lun->port_mask &= (uint8_t)~AFU_PORT_BIT(port);
    return 0;
}

/* Only what is quarantined keeps the mode. */
static bool only_held(const struct spipe__lun *lun)
{
    return lun->global->holds && !lun->global->users && !lun->global->named;
}

int spipe__lun_disable(struct spipe *s, struct spipe__lun *lun, unsigned port)
{
    bool worth;
    int rc;

    if (port >= s->ports)
        return -EINVAL;
    spipe__books_lock(s);
    rc = disable(lun, port);
    worth = rc && only_held(lun);
    spipe__books_unlock(s);
    if (!worth)
        return rc;
    spipe__lun_clean(s, lun);
    spipe__books_lock(s);
    rc = disable(lun, port);
    spipe__books_unlock(s);
    return rc;
}

/* ---- verbs ---- */

/* The LUN with a number, or NULL: numbers never change. */
static struct spipe__lun *lun_at(struct spipe *s, unsigned number)
{
    bool is;

    spipe__books_lock(s);
    is = number < s->lun_count;
    spipe__books_unlock(s);
    return is ? &s->lun[number] : NULL;
}

static int enable(struct spipe *s, unsigned number, unsigned port)
{
    struct spipe__lun *lun = lun_at(s, number);
    int rc;

    if (!lun)
        return -ENOENT;
    spipe__books_lock(s);
    rc = spipe__lun_enable(s, lun, port);
    spipe__books_unlock(s);
    return rc;
}

int spipe_lun_enable(struct spipe *s, unsigned lun, unsigned port)
{
    spipe__verb_begin_always(s, SPIPE__VERB_MANAGE_LUN, SPIPE__NO_CONTEXT);
    return spipe__verb_end(s, SPIPE__VERB_MANAGE_LUN, enable(s, lun, port));
}

int spipe_lun_disable(struct spipe *s, unsigned number, unsigned port)
{
    struct spipe__lun *lun;

    spipe__verb_begin_always(s, SPIPE__VERB_MANAGE_LUN, SPIPE__NO_CONTEXT);
    lun = lun_at(s, number);
    return spipe__verb_end(s, SPIPE__VERB_MANAGE_LUN,
                           lun ? spipe__lun_disable(s, lun, port) : -ENOENT);
}
