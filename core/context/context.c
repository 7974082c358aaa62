/* SPDX-License-Identifier: Apache-2.0 */
#include "core/context/context.h"

#include <errno.h>

#include "core/adapter/lock_rank.h"
#include "core/adapter/pause.h"
#include "core/command/queue_report.h"
#include "core/context/adapter_file.h"
#include "core/context/client.h"
#include "core/mutants.h"
#include "hal/afu_regs.h"
#include "hal/support/check.h"

enum {
    CTX_ALIGN = 64,
    RRQ_STEP = 16, /* elements in a line of the bus: the RRQ is made of whole ones */
};

static const uint64_t default_timeout = 30 * SPIPE__SECOND;

/* ---- registration with the AFU ---- */

static void write_ctrl(struct spipe *s, const struct hal_ctx *hal, uint64_t reg, uint64_t value)
{
    hal_reg_write64(s->master, AFU_CTRL_BASE(hal->handle) + reg, value);
}

static uint64_t read_ctrl(struct spipe *s, const struct hal_ctx *hal, uint64_t reg)
{
    return hal_reg_read64(s->master, AFU_CTRL_BASE(hal->handle) + reg);
}

/* AD-164, SP-77. */
static void unregister(struct spipe *s, const struct hal_ctx *hal)
{
    write_ctrl(s, hal, AFU_CTRL_RHT_START, 0);
    write_ctrl(s, hal, AFU_CTRL_RHT_CNT_ID, 0);
    write_ctrl(s, hal, AFU_CTRL_CTX_CAP, 0);
}

/* AD-163, SP-46. The capability is the same for all: what a context may not do is kept out of the
 * entries of its RHT. */
static int register_with_afu(struct spipe *s, const struct hal_ctx *hal,
                             const struct spipe__rht *rht)
{
    (void)read_ctrl(s, hal, AFU_CTRL_MBOX_R); /* unlocks ctx_cap */
    write_ctrl(s, hal, AFU_CTRL_CTX_CAP, AFU_CTX_CAP_USER);
    if (read_ctrl(s, hal, AFU_CTRL_CTX_CAP) != AFU_CTX_CAP_USER) {
        unregister(s, hal); /* */
        return -EAGAIN;
    }
    write_ctrl(s, hal, AFU_CTRL_RHT_START, spipe__rht_address(rht));
    write_ctrl(s, hal, AFU_CTRL_RHT_CNT_ID, afu_rht_cnt_id(SPIPE__RHT_SIZE, s->master->handle));
    return 0;
}

/* ---- memory ---- */

/* The AFU gives a command up a second before the host does, so that one that merely takes too long
 * does not cost its slot for ever. */
static uint16_t afu_seconds(uint64_t timeout_ns)
{
    uint64_t seconds = timeout_ns / SPIPE__SECOND;

    if (seconds < 2)
        return 0; /* a field of 0 is no time-out (MD-6) */
    return seconds > UINT16_MAX ? UINT16_MAX : (uint16_t)(seconds - 1);
}

static struct spipe__queue_config queue_config(const struct spipe *s,
                                               const struct spipe_attach_options *options)
{
    unsigned depth = options->depth ? options->depth : SPIPE__CTX_DEPTH;
    uint64_t timeout = options->io_timeout_ns ? options->io_timeout_ns : default_timeout;

    return (struct spipe__queue_config){
        .order = s->order,
        .depth = depth,
        .rrq_elements = (depth / RRQ_STEP + 1) * RRQ_STEP,
        .interrupts = options->interrupts,
        .sq = s->sq,
        .afu_timeout = afu_seconds(timeout),
        .timeout_ns = timeout,
        .name = "queue",
    };
}

/* The queue pair of a context, if core is to keep one. */
static int init_queue(struct spipe_ctx *ctx, const struct spipe_attach_options *options)
{
    struct spipe__queue_config config;
    int rc;

    if (!options)
        return 0;
    config = queue_config(ctx->s, options);
    rc = spipe__queue_init(&ctx->queue, ctx->s->exec, ctx->s->dev, &config);
    ctx->queued = !rc;
    return rc;
}

static int allocate(struct spipe *s, const struct spipe__ctx_setup *setup, struct spipe_ctx **out)
{
    struct spipe_ctx *ctx = exec_alloc(s->exec, sizeof *ctx, CTX_ALIGN);
    int rc;

    if (!ctx)
        return -ENOMEM;
    ctx->s = s;
    ctx->permissions = setup->permissions;
    ctx->interrupts = setup->interrupts;
    rc = spipe__rht_init(&ctx->rht, s->exec, s->dev, s->order);
    if (rc)
        goto free_ctx;
    rc = init_queue(ctx, setup->options);
    if (rc)
        goto free_rht;
    exec_mutex_init_ranked(s->exec, &ctx->lock, "context", SPIPE__RANK_CONTEXT);
    *out = ctx;
    return 0;

free_rht:
    spipe__rht_fini(&ctx->rht);
free_ctx:
    exec_free(s->exec, ctx, sizeof *ctx);
    return rc;
}

static void release_memory(struct spipe_ctx *ctx)
{
    exec_mutex_fini(ctx->s->exec, &ctx->lock);
    if (ctx->queued) {
        spipe__queue_report(ctx->s, ctx->number, &ctx->queue, &(struct spipe__queue_counters){0});
        spipe__queue_fini(&ctx->queue);
    }
    if (ctx->rht.entries)
        spipe__rht_fini(&ctx->rht);
    exec_free(ctx->s->exec, ctx, sizeof *ctx);
}

/* ---- the hardware context ---- */

static bool is_of_master(const struct spipe *s, uint16_t number)
{
    bool found = false;

    for (unsigned i = 0; i < s->hwqs; i++)
        found |= s->hwq[i].ctx && s->hwq[i].ctx->handle == number;
    return found;
}

/* A number is nobody else's from its start on: what is registered under it would be overwritten. */
static bool reserve(struct spipe *s, uint16_t number)
{
    uint64_t bit = HAL_BIT(number % 64);
    bool is_free;

    spipe__books_lock(s);
    is_free = !s->contexts[number] && !(s->starting[number / 64] & bit) && !is_of_master(s, number);
    if (is_free)
        s->starting[number / 64] |= bit;
    spipe__books_unlock(s);
    return is_free;
}

/* With the books locked. */
static void unreserve(struct spipe *s, uint16_t number)
{
    s->starting[number / 64] &= ~HAL_BIT(number % 64);
}

/* SP-43, SP-44. */
static int start(struct spipe *s, unsigned interrupts, struct hal_ctx **out)
{
    struct hal_ctx *hal;
    int rc;

    if (hal_ctx_create(s->dev, HAL_CTX_USER, &hal))
        return -ENODEV;
    rc = hal_ctx_start(hal, interrupts);
    if (!rc && (hal->handle >= SPIPE__CONTEXTS || !reserve(s, hal->handle)))
        rc = -EPERM;
    if (rc) {
        hal_ctx_release(hal);
        return rc;
    }
    *out = hal;
    return 0;
}

/* Afterwards nothing of the context runs in the AFU, and its memory may go. */
void spipe__ctx_stop(struct hal_ctx *hal)
{
    int rc;

    if (!hal)
        return;
    if (hal->started && !hal->lost) {
        rc = hal_ctx_stop(hal);
        (void)rc; /* release ends it in any case */
    }
    hal_ctx_release(hal);
}

int spipe__ctx_register(struct spipe_ctx *ctx, struct hal_ctx **out)
{
    struct hal_ctx *hal;
    int rc = start(ctx->s, ctx->interrupts, &hal);

    if (rc)
        return rc;
    rc = register_with_afu(ctx->s, hal, &ctx->rht);
    if (!rc) {
        *out = hal;
        return 0;
    }
    spipe__books_lock(ctx->s);
    unreserve(ctx->s, hal->handle);
    spipe__books_unlock(ctx->s);
    if (!spipe__mutant(SPW_12))
        spipe__ctx_stop(hal);
    return rc;
}

void spipe__ctx_bind(struct spipe_ctx *ctx, struct hal_ctx *hal, uint64_t upper)
{
    struct spipe *s = ctx->s;

    spipe__books_lock(s);
    CHECK(!s->contexts[hal->handle]);
    ctx->hal = hal;
    ctx->number = hal->handle;
    ctx->cookie = upper << 32 | hal->handle;
    ctx->generation = spipe__generation(s);
    ctx->errored = false;
    s->contexts[ctx->number] = ctx; /* SP-48: nothing may fail any more */
    unreserve(s, ctx->number);
    spipe__books_unlock(s);
    hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_CONTEXT, ctx->number);
    if (ctx->queued) {
        spipe__queue_bind(&ctx->queue, hal);
        spipe__queue_program(&ctx->queue);
    }
}

void spipe__ctx_lose(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;

    CHECK(!ctx->errored && !ctx->ended);
    spipe__books_lock(s);
    s->contexts[ctx->number] = NULL;
    ctx->errored = true;
    spipe__books_unlock(s);
    if (!ctx->hal->lost)
        hal_ctx_lose(ctx->hal);
    hal_note(s->dev, HAL_NOTE_STATE, SPIPE__MACHINE_CONTEXT, SPIPE__CONTEXT_LOST | ctx->number);
    spipe__event(s, CONTEXT_LOST, ctx->number);
}

/* ---- life ---- */

static bool setup_valid(const struct spipe__ctx_setup *setup)
{
    return !setup->options || setup->options->depth <= SPIPE__QUEUE_DEPTH_MAX;
}

/* SP-29: a number that does not come again. */
static uint64_t new_upper(struct spipe *s)
{
    uint64_t upper;

    spipe__books_lock(s);
    upper = ++s->cookies;
    spipe__books_unlock(s);
    return upper;
}

/* With a pin for whoever makes it. */
static void link_context(struct spipe_client *c, struct spipe_ctx *ctx)
{
    struct spipe *s = c->s;

    spipe__books_lock(s);
    ctx->client = c;
    ctx->next = c->contexts;
    c->contexts = ctx;
    ctx->all_previous = s->all_last;
    if (s->all_last)
        s->all_last->all_next = ctx;
    else
        s->all = ctx;
    s->all_last = ctx;
    ctx->pins = 1;
    spipe__books_unlock(s);
}

static void add_lun(struct spipe_ctx *ctx, unsigned lun)
{
    ctx->luns[lun / 64] |= HAL_BIT(lun % 64);
    ctx->lun_count++;
}

int spipe__ctx_create(struct spipe_client *c, const struct spipe__ctx_setup *setup, unsigned lun,
                      struct spipe_ctx **out)
{
    struct spipe *s = c->s;
    struct spipe_ctx *ctx;
    struct hal_ctx *hal;
    int rc;

    if (!setup_valid(setup))
        return -EINVAL;
    rc = allocate(s, setup, &ctx);
    if (rc)
        return rc;
    rc = spipe__ctx_register(ctx, &hal);
    if (rc) {
        release_memory(ctx);
        return rc;
    }
    exec_mutex_lock(s->exec, &ctx->lock);
    add_lun(ctx, lun);
    link_context(c, ctx);
    spipe__ctx_bind(ctx, hal, new_upper(s));
    *out = ctx;
    return 0;
}

static void unlink_from_client(struct spipe_ctx *ctx)
{
    struct spipe_ctx **link = &ctx->client->contexts;

    while (*link != ctx)
        link = &(*link)->next;
    *link = ctx->next;
}

/* SP-77, SP-78: as long as the application has the file, the number stays in use, but can do
 * nothing any more. */
static void end_hardware(struct spipe_ctx *ctx, bool filed)
{
    struct spipe *s = ctx->s;

    if (!ctx->errored || spipe__mutant(SPW_11))
        unregister(s, ctx->hal);
    if (!filed)
        spipe__ctx_stop(ctx->hal);
    else if (!ctx->errored)
        (void)read_ctrl(s, ctx->hal, AFU_CTRL_CTX_CAP); /* the stores have arrived */
}

void spipe__ctx_end(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    bool filed;

    for (uint32_t i = 0; i < SPIPE__RHT_SIZE; i++)
        CHECK(!ctx->resource[i]);
    spipe__books_lock(s);
    filed = ctx->file != NULL;
    if (s->contexts[ctx->number] == ctx) /* SP-81 */
        s->contexts[ctx->number] = NULL;
    unlink_from_client(ctx);
    spipe__books_unlock(s);
    end_hardware(ctx, filed);
    if (filed)
        spipe__file_orphan(ctx);
    spipe__books_lock(s);
    ctx->ended = true;
    spipe__books_unlock(s);
}

/* ---- who uses it ---- */

static void unlink_from_all(struct spipe *s, struct spipe_ctx *ctx)
{
    if (ctx->all_next)
        ctx->all_next->all_previous = ctx->all_previous;
    else
        s->all_last = ctx->all_previous;
    if (ctx->all_previous)
        ctx->all_previous->all_next = ctx->all_next;
    else
        s->all = ctx->all_next;
}

static void unpin(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    bool last;

    spipe__books_lock(s);
    CHECK(ctx->pins > 0);
    last = --ctx->pins == 0 && ctx->ended;
    if (last)
        unlink_from_all(s, ctx);
    spipe__books_unlock(s);
    if (last)
        release_memory(ctx);
}

static bool enter_pinned(struct spipe_ctx *ctx, bool second)
{
    struct exec *exec = ctx->s->exec;

    if (second)
        exec_mutex_lock_second(exec, &ctx->lock);
    else
        exec_mutex_lock(exec, &ctx->lock);
    if (!ctx->ended)
        return true;
    spipe__ctx_leave(ctx);
    return false;
}

bool spipe__ctx_enter_pinned(struct spipe_ctx *ctx) { return enter_pinned(ctx, false); }

static void pin(struct spipe_ctx *ctx)
{
    spipe__books_lock(ctx->s);
    ctx->pins++;
    spipe__books_unlock(ctx->s);
}

bool spipe__ctx_enter(struct spipe_ctx *ctx)
{
    pin(ctx);
    return enter_pinned(ctx, false);
}

bool spipe__ctx_enter_second(struct spipe_ctx *ctx)
{
    pin(ctx);
    return enter_pinned(ctx, true);
}

/* With the books locked. A lost context is in no table. */
static struct spipe_ctx *look_up(struct spipe_client *owner, uint64_t cookie)
{
    struct spipe_ctx *ctx = spipe__mutant(SPW_25) ? owner->s->all : owner->contexts;

    while (ctx && ctx->cookie != cookie)
        ctx = spipe__mutant(SPW_25) ? ctx->all_next : ctx->next;
    if (ctx)
        ctx->pins++;
    return ctx;
}

/* A context that look_up() has pinned, or NULL. */
static struct spipe_ctx *enter_found(struct spipe_ctx *ctx, uint64_t cookie, bool lost_too,
                                     bool second)
{
    if (!ctx || !enter_pinned(ctx, second))
        return NULL;
    if (ctx->cookie == cookie && (lost_too || !ctx->errored))
        return ctx;
    spipe__ctx_leave(ctx); /* lost, or recovered under another number meanwhile */
    return NULL;
}

struct spipe_ctx *spipe__ctx_find(struct spipe_client *owner, uint64_t cookie, bool lost_too,
                                  bool second)
{
    struct spipe_ctx *ctx;

    spipe__books_lock(owner->s);
    ctx = look_up(owner, cookie);
    spipe__books_unlock(owner->s);
    return enter_found(ctx, cookie, lost_too, second);
}

struct spipe_ctx *spipe__ctx_find_of_parent(struct spipe_client *child, uint64_t cookie)
{
    struct spipe_ctx *ctx;

    /* The parent may go as soon as the books are unlocked; what is pinned stays. */
    spipe__books_lock(child->s);
    ctx = child->parent ? look_up(child->parent, cookie) : NULL;
    spipe__books_unlock(child->s);
    return enter_found(ctx, cookie, false, false);
}

void spipe__ctx_leave(struct spipe_ctx *ctx)
{
    exec_mutex_unlock(ctx->s->exec, &ctx->lock);
    unpin(ctx);
}

void spipe__ctx_pause(struct spipe_ctx *ctx) { exec_mutex_unlock(ctx->s->exec, &ctx->lock); }

bool spipe__ctx_resume(struct spipe_ctx *ctx)
{
    exec_mutex_lock(ctx->s->exec, &ctx->lock);
    return !ctx->ended;
}

struct spipe_ctx *spipe__ctx_next(struct spipe *s, struct spipe_ctx *ctx)
{
    struct spipe_ctx *next;

    spipe__books_lock(s);
    next = ctx ? ctx->all_next : s->all;
    if (next)
        next->pins++;
    spipe__books_unlock(s);
    if (ctx)
        unpin(ctx);
    return next;
}

uint16_t spipe_ctx_handle(const struct spipe_ctx *ctx) { return ctx->number; }

bool spipe_ctx_lost(struct spipe_ctx *ctx)
{
    struct spipe *s = ctx->s;
    bool lost;

    spipe__books_lock(s);
    lost = ctx->errored;
    spipe__books_unlock(s);
    return lost;
}
