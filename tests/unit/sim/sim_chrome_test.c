/* SPDX-License-Identifier: Apache-2.0 */
/* The Chrome trace writer: a small file byte for byte; random traces checked as JSON, record by
 * record, and for spans that begin and end in pairs. */
#include "sim/sim_chrome.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "sim/sim_strict.h"
#include "tests/unit/sim/sim_chrome_golden.h"
#include "tests/unit/sim/sim_trace_output_fixture.h"

/* ---- writing ---- */

static struct sim_trace trace;
static struct sim_chrome *chrome;

TestSuite(sim_chrome, .init = make_path, .fini = remove_path);

static void start(const struct sim_trace_info *info)
{
    char why[400] = "";

    cr_assert_eq(sim_chrome_open(path, info, &chrome, why, sizeof why), 0, "%s", why);
    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, sim_chrome_records, chrome);
}

static void start_one(void)
{
    struct sim_trace_info info = {.adapters = 1};

    start(&info);
}

static void add(uint64_t cycle, enum sim_event_kind kind, uint32_t who, uint64_t a, uint64_t b)
{
    sim_trace_add(&trace, cycle, kind, 0, who, a, b);
}

/* ---- JSON ---- */

/* Moves behind one value, or fails. */
static const char *json_value(const char *s);

static const char *json_space(const char *s) { return s + strspn(s, " \t\r\n"); }

static const char *json_char(const char *s, char c)
{
    s = json_space(s);
    cr_assert_eq(*s, c, "'%c' expected at '%.40s'", c, s);
    return s + 1;
}

static const char *json_string(const char *s)
{
    s = json_char(s, '"');
    for (; *s != '"'; s++)
        cr_assert(*s >= ' ' && *s <= '~' && *s != '\\', "at '%.40s'", s); /* none is written */
    return s + 1;
}

static const char *json_number(const char *s)
{
    const char *from = s;

    cr_assert(s[0] != '0' || !isdigit((unsigned char)s[1]), "at '%.40s'", s);
    s += strspn(s, "0123456789");
    if (*s == '.')
        s += 1 + strspn(s + 1, "0123456789");
    cr_assert(s > from && isdigit((unsigned char)s[-1]), "at '%.40s'", from);
    return s;
}

/* An object or an array. */
static const char *json_list(const char *s, char end)
{
    s = json_space(s + 1);
    if (*s == end)
        return s + 1;
    for (;;) {
        if (end == '}')
            s = json_char(json_string(json_space(s)), ':');
        s = json_space(json_value(s));
        if (*s == end)
            return s + 1;
        s = json_char(s, ',');
    }
}

static const char *json_value(const char *s)
{
    s = json_space(s);
    if (*s == '{')
        return json_list(s, '}');
    if (*s == '[')
        return json_list(s, ']');
    return *s == '"' ? json_string(s) : json_number(s);
}

/* Ends the writer; the file, which is one JSON value, as a string for the caller to free. */
static char *finish(void)
{
    char why[400] = "", *text;

    sim_trace_set_sink(&trace, NULL, NULL);
    cr_assert_eq(sim_chrome_close(chrome, why, sizeof why), 0, "%s", why);
    text = contents(NULL);
    cr_assert_eq(*json_space(json_value(text)), 0);
    return text;
}

/* ---- a small file ---- */

Test(sim_chrome, small_file_byte_for_byte)
{
    struct sim_params p;
    const struct sim_params *params[] = {&p};
    struct sim_trace_info info = {.seed = 0x7f3a, .adapters = 1, .params = params};
    char *text;

    sim_params_default(&p);
    p.card = 0x600;
    p.media_jitter = 10;
    start(&info);
    add(10, SIM_EVENT_MMIO_WRITE, 5, 0x28, 0x1000080);
    add(18, SIM_EVENT_FETCH, 3, 5, 0x1000000000080);
    add(533, SIM_EVENT_MEDIA_START, 3, 1, 1);
    add(33033, SIM_EVENT_MEDIA_DONE, 3, 1, 0);
    add(34893, SIM_EVENT_RRQ, 3, 5, 0x1000000000081);
    add(34893, SIM_EVENT_FAULT, 17, 'd', 1);
    add(34893, SIM_EVENT_VIOLATION, 5, SIM_RULE_SQ_TAIL, 3);
    add(34894, SIM_EVENT_NOTE, 2, 1, UINT64_MAX);
    text = finish();
    expect_text(text, golden);
    free(text);
}

/* ---- one event a line ---- */

static const char *next_event(const char *s)
{
    s = strstr(s, "\n{\"ph\":\"");
    return s ? s + 1 : NULL;
}

/* Whether the line at s has this text. */
static bool has(const char *s, const char *text)
{
    const char *found = strstr(s, text), *end = strchr(s, '\n');

    return found && (!end || found < end);
}

static unsigned count(const char *text, const char *first, const char *second)
{
    unsigned n = 0;

    for (const char *s = next_event(text); s; s = next_event(s))
        n += has(s, first) && has(s, second);
    return n;
}

/* The number behind a key. */
static uint64_t member(const char *event, const char *key)
{
    cr_assert(has(event, key), "%s in %.100s", key, event);
    return strtoull(strstr(event, key) + strlen(key), NULL, 0);
}

/* Thousandths of the time stamp. */
static uint64_t time_of(const char *event)
{
    const char *s = strstr(event, "\"ts\":") + 5;
    char *point;
    uint64_t us = strtoull(s, &point, 10);

    cr_assert_eq(*point, '.');
    cr_assert_eq(strspn(point + 1, "0123456789"), 3);
    return us * 1000 + strtoull(point + 1, NULL, 10);
}

/* ---- random traces ---- */

#define RECORDS 600 /* AddressSanitizer checks the whole text at each look into it */

static void random_trace(struct sim_trace_record *r)
{
    struct hal_prng p;
    uint64_t cycle = 0;

    hal_prng_seed(&p, 12, 0);
    for (unsigned i = 0; i < RECORDS; i++) {
        cycle += hal_prng_below(&p, 3);
        r[i].cycle = cycle;
        r[i].kind = (uint16_t)hal_prng_below(&p, SIM_EVENT_COUNT);
        r[i].adapter = (uint16_t)hal_prng_below(&p, 3);
        r[i].who = (uint32_t)hal_prng_below(&p, 8);
        r[i].a = hal_prng_next(&p) >> hal_prng_below(&p, 64);
        r[i].b = hal_prng_next(&p) >> hal_prng_below(&p, 64);
        sim_trace_add(&trace, cycle, (enum sim_event_kind)r[i].kind, r[i].adapter, r[i].who, r[i].a,
                      r[i].b);
    }
}

static char *random_file(struct sim_trace_record *r)
{
    struct sim_trace_info info = {.adapters = 2};

    start(&info);
    random_trace(r);
    return finish();
}

/* The record of a slice or a mark, which come in the order of the records. */
static void expect_field(const char *event, const char *name, uint64_t value)
{
    char decimal[64], hexadecimal[64];

    if (!strcmp(name, "none"))
        return;
    snprintf(decimal, sizeof decimal, "\"%s\":%" PRIu64, name, value);
    snprintf(hexadecimal, sizeof hexadecimal, "\"%s\":\"0x%" PRIx64 "\"", name, value);
    cr_assert(has(event, decimal) || has(event, hexadecimal), "%s in %.200s", name, event);
    cr_assert(value < UINT64_C(1) << 53 || !has(event, decimal), "too long for JavaScript");
}

static void expect_record(const char *event, const struct sim_trace_record *r)
{
    const struct sim_event_info *e = &sim_event_table[r->kind];
    char text[64];

    cr_assert_eq(time_of(event), 4 * r->cycle);
    snprintf(text, sizeof text, "\"pid\":%u,", r->adapter + 1u);
    cr_assert(has(event, text));
    snprintf(text, sizeof text, "\"name\":\"%s\"", e->name);
    if (r->kind == SIM_EVENT_VIOLATION || r->kind == SIM_EVENT_MODEL_ERROR)
        snprintf(text, sizeof text, "\"name\":\"%s %s\"", e->name, sim_rule_name(r->a));
    cr_assert(has(event, text) || r->kind == SIM_EVENT_FAULT, "%s", e->name);
    expect_field(event, e->who, r->who);
    expect_field(event, e->a, r->a);
    expect_field(event, e->b, r->b);
}

/* Threads of contexts, from 1000 on, have copies. */
static bool is_record(const char *event)
{
    return (has(event, "\"ph\":\"X\"") || has(event, "\"ph\":\"i\"")) &&
           member(event, "\"tid\":") < 1000;
}

Test(sim_chrome, every_record_is_there)
{
    static struct sim_trace_record r[RECORDS];
    char *text = random_file(r);
    const char *s = next_event(text);

    for (unsigned i = 0; i < RECORDS; i++) {
        if (r[i].adapter == 2)
            continue; /* not in this file */
        while (s && !is_record(s))
            s = next_event(s);
        cr_assert_not_null(s, "record %u", i);
        expect_record(s, &r[i]);
        s = next_event(s);
    }
    free(text);
}

Test(sim_chrome, times_never_go_back)
{
    static struct sim_trace_record r[RECORDS];
    char *text = random_file(r);
    uint64_t before = 0;

    for (const char *s = next_event(text); s; s = next_event(s)) {
        cr_assert_geq(time_of(s), before);
        before = time_of(s);
    }
    free(text);
}

/* Spans of one command nest: whole command, in it one stage at a time. Arrows begin with it. */
Test(sim_chrome, spans_are_closed_and_arrows_begin)
{
    static struct sim_trace_record r[RECORDS];
    static int depth[RECORDS], begun[RECORDS];
    char *text = random_file(r);

    for (const char *s = next_event(text); s; s = next_event(s)) {
        uint64_t id = has(s, "\"id\":") ? member(s, "\"id\":\"") : 0;
        cr_assert_lt(id, RECORDS);
        depth[id] += has(s, "\"ph\":\"b\"") - has(s, "\"ph\":\"e\"");
        cr_assert(depth[id] >= 0 && depth[id] <= 2);
        begun[id] += has(s, "\"ph\":\"s\"");
        if (has(s, "\"ph\":\"t\"") || has(s, "\"ph\":\"f\""))
            cr_assert_eq(begun[id], 1);
    }
    for (unsigned i = 1; i < RECORDS; i++)
        cr_assert(!depth[i] && begun[i] <= 1, "command %u", i);
    free(text);
}

Test(sim_chrome, every_thread_has_a_name)
{
    static struct sim_trace_record r[RECORDS];
    static bool named[3][2000];
    char *text = random_file(r);

    for (const char *s = next_event(text); s; s = next_event(s)) {
        uint64_t pid = member(s, "\"pid\":"), tid = member(s, "\"tid\":");
        cr_assert(pid >= 1 && pid <= 2 && tid < 2000);
        if (has(s, "\"name\":\"thread_name\""))
            named[pid][tid] = true;
        cr_assert(named[pid][tid] || !tid, "%.100s", s);
    }
    free(text);
}

Test(sim_chrome, same_trace_same_bytes)
{
    static struct sim_trace_record r[RECORDS];
    char *first = random_file(r), *second = random_file(r);

    cr_assert(!strcmp(first, second));
    free(first);
    free(second);
}

/* ---- commands ---- */

Test(sim_chrome, outcomes)
{
    char *text;

    start_one();
    add(1, SIM_EVENT_FETCH, 0, 5, 0);
    add(2, SIM_EVENT_FETCH, 0, 5, 0); /* the first was dropped */
    add(3, SIM_EVENT_RRQ, 0, 5, 0);
    add(4, SIM_EVENT_FETCH, 1, 6, 0);
    add(4, SIM_EVENT_CTX_RESET, 6, 1, 0); /* begins: nothing is gone yet */
    add(5, SIM_EVENT_CTX_RESET, 6, 0, 1);
    add(6, SIM_EVENT_FETCH, 2, 7, 0);
    add(7, SIM_EVENT_CTX_END, 7, 1, 0);
    add(8, SIM_EVENT_FETCH, 3, 8, 0);
    add(8, SIM_EVENT_AFU_RESET, 0, 1, 0);
    add(9, SIM_EVENT_AFU_RESET, 0, 0, 0);
    add(10, SIM_EVENT_FETCH, 4, 8, 0);
    add(11, SIM_EVENT_DECODE, 9, 8, 0); /* of a command from before the trace */
    add(12, SIM_EVENT_RRQ, 9, 8, 0);
    text = finish();
    cr_assert_eq(count(text, "\"ph\":\"b\"", "command of context"), 6);
    cr_assert_eq(count(text, "\"ts\":0.008,", "\"outcome\":\"dropped\""), 1);
    cr_assert_eq(count(text, "\"ts\":0.012,", "\"outcome\":\"done\""), 1);
    cr_assert_eq(count(text, "\"ts\":0.020,", "\"outcome\":\"aborted\""), 1);
    cr_assert_eq(count(text, "\"ts\":0.028,", "\"outcome\":\"aborted\""), 1);
    cr_assert_eq(count(text, "\"ts\":0.036,", "\"outcome\":\"aborted\""), 1);
    cr_assert_eq(count(text, "\"ts\":0.048,", "\"outcome\":\"unfinished\""), 1);
    cr_assert_eq(count(text, "\"outcome\":", ""), 6);
    free(text);
}

Test(sim_chrome, counters)
{
    char *text;

    start_one();
    add(1, SIM_EVENT_FETCH, 0, 5, 0);
    add(2, SIM_EVENT_FETCH, 1, 5, 0);
    add(3, SIM_EVENT_MEDIA_START, 0, 0, 1);
    add(4, SIM_EVENT_MEDIA_DONE, 0, 0, 0);
    add(5, SIM_EVENT_MEDIA_START, 1, 0, 1);
    add(6, SIM_EVENT_CTX_RESET, 5, 0, 2);
    text = finish();
    cr_assert_eq(count(text, "\"ts\":0.008,", "\"commands in flight\",\"args\":{\"count\":2}"), 1);
    cr_assert_eq(count(text, "\"ts\":0.024,", "\"commands in flight\",\"args\":{\"count\":0}"), 1);
    cr_assert_eq(count(text, "\"ts\":0.012,", "\"operations on media\",\"args\":{\"count\":1}"), 1);
    cr_assert_eq(count(text, "\"ts\":0.016,", "\"operations on media\",\"args\":{\"count\":0}"), 1);
    cr_assert_eq(count(text, "\"ts\":0.020,", "\"operations on media\",\"args\":{\"count\":1}"), 1);
    cr_assert_eq(count(text, "\"ts\":0.024,", "\"operations on media\",\"args\":{\"count\":0}"), 1);
    free(text);
}

/* Walks are stages too, and the arrow passes the block that makes them. */
Test(sim_chrome, translation_is_a_stage)
{
    char *text;

    start_one();
    add(1, SIM_EVENT_FETCH, 0, 5, 0);
    add(2, SIM_EVENT_XLT_MISS, 0, 3, 0);
    add(3, SIM_EVENT_XLT_FILL, 0, 3, 0);
    add(4, SIM_EVENT_XLT_HIT, 0, 64, 65600);
    add(5, SIM_EVENT_PORT_START, 0, 0, 0x88);
    text = finish();
    cr_assert_eq(count(text, "\"ph\":\"b\"", "\"ts\":0.008,\"name\":\"xlt.miss\""), 1);
    cr_assert_eq(count(text, "\"ph\":\"e\"", "\"ts\":0.016,\"name\":\"xlt.miss\""), 1);
    cr_assert_eq(count(text, "\"ph\":\"e\"", "\"ts\":0.020,\"name\":\"xlt.hit\""), 1);
    cr_assert_eq(count(text, "\"ph\":\"t\"", "\"ts\":0.008,"), 1);
    free(text);
}

/* ---- odd records ---- */

Test(sim_chrome, faults_of_unknown_sites_keep_the_file_valid)
{
    char *text;

    start_one();
    add(1, SIM_EVENT_FAULT, 16, '"', 1);
    add(2, SIM_EVENT_FAULT, 16, '\\', 2);
    add(3, SIM_EVENT_FAULT, 99, UINT64_MAX, 3);
    text = finish();
    cr_assert_eq(count(text, "\"rrq#1=?\"", "\"s\":\"p\""), 1);
    cr_assert_eq(count(text, "\"rrq#2=?\"", "\"s\":\"p\""), 1);
    cr_assert_eq(count(text, "\"?#3=?\"", "\"s\":\"p\""), 1);
    free(text);
}

Test(sim_chrome, unknown_records_are_left_out)
{
    static const struct sim_trace_record r[] = {
        {.cycle = 5, .kind = SIM_EVENT_COUNT, .adapter = 0},
        {.cycle = 5, .kind = SIM_EVENT_FETCH, .adapter = 1},
        {.cycle = 5, .kind = SIM_EVENT_FETCH, .who = UINT32_MAX, .a = UINT64_MAX},
        {.cycle = 6, .kind = SIM_EVENT_CTX_START, .who = UINT32_MAX},
        {.cycle = 6, .kind = UINT16_MAX, .adapter = UINT16_MAX},
    };
    char *text;

    start_one();
    sim_chrome_records(chrome, r, HAL_ARRAY_LENGTH(r));
    text = finish();
    cr_assert_eq(count(text, "\"ph\":\"X\"", ""), 2);
    free(text);
}

Test(sim_chrome, empty_trace)
{
    char *text;

    start_one();
    text = finish();
    cr_assert_eq(count(text, "\"ph\":\"M\"", ""), count(text, "\"ph\":", ""));
    cr_assert_eq(count(text, "process_name", "\"adapter0\""), 1);
    free(text);
}

/* 2^61 cycles are 2^63 ns: far beyond what a double holds exactly. */
Test(sim_chrome, late_times_are_exact)
{
    char *text;

    start_one();
    add((UINT64_C(1) << 61) + 1, SIM_EVENT_LINK, 0, 0, 0);
    text = finish();
    cr_assert_eq(count(text, "\"ts\":9223372036854775.812,", "link"), 1);
    free(text);
}

/* ---- head ---- */

/* Each adapter lists what differs from the default, and nothing else (TM-20). */
Test(sim_chrome, head_lists_the_parameters_that_differ)
{
    struct sim_params p[2];
    const struct sim_params *params[] = {&p[0], &p[1]};
    struct sim_trace_info info = {.seed = 1, .adapters = 2, .params = params};
    char *text;

    sim_params_default(&p[0]);
    sim_params_default(&p[1]);
    p[1].cmd_room = 1;
    p[1].card = 0x0624;
    start(&info);
    text = finish();
    strstr(text, "\"traceEvents\"")[0] = 0;
    expect_text(text, "{\"displayTimeUnit\":\"ns\",\n"
                      "\"otherData\":{\"seed\":\"0x1\",\n"
                      "\"adapters\":\"2\",\n"
                      "\"adapter1 card\":\"0x0624 (default 0x04F0, PCI device)\",\n"
                      "\"adapter1 afu.cmd_room\":\"1 (default 16, commands)\"},\n");
    free(text);
}

/* ---- failures ---- */

Test(sim_chrome, open_fails_with_a_sentence)
{
    struct sim_trace_info info = {.adapters = 1};
    char why[400];

    cr_assert_eq(sim_chrome_open("/nowhere/x.json", &info, &chrome, why, sizeof why), -ENOENT);
    cr_assert_str_eq(why, "/nowhere/x.json: No such file or directory");
    cr_assert_eq(sim_chrome_open("/", &info, &chrome, NULL, 0), -EISDIR);
    info.adapters = 0;
    cr_assert_eq(sim_chrome_open(path, &info, &chrome, why, sizeof why), -EINVAL);
    info.adapters = SIM_TRACE_ADAPTERS_MAX + 1;
    cr_assert_eq(sim_chrome_open("x", &info, &chrome, why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "x: the number of adapters must be 1 to 64");
}

/* /dev/full takes no byte: the head alone fails when the file is closed, a longer trace earlier. */
Test(sim_chrome, full_disk_is_reported)
{
    struct sim_trace_info info = {.adapters = 1};
    char why[400];

    if (access("/dev/full", W_OK))
        cr_skip_test("no /dev/full");
    for (unsigned records = 0; records <= 20000; records += 20000) {
        cr_assert_eq(sim_chrome_open("/dev/full", &info, &chrome, why, sizeof why), 0);
        sim_trace_init(&trace, true);
        sim_trace_set_sink(&trace, sim_chrome_records, chrome);
        for (unsigned i = 0; i < records; i++)
            add(i, SIM_EVENT_FETCH, i % 256, i, i);
        sim_trace_set_sink(&trace, NULL, NULL);
        cr_assert_eq(sim_chrome_close(chrome, why, sizeof why), -ENOSPC);
        cr_assert_str_eq(why, "/dev/full: No space left on device");
    }
}
