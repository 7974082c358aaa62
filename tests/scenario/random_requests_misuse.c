/* SPDX-License-Identifier: Apache-2.0 */
/* What must be refused with exactly the errno of the specification, and change nothing: what is of
 * somebody else, what is no more, what never was. */
#include <errno.h>
#include <string.h>

#include "tests/scenario/random_requests_face.h"
#include "tests/scenario/random_requests_steps.h"
#include "tests/testlib/stack.h"

/* ---- binary requests in general ---- */

union request {
    struct dk_cxlflash_hdr hdr;
    struct dk_cxlflash_attach attach;
    struct dk_cxlflash_detach detach;
    struct dk_cxlflash_udirect udirect;
    struct dk_cxlflash_uvirtual uvirtual;
    struct dk_cxlflash_release release;
    struct dk_cxlflash_resize resize;
    struct dk_cxlflash_clone clone;
    struct dk_cxlflash_verify verify;
    struct dk_cxlflash_recover_afu recover;
    struct dk_cxlflash_manage_lun manage;
};

/* Those that name a context; the first four name a handle too. */
static const uint32_t codes[] = {
    (uint32_t)DK_CXLFLASH_VLUN_RESIZE, (uint32_t)DK_CXLFLASH_RELEASE,
    (uint32_t)DK_CXLFLASH_VERIFY,      (uint32_t)DK_CXLFLASH_DETACH,
    (uint32_t)DK_CXLFLASH_USER_DIRECT, (uint32_t)DK_CXLFLASH_USER_VIRTUAL,
    (uint32_t)DK_CXLFLASH_RECOVER_AFU, (uint32_t)DK_CXLFLASH_ATTACH,
    (uint32_t)DK_CXLFLASH_VLUN_CLONE,
};

enum { WITH_HANDLE = 3, CODES = sizeof codes / sizeof *codes };

/* A request about a context and a handle. */
static void make(union request *r, uint32_t code, uint64_t cookie, uint64_t handle)
{
    memset(r, 0, sizeof *r);
    switch (code) {
    case DK_CXLFLASH_ATTACH:
        r->hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT | 2;
        r->attach.context_id = cookie;
        break;
    case DK_CXLFLASH_RECOVER_AFU:
        r->recover.context_id = cookie;
        break;
    case DK_CXLFLASH_VLUN_CLONE:
        r->clone.context_id_dst = cookie;
        break;
    default: /* all others have it at the same place */
        r->detach.context_id = cookie;
    }
    if (code == DK_CXLFLASH_VLUN_RESIZE)
        r->resize.rsrc_handle = handle;
    else if (code == DK_CXLFLASH_RELEASE)
        r->release.rsrc_handle = handle;
    else if (code == DK_CXLFLASH_VERIFY)
        r->verify.rsrc_handle = handle;
}

static void refused(struct rr_worker *w, struct rr_context *c, uint32_t disk, uint32_t code,
                    union request *r, int expected, const char *why)
{
    int rc = rr_ioctl(w, c, disk, code, r, why);

    RR_CHECK(w, rc == expected, "%s: request %#x gave %d instead of %d", why, code, rc, expected);
}

/* An open LUN, so that nothing else is wrong. */
static uint32_t open_disk(struct rr_worker *w) { return rr_disk(w, rr_draw(w, RR_MANAGED)); }

/* ---- contexts of others, of the past, of nobody ---- */

static bool is_own(const struct rr_actor *a, uint64_t cookie)
{
    for (unsigned i = 0; i < RR_CONTEXTS; i++)
        if (a->context[i].life == RR_LIVE && a->context[i].cookie == cookie)
            return true;
    return false;
}

static uint64_t draw_cookie(struct rr_worker *w, struct rr_actor *a, const struct rr_context *c)
{
    struct rr_actor *family = &w->actor[a == w->actor];
    unsigned other = (w->number + 1 + rr_draw(w, RR_WORKERS - 1)) % RR_WORKERS;
    uint64_t upper = (uint64_t)(1 + rr_draw(w, 200)) << 32;

    switch (rr_draw(w, 6)) {
    case 0:
        return exec_atomic_load(w->exec, &w->books->cookie[other]);
    case 1: /* guessed: the context may be one of the typed face */
        return upper | exec_atomic_load(w->exec, &w->books->context[other]);
    case 2: /* of parent or child (SP-153) */
        return family->context[rr_draw(w, RR_CONTEXTS)].cookie;
    case 3: /* a right number, a wrong upper half (SP-30) */
        return c->cookie + upper;
    case 4:
        return c->cookie & UINT32_MAX;
    default:
        return c->cookie + RR_NUMBERS;
    }
}

static void foreign_context(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    uint64_t cookie = draw_cookie(w, a, c), handle = rr_draw(w, 4);
    uint32_t code = codes[rr_draw(w, CODES)];
    union request r;

    if (is_own(a, cookie))
        return;
    make(&r, code, cookie, handle);
    if (code == DK_CXLFLASH_VLUN_CLONE && rr_once_in(w, 2)) { /* as the source, of no parent */
        if (a->parent && is_own(a->parent, cookie))
            return;
        r.clone.context_id_src = cookie;
        r.clone.context_id_dst = c->cookie;
    }
    refused(w, c, open_disk(w), code, &r, -EINVAL, "a context that is not its own");
}

/* ---- handles that are none ---- */

static void bad_handle(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    const struct rr_handle *h = rr_any_handle(w, c);
    uint64_t good = h ? h->number : 0, handle;
    uint32_t code = codes[rr_draw(w, WITH_HANDLE)];
    unsigned lun = h ? h->lun : rr_draw(w, RR_MANAGED);
    union request r;

    (void)a;
    switch (rr_draw(w, 4)) {
    case 0:
        handle = good | (uint64_t)(1 + rr_draw(w, 9)) << 32; /* SP-9 */
        break;
    case 1:
        handle = 256 + rr_draw(w, 1000);
        break;
    case 2:
        handle = UINT64_MAX - rr_draw(w, 3);
        break;
    default:
        handle = RR_HANDLES + rr_draw(w, 200); /* free, unless numbers were skipped */
    }
    if (handle < 256 && rr_handle_by_number(c, (uint32_t)handle))
        return;
    make(&r, code, c->cookie, handle);
    refused(w, c, rr_disk(w, lun), code, &r, -EINVAL, "a handle that is none");
}

/* SP-34: the handle is of another LUN than the disk. */
static void handle_of_another_lun(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    const struct rr_handle *h = rr_any_handle(w, c);
    uint32_t code = codes[rr_draw(w, WITH_HANDLE)];
    unsigned lun = rr_draw(w, RR_MANAGED);
    union request r;

    (void)a;
    if (!h || h->lun == lun)
        return;
    make(&r, code, c->cookie, h->number);
    refused(w, c, rr_disk(w, lun), code, &r, -EINVAL, "a handle of another LUN");
}

/* ---- requests that are none ---- */

static void bad_header(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    const struct rr_handle *h = rr_any_handle(w, c);
    uint32_t code = codes[rr_draw(w, CODES)];
    union request r;

    (void)a;
    make(&r, code, c->cookie, h ? h->number : 0);
    switch (rr_draw(w, 3)) {
    case 0:
        r.hdr.version = (uint16_t)(1 + rr_draw(w, 0xFFFF)); /* SP-20 */
        break;
    case 1:
        r.hdr.rsvd[rr_draw(w, 3)] = (uint16_t)(1 + rr_draw(w, 0xFFFF)); /* SP-21 */
        break;
    default:
        r.hdr.return_flags = UINT64_C(1) << rr_draw(w, 64); /* SP-21 */
    }
    refused(w, c, h ? rr_disk(w, h->lun) : open_disk(w), code, &r, -EINVAL, "a bad header");
}

/* SP-15, SP-23 and a device node that does not exist. */
static void bad_request(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    static const uint32_t none[] = {0,          0xC090CA8A, 0xC090CA8F,
                                    0xC070CA80, 0x8090CA80, (uint32_t)HT_CXLFLASH_AFU_DEBUG};
    static const uint32_t nowhere[] = {(RR_LUNS << 2), (RR_LUNS << 2 | 1), (RR_MANAGED << 2), 2, 3,
                                       UINT32_MAX};
    uint32_t code = codes[rr_draw(w, CODES)];
    union request r;
    int rc;

    (void)a;
    make(&r, code, c->cookie, 0);
    switch (rr_draw(w, 4)) {
    case 0:
        refused(w, c, open_disk(w), none[rr_draw(w, sizeof none / sizeof *none)], &r, -EINVAL,
                "no request");
        break;
    case 1:
        refused(w, c, nowhere[rr_draw(w, sizeof nowhere / sizeof *nowhere)], code, &r, -ENXIO,
                "no disk");
        break;
    case 2:
        rc = rr_note(w, c, "no structure", code, 0,
                     spipe_ioctl(c->actor->client, open_disk(w), code, NULL));
        RR_CHECK(w, rc == -EFAULT, "request %#x without a structure gave %d", code, rc);
        break;
    default: /* SP-37 */
        make(&r, (uint32_t)DK_CXLFLASH_ATTACH, 0, 0);
        r.hdr.flags = 2;
        r.attach.num_interrupts = 5 + rr_draw(w, 100);
        refused(w, c, open_disk(w), (uint32_t)DK_CXLFLASH_ATTACH, &r, -EINVAL,
                "too many interrupts");
    }
}

/* SP-126: a name that is not the device's own. */
static void bad_wwid(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    struct dk_cxlflash_manage_lun m = {.hdr.flags = DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE};
    unsigned lun = rr_draw(w, RR_MANAGED);
    int rc;

    (void)a;
    if (rr_once_in(w, 2))
        memcpy(m.wwid, w->books->lun[lun + 1].wwid, sizeof m.wwid);
    rc = rr_ioctl(w, c, rr_disk(w, lun), (uint32_t)DK_CXLFLASH_MANAGE_LUN, &m, "a wrong WWID");
    RR_CHECK(w, rc == -EINVAL, "MANAGE_LUN with a wrong WWID gave %d", rc);
}

/* ---- adapter files of others ---- */

static bool has_file(const struct rr_context *c, uint64_t file)
{
    return (c->life != RR_GONE && c->file_open && c->file == file) ||
           (c->old_file_open && c->old_file == file);
}

static bool is_own_file(const struct rr_actor *a, uint64_t file)
{
    for (unsigned i = 0; i < RR_CONTEXTS; i++)
        if (has_file(&a->context[i], file))
            return true;
    return false;
}

/* Of another thread, which may be of the typed face and have none; of parent or child (SP-153). */
static uint64_t draw_file(struct rr_worker *w, const struct rr_actor *a, unsigned other)
{
    switch (rr_draw(w, 3)) {
    case 0:
        return exec_atomic_load(w->exec, &w->books->file[other]);
    case 1:
        return exec_atomic_load(w->exec, &w->books->context[other]);
    default:
        return w->actor[a == w->actor].context[rr_draw(w, RR_CONTEXTS)].file;
    }
}

static void foreign_file(struct rr_worker *w, struct rr_actor *a, struct rr_context *c)
{
    uint64_t file = draw_file(w, a, rr_draw(w, RR_WORKERS));
    struct spipe_adap_event event;
    struct spipe_mapping *m;
    int rc;

    if (rr_once_in(w, 8))
        file |= UINT64_C(1) << 32;
    if (is_own_file(a, file))
        return;
    switch (rr_draw(w, 3)) {
    case 0:
        rc = spipe_adap_map(a->client, file, 0, 65536, &m);
        break;
    case 1:
        rc = spipe_adap_close(a->client, file);
        break;
    default:
        rc = spipe_adap_event(a->client, file, 0, &event);
    }
    rr_note(w, c, "a file that is not its own", file, 0, rc);
    RR_CHECK(w, rc == -EBADF, "a file that is not its own gave %d", rc);
}

/* ---- the typed face ---- */

static uint32_t no_handle(struct rr_worker *w, struct rr_context *c)
{
    uint32_t number = rr_once_in(w, 3) ? 256 + rr_draw(w, 1000) : rr_draw(w, 256);

    return rr_handle_by_number(c, number) ? UINT32_MAX : number;
}

static void typed_handle(struct rr_worker *w, struct rr_context *c)
{
    uint32_t number = no_handle(w, c);
    uint64_t last;

    switch (rr_draw(w, 3)) {
    case 0:
        RR_ONE_OF(w, "resize of no handle", rr_resize(w, c, 0, number, 1, &last), -EINVAL);
        break;
    case 1:
        RR_ONE_OF(w, "release of no handle", rr_release(w, c, 0, number), -EINVAL);
        break;
    default:
        RR_ONE_OF(w, "verify of no handle", rr_verify(w, c, 0, number, NULL, &last), -EINVAL);
    }
}

static void typed_io(struct rr_worker *w, struct rr_context *c)
{
    const struct rr_handle *h = rr_any_handle(w, c);
    struct spipe_io io = {.buffer = w->memory, .blocks = 1, .handle = no_handle(w, c)};
    int rc;

    if (h && rr_once_in(w, 2)) { /* of no length, or of more than 16 MiB */
        io.handle = h->number;
        io.blocks = rr_once_in(w, 2) ? 0 : (16u << 20) / w->books->lun[h->lun].block_size + 1;
    }
    rc = rr_note(w, c, "submit", io.handle, io.blocks, spipe_submit(c->ctx, &io, 1));
    RR_CHECK(w, rc == -EINVAL || (rc == -ENODEV && rr_lost(w, c)), "an I/O that is none gave %d",
             rc);
}

static void typed_attach(struct rr_worker *w, struct rr_context *c)
{
    struct spipe_attach_options options = {.size = sizeof options - 8};
    struct spipe_client *client = c->actor->client;
    struct spipe_ctx *ctx;

    switch (rr_draw(w, 4)) {
    case 0:
        RR_ONE_OF(w, "attach with options of another size", spipe_attach(client, 0, &options, &ctx),
                  -EINVAL);
        break;
    case 1:
        RR_ONE_OF(w, "attach of no LUN", spipe_attach(client, RR_LUNS, NULL, &ctx), -EINVAL);
        break;
    case 2:
        RR_ONE_OF(w, "attach of no LUN", spipe_attach_lun(c->ctx, RR_LUNS + 1000), -EINVAL);
        break;
    default:
        RR_ONE_OF(w, "detach of no LUN", spipe_detach(c->ctx, 70), -EINVAL);
    }
    rr_note(w, c, "bad attach", 0, 0, -EINVAL);
}

static void typed_lun(struct rr_worker *w, struct rr_context *c)
{
    struct spipe *s = w->stack->adapter;

    RR_ONE_OF(w, "enable of no LUN", spipe_lun_enable(s, RR_LUNS, 0), -ENOENT);
    RR_ONE_OF(w, "enable through a port without it", spipe_lun_enable(s, RR_MANAGED, 0), -EINVAL);
    RR_ONE_OF(w, "disable of no LUN", spipe_lun_disable(s, RR_LUNS, 0), -ENOENT);
    RR_ONE_OF(w, "disable through no port", spipe_lun_disable(s, 0, 2), -EINVAL);
    rr_note(w, c, "bad manage", 0, 0, -EINVAL);
}

static void misuse_typed(struct rr_worker *w, struct rr_context *c)
{
    static void (*const kinds[])(struct rr_worker *, struct rr_context *) = {
        typed_handle, typed_handle, typed_io, typed_attach, typed_lun};

    kinds[rr_draw(w, sizeof kinds / sizeof *kinds)](w, c);
}

/* ---- the step ---- */

void rr_step_misuse(struct rr_worker *w, struct rr_actor *a)
{
    static void (*const kinds[])(struct rr_worker *, struct rr_actor *, struct rr_context *) = {
        foreign_context, foreign_context, foreign_context, bad_handle,  handle_of_another_lun,
        bad_header,      bad_request,     bad_wwid,        foreign_file};
    struct rr_context *c = rr_any_context(w, a);

    if (!c)
        return;
    if (!a->binary) {
        misuse_typed(w, c);
        return;
    }
    /* What a guest has at the moment could be guessed. */
    exec_mutex_lock(w->exec, &w->books->nursery);
    kinds[rr_draw(w, sizeof kinds / sizeof *kinds)](w, a, c);
    exec_mutex_unlock(w->exec, &w->books->nursery);
}
