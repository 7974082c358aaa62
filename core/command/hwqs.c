/* SPDX-License-Identifier: Apache-2.0 */
/* The hardware queues of an adapter together: how many, and how they are polled (AD-60..AD-62,
 * AD-202, AD-203). */
#include <errno.h>

#include "core/adapter/adapter.h"
#include "core/adapter/reset.h"
#include "core/adapter/verb.h"
#include "core/mutants.h"
#include "hal/support/bits.h"

_Static_assert(SPIPE_HWQS_MAX == SPIPE__HWQS_MAX, "one limit");

int spipe__hwqs_make(struct spipe *s, unsigned n)
{
    int rc = 0;

    for (unsigned i = 0; i < n && !rc; i++)
        rc = spipe__hwq_make(&s->hwq[i], &s->queue_config);
    return rc;
}

/* ---- how many ---- */

/* AD-203, and never less than one (D-14). */
static unsigned count_of(const struct spipe *s, int n)
{
    uint64_t wanted;

    if (n > 0)
        wanted = (uint64_t)n;
    else if (n == 0)
        wanted = s->cpus;
    else
        wanted = s->cpus / (uint64_t) - (int64_t)n;
    if (!spipe__mutant(D_14))
        wanted = hal_max64(wanted, 1);
    return (unsigned)hal_min64(wanted, SPIPE__HWQS_MAX);
}

/* No request is under way, and the queues are not in use as long as they have no memory. */
static int choose(struct spipe *s, void *arg)
{
    const unsigned *n = arg;
    int rc = spipe__hwqs_make(s, *n);

    if (!rc)
        s->hwqs_wanted = *n;
    return rc;
}

int spipe_hwqs_set(struct spipe *s, int n)
{
    unsigned count = count_of(s, n);
    int rc;

    while (!spipe__reset_begin_closed(s))
        if (spipe__gate_await(&s->gate) != SPIPE_STATE_NORMAL)
            return -EIO;
    rc = spipe__reset_with(s, choose, &count);
    spipe__request_over(s);
    return rc;
}

/* ---- polling ---- */

int spipe_irqpoll_weight_set(struct spipe *s, unsigned weight)
{
    if (weight > SPIPE_IRQPOLL_WEIGHT_MAX || weight == spipe_irqpoll_weight_get(s))
        return -EINVAL;
    for (unsigned i = 0; i < SPIPE__HWQS_MAX; i++)
        spipe__hwq_set_poll_weight(&s->hwq[i], weight);
    return 0;
}

unsigned spipe_irqpoll_weight_get(struct spipe *s)
{
    return spipe__hwq_poll_weight(spipe__primary(s));
}
