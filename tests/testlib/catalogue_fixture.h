/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue over a record log over an area in memory, for tests, and pictures of all that can be
 * seen of it. Failures of what a fixture needs are failed assertions. One at a time, one thread. */
#ifndef SPIPE_TESTS_TESTLIB_CATALOGUE_FIXTURE_H
#define SPIPE_TESTS_TESTLIB_CATALOGUE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/catalogue/catalogue.h"
#include "hal/support/record_log.h"
#include "tests/testlib/fake_area.h"
#include "tests/testlib/fake_exec.h"

enum { CAT_PICTURE_BYTES = 1 << 20 };

/** A record store that passes everything on to the log, and counts. */
struct cat_store {
    struct hal_record_store store;
    unsigned appends, compactions;
    size_t appended; /* bytes */
};

/** All of it; tests read and write what they need. */
struct cat_fixture {
    struct fake_exec exec;
    struct fake_area area;
    struct hal_record_log log;
    struct cat_store store;
    struct spipe__cat *cat; /* NULL while it is closed */
    struct spipe__cat_error error;
};

extern struct cat_fixture fx;

/** Two physical LUNs. */
extern const uint8_t lun_a[SPIPE__CAT_WWID_LENGTH], lun_b[SPIPE__CAT_WWID_LENGTH];

/** Everything that can be seen of a catalogue, encoded; equal pictures, equal catalogues. */
struct cat_picture {
    size_t used;
    uint8_t bytes[CAT_PICTURE_BYTES];
};

/** Makes an area of `size` bytes, and opens an empty catalogue on it. */
void cat_begin(uint64_t size);

/** Closes the catalogue, expects that all memory was freed, and ends the area. */
void cat_end(void);

/** Opens the catalogue on the area as it is, as a new process would; fx.error says why not. */
int cat_open(void);

/** Closes the catalogue, if it is open, and expects that all memory was freed. */
void cat_close(void);

/** Closes it and opens it again. */
void cat_reopen(void);

/** Draws the open catalogue, and checks order and lookup on the way. */
void cat_draw(struct cat_picture *p);

/** Whether two pictures are equal. */
bool cat_same(const struct cat_picture *a, const struct cat_picture *b);

/** Expects that the next process sees what this one does, and becomes it. */
void cat_expect_durable(void);

/** Creates a name with n chunks from `first` on; two changes. */
struct spipe__cat_entry *cat_make(const char *name, const uint8_t *wwid, uint32_t first,
                                  uint32_t n);

#endif
