/* SPDX-License-Identifier: Apache-2.0 */
/* The heartbeat: afu_hb is 2010020, and each read must give one more (SL 20.1). */
#include "core/adapter/heartbeat.h"

#include <criterion/criterion.h>

#include "core/adapter/event.h"
#include "tests/testlib/gate_force.h"
#include "tests/testlib/port_spy.h"
#include "tests/testlib/proves.h"

static struct adapter_fixture f;
static struct port_spy spy;
static struct spipe_event last;

static void sink(void *arg, const struct spipe_event *event)
{
    (void)arg;
    last = *event;
}

static void set_up(void)
{
    adapter_fixture_init(&f, HAL_ORDER_HOST);
    port_spy_init(&spy, &f);
    f.s.events.sink = sink;
    f.s.heartbeat = 41;
}

static void tear_down(void) { adapter_fixture_fini(&f); }

TestSuite(heartbeat, .init = set_up, .fini = tear_down, .timeout = 30);

static void look(uint64_t value)
{
    *fake_afu_register(&f.afu, 0x2010020) = value;
    spipe__heartbeat_look(&f.s);
    spipe__events_deliver(&f.s);
    cr_assert_str_eq(port_spy_take(&spy), "r 2010020\n");
}

static void expect(unsigned surprises, uint64_t expected, uint64_t found)
{
    struct spipe_counter c;

    cr_assert_eq(spipe_counter(&f.s, SPIPE_EVENT_HEARTBEAT, &c), 0);
    cr_assert_eq(c.value, surprises);
    cr_assert_eq(last.field[0], expected);
    cr_assert_eq(last.field[1], found);
}

/* FK-34: stuck, back, skipped: told, and taken as the new begin; nothing else is done about it. */
Test(heartbeat, one_more_each_time)
{
    look(42);
    look(43);
    expect(0, 0, 0);
    look(43);
    expect(1, 44, 43);
    look(44);
    expect(1, 44, 43);
    look(3);
    expect(2, 45, 3);
    look(4);
    look(6);
    expect(3, 5, 6);
    cr_assert_not(f.s.worker.reset_wanted);
    PROVES(R_29);
}

Test(heartbeat, of_a_dead_adapter)
{
    look(UINT64_MAX);
    expect(1, 42, UINT64_MAX);
    look(0); /* as if it had grown */
    expect(1, 42, UINT64_MAX);
    cr_assert_not(f.s.worker.reset_wanted);
}

/* The map may be gone. */
Test(heartbeat, only_of_one_that_is_up)
{
    gate_force(&f.s.gate, SPIPE_STATE_RESET);
    spipe__heartbeat_look(&f.s);
    gate_force(&f.s.gate, SPIPE_STATE_FAILED);
    spipe__heartbeat_look(&f.s);
    cr_assert_str_eq(port_spy_take(&spy), "");
}
