/* SPDX-License-Identifier: Apache-2.0 */
/* INV-4: what the AFU can reach is nobody else's for the taking. */
#include <inttypes.h>

#include "sim/check/check.h"

/** INV-4: no entry of the AFU view names a free chunk. */
bool check_inv_04(const struct check_input *in, struct check_verdict *v)
{
    static const char *const where[] = {"memory", "the cache", "a walk"};

    struct check_handle_lun last = {0};
    uint32_t near = 0;

    for (uint32_t i = 0; i < in->view->words; i++) {
        const struct check_word *w = &in->view->word[i];
        uint32_t lun = check_lun_of_word(in->picture, w, &last);

        if (lun == HAL_PICTURE_NONE) /* nobody knows the handle, and no LUN has the slot */
            return check_broken(
                v, 4,
                "context %u handle %u: entry %" PRIu32 " in %s names chunk %" PRIu64 " of no LUN",
                w->context, w->handle, w->index, where[w->source], afu_lxt_base(w->word));
        if (!check_run_near(in->picture, lun, afu_lxt_base(w->word), &near))
            return check_broken(v, 4,
                                "context %u handle %u: entry %" PRIu32 " in %s names chunk %" PRIu64
                                " of LUN %" PRIu32 ", which is free",
                                w->context, w->handle, w->index, where[w->source],
                                afu_lxt_base(w->word), lun);
    }
    return true;
}
