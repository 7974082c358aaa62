/* SPDX-License-Identifier: Apache-2.0 */
/* A HAL device that answers commands: the smallest AFU that core's control path can talk to. It
 * knows both submission modes, the RRQ with its toggle, context reset and interrupts, and leaves
 * what a command *means* to a function of the test. Registers without behaviour are memory.
 *
 * Time is the clock of a fake_exec: an answer is posted when it is due, which a wait for an event
 * or hal_progress() notices. The model in sim/ is the real thing; this one exists so that a test of
 * core can say exactly what goes wrong. One thread. */
#ifndef SPIPE_TESTS_TESTLIB_FAKE_AFU_H
#define SPIPE_TESTS_TESTLIB_FAKE_AFU_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/afu_cmd.h"
#include "hal/hal.h"
#include "tests/testlib/fake_exec.h"

enum { FAKE_AFU_CONTEXTS = 8, FAKE_AFU_PENDING = 512 };

/** A command as the AFU read it. */
struct fake_command {
    uint16_t context; /* that rang the doorbell */
    uint16_t ctx_id, flags, timeout;
    uint32_t target; /* port mask or resource handle */
    uint64_t lun_id;
    uint32_t data_length;
    void *data;
    uint8_t msi;
    uint8_t cdb[AFU_CDB_SIZE];
};

/** What the test decides about it. All zero: good, at once. */
struct fake_answer {
    uint64_t delay; /* ns until it is posted */
    struct afu_rc rc;
    uint32_t residual;
    uint8_t sense[AFU_SENSE_SIZE]; /* written with SENSE_VALID, or if the next is set */
    bool tells;                    /* what stands there is the answer to an AFU command (SL 7) */
    uint8_t afu_extra;
    bool lost; /* never posted */
};

/** The command in an IOARCB that was given to `context`. */
struct fake_command fake_command_read(enum hal_order order, uint16_t context,
                                      const struct afu_ioarcb *rcb);

/** Puts an answer into an IOASA. */
void fake_answer_write(enum hal_order order, const struct fake_answer *answer,
                       struct afu_ioasa *ioasa);

typedef struct fake_answer (*fake_afu_fn)(void *arg, const struct fake_command *command);

struct fake_context {
    struct hal_ctx hal;
    bool exists;
    uint64_t rrq_at;
    bool toggle;
    uint64_t sq_head;
    struct hal_event events[16]; /* handed out by event_wait, oldest first */
    unsigned event_count;
};

struct fake_pending {
    uint16_t context;
    uint8_t msi;
    uint64_t ioasa, element; /* addresses: of the IOASA, and of what the RRQ element names */
    uint64_t due;
    struct fake_answer answer;
};

struct fake_afu {
    struct hal_dev dev; /* hand out &afu.dev */
    struct fake_exec *exec;
    fake_afu_fn answer;
    void *arg;

    uint64_t *registers; /* by offset / 8 */
    struct fake_context context[FAKE_AFU_CONTEXTS];
    struct fake_pending pending[FAKE_AFU_PENDING];
    unsigned pending_count;
    unsigned regions;

    const void *vpd;
    size_t vpd_length;

    /* knobs */
    uint16_t first_context; /* number of the first one */
    uint64_t room;          /* what cmd_room says when it is read */
    unsigned reset_reads;   /* so many reads still show a context reset in progress */
    unsigned resetting;     /* how many of them are left */
    bool lose_interrupts;   /* answers are posted, nobody is told */
    bool dead;              /* all ones, writes dropped, events: device lost */

    /* counters */
    uint64_t commands, resets, afu_resets;
};

/** Sets up a device with the registers of a 2-port card: versions, ports present, ports online. */
void fake_afu_init(struct fake_afu *afu, struct fake_exec *exec, fake_afu_fn answer, void *arg);

/** Frees it; checks that no context and no memory region is left. */
void fake_afu_fini(struct fake_afu *afu);

/** The register at an absolute offset. */
uint64_t *fake_afu_register(struct fake_afu *afu, uint64_t offset);

/** Queues an event for a context (by number). */
void fake_afu_event(struct fake_afu *afu, uint16_t context, const struct hal_event *event);

/** Writes any element into the RRQ of a context, as if a command had ended. */
void fake_afu_post(struct fake_afu *afu, uint16_t context, uint64_t element_ea);

#endif
