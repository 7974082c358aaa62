/* SPDX-License-Identifier: Apache-2.0 */
/* The binary face: DK_CXLFLASH requests on a disk, over the same functions as the verbs. What holds
 * for every request is in core/ioctl_check.c; a handler here reads its structure, calls, and fills
 * its outputs in. */
#include <errno.h>
#include <string.h>

#include "core/adapter_file.h"
#include "core/clone.h"
#include "core/cxlflash_ioctl.h"
#include "core/ioctl_check.h"
#include "core/pause.h"
#include "core/resource.h"
#include "core/superpipe.h"
#include "core/verb.h"
#include "core/verbs.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

#define MMIO_SIZE 65536u           /* SP-49 */
#define TRANSFER_MAX (16u << 20)   /* bytes, SP-49 */
#define INTERRUPTS_MAX 4u          /* SP-37 */
#define NO_FILE UINT64_MAX         /* adap_fd of a reused context (SP-50) */
#define RECOVER_WAIT SPIPE__SECOND /* SP-92 */

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

/* The context of `owner` with this cookie; NULL also if it is lost. */
static struct spipe_ctx *find_healthy(const struct request *r, const struct spipe_client *owner,
                                      uint64_t cookie)
{
    uint32_t number = (uint32_t)cookie;
    struct spipe_ctx *ctx = number < SPIPE__CONTEXTS ? r->s->contexts[number] : NULL;

    return ctx && ctx->cookie == cookie && ctx->client == owner && !ctx->errored ? ctx : NULL;
}

/* The same among all contexts of the client, lost ones too. */
static struct spipe_ctx *find_any(const struct request *r, uint64_t cookie)
{
    struct spipe_ctx *ctx = r->client->contexts;

    while (ctx && ctx->cookie != cookie)
        ctx = ctx->next;
    return ctx;
}

static struct spipe_ctx *with_lun(const struct request *r, struct spipe_ctx *ctx)
{
    return ctx && spipe__ctx_has_lun(ctx, r->lun_number) ? ctx : NULL;
}

/* SP-34, SP-9: of this disk's LUN; UINT32_MAX is no handle. */
static uint32_t handle_of(const struct request *r, const struct spipe_ctx *ctx, uint64_t handle)
{
    const struct spipe__resource *res =
        handle < SPIPE__RHT_SIZE ? spipe__ctx_resource(ctx, (uint32_t)handle) : NULL;

    return res && res->held.lun == r->lun ? (uint32_t)handle : UINT32_MAX;
}

/* ---- ATTACH, DETACH ---- */

static void describe_context(struct request *r, const struct spipe_ctx *ctx, uint64_t file)
{
    struct dk_cxlflash_attach *a = &r->arg.attach;

    a->hdr.return_flags = (file == NO_FILE ? 0 : DK_CXLFLASH_APP_CLOSE_ADAP_FD) |
                          (r->s->sq ? DK_CXLFLASH_CONTEXT_SQ_CMD_MODE : 0);
    a->context_id = ctx->cookie;
    a->mmio_size = MMIO_SIZE;
    a->block_size = r->lun->block_size;
    a->adap_fd = file;
    a->last_lba = r->lun->last_lba;
    a->max_xfer = TRANSFER_MAX / r->lun->block_size;
}

/* SP-39, SP-41. */
static int reuse(struct request *r)
{
    struct spipe_ctx *ctx = find_healthy(r, r->client, r->arg.attach.context_id);
    int rc = ctx ? spipe__attach_lun(ctx, r->lun_number) : -EINVAL;

    if (!rc)
        describe_context(r, ctx, NO_FILE);
    return rc;
}

/* SP-42..SP-48. */
static int attach_new(struct request *r)
{
    struct spipe__ctx_setup setup = {
        .permissions = (uint8_t)((r->arg.attach.hdr.flags + 1) & AFU_PERM_RW),
        .interrupts = (unsigned)r->arg.attach.num_interrupts,
    };
    struct spipe__file *file;
    struct spipe_ctx *ctx;
    int rc = spipe__attach(r->client, r->lun_number, &setup, &ctx);

    if (rc)
        return rc;
    rc = spipe__file_open(r->client, ctx, &file);
    if (rc) {
        spipe__detach_all(ctx);
        return rc;
    }
    describe_context(r, ctx, file->number);
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
    struct spipe_ctx *ctx = with_lun(r, find_any(r, r->arg.detach.context_id));

    if (!ctx)
        return -EINVAL;
    spipe__detach(ctx, r->lun_number);
    return 0;
}

/* ---- USER_DIRECT, USER_VIRTUAL, VLUN_RESIZE, RELEASE ---- */

static int user_direct(struct request *r)
{
    struct dk_cxlflash_udirect *u = &r->arg.udirect;
    struct spipe_ctx *ctx = with_lun(r, find_healthy(r, r->client, u->context_id));
    uint32_t handle;
    int rc;

    if (!ctx)
        return -EINVAL;
    rc = spipe__open_direct(ctx, r->lun_number, r->port, &handle, &u->last_lba);
    if (!rc)
        u->rsrc_handle = handle;
    return rc;
}

static int user_virtual(struct request *r)
{
    struct dk_cxlflash_uvirtual *u = &r->arg.uvirtual;
    struct spipe_ctx *ctx = with_lun(r, find_healthy(r, r->client, u->context_id));
    uint32_t handle;
    int rc;

    if (!ctx)
        return -EINVAL;
    if (u->hdr.flags & DK_CXLFLASH_UVIRTUAL_NEED_WRITE_SAME)
        return -EOPNOTSUPP; /* rather than data that stay readable: there is no wiping yet */
    rc = spipe__open_virtual(ctx, r->lun_number, u->lun_size, &handle, &u->last_lba);
    if (rc)
        return rc;
    u->rsrc_handle = handle;
    if (hal_bit_count(r->lun->port_mask) > 1)
        u->hdr.return_flags = DK_CXLFLASH_ALL_PORTS_ACTIVE;
    return 0;
}

static int resize(struct request *r)
{
    struct dk_cxlflash_resize *z = &r->arg.resize;
    struct spipe_ctx *ctx = with_lun(r, find_any(r, z->context_id));

    if (!ctx || r->lun->mode != SPIPE_LUN_VIRTUAL)
        return -EINVAL; /* SP-66 */
    return spipe__resize(ctx, handle_of(r, ctx, z->rsrc_handle), z->req_size, &z->last_lba);
}

static int release(struct request *r)
{
    const struct dk_cxlflash_release *l = &r->arg.release;
    struct spipe_ctx *ctx = with_lun(r, find_any(r, l->context_id));

    return ctx ? spipe__release(ctx, handle_of(r, ctx, l->rsrc_handle)) : -EINVAL;
}

/* ---- VERIFY ---- */

static int verify(struct request *r)
{
    struct dk_cxlflash_verify *v = &r->arg.verify;
    struct spipe_ctx *ctx = with_lun(r, find_healthy(r, r->client, v->context_id));
    const uint8_t *sense = v->hint & DK_CXLFLASH_VERIFY_HINT_SENSE ? v->sense_data : NULL;

    if (!ctx)
        return -EINVAL;
    return spipe__verify(ctx, handle_of(r, ctx, v->rsrc_handle), sense, &v->last_lba);
}

/* ---- VLUN_CLONE ---- */

static int clone(struct request *r)
{
    const struct dk_cxlflash_clone *c = &r->arg.clone;
    const struct spipe_client *parent = r->client->parent;
    struct spipe_ctx *to, *from;

    if (c->context_id_src == c->context_id_dst || r->lun->mode != SPIPE_LUN_VIRTUAL || !parent)
        return -EINVAL;
    from = with_lun(r, find_healthy(r, parent, c->context_id_src));
    to = with_lun(r, find_healthy(r, r->client, c->context_id_dst));
    return from && to ? spipe__clone(to, from) : -EINVAL;
}

/* ---- RECOVER_AFU ---- */

/* SP-90..SP-92: nothing to recover, which anybody may ask at any time, or the adapter is gone. The
 * wait is for the platform, which may tell the error later than the application sees it. */
static int recover(struct request *r)
{
    const struct spipe_ctx *ctx = find_any(r, r->arg.recover.context_id);
    struct spipe *s = r->s;

    if (!ctx)
        return -EINVAL;
    if (!ctx->errored &&
        spipe__read(s, AFU_CTRL_BASE(s->master->handle) + AFU_CTRL_MBOX_R) != HAL_ALL_ONES)
        return 0;
    spipe__pause(s->exec, RECOVER_WAIT);
    return -ENODEV;
}

/* ---- MANAGE_LUN ---- */

/* SP-118, SP-120, SP-121, SP-126: the name must be the device's own. */
static int manage_lun(struct request *r)
{
    const struct dk_cxlflash_manage_lun *m = &r->arg.manage;

    if (memcmp(m->wwid, r->lun->wwid, sizeof m->wwid) != 0)
        return -EINVAL;
    if (m->hdr.flags & DK_CXLFLASH_MANAGE_LUN_ENABLE_SUPERPIPE)
        return spipe__lun_enable(r->s, r->lun, r->port);
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

/* Steps 2 to 11 of SP section 5. */
static int dispatch(struct request *r, uint32_t code, void *arg)
{
    const struct spipe__ioctl_site site = {
        .face = SPIPE__IOCTL_DISK,
        .state = r->s->master ? SPIPE__IOCTL_NORMAL : SPIPE__IOCTL_FAILTERM,
        .lun_enabled = r->lun->port_mask & AFU_PORT_BIT(r->port),
    };
    const struct spipe__ioctl_rule *rule;
    int rc = spipe__ioctl_admit(&site, code, &rule);

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
    r->lun_number = disk >> 2;
    r->port = disk & 3;
    if (r->lun_number >= r->s->lun_count)
        return false;
    r->lun = &r->s->lun[r->lun_number];
    return r->lun->found_ports & AFU_PORT_BIT(r->port);
}

int spipe_ioctl(struct spipe_client *c, uint32_t disk, uint32_t request, void *arg)
{
    struct request r = {.s = c->s, .client = c};
    enum spipe__verb verb = (enum spipe__verb)(request & 0xFF);
    int rc = -ENXIO;

    spipe__verb_begin(c->s, verb, SPIPE__NO_CONTEXT);
    if (open_disk(&r, disk))
        rc = dispatch(&r, request, arg);
    return spipe__verb_end(c->s, verb, rc);
}
