/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "backends/capi/capi_internal.h"
#include "hal/afu_regs.h"
#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"

/* CX section 10: opening, attaching, mapping, and back. */
Test(capi_context, a_master_is_an_open_node)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    fake_cxl.element = 300;
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_MASTER, &ctx), 0);
    cr_assert_eq(ctx->handle, 300);
    cr_assert_eq(hal_ctx_start(ctx, 3), 0);
    cr_assert_eq(fake_cxl.irqs, 3);
    cr_assert_eq(fake_cxl.wed, 0);
    cr_assert_eq(ctx->handle, 300);
    cr_assert_eq(hal_ctx_stop(ctx), 0);
    cr_assert_eq(fake_cxl.contexts, 0);
    hal_ctx_release(ctx);
    cr_assert_str_eq(fake_cxl.log, "open afu0.0m\n"
                                   "attach afu0.0m irqs 3 err_ff\n"
                                   "map afu0.0m flags 1\n"
                                   "unmap afu0.0m\n"
                                   "free afu0.0m\n");
    capi_rig_down(&rig);
    PROVES(CX_39);
    PROVES(CX_38);
}

Test(capi_context, a_user_is_the_other_view)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    cr_assert_not_null(strstr(fake_cxl.log, "open afu0.0s\n"));
    hal_ctx_release(ctx);
    cr_assert_eq(fake_cxl.contexts, 0);
    capi_rig_down(&rig);
}

/* ---- creating (CX-25, SP-43) ---- */

Test(capi_context, what_cannot_be_opened_leaves_nothing)
{
    static const struct {
        int error, rc;
        const char *sentence;
    } cases[] = {
        {ENOENT, -ENODEV, "cannot be opened"},
        {ENODEV, -ENODEV, "cannot be opened"},
        {EIO, -ENODEV, "cannot be opened"},
        {ENOSPC, -ENODEV, "all contexts of afu0.0 are in use"},
        {EACCES, -EACCES, "no right to"},
        {ENOMEM, -ENOMEM, ""},
        {EPROTO, -ENODEV, "newer interface"},
    };
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig.log[0] = '\0';
        fake_cxl.open_errno = cases[i].error;
        cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), cases[i].rc, "errno %d",
                     cases[i].error);
        cr_assert(capi_rig_told(&rig, cases[i].sentence), "%s", rig.log);
        cr_assert_eq(rig.dev->open_contexts, 0);
    }
    fake_cxl.open_errno = 0;
    capi_rig_down(&rig);
    PROVES(CX_25);
    PROVES(SP_43);
}

Test(capi_context, one_without_a_number_leaves_nothing)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    fake_cxl.element_errno = EIO;
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), -ENODEV);
    cr_assert_eq(fake_cxl.contexts, 0);
    fake_cxl.element_errno = 0;
    fake_cxl.element = 0;
    capi_rig_down(&rig);
    PROVES(CX_25);
}

/* CX-19, long after the device was opened. */
Test(capi_context, the_level_is_looked_at_each_time)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    fake_cxl_attribute("afu0.0/api_version_compatible", "2\n");
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), -ENODEV);
    fake_cxl_attribute("afu0.0/api_version_compatible", NULL);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), -ENODEV);
    cr_assert_eq(fake_cxl.opened, 0);
    capi_rig_down(&rig);
}

/* ---- starting ---- */

Test(capi_context, err_ff_is_given_up_for_an_old_kernel)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    cr_assert_eq(fake_cxl.flags, 6); /* NUM_IRQS and ERR_FF, CX 2.1 */
    hal_ctx_release(ctx);
    fake_cxl.old_kernel = true;
    fake_cxl.log[0] = '\0';
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    cr_assert_eq(fake_cxl.flags, 2);
    cr_assert_str_eq(fake_cxl.log, "open afu0.0s\n"
                                   "attach afu0.0s irqs 3 err_ff\n"
                                   "attach afu0.0s irqs 3\n"
                                   "map afu0.0s flags 1\n");
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_48);
}

static void expect_interrupts(struct capi_rig *rig, enum hal_ctx_kind kind, unsigned asked,
                              unsigned got)
{
    struct hal_ctx *ctx;

    cr_assert_eq(hal_ctx_create(rig->dev, kind, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, asked), 0);
    cr_assert_eq(fake_cxl.irqs, got);
    hal_ctx_release(ctx);
}

Test(capi_context, a_master_asks_for_no_less_than_the_platform_gives)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    fake_cxl_attribute("afu0.0/irqs_min", "4\n");
    capi_rig_open(&rig);
    expect_interrupts(&rig, HAL_CTX_MASTER, 3, 4);
    expect_interrupts(&rig, HAL_CTX_MASTER, 2, 4);
    expect_interrupts(&rig, HAL_CTX_MASTER, 5, 5);
    expect_interrupts(&rig, HAL_CTX_USER, 3, 3); /* whose errors are its own */
    capi_rig_down(&rig);
    PROVES(CX_47);
}

static void expect_start(struct capi_rig *rig, int error, int rc, const char *sentence)
{
    struct hal_ctx *ctx;

    rig->log[0] = '\0';
    cr_assert_eq(hal_ctx_create(rig->dev, HAL_CTX_USER, &ctx), 0);
    fake_cxl.attach_errno = error;
    cr_assert_eq(hal_ctx_start(ctx, 4), rc);
    cr_assert(capi_rig_told(rig, sentence), "%s", rig->log);
    fake_cxl.attach_errno = 0;
    cr_assert_eq(hal_ctx_start(ctx, 4), 0, "it cannot be repeated");
    hal_ctx_release(ctx);
}

/* SP-43: what a start fails with goes through. */
Test(capi_context, a_start_that_failed_may_be_repeated)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    expect_start(&rig, ENOSPC, -ENOSPC, "not enough interrupts left");
    expect_start(&rig, EBUSY, -EBUSY, "");
    expect_start(&rig, EIO, -EIO, "");
    expect_start(&rig, EINVAL, -EINVAL, "");
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, 32768), -EINVAL, "it does not fit into the request");
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_47);
    PROVES(SP_43);
}

/* It was attached, and cannot be again: whoever wants a context needs another one. */
Test(capi_context, one_that_was_attached_in_vain_stays_unusable)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), 0);
    fake_cxl.map_errno = EIO;
    cr_assert_eq(hal_ctx_start(ctx, 3), -EIO);
    fake_cxl.map_errno = 0;
    fake_cxl.log[0] = '\0';
    cr_assert_eq(hal_ctx_start(ctx, 3), -EIO);
    cr_assert_str_eq(fake_cxl.log, "");
    cr_assert_eq(hal_reg_read64(ctx, 0), HAL_ALL_ONES);
    hal_ctx_release(ctx);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    cr_assert_eq(hal_reg_read64(ctx, 0), 0);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_49);
}

/* ---- descriptors ---- */

Test(capi_context, reading_never_blocks)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;
    int flags;

    capi_rig_up(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    flags = fcntl(rig.library->cxl_afu_fd(capi_ctx_of(ctx)->afu), F_GETFL);
    cr_assert(flags & O_NONBLOCK);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_82);
}

/* First there is one descriptor, for the node, then more and more. */
Test(capi_context, no_descriptors_leave_nothing)
{
    struct rlimit limit, few;
    struct capi_rig rig;
    struct hal_ctx *ctx;
    unsigned failed = 0;
    int rc;

    capi_rig_up(&rig);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = (rlim_t)dup(0) + 1;
    close((int)few.rlim_cur - 1);
    for (;; failed++, few.rlim_cur++) {
        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
        rc = hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx);
        if (!rc)
            break;
        cr_assert_eq(rc, -ENOMEM);
        cr_assert_eq(fake_cxl.contexts, 0);
        cr_assert_lt(failed, 100);
    }
    cr_assert_geq(failed, 2, "a context has three");
    hal_ctx_release(ctx);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    capi_rig_down(&rig);
    PROVES(CX_25);
}

/* ---- losing ---- */

Test(capi_context, a_lost_one_is_closed_at_once)
{
    struct capi_rig rig;
    struct hal_ctx *ctx, *next;
    unsigned loads;

    capi_rig_up(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x40);
    hal_ctx_lose(ctx);
    cr_assert_eq(fake_cxl.contexts, 0);
    next = capi_rig_context(&rig, HAL_CTX_USER);
    cr_assert_eq(next->handle, ctx->handle, "its number was not free");
    loads = fake_cxl.loads;
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), HAL_ALL_ONES);
    hal_reg_write64(ctx, AFU_HOST_RRQ_START, 0x80);
    cr_assert_eq(fake_cxl.loads, loads);
    cr_assert_eq(hal_reg_read64(next, AFU_HOST_RRQ_START), 0x40);
    hal_ctx_release(ctx);
    hal_ctx_release(next);
    capi_rig_down(&rig);
    PROVES(R_44);
}

struct reader {
    struct exec *exec;
    struct hal_ctx *ctx;
    struct exec_atomic rounds;
};

/* Reads until it gets ones, as a thread does that knows of no loss. */
static void read_on(void *arg)
{
    struct reader *r = arg;

    do {
        exec_atomic_add(r->exec, &r->rounds, 1);
        hal_reg_write64(r->ctx, AFU_HOST_RRQ_START, 0x40);
    } while (hal_reg_read64(r->ctx, AFU_HOST_RRQ_START) != HAL_ALL_ONES);
}

/* The fake asserts that nobody reads what is not mapped. */
Test(capi_context, losing_waits_for_who_is_using_it, .timeout = 50)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    for (unsigned round = 0; round < 50; round++) {
        struct reader r = {.exec = rig.exec, .ctx = capi_rig_context(&rig, HAL_CTX_USER)};
        struct exec_thread *t[2];

        for (unsigned i = 0; i < 2; i++)
            cr_assert_eq(exec_thread_create(rig.exec, "reader", read_on, &r, &t[i]), 0);
        while (exec_atomic_load(rig.exec, &r.rounds) < 10)
            exec_yield(rig.exec);
        hal_ctx_lose(r.ctx);
        for (unsigned i = 0; i < 2; i++)
            exec_thread_join(rig.exec, t[i]);
        hal_ctx_release(r.ctx);
    }
    capi_rig_down(&rig);
    PROVES(R_44);
}

/* ---- other processes (CX-117) ---- */

Test(capi_context, a_client_of_another_master_needs_the_user_view_only)
{
    struct capi_rig rig, other;
    struct hal_ctx *ctx, *master;

    capi_rig_up(&rig);
    other = rig;
    other.config.users_only = true;
    capi_rig_open(&other); /* although the lock is taken */
    cr_assert_eq(hal_ctx_create(other.dev, HAL_CTX_MASTER, &master), -EACCES);
    ctx = capi_rig_context(&other, HAL_CTX_USER);
    cr_assert_null(strstr(fake_cxl.log, "afu0.0m"));
    cr_assert_not_null(strstr(fake_cxl.log, "attach afu0.0s"), "it attaches its own memory");
    hal_ctx_release(ctx);
    hal_close(other.dev);
    capi_rig_down(&rig);
    PROVES(CX_117);
    PROVES(CX_131);
}
