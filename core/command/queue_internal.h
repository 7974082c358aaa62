/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of the queue share: queue.c (life, submission) and queue_events.c (what goes
 * wrong). */
#ifndef CORE_QUEUE_INTERNAL_H
#define CORE_QUEUE_INTERNAL_H

#include "core/command/queue.h"

/* Added to any clock it does not overflow. */
#define SPIPE__QUEUE_NO_TIMEOUT (EXEC_FOREVER / 2)

/** Offset of a register of the context's host page: masters reach all pages, users only their own.
 */
static inline uint64_t spipe__queue_register(const struct spipe__queue *q, uint64_t reg)
{
    return q->ctx->kind == HAL_CTX_MASTER ? AFU_HOST_BASE(q->ctx->handle) + reg : reg;
}

/** Loads a register of the context's host page. */
static inline uint64_t spipe__queue_read(struct spipe__queue *q, uint64_t reg)
{
    return hal_reg_read64(q->ctx, spipe__queue_register(q, reg));
}

/** Stores one. */
static inline void spipe__queue_write(struct spipe__queue *q, uint64_t reg, uint64_t value)
{
    hal_reg_write64(q->ctx, spipe__queue_register(q, reg), value);
}

/** What is known about credits at the start and after a context reset. In SQ mode there is always
 * room: see queue.h. */
static inline int64_t spipe__queue_initial_room(const struct spipe__queue *q)
{
    return spipe__queue_is_sq(q) ? INT64_MAX : 0;
}

/** All ones came from where they never are: the adapter is gone if endian_ctrl, which has only two
 * legal values, says so too. Sets q->gone. */
void spipe__queue_confirm_gone(struct spipe__queue *q);

#endif
