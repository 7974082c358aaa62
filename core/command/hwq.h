/* SPDX-License-Identifier: Apache-2.0 */
/* One hardware queue of an adapter: a master context with its queue pair, what is in flight on it,
 * and who waits for what (AD-60). Shared inside core only.
 *
 * Many threads may have commands on it. Only one of them at a time can wait for events of the
 * context (hal/hal.h): whoever waits for an answer first takes out of the RRQ everything that is
 * there, for whomever it is, and wakes the owners; if its own answer is not among it, and nobody
 * listens to the context, it does, without the lock; otherwise it sleeps until it is woken. Who
 * leaves makes one of the sleepers the next listener. Nobody sleeps for longer than a quarter of a
 * second without a look of its own, so that a lost interrupt costs time and nothing else. The
 * adapter's worker is one more listener (core/adapter/listen.h).
 *
 * Thread rules: any thread. `lock` guards everything that is not said to be fixed; it is held
 * across a context reset, 2 ms, and hal_progress(), and never while waiting for an event. */
#ifndef CORE_HWQ_H
#define CORE_HWQ_H

#include <stdbool.h>
#include <stdint.h>

#include "core/command/queue.h"
#include "hal/exec.h"
#include "hal/hal.h"
#include "hal/support/must_check.h"

enum {
    SPIPE__HWQS_MAX = 8,   /* AD-60 */
    SPIPE__HWQ_PRIMARY = 0 /* number of the one that has asynchronous events, internal commands and
                              task management (AD-60, AD-63) */
};

struct spipe;

/** A command on its way, in memory of its owner: the thread that sent it and waits for it. */
struct spipe__sent {
    struct exec_cond woken;
    struct spipe__sent *previous, *next; /* among the sleepers of the queue */
    uint32_t slot;
    bool sleeping;
    bool ended;
    int status;              /* once it has ended, as spipe__hwq_await() says */
    struct afu_ioasa answer; /* if status is 0 */
};

/** What happened on a hardware queue, in numbers. Nothing resets them. */
struct spipe__hwq_counters {
    uint64_t commands;   /* sent */
    uint64_t interrupts; /* of the RRQ */
    uint64_t spurious;   /* of those: nothing was there (AD-82) */
    uint64_t polls;      /* rounds of the poll routine that used up their budget (AD-83) */
    uint64_t resets;     /* of the context, that worked */
    uint64_t aborted;    /* commands that ended by a flush (AD-54) */
};

struct spipe__hwq {
    struct spipe *s;
    unsigned number;
    struct exec_mutex lock;
    struct exec_cond quiet; /* nobody listens any more; for who stops the context */
    struct hal_ctx *ctx;    /* written by initialisations only; NULL: there is none */
    struct spipe__queue queue;
    struct spipe__sent *sleepers, *sleepers_last; /* the longest waiting first */
    bool made;                                    /* it has memory; fixed while the AFU is up */
    bool online;                                  /* takes commands and interrupts (AD-52, AD-53) */
    bool listening;                               /* somebody is inside hal_event_wait() */
    bool stuck; /* a context reset failed: no commands until the AFU is initialised again */
    unsigned poll_weight; /* elements at once, 0 = all: no IRQ polling (AD-84) */
    struct spipe__hwq_counters counters;
    struct spipe__queue_counters told; /* of `queue`, as events */
};

/* ---- life ---- */

/** Sets up the lock and what it guards, for a queue without memory. */
void spipe__hwq_prepare(struct spipe__hwq *h, struct spipe *s, unsigned number);

/**
 * Gives it memory, if it has none. It is not online yet.
 *
 * @param h       prepared queue of an adapter whose AFU is down
 * @param config  as for spipe__queue_init()
 * @return        0, -ENOMEM, -EINVAL
 */
HAL_MUST_CHECK int spipe__hwq_make(struct spipe__hwq *h, const struct spipe__queue_config *config);

/** Frees the memory and ends the lock. It is not online. */
void spipe__hwq_fini(struct spipe__hwq *h);

/** Binds the started context h->ctx: RRQ zeroed, all slots free, nothing stuck (AD-44). For
 * initialisations. */
void spipe__hwq_bind(struct spipe__hwq *h);

/** Reads cmd_room (AD-49h). Returns whether the adapter answers. For initialisations. */
HAL_MUST_CHECK bool spipe__hwq_read_credits(struct spipe__hwq *h);

/** From here on it takes commands and interrupts. */
void spipe__hwq_go_online(struct spipe__hwq *h);

/**
 * The opposite: takes no more commands, stops the context, ends everything that is pending with
 * -EAGAIN (AD-52..AD-54), and waits until nobody listens, which the end of the context sees to.
 * Afterwards the context may be released. The caller has called the worker away, or is it.
 *
 * @return  what hal_ctx_stop() says
 */
HAL_MUST_CHECK int spipe__hwq_stop(struct spipe__hwq *h);

/* ---- commands ---- */

/**
 * Sends one command. What follows is spipe__hwq_await(), until it says something other than
 * -ETIMEDOUT, or spipe__hwq_forget(); `sent` stays where it is until then. If nothing is in flight
 * and commands were given up before, their slots are won back by a context reset first.
 *
 * @param h        queue
 * @param command  what to send; data, if any, is in registered memory
 * @param sent     memory for it
 * @return         0; -ENOBUFS: the AFU has no room, or all command pairs are in use (AD-67, AD-69);
 *                 -EBUSY: the queue is not online; -ENODEV: the adapter is gone; -EIO: it is stuck
 */
HAL_MUST_CHECK int spipe__hwq_send(struct spipe__hwq *h, const struct spipe__command *command,
                                   struct spipe__sent *sent);

/**
 * Waits for the end of a command.
 *
 * @param h         its queue
 * @param sent      the command
 * @param deadline  ns of the exec clock
 * @return          0: answered, perhaps with an error in sent->answer; -EAGAIN: aborted by a
 *                  context reset or the end of the context (AD-54); -EIO: the AFU could not reach
 *                  command or data; -ENODEV: the adapter is gone; -ETIMEDOUT: it is still
 *                  in flight
 */
HAL_MUST_CHECK int spipe__hwq_await(struct spipe__hwq *h, struct spipe__sent *sent,
                                    uint64_t deadline);

/** One look for whoever polls instead of waiting: takes what has been answered, for whomever it is,
 * and what events there are, and lets the device go on (hal_progress()). Returns whether the
 * command has ended; then spipe__hwq_await() says at once how. */
HAL_MUST_CHECK bool spipe__hwq_look(struct spipe__hwq *h, struct spipe__sent *sent);

/** Takes a command off the pending list, in flight or not. If it was, the AFU may still work on it
 * until a context reset that works, or the end of the context. */
void spipe__hwq_forget(struct spipe__hwq *h, struct spipe__sent *sent);

/**
 * Sends a command, waits for it, and forgets it when the time is over.
 *
 * @param timeout_ns  how long to wait
 * @param out         receives the IOASA if the result is 0
 * @return            as spipe__hwq_send() and spipe__hwq_await()
 */
HAL_MUST_CHECK int spipe__hwq_run(struct spipe__hwq *h, const struct spipe__command *command,
                                  uint64_t timeout_ns, struct afu_ioasa *out);

/**
 * Context reset (AD-115): what was answered before is delivered, every other pending command ends
 * with -EAGAIN (AD-54, AD-85), and the AFU touches no memory of any of them any more. Blocks for at
 * most 2.047 ms.
 *
 * @return  0; -ETIMEDOUT: nothing of that is certain, the queue is stuck, and a reset of the
 * adapter is asked for; -EBUSY: it is not online
 */
HAL_MUST_CHECK int spipe__hwq_reset(struct spipe__hwq *h);

/** The same only if `sent` has not ended. Returns 0 also if it has. */
HAL_MUST_CHECK int spipe__hwq_abort(struct spipe__hwq *h, const struct spipe__sent *sent);

/* ---- questions and settings ---- */

/** Whether it takes no commands until the AFU has been initialised again. */
bool spipe__hwq_stuck(struct spipe__hwq *h);

/** Commands in flight. */
unsigned spipe__hwq_in_flight(struct spipe__hwq *h);

/** Commands sent so far; any thread, without the lock. */
uint64_t spipe__hwq_commands(const struct spipe__hwq *h);

/** Sets the budget of the poll routine; 0 = no polling (AD-82..AD-84). */
void spipe__hwq_set_poll_weight(struct spipe__hwq *h, unsigned weight);

/** The budget of now. */
unsigned spipe__hwq_poll_weight(struct spipe__hwq *h);

/** What a listener heard. */
struct spipe__heard {
    int rc;     /* of hal_event_wait(), 0 if it did not wait */
    bool async; /* the AFU has asynchronous events */
};

/** Listens once, until `until`, unless somebody does or the queue is not online, and wakes who has
 * got an answer. For the worker. */
struct spipe__heard spipe__hwq_listen(struct spipe__hwq *h, uint64_t until);

#endif
