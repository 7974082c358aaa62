/* SPDX-License-Identifier: Apache-2.0 */
/* The data path: spipe_submit, spipe_poll, spipe_wait. What a single command costs is counted in
 * instructions (PB-20): no lock, no allocation, no system call, one clock reading a batch, and
 * everything that one I/O needs in the first lines of struct spipe_ctx and of its queue. */
#include <errno.h>

#include "core/command/error_decode.h"
#include "core/context/context.h"
#include "core/context/io_status.h"
#include "core/mutants.h"
#include "hal/support/hot.h"

/* ---- submission ---- */

/* log2 of the block size behind a handle, 0 for a handle that is not open. */
static inline unsigned shift_of(const struct spipe_ctx *ctx, uint32_t handle)
{
    return handle < SPIPE__RHT_SIZE ? __atomic_load_n(&ctx->block_shift[handle], __ATOMIC_RELAXED)
                                    : 0;
}

/* 1 block .. 16 MiB. */
static inline bool valid(const struct spipe_io *io, unsigned shift)
{
    return shift && io->blocks - 1 < AFU_TRANSFER_MAX >> shift;
}

/* Why nothing at all was taken. */
static __attribute__((noinline, cold)) int refused(const struct spipe_ctx *ctx,
                                                   const struct spipe_io *io)
{
    if (!valid(io, shift_of(ctx, io->handle)))
        return -EINVAL;
    return ctx->queue.gone ? -ENODEV : 0; /* a refill may just have found out */
}

HAL_HOT int spipe_submit(struct spipe_ctx *ctx, const struct spipe_io *ios, unsigned n)
{
    struct spipe__queue *q = &ctx->queue;
    const struct spipe_io *io = ios, *end = ios + n;
    uint64_t now;

    if (n == 0)
        return 0;
    if (__builtin_expect(q->gone, 0))
        return -ENODEV;
    now = exec_now(q->exec);
    for (; io < end; io++) {
        unsigned shift = shift_of(ctx, io->handle);
        uint32_t slot;

        if (!valid(io, shift) || !spipe__queue_room(q))
            break;
        slot = spipe__queue_take(q);
        if (slot == SPIPE__SLOT_NONE || (spipe__mutant(D_1) && q->free_head == q->free_tail))
            break;
        spipe__queue_fill_io(q, slot, io->op == SPIPE_WRITE, io->handle, io->lba, io->blocks,
                             io->buffer, io->blocks << shift);
        spipe__queue_send(q, slot, io->tag, now);
    }
    if (io == ios)
        return refused(ctx, io);
    ctx->in_flight += (unsigned)(io - ios);
    return (int)(io - ios);
}

/* ---- completion ---- */

/* Everything but a plain success. */
static __attribute__((noinline)) void describe(const struct spipe__queue *q, uint32_t slot,
                                               struct spipe_completion *out)
{
    struct spipe__scsi_result r;
    struct spipe__sense sense = {0};

    spipe__result_read(q->order, spipe__queue_ioasa(q, slot), &r);
    out->status = spipe__io_status(&r).status;
    /* The table calls it good if only some data is missing. For whoever asked for whole blocks, and
     * looks at the status only, it is not. */
    if (out->status == 0 && r.flags & AFU_RC_FLAG_UNDERRUN)
        out->status = -EIO;
    out->residual = r.residual;
    out->flags = r.flags;
    out->afu_rc = r.afu_rc;
    out->scsi_rc = r.scsi_rc;
    out->fc_rc = r.fc_rc;
    out->afu_extra = r.afu_extra;
    if (spipe__sense_decode(&r, &sense)) {
        out->sense_key = sense.key;
        out->asc = sense.asc;
        out->ascq = sense.ascq;
    }
}

HAL_HOT unsigned spipe_poll(struct spipe_ctx *ctx, struct spipe_completion *out, unsigned max)
{
    struct spipe__queue *q = &ctx->queue;
    unsigned n;

    for (n = 0; n < max; n++) {
        bool lost;
        int status;
        uint32_t slot = spipe__queue_next(q, &lost, &status);

        if (slot == SPIPE__SLOT_NONE)
            break;
        out[n] = (struct spipe_completion){.tag = spipe__queue_tag(q, slot), .status = status};
        if (__builtin_expect(lost, 0))
            continue;
        if (__builtin_expect(!afu_rc_good(&spipe__queue_ioasa(q, slot)->rc), 0))
            describe(q, slot, &out[n]);
        spipe__queue_done(q, slot);
    }
    if (n == 0)
        spipe__queue_idle(q);
    ctx->in_flight -= n;
    return n;
}

unsigned spipe_in_flight(const struct spipe_ctx *ctx) { return ctx->in_flight; }

/* ---- waiting ---- */

/* Waits once. 1: look again. */
static int wait_once(struct spipe__queue *q, uint64_t deadline)
{
    uint64_t oldest = spipe__queue_deadline(q);
    uint64_t until = oldest < deadline ? oldest : deadline;
    struct hal_event event;
    int rc = hal_event_wait(q->ctx, until, &event);

    spipe__queue_event(q, &event);
    if (rc)
        return rc;
    if (event.kind != HAL_EVENT_NONE)
        return 1;
    if (oldest > deadline)
        return -ETIMEDOUT;
    spipe__queue_check(q, exec_now(q->exec)); /* somebody's time is up */
    return 1;
}

int spipe_wait(struct spipe_ctx *ctx, uint64_t deadline)
{
    struct spipe__queue *q = &ctx->queue;
    int rc = 1;

    if (!q->config.interrupts)
        return -EINVAL;
    /* An element whose interrupt a poll has consumed already must not be slept upon. */
    while (rc > 0 && !spipe__queue_pending(q)) {
        if (q->gone)
            return -EIO;
        rc = wait_once(q, deadline);
    }
    return rc > 0 ? 0 : rc;
}
