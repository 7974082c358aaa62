/* SPDX-License-Identifier: Apache-2.0 */
/* INV-26: what is left when all clients are gone. */
#include <inttypes.h>

#include "sim/check/check.h"

static bool only_names_own(const struct check_input *in, uint32_t lun, struct check_verdict *v)
{
    struct hal_picture_span runs = hal_picture_lun(in->picture, lun)->runs;

    for (uint32_t i = 0; i < in->claims->n; i++) {
        const struct check_claim *c = &in->claims->claim[i];

        if (c->lun == lun && c->kind == CHECK_HANDLE)
            return check_broken(v, 26,
                                "LUN %" PRIu32 ": chunk %" PRIu64 " has a handle and no client",
                                lun, c->chunk);
    }
    for (uint32_t i = 0; i < runs.count; i++) {
        const struct hal_picture_run *r = hal_picture_run(in->picture, runs.first + i);

        for (uint64_t chunk = r->first; chunk < r->first + r->count; chunk++)
            if (!check_claims_on(in->claims, lun, chunk).n)
                return check_broken(v, 26,
                                    "LUN %" PRIu32 ": chunk %" PRIu64
                                    " is not free, and nobody is left to free it",
                                    lun, chunk);
    }
    return true;
}

/** INV-26: without clients no context, no quarantine older than one generation, and all chunks are
 * free but for those of names and of what is quarantined. */
bool check_inv_26(const struct check_input *in, struct check_verdict *v)
{
    const struct hal_picture *p = in->picture;

    if (p->clients || p->part)
        return true;
    if (p->n.contexts)
        return check_broken(v, 26, "context %u has no client", hal_picture_context(p, 0)->number);
    for (uint32_t i = 0; i < p->n.held; i++)
        if (hal_picture_held(p, i)->generation + 1 < p->generation)
            return check_broken(v, 26,
                                "context %u handle %" PRIu32
                                " is quarantined since generation %" PRIu64 ", and it is %" PRIu64,
                                hal_picture_held(p, i)->context, hal_picture_held(p, i)->handle,
                                hal_picture_held(p, i)->generation, p->generation);
    for (uint32_t lun = 0; lun < p->n.luns; lun++)
        if (!only_names_own(in, lun, v))
            return false;
    return true;
}
