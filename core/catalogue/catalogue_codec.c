/* SPDX-License-Identifier: Apache-2.0 */
/* See catalogue_codec.h for the layout. */
#include "core/catalogue/catalogue_codec.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"
#include "hal/support/endian.h"

/* What follows the operation byte, in this order. */
enum {
    HAS_NAME = 1,
    HAS_WWID = 2,
    HAS_FIRST = 4,
    HAS_COUNT = 8,
    HAS_NUMBER = 16,
};

enum { STEP_MAX = 1 + 1 + SPIPE__CAT_NAME_MAX + SPIPE__CAT_WWID_LENGTH + 4 + 4 + 8 };

static const uint8_t fields_of[] = {
    [SPIPE__CAT_CREATE] = HAS_NAME | HAS_WWID,
    [SPIPE__CAT_SELECT] = HAS_NAME,
    [SPIPE__CAT_REMOVE] = 0,
    [SPIPE__CAT_RENAME] = HAS_NAME,
    [SPIPE__CAT_ADD] = HAS_FIRST | HAS_COUNT,
    [SPIPE__CAT_CUT] = HAS_COUNT,
    [SPIPE__CAT_LENGTH] = HAS_NUMBER,
    [SPIPE__CAT_GENERATION] = HAS_NUMBER,
    [SPIPE__CAT_WIPE] = HAS_WWID | HAS_FIRST | HAS_COUNT,
    [SPIPE__CAT_WIPED] = HAS_WWID | HAS_FIRST | HAS_COUNT,
};

/* ---- writing ---- */

void spipe__cat_write_begin(struct spipe__cat_writer *w, enum spipe__cat_kind kind, uint64_t number,
                            uint8_t *buf, hal_record_fn put, void *arg)
{
    CHECK(kind == SPIPE__CAT_CHANGE || kind == SPIPE__CAT_STATE);
    *w = (struct spipe__cat_writer){
        .put = put,
        .arg = arg,
        .buf = buf,
        .used = SPIPE__CAT_RECORD_HEADER,
        .header = {.kind = kind, .number = number},
    };
}

/* Hands out what has been gathered, as a record of the given kind. */
static void flush(struct spipe__cat_writer *w, enum spipe__cat_kind kind)
{
    w->buf[0] = SPIPE__CAT_FORMAT;
    w->buf[1] = (uint8_t)kind;
    hal_be16_put(w->buf + 2, w->header.part);
    hal_be64_put(w->buf + 4, w->header.number);
    if (!w->rc)
        w->rc = w->put(w->arg, w->buf, w->used);
    w->used = SPIPE__CAT_RECORD_HEADER;
    if (kind == SPIPE__CAT_PART) {
        w->header.part++;
        CHECK(w->header.part);
    }
}

static size_t encode_step(const struct spipe__cat_step *step, uint8_t *p)
{
    unsigned fields = fields_of[step->op];
    uint8_t *start = p;

    *p++ = (uint8_t)step->op;
    if (fields & HAS_NAME) {
        size_t n = strlen(step->name);
        *p++ = (uint8_t)n;
        memcpy(p, step->name, n);
        p += n;
    }
    if (fields & HAS_WWID) {
        memcpy(p, step->wwid, SPIPE__CAT_WWID_LENGTH);
        p += SPIPE__CAT_WWID_LENGTH;
    }
    if (fields & HAS_FIRST) {
        hal_be32_put(p, step->first);
        p += 4;
    }
    if (fields & HAS_COUNT) {
        hal_be32_put(p, step->count);
        p += 4;
    }
    if (fields & HAS_NUMBER) {
        hal_be64_put(p, step->number);
        p += 8;
    }
    return (size_t)(p - start);
}

void spipe__cat_write(struct spipe__cat_writer *w, const struct spipe__cat_step *step)
{
    uint8_t bytes[STEP_MAX];
    size_t n = encode_step(step, bytes);

    if (n > HAL_RECORD_MAX - w->used)
        flush(w, w->header.kind == SPIPE__CAT_STATE ? SPIPE__CAT_STATE : SPIPE__CAT_PART);
    memcpy(w->buf + w->used, bytes, n);
    w->used += n;
}

/* `step` without the run. */
static void write_runs(struct spipe__cat_writer *w, struct spipe__cat_step step,
                       const uint32_t *chunks, uint32_t n)
{
    uint32_t i = 0;

    while (i < n) {
        step.first = chunks[i];
        step.count = 1;
        while (++i < n && chunks[i] == (uint64_t)step.first + step.count)
            step.count++;
        spipe__cat_write(w, &step);
    }
}

void spipe__cat_write_chunks(struct spipe__cat_writer *w, const uint32_t *chunks, uint32_t n)
{
    write_runs(w, (struct spipe__cat_step){.op = SPIPE__CAT_ADD}, chunks, n);
}

void spipe__cat_write_wipe(struct spipe__cat_writer *w, enum spipe__cat_op op, const uint8_t *wwid,
                           const uint32_t *chunks, uint32_t n)
{
    struct spipe__cat_step step = {.op = op};

    memcpy(step.wwid, wwid, sizeof step.wwid);
    write_runs(w, step, chunks, n);
}

int spipe__cat_write_end(struct spipe__cat_writer *w)
{
    enum spipe__cat_kind kind = w->header.kind;

    if (w->header.part)
        kind = SPIPE__CAT_LAST;
    flush(w, kind);
    return w->rc;
}

/* ---- reading ---- */

int spipe__cat_read_header(const void *record, size_t length, struct spipe__cat_header *header)
{
    const uint8_t *p = record;

    if (length > 0 && p[0] > SPIPE__CAT_FORMAT)
        return -ENOTSUP;
    if (length < SPIPE__CAT_RECORD_HEADER || p[0] < SPIPE__CAT_FORMAT_MIN)
        return -EILSEQ;
    if (p[1] < SPIPE__CAT_CHANGE || p[1] > SPIPE__CAT_STATE)
        return -EILSEQ;
    header->kind = (enum spipe__cat_kind)p[1];
    header->part = hal_be16_at(p + 2);
    header->number = hal_be64_at(p + 4);
    return 0;
}

/* Bytes that are still to be read. */
struct cursor {
    const uint8_t *p, *end;
};

static const uint8_t *take(struct cursor *c, size_t n)
{
    const uint8_t *p = c->p;

    if ((size_t)(c->end - c->p) < n)
        return NULL;
    c->p += n;
    return p;
}

static bool take_name(struct cursor *c, char *name)
{
    const uint8_t *n = take(c, 1), *p;

    if (!n || *n > SPIPE__CAT_NAME_MAX)
        return false;
    p = take(c, *n);
    if (!p || memchr(p, 0, *n))
        return false;
    memcpy(name, p, *n);
    name[*n] = 0;
    return spipe__cat_check_name(name) == 0;
}

static bool take_32(struct cursor *c, uint32_t *v)
{
    const uint8_t *p = take(c, 4);

    if (p)
        *v = hal_be32_at(p);
    return p != NULL;
}

static bool take_64(struct cursor *c, uint64_t *v)
{
    const uint8_t *p = take(c, 8);

    if (p)
        *v = hal_be64_at(p);
    return p != NULL;
}

static bool take_wwid(struct cursor *c, uint8_t *wwid)
{
    const uint8_t *p = take(c, SPIPE__CAT_WWID_LENGTH);

    if (p)
        memcpy(wwid, p, SPIPE__CAT_WWID_LENGTH);
    return p != NULL;
}

static bool take_fields(struct cursor *c, unsigned fields, struct spipe__cat_step *step)
{
    return (!(fields & HAS_NAME) || take_name(c, step->name)) &&
           (!(fields & HAS_WWID) || take_wwid(c, step->wwid)) &&
           (!(fields & HAS_FIRST) || take_32(c, &step->first)) &&
           (!(fields & HAS_COUNT) || take_32(c, &step->count)) &&
           (!(fields & HAS_NUMBER) || take_64(c, &step->number));
}

int spipe__cat_read_step(const void *record, size_t length, size_t *offset,
                         struct spipe__cat_step *step)
{
    const uint8_t *start = record;
    struct cursor c = {start + *offset, start + length};
    const uint8_t *op = take(&c, 1);

    if (!op || *op == 0 || *op >= HAL_ARRAY_LENGTH(fields_of))
        return -EILSEQ;
    *step = (struct spipe__cat_step){.op = (enum spipe__cat_op) * op};
    if (!take_fields(&c, fields_of[*op], step))
        return -EILSEQ;
    if (fields_of[*op] & HAS_FIRST &&
        (step->count == 0 || step->count - 1 > UINT32_MAX - step->first))
        return -EILSEQ;
    *offset = (size_t)(c.p - start);
    return 0;
}
