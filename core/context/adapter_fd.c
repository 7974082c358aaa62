/* SPDX-License-Identifier: Apache-2.0 */
/* What an application does with an adap_fd: map, load and store, wait for events, close (SP section
 * 9). */
#include <errno.h>

#include "core/adapter/verb.h"
#include "core/context/adapter_file.h"
#include "core/context/client.h"
#include "core/mutants.h"
#include "hal/afu_regs.h"
#include "hal/support/check.h"

/** Part of the user area of a context, as the application sees it. */
struct spipe_mapping {
    struct spipe__file *file; /* NULL: its client is gone */
    struct spipe *s;
    struct spipe_mapping *next; /* of the same client */
    uint64_t offset, length;
};

/* ---- with the books locked ---- */

static struct spipe__file *find(struct spipe_client *c, uint64_t number)
{
    struct spipe__file *f = c->s->files;

    while (f && (f->client != c || f->number != number || !f->open ||
                 (number == 0 && spipe__mutant(SPW_24))))
        f = f->next;
    return f;
}

static void unlink_file(struct spipe__file *f)
{
    struct spipe__file **link = &f->client->s->files;

    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
}

/* SP-148, SP-150: whether it was the last use. The file is the caller's then; it stays in the list
 * until that has passed the gate, because a reset must find every hardware context. */
static bool is_over(struct spipe__file *f)
{
    if (f->open || f->uses > 0 || f->ending)
        return false;
    f->ending = true;
    return true;
}

/* ---- the last use ---- */

static struct spipe_ctx *unlink_and_pin(struct spipe *s, struct spipe__file *f)
{
    struct spipe_ctx *ctx;

    spipe__books_lock(s);
    unlink_file(f);
    ctx = f->ctx;
    if (ctx)
        ctx->pins++;
    spipe__books_unlock(s);
    return ctx;
}

/* The context may have been recovered meanwhile, and have another file. */
static bool is_its_file(struct spipe *s, const struct spipe_ctx *ctx, const struct spipe__file *f)
{
    bool is;

    spipe__books_lock(s);
    is = ctx->file == f;
    spipe__books_unlock(s);
    return is;
}

/* Ends what is left of the context, and then the hardware context, of a file that is nobody's any
 * more (SP-148, SP-150). Inside the gate. */
static void end_file(struct spipe *s, struct spipe__file *f)
{
    struct spipe_ctx *ctx = unlink_and_pin(s, f);

    if (ctx && !spipe__mutant(SPW_8) && spipe__ctx_enter_pinned(ctx)) {
        if (is_its_file(s, ctx, f))
            spipe__detach_all(ctx);
        spipe__ctx_leave(ctx);
    }
    spipe__ctx_stop(f->hal);
    if (f->rht.entries)
        spipe__rht_fini(&f->rht);
    spipe__file_free(s, f);
}

/* ---- closing ---- */

static struct spipe__file *next_of(struct spipe_client *c, bool *over)
{
    struct spipe__file *f;

    spipe__books_lock(c->s);
    for (f = c->s->files; f && (f->client != c || f->ending); f = f->next)
        continue;
    *over = false;
    if (f) {
        f->open = false;
        *over = is_over(f);
    }
    spipe__books_unlock(c->s);
    return f;
}

static void end_mappings(struct spipe_client *c)
{
    spipe__books_lock(c->s);
    for (struct spipe_mapping *m = c->mappings; m; m = m->next) {
        m->file->uses--;
        m->file = NULL;
    }
    c->mappings = NULL;
    spipe__books_unlock(c->s);
}

void spipe__file_close_all(struct spipe_client *c)
{
    struct spipe__file *f;
    bool over;

    end_mappings(c);
    while ((f = next_of(c, &over)) != NULL) {
        CHECK(over); /* no thread of a process that ends waits for its events */
        end_file(c->s, f);
    }
}

static int close_file(struct spipe_client *c, uint64_t fd)
{
    struct spipe__file *f;
    bool over = false;

    spipe__books_lock(c->s);
    f = find(c, fd);
    if (f) {
        f->open = false;
        over = is_over(f);
    }
    spipe__books_unlock(c->s);
    if (over)
        end_file(c->s, f);
    return f ? 0 : -EBADF;
}

int spipe_adap_close(struct spipe_client *c, uint64_t fd)
{
    spipe__verb_begin_always(c->s, SPIPE__VERB_CLOSE, SPIPE__NO_CONTEXT);
    return spipe__verb_end(c->s, SPIPE__VERB_CLOSE, close_file(c, fd));
}

/* ---- uses ---- */

/* The open file with a number, counted as used. NULL: there is none. */
static struct spipe__file *use(struct spipe_client *c, uint64_t fd)
{
    struct spipe__file *f;

    spipe__books_lock(c->s);
    f = find(c, fd);
    if (f)
        f->uses++;
    spipe__books_unlock(c->s);
    return f;
}

/* The file may have been closed meanwhile; then its context ends here. */
static void end_use(struct spipe *s, struct spipe__file *f)
{
    bool over;

    spipe__books_lock(s);
    f->uses--;
    over = is_over(f);
    spipe__books_unlock(s);
    if (!over)
        return;
    spipe__verb_begin_always(s, SPIPE__VERB_CLOSE, SPIPE__NO_CONTEXT);
    end_file(s, f);
    (void)spipe__verb_end(s, SPIPE__VERB_CLOSE, 0);
}

/* ---- mappings ---- */

static bool window_valid(uint64_t offset, uint64_t length)
{
    return length && (offset | length) % 8 == 0 && offset <= HAL_USER_WINDOW &&
           length <= HAL_USER_WINDOW - offset;
}

/* SP-140: a context that is lost or has ended cannot be mapped. */
static bool is_alive(struct spipe *s, const struct spipe__file *f)
{
    bool alive;

    spipe__books_lock(s);
    alive = f->ctx && !f->ctx->errored;
    spipe__books_unlock(s);
    return alive;
}

/* SP-140: nor one behind a link that is down, which core may not have been told of. A register of
 * the context's own that never has all ones, and a second look before it is believed. */
static bool answers(struct hal_ctx *hal)
{
    unsigned looks = 2;

    while (looks > 0 && hal_reg_read64(hal, AFU_HOST_ENDIAN_CTRL) == HAL_ALL_ONES)
        looks--;
    return looks > 0;
}

/* Takes the use of f over. */
static int make_mapping(struct spipe_client *c, struct spipe__file *f, uint64_t offset,
                        uint64_t length, struct spipe_mapping **out)
{
    struct spipe_mapping *m;

    if (!is_alive(c->s, f) || !answers(f->hal))
        return -EIO;
    if (!window_valid(offset, length))
        return -EINVAL;
    m = exec_alloc(c->s->exec, sizeof *m, _Alignof(struct spipe_mapping));
    if (!m)
        return -ENOMEM;
    spipe__books_lock(c->s);
    *m = (struct spipe_mapping){f, c->s, c->mappings, offset, length};
    c->mappings = m;
    spipe__books_unlock(c->s);
    *out = m;
    return 0;
}

int spipe_adap_map(struct spipe_client *c, uint64_t fd, uint64_t offset, uint64_t length,
                   struct spipe_mapping **out)
{
    struct spipe__file *f = use(c, fd);
    int rc;

    if (!f)
        return -EBADF;
    rc = make_mapping(c, f, offset, length, out);
    if (rc)
        end_use(c->s, f);
    return rc;
}

static struct spipe__file *unlink_mapping(struct spipe_mapping *m)
{
    struct spipe__file *f;
    struct spipe_mapping **link;

    spipe__books_lock(m->s);
    f = m->file;
    if (f) {
        for (link = &f->client->mappings; *link != m; link = &(*link)->next)
            continue;
        *link = m->next;
    }
    spipe__books_unlock(m->s);
    return f;
}

void spipe_adap_unmap(struct spipe_mapping *m)
{
    struct spipe__file *f;

    if (!m)
        return;
    f = unlink_mapping(m);
    if (f)
        end_use(m->s, f);
    exec_free(m->s->exec, m, sizeof *m);
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
    if (m->file)
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
    struct spipe__file *f = use(c, fd);
    struct hal_event event;
    int rc;

    if (!f)
        return -EBADF;
    rc = hal_event_wait(f->hal, deadline, &event);
    translate(&event, out);
    end_use(c->s, f);
    return rc;
}
