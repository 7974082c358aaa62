/* SPDX-License-Identifier: Apache-2.0 */
/* A record log over an area in memory, and lists of records to compare it with. Failures of what a
 * fixture needs are failed assertions. One at a time, one thread. */
#ifndef SPIPE_TESTS_TESTLIB_RECORD_FIXTURE_H
#define SPIPE_TESTS_TESTLIB_RECORD_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/record_log.h"
#include "tests/testlib/fake_area.h"

enum { REC_LIST_BYTES = 1 << 18 };

/** Records one behind the other, each after its length. */
struct rec_list {
    size_t count, used;
    unsigned char bytes[REC_LIST_BYTES];
};

/** All of it; tests read and write what they need. */
struct rec_fixture {
    struct fake_area area;
    struct hal_record_log log;
    struct rec_list want;  /* what rec_append() and rec_compact_to() made of the log */
    struct rec_list got;   /* what the last load gave */
    struct rec_list other; /* for the test; empty after rec_begin() */
};

extern struct rec_fixture rx;

/** Adds a record; a hal_record_fn, `list` is a struct rec_list. */
int rec_add(void *list, const void *record, size_t length);

/** Whether two lists are equal. */
bool rec_same(const struct rec_list *a, const struct rec_list *b);

/** Makes `to` a copy of `from`. */
void rec_copy(struct rec_list *to, const struct rec_list *from);

/** Makes `to` the first `count` records of `from`, another list. */
void rec_copy_first(struct rec_list *to, const struct rec_list *from, size_t count);

/** Produces the records of a list; a hal_record_list_fn, `list` is a struct rec_list. */
int rec_produce(void *list, hal_record_fn emit, void *sink);

/** `length` bytes, each of which depends on `id`; valid until the next call. */
const void *rec_bytes(uint64_t id, size_t length);

/** Adds those bytes to a list. */
void rec_list_add(struct rec_list *l, uint64_t id, size_t length);

/** Makes an area of `size` bytes, loads it, and expects that there is nothing. */
void rec_begin(uint64_t size);

/** Ends the area. */
void rec_end(void);

/** Loads into rx.got, in the running process. */
int rec_reload(void);

/** Sets the log up on the area as it is, as a new process would, and loads into rx.got. */
int rec_reopen(void);

/** Appends rec_bytes(id, length), and expects that it works. */
void rec_append(uint64_t id, size_t length);

/** Compacts to a list, and expects that it works. */
void rec_compact_to(const struct rec_list *l);

/** Reopens, and expects exactly this list; `what` tells the reader of a failure where. */
void rec_expect(const struct rec_list *l, const char *what);

#endif
