/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the hardware queues a SCSI command takes (AD-61). */
#include <errno.h>

#include "core/adapter/adapter.h"

unsigned spipe_hwqs_get(struct spipe *s) { return __atomic_load_n(&s->hwqs, __ATOMIC_RELAXED); }

static uint64_t wanted(struct spipe *s, unsigned queue, unsigned cpu)
{
    switch (spipe_hwq_mode_get(s)) {
    case SPIPE_HWQ_TAG:
        return queue;
    case SPIPE_HWQ_CPU:
        return cpu;
    default:
        return __atomic_fetch_add(&s->hwq_turn, 1, __ATOMIC_RELAXED);
    }
}

/* The number may change at any time; a queue that is no more takes no commands. */
struct spipe__hwq *spipe__hwqs_steer(struct spipe *s, unsigned queue, unsigned cpu)
{
    unsigned n = spipe_hwqs_get(s);

    return n > 1 ? &s->hwq[wanted(s, queue, cpu) % n] : spipe__primary(s);
}

int spipe_hwq_mode_set(struct spipe *s, enum spipe_hwq_mode mode)
{
    if ((unsigned)mode >= SPIPE_HWQ_MODES)
        return -EINVAL;
    __atomic_store_n(&s->hwq_mode, mode, __ATOMIC_RELAXED);
    return 0;
}

enum spipe_hwq_mode spipe_hwq_mode_get(struct spipe *s)
{
    return (enum spipe_hwq_mode)__atomic_load_n(&s->hwq_mode, __ATOMIC_RELAXED);
}
