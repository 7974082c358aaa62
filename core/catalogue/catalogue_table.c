/* SPDX-License-Identifier: Apache-2.0 */
#include "core/catalogue/catalogue_table.h"

#include <errno.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/check.h"

enum { SLOT_BYTES = sizeof(struct spipe__cat_node *) };

/* ---- names ---- */

void spipe__cat_copy_name(char *to, const char *name)
{
    size_t n = strlen(name);

    CHECK(n <= SPIPE__CAT_NAME_MAX);
    memcpy(to, name, n + 1);
}

/* Index of the first name that is not below `name`. */
static size_t lower_bound(const struct spipe__cat_table *t, const char *name)
{
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(t->node[middle]->entry.name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct spipe__cat_node *spipe__cat_table_find(const struct spipe__cat_table *t, const char *name)
{
    size_t i = lower_bound(t, name);

    return i < t->count && strcmp(t->node[i]->entry.name, name) == 0 ? t->node[i] : NULL;
}

/* Makes room for one more name. */
static int reserve_name(struct spipe__cat_table *t)
{
    size_t capacity = t->capacity ? t->capacity * 2 : 16;
    struct spipe__cat_node **node;

    if (t->count < t->capacity)
        return 0;
    node = exec_alloc(t->exec, capacity * SLOT_BYTES, _Alignof(struct spipe__cat_node *));
    if (!node)
        return -ENOMEM;
    if (t->count)
        memcpy(node, t->node, t->count * SLOT_BYTES);
    exec_free(t->exec, t->node, t->capacity * SLOT_BYTES);
    t->node = node;
    t->capacity = capacity;
    return 0;
}

struct spipe__cat_node *spipe__cat_node_new(struct spipe__cat_table *t, const char *name,
                                            struct spipe__cat_lun *lun)
{
    struct spipe__cat_node *node;

    if (reserve_name(t))
        return NULL;
    node = exec_alloc(t->exec, sizeof *node, _Alignof(struct spipe__cat_node));
    if (!node)
        return NULL;
    spipe__cat_copy_name(node->entry.name, name);
    memcpy(node->entry.wwid, lun->wwid, SPIPE__CAT_WWID_LENGTH);
    node->lun = lun;
    spipe__chunk_set_init(&node->has, t->exec);
    return node;
}

void spipe__cat_node_free(struct spipe__cat_table *t, struct spipe__cat_node *node)
{
    if (!node)
        return;
    spipe__cat_list_free(t, &node->list);
    spipe__chunk_set_fini(&node->has);
    exec_free(t->exec, node, sizeof *node);
}

void spipe__cat_table_insert(struct spipe__cat_table *t, struct spipe__cat_node *node)
{
    size_t i = lower_bound(t, node->entry.name);

    CHECK(t->count < t->capacity);
    CHECK(i == t->count || strcmp(t->node[i]->entry.name, node->entry.name) != 0);
    memmove(t->node + i + 1, t->node + i, (t->count - i) * SLOT_BYTES);
    t->node[i] = node;
    t->count++;
}

void spipe__cat_table_remove(struct spipe__cat_table *t, struct spipe__cat_node *node)
{
    size_t i = lower_bound(t, node->entry.name);

    CHECK(i < t->count && t->node[i] == node);
    t->count--;
    memmove(t->node + i, t->node + i + 1, (t->count - i) * SLOT_BYTES);
}

void spipe__cat_table_fini(struct spipe__cat_table *t)
{
    while (t->count)
        spipe__cat_node_free(t, t->node[--t->count]);
    exec_free(t->exec, t->node, t->capacity * SLOT_BYTES);
    while (t->luns) {
        struct spipe__cat_lun *lun = t->luns;

        t->luns = lun->next;
        spipe__chunk_set_fini(&lun->wipe);
        exec_free(t->exec, lun, sizeof *lun);
    }
    *t = (struct spipe__cat_table){.exec = t->exec};
}

/* ---- lists of chunks ---- */

int spipe__cat_list_reserve(struct spipe__cat_table *t, struct spipe__cat_list *list, uint32_t more)
{
    uint32_t capacity;
    uint32_t *chunk;

    if (more > SPIPE__CAT_CHUNKS_MAX - list->count)
        return -EFBIG;
    if (list->count + more <= list->capacity)
        return 0;
    capacity = (uint32_t)hal_max64(list->count + more, 2 * (uint64_t)list->capacity);
    chunk = exec_alloc(t->exec, capacity * sizeof chunk[0], _Alignof(uint32_t));
    if (!chunk)
        return -ENOMEM;
    if (list->count)
        memcpy(chunk, list->chunk, list->count * sizeof chunk[0]);
    exec_free(t->exec, list->chunk, list->capacity * sizeof chunk[0]);
    list->chunk = chunk;
    list->capacity = capacity;
    return 0;
}

void spipe__cat_list_free(struct spipe__cat_table *t, struct spipe__cat_list *list)
{
    exec_free(t->exec, list->chunk, list->capacity * sizeof list->chunk[0]);
    *list = (struct spipe__cat_list){0};
}

void spipe__cat_node_show(struct spipe__cat_node *node)
{
    node->entry.chunks = node->list.count ? node->list.chunk : NULL;
    node->entry.chunk_count = node->list.count;
}

/* ---- LUNs ---- */

struct spipe__cat_lun *spipe__cat_table_lun(struct spipe__cat_table *t, const uint8_t *wwid)
{
    struct spipe__cat_lun *lun;

    for (lun = t->luns; lun; lun = lun->next)
        if (memcmp(lun->wwid, wwid, SPIPE__CAT_WWID_LENGTH) == 0)
            return lun;
    lun = exec_alloc(t->exec, sizeof *lun, _Alignof(struct spipe__cat_lun));
    if (!lun)
        return NULL;
    memcpy(lun->wwid, wwid, SPIPE__CAT_WWID_LENGTH);
    spipe__chunk_set_init(&lun->wipe, t->exec);
    lun->next = t->luns;
    t->luns = lun;
    return lun;
}

/* ---- sets of chunks ---- */

int spipe__cat_claim(struct spipe__chunk_set *set, uint32_t chunk)
{
    int rc;

    if (spipe__chunk_set_has(set, chunk))
        return -EBUSY;
    rc = spipe__chunk_set_prepare(set, chunk);
    if (!rc)
        spipe__chunk_set_add(set, chunk);
    return rc;
}

int spipe__cat_claim_all(struct spipe__chunk_set *set, const uint32_t *chunks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int rc = spipe__cat_claim(set, chunks[i]);

        if (rc) {
            spipe__cat_unclaim_all(set, chunks, i);
            return rc;
        }
    }
    return 0;
}

void spipe__cat_unclaim_all(struct spipe__chunk_set *set, const uint32_t *chunks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        spipe__chunk_set_remove(set, chunks[i]);
}

void spipe__cat_unclaim_from(struct spipe__chunk_set *set, const struct spipe__cat_list *list,
                             uint32_t from)
{
    for (uint32_t i = from; i < list->count; i++)
        spipe__chunk_set_remove(set, list->chunk[i]);
}
