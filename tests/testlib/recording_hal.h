/* SPDX-License-Identifier: Apache-2.0 */
/* A device for tests of core's control path: it keeps registers, takes commands, answers AFU syncs
 * at once, and writes down everything that an AFU could see, in order, as text.
 *
 *   + lxt2:8               memory registered (a running number for each name; LXT: entries)
 *   - lxt2                 memory withdrawn
 *   lxt2[3]=17             LXT entry stored: its chunk
 *   rht1[0].start=lxt2     first half of an RHT entry stored
 *   rht1[0].count=4        second half; "free" instead of a number if nmask is 0
 *   publish                everything before is visible before everything behind
 *   sync LW 7.0            AFU sync of context 7, handle 0: LW, HW or GSYNC; " failed" behind it
 *   scsi 9e ports 1 lun 0  SCSI command of the master: opcode, ports, LUN id, in hex
 *   r ctrl7+18             register read, offset in hex; "host7" for registers of the host page
 *   w ctrl7+10=3           register written
 *   create user, start 7:4, stop 7, release 7     contexts (4 interrupts)
 *
 * Table stores reach memory at the next publish or register write, the last one first: whoever
 * reads back what he has not published, or relies on the order of two stores without a publish,
 * fails. IOARRIN mode. One thread; everything in struct recording_hal may be read and written by
 * tests. */
#ifndef SPIPE_TESTS_TESTLIB_RECORDING_HAL_H
#define SPIPE_TESTS_TESTLIB_RECORDING_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/afu_cmd.h"
#include "hal/afu_tables.h"
#include "hal/hal.h"
#include "tests/testlib/fake_exec.h"

enum {
    REC_CONTEXTS = 512,
    REC_REGIONS = 4096,
    REC_NAMES = 8,
    REC_STORES = 1 << 16,
    REC_TEXT = 1 << 17,
    REC_COMMANDS = 64,
    REC_SYNCS = 16,
};

/** What becomes of an AFU sync. */
enum rec_sync { REC_SYNC_OK, REC_SYNC_ERROR, REC_SYNC_LOST };

struct rec_region {
    char *start; /* NULL: not in use */
    size_t size;
    char name[32]; /* with its number */
};

struct rec_ctx {
    struct hal_ctx base; /* hand out &ctx->base */
    bool open, started;
    unsigned interrupts;
    uint64_t host[16], ctrl[16]; /* by offset / 8 */
    bool cap_unlocked;
    uint64_t *rrq_at;
    uint64_t toggle;
    unsigned pending_interrupt; /* LISN, 0 = none */
    struct hal_event event;     /* given out first, if it has a kind */
    bool dead;                  /* registers read all ones */
};

struct recording_hal {
    struct hal_dev dev; /* hand out &hal.dev */
    struct fake_exec *exec;
    struct rec_ctx ctx[REC_CONTEXTS];

    struct rec_region region[REC_REGIONS];
    unsigned regions;    /* in use */
    unsigned region_top; /* none in use from here on */
    const char *name[REC_NAMES];
    unsigned number[REC_NAMES]; /* the last one given to a region of that name */

    struct {
        uint64_t *at;
        uint64_t value;
    } store[REC_STORES]; /* not yet visible */
    unsigned stores;
    enum hal_order order; /* of tables */

    size_t text_used;
    char text[REC_TEXT]; /* the record; lines end with \n */
    bool silent;         /* nothing is written down */
    bool no_regs;        /* registers are not written down */
    bool no_mem;         /* memory is not written down */

    /* what happens: 0 and NULL = all is well */
    bool answer_at_once;   /* commands of user contexts: good status, and they are not kept */
    bool wrong_capability; /* ctx_cap does not stick */
    bool wrong_handle;     /* contexts come with handles that no context has */
    uint16_t first; /* handle of the next context that starts is the lowest free from here on */
    enum rec_sync sync[REC_SYNCS]; /* of the syncs to come */
    unsigned sync_at, sync_count;
    unsigned syncs;                             /* so far */
    int fail_create, fail_start, fail_register; /* results of the next such calls */
    uint64_t room;                              /* cmd_room; 16 */

    /* answers SCSI commands of the master: false = there is no answer; NULL: there are no commands
     */
    bool (*scsi)(void *arg, const struct afu_ioarcb *ioarcb, struct afu_ioasa *ioasa);
    void *scsi_arg;

    /* commands of user contexts, in order; they are answered by recording_hal_answer() */
    struct {
        struct rec_ctx *ctx;
        uint64_t ea;
        struct afu_ioarcb ioarcb;
    } command[REC_COMMANDS];
    unsigned commands;

    void (*watch)(void *arg); /* called whenever table stores became visible */
    void *watch_arg;
};

/** Sets up a device without contexts. `exec` must outlive it. Large: not for the stack. */
void recording_hal_init(struct recording_hal *r, struct fake_exec *exec, enum hal_order order);

/** Forgets what was written down. */
void recording_hal_clear(struct recording_hal *r);

/** Writes a line of the test's own down. */
void recording_hal_note(struct recording_hal *r, const char *text);

/** Appoints the outcome of the next syncs, `n` of them; those after them are good again. */
void recording_hal_syncs(struct recording_hal *r, const enum rec_sync *outcome, unsigned n);

/** Answers command `i`: `ioasa` (NULL: all good) and an RRQ element. */
void recording_hal_answer(struct recording_hal *r, unsigned i, const struct afu_ioasa *ioasa);

/** Writes a raw RRQ element for a context. */
void recording_hal_post(struct rec_ctx *c, uint64_t ea);

/** Region that contains `address`, or NULL. */
const struct rec_region *recording_hal_region(const struct recording_hal *r, uint64_t address);

#endif
