/* SPDX-License-Identifier: Apache-2.0 */
/* RECOVER_AFU of one context: what the AFU is shown, which errors are final, and that an attempt
 * that fails leaves nothing behind. Who waits for whom is in the scenarios. */
#include "core/context/recover.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/context/adapter_file.h"
#include "core/cxlflash_ioctl.h"
#include "core/superpipe.h"
#include "tests/testlib/core_rig.h"
#include "tests/testlib/proves.h"

TestSuite(recover, .timeout = 60);

#define CHUNK UINT64_C(65536)

static const uint32_t disk = 0; /* spipe_disk(0, 0) */

static struct spipe_client *app;
static struct spipe_ctx *ctx;
static struct dk_cxlflash_attach a;

/* A context with 3 interrupts, which may read only, and a virtual LUN; it is lost. */
static void begin(enum hal_order order)
{
    struct dk_cxlflash_uvirtual u = {.lun_size = 2 * CHUNK};

    rig_begin(order, 16);
    cr_assert_eq(spipe_client_create(&rig.s, "app", &app), 0);
    a = (struct dk_cxlflash_attach){.num_interrupts = 3};
    cr_assert_eq(spipe_ioctl(app, disk, DK_CXLFLASH_ATTACH, &a), 0);
    u.context_id = a.context_id;
    cr_assert_eq(spipe_ioctl(app, disk, DK_CXLFLASH_USER_VIRTUAL, &u), 0);
    ctx = app->contexts;
    spipe__ctx_lose(ctx);
    rig.hal.no_regs = false;
    recording_hal_clear(&rig.hal);
}

static void end(void)
{
    rig.hal.no_regs = true;
    spipe_client_destroy(app);
    rig_check_books();
    rig_end();
}

static int recover(struct dk_cxlflash_recover_afu *r)
{
    *r = (struct dk_cxlflash_recover_afu){.context_id = a.context_id, .mmio_size = 1, .adap_fd = 2};
    return spipe_ioctl(app, disk, DK_CXLFLASH_RECOVER_AFU, r);
}

/* SP-93, SP-46: a hardware context as ATTACH makes it, with the interrupts of then and the table
 * that there is, whose entries nobody touches. */
static void as_attach_does(enum hal_order order)
{
    struct dk_cxlflash_recover_afu r;

    begin(order);
    cr_assert_eq(recover(&r), 0);
    rig_expect("create user\nstart 6:3\n"
               "r ctrl6+18\nw ctrl6+10=3\nr ctrl6+10\n"
               "w ctrl6+0=rht2\nw ctrl6+8=100000300000000\n");
    cr_assert_eq(r.context_id, (a.context_id & ~UINT64_C(0xFFFFFFFF)) | 6);
    cr_assert_eq(r.mmio_size, 65536);
    cr_assert_neq(r.adap_fd, a.adap_fd);
    cr_assert_eq(ctx->permissions, AFU_PERM_READ);
    cr_assert_eq(rig_entry(ctx, 0).lxt_cnt, 2);
    cr_assert_eq(rig.s.contexts[6], ctx);
    cr_assert_null(rig.s.contexts[5]);
    PROVES(SP_93);
    PROVES(SP_94);
    end();
}

Test(recover, as_attach_does)
{
    as_attach_does(HAL_ORDER_LITTLE);
    as_attach_does(HAL_ORDER_BIG);
}

static int resize(uint64_t context, uint64_t chunks)
{
    struct dk_cxlflash_resize z = {.context_id = context, .req_size = chunks * CHUNK};

    return spipe_ioctl(app, disk, DK_CXLFLASH_VLUN_RESIZE, &z);
}

/* SP-163: what a context gives up is free at once if the AFU was initialised since it knew the
 * context, which it does again after each recovery. */
Test(recover, lost_again)
{
    struct dk_cxlflash_recover_afu r;

    begin(HAL_ORDER_LITTLE);
    rig.s.generation++;
    cr_assert_eq(recover(&r), 0);
    spipe__ctx_lose(ctx);
    cr_assert_eq(resize(r.context_id, 1), 0);
    cr_assert_eq(rig_free(), 14, "the AFU is not reset yet");
    cr_assert_eq(rig.s.lun[0].global->holds, 1);
    rig.s.generation++;
    cr_assert_eq(resize(r.context_id, 0), 0);
    cr_assert_eq(rig_free(), 16);
    cr_assert_eq(rig.s.lun[0].global->holds, 0);
    PROVES(SP_163);
    end();
}

/* ---- attempts that fail ---- */

static unsigned files(void)
{
    unsigned n = 0;

    for (const struct spipe__file *f = rig.s.files; f; f = f->next)
        n++;
    return n;
}

/* Expects an error after `pause` nanoseconds, and everything as before: the caller's buffer, the
 * context, memory, files, hardware contexts (SP-98). */
static void expect_failure(int error, uint64_t pause)
{
    struct dk_cxlflash_recover_afu r, before;
    size_t blocks = rig.exec.blocks;
    uint64_t begun = rig.exec.now;

    before =
        (struct dk_cxlflash_recover_afu){.context_id = a.context_id, .mmio_size = 1, .adap_fd = 2};
    cr_assert_eq(recover(&r), error);
    cr_assert_eq(memcmp(&r, &before, sizeof r), 0);
    cr_assert_eq(rig.exec.now - begun, pause, "%d", error);
    cr_assert(ctx->errored);
    cr_assert_eq(ctx->cookie, a.context_id);
    cr_assert_eq(rig.exec.blocks, blocks);
    cr_assert_eq(files(), 1);
    cr_assert_eq(rig.hal.dev.open_contexts, 2); /* the master's and the rig's: lost ones are none */
    cr_assert_eq(rig_entry(ctx, 0).lxt_cnt, 2);
}

/* SP-97: ENODEV 20 times, 100 ms apart; everything else at once. */
Test(recover, errors)
{
    const uint64_t tries = UINT64_C(19) * 100000000;
    struct dk_cxlflash_recover_afu r;

    begin(HAL_ORDER_LITTLE);
    rig.hal.fail_create = -EIO;
    expect_failure(-ENODEV, tries);
    rig.hal.fail_create = 0;
    rig.hal.fail_start = -ENOSPC;
    expect_failure(-ENOSPC, 0);
    rig.hal.fail_start = 0;
    rig.hal.wrong_handle = true;
    expect_failure(-EPERM, 0);
    rig.hal.wrong_handle = false;
    rig.hal.wrong_capability = true;
    expect_failure(-EAGAIN, 0);
    rig.hal.wrong_capability = false;
    rig.exec.fail_after = 0; /* no adapter file */
    expect_failure(-ENODEV, tries);
    rig.exec.fail_after = FAKE_EXEC_NEVER;
    PROVES(SP_93);
    PROVES(SP_97);
    PROVES(SP_98);
    cr_assert_eq(recover(&r), 0);
    cr_assert_eq(files(), 2);
    PROVES(SP_100);
    end();
}

/* SP-98, SPW-11: what ends after a failed attempt writes to no registers, since its number may be
 * somebody else's. */
Test(recover, the_end_after_a_failure)
{
    struct dk_cxlflash_detach d = {.context_id = a.context_id};
    struct dk_cxlflash_recover_afu r;

    begin(HAL_ORDER_LITTLE);
    d.context_id = a.context_id;
    rig.hal.wrong_handle = true;
    cr_assert_eq(recover(&r), -EPERM);
    rig.hal.wrong_handle = false;
    rig.hal.no_mem = true;
    recording_hal_clear(&rig.hal);
    cr_assert_eq(spipe_ioctl(app, disk, DK_CXLFLASH_DETACH, &d), 0);
    cr_assert_null(strstr(rig.hal.text, "ctrl"));
    cr_assert_null(strstr(rig.hal.text, "release"));
    cr_assert_eq(spipe_adap_close(app, a.adap_fd), 0);
    cr_assert_not_null(strstr(rig.hal.text, "release 5\n"));
    cr_assert_null(strstr(rig.hal.text, "ctrl"));
    PROVES(SP_98);
    rig.hal.no_mem = false;
    end();
}
