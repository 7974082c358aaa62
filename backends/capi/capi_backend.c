/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/capi/capi_backend.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "backends/capi/capi_internal.h"
#include "backends/capi/capi_kernel.h"
#include "backends/capi/capi_lock.h"
#include "hal/support/check.h"

#define NODE_WAIT_NS UINT64_C(120000000000) /* */
#define POLL_NS UINT64_C(100000)

void capi_log(const struct capi_dev *d, const char *format, ...)
{
    char line[512];
    va_list args;

    if (!d->config.log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    d->config.log(d->config.log_arg, line);
}

/* ---- names ------------------------------------------------------------------------------------
 */

struct capi_names capi_names(struct capi_dev *d)
{
    struct capi_names names;

    pthread_mutex_lock(&d->books);
    names = d->names;
    pthread_mutex_unlock(&d->books);
    return names;
}

void capi_rename(struct capi_dev *d, const struct capi_names *names)
{
    pthread_mutex_lock(&d->books);
    d->names = *names;
    pthread_mutex_unlock(&d->books);
}

/* ---- what costs nothing on a card --------------------------------------------------------------
 */

/* Time passes for a poller of a context that is closed, too. */
static void pass_time(struct capi_dev *d)
{
    uint64_t until = exec_now(d->exec) + POLL_NS;
    int rc;

    exec_mutex_lock(d->exec, &d->lock);
    rc = exec_cond_wait(d->exec, &d->quiet, &d->lock, until, false);
    CHECK(rc == 0 || rc == -ETIMEDOUT);
    exec_mutex_unlock(d->exec, &d->lock);
}

static void progress(struct hal_ctx *ctx)
{
    struct capi_ctx *c = capi_ctx_of(ctx);

    if (!c->dev->below)
        return;
    if (!capi_enter(c)) {
        pass_time(c->dev);
        return;
    }
    hal_progress(c->below);
    capi_leave(c);
}

static void note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b)
{
    struct capi_dev *d = capi_dev_of(dev);

    if (d->below)
        hal_note(d->below, what, a, b);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void destroy(struct capi_dev *d)
{
    capi_lock_release(d->lock_fd);
    exec_cond_fini(d->exec, &d->quiet);
    exec_cond_fini(d->exec, &d->news);
    exec_mutex_fini(d->exec, &d->lock);
    pthread_mutex_destroy(&d->books);
    exec_free(d->exec, d, sizeof *d);
}

static void close_device(struct hal_dev *dev)
{
    struct capi_dev *d = capi_dev_of(dev);

    CHECK(!d->contexts);
    destroy(d);
}

static const struct hal_ops capi_ops = {
    .name = "capi",
    .close = close_device,
    .afu_reset = capi_afu_reset,
    .reload_same_image = capi_reload_same_image,
    .vpd_read = capi_vpd_read,
    .platform_wait = capi_platform_wait,
    .platform_answer = capi_platform_answer,
    .ctx_create = capi_ctx_create,
    .ctx_start = capi_ctx_start,
    .ctx_stop = capi_ctx_stop,
    .ctx_lose = capi_ctx_lose,
    .ctx_release = capi_ctx_release,
    .reg_read64 = capi_reg_read64,
    .reg_write64 = capi_reg_write64,
    .event_wait = capi_event_wait,
    .progress = progress,
    .mem_register = capi_mem_register,
    .mem_release = capi_mem_release,
    .table_store = capi_table_store,
    .publish = capi_publish,
    .note = note,
};

static struct capi_dev *create(const struct capi_config *config)
{
    struct capi_dev *d = exec_alloc(config->exec, sizeof *d, 64);

    if (!d)
        return NULL;
    d->config = *config;
    if (!d->config.node_wait_ns)
        d->config.node_wait_ns = NODE_WAIT_NS;
    d->exec = config->exec;
    d->library = config->library;
    d->standin = config->standin ? config->standin : capi_library_standin(config->library);
    d->kernel = config->kernel ? config->kernel : d->standin ? d->standin->kernel : &capi_kernel;
    d->lock_fd = -1;
    hal_dev_init(&d->hal, &capi_ops);
    pthread_mutex_init(&d->books, NULL);
    exec_mutex_init(d->exec, &d->lock, "capi");
    exec_cond_init(d->exec, &d->news, "capi card lost");
    exec_cond_init(d->exec, &d->quiet, "capi context closed");
    return d;
}

/* The stand-in is in this process: nobody else can have it. */
static int take(struct capi_dev *d, char *why, size_t size)
{
    if (!d->standin) {
        if (d->config.users_only)
            return 0;
        return capi_lock_take(d->config.lock_dir, d->names.afu, &d->lock_fd, why, size);
    }
    d->below = d->standin->device(d->names.afu);
    if (!d->below) {
        snprintf(why, size, "the stand-in has no %s", d->names.afu);
        return -ENODEV;
    }
    return 0;
}

int capi_backend_open(const struct capi_config *config, struct hal_dev **out, char *why,
                      size_t size)
{
    struct capi_dev *d;
    int rc;

    if (config->size != sizeof *config || !config->exec || !config->library) {
        snprintf(why, size, "the configuration of the capi back end is not one of this version");
        return -EINVAL;
    }
    d = create(config);
    if (!d) {
        snprintf(why, size, "not enough memory for the capi back end");
        return -ENOMEM;
    }
    rc = capi_find(d, why, size);
    if (!rc)
        rc = take(d, why, size);
    if (!rc)
        rc = capi_check(d, why, size);
    if (rc) {
        destroy(d);
        return rc;
    }
    *out = &d->hal;
    return 0;
}
