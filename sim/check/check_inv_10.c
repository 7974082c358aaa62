/* SPDX-License-Identifier: Apache-2.0 */
/* INV-10: nobody may do more than was asked for. */
#include <inttypes.h>

#include "sim/check/check.h"

static bool within(unsigned permissions, unsigned of) { return !(permissions & ~of); }

static bool handles_are_right(const struct hal_picture *p, struct check_verdict *v)
{
    for (uint32_t i = 0; i < p->n.handles; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, i);
        const struct hal_picture_context *c = hal_picture_context(p, h->context);

        if (!within(h->permissions, c->permissions))
            return check_broken(v, 10,
                                "context %u handle %" PRIu32
                                " has permissions %#x, its context was attached with %#x",
                                c->number, h->number, h->permissions, c->permissions);
    }
    return true;
}

static bool entries_are_right(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->view->entries; i++) {
        const struct check_entry *e = &in->view->entry[i];
        const struct hal_picture_context *c = check_context(in->picture, e->context);

        if (c && !within(e->permissions, c->permissions))
            return check_broken(v, 10,
                                "context %u handle %u: the RHT entry has permissions %#x, the "
                                "context was attached with %#x",
                                e->context, e->handle, e->permissions, c->permissions);
    }
    return true;
}

/** INV-10: RHT permissions within those of the attach; LXT permissions 3; bits 7:6 clear. */
bool check_inv_10(const struct check_input *in, struct check_verdict *v)
{
    if (!handles_are_right(in->picture, v) || !entries_are_right(in, v))
        return false;
    for (uint32_t i = 0; i < in->view->words; i++) {
        const struct check_word *w = &in->view->word[i];

        if (afu_lxt_permissions(w->word) != AFU_PERM_RW || w->word & AFU_LXT_RESERVED)
            return check_broken(v, 10,
                                "context %u handle %u: entry %" PRIu32
                                " has permissions %u and reserved bits %#x",
                                w->context, w->handle, w->index, afu_lxt_permissions(w->word),
                                (unsigned)(w->word & AFU_LXT_RESERVED));
    }
    return true;
}
