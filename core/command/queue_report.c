/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/queue_report.h"

#include "core/adapter/adapter.h"

/* One event for all that is new of a kind. */
static void report(struct spipe *s, enum spipe_event_id id, uint16_t context, uint64_t now,
                   uint64_t before)
{
    spipe__event_raise(s, id, now - before, (const uint64_t[SPIPE_EVENT_FIELDS]){context});
}

void spipe__queue_report(struct spipe *s, uint16_t context, const struct spipe__queue *q,
                         struct spipe__queue_counters *told)
{
    const struct spipe__queue_counters *c = &q->counters;

    report(s, SPIPE_EVENT_RRQ_STRAY, context, c->stray_elements, told->stray_elements);
    report(s, SPIPE_EVENT_RRQ_LATE, context, c->late_elements, told->late_elements);
    report(s, SPIPE_EVENT_IO_TIMEOUT, context, c->timeouts, told->timeouts);
    report(s, SPIPE_EVENT_IO_FAULT, context, c->faults, told->faults);
    report(s, SPIPE_EVENT_FAULT_UNKNOWN, context, c->unknown_faults, told->unknown_faults);
    report(s, SPIPE_EVENT_SYNC_SPURIOUS, context, c->sync_spurious, told->sync_spurious);
    spipe__event_times(s, SYNC_ERROR, c->sync_errors - told->sync_errors, context, c->sync_bits);
    *told = *c;
}
