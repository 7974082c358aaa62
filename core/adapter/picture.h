/* SPDX-License-Identifier: Apache-2.0 */
/* Draws the picture of an adapter's control state (hal/picture.h), for checkers and tools. Part of
 * the public interface.
 *
 * A picture is whole at the end of each request. In the middle of one it shows the books as they
 * are then: a chunk may be allocated and named by no handle yet, or be withdrawn and still counted
 * in a handle; what the AFU can reach is what it was told. */
#ifndef CORE_PICTURE_H
#define CORE_PICTURE_H

#include "core/superpipe.h"
#include "hal/picture.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Draws the picture of now (INV-1 to INV-26 are about it). Waits until no request
 * is half done, of other adapters that share its LUNs neither, and lets none begin meanwhile; none
 * of them is opened or closed meanwhile.
 *
 * @param s     adapter
 * @param room  memory that grows as needed; never called on the I/O path
 * @param out   receives the picture, in room->block; it is the caller's until room is used again
 * @return      0, -ENOMEM
 */
SPIPE_MUST_CHECK int spipe_picture(struct spipe *s, struct hal_picture_room *room,
                                   const struct hal_picture **out);

/**
 * The same as things are, or of some contexts only, for a hook of the device that runs inside a
 * request (at its notes, table stores, context starts and ends). No other thread is inside core at
 * that moment: under the deterministic scheduler, where the others stand at scheduling points.
 *
 * @param only  a bit for each context number: of these, the healthy ones, and of LUNs, quarantine
 *              and names all; NULL: everything
 */
SPIPE_MUST_CHECK int spipe_picture_inside(struct spipe *s, const uint64_t *only,
                                          struct hal_picture_room *room,
                                          const struct hal_picture **out);

#ifdef __cplusplus
}
#endif

#endif
