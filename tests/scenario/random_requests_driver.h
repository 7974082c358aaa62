/* SPDX-License-Identifier: Apache-2.0 */
/* I/O of a binary client: one command at a time, by the registers of a mapped context, in either
 * submission mode (docs/api.md, "the registers of a context"). */
#ifndef TESTS_SCENARIO_RANDOM_REQUESTS_DRIVER_H
#define TESTS_SCENARIO_RANDOM_REQUESTS_DRIVER_H

#include "hal/afu_cmd.h"
#include "tests/scenario/random_requests_model.h"

enum { RR_ELEMENTS = 16, RR_SLOTS = 2 };

/** What the AFU reads and writes, and where the client is in it. All zero, then rr_afu_start(). */
struct rr_afu {
    struct afu_cmd_pair command;
    struct afu_ioarcb sq[RR_SLOTS] __attribute__((aligned(128)));
    uint64_t rrq[RR_ELEMENTS] __attribute__((aligned(128)));

    unsigned at, slot; /* next element, next slot */
    uint64_t toggle;   /* lowest bit of the next element */
    uint16_t context;
    bool sq_mode;
};

/** Memory of a worker that is registered with the adapter. */
struct rr_memory {
    uint8_t buffer[RR_ACTORS * RR_CONTEXTS][RR_IOS][2 * RR_BLOCK_MAX];
    struct rr_afu afu[RR_ACTORS * RR_CONTEXTS];
};

/** A command of a client: blocks of a virtual or direct handle. */
struct rr_command {
    bool write;
    uint32_t handle;
    uint64_t lba;
    unsigned blocks, bytes;
    void *buffer;
};

/** Tells a fresh context where its rings are. */
void rr_afu_start(struct rr_afu *a, struct spipe_mapping *m, unsigned context, bool sq_mode);

/** Rings the doorbell for a command, and nothing else. */
void rr_afu_send(struct rr_afu *a, struct spipe_mapping *m, const struct rr_command *command);

/** The same, and waits for its end. Returns 0 or -EIO. */
int rr_afu_io(struct rr_afu *a, struct spipe_mapping *m, const struct rr_command *command);

#endif
