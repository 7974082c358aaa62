/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_backend.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/cxl_standin.h"
#include "hal/hal_nosys.h"
#include "tests/testlib/capi_rig.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/proves.h"

/* ---- opening ---- */

Test(capi_backend, a_configuration_of_another_version_is_refused)
{
    struct capi_rig rig;
    char why[256];

    capi_rig_init(&rig);
    rig.config.size--;
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -EINVAL);
    rig.config.size++;
    rig.config.library = NULL;
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -EINVAL);
    rig.config.library = rig.library;
    rig.config.exec = NULL;
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -EINVAL);
    rig.config.exec = rig.exec;
    capi_rig_open(&rig);
    capi_rig_down(&rig);
}

/* CX-141: it asks for nothing that came behind 1.2. */
Test(capi_backend, the_oldest_library_will_do)
{
    static const char *const newer[] = {"cxl_get_psl_timebase_synced", "cxl_work_enable_wait",
                                        "cxl_get_tunneled_ops_supported", NULL};
    static const struct cxl_event interrupt = {.header = {CXL_EVENT_AFU_INTERRUPT, 16, 0, 0},
                                               .irq = {.irq = 2}};
    struct capi_rig rig;
    struct hal_event event;
    struct hal_ctx *ctx;

    capi_rig_init(&rig);
    capi_library_close(rig.library);
    rig.config.library = rig.library = fake_cxl_library(newer);
    capi_rig_open(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_MASTER);
    hal_reg_write64(ctx, 0x28, 0x40);
    cr_assert_eq(hal_reg_read64(ctx, 0x28), 0x40);
    fake_cxl_event(&interrupt);
    cr_assert_eq(hal_event_wait(ctx, EXEC_FOREVER, &event), 0);
    cr_assert_eq(event.number, 2);
    hal_ctx_release(ctx);
    cr_assert_eq(hal_afu_reset(rig.dev), 0);
    capi_rig_down(&rig);
    PROVES(CX_141);
}

Test(capi_backend, no_memory_is_told)
{
    struct fake_exec fake;
    struct capi_rig rig;
    char why[256];

    capi_rig_init(&rig);
    fake_exec_init(&fake, 1);
    fake.fail_after = 0;
    rig.config.exec = &fake.exec;
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -ENOMEM);
    cr_assert_eq(fake.blocks, 0);
    capi_rig_down(&rig);
}

Test(capi_backend, a_second_master_is_refused)
{
    struct capi_rig rig, other;
    char why[256];

    capi_rig_up(&rig);
    other = rig;
    cr_assert_eq(capi_rig_refused(&other, why, sizeof why), -EBUSY);
    cr_assert_not_null(strstr(why, "another master has afu0.0"), "%s", why);
    cr_assert_eq(fake_cxl.opened, 0, "its node was opened");
    hal_close(rig.dev);
    capi_rig_open(&rig);
    capi_rig_down(&rig);
    PROVES(CX_133);
}

/* What fails behind the lock gives it back. */
Test(capi_backend, who_did_not_get_in_has_no_lock)
{
    struct capi_rig rig;
    char why[256];

    capi_rig_init(&rig);
    fake_cxl_attribute("afu0.0/mode", "none\n");
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -EINVAL);
    fake_cxl_attribute("afu0.0/mode", "afu_directed\n");
    capi_rig_open(&rig);
    capi_rig_down(&rig);
}

Test(capi_backend, a_card_has_no_use_for_progress)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;

    capi_rig_up(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    fake_cxl.loads = 0;
    hal_progress(ctx);
    hal_ctx_lose(ctx);
    hal_progress(ctx);
    cr_assert_eq(fake_cxl.loads, 0);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
}

/* ---- the device below a stand-in ---- */

static struct {
    unsigned registered, released, stored, published, noted, progressed;
} below;

static int below_register(struct hal_dev *dev, void *addr, size_t size, const char *name)
{
    (void)dev;
    (void)addr;
    (void)name;
    below.registered++;
    return size == 256 ? -ENOMEM : 0;
}

static void below_release(struct hal_dev *dev, void *addr)
{
    (void)dev;
    (void)addr;
    below.released++;
}

static void below_store(struct hal_dev *dev, void *addr, uint64_t value)
{
    (void)dev;
    *(uint64_t *)addr = value;
    below.stored++;
}

static void below_publish(struct hal_dev *dev)
{
    (void)dev;
    below.published++;
}

static void below_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    (void)dev;
    (void)what;
    (void)a;
    (void)b;
    below.noted++;
}

static void below_progress(struct hal_ctx *ctx)
{
    (void)ctx;
    below.progressed++;
}

static struct hal_ops below_ops;
static struct hal_dev below_dev;
static struct hal_ctx below_ctx = {.ops = &below_ops, .dev = &below_dev};

static struct hal_dev *device_of(const char *afu)
{
    return strcmp(afu, "afu0.0") == 0 ? &below_dev : NULL;
}

static struct hal_ctx *context_of(struct cxl_afu_h *afu)
{
    (void)afu;
    return &below_ctx;
}

static const struct cxl_standin standin = {
    .version = CXL_STANDIN_VERSION,
    .device = device_of,
    .context = context_of,
    .kernel = &fake_cxl_kernel,
};

static void over_standin(struct capi_rig *rig)
{
    below_ops = hal_nosys_ops;
    below_ops.mem_register = below_register;
    below_ops.mem_release = below_release;
    below_ops.table_store = below_store;
    below_ops.publish = below_publish;
    below_ops.note = below_note;
    below_ops.progress = below_progress;
    hal_dev_init(&below_dev, &below_ops);
    capi_rig_init(rig);
    rig->config.standin = &standin;
    rig->config.kernel = NULL;         /* the stand-in's */
    rig->config.lock_dir = "/nowhere"; /* no lock is needed */
    capi_rig_open(rig);
}

Test(capi_backend, memory_of_a_stand_in_is_that_of_the_device_below)
{
    static _Alignas(128) uint64_t words[64];
    struct capi_rig rig;

    over_standin(&rig);
    cr_assert_eq(hal_mem_register(rig.dev, words, 128, "a"), 0);
    cr_assert_eq(hal_mem_register(rig.dev, words + 16, 256, "b"), -ENOMEM);
    hal_table_store(rig.dev, &words[3], 5);
    cr_assert_eq(words[3], 5);
    hal_publish(rig.dev);
    hal_note(rig.dev, HAL_NOTE_STATE, 1, 2);
    hal_mem_release(rig.dev, words);
    cr_assert(below.registered == 2 && below.released == 1 && below.stored == 1);
    cr_assert(below.published == 1 && below.noted == 1);
    capi_rig_down(&rig);
}

/* Time passes for a poller in any case, or it would poll for ever. */
Test(capi_backend, time_of_a_stand_in_passes_for_pollers)
{
    struct capi_rig rig;
    struct hal_ctx *ctx;
    uint64_t before;

    over_standin(&rig);
    ctx = capi_rig_context(&rig, HAL_CTX_USER);
    hal_progress(ctx);
    cr_assert_eq(below.progressed, 1);
    hal_ctx_lose(ctx);
    before = exec_now(rig.exec);
    hal_progress(ctx);
    cr_assert_eq(below.progressed, 1, "there is nothing below it any more");
    cr_assert_eq(exec_now(rig.exec), before + 100000);
    hal_ctx_release(ctx);
    capi_rig_down(&rig);
}

Test(capi_backend, a_stand_in_without_that_card_is_told)
{
    struct capi_rig rig;
    char why[256];

    over_standin(&rig);
    fake_cxl_attribute("afu3.0/mode", "afu_directed\n");
    rig.config.afu = "afu3.0";
    cr_assert_eq(capi_rig_refused(&rig, why, sizeof why), -ENODEV);
    cr_assert_not_null(strstr(why, "stand-in has no afu3.0"), "%s", why);
    capi_rig_down(&rig);
}
