/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/fake_afu.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/afu_regs.h"
#include "hal/hal_nosys.h"
#include "hal/support/bits.h"

enum { REGISTERS = AFU_MAP_SIZE / 8 };

static struct fake_afu *afu_of(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct fake_afu, dev);
}

static struct fake_context *context_at(struct fake_afu *afu, uint16_t number)
{
    cr_assert(number >= afu->first_context && number < afu->first_context + FAKE_AFU_CONTEXTS);
    return &afu->context[number - afu->first_context];
}

uint64_t *fake_afu_register(struct fake_afu *afu, uint64_t offset)
{
    cr_assert_lt(offset / 8, REGISTERS);
    return &afu->registers[offset / 8];
}

static uint64_t host_register(struct fake_afu *afu, uint16_t context, uint64_t reg)
{
    return *fake_afu_register(afu, AFU_HOST_BASE(context) + reg);
}

static enum hal_order order_of(struct fake_afu *afu, uint16_t context)
{
    return host_register(afu, context, AFU_HOST_ENDIAN_CTRL) == AFU_ENDIAN_CTRL_BIG
               ? HAL_ORDER_BIG
               : HAL_ORDER_LITTLE;
}

/* ---- answers ---- */

void fake_afu_post(struct fake_afu *afu, uint16_t context, uint64_t element_ea)
{
    struct fake_context *c = context_at(afu, context);
    uint64_t element = hal_swap64(order_of(afu, context), afu_rrq_element(element_ea, c->toggle));

    memcpy((void *)(uintptr_t)c->rrq_at, &element, sizeof element);
    if (c->rrq_at == host_register(afu, context, AFU_HOST_RRQ_END)) {
        c->rrq_at = host_register(afu, context, AFU_HOST_RRQ_START);
        c->toggle = !c->toggle;
    } else {
        c->rrq_at += sizeof element;
    }
}

void fake_afu_event(struct fake_afu *afu, uint16_t context, const struct hal_event *event)
{
    struct fake_context *c = context_at(afu, context);

    cr_assert_lt(c->event_count, HAL_ARRAY_LENGTH(c->events));
    c->events[c->event_count++] = *event;
}

void fake_answer_write(enum hal_order order, const struct fake_answer *answer,
                       struct afu_ioasa *ioasa)
{
    ioasa->rc = answer->rc;
    ioasa->resid = xe32_of(order, answer->residual);
    ioasa->afu_extra = answer->afu_extra;
    if (answer->rc.flags & AFU_RC_FLAG_SENSE_VALID || answer->tells)
        memcpy(ioasa->sense_data, answer->sense, AFU_SENSE_SIZE);
}

static void finish(struct fake_afu *afu, const struct fake_pending *p)
{
    struct hal_event event = {.kind = HAL_EVENT_AFU_INTERRUPT, .number = p->msi};

    fake_answer_write(order_of(afu, p->context), &p->answer,
                      (struct afu_ioasa *)(uintptr_t)p->ioasa);
    fake_afu_post(afu, p->context, p->element);
    if (p->msi && !afu->lose_interrupts)
        fake_afu_event(afu, p->context, &event);
}

/* Posts what is due. */
static void run(struct fake_afu *afu)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < afu->pending_count; i++) {
        struct fake_pending p = afu->pending[i];

        if (p.due <= afu->exec->now)
            finish(afu, &p);
        else
            afu->pending[kept++] = p;
    }
    afu->pending_count = kept;
}

/* When the next answer is due, UINT64_MAX for never. */
static uint64_t next_due(const struct fake_afu *afu)
{
    uint64_t due = UINT64_MAX;

    for (unsigned i = 0; i < afu->pending_count; i++)
        due = hal_min64(due, afu->pending[i].due);
    return due;
}

static void abort_commands(struct fake_afu *afu, uint16_t context)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < afu->pending_count; i++)
        if (afu->pending[i].context != context)
            afu->pending[kept++] = afu->pending[i];
    afu->pending_count = kept;
}

/* ---- commands ---- */

struct fake_command fake_command_read(enum hal_order o, uint16_t context,
                                      const struct afu_ioarcb *rcb)
{
    struct fake_command c = {
        .context = context,
        .ctx_id = xe16_get(o, rcb->ctx_id),
        .flags = xe16_get(o, rcb->req_flags),
        .timeout = xe16_get(o, rcb->timeout),
        .target = xe32_get(o, rcb->port_sel),
        .lun_id = xe64_get(o, rcb->lun_id),
        .data_length = xe32_get(o, rcb->data_len),
        .data = (void *)(uintptr_t)xe64_get(o, rcb->data_ea),
        .msi = rcb->msi,
    };

    memcpy(c.cdb, rcb->cdb, sizeof c.cdb);
    return c;
}

/* Takes one command, whose IOASA is at `ioasa` and whose RRQ element will name `element`. */
static void take(struct fake_afu *afu, uint16_t context, const struct afu_ioarcb *rcb,
                 uint64_t ioasa, uint64_t element)
{
    struct fake_command command = fake_command_read(order_of(afu, context), context, rcb);
    struct fake_answer answer;

    afu->commands++;
    answer = afu->answer(afu->arg, &command);
    if (answer.lost)
        return;
    cr_assert_lt(afu->pending_count, FAKE_AFU_PENDING);
    afu->pending[afu->pending_count++] = (struct fake_pending){
        context, command.msi, ioasa, element, afu->exec->now + answer.delay, answer};
}

static void context_reset(struct fake_afu *afu, uint16_t context)
{
    afu->resets++;
    afu->resetting = afu->reset_reads;
    if (!afu->resetting)
        abort_commands(afu, context);
}

/* IOARRIN: the IOASA is behind the IOARCB, the element names the IOARCB (SL 7, 9). */
static void ioarrin(struct fake_afu *afu, uint16_t context, uint64_t value)
{
    if (value == AFU_CTX_RESET)
        context_reset(afu, context);
    else
        take(afu, context, (const struct afu_ioarcb *)(uintptr_t)value,
             value + sizeof(struct afu_ioarcb), value);
}

/* SQ: takes the slots up to the new tail; the elements name the IOASAs (SL 10.2). */
static void sq_tail(struct fake_afu *afu, uint16_t context, uint64_t tail)
{
    struct fake_context *c = context_at(afu, context);

    while (c->sq_head != tail) {
        const struct afu_ioarcb *rcb = (const struct afu_ioarcb *)(uintptr_t)c->sq_head;
        uint64_t ioasa = xe64_get(order_of(afu, context), rcb->ioasa);

        take(afu, context, rcb, ioasa, ioasa);
        c->sq_head = c->sq_head == host_register(afu, context, AFU_HOST_SQ_END)
                         ? host_register(afu, context, AFU_HOST_SQ_START)
                         : c->sq_head + sizeof *rcb;
    }
}

/* ---- registers ---- */

/* Number of the context whose host page `offset` is in, or -1. */
static int host_page(uint64_t offset)
{
    return offset < AFU_CTRL_START ? (int)(offset / AFU_HOST_SIZE) : -1;
}

static uint64_t absolute(const struct hal_ctx *ctx, uint64_t offset)
{
    return ctx->kind == HAL_CTX_MASTER ? offset : AFU_HOST_BASE(ctx->handle) + offset;
}

static uint64_t read_reset(struct fake_afu *afu, uint16_t context)
{
    if (!afu->resetting)
        return 0;
    if (--afu->resetting == 0)
        abort_commands(afu, context);
    return AFU_CTX_RESET;
}

static uint64_t fake_read(struct hal_ctx *ctx, uint64_t offset)
{
    struct fake_afu *afu = afu_of(ctx->dev);
    uint64_t at = absolute(ctx, offset);
    int page = host_page(at);

    if (afu->dead || ctx->lost)
        return HAL_ALL_ONES;
    if (page >= 0 && at % AFU_HOST_SIZE == AFU_HOST_CMD_ROOM)
        return afu->room;
    if (page >= 0 &&
        (at % AFU_HOST_SIZE == AFU_HOST_IOARRIN || at % AFU_HOST_SIZE == AFU_HOST_SQ_CTX_RESET))
        return read_reset(afu, (uint16_t)page);
    return *fake_afu_register(afu, at);
}

static void restart_rrq(struct fake_afu *afu, uint16_t context)
{
    struct fake_context *c = context_at(afu, context);

    c->rrq_at = host_register(afu, context, AFU_HOST_RRQ_START);
    c->toggle = true;
}

/* A port does what CMDCONFIG says at once. */
static void port_command(struct fake_afu *afu, uint64_t offset, uint64_t value)
{
    uint64_t status = offset - AFU_FC_MTIP_CMDCONFIG + AFU_FC_MTIP_STATUS;

    *fake_afu_register(afu, status) =
        value & AFU_FC_CMDCONFIG_ON_LINE ? AFU_FC_MTIP_STATUS_ONLINE : AFU_FC_MTIP_STATUS_OFFLINE;
}

static void host_write(struct fake_afu *afu, uint16_t context, uint64_t reg, uint64_t value)
{
    switch (reg) {
    case AFU_HOST_IOARRIN:
        ioarrin(afu, context, value);
        break;
    case AFU_HOST_SQ_TAIL:
        sq_tail(afu, context, value);
        break;
    case AFU_HOST_SQ_CTX_RESET:
        context_reset(afu, context);
        break;
    case AFU_HOST_RRQ_START:
        restart_rrq(afu, context);
        break;
    case AFU_HOST_SQ_START:
        context_at(afu, context)->sq_head = value;
        break;
    case AFU_HOST_INTR_CLEAR:
        *fake_afu_register(afu, AFU_HOST_BASE(context) + AFU_HOST_INTR_STATUS) &= ~value;
        break;
    default:
        break;
    }
}

static void fake_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct fake_afu *afu = afu_of(ctx->dev);
    uint64_t at = absolute(ctx, offset);
    int page = host_page(at);

    if (afu->dead || ctx->lost)
        return;
    *fake_afu_register(afu, at) = value;
    if (page >= 0)
        host_write(afu, (uint16_t)page, at % AFU_HOST_SIZE, value);
    else if (at >= AFU_FC_BANK_START && at % AFU_FC_PAGE_SIZE == AFU_FC_MTIP_CMDCONFIG)
        port_command(afu, at, value);
}

/* ---- events ---- */

static int fake_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct fake_afu *afu = afu_of(ctx->dev);
    struct fake_context *c = HAL_CONTAINER_OF(ctx, struct fake_context, hal);

    if (afu->dead || ctx->lost) {
        out->kind = HAL_EVENT_DEVICE_LOST;
        return -EIO;
    }
    run(afu);
    while (!c->event_count) {
        uint64_t due = next_due(afu);

        if (due >= deadline) {
            afu->exec->now = hal_max64(afu->exec->now, deadline);
            return 0;
        }
        afu->exec->now = due;
        run(afu);
    }
    *out = c->events[0];
    c->event_count--;
    memmove(c->events, c->events + 1, c->event_count * sizeof c->events[0]);
    return 0;
}

static void fake_progress(struct hal_ctx *ctx) { run(afu_of(ctx->dev)); }

/* ---- contexts ---- */

static int fake_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct fake_afu *afu = afu_of(dev);

    (void)kind;
    for (unsigned i = 0; i < FAKE_AFU_CONTEXTS; i++) {
        if (!afu->context[i].exists) {
            afu->context[i] = (struct fake_context){.exists = true};
            afu->context[i].hal.handle = (uint16_t)(afu->first_context + i);
            *out = &afu->context[i].hal;
            return 0;
        }
    }
    return -ENOSPC;
}

static int fake_start(struct hal_ctx *ctx, unsigned interrupts)
{
    (void)ctx, (void)interrupts;
    return 0;
}

static int fake_stop(struct hal_ctx *ctx)
{
    abort_commands(afu_of(ctx->dev), ctx->handle);
    return 0;
}

static void fake_lose(struct hal_ctx *ctx) { abort_commands(afu_of(ctx->dev), ctx->handle); }

static void fake_release(struct hal_ctx *ctx)
{
    HAL_CONTAINER_OF(ctx, struct fake_context, hal)->exists = false;
}

/* ---- the rest ---- */

static void fake_close(struct hal_dev *dev) { (void)dev; }

static int fake_reset(struct hal_dev *dev)
{
    afu_of(dev)->afu_resets++;
    return 0;
}

static int fake_reload(struct hal_dev *dev, bool same)
{
    (void)dev, (void)same;
    return 0;
}

static int fake_vpd(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    struct fake_afu *afu = afu_of(dev);

    *length = hal_min64(afu->vpd_length, size);
    memcpy(buf, afu->vpd, *length);
    return 0;
}

static int fake_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    (void)addr, (void)size, (void)name;
    afu_of(dev)->regions++;
    return 0;
}

static void fake_unregister(struct hal_dev *dev, void *addr)
{
    (void)addr;
    afu_of(dev)->regions--;
}

static void fake_table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    (void)dev;
    memcpy(addr, &value, sizeof value);
}

static void fake_publish(struct hal_dev *dev) { (void)dev; }

static void fake_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    (void)dev, (void)what, (void)a, (void)b;
}

static const struct hal_ops fake_ops = {
    .name = "fake AFU",
    .close = fake_close,
    .afu_reset = fake_reset,
    .reload_same_image = fake_reload,
    .vpd_read = fake_vpd,
    .platform_wait = hal_nosys_platform_wait,
    .platform_answer = hal_nosys_platform_answer,
    .ctx_create = fake_create,
    .ctx_start = fake_start,
    .ctx_stop = fake_stop,
    .ctx_lose = fake_lose,
    .ctx_release = fake_release,
    .reg_read64 = fake_read,
    .reg_write64 = fake_write,
    .event_wait = fake_event_wait,
    .progress = fake_progress,
    .mem_register = fake_register,
    .mem_release = fake_unregister,
    .table_store = fake_table_store,
    .publish = fake_publish,
    .note = fake_note,
};

void fake_afu_init(struct fake_afu *afu, struct fake_exec *exec, fake_afu_fn answer, void *arg)
{
    static const char no_names[] = {(char)0x82, 1, 0, 'x', 0x78}; /* an id and the end */

    memset(afu, 0, sizeof *afu);
    hal_dev_init(&afu->dev, &fake_ops);
    afu->exec = exec;
    afu->answer = answer;
    afu->arg = arg;
    afu->registers = calloc(REGISTERS, sizeof *afu->registers);
    cr_assert(afu->registers);
    afu->vpd = no_names;
    afu->vpd_length = sizeof no_names;
    afu->room = 16;
    *fake_afu_register(afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION) = hal_be64_at("FAKE0001");
    *fake_afu_register(afu, AFU_GLOBAL_BASE + AFU_GLOBAL_INTERFACE_VERSION) =
        afu_interface_version(AFU_IFV_IOARRIN, 1, 2);
    *fake_afu_register(afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_PORT_SEL) = 3;
    for (unsigned p = 0; p < 2; p++)
        *fake_afu_register(afu, AFU_PORT_REGS(p) + AFU_FC_MTIP_STATUS) = AFU_FC_MTIP_STATUS_ONLINE;
}

void fake_afu_fini(struct fake_afu *afu)
{
    cr_assert_eq(afu->dev.open_contexts, 0);
    cr_assert_eq(afu->regions, 0);
    free(afu->registers);
}
