/* SPDX-License-Identifier: Apache-2.0 */
/* What kill -9 and power failures can leave of an area of bytes (tests/testlib/fake_area.h), from
 * the journal of what was written to it and synced. It knows nothing of what the bytes mean.
 *
 *   kill     all writes in order, the last one cut after any byte
 *   power    what a sync that returned 0 came after is there. Of everything later each sector of
 *            each write is there or not, whatever the others are, and a sector that is there may be
 *            torn at any byte, with either side of it written
 *
 * After a sync that failed, nobody knows about the writes before it, not even when a later sync
 * returns 0: kernels drop such pages, or call them clean, while reads show them. Only writing the
 * same place again ends that. A `patient` medium keeps them until a sync works.
 *
 * Every set of pieces is tried while few are open, with one of them torn, everywhere if there are
 * two; beyond that, random ones. One thread. */
#ifndef SPIPE_TESTS_TESTLIB_CRASH_H
#define SPIPE_TESTS_TESTLIB_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/prng.h"
#include "tests/testlib/fake_area.h"

/** A part of a write, within one sector, of which it is open whether the medium has it. */
struct crash_piece {
    uint64_t offset;
    size_t n;
    const unsigned char *bytes; /* in the journal */
    bool doomed;                /* a sync of it failed */
};

/** A medium up to some event of a journal. Private but for `images` and `patient`. */
struct crash {
    bool patient; /* a failed sync changes nothing; false from crash_init() on */
    uint64_t size;
    unsigned char *base;  /* what is durable for certain */
    unsigned char *seen;  /* what a reader sees */
    unsigned char *image; /* what is handed out */
    struct crash_piece *piece;
    size_t pieces, capacity;
    uint64_t images; /* handed out so far */
};

/** How hard to try. */
struct crash_effort {
    unsigned exhaustive; /* up to so many open pieces, every set of them; at most 16 */
    unsigned samples;    /* beyond that, so many at random */
    unsigned step;       /* bytes between two places where a piece or a write is cut; 1 = all */
    struct hal_prng *prng;
};

/** Takes what one crash left: `size` bytes, valid during the call. */
typedef void (*crash_fn)(void *arg, const unsigned char *image);

/** Begins with a medium on which `start`, of `size` bytes, is durable. End with crash_fini(). */
void crash_init(struct crash *c, const unsigned char *start, uint64_t size);

/** Frees its memory. */
void crash_fini(struct crash *c);

/** Moves over one event of a journal, whose bytes must stay where they are. */
void crash_event(struct crash *c, const struct fake_area_event *e);

/** Hands out what kill -9 in the middle of a write can leave: `e` cut at every step. */
void crash_each_kill(struct crash *c, const struct fake_area_event *e,
                     const struct crash_effort *effort, crash_fn fn, void *arg);

/** Hands out what a power failure can leave now. */
void crash_each_loss(struct crash *c, const struct crash_effort *effort, crash_fn fn, void *arg);

#endif
