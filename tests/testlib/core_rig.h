/* SPDX-License-Identifier: Apache-2.0 */
/* An adapter as it is after bring-up, over the recording device: a started master with a queue,
 * LUNs of any size, and a catalogue whose records are in memory. For tests of contexts, clients,
 * virtual LUNs and names.
 *
 * Whenever table stores become visible, everything that the AFU could see is checked: INV-4, 7, 8,
 * 10, 11, and that each array is registered memory (INV-13). Then, and whenever a record is about
 * to be written, a crash must not leave a name with a chunk that is free. Failures are failed
 * assertions. One at a time, one thread. */
#ifndef SPIPE_TESTS_TESTLIB_CORE_RIG_H
#define SPIPE_TESTS_TESTLIB_CORE_RIG_H

#include "core/adapter/adapter.h"
#include "core/context/client.h"
#include "core/context/context.h"
#include "core/vlun/vlun.h"
#include "tests/testlib/fake_exec.h"
#include "tests/testlib/recording_hal.h"

enum {
    RIG_RECORDS = 1024,
    RIG_RECORD_BYTES = 512,
    RIG_MASTER = 3, /* handle of the master; user contexts get 4, 5 ... */
    RIG_FIRST = 4,
    RIG_GENERATION = 1,
};

/** A record store in memory: what it holds is what a new process would find. Changes are lines
 * "record" in what the device writes down. */
struct rig_store {
    struct hal_record_store store;
    struct {
        size_t length;
        unsigned char bytes[RIG_RECORD_BYTES];
    } record[RIG_RECORDS];
    unsigned records;
    int fail; /* result of the changes to come, 0 = they work */
    unsigned refused;
};

struct core_rig {
    struct fake_exec exec;
    struct recording_hal hal;
    struct rig_store store;
    struct spipe s;
    struct spipe_client *client;
    struct spipe_ctx *ctx; /* attached to LUN 0, handle RIG_FIRST */
    bool watching;         /* what the AFU could see is checked */
};

extern struct core_rig rig;

/** Sets up an adapter with two LUNs of `chunks` chunks and some blocks, 4096-byte blocks on LUN 0
 * and 512 on LUN 1, both on ports 0 and 1; a client and a context on LUN 0. */
void rig_begin(enum hal_order order, uint64_t chunks);

/** One more LUN, on both ports, which nobody uses yet. */
void rig_add_lun(uint64_t chunks, uint32_t block_size);

/** Ends everything as a process that exits would, and expects that nothing is left. */
void rig_end(void);

/** Ends everything, and starts again with the records that the store holds now. */
void rig_restart(uint64_t chunks);

/** A context of its own, attached to `lun`. */
struct spipe_ctx *rig_attach(unsigned lun);

/** Opens `chunks` chunks of LUN 0 in a context. */
uint32_t rig_open(struct spipe_ctx *ctx, uint64_t chunks);

/** Resizes to `chunks` chunks. */
int rig_resize(struct spipe_ctx *ctx, uint32_t handle, uint64_t chunks);

/** The virtual LUN behind a handle. */
struct spipe__resource *rig_vlun(struct spipe_ctx *ctx, uint32_t handle);

/** LXT entry `index` of a virtual LUN, as the AFU sees it. */
uint64_t rig_lxt_entry(struct spipe_ctx *ctx, uint32_t handle, uint32_t index);

/** Chunk number `index` of a virtual LUN, as the AFU sees it. */
uint64_t rig_chunk(struct spipe_ctx *ctx, uint32_t handle, uint32_t index);

/** References of a chunk of LUN 0; 0 also without an allocator. */
unsigned rig_references(uint64_t chunk);

/** Free chunks of LUN 0. */
uint64_t rig_free(void);

/** Expects that exactly these lines were written down since the last time, and forgets them. */
void rig_expect(const char *lines);

/** Expects that the allocators say of every chunk what handles, names and quarantine add up to
 * (INV-1, INV-2), that those beyond the end of the device are parked when they have no owner
 * and that users, holds and modes fit (INV-18). No verb is running. */
void rig_check_books(void);

/** The entry of a handle, as the AFU sees it. */
struct afu_rht_virtual rig_entry(struct spipe_ctx *ctx, uint32_t handle);

/** The next syncs fail: REC_SYNC_ERROR, `n` times. */
void rig_fail_syncs(unsigned n);

#endif
