/* SPDX-License-Identifier: Apache-2.0 */
/* INV-3: the allocator counts right, and hands out no chunk that there is not. */
#include <inttypes.h>

#include "sim/check/check.h"

static uint64_t allocated(const struct hal_picture *p, struct hal_picture_span runs)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < runs.count; i++)
        n += hal_picture_run(p, runs.first + i)->count;
    return n;
}

/** INV-3: free count = number of free bits below total; bits from total on are allocated. */
bool check_inv_03(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->picture->n.luns; i++) {
        const struct hal_picture_lun *l = hal_picture_lun(in->picture, i);
        uint64_t used = allocated(in->picture, l->runs);

        if (l->free_beyond)
            return check_broken(v, 3,
                                "LUN %" PRIu32 ": %" PRIu64 " bits beyond the last chunk are free",
                                i, l->free_beyond);
        if (used > l->total || l->free_count + l->parked != l->total - used)
            return check_broken(v, 3,
                                "LUN %" PRIu32 ": %" PRIu64 " of %" PRIu64
                                " chunks are allocated, %" PRIu64 " parked, %" PRIu64
                                " counted as free",
                                i, used, l->total, l->parked, l->free_count);
    }
    return true;
}
