/* SPDX-License-Identifier: Apache-2.0 */
/* A HAL device that expects one conversation: a list of operations in order, each with its reply.
 * Any other operation fails the running test at once, with a sentence that shows what was expected
 * and what came; scripted_hal_done() fails it if part of the list was not used.
 *
 * On the list: register reads and writes, AFU reset, reload hint, VPD, contexts, event waits. Not
 * on the list, but counted: memory registrations, table stores, publishes, progress, notes.
 * Register offsets are absolute, as a master uses them. One thread. */
#ifndef SPIPE_TESTS_TESTLIB_SCRIPTED_HAL_H
#define SPIPE_TESTS_TESTLIB_SCRIPTED_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

enum scripted_kind {
    SCRIPTED_READ,   /* offset; value = reply */
    SCRIPTED_WRITE,  /* offset, value */
    SCRIPTED_RELOAD, /* rc */
    SCRIPTED_RESET,  /* rc */
    SCRIPTED_VPD,    /* data, value = bytes of it, rc */
    SCRIPTED_CREATE, /* rc; kind of context must be `value` */
    SCRIPTED_START,  /* rc; interrupts must be `value` */
    SCRIPTED_STOP,   /* rc */
    SCRIPTED_LOSE,
    SCRIPTED_RELEASE,
    SCRIPTED_EVENT, /* event, rc; offset = deadline, or SCRIPTED_ANY_DEADLINE */
    SCRIPTED_KINDS
};

#define SCRIPTED_ANY_DEADLINE UINT64_MAX

/** One expected operation. */
struct scripted_op {
    enum scripted_kind kind;
    uint64_t offset, value;
    int rc;
    const void *data;
    struct hal_event event;
};

struct scripted_hal {
    struct hal_dev dev; /* hand out &script.dev */
    struct hal_ctx ctx; /* the only one */
    uint16_t handle;    /* that ctx gets when it is started */
    bool started;

    struct scripted_op *ops;
    size_t count, at, capacity;

    unsigned regions;        /* registered and not released */
    int fail_register_after; /* so many more registrations work; negative: all */
    uint64_t table_stores, publishes, progresses, notes;
    uint64_t note_hash; /* of all notes, in order */
};

/** Sets up a device with an empty list. Its context gets the number `handle`. */
void scripted_hal_init(struct scripted_hal *h, uint16_t handle);

/** Checks that the list is used up, that no context and no memory region is left, and frees it. */
void scripted_hal_done(struct scripted_hal *h);

/** Appends any operation. */
void scripted_expect(struct scripted_hal *h, const struct scripted_op *op);

/* Shorthands. */
void scripted_expect_read(struct scripted_hal *h, uint64_t offset, uint64_t reply);
void scripted_expect_write(struct scripted_hal *h, uint64_t offset, uint64_t value);
void scripted_expect_call(struct scripted_hal *h, enum scripted_kind kind, uint64_t value, int rc);

#endif
