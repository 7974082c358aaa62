/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter model alone, driven through its bus face with no driver present: a world, one
 * adapter, contexts with a queue of their own, and calls that run the engine until something is
 * there. For tests of the model's blocks, and for programs that plot what it does: what goes wrong
 * in here ends the process (hal/support/check.h), Criterion is not needed. */
#ifndef TESTS_TESTLIB_MODEL_H
#define TESTS_TESTLIB_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/afu_tables.h"
#include "sim/sim_bus.h"
#include "sim/sim_control.h"

#define MODEL_SLOTS 64
#define MODEL_RRQ 16
#define MODEL_BUFFER (64 * 4096)

/** One context with a queue in client memory. */
struct model_ctx {
    struct sim_ctx *sim;
    uint16_t handle;
    enum hal_order order;
    struct afu_cmd_pair *pair; /* MODEL_SLOTS */
    uint64_t *rrq;             /* MODEL_RRQ elements */
    unsigned rrq_at;
    bool toggle;
    struct afu_rht_entry *rht; /* 256, hosted by the first master */
};

/** The fixture. */
struct model {
    struct sim_world *world;
    struct sim_machine *machine;
    struct sim_media *media;
    struct sim_afu *afu;
    struct model_ctx master;
    uint8_t *buffer;                   /* MODEL_BUFFER bytes of client memory */
    uint64_t *lxt;                     /* 64 entries */
    uint64_t expected[SIM_RULE_COUNT]; /* breaches that the test provoked on purpose */
};

/** Builds a model: two LUNs of 4 chunks (first 4096-byte blocks, second 512), default parameters
 * with the given profile, one master with all capabilities, little endian, port 0 and 1 LUN tables
 * with slot i = LUN i. Aborts the test on failure. */
struct model *model_create(const char *profile);

/** Same, before anything else is done to the adapter: no master, no tables. */
struct model *model_create_bare(const struct sim_params *params);

/** Same with media of the caller's choice (copied). */
struct model *model_create_media(const struct sim_params *params,
                                 const struct sim_media_opts *opts);

/** Master, byte order of the tables, LUN tables: what model_create does after model_create_bare. */
void model_bring_up(struct model *m);

/** Ends it; aborts the test if the strict checker found a model error, or other violations of the
 * host than model_expect_violations said. */
void model_destroy(struct model *m);

/** The test breaks a rule of the strict checker so many times, on purpose: aborts it if that is not
 * what was found since the last call. */
void model_expect_violations(struct model *m, enum sim_rule rule, uint64_t n);

/** The test broke whatever rules for hosts at random. */
void model_expect_any_violations(struct model *m);

/** Starts a context of an order and programs its queue; user contexts get capability 3, an RHT of
 * 256 entries and the master as owner. */
void model_ctx_start(struct model *m, struct model_ctx *c, bool master, enum hal_order order);
void model_ctx_end(struct model *m, struct model_ctx *c);

/** A store, run until it has arrived; and a load, run until the answer is there. Offsets are those
 * of the context's window. */
void model_store(struct model *m, struct model_ctx *c, uint64_t offset, uint64_t value);
uint64_t model_load(struct model *m, struct model_ctx *c, uint64_t offset);

/** Runs the engine for so many cycles, or until nothing is left to happen. */
void model_run(struct model *m, uint64_t cycles);
void model_run_dry(struct model *m);

/** Prepares the IOARCB of a slot: zero but for ctx_id; returns it. */
struct afu_ioarcb *model_ioarcb(struct model_ctx *c, unsigned slot);

/** Fills a slot with READ(16)/WRITE(16) by resource handle, whole blocks of 4096 bytes. */
void model_rw(struct model *m, struct model_ctx *c, unsigned slot, bool write, uint32_t handle,
              uint64_t lba, uint32_t blocks, void *buffer);

/** Rings the doorbell of a slot (does not run the engine). */
void model_doorbell(struct model *m, struct model_ctx *c, unsigned slot);

/** Rings, runs until the slot's RRQ element is there or `limit` cycles have passed. Returns whether
 * it came. The IOASA is in c->pair[slot].ioasa. */
bool model_issue(struct model *m, struct model_ctx *c, unsigned slot, uint64_t limit);

/** Takes the next RRQ element if it is new: its slot, or -1. */
int model_harvest(struct model_ctx *c);

/** Sends an AFU sync from the master and waits for it; returns its afu_rc. */
uint8_t model_sync(struct model *m, uint8_t mode, uint16_t context, uint32_t handle);

/** Fills the LXT with n chunks of a LUN-table slot and the RHT entry of a context that uses it. */
void model_virtual(struct model *m, struct model_ctx *c, uint32_t handle, const uint64_t *chunks,
                   unsigned n, uint8_t lun_index, unsigned permissions);

/** Status bytes of a slot as one number (afu_ioasc). */
uint32_t model_ioasc(const struct model_ctx *c, unsigned slot);

#endif
