/* SPDX-License-Identifier: Apache-2.0 */
/* How changes and snapshots of the catalogue reach the record store. */
#include "core/catalogue/catalogue_commit.h"

#include <errno.h>
#include <string.h>

#include "core/catalogue/catalogue_codec.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* Below this many bytes of records nothing is gained by replacing them. */
enum { TIDY_BYTES_MIN = 65536 };

/* ---- snapshots ---- */

static void write_name(struct spipe__cat_writer *w, enum spipe__cat_op op, const char *name,
                       const uint8_t *wwid)
{
    struct spipe__cat_step step = {.op = op};

    spipe__cat_copy_name(step.name, name);
    if (wwid)
        memcpy(step.wwid, wwid, SPIPE__CAT_WWID_LENGTH);
    spipe__cat_write(w, &step);
}

static void write_number(struct spipe__cat_writer *w, enum spipe__cat_op op, uint64_t number)
{
    spipe__cat_write(w, &(struct spipe__cat_step){.op = op, .number = number});
}

/* Whether a change only takes away. Then a snapshot of the state after it cannot be longer than
 * the records are now, so that it works when the store is full. */
static bool only_frees(const struct spipe__cat_change *c)
{
    return (c->remove && !c->create) || c->cut;
}

/* Writes one name as it is, or as it will be after `c`. */
static void write_entry(struct spipe__cat_writer *w, const struct spipe__cat_entry *entry,
                        const struct spipe__cat_change *c)
{
    bool affected = c && strcmp(entry->name, c->select) == 0;

    if (affected && c->remove)
        return;
    write_name(w, SPIPE__CAT_CREATE, entry->name, entry->wwid);
    write_number(w, SPIPE__CAT_GENERATION, affected ? w->header.number : entry->generation);
    write_number(w, SPIPE__CAT_LENGTH, entry->byte_length);
    spipe__cat_write_chunks(w, entry->chunks, affected ? c->cut_to : entry->chunk_count);
}

enum { WIPES_AT_ONCE = 64 };

static void write_wipes(struct spipe__cat_writer *w, const struct spipe__cat_lun *lun)
{
    uint32_t chunk[WIPES_AT_ONCE], n = 0;

    for (uint64_t at = 0; spipe__chunk_set_next(&lun->wipe, &at); at++) {
        chunk[n++] = (uint32_t)at;
        if (n < WIPES_AT_ONCE)
            continue;
        spipe__cat_write_wipe(w, SPIPE__CAT_WIPE, lun->wwid, chunk, n);
        n = 0;
    }
    spipe__cat_write_wipe(w, SPIPE__CAT_WIPE, lun->wwid, chunk, n);
}

/* Writes the state as it is, or, if `c` is not NULL, as it will be after that change, which must
 * be one that only frees. */
static int write_state(struct spipe__cat *cat, const struct spipe__cat_change *c, hal_record_fn put,
                       void *arg)
{
    struct spipe__cat_writer w;

    spipe__cat_write_begin(&w, SPIPE__CAT_STATE, cat->number + (c != NULL), cat->buf, put, arg);
    for (size_t i = 0; i < cat->table.count; i++)
        write_entry(&w, &cat->table.node[i]->entry, c);
    for (const struct spipe__cat_lun *lun = cat->table.luns; lun; lun = lun->next)
        write_wipes(&w, lun);
    return spipe__cat_write_end(&w);
}

static int put_nowhere(void *arg, const void *record, size_t length)
{
    (void)record;
    *(uint64_t *)arg += length;
    return 0;
}

/* Length of a snapshot. */
static uint64_t live_bytes(struct spipe__cat *cat)
{
    uint64_t bytes = 0;
    int rc = write_state(cat, NULL, put_nowhere, &bytes);

    CHECK(rc == 0);
    return bytes;
}

/* Where the records of a snapshot go. */
struct snapshot {
    struct spipe__cat *cat;
    const struct spipe__cat_change *change;
    hal_record_fn emit;
    void *sink;
    uint64_t bytes;
};

static int put_emit(void *arg, const void *record, size_t length)
{
    struct snapshot *s = arg;

    s->bytes += length;
    return s->emit(s->sink, record, length);
}

static int list_state(void *arg, hal_record_fn emit, void *sink)
{
    struct snapshot *s = arg;

    s->emit = emit;
    s->sink = sink;
    return write_state(s->cat, s->change, put_emit, s);
}

static int compact_after(struct spipe__cat *cat, const struct spipe__cat_change *c)
{
    struct snapshot s = {.cat = cat, .change = c};
    int rc = hal_record_compact(cat->store, list_state, &s);

    if (!rc)
        cat->log_bytes = s.bytes;
    return rc;
}

int spipe__cat_compact(struct spipe__cat *cat) { return compact_after(cat, NULL); }

/* Replaces the records when at least half of them are history. Doing so is a service, not a part
 * of any change: if it fails, the change that comes next will tell, or not need it. */
static void tidy(struct spipe__cat *cat)
{
    if (cat->log_bytes < hal_max64(TIDY_BYTES_MIN, cat->tidy_at))
        return;
    if (cat->log_bytes >= 2 * live_bytes(cat))
        (void)!spipe__cat_compact(cat);
    /* Looking takes time in proportion to all chunks: next when there is twice as much. */
    cat->tidy_at = 2 * cat->log_bytes;
}

/* ---- writing a change ---- */

static int put_append(void *arg, const void *record, size_t length)
{
    struct spipe__cat *cat = arg;
    int rc = hal_record_append(cat->store, record, length);

    if (!rc)
        cat->log_bytes += length;
    return rc;
}

static int write_change(struct spipe__cat *cat, const struct spipe__cat_change *c)
{
    struct spipe__cat_writer w;

    spipe__cat_write_begin(&w, SPIPE__CAT_CHANGE, cat->number + 1, cat->buf, put_append, cat);
    if (c->select)
        write_name(&w, SPIPE__CAT_SELECT, c->select, NULL);
    if (c->remove)
        spipe__cat_write(&w, &(struct spipe__cat_step){.op = SPIPE__CAT_REMOVE});
    if (c->create)
        write_name(&w, SPIPE__CAT_CREATE, c->create, c->wwid);
    if (c->rename)
        write_name(&w, SPIPE__CAT_RENAME, c->rename, NULL);
    if (c->cut)
        spipe__cat_write(&w, &(struct spipe__cat_step){.op = SPIPE__CAT_CUT, .count = c->cut_to});
    spipe__cat_write_chunks(&w, c->chunks, c->n);
    if (c->set_length)
        write_number(&w, SPIPE__CAT_LENGTH, c->byte_length);
    if (c->wipe_on)
        spipe__cat_write_wipe(&w, c->wiped ? SPIPE__CAT_WIPED : SPIPE__CAT_WIPE, c->wipe_on,
                              c->wipe, c->wipe_n);
    return spipe__cat_write_end(&w);
}

/* The store is full. Either the snapshot itself makes the change, or it makes room and the whole
 * change, which may have several records, is written again. */
static int commit_when_full(struct spipe__cat *cat, const struct spipe__cat_change *c)
{
    int rc;

    if (only_frees(c))
        return compact_after(cat, c);
    rc = spipe__cat_compact(cat);
    return rc ? rc : write_change(cat, c);
}

int spipe__cat_commit(struct spipe__cat *cat, const struct spipe__cat_change *c)
{
    int rc;

    tidy(cat);
    rc = write_change(cat, c);
    if (rc == -ENOSPC)
        rc = commit_when_full(cat, c);
    if (!rc)
        cat->number++;
    return rc;
}
