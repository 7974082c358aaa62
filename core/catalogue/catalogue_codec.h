/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of catalogue records: how a change is written down and read back. Pure encoding; what
 * the steps mean is in catalogue.c. All numbers are big endian.
 *
 *   record   0  1  format, 2 (1 had no wipe and wiped, and no chunk of two names); a reader refuses
 * any greater one 1  1  kind: change, part, last, state (enum spipe__cat_kind) 2  2  part: 0, 1, 2
 * ... within a group, else 0 4  8  number of the change: one more than that of the change before
 * it. In state records: that of the last change that the snapshot contains 12     steps, one behind
 * the other
 *
 *   step     0  1  enum spipe__cat_op
 *            1     name: length (1 byte), bytes         create, select, rename
 *                  physical LUN: 16 bytes               create, behind the name
 *                  first chunk, count: 4 bytes each     add
 *                  new count: 4 bytes                   cut
 *                  number: 8 bytes                      length, generation
 *                  LUN, first chunk, count              wipe, wiped
 *
 * Steps work on one selected name: create and select choose it, remove leaves none; wipe and wiped
 * need none. A step is never
 * split between records, but the selection lasts from one record of a group to the next.
 *
 * Chunks are written as runs of ascending numbers, which is how the allocator hands them out on a
 * fresh LUN (VL-8): 262,144 chunks in one run take 9 bytes, in the worst case 2.25 MiB. */
#ifndef CORE_CATALOGUE_CODEC_H
#define CORE_CATALOGUE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "core/catalogue/catalogue.h"
#include "hal/record_store.h"
#include "hal/support/must_check.h"

enum {
    SPIPE__CAT_FORMAT_MIN = 1,
    SPIPE__CAT_FORMAT = 2,
    SPIPE__CAT_RECORD_HEADER = 12, /* bytes in front of the steps */
};

enum spipe__cat_kind {
    SPIPE__CAT_CHANGE = 1, /* one whole change */
    SPIPE__CAT_PART = 2,   /* a piece of one, but not its end */
    SPIPE__CAT_LAST = 3,   /* the end of one: the change counts from here on */
    SPIPE__CAT_STATE = 4,  /* a piece of a snapshot, which the store replaces as a whole */
};

enum spipe__cat_op {
    SPIPE__CAT_CREATE = 1,
    SPIPE__CAT_SELECT = 2,
    SPIPE__CAT_REMOVE = 3,
    SPIPE__CAT_RENAME = 4,
    SPIPE__CAT_ADD = 5,
    SPIPE__CAT_CUT = 6,
    SPIPE__CAT_LENGTH = 7,
    SPIPE__CAT_GENERATION = 8, /* in snapshots only; changes number what they touch themselves */
    SPIPE__CAT_WIPE = 9,       /* chunks that are to be wiped before anybody else gets them */
    SPIPE__CAT_WIPED = 10,     /* they were */
};

/** One step, decoded. Only the members of its operation are set. */
struct spipe__cat_step {
    enum spipe__cat_op op;
    char name[SPIPE__CAT_NAME_MAX + 1]; /* checked */
    uint8_t wwid[SPIPE__CAT_WWID_LENGTH];
    uint32_t first, count; /* a run that does not leave the numbers, or the count of a cut */
    uint64_t number;
};

/** The header of a record, decoded. */
struct spipe__cat_header {
    enum spipe__cat_kind kind;
    uint16_t part;
    uint64_t number;
};

/** Where a change or a snapshot is written to. Members are private. */
struct spipe__cat_writer {
    hal_record_fn put; /* takes the finished records */
    void *arg;
    uint8_t *buf; /* HAL_RECORD_MAX bytes */
    size_t used;
    struct spipe__cat_header header;
    int rc; /* result of put; once it is not 0 nothing more is written */
};

/**
 * Begins a change, or a snapshot.
 *
 * @param w       writer to set up
 * @param kind    SPIPE__CAT_CHANGE or SPIPE__CAT_STATE
 * @param number  for the header of every record
 * @param buf     HAL_RECORD_MAX bytes, used until spipe__cat_write_end()
 * @param put     called for each record that is full, and for the last
 * @param arg     passed to put()
 */
void spipe__cat_write_begin(struct spipe__cat_writer *w, enum spipe__cat_kind kind, uint64_t number,
                            uint8_t *buf, hal_record_fn put, void *arg);

/** Writes one step; `step` need not be decoded from anything. Errors wait for the end. */
void spipe__cat_write(struct spipe__cat_writer *w, const struct spipe__cat_step *step);

/** Writes steps that add n chunks to the selected name. Errors wait for the end. */
void spipe__cat_write_chunks(struct spipe__cat_writer *w, const uint32_t *chunks, uint32_t n);

/** Writes steps of `op`, WIPE or WIPED, for n chunks of a LUN. Errors wait for the end. */
void spipe__cat_write_wipe(struct spipe__cat_writer *w, enum spipe__cat_op op, const uint8_t *wwid,
                           const uint32_t *chunks, uint32_t n);

/** Writes out the last record, as CHANGE if it is the only one. Returns 0 or what put() returned
 * first. */
HAL_MUST_CHECK int spipe__cat_write_end(struct spipe__cat_writer *w);

/** Decodes the header of a record. Returns 0; -EILSEQ if it is malformed; -ENOTSUP if a newer
 * version wrote it. */
HAL_MUST_CHECK int spipe__cat_read_header(const void *record, size_t length,
                                          struct spipe__cat_header *header);

/**
 * Decodes the step at *offset and moves *offset behind it.
 *
 * @param record  record with a good header
 * @param length  of the record
 * @param offset  SPIPE__CAT_RECORD_HEADER for the first step; done when it reaches length
 * @param step    receives the step
 * @return        0, or -EILSEQ if no step of this format is there
 */
HAL_MUST_CHECK int spipe__cat_read_step(const void *record, size_t length, size_t *offset,
                                        struct spipe__cat_step *step);

#endif
