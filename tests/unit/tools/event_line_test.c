/* SPDX-License-Identifier: Apache-2.0 */
/* Events as lines of JSON, there and back, and what is no event. */
#include "tools/event_line.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"

TestSuite(event_line);

static void writes(const struct spipe_event *event, unsigned adapter, const char *expected)
{
    char *line = event_line_write(event, adapter);

    cr_assert_not_null(line);
    cr_assert_str_eq(line, expected, "%s", line);
    free(line);
}

static struct event_line read_back(const struct spipe_event *event, unsigned adapter)
{
    char *text = event_line_write(event, adapter);
    struct event_line line;

    cr_assert_eq(event_line_read(text, &line), 0, "%s", text);
    free(text);
    return line;
}

static const struct spipe_event step_failed = {
    .time_ns = 12345678901,
    .sequence = 7,
    .times = 1,
    .id = SPIPE_EVENT_LINK_STEP_FAILED,
    .field = {1, (uint64_t)(uintptr_t) "wait online", (uint64_t)-ETIMEDOUT},
};

Test(event_line, keys)
{
    writes(&step_failed, 1,
           "{\"time_ns\":12345678901,\"seq\":7,\"adapter\":1,\"severity\":\"warning\","
           "\"event\":\"link_step_failed\",\"times\":1,\"fields\":{\"port\":1,"
           "\"step\":\"wait online\",\"result\":\"-ETIMEDOUT\"}}\n");
    writes(&(struct spipe_event){.id = SPIPE_EVENT_RESET_BEGIN, .sequence = UINT64_MAX, .times = 1},
           0,
           "{\"time_ns\":0,\"seq\":18446744073709551615,\"adapter\":0,\"severity\":\"notice\","
           "\"event\":\"reset_begin\",\"times\":1,\"fields\":{}}\n");
    writes(&(struct spipe_event){.id = SPIPE_EVENT_RESET_END, .times = 1}, 0,
           "{\"time_ns\":0,\"seq\":0,\"adapter\":0,\"severity\":\"notice\",\"event\":\"reset_end\","
           "\"times\":1,\"fields\":{\"result\":\"0\"}}\n");
    writes(&(struct spipe_event){.id = SPIPE_EVENT_PORT_CRC, .times = 1, .field = {0, 0x2F}}, 0,
           "{\"time_ns\":0,\"seq\":0,\"adapter\":0,\"severity\":\"warning\",\"event\":\"port_crc\","
           "\"times\":1,\"fields\":{\"port\":0,\"fc_status\":\"0x2f\"}}\n");
}

Test(event_line, there_and_back)
{
    struct event_line line = read_back(&step_failed, 3);
    char text[EVENT_LINE_TEXT_BYTES];

    cr_assert_eq(line.time_ns, 12345678901);
    cr_assert_eq(line.sequence, 7);
    cr_assert_eq(line.times, 1);
    cr_assert_eq(line.adapter, 3u);
    cr_assert_eq(line.severity, (unsigned)SPIPE_SEVERITY_WARNING);
    cr_assert_str_eq(line.event, "link_step_failed");
    cr_assert_str_eq(
        event_line_text(&line, text),
        "    12.345678901  3  warning  link_step_failed: a step failed on the way of a "
        "link to another state (port 1, step wait online, result -ETIMEDOUT)");
    event_line_free(&line);
    line =
        read_back(&(struct spipe_event){.id = SPIPE_EVENT_RRQ_STRAY, .times = 40, .field = {6}}, 0);
    cr_assert_str_eq(event_line_text(&line, text),
                     "     0.000000000  0  warning  rrq_stray: answers came that belong to no "
                     "command (context 6), 40 times");
    event_line_free(&line);
}

/* Every event can be written and read. */
Test(event_line, every_event)
{
    for (unsigned id = 0; id < SPIPE_EVENTS; id++) {
        struct spipe_event event = {.id = (enum spipe_event_id)id, .times = 1};
        struct event_line line;

        for (unsigned i = 0; i < SPIPE_EVENT_FIELDS; i++)
            event.field[i] = (uint64_t)(uintptr_t) "x";
        line = read_back(&event, 0);
        cr_assert_str_eq(line.event, spipe_event_name(id));
        event_line_free(&line);
    }
}

#define HEAD "{\"time_ns\":1,\"seq\":1,\"adapter\":0,\"severity\":\"info\",\"event\":\"new\","

/* A newer writer. */
Test(event_line, unknown_events_and_members)
{
    struct event_line line;
    char text[EVENT_LINE_TEXT_BYTES];

    cr_assert_eq(
        event_line_read(HEAD "\"times\":1,\"more\":[1],\"fields\":{\"a\":1,\"b\":\"c\"}}", &line),
        0);
    cr_assert_str_eq(event_line_text(&line, text), "     0.000000001  0  info     new (a 1, b c)");
    event_line_free(&line);
}

Test(event_line, what_is_no_event)
{
    static const char *const bad[] = {
        "",
        "x",
        "{}",
        "[1,2]",
        "\"text\"",
        HEAD "\"times\":1}",
        HEAD "\"fields\":{}}",
        HEAD "\"times\":-1,\"fields\":{}}",
        HEAD "\"times\":1e30,\"fields\":{}}",
        HEAD "\"times\":\"1\",\"fields\":{}}",
        HEAD "\"times\":1,\"fields\":[]}",
        HEAD "\"times\":1,\"fields\":{\"a\":{}}}",
        "{\"time_ns\":1,\"seq\":1,\"adapter\":0,\"severity\":\"bad\",\"event\":\"new\","
        "\"times\":1,\"fields\":{}}",
        "{\"time_ns\":1,\"seq\":1,\"adapter\":4294967296,\"severity\":\"info\",\"event\":\"new\","
        "\"times\":1,\"fields\":{}}",
        "{\"time_ns\":1,\"seq\":1,\"adapter\":0,\"severity\":\"info\",\"event\":5,"
        "\"times\":1,\"fields\":{}}",
    };
    struct event_line line;

    for (size_t i = 0; i < HAL_ARRAY_LENGTH(bad); i++)
        cr_assert_eq(event_line_read(bad[i], &line), -EINVAL, "%s", bad[i]);
}
