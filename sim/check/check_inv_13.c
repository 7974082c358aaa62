/* SPDX-License-Identifier: Apache-2.0 */
/* INV-13: what the AFU may still reach is given to nobody else: arrays, RHT pages, chunks. */
#include <inttypes.h>

#include "sim/check/check_owned.h"

static bool kept_for(const struct hal_picture *p, const struct hal_picture_held *h, uint64_t start)
{
    for (uint32_t i = 0; i < h->arrays.count; i++)
        if (hal_picture_array(p, h->arrays.first + i)->start == start)
            return true;
    return false;
}

/* Whether the array that an entry leads to is that of its handle, or kept for it. */
static bool array_is_its_own(const struct hal_picture *p, const struct check_entry *e)
{
    const struct hal_picture_handle *h = check_handle(p, e->context, e->handle);

    if (h && h->lxt == e->start)
        return true;
    for (const struct hal_picture_held *q = check_held(p, e->context, e->handle, 0); q;
         q = check_held(p, e->context, e->handle, (uint32_t)(q - hal_picture_held(p, 0)) + 1))
        if (kept_for(p, q, e->start))
            return true;
    return false;
}

static bool arrays_are_right(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->view->entries; i++) {
        const struct check_entry *e = &in->view->entry[i];

        if (!e->direct && e->start && !array_is_its_own(in->picture, e))
            return check_broken(v, 13,
                                "context %u handle %u: the AFU can reach an LXT array that is "
                                "neither the handle's nor kept for it",
                                e->context, e->handle);
    }
    return true;
}

static bool pages_are_right(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->view->ctxs; i++) {
        const struct check_ctx *c = &in->view->ctx[i];
        const struct hal_picture_context *owner = check_context(in->picture, c->number);

        if (c->rht_start && owner && owner->rht != c->rht_start)
            return check_broken(v, 13, "context %u: its RHT is not where the AFU looks for it",
                                c->number);
    }
    return true;
}

/* Whether a claim is that of a handle, open or quarantined. */
static bool claims_for(const struct hal_picture *p, const struct check_claim *c, uint16_t context,
                       uint32_t handle)
{
    const struct hal_picture_handle *h;

    if (c->kind == CHECK_HELD)
        return hal_picture_held(p, c->owner)->context == context &&
               hal_picture_held(p, c->owner)->handle == handle;
    if (c->kind != CHECK_HANDLE)
        return false;
    h = hal_picture_handle(p, c->owner);
    return h->number == handle && hal_picture_context(p, h->context)->number == context;
}

/* Nearly always: the handle has the chunk where the word is. */
static bool is_at(const struct hal_picture *p, const struct hal_picture_handle *h,
                  const struct check_word *w, uint64_t chunk)
{
    return h && w->index < h->chunks.count &&
           *hal_picture_chunk(p, h->chunks.first + w->index) == chunk;
}

static bool is_claimed(const struct check_input *in, const struct check_word *w, uint32_t lun,
                       uint64_t chunk)
{
    struct check_claims on = check_claims_on(in->claims, lun, chunk);
    /* INV-4 is about chunks that nobody has. Who is not in a part of a picture may have it. */
    bool own = !on.n && !in->picture->part;

    for (uint32_t k = 0; k < on.n && !own; k++)
        own = claims_for(in->picture, &on.claim[k], w->context, w->handle);
    return own;
}

static bool chunks_are_right(const struct check_input *in, struct check_verdict *v)
{
    struct check_handle_lun last = {0};

    for (uint32_t i = 0; i < in->view->words; i++) {
        const struct check_word *w = &in->view->word[i];
        uint64_t chunk = afu_lxt_base(w->word);
        uint32_t lun = check_lun_of_word(in->picture, w, &last);

        if (!is_at(in->picture, last.open, w, chunk) && !is_claimed(in, w, lun, chunk))
            return check_broken(v, 13,
                                "context %u handle %u: the AFU can reach chunk %" PRIu64
                                ", which only others have",
                                w->context, w->handle, chunk);
    }
    return true;
}

/** INV-13, at quiet points: within a request the AFU is shown a new array before the books say so.
 * Memory that is given back while it can be reached is found at once: check_inv_13_release(). */
bool check_inv_13(const struct check_input *in, struct check_verdict *v)
{
    return arrays_are_right(in, v) && pages_are_right(in, v) && chunks_are_right(in, v);
}

static bool inside(uint64_t at, uint64_t start, uint64_t bytes) { return at - start < bytes; }

/** INV-13: memory [start, start + bytes), which is given back, is not reachable. */
bool check_inv_13_release(const struct check_view *view, uint64_t start, uint64_t bytes,
                          struct check_verdict *v)
{
    for (uint32_t i = 0; i < view->entries; i++) {
        const struct check_entry *e = &view->entry[i];

        if (!e->direct && e->start && inside(e->start, start, bytes))
            return check_broken(v, 13,
                                "context %u handle %u: an LXT array is given back that the AFU "
                                "can reach",
                                e->context, e->handle);
    }
    for (uint32_t i = 0; i < view->ctxs; i++)
        if (view->ctx[i].rht_start && inside(view->ctx[i].rht_start, start, bytes))
            return check_broken(v, 13, "context %u: an RHT is given back that the AFU can reach",
                                view->ctx[i].number);
    return true;
}

/** The same for contexts that are not in the view, nor in `but`: as they were at the last look. */
bool check_inv_13_release_rest(const struct check_owned *owned, const uint64_t *but, uint64_t start,
                               uint64_t bytes, struct check_verdict *v)
{
    uint32_t number = check_owned_reaches_into(owned, but, start, bytes);

    return number == CHECK_NUMBERS ||
           check_broken(v, 13, "context %" PRIu32 ": memory is given back that the AFU can reach",
                        number);
}
