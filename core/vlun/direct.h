/* SPDX-License-Identifier: Apache-2.0 */
/* Direct handles: a whole LUN behind one port, format 1 (SP 7.2, vlun.md 11). Shared inside core
 * only.
 *
 * Thread rules: the caller has entered the context, and holds it across AFU syncs too. */
#ifndef CORE_DIRECT_H
#define CORE_DIRECT_H

#include "core/vlun/resource.h"

/**
 * Opens a handle for the whole of a LUN: handle, memory, LUN claim, entry, LW sync (R-34, SP-53 to
 * SP-56).
 *
 * @param ctx   context, not errored
 * @param lun   attached to ctx
 * @param port  one that the LUN is on
 * @param out   receives the resource; end it with spipe__direct_close()
 * @return      0; -EMFILE; -ENOMEM; -EINVAL (mode); or what the sync says, -EIO, -ENOBUFS,
 *              -ETIMEDOUT: then the handle is closed again, and quarantined if need be
 */
HAL_MUST_CHECK int spipe__direct_open(struct spipe_ctx *ctx, struct spipe__lun *lun, unsigned port,
                                      struct spipe__resource **out);

/** Opens the handle of `source` in another context for the same LUN and port (SP-114). Results as
 * spipe__direct_open(), and -EAGAIN if the handle is held; a failed sync is -EAGAIN too. */
HAL_MUST_CHECK int spipe__direct_clone(struct spipe_ctx *ctx, const struct spipe__resource *source,
                                       uint8_t permissions);

/** Closes a handle: the entry is taken back; what an HW sync does not confirm is quarantined:
 * handle number and mode of the LUN (SP-71, SP-73, VL-51). On an errored context there is no sync.
 */
void spipe__direct_close(struct spipe_ctx *ctx, struct spipe__resource *d);

#endif
