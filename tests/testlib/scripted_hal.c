/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/scripted_hal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/afu_names.h"
#include "hal/hal_nosys.h"
#include "hal/support/bits.h"
#include "hal/support/hash.h"

static const char *const kind_names[SCRIPTED_KINDS] = {
    "read",         "write",           "reload hint",   "AFU reset",
    "VPD",          "context create",  "context start", "context stop",
    "context lost", "context release", "event wait",
};

static struct scripted_hal *script_of(struct hal_dev *dev)
{
    return HAL_CONTAINER_OF(dev, struct scripted_hal, dev);
}

static bool is_register(enum scripted_kind kind)
{
    return kind == SCRIPTED_READ || kind == SCRIPTED_WRITE;
}

/* ---- messages ---- */

enum { TEXT = 160 };

static const char *describe(const struct scripted_op *op, char text[TEXT])
{
    char reg[AFU_REG_NAME_MAX];

    if (is_register(op->kind))
        snprintf(text, TEXT, "%s of %s (0x%" PRIx64 "), value 0x%016" PRIx64, kind_names[op->kind],
                 afu_reg_name(op->offset, reg, sizeof reg), op->offset, op->value);
    else
        snprintf(text, TEXT, "%s (0x%" PRIx64 ")", kind_names[op->kind], op->value);
    return text;
}

static void deviation(const struct scripted_hal *h, const struct scripted_op *got)
{
    char wanted_text[TEXT] = "the end", got_text[TEXT];

    if (h->ops && h->at < h->count)
        describe(&h->ops[h->at], wanted_text);
    cr_assert_fail("operation %zu: expected %s, got %s", h->at + 1, wanted_text,
                   describe(got, got_text));
}

/* ---- the list ---- */

/* The next operation, which must match `got` in kind, and where it says so in offset and value. */
static const struct scripted_op *next(struct scripted_hal *h, const struct scripted_op *got)
{
    const struct scripted_op *wanted = h->at < h->count ? &h->ops[h->at] : NULL;
    bool compare_value = got->kind != SCRIPTED_READ && got->kind != SCRIPTED_VPD;

    if (!wanted || wanted->kind != got->kind ||
        (is_register(got->kind) && wanted->offset != got->offset) ||
        (compare_value && wanted->value != got->value))
        deviation(h, got);
    h->at++;
    return wanted;
}

static int call(struct scripted_hal *h, enum scripted_kind kind, uint64_t value)
{
    return next(h, &(struct scripted_op){.kind = kind, .value = value})->rc;
}

/* ---- operations ---- */

static int script_reset(struct hal_dev *dev) { return call(script_of(dev), SCRIPTED_RESET, 0); }

static int script_reload(struct hal_dev *dev, bool same)
{
    return call(script_of(dev), SCRIPTED_RELOAD, same);
}

static int script_vpd(struct hal_dev *dev, void *buf, size_t size, size_t *length)
{
    const struct scripted_op *op =
        next(script_of(dev), &(struct scripted_op){.kind = SCRIPTED_VPD});

    *length = hal_min64(op->value, size);
    if (*length)
        memcpy(buf, op->data, *length);
    return op->rc;
}

static int script_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct scripted_hal *h = script_of(dev);
    int rc = call(h, SCRIPTED_CREATE, kind);

    h->ctx.handle = h->handle;
    *out = &h->ctx;
    return rc;
}

static int script_start(struct hal_ctx *ctx, unsigned interrupts)
{
    struct scripted_hal *h = script_of(ctx->dev);
    int rc = call(h, SCRIPTED_START, interrupts);

    h->started = rc == 0;
    return rc;
}

static int script_stop(struct hal_ctx *ctx)
{
    struct scripted_hal *h = script_of(ctx->dev);

    cr_assert(h->started);
    h->started = false;
    return call(h, SCRIPTED_STOP, 0);
}

static void script_lose(struct hal_ctx *ctx)
{
    struct scripted_hal *h = script_of(ctx->dev);

    h->started = false;
    (void)call(h, SCRIPTED_LOSE, 0);
}

static void script_release(struct hal_ctx *ctx)
{
    (void)call(script_of(ctx->dev), SCRIPTED_RELEASE, 0);
}

static uint64_t script_read(struct hal_ctx *ctx, uint64_t offset)
{
    struct scripted_op got = {.kind = SCRIPTED_READ, .offset = offset};

    return next(script_of(ctx->dev), &got)->value;
}

static void script_write(struct hal_ctx *ctx, uint64_t offset, uint64_t value)
{
    struct scripted_op got = {.kind = SCRIPTED_WRITE, .offset = offset, .value = value};

    (void)next(script_of(ctx->dev), &got);
}

static int script_event(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out)
{
    struct scripted_hal *h = script_of(ctx->dev);
    const struct scripted_op *op = next(h, &(struct scripted_op){.kind = SCRIPTED_EVENT});

    cr_assert(op->offset == SCRIPTED_ANY_DEADLINE || op->offset == deadline,
              "operation %zu: event wait until %" PRIu64 ", expected until %" PRIu64, h->at,
              deadline, op->offset);
    *out = op->event;
    return op->rc;
}

/* ---- not on the list ---- */

static void script_close(struct hal_dev *dev) { (void)dev; }

static void script_progress(struct hal_ctx *ctx) { script_of(ctx->dev)->progresses++; }

static int script_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    struct scripted_hal *h = script_of(dev);

    (void)addr, (void)size, (void)name;
    if (h->fail_register_after == 0)
        return -ENOMEM;
    h->fail_register_after--;
    h->regions++;
    return 0;
}

static void script_unregister(struct hal_dev *dev, void *addr)
{
    (void)addr;
    cr_assert_gt(script_of(dev)->regions, 0);
    script_of(dev)->regions--;
}

static void script_table_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    script_of(dev)->table_stores++;
    memcpy(addr, &value, sizeof value);
}

static void script_publish(struct hal_dev *dev) { script_of(dev)->publishes++; }

static void script_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    struct scripted_hal *h = script_of(dev);

    h->notes++;
    h->note_hash = hal_hash_word(hal_hash_word(hal_hash_word(h->note_hash, what), a), b);
}

static const struct hal_ops script_ops = {
    .name = "scripted",
    .close = script_close,
    .afu_reset = script_reset,
    .reload_same_image = script_reload,
    .vpd_read = script_vpd,
    .platform_wait = hal_nosys_platform_wait,
    .platform_answer = hal_nosys_platform_answer,
    .ctx_create = script_create,
    .ctx_start = script_start,
    .ctx_stop = script_stop,
    .ctx_lose = script_lose,
    .ctx_release = script_release,
    .reg_read64 = script_read,
    .reg_write64 = script_write,
    .event_wait = script_event,
    .progress = script_progress,
    .mem_register = script_register,
    .mem_release = script_unregister,
    .table_store = script_table_store,
    .publish = script_publish,
    .note = script_note,
};

/* ---- what tests call ---- */

void scripted_hal_init(struct scripted_hal *h, uint16_t handle)
{
    *h = (struct scripted_hal){
        .handle = handle, .fail_register_after = -1, .note_hash = HAL_HASH_START};
    hal_dev_init(&h->dev, &script_ops);
}

void scripted_hal_done(struct scripted_hal *h)
{
    char text[TEXT];

    if (h->ops && h->at < h->count)
        cr_assert_fail("%zu of %zu operations did not happen; the first is %s", h->count - h->at,
                       h->count, describe(&h->ops[h->at], text));
    cr_assert_eq(h->regions, 0, "%u memory regions left", h->regions);
    cr_assert_eq(h->dev.open_contexts, 0, "a context is left");
    free(h->ops);
}

void scripted_expect(struct scripted_hal *h, const struct scripted_op *op)
{
    if (h->count == h->capacity) {
        h->capacity = h->capacity ? 2 * h->capacity : 64;
        h->ops = realloc(h->ops, h->capacity * sizeof *h->ops);
        cr_assert(h->ops);
    }
    h->ops[h->count++] = *op;
}

void scripted_expect_read(struct scripted_hal *h, uint64_t offset, uint64_t reply)
{
    scripted_expect(h,
                    &(struct scripted_op){.kind = SCRIPTED_READ, .offset = offset, .value = reply});
}

void scripted_expect_write(struct scripted_hal *h, uint64_t offset, uint64_t value)
{
    scripted_expect(
        h, &(struct scripted_op){.kind = SCRIPTED_WRITE, .offset = offset, .value = value});
}

void scripted_expect_call(struct scripted_hal *h, enum scripted_kind kind, uint64_t value, int rc)
{
    scripted_expect(h, &(struct scripted_op){.kind = kind, .value = value, .rc = rc});
}
