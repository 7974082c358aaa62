/* SPDX-License-Identifier: Apache-2.0 */
/* One adapter as core sees it. Shared inside core only.
 *
 * Lock order (SP section 11): control, then internal. `control` serialises the control verbs of
 * the adapter and guards everything here but the master's queue; `internal` is held over one
 * command of the master at a time (AD-122) and guards the master's queue, `scratch`, and the two
 * flags behind them. The data path of user contexts takes neither. */
#ifndef CORE_ADAPTER_H
#define CORE_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/block_alloc.h"
#include "core/catalogue.h"
#include "core/error_decode.h"
#include "core/queue.h"
#include "core/scsi_cdb.h"
#include "core/superpipe.h"
#include "core/why.h"
#include "hal/afu_regs.h"
#include "hal/afu_tables.h"

#define SPIPE__PORTS_MAX AFU_PORTS_MAX
#define SPIPE__LUNS_MAX 256
#define SPIPE__CONTEXTS AFU_CONTEXTS
#define SPIPE__SCRATCH_SIZE 4096u
#define SPIPE__SCSI_TIMEOUT UINT64_C(30000000000) /* ns, SP-101 */

struct spipe__held;

/** State machines that core announces with HAL_NOTE_STATE (its a). */
enum spipe__machine {
    SPIPE__MACHINE_BRING_UP = 1, /* b = number of the step that begins, in spipe__bring_up_steps */
};

/** A LUN, unified over ports by WWID. */
struct spipe__lun {
    uint8_t wwid[16];
    uint64_t lun_id[SPIPE__PORTS_MAX];
    uint8_t found_ports;      /* ports behind which it is */
    uint8_t port_mask;        /* those of them on which it is enabled (SP-118) */
    bool seen;                /* by the discovery that runs, or ran last */
    bool in_table;            /* has a LUN-table slot (AD-190) */
    uint8_t table_index;      /* valid if in_table */
    uint8_t mode;             /* SPIPE_LUN_NONE, _VIRTUAL, _PHYSICAL */
    bool reads_zero_unmapped; /* LBPRZ: unmapped blocks read as zeros */
    uint64_t last_lba;
    uint32_t block_size;
    uint32_t users;           /* open handles */
    uint32_t holds;           /* what is quarantined; names are counted in the catalogue */
    struct spipe__held *held; /* that: see core/quarantine.h */
    struct spipe__ba *ba;     /* exists while mode is VIRTUAL: see core/lun_mode.h */
    size_t ba_size;           /* bytes of it, all that belongs to it included */
    uint64_t usable;          /* chunks of ba that the device has now; see core/lun_size.h */
    uint64_t *parked;         /* a bit for each chunk of ba: it is parked; NULL: none ever was */
};

/** A set of LUN-table slots. */
struct spipe__slot_set {
    uint64_t word[AFU_LUN_TABLE_SLOTS / 64];
};

/** Peculiarities that bring-up met and that the driver only logs. */
struct spipe__bring_up_notes {
    unsigned port_timeouts; /* mask of ports that did not go offline or online in time (AD-47) */
    unsigned wwpn_missing;  /* mask of ports without a name in VPD (AD-45) */
    bool lisn_was_set;      /* ctx_ctrl named a LISN already (AD-49g) */
    bool reload_refused;    /* the platform took no hint about the image (AD-30) */
};

struct spipe {
    struct exec *exec;
    struct hal_dev *dev;
    enum hal_order order;
    struct exec_mutex control, internal;

    struct hal_ctx *master;    /* NULL while the adapter is down */
    struct spipe__queue queue; /* the master's */
    void *scratch;             /* SPIPE__SCRATCH_SIZE bytes for the master's commands, registered */
    bool master_stuck;         /* a context reset of the master failed: it takes no commands until
                                  the AFU has been initialised again */
    bool reset_wanted;         /* a command of the master was given up for good: the adapter should
                                  be reset (AD-124, R-15) */

    bool luns_disabled; /* LUNs that are found wait for MANAGE_LUN */
    char afu_version[9];
    uint64_t interface_version;
    bool sq; /* commands go through submission queues (AD-36) */
    unsigned ports;
    uint64_t wwpn[SPIPE__PORTS_MAX];
    bool ws_unmap;
    uint64_t heartbeat;
    uint64_t generation; /* + 1 with each AFU init (VL 15.1) */
    struct spipe__bring_up_notes notes;

    unsigned lun_count;
    struct spipe__lun lun[SPIPE__LUNS_MAX];
    unsigned luns_skipped;                /* found, but not usable; by the last discovery */
    int promote_lun_index;                /* SP-131: multi-port LUNs have slots below it */
    int last_lun_index[SPIPE__PORTS_MAX]; /* single-port LUNs of a port have slots above it */
    struct spipe__slot_set multi_free, single_free[SPIPE__PORTS_MAX]; /* */

    struct spipe__cat *catalogue;                /* NULL: no names */
    struct spipe_ctx *contexts[SPIPE__CONTEXTS]; /* by context handle */
    uint32_t cookies;                            /* upper half of the last context_id (SP-29) */
    unsigned clients;
    uint64_t lineages; /* of handles: the last number given out */
};

/* ---- registers, through the master: absolute offsets ---- */

/** Loads a register of the map (AFU_HOST_BASE, AFU_CTRL_BASE, AFU_GLOBAL_BASE, AFU_PORT_REGS). */
static inline uint64_t spipe__read(struct spipe *s, uint64_t offset)
{
    return hal_reg_read64(s->master, offset);
}

/** Stores a register of the map. */
static inline void spipe__write(struct spipe *s, uint64_t offset, uint64_t value)
{
    hal_reg_write64(s->master, offset, value);
}

/* ---- bring_up.c ---- */

/** One state of bring-up. */
struct spipe__bring_up_step {
    const char *name;
    const char *requirement;                            /* of adapter.md section 2 */
    int (*run)(struct spipe *s, struct spipe__why why); /* 0 or a negative errno */
    void (*undo)(struct spipe *s);                      /* NULL: nothing to undo */
};

/** The steps in order, for tests and tools that print or assert them. */
const struct spipe__bring_up_step *spipe__bring_up_steps(unsigned *count);

/**
 * Initialises the AFU: AD-30..AD-49i, in that order, with the AFU reset before the context opens
 * . The master's queue and scratch exist already, no context is open.
 *
 * @param s    adapter; on success the master is started and generation is one more
 * @param why  receives a sentence on failure
 * @return     0; -EINVAL for a back-level AFU, -ENODEV, -EIO, or what the HAL says. On failure
 * every step is undone in reverse order (AD-49j, D-9)
 *
 * Blocks for seconds when ports get their names. Callers hold `control`.
 */
HAL_MUST_CHECK int spipe__bring_up(struct spipe *s, struct spipe__why why);

/** Ends the master (AD-50..AD-53); the adapter is down afterwards: master is NULL, and AFU syncs
 * succeed without being sent (AD-121), so that no user context may be open any more. Takes
 * `internal`. Harmless if the adapter is down already. */
void spipe__take_down(struct spipe *s);

/* ---- master.c ---- */

/**
 * Sends one command of the master and waits for its answer: looks at the RRQ, sleeps until an
 * event, looks again; a lost interrupt costs a little time, never the answer.
 *
 * @param s           adapter; the caller holds `internal`
 * @param command     what to send; data, if any, is in registered memory
 * @param timeout_ns  how long to wait
 * @param out         receives a copy of the IOASA if the result is 0
 * @return            0: answered, perhaps with an error in *out; -ENOBUFS: not sent, the AFU has no
 *                    room (AD-122); -ETIMEDOUT: no answer, the AFU may still work on it until
 *                    spipe__master_reset(); -EIO: the AFU could not reach command or data; -ENODEV:
 *                    the adapter is gone
 */
HAL_MUST_CHECK int spipe__master_run(struct spipe *s, const struct spipe__command *command,
                                     uint64_t timeout_ns, struct afu_ioasa *out);

/**
 * Context reset of the master (AD-115): afterwards the AFU touches no memory for commands that were
 * given up, and the queue is empty. The caller holds `internal`.
 *
 * @return  0; -ETIMEDOUT: nothing of that is certain, the master is stuck and a reset is wanted
 */
HAL_MUST_CHECK int spipe__master_reset(struct spipe *s);

/* ---- afu_sync.c ---- */

/**
 * AFU sync of (context, handle) (VL-67, AD-120..AD-126). Takes `internal`; blocks up to 20 s.
 *
 * @param s        adapter
 * @param mode     enum afu_sync_mode
 * @param context  context handle; 0 with AFU_SYNC_GSYNC
 * @param handle   resource handle; 0 with AFU_SYNC_GSYNC
 * @return         0 only if the AFU said so (VL-72), or if the adapter is down (AD-121); -EIO if it
 *                 answered with an error; -ENOBUFS if it had no room for the command; -ETIMEDOUT if
 *                 it did not answer twice or is gone: then reset_wanted is set. After any
 *                 failure the AFU may still use old translations (VL-73)
 */
HAL_MUST_CHECK int spipe__afu_sync(struct spipe *s, uint8_t mode, uint16_t context,
                                   uint32_t handle);

/* ---- scsi.c ---- */

/**
 * Sends one CDB by port and LUN id from the master (AD-66), data in s->scratch. Takes `internal`;
 * the caller holds `control`, which keeps scratch its own until it has looked at the data.
 *
 * @param s        adapter
 * @param port     0 .. ports - 1
 * @param lun_id   64-bit LUN id (SL 23.9)
 * @param cdb      command
 * @param write    scratch goes to the device; otherwise it is zeroed first and then filled
 * @param length   bytes of data, at most SPIPE__SCRATCH_SIZE; 0 = no data
 * @param out      receives the answer
 * @return         0 when the command was answered, well or not; -ETIMEDOUT after 30 s and a context
 *                 reset; -EBUSY if the AFU had no room in that time; -EIO if the master is stuck or
 *                 the data could not be reached; -ENODEV if the adapter is gone
 */
HAL_MUST_CHECK int spipe__scsi(struct spipe *s, unsigned port, uint64_t lun_id,
                               const struct spipe__cdb *cdb, bool write, uint32_t length,
                               struct spipe__scsi_result *out);

/**
 * Reads data with the repetitions of the SCSI layer: 5 after time-outs and transport errors, one
 * more after a unit attention 29, 2A or 3F (SP-101, SP-102). Sense keys 0, 1 and 2 count as success
 * (SP-102): look at the data.
 *
 * @param length  bytes asked for
 * @param valid   receives how many of them are in s->scratch; the rest of it is 0
 * @return        0; -ENETDOWN if the port cannot be used now (down, not logged in); -EIO; -ENODEV,
 *                -ETIMEDOUT and -EBUSY as spipe__scsi()
 *
 * Other parameters and thread rules as spipe__scsi().
 */
HAL_MUST_CHECK int spipe__scsi_read(struct spipe *s, unsigned port, uint64_t lun_id,
                                    const struct spipe__cdb *cdb, uint32_t length, uint32_t *valid);

/* ---- lun_discovery.c ---- */

/**
 * Finds the LUNs: REPORT LUNS on every port, INQUIRY page 0x83 and READ CAPACITY(16) of each LUN,
 * unified by WWID (SP-124). LUNs known already stay and keep their numbers; their capacity is what
 * the device says now, as by spipe__lun_set_capacity(). What cannot be used (no NAA-6 name, block
 * length 0, SP-105; for a LUN in use another block size, id or port) is counted in luns_skipped; a
 * port without a target has no LUNs. Unless luns_disabled is set, LUNs are enabled on ports on
 * which they are found for the first time.
 *
 * @param s    adapter, brought up; the caller holds `control`
 * @param why  receives a sentence on failure
 * @return     0; -ENODEV if the adapter is gone, -EIO if its master is stuck, -ETIMEDOUT if it
 *             answered nothing on any port
 */
HAL_MUST_CHECK int spipe__discover_luns(struct spipe *s, struct spipe__why why);

/* ---- lun_manage.c ---- */

/**
 * Enables a LUN on a port: MANAGE_LUN with ENABLE (SP-118, SP-128). The caller holds `control`.
 *
 * @param port  one behind which the LUN was found
 * @return      0, also if it is enabled there already; -EINVAL for another port; -EBUSY if the LUN
 *              has a LUN-table slot that the port does not know
 */
HAL_MUST_CHECK int spipe__lun_enable(struct spipe *s, struct spipe__lun *lun, unsigned port);

/** Disables it there: MANAGE_LUN with DISABLE (SP-120, SP-127). 0, also if it is not enabled;
 * -EBUSY while the LUN has a mode, after one more try of what is quarantined, or any context
 * has it attached. The caller holds `control`. */
HAL_MUST_CHECK int spipe__lun_disable(struct spipe *s, struct spipe__lun *lun, unsigned port);

/* ---- lun_table.c ---- */

/** Empties the bookkeeping of slots (SP-131). Registers are not touched. */
void spipe__lun_table_init(struct spipe *s);

/**
 * Gives a LUN its slot and writes it into the tables of its ports (SP-130..SP-134, SP-137, R-35,
 * AD-190..AD-192). Nothing happens if it has one. The caller holds `control`.
 *
 * @return  0; -ENOSPC if no slot is left; -EIO if the LUN has no port or one the card has not
 */
HAL_MUST_CHECK int spipe__lun_table_assign(struct spipe *s, struct spipe__lun *lun);

/** Takes the slot back (SP-135). The AFU must not know an LXT entry with this index any more: after
 * an HW sync or an AFU init. The caller holds `control`. */
void spipe__lun_table_release(struct spipe *s, struct spipe__lun *lun);

/** Rewrites all slots after an AFU init (AD-193, SP-136). */
void spipe__lun_table_restore(struct spipe *s);

#endif
