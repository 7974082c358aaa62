/* SPDX-License-Identifier: Apache-2.0 */
/* The claims to chunks, sorted so that those to one chunk are neighbours. */
#include "sim/check/check.h"

/* ---- sorting: heap sort, which needs no memory and has no bad case; few by insertion ---- */

enum { FEW = 48 };

static bool before(const struct check_claim *a, const struct check_claim *b)
{
    if (a->lun != b->lun)
        return a->lun < b->lun;
    if (a->chunk != b->chunk)
        return a->chunk < b->chunk;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    if (a->owner != b->owner)
        return a->owner < b->owner;
    return a->at < b->at;
}

static void sink(struct check_claim *heap, uint32_t n, uint32_t i)
{
    struct check_claim moving = heap[i];
    uint32_t child;

    for (; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(&heap[child], &heap[child + 1]))
            child++;
        if (!before(&moving, &heap[child]))
            break;
        heap[i] = heap[child];
    }
    heap[i] = moving;
}

static bool sorted(const struct check_claim *claim, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        if (before(&claim[i], &claim[i - 1]))
            return false;
    return true;
}

/* They come in order of kind, owner and position, which insertion keeps. */
static bool is_below(const struct check_claim *a, const struct check_claim *b)
{
    return a->lun != b->lun ? a->lun < b->lun : a->chunk < b->chunk;
}

static void insert(struct check_claim *claim, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct check_claim moving = claim[i];
        uint32_t to = i;

        for (; to && is_below(&moving, &claim[to - 1]); to--)
            claim[to] = claim[to - 1];
        claim[to] = moving;
    }
}

static void sort(struct check_claim *claim, uint32_t n)
{
    if (n <= FEW) {
        insert(claim, n);
        return;
    }
    if (sorted(claim, n))
        return;
    for (uint32_t i = n / 2; i-- > 0;)
        sink(claim, n, i);
    for (uint32_t end = n; end-- > 1;) {
        struct check_claim last = claim[end];

        claim[end] = claim[0];
        claim[0] = last;
        sink(claim, end, 0);
    }
}

/* ---- collecting ---- */

struct pen {
    const struct hal_picture *p;
    struct check_claim *claim;
    uint32_t n;
};

static void add(struct pen *pen, enum check_owner kind, uint32_t owner, uint32_t lun,
                struct hal_picture_span chunks)
{
    if (lun == HAL_PICTURE_NONE)
        return; /* a name of another adapter */
    for (uint32_t i = 0; i < chunks.count; i++)
        pen->claim[pen->n++] =
            (struct check_claim){.chunk = *hal_picture_chunk(pen->p, chunks.first + i),
                                 .lun = lun,
                                 .owner = owner,
                                 .at = i,
                                 .kind = kind};
}

bool check_claims_take(const struct hal_picture *p, struct check_room *room,
                       struct check_claims *out)
{
    struct pen pen = {.p = p};

    if (!check_room_for(room, (size_t)p->n.chunks * sizeof *pen.claim))
        return false;
    pen.claim = room->block;
    for (uint32_t i = 0; i < p->n.handles; i++)
        add(&pen, CHECK_HANDLE, i, hal_picture_handle(p, i)->lun, hal_picture_handle(p, i)->chunks);
    for (uint32_t i = 0; i < p->n.held; i++)
        add(&pen, CHECK_HELD, i, hal_picture_held(p, i)->lun, hal_picture_held(p, i)->chunks);
    for (uint32_t i = 0; i < p->n.names; i++)
        add(&pen, CHECK_NAME, i, hal_picture_name(p, i)->lun, hal_picture_name(p, i)->chunks);
    sort(pen.claim, pen.n);
    *out = (struct check_claims){pen.claim, pen.n};
    return true;
}

/* ---- finding ---- */

/* The first claim that is not below (lun, chunk). */
static uint32_t first(const struct check_claims *all, uint32_t lun, uint64_t chunk)
{
    uint32_t low = 0, high = all->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct check_claim *c = &all->claim[middle];

        if (c->lun < lun || (c->lun == lun && c->chunk < chunk))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct check_claims check_claims_on(const struct check_claims *all, uint32_t lun, uint64_t chunk)
{
    uint32_t from = first(all, lun, chunk), to = from;

    while (to < all->n && all->claim[to].lun == lun && all->claim[to].chunk == chunk)
        to++;
    return (struct check_claims){all->n ? all->claim + from : NULL, to - from};
}
