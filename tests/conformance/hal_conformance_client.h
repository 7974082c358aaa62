/* SPDX-License-Identifier: Apache-2.0 */
/* A client for the conformance suite: a context with a queue of its own, programmed through the
 * registers of docs/spec/sislite.md and nothing else. One thread uses a client at a time. */
#ifndef TESTS_CONFORMANCE_HAL_CONFORMANCE_CLIENT_H
#define TESTS_CONFORMANCE_HAL_CONFORMANCE_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/afu_tables.h"
#include "tests/conformance/hal_conformance.h"

#define CONF_SLOTS 16u        /* commands of a client; also elements of its RRQ */
#define CONF_HANDLES 256u     /* entries of its resource handle table */
#define CONF_INTERRUPTS 4u    /* of a user (SP-43) */
#define CONF_LOST 0xFFFFFFFFu /* "status" of a command that never came back */

struct conf_client {
    struct hal_conformance *env;
    struct conf_client *master; /* who hosts its tables; NULL for a master */
    struct hal_ctx *ctx;
    uint64_t page; /* of its host registers in the map that ctx reaches */
    struct afu_cmd_pair *pair;
    uint64_t *rrq;
    unsigned rrq_at;
    bool toggle;
    struct afu_rht_entry *rht;
    uint8_t *data; /* a block for each slot */
};

/** A started context of the kind, or a failed assertion. */
struct hal_ctx *conf_context(struct hal_conformance *env, enum hal_ctx_kind kind,
                             unsigned interrupts);

/** Starts a context and programs its queue: a master (master == NULL) with all capabilities, or a
 * user whose tables `master` hosts. Asserts. */
void conf_client_up(struct conf_client *c, struct hal_conformance *env, struct conf_client *master);

/** Ends it; its memory can be looked at until conf_client_free. */
void conf_client_stop(struct conf_client *c);
void conf_client_free(struct conf_client *c);

/** Both. */
void conf_client_down(struct conf_client *c);

/** A register of the client's own host page. */
uint64_t conf_read(struct conf_client *c, uint64_t offset);
void conf_write(struct conf_client *c, uint64_t offset, uint64_t value);

/** Fills a slot with an empty command, a read or write of one block between lba and the data of the
 * slot, or an AFU sync. */
struct afu_ioarcb *conf_command(struct conf_client *c, unsigned slot);
void conf_rw(struct conf_client *c, unsigned slot, bool write, uint32_t handle, uint64_t lba);
void conf_sync(struct conf_client *c, unsigned slot, enum afu_sync_mode mode,
               const struct conf_client *of, uint32_t handle);

/** The block of a slot. */
uint8_t *conf_data(struct conf_client *c, unsigned slot);

/** Rings the doorbell of a slot. */
void conf_ring(struct conf_client *c, unsigned slot);

/** The slot of the next new RRQ element, or -1. */
int conf_harvest(struct conf_client *c);

/** Polls until the RRQ names the slot; its status (afu_ioasc), or CONF_LOST. */
uint32_t conf_poll(struct conf_client *c, unsigned slot);

/** Rings and polls. */
uint32_t conf_do(struct conf_client *c, unsigned slot);

/** Sends an AFU sync from the client's master and polls for its end. */
uint32_t conf_do_sync(struct conf_client *c, enum afu_sync_mode mode, uint32_t handle);

/** afu_rc of a status. */
static inline unsigned conf_afu_rc(uint32_t status) { return status >> 16 & 0xFF; }

/** The entry that opens the LUN of the environment, and the steps to put it into the table and to
 * take it out (SL 8.5), without the syncs. */
struct afu_rht_entry conf_entry(const struct hal_conformance *env, unsigned permissions);
void conf_open(struct conf_client *c, uint32_t handle, unsigned permissions);
void conf_close(struct conf_client *c, uint32_t handle);

#endif
