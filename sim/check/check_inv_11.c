/* SPDX-License-Identifier: Apache-2.0 */
/* INV-11 and INV-12: RHT entries are well formed. */
#include <inttypes.h>

#include "sim/check/check.h"

static bool handles_fit(const struct hal_picture *p, struct check_verdict *v)
{
    for (uint32_t i = 0; i < p->n.handles; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, i);

        if (h->kind == HAL_PICTURE_VIRTUAL && h->chunks.count > h->capacity)
            return check_broken(
                v, 11, "handle %" PRIu32 " has %" PRIu32 " chunks in an array for %" PRIu64,
                h->number, h->chunks.count, h->capacity);
    }
    return true;
}

/** INV-11: lxt_cnt within the array that lxt_start points to, which is not 0 then. */
bool check_inv_11(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->view->entries; i++) {
        const struct check_entry *e = &in->view->entry[i];

        if (e->direct || !e->count)
            continue;
        if (!e->start)
            return check_broken(v, 11, "context %u handle %u: %" PRIu32 " entries and no array",
                                e->context, e->handle, e->count);
        if (e->count > e->room)
            return check_broken(
                v, 11, "context %u handle %u: %" PRIu32 " entries in an array for %" PRIu64,
                e->context, e->handle, e->count, e->room);
    }
    return handles_fit(in->picture, v);
}

/** INV-12: a free RHT entry is 16 zero bytes; the view has only entries that are not. */
bool check_inv_12(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->view->entries; i++) {
        const struct check_entry *e = &in->view->entry[i];

        if (e->source == CHECK_MEMORY && !e->nmask)
            return check_broken(v, 12, "context %u handle %u: a free RHT entry is not all zero",
                                e->context, e->handle);
    }
    return true;
}
