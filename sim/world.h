/* SPDX-License-Identifier: Apache-2.0 */
/* A world: one mapping that holds everything of one simulated run: scheduler, fiber stacks, model,
 * core instances and the clients' memory.
 *
 * Because all of it stands in one place, a snapshot is a copy and a restore is a copy back to the
 * same addresses: a run can be forked at any moment and every branch explored. The price is a rule
 * that all who live in a world keep: pointers inside it are fine, pointers out of it are forbidden
 * except to code and constants; no thread-local storage, no writable statics.
 *
 * A world belongs to one thread at a time. The struct itself stands at the start of its arena. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

struct sim_world;
struct sim_snapshot;

/** Most memory mappings beside the arena that one world can own. */
#define SIM_WORLD_REGIONS_MAX 8

/** Most reasons against a snapshot at a time. */
#define SIM_WORLD_PINS_MAX 16

/** Largest alignment that sim_world_alloc gives, bytes. */
#define SIM_WORLD_ALIGN_MAX ((size_t)2 << 20)

/** Makes an empty world. `reserve` is the address space in bytes that it may ever use; memory is
 * taken from the system only as it is touched. The caller owns *out until sim_world_destroy.
 * Returns 0, -EINVAL (reserve too small for the world itself), -ENOMEM. */
HAL_MUST_CHECK int sim_world_create(size_t reserve, struct sim_world **out);

/** Ends a world and all that lives in it. No fiber of it may be running. Snapshots of it stay to be
 * destroyed. NULL is ignored. */
void sim_world_destroy(struct sim_world *w);

/** Zeroed memory of `size` bytes (> 0), aligned to `align` (a power of two up to
 * SIM_WORLD_ALIGN_MAX), or NULL when the world is full. Same calls, same offsets from the start of
 * the world, on every machine (AddressSanitizer builds excepted: they leave gaps between blocks).*/
void *sim_world_alloc(struct sim_world *w, size_t size, size_t align);

/** Frees a block; `size` must be the size asked for. The alignment need not be known. NULL is
 * ignored. */
void sim_world_free(struct sim_world *w, void *p, size_t size);

/** Bytes in blocks that are allocated now, as asked for; 0 when nothing leaked. */
size_t sim_world_used(const struct sim_world *w);

/** Largest value of sim_world_used so far. */
size_t sim_world_peak(const struct sim_world *w);

/** Number of blocks that are allocated now. */
size_t sim_world_blocks(const struct sim_world *w);

/** Bytes of the arena from its start that are or were in use: what a snapshot covers. */
size_t sim_world_extent(const struct sim_world *w);

/** Whether the `size` bytes at p lie inside the part of the arena in use. */
bool sim_world_contains(const struct sim_world *w, const void *p, size_t size);

/** Copies the world and its attached regions into *out, which the caller owns. Only from outside
 * any fiber (checked). Returns 0, -EBUSY while pinned (see sim_world_pin), -ENOMEM, or -ENOTSUP
 * when a sanitizer keeps parts of the stacks elsewhere (AddressSanitizer with
 * detect_stack_use_after_return=1). */
HAL_MUST_CHECK int sim_world_snapshot(struct sim_world *w, struct sim_snapshot **out);

/** Puts the world back to the moment of the snapshot, as often as wanted. Everything that was
 * allocated since is gone; regions attached then must be the ones attached now, and the world must
 * not be pinned (both checked). Only from outside any fiber. */
void sim_world_restore(struct sim_world *w, const struct sim_snapshot *snap);

/** Bytes of memory that a snapshot holds. */
size_t sim_snapshot_size(const struct sim_snapshot *snap);

/** Frees a snapshot. NULL is ignored. */
void sim_snapshot_destroy(struct sim_snapshot *snap);

/** Forbids snapshot and restore, because something outside would not follow the copy: an open
 * media file, a descriptor that is waited for. `why` must be a constant string. */
void sim_world_pin(struct sim_world *w, const char *why);

/** Takes one pin with the same text back. */
void sim_world_unpin(struct sim_world *w, const char *why);

/** The oldest reason against a snapshot, or NULL. */
const char *sim_world_pinned(const struct sim_world *w);

/** Makes a second mapping (a media arena) part of the world: snapshots copy its `size` bytes too.
 * It stays at its address and is still owned, and unmapped, by the caller. ptr and size must be
 * multiples of 16. Returns 0 or -ENOSPC. */
HAL_MUST_CHECK int sim_world_attach_region(struct sim_world *w, void *ptr, size_t size);

/** Changes how many bytes of an attached region are in use and need copying. A restore puts the
 * size back too; what lies beyond it is then not zero but whatever was there. */
void sim_world_resize_region(struct sim_world *w, void *ptr, size_t size);

/** Takes a region out again. */
void sim_world_detach_region(struct sim_world *w, void *ptr);

/** One stretch of the arena whose contents nobody needs. */
struct sim_world_hole {
    void *start;
    size_t size; /* bytes */
};

/** Tells up to `max` dead stretches at the moment of a snapshot, e.g. the unused parts of fiber
 * stacks, and returns how many there are (which may be more than max: it is then asked again). */
typedef size_t sim_world_holes_fn(void *arg, struct sim_world_hole *out, size_t max);

/** Called after each restore, which leaves in a dead stretch whatever stands there: makes anew what
 * the owner wants to find in its own. */
typedef void sim_world_refill_fn(void *arg);

/** Most who know dead stretches. */
#define SIM_WORLD_HOLES_MAX 4

/** Adds somebody who knows dead stretches (the scheduler, the model). arg must lie in the world,
 * and names the owner for sim_world_remove_holes; refill may be NULL. They keep snapshots small;
 * under AddressSanitizer they are copied all the same. */
void sim_world_add_holes(struct sim_world *w, sim_world_holes_fn *fn, sim_world_refill_fn *refill,
                         void *arg);
void sim_world_remove_holes(struct sim_world *w, const void *arg);

/** For the scheduler: fibers of this world run from here ... */
void sim_world_enter(struct sim_world *w);

/** ... to here. */
void sim_world_leave(struct sim_world *w);

#endif
