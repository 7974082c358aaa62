/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong on a queue pair, as events. The queue itself only counts, so that a command costs
 * nothing more; whoever has the queue reports now and then. Shared inside core only. */
#ifndef CORE_QUEUE_REPORT_H
#define CORE_QUEUE_REPORT_H

#include <stdint.h>

#include "core/command/queue.h"

struct spipe;

/**
 * Raises events for what a queue has counted and nobody was told of.
 *
 * @param s        adapter
 * @param context  number, as the AFU knows it
 * @param q        queue, which the caller has for itself
 * @param told     what was reported before; becomes what the queue has counted
 */
void spipe__queue_report(struct spipe *s, uint16_t context, const struct spipe__queue *q,
                         struct spipe__queue_counters *told);

#endif
