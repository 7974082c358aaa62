/* SPDX-License-Identifier: Apache-2.0 */
/* The record store: where core keeps what must survive a restart, handed in when an adapter is
 * opened. It knows nothing of what the records mean. Three operations, and no other:
 *
 *   load      every live record, in order of append
 *   append    one more record, atomic and durable
 *   compact   all records replaced by a given list, atomic and durable
 *
 * Records are short byte strings. Whoever has much to say writes *deltas* ("chunks 7..262143 were
 * added"), not whole states, so that a small change is a small record, and compacts when most of
 * what it wrote is history; core/catalogue/catalogue.h is the example.
 *
 * Crash rule, on which everything above rests: after a crash at any moment, at any byte of any
 * write and with any set of unsynced sectors lost, the next load gives the records that were
 * acknowledged, in order, followed at most by the one that was being appended, whole; or, for
 * compact, the old list or the new one. Never a part of a record, never a gap.
 *
 * Thread rules: a store is not locked inside; its owner makes one call at a time. Calls block. The
 * callbacks below run inside the call and must not call the store again.
 *
 * hal/support/record_log.h implements this over any array of bytes. */
#ifndef HAL_RECORD_STORE_H
#define HAL_RECORD_STORE_H

#include <errno.h>
#include <stddef.h>

#include "hal/support/check.h"
#include "hal/support/must_check.h"

enum { HAL_RECORD_MAX = 65536 }; /* bytes of the longest record; the shortest has one */

struct hal_record_store;

/** Takes one record. The bytes are valid during the call only. Returns 0 or a negative errno, which
 * ends the operation and becomes its result. */
typedef int (*hal_record_fn)(void *arg, const void *record, size_t length);

/** Produces the records of a compaction: calls emit(sink, record, length) once for each, in order,
 * and stops with the result of emit when that is not 0. Returns 0 or a negative errno. */
typedef int (*hal_record_list_fn)(void *arg, hal_record_fn emit, void *sink);

/** The operations of one kind of store. No slot may be NULL. Callers use the wrappers below. */
struct hal_record_store_ops {
    int (*load)(struct hal_record_store *, hal_record_fn each, void *arg);
    int (*append)(struct hal_record_store *, const void *record, size_t length);
    int (*compact)(struct hal_record_store *, hal_record_list_fn list, void *arg);
};

/** One store; implementations embed it. It belongs to whoever opened it, and must outlive its
 * user. */
struct hal_record_store {
    const struct hal_record_store_ops *ops;
};

/**
 * Calls each() for every live record, in order of append. Must be the first operation on a store,
 * and may be called again at any time; while it has not succeeded, nothing else may be called.
 *
 * @param store  store
 * @param each   takes the records; what it got counts only if the whole load returns 0
 * @param arg    passed to each()
 * @return       0 (an area never used holds no records); -EILSEQ if what is stored is damaged;
 *               -ENOTSUP if a newer version of the software wrote it; -EINVAL if the area does
 *               not have the size it was made with; -EIO; or what each() returned
 */
HAL_MUST_CHECK static inline int hal_record_load(struct hal_record_store *store, hal_record_fn each,
                                                 void *arg)
{
    CHECK(store->ops->load && each);
    return store->ops->load(store, each, arg);
}

/**
 * Adds a record. When it returns 0 the record is durable.
 *
 * @param store   store
 * @param record  bytes, copied
 * @param length  1..HAL_RECORD_MAX
 * @return        0; -ENOSPC if the record does not fit: nothing happened, and the owner may compact
 *                and try again; -EIO if it could not be written: the record is not in the list of
 *                this process, and the store takes no other change until it has made sure, on the
 *                medium, that it is not in the next one's list either
 */
HAL_MUST_CHECK static inline int hal_record_append(struct hal_record_store *store,
                                                   const void *record, size_t length)
{
    int rc;

    CHECK(store->ops->append && record && length > 0 && length <= HAL_RECORD_MAX);
    rc = store->ops->append(store, record, length);
    CHECK(rc == 0 || rc == -ENOSPC || rc == -EIO);
    return rc;
}

/**
 * Replaces all records by those that list() produces, as one atomic and durable step.
 *
 * @param store  store
 * @param list   produces the new records; runs once, during the call
 * @param arg    passed to list()
 * @return       0; -ENOSPC if the new list does not fit; -EIO; or what list() returned. On failure
 *               the old records stand, with the same promise as for hal_record_append()
 */
HAL_MUST_CHECK static inline int hal_record_compact(struct hal_record_store *store,
                                                    hal_record_list_fn list, void *arg)
{
    CHECK(store->ops->compact && list);
    return store->ops->compact(store, list, arg);
}

#endif
