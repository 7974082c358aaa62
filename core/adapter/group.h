/* SPDX-License-Identifier: Apache-2.0 */
/* What adapters of one host share (SP section 1; decision 0007). Shared inside core only.
 *
 *   group       the adapters that were opened as peers, with one catalogue of names
 *   global LUN  a disk by its WWID, whichever adapters reach it: capacity, mode, allocator
 *   local LUN   the same disk as one adapter knows it (core/adapter/adapter.h): ids, ports, slot,
 * handles
 *
 * An adapter that was opened without a peer is a group of its own.
 *
 * Locks of the group, which all its adapters take in the order of core/adapter/lock_rank.h:
 *
 *   names   the catalogue. Held across the writing of records
 *   books   what there is, and who has what, on all its adapters. Held for moments only
 *   wiping  one wipe at a time. Under it a gate is entered, for each command, and whoever waits for
 *           it is outside and holds nothing */
#ifndef CORE_GROUP_H
#define CORE_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/catalogue/catalogue.h"
#include "core/lun/block_alloc.h"
#include "hal/exec.h"
#include "hal/support/must_check.h"

struct spipe;
struct spipe__lun;
struct spipe__wipe;

/** A disk, by WWID. It lives until its group ends (SP-122). Guarded by the books. */
struct spipe__global_lun {
    struct spipe__global_lun *next; /* of the group */
    struct spipe__lun *locals;      /* of adapters that reach it */
    uint8_t wwid[16];
    uint8_t mode;             /* SPIPE_LUN_NONE, _VIRTUAL, _PHYSICAL */
    bool reads_zero_unmapped; /* LBPRZ: unmapped blocks read as zeros */
    uint64_t last_lba;
    uint32_t block_size;
    uint32_t users;           /* open handles (SP-1) */
    uint32_t holds;           /* what is quarantined */
    uint64_t named;           /* references that names have to its chunks */
    struct spipe__ba *ba;     /* exists while mode is VIRTUAL: see core/lun/lun_mode.h */
    size_t ba_size;           /* bytes of it, all that belongs to it included */
    uint64_t usable;          /* chunks of ba that the device has now; see core/lun/lun_size.h */
    struct spipe__wipe *wipe; /* core/lun/wipe.h; NULL: nobody asked for it while the mode lasts */
    uint64_t *parked;         /* a bit for each chunk of ba: it is parked; NULL: none ever was */
};

/** Adapters that share LUNs. */
struct spipe__group {
    struct exec *exec;
    struct exec_mutex names, books, wiping;
    struct spipe *members; /* in the order in which they joined */
    struct spipe__global_lun *luns;
    struct spipe__cat *catalogue; /* NULL: no names */
    uint64_t lineages;            /* of handles: the last number given out */
};

/**
 * Makes an adapter a member of a group, before anything else of it is used.
 *
 * @param s     adapter, its exec set
 * @param peer  an adapter of the group, open until this returns, of the same exec; NULL = a new one
 * @return      0 or -ENOMEM
 */
HAL_MUST_CHECK int spipe__group_join(struct spipe *s, struct spipe *peer);

/** Ends that, when the adapter has no LUNs any more (spipe__lun_finish). With the last adapter the
 * group ends, its catalogue and its global LUNs. */
void spipe__group_leave(struct spipe *s);

/** The global LUN with this WWID, or NULL. The caller holds the books. */
struct spipe__global_lun *spipe__group_find(const struct spipe *s, const uint8_t *wwid);

/**
 * Makes a local LUN of an adapter one of the global LUN with this WWID, which is made if there is
 * none (SP-117).
 *
 * @param lun  all zero, in s->lun
 * @return     0 or -ENOMEM
 *
 * The caller holds the books.
 */
HAL_MUST_CHECK int spipe__group_add_lun(struct spipe *s, struct spipe__lun *lun,
                                        const uint8_t *wwid);

/** Ends that. The global LUN stays, perhaps without anybody who reaches it. The caller holds the
 * books. */
void spipe__group_drop_lun(struct spipe__lun *lun);

#endif
