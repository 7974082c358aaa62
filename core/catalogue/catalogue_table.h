/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue in memory: names and their chunks, and the chunks that are to be wiped. Knows
 * nothing of the store. Shared by catalogue.c (changes) and catalogue_load.c (replay); private to
 * them.
 *
 * A function that can fail is apart from the one that then makes the change, because a change must
 * be durable in between, and must not fail after that. */
#ifndef CORE_CATALOGUE_TABLE_H
#define CORE_CATALOGUE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/catalogue/catalogue.h"
#include "core/lun/chunk_set.h"
#include "hal/exec.h"
#include "hal/support/must_check.h"

/** A physical LUN that has, or had, chunks in the catalogue. Lives until that is closed. */
struct spipe__cat_lun {
    uint8_t wwid[SPIPE__CAT_WWID_LENGTH];
    struct spipe__chunk_set wipe; /* to be wiped before anybody else gets them */
    struct spipe__cat_lun *next;
};

/** Chunk numbers that grow at the end. All zero is an empty list. */
struct spipe__cat_list {
    uint32_t *chunk;
    uint32_t count, capacity;
};

/** A name, as the table knows it. */
struct spipe__cat_node {
    struct spipe__cat_entry entry; /* what others see; .chunks and .chunk_count repeat `list` */
    struct spipe__cat_lun *lun;    /* of entry.wwid */
    struct spipe__cat_list list;
    struct spipe__chunk_set has; /* the same as a set: no chunk is twice in one name */
};

/** All names. All zero but for `exec` is an empty table. */
struct spipe__cat_table {
    struct exec *exec;
    struct spipe__cat_node **node; /* in ascending order of name */
    size_t count, capacity;
    struct spipe__cat_lun *luns;
};

/** Copies a name of at most SPIPE__CAT_NAME_MAX bytes to where there is room for one more. */
void spipe__cat_copy_name(char *to, const char *name);

/** Frees everything in the table. */
void spipe__cat_table_fini(struct spipe__cat_table *t);

/** The node of that name, or NULL. */
struct spipe__cat_node *spipe__cat_table_find(const struct spipe__cat_table *t, const char *name);

/** The LUN with that WWID, made if there is none; NULL if there is no memory. */
struct spipe__cat_lun *spipe__cat_table_lun(struct spipe__cat_table *t, const uint8_t *wwid);

/** A node without chunks that is not in the table yet, and room for it there; NULL if there is no
 * memory. Goes into the table with insert, or away with spipe__cat_node_free(). */
struct spipe__cat_node *spipe__cat_node_new(struct spipe__cat_table *t, const char *name,
                                            struct spipe__cat_lun *lun);

/** Frees a node that is not in the table, and its list. Does not unname its chunks. */
void spipe__cat_node_free(struct spipe__cat_table *t, struct spipe__cat_node *node);

/** Puts a new node into its place. No node of that name may be there. */
void spipe__cat_table_insert(struct spipe__cat_table *t, struct spipe__cat_node *node);

/** Takes a node out of the table; the caller owns it then. */
void spipe__cat_table_remove(struct spipe__cat_table *t, struct spipe__cat_node *node);

/** Makes room for `more` chunks behind those of the list. Returns 0, -EFBIG or -ENOMEM. */
HAL_MUST_CHECK int spipe__cat_list_reserve(struct spipe__cat_table *t, struct spipe__cat_list *list,
                                           uint32_t more);

/** Frees the memory of a list and empties it. */
void spipe__cat_list_free(struct spipe__cat_table *t, struct spipe__cat_list *list);

/** Shows the list of a node, after it has changed, in its entry. */
void spipe__cat_node_show(struct spipe__cat_node *node);

/** Adds one chunk to a set. Returns 0, -EBUSY if it is there already, or -ENOMEM. */
HAL_MUST_CHECK int spipe__cat_claim(struct spipe__chunk_set *set, uint32_t chunk);

/** Adds n chunks to a set: all, or none of them when the result is not 0. As above. */
HAL_MUST_CHECK int spipe__cat_claim_all(struct spipe__chunk_set *set, const uint32_t *chunks,
                                        uint32_t n);

/** Takes n chunks out of a set; all of them are in it. */
void spipe__cat_unclaim_all(struct spipe__chunk_set *set, const uint32_t *chunks, uint32_t n);

/** Takes the chunks of a list from index `from` on out of a set; all of them are in it. */
void spipe__cat_unclaim_from(struct spipe__chunk_set *set, const struct spipe__cat_list *list,
                             uint32_t from);

/**
 * Fills an empty table from a store; see spipe__cat_open() for what is checked.
 *
 * @param t        table, all zero but for exec; on failure the caller still ends it
 * @param store    store to load
 * @param number   receives the number of the last change
 * @param bytes    receives the sum of the lengths of all records
 * @param error    receives the reason of a failure
 * @return         as spipe__cat_open()
 */
HAL_MUST_CHECK int spipe__cat_replay(struct spipe__cat_table *t, struct hal_record_store *store,
                                     uint64_t *number, uint64_t *bytes,
                                     struct spipe__cat_error *error);

#endif
