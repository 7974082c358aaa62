/* SPDX-License-Identifier: Apache-2.0 */
#include "core/adapter_file.h"

#include <errno.h>

#include "core/verb.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/** Part of the user area of a context, as the application sees it. */
struct spipe_mapping {
    struct spipe__file *file; /* NULL: its client is gone */
    struct spipe *s;
    struct spipe_mapping *next; /* of the same client */
    uint64_t offset, length;
};

/* ---- files ---- */

int spipe__file_open(struct spipe_client *c, struct spipe_ctx *ctx, struct spipe__file **out)
{
    struct spipe__file *f = exec_alloc(c->s->exec, sizeof *f, _Alignof(struct spipe__file));

    if (!f)
        return -ENOMEM;
    f->client = c;
    f->hal = ctx->hal;
    f->ctx = ctx;
    f->number = ctx->number;
    f->open = true;
    f->next = c->files;
    c->files = f;
    ctx->file = f;
    *out = f;
    return 0;
}

void spipe__file_orphan(struct spipe__file *f)
{
    f->rht = f->ctx->rht;
    f->ctx = NULL;
}

struct spipe__file *spipe__file_find(struct spipe_client *c, uint64_t number)
{
    struct spipe__file *f = c->files;

    while (f && (f->number != number || !f->open))
        f = f->next;
    return f;
}

static void free_file(struct spipe__file *f)
{
    struct spipe__file **link = &f->client->files;

    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    spipe__ctx_stop(f->hal);
    spipe__rht_fini(&f->rht);
    exec_free(f->client->s->exec, f, sizeof *f);
}

/* SP-148, SP-150. */
static void settle(struct spipe__file *f)
{
    if (f->open || f->mappings > 0)
        return;
    if (f->ctx)
        spipe__detach_all(f->ctx);
    free_file(f);
}

void spipe__file_close(struct spipe__file *f)
{
    CHECK(f->open);
    f->open = false;
    settle(f);
}

void spipe__file_close_all(struct spipe_client *c)
{
    for (struct spipe_mapping *m = c->mappings; m; m = m->next) {
        m->file->mappings--;
        m->file = NULL;
    }
    c->mappings = NULL;
    while (c->files) {
        c->files->open = false;
        settle(c->files);
    }
}

int spipe_adap_close(struct spipe_client *c, uint64_t fd)
{
    struct spipe__file *f;

    spipe__verb_begin(c->s, SPIPE__VERB_CLOSE, fd);
    f = spipe__file_find(c, fd);
    if (f)
        spipe__file_close(f);
    return spipe__verb_end(c->s, SPIPE__VERB_CLOSE, f ? 0 : -EBADF);
}

/* ---- mappings ---- */

static int map(struct spipe_client *c, uint64_t fd, uint64_t offset, uint64_t length,
               struct spipe_mapping **out)
{
    struct spipe__file *f = spipe__file_find(c, fd);
    struct spipe_mapping *m;

    if (!f)
        return -EBADF;
    if (!f->ctx || !f->hal)
        return -EIO; /* SP-140 */
    if (!length || (offset | length) % 8 || offset > HAL_USER_WINDOW ||
        length > HAL_USER_WINDOW - offset)
        return -EINVAL;
    m = exec_alloc(c->s->exec, sizeof *m, _Alignof(struct spipe_mapping));
    if (!m)
        return -ENOMEM;
    *m = (struct spipe_mapping){f, c->s, c->mappings, offset, length};
    c->mappings = m;
    f->mappings++;
    *out = m;
    return 0;
}

int spipe_adap_map(struct spipe_client *c, uint64_t fd, uint64_t offset, uint64_t length,
                   struct spipe_mapping **out)
{
    int rc;

    exec_mutex_lock(c->s->exec, &c->s->control);
    rc = map(c, fd, offset, length, out);
    exec_mutex_unlock(c->s->exec, &c->s->control);
    return rc;
}

static void unmap(struct spipe_mapping *m)
{
    struct spipe__file *f = m->file;
    struct spipe_mapping **link;

    if (!f)
        return;
    for (link = &f->client->mappings; *link != m; link = &(*link)->next)
        continue;
    *link = m->next;
    f->mappings--;
    settle(f);
}

void spipe_adap_unmap(struct spipe_mapping *m)
{
    struct spipe *s;

    if (!m)
        return;
    s = m->s;
    spipe__verb_begin(s, SPIPE__VERB_CLOSE, SPIPE__NO_CONTEXT);
    unmap(m);
    (void)spipe__verb_end(s, SPIPE__VERB_CLOSE, 0);
    exec_free(s->exec, m, sizeof *m);
}

/* The hardware behind an offset of a mapping; NULL: it reads all ones, and stores are lost (SP-142,
 * SP-147). There is no page that anybody could write to. */
static struct hal_ctx *behind(const struct spipe_mapping *m, uint64_t offset)
{
    if (!m->file || offset % 8 || offset > m->length - 8)
        return NULL;
    return m->file->hal;
}

uint64_t spipe_adap_read64(const struct spipe_mapping *m, uint64_t offset)
{
    struct hal_ctx *hal = behind(m, offset);

    return hal ? hal_reg_read64(hal, m->offset + offset) : HAL_ALL_ONES;
}

void spipe_adap_write64(const struct spipe_mapping *m, uint64_t offset, uint64_t value)
{
    struct hal_ctx *hal = behind(m, offset);

    if (hal)
        hal_reg_write64(hal, m->offset + offset, value);
}

void spipe_adap_progress(const struct spipe_mapping *m)
{
    if (m->file && m->file->hal)
        hal_progress(m->file->hal);
}

/* ---- events ---- */

static void translate(const struct hal_event *event, struct spipe_adap_event *out)
{
    static const uint8_t kinds[] = {[HAL_EVENT_NONE] = SPIPE_ADAP_NOTHING,
                                    [HAL_EVENT_AFU_INTERRUPT] = SPIPE_ADAP_INTERRUPT,
                                    [HAL_EVENT_DATA_STORAGE] = SPIPE_ADAP_DATA_STORAGE,
                                    [HAL_EVENT_DEVICE_LOST] = SPIPE_ADAP_LOST};

    *out = (struct spipe_adap_event){.kind = kinds[event->kind],
                                     .interrupt = event->number,
                                     .address = event->address,
                                     .dsisr = event->dsisr};
}

int spipe_adap_event(struct spipe_client *c, uint64_t fd, uint64_t deadline,
                     struct spipe_adap_event *out)
{
    struct hal_event event;
    struct spipe__file *f;
    int rc;

    exec_mutex_lock(c->s->exec, &c->s->control);
    f = spipe__file_find(c, fd);
    exec_mutex_unlock(c->s->exec, &c->s->control);
    if (!f)
        return -EBADF;
    if (!f->hal)
        return -EIO;
    rc = hal_event_wait(f->hal, deadline, &event);
    translate(&event, out);
    return rc;
}
