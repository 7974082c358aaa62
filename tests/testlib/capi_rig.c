/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/capi_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/posix/posix_exec.h"
#include "tests/testlib/test_clock.h"

static void hear(void *arg, const char *line)
{
    struct capi_rig *rig = arg;
    size_t n = strlen(rig->log);

    snprintf(rig->log + n, sizeof rig->log - n, "%s\n", line);
}

void capi_rig_init(struct capi_rig *rig)
{
    const char *tmp = getenv("TEST_TMPDIR");

    memset(rig, 0, sizeof *rig);
    fake_cxl_init();
    snprintf(rig->dir, sizeof rig->dir, "%s/capi-XXXXXX", tmp ? tmp : "/tmp");
    cr_assert_not_null(mkdtemp(rig->dir));
    cr_assert_eq(posix_exec_create(&rig->exec), 0);
    test_clock_install(rig->exec);
    rig->library = fake_cxl_library(NULL);
    rig->config = (struct capi_config){
        .size = sizeof rig->config,
        .exec = rig->exec,
        .library = rig->library,
        .kernel = &fake_cxl_kernel,
        .lock_dir = rig->dir,
        .log = hear,
        .log_arg = rig,
    };
}

void capi_rig_open(struct capi_rig *rig)
{
    char why[256] = "";

    cr_assert_eq(capi_backend_open(&rig->config, &rig->dev, why, sizeof why), 0, "%s", why);
    fake_cxl.log[0] = '\0';
    fake_cxl.opened = 0;
}

void capi_rig_up(struct capi_rig *rig)
{
    capi_rig_init(rig);
    capi_rig_open(rig);
}

int capi_rig_refused(struct capi_rig *rig, char *why, size_t size)
{
    struct hal_dev *dev;
    int rc;

    why[0] = '\0';
    rc = capi_backend_open(&rig->config, &dev, why, size);
    cr_assert_neq(rc, 0, "it was opened");
    cr_assert_neq(why[0], '\0', "no reason was given");
    cr_assert_eq(fake_cxl.handles, 0);
    return rc;
}

void capi_rig_down(struct capi_rig *rig)
{
    char path[512];

    if (rig->dev)
        hal_close(rig->dev);
    capi_library_close(rig->library);
    posix_exec_destroy(rig->exec);
    fake_cxl_fini();
    for (unsigned card = 0; card < 4; card++) { /* whatever it was called */
        snprintf(path, sizeof path, "%s/superpipe-afu%u.0.lock", rig->dir, card);
        unlink(path);
    }
    cr_assert_eq(rmdir(rig->dir), 0);
}

struct hal_ctx *capi_rig_context(struct capi_rig *rig, enum hal_ctx_kind kind)
{
    struct hal_ctx *ctx;

    cr_assert_eq(hal_ctx_create(rig->dev, kind, &ctx), 0);
    cr_assert_eq(hal_ctx_start(ctx, 3), 0);
    return ctx;
}

bool capi_rig_told(const struct capi_rig *rig, const char *part)
{
    return strstr(rig->log, part) != NULL;
}
