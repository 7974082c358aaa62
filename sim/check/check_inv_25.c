/* SPDX-License-Identifier: Apache-2.0 */
/* INV-17 and INV-25, at the simulated medium: whoever issued a command has the blocks. */
#include <inttypes.h>

#include "sim/check/check_owned.h"

static bool is_chunk_of(const uint64_t *chunks, uint32_t n, uint64_t chunk)
{
    for (uint32_t i = 0; i < n; i++)
        if (chunks[i] == chunk)
            return true;
    return false;
}

/* At the position that the command was translated with is nearly always the right one. */
static bool handle_has(const struct hal_picture *p, const struct check_holder *owner,
                       const struct check_owned_handle *h, const struct sim_watched *w,
                       uint64_t chunk)
{
    const uint64_t *chunks = check_owned_chunks(owner) + h->first;

    if (!check_is_lun(p, h->lun, w))
        return false;
    return h->kind == HAL_PICTURE_DIRECT || (w->index < h->count && chunks[w->index] == chunk) ||
           is_chunk_of(chunks, h->count, chunk);
}

static bool context_has(const struct hal_picture *p, const struct check_holder *owner,
                        const struct sim_watched *w, uint64_t chunk)
{
    for (uint32_t i = 0; i < owner->handles; i++)
        if (handle_has(p, owner, &check_owned_handles(owner)[i], w, chunk))
            return true;
    return false;
}

/* What is withdrawn may be used until the HW sync has ended (R-46). One without chunks is direct.
 */
static bool quarantine_has(const struct hal_picture *p, const struct sim_watched *w, uint64_t chunk)
{
    for (uint32_t i = 0; i < p->n.held; i++) {
        const struct hal_picture_held *h = hal_picture_held(p, i);

        if (h->context == w->context && check_is_lun(p, h->lun, w) &&
            (hal_picture_lun(p, h->lun)->mode == HAL_PICTURE_DIRECT ||
             is_chunk_of(hal_picture_chunk(p, h->chunks.first), h->chunks.count, chunk)))
            return true;
    }
    return false;
}

/* Lost contexts are in no books but a whole picture, which is drawn as long as there are any. */
static bool has_handle(const struct check_input *in, uint32_t lun, uint64_t chunk)
{
    struct check_claims on = check_claims_on(in->claims, lun, chunk);

    return (on.n && on.claim[0].kind == CHECK_HANDLE) || check_owned_has(in->owned, lun, chunk);
}

/* A grow under way: the AFU may be shown chunks that no handle has in the books yet. They are
 * allocated, and nobody's, or those of a name that is being opened. */
static bool is_on_its_way(const struct check_input *in, const struct sim_watched *w, uint64_t chunk)
{
    for (uint32_t lun = 0; lun < in->picture->n.luns; lun++) {
        struct check_claims on = check_claims_on(in->claims, lun, chunk);
        bool held = false, named = false;

        if (!check_is_lun(in->picture, lun, w))
            continue;
        for (uint32_t i = 0; i < on.n; i++) {
            named |= on.claim[i].kind == CHECK_NAME;
            held |= on.claim[i].kind == CHECK_HELD;
        }
        return (named || (!held && !has_handle(in, lun, chunk))) &&
               check_run(in->picture, lun, chunk);
    }
    return false;
}

static bool may_have(const struct check_input *in, const struct sim_watched *w, bool quiet,
                     uint64_t chunk)
{
    const struct hal_picture *p = in->picture;
    const struct check_holder *owner = &in->owned->of[w->context % CHECK_NUMBERS];
    const struct check_owned_handle *h =
        w->by_handle ? check_owned_handle(in->owned, w->context, w->handle) : NULL;

    return (h && handle_has(p, owner, h, w, chunk)) || context_has(p, owner, w, chunk) ||
           quarantine_has(p, w, chunk) || (!quiet && is_on_its_way(in, w, chunk));
}

static uint64_t last_block(const struct sim_watched *w)
{
    return w->value + (w->other ? w->other - 1 : 0);
}

/** INV-25: a command of a context reads and writes only chunks (or the direct LUN) of its handles.
 * Masters, which have no handles, are free to. `quiet`: no request is under way. */
bool check_inv_25(const struct check_input *in, const struct sim_watched *w, bool quiet,
                  struct check_verdict *v)
{
    uint64_t last = last_block(w);

    if (hal_picture_is_master(in->picture, w->context))
        return true;
    for (uint64_t chunk = w->value / CHECK_CHUNK_BLOCKS; chunk <= last / CHECK_CHUNK_BLOCKS;
         chunk++)
        if (!may_have(in, w, quiet, chunk))
            return check_broken(v, 25,
                                "context %u %s blocks %" PRIu64 " to %" PRIu64
                                " of LUN id %#" PRIx64 " on port %u; it does not have chunk "
                                "%" PRIu64,
                                w->context, w->good ? "changes" : "reads", w->value, last,
                                w->lun_id, w->port, chunk);
    return true;
}

/* By a handle here or, where quarantine and handles look alike, by anything elsewhere. */
static bool is_had(const struct check_input *in, uint32_t lun, uint64_t chunk)
{
    struct check_claims on = check_claims_on(in->claims, lun, chunk);

    for (uint32_t i = 0; i < on.n; i++)
        if (on.claim[i].kind == CHECK_HELD &&
            hal_picture_held(in->picture, on.claim[i].owner)->context == HAL_PICTURE_ELSEWHERE)
            return true;
    return check_owned_has(in->owned, lun, chunk);
}

/* By a handle of a lost context, or by a name. Within requests the picture may be older than the
 * end of either, and the chunk one that is to be wiped. */
static bool is_kept(const struct check_input *in, uint32_t lun, uint64_t chunk)
{
    const struct hal_picture *p = in->picture;
    struct check_claims on = check_claims_on(in->claims, lun, chunk);

    for (uint32_t i = 0; i < on.n; i++)
        if (on.claim[i].kind == CHECK_NAME ||
            (on.claim[i].kind == CHECK_HANDLE &&
             hal_picture_context(p, hal_picture_handle(p, on.claim[i].owner)->context)->errored))
            return true;
    return false;
}

/** INV-17: what a master changes on its own account, as a wipe does, has R(c) = 0, and no name.
 * `quiet`: no request is under way. */
bool check_inv_17(const struct check_input *in, const struct sim_watched *w, bool quiet,
                  struct check_verdict *v)
{
    uint64_t last = last_block(w);

    if (!hal_picture_is_master(in->picture, w->context) || w->by_handle || !w->good)
        return true;
    for (uint32_t lun = 0; lun < in->picture->n.luns; lun++)
        for (uint64_t chunk = w->value / CHECK_CHUNK_BLOCKS;
             check_is_lun(in->picture, lun, w) && chunk <= last / CHECK_CHUNK_BLOCKS; chunk++)
            if (is_had(in, lun, chunk) || (quiet && is_kept(in, lun, chunk)))
                return check_broken(v, 17,
                                    "blocks %" PRIu64 " to %" PRIu64 " of LUN %" PRIu32
                                    " are wiped, and a handle or a name has chunk %" PRIu64,
                                    w->value, last, lun, chunk);
    return true;
}
