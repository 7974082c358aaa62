/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's operations. Each change goes the same way: take all the memory that it needs,
 * write it to the store (catalogue_commit.c), and only then, when nothing can fail any more, do it
 * in the table (catalogue_table.c). */
#include "core/catalogue/catalogue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/catalogue/catalogue_commit.h"
#include "core/catalogue/catalogue_table.h"
#include "hal/support/bits.h"
#include "hal/support/check.h"

/* ---- open and close ---- */

int spipe__cat_open(struct exec *exec, struct hal_record_store *store, struct spipe__cat **cat,
                    struct spipe__cat_error *error)
{
    struct spipe__cat_error ignored;
    struct spipe__cat *c = exec_alloc(exec, sizeof *c, _Alignof(struct spipe__cat));
    int rc;

    if (!error)
        error = &ignored;
    snprintf(error->text, sizeof error->text, "no memory");
    if (!c)
        return -ENOMEM;
    c->table.exec = exec;
    c->store = store;
    c->buf = exec_alloc(exec, HAL_RECORD_MAX, 1);
    rc = c->buf ? spipe__cat_replay(&c->table, store, &c->number, &c->log_bytes, error) : -ENOMEM;
    if (rc) {
        spipe__cat_close(c);
        return rc;
    }
    *cat = c;
    return 0;
}

void spipe__cat_close(struct spipe__cat *cat)
{
    struct exec *exec;

    if (!cat)
        return;
    exec = cat->table.exec;
    spipe__cat_table_fini(&cat->table);
    exec_free(exec, cat->buf, HAL_RECORD_MAX);
    exec_free(exec, cat, sizeof *cat);
}

/* ---- looking ---- */

static bool name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

int spipe__cat_check_name(const char *name)
{
    size_t n = strnlen(name, SPIPE__CAT_NAME_MAX + 1);

    if (n == 0 || n > SPIPE__CAT_NAME_MAX || name[0] == '-')
        return -EINVAL;
    for (size_t i = 0; i < n; i++)
        if (!name_char(name[i]))
            return -EINVAL;
    return 0;
}

static struct spipe__cat_entry *entry_of(struct spipe__cat_node *node)
{
    return node ? &node->entry : NULL;
}

static struct spipe__cat_node *node_of(struct spipe__cat *cat, struct spipe__cat_entry *entry)
{
    struct spipe__cat_node *node = HAL_CONTAINER_OF(entry, struct spipe__cat_node, entry);

    CHECK(spipe__cat_table_find(&cat->table, entry->name) == node);
    return node;
}

struct spipe__cat_entry *spipe__cat_find(struct spipe__cat *cat, const char *name)
{
    return entry_of(spipe__cat_table_find(&cat->table, name));
}

size_t spipe__cat_count(const struct spipe__cat *cat) { return cat->table.count; }

struct spipe__cat_entry *spipe__cat_at(const struct spipe__cat *cat, size_t index)
{
    CHECK(index < cat->table.count);
    return entry_of(cat->table.node[index]);
}

static int walk_entry(const struct spipe__cat_entry *entry, spipe__cat_chunk_fn fn, void *arg)
{
    for (uint32_t i = 0; i < entry->chunk_count; i++) {
        int rc = fn(arg, entry, entry->chunks[i]);

        if (rc)
            return rc;
    }
    return 0;
}

int spipe__cat_for_each_chunk(const struct spipe__cat *cat, const uint8_t *wwid,
                              spipe__cat_chunk_fn fn, void *arg)
{
    int rc = 0;

    for (size_t i = 0; i < cat->table.count && !rc; i++) {
        const struct spipe__cat_entry *entry = &cat->table.node[i]->entry;

        if (memcmp(entry->wwid, wwid, SPIPE__CAT_WWID_LENGTH) == 0)
            rc = walk_entry(entry, fn, arg);
    }
    return rc;
}

/* ---- changes of names ---- */

static void report_freed(const struct spipe__cat_lun *lun, const struct spipe__cat_list *list,
                         uint32_t from, spipe__cat_freed_fn freed, void *arg)
{
    for (uint32_t i = from; i < list->count && freed; i++)
        freed(arg, lun->wwid, list->chunk[i]);
}

int spipe__cat_create(struct spipe__cat *cat, const char *name, const uint8_t *wwid,
                      struct spipe__cat_entry **entry)
{
    struct spipe__cat_lun *lun;
    struct spipe__cat_node *node;
    int rc = spipe__cat_check_name(name);

    if (rc)
        return rc;
    if (spipe__cat_table_find(&cat->table, name))
        return -EEXIST;
    lun = spipe__cat_table_lun(&cat->table, wwid);
    node = lun ? spipe__cat_node_new(&cat->table, name, lun) : NULL;
    if (!node)
        return -ENOMEM;
    rc = spipe__cat_commit(cat, &(struct spipe__cat_change){.create = name, .wwid = wwid});
    if (rc) {
        spipe__cat_node_free(&cat->table, node);
        return rc;
    }
    node->entry.generation = cat->number;
    spipe__cat_table_insert(&cat->table, node);
    if (entry)
        *entry = &node->entry;
    return 0;
}

int spipe__cat_remove(struct spipe__cat *cat, const char *name, spipe__cat_freed_fn freed,
                      void *arg)
{
    struct spipe__cat_node *node = spipe__cat_table_find(&cat->table, name);
    int rc;

    if (!node)
        return -ENOENT;
    rc = spipe__cat_commit(cat, &(struct spipe__cat_change){.select = name, .remove = true});
    if (rc)
        return rc;
    spipe__cat_table_remove(&cat->table, node);
    report_freed(node->lun, &node->list, 0, freed, arg);
    spipe__cat_node_free(&cat->table, node);
    return 0;
}

int spipe__cat_rename(struct spipe__cat *cat, struct spipe__cat_entry *entry, const char *name)
{
    struct spipe__cat_node *node = node_of(cat, entry);
    int rc = spipe__cat_check_name(name);

    if (rc)
        return rc;
    if (spipe__cat_table_find(&cat->table, name))
        return -EEXIST;
    rc = spipe__cat_commit(cat, &(struct spipe__cat_change){.select = entry->name, .rename = name});
    if (rc)
        return rc;
    spipe__cat_table_remove(&cat->table, node);
    spipe__cat_copy_name(entry->name, name);
    entry->generation = cat->number;
    spipe__cat_table_insert(&cat->table, node);
    return 0;
}

/* ---- changes of chunks and length ---- */

int spipe__cat_append_chunks(struct spipe__cat *cat, struct spipe__cat_entry *entry,
                             const uint32_t *chunks, uint32_t n)
{
    struct spipe__cat_node *node = node_of(cat, entry);
    int rc;

    if (n == 0)
        return 0;
    /* Marked first: chunks that it has already may well be those of the list that moves next. */
    rc = spipe__cat_claim_all(&node->has, chunks, n);
    if (rc)
        return rc;
    rc = spipe__cat_list_reserve(&cat->table, &node->list, n);
    spipe__cat_node_show(node);
    if (!rc)
        rc = spipe__cat_commit(
            cat, &(struct spipe__cat_change){.select = entry->name, .chunks = chunks, .n = n});
    if (rc) {
        spipe__cat_unclaim_all(&node->has, chunks, n);
        return rc;
    }
    memcpy(node->list.chunk + node->list.count, chunks, n * sizeof chunks[0]);
    node->list.count += n;
    entry->generation = cat->number;
    spipe__cat_node_show(node);
    return 0;
}

int spipe__cat_drop_chunks(struct spipe__cat *cat, struct spipe__cat_entry *entry,
                           uint32_t new_count, spipe__cat_freed_fn freed, void *arg)
{
    struct spipe__cat_node *node = node_of(cat, entry);
    struct spipe__cat_list before = node->list;
    int rc;

    if (new_count > node->list.count)
        return -EINVAL;
    if (new_count == node->list.count)
        return 0;
    rc = spipe__cat_commit(
        cat, &(struct spipe__cat_change){.select = entry->name, .cut = true, .cut_to = new_count});
    if (rc)
        return rc;
    spipe__cat_unclaim_from(&node->has, &node->list, new_count);
    node->list.count = new_count;
    entry->generation = cat->number;
    spipe__cat_node_show(node);
    report_freed(node->lun, &before, new_count, freed, arg);
    return 0;
}

int spipe__cat_set_byte_length(struct spipe__cat *cat, struct spipe__cat_entry *entry,
                               uint64_t byte_length)
{
    struct spipe__cat_node *node = node_of(cat, entry);
    int rc = spipe__cat_commit(cat, &(struct spipe__cat_change){.select = node->entry.name,
                                                                .set_length = true,
                                                                .byte_length = byte_length});

    if (rc)
        return rc;
    entry->byte_length = byte_length;
    entry->generation = cat->number;
    return 0;
}

/* ---- replace ---- */

/* A name on its way from what it was to what it is asked to be. */
struct replacement {
    struct spipe__cat_node *node; /* in the table already if `exists` */
    bool exists;
    struct spipe__cat_lun *lun; /* of the new chunks */
    struct spipe__cat_list list;
    struct spipe__chunk_set has;
};

/* Takes the memory for the new chunks and, if there is no such name yet, for the name. */
static int prepare_replacement(struct spipe__cat *cat, struct replacement *r, const char *name,
                               const uint8_t *wwid, const uint32_t *chunks, uint32_t n)
{
    int rc;

    r->node = spipe__cat_table_find(&cat->table, name);
    r->exists = r->node != NULL;
    spipe__chunk_set_init(&r->has, cat->table.exec);
    r->lun = spipe__cat_table_lun(&cat->table, wwid);
    if (!r->lun)
        return -ENOMEM;
    rc = spipe__cat_list_reserve(&cat->table, &r->list, n);
    if (rc)
        return rc;
    if (n)
        memcpy(r->list.chunk, chunks, n * sizeof chunks[0]);
    r->list.count = n;
    rc = spipe__cat_claim_all(&r->has, chunks, n);
    if (rc)
        return rc;
    if (!r->exists)
        r->node = spipe__cat_node_new(&cat->table, name, r->lun);
    return r->node ? 0 : -ENOMEM;
}

static void drop_replacement(struct spipe__cat *cat, struct replacement *r)
{
    spipe__cat_list_free(&cat->table, &r->list);
    spipe__chunk_set_fini(&r->has);
    if (!r->exists)
        spipe__cat_node_free(&cat->table, r->node);
}

/* Makes the change durable. */
static int commit_replacement(struct spipe__cat *cat, const struct replacement *r,
                              uint64_t byte_length)
{
    const char *name = r->node->entry.name;

    return spipe__cat_commit(cat, &(struct spipe__cat_change){
                                      .select = r->exists ? name : NULL,
                                      .remove = r->exists,
                                      .create = name,
                                      .wwid = r->lun->wwid,
                                      .chunks = r->list.chunk,
                                      .n = r->list.count,
                                      .set_length = true,
                                      .byte_length = byte_length,
                                  });
}

/* Reports the chunks that the name had and has no more. */
static void report_lost(const struct spipe__cat_node *now, const struct spipe__cat_lun *lun,
                        const struct spipe__cat_list *list, spipe__cat_freed_fn freed, void *arg)
{
    for (uint32_t i = 0; i < list->count && freed; i++)
        if (now->lun != lun || !spipe__chunk_set_has(&now->has, list->chunk[i]))
            freed(arg, lun->wwid, list->chunk[i]);
}

int spipe__cat_replace(struct spipe__cat *cat, const char *name, const uint8_t *wwid,
                       const uint32_t *chunks, uint32_t n, uint64_t byte_length,
                       spipe__cat_freed_fn freed, void *arg)
{
    struct replacement r = {0};
    struct spipe__cat_lun *old_lun;
    struct spipe__cat_list old;
    struct spipe__chunk_set had;
    int rc = spipe__cat_check_name(name);

    if (rc)
        return rc;
    rc = prepare_replacement(cat, &r, name, wwid, chunks, n);
    if (!rc)
        rc = commit_replacement(cat, &r, byte_length);
    if (rc) {
        drop_replacement(cat, &r);
        return rc;
    }
    old = r.node->list;
    old_lun = r.node->lun;
    had = r.node->has;
    r.node->list = r.list;
    r.node->has = r.has;
    r.node->lun = r.lun;
    memcpy(r.node->entry.wwid, r.lun->wwid, SPIPE__CAT_WWID_LENGTH);
    r.node->entry.byte_length = byte_length;
    r.node->entry.generation = cat->number;
    spipe__cat_node_show(r.node);
    if (!r.exists)
        spipe__cat_table_insert(&cat->table, r.node);
    report_lost(r.node, old_lun, &old, freed, arg);
    spipe__cat_list_free(&cat->table, &old);
    spipe__chunk_set_fini(&had);
    return 0;
}

/* ---- chunks to be wiped ---- */

static int commit_wipe(struct spipe__cat *cat, const struct spipe__cat_lun *lun,
                       const uint32_t *chunks, uint32_t n, bool done)
{
    return spipe__cat_commit(cat,
                             &(struct spipe__cat_change){
                                 .wipe_on = lun->wwid, .wiped = done, .wipe = chunks, .wipe_n = n});
}

static int prepare_wipe(struct spipe__cat_lun *lun, const uint32_t *chunks, uint32_t n)
{
    int rc = 0;

    for (uint32_t i = 0; i < n && !rc; i++)
        if (!spipe__chunk_set_has(&lun->wipe, chunks[i]))
            rc = spipe__chunk_set_prepare(&lun->wipe, chunks[i]);
    return rc;
}

int spipe__cat_wipe_add(struct spipe__cat *cat, const uint8_t *wwid, const uint32_t *chunks,
                        uint32_t n)
{
    struct spipe__cat_lun *lun = spipe__cat_table_lun(&cat->table, wwid);
    int rc;

    if (n == 0)
        return 0;
    if (!lun || prepare_wipe(lun, chunks, n))
        return -ENOMEM;
    rc = commit_wipe(cat, lun, chunks, n, false);
    for (uint32_t i = 0; i < n && !rc; i++)
        if (!spipe__chunk_set_has(&lun->wipe, chunks[i]))
            spipe__chunk_set_add(&lun->wipe, chunks[i]);
    return rc;
}

/* Taken out first: when the store is full, the snapshot that makes room is one without it. If the
 * change fails all the same, the store may or may not have it, which is right either way: it was
 * wiped. */
int spipe__cat_wipe_done(struct spipe__cat *cat, const uint8_t *wwid, uint32_t chunk)
{
    struct spipe__cat_lun *lun = spipe__cat_table_lun(&cat->table, wwid);
    int rc;

    if (!lun || !spipe__chunk_set_has(&lun->wipe, chunk))
        return 0;
    spipe__chunk_set_remove(&lun->wipe, chunk);
    rc = commit_wipe(cat, lun, &chunk, 1, true);
    if (rc)
        spipe__chunk_set_add(&lun->wipe, chunk);
    return rc;
}

int spipe__cat_for_each_wipe(struct spipe__cat *cat, const uint8_t *wwid, spipe__cat_wipe_fn fn,
                             void *arg)
{
    struct spipe__cat_lun *lun = spipe__cat_table_lun(&cat->table, wwid);
    int rc = 0;

    if (!lun)
        return -ENOMEM;
    for (uint64_t at = 0; !rc && spipe__chunk_set_next(&lun->wipe, &at); at++)
        rc = fn(arg, (uint32_t)at);
    return rc;
}
