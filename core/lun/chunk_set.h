/* SPDX-License-Identifier: Apache-2.0 */
/* A set of chunk numbers of one physical LUN: a bitmap in pages, so that a set takes memory only
 * where it has members. Taking memory is apart from adding, so that a change can first make sure
 * that it cannot fail, and then happen.
 *
 * Thread rules: no lock inside; the caller holds the one that guards the set. */
#ifndef CORE_CHUNK_SET_H
#define CORE_CHUNK_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/support/must_check.h"

enum { SPIPE__CHUNK_SET_PAGE_BITS = 32768 }; /* chunks of one page of 4 KiB */

/** Members are private. All zero but for `exec` is the empty set. */
struct spipe__chunk_set {
    struct exec *exec; /* where memory comes from */
    uint64_t **page;   /* bit b of page p: chunk 32768 p + b is in the set; NULL: none is */
    uint32_t pages;    /* slots of `page` */
};

/** Makes an empty set. It takes no memory yet; end it with spipe__chunk_set_fini(). */
void spipe__chunk_set_init(struct spipe__chunk_set *set, struct exec *exec);

/** Frees the memory of a set. */
void spipe__chunk_set_fini(struct spipe__chunk_set *set);

/** Takes the memory that adding `chunk` needs. It is kept until fini. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int spipe__chunk_set_prepare(struct spipe__chunk_set *set, uint32_t chunk);

/** Whether `chunk` is in the set. */
bool spipe__chunk_set_has(const struct spipe__chunk_set *set, uint32_t chunk);

/** The lowest member that is not below *chunk. False if there is none; *chunk is any then. */
bool spipe__chunk_set_next(const struct spipe__chunk_set *set, uint64_t *chunk);

/** Adds a chunk that is not in the set. spipe__chunk_set_prepare() was called for it, once ever. */
void spipe__chunk_set_add(struct spipe__chunk_set *set, uint32_t chunk);

/** Takes out a chunk that is in the set. */
void spipe__chunk_set_remove(struct spipe__chunk_set *set, uint32_t chunk);

#endif
