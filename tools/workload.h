/* SPDX-License-Identifier: Apache-2.0 */
/* Mixed I/O with verification: clients, each a thread with a context and some virtual LUNs of its
 * own, read and write random blocks for a span of device time, then read back all that they wrote.
 *
 * Every block is stamped (tools/stamp.h) and its generation remembered, so each read is checked
 * against exactly what must be there. A client never has two I/Os on one block in flight at a time,
 * because their order would be open. */
#ifndef TOOLS_WORKLOAD_H
#define TOOLS_WORKLOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"
#include "tools/histogram.h"
#include "tools/option_values.h"

struct progress;
struct run_luns;
struct session;

#define WORKLOAD_STATUS_MAX 32
#define WORKLOAD_TEXT_BYTES 384

/** What to do. */
struct workload_config {
    uint64_t seed;
    unsigned clients; /* spread over the adapters, then over the LUNs that they may use */
    const struct run_luns *luns; /* of each adapter, one at least; chosen before the run */
    unsigned handles;            /* virtual LUNs of each client */
    uint64_t bytes;              /* of each virtual LUN that are used */
    struct block_mix mix;
    unsigned read_percent;
    unsigned depth;       /* I/Os of each client in flight */
    uint64_t duration_ns; /* of device time; what is in flight then still ends */
    bool verify;
    bool read_only;  /* contexts that may not write; read_percent is 100 */
    bool interrupts; /* sleep for completions instead of polling */
    bool recover;    /* lost contexts are recovered; I/O that was lost with them is no error */
    bool tags;       /* the media keep the first bytes of a block only */
    bool blank;      /* the media are new: what was never written reads as zeros */
    const volatile sig_atomic_t *stop; /* set from outside: end early; may be NULL */
};

enum { WORKLOAD_READ, WORKLOAD_WRITE, WORKLOAD_DIRECTIONS };

/** What came back. */
struct workload_direction {
    uint64_t ios, bytes, failed;
    struct histogram latency; /* ns of device time, successful I/Os only */
};

/** Commands that ended in one way; all zero is "good". */
struct workload_status {
    int32_t status; /* negative errno */
    uint8_t afu_rc, scsi_rc, fc_rc, sense_key, asc, ascq;
    uint64_t commands;
};

/** What happened. Large: not for the stack of a fiber. */
struct workload_result {
    struct workload_direction direction[WORKLOAD_DIRECTIONS];
    uint64_t load_ns;  /* device time of the load, from its begin to its last good completion; 0 if
                          it never began */
    uint64_t total_ns; /* device time from bring-up to the end */
    uint64_t wall_ns;  /* of the load */
    uint64_t errors;   /* I/Os that failed */
    uint64_t mismatches; /* blocks that were wrong */
    uint64_t verified;   /* blocks that were checked and right */
    uint64_t unverified; /* blocks read whose contents cannot be known */
    uint64_t read_back;  /* blocks of those read again at the end */
    uint64_t recoveries; /* of contexts */
    uint64_t lost;       /* I/Os that ended because their context was lost, with `recover` */
    bool interrupted;
    unsigned status_count; /* rows used; more kinds than there are rows count in the last one */
    struct workload_status status[WORKLOAD_STATUS_MAX];
    char first_error[WORKLOAD_TEXT_BYTES]; /* sentences, "" = none */
    char first_mismatch[WORKLOAD_TEXT_BYTES];
};

/** Bytes of memory that a workload takes, at most, over all clients. UINT64_MAX if it does not fit
 * into 64 bits. */
uint64_t workload_memory(const struct workload_config *config);

/** Runs a workload in the session's first thread, whose adapters are up. I/O errors and mismatches
 * are results. Returns 0, or a negative errno with a sentence in why if it could not be set up or a
 * client had to give up. *result, which must be zero, is filled in both cases. */
HAL_MUST_CHECK int workload_run(struct session *s, const struct workload_config *config,
                                struct progress *progress, struct workload_result *result,
                                char *why, size_t size);

/** How a command ended, in words: "good", "EIO, SCSI status 0x02 CHECK_CONDITION, sense 3/0c/00".
 * Returns buf. */
const char *workload_status_text(const struct workload_status *s, char *buf, size_t size);

/** Adds `commands` commands of the kind of *status to the table of a result. */
void workload_count_status(struct workload_result *r, const struct workload_status *status,
                           uint64_t commands);

#endif
