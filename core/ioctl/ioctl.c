/* SPDX-License-Identifier: Apache-2.0 */
/* The binary face: DK_CXLFLASH requests on a disk, over the same functions as the verbs. What holds
 * for every request is in core/ioctl/ioctl_check.c; a handler here reads its structure, calls, and
 * fills its outputs in. */
#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"
#include "core/context/adapter_file.h"
#include "core/context/client.h"
#include "core/context/verbs.h"
#include "core/cxlflash_ioctl.h"
#include "core/ioctl/ioctl_check.h"
#include "core/mutants.h"
#include "core/superpipe.h"
#include "core/vlun/clone.h"
#include "core/vlun/resource.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define MMIO_SIZE 65536u         /* SP-49 */
#define TRANSFER_MAX (16u << 20) /* bytes, SP-49 */
#define INTERRUPTS_MAX 4u        /* SP-37 */
#define NO_FILE UINT64_MAX       /* adap_fd of a reused context (SP-50) */

/* A request under way. */
struct request {
    struct spipe *s;
    struct spipe_client *client;
    struct spipe__lun *lun;
    unsigned lun_number, port;
    union {
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
    } arg;
};

/* ---- looking up (SP-31) ---- */

/* The context with this cookie, entered, if this disk's LUN is attached to it (SP-31). */
static struct spipe_ctx *with_lun(const struct request *r, struct spipe_ctx *ctx)
{
    if (!ctx || spipe__ctx_has_lun(ctx, r->lun_number))
        return ctx;
    spipe__ctx_leave(ctx);
    return NULL;
}

static struct spipe_ctx *find_healthy(const struct request *r, uint64_t cookie)
{
    return with_lun(r, spipe__ctx_find(r->client, cookie, false, false));
}

/* The same among lost contexts too. */
static struct spipe_ctx *find_any(const struct request *r, uint64_t cookie)
{
    return with_lun(r, spipe__ctx_find(r->client, cookie, true, false));
}

/* SP-34, SP-9: of this disk's LUN; UINT32_MAX is no handle. */
static uint32_t handle_of(const struct request *r, const struct spipe_ctx *ctx, uint64_t handle)
{
    const struct spipe__resource *res =
        handle < SPIPE__RHT_SIZE ? spipe__ctx_resource(ctx, (uint32_t)handle) : NULL;

    return res && res->held.lun == r->lun ? (uint32_t)handle : UINT32_MAX;
}

/* ---- ATTACH, DETACH ---- */

static uint64_t sq_flag(const struct request *r)
{
    return r->s->sq ? DK_CXLFLASH_CONTEXT_SQ_CMD_MODE : 0;
}

static void describe_context(struct request *r, const struct spipe_ctx *ctx, bool new)
{
    struct dk_cxlflash_attach *a = &r->arg.attach;
    struct spipe *s = r->s;

    a->hdr.return_flags = (new ? DK_CXLFLASH_APP_CLOSE_ADAP_FD : 0) | sq_flag(r);
    spipe__books_lock(s);
    a->context_id = ctx->cookie;
    a->mmio_size = MMIO_SIZE;
    a->block_size = r->lun->global->block_size;
    a->adap_fd = new ? ctx->file->number : NO_FILE;
    a->last_lba = r->lun->global->last_lba;
    a->max_xfer = TRANSFER_MAX / r->lun->global->block_size;
    spipe__books_unlock(s);
}

/* SP-39, SP-41. */
static int reuse(struct request *r)
{
    struct spipe_ctx *ctx = spipe__ctx_find(r->client, r->arg.attach.context_id, false, false);
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = spipe__attach_lun(ctx, r->lun_number);
    if (!rc)
        describe_context(r, ctx, false);
    else if (spipe__mutant(SPW_2))
        spipe__detach_all(ctx);
    spipe__ctx_leave(ctx);
    return rc;
}

/* SP-42..SP-48. The file first: what comes after cannot fail. */
static int attach_new(struct request *r)
{
    struct spipe__ctx_setup setup = {
        .permissions = (uint8_t)((r->arg.attach.hdr.flags + 1) & AFU_PERM_RW),
        .interrupts = (unsigned)r->arg.attach.num_interrupts,
    };
    struct spipe__file *file = spipe__file_alloc(r->s);
    struct spipe_ctx *ctx;
    int rc;

    if (!file)
        return -ENODEV;
    rc = spipe__attach(r->client, r->lun_number, &setup, &ctx);
    if (rc) {
        spipe__file_free(r->s, file);
        return rc == -ENOMEM && spipe__mutant(SPW_3) ? 0 : rc;
    }
    spipe__file_open(ctx, file);
    describe_context(r, ctx, true);
    spipe__ctx_leave(ctx);
    return 0;
}

static int attach(struct request *r)
{
    if (r->arg.attach.num_interrupts > INTERRUPTS_MAX)
        return -EINVAL;
    return r->arg.attach.hdr.flags & DK_CXLFLASH_ATTACH_REUSE_CONTEXT ? reuse(r) : attach_new(r);
}

static int detach(struct request *r)
{
    struct spipe_ctx *ctx = find_any(r, r->arg.detach.context_id);

    if (!ctx)
        return -EINVAL;
    spipe__detach(ctx, r->lun_number);
    spipe__ctx_leave(ctx);
    return 0;
}

/* ---- USER_DIRECT, USER_VIRTUAL, VLUN_RESIZE, RELEASE ---- */

static int user_direct(struct request *r)
{
    struct dk_cxlflash_udirect *u = &r->arg.udirect;
    struct spipe_ctx *ctx = find_healthy(r, u->context_id);
    uint32_t handle;
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = spipe__open_direct(ctx, r->lun_number, r->port, &handle, &u->last_lba);
    if (!rc)
        u->rsrc_handle = handle;
    spipe__ctx_leave(ctx);
    return rc;
}

/* What the books say about this disk's LUN. */
struct lun_state {
    unsigned port_mask;
    uint8_t mode;
    bool internal; /* the adapter shows disks of its own (SP-14) */
};

static struct lun_state lun_state(const struct request *r)
{
    struct lun_state state;

    spipe__books_lock(r->s);
    state = (struct lun_state){.port_mask = r->lun->port_mask,
                               .mode = r->lun->global->mode,
                               .internal = r->s->internal_lun != 0};
    spipe__books_unlock(r->s);
    return state;
}

static int user_virtual(struct request *r)
{
    struct dk_cxlflash_uvirtual *u = &r->arg.uvirtual;
    struct spipe_ctx *ctx = find_healthy(r, u->context_id);
    uint32_t handle;
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = spipe__open_virtual(ctx, r->lun_number, u->lun_size,
                             u->hdr.flags & DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME, &handle,
                             &u->last_lba);
    spipe__ctx_leave(ctx);
    if (rc)
        return rc;
    u->rsrc_handle = handle;
    if (hal_bit_count(lun_state(r).port_mask) > 1)
        u->hdr.return_flags = DK_CXLFLASH_ALL_PORTS_ACTIVE;
    return 0;
}

static int resize(struct request *r)
{
    struct dk_cxlflash_resize *z = &r->arg.resize;
    struct spipe_ctx *ctx = find_any(r, z->context_id);
    int rc = -EINVAL; /* SP-66 */

    if (!ctx)
        return rc;
    if (lun_state(r).mode == SPIPE_LUN_VIRTUAL)
        rc = spipe__resize(ctx, handle_of(r, ctx, z->rsrc_handle), z->req_size, &z->last_lba);
    spipe__ctx_leave(ctx);
    return rc;
}

static int release(struct request *r)
{
    const struct dk_cxlflash_release *l = &r->arg.release;
    struct spipe_ctx *ctx = find_any(r, l->context_id);
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = spipe__release(ctx, handle_of(r, ctx, l->rsrc_handle));
    spipe__ctx_leave(ctx);
    return rc;
}

/* ---- VERIFY ---- */

static int verify(struct request *r)
{
    struct dk_cxlflash_verify *v = &r->arg.verify;
    struct spipe_ctx *ctx = find_healthy(r, v->context_id);
    const uint8_t *sense = v->hint & DK_CXLFLASH_VERIFY_HINT_SENSE ? v->sense_data : NULL;
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = spipe__verify(ctx, handle_of(r, ctx, v->rsrc_handle), sense, &v->last_lba);
    spipe__ctx_leave(ctx);
    return rc;
}

/* ---- VLUN_CLONE ---- */

static int clone_from(struct request *r, const struct spipe_ctx *from)
{
    struct spipe_ctx *to =
        with_lun(r, spipe__ctx_find(r->client, r->arg.clone.context_id_dst, false, true));
    int rc;

    if (!to)
        return -EINVAL;
    rc = spipe__clone(to, from);
    spipe__ctx_leave(to);
    return rc;
}

static int clone(struct request *r)
{
    const struct dk_cxlflash_clone *c = &r->arg.clone;
    struct spipe_ctx *from;
    int rc;

    if (c->context_id_src == c->context_id_dst || lun_state(r).mode != SPIPE_LUN_VIRTUAL)
        return -EINVAL;
    from = with_lun(r, spipe__ctx_find_of_parent(r->client, c->context_id_src));
    if (!from)
        return -EINVAL;
    rc = clone_from(r, from);
    spipe__ctx_leave(from);
    return rc;
}

/* ---- RECOVER_AFU ---- */

static struct spipe_ctx *find_to_recover(const void *arg)
{
    const struct request *r = arg;

    return find_any(r, r->arg.recover.context_id);
}

/* SP-89..SP-97. Without anything to recover the fields stay as they are (SP-91). */
static int recover(struct request *r)
{
    struct dk_cxlflash_recover_afu *v = &r->arg.recover;
    struct spipe_ctx *ctx;
    int rc = spipe__recover(r->s, find_to_recover, r, &ctx);

    if (rc)
        return rc;
    if (!ctx)
        return 0;
    v->hdr.return_flags =
        DK_CXLFLASH_RECOVER_AFU_CONTEXT_RESET | DK_CXLFLASH_APP_CLOSE_ADAP_FD | sq_flag(r);
    v->mmio_size = MMIO_SIZE;
    spipe__books_lock(r->s);
    v->context_id = ctx->cookie;
    v->adap_fd = ctx->file->number;
    spipe__books_unlock(r->s);
    spipe__ctx_leave(ctx);
    return 0;
}

/* ---- MANAGE_LUN ---- */

static int enable(struct request *r)
{
    int rc;

    spipe__books_lock(r->s);
    rc = spipe__lun_enable(r->s, r->lun, r->port);
    spipe__books_unlock(r->s);
    return rc;
}

/* SP-118, SP-120, SP-121, SP-126: the name must be the device's own. */
static int manage_lun(struct request *r)
{
    const struct dk_cxlflash_manage_lun *m = &r->arg.manage;

    if (memcmp(m->wwid, r->lun->global->wwid, sizeof m->wwid) != 0 && !spipe__mutant(SPW_20))
        return -EINVAL;
    if (m->hdr.flags & DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE)
        return enable(r);
    if (m->hdr.flags & DK_CXLFLASH_MANAGE_LUN_DISABLE_SUPERPIPE)
        return spipe__lun_disable(r->s, r->lun, r->port);
    return 0;
}

/* ---- every request ---- */

static int run(struct request *r, uint32_t code)
{
    switch (code) {
    case DK_CXLFLASH_ATTACH:
        return attach(r);
    case DK_CXLFLASH_DETACH:
        return detach(r);
    case DK_CXLFLASH_USER_DIRECT:
        return user_direct(r);
    case DK_CXLFLASH_USER_VIRTUAL:
        return user_virtual(r);
    case DK_CXLFLASH_VLUN_RESIZE:
        return resize(r);
    case DK_CXLFLASH_RELEASE:
        return release(r);
    case DK_CXLFLASH_VERIFY:
        return verify(r);
    case DK_CXLFLASH_VLUN_CLONE:
        return clone(r);
    case DK_CXLFLASH_RECOVER_AFU:
        return recover(r);
    case DK_CXLFLASH_MANAGE_LUN:
        return manage_lun(r);
    default:
        return -EINVAL;
    }
}

/* Steps 2 to 5 of SP section 5: what is wrong with a request shows before it waits for a reset. */
static int admit(struct request *r, uint32_t code, const struct spipe__ioctl_rule **rule)
{
    struct lun_state state = lun_state(r);
    const struct spipe__ioctl_site site = {
        .face = SPIPE__IOCTL_DISK,
        .internal_lun = state.internal,
        .lun_enabled = state.port_mask & AFU_PORT_BIT(r->port),
    };
    int rc = spipe__ioctl_admit(&site, code, rule);

    return rc ? rc : spipe__gate_pass(&r->s->gate, (*rule)->admission);
}

/* Steps 2 to 11. */
static int dispatch(struct request *r, uint32_t code, void *arg)
{
    const struct spipe__ioctl_rule *rule;
    int rc = admit(r, code, &rule);

    if (rc)
        return rc;
    if (!arg)
        return -EFAULT;
    CHECK(rule->size <= sizeof r->arg);
    memcpy(&r->arg, arg, rule->size);
    rc = spipe__ioctl_check_header(SPIPE__IOCTL_DISK, &r->arg);
    if (!rc)
        rc = run(r, code);
    if (!rc)
        memcpy(arg, &r->arg, rule->size);
    return rc;
}

/* False: there is no such device node. */
static bool open_disk(struct request *r, uint32_t disk)
{
    bool is;

    r->lun_number = disk >> 2;
    r->port = disk & 3;
    spipe__books_lock(r->s);
    is = r->lun_number < r->s->lun_count;
    if (is) {
        r->lun = &r->s->lun[r->lun_number];
        is = r->lun->found_ports & AFU_PORT_BIT(r->port);
    }
    spipe__books_unlock(r->s);
    return is;
}

int spipe_ioctl(struct spipe_client *c, uint32_t disk, uint32_t request, void *arg)
{
    struct request r = {.s = c->s, .client = c};
    enum spipe__verb verb = (enum spipe__verb)(request & 0xFF);
    int rc = -ENXIO;

    spipe__verb_begin_always(c->s, verb, SPIPE__NO_CONTEXT);
    if (open_disk(&r, disk))
        rc = dispatch(&r, request, arg);
    return spipe__verb_end(c->s, verb, rc);
}
