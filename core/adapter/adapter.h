/* SPDX-License-Identifier: Apache-2.0 */
/* One adapter as core sees it. Shared inside core only.
 *
 * Locks, in their order (core/adapter/lock_rank.h): the gate; that of a context
 * (core/context/context.h); then
 *
 *   discovery  one search for LUNs at a time
 *   names      of its group (core/adapter/group.h): the catalogue. Held across the writing of
 * records books      of its group: what there is, and who has what: contexts, clients, files, LUNs,
 *              allocators, slots, quarantine. Held for moments only: long loops over chunks give it
 *              back now and then
 *   links      one link reset at a time, and with it afu_port_sel
 *   scsi       `scratch`, from a SCSI command until its data have been looked at
 *   internal   internal commands of the AFU, one at a time (AD-122); initialisations have it, since
 *              in their state, RESET, nobody sends them
 *   that of the SCSI host (core/command/scsi_host.h), that of a hardware queue (core/command/hwq.h)
 *
 * The data path of user contexts takes none. */
#ifndef CORE_ADAPTER_H
#define CORE_ADAPTER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/adapter/eeh.h"
#include "core/adapter/event.h"
#include "core/adapter/gate.h"
#include "core/adapter/group.h"
#include "core/adapter/listen.h"
#include "core/adapter/why.h"
#include "core/adapter/worker.h"
#include "core/command/error_decode.h"
#include "core/command/hwq.h"
#include "core/command/scsi_cdb.h"
#include "core/command/scsi_host.h"
#include "core/context/recover.h"
#include "core/superpipe.h"
#include "core/vlun/lxt.h"
#include "hal/afu_regs.h"
#include "hal/afu_tables.h"

#define SPIPE__PORTS_MAX AFU_PORTS_MAX
#define SPIPE__LUNS_MAX 256
#define SPIPE__CONTEXTS AFU_CONTEXTS
/* Steps of an allocator, a chunk or a part each, before the books are given back. */
#define SPIPE__STEPS_AT_ONCE 64
#define SPIPE__SCRATCH_SIZE 4096u
#define SPIPE__SCSI_TIMEOUT UINT64_C(30000000000) /* ns, SP-101 */

struct spipe__held;
struct spipe__file;
struct spipe__resource;

/** State machines that core announces with HAL_NOTE_STATE (its a). */
enum spipe__machine {
    SPIPE__MACHINE_BRING_UP = 1, /* b = number of the step that begins, in spipe__bring_up_steps */
    SPIPE__MACHINE_ADAPTER = 2,  /* b = enum spipe_state */
    SPIPE__MACHINE_LINK = 4, /* b = port << 8 | number of the step of a link reset that begins, in
                                spipe__link_reset_steps */
    SPIPE__MACHINE_CONTEXT = 3, /* b = number of a context that is registered with the AFU now, with
                                   SPIPE__CONTEXT_LOST of one that is not any more */
};

#define SPIPE__CONTEXT_LOST 0x10000u

/** A LUN as one adapter reaches it, unified over ports by WWID. Guarded by the books. */
struct spipe__lun {
    struct spipe__global_lun *global; /* what is the same for all adapters */
    struct spipe *s;                  /* whose it is */
    struct spipe__lun *sibling;       /* in global->locals */
    uint64_t lun_id[SPIPE__PORTS_MAX];
    uint8_t found_ports;          /* ports behind which it is */
    uint8_t port_mask;            /* those of them on which it is enabled (SP-118) */
    bool seen;                    /* by the discovery that runs, or ran last */
    bool in_table;                /* has a LUN-table slot (AD-190) */
    bool unfit;                   /* cannot keep the names it carries: nobody may use it */
    uint8_t table_index;          /* valid if in_table */
    uint32_t attached;            /* contexts that have it in their lists */
    struct spipe__resource *open; /* its handles, of all contexts: core/vlun/resource.h */
    uint64_t wipe_pause;          /* until what cannot be wiped is tried again; 0: all can be */
    uint64_t wipe_again_at;       /* when that is */
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

/** What a port has been through. Guarded by the lock of the gate. */
struct spipe__port_log {
    uint64_t events[AFU_AINTR_EVENTS];
    uint64_t resets, resets_failed;
    uint64_t fc_status; /* at the last event */
    uint64_t fc_error;  /* when it was cleared */
};

struct spipe {
    struct exec *exec;
    struct hal_dev *dev;
    enum hal_order order;
    struct spipe__gate gate;
    struct spipe__group *group; /* core/adapter/group.h */
    struct spipe *next_member;  /* of the group */
    struct exec_mutex discovery, links, scsi, internal;
    bool wipe_always;  /* every virtual LUN is wiped (VL-65) */
    bool wipe_nothing; /* what is dirty stays so (decision 0008) */

    struct hal_ctx *master; /* of the primary hardware queue: the way to all registers (AD-34). NULL
                               while the adapter is down; written by initialisations only, which
                               happen while nobody is inside the gate that uses it */
    struct spipe__hwq hwq[SPIPE__HWQS_MAX];
    struct spipe__scsi_host host;
    unsigned hwqs;                           /* that there are; changes while the state is RESET */
    unsigned hwqs_wanted;                    /* with the next initialisation (AD-30) */
    unsigned cpus;                           /* of this machine, as its owner says (AD-203) */
    unsigned hwq_mode;                       /* enum spipe_hwq_mode; atomic */
    uint64_t hwq_turn;                       /* of round robin; atomic */
    struct spipe__queue_config queue_config; /* of each */
    void *scratch;      /* SPIPE__SCRATCH_SIZE bytes for the master's commands, registered */
    void *debug_buffer; /* core/command/afu_debug.c; guarded by `internal` */

    struct spipe_adapter_info facts; /* as the first initialisation found them */
    bool luns_disabled;              /* LUNs that are found wait for MANAGE_LUN */
    char afu_version[9];
    uint64_t interface_version;
    bool sq; /* commands go through submission queues (AD-36) */
    unsigned ports;
    unsigned
        internal_lun; /* mode of internal LUNs (AD-201), 0 = external ones; changed by resets */
    uint64_t wwpn[SPIPE__PORTS_MAX];
    bool ws_unmap;
    uint64_t heartbeat;    /* register, when it was read last; core/adapter/heartbeat.h */
    uint64_t heartbeat_ns; /* between two looks at it; 0 = there are none */
    uint64_t generation;   /* + 1 with each AFU init (VL 15.1): spipe__generation() */
    struct spipe__bring_up_notes notes;
    struct spipe__port_log port_log[SPIPE__PORTS_MAX];
    uint64_t unknown_seen; /* bits of aintr_status of ports that the card has not; the worker's */

    unsigned lun_count;
    struct spipe__lun lun[SPIPE__LUNS_MAX];
    unsigned luns_skipped;                /* found, but not usable; by the last discovery */
    unsigned luns_unfit;                  /* those of them that cannot keep their names */
    int promote_lun_index;                /* SP-131: multi-port LUNs have slots below it */
    int last_lun_index[SPIPE__PORTS_MAX]; /* single-port LUNs of a port have slots above it */
    struct spipe__slot_set multi_free, single_free[SPIPE__PORTS_MAX]; /* */

    struct spipe_ctx *contexts[SPIPE__CONTEXTS]; /* healthy ones, by context handle */
    uint64_t starting[SPIPE__CONTEXTS / 64];     /* numbers that are going to be theirs */
    struct spipe_ctx *all, *all_last;            /* every one that has memory, the oldest first */
    struct spipe__file *files;                   /* core/context/adapter_file.h, the newest first */
    struct spipe__held *orphans;                 /* core/vlun/quarantine.h */
    uint32_t cookies;                            /* upper half of the last context_id (SP-29) */
    unsigned clients;

    struct spipe__worker worker;
    struct spipe__listening listening;
    struct spipe__recovery recovery;
    struct spipe__event_log events;
    struct spipe__eeh eeh;
};

/** How often the AFU has been initialised. Any thread. */
static inline uint64_t spipe__generation(const struct spipe *s)
{
    return __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
}

/** What LXT arrays of this adapter have in common. */
static inline struct spipe__lxt_home spipe__lxt_home_of(struct spipe *s)
{
    return (struct spipe__lxt_home){.exec = s->exec, .dev = s->dev, .order = s->order};
}

/** Ports that have LUNs: internal ones are behind port 0 (AD-201). */
static inline unsigned spipe__lun_ports(const struct spipe *s)
{
    return s->internal_lun ? 1 : s->ports;
}

/* ---- the books ---- */

static inline void spipe__books_lock(struct spipe *s)
{
    exec_mutex_lock(s->exec, &s->group->books);
}

/** For whoever works in pieces of SPIPE__STEPS_AT_ONCE: lets others in before the next one. */
static inline void spipe__books_lock_behind(struct spipe *s)
{
    exec_mutex_lock_behind(s->exec, &s->group->books);
}

static inline void spipe__books_unlock(struct spipe *s)
{
    exec_mutex_unlock(s->exec, &s->group->books);
}

/* ---- locks.c ---- */

/** Sets up the gate, the locks that are not of the group, and what is guarded by the lock of the
 * gate. */
void spipe__locks_init(struct spipe *s);
void spipe__locks_fini(struct spipe *s);

/** The hardware queue of internal commands, task management and asynchronous events (AD-60). */
static inline struct spipe__hwq *spipe__primary(struct spipe *s)
{
    return &s->hwq[SPIPE__HWQ_PRIMARY];
}

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
 * with hwqs_wanted hardware queues, which have memory. No context is open.
 *
 * @param s    adapter; on success the queues are online and generation is one more
 * @param why  receives a sentence on failure
 * @return     0; -EINVAL for a back-level AFU, -ENODEV, -EIO, or what the HAL says. On failure
 * every step is undone in reverse order (AD-49j, D-9)
 *
 * Blocks for seconds when ports get their names. The state is RESET, which keeps everybody else
 * from the master.
 */
HAL_MUST_CHECK int spipe__bring_up(struct spipe *s, struct spipe__why why);

/** Ends the hardware queues (AD-50..AD-54); the adapter is down afterwards: master is NULL. No user
 * context may be open any more. The state is not NORMAL, so that internal commands come to
 * an end, which it waits for (AD-52); others end with -EAGAIN. Harmless if the adapter is down
 * already.
 */
void spipe__take_down(struct spipe *s);

/* ---- hwqs.c ---- */

/** Gives the first `n` hardware queues memory that have none. What was given stays until the
 * adapter is closed. The state is RESET. Returns 0 or -ENOMEM. */
HAL_MUST_CHECK int spipe__hwqs_make(struct spipe *s, unsigned n);

/* ---- hwq_steer.c ---- */

/** The queue that a SCSI command takes (AD-61), while the state is NORMAL or RESET.
 *
 * @param queue  what the command says in mode TAG
 * @param cpu    what it says in mode CPU
 */
struct spipe__hwq *spipe__hwqs_steer(struct spipe *s, unsigned queue, unsigned cpu);

/* ---- afu_command.c ---- */

/**
 * Sends one AFU command on the primary queue and waits, with the repetition of AD-122..AD-124;
 * blocks up to 20 s. The caller holds `internal`.
 *
 * @param s        adapter
 * @param command  what to send; data, if any, is in registered memory that stays until the AFU has
 *                 been initialised again, since after -ETIMEDOUT it may still be reached
 * @param answer   receives the IOASA if the result is 0
 * @return         0 only if the AFU said so; SPIPE__AFU_COMMAND_SKIPPED if the state is not NORMAL:
 *                 nothing was sent (AD-121, D-10); -EIO if the AFU answered with an error; -ENOBUFS
 *                 if it had no room for the command; -EAGAIN if it was aborted twice; -ETIMEDOUT if
 * it did not answer twice or is gone: then a reset is asked for
 */
#define SPIPE__AFU_COMMAND_SKIPPED 1

HAL_MUST_CHECK int spipe__afu_command(struct spipe *s, const struct spipe__command *command,
                                      struct afu_ioasa *answer);

/**
 * For requests of the host: runs send(s, arg), which sends one AFU command, with `internal` held,
 * and once more after a reset if nothing was sent because of that (D-10, R-37). The caller is
 * inside the gate, has seen the state NORMAL there, and holds no lock; while it waits for the reset
 * it is outside.
 *
 * @return  what `send` returns; -ENODEV if the adapter failed, -EINTR if the wait was interrupted
 */
HAL_MUST_CHECK int spipe__afu_command_request(struct spipe *s,
                                              int (*send)(struct spipe *s, void *arg), void *arg);

/* ---- afu_sync.c ---- */

/**
 * AFU sync of (context, handle) (VL-67, AD-120..AD-126). Takes `internal`; blocks up to 20 s.
 *
 * @param s        adapter
 * @param mode     enum afu_sync_mode
 * @param context  context handle; 0 with AFU_SYNC_GSYNC
 * @param handle   resource handle; 0 with AFU_SYNC_GSYNC
 * @return         0 only if the AFU said so (VL-72); SPIPE__SYNC_SKIPPED, which is a success for
 *                 the request, if the state is not NORMAL: what was withdrawn waits for the AFU to
 *                 be initialised (SP-162, SP-163); -EIO if it answered with an error; -ENOBUFS if
 *                 it had no room for the command; -EAGAIN if it was aborted twice; -ETIMEDOUT if it
 * did not answer twice or is gone: then a reset is asked for. After any failure the AFU may
 * still use old translations (VL-73)
 */
#define SPIPE__SYNC_SKIPPED 1

HAL_MUST_CHECK int spipe__afu_sync(struct spipe *s, uint8_t mode, uint16_t context,
                                   uint32_t handle);

/* ---- scsi.c ---- */

/**
 * Sends one CDB by port and LUN id through the SCSI host, data in s->scratch. The caller holds
 * `scsi`, which keeps scratch its own until it has looked at the data.
 *
 * @param s        adapter
 * @param port     0 .. ports - 1
 * @param lun_id   64-bit LUN id (SL 23.9)
 * @param cdb      command
 * @param write    scratch goes to the device; otherwise it is zeroed first and then filled
 * @param length   bytes of data, at most SPIPE__SCRATCH_SIZE; 0 = no data
 * @param out      receives the answer
 * @return         0 when the command was answered, well or not; -ETIMEDOUT after 30 s and a context
 *                 reset; -EAGAIN if it was aborted with others; -EBUSY if the host took it not in
 *                 that time; -EIO if the queue is stuck or the data could not be reached; -ENODEV
 * if the adapter is gone or not NORMAL
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

/**
 * Writes data that the caller has put into s->scratch, with the same repetitions.
 *
 * @return  0 when the device has written it; else as spipe__scsi_read()
 */
HAL_MUST_CHECK int spipe__scsi_write(struct spipe *s, unsigned port, uint64_t lun_id,
                                     const struct spipe__cdb *cdb, uint32_t length);

/**
 * Makes what was written durable, by a command without data (SYNCHRONIZE CACHE), with the same
 * repetitions. A device that does not know the command has no volatile cache.
 *
 * @return  0 when it is durable; else as spipe__scsi_read()
 */
HAL_MUST_CHECK int spipe__scsi_flush(struct spipe *s, unsigned port, uint64_t lun_id,
                                     const struct spipe__cdb *cdb);

/* ---- lun_discovery.c ---- */

/**
 * Finds the LUNs: REPORT LUNS on every port, INQUIRY page 0x83 and READ CAPACITY(16) of each LUN,
 * unified by WWID (SP-124). LUNs known already stay and keep their numbers; their capacity is what
 * the device says now, as by spipe__lun_set_capacity(). What cannot be used (no NAA-6 name, block
 * length 0, SP-105; for a LUN in use another block size, id or port) is counted in luns_skipped; a
 * port without a target has no LUNs. Unless luns_disabled is set, LUNs are enabled on ports on
 * which they are found for the first time.
 *
 * A LUN that is found for the first time and carries names gets its allocator at once; one that
 * cannot keep its names stays disabled, and is counted in luns_unfit.
 *
 * @param s    adapter, in state NORMAL; takes `discovery`, and others in turn
 * @param why  receives a sentence on failure
 * @return     0; -ENODEV if the adapter is gone, -EIO if its master is stuck, -ETIMEDOUT if it
 *             answered nothing on any port, -ENOMEM: those found before are known
 */
HAL_MUST_CHECK int spipe__discover_luns(struct spipe *s, struct spipe__why why);

/* ---- lun_manage.c ---- */

/**
 * Enables a LUN on a port: MANAGE_LUN with ENABLE (SP-118, SP-128). The caller holds `books`.
 *
 * @param port  one behind which the LUN was found
 * @return      0, also if it is enabled there already; -EINVAL for another port; -EBUSY if the LUN
 *              has a LUN-table slot that the port does not know, or cannot keep its names
 */
HAL_MUST_CHECK int spipe__lun_enable(struct spipe *s, struct spipe__lun *lun, unsigned port);

/** Disables it there: MANAGE_LUN with DISABLE (SP-120, SP-127). 0, also if it is not enabled;
 * -EBUSY while the LUN has a mode, after one more try of what is quarantined, or any context
 * has it attached. The caller is inside the gate and holds no lock. */
HAL_MUST_CHECK int spipe__lun_disable(struct spipe *s, struct spipe__lun *lun, unsigned port);

/* ---- lun_table.c ---- */

/** Empties the bookkeeping of slots (SP-131). Registers are not touched. */
void spipe__lun_table_init(struct spipe *s);

/**
 * Gives a LUN its slot and writes it into the tables of its ports (SP-130..SP-134, SP-137, R-35,
 * AD-190..AD-192); when it is done the AFU has them (INV-8). Nothing happens if it has one. The
 * caller holds `books`.
 *
 * @return  0; -ENOSPC if no slot is left; -EIO if the LUN has no port or one the card has not
 */
HAL_MUST_CHECK int spipe__lun_table_assign(struct spipe *s, struct spipe__lun *lun);

/** Takes the slot back (SP-135). The AFU must not know an LXT entry with this index any more: after
 * an HW sync or an AFU init. The caller holds `books`. */
void spipe__lun_table_release(struct spipe *s, struct spipe__lun *lun);

/** Rewrites all slots after an AFU init (AD-193, SP-136). Takes the books. */
void spipe__lun_table_restore(struct spipe *s);

#endif
