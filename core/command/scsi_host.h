/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter as a SCSI host: commands to LUNs by port and id, spread over the hardware queues, and
 * what the error handling of a SCSI stack asks of its host (AD sections 5 and 10). Shared inside
 * core only; the public face is spipe_scsi() and its neighbours, core/command/scsi_call.c.
 *
 * A host never waits in a submit, arms no time-outs and repeats nothing (AD-70, AD-73, AD-157):
 * that is its callers' to do. It does not pass the gate: a reset of the adapter ends commands in
 * flight with DID_IMM_RETRY instead of waiting for them.
 *
 * Thread rules: any thread, many at once. */
#ifndef CORE_SCSI_HOST_H
#define CORE_SCSI_HOST_H

#include "core/command/error_decode.h"
#include "core/command/hwq.h"
#include "core/command/scsi_cdb.h"

enum { SPIPE__HOST_DEPTH = 256 }; /* commands in flight, AD-11, AD-72 */

/** Guarded by its lock. */
struct spipe__scsi_host {
    struct exec_mutex lock;
    struct exec_cond changed; /* tmf_active */
    bool tmf_active;          /* a task management function is under way (AD-110) */
    unsigned in_flight;
    unsigned depth; /* that in_flight may have */
};

/** One command, in memory of its owner. */
struct spipe__scsi_request {
    /* what to do: set before spipe__host_submit() */
    struct spipe__cdb cdb;
    uint64_t lun_id;     /* 64-bit LUN id (SL 23.9) */
    uint64_t data_ea;    /* registered memory; 0 = no data */
    uint32_t length;     /* of the data, bytes */
    unsigned port;       /* 0 .. ports - 1 */
    bool write;          /* the data go to the device */
    unsigned queue, cpu; /* for spipe__hwqs_steer() */

    /* what became of it: after spipe__host_wait() returned 0 */
    int status; /* 0: answered, `answer` tells how; else as spipe__hwq_await(), and -ENXIO: not
                   sent, the adapter has failed */
    struct spipe__scsi_result answer;
    struct spipe__decision decision; /* in every case */

    /* the host's */
    struct spipe__hwq *hwq; /* NULL: it is on none */
    struct spipe__sent sent;
};

/** Sets up a host without commands. */
void spipe__scsi_host_init(struct spipe__scsi_host *host, struct exec *exec);

/** Ends it: no command is in flight. */
void spipe__scsi_host_fini(struct spipe__scsi_host *host, struct exec *exec);

/**
 * Sends a command (AD-65..AD-69). What follows is spipe__host_wait() until it returns 0, or
 * spipe__host_give_up(); `r` and its data stay where they are until then.
 *
 * @param s  adapter
 * @param r  what to do
 * @return   0: accepted, with DID_NO_CONNECT at once if the adapter has failed; -EBUSY: not now,
 *           because of a task management function, a reset, the queue depth or the AFU's room;
 *           -ENODEV: the adapter is gone; -EIO: the queue is stuck until a reset that was asked for
 */
HAL_MUST_CHECK int spipe__host_submit(struct spipe *s, struct spipe__scsi_request *r);

/** Waits until `deadline` (ns of the exec clock) for the end of a command. Returns 0: it has ended,
 * see r->status and r->decision; -ETIMEDOUT: it is still in flight. */
HAL_MUST_CHECK int spipe__host_wait(struct spipe *s, struct spipe__scsi_request *r,
                                    uint64_t deadline);

/** Looks once, for whoever polls; the device goes on meanwhile. Returns whether the command has
 * ended: then spipe__host_wait() says so at once. */
HAL_MUST_CHECK bool spipe__host_look(struct spipe__scsi_request *r);

/** The abort handler of a host (AD-114): context reset of the queue that the command in flight is
 * on; everything else on that queue ends with DID_IMM_RETRY. Returns 0: success, spipe__host_wait()
 * says at once what became of it; -EIO: failure, and only a reset of the adapter is certain to end
 * it. Blocks for at most 2 ms. */
HAL_MUST_CHECK int spipe__host_abort(struct spipe *s, struct spipe__scsi_request *r);

/**
 * Ends a command that is in flight for whoever cannot reset the adapter: a context reset in every
 * state, and if that fails the command is dropped.
 *
 * @return  0: it has ended, with status -ETIMEDOUT or the answer that came at the last moment;
 * -EIO: it is dropped, and until the adapter was reset, which is asked for, the AFU may reach its
 * data
 */
HAL_MUST_CHECK int spipe__host_give_up(struct spipe *s, struct spipe__scsi_request *r);

/**
 * The device-reset handler of a host (AD-113): resets a LUN by a task management function (AD-110
 * to AD-112), which ends all commands in flight to it, of all contexts. Waits for a reset of
 * the adapter, for other such functions, and up to 5 s for the answer.
 *
 * @param s       adapter
 * @param port    0 .. ports - 1
 * @param lun_id  64-bit LUN id
 * @return        0: success. Else failure: -ETIMEDOUT, -EAGAIN: aborted by a reset, -EIO: refused,
 * or the adapter has failed, -ENOBUFS: the AFU has no room, -EBUSY: another reset
 *                began, -ENODEV: it is gone, -EINTR:
 *                interrupted while another one was under way
 */
HAL_MUST_CHECK int spipe__host_reset_lun(struct spipe *s, unsigned port, uint64_t lun_id);

#endif
