/* SPDX-License-Identifier: Apache-2.0 */
/* The device contract: what core needs from a CAPI Flash adapter, whichever it is: the card
 * through libcxl, the simulator in this process, or a filter stacked on either.
 *
 * A back end fills struct hal_ops (no slot is NULL; hal_nosys.h fills the rest) and embeds
 * struct hal_dev and struct hal_ctx as first members of its own objects. Callers use only the
 * wrappers below: they check states and arguments, so that each back end is held to the same
 * contract and a breach is found on any machine.
 *
 * Errors are negative errno of a closed set: EINVAL, ENOMEM, EACCES, EBUSY, EIO, ENODEV,
 * ENOSPC, ENXIO, ENOSYS, ETIMEDOUT, EINTR. */
#ifndef HAL_HAL_H
#define HAL_HAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/support/must_check.h"

/** What a load of a dead register gives (SL 1). Not an error code: the caller decides. */
#define HAL_ALL_ONES UINT64_MAX

/** Size of the window that a user context may reach; masters reach the whole map (SL 1). */
#define HAL_USER_WINDOW UINT64_C(0x10000)

enum hal_ctx_kind {
    HAL_CTX_MASTER, /* reaches the whole register map; owns tables of other contexts */
    HAL_CTX_USER,   /* reaches its own 64 KiB window only */
};

enum hal_event_kind {
    HAL_EVENT_NONE,          /* nothing happened before the deadline */
    HAL_EVENT_AFU_INTERRUPT, /* number = LISN 1..3 */
    HAL_EVENT_DATA_STORAGE,  /* the AFU touched an address it may not: address, dsisr */
    HAL_EVENT_DEVICE_LOST,   /* the context is dead: reset, freeze or removal of the adapter */
};

/** One event of a context (AD-227). */
struct hal_event {
    enum hal_event_kind kind;
    uint32_t number;  /* LISN of an AFU interrupt */
    uint64_t address; /* effective address of a data-storage event */
    uint64_t dsisr;
};

/** What core tells traces, fault sites and checkers. Costs nothing on the card. */
enum hal_note {
    HAL_NOTE_REQUEST_BEGIN, /* a = request number, b = context number */
    HAL_NOTE_REQUEST_END,   /* a = request number, b = result (negative errno as uint64_t) */
    HAL_NOTE_STATE,         /* a = state machine, b = new state */
};

/** What the platform says about the slot of the adapter (AD section 13, CX section 8). Those that
 * want an answer are followed by nothing before they have got it. */
enum hal_platform_event {
    HAL_PLATFORM_NONE,              /* nothing happened before the deadline */
    HAL_PLATFORM_FROZEN,            /* the slot was stopped: loads give ones, all else is lost.
                                       Answer NEED_RESET or DISCONNECT */
    HAL_PLATFORM_SLOT_RESET,        /* the slot was reset, for NEED_RESET: the AFU is as after
                                       power-on. Answer RECOVERED or DISCONNECT */
    HAL_PLATFORM_RESUMED,           /* recovery is over, for RECOVERED. No answer */
    HAL_PLATFORM_PERMANENT_FAILURE, /* there will be no recovery, and no other event. Answer
                                       DISCONNECT */
    HAL_PLATFORM_REMOVED,           /* the card was pulled; there is no other event. No answer */
    HAL_PLATFORM_OTHER,             /* an error that did not stop the slot. As FROZEN */
};

enum hal_platform_answer {
    HAL_PLATFORM_NEED_RESET,
    HAL_PLATFORM_RECOVERED,
    HAL_PLATFORM_DISCONNECT, /* give the adapter up: PERMANENT_FAILURE follows */
};

struct hal_dev;
struct hal_ctx;

/** The operations of a back end. Contract and errors stand at the wrappers. */
struct hal_ops {
    const char *name;
    void (*close)(struct hal_dev *);

    int (*afu_reset)(struct hal_dev *);
    int (*reload_same_image)(struct hal_dev *, bool same);
    int (*vpd_read)(struct hal_dev *, void *buf, size_t size, size_t *length);
    int (*platform_wait)(struct hal_dev *, uint64_t deadline, enum hal_platform_event *out);
    void (*platform_answer)(struct hal_dev *, enum hal_platform_answer);

    int (*ctx_create)(struct hal_dev *, enum hal_ctx_kind, struct hal_ctx **out);
    int (*ctx_start)(struct hal_ctx *, unsigned interrupts);
    int (*ctx_stop)(struct hal_ctx *);
    void (*ctx_lose)(struct hal_ctx *);
    void (*ctx_release)(struct hal_ctx *);

    uint64_t (*reg_read64)(struct hal_ctx *, uint64_t offset);
    void (*reg_write64)(struct hal_ctx *, uint64_t offset, uint64_t value);
    int (*event_wait)(struct hal_ctx *, uint64_t deadline, struct hal_event *out);

    void (*progress)(struct hal_ctx *);
    int (*mem_register)(struct hal_dev *, void *addr, size_t size, const char *name);
    void (*mem_release)(struct hal_dev *, void *addr);
    void (*table_store)(struct hal_dev *, void *addr, uint64_t value);
    void (*publish)(struct hal_dev *);
    void (*note)(struct hal_dev *, enum hal_note, uint64_t a, uint64_t b);
};

/** Base of a back end's device. */
struct hal_dev {
    const struct hal_ops *ops;
    _Atomic unsigned open_contexts; /* kept by the wrappers; clients open contexts at once */
    enum hal_platform_event asked;  /* that waits for an answer, else NONE; kept by the wrappers */
    uint16_t card; /* PCI device number (SL 0.3), 0 = not known; set by the back end */
};

/** Base of a back end's context. */
struct hal_ctx {
    const struct hal_ops *ops;
    struct hal_dev *dev;
    enum hal_ctx_kind kind;
    bool started;
    bool lost; /* hal_ctx_lose() */
    /* Context handle = process element number (CX-39). The back end sets it in ctx_create; it stays
     * as long as the object. Nobody else has it until the context is stopped, lost or released. */
    uint16_t handle;
};

/** Ties ops to a new device; every slot must be filled. For back ends. */
void hal_dev_init(struct hal_dev *dev, const struct hal_ops *ops);

/** Closes the device. No context may be open any more. */
void hal_close(struct hal_dev *dev);

/** Resets the AFU to its power-on register state (AD-225). Returns 0, -EBUSY while any context is
 * open, -ENODEV, -EIO, -EACCES. Blocks for the duration of the reset. */
HAL_MUST_CHECK int hal_afu_reset(struct hal_dev *dev);

/** Tells the platform whether a PERST reloads the same image (AD-30). Returns 0, -ENODEV, -EIO,
 * -EACCES, -ENOSYS (it cannot be told). */
HAL_MUST_CHECK int hal_reload_same_image(struct hal_dev *dev, bool same);

/** Reads the vital product data of the adapter into buf (AD-226). *length is what is there, at
 * most size. Returns 0, -ENODEV, -EIO, -EACCES. */
HAL_MUST_CHECK int hal_vpd_read(struct hal_dev *dev, void *buf, size_t size, size_t *length);

/**
 * Waits for the next event of the platform until `deadline` (ns of the execution contract's clock;
 * 0 = only look). For one thread of the device, which answers what it gets before it waits again.
 *
 * A card derives FROZEN from accesses that give all ones and event waits that fail, SLOT_RESET from
 * device nodes that are there again, and PERMANENT_FAILURE from those that do not come back (CX
 * section 8); RESUMED follows the answer at once there.
 *
 * @param out  receives the event; NONE when the deadline passed
 * @return     0; -EINTR: the thread was interrupted, no event is lost; -ENOSYS: this back end has
 * no platform events, and never will
 */
HAL_MUST_CHECK int hal_platform_wait(struct hal_dev *dev, uint64_t deadline,
                                     enum hal_platform_event *out);

/** Answers the event that was read last, with an answer that it allows. What comes of it the next
 * event tells; an answer that is out of date, because the adapter was given up meanwhile, has no
 * effect. Does not block. */
void hal_platform_answer(struct hal_dev *dev, enum hal_platform_answer answer);

/** Creates a context that is not started, with its handle: no other context of the device has that
 * until this one is stopped, lost or released. Owned by the caller until hal_ctx_release.
 * Returns 0, -ENODEV (also when no process element is left, SP-43), -ENOMEM, -EACCES. */
HAL_MUST_CHECK int hal_ctx_create(struct hal_dev *dev, enum hal_ctx_kind kind,
                                  struct hal_ctx **out);

/** Starts a context with `interrupts` interrupts, LISN 1..n. From here registers can be reached.
 * Returns 0, -EINVAL (count outside the AFU's limits), -ENOSPC (no interrupts left), -EIO,
 * -EBUSY. */
HAL_MUST_CHECK int hal_ctx_start(struct hal_ctx *ctx, unsigned interrupts);

/** Stops a started context: nothing of it is running in the AFU afterwards. On a card it is closed,
 * so its number may be another's at once, before it is released. Another thread may be inside
 * hal_event_wait() of it, and nowhere else: that wait ends at once with DEVICE_LOST. */
HAL_MUST_CHECK int hal_ctx_stop(struct hal_ctx *ctx);

/** Ends a started context for the device, as the loss of the device would, but keeps the object:
 * from here on loads give HAL_ALL_ONES, stores are dropped, and waits for events end at once with
 * DEVICE_LOST, those that are under way too. For whoever must take the hardware away from a thread
 * that may be using the context at this moment; nothing of it is running in the AFU afterwards, and
 * hal_afu_reset() does not count it as open. It is still to be released. */
void hal_ctx_lose(struct hal_ctx *ctx);

/** Frees a context, stopping it first if need be. No thread uses it any more. NULL is ignored. */
void hal_ctx_release(struct hal_ctx *ctx);

/** Loads a 64-bit register as a number. `offset` is a multiple of 8, in the whole map for a master
 * and in the own window for a user (SL 1). A dead device gives HAL_ALL_ONES. */
uint64_t hal_reg_read64(struct hal_ctx *ctx, uint64_t offset);

/** Stores a register. Earlier stores to memory are visible to the AFU before it sees this one;
 * that is what makes a doorbell. A dead device drops it. */
void hal_reg_write64(struct hal_ctx *ctx, uint64_t offset, uint64_t value);

/** Waits for the next event of a context until `deadline` (ns of the execution contract's clock;
 * 0 = only look). Returns 0 with out->kind set (NONE when the deadline passed), -EIO with kind
 * DEVICE_LOST, -EINTR. One thread per context at a time.
 *
 * The end of the context ends the wait, whatever the deadline: at once when another thread calls
 * hal_ctx_stop() or hal_ctx_lose(); when the slot freezes, or the card fails for good or is pulled,
 * as soon as the platform notices, and before hal_platform_wait() tells of it. Events that
 * were there and not read may be gone. Every further wait returns DEVICE_LOST without waiting. */
HAL_MUST_CHECK int hal_event_wait(struct hal_ctx *ctx, uint64_t deadline, struct hal_event *out);

/** Called by every empty poll of ctx: nothing on the card; in the model one slice of the engine
 * and a scheduling point, without which a spinning poller would never let the model advance. */
void hal_progress(struct hal_ctx *ctx);

/** Declares memory that the AFU may reach: locked on the card, a named region in the model (traces
 * and decisions name addresses as region and offset). `name` is copied. addr must be aligned to
 * 128 bytes. Returns 0, -EINVAL (overlap), -ENOMEM. */
HAL_MUST_CHECK int hal_mem_register(struct hal_dev *dev, void *addr, size_t size, const char *name);

/** Withdraws what hal_mem_register declared; addr must be its start. */
void hal_mem_release(struct hal_dev *dev, void *addr);

/** Stores 8 aligned bytes (`value` as a host number) into a table that the AFU reads: RHT, LXT.
 * The AFU may see stores between two publishes in any order (design 3, INV-14). */
void hal_table_store(struct hal_dev *dev, uint64_t *addr, uint64_t value);

/** Barrier: table stores before it become visible before those after it. */
void hal_publish(struct hal_dev *dev);

/** Announces something to traces and checkers. */
void hal_note(struct hal_dev *dev, enum hal_note what, uint64_t a, uint64_t b);

#endif
