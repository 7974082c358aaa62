/* SPDX-License-Identifier: Apache-2.0 */
/* Events of the slot, out of what nodes and attributes do (CX section 8). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "backends/capi/capi_internal.h"
#include "backends/capi/capi_lock.h"
#include "hal/afu_regs.h"
#include "tests/testlib/capi_rig.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/test_clock.h"

TestSuite(capi_platform, .timeout = 30);

#define PCI "/sys/devices/pci0006:00/0006:00:00.0"
#define SECOND UINT64_C(1000000000)

static void expect(struct capi_rig *rig, uint64_t deadline, enum hal_platform_event wanted)
{
    enum hal_platform_event event;

    cr_assert_eq(hal_platform_wait(rig->dev, deadline, &event), 0);
    cr_assert_eq(event, wanted, "event %d", event);
}

/* What comes after so much time, and not sooner. */
static void expect_after(struct capi_rig *rig, uint64_t ns, enum hal_platform_event wanted)
{
    uint64_t before = exec_now(rig->exec);

    expect(rig, EXEC_FOREVER, wanted);
    cr_assert_eq(exec_now(rig->exec) - before, ns);
}

static uint64_t after(struct capi_rig *rig, uint64_t ns) { return exec_now(rig->exec) + ns; }

/* The card freezes, and a context finds out. */
static struct hal_ctx *freeze(struct capi_rig *rig)
{
    struct hal_ctx *ctx = capi_rig_context(rig, HAL_CTX_MASTER);

    fake_cxl_freeze();
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_RRQ_START), HAL_ALL_ONES);
    return ctx;
}

/* It freezes, is let go of, and a reset is asked for. */
static void begin_recovery(struct capi_rig *rig)
{
    struct hal_ctx *ctx = freeze(rig);

    expect(rig, EXEC_FOREVER, HAL_PLATFORM_FROZEN);
    hal_ctx_release(ctx);
    hal_platform_answer(rig->dev, HAL_PLATFORM_NEED_RESET);
}

Test(capi_platform, a_calm_one_says_nothing)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    expect(&rig, 0, HAL_PLATFORM_NONE);
    expect(&rig, 1, HAL_PLATFORM_NONE);
    expect(&rig, after(&rig, 1000000), HAL_PLATFORM_NONE);
    cr_assert_eq(fake_cxl.opened, 0);
    capi_rig_down(&rig);
}

/* CX-104, from the first ones to new contexts; CX-105: with another number. */
Test(capi_platform, a_card_comes_back)
{
    struct capi_rig rig;
    struct hal_ctx *ctx, *next;

    capi_rig_up(&rig);
    ctx = freeze(&rig);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &next), -ENODEV);
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_FROZEN);
    hal_ctx_release(ctx);
    cr_assert_eq(fake_cxl.contexts, 0, "a descriptor was left");
    cr_assert_eq(hal_afu_reset(rig.dev), -EIO);
    hal_platform_answer(rig.dev, HAL_PLATFORM_NEED_RESET);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &next), -ENODEV);
    expect(&rig, 0, HAL_PLATFORM_NONE);
    fake_cxl_thaw();
    fake_cxl.element = 3;
    expect(&rig, after(&rig, 20 * SECOND), HAL_PLATFORM_SLOT_RESET);
    cr_assert_eq(fake_cxl.contexts, 0, "the context that tried it was left");
    next = capi_rig_context(&rig, HAL_CTX_MASTER);
    cr_assert_eq(next->handle, 3);
    hal_platform_answer(rig.dev, HAL_PLATFORM_RECOVERED);
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_RESUMED);
    expect(&rig, 0, HAL_PLATFORM_NONE);
    cr_assert_eq(hal_reg_read64(next, AFU_HOST_RRQ_START), 0);
    hal_ctx_release(next);
    cr_assert_eq(hal_afu_reset(rig.dev), 0);
    fake_cxl.element = -1;
    capi_rig_down(&rig);
    PROVES(CX_104);
    PROVES(CX_105);
}

/* What is not ready yet, one thing after the other: the node, attaching, mapping, registers. */
Test(capi_platform, only_a_card_that_answers_is_back)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl.open_errno = ENOENT;
    expect(&rig, 0, HAL_PLATFORM_NONE);
    fake_cxl.open_errno = 0;
    fake_cxl.attach_errno = EIO;
    expect(&rig, 0, HAL_PLATFORM_NONE);
    fake_cxl.attach_errno = 0;
    fake_cxl.map_errno = EIO;
    expect(&rig, 0, HAL_PLATFORM_NONE);
    fake_cxl.map_errno = 0;
    expect(&rig, 0, HAL_PLATFORM_NONE); /* it is frozen still: nobody has noticed */
    fake_cxl_thaw();
    expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
    cr_assert_eq(fake_cxl.contexts, 0);
    hal_platform_answer(rig.dev, HAL_PLATFORM_DISCONNECT);
    expect(&rig, 0, HAL_PLATFORM_PERMANENT_FAILURE);
    hal_platform_answer(rig.dev, HAL_PLATFORM_DISCONNECT);
    capi_rig_down(&rig);
    PROVES(CX_104);
}

/* ---- it does not come back ---- */

/* Waits so long for nodes that do not come, and gives up. */
static void stays_away(uint64_t node_wait_ns, uint64_t ns)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_init(&rig);
    rig.config.node_wait_ns = node_wait_ns;
    capi_rig_open(&rig);
    ctx = freeze(&rig);
    expect_after(&rig, SECOND / 10, HAL_PLATFORM_FROZEN);
    fake_cxl_remove("afu0.0");
    fake_cxl_remove("afu0.0m");
    hal_platform_answer(rig.dev, HAL_PLATFORM_NEED_RESET);
    expect_after(&rig, ns, HAL_PLATFORM_PERMANENT_FAILURE);
    cr_assert(capi_rig_told(&rig, "did not come back"));
    hal_platform_answer(rig.dev, HAL_PLATFORM_DISCONNECT);
    expect(&rig, 0, HAL_PLATFORM_NONE);
    expect(&rig, after(&rig, 1000000), HAL_PLATFORM_NONE);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), -ENODEV);
    cr_assert_eq(hal_afu_reset(rig.dev), -ENODEV);
    capi_rig_down(&rig);
}

Test(capi_platform, a_card_that_stays_away_has_failed)
{
    stays_away(0, 120 * SECOND);
    stays_away(SECOND / 20, SECOND / 20); /* less than between two looks */
    PROVES(R_39);
    PROVES(CX_104);
}

/* CX-104: their number has an end. */
Test(capi_platform, nodes_are_tried_ten_times_a_second)
{
    struct capi_rig rig;

    capi_rig_init(&rig);
    rig.config.node_wait_ns = 2 * SECOND;
    capi_rig_open(&rig);
    begin_recovery(&rig);
    fake_cxl.opened = 0;
    expect_after(&rig, 2 * SECOND, HAL_PLATFORM_PERMANENT_FAILURE);
    cr_assert_eq(fake_cxl.opened, 1 + 20, "at once, and then each tenth of a second");
    hal_platform_answer(rig.dev, HAL_PLATFORM_DISCONNECT);
    capi_rig_down(&rig);
    PROVES(CX_104);
}

Test(capi_platform, what_is_given_up_does_not_come_back)
{
    struct capi_rig rig;
    struct hal_ctx *next;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl_thaw();
    expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
    next = capi_rig_context(&rig, HAL_CTX_MASTER);
    hal_platform_answer(rig.dev, HAL_PLATFORM_DISCONNECT);
    cr_assert_eq(hal_reg_read64(next, 0), HAL_ALL_ONES);
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_PERMANENT_FAILURE);
    hal_platform_answer(rig.dev, HAL_PLATFORM_DISCONNECT);
    hal_ctx_release(next);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &next), -ENODEV);
    capi_rig_down(&rig);
}

/* CX-100: the driver lets go of a card to take it again, but the card is there. */
Test(capi_platform, a_card_that_is_probed_again_is_not_removed)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    ctx = freeze(&rig);
    fake_cxl_remove("/sys/class/cxl");
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_FROZEN);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_100);
}

Test(capi_platform, a_card_that_was_pulled_is_removed)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    ctx = freeze(&rig);
    expect(&rig, 0, HAL_PLATFORM_NONE); /* the kernel has not noticed yet */
    fake_cxl_remove("/sys/class/cxl");
    fake_cxl_remove(PCI);
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_REMOVED);
    expect(&rig, 0, HAL_PLATFORM_NONE);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_ctx_create(rig.dev, HAL_CTX_USER, &ctx), -ENODEV);
    capi_rig_down(&rig);
}

/* ---- names (CX-100) ---- */

static void rename_card(unsigned number, const char *function)
{
    static const char *const attributes[][2] = {
        {"afu%u.0/api_version_compatible", "1"},
        {"afu%u.0m/mmio_size", "33685504"},
        {"card%u/image_loaded", "user"},
    };
    char path[64];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, attributes[i][0], number);
        fake_cxl_attribute(path, attributes[i][1]);
    }
    snprintf(path, sizeof path, "card%u/device", number);
    fake_cxl_link(path, function);
}

Test(capi_platform, a_card_is_found_under_another_name)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl_remove("/sys/class/cxl");
    expect(&rig, 0, HAL_PLATFORM_NONE);
    fake_cxl_thaw();
    rename_card(1, "../../../0007:00:00.0"); /* somebody else's */
    expect(&rig, 0, HAL_PLATFORM_NONE);
    rename_card(2, "../../../0006:00:00.0");
    expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
    fake_cxl.log[0] = '\0';
    ctx = capi_rig_context(&rig, HAL_CTX_MASTER);
    cr_assert_not_null(strstr(fake_cxl.log, "open afu2.0m"), "%s", fake_cxl.log);
    cr_assert(capi_rig_told(&rig, "afu0.0 is afu2.0 now"));
    hal_platform_answer(rig.dev, HAL_PLATFORM_RECOVERED);
    expect(&rig, 0, HAL_PLATFORM_RESUMED);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_100);
}

/* CX-133: the lock is that of the name, so it changes with it; and who has that of the new name is
 * not disturbed. */
Test(capi_platform, the_lock_follows_the_name)
{
    struct capi_rig rig;
    char why[256];
    int other;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl_remove("/sys/class/cxl");
    fake_cxl_thaw();
    rename_card(2, "../../../0006:00:00.0");
    cr_assert_eq(capi_lock_take(rig.dir, "afu2.0", &other, why, sizeof why), 0);
    fake_cxl.opened = 0;
    expect(&rig, 0, HAL_PLATFORM_NONE);
    cr_assert_eq(fake_cxl.opened, 0);
    capi_lock_release(other);
    expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
    cr_assert_eq(capi_lock_take(rig.dir, "afu2.0", &other, why, sizeof why), -EBUSY);
    cr_assert_eq(capi_lock_take(rig.dir, "afu0.0", &other, why, sizeof why), 0);
    capi_lock_release(other);
    capi_rig_down(&rig);
    PROVES(CX_100);
    PROVES(CX_133);
}

struct reader {
    struct capi_rig *rig;
    struct exec_atomic rounds, enough;
};

/* Whatever needs the names of the card; here it finds no buffer to tell of. */
static void use_names(void *arg)
{
    struct reader *r = arg;

    while (!exec_atomic_load(r->rig->exec, &r->enough)) {
        capi_log_error_buffer(capi_dev_of(r->rig->dev));
        exec_atomic_add(r->rig->exec, &r->rounds, 1);
    }
}

/* What ThreadSanitizer has to say about it. */
Test(capi_platform, names_change_under_who_uses_them)
{
    struct capi_rig rig;
    struct reader r = {.rig = &rig};
    struct exec_thread *thread;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl_remove("/sys/class/cxl");
    fake_cxl_thaw();
    rename_card(2, "../../../0006:00:00.0");
    cr_assert_eq(exec_thread_create(rig.exec, "reader", use_names, &r, &thread), 0);
    while (exec_atomic_load(rig.exec, &r.rounds) < 10)
        exec_yield(rig.exec);
    expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
    exec_atomic_store(rig.exec, &r.enough, 1);
    exec_thread_join(rig.exec, thread);
    cr_assert_str_eq(capi_names(capi_dev_of(rig.dev)).afu, "afu2.0");
    cr_assert_str_eq(capi_names(capi_dev_of(rig.dev)).card, "card2");
    capi_rig_down(&rig);
    PROVES(CX_100);
}

/* Its old name is another card's now: that one is not to be touched. */
Test(capi_platform, another_card_under_the_old_name_is_another)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl_thaw();
    fake_cxl_link("card0/device", "../../../0007:00:00.0");
    fake_cxl.opened = 0;
    expect(&rig, 0, HAL_PLATFORM_NONE);
    cr_assert_eq(fake_cxl.opened, 0);
    capi_rig_down(&rig);
    PROVES(CX_100);
}

/* ---- once more ---- */

Test(capi_platform, a_second_loss_follows_the_first_recovery)
{
    struct capi_rig rig;

    capi_rig_up(&rig);
    for (unsigned round = 0; round < 2; round++) {
        begin_recovery(&rig);
        fake_cxl_thaw();
        expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
        hal_platform_answer(rig.dev, HAL_PLATFORM_RECOVERED);
        expect(&rig, 0, HAL_PLATFORM_RESUMED);
    }
    capi_rig_down(&rig);
}

/* The card dies again between SLOT_RESET and its answer. */
Test(capi_platform, a_loss_during_a_recovery_waits_for_its_turn)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    begin_recovery(&rig);
    fake_cxl_thaw();
    expect(&rig, 0, HAL_PLATFORM_SLOT_RESET);
    ctx = freeze(&rig);
    hal_platform_answer(rig.dev, HAL_PLATFORM_RECOVERED);
    expect(&rig, 0, HAL_PLATFORM_RESUMED);
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_FROZEN);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_104);
}

/* ---- who waits ---- */

struct waiter {
    struct capi_rig *rig;
    enum hal_platform_event event;
    int rc;
};

static void wait_for_event(void *arg)
{
    struct waiter *w = arg;

    w->rc = hal_platform_wait(w->rig->dev, EXEC_FOREVER, &w->event);
}

Test(capi_platform, a_loss_wakes_who_waits_for_the_platform)
{
    struct capi_rig rig;
    struct waiter w = {.rig = &rig};
    struct exec_thread *thread;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    cr_assert_eq(exec_thread_create(rig.exec, "EEH", wait_for_event, &w, &thread), 0);
    test_clock_await(rig.exec, 1);
    ctx = freeze(&rig);
    exec_thread_join(rig.exec, thread);
    cr_assert_eq(w.rc, 0);
    cr_assert_eq(w.event, HAL_PLATFORM_FROZEN);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_104);
}

Test(capi_platform, an_interrupt_ends_the_wait)
{
    struct capi_rig rig;
    struct waiter w = {.rig = &rig};
    struct exec_thread *thread;

    capi_rig_init(&rig);
    rig.config.node_wait_ns = UINT64_MAX / 2; /* time jumps: it must not end before the interrupt */
    capi_rig_open(&rig);
    for (unsigned round = 0; round < 2; round++) { /* calm, then waiting for nodes */
        cr_assert_eq(exec_thread_create(rig.exec, "EEH", wait_for_event, &w, &thread), 0);
        exec_thread_interrupt(rig.exec, thread);
        exec_thread_join(rig.exec, thread);
        cr_assert_eq(w.rc, -EINTR);
        cr_assert_eq(w.event, HAL_PLATFORM_NONE);
        if (round == 1)
            break;
        begin_recovery(&rig);
    }
    capi_rig_down(&rig);
}

Test(capi_platform, the_error_buffer_is_read_before_any_reset)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    fake_cxl_attribute("afu0.0/afu_err_buff", "why");
    ctx = freeze(&rig);
    expect(&rig, EXEC_FOREVER, HAL_PLATFORM_FROZEN);
    cr_assert(capi_rig_told(&rig, "error buffer 0000: 776879"), "%s", rig.log);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
    PROVES(CX_97);
}
