/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that are files: one of a private directory, and the stand-in as a program loads it. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>

#include "backends/capi/capi_backend.h"
#include "backends/capi/capi_library.h"
#include "backends/posix/posix_exec.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "tests/testlib/proves.h"

TestSuite(capi_load, .timeout = 30);

static struct capi_library *load(const char *path)
{
    struct capi_library *library = NULL;
    char why[256] = "";

    cr_assert_eq(capi_library_load(path, &library, why, sizeof why), 0, "%s", why);
    return library;
}

Test(capi_load, a_path_names_a_library_of_a_private_directory)
{
    struct capi_library *library = load("tests/unit/backends/libcapi_private.so");

    cr_assert_str_eq(library->version, "1.2");
    cr_assert_not_null(strstr(library->path, "libcapi_private.so"), "%s", library->path);
    cr_assert_eq(library->cxl_afu_fd(NULL), 77);
    cr_assert_null(library->cxl_get_tunneled_ops_supported);
    cr_assert_null(capi_library_standin(library));
    capi_library_close(library);
    PROVES(CX_6);
}

/* A world of the library's own, and a card of it. */
Test(capi_load, the_stand_in_is_a_library_like_any_other)
{
    struct capi_config config = {.size = sizeof config};
    struct hal_event event;
    struct hal_dev *dev;
    struct hal_ctx *ctx;
    char why[256] = "";

    config.library = load("sim/libcxl/libcxl.so.1");
    cr_assert_str_eq(config.library->version, "1.7");
    cr_assert_not_null(capi_library_standin(config.library));
    cr_assert_eq(posix_exec_create(&config.exec), 0);
    cr_assert_eq(capi_backend_open(&config, &dev, why, sizeof why), 0, "%s", why);
    cr_assert_eq(hal_ctx_create(dev, HAL_CTX_MASTER, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, 3), 0);
    hal_reg_write64(ctx, AFU_HOST_BASE(ctx->handle) + AFU_HOST_RRQ_START, 0x40);
    cr_assert_eq(hal_reg_read64(ctx, AFU_HOST_BASE(ctx->handle) + AFU_HOST_RRQ_START), 0x40);
    cr_assert_eq(hal_event_wait(ctx, 0, &event), 0);
    cr_assert_eq(event.kind, HAL_EVENT_NONE);
    hal_ctx_release(ctx);
    hal_close(dev);
    posix_exec_destroy(config.exec);
    capi_library_close(config.library);
    cr_assert_not_null(dlopen("sim/libcxl/libcxl.so.1", RTLD_NOW | RTLD_NOLOAD),
                       "threads of its world would run in a library that is gone");
    PROVES(CX_141);
}
