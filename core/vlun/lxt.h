/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of LUN translation entries, one entry a chunk of a virtual LUN. Shared inside core only.
 *
 * An array has room for whole groups of 8 entries and is aligned to 128 bytes (VL-16, VL-17). Its
 * capacity is stored, not derived from the count in the RHT entry, because a shrink that finds no
 * memory keeps the larger array. Entries are written with hal_table_store only; the caller
 * publishes before it reads an entry back, and before it shows the array to the AFU.
 *
 * Thread rules: an array belongs to the handle whose context the caller has entered. */
#ifndef CORE_LXT_H
#define CORE_LXT_H

#include <stdint.h>

#include "hal/afu_tables.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/bits.h"
#include "hal/support/endian.h"

enum {
    SPIPE__LXT_GROUP = 8,   /* entries that are allocated together */
    SPIPE__LXT_ALIGN = 128, /* bytes */
};

/** One array. All zero: no array, as for a virtual LUN of size 0. */
struct spipe__lxt {
    uint64_t *entry;
    uint32_t capacity; /* entries, a multiple of SPIPE__LXT_GROUP */
};

/** What every array of one adapter has in common. */
struct spipe__lxt_home {
    struct exec *exec;
    struct hal_dev *dev;
    enum hal_order order; /* of the table owner, the master (MD-8) */
};

/** Capacity of a new array for `count` entries: whole groups, 0 for 0 (VL-16). */
static inline uint32_t spipe__lxt_capacity(uint32_t count)
{
    return (uint32_t)hal_div_up(count, SPIPE__LXT_GROUP) * SPIPE__LXT_GROUP;
}

/**
 * Makes a zeroed array in memory that the AFU may reach.
 *
 * @param home   adapter
 * @param count  entries that it must hold; 0 gives no array
 * @param lxt    receives the array; the caller owns it; untouched on failure
 * @return       0, -ENOMEM
 */
HAL_MUST_CHECK int spipe__lxt_create(const struct spipe__lxt_home *home, uint32_t count,
                                     struct spipe__lxt *lxt);

/** Frees an array, which the AFU must not be able to reach any more (INV-13), and clears *lxt. No
 * array is ignored. */
void spipe__lxt_destroy(const struct spipe__lxt_home *home, struct spipe__lxt *lxt);

/**
 * Stores entry `index`: chunk, LUN-table slot and port mask of the LUN as they are now, permissions
 * always read and write (VL-18).
 */
void spipe__lxt_store(const struct spipe__lxt_home *home, struct spipe__lxt *lxt, uint32_t index,
                      uint64_t chunk, uint8_t lun_index, unsigned ports);

/** Copies the first `count` entries to another array (G2, S1). */
void spipe__lxt_copy(const struct spipe__lxt_home *home, struct spipe__lxt *to,
                     const struct spipe__lxt *from, uint32_t count);

/** The chunk that a published entry names. */
static inline uint64_t spipe__lxt_chunk(const struct spipe__lxt_home *home, const uint64_t *entry)
{
    return afu_lxt_base(hal_swap64(home->order, *entry));
}

#endif
