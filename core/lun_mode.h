/* SPDX-License-Identifier: Apache-2.0 */
/* How a LUN is used: the mode, by whom, and the allocator that lives while it is VIRTUAL. Shared
 * inside core only.
 *
 * The mode is not NONE as long as anything needs it: an open handle (`users`, SP-1), something
 * withdrawn that the AFU may still reach (`holds`, R-32), or a name in the catalogue. The first
 * handle sets it (SP-2); with the last of all these it becomes NONE, and the allocator is destroyed
 * (VL-13). An allocator that is made again starts with the chunks of the names.
 *
 * Thread rules: the caller holds the control lock of the adapter. */
#ifndef CORE_LUN_MODE_H
#define CORE_LUN_MODE_H

#include "core/adapter.h"

/** The LUN with this WWID, or NULL. */
struct spipe__lun *spipe__lun_find(struct spipe *s, const uint8_t *wwid);

/** Whether a name of the catalogue owns a chunk of the LUN. */
bool spipe__lun_named(struct spipe *s, const struct spipe__lun *lun);

/**
 * Takes the LUN for one more handle: mode set, users + 1, and in mode VIRTUAL the allocator made at
 * first use with the chunks of every name taken (SP-53, SP-59, VL-36).
 *
 * @param s     adapter
 * @param lun   its LUN
 * @param mode  SPIPE_LUN_VIRTUAL or SPIPE_LUN_PHYSICAL
 * @return      0; -EINVAL if the LUN is in the other mode, also after what is quarantined has been
 *              tried once more; -ENOMEM without memory or if the LUN has no whole chunk
 *              (VL-6); -EIO if a name owns a chunk that the LUN does not have. Nothing is changed
 *              on failure
 */
HAL_MUST_CHECK int spipe__lun_claim(struct spipe *s, struct spipe__lun *lun, uint8_t mode);

/** Undoes one spipe__lun_claim(): users - 1, and what follows from it. */
void spipe__lun_unclaim(struct spipe *s, struct spipe__lun *lun);

/** One more thing of the LUN is quarantined. */
void spipe__lun_hold(struct spipe__lun *lun);

/** One less, and what follows from it. */
void spipe__lun_unhold(struct spipe *s, struct spipe__lun *lun);

/** Ends the mode, and the allocator, if nothing needs it any more. To be called after a name lost
 * chunks. */
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
