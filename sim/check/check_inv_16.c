/* SPDX-License-Identifier: Apache-2.0 */
/* INV-16: a chunk that a handle with the wish to wipe had is all zeros before anybody can get it
 * again. What a wipe did is looked at on the medium itself, at the moment when the chunk is free.
 * One that is freed and given out between two looks, as a request does that needs the space, may
 * hold anything by then; of such it is known which blocks were wiped. */
#include <inttypes.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/check/check_books.h"

static struct check_tainted *all(const struct check_taints *t) { return t->room.block; }

/* ---- which chunks ---- */

static bool has(const struct check_taints *t, uint32_t lun, uint64_t chunk)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (all(t)[i].lun == lun && all(t)[i].chunk == chunk)
            return true;
    return false;
}

static void add(struct check_taints *t, const struct hal_picture *p,
                const struct hal_picture_handle *h, uint64_t chunk)
{
    const struct hal_picture_lun *l = hal_picture_lun(p, h->lun);
    struct check_tainted c = {
        .chunk = chunk, .lineage = h->lineage, .lun = h->lun, .ports = l->ports};

    if (has(t, h->lun, chunk) || !check_room_for(&t->room, (t->n + 1) * sizeof *all(t)))
        return;
    memcpy(c.lun_id, l->lun_id, sizeof c.lun_id);
    all(t)[t->n++] = c;
}

static void add_handle(struct check_taints *t, const struct hal_picture *p,
                       const struct hal_picture_handle *h)
{
    for (uint32_t i = 0; i < h->chunks.count; i++)
        add(t, p, h, *hal_picture_chunk(p, h->chunks.first + i));
}

/* ---- what is wiped ---- */

/* Part of the chunk that a command writes: where the next block to be wiped is, it goes on; at the
 * beginning it begins anew. */
static void wipe(struct check_tainted *c, const struct sim_watched *w)
{
    uint64_t first = c->chunk * CHECK_CHUNK_BLOCKS, end = w->value + w->other;

    if (w->value <= first)
        c->wiped = 0;
    if (w->value <= first + c->wiped && end > first + c->wiped)
        c->wiped = (uint32_t)hal_min64(end - first, CHECK_CHUNK_BLOCKS);
    c->done |= c->wiped == CHECK_CHUNK_BLOCKS;
}

static bool reaches(const struct check_tainted *c, const struct sim_watched *w)
{
    uint64_t first = c->chunk * CHECK_CHUNK_BLOCKS;

    return w->port < HAL_PICTURE_PORTS && c->ports & 1u << w->port &&
           c->lun_id[w->port] == w->lun_id && w->value < first + CHECK_CHUNK_BLOCKS &&
           w->value + w->other > first;
}

void check_taints_media(struct check_taints *t, const struct sim_watched *w, bool master)
{
    for (uint32_t i = 0; i < t->n && w->good; i++) {
        struct check_tainted *c = &all(t)[i];

        if (!reaches(c, w))
            continue;
        if (master)
            wipe(c, w);
        else
            c->wiped = 0;
    }
}

/* ---- who has it next ---- */

/* Handles come first among claims, and names last. */
static bool ends_with(const struct check_claims *on, enum check_owner kind)
{
    return on->n && on->claim[on->n - 1].kind == kind;
}

/* Who opens a name need not derive from those that had its chunks before, and keeps them when the
 * name is gone. NULL: nobody new has it, as far as can be told. */
static const struct hal_picture_handle *
new_owner(const struct check_input *in, const struct check_claims *on, struct check_tainted *c)
{
    const struct hal_picture_handle *h = NULL;
    bool alike = true;

    for (uint32_t i = 0; i < on->n; i++) {
        uint64_t before = h ? h->lineage : 0;

        h = hal_picture_handle(in->picture, on->claim[i].owner);
        if (h->lineage == c->lineage)
            return NULL;
        alike &= !before || before == h->lineage;
    }
    if (c->lineage || !h)
        return h;
    c->lineage = alike ? h->lineage : 0;
    return NULL;
}

static bool wrong_owner(const struct check_input *in, const struct check_tainted *c,
                        const struct hal_picture_handle *h, struct check_verdict *v)
{
    return check_broken(v, 16,
                        "LUN %" PRIu32 ": chunk %" PRIu64 " was to be wiped, %" PRIu32
                        " blocks of it were, and handle %" PRIu32 " of context %u has it",
                        c->lun, c->chunk, c->wiped, h->number,
                        hal_picture_context(in->picture, h->context)->number);
}

/* Of an allocated chunk: returns whether it is still watched. What is quarantined or dirty nobody
 * can have got, and what was wiped is like any other. */
static bool is_kept(const struct check_taints *t, const struct check_input *in,
                    struct check_tainted *c, bool *good, struct check_verdict *v)
{
    struct check_claims on = check_claims_on(in->claims, c->lun, c->chunk);
    const struct hal_picture_handle *h;

    if (ends_with(&on, CHECK_NAME))
        c->lineage = 0;
    if (t->deaf || ends_with(&on, CHECK_NAME) || ends_with(&on, CHECK_HELD))
        return true;
    h = c->done ? NULL : new_owner(in, &on, c);
    if (h && *good)
        *good = wrong_owner(in, c, h, v);
    return !c->done && !h;
}

/* ---- looking ---- */

/* By somebody who has had it since, and given it back. */
static bool is_overwritten(const struct check_tainted *c)
{
    return c->done && c->wiped < CHECK_CHUNK_BLOCKS;
}

bool check_taints_look(struct check_taints *t, const struct check_input *in, check_zero_fn *zero,
                       void *arg, struct check_verdict *v)
{
    const struct hal_picture *p = in->picture;
    uint32_t kept = 0, n = t->n;
    bool good = true;

    for (uint32_t i = 0; i < n; i++) {
        struct check_tainted c = all(t)[i];

        if (check_run(p, c.lun, c.chunk)) {
            if (is_kept(t, in, &c, &good, v))
                all(t)[kept++] = c;
        } else if (good && !is_overwritten(&c) && !zero(arg, &c)) {
            good = check_broken(v, 16,
                                "LUN %" PRIu32 ": chunk %" PRIu64
                                " is free, was to be wiped, and is not zeros",
                                c.lun, c.chunk);
        }
    }
    t->n = kept;
    for (uint32_t i = 0; i < p->n.handles; i++)
        if (hal_picture_handle(p, i)->wipe)
            add_handle(t, p, hal_picture_handle(p, i));
    return good;
}
