/* SPDX-License-Identifier: Apache-2.0 */
/* A device and a store of records whose process dies: a filter over others that goes away at a
 * chosen store, as the kernel takes descriptors and memory from a process that is killed. Then
 *
 *   - every context has ended on the device below, and every region is withdrawn from it;
 *   - nothing that core still does reaches it: a test cannot stop core, so it runs on and can be
 *     closed, but loads give ones, stores are dropped, and waits end;
 *   - nothing more is written to the store of records.
 *
 * What is below is as good for another process as before. One thread at a time (fibers). */
#ifndef SPIPE_TESTS_TESTLIB_MORTAL_HAL_H
#define SPIPE_TESTS_TESTLIB_MORTAL_HAL_H

#include "hal/hal.h"
#include "hal/record_store.h"

enum { MORTAL_CONTEXTS = 8, MORTAL_REGIONS = 64 };

struct mortal_ctx {
    struct hal_ctx hal;
    struct hal_ctx *below; /* NULL: free */
};

struct mortal_hal {
    struct hal_dev hal;              /* hand out &mortal.hal, */
    struct hal_record_store records; /* and &mortal.records */
    struct hal_dev *below;
    struct hal_record_store *records_below;
    struct mortal_ctx ctx[MORTAL_CONTEXTS];
    void *region[MORTAL_REGIONS];
    bool armed; /* stores to tables, registers and records are counted, and publishes */
    bool dead;
    uint64_t remaining; /* so many of them still happen */
};

/** Sets it up, alive and not armed. What is below stays its owner's to close. */
void mortal_hal_init(struct mortal_hal *m, struct hal_dev *below, struct hal_record_store *records);

/** From here on `n` more stores happen; it dies instead of the next one. */
void mortal_hal_arm(struct mortal_hal *m, uint64_t n);

#endif
