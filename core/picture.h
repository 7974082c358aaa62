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
 * Draws the picture of now (INV-1 to INV-26 are about it). Takes the control lock, so that no
 * request is half done.
 *
 * @param s     adapter
 * @param room  memory that grows as needed; never called on the I/O path
 * @param out   receives the picture, in room->block; it is the caller's until room is used again
 * @return      0, -ENOMEM
 */
SPIPE_MUST_CHECK int spipe_picture(struct spipe *s, struct hal_picture_room *room,
                                   const struct hal_picture **out);

/**
 * The same without the lock, for a hook of the device that runs inside a request (at its notes,
 * table stores, context starts and ends): the thread that it runs on holds the control lock, or no
 * request is under way.
 */
SPIPE_MUST_CHECK int spipe_picture_inside(struct spipe *s, struct hal_picture_room *room,
                                          const struct hal_picture **out);

#ifdef __cplusplus
}
#endif

#endif
