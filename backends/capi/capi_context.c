/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts: one open node each. Stopping one is closing it, because the kernel detaches at no other
 * time (CX section 10, AD-224). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backends/capi/capi_errno.h"
#include "backends/capi/capi_internal.h"
#include "hal/afu_regs.h"
#include "hal/support/check.h"

/* ---- nodes ------------------------------------------------------------------------------------
 */

int capi_node_open(struct capi_dev *d, enum hal_ctx_kind kind, struct cxl_afu_h **out)
{
    struct capi_names names = capi_names(d);
    char path[CAPI_PATH_BYTES];
    long level;
    int rc = capi_attribute_number(d->kernel, &level, "%s/api_version_compatible", names.afu);

    if (rc)
        return capi_errno(rc);
    if (level > CXL_API_VERSION)
        return -EPROTO;
    snprintf(path, sizeof path, CXL_DEV_DIR "/%s%c", names.afu, kind == HAL_CTX_MASTER ? 'm' : 's');
    errno = 0;
    *out = d->library->cxl_afu_open_dev(path);
    if (*out)
        return 0;
    return errno == EPROTO ? -EPROTO : capi_errno(errno ? errno : ENODEV);
}

static int attach_once(struct capi_dev *d, struct cxl_afu_h *afu, struct cxl_ioctl_start_work *work)
{
    return d->library->cxl_afu_attach_work(afu, work) ? errno : 0;
}

/* There is no setter for ERR_FF (CX-41). An old kernel refuses the flag, with the errno of a count
 * that is wrong: so it is tried once more without. */
int capi_attach(struct capi_dev *d, struct cxl_afu_h *afu, unsigned interrupts)
{
    const struct capi_library *l = d->library;
    struct cxl_ioctl_start_work *work;
    int error;

    if (interrupts > INT16_MAX)
        return -EINVAL;
    work = l->cxl_work_alloc();
    if (!work)
        return -ENOMEM;
    error = l->cxl_work_set_wed(work, 0) || l->cxl_work_set_num_irqs(work, (int16_t)interrupts)
                ? errno
                : 0;
    if (!error) {
        work->flags |= CXL_START_WORK_ERR_FF;
        error = attach_once(d, afu, work);
        if (error == EINVAL) {
            work->flags &= ~CXL_START_WORK_ERR_FF;
            error = attach_once(d, afu, work);
        }
    }
    l->cxl_work_free(work);
    return capi_errno(error);
}

uint64_t capi_map_size(const struct capi_dev *d, enum hal_ctx_kind kind)
{
    return kind == HAL_CTX_MASTER ? d->master_size : CXL_SLAVE_MAP_SIZE;
}

uint64_t capi_own_page(enum hal_ctx_kind kind, unsigned handle)
{
    return kind == HAL_CTX_MASTER ? AFU_HOST_BASE((uint64_t)handle) : 0;
}

/* ---- who is inside -----------------------------------------------------------------------------
 */

bool capi_enter(struct capi_ctx *c)
{
    __atomic_add_fetch(&c->users, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&c->closing, __ATOMIC_SEQ_CST))
        return true;
    capi_leave(c);
    return false;
}

void capi_leave(struct capi_ctx *c)
{
    struct capi_dev *d = c->dev;

    if (__atomic_sub_fetch(&c->users, 1, __ATOMIC_SEQ_CST) ||
        !__atomic_load_n(&c->closing, __ATOMIC_SEQ_CST))
        return;
    exec_mutex_lock(d->exec, &d->lock);
    exec_cond_broadcast(d->exec, &d->quiet);
    exec_mutex_unlock(d->exec, &d->lock);
}

static bool is_used(struct capi_ctx *c) { return __atomic_load_n(&c->users, __ATOMIC_SEQ_CST) > 0; }

static void wait_until_quiet(struct capi_ctx *c)
{
    struct capi_dev *d = c->dev;

    if (!is_used(c))
        return;
    exec_mutex_lock(d->exec, &d->lock);
    while (is_used(c))
        CHECK(exec_cond_wait(d->exec, &d->quiet, &d->lock, EXEC_FOREVER, false) == 0);
    exec_mutex_unlock(d->exec, &d->lock);
}

/* ---- descriptors ------------------------------------------------------------------------------
 */

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Without waiting itself, read() shows what epoll was woken for (CX-82). */
static int do_not_block(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_descriptors(struct capi_ctx *c)
{
    int fd = c->dev->library->cxl_afu_fd(c->afu), rc;

    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->epoll < 0 || c->wake < 0)
        return -errno;
    rc = do_not_block(fd);
    if (!rc)
        rc = watch(c->epoll, fd);
    return rc ? rc : watch(c->epoll, c->wake);
}

static void close_descriptors(struct capi_ctx *c)
{
    if (c->epoll >= 0)
        close(c->epoll);
    if (c->wake >= 0)
        close(c->wake);
}

/* Detaches; nobody is inside. What a child of this process may still have of the descriptor must
 * not wake anybody. */
static void close_handle(struct capi_ctx *c)
{
    const struct capi_library *l = c->dev->library;

    if (!c->afu)
        return;
    if (c->epoll >= 0)
        epoll_ctl(c->epoll, EPOLL_CTL_DEL, l->cxl_afu_fd(c->afu), NULL);
    if (c->mapped)
        capi_mmio_close(&c->map);
    l->cxl_afu_free(c->afu);
    c->mapped = false;
    c->afu = NULL;
    c->below = NULL;
}

/* ---- books ------------------------------------------------------------------------------------
 */

static void enlist(struct capi_ctx *c)
{
    pthread_mutex_lock(&c->dev->books);
    c->next = c->dev->contexts;
    c->dev->contexts = c;
    pthread_mutex_unlock(&c->dev->books);
}

static void strike_out(struct capi_ctx *c)
{
    struct capi_ctx **at;

    pthread_mutex_lock(&c->dev->books);
    for (at = &c->dev->contexts; *at != c; at = &(*at)->next)
        ;
    *at = c->next;
    pthread_mutex_unlock(&c->dev->books);
}

/* ---- life -------------------------------------------------------------------------------------
 */

static struct hal_ctx *below_of(const struct capi_dev *d, struct cxl_afu_h *afu)
{
    if (!d->standin)
        return NULL;
    return d->library->direct ? d->standin->context_of(d->library->cxl_afu_fd(afu))
                              : d->standin->context(afu);
}

/* Opens the node and everything that belongs to it; on failure nothing is left (CX-25). */
static int bring_in(struct capi_ctx *c, enum hal_ctx_kind kind)
{
    int rc = capi_node_open(c->dev, kind, &c->afu), element = -1;

    if (rc)
        return rc;
    rc = open_descriptors(c);
    if (!rc) {
        element = c->dev->library->cxl_afu_get_process_element(c->afu);
        rc = element < 0 ? -errno : 0;
    }
    if (!rc && element > UINT16_MAX)
        rc = -EIO;
    if (rc) {
        close_handle(c);
        close_descriptors(c);
        return capi_errno(rc);
    }
    c->hal.handle = (uint16_t)element;
    c->below = below_of(c->dev, c->afu);
    return 0;
}

/* SP-43: creating fails with ENODEV, unless it is a matter of memory or of rights. */
static int create_failed(struct capi_dev *d, enum hal_ctx_kind kind, int rc)
{
    struct capi_names names = capi_names(d);
    char view = kind == HAL_CTX_MASTER ? 'm' : 's';

    switch (rc) {
    case -ENOSPC:
        capi_log(d, "all contexts of %s are in use", names.afu);
        break;
    case -EACCES:
        capi_log(d, "no right to read and write " CXL_DEV_DIR "/%s%c", names.afu, view);
        return rc;
    case -ENOMEM:
        return rc;
    case -EPROTO:
        capi_log(d, "the cxl driver asks for a newer interface than %d", CXL_API_VERSION);
        break;
    default:
        capi_log(d, CXL_DEV_DIR "/%s%c cannot be opened (error %d)", names.afu, view, -rc);
        break;
    }
    return -ENODEV;
}

int capi_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind, struct hal_ctx **out)
{
    struct capi_dev *d = capi_dev_of(dev);
    struct capi_ctx *c;
    int rc;

    if (!capi_usable(d))
        return -ENODEV;
    if (kind == HAL_CTX_MASTER && d->config.users_only)
        return -EACCES;
    c = exec_alloc(d->exec, sizeof *c, 64);
    if (!c)
        return -ENOMEM;
    c->dev = d;
    c->epoll = c->wake = -1;
    rc = bring_in(c, kind);
    if (rc) {
        exec_free(d->exec, c, sizeof *c);
        return create_failed(d, kind, rc);
    }
    enlist(c);
    *out = &c->hal;
    return 0;
}

/* A master has one interrupt for each of its three causes, or fewer if it asks for fewer, but never
 * less than the platform gives (CX-47). Users get what they ask for, which they may get wrong. */
static unsigned interrupts_of(const struct capi_ctx *c, unsigned asked)
{
    return c->hal.kind == HAL_CTX_MASTER && asked < c->dev->irqs_min ? c->dev->irqs_min : asked;
}

/* A context that was attached once cannot be attached again (CX-30), so a start that failed behind
 * that leaves one that nothing can be done with (CX-49). */
int capi_ctx_start(struct hal_ctx *ctx, unsigned interrupts)
{
    struct capi_ctx *c = capi_ctx_of(ctx);
    struct capi_dev *d = c->dev;
    int rc;

    if (!c->afu || c->attached || __atomic_load_n(&c->dead, __ATOMIC_RELAXED))
        return -EIO;
    rc = capi_attach(d, c->afu, interrupts_of(c, interrupts));
    if (rc == -ENOSPC)
        capi_log(d, "the card has not enough interrupts left for %u more", interrupts);
    if (rc)
        return rc;
    c->attached = true;
    rc = capi_mmio_open(&c->map, d->library, c->afu, capi_map_size(d, ctx->kind));
    c->mapped = rc == 0;
    return rc;
}

/* In this order: nobody enters, who sleeps wakes up, who is inside comes out, the node is closed,
 * so that it is in nobody's way. */
static void end(struct capi_ctx *c)
{
    __atomic_store_n(&c->closing, true, __ATOMIC_SEQ_CST);
    CHECK(eventfd_write(c->wake, 1) == 0);
    wait_until_quiet(c);
    close_handle(c);
}

/* There is no stop on a card that leaves a context open (AD-224). */
int capi_ctx_stop(struct hal_ctx *ctx)
{
    end(capi_ctx_of(ctx));
    return 0;
}

void capi_ctx_lose(struct hal_ctx *ctx) { end(capi_ctx_of(ctx)); }

void capi_ctx_release(struct hal_ctx *ctx)
{
    struct capi_ctx *c = capi_ctx_of(ctx);

    strike_out(c); /* before its descriptors go */
    close_handle(c);
    close_descriptors(c);
    exec_free(c->dev->exec, c, sizeof *c);
}
