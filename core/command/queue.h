/* SPDX-License-Identifier: Apache-2.0 */
/* The queue pair of one context: command pairs, submission, the RRQ and host time-outs. Masters and
 * users share it. Shared inside core only.
 *
 * Commands reach the AFU in IOARRIN mode, by a doorbell each and with the room algorithm, or in SQ
 * mode, through a ring of copies (SL 10). The ring has one slot more than there are pairs, so that
 * it can never be full (SL 10.2) and no credits have to be counted (D-1).
 *
 * One I/O costs few instructions (PB-20), so what runs for each of them is inline here and works
 * on a struct whose first lines hold all that it needs: no division, no look-up, no clock, no lock,
 * no allocation. Everything that happens now and then - credits used up, an empty poll, time-outs,
 * faults - is behind a call.
 *
 * Life of a slot: free -> taken -> busy (sent) -> finished (named by spipe__queue_next) -> free.
 * A slot whose command timed out or whose buffer faulted is *lost*: the AFU may still write to it,
 * so nobody uses it until the context has been reset or bound again. Free slots are handed
 * out in the order in which they became free, so that a repeated RRQ element names a slot that is
 * still idle, not a new command (FK-10).
 *
 * Time-outs cost no list: all commands have the same one and the clock does not go back, so that
 * the smallest deadline seen in a scan of the slots is a lower bound for all that are sent later,
 * and the next scan waits for it. Commands that end in time cause one scan per time-out period.
 *
 * Thread rules: one thread at a time. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/command/scsi_cdb.h"
#include "hal/afu_cmd.h"
#include "hal/afu_regs.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/endian.h"

#define SPIPE__SLOT_NONE UINT32_MAX
#define SPIPE__QUEUE_DEPTH_MAX 4096u

/** How a queue is made. */
struct spipe__queue_config {
    enum hal_order order;  /* of IOARCB, IOASA and RRQ (SL 15) */
    unsigned depth;        /* command pairs, 1..SPIPE__QUEUE_DEPTH_MAX */
    unsigned rrq_elements; /* more than depth */
    bool interrupts;       /* msi 2 in every command, else 0 */
    bool sq;               /* memory for SQ mode, which is then on */
    uint16_t afu_timeout; /* time-out field of I/O, seconds, enforced by the AFU; 0 = none */
    uint64_t timeout_ns;  /* host time-out of a command; 0 = none */
    const char *name;     /* of the memory region in traces */
};

/** Book-keeping of one command pair, beside the memory that the AFU reads and writes. */
struct spipe__slot {
    uint64_t deadline; /* ns; 0 unless busy */
    uint32_t next;     /* in the list of failed slots: number + 1, 0 = last */
    int32_t status;    /* why it is lost; 0 = it is not */
    uint64_t tag;
    uint32_t free; /* element of the ring of free slots that stands here: a number. Mostly that of
                      this slot itself, so that a command touches no line for the ring alone */
} __attribute__((aligned(32))); /* so that its address needs one shift */

/** What went wrong on a queue, in numbers. Nothing resets them. */
struct spipe__queue_counters {
    uint64_t stray_elements; /* RRQ elements that named no busy slot (FK-10, FK-11) */
    uint64_t late_elements;  /* those of them that named a lost slot */
    uint64_t timeouts;
    uint64_t faults;         /* data-storage events that ended a command */
    uint64_t unknown_faults; /* those whose address belongs to no command in flight */
    uint64_t sync_errors;    /* bits seen in intr_status, PERM_ERR and TEMP_ERR (SL 2.1, R-45) */
    uint64_t sync_bits;      /* the last of them, as they were there */
    uint64_t sync_spurious;  /* interrupts with none of them (AD-86) */
    uint64_t async_events;   /* interrupts of LISN 3: the owner of a master looks at them */
};

struct spipe__queue {
    /* What every command touches comes first, in two cache lines: with hundreds of contexts each of
     * them comes from memory. Submission: */
    struct hal_ctx *ctx;
    uint64_t doorbell;        /* offset of ioarrin or sq_tail in the window of ctx */
    struct afu_ioarcb *sq_at; /* next slot of the ring; NULL in IOARRIN mode */
    struct afu_cmd_pair *pairs;
    struct spipe__slot *slots; /* with the ring of free ones: free_mask + 1, a power of two */
    uint32_t free_head, free_tail, free_mask;
    uint8_t order; /* enum hal_order */
    bool gone;     /* the context is dead: all ones or a device-lost event */
    uint16_t lost_count;
    int64_t room; /* credits known to be left */
    uint64_t timeout_ns;
    struct exec *exec;

    /* completion */
    const uint64_t *rrq_at, *rrq_last; /* current element, last element */
    uint64_t rrq_base;                 /* what the element of slot 0 is when it is new */
    uint32_t depth;
    uint32_t failed;     /* first of those lost and not yet returned by spipe__queue_next(): its
                            number + 1, 0 = none */
    uint64_t check_at;   /* when an empty poll looks at events and time-outs again, ns */
    uint64_t expires_at; /* no command in flight has an earlier deadline */

    /* now and then */
    uint32_t failed_last; /* last of the failed ones: its number */
    bool sq_on;           /* SQ mode, from the next bind on */
    struct spipe__queue_counters counters;

    /* cold */
    struct spipe__queue_config config;
    struct hal_dev *dev;
    uint64_t *rrq;
    struct afu_ioarcb *sq; /* the ring, NULL without config.sq */
    void *memory;          /* pairs, ring and RRQ, one registered region */
    size_t memory_size;
};

/** One command other than a read or write by resource handle: what stands in its IOARCB (SL 6). */
struct spipe__command {
    uint16_t flags;   /* AFU_REQ_ */
    uint16_t timeout; /* in the unit that flags name */
    uint32_t target;  /* port mask, or resource handle with AFU_REQ_RES_HNDL */
    uint64_t lun_id;
    uint64_t data_ea;
    uint32_t data_length; /* bytes */
    struct spipe__cdb cdb;
};

/* ---- life ---------------------------------------------------------------------------------- */

/**
 * Allocates and registers the memory of a queue. Nothing may be sent before spipe__queue_bind().
 *
 * @param q       queue; untouched on failure
 * @param exec    execution environment, must outlive the queue
 * @param dev     device, must outlive the queue
 * @param config  copied; the name must live as long as the queue
 * @return        0, -ENOMEM, -EINVAL
 */
HAL_MUST_CHECK int spipe__queue_init(struct spipe__queue *q, struct exec *exec, struct hal_dev *dev,
                                     const struct spipe__queue_config *config);

/**
 * Binds a started context and starts from scratch: RRQ zeroed, toggle 1, all slots free, no credits
 * (AD-44); the constant fields of every IOARCB are set here once, so that a command has to fill in
 * only what varies. May be repeated with another context after a reset; what was in flight then is
 * forgotten, so flush first. Registers are not programmed: a user context calls
 * spipe__queue_program(), bring-up of a master has its own order.
 */
void spipe__queue_bind(struct spipe__queue *q, struct hal_ctx *ctx);

/** Turns SQ mode on or off for the next spipe__queue_bind(). Needs config.sq to turn it on. */
void spipe__queue_set_sq(struct spipe__queue *q, bool on);

/** Whether the queue is in SQ mode. */
static inline bool spipe__queue_is_sq(const struct spipe__queue *q) { return q->sq_at != NULL; }

/** For user contexts: programs endian_ctrl, RRQ and ring, the LISN and mask of synchronous errors,
 * and reads cmd_room, through the context's own window. */
void spipe__queue_program(struct spipe__queue *q);

/** Releases the memory. Nothing may be in flight in the AFU (context stopped or reset). */
void spipe__queue_fini(struct spipe__queue *q);

/** Value of rrq_start. */
static inline uint64_t spipe__queue_rrq_start(const struct spipe__queue *q)
{
    return (uint64_t)(uintptr_t)q->rrq;
}

/** Value of rrq_end: address of the last element. */
static inline uint64_t spipe__queue_rrq_end(const struct spipe__queue *q)
{
    return (uint64_t)(uintptr_t)q->rrq_last;
}

/** Value of sq_start; only in SQ mode. */
static inline uint64_t spipe__queue_sq_start(const struct spipe__queue *q)
{
    return (uint64_t)(uintptr_t)q->sq;
}

/** Value of sq_end: address of the last slot. */
static inline uint64_t spipe__queue_sq_end(const struct spipe__queue *q)
{
    return (uint64_t)(uintptr_t)(q->sq + q->depth);
}

/* ---- submission ---------------------------------------------------------------------------- */

/** Takes a free slot, or SPIPE__SLOT_NONE. Fill it with one of the two functions below. */
static inline uint32_t spipe__queue_take(struct spipe__queue *q)
{
    uint32_t slot;

    if (__builtin_expect(q->free_head == q->free_tail, 0))
        return SPIPE__SLOT_NONE;
    slot = q->slots[q->free_head++ & q->free_mask].free;
    if (slot == SPIPE__SLOT_NONE)
        __builtin_unreachable(); /* saves the caller's second test */
    return slot;
}

/* Asks the AFU for credits (AD-67). */
bool spipe__queue_refill(struct spipe__queue *q);

/** Whether one more doorbell is allowed; reads cmd_room when the known credits are used up
 * (AD-67). False: poll and try again; also when the device is gone (q->gone). */
static inline bool spipe__queue_room(struct spipe__queue *q)
{
    return __builtin_expect(q->room > 0, 1) || spipe__queue_refill(q);
}

/**
 * Fills a taken slot with READ(16) or WRITE(16) by resource handle. Only for queues that never send
 * anything else: the other fields are as spipe__queue_bind() left them.
 *
 * @param q       queue
 * @param slot    taken slot
 * @param write   direction
 * @param handle  resource handle
 * @param lba     virtual block
 * @param blocks  number of blocks
 * @param data    buffer
 * @param length  bytes of the buffer
 */
static inline void spipe__queue_fill_io(struct spipe__queue *q, uint32_t slot, bool write,
                                        uint32_t handle, uint64_t lba, uint32_t blocks,
                                        const void *data, uint32_t length)
{
    struct afu_ioarcb *rcb = &q->pairs[slot].ioarcb;
    uint16_t flags = (uint16_t)(AFU_REQ_RES_HNDL | (unsigned)write * AFU_REQ_HOST_WRITE);
    uint64_t ea = (uint64_t)(uintptr_t)data;

    /* One test of the order instead of one for each field. */
    if (__builtin_expect(q->order == HAL_ORDER_HOST, 1)) {
        rcb->req_flags.raw = flags;
        rcb->res_hndl.raw = handle;
        rcb->data_len.raw = length;
        rcb->data_ea.raw = ea;
    } else {
        rcb->req_flags.raw = __builtin_bswap16(flags);
        rcb->res_hndl.raw = __builtin_bswap32(handle);
        rcb->data_len.raw = __builtin_bswap32(length);
        rcb->data_ea.raw = __builtin_bswap64(ea);
    }
    rcb->cdb[0] = (uint8_t)(SPIPE__SCSI_READ_16 +
                            (unsigned)write * (SPIPE__SCSI_WRITE_16 - SPIPE__SCSI_READ_16));
    hal_be64_put(rcb->cdb + 2, lba);
    hal_be32_put(rcb->cdb + 10, blocks);
}

/** Fills a taken slot with any command; every field that spipe__queue_bind() does not fix is set.
 */
void spipe__queue_fill(struct spipe__queue *q, uint32_t slot, const struct spipe__command *command);

/* Copies a command into the ring. Returns the new tail. */
uint64_t spipe__queue_push(struct spipe__queue *q, const struct afu_cmd_pair *pair);

/**
 * Clears ioasc and rings the doorbell, which makes the pair visible first. Needs room.
 *
 * @param q     queue
 * @param slot  taken and filled slot
 * @param tag   returned by spipe__queue_tag()
 * @param now   the clock; one reading serves a batch
 */
static inline void spipe__queue_send(struct spipe__queue *q, uint32_t slot, uint64_t tag,
                                     uint64_t now)
{
    struct afu_cmd_pair *pair = &q->pairs[slot];
    struct spipe__slot *s = &q->slots[slot];
    uint64_t value = (uint64_t)(uintptr_t)pair;

    memset(&pair->ioasa.rc, 0, sizeof pair->ioasa.rc);
    s->tag = tag;
    s->deadline = now + q->timeout_ns;
    q->room--;
    if (__builtin_expect(q->sq_at != NULL, 0))
        value = spipe__queue_push(q, pair);
    hal_reg_write64(q->ctx, q->doorbell, value);
}

/* ---- completion ---------------------------------------------------------------------------- */

/* Counts an RRQ element that names no busy slot; `off` is its distance from rrq_base. */
void spipe__queue_stray(struct spipe__queue *q, uint64_t off);

/* Next lost command. */
uint32_t spipe__queue_next_failed(struct spipe__queue *q, int *status);

/**
 * Next finished slot (AD-80), or SPIPE__SLOT_NONE. RRQ elements that name no busy slot are counted
 * and dropped, never dereferenced (FK-10, FK-11).
 *
 * @param q       queue
 * @param lost    receives false: look at the IOASA, then call spipe__queue_done(); or true: the
 *                command timed out or its buffer faulted, the IOASA means nothing, the slot stays
 *                unused
 * @param status  receives 0, or with *lost -ETIMEDOUT or -EIO
 * @return        slot, or SPIPE__SLOT_NONE: call spipe__queue_idle()
 */
static inline uint32_t spipe__queue_next(struct spipe__queue *q, bool *lost, int *status)
{
    for (;;) {
        const uint64_t *at = q->rrq_at;
        /* The AFU wrote the IOASA and the data before it wrote the element. */
        uint64_t off = hal_swap64(q->order, __atomic_load_n(at, __ATOMIC_ACQUIRE)) - q->rrq_base;
        uint64_t slot;

        if (off & 1) { /* not the expected toggle */
            *lost = __builtin_expect(q->failed != 0, 0);
            return *lost ? spipe__queue_next_failed(q, status) : SPIPE__SLOT_NONE;
        }
        q->rrq_at = at + 1;
        if (__builtin_expect(at == q->rrq_last, 0)) {
            q->rrq_at = q->rrq;
            q->rrq_base ^= 1; /* its address is even: only the toggle changes */
        }
        /* Rotating puts the bits that must be 0 in an aligned address on top. */
        slot = off >> 7 | off << 57;
        if (__builtin_expect(slot < q->depth, 1)) {
            struct spipe__slot *s = &q->slots[slot];
            if (__builtin_expect(s->deadline != 0, 1)) {
                s->deadline = 0;
                *lost = false;
                *status = 0;
                return (uint32_t)slot;
            }
        }
        spipe__queue_stray(q, off);
    }
}

/** Whether spipe__queue_next() has something to look at; a stray element counts as well. Changes
 * nothing. */
static inline bool spipe__queue_pending(const struct spipe__queue *q)
{
    uint64_t element = hal_swap64(q->order, __atomic_load_n(q->rrq_at, __ATOMIC_ACQUIRE));

    return q->failed || !((element - q->rrq_base) & 1);
}

/** The tag of a slot that spipe__queue_next() returned. */
static inline uint64_t spipe__queue_tag(const struct spipe__queue *q, uint32_t slot)
{
    return q->slots[slot].tag;
}

/** The answer in a finished slot. */
static inline const struct afu_ioasa *spipe__queue_ioasa(const struct spipe__queue *q,
                                                         uint32_t slot)
{
    return &q->pairs[slot].ioasa;
}

/** Makes a finished slot free again. */
static inline void spipe__queue_done(struct spipe__queue *q, uint32_t slot)
{
    q->slots[q->free_tail++ & q->free_mask].free = slot;
}

/* ---- now and then -------------------------------------------------------------------------- */

/** Called when spipe__queue_next() found nothing: lets the device advance and, once a millisecond,
 * looks at events and time-outs. */
void spipe__queue_idle(struct spipe__queue *q);

/** Looks at events and time-outs now. */
void spipe__queue_check(struct spipe__queue *q, uint64_t now);

/** Takes note of an event of the context, for whoever waits for events himself: a data-storage
 * event ends the command it belongs to with -EIO, a synchronous error is counted and cleared
 * (R-45, AD-86), a lost device ends all commands with -EIO. */
void spipe__queue_event(struct spipe__queue *q, const struct hal_event *event);

/** Declares a busy slot lost, without reporting it through spipe__queue_next(): its caller gave
 * up waiting. */
void spipe__queue_abandon(struct spipe__queue *q, uint32_t slot);

/** How long a thread may sleep before it must call spipe__queue_check(): not longer than up to the
 * first deadline of a command in flight, EXEC_FOREVER without one. */
uint64_t spipe__queue_deadline(const struct spipe__queue *q);

/** Slots that are taken, in flight, or finished and not yet done; lost ones do not count. */
static inline uint32_t spipe__queue_in_use(const struct spipe__queue *q)
{
    return q->depth - (q->free_tail - q->free_head) - q->lost_count;
}

/**
 * After a context reset: all busy and lost slots become free and the credits unknown; position and
 * toggle of the RRQ stay. Harvest with spipe__queue_next() first: what was posted before the
 * reset is valid, and is dropped here.
 *
 * @param q    queue
 * @param fn   gets the tag of each command that had not been reported; may be NULL
 * @param arg  passed to fn
 */
void spipe__queue_flush(struct spipe__queue *q, void (*fn)(void *arg, uint64_t tag), void *arg);

/**
 * Context reset (AD-115): aborts every command of the context. Blocks up to 2.047 ms. On success
 * harvest and flush.
 *
 * @return  0; -ETIMEDOUT if the AFU did not finish, in which case slots stay as they are
 */
HAL_MUST_CHECK int spipe__queue_reset(struct spipe__queue *q);

#endif
