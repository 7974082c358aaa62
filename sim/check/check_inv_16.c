/* SPDX-License-Identifier: Apache-2.0 */
/* INV-16: a chunk that a handle with the wish to wipe had is all zeros before anybody can get it
 * again. What a wipe did is looked at on the medium itself, at the moment when the chunk is free.
 */
#include <inttypes.h>

#include "sim/check/check_books.h"

static struct check_tainted *all(const struct check_taints *t) { return t->room.block; }

static bool has(const struct check_taints *t, uint32_t lun, uint64_t chunk)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (all(t)[i].lun == lun && all(t)[i].chunk == chunk)
            return true;
    return false;
}

static void add(struct check_taints *t, uint32_t lun, uint64_t chunk)
{
    if (!has(t, lun, chunk) && check_room_for(&t->room, (t->n + 1) * sizeof *all(t)))
        all(t)[t->n++] = (struct check_tainted){chunk, lun};
}

static void add_handle(struct check_taints *t, const struct hal_picture *p,
                       const struct hal_picture_handle *h)
{
    for (uint32_t i = 0; i < h->chunks.count; i++)
        add(t, h->lun, *hal_picture_chunk(p, h->chunks.first + i));
}

bool check_taints_look(struct check_taints *t, const struct hal_picture *p, check_zero_fn *zero,
                       void *arg, struct check_verdict *v)
{
    uint32_t kept = 0, n = t->n;
    bool good = true;

    for (uint32_t i = 0; i < n; i++) {
        struct check_tainted c = all(t)[i];

        if (check_run(p, c.lun, c.chunk))
            all(t)[kept++] = c;
        else if (good && !zero(arg, hal_picture_lun(p, c.lun), c.chunk))
            good = check_broken(v, 16,
                                "LUN %" PRIu32 ": chunk %" PRIu64
                                " is free, was to be wiped, and is not zeros",
                                c.lun, c.chunk);
    }
    t->n = kept;
    for (uint32_t i = 0; i < p->n.handles; i++)
        if (hal_picture_handle(p, i)->wipe)
            add_handle(t, p, hal_picture_handle(p, i));
    return good;
}
