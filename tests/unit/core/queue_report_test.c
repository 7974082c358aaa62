/* SPDX-License-Identifier: Apache-2.0 */
/* What a queue has counted, as events. */
#include "core/command/queue_report.h"

#include <criterion/criterion.h>

#include "core/adapter/adapter.h"
#include "tests/testlib/fake_exec.h"

static struct fake_exec exec;
static struct spipe s;
static struct spipe__queue queue;
static struct spipe__queue_counters told;
static struct spipe_event last;

static void sink(void *arg, const struct spipe_event *event)
{
    (void)arg;
    last = *event;
}

static void set_up(void)
{
    fake_exec_init(&exec, 1);
    s.exec = &exec.exec;
    s.events.sink = sink;
}

TestSuite(queue_report, .init = set_up);

static void report(void)
{
    spipe__queue_report(&s, 9, &queue, &told);
    spipe__events_deliver(&s);
}

static void expect(unsigned id, uint64_t counter, uint64_t times, uint64_t second_field)
{
    struct spipe_counter c;

    report();
    cr_assert_eq(last.id, id, "%s", spipe_event_name(last.id));
    cr_assert_eq(last.field[0], 9);
    cr_assert_eq(last.times, times);
    cr_assert_eq(last.field[1], second_field);
    cr_assert_eq(spipe_counter(&s, id, &c), 0);
    cr_assert_eq(c.value, counter);
}

Test(queue_report, only_what_is_new)
{
    report();
    cr_assert_eq(last.sequence, 0, "nothing has happened");
    queue.counters.stray_elements = 5;
    expect(SPIPE_EVENT_RRQ_STRAY, 5, 5, 0);
    queue.counters.stray_elements = 7;
    expect(SPIPE_EVENT_RRQ_STRAY, 7, 2, 0);
    cr_assert_eq(last.sequence, 2);
    report();
    cr_assert_eq(last.sequence, 2, "told already");
}

Test(queue_report, every_counter)
{
    queue.counters.late_elements = 1;
    expect(SPIPE_EVENT_RRQ_LATE, 1, 1, 0);
    queue.counters.timeouts = 2;
    expect(SPIPE_EVENT_IO_TIMEOUT, 2, 2, 0);
    queue.counters.faults = 3;
    expect(SPIPE_EVENT_IO_FAULT, 3, 3, 0);
    queue.counters.unknown_faults = 4;
    expect(SPIPE_EVENT_FAULT_UNKNOWN, 4, 4, 0);
    queue.counters.sync_spurious = 5;
    expect(SPIPE_EVENT_SYNC_SPURIOUS, 5, 5, 0);
    queue.counters.sync_errors = 2; /* two bits in one register */
    queue.counters.sync_bits = 0x18;
    expect(SPIPE_EVENT_SYNC_ERROR, 2, 2, 0x18);
}
