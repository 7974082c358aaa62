/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes under a record log, in memory, for tests of what crashes and failures leave behind.
 *
 * Two ways to use it:
 *   journal   let an operation run through, then build the image that a crash at any of its bytes
 *             (killed process), or the loss of any set of unsynced sectors (power failure), would
 *             have left, and open that;
 *   failures  let some write or sync fail while the program goes on.
 *
 * Everything in struct fake_area may be read, and what is not marked private written, between
 * calls. One thread. */
#ifndef SPIPE_TESTS_TESTLIB_FAKE_AREA_H
#define SPIPE_TESTS_TESTLIB_FAKE_AREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/record_log.h"

enum {
    FAKE_AREA_NEVER = -1,
    FAKE_AREA_SECTOR = 512, /* what a power failure loses or keeps as one */
};

/** One write, or one sync (n is 0). */
struct fake_area_event {
    uint64_t offset;
    size_t n;
    unsigned char *bytes;
    bool failed; /* a sync that returned an error; the writes before it stay unsynced */
};

struct fake_area {
    struct hal_record_area area; /* hand out &fake.area */
    unsigned char *bytes;        /* area.size of them: what reads see */

    int64_t fail_after;  /* so many more writes and syncs work; FAKE_AREA_NEVER */
    uint64_t fail_count; /* and then so many fail, before all is well again */
    size_t fail_keep;    /* bytes that a failing write stores nevertheless */
    int fail_rc;         /* what a failing write returns; -EIO from init */
    bool fail_reads;     /* every read fails with -EIO */

    uint64_t writes, syncs, written_bytes; /* calls and bytes since init */

    bool journaling; /* private, from here on */
    unsigned char *start;
    struct fake_area_event *event;
    size_t events, capacity;
};

/** Sets up an area of zeros. End it with fake_area_fini(). */
void fake_area_init(struct fake_area *fake, uint64_t size);

/** Frees the memory of an area. */
void fake_area_fini(struct fake_area *fake);

/** Makes the bytes of the area those of `image`. Ends a journal. */
void fake_area_set(struct fake_area *fake, const unsigned char *image);

/** Starts a journal: everything before is durable. Forgets the journal before. */
void fake_area_journal(struct fake_area *fake);

/** Bytes of event `i` of the journal; 0 for a sync. Events are 0..fake->events - 1. */
size_t fake_area_event_bytes(const struct fake_area *fake, size_t i);

/** Builds the image after the first `events` events and the first `keep` bytes of the next one. */
void fake_area_torn(const struct fake_area *fake, size_t events, size_t keep, unsigned char *image);

/** Number of sector-sized pieces that were written, but not synced, when the first `events` events
 * had happened. */
unsigned fake_area_pieces(const struct fake_area *fake, size_t events);

/** Builds the image in which bit i of `kept` says whether piece i of those survived. */
void fake_area_lossy(const struct fake_area *fake, size_t events, uint64_t kept,
                     unsigned char *image);

#endif
