/* SPDX-License-Identifier: Apache-2.0 */
/* INV-15: what was revoked is re-used only after a successful heavy sync of its context and handle,
 * or an AFU reset. The end of the context is not enough. */
#include <inttypes.h>

#include "sim/check/check_books.h"

static struct check_revoked *all(const struct check_revokes *r) { return r->room.block; }

void check_revokes_add(struct check_revokes *r, const struct check_revoked *revoked)
{
    if (check_room_for(&r->room, (r->n + 1) * sizeof *revoked))
        all(r)[r->n++] = *revoked;
}

void check_revokes_synced(struct check_revokes *r, uint16_t context, uint32_t handle)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < r->n; i++)
        if (all(r)[i].context != context || all(r)[i].handle != handle)
            all(r)[kept++] = all(r)[i];
    r->n = kept;
}

bool check_revokes_store(const struct check_revokes *r, const struct check_store *s,
                         struct check_verdict *v)
{
    if (!s->in_rht || !afu_rht_entry_free(&s->old) || afu_rht_entry_free(&s->entry))
        return true;
    for (uint32_t i = 0; i < r->n; i++)
        if (all(r)[i].context == s->context && all(r)[i].handle == s->handle)
            return check_broken(v, 15,
                                "context %u handle %u is opened again, and what it lost was "
                                "never synced",
                                s->context, s->handle);
    return true;
}

static bool is_of(const struct hal_picture_held *h, const struct check_revoked *r)
{
    return h->context == r->context && h->handle == r->handle && h->lun == r->lun;
}

static bool chunk_is_held(const struct check_input *in, const struct check_revoked *r)
{
    struct check_claims on = check_claims_on(in->claims, r->lun, r->chunk);

    for (uint32_t i = 0; i < on.n; i++)
        if (on.claim[i].kind == CHECK_HELD &&
            is_of(hal_picture_held(in->picture, on.claim[i].owner), r))
            return true;
    return false;
}

static bool handle_is_held(const struct hal_picture *p, const struct check_revoked *r)
{
    for (uint32_t i = 0; i < p->n.held; i++)
        if (is_of(hal_picture_held(p, i), r))
            return true;
    return false;
}

static bool chunk_is_kept(const struct check_input *in, const struct check_revoked *r,
                          struct check_verdict *v)
{
    bool allocated = check_run(in->picture, r->lun, r->chunk);

    return (allocated && chunk_is_held(in, r)) ||
           check_broken(v, 15,
                        "LUN %" PRIu32 ": chunk %" PRIu64 " is %s, and context %u handle %" PRIu32
                        " lost it without a heavy sync",
                        r->lun, r->chunk, allocated ? "not in quarantine" : "free", r->context,
                        r->handle);
}

static bool lun_is_kept(const struct hal_picture *p, const struct check_revoked *r,
                        struct check_verdict *v)
{
    return (hal_picture_lun(p, r->lun)->mode == HAL_PICTURE_DIRECT && handle_is_held(p, r)) ||
           check_broken(v, 15,
                        "LUN %" PRIu32 " may change its mode, and context %u handle %" PRIu32
                        " was closed without a heavy sync",
                        r->lun, r->context, r->handle);
}

bool check_revokes_look(const struct check_revokes *r, const struct check_input *in,
                        struct check_verdict *v)
{
    for (uint32_t i = 0; i < r->n; i++) {
        const struct check_revoked *lost = &all(r)[i];

        if (!(lost->chunk == CHECK_WHOLE ? lun_is_kept(in->picture, lost, v)
                                         : chunk_is_kept(in, lost, v)))
            return false;
    }
    return true;
}
