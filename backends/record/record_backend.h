/* SPDX-License-Identifier: Apache-2.0 */
/* A device that is another one with a stopwatch: how long loads and stores of registers take, and
 * commands from their doorbell to their response. It changes nothing that passes through.
 *
 * It looks at what core and AFU share: commands when their doorbell is rung, the RRQ whenever core
 * lets the device make progress, waits for events or uses a register. So the time of a response is
 * that of the first look that finds it, which in a loop that polls is the next one. */
#ifndef BACKENDS_RECORD_RECORD_BACKEND_H
#define BACKENDS_RECORD_RECORD_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/exec.h"
#include "hal/hal.h"

enum record_kind {
    RECORD_LOAD,      /* a load of a register */
    RECORD_STORE,     /* a store, as long as it keeps the program */
    RECORD_COMMAND,   /* from doorbell to response, seen by looking */
    RECORD_INTERRUPT, /* the same, seen after an event of the RRQ woke somebody */
    RECORD_AFU_RESET,
};

struct record_sample {
    enum record_kind kind;
    uint64_t ns;
    /* of commands: */
    uint8_t opcode; /* first byte of the CDB */
    bool afu_command;
    bool alone;     /* no other command was under way in all that time */
    uint32_t bytes; /* of data */
};

struct record_config {
    struct exec *exec;
    uint64_t (*now)(void *arg); /* ns; must not wait, nor let other threads run */
    void *now_arg;
    void (*sample)(void *arg, const struct record_sample *sample); /* one at a time; as `now` */
    void *sample_arg;
};

/** Stacks it on `below`, which and whose contexts it uses alone; `config` must last as long.
 * hal_close() of *out leaves `below` open. Addresses in doorbells must be those of this process, as
 * core's are. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int record_backend_open(struct hal_dev *below, const struct record_config *config,
                                       struct hal_dev **out);

/** Commands that were not measured because their context had too many under way (64). */
uint64_t record_backend_missed(const struct hal_dev *dev);

#endif
