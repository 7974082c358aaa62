/* SPDX-License-Identifier: Apache-2.0 */
/* Short records of text in any record store, as tests of stores write and read them. One thread. */
#ifndef SPIPE_TESTS_TESTLIB_RECORD_TEXT_H
#define SPIPE_TESTS_TESTLIB_RECORD_TEXT_H

#include "hal/record_store.h"

/** Loads a store, which must work. Returns all records, each with a ';' behind it; valid until the
 * next call. */
const char *record_text(struct hal_record_store *store);

/** Loads a store and forgets the records. Returns as hal_record_load(). */
HAL_MUST_CHECK int record_text_try(struct hal_record_store *store);

/** Appends a record. Returns as hal_record_append(). */
HAL_MUST_CHECK int record_text_append(struct hal_record_store *store, const char *text);

/** Replaces all records by one. Returns as hal_record_compact(). */
HAL_MUST_CHECK int record_text_replace(struct hal_record_store *store, const char *text);

#endif
