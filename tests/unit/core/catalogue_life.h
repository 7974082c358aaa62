/* SPDX-License-Identifier: Apache-2.0 */
/* A life of a catalogue, and what may be found of it after a crash. Handles get chunks, names share
 * them, shrinks put them into quarantine, chunks are noted for wiping and wiped, all as core does
 * it (core/catalogue/name_binding.h, core/lun/wipe.h), with devices that fail now and then.
 *
 * What counts as acknowledged is written down here, at the moment when a call returns 0 or reports
 * a freed chunk, as the number of writes and syncs that the area had seen by then. The states
 * before and after are computed here as well; nothing is taken from the catalogue but the state
 * that a process starts with, which must be one that was legal. */
#ifndef SPIPE_TESTS_UNIT_CORE_CATALOGUE_LIFE_H
#define SPIPE_TESTS_UNIT_CORE_CATALOGUE_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/prng.h"

enum {
    LIFE_LUNS = 2,
    LIFE_NAMES = 4,
    LIFE_CHUNKS = 16, /* of each LUN */
    LIFE_STEPS_MAX = 64,
};

enum life_kind {
    LIFE_CREATE,
    LIFE_SET,
    LIFE_SET_SHARED, /* a second name for chunks that have one */
    LIFE_GROW,
    LIFE_SHRINK,
    LIFE_RENAME,
    LIFE_LENGTH,
    LIFE_REMOVE,
    LIFE_WIPE,
    LIFE_WIPED,
    LIFE_COMPACT,
    LIFE_RESTART,
    LIFE_KINDS,
};

struct life_name {
    bool used;
    uint8_t lun, count, chunk[LIFE_CHUNKS];
    uint64_t length;
};

/** What a catalogue says. A chunk to be wiped: 0 no, 1 yes, 2 either is right. */
struct life_state {
    struct life_name name[LIFE_NAMES];
    uint8_t wipe[LIFE_LUNS][LIFE_CHUNKS];
};

/** What happened, since the test began. */
struct life_counts {
    unsigned done[LIFE_KINDS], failed, quarantined, reused;
};

extern struct life_counts life_counts;

/** Forgets all lives; random numbers come from `prng`. */
void life_reset(struct hal_prng *prng);

/** A process has opened the catalogue fx.cat, whose area is a journal from here on. `secret`:
 * chunks of each LUN, as bits, that hold what a former life wanted to be wiped. `patient`: what a
 * failed sync came after is on the medium when the next one works; if not, a process that saw one
 * fail does not end before it has written that again (decision 0002). */
void life_begin(const uint32_t secret[LIFE_LUNS], bool patient);

/** Does one thing at random. */
void life_step(void);

/** Reads what fx.cat says. */
void life_read(struct life_state *state);

/** Whether `state` may be found when the area had seen so many writes and syncs. */
bool life_legal(const struct life_state *state, size_t events);

/** Chunks of a LUN that held then, as far as their owners know, what must be wiped. */
uint32_t life_secret(unsigned lun, size_t events);

#endif
