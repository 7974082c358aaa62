/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue as a whole, and how its changes are made durable. Private to catalogue*.c. */
#ifndef CORE_CATALOGUE_COMMIT_H
#define CORE_CATALOGUE_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/catalogue/catalogue.h"
#include "core/catalogue/catalogue_table.h"
#include "hal/record_store.h"
#include "hal/support/must_check.h"

struct spipe__cat {
    struct spipe__cat_table table;
    struct hal_record_store *store;
    uint64_t number;    /* of the last change */
    uint64_t log_bytes; /* of the records in the store, dead ones included */
    uint64_t tidy_at;   /* log_bytes at which to look how many of them are dead */
    uint8_t *buf;       /* HAL_RECORD_MAX bytes, for the record being written */
};

/** What one change says about one name, or about chunks to be wiped, in the order in which it is
 * written. */
struct spipe__cat_change {
    const char *select; /* name that exists, or NULL */
    bool remove;
    const char *create; /* name and LUN, or NULL */
    const uint8_t *wwid;
    const char *rename; /* new name, or NULL */
    const uint32_t *chunks;
    uint32_t n;
    bool cut;
    uint32_t cut_to;
    bool set_length;
    uint64_t byte_length;
    const uint8_t *wipe_on; /* LUN whose chunks are to be wiped, or were; NULL: the rest is unset */
    bool wiped;
    const uint32_t *wipe;
    uint32_t wipe_n;
};

/**
 * Makes a change durable, and counts it in cat->number. The table is as before, also while this
 * runs; the caller changes it when the result is 0.
 *
 * @param cat     catalogue
 * @param change  what to write
 * @return        0; -ENOSPC if the store is full and stays so after compaction, -EIO
 */
HAL_MUST_CHECK int spipe__cat_commit(struct spipe__cat *cat,
                                     const struct spipe__cat_change *change);

#endif
