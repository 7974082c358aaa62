/* SPDX-License-Identifier: Apache-2.0 */
/* Device nodes: one open, one context, one process element (CX sections 3 and 4). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hal/support/check.h"
#include "sim/libcxl/standin.h"

static struct standin_file **bucket(struct standin *s, int fd)
{
    return &s->file[(unsigned)fd % STANDIN_FILE_BUCKETS];
}

struct standin_file *standin_file(struct standin *s, int fd)
{
    struct standin_file *f = fd < 0 ? NULL : *bucket(s, fd);

    while (f && f->fd != fd)
        f = f->next;
    return f;
}

void standin_delay(struct standin *s, const struct standin_card *card)
{
    if (card->delay)
        while (exec_sleep_until(s->world.exec, exec_now(s->world.exec) + card->delay) == -EINTR)
            ;
}

void standin_delay_file(struct standin *s, int fd)
{
    const struct standin_file *f;
    const struct standin_card *card;

    standin_lock(s);
    f = standin_file(s, fd);
    card = f ? f->card : NULL;
    standin_unlock(s);
    if (card)
        standin_delay(s, card);
}

/* ---- open, close ------------------------------------------------------------------------------
 */

/* All but the process element (CX-14). */
static int may_open(const struct standin_node *node)
{
    const struct standin_card *card = node->card;

    if (card->probed && card->mode == STANDIN_MODE_NONE)
        return -ENODEV;
    if (!standin_node_there(node))
        return -ENOENT;
    if (card->denied)
        return -EACCES;
    return card->offline || card->frozen ? -EIO : 0;
}

static int take_element(struct standin *s, struct standin_file *f)
{
    const struct standin_card *card = f->card;
    int rc;

    if (card->files + (card->foreign != NULL) >= s->world.process_elements)
        return -ENOSPC;
    rc = hal_ctx_create(card->dev, f->view == CXL_VIEW_SLAVE ? HAL_CTX_USER : HAL_CTX_MASTER,
                        &f->ctx);
    return rc == -ENODEV ? -EIO : rc; /* the slot is frozen, which the driver has not heard yet */
}

static int open_node(struct standin *s, const struct standin_node *node)
{
    struct standin_file *f = exec_alloc(s->world.exec, sizeof *f, 64), **first;
    int rc;

    if (!f)
        return -ENOMEM;
    f->card = node->card;
    f->view = node->letter == 's'   ? CXL_VIEW_SLAVE
              : node->letter == 'm' ? CXL_VIEW_MASTER
                                    : CXL_VIEW_DEDICATED;
    f->fd = eventfd(0, EFD_CLOEXEC);
    rc = f->fd < 0 ? -errno : take_element(s, f);
    if (rc) {
        if (f->fd >= 0)
            close(f->fd);
        exec_free(s->world.exec, f, sizeof *f);
        return rc;
    }
    f->element = f->ctx->handle;
    f->holds_element = true;
    f->card->files++;
    first = bucket(s, f->fd);
    f->next = *first;
    *first = f;
    s->world.watch_context(f->ctx, standin_kick, f);
    return f->fd;
}

int standin_open(const char *path)
{
    static const char directory[] = CXL_DEV_DIR "/";
    struct standin *s = standin_enter();
    struct standin_node node;
    int rc;

    if (!s || strncmp(path, directory, sizeof directory - 1) ||
        !standin_node_parse(s, path + sizeof directory - 1, &node) || !node.letter)
        return -ENOENT;
    standin_delay(s, node.card);
    standin_lock(s);
    rc = may_open(&node);
    if (!rc)
        rc = open_node(s, &node);
    standin_unlock(s);
    return rc;
}

void standin_file_end(struct standin *s, struct standin_file *f)
{
    struct standin_file **at = bucket(s, f->fd);

    while (*at != f) {
        CHECK(*at);
        at = &(*at)->next;
    }
    *at = f->next;
    standin_maps_orphan(f);
    if (f->ctx) {
        s->world.watch_context(f->ctx, NULL, NULL); /* no callback from here on */
        hal_ctx_release(f->ctx);
    }
    f->card->files -= f->holds_element;
    close(f->fd);
    exec_free(s->world.exec, f, sizeof *f);
}

int standin_close(int fd)
{
    struct standin *s = standin_enter();
    struct standin_file *f;

    if (!s)
        return -EBADF;
    standin_lock(s);
    f = standin_file(s, fd);
    if (f)
        standin_file_end(s, f);
    standin_unlock(s);
    return f ? 0 : -EBADF;
}

/* ---- requests ----------------------------------------------------------------------------------
 */

/* CX-32, CX-33. */
static int check_work(const struct standin_card *card, const struct cxl_ioctl_start_work *work,
                      unsigned *interrupts)
{
    uint64_t known = CXL_START_WORK_ALL & ~(card->no_err_ff ? CXL_START_WORK_ERR_FF : 0);

    if (work->flags & ~known || work->reserved1 || work->reserved2 || work->reserved3 ||
        work->reserved4 || work->reserved5)
        return -EINVAL;
    *interrupts = card->irqs_min;
    if (!(work->flags & CXL_START_WORK_NUM_IRQS))
        return 0;
    if (work->num_interrupts < (int)card->irqs_min || work->num_interrupts > (int)card->irqs_max)
        return -EINVAL;
    *interrupts = (unsigned)work->num_interrupts;
    return 0;
}

static int start_work(struct standin_file *f, struct cxl_ioctl_start_work *work)
{
    struct standin_card *card = f->card;
    unsigned interrupts = 0;
    int rc;

    if (f->attached)
        return -EIO;
    rc = check_work(card, work, &interrupts);
    if (!rc && card->refuse_attach)
        rc = -card->refuse_attach;
    if (!rc && card->resetting)
        rc = -EBUSY;
    if (!rc)
        rc = hal_ctx_start(f->ctx, interrupts);
    if (rc)
        return rc;
    f->work = *work;
    f->work.amr = work->flags & CXL_START_WORK_AMR ? work->amr & card->uamor : 0;
    f->work.num_interrupts = (int16_t)interrupts;
    f->attached = true;
    return 0;
}

static int afu_id(const struct standin_file *f, struct cxl_afu_id *id)
{
    if (f->card->no_afu_id)
        return -EINVAL;
    memset(id, 0, sizeof *id);
    id->flags = f->view == CXL_VIEW_SLAVE ? CXL_AFU_ID_SLAVE : 0;
    id->card_id = f->card->number;
    id->afu_mode = f->view == CXL_VIEW_DEDICATED ? CXL_MODE_DEDICATED : CXL_MODE_DIRECTED;
    return 0;
}

/* CX-43: whether it is closed or offline comes before all else. */
static int request_of(struct standin_file *f, unsigned long request, void *argument)
{
    if (f->closed || f->card->offline || f->card->frozen)
        return -EIO;
    if (request == CXL_IOCTL_START_WORK)
        return argument ? start_work(f, argument) : -EFAULT;
    if (request == CXL_IOCTL_GET_PROCESS_ELEMENT) {
        if (!argument)
            return -EFAULT;
        *(uint32_t *)argument = f->element;
        return 0;
    }
    if (request == CXL_IOCTL_GET_AFU_ID)
        return argument ? afu_id(f, argument) : -EFAULT;
    return -EINVAL;
}

int standin_ioctl(int fd, unsigned long request, void *argument)
{
    struct standin *s = standin_enter();
    struct standin_file *f;
    int rc = -EBADF;

    if (!s)
        return -EBADF;
    standin_delay_file(s, fd);
    standin_lock(s);
    f = standin_file(s, fd);
    if (f)
        rc = request_of(f, request, argument);
    standin_unlock(s);
    return rc;
}
