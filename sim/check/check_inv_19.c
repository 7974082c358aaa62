/* SPDX-License-Identifier: Apache-2.0 */
/* INV-19 to INV-22: the books of a context, and what the AFU's registers say of it. */
#include <inttypes.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "sim/check/check.h"

/* ---- INV-19 ---- */

enum { SEEN_NUMBERS = AFU_CONTEXTS };

static bool is_attached(const struct hal_picture *p, const struct hal_picture_context *c,
                        uint32_t lun)
{
    for (uint32_t i = 0; i < c->attached.count; i++)
        if (*hal_picture_attached(p, c->attached.first + i) == lun)
            return true;
    return false;
}

/* What the AFU sees of each context number. */
struct seen {
    uint64_t rht[SEEN_NUMBERS];     /* 0: it has not been told, or not yet */
    uint32_t entries[SEEN_NUMBERS]; /* of the RHT in memory that are in use */
};

static void see(const struct check_view *view, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    for (uint32_t i = 0; i < view->ctxs; i++)
        if (view->ctx[i].number < SEEN_NUMBERS)
            seen->rht[view->ctx[i].number] = view->ctx[i].rht_start;
    for (uint32_t i = 0; i < view->entries; i++) {
        const struct check_entry *e = &view->entry[i];

        if (e->context < SEEN_NUMBERS && e->source == CHECK_MEMORY && e->nmask)
            seen->entries[e->context]++;
    }
}

static bool context_is_right(const struct check_input *in, const struct seen *seen,
                             const struct hal_picture_context *c, struct check_verdict *v)
{
    bool registered = !c->errored && c->number < SEEN_NUMBERS && seen->rht[c->number] == c->rht;
    uint32_t entries = registered ? seen->entries[c->number] : c->handles.count;

    if (c->taken != c->handles.count || entries != c->handles.count)
        return check_broken(v, 19,
                            "context %u: %" PRIu32 " handles checked out, %" PRIu32
                            " LUN pointers, %" PRIu32 " RHT entries in use",
                            c->number, c->taken, c->handles.count, entries);
    for (uint32_t i = 0; i < c->handles.count; i++) {
        const struct hal_picture_handle *h = hal_picture_handle(in->picture, c->handles.first + i);

        if (!is_attached(in->picture, c, h->lun))
            return check_broken(v, 19,
                                "context %u: handle %" PRIu32 " is on LUN %" PRIu32
                                ", which is not attached",
                                c->number, h->number, h->lun);
    }
    return true;
}

/** INV-19: checked-out count = entries in use = LUN pointers; each such LUN is attached. */
bool check_inv_19(const struct check_input *in, struct check_verdict *v)
{
    struct seen seen;

    see(in->view, &seen);
    for (uint32_t i = 0; i < in->picture->n.contexts; i++)
        if (!context_is_right(in, &seen, hal_picture_context(in->picture, i), v))
            return false;
    return true;
}

/* ---- INV-20, INV-21 ---- */

/** INV-20: a healthy context is in the table at its own number, which is the low half of its
 * cookie, alone, with a control area; an errored one has none. */
bool check_inv_20(const struct check_input *in, struct check_verdict *v)
{
    const struct hal_picture *p = in->picture;

    for (uint32_t i = 0; i < p->n.contexts; i++) {
        const struct hal_picture_context *c = hal_picture_context(p, i);

        if (!c->errored && (c->slot != c->number || c->slot != c->cookie))
            return check_broken(v, 20,
                                "context %u is in slot %u of the table, and its cookie says "
                                "%" PRIu32,
                                c->number, c->slot, c->cookie);
        if (!c->errored && check_context(p, c->number) != c)
            return check_broken(v, 20, "context %u is in the table twice", c->number);
        if (c->errored && c->slot < AFU_CONTEXTS)
            return check_broken(v, 20, "context %u is errored and in the table", c->number);
        if (c->errored == c->control)
            return check_broken(v, 20, "context %u is %s and has %s control area", c->number,
                                c->errored ? "errored" : "healthy", c->control ? "a" : "no");
    }
    return true;
}

/* A device has one reference for each access record. In a part of a picture some are missing. */
static bool devices_are_right(const struct hal_picture *p, struct check_verdict *v)
{
    for (uint32_t lun = 0; lun < p->n.luns && !p->part; lun++) {
        uint32_t n = 0;

        for (uint32_t i = 0; i < p->n.contexts; i++)
            n += is_attached(p, hal_picture_context(p, i), lun);
        if (n != hal_picture_lun(p, lun)->attached)
            return check_broken(
                v, 21, "LUN %" PRIu32 ": %" PRIu32 " references, %" PRIu32 " contexts have it", lun,
                hal_picture_lun(p, lun)->attached, n);
    }
    return true;
}

/** INV-21: references of a context = LUN access records; each of these has one of its device. */
bool check_inv_21(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; i < in->picture->n.contexts; i++) {
        const struct hal_picture_context *c = hal_picture_context(in->picture, i);

        if (c->lun_count != c->attached.count || !c->lun_count)
            return check_broken(v, 21,
                                "context %u: %" PRIu32 " references, %" PRIu32 " LUNs attached",
                                c->number, c->lun_count, c->attached.count);
    }
    return devices_are_right(in->picture, v);
}

/* ---- INV-22 ---- */

/** INV-22, in state NORMAL and with no request under way: ctx_cap, rht_start and rht_cnt_id
 * of a number are 0 unless a healthy context in the table owns it, or a master. */
bool check_inv_22(const struct check_input *in, struct check_verdict *v)
{
    for (uint32_t i = 0; in->picture->up && i < in->view->ctxs; i++) {
        const struct check_ctx *c = &in->view->ctx[i];

        if ((c->ctx_cap || c->rht_start || c->rht_cnt_id) &&
            !hal_picture_is_master(in->picture, c->number) &&
            !check_context(in->picture, c->number))
            return check_broken(v, 22, "context number %u belongs to nobody and is registered",
                                c->number);
    }
    return true;
}
