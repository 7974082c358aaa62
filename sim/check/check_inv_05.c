/* SPDX-License-Identifier: Apache-2.0 */
/* INV-5 and INV-6: who may name a chunk more than once. Claims are sorted, so that those on one
 * chunk are neighbours, and handles come first among them. */
#include <inttypes.h>

#include "sim/check/check.h"

static bool on_one_chunk(const struct check_claim *a, const struct check_claim *b)
{
    return a->lun == b->lun && a->chunk == b->chunk && a->kind == CHECK_HANDLE &&
           b->kind == CHECK_HANDLE;
}

/** INV-5: two handles name the same chunk only if one derives from the other by CLONE. */
bool check_inv_05(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 1; i < in->claims->n; i++) {
        const struct check_claim *a = &in->claims->claim[i - 1], *b = a + 1;

        if (on_one_chunk(a, b) && a->owner != b->owner &&
            hal_picture_handle(in->picture, a->owner)->lineage !=
                hal_picture_handle(in->picture, b->owner)->lineage)
            return check_broken(v, 5,
                                "LUN %" PRIu32 ": two handles, numbers %" PRIu32 " and %" PRIu32
                                ", have chunk %" PRIu64 ", and neither is a clone of the other",
                                a->lun, hal_picture_handle(in->picture, a->owner)->number,
                                hal_picture_handle(in->picture, b->owner)->number, a->chunk);
    }
    return true;
}

/** INV-6: within one handle no chunk appears twice. */
bool check_inv_06(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 1; i < in->claims->n; i++) {
        const struct check_claim *a = &in->claims->claim[i - 1], *b = a + 1;

        if (on_one_chunk(a, b) && a->owner == b->owner)
            return check_broken(v, 6,
                                "LUN %" PRIu32 ": chunk %" PRIu64 " is twice in handle %" PRIu32
                                ", at %" PRIu32 " and %" PRIu32,
                                a->lun, a->chunk, hal_picture_handle(in->picture, a->owner)->number,
                                a->at, b->at);
    }
    return true;
}
