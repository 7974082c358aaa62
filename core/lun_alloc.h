/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a LUN as virtual LUNs, and the allocator that lives meanwhile. Shared inside core only.
 *
 * The mode of a LUN is VIRTUAL, and its allocator exists, as long as anything owns a chunk of it:
 * an open handle (`users`, SP-1), something withdrawn that the AFU may still reach (`holds`, R-32),
 * or a name in the catalogue. With the last of them the mode becomes NONE and the allocator is
 * destroyed (SP-2, VL-13). An allocator that is made again starts with the chunks of the names.
 *
 * Thread rules: the caller holds the control lock of the adapter. */
#ifndef CORE_LUN_ALLOC_H
#define CORE_LUN_ALLOC_H

#include "core/adapter.h"

struct spipe__held;

/** What exists while the mode of a LUN is VIRTUAL: one block of memory, lun->ba_memory. */
struct spipe__lun_alloc {
    struct spipe__ba ba;      /* lun->ba points here */
    struct spipe__held *held; /* what is quarantined on this LUN, see core/quarantine.h */
};

/** The object around lun->ba, which must exist. */
struct spipe__lun_alloc *spipe__lun_alloc(struct spipe__lun *lun);

/** The LUN with this WWID, or NULL. */
struct spipe__lun *spipe__lun_find(struct spipe *s, const uint8_t *wwid);

/** Whether a name of the catalogue owns a chunk of the LUN. */
bool spipe__lun_named(struct spipe *s, const struct spipe__lun *lun);

/**
 * Takes the LUN for one more virtual handle: mode VIRTUAL, users + 1, allocator made at first use
 * with the chunks of every name taken (SP-59, VL-36).
 *
 * @param s    adapter
 * @param lun  its LUN
 * @return     0; -EINVAL in mode PHYSICAL; -ENOMEM without memory or if the LUN has no whole chunk
 *             (VL-6); -EIO if a name owns a chunk that the LUN does not have. Nothing is changed on
 *             failure
 */
HAL_MUST_CHECK int spipe__lun_claim(struct spipe *s, struct spipe__lun *lun);

/** Undoes one spipe__lun_claim(): users - 1, and what follows from it. */
void spipe__lun_unclaim(struct spipe *s, struct spipe__lun *lun);

/** One more thing of the LUN is quarantined. */
void spipe__lun_hold(struct spipe__lun *lun);

/** One less, and what follows from it. */
void spipe__lun_unhold(struct spipe *s, struct spipe__lun *lun);

/** Ends mode VIRTUAL and the allocator if nothing owns a chunk any more. To be called after a name
 * lost chunks. */
void spipe__lun_settle(struct spipe *s, struct spipe__lun *lun);

/**
 * Builds the allocators of all LUNs that carry names, so that their mode and their free chunks are
 * right from the start. To be called once the LUNs are known and the catalogue is open.
 *
 * @return  0, or the first failure, as spipe__lun_claim()
 */
HAL_MUST_CHECK int spipe__lun_start(struct spipe *s);

/** Frees what is quarantined and the allocators that names kept alive, when the adapter closes: no
 * handle is open, and the AFU knows no context any more. */
void spipe__lun_finish(struct spipe *s);

#endif
