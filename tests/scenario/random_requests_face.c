/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/random_requests_face.h"

#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"

enum { ARG_MAX_BYTES = 144 }; /* SP-7 */

#define MARK UINT64_C(0x5A5A5A5A5A5A5A5A) /* in outputs before the call */

static struct rr_lun *lun_of(struct rr_worker *w, unsigned lun) { return &w->books->lun[lun]; }

/* ---- the binary face ---- */

uint32_t rr_disk(struct rr_worker *w, unsigned lun)
{
    unsigned ports = lun_of(w, lun)->ports, port = rr_draw(w, 2);

    return spipe_disk(lun, ports >> port & 1 ? port : hal_lowest_bit(ports));
}

int rr_ioctl(struct rr_worker *w, struct rr_context *c, uint32_t disk, uint32_t code, void *arg,
             const char *what)
{
    size_t size = code >> 16 & 0x1FFF;
    uint8_t before[ARG_MAX_BYTES];
    int rc;

    RR_CHECK(w, size <= sizeof before, "%s has a structure of %zu bytes", what, size);
    memcpy(before, arg, size);
    rc = spipe_ioctl(c->actor->client, disk, code, arg);
    rr_note(w, c, what, disk, code, rc);
    RR_CHECK(w, !rc || !memcmp(before, arg, size), "%s failed and wrote its structure", what);
    return rc;
}

static int request(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t code,
                   void *arg, const char *what)
{
    return rr_ioctl(w, c, rr_disk(w, lun), code, arg, what);
}

static uint64_t sq_flag(struct rr_worker *w) { return w->sq ? DK_CXLFLASH_CONTEXT_SQ_CMD_MODE : 0; }

/* SP-49. */
static void judge_attach(struct rr_worker *w, unsigned lun, const struct dk_cxlflash_attach *a,
                         uint64_t flags)
{
    const struct rr_lun *l = lun_of(w, lun);

    RR_CHECK(w, a->hdr.return_flags == flags, "ATTACH returned flags %#llx",
             (unsigned long long)a->hdr.return_flags);
    RR_CHECK(w, a->block_size == l->block_size && a->last_lba == l->last_lba,
             "ATTACH described another LUN");
    RR_CHECK(w, a->mmio_size == 65536 && a->max_xfer == (16u << 20) / l->block_size,
             "ATTACH returned wrong sizes");
}

static int attach_binary(struct rr_worker *w, struct rr_context *c, unsigned lun,
                         unsigned permissions)
{
    static const uint64_t mode[] = {3, 0, 1, 2}; /* by permissions (SP-11) */
    struct dk_cxlflash_attach a = {.hdr.flags = mode[permissions], .num_interrupts = 4};
    int rc = request(w, c, lun, DK_CXLFLASH_ATTACH, &a, "ATTACH");

    if (rc)
        return rc;
    judge_attach(w, lun, &a, DK_CXLFLASH_APP_CLOSE_ADAP_FD | sq_flag(w));
    c->cookie = a.context_id;
    c->file = a.adap_fd;
    c->file_open = true;
    c->number = (uint32_t)a.context_id;
    return 0;
}

static int attach_more_binary(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    struct dk_cxlflash_attach a = {.hdr.flags = DK_CXLFLASH_ATTACH_REUSE_CONTEXT | 2,
                                   .context_id = c->cookie};
    int rc = request(w, c, lun, DK_CXLFLASH_ATTACH, &a, "ATTACH with reuse");

    if (rc)
        return rc;
    judge_attach(w, lun, &a, sq_flag(w));
    RR_CHECK(w, a.context_id == c->cookie && a.adap_fd == UINT64_MAX,
             "ATTACH with reuse gave another context or a file (SP-50)");
    return 0;
}

static int open_virtual_binary(struct rr_worker *w, struct rr_context *c, unsigned lun,
                               uint64_t blocks, bool wipe, uint32_t *handle, uint64_t *last)
{
    struct dk_cxlflash_uvirtual u = {.hdr.flags = wipe ? DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME : 0,
                                     .context_id = c->cookie,
                                     .lun_size = blocks};
    bool several = lun_of(w, lun)->ports == 3;
    int rc = request(w, c, lun, DK_CXLFLASH_USER_VIRTUAL, &u,
                     wipe ? "USER_VIRTUAL to be wiped" : "USER_VIRTUAL");

    if (rc)
        return rc;
    RR_CHECK(w, u.hdr.return_flags == (several ? DK_CXLFLASH_ALL_PORTS_ACTIVE : 0),
             "USER_VIRTUAL returned flags %#llx", (unsigned long long)u.hdr.return_flags);
    *handle = (uint32_t)u.rsrc_handle;
    *last = u.last_lba;
    return 0;
}

static int open_direct_binary(struct rr_worker *w, struct rr_context *c, unsigned lun,
                              unsigned port, uint32_t *handle, uint64_t *last)
{
    struct dk_cxlflash_udirect u = {.context_id = c->cookie};
    int rc = rr_ioctl(w, c, spipe_disk(lun, port), DK_CXLFLASH_USER_DIRECT, &u, "USER_DIRECT");

    if (rc)
        return rc;
    *handle = (uint32_t)u.rsrc_handle;
    *last = u.last_lba;
    return 0;
}

static int resize_binary(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle,
                         uint64_t blocks, uint64_t *last)
{
    struct dk_cxlflash_resize z = {
        .context_id = c->cookie, .rsrc_handle = handle, .req_size = blocks};
    int rc = request(w, c, lun, DK_CXLFLASH_VLUN_RESIZE, &z, "VLUN_RESIZE");

    if (!rc)
        *last = z.last_lba;
    return rc;
}

static int verify_binary(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle,
                         const uint8_t *sense, uint64_t *last)
{
    struct dk_cxlflash_verify v = {.context_id = c->cookie, .rsrc_handle = handle};
    int rc;

    if (sense) {
        v.hint = DK_CXLFLASH_VERIFY_HINT_SENSE;
        memcpy(v.sense_data, sense, sizeof v.sense_data);
    }
    rc = request(w, c, lun, DK_CXLFLASH_VERIFY, &v, "VERIFY");
    if (!rc)
        *last = v.last_lba;
    return rc;
}

/* ---- both ---- */

int rr_attach(struct rr_worker *w, struct rr_context *c, unsigned lun, unsigned permissions)
{
    struct spipe_attach_options options = {.size = sizeof options,
                                           .no_read = !(permissions & RR_READ),
                                           .no_write = !(permissions & RR_WRITE),
                                           .depth = 2 * RR_IOS};
    int rc;

    if (c->actor->binary)
        return attach_binary(w, c, lun, permissions);
    rc = spipe_attach(c->actor->client, lun, &options, &c->ctx);
    if (!rc)
        c->number = spipe_ctx_handle(c->ctx);
    return rr_note(w, c, "attach", lun, permissions, rc);
}

int rr_attach_more(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    if (c->actor->binary)
        return attach_more_binary(w, c, lun);
    return rr_note(w, c, "attach_lun", lun, 0, spipe_attach_lun(c->ctx, lun));
}

int rr_detach(struct rr_worker *w, struct rr_context *c, unsigned lun)
{
    struct dk_cxlflash_detach d = {.context_id = c->cookie};

    if (c->actor->binary)
        return request(w, c, lun, DK_CXLFLASH_DETACH, &d, "DETACH");
    return rr_note(w, c, "detach", lun, 0, spipe_detach(c->ctx, lun));
}

/* Outputs of the typed face, on failure: as they were. */
static int judge_outputs(struct rr_worker *w, int rc, uint32_t handle, uint64_t last)
{
    RR_CHECK(w, !rc || (handle == (uint32_t)MARK && last == MARK), "a failing call wrote outputs");
    return rc;
}

int rr_open_virtual(struct rr_worker *w, struct rr_context *c, unsigned lun, uint64_t blocks,
                    bool wipe, uint32_t *handle, uint64_t *last)
{
    struct spipe_open_options options = {.size = sizeof options, .wipe = wipe};
    int rc;

    *handle = (uint32_t)MARK;
    *last = MARK;
    if (c->actor->binary)
        return open_virtual_binary(w, c, lun, blocks, wipe, handle, last);
    rc = spipe_open_virtual_with(c->ctx, lun, blocks, wipe ? &options : NULL, handle, last);
    rr_note(w, c, wipe ? "open_virtual to be wiped" : "open_virtual", lun, blocks, rc);
    return judge_outputs(w, rc, *handle, *last);
}

int rr_open_direct(struct rr_worker *w, struct rr_context *c, unsigned lun, unsigned port,
                   uint32_t *handle, uint64_t *last)
{
    int rc;

    *handle = (uint32_t)MARK;
    *last = MARK;
    if (c->actor->binary)
        return open_direct_binary(w, c, lun, port, handle, last);
    rc = spipe_open_direct(c->ctx, lun, port, handle, last);
    return judge_outputs(w, rr_note(w, c, "open_direct", lun, port, rc), *handle, *last);
}

int rr_resize(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle,
              uint64_t blocks, uint64_t *last)
{
    int rc;

    *last = MARK;
    if (c->actor->binary)
        return resize_binary(w, c, lun, handle, blocks, last);
    rc = spipe_resize(c->ctx, handle, blocks, last);
    return judge_outputs(w, rr_note(w, c, "resize", handle, blocks, rc), (uint32_t)MARK, *last);
}

int rr_release(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle)
{
    struct dk_cxlflash_release l = {.context_id = c->cookie, .rsrc_handle = handle};

    if (c->actor->binary)
        return request(w, c, lun, DK_CXLFLASH_RELEASE, &l, "RELEASE");
    return rr_note(w, c, "release", handle, 0, spipe_release(c->ctx, handle));
}

int rr_verify(struct rr_worker *w, struct rr_context *c, unsigned lun, uint32_t handle,
              const uint8_t *sense, uint64_t *last)
{
    int rc;

    *last = MARK;
    if (c->actor->binary)
        return verify_binary(w, c, lun, handle, sense, last);
    rc = spipe_verify(c->ctx, handle, sense, last);
    return judge_outputs(w, rr_note(w, c, "verify", handle, sense != NULL, rc), (uint32_t)MARK,
                         *last);
}

int rr_clone(struct rr_worker *w, struct rr_context *to, struct rr_context *from, unsigned lun)
{
    struct dk_cxlflash_clone c = {.context_id_src = from->cookie, .context_id_dst = to->cookie};

    if (to->actor->binary)
        return request(w, to, lun, DK_CXLFLASH_VLUN_CLONE, &c, "VLUN_CLONE");
    return rr_note(w, to, "clone", from->number, 0, spipe_clone(to->ctx, from->ctx));
}
