/* SPDX-License-Identifier: Apache-2.0 */
/* INV-9: slots of the LUN tables. */
#include <inttypes.h>

#include "sim/check/check.h"

static bool is_multi(const struct hal_picture_lun *l) { return l->ports & (l->ports - 1); }

static bool in_range(const struct hal_picture *p, uint32_t lun, struct check_verdict *v)
{
    const struct hal_picture_lun *l = hal_picture_lun(p, lun);

    if (is_multi(l) && l->slot >= p->promote_lun_index)
        return check_broken(v, 9,
                            "LUN %" PRIu32 " of several ports has slot %u, and they end at %d", lun,
                            l->slot, (int)p->promote_lun_index);
    for (unsigned port = 0; !is_multi(l) && port < HAL_PICTURE_PORTS; port++)
        if (l->ports & 1u << port && l->slot <= p->last_lun_index[port])
            return check_broken(v, 9,
                                "LUN %" PRIu32 " of port %u has slot %u, and they begin above %d",
                                lun, port, l->slot, (int)p->last_lun_index[port]);
    return true;
}

static bool differ(const struct hal_picture *p, uint32_t a, uint32_t b, struct check_verdict *v)
{
    const struct hal_picture_lun *one = hal_picture_lun(p, a), *other = hal_picture_lun(p, b);

    return !other->in_table || one->slot != other->slot || !(one->ports & other->ports) ||
           check_broken(v, 9, "LUNs %" PRIu32 " and %" PRIu32 " share slot %u on ports %#x", a, b,
                        one->slot, one->ports & other->ports);
}

/** INV-9: no two LUNs share a slot on a port; several ports below promote_lun_index, one port above
 * last_lun_index, and the ranges do not overlap. */
bool check_inv_09(const struct check_input *in, struct check_verdict *v)
{
    const struct hal_picture *p = in->picture;

    for (unsigned port = 0; port < p->ports && port < HAL_PICTURE_PORTS; port++)
        if (p->promote_lun_index > p->last_lun_index[port] + 1)
            return check_broken(v, 9,
                                "port %u: slots of several ports end at %d, of one begin at %d",
                                port, (int)p->promote_lun_index, (int)p->last_lun_index[port] + 1);
    for (uint32_t a = 0; a < p->n.luns; a++) {
        if (!hal_picture_lun(p, a)->in_table)
            continue;
        if (!in_range(p, a, v))
            return false;
        for (uint32_t b = a + 1; b < p->n.luns; b++)
            if (!differ(p, a, b, v))
                return false;
    }
    return true;
}
