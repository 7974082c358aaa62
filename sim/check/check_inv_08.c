/* SPDX-License-Identifier: Apache-2.0 */
/* INV-8: index and port mask of an LXT entry lead to its LUN, on every port of the mask (VL-54).
 * Within requests too: a slot has arrived in the LUN tables before an entry names it. */
#include <inttypes.h>

#include "sim/check/check.h"

static bool port_is_right(const struct check_input *in, const struct check_word *w, unsigned port,
                          uint32_t lun, struct check_verdict *v)
{
    uint64_t wanted = hal_picture_lun(in->picture, lun)->lun_id[port];
    unsigned slot = afu_lxt_lun_index(w->word);
    uint64_t found = in->view->lun_table[port] ? in->view->lun_table[port][slot] : 0;

    return found == wanted ||
           check_broken(v, 8,
                        "context %u handle %u: entry %" PRIu32
                        " has slot %u, which on port %u is LUN id %#" PRIx64 " and not %#" PRIx64,
                        w->context, w->handle, w->index, slot, port, found, wanted);
}

static bool word_is_right(const struct check_input *in, const struct check_word *w,
                          struct check_handle_lun *last, struct check_verdict *v)
{
    uint32_t lun = check_lun_of_word(in->picture, w, last);
    unsigned ports = afu_lxt_ports(w->word);

    if (lun == HAL_PICTURE_NONE)
        return check_broken(v, 8, "context %u handle %u: entry %" PRIu32 " has slot %u of no LUN",
                            w->context, w->handle, w->index, afu_lxt_lun_index(w->word));
    if (!ports || ports & ~(unsigned)hal_picture_lun(in->picture, lun)->ports)
        return check_broken(
            v, 8, "context %u handle %u: entry %" PRIu32 " has ports %#x, LUN %" PRIu32 " has %#x",
            w->context, w->handle, w->index, ports, lun, hal_picture_lun(in->picture, lun)->ports);
    for (unsigned port = 0; port < HAL_PICTURE_PORTS; port++)
        if (ports & 1u << port && !port_is_right(in, w, port, lun, v))
            return false;
    return true;
}

/** INV-8, in state NORMAL: mask not empty and within the ports of the LUN, and in the table of each
 * of these ports the slot holds the LUN's id. */
bool check_inv_08(const struct check_input *in, struct check_verdict *v)
{
    struct check_handle_lun last = {0};

    for (uint32_t i = 0; in->picture->up && i < in->view->words; i++)
        if (!word_is_right(in, &in->view->word[i], &last, v))
            return false;
    return true;
}
