/* SPDX-License-Identifier: Apache-2.0 */
/* One adapter with new media in memory: two LUNs of 4 chunks. */
#ifndef TESTS_UNIT_TOOLS_SESSION_FIXTURE_H
#define TESTS_UNIT_TOOLS_SESSION_FIXTURE_H

#include "tools/session.h"

#define SESSION_CHUNK_API_BLOCKS 65536u /* 4096-byte blocks of a chunk: LUN blocks are as large */

/** Brings it up, runs `test`, and takes it down. `faults` is a plan whose hits count from the end
 * of bring-up on, or NULL. Records of the trace are made, for
 * whoever sets a sink. Asserts that nothing is left open. */
void with_session(const char *faults, void (*test)(struct session *s));

/** The same with an adapter that is treated as a card by everything above its device: nothing on it
 * is wiped. Names are in the media. */
void with_card_session(void (*test)(struct session *s));

/** Chunks that are free on a LUN. */
uint64_t session_free_chunks(struct session *s, unsigned lun);

#endif
