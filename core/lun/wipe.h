/* SPDX-License-Identifier: Apache-2.0 */
/* Wiping: chunks of virtual LUNs that were opened with the wish for it are written with zeros
 * before anybody else gets them (vlun.md 13, 15.1). Shared inside core only.
 *
 * A chunk that such a handle gets is *sticky* from then on, whoever else shares it (VL-63). When
 * its last reference goes, after the sync (VL-62), it is *dirty*: allocated, owned by nobody, and
 * held. The worker of the adapter, or a request that needs the space, wipes it piece by
 * piece, with no lock but `wiping` held and outside the gate between the pieces; when all blocks
 * are confirmed it is free. A chunk that cannot be wiped stays dirty and is tried again (VL-61):
 * by the worker after a pause that doubles each time, up to a minute, and by each request that
 * needs the space. */
#ifndef CORE_WIPE_H
#define CORE_WIPE_H

#include "core/adapter/adapter.h"

/** What is known about the chunks of one LUN. */
struct spipe__wipe {
    uint64_t *sticky, *dirty; /* a bit for each chunk */
    uint64_t *failed;         /* likewise: dirty ones that could not be wiped so far */
    size_t bytes;             /* of each of them */
    uint64_t dirty_count, failed_count;
    uint64_t next;  /* chunk at which the search for the next dirty one begins */
    uint32_t piece; /* blocks of one command; 0 = the device was not asked yet */
};

/** Prepares a LUN in mode VIRTUAL for sticky chunks. Returns 0, also if it is prepared, or -ENOMEM.
 * The caller holds the books. */
HAL_MUST_CHECK int spipe__wipe_prepare(struct spipe *s, struct spipe__global_lun *lun);

/** Makes chunks sticky, of a LUN that is prepared. The caller holds the books. */
void spipe__wipe_mark(struct spipe__global_lun *lun, const struct spipe__ba_part *part);
void spipe__wipe_mark_one(struct spipe__global_lun *lun, uint64_t chunk);

/** Whether a chunk must be wiped before it is free. The caller holds the books. */
bool spipe__wipe_needed(const struct spipe__global_lun *lun, uint64_t chunk);

/** Whether any chunk of a part, all of which are of the LUN, must be. The caller holds the books.
 */
bool spipe__wipe_needed_in(const struct spipe__global_lun *lun, const struct spipe__ba_part *part);

/**
 * Records that the chunks which published LXT entries [first, last) name are sticky, so that a
 * restart does not forget it. Before the AFU is shown the entries.
 *
 * @return  0, also without a catalogue; -EIO if it cannot be recorded
 *
 * Takes `names`.
 */
HAL_MUST_CHECK int spipe__wipe_record(struct spipe *s, const struct spipe__global_lun *lun,
                                      const uint64_t *entries, uint32_t first, uint32_t last);

/** Makes what an earlier run recorded for a LUN in mode VIRTUAL sticky, and dirty if no name has
 * it. Returns 0 or -ENOMEM. The caller holds `names` and the books. */
HAL_MUST_CHECK int spipe__wipe_restore(struct spipe *s, struct spipe__global_lun *lun);

/** Asks the workers of all adapters that reach a LUN to wipe what is dirty. The caller holds the
 * books. */
void spipe__wipe_ask(const struct spipe__global_lun *lun);

/** The last reference of a sticky chunk went: it is dirty, and the workers are told. The caller
 * holds the books. */
void spipe__wipe_later(struct spipe__global_lun *lun, uint64_t chunk);

/** Number of dirty chunks. The caller holds the books. */
uint64_t spipe__wipe_dirty(const struct spipe__global_lun *lun);

/** Whether a chunk is dirty. The caller holds the books. */
bool spipe__wipe_is_dirty(const struct spipe__global_lun *lun, uint64_t chunk);

/** Wipes what is dirty on a LUN, each chunk once, as long as the device answers; nothing if the
 * adapter was opened so. The caller is outside the gate and holds no lock. Blocks for each command,
 * for other wipes of the group, and for resets. */
void spipe__wipe_run(struct spipe *s, struct spipe__lun *lun);

/** The same for the worker: what could not be wiped has to wait until its pause is over. Asks for
 * the next time if something stays dirty. */
void spipe__wipe_run_due(struct spipe *s, struct spipe__lun *lun);

/** Forgets everything about a LUN, when its allocator ends. The caller holds the books. */
void spipe__wipe_forget(struct spipe *s, struct spipe__global_lun *lun);

#endif
