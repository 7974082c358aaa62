/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual LUNs: handles of format 0, with an RHT entry, an array of LXT entries, and the chunks
 * that they name (core/vlun/resource.h). Shared inside core only.
 *
 *   vlun.c         life: opening and closing a handle, sizes, syncs
 *   vlun_grow.c    G1..G10 of vlun.md 5, and the same with chunks that somebody owns already
 *   vlun_shrink.c  S1..S8 of vlun.md 6
 *
 * Names are above this (core/catalogue/name_binding.h): nothing here looks at the catalogue.
 *
 * After a sync that failed the size *has* changed (VL-33), and the caller gets -EAGAIN. What the
 * AFU may still reach is then in quarantine (core/vlun/quarantine.h); the next request on that
 * handle settles that first, so an open handle never holds more than one withdrawal.
 *
 * Thread rules: the caller has entered the context, and holds it across AFU syncs too (SP-168); of
 * a clone it has entered both. */
#ifndef CORE_VLUN_H
#define CORE_VLUN_H

#include "core/vlun/resource.h"

/* ---- sizes --------------------------------------------------------------------------------- */

/** Chunks that hold `blocks` 4096-byte blocks (VL-29); saturates (VL-30). */
uint64_t spipe__vlun_chunks(uint64_t blocks, uint32_t block_size);

/** Blocks of 4096 bytes in `chunks` chunks. */
uint64_t spipe__vlun_blocks(uint64_t chunks, uint32_t block_size);

/** Last 4096-byte block of `chunks` chunks, SPIPE_NO_BLOCK for 0 (VL-32). */
uint64_t spipe__vlun_last_lba(uint64_t chunks, uint32_t block_size);

/* ---- life ---------------------------------------------------------------------------------- */

/** The virtual LUN behind a handle; NULL if it is not open, or direct (SP-66). */
static inline struct spipe__resource *spipe__ctx_vlun(const struct spipe_ctx *ctx, uint32_t handle)
{
    struct spipe__resource *r = spipe__ctx_resource(ctx, handle);

    return r && r->kind == SPIPE_LUN_VIRTUAL ? r : NULL;
}

/**
 * Opens a handle of size 0: free handle, memory, LUN claim, LUN-table slot, RHT entry, in that
 * order (R-34, VL-36). No sync: the caller grows it or calls spipe__vlun_resize().
 *
 * @param ctx   context, not errored
 * @param lun   attached to ctx
 * @param wipe  its chunks are to be wiped
 * @param out   receives the virtual LUN; end it with spipe__vlun_close()
 * @return     0; -EMFILE, -ENOMEM, -EINVAL (mode), -ENOSPC (LUN table), -EIO. Nothing is changed on
 *             failure
 */
HAL_MUST_CHECK int spipe__vlun_open(struct spipe_ctx *ctx, struct spipe__lun *lun, bool wipe,
                                    struct spipe__resource **out);

/**
 * Opens a given handle with the chunks of another virtual LUN of the same LUN, each of which gets
 * one more reference: C1..C6 of vlun.md 10.
 *
 * @param ctx          context, not errored
 * @param source       virtual LUN of another context
 * @param permissions  AFU_PERM_ of the new handle, whose number is that of the source
 * @return             0; -EAGAIN (the handle is held, or the LW sync failed); -ENOMEM; -EIO if a
 *                     chunk has 256 owners. Nothing is open on failure
 */
HAL_MUST_CHECK int spipe__vlun_clone(struct spipe_ctx *ctx, const struct spipe__resource *source,
                                     uint8_t permissions);

/**
 * Releases a handle: shrink to 0, entry all zero, users - 1 (VL-39, VL-40).
 *
 * @param ctx  its context
 * @param v    virtual LUN; gone on success
 * @return     0; -EAGAIN if the sync failed: the handle stays open, with size 0 (VL-41)
 */
HAL_MUST_CHECK int spipe__vlun_close(struct spipe_ctx *ctx, struct spipe__resource *v);

/** The same whatever the sync says: what the AFU may still reach goes to the quarantine, which then
 * owns the virtual LUN (SP-80, VL-38, VL-42). */
void spipe__vlun_close_forced(struct spipe_ctx *ctx, struct spipe__resource *v);

/* ---- changes of size ----------------------------------------------------------------------- */

/** Whether the AFU is not asked to forget anything of a context: it is lost, or the adapter is not
 * NORMAL, as when it fails for good during or before a request (AD-141, SP-162). That stays so
 * until the request has ended, since a reset waits for it. */
bool spipe__vlun_is_cut_off(struct spipe_ctx *ctx);

/** Tries to free what a failed sync of this handle left in quarantine. 0 if nothing is left, else
 * -EAGAIN. `*synced` tells whether an HW sync of the handle has just succeeded. */
HAL_MUST_CHECK int spipe__vlun_settle(struct spipe_ctx *ctx, struct spipe__resource *v,
                                      bool *synced);

/**
 * Grows to at most `wanted` chunks, by chunks of the allocator; fewer are success (VL-20).
 *
 * @return  0; -ENOSPC if none is free; -ENOMEM; -EIO if the chunks are to be wiped and that cannot
 *          be recorded; -EAGAIN (LW sync failed, the size has changed)
 */
HAL_MUST_CHECK int spipe__vlun_grow(struct spipe_ctx *ctx, struct spipe__resource *v,
                                    uint64_t wanted);

/**
 * Grows from 0 to `count` chunks that the caller has taken a reference of each for it (C2, C4, C5
 * of vlun.md 10).
 *
 * @return  0; -EAGAIN (LW sync failed, the size has changed); -ENOMEM, -EIO (the chunks are to be
 *          wiped, and that cannot be recorded): the references are the caller's still
 */
HAL_MUST_CHECK int spipe__vlun_adopt(struct spipe_ctx *ctx, struct spipe__resource *v,
                                     const uint32_t *chunks, uint32_t count);

/**
 * Grows from 0 to the chunks of another virtual LUN of the same LUN, in its order, each of which
 * gets one more reference (C2..C5); of none it is an LW sync.
 *
 * @return  0; -ENOMEM; -EIO if a chunk has 256 owners; -EAGAIN (LW sync failed, the size has
 *          changed)
 */
HAL_MUST_CHECK int spipe__vlun_share_with(struct spipe_ctx *ctx, struct spipe__resource *v,
                                          const struct spipe__resource *source);

/** Shrinks to `size` chunks, at most what there are; the same size is an HW sync and nothing else.
 * 0, or -EAGAIN: the size has changed and what was withdrawn is quarantined (VL-26). */
HAL_MUST_CHECK int spipe__vlun_shrink(struct spipe_ctx *ctx, struct spipe__resource *v,
                                      uint32_t size);

/** Grow, shrink or sync, whichever `wanted` asks for (VL-31); settles first. -EAGAIN also for a
 * grow that cannot be settled first, because a reset has begun. */
HAL_MUST_CHECK int spipe__vlun_resize(struct spipe_ctx *ctx, struct spipe__resource *v,
                                      uint64_t wanted);

/**
 * AFU sync of the handle. A successful one frees what `v` has in quarantine; one that fails leaves
 * it there, to be tried again, even if nothing was withdrawn (VL-73). Mode LW is for growing only,
 * where the old array is all that `v` can have there (VL-22, R-9). On a lost context there is no
 * sync (VL-23, VL-35, SP-161), and in a state other than NORMAL none either (SP-162); what `v` has
 * in quarantine leaves it if the AFU was initialised since, and waits for that otherwise (SP-163).
 *
 * @return  0, also without a sync; -EAGAIN whatever went wrong
 */
HAL_MUST_CHECK int spipe__vlun_sync(struct spipe_ctx *ctx, struct spipe__resource *v, uint8_t mode);

#endif
