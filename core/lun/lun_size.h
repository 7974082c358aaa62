/* SPDX-License-Identifier: Apache-2.0 */
/* How large a LUN is, and what follows from that for its chunks. Shared inside core only.
 *
 * The size of the device counts at once, for whoever asks (SP-88). An allocator has the size that
 * the device had when it was made, until the mode of the LUN is NONE: chunks that the device
 * does not have as a whole any more are *parked* as soon as nobody owns them. Parked chunks are
 * allocated as the allocator sees it, and belong to no handle, no name and no quarantine. They are
 * free again when the device has grown over them. Only a LUN that has shrunk needs memory for that.
 * Chunks with an owner are left alone: I/O to them
 * reaches the device, which knows best (VLW-16).
 *
 * Thread rules: the caller holds the books of the adapter, unless it says otherwise. */
#ifndef CORE_LUN_SIZE_H
#define CORE_LUN_SIZE_H

#include "core/adapter/adapter.h"
#include "core/command/capacity.h"

/**
 * Takes note of what the device says now (SP-88, R-50); spipe__lun_move_end() has to follow.
 *
 * @param s    adapter
 * @param lun  LUN
 * @param now  its capacity
 * @return     0; with nothing changed -ENOMEM, or -EIO if the block size has changed while the mode
 * of the LUN is not NONE: handles, allocator and I/O in flight count in the old one
 */
HAL_MUST_CHECK int spipe__lun_set_capacity(struct spipe *s, struct spipe__global_lun *lun,
                                           const struct spipe__capacity *now);

/** Parks chunks of an allocator, or no more, as the capacity has it that was noted. Takes the books
 * itself, for some chunks at a time. */
void spipe__lun_move_end(struct spipe *s, struct spipe__global_lun *lun);

/** Drops one reference of a chunk, which has one: after the last it is free, or dirty
 * (core/lun/wipe.h), or parked. Whoever owned a chunk gives it back this way. */
void spipe__lun_free_chunk(struct spipe__global_lun *lun, uint64_t chunk);

/** The same for the chunks that the published LXT entries [first, last) name, from the highest
 * index down (VL-28). Takes the books itself, for some chunks at a time. */
void spipe__lun_free_entries(struct spipe *s, struct spipe__global_lun *lun,
                             const uint64_t *entries, uint32_t first, uint32_t last);

/** The same for `n` chunks, from the last down. Takes the books itself, for some at a time. */
void spipe__lun_free_chunks(struct spipe *s, struct spipe__global_lun *lun, const uint32_t *chunks,
                            uint32_t n);

/** Adds one reference of each of `n` chunks. 0, or -EIO if one has 256 owners (or none): then
 * nothing has changed. Takes the books itself, for some chunks at a time: the caller sees to it
 * that they keep an owner meanwhile. */
HAL_MUST_CHECK int spipe__lun_share_chunks(struct spipe *s, struct spipe__global_lun *lun,
                                           const uint32_t *chunks, uint32_t n);

/** Whether a chunk of the allocator is parked. */
bool spipe__lun_is_parked(const struct spipe__global_lun *lun, uint64_t chunk);

/** Frees what keeps track of parked chunks, when the allocator ends. */
void spipe__lun_forget_parked(struct spipe *s, struct spipe__global_lun *lun);

#endif
