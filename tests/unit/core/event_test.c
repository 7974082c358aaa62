/* SPDX-License-Identifier: Apache-2.0 */
/* Events: how they are counted, kept and told of, and how they read. Threads that raise events at
 * the same time are in //tests/scenario:event_posix_test. */
#include "core/adapter/event.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "core/adapter/adapter.h"
#include "core/adapter/lock_rank.h"
#include "tests/testlib/fake_exec.h"

static struct fake_exec exec;
static struct spipe s;

enum { TOLD_MAX = 4 * SPIPE__EVENT_RING };

static struct {
    unsigned count;
    struct spipe_event event[TOLD_MAX];
    unsigned raises; /* so many more events does the sink raise itself */
} told;

static void sink(void *arg, const struct spipe_event *event)
{
    cr_assert_eq(arg, &told);
    cr_assert_lt(told.count, TOLD_MAX);
    told.event[told.count++] = *event;
    if (told.raises > 0) {
        told.raises--;
        spipe__event(&s, CONTEXT_LOST, told.count);
        spipe__events_deliver(&s); /* of the one that is at it already */
    }
}

static void set_up(void)
{
    fake_exec_init(&exec, 1);
    s.exec = &exec.exec;
    s.events.sink = sink;
    s.events.sink_arg = &told;
}

TestSuite(event, .init = set_up);

static uint64_t counter(unsigned id)
{
    struct spipe_counter c;

    cr_assert_eq(spipe_counter(&s, id, &c), 0);
    return c.value;
}

/* ---- the table ---- */

Test(event, every_row_can_be_used)
{
    for (unsigned i = 0; i < SPIPE_EVENTS; i++) {
        const struct spipe_event_info *info = spipe_event_info(i);
        bool ended = false;

        cr_assert_not_null(info);
        cr_assert_str_eq(spipe_event_name(i), info->name);
        cr_assert_eq(strspn(info->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(info->name));
        cr_assert_gt(strlen(info->text), 10u, "%s", info->name);
        for (unsigned k = 0; k < i; k++)
            cr_assert_str_neq(info->name, spipe_event_name(k));
        for (unsigned k = 0; k < SPIPE_EVENT_FIELDS; k++) {
            bool none = info->field[k].kind == SPIPE_FIELD_NONE;

            cr_assert(!ended || none, "%s: fields are in front", info->name);
            cr_assert(none || info->field[k].name, "%s", info->name);
            ended = none;
        }
    }
    cr_assert_null(spipe_event_info(SPIPE_EVENTS));
    cr_assert_null(spipe_event_name(SPIPE_EVENTS));
}

/* core/port/async_event.c counts on it. */
Test(event, ports_tell_in_the_order_of_their_bits)
{
    static const char *const names[SPIPE_PORT_EVENTS] = {
        "port_link_up",     "port_link_down", "port_login",  "port_login_failed",
        "port_login_retry", "port_crc",       "port_logout", "port_error",
    };

    for (unsigned i = 0; i < SPIPE_PORT_EVENTS; i++)
        cr_assert_str_eq(spipe_event_name(SPIPE_EVENT_PORT_LINK_UP + i), names[i]);
}

/* ---- raising and telling ---- */

Test(event, told_when_it_is_time)
{
    exec.now = 17;
    spipe__event(&s, LINK_RESET_BEGIN, 1);
    exec.now = 30;
    spipe__event(&s, LINK_RESET_END, 1, spipe__result(-ETIMEDOUT));
    cr_assert_eq(told.count, 0u, "whoever raises an event may hold locks");
    spipe__events_deliver(&s);
    cr_assert_eq(told.count, 2u);
    cr_assert_eq(told.event[0].id, SPIPE_EVENT_LINK_RESET_BEGIN);
    cr_assert_eq(told.event[0].time_ns, 17);
    cr_assert_eq(told.event[0].sequence, 1);
    cr_assert_eq(told.event[0].field[0], 1);
    cr_assert_eq(told.event[0].field[1], 0);
    cr_assert_eq(told.event[1].time_ns, 30);
    cr_assert_eq(told.event[1].sequence, 2);
    cr_assert_eq((int64_t)told.event[1].field[1], -ETIMEDOUT);
    spipe__events_deliver(&s);
    cr_assert_eq(told.count, 2u, "once");
}

Test(event, counted)
{
    struct spipe_counter c;

    spipe__event(&s, PORT_CRC, 0, 0);
    spipe__event(&s, PORT_CRC, 1, 0);
    spipe__event_times(&s, RRQ_STRAY, 40, 3);
    spipe__event_times(&s, RRQ_LATE, 0, 3);
    cr_assert_eq(counter(SPIPE_EVENT_PORT_CRC), 2);
    cr_assert_eq(counter(SPIPE_EVENT_RRQ_STRAY), 40);
    cr_assert_eq(counter(SPIPE_EVENT_RRQ_LATE), 0);
    cr_assert_eq(spipe_counter(&s, SPIPE_EVENT_PORT_CRC, &c), 0);
    cr_assert_str_eq(c.name, "port_crc");
    cr_assert_eq(c.severity, SPIPE_SEVERITY_WARNING);
    cr_assert_eq(spipe_counter(&s, SPIPE_EVENTS, &c), -ENOENT);
    spipe__events_deliver(&s);
    cr_assert_eq(told.count, 3u, "what happened 0 times is no event");
    cr_assert_eq(told.event[0].times, 1);
    cr_assert_eq(told.event[2].times, 40);
}

Test(event, counted_without_anybody_to_tell)
{
    s.events.sink = NULL;
    for (unsigned i = 0; i < SPIPE__EVENT_RING + 1; i++)
        spipe__event(&s, PORT_CRC, 0, 0);
    spipe__events_deliver(&s);
    cr_assert_eq(counter(SPIPE_EVENT_PORT_CRC), SPIPE__EVENT_RING + 1);
    cr_assert_eq(counter(SPIPE_EVENT_EVENTS_LOST), 0);
}

/* What finds no room is lost, and counted; then it goes on. */
Test(event, too_many)
{
    for (unsigned i = 0; i < SPIPE__EVENT_RING + 3; i++)
        spipe__event(&s, CONTEXT_LOST, i);
    cr_assert_eq(counter(SPIPE_EVENT_EVENTS_LOST), 3);
    cr_assert_eq(counter(SPIPE_EVENT_CONTEXT_LOST), SPIPE__EVENT_RING + 3);
    spipe__events_deliver(&s);
    cr_assert_eq(told.count, (unsigned)SPIPE__EVENT_RING);
    cr_assert_eq(told.event[SPIPE__EVENT_RING - 1].field[0], SPIPE__EVENT_RING - 1);
    for (unsigned i = 0; i < 2 * SPIPE__EVENT_RING; i++) { /* rounds of the ring */
        spipe__event(&s, CONTEXT_LOST, i);
        spipe__events_deliver(&s);
        cr_assert_eq(told.event[told.count - 1].field[0], i);
        cr_assert_eq(told.event[told.count - 1].sequence, told.count);
    }
    cr_assert_eq(told.count, 3u * SPIPE__EVENT_RING);
    cr_assert_eq(counter(SPIPE_EVENT_EVENTS_LOST), 3);
}

/* A sink that calls the library is told of what that causes afterwards, and by the same call. */
Test(event, a_sink_that_causes_events)
{
    told.raises = 2;
    spipe__event(&s, CONTEXT_LOST, 0);
    spipe__events_deliver(&s);
    cr_assert_eq(told.count, 3u);
    cr_assert_eq(told.event[1].field[0], 1);
    cr_assert_eq(told.event[2].field[0], 2);
}

/* It could wait for whoever waits for the lock. */
Test(event, not_told_with_a_lock_held, .signal = SIGABRT)
{
    struct exec_mutex lock;

    exec_mutex_init_ranked(&exec.exec, &lock, "test", SPIPE__RANK_BOOKS);
    exec_mutex_lock(&exec.exec, &lock);
    spipe__events_deliver(&s);
}

/* ---- text ---- */

static void reads(const struct spipe_event *event, const char *expected)
{
    char buf[SPIPE_EVENT_TEXT_BYTES];

    cr_assert_str_eq(spipe_event_format(event, buf, sizeof buf), expected, "%s", buf);
}

Test(event, text)
{
    struct spipe_event e = {.id = SPIPE_EVENT_LINK_STEP_FAILED,
                            .field = {1, spipe__text("wait online"), spipe__result(-ETIMEDOUT)}};
    char buf[24], value[SPIPE_EVENT_VALUE_BYTES];

    reads(&e, "link_step_failed: a step failed on the way of a link to another state (port 1, "
              "step wait online, result -ETIMEDOUT)");
    cr_assert_str_eq(spipe_event_format(&e, buf, sizeof buf), "link_step_failed: a ste");
    cr_assert_str_eq(spipe_event_value(&e, 1, value), "wait online");
    cr_assert_null(spipe_event_value(&e, 3, value));
    cr_assert_null(spipe_event_value(&e, SPIPE_EVENT_FIELDS, value));
    reads(&(struct spipe_event){.id = SPIPE_EVENT_PORT_CRC, .field = {0, 0x2F}},
          "port_crc: too many damaged frames (port 0, fc_status 0x2f)");
    reads(&(struct spipe_event){.id = SPIPE_EVENT_RRQ_STRAY, .times = 5, .field = {7}},
          "rrq_stray: answers came that belong to no command (context 7), 5 times");
    reads(&(struct spipe_event){.id = SPIPE_EVENT_RESET_BEGIN},
          "reset_begin: a reset of the adapter begins");
    reads(&(struct spipe_event){.id = SPIPE_EVENT_RESET_END}, "reset_end: a reset of the adapter "
                                                              "is over (result 0)");
    reads(&(struct spipe_event){.id = SPIPE_EVENT_RESET_END, .field = {spipe__result(-4000)}},
          "reset_end: a reset of the adapter is over (result -4000)");
    cr_assert_eq(strncmp(spipe_event_format(&(struct spipe_event){.id = SPIPE_EVENTS}, buf, 24),
                         "unknown event ", 14),
                 0);
}

Test(event, states_and_severities)
{
    spipe__event_state(&s, SPIPE_STATE_RESET);
    spipe__events_deliver(&s);
    reads(&told.event[0], "state: the state of the adapter is another one (state RESET)");
    cr_assert_str_eq(spipe_severity_name(SPIPE_SEVERITY_INFO), "info");
    cr_assert_str_eq(spipe_severity_name(SPIPE_SEVERITY_ERROR), "error");
    cr_assert_null(spipe_severity_name(SPIPE_SEVERITIES));
}
