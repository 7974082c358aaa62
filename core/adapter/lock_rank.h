/* SPDX-License-Identifier: Apache-2.0 */
/* The lock order of core, which hal/exec.c asserts at every lock (decision 0006). Shared inside
 * core only.
 *
 * Before all of them comes the gate of the adapter (core/adapter/gate.h), which is entered by a
 * thread that holds none. What a lock guards stands where it is declared. Held while a thread
 * sleeps are the locks of contexts (across AFU syncs, SP-168), of names (across writes of records),
 * `links` (across a link reset), `discovery` and `scsi` (across commands of the master),
 * `internal`, and those of hardware queues (across a context reset, 2 ms); `books` and the gate's
 * own never. */
#ifndef CORE_LOCK_RANK_H
#define CORE_LOCK_RANK_H

enum spipe__lock_rank {
    SPIPE__RANK_CONTEXT = 1, /* CLONE: the source, then the destination */
    SPIPE__RANK_DISCOVERY,
    SPIPE__RANK_NAMES,
    SPIPE__RANK_BOOKS,
    SPIPE__RANK_LINKS,
    SPIPE__RANK_SCSI,
    SPIPE__RANK_INTERNAL,
    SPIPE__RANK_HOST,
    SPIPE__RANK_HWQ,
    SPIPE__RANK_GATE,
};

#endif
