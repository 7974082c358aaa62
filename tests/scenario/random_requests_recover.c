/* SPDX-License-Identifier: Apache-2.0 */
/* RECOVER_AFU, and what a lost context still does: SP section 10, second table of docs/spec. */
#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"

enum { MMIO_SIZE = 65536 };

#define MARK UINT64_C(0x5A5A5A5A5A5A5A5A)

/* ---- RECOVER ---- */

/* SP-94..SP-96. The old file and its mappings stay, and lead nowhere (SP-146). */
static void take_over(struct rr_worker *w, struct rr_context *c,
                      const struct dk_cxlflash_recover_afu *r)
{
    uint64_t flags = DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET | DK_CXLFLASH_APP_CLOSE_ADAP_FD |
                     (w->sq ? DK_CXLFLASH_CONTEXT_SQ_CMD_MODE : 0);

    RR_CHECK(w, r->hdr.return_flags == flags && r->mmio_size == MMIO_SIZE,
             "RECOVER_AFU returned flags %#llx, size %#llx",
             (unsigned long long)r->hdr.return_flags, (unsigned long long)r->mmio_size);
    RR_CHECK(w, r->context_id >> 32 == c->cookie >> 32, "RECOVER_AFU gave another cookie");
    RR_CHECK(w, !c->file_open || r->adap_fd != c->file, "RECOVER_AFU gave the old file");
    c->old_file = c->file;
    c->old_file_open = c->file_open;
    memcpy(c->old_mapping, c->mapping, sizeof c->old_mapping);
    memset(c->mapping, 0, sizeof c->mapping);
    c->afu = NULL;
    c->cookie = r->context_id;
    c->number = (uint32_t)r->context_id;
    c->file = r->adap_fd;
    c->file_open = true;
}

/* SP-91: if there is nothing to recover, nothing else is written. */
static int recover_binary(struct rr_worker *w, struct rr_context *c, unsigned lun, bool *recovered)
{
    struct dk_cxlflash_recover_afu r = {
        .context_id = c->cookie, .reason = 7, .mmio_size = MARK, .adap_fd = MARK};
    int rc = rr_ioctl(w, c, rr_disk(w, lun), DK_CXLFLASH_RECOVER_AFU, &r, "RECOVER_AFU");

    if (rc)
        return rc;
    *recovered = r.hdr.return_flags != 0;
    if (*recovered)
        take_over(w, c, &r);
    else
        RR_CHECK(w, r.context_id == c->cookie && r.mmio_size == MARK && r.adap_fd == MARK,
                 "RECOVER_AFU of a healthy context changed something");
    return 0;
}

static int recover_typed(struct rr_worker *w, struct rr_context *c, bool *recovered)
{
    int rc = spipe_recover(c->ctx, recovered);

    c->number = spipe_ctx_handle(c->ctx);
    return rr_note(w, c, "recover", c->ios, *recovered, rc);
}

/* I/O in flight has to be collected first (-EBUSY otherwise); with none there is no reason to
 * fail. */
static void recover_on(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    bool recovered = false;
    int rc;

    rr_leftovers_drop(w, c);
    rc = c->actor->binary ? recover_binary(w, c, lun, &recovered) : recover_typed(w, c, &recovered);
    if (rc == -EBUSY && c->ios > 0) {
        RR_CHECK(w, rr_lost(w, c), "RECOVER of a healthy context gave EBUSY");
        return;
    }
    RR_CHECK(w, rc == 0, "RECOVER gave %d", rc);
    RR_CHECK(w, recovered || !c->lost, "RECOVER of a lost context found nothing to do");
    RR_CHECK(w, !recovered || w->resets, "RECOVER of a healthy context gave another one");
    if (!recovered)
        return;
    RR_CHECK(w, c->ios == 0, "RECOVER with I/O in flight");
    c->lost = false;
    rr_context_show(w, c);
    rr_answer_add(w->answer, "recovered", c->actor->binary, 1);
}

static unsigned lowest_lun(const struct rr_context *c) { return hal_lowest_bit(c->luns); }

void rr_recover(struct rr_worker *w, struct rr_context *c)
{
    rr_io_finish(w, c);
    recover_on(w, c, lowest_lun(c));
}

/* ---- as it was (INV-24) ---- */

static bool has_size(struct rr_worker *w, struct rr_context *c, const struct rr_handle *h)
{
    const struct rr_lun *lun = &w->books->lun[h->lun];
    uint64_t last;
    int rc = rr_verify(w, c, h->lun, h->number, NULL, &last);

    if (rc == -EINVAL && rr_lost(w, c))
        return false;
    RR_CHECK(w, rc == 0, "VERIFY of handle %u after RECOVER gave %d", h->number, rc);
    RR_CHECK(w, last == (h->kind == RR_PHYSICAL ? lun->last_lba : rr_last_lba(lun, h->size)),
             "handle %u has last_lba %#llx after RECOVER", h->number, (unsigned long long)last);
    return true;
}

/* Handles, numbers, sizes and LUNs; now and then every block of which anybody knows what it holds.
 * It may be lost again in the middle. */
static void look(struct rr_worker *w, struct rr_context *c)
{
    unsigned lun = rr_any_lun(w, c);

    for (unsigned i = 0; i < RR_HANDLES; i++)
        if (c->handle[i].open && !has_size(w, c, &c->handle[i]))
            return;
    if (c->luns >> lun & 1)
        RR_ONE_OF(w, "ATTACH of a LUN that is attached", rr_attach_more(w, c, lun), -EINVAL);
    if (!rr_once_in(w, 4))
        return;
    if (c->actor->binary)
        rr_context_map(w, c);
    rr_io_look(w, c);
    rr_answer_add(w->answer, "as it was", c->lost, 1);
}

void rr_step_recover(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = rr_any_context(w, a);
    unsigned lun;
    bool unused;

    if (!c || (!a->binary && !w->resets))
        return;
    lun = rr_any_lun(w, c);
    if (a->binary && !(c->luns >> lun & 1)) { /* SP section 6: the LUN is looked at too */
        RR_ONE_OF(w, "RECOVER_AFU on a LUN that is not attached",
                  recover_binary(w, c, lun, &unused), -EINVAL);
        return;
    }
    if (rr_once_in(w, 2))
        rr_io_finish(w, c);
    recover_on(w, c, lun);
}

/* ---- what is refused (SP-160) ---- */

static void refuse_opening(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    unsigned port = lun == RR_MANAGED ? RR_MANAGED_PORT : rr_draw(w, 2);
    uint32_t handle;
    uint64_t last;

    if (rr_once_in(w, 2))
        RR_ONE_OF(w, "USER_DIRECT on a lost context",
                  rr_open_direct(w, c, lun, port, &handle, &last), -EINVAL);
    else
        RR_ONE_OF(w, "USER_VIRTUAL on a lost context",
                  rr_open_virtual(w, c, lun, rr_draw(w, 3), false, &handle, &last), -EINVAL);
}

static void refuse_verify(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    static const uint8_t sense[SPIPE_SENSE_BYTES] = {0x72, 6, 0x29};
    const struct rr_handle *h = rr_any_handle(w, c);
    uint64_t last;

    (void)lun;
    if (h)
        RR_ONE_OF(w, "VERIFY on a lost context",
                  rr_verify(w, c, h->lun, h->number, rr_once_in(w, 2) ? sense : NULL, &last),
                  -EINVAL);
}

/* As destination, or as source. */
static void refuse_clone(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    struct rr_actor *other = &w->actor[c->actor == w->actor];
    struct rr_context *o = rr_any_context(w, other);

    if (!o || o->actor->binary != c->actor->binary)
        return;
    rr_io_finish(w, c);
    rr_io_finish(w, o);
    if (c->actor->parent)
        RR_ONE_OF(w, "VLUN_CLONE to a lost context", rr_clone(w, c, o, lun), -EINVAL);
    else
        RR_ONE_OF(w, "VLUN_CLONE of a lost context", rr_clone(w, o, c, lun), -EINVAL);
}

static void refuse_attach(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    (void)lun;
    RR_ONE_OF(w, "ATTACH of a lost context", rr_attach_more(w, c, rr_draw(w, RR_MANAGED)), -EINVAL);
}

/* Only the typed face has names; nobody has this one. */
static void refuse_name(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    const struct rr_handle *h = rr_any_handle(w, c);

    (void)lun;
    if (!c->actor->binary && h)
        RR_ONE_OF(
            w, "a name for a handle of a lost context",
            rr_note(w, c, "name_set", h->number, 0, spipe_name_set(c->ctx, h->number, "lost", 0)),
            -EINVAL);
}

/* ---- what reads all ones (SP-145, SP-147, INV-27) ---- */

static void reads_ones(struct rr_worker *w, const struct spipe_mapping *m)
{
    uint64_t offset = 8 * (uint64_t)rr_draw(w, MMIO_SIZE / 8);

    spipe_adap_write64(m, offset, rr_draw(w, UINT32_MAX));
    RR_CHECK(w, spipe_adap_read64(m, offset) == UINT64_MAX, "offset %#llx of a lost context",
             (unsigned long long)offset);
}

static void tells_that_it_is_lost(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    (void)lun;
    if (!c->actor->binary) {
        RR_CHECK(w, spipe_ctx_lost(c->ctx), "a lost context says that it is not");
        return;
    }
    for (unsigned i = 0; i < RR_MAPPINGS; i++)
        if (c->mapping[i])
            reads_ones(w, c->mapping[i]);
    RR_CHECK(w, rr_reads_lost(w, c), "a lost context tells nothing");
}

/* ---- I/O ---- */

static void fail_io(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    const struct rr_handle *h = rr_any_handle(w, c);

    (void)lun;
    if (h)
        rr_io_of_lost(w, c, h);
}

/* ---- what a recovery left behind ---- */

static bool has_leftovers(const struct rr_context *c)
{
    return c->old_file_open || c->old_mapping[0] || c->old_mapping[1];
}

static void look_at_leftovers(struct rr_worker *w, struct rr_context *c)
{
    struct spipe_adap_event event;
    struct spipe_mapping *m;
    int rc;

    for (unsigned i = 0; i < RR_MAPPINGS; i++)
        if (c->old_mapping[i])
            reads_ones(w, c->old_mapping[i]);
    if (!c->old_file_open)
        return;
    rc = spipe_adap_map(c->actor->client, c->old_file, 0, MMIO_SIZE, &m);
    rr_note(w, c, "map of an old file", c->old_file, 0, rc);
    RR_CHECK(w, rc == -EIO, "a map of an old file gave %d", rc);
    rc = spipe_adap_event(c->actor->client, c->old_file, 0, &event);
    rr_note(w, c, "event of an old file", c->old_file, 0, rc);
    RR_CHECK(w, rc == -EIO && event.kind == SPIPE_ADAP_LOST, "an event of an old file: %d", rc);
}

/* The context has another file, and does not end with this one. */
void rr_leftovers_drop(struct rr_worker *w, struct rr_context *c)
{
    int rc;

    for (unsigned i = 0; i < RR_MAPPINGS; i++) {
        spipe_adap_unmap(c->old_mapping[i]);
        c->old_mapping[i] = NULL;
    }
    if (!c->old_file_open)
        return;
    rc = rr_note(w, c, "close of an old file", c->old_file, 0,
                 spipe_adap_close(c->actor->client, c->old_file));
    RR_CHECK(w, rc == 0, "close of an old file gave %d", rc);
    c->old_file_open = false;
}

/* ---- the step ---- */

static void ask(struct rr_worker *w, struct rr_context *c)
{
    static void (*const kinds[])(struct rr_worker *, struct rr_context *, unsigned) = {
        refuse_opening, refuse_verify,         refuse_clone, refuse_attach,
        refuse_name,    tells_that_it_is_lost, fail_io};
    unsigned kind = rr_draw(w, sizeof kinds / sizeof *kinds);

    kinds[kind](w, c, lowest_lun(c));
    rr_answer_add(w->answer, "asked of a lost context", (int)kind, 1);
}

void rr_step_lost(struct rr_worker *w, struct rr_actor *a)
{
    struct rr_context *c = &a->context[rr_draw(w, RR_CONTEXTS)];

    if (has_leftovers(c) && rr_once_in(w, 2))
        look_at_leftovers(w, c);
    else if (has_leftovers(c))
        rr_leftovers_drop(w, c);
    if (c->life != RR_LIVE || !c->lost)
        return;
    if (rr_once_in(w, 2)) {
        ask(w, c);
        return;
    }
    rr_recover(w, c);
    look(w, c);
}
