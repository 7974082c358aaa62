/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/recording_hal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/hal_nosys.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

static struct recording_hal *rec_of(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct recording_hal, dev);
}

static struct rec_ctx *ctx_of(struct hal_ctx *c)
{
    return HAL_CONTAINER_OF(c, struct rec_ctx, base);
}

/* ---- the record ---- */

__attribute__((format(printf, 2, 3))) static void line(struct recording_hal *r, const char *format,
                                                       ...)
{
    va_list args;
    int n;

    if (r->silent)
        return;
    va_start(args, format);
    n = vsnprintf(r->text + r->text_used, sizeof r->text - r->text_used, format, args);
    va_end(args);
    CHECK(n >= 0 && r->text_used + (size_t)n + 2 < sizeof r->text);
    r->text_used += (size_t)n;
    r->text[r->text_used++] = '\n';
    r->text[r->text_used] = 0;
}

void recording_hal_note(struct recording_hal *r, const char *text) { line(r, "%s", text); }

void recording_hal_clear(struct recording_hal *r)
{
    r->text_used = 0;
    r->text[0] = 0;
}

/* ---- memory ---- */

const struct rec_region *recording_hal_region(const struct recording_hal *r, uint64_t address)
{
    for (unsigned i = 0; i < r->region_top; i++) {
        const struct rec_region *g = &r->region[i];

        if (g->start && address - (uint64_t)(uintptr_t)g->start < g->size)
            return g;
    }
    return NULL;
}

static bool is_lxt(const struct rec_region *g) { return strncmp(g->name, "lxt", 3) == 0; }

static int rec_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    struct recording_hal *r = rec_of(dev);
    unsigned i, k;

    if (r->fail_register) {
        int rc = r->fail_register;
        r->fail_register = 0;
        return rc;
    }
    for (i = 0; r->region[i].start; i++)
        CHECK(i + 1 < REC_REGIONS);
    if (i == r->region_top)
        r->region_top++;
    for (k = 0; r->name[k] && strcmp(r->name[k], name) != 0; k++)
        CHECK(k + 1 < REC_NAMES);
    r->name[k] = name;
    r->region[i] = (struct rec_region){.start = addr, .size = size};
    snprintf(r->region[i].name, sizeof r->region[i].name, "%s%u", name, ++r->number[k]);
    r->regions++;
    if (r->no_mem)
        return 0;
    if (is_lxt(&r->region[i]))
        line(r, "+ %s:%zu", r->region[i].name, size / AFU_LXT_ENTRY_SIZE);
    else
        line(r, "+ %s", r->region[i].name);
    return 0;
}

static void rec_release(struct hal_dev *dev, void *addr)
{
    struct recording_hal *r = rec_of(dev);

    for (unsigned i = 0; i < r->region_top; i++) {
        if (r->region[i].start != (char *)addr)
            continue;
        if (!r->no_mem)
            line(r, "- %s", r->region[i].name);
        r->region[i].start = NULL;
        r->regions--;
        return;
    }
    CHECK_UNREACHABLE();
}

/* ---- tables ---- */

static void show_all(struct recording_hal *r)
{
    if (r->stores == 0)
        return;
    while (r->stores > 0) {
        r->stores--;
        *r->store[r->stores].at = r->store[r->stores].value;
    }
    if (r->watch)
        r->watch(r->watch_arg);
}

/* The first word of an entry: the address of an array, or a LUN id. */
static void line_rht_first(struct recording_hal *r, const char *name, size_t handle, uint64_t value)
{
    const struct rec_region *to = recording_hal_region(r, value);

    if (to || !value)
        line(r, "%s[%zu].start=%s", name, handle, to ? to->name : "0");
    else
        line(r, "%s[%zu].lun=%" PRIx64, name, handle, value);
}

static void line_rht(struct recording_hal *r, const struct rec_region *g, size_t offset,
                     uint64_t value)
{
    struct afu_rht_entry e = {{0, 0}};
    struct afu_rht_virtual v;
    struct afu_rht_direct d;
    size_t handle = offset / 16;

    e.word[offset / 8 % 2] = value;
    v = afu_rht_unpack_virtual(r->order, &e);
    d = afu_rht_unpack_direct(r->order, &e);
    if (offset % 16 == 0)
        line_rht_first(r, g->name, handle, v.lxt_start);
    else if (!value)
        line(r, "%s[%zu].count=free", g->name, handle);
    else if (afu_rht_entry_format(&e) == AFU_RHT_FORMAT_DIRECT)
        line(r, "%s[%zu].direct=%s ports %x permissions %x", g->name, handle,
             d.valid ? "valid" : "invalid", d.port_sel, d.permissions);
    else
        line(r, "%s[%zu].count=%" PRIu32, g->name, handle, v.lxt_cnt);
}

static void rec_table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    struct recording_hal *r = rec_of(dev);
    const struct rec_region *g = recording_hal_region(r, (uint64_t)(uintptr_t)addr);
    size_t offset;

    CHECK(g && r->stores < REC_STORES);
    offset = (size_t)((char *)addr - g->start);
    if (is_lxt(g))
        line(r, "%s[%zu]=%" PRIu64, g->name, offset / AFU_LXT_ENTRY_SIZE,
             afu_lxt_base(hal_swap64(r->order, value)));
    else
        line_rht(r, g, offset, value);
    r->store[r->stores].at = addr;
    r->store[r->stores++].value = value;
}

static void rec_publish(struct hal_dev *dev)
{
    line(rec_of(dev), "publish");
    show_all(rec_of(dev));
}

/* ---- commands ---- */

static enum hal_order order_of(const struct rec_ctx *c)
{
    return c->host[AFU_HOST_ENDIAN_CTRL / 8] == AFU_ENDIAN_CTRL_BIG ? HAL_ORDER_BIG
                                                                    : HAL_ORDER_LITTLE;
}

void recording_hal_post(struct rec_ctx *c, uint64_t ea)
{
    uint64_t last = c->host[AFU_HOST_RRQ_END / 8];

    __atomic_store_n(c->rrq_at, hal_swap64(order_of(c), afu_rrq_element(ea, c->toggle)),
                     __ATOMIC_RELEASE);
    if ((uint64_t)(uintptr_t)c->rrq_at == last) {
        c->rrq_at = (uint64_t *)(uintptr_t)c->host[AFU_HOST_RRQ_START / 8];
        c->toggle ^= 1;
    } else {
        c->rrq_at++;
    }
}

static void answer(struct rec_ctx *c, uint64_t ea, const struct afu_ioasa *ioasa)
{
    struct afu_cmd_pair *pair = (struct afu_cmd_pair *)(uintptr_t)ea;

    if (ioasa)
        memcpy(&pair->ioasa, ioasa, offsetof(struct afu_ioasa, host_use)); /* MD-7 */
    recording_hal_post(c, ea);
    if (pair->ioarcb.msi)
        c->pending_interrupt = pair->ioarcb.msi;
}

void recording_hal_answer(struct recording_hal *r, unsigned i, const struct afu_ioasa *ioasa)
{
    CHECK(i < r->commands);
    answer(r->command[i].ctx, r->command[i].ea, ioasa);
}

void recording_hal_syncs(struct recording_hal *r, const enum rec_sync *outcome, unsigned n)
{
    CHECK(n <= REC_SYNCS);
    for (unsigned i = 0; i < n; i++)
        r->sync[i] = outcome[i];
    r->sync_at = 0;
    r->sync_count = n;
}

static void afu_sync(struct recording_hal *r, struct rec_ctx *c, uint64_t ea)
{
    static const char *const mode[] = {"LW", "HW", "GSYNC"};
    const struct afu_cmd_pair *pair = (struct afu_cmd_pair *)(uintptr_t)ea;
    const uint8_t *cdb = pair->ioarcb.cdb;
    enum rec_sync outcome = REC_SYNC_OK;
    struct afu_ioasa bad = {.rc = {.afu_rc = AFU_RC_SYNC_IN_PROGRESS}};

    CHECK(cdb[0] == AFU_CMD_SYNC && afu_sync_cdb_mode(cdb) <= AFU_SYNC_GSYNC);
    if (r->sync_at < r->sync_count)
        outcome = r->sync[r->sync_at++];
    r->syncs++;
    line(r, "sync %s %u.%" PRIu32 "%s", mode[afu_sync_cdb_mode(cdb)], afu_sync_cdb_ctx(cdb),
         afu_sync_cdb_handle(cdb), outcome ? " failed" : "");
    if (outcome != REC_SYNC_LOST)
        answer(c, ea, outcome == REC_SYNC_OK ? NULL : &bad);
}

static void scsi(struct recording_hal *r, struct rec_ctx *c, uint64_t ea)
{
    const struct afu_cmd_pair *pair = (struct afu_cmd_pair *)(uintptr_t)ea;
    const struct afu_ioarcb *rcb = &pair->ioarcb;
    struct afu_ioasa ioasa = {.port = 0};
    enum hal_order order = order_of(c);

    CHECK(r->scsi);
    CHECK(xe32_get(order, rcb->data_len) == 0 ||
          recording_hal_region(r, xe64_get(order, rcb->data_ea)));
    line(r, "scsi %02x ports %" PRIx32 " lun %" PRIx64, rcb->cdb[0], xe32_get(order, rcb->port_sel),
         xe64_get(order, rcb->lun_id));
    if (r->scsi(r->scsi_arg, rcb, &ioasa))
        answer(c, ea, &ioasa);
}

static void of_master(struct recording_hal *r, struct rec_ctx *c, uint64_t ea)
{
    const struct afu_cmd_pair *pair = (struct afu_cmd_pair *)(uintptr_t)ea;

    if (xe16_get(order_of(c), pair->ioarcb.req_flags) & AFU_REQ_AFU_CMD)
        afu_sync(r, c, ea);
    else
        scsi(r, c, ea);
}

static void doorbell(struct recording_hal *r, struct rec_ctx *c, uint64_t ea)
{
    if (ea == AFU_CTX_RESET) {
        c->host[AFU_HOST_IOARRIN / 8] = 0; /* done already */
        return;
    }
    if (c->base.kind == HAL_CTX_MASTER) {
        of_master(r, c, ea);
        return;
    }
    if (r->answer_at_once) {
        answer(c, ea, NULL);
        return;
    }
    CHECK(r->commands < REC_COMMANDS);
    r->command[r->commands].ctx = c;
    r->command[r->commands].ea = ea;
    memcpy(&r->command[r->commands++].ioarcb, (const void *)(uintptr_t)ea,
           sizeof(struct afu_ioarcb));
}

/* ---- registers ---- */

/* Whose register an offset is, and which. */
static uint64_t *reg_of(struct recording_hal *r, struct rec_ctx *c, uint64_t offset,
                        struct rec_ctx **whose, const char **block)
{
    unsigned n;

    *block = "host";
    *whose = c;
    if (c->base.kind == HAL_CTX_USER) {
        CHECK(offset < AFU_HOST_REGS_END);
        return &c->host[offset / 8];
    }
    if (offset >= AFU_CTRL_START && offset < AFU_GLOBAL_BASE) {
        *block = "ctrl";
        n = (unsigned)((offset - AFU_CTRL_START) / AFU_CTRL_SIZE);
        *whose = &r->ctx[n];
        return &r->ctx[n].ctrl[offset % AFU_CTRL_SIZE / 8];
    }
    if (offset >= AFU_GLOBAL_BASE)
        return NULL;
    *whose = &r->ctx[offset / AFU_HOST_SIZE];
    CHECK(offset % AFU_HOST_SIZE < AFU_HOST_REGS_END);
    return &(*whose)->host[offset % AFU_HOST_SIZE / 8];
}

static uint64_t rec_read(struct hal_ctx *ctx, uint64_t offset)
{
    struct recording_hal *r = rec_of(ctx->dev);
    struct rec_ctx *c = ctx_of(ctx), *whose;
    const char *block;
    uint64_t *reg = reg_of(r, c, offset, &whose, &block);
    uint64_t at = offset % (*block == 'c' ? AFU_CTRL_SIZE : AFU_HOST_SIZE);

    if (c->dead)
        return HAL_ALL_ONES;
    if (!reg)
        return 0;
    if (!r->no_regs)
        line(r, "r %s%u+%" PRIx64, block, (unsigned)(whose - r->ctx), at);
    if (*block == 'c' && at == AFU_CTRL_MBOX_R)
        whose->cap_unlocked = true;
    if (*block == 'h' && at == AFU_HOST_CMD_ROOM)
        return r->room;
    return *reg;
}

static void rec_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct recording_hal *r = rec_of(ctx->dev);
    struct rec_ctx *c = ctx_of(ctx), *whose;
    const char *block;
    uint64_t *reg = reg_of(r, c, offset, &whose, &block);
    uint64_t at = offset % (*block == 'c' ? AFU_CTRL_SIZE : AFU_HOST_SIZE);
    const struct rec_region *to = recording_hal_region(r, value);

    show_all(r);
    if (c->dead || !reg)
        return;
    if (*block == 'h' && at == AFU_HOST_IOARRIN) {
        doorbell(r, whose, value);
        return;
    }
    if (!r->no_regs && to)
        line(r, "w %s%u+%" PRIx64 "=%s", block, (unsigned)(whose - r->ctx), at, to->name);
    else if (!r->no_regs)
        line(r, "w %s%u+%" PRIx64 "=%" PRIx64, block, (unsigned)(whose - r->ctx), at, value);
    if (*block == 'c' && at == AFU_CTRL_CTX_CAP && value)
        value = r->wrong_capability || !whose->cap_unlocked ? 0 : value;
    *reg = value;
    if (*block == 'h' && at == AFU_HOST_RRQ_END) {
        whose->rrq_at = (uint64_t *)(uintptr_t)whose->host[AFU_HOST_RRQ_START / 8];
        whose->toggle = 1;
    }
}

/* ---- contexts ---- */

static int rec_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct recording_hal *r = rec_of(dev);
    struct rec_ctx *c = &r->ctx[r->first];

    if (r->fail_create)
        return r->fail_create;
    while (c < r->ctx + REC_CONTEXTS && c->open)
        c++;
    if (c == r->ctx + REC_CONTEXTS)
        return -ENOSPC;
    *c = (struct rec_ctx){.open = true};
    c->base.handle = (uint16_t)(c - r->ctx + (r->wrong_handle ? REC_CONTEXTS : 0));
    line(r, "create %s", kind == HAL_CTX_USER ? "user" : "master");
    *out = &c->base;
    return 0;
}

static int rec_start(struct hal_ctx *ctx, unsigned interrupts)
{
    struct recording_hal *r = rec_of(ctx->dev);
    struct rec_ctx *c = ctx_of(ctx);

    if (r->fail_start)
        return r->fail_start;
    c->interrupts = interrupts;
    line(r, "start %u:%u", ctx->handle, interrupts);
    return 0;
}

static int rec_stop(struct hal_ctx *ctx)
{
    struct rec_ctx *c = ctx_of(ctx);

    line(rec_of(ctx->dev), "stop %u", ctx->handle);
    memset(c->host, 0, sizeof c->host);
    memset(c->ctrl, 0, sizeof c->ctrl);
    c->cap_unlocked = false;
    return 0;
}

static void rec_lose(struct hal_ctx *ctx)
{
    struct rec_ctx *c = ctx_of(ctx);

    line(rec_of(ctx->dev), "lose %u", ctx->handle);
    memset(c->host, 0, sizeof c->host);
    memset(c->ctrl, 0, sizeof c->ctrl);
    c->cap_unlocked = false;
    c->event.kind = HAL_EVENT_DEVICE_LOST;
}

static void rec_end(struct hal_ctx *ctx)
{
    struct rec_ctx *c = ctx_of(ctx);

    line(rec_of(ctx->dev), "release %u", (unsigned)(c - rec_of(ctx->dev)->ctx));
    c->open = false;
}

static int rec_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct rec_ctx *c = ctx_of(ctx);
    struct fake_exec *exec = rec_of(ctx->dev)->exec;

    *out = c->event;
    c->event = (struct hal_event){HAL_EVENT_NONE, 0, 0, 0};
    if (out->kind == HAL_EVENT_DEVICE_LOST)
        return -EIO;
    if (out->kind != HAL_EVENT_NONE)
        return 0;
    if (c->pending_interrupt) {
        *out = (struct hal_event){HAL_EVENT_AFU_INTERRUPT, c->pending_interrupt, 0, 0};
        c->pending_interrupt = 0;
        return 0;
    }
    CHECK(deadline != EXEC_FOREVER); /* nobody else could wake the waiter */
    exec->now = hal_max64(exec->now, deadline);
    return 0;
}

static void rec_progress(struct hal_ctx *ctx) { (void)ctx; }

static void rec_close(struct hal_dev *dev) { (void)dev; }

static struct hal_ops recording_ops;

void recording_hal_init(struct recording_hal *r, struct fake_exec *exec, enum hal_order order)
{
    memset(r, 0, sizeof *r);
    r->exec = exec;
    r->order = order;
    r->room = 16;
    recording_ops = hal_nosys_ops;
    recording_ops.name = "recording";
    recording_ops.close = rec_close;
    recording_ops.ctx_create = rec_create;
    recording_ops.ctx_start = rec_start;
    recording_ops.ctx_stop = rec_stop;
    recording_ops.ctx_lose = rec_lose;
    recording_ops.ctx_release = rec_end;
    recording_ops.reg_read64 = rec_read;
    recording_ops.reg_write64 = rec_write;
    recording_ops.event_wait = rec_event_wait;
    recording_ops.progress = rec_progress;
    recording_ops.mem_register = rec_register;
    recording_ops.mem_release = rec_release;
    recording_ops.table_store = rec_table_store;
    recording_ops.publish = rec_publish;
    hal_dev_init(&r->dev, &recording_ops);
}
