/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue of named virtual LUNs: which chunks of which physical LUN belong to which name, in
 * which order, and how many bytes of them are in use. It survives restarts; a name is one more
 * owner of its chunks (design, "Catalogue"), and names may share chunks as clones do. Beside the
 * names it keeps which chunks are to be wiped before anybody else gets them.
 *
 * Every change is one step: durable in the record store when the call returns 0, and not visible,
 * neither here nor after a restart, when it fails. (The one exception is -EIO: then nothing has
 * changed here, but if the store could not even be cleaned up, and the process ends, the next one
 * may find the change; see hal_record_append().) A freed chunk may be used again only once the call
 * that freed it has returned 0, which is why chunks are reported through a callback that runs after
 * that point.
 *
 * The store sees changes, not states: names, runs of chunks added, chunks cut off the end. The
 * history is replaced by a snapshot when most of it is dead, or when the store is full. A change
 * that does not fit in one record is a group of records that counts only with its last one.
 *
 * Thread rules, for every function below: there is no lock inside; the caller holds the one that
 * guards the catalogue, across the use of any pointer got from it. Calls that change something
 * block for the store. All memory comes from the exec given at open. */
#ifndef CORE_CATALOGUE_H
#define CORE_CATALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/record_store.h"
#include "hal/support/must_check.h"

enum {
    SPIPE__CAT_NAME_MAX = 63,        /* bytes of a name */
    SPIPE__CAT_WWID_LENGTH = 16,     /* bytes that identify a physical LUN */
    SPIPE__CAT_CHUNKS_MAX = 1 << 22, /* chunks of one name; a 64 TB LUN has at most 2^21 */
    SPIPE__CAT_ERROR_LENGTH = 256,   /* text of spipe__cat_open(), with its end */
};

struct spipe__cat;

/** One name. It is owned by the catalogue, stays at its address until the name is removed, and its
 * members are for reading only. */
struct spipe__cat_entry {
    char name[SPIPE__CAT_NAME_MAX + 1];
    uint8_t wwid[SPIPE__CAT_WWID_LENGTH]; /* of the physical LUN that has the chunks */
    uint64_t byte_length;                 /* set by its user, e.g. the length of a stored file */
    uint64_t generation;                  /* number of the last change of this name; such numbers
                                             grow over the whole catalogue and are never re-used */
    const uint32_t *chunks;               /* chunk numbers in virtual order; NULL if there are none;
                                             moves with every change */
    uint32_t chunk_count;
};

/** What makes spipe__cat_open() fail, in words, without a full stop. */
struct spipe__cat_error {
    char text[SPIPE__CAT_ERROR_LENGTH];
};

/** Takes one chunk number that a name held before a change and holds no more. Must not change the
 * catalogue. */
typedef void (*spipe__cat_freed_fn)(void *arg, const uint8_t *wwid, uint32_t chunk);

/** Takes one chunk of a name. A result other than 0 ends the walk. */
typedef int (*spipe__cat_chunk_fn)(void *arg, const struct spipe__cat_entry *entry, uint32_t chunk);

/**
 * Loads and checks everything that the store holds.
 *
 * @param exec   where memory comes from; must outlive the catalogue
 * @param store  must outlive the catalogue; nobody else may use it meanwhile
 * @param cat    receives the catalogue; end it with spipe__cat_close()
 * @param error  receives the reason of a failure, naming the record where there is one; may be NULL
 * @return       0; -EILSEQ for a damaged store, a malformed record, or one that contradicts those
 *               before it (a chunk twice in one name, a name created twice);
 *               -ENOTSUP for records of a newer version of this software; -EINVAL, -EIO as
 *               hal_record_load(); -ENOMEM
 */
HAL_MUST_CHECK int spipe__cat_open(struct exec *exec, struct hal_record_store *store,
                                   struct spipe__cat **cat, struct spipe__cat_error *error);

/** Frees the catalogue and its entries. The store keeps everything. NULL is ignored. */
void spipe__cat_close(struct spipe__cat *cat);

/** Whether `name` may be given to a virtual LUN: 1..63 of A-Z a-z 0-9 . _ - and no leading dash.
 * Returns 0, or -EINVAL. */
HAL_MUST_CHECK int spipe__cat_check_name(const char *name);

/** The entry called `name`, or NULL. */
struct spipe__cat_entry *spipe__cat_find(struct spipe__cat *cat, const char *name);

/** Number of names. */
size_t spipe__cat_count(const struct spipe__cat *cat);

/** The name at `index`, 0..spipe__cat_count() - 1, in ascending order of the bytes of the names.
 * Any change of the catalogue may move entries to other indexes. */
struct spipe__cat_entry *spipe__cat_at(const struct spipe__cat *cat, size_t index);

/**
 * Creates a name that has no chunks yet.
 *
 * @param cat    catalogue
 * @param name   see spipe__cat_check_name(); copied
 * @param wwid   SPIPE__CAT_WWID_LENGTH bytes; copied
 * @param entry  receives the new entry; may be NULL
 * @return       0; -EINVAL for a bad name, -EEXIST, -ENOMEM, -ENOSPC if the store is full even
 *               after compaction, -EIO
 */
HAL_MUST_CHECK int spipe__cat_create(struct spipe__cat *cat, const char *name, const uint8_t *wwid,
                                     struct spipe__cat_entry **entry);

/**
 * Removes a name. The entry is gone when this returns 0.
 *
 * @param cat    catalogue
 * @param name   of the entry
 * @param freed  gets every chunk that it had, after the removal is durable; may be NULL
 * @param arg    passed to freed()
 * @return       0; -ENOENT, -ENOSPC, -EIO
 */
HAL_MUST_CHECK int spipe__cat_remove(struct spipe__cat *cat, const char *name,
                                     spipe__cat_freed_fn freed, void *arg);

/**
 * Gives a name another name. Its address, chunks and length stay.
 *
 * @param cat    catalogue
 * @param entry  entry to rename
 * @param name   new name; copied
 * @return       0; -EINVAL for a bad name, -EEXIST if it is taken (even by `entry`), -ENOSPC, -EIO
 */
HAL_MUST_CHECK int spipe__cat_rename(struct spipe__cat *cat, struct spipe__cat_entry *entry,
                                     const char *name);

/**
 * Grows a name: adds chunks behind those that it has.
 *
 * @param cat     catalogue
 * @param entry   entry to grow
 * @param chunks  chunk numbers in virtual order; copied
 * @param n       how many; 0 changes nothing
 * @return        0; -EBUSY if the name has a chunk already, or it is twice in the list; -EFBIG
 * beyond SPIPE__CAT_CHUNKS_MAX; -ENOMEM, -ENOSPC, -EIO
 */
HAL_MUST_CHECK int spipe__cat_append_chunks(struct spipe__cat *cat, struct spipe__cat_entry *entry,
                                            const uint32_t *chunks, uint32_t n);

/**
 * Shrinks a name to its first `new_count` chunks.
 *
 * @param cat        catalogue
 * @param entry      entry to shrink
 * @param new_count  at most entry->chunk_count; the same changes nothing
 * @param freed      gets every chunk cut off, after the change is durable; may be NULL
 * @param arg        passed to freed()
 * @return           0; -EINVAL if there are fewer chunks than new_count, -ENOSPC, -EIO
 */
HAL_MUST_CHECK int spipe__cat_drop_chunks(struct spipe__cat *cat, struct spipe__cat_entry *entry,
                                          uint32_t new_count, spipe__cat_freed_fn freed, void *arg);

/** Sets entry->byte_length. Returns 0, -ENOSPC or -EIO. */
HAL_MUST_CHECK int spipe__cat_set_byte_length(struct spipe__cat *cat,
                                              struct spipe__cat_entry *entry, uint64_t byte_length);

/**
 * Makes `name` mean exactly these chunks and this length, whatever it meant before, as one step:
 * after a crash the name is as it was (or still does not exist), or is as asked for. An entry that
 * exists keeps its address.
 *
 * @param cat          catalogue
 * @param name         see spipe__cat_check_name(); created if it does not exist
 * @param wwid         physical LUN of the new chunks; may differ from the old one
 * @param chunks       chunk numbers in virtual order; copied. Old chunks of this name may be
 *                     among them
 * @param n            how many, 0..SPIPE__CAT_CHUNKS_MAX
 * @param byte_length  new length
 * @param freed        gets every chunk that the name had and has no more, after the change is
 *                     durable; may be NULL
 * @param arg          passed to freed()
 * @return             0; -EINVAL for a bad name; -EBUSY if a chunk is twice in the list; -EFBIG,
 *                     -ENOMEM, -ENOSPC, -EIO
 */
HAL_MUST_CHECK int spipe__cat_replace(struct spipe__cat *cat, const char *name, const uint8_t *wwid,
                                      const uint32_t *chunks, uint32_t n, uint64_t byte_length,
                                      spipe__cat_freed_fn freed, void *arg);

/**
 * Walks over all chunks that are named on one physical LUN: entries in order of name, chunks in
 * virtual order; a chunk that names share comes once for each. For rebuilding its block allocation
 * table (spipe__ba_reserve()).
 *
 * @param cat   catalogue
 * @param wwid  physical LUN
 * @param fn    called for each chunk; must not change the catalogue
 * @param arg   passed to fn()
 * @return      0, or the first result of fn() that was not 0
 */
HAL_MUST_CHECK int spipe__cat_for_each_chunk(const struct spipe__cat *cat, const uint8_t *wwid,
                                             spipe__cat_chunk_fn fn, void *arg);

/* ---- chunks to be wiped ---- */

/** Takes one chunk that is to be wiped. A result other than 0 ends the walk. */
typedef int (*spipe__cat_wipe_fn)(void *arg, uint32_t chunk);

/**
 * Records that chunks are to be wiped before anybody else gets them, whatever happens to the
 * process meanwhile. To be called before their first owner can write to them.
 *
 * @param cat     catalogue
 * @param wwid    physical LUN
 * @param chunks  chunk numbers, ascending runs are written shortest; some may be recorded already
 * @param n       how many
 * @return        0; -ENOMEM, -ENOSPC, -EIO
 */
HAL_MUST_CHECK int spipe__cat_wipe_add(struct spipe__cat *cat, const uint8_t *wwid,
                                       const uint32_t *chunks, uint32_t n);

/** Records that a chunk was wiped: to be called before it is free. Returns 0, also if it was not
 * recorded; -ENOSPC, -EIO: it counts as not wiped. */
HAL_MUST_CHECK int spipe__cat_wipe_done(struct spipe__cat *cat, const uint8_t *wwid,
                                        uint32_t chunk);

/** Walks over the chunks of a physical LUN that are to be wiped, ascending. fn must not change the
 * catalogue. Returns 0, -ENOMEM, or the first result of fn() that was not 0. */
HAL_MUST_CHECK int spipe__cat_for_each_wipe(struct spipe__cat *cat, const uint8_t *wwid,
                                            spipe__cat_wipe_fn fn, void *arg);

/**
 * Replaces the history in the store by a snapshot now. Never needed for correctness.
 *
 * @return  0; -ENOSPC, -EIO: nothing has changed
 */
HAL_MUST_CHECK int spipe__cat_compact(struct spipe__cat *cat);

#endif
