/* SPDX-License-Identifier: Apache-2.0 */
/* One client of a workload. Shared by the files of the workload only. */
#ifndef TOOLS_WORKLOAD_CLIENT_H
#define TOOLS_WORKLOAD_CLIENT_H

#include "core/superpipe.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/prng.h"
#include "tools/session.h"
#include "tools/workload.h"

/* State of a block: its generation, and two flags. Generation 0: not written in this run. */
#define BLOCK_BUSY 0x80000000u    /* an I/O is in flight */
#define BLOCK_UNKNOWN 0x40000000u /* a write failed: old or new data, or a mix */
#define BLOCK_GENERATION 0x3fffffffu

/** One virtual LUN of a client. */
struct workload_lun {
    uint32_t handle;
    bool open;
    uint64_t blocks; /* device blocks in use */
    uint32_t *state; /* one a block; NULL without verification */
};

/** One I/O in preparation or in flight. */
struct workload_slot {
    uint8_t *buffer;
    uint64_t started_ns;
    uint64_t lba;
    uint32_t blocks;
    uint16_t lun;
    uint8_t direction;
    bool reading_back;
};

struct workload;

/** One client. */
struct workload_client {
    struct workload *load;
    unsigned number, adapter, lun; /* number: over all adapters; lun: of the adapter */
    struct exec_thread *thread;
    struct spipe_client *client;
    struct spipe_ctx *ctx;
    uint32_t block_size, stamp_bytes;
    struct hal_prng random;

    struct workload_lun *luns;
    struct workload_slot *slots;
    uint8_t *memory; /* of all buffers, one registered region */
    size_t memory_bytes;
    bool registered;
    uint32_t *free_slots; /* a stack */
    unsigned free_count;
    struct spipe_io *pending; /* prepared and not yet taken by the queue */
    unsigned pending_count;
    unsigned in_flight;
    bool lost; /* the context, with what was in flight: workload_client_recover() */

    /* reading back: the next block to look at */
    unsigned back_lun;
    uint64_t back_block;

    struct workload_result *result; /* of this client alone */
    uint64_t ended_ns;              /* device time of its last I/O that was good */
    int rc;                         /* why it gave up */
    char why[WORKLOAD_TEXT_BYTES];
};

/** All clients. */
struct workload {
    struct session *session;
    const struct workload_config *config;
    struct progress *progress;
    uint64_t run;           /* of the stamps */
    struct exec_mutex lock; /* guards waiting, round, failed */
    struct exec_cond all_here;
    unsigned waiting, round;
    bool failed; /* some client could not be set up */
    uint64_t start_ns, end_ns;
    unsigned client_count;
    struct workload_client *clients;
};

/** Sets a client up: memory, context, virtual LUNs. Returns 0, or a negative errno with a sentence
 * in c->why; tear down in both cases. */
HAL_MUST_CHECK int workload_client_set_up(struct workload_client *c);

/** Undoes it, as far as it went. */
void workload_client_tear_down(struct workload_client *c);

/** Bytes of an I/O buffer. */
uint32_t workload_buffer_bytes(const struct workload_config *config);

/** Whether an I/O ended because the context was lost, and the run is to go on after that. */
bool workload_io_lost(const struct workload_client *c, const struct spipe_completion *done);

/** Recovers a lost context once nothing is in flight any more; a failure is in c->rc. */
void workload_client_recover(struct workload_client *c);

/** Random I/O until the end of the span. Failures that end the client are in c->rc. */
void workload_client_load(struct workload_client *c);

/** Reads back what was written. */
void workload_client_read_back(struct workload_client *c);

#endif
