/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads send SCSI commands through the host of an adapter, more than the AFU has room for,
 * while others abort, reset LUN and adapter, and change queues; virtual LUNs are resized beside
 * them. Every command ends exactly once, and every block holds what was written to it. */
#ifndef TESTS_SCENARIO_SCSI_LOAD_H
#define TESTS_SCENARIO_SCSI_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct exec;

#define SCSI_LOAD_SQ UINT64_C(0xC000000000010002)

/** What a run is like. */
struct scsi_load {
    uint64_t seed;
    uint64_t interface_version; /* 0: IOARRIN only */
    struct exec *threads;       /* NULL: fibers */
    unsigned senders, commands; /* threads, and commands of each that must end well */
    int hwqs;                   /* for spipe_hwqs_set() */
    unsigned poll_weight;
    unsigned trouble; /* aborts, resets of the LUN, or of the adapter, in turn */
};

/** How commands ended. */
struct scsi_load_counts {
    uint64_t good, retry, error, attention, busy, timeouts;
    uint64_t per_queue[8]; /* sent, the last incarnation of each not being told apart */
    uint64_t polls;
    uint64_t longest; /* call, ns */
};

/** Runs it; any deviation fails the test. */
void scsi_load_run(const struct scsi_load *load, struct scsi_load_counts *out);

#endif
