/* SPDX-License-Identifier: Apache-2.0 */
/* The resource handle table of one context, as the AFU reads it. Shared inside core only.
 *
 * This is the only writer of RHT entries. It knows the bytes, which stores are needed and in which
 * order the AFU has to see them (VL-19, VL-25, VL-49); what an entry means, and the AFU syncs
 * between the steps, are the business of its callers. Entries are never read back: until the next
 * publish a store may not have reached memory, so callers keep what they need.
 *
 * Thread rules: the caller has entered the context that the table belongs to. */
#ifndef CORE_RHT_H
#define CORE_RHT_H

#include <stdint.h>

#include "hal/afu_tables.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/endian.h"

enum {
    SPIPE__RHT_SIZE = 256,   /* entries, on every host */
    SPIPE__RHT_ALIGN = 4096, /* a page of its own, so that locking it locks nothing else */
};

/** The table of one context. */
struct spipe__rht {
    struct exec *exec;
    struct hal_dev *dev;
    enum hal_order order; /* of the table owner, the master (MD-8) */
    struct afu_rht_entry *entries;
    uint64_t used[SPIPE__RHT_SIZE / 64]; /* bit = 1: the handle is taken */
};

/**
 * Makes an empty table in memory that the AFU may reach.
 *
 * @param rht    table to set up
 * @param exec   where memory comes from; must outlive the table
 * @param dev    device; must outlive the table
 * @param order  byte order of tables, afu_config (VL-1)
 * @return       0, -ENOMEM
 */
HAL_MUST_CHECK int spipe__rht_init(struct spipe__rht *rht, struct exec *exec, struct hal_dev *dev,
                                   enum hal_order order);

/** Frees the memory of a table. The AFU must not know it any more: rht_start is 0 and the context
 * has ended. */
void spipe__rht_fini(struct spipe__rht *rht);

/** The value of rht_start. */
static inline uint64_t spipe__rht_address(const struct spipe__rht *rht)
{
    return (uint64_t)(uintptr_t)rht->entries;
}

/**
 * The lowest free handle that is not below `from` (SP-35). It is not taken yet.
 *
 * @return  0..255; SPIPE__RHT_SIZE if there is none
 */
uint32_t spipe__rht_free_handle(const struct spipe__rht *rht, uint32_t from);

/** Takes a free handle and makes its entry a virtual LUN of size 0 with `permissions` (AFU_PERM_):
 * pointer and count are 0 while format and nmask are written (VL-37). */
void spipe__rht_open(struct spipe__rht *rht, uint32_t handle, unsigned permissions);

/**
 * Shows the AFU more entries: G5, G6, G7 of vlun.md 5 and C4 of 10. The entries were stored
 * before; an LW sync has to follow.
 *
 * @param rht          table
 * @param handle       open handle
 * @param permissions  AFU_PERM_ of the handle, as at spipe__rht_open()
 * @param lxt          first entry of the array; the same as before when it grows in place
 * @param count        new number of entries
 */
void spipe__rht_grow(struct spipe__rht *rht, uint32_t handle, unsigned permissions,
                     const uint64_t *lxt, uint32_t count);

/**
 * Withdraws entries: S2, S3 of vlun.md 6. An HW sync has to follow before anything withdrawn is
 * used again (VL-25).
 *
 * @param rht          table
 * @param handle       open handle
 * @param permissions  AFU_PERM_ of the handle, as at spipe__rht_open()
 * @param old_lxt      array that the entry points to
 * @param lxt          array for the remaining entries; NULL if `count` is 0
 * @param count        new number of entries
 */
void spipe__rht_shrink(struct spipe__rht *rht, uint32_t handle, unsigned permissions,
                       const uint64_t *old_lxt, const uint64_t *lxt, uint32_t count);

/**
 * Takes a free handle and makes its entry a whole LUN behind one port: D1, D2, D3 of vlun.md 11. An
 * LW sync has to follow.
 *
 * @param rht          table
 * @param handle       free handle
 * @param lun_id       64-bit LUN id on the port (SL 23.9)
 * @param permissions  AFU_PERM_
 * @param port         its number
 */
void spipe__rht_open_direct(struct spipe__rht *rht, uint32_t handle, uint64_t lun_id,
                            unsigned permissions, unsigned port);

/** Takes the entry of spipe__rht_open_direct() back and frees the handle: R1, R2, R3 of vlun.md 11,
 * with the same arguments. An HW sync has to follow before handle or LUN are used again (VL-51). */
void spipe__rht_close_direct(struct spipe__rht *rht, uint32_t handle, unsigned permissions,
                             unsigned port);

/** Frees a handle whose size is 0: the entry is all zero afterwards (SP-36, VL-40). */
void spipe__rht_close(struct spipe__rht *rht, uint32_t handle);

#endif
