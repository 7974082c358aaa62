/* SPDX-License-Identifier: Apache-2.0 */
/* Named virtual LUNs of adapter 0 of a session: what several subcommands do with them, and how they
 * say what went wrong. */
#ifndef TOOLS_NAMED_VLUN_H
#define TOOLS_NAMED_VLUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/superpipe.h"
#include "hal/support/must_check.h"
#include "tools/session.h"
#include "tools/vlun_handle.h"

/** A named virtual LUN, and where it is. */
struct named_vlun {
    struct spipe_name_info info;
    int lun; /* number of its LUN; -1 when the adapter does not have it */
    uint32_t block_size;
    uint64_t chunk_bytes, chunks;
};

/** The index-th named virtual LUN in alphabetical order. Returns 0, or -ENOENT past the last. */
HAL_MUST_CHECK int named_vlun_at(struct spipe *s, unsigned index, struct named_vlun *out);

/** Looks a name up. Returns 0, or -ENOENT with a sentence in why. */
HAL_MUST_CHECK int named_vlun_find(struct session *s, const char *name, struct named_vlun *out,
                                   char *why, size_t size);

/** The same for whoever goes on to open it: also -ENODEV, with a sentence, if its LUN is not on
 * this adapter. */
HAL_MUST_CHECK int named_vlun_reach(struct session *s, const char *name, struct named_vlun *out,
                                    char *why, size_t size);

/** Makes sure that a name is not taken. Returns 0, or -EEXIST with a sentence in why. */
HAL_MUST_CHECK int named_vlun_check_free(struct session *s, const char *name, char *why,
                                         size_t size);

/** Gives the virtual LUN behind a handle a name, as spipe_name_set does. Returns 0, or a negative
 * errno with a sentence in why. */
HAL_MUST_CHECK int named_vlun_set(struct session *s, struct spipe_ctx *ctx, uint32_t handle,
                                  const char *name, uint64_t byte_length, char *why, size_t size);

/** The same for a virtual LUN that data were written to: they are made durable first, all of their
 * LUN, since a name must not stand for data that a cache may still forget. If that fails, the name
 * means what it meant before. */
HAL_MUST_CHECK int named_vlun_keep(struct session *s, const struct vlun_handle *v, const char *name,
                                   uint64_t byte_length, char *why, size_t size);

/** What the removal of a name gave back. */
struct named_vlun_freed {
    uint64_t chunks; /* of the name */
    uint64_t freed;  /* of these, free at once; 0 if their LUN is not on this adapter */
    bool elsewhere;  /* it is not */
};

/** Removes a name. Those of its chunks that nobody else has become free, at once or when they were
 * wiped. Returns 0, -ENOENT or -EIO with a sentence in why. */
HAL_MUST_CHECK int named_vlun_remove(struct session *s, const char *name,
                                     struct named_vlun_freed *out, char *why, size_t size);

/** On a card, where this program wipes nothing (decision 0017), appends to what is said that not
 * all of it is free, and why. */
void named_vlun_say_taken(const struct session *s, const struct named_vlun_freed *freed, char *said,
                          size_t size);

#endif
