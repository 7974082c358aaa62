/* SPDX-License-Identifier: Apache-2.0 */
/* Cases about contexts, registers, memory and the adapter as a whole. Those that need commands are
 * in hal_conformance_io.c. */
#include "tests/conformance/hal_conformance.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/support/endian.h"
#include "tests/conformance/hal_conformance_client.h"
#include "tests/testlib/proves.h"

#define MASTER 3u /* interrupts of a master */
#define MS UINT64_C(1000000)

const char *hal_conformance_missing(const struct hal_conformance *env, unsigned needs)
{
    unsigned missing = needs & ~env->offers;

    if (missing & HAL_OFFER_EXCLUSIVE)
        return "the adapter is shared with others";
    if (missing & HAL_OFFER_LIMITS)
        return "the limits of the adapter are not known";
    if (missing & HAL_OFFER_COMMANDS)
        return "no commands can be placed";
    if (missing & HAL_OFFER_LUN)
        return "there is no LUN that may be overwritten";
    if (missing & HAL_OFFER_FREEZE)
        return "nobody can freeze the slot";
    return missing ? "nobody can pull the card" : NULL;
}

/* ---- life of a context ------------------------------------------------------------------------
 */

void hal_conformance_a_context_lives(struct hal_conformance *env)
{
    struct hal_ctx *ctx;
    uint64_t endian;

    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_USER, &ctx), 0);
    cr_assert(!ctx->started && ctx->dev == env->dev && ctx->kind == HAL_CTX_USER);
    cr_assert_eq(hal_ctx_start(ctx, CONF_INTERRUPTS), 0);
    cr_assert(ctx->started && ctx->handle < AFU_CONTEXTS);
    /* by this register a live card is told from a dead one. */
    endian = hal_reg_read64(ctx, AFU_HOST_ENDIAN_CTRL);
    cr_assert(endian == AFU_ENDIAN_CTRL_LITTLE || endian == AFU_ENDIAN_CTRL_BIG);
    PROVES(R_30);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    hal_ctx_release(ctx);
    cr_assert_eq(env->dev->open_contexts, 0);
    PROVES(AD_221);
    PROVES(AD_224);
}

/* CX-39: no start, stop or loss gives it another one, and registers tell that it is the right one.
 */
void hal_conformance_a_handle_is_there_from_creation_on(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER), *user[2];
    uint16_t handle[2];

    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_USER, &user[i]), 0);
        handle[i] = user[i]->handle;
        cr_assert_lt(handle[i], AFU_CONTEXTS);
        cr_assert_neq(handle[i], master->handle);
    }
    cr_assert_neq(handle[0], handle[1]);
    for (unsigned i = 2; i-- > 0;) { /* not in the order of creation */
        cr_assert_eq(hal_ctx_start(user[i], CONF_INTERRUPTS), 0);
        cr_assert_eq(user[i]->handle, handle[i]);
        hal_reg_write64(user[i], AFU_HOST_RRQ_START, 0x1000 * (i + 1));
        cr_assert_eq(hal_reg_read64(master, AFU_HOST_BASE(handle[i]) + AFU_HOST_RRQ_START),
                     0x1000 * (i + 1));
    }
    cr_assert_eq(hal_ctx_stop(user[0]), 0);
    hal_ctx_lose(user[1]);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(user[i]->handle, handle[i]);
        hal_ctx_release(user[i]);
    }
    hal_ctx_release(master);
    PROVES(CX_39);
}

void hal_conformance_the_lowest_free_handle_comes_first(struct hal_conformance *env)
{
    struct hal_ctx *ctx[4];
    uint16_t handle[4];

    for (unsigned i = 0; i < 4; i++) {
        ctx[i] = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
        handle[i] = ctx[i]->handle;
        if (i > 0)
            cr_assert_gt(handle[i], handle[i - 1]);
    }
    hal_ctx_release(ctx[2]);
    hal_ctx_release(ctx[1]);
    ctx[1] = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    ctx[2] = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    cr_assert_eq(ctx[1]->handle, handle[1]);
    cr_assert_eq(ctx[2]->handle, handle[2]);
    for (unsigned i = 0; i < 4; i++)
        hal_ctx_release(ctx[i]);
}

void hal_conformance_start_checks_the_count(struct hal_conformance *env)
{
    struct hal_ctx *user, *master;
    uint16_t handle;

    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_USER, &user), 0);
    handle = user->handle;
    cr_assert_eq(hal_ctx_start(user, env->limit.irqs_min - 1), -EINVAL);
    cr_assert_eq(hal_ctx_start(user, env->limit.irqs_max + 1), -EINVAL);
    cr_assert_eq(user->handle, handle, "a failed start changed the handle");
    cr_assert_eq(hal_ctx_start(user, env->limit.irqs_min), 0, "a failed start cannot be repeated");
    /* the masters of further queues take fewer. */
    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_MASTER, &master), 0);
    cr_assert_eq(hal_ctx_start(master, 2), 0);
    hal_ctx_release(master);
    hal_ctx_release(user);
    PROVES(R_43);
}

/* Starts users with so many interrupts each until it fails; frees them again, all but the one whose
 * start failed first. */
static unsigned fill(struct hal_conformance *env, unsigned interrupts, int *create, int *start)
{
    static struct hal_ctx *ctx[AFU_CONTEXTS + 1];
    unsigned n = 0;

    for (*create = *start = 0;; n++) {
        cr_assert_leq(n, AFU_CONTEXTS);
        *create = hal_ctx_create(env->dev, HAL_CTX_USER, &ctx[n]);
        if (*create)
            break;
        *start = hal_ctx_start(ctx[n], interrupts);
        if (*start) {
            hal_ctx_release(ctx[n]);
            break;
        }
    }
    for (unsigned i = 0; i < n; i++)
        hal_ctx_release(ctx[i]);
    return n;
}

void hal_conformance_interrupts_run_out(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER);
    int create, start;

    for (unsigned round = 0; round < 2; round++) {
        cr_assert_eq(fill(env, 4, &create, &start), (env->limit.irqs_budget - MASTER) / 4,
                     "in round %u", round);
        cr_assert_eq(create, 0);
        cr_assert_eq(start, -ENOSPC);
    }
    hal_ctx_release(master);
    PROVES(R_7);
    PROVES(AD_222);
}

void hal_conformance_contexts_run_out(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER);
    int create, start;

    for (unsigned round = 0; round < 2; round++) {
        cr_assert_eq(fill(env, 3, &create, &start), env->limit.contexts - 1, "in round %u", round);
        cr_assert_eq(create, -ENODEV);
        cr_assert_eq(start, 0);
    }
    hal_ctx_release(master);
    PROVES(R_7);
}

static void fill_registers(struct hal_ctx *user, struct hal_ctx *master)
{
    uint64_t control = AFU_CTRL_BASE(user->handle);

    hal_reg_write64(user, AFU_HOST_ENDIAN_CTRL, AFU_ENDIAN_CTRL_BIG);
    hal_reg_write64(user, AFU_HOST_RRQ_START, 0x1000);
    hal_reg_write64(user, AFU_HOST_INTR_MASK, 0);
    hal_reg_write64(user, AFU_HOST_MBOX_W, 77);
    cr_assert_eq(hal_reg_read64(user, AFU_HOST_RRQ_START), 0x1000);
    cr_assert_eq(hal_reg_read64(master, control + AFU_CTRL_MBOX_R), 77);
    hal_reg_write64(master, control + AFU_CTRL_CTX_CAP, AFU_CTX_CAP_USER);
    hal_reg_write64(master, control + AFU_CTRL_RHT_START, 0x2000);
    cr_assert_eq(hal_reg_read64(master, control + AFU_CTRL_CTX_CAP), AFU_CTX_CAP_USER);
}

/* MD-18, MD-14: all of it is back at its reset value, and the capabilities are locked. */
static void check_registers(struct hal_ctx *user, struct hal_ctx *master)
{
    uint64_t control = AFU_CTRL_BASE(user->handle);

    cr_assert_eq(hal_reg_read64(user, AFU_HOST_ENDIAN_CTRL), 0);
    cr_assert_eq(hal_reg_read64(user, AFU_HOST_RRQ_START), 0);
    cr_assert_eq(hal_reg_read64(user, AFU_HOST_INTR_MASK), AFU_INTR_MASK_RESET);
    cr_assert_eq(hal_reg_read64(master, control + AFU_CTRL_CTX_CAP), 0);
    cr_assert_eq(hal_reg_read64(master, control + AFU_CTRL_RHT_START), 0);
    hal_reg_write64(master, control + AFU_CTRL_CTX_CAP, AFU_CTX_CAP_USER);
    cr_assert_eq(hal_reg_read64(master, control + AFU_CTRL_CTX_CAP), 0, "not locked");
    cr_assert_eq(hal_reg_read64(master, control + AFU_CTRL_MBOX_R), 0);
}

void hal_conformance_the_end_of_a_context_clears_it(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER), *user;
    uint16_t handle;

    for (unsigned round = 0; round < 2; round++) {
        user = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
        handle = user->handle;
        fill_registers(user, master);
        if (round == 0)
            cr_assert_eq(hal_ctx_stop(user), 0);
        hal_ctx_release(user); /* in round 1 it has to stop the context too */
        user = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
        cr_assert_eq(user->handle, handle);
        check_registers(user, master);
        hal_ctx_release(user);
    }
    hal_ctx_release(master);
}

/* ---- AFU reset --------------------------------------------------------------------------------
 */

void hal_conformance_reset_needs_an_idle_adapter(struct hal_conformance *env)
{
    struct hal_ctx *ctx;

    cr_assert_eq(hal_ctx_create(env->dev, HAL_CTX_USER, &ctx), 0);
    cr_assert_eq(hal_afu_reset(env->dev), -EBUSY);
    cr_assert_eq(hal_ctx_start(ctx, CONF_INTERRUPTS), 0);
    cr_assert_eq(hal_afu_reset(env->dev), -EBUSY);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    cr_assert_eq(hal_afu_reset(env->dev), -EBUSY);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_afu_reset(env->dev), 0);
    cr_assert_eq(hal_afu_reset(env->dev), 0, "the reset did not end");
    PROVES(R_31);
}

struct reset_value {
    uint64_t offset, value;
};

/* MD-17; the ports that are present are not known here. */
static const struct reset_value reset_values[] = {
    {AFU_GLOBAL_BASE + AFU_GLOBAL_AINTR_MASK, AFU_AINTR_MASK_RESET},
    {AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CTRL, 0},
    {AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD, 0},
    {AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_CONFIG, 0},
    {AFU_LUN_TABLE_ENTRY(0, 9), 0},
    {AFU_LUN_TABLE_ENTRY(1, 255), 0},
};

#define RESET_VALUES (sizeof reset_values / sizeof reset_values[0])

void hal_conformance_reset_restores_registers(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER);

    for (size_t i = 0; i < RESET_VALUES; i++) {
        hal_reg_write64(master, reset_values[i].offset, 0x20);
        cr_assert_eq(hal_reg_read64(master, reset_values[i].offset), 0x20);
    }
    hal_ctx_release(master);
    cr_assert_eq(hal_afu_reset(env->dev), 0);
    master = conf_context(env, HAL_CTX_MASTER, MASTER);
    for (size_t i = 0; i < RESET_VALUES; i++)
        cr_assert_eq(hal_reg_read64(master, reset_values[i].offset), reset_values[i].value,
                     "register 0x%llx", (unsigned long long)reset_values[i].offset);
    hal_ctx_release(master);
    PROVES(AD_225);
}

struct resetter {
    struct hal_conformance *env;
    struct exec_atomic interrupted;
    int reset, wait;
};

static void reset_body(void *arg)
{
    struct resetter *r = arg;
    struct exec *e = r->env->exec;

    while (!exec_atomic_load(e, &r->interrupted))
        exec_yield(e);
    r->reset = hal_afu_reset(r->env->dev);
    r->wait = exec_sleep_until(e, exec_now(e) + r->env->patience);
}

/* A reset takes time but is no interruptible wait: the interrupt is for the next one. */
void hal_conformance_reset_keeps_an_interrupt(struct hal_conformance *env)
{
    struct resetter r = {.env = env};
    struct exec_thread *t;

    cr_assert_eq(exec_thread_create(env->exec, "resetter", reset_body, &r, &t), 0);
    exec_thread_interrupt(env->exec, t);
    exec_atomic_store(env->exec, &r.interrupted, 1);
    exec_thread_join(env->exec, t);
    cr_assert_eq(r.reset, 0);
    cr_assert_eq(r.wait, -EINTR, "the reset swallowed an interrupt");
}

/* ---- the rest of the adapter ------------------------------------------------------------------
 */

void hal_conformance_vpd_is_cut_to_size(struct hal_conformance *env)
{
    static uint8_t whole[4096], part[32];
    size_t length = 0, cut = 0;

    cr_assert_eq(hal_vpd_read(env->dev, whole, sizeof whole, &length), 0);
    cr_assert(length > 16 && length < sizeof whole);
    memset(part, 0xEE, sizeof part);
    cr_assert_eq(hal_vpd_read(env->dev, part, 16, &cut), 0);
    cr_assert_eq(cut, 16);
    cr_assert_arr_eq(part, whole, 16);
    for (unsigned i = 16; i < sizeof part; i++)
        cr_assert_eq(part[i], 0xEE, "it wrote past the end");
    PROVES(AD_226);
}

void hal_conformance_the_image_flag_is_taken(struct hal_conformance *env)
{
    cr_assert_eq(hal_reload_same_image(env->dev, false), 0);
    cr_assert_eq(hal_reload_same_image(env->dev, true), 0);
    PROVES(AD_226);
}

void hal_conformance_notes_are_taken(struct hal_conformance *env)
{
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);

    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x40);
    for (int what = HAL_NOTE_REQUEST_BEGIN; what <= HAL_NOTE_STATE; what++) {
        hal_note(env->dev, (enum hal_note)what, 0, 0);
        hal_note(env->dev, (enum hal_note)what, UINT64_MAX, (uint64_t)-EIO);
    }
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), 0x40);
    hal_ctx_release(ctx);
}

/* ---- registers --------------------------------------------------------------------------------
 */

void hal_conformance_a_master_reaches_the_map(struct hal_conformance *env)
{
    /* The user first: at handle 0 a master could not be told from a user. */
    struct hal_ctx *user = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER);
    const uint64_t offset[] = {
        AFU_HOST_BASE(master->handle) + AFU_HOST_RRQ_START,
        AFU_HOST_BASE(user->handle) + AFU_HOST_RRQ_START,
        AFU_CTRL_BASE(user->handle) + AFU_CTRL_RHT_START,
        AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD,
        AFU_LUN_TABLE_ENTRY(0, 0),
        AFU_LUN_TABLE_ENTRY(1, 200),
    };
    const uint64_t pattern = UINT64_C(0x1122334455667700);
    const unsigned n = sizeof offset / sizeof offset[0];

    for (unsigned i = 0; i < n; i++)
        hal_reg_write64(master, offset[i], pattern + 16 * i);
    for (unsigned i = 0; i < n; i++)
        cr_assert_eq(hal_reg_read64(master, offset[i]), pattern + 16 * i, "offset 0x%llx",
                     (unsigned long long)offset[i]);
    cr_assert_eq(hal_reg_read64(user, AFU_HOST_RRQ_START), pattern + 16);
    for (unsigned i = 0; i < n; i++)
        hal_reg_write64(master, offset[i], 0);
    hal_ctx_release(user);
    hal_ctx_release(master);
    PROVES(AD_220);
    PROVES(AD_223);
}

void hal_conformance_a_user_reaches_its_window(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER), *user[3];

    for (unsigned i = 0; i < 3; i++)
        user[i] = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    for (unsigned i = 0; i < 3; i++)
        hal_reg_write64(user[i], AFU_HOST_RRQ_START, 0x1000 * (i + 1));
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(hal_reg_read64(user[i], AFU_HOST_RRQ_START), 0x1000 * (i + 1));
        cr_assert_eq(hal_reg_read64(master, AFU_HOST_BASE(user[i]->handle) + AFU_HOST_RRQ_START),
                     0x1000 * (i + 1));
        /* The end of the window is reserved: 0, and nobody is hurt (MD-4). */
        hal_reg_write64(user[i], HAL_USER_WINDOW - 8, 1);
        cr_assert_eq(hal_reg_read64(user[i], HAL_USER_WINDOW - 8), 0);
    }
    for (unsigned i = 0; i < 3; i++)
        hal_ctx_release(user[i]);
    hal_ctx_release(master);
    PROVES(AD_220);
}

void hal_conformance_a_stopped_context_reads_ones(struct hal_conformance *env)
{
    struct hal_ctx *other = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);

    hal_reg_write64(other, AFU_HOST_RRQ_START, 0x40);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    for (unsigned i = 0; i < 3; i++) {
        hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x1000);
        hal_reg_write64(ctx, AFU_HOST_IOARRIN, 0x10);
        cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), HAL_ALL_ONES);
        cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_ENDIAN_CTRL), HAL_ALL_ONES);
    }
    cr_assert_eq(hal_reg_read64(other, AFU_HOST_RRQ_START), 0x40);
    hal_ctx_release(ctx);
    hal_ctx_release(other);
    PROVES(R_44);
}

/* Stores are posted, but a load never overtakes them; more of them than any buffer holds. */
void hal_conformance_loads_follow_stores(struct hal_conformance *env)
{
    const uint64_t scratch = AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD;
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER);
    uint64_t own = AFU_HOST_BASE(master->handle) + AFU_HOST_RRQ_START;

    for (uint64_t i = 1; i <= 100; i++) {
        hal_reg_write64(master, scratch, i);
        cr_assert_eq(hal_reg_read64(master, scratch), i);
    }
    for (uint64_t i = 1; i <= 1000; i++)
        hal_reg_write64(master, i % 2 ? scratch : own, i * 8);
    cr_assert_eq(hal_reg_read64(master, own), 8000);
    cr_assert_eq(hal_reg_read64(master, scratch), 7992);
    hal_ctx_release(master);
}

void hal_conformance_the_version_is_text(struct hal_conformance *env)
{
    struct hal_ctx *master = conf_context(env, HAL_CTX_MASTER, MASTER);
    be64_t text = be64_of(hal_reg_read64(master, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION));
    unsigned char bytes[8];

    memcpy(bytes, &text, sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes; i++)
        cr_assert(bytes[i] >= ' ' && bytes[i] <= '~', "byte %u of the version", i);
    hal_ctx_release(master);
}

/* ---- memory -----------------------------------------------------------------------------------
 */

void hal_conformance_regions_do_not_overlap(struct hal_conformance *env)
{
    uint8_t *p = exec_alloc(env->exec, 8192, 4096);

    cr_assert_not_null(p);
    cr_assert_eq(hal_mem_register(env->dev, p + 1024, 1024, "middle"), 0);
    cr_assert_eq(hal_mem_register(env->dev, p + 1024, 1024, "same"), -EINVAL);
    cr_assert_eq(hal_mem_register(env->dev, p + 1152, 128, "inside"), -EINVAL);
    cr_assert_eq(hal_mem_register(env->dev, p, 8192, "around"), -EINVAL);
    cr_assert_eq(hal_mem_register(env->dev, p, 1025, "from below"), -EINVAL);
    cr_assert_eq(hal_mem_register(env->dev, p + 1920, 1024, "into the end"), -EINVAL);
    cr_assert_eq(hal_mem_register(env->dev, p, 1024, "below"), 0);
    cr_assert_eq(hal_mem_register(env->dev, p + 2048, 1024, "above"), 0);
    hal_mem_release(env->dev, p + 1024);
    cr_assert_eq(hal_mem_register(env->dev, p + 1024, 2048, "too long"), -EINVAL);
    cr_assert_eq(hal_mem_register(env->dev, p + 1024, 1024, "again"), 0);
    for (unsigned i = 0; i < 3; i++)
        hal_mem_release(env->dev, p + 1024 * i);
    exec_free(env->exec, p, 8192);
}

/* Whatever order stores take, those to one word keep theirs, and a publish leaves none behind. */
void hal_conformance_a_word_keeps_its_last_store(struct hal_conformance *env)
{
    uint64_t *table = exec_alloc(env->exec, 4096, 4096);

    cr_assert_not_null(table);
    cr_assert_eq(hal_mem_register(env->dev, table, 4096, "table"), 0);
    for (uint64_t round = 0; round < 20; round++) {
        for (uint64_t i = 0; i < 40; i++)
            hal_table_store(env->dev, &table[i % 10], 100 * round + i);
        hal_publish(env->dev);
        for (uint64_t i = 0; i < 10; i++)
            cr_assert_eq(table[i], 100 * round + 30 + i);
    }
    hal_mem_release(env->dev, table);
    exec_free(env->exec, table, 4096);
}

/* ---- waiting ----------------------------------------------------------------------------------
 */

void hal_conformance_a_wait_ends_at_its_deadline(struct hal_conformance *env)
{
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    struct hal_event ev;

    for (unsigned i = 0; i < 5; i++) {
        uint64_t deadline = exec_now(env->exec) + MS;

        cr_assert_eq(hal_event_wait(ctx, deadline, &ev), 0);
        cr_assert_eq(ev.kind, HAL_EVENT_NONE);
        cr_assert_geq(exec_now(env->exec), deadline);
    }
    cr_assert_eq(hal_event_wait(ctx, 0, &ev), 0);
    cr_assert_eq(ev.kind, HAL_EVENT_NONE);
    cr_assert_eq(hal_event_wait(ctx, 1, &ev), 0, "a deadline that is long over");
    cr_assert_eq(ev.kind, HAL_EVENT_NONE);
    hal_ctx_release(ctx);
    PROVES(AD_227);
}

struct sleeper {
    struct hal_conformance *env;
    struct hal_ctx *ctx;
    struct exec_atomic go;
    int rc[2];
    struct hal_event ev[2];
};

/* The first wait is interrupted, the second is not. */
static void sleep_body(void *arg)
{
    struct sleeper *s = arg;
    struct exec *e = s->env->exec;

    while (!exec_atomic_load(e, &s->go))
        exec_yield(e);
    s->rc[0] = hal_event_wait(s->ctx, EXEC_FOREVER, &s->ev[0]);
    s->rc[1] = hal_event_wait(s->ctx, exec_now(e) + MS, &s->ev[1]);
}

void hal_conformance_an_interrupt_ends_a_wait(struct hal_conformance *env)
{
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);

    /* In round 0 the interrupt comes before the wait, in round 1 most likely during it. */
    for (unsigned round = 0; round < 2; round++) {
        struct sleeper s = {.env = env, .ctx = ctx, .go = {round}};
        struct exec_thread *t;

        cr_assert_eq(exec_thread_create(env->exec, "sleeper", sleep_body, &s, &t), 0);
        if (round == 1)
            cr_assert_eq(exec_sleep_until(env->exec, exec_now(env->exec) + MS), 0);
        exec_thread_interrupt(env->exec, t);
        exec_atomic_store(env->exec, &s.go, 1);
        exec_thread_join(env->exec, t);
        cr_assert_eq(s.rc[0], -EINTR);
        cr_assert_eq(s.ev[0].kind, HAL_EVENT_NONE);
        cr_assert_eq(s.rc[1], 0, "one interrupt ended two waits");
        cr_assert_eq(s.ev[1].kind, HAL_EVENT_NONE);
    }
    hal_ctx_release(ctx);
}

void hal_conformance_a_stopped_context_is_lost(struct hal_conformance *env)
{
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    const uint64_t deadline[] = {0, 1, EXEC_FOREVER, 0};
    struct hal_event ev;

    cr_assert_eq(hal_ctx_stop(ctx), 0);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(hal_event_wait(ctx, deadline[i], &ev), -EIO);
        cr_assert_eq(ev.kind, HAL_EVENT_DEVICE_LOST);
        hal_progress(ctx); /* harmless */
    }
    hal_ctx_release(ctx);
    PROVES(R_44);
}

static void expect_dead(struct hal_ctx *ctx)
{
    const uint64_t deadline[] = {0, 1, EXEC_FOREVER};
    struct hal_event ev;

    for (unsigned i = 0; i < 3; i++) {
        hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x1000);
        cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), HAL_ALL_ONES);
        cr_assert_eq(hal_event_wait(ctx, deadline[i], &ev), -EIO);
        cr_assert_eq(ev.kind, HAL_EVENT_DEVICE_LOST);
        hal_progress(ctx);
    }
}

/* It stands in the way of nobody: neither of a reset nor of the next owner of its number. */
void hal_conformance_a_lost_context_is_dead(struct hal_conformance *env)
{
    struct hal_ctx *ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS), *next;

    hal_ctx_lose(ctx);
    expect_dead(ctx);
    cr_assert_eq(hal_afu_reset(env->dev), 0);
    next = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS);
    cr_assert_eq(next->handle, ctx->handle);
    hal_reg_write64(next, AFU_HOST_RRQ_START, 0x40);
    expect_dead(ctx);
    cr_assert_eq(hal_reg_read64(next, AFU_HOST_RRQ_START), 0x40);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_reg_read64(next, AFU_HOST_RRQ_START), 0x40);
    hal_ctx_release(next);
    PROVES(R_31);
    PROVES(R_44);
}

struct loss {
    struct hal_ctx *ctx;
    struct hal_event ev;
    int rc;
};

static void wait_for_loss(void *arg)
{
    struct loss *l = arg;

    l->rc = hal_event_wait(l->ctx, EXEC_FOREVER, &l->ev);
}

static void lose(struct hal_ctx *ctx) { hal_ctx_lose(ctx); }

static void stop(struct hal_ctx *ctx) { cr_assert_eq(hal_ctx_stop(ctx), 0); }

/* In round 0 the context may end before the wait begins, in round 1 it most likely does not. */
static void end_under_a_wait(struct hal_conformance *env, void (*end)(struct hal_ctx *))
{
    for (unsigned round = 0; round < 2; round++) {
        struct loss l = {.ctx = conf_context(env, HAL_CTX_USER, CONF_INTERRUPTS)};
        struct exec_thread *t;

        cr_assert_eq(exec_thread_create(env->exec, "waiter", wait_for_loss, &l, &t), 0);
        exec_yield(env->exec);
        if (round == 1)
            cr_assert_eq(exec_sleep_until(env->exec, exec_now(env->exec) + MS), 0);
        end(l.ctx);
        exec_thread_join(env->exec, t);
        cr_assert_eq(l.rc, -EIO);
        cr_assert_eq(l.ev.kind, HAL_EVENT_DEVICE_LOST);
        hal_ctx_release(l.ctx);
    }
}

void hal_conformance_losing_a_context_ends_its_wait(struct hal_conformance *env)
{
    end_under_a_wait(env, lose);
    PROVES(R_44);
}

void hal_conformance_stopping_a_context_ends_its_wait(struct hal_conformance *env)
{
    end_under_a_wait(env, stop);
    PROVES(R_44);
}
