/* SPDX-License-Identifier: Apache-2.0 */
/* INV-23 and INV-27: an errored context is cut off, until it has recovered. */
#include <inttypes.h>

#include "sim/check/check.h"

/* An errored context of that number, and no healthy one that has got it since. */
static bool is_errored(const struct hal_picture *p, uint16_t number)
{
    for (uint32_t i = 0; i < p->n.contexts; i++)
        if (hal_picture_context(p, i)->number == number && hal_picture_context(p, i)->errored)
            return !check_context(p, number);
    return false;
}

/** INV-23: no command of an errored context is accepted. */
bool check_inv_23(const struct hal_picture *p, const struct sim_watched *w, struct check_verdict *v)
{
    return !is_errored(p, w->context) ||
           check_broken(v, 23, "the AFU accepts a command of context %u, which is errored",
                        w->context);
}

/** INV-27: what an errored context loads is all ones. */
bool check_inv_27(const struct hal_picture *p, const struct sim_watched *w, struct check_verdict *v)
{
    return !is_errored(p, w->context) || w->value == UINT64_MAX ||
           check_broken(v, 27,
                        "context %u is errored and loads %#" PRIx64 " from register %#" PRIx64,
                        w->context, w->value, w->ea);
}
