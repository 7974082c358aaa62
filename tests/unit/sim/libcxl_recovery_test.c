/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of the card as a program sees them (CX section 8), when the platform of the model makes
 * them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "backends/sim/sim_standin.h"
#include "hal/afu_regs.h"
#include "tests/testlib/proves.h"
#include "tests/unit/sim/libcxl_fixture.h"

static void up(void) { libcxl_up(1); }

TestSuite(libcxl_recovery, .init = up, .fini = libcxl_down, .timeout = 60);

#define SCRATCH (AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_SCRATCH_PAD)
#define SLOT_RESET_MS 2060 /* 2.05 s, and what stands around it */

static struct exec *e(void) { return libcxl_sim()->env.exec; }

static void pass_ms(unsigned ms)
{
    cr_assert_eq(exec_sleep_until(e(), exec_now(e()) + ms * UINT64_C(1000000)), 0);
}

static void happens(enum sim_effect effect)
{
    sim_afu_platform(sim_host_afu(libcxl_sim()->host, 0), effect, 0);
}

static int open_errno(void)
{
    int fd = libcxl_kernel()->open(CXL_SLAVE_NODE);

    if (fd >= 0)
        cr_assert_eq(libcxl_kernel()->close(fd), 0);
    return fd < 0 ? -fd : 0;
}

static bool there(const char *path)
{
    return libcxl_kernel()->attribute_read(path, NULL, 0) == -EISDIR;
}

static int readable(struct cxl_afu_h *afu)
{
    struct pollfd p = {.fd = cxl_afu_fd(afu), .events = POLLIN};

    return poll(&p, 1, 0);
}

struct reader {
    struct cxl_afu_h *afu;
    int rc, error;
    bool done;
};

static void read_event(void *arg)
{
    struct reader *r = arg;
    struct cxl_event ev;

    r->rc = cxl_read_event(r->afu, &ev);
    r->error = errno;
    r->done = true;
}

static uint64_t scratch(struct cxl_afu_h *afu)
{
    return hal_reg_read64(cxl_standin()->context(afu), SCRATCH);
}

/* The table at the head of CX section 8, step by step. */
static void in_place(void *arg)
{
    struct reader r = {.afu = libcxl_mapped(CXL_MASTER_NODE, true)};
    struct cxl_afu_h *next;
    struct exec_thread *t;
    uint64_t value;

    (void)arg;
    cr_assert_eq(libcxl_write(CXL_CARD "/perst_reloads_same_image", "1"), 0);
    cr_assert_eq(cxl_mmio_write64(r.afu, SCRATCH, 7), 0);
    cr_assert_eq(exec_thread_create(e(), "reader", read_event, &r, &t), 0);
    pass_ms(1);
    happens(SIM_EFFECT_FREEZE);
    cr_assert_eq(scratch(r.afu), UINT64_MAX, "step 1");
    cr_assert_eq(readable(r.afu), 0);
    cr_assert_eq(open_errno(), EIO, "step 2");
    exec_yield(e());
    cr_assert_not(r.done, "a blocked reader still sleeps");
    exec_thread_join(e(), t);
    cr_assert(r.rc == -1 && r.error == EIO, "step 3");
    cr_assert_eq(readable(r.afu), 1);
    cr_assert_eq(open_errno(), ENOENT, "step 4");
    cr_assert(there(CXL_AFU), "the card stays");
    PROVES(CX_100);
    pass_ms(SLOT_RESET_MS);
    cr_assert_eq(open_errno(), 0, "step 5");
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), -EBUSY, "by the dead descriptor");
    cr_assert_eq(libcxl_write(CXL_AFU "/mode", "dedicated_process"), -EBUSY);
    next = libcxl_mapped(CXL_MASTER_NODE, true);
    cr_assert_eq(cxl_afu_get_process_element(next), 1, "0 is still taken");
    PROVES(CX_101);
    cr_assert_eq(cxl_mmio_read64(next, SCRATCH, &value), 0, "step 6");
    cr_assert_eq(value, 0);
    cxl_afu_free(next);
    cxl_afu_free(r.afu);
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), 0);
}

Test(libcxl_recovery, in_place) { libcxl_run(in_place); }

/* Without the promise the driver is unbound meanwhile. */
static void probed_again(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_SLAVE_NODE, true);

    (void)arg;
    cr_assert_eq(libcxl_write(CXL_AFU "/irqs_max", "8"), 0);
    happens(SIM_EFFECT_FREEZE);
    pass_ms(2);
    cr_assert_eq(open_errno(), ENOENT);
    cr_assert(!there(CXL_AFU) && !there(CXL_CARD), "everything of the card is gone");
    pass_ms(SLOT_RESET_MS);
    cr_assert(there(CXL_AFU) && there(CXL_CARD));
    cr_assert_str_eq(libcxl_text(CXL_AFU "/irqs_max"), "2037\n", "a new card");
    cr_assert_eq(open_errno(), 0);
    PROVES(CX_100);
    cxl_afu_free(afu);
    cr_assert_eq(libcxl_write(CXL_CARD "/load_image_on_perst", "none"), 0);
    happens(SIM_EFFECT_FREEZE);
    pass_ms(2);
    cr_assert(there(CXL_AFU), "no image is loaded: it stays");
    pass_ms(SLOT_RESET_MS);
}

Test(libcxl_recovery, probed_again) { libcxl_run(probed_again); }

static void for_ever(enum sim_effect effect)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_MASTER_NODE, true);
    struct cxl_event ev;

    happens(effect);
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EIO), "it waits, and is woken");
    pass_ms(SLOT_RESET_MS);
    cr_assert_eq(open_errno(), ENOENT);
    cr_assert_eq(readable(afu), 1);
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EIO));
    cr_assert_eq(scratch(afu), UINT64_MAX);
    cr_assert_not(there(CXL_PCI));
    cxl_afu_free(afu);
    cr_assert_null(cxl_adapter_next(NULL));
}

static void permanent(void *arg)
{
    (void)arg;
    for_ever(SIM_EFFECT_PERMANENT);
}

static void removal(void *arg)
{
    (void)arg;
    for_ever(SIM_EFFECT_REMOVE);
}

Test(libcxl_recovery, a_permanent_failure)
{
    libcxl_run(permanent);
    PROVES(CX_102);
}

Test(libcxl_recovery, a_card_that_is_pulled) { libcxl_run(removal); }

/* An error that did not stop the slot: the driver takes the contexts away all the same. */
static void other(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_MASTER_NODE, true);
    struct cxl_event ev;

    (void)arg;
    happens(SIM_EFFECT_OTHER);
    cr_assert_neq(scratch(afu), UINT64_MAX);
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EIO));
    cr_assert_eq(scratch(afu), UINT64_MAX);
    pass_ms(SLOT_RESET_MS);
    cr_assert_eq(open_errno(), 0);
    cxl_afu_free(afu);
}

Test(libcxl_recovery, another_error) { libcxl_run(other); }

/* A freeze in the moment between the reset of the slot and the end of its recovery. */
static void again(void *arg)
{
    struct reader r;
    struct exec_thread *t;

    (void)arg;
    happens(SIM_EFFECT_FREEZE);
    pass_ms(2);
    cr_assert_eq(open_errno(), ENOENT);
    while (open_errno())
        pass_ms(1);
    r = (struct reader){.afu = libcxl_attached(CXL_SLAVE_NODE, true)};
    cr_assert_eq(exec_thread_create(e(), "reader", read_event, &r, &t), 0);
    exec_yield(e());
    happens(SIM_EFFECT_FREEZE);
    exec_thread_join(e(), t);
    cr_assert(r.rc == -1 && r.error == EIO);
    pass_ms(SLOT_RESET_MS);
    cr_assert_eq(open_errno(), 0);
    cxl_afu_free(r.afu);
}

Test(libcxl_recovery, a_freeze_during_the_recovery_wakes_too) { libcxl_run(again); }

/* ---- no news is lost ---------------------------------------------------------------------------
 */

/* What the model tells, kept back until a moment that is chosen. */
static struct {
    struct cxl_standin_world real;
    void (*platform)(void *arg), (*context)(void *arg);
    void *platform_arg, *context_arg;
    bool armed;
} kept;

static void tell_nobody(void *arg) { (void)arg; }

static void keep_platform(struct hal_dev *dev, void (*event)(void *arg), void *arg)
{
    kept.platform = event;
    kept.platform_arg = arg;
    kept.real.watch_platform(dev, event ? tell_nobody : NULL, arg);
}

static void keep_context(struct hal_ctx *ctx, void (*event)(void *arg), void *arg)
{
    kept.context = event;
    kept.context_arg = arg;
    kept.real.watch_context(ctx, event ? tell_nobody : NULL, arg);
}

/* It is asked in the middle of a read: behind the look for news, before the descriptor is emptied.
 */
static bool pending_with_news(struct hal_ctx *ctx)
{
    if (kept.armed) {
        kept.platform(kept.platform_arg);
        kept.context(kept.context_arg);
    }
    kept.armed = false;
    return kept.real.event_pending(ctx);
}

static void bind_keeper(void)
{
    struct cxl_standin_world world;

    cxl_standin()->unbind();
    sim_standin_world(libcxl_sim()->host, &world);
    kept.real = world;
    world.watch_platform = keep_platform;
    world.watch_context = keep_context;
    world.event_pending = pending_with_news;
    cr_assert_eq(cxl_standin()->bind(&world), 0);
}

static void in_the_middle(void *arg)
{
    struct cxl_afu_h *afu = libcxl_attached(CXL_MASTER_NODE, true);
    struct cxl_event ev;

    (void)arg;
    cr_assert_eq(fcntl(cxl_afu_fd(afu), F_SETFL, O_NONBLOCK), 0);
    happens(SIM_EFFECT_FREEZE);
    pass_ms(5);
    kept.armed = true;
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EAGAIN));
    cr_assert_not(kept.armed);
    cr_assert_eq(readable(afu), 1, "whoever waits for it would wait for ever");
    cr_assert(LIBCXL_FAILS(cxl_read_event(afu, &ev), EIO));
    cxl_afu_free(afu);
}

Test(libcxl_recovery, what_the_platform_tells_a_reader_is_not_lost)
{
    bind_keeper();
    libcxl_run(in_the_middle);
    PROVES(CX_85);
}

/* ---- resets of the AFU -------------------------------------------------------------------------
 */

static void resets(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);

    (void)arg;
    cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, 7), 0);
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), -EBUSY, "attached");
    cxl_afu_free(afu);
    afu = libcxl_open(CXL_SLAVE_NODE);
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), -EBUSY, "open");
    cxl_afu_free(afu);
    libcxl_say("foreign afu0.0 on");
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), -EBUSY, "somebody else's");
    libcxl_say("foreign afu0.0 off");
    libcxl_say("access afu0.0 off");
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "1"), -EACCES);
    libcxl_say("access afu0.0 on");
    cr_assert_eq(libcxl_write(CXL_AFU "/reset", "anything"), 0);
    afu = libcxl_mapped(CXL_MASTER_NODE, true);
    cr_assert_eq(scratch(afu), 0);
    PROVES(CX_106);
    cxl_afu_free(afu);
}

Test(libcxl_recovery, the_afu_is_reset_by_a_file) { libcxl_run(resets); }

static void write_reset(void *arg) { *(int *)arg = libcxl_write(CXL_AFU "/reset", "1"); }

static void busy(void *arg)
{
    struct cxl_afu_h *afu;
    struct exec_thread *t;
    int rc = 1;

    (void)arg;
    cr_assert_eq(exec_thread_create(e(), "resetter", write_reset, &rc, &t), 0);
    cr_assert_eq(exec_sleep_until(e(), exec_now(e()) + 100000), 0);
    cr_assert_eq(rc, 1, "it takes its time");
    afu = libcxl_open(CXL_SLAVE_NODE);
    cr_assert(LIBCXL_FAILS(cxl_afu_attach(afu, 0), EBUSY));
    exec_thread_join(e(), t);
    cr_assert_eq(rc, 0);
    cr_assert_eq(cxl_afu_attach(afu, 0), 0);
    PROVES(CX_34);
    cxl_afu_free(afu);
}

Test(libcxl_recovery, nobody_attaches_during_a_reset) { libcxl_run(busy); }

/* What a master can do by registers ends commands of its context; the AFU goes on. */
static void by_register(void *arg)
{
    struct cxl_afu_h *afu = libcxl_mapped(CXL_MASTER_NODE, true);
    uint64_t value;

    (void)arg;
    cr_assert_eq(cxl_mmio_write64(afu, SCRATCH, 7), 0);
    cr_assert_eq(cxl_mmio_write64(afu, AFU_HOST_IOARRIN, 1), 0);
    pass_ms(5);
    cr_assert_eq(cxl_mmio_read64(afu, SCRATCH, &value), 0);
    cr_assert_eq(value, 7);
    cr_assert_eq(readable(afu), 0, "nor is the context closed");
    PROVES(CX_108);
    cxl_afu_free(afu);
}

Test(libcxl_recovery, registers_do_not_reset_the_afu) { libcxl_run(by_register); }
