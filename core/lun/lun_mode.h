/* SPDX-License-Identifier: Apache-2.0 */
/* How a LUN is used: the mode, by whom, and the allocator that lives while it is VIRTUAL. Shared
 * inside core only.
 *
 * The mode is not NONE as long as anything needs it: an open handle (`users`, SP-1), something
 * withdrawn that the AFU may still reach (`holds`, R-32), or a name in the catalogue. The first
 * handle sets it (SP-2); with the last of all these it becomes NONE, and the allocator is destroyed
 * (VL-13). An allocator that is made again starts with the chunks of the names.
 *
 * Thread rules: the caller holds the books of the adapter, unless a function says otherwise. */
#ifndef CORE_LUN_MODE_H
#define CORE_LUN_MODE_H

#include "core/adapter/adapter.h"

/** The LUN of an adapter with this WWID, or NULL. */
struct spipe__lun *spipe__lun_find(struct spipe *s, const uint8_t *wwid);

/**
 * Takes the LUN for one more handle: mode set, users + 1, and in mode VIRTUAL the allocator made at
 * first use with the chunks of every name taken (SP-53, SP-59, VL-36).
 *
 * @param s     adapter
 * @param lun   its LUN
 * @param mode  SPIPE_LUN_VIRTUAL or SPIPE_LUN_PHYSICAL
 * @return      0; -EINVAL if the LUN is in the other mode; -EBUSY if it is so only because of what
 *              is quarantined, which may be tried once more; -ENOMEM without memory or if
 *              the LUN has no whole chunk (VL-6). Nothing is changed on failure
 */
HAL_MUST_CHECK int spipe__lun_claim(struct spipe *s, struct spipe__global_lun *lun, uint8_t mode);

/** Undoes one spipe__lun_claim(): users - 1, and what follows from it. */
void spipe__lun_unclaim(struct spipe *s, struct spipe__global_lun *lun);

/** One more thing of the LUN is quarantined. */
void spipe__lun_hold(struct spipe__global_lun *lun);

/** Whether anything of LUN number `lun`, 0 .. SPIPE__LUNS_MAX - 1, is quarantined. Takes the books
 * itself. */
bool spipe__lun_holds(struct spipe *s, unsigned lun);

/** One less, and what follows from it. */
void spipe__lun_unhold(struct spipe *s, struct spipe__global_lun *lun);

/** Ends the mode, and the allocator, if nothing needs it any more. To be called after a name lost
 * chunks. */
void spipe__lun_settle(struct spipe *s, struct spipe__global_lun *lun);

/**
 * Builds the allocator of a LUN that carries names or chunks to be wiped, if it has none, so that
 * its mode and its free chunks are right from the start.
 *
 * @return  0, also if it carries nothing; -ENOMEM as spipe__lun_claim(); -EIO if a name owns a
 * chunk that the LUN does not have
 *
 * The caller holds `names` too.
 */
HAL_MUST_CHECK int spipe__lun_start(struct spipe *s, struct spipe__global_lun *lun);

/** The same for all LUNs; to be called once they are known and the catalogue is open. Takes the
 * locks itself. Returns 0, or the first failure. */
HAL_MUST_CHECK int spipe__lun_start_all(struct spipe *s);

/** Frees what is quarantined and drops all LUNs, when the adapter closes: no handle is open, and
 * the AFU knows no context any more. The allocator of a LUN that no adapter reaches any more ends,
 * though names kept it alive; what is dirty on one that others reach is theirs to wipe. Takes the
 * books itself. */
void spipe__lun_finish(struct spipe *s);

#endif
