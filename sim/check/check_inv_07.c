/* SPDX-License-Identifier: Apache-2.0 */
/* INV-7: no entry leads beyond the end of its LUN, as it was when the allocator was made. */
#include <inttypes.h>

#include "sim/check/check.h"

/** INV-7: chunk < total in every reachable entry, and its last block is one of the LUN's. */
bool check_inv_07(const struct check_input *in, struct check_verdict *v)
{
    struct check_handle_lun last = {0};

    for (uint32_t i = 0; i < in->view->words; i++) {
        const struct check_word *w = &in->view->word[i];
        uint32_t lun = check_lun_of_word(in->picture, w, &last);
        uint64_t chunk = afu_lxt_base(w->word);
        const struct hal_picture_lun *l;

        if (lun == HAL_PICTURE_NONE)
            continue;
        l = hal_picture_lun(in->picture, lun);
        if (chunk >= l->total || (chunk + 1) * CHECK_CHUNK_BLOCKS > l->blocks)
            return check_broken(v, 7,
                                "context %u handle %u: entry %" PRIu32 " names chunk %" PRIu64
                                ", and LUN %" PRIu32 " has %" PRIu64,
                                w->context, w->handle, w->index, chunk, lun, l->total);
    }
    return true;
}
