/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that raise events and tell of them at the same time: none is told of twice, none out of
 * order, never two at once, and what is not told of is counted. */
#include <criterion/criterion.h>
#include <string.h>

#include "backends/posix/posix_exec.h"
#include "core/adapter/adapter.h"
#include "core/adapter/event.h"

TestSuite(event, .timeout = 60);

enum { THREADS = 4, ROUNDS = 20000 };

static struct spipe s;
static struct {
    uint64_t told, last_of[THREADS];
    bool inside; /* atomic */
} seen;

static void sink(void *arg, const struct spipe_event *event)
{
    (void)arg;
    cr_assert_not(__atomic_exchange_n(&seen.inside, true, __ATOMIC_ACQUIRE), "two at once");
    cr_assert_eq(event->sequence, ++seen.told);
    cr_assert_lt(event->field[0], THREADS);
    cr_assert_gt(event->field[1], seen.last_of[event->field[0]], "out of order");
    seen.last_of[event->field[0]] = event->field[1];
    __atomic_store_n(&seen.inside, false, __ATOMIC_RELEASE);
}

/* Every other thread leaves it to the others to tell, so that the ring fills now and then. */
static void work(void *arg)
{
    uint64_t number = (uint64_t)(uintptr_t)arg;

    for (uint64_t i = 1; i <= ROUNDS; i++) {
        spipe__event(&s, RRQ_STRAY, number, i);
        if (number % 2 == 0)
            spipe__events_deliver(&s);
    }
}

static uint64_t counter(unsigned id)
{
    struct spipe_counter c;

    cr_assert_eq(spipe_counter(&s, id, &c), 0);
    return c.value;
}

Test(event, threads)
{
    struct exec_thread *thread[THREADS];
    struct exec *exec;

    cr_assert_eq(posix_exec_create(&exec), 0);
    s.exec = exec;
    s.events.sink = sink;
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert_eq(exec_thread_create(exec, "raiser", work, (void *)i, &thread[i]), 0);
    for (unsigned i = 0; i < THREADS; i++)
        exec_thread_join(exec, thread[i]);
    spipe__events_deliver(&s);
    cr_assert_eq(counter(SPIPE_EVENT_RRQ_STRAY), (uint64_t)THREADS * ROUNDS);
    cr_assert_eq(seen.told + counter(SPIPE_EVENT_EVENTS_LOST), (uint64_t)THREADS * ROUNDS);
    posix_exec_destroy(exec);
}
