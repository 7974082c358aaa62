/* SPDX-License-Identifier: Apache-2.0 */
/* Replay: turns the records of a store into the table, and refuses whatever does not add up. A
 * record that passed the checksum and still makes no sense means that the software, or another
 * party, wrote nonsense; going on could hand one chunk to two owners. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/catalogue/catalogue_codec.h"
#include "core/catalogue/catalogue_table.h"
#include "hal/support/check.h"

/* A piece of a change that is not complete yet. */
struct piece {
    struct piece *next;
    size_t length;
    uint8_t record[];
};

struct replay {
    struct spipe__cat_table *table;
    struct spipe__cat_error *error;
    uint64_t record; /* number of the one being read, from 1, for reports */
    uint64_t bytes;
    uint64_t number; /* of the last change that counts */
    bool changed;    /* a change was seen: no more state records may come */
    bool stated;     /* a state record was seen */

    struct piece *first, **last; /* of the unfinished change */
    uint32_t pieces;

    struct spipe__cat_node *selected; /* by the steps so far */
    enum spipe__cat_kind kind;        /* of the record whose steps are being applied */
};

__attribute__((format(printf, 3, 4))) static int refuse(struct replay *r, int rc, const char *form,
                                                        ...)
{
    char why[SPIPE__CAT_ERROR_LENGTH - 32];
    va_list args;

    va_start(args, form);
    vsnprintf(why, sizeof why, form, args);
    va_end(args);
    snprintf(r->error->text, sizeof r->error->text, "record %llu: %s",
             (unsigned long long)r->record, why);
    return rc;
}

static int no_memory(struct replay *r) { return refuse(r, -ENOMEM, "no memory"); }

/* ---- steps ---- */

static int create(struct replay *r, const struct spipe__cat_step *step)
{
    struct spipe__cat_lun *lun;

    if (spipe__cat_table_find(r->table, step->name))
        return refuse(r, -EILSEQ, "\"%s\" is created twice", step->name);
    lun = spipe__cat_table_lun(r->table, step->wwid);
    r->selected = lun ? spipe__cat_node_new(r->table, step->name, lun) : NULL;
    if (!r->selected)
        return no_memory(r);
    spipe__cat_table_insert(r->table, r->selected);
    return 0;
}

static int select_name(struct replay *r, const struct spipe__cat_step *step)
{
    r->selected = spipe__cat_table_find(r->table, step->name);
    return r->selected ? 0 : refuse(r, -EILSEQ, "\"%s\" does not exist", step->name);
}

static int remove_name(struct replay *r)
{
    struct spipe__cat_node *node = r->selected;

    spipe__cat_table_remove(r->table, node);
    spipe__cat_node_free(r->table, node);
    r->selected = NULL;
    return 0;
}

static int rename_to(struct replay *r, const struct spipe__cat_step *step)
{
    if (spipe__cat_table_find(r->table, step->name))
        return refuse(r, -EILSEQ, "\"%s\" exists already", step->name);
    spipe__cat_table_remove(r->table, r->selected);
    spipe__cat_copy_name(r->selected->entry.name, step->name);
    spipe__cat_table_insert(r->table, r->selected);
    return 0;
}

static int named_twice(struct replay *r, uint32_t chunk)
{
    return refuse(r, -EILSEQ, "chunk %lu is twice in \"%s\"", (unsigned long)chunk,
                  r->selected->entry.name);
}

static int add(struct replay *r, const struct spipe__cat_step *step)
{
    struct spipe__cat_list *list = &r->selected->list;
    int rc = spipe__cat_list_reserve(r->table, list, step->count);

    if (rc == -EFBIG)
        return refuse(r, -EILSEQ, "\"%s\" gets too many chunks", r->selected->entry.name);
    for (uint32_t i = 0; i < step->count && !rc; i++) {
        rc = spipe__cat_claim(&r->selected->has, step->first + i);
        if (rc == -EBUSY)
            return named_twice(r, step->first + i);
        if (!rc)
            list->chunk[list->count++] = step->first + i;
    }
    spipe__cat_node_show(r->selected);
    return rc ? no_memory(r) : 0;
}

static int cut(struct replay *r, const struct spipe__cat_step *step)
{
    struct spipe__cat_list *list = &r->selected->list;

    if (step->count > list->count)
        return refuse(r, -EILSEQ, "\"%s\" is cut beyond its end", r->selected->entry.name);
    spipe__cat_unclaim_from(&r->selected->has, list, step->count);
    list->count = step->count;
    spipe__cat_node_show(r->selected);
    return 0;
}

static int set_generation(struct replay *r, const struct spipe__cat_step *step)
{
    if (r->kind != SPIPE__CAT_STATE || step->number > r->number)
        return refuse(r, -EILSEQ, "generation out of place");
    r->selected->entry.generation = step->number;
    return 0;
}

/* One chunk may be there already, or not any more: what is said twice holds. */
static int wipe(struct replay *r, const struct spipe__cat_step *step)
{
    struct spipe__cat_lun *lun = spipe__cat_table_lun(r->table, step->wwid);

    if (!lun)
        return no_memory(r);
    if (step->count > SPIPE__CAT_CHUNKS_MAX)
        return refuse(r, -EILSEQ, "too many chunks to be wiped");
    for (uint32_t i = 0; i < step->count; i++) {
        bool has = spipe__chunk_set_has(&lun->wipe, step->first + i);

        if (step->op == SPIPE__CAT_WIPED && has)
            spipe__chunk_set_remove(&lun->wipe, step->first + i);
        if (step->op == SPIPE__CAT_WIPE && !has && spipe__cat_claim(&lun->wipe, step->first + i))
            return no_memory(r);
    }
    return 0;
}

static bool needs_name(enum spipe__cat_op op)
{
    return op != SPIPE__CAT_CREATE && op != SPIPE__CAT_SELECT && op != SPIPE__CAT_WIPE &&
           op != SPIPE__CAT_WIPED;
}

static int do_step(struct replay *r, const struct spipe__cat_step *step)
{
    if (needs_name(step->op) && !r->selected)
        return refuse(r, -EILSEQ, "a step without a name");
    switch (step->op) {
    case SPIPE__CAT_CREATE:
        return create(r, step);
    case SPIPE__CAT_SELECT:
        return select_name(r, step);
    case SPIPE__CAT_REMOVE:
        return remove_name(r);
    case SPIPE__CAT_RENAME:
        return rename_to(r, step);
    case SPIPE__CAT_ADD:
        return add(r, step);
    case SPIPE__CAT_CUT:
        return cut(r, step);
    case SPIPE__CAT_LENGTH:
        CHECK(r->selected);
        r->selected->entry.byte_length = step->number;
        return 0;
    case SPIPE__CAT_GENERATION:
        return set_generation(r, step);
    case SPIPE__CAT_WIPE:
    case SPIPE__CAT_WIPED:
        return wipe(r, step);
    }
    return refuse(r, -EILSEQ, "unknown step");
}

static int do_steps(struct replay *r, const void *record, size_t length)
{
    size_t offset = SPIPE__CAT_RECORD_HEADER;

    while (offset < length) {
        struct spipe__cat_step step;
        int rc = spipe__cat_read_step(record, length, &offset, &step);

        if (rc)
            return refuse(r, rc, "malformed step at byte %zu", offset);
        rc = do_step(r, &step);
        if (rc)
            return rc;
        if (r->kind != SPIPE__CAT_STATE && r->selected)
            r->selected->entry.generation = r->number;
    }
    return 0;
}

/* ---- changes made of several records ---- */

static void forget_pieces(struct replay *r)
{
    while (r->first) {
        struct piece *p = r->first;

        r->first = p->next;
        exec_free(r->table->exec, p, sizeof *p + p->length);
    }
    r->last = &r->first;
    r->pieces = 0;
}

static int keep_piece(struct replay *r, const void *record, size_t length)
{
    struct piece *p = exec_alloc(r->table->exec, sizeof *p + length, _Alignof(struct piece));

    if (!p)
        return no_memory(r);
    p->length = length;
    memcpy(p->record, record, length);
    *r->last = p;
    r->last = &p->next;
    r->pieces++;
    return 0;
}

/* The last record of a change has come: now its steps are done, those of the pieces first. */
static int do_change(struct replay *r, const void *record, size_t length)
{
    int rc = 0;

    r->changed = true;
    r->number++;
    r->selected = NULL;
    for (const struct piece *p = r->first; p && !rc; p = p->next)
        rc = do_steps(r, p->record, p->length);
    forget_pieces(r);
    return rc ? rc : do_steps(r, record, length);
}

/* ---- records ---- */

static int do_state(struct replay *r, const struct spipe__cat_header *h, const void *record,
                    size_t length)
{
    if (r->changed || r->pieces || (r->stated && h->number != r->number))
        return refuse(r, -EILSEQ, "snapshot out of place");
    r->stated = true;
    r->number = h->number;
    return do_steps(r, record, length);
}

/* Whether a record carries on where the pieces so far end. */
static bool part_fits(const struct replay *r, const struct spipe__cat_header *h)
{
    if (h->kind == SPIPE__CAT_CHANGE)
        return h->part == 0;
    return h->part == r->pieces && (h->kind == SPIPE__CAT_PART || h->part > 0);
}

static int do_record(struct replay *r, const struct spipe__cat_header *h, const void *record,
                     size_t length)
{
    r->kind = h->kind;
    if (h->kind == SPIPE__CAT_STATE)
        return do_state(r, h, record, length);
    if (h->number != r->number + 1)
        return refuse(r, -EILSEQ, "change %llu follows change %llu", (unsigned long long)h->number,
                      (unsigned long long)r->number);
    /* Whatever begins a change shows that the one before it was never finished. */
    if (h->part == 0)
        forget_pieces(r);
    if (!part_fits(r, h))
        return refuse(r, -EILSEQ, "part %u out of place", h->part);
    if (h->kind == SPIPE__CAT_PART)
        return keep_piece(r, record, length);
    return do_change(r, record, length);
}

static int take_record(void *arg, const void *record, size_t length)
{
    struct replay *r = arg;
    struct spipe__cat_header h;
    int rc;

    r->record++;
    r->bytes += length;
    rc = spipe__cat_read_header(record, length, &h);
    if (rc == -ENOTSUP)
        return refuse(r, rc, "written by a newer version of this software");
    if (rc)
        return refuse(r, rc, "unknown kind of record");
    return do_record(r, &h, record, length);
}

/* The store itself could not be loaded. */
static const char *store_error(int rc)
{
    switch (rc) {
    case -EILSEQ:
        return "the record store is damaged";
    case -ENOTSUP:
        return "the record store was written by a newer version of this software";
    case -EINVAL:
        return "the record store does not have the size it was made with";
    default:
        return "the record store cannot be read";
    }
}

int spipe__cat_replay(struct spipe__cat_table *t, struct hal_record_store *store, uint64_t *number,
                      uint64_t *bytes, struct spipe__cat_error *error)
{
    struct replay r = {.table = t, .error = error};
    int rc;

    r.last = &r.first;
    error->text[0] = 0;
    rc = hal_record_load(store, take_record, &r);
    forget_pieces(&r);
    if (rc && !error->text[0])
        snprintf(error->text, sizeof error->text, "%s", store_error(rc));
    *number = r.number;
    *bytes = r.bytes;
    return rc;
}
