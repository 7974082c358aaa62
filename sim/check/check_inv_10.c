/* SPDX-License-Identifier: Apache-2.0 */
/* INV-10: nobody may do more than was asked for. */
#include <inttypes.h>

#include "sim/check/check_books.h"
#include "sim/check/check_owned.h"

static bool within(unsigned permissions, unsigned of) { return !(permissions & ~of); }

static bool handles_are_right(const struct hal_picture *p, struct check_verdict *v)
{
    for (uint32_t i = 0; i < p->n.handles; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, i);
        const struct hal_picture_context *c = hal_picture_context(p, h->context);

        if (!within(h->permissions, c->permissions))
            return check_broken(v, 10,
                                "context %u handle %" PRIu32
                                " has permissions %#x, its context was attached with %#x",
                                c->number, h->number, h->permissions, c->permissions);
    }
    return true;
}

/* Of what the AFU keeps: the entry may be that of an earlier handle or context of the number, read
 * after the sync that ended it (VL-70) and before it was cleared. */
static bool permits_nothing(const struct check_entry *e)
{
    return e->source != CHECK_MEMORY && (e->direct ? !e->valid : e->count == 0);
}

static bool entries_are_right(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->view->entries; i++) {
        const struct check_entry *e = &in->view->entry[i];
        const struct hal_picture_context *c = check_context(in->picture, e->context);
        const struct hal_picture_handle *h = check_handle(in->picture, e->context, e->handle);

        if (permits_nothing(e))
            continue;
        if (h && !within(e->permissions, h->permissions))
            return check_broken(v, 10,
                                "context %u handle %u: the RHT entry has permissions %#x, the "
                                "handle was opened with %#x",
                                e->context, e->handle, e->permissions, h->permissions);
        if (c && !within(e->permissions, c->permissions))
            return check_broken(v, 10,
                                "context %u handle %u: the RHT entry has permissions %#x, the "
                                "context was attached with %#x",
                                e->context, e->handle, e->permissions, c->permissions);
    }
    return true;
}

/** INV-10: RHT permissions within those of the handle and of the attach; LXT permissions 3; bits
 * 7:6 clear. What a clone may do is known when it is made: check_clone_look(). */
bool check_inv_10(const struct check_input *in, struct check_verdict *v)
{
    if (!handles_are_right(in->picture, v) || !entries_are_right(in, v))
        return false;
    for (uint32_t i = 0; i < in->view->words; i++) {
        const struct check_word *w = &in->view->word[i];

        if (afu_lxt_permissions(w->word) != AFU_PERM_RW || w->word & AFU_LXT_RESERVED)
            return check_broken(v, 10,
                                "context %u handle %u: entry %" PRIu32
                                " has permissions %u and reserved bits %#x",
                                w->context, w->handle, w->index, afu_lxt_permissions(w->word),
                                (unsigned)(w->word & AFU_LXT_RESERVED));
    }
    return true;
}

/* ---- clones ---- */

void check_clone_begin(struct check_clone *k, uint16_t source, uint64_t thread, uint64_t requests,
                       const struct check_owned *owned)
{
    *k = (struct check_clone){
        .watched = true, .source = source, .thread = thread, .requests = requests};
    for (uint32_t i = 0; i < CHECK_NUMBERS; i++)
        if (owned->of[i].handles)
            k->had[i / 64] |= UINT64_C(1) << i % 64;
}

static bool is_new(const struct check_clone *k, const struct hal_picture_context *c)
{
    return !c->errored && c->number < CHECK_NUMBERS &&
           !(k->had[c->number / 64] >> c->number % 64 & 1);
}

/* The wish to wipe travels with it (VL-63): what it gets later is meant by INV-16, too. */
static bool is_like_its_source(const struct check_clone *k, const struct hal_picture *p,
                               const struct hal_picture_context *c, struct check_verdict *v)
{
    for (uint32_t i = 0; i < c->handles.count; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(p, c->handles.first + i);
        const struct hal_picture_handle *of = check_handle(p, k->source, h->number);

        if (of && !within(h->permissions, of->permissions))
            return check_broken(v, 10,
                                "context %u handle %" PRIu32
                                " is a clone with permissions %#x of one of context %u with %#x",
                                c->number, h->number, h->permissions, k->source, of->permissions);
        if (of && of->wipe && !h->wipe)
            return check_broken(v, 16,
                                "context %u handle %" PRIu32
                                " is a clone of one of context %u whose chunks are to be wiped, "
                                "and its own are not",
                                c->number, h->number, k->source);
    }
    return true;
}

bool check_clone_look(const struct check_clone *k, const struct hal_picture *p,
                      struct check_verdict *v)
{
    for (uint32_t i = 0; i < p->n.contexts; i++) {
        const struct hal_picture_context *c = hal_picture_context(p, i);

        if (is_new(k, c) && !is_like_its_source(k, p, c, v))
            return false;
    }
    return true;
}
