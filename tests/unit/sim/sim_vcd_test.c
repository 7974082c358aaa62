/* SPDX-License-Identifier: Apache-2.0 */
/* The VCD writer: a small file byte for byte, and random traces read back by a reader that knows
 * nothing of the writer but the VCD format. */
#include "sim/sim_vcd.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "hal/support/prng.h"
#include "sim/sim_fault.h"
#include "tests/unit/sim/sim_trace_output_fixture.h"
#include "tests/unit/sim/sim_vcd_golden.h"

/* ---- writing ---- */

static struct sim_trace trace;
static struct sim_vcd *vcd;

TestSuite(sim_vcd, .init = make_path, .fini = remove_path);

static void start(const struct sim_trace_info *info)
{
    char why[400] = "";

    cr_assert_eq(sim_vcd_open(path, info, &vcd, why, sizeof why), 0, "%s", why);
    sim_trace_init(&trace, true);
    sim_trace_set_sink(&trace, sim_vcd_records, vcd);
}

static void finish(void)
{
    char why[400] = "";

    sim_trace_set_sink(&trace, NULL, NULL);
    cr_assert_eq(sim_vcd_close(vcd, why, sizeof why), 0, "%s", why);
}

static void add(uint64_t cycle, enum sim_event_kind kind, uint32_t who, uint64_t a, uint64_t b)
{
    sim_trace_add(&trace, cycle, kind, 0, who, a, b);
}

/* ---- a small file ---- */

/* One read command with a lost completion. */
static void small_trace(void)
{
    add(10, SIM_EVENT_MMIO_WRITE, 5, 0x28, 0x1000080);
    add(10, SIM_EVENT_DOORBELL, 5, 0x1000000000080, 15);
    add(18, SIM_EVENT_FETCH, 3, 5, 0x1000000000080);
    add(254, SIM_EVENT_DECODE, 3, 0x8000, 64);
    add(258, SIM_EVENT_XLT_HIT, 3, 64, 65600);
    add(283, SIM_EVENT_PORT_START, 3, 0, 0x88);
    add(533, SIM_EVENT_MEDIA_START, 3, 1, 1);
    add(33033, SIM_EVENT_MEDIA_DONE, 3, 1, 0);
    add(34273, SIM_EVENT_DATA, 3, 0x2000000000040, 4096);
    add(34743, SIM_EVENT_IOASA, 3, 0, 0);
    add(34893, SIM_EVENT_FAULT, 16, 'd', 1);
    add(40000, SIM_EVENT_CTX_RESET, 5, 1, 0);
    add(40128, SIM_EVENT_CTX_RESET, 5, 0, 1);
    add(50000, SIM_EVENT_LINK, 1, 2, 0);
}

Test(sim_vcd, small_file_byte_for_byte)
{
    struct sim_params p;
    const struct sim_params *params[] = {&p};
    struct sim_trace_info info = {.seed = 0x7f3a, .adapters = 1, .params = params};
    char *text;

    sim_params_default(&p);
    p.card = 0x600;
    p.cmd_slots = 4; /* to be readable */
    p.media_jitter = 10;
    start(&info);
    small_trace();
    finish();
    text = contents(NULL);
    expect_text(text, golden);
    free(text);
}

/* ---- reader ---- */

#define VARIABLES_MAX 2000

/* What the file declares, and the value of the moment. */
struct variable {
    char code[8], name[96], value[80];
    bool text;
    unsigned width;
};

struct reader {
    char *text, *next;
    struct variable variable[VARIABLES_MAX];
    unsigned count;
    char scope[96];
    uint64_t time;
};

static struct reader reader;

/* The next word, NULL at the end. */
static char *word(void) { return strtok_r(reader.next ? NULL : reader.text, " \n", &reader.next); }

static void expect_word(const char *expected) { cr_assert_str_eq(word(), expected); }

static struct variable *by_code(const char *code)
{
    for (unsigned i = 0; i < reader.count; i++)
        if (!strcmp(reader.variable[i].code, code))
            return &reader.variable[i];
    return NULL;
}

static const char *value(const char *name)
{
    for (unsigned i = 0; i < reader.count; i++)
        if (!strcmp(reader.variable[i].name, name))
            return reader.variable[i].value;
    cr_assert_fail("no variable %s", name);
    return "";
}

static uint64_t number(const char *name) { return strtoull(value(name), NULL, 2); }

static void read_variable(void)
{
    struct variable *v = &reader.variable[reader.count];
    const char *type = word(), *code;
    int n;

    cr_assert_lt(reader.count, VARIABLES_MAX);
    v->text = !strcmp(type, "string");
    cr_assert(v->text || !strcmp(type, "wire"));
    v->width = (unsigned)strtoul(word(), NULL, 10);
    code = word();
    cr_assert(strlen(code) < sizeof v->code && !by_code(code), "%s is there twice", code);
    snprintf(v->code, sizeof v->code, "%s", code);
    n = snprintf(v->name, sizeof v->name, "%s%s", reader.scope, word());
    cr_assert(n > 0 && (size_t)n < sizeof v->name);
    expect_word("$end");
    reader.count++;
}

static void read_scope(void)
{
    size_t n = strlen(reader.scope), room = sizeof reader.scope - n;

    expect_word("module");
    cr_assert_lt((size_t)snprintf(reader.scope + n, room, "%s.", word()), room);
    expect_word("$end");
}

static void leave_scope(void)
{
    size_t n = strlen(reader.scope) - 1;

    while (n && reader.scope[n - 1] != '.')
        n--;
    reader.scope[n] = 0;
    expect_word("$end");
}

static void skip(void)
{
    while (strcmp(word(), "$end"))
        continue;
}

static void read_head(void)
{
    const char *w;

    free(reader.text);
    memset(&reader, 0, sizeof reader);
    reader.text = contents(NULL);
    for (w = word(); strcmp(w, "$enddefinitions"); w = word())
        if (!strcmp(w, "$scope"))
            read_scope();
        else if (!strcmp(w, "$upscope"))
            leave_scope();
        else if (!strcmp(w, "$var"))
            read_variable();
        else
            skip();
    cr_assert_str_eq(reader.scope, "");
    expect_word("$end");
}

static void read_change(const char *change)
{
    struct variable *v = by_code(word());

    cr_assert_not_null(v, "a change of an undeclared variable");
    if (!v)
        return; /* for static analysis */
    cr_assert_eq(v->text, change[0] == 's', "%s", v->name);
    cr_assert(strlen(change) < sizeof v->value);
    if (!v->text) {
        cr_assert_eq(strspn(change + 1, "01"), strlen(change + 1));
        cr_assert_leq(strlen(change + 1), v->width, "%s", v->name);
    }
    snprintf(v->value, sizeof v->value, "%s", change + 1);
}

/* Reads changes up to and including time `until`. */
static void read_until(uint64_t until)
{
    char *w, *before = reader.next;

    while ((w = word())) {
        uint64_t t = w[0] == '#' ? strtoull(w + 1, NULL, 10) : 0;
        if (w[0] == '#' && t > until) {
            w[strlen(w)] = '\n'; /* not yet: put the word back */
            reader.next = before;
            return;
        }
        if (w[0] == '#') {
            cr_assert(t > reader.time || (!t && !reader.time), "time runs backwards");
            reader.time = t;
        } else if (w[0] != '$')
            read_change(w);
        before = reader.next;
    }
}

static void read_all(void)
{
    read_head();
    read_until(UINT64_MAX);
}

/* ---- random traces ---- */

#define RECORDS 3000

/* Three adapters, of which the file has two; several records in a cycle. */
static void random_trace(struct sim_trace_record *r)
{
    struct hal_prng p;
    uint64_t cycle = 0;

    hal_prng_seed(&p, 11, 0);
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

static void expect_field(unsigned adapter, const struct sim_event_info *e, const char *field,
                         uint64_t expected)
{
    char name[96], kind[32];

    if (!strcmp(field, "none"))
        return;
    snprintf(kind, sizeof kind, "%s", e->name);
    for (char *c = kind; *c; c++)
        if (*c == '.')
            *c = '_';
    snprintf(name, sizeof name, "adapter%u.%s.%s.%s", adapter, e->track, kind, field);
    cr_assert_eq(number(name), expected, "%s", name);
}

/* What must be seen after the last of the first `count` records. */
static void expect_record(const struct sim_trace_record *records, unsigned count)
{
    const struct sim_trace_record *r = &records[count - 1];
    const struct sim_event_info *e = &sim_event_table[r->kind];
    char name[96];
    uint64_t events = 0;

    for (unsigned i = 0; i < count; i++)
        events += records[i].adapter == r->adapter &&
                  !strcmp(sim_event_table[records[i].kind].track, e->track);
    snprintf(name, sizeof name, "adapter%u.%s.events", r->adapter, e->track);
    cr_assert_eq(number(name), events, "%s", name);
    snprintf(name, sizeof name, "adapter%u.%s.event", r->adapter, e->track);
    cr_assert_str_eq(value(name), e->name);
    expect_field(r->adapter, e, e->who, r->who);
    expect_field(r->adapter, e, e->a, r->a);
    expect_field(r->adapter, e, e->b, r->b);
}

Test(sim_vcd, random_trace_reads_back)
{
    static struct sim_trace_record r[RECORDS];
    struct sim_trace_info info = {.seed = 1, .adapters = 2};

    start(&info);
    random_trace(r);
    finish();
    read_head();
    for (unsigned i = 1; i <= RECORDS; i++) {
        if (i < RECORDS && r[i].cycle == r[i - 1].cycle)
            continue; /* the last of a cycle is what one sees */
        read_until(4 * r[i - 1].cycle);
        if (r[i - 1].adapter < 2)
            expect_record(r, i);
    }
    read_until(UINT64_MAX);
    cr_assert_leq(reader.time, 4 * (r[RECORDS - 1].cycle + 1));
}

/* ---- counters and states ---- */

static void begin_states(void)
{
    struct sim_trace_info info = {.adapters = 1};

    start(&info);
}

static void expect_counters(uint64_t in_flight, uint64_t outstanding)
{
    cr_assert_eq(number("adapter0.fetch.in_flight"), in_flight);
    cr_assert_eq(number("adapter0.media.outstanding"), outstanding);
}

Test(sim_vcd, start_values)
{
    begin_states();
    finish();
    read_head();
    read_until(0);
    expect_counters(0, 0);
    cr_assert_str_eq(value("adapter0.contexts.state"), "running");
    cr_assert_str_eq(value("adapter0.port.link3"), "unknown");
    cr_assert_str_eq(value("adapter0.faults.fault"), "none");
    cr_assert_str_eq(value("adapter0.fetch.fetch.slot"), "");
}

Test(sim_vcd, commands_in_flight_and_on_the_media)
{
    begin_states();
    add(1, SIM_EVENT_FETCH, 0, 5, 0);
    add(2, SIM_EVENT_FETCH, 255, 5, 0);
    add(3, SIM_EVENT_MEDIA_START, 0, 0, 1);
    add(4, SIM_EVENT_MEDIA_START, 255, 0, 1);
    add(5, SIM_EVENT_MEDIA_DONE, 0, 0, 0);
    add(6, SIM_EVENT_RRQ, 0, 5, 0);
    add(7, SIM_EVENT_RRQ, 255, 5, 0);
    finish();
    read_head();
    read_until(4 * 4);
    expect_counters(2, 2);
    read_until(5 * 4);
    expect_counters(2, 1);
    read_until(6 * 4);
    expect_counters(1, 1);
    read_until(7 * 4);
    expect_counters(0, 0);
    cr_assert_eq(number("adapter0.status.rrq_writes"), 2);
}

Test(sim_vcd, commands_that_end_without_completion)
{
    begin_states();
    add(1, SIM_EVENT_FETCH, 0, 5, 0);
    add(1, SIM_EVENT_MEDIA_START, 0, 0, 1);
    add(2, SIM_EVENT_FETCH, 0, 6, 0); /* the first was dropped */
    add(3, SIM_EVENT_FETCH, 1, 7, 0);
    add(3, SIM_EVENT_MEDIA_START, 1, 0, 1);
    add(3, SIM_EVENT_CTX_RESET, 6, 1, 0); /* begins: nothing is gone yet */
    add(3, SIM_EVENT_AFU_RESET, 0, 1, 0);
    add(4, SIM_EVENT_CTX_RESET, 6, 0, 1);
    add(5, SIM_EVENT_CTX_END, 7, 1, 0);
    add(6, SIM_EVENT_FETCH, 2, 8, 0);
    add(7, SIM_EVENT_AFU_RESET, 0, 0, 0);
    add(8, SIM_EVENT_RRQ, 9, 5, 0); /* of a command from before the trace */
    finish();
    read_head();
    read_until(1 * 4);
    expect_counters(1, 1);
    read_until(2 * 4);
    expect_counters(1, 0);
    read_until(3 * 4);
    expect_counters(2, 1);
    read_until(4 * 4);
    expect_counters(1, 1);
    read_until(5 * 4);
    expect_counters(0, 0);
    read_until(6 * 4);
    expect_counters(1, 0);
    read_until(8 * 4);
    expect_counters(0, 0);
}

/* Freeze, slot reset, running; then the card is pulled. */
Test(sim_vcd, states_of_the_slot)
{
    static const char *const state[] = {"running", "frozen", "slot_reset", "running", "dead"};

    begin_states();
    add(1, SIM_EVENT_PLATFORM, 0, SIM_PLATFORM_FREEZE, SIM_SLOT_FROZEN);
    add(2, SIM_EVENT_PLATFORM, 0, SIM_PLATFORM_SLOT_RESETS, SIM_SLOT_FROZEN);
    add(3, SIM_EVENT_PLATFORM, 0, SIM_PLATFORM_SLOT_RESET, SIM_SLOT_UP);
    add(4, SIM_EVENT_PLATFORM, 0, SIM_PLATFORM_REMOVE, SIM_SLOT_DEAD);
    finish();
    read_head();
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(state); i++) {
        read_until(4 * (uint64_t)i);
        cr_assert_str_eq(value("adapter0.contexts.state"), state[i]);
    }
}

Test(sim_vcd, states_faults_and_lines)
{
    begin_states();
    add(1, SIM_EVENT_CTX_START, 5, 0, 3);
    add(2, SIM_EVENT_LINK, 1, 3, 0);
    add(2, SIM_EVENT_LINK, 0, 0, 0);
    add(2, SIM_EVENT_LINK, 4, 0, 0); /* no such port */
    add(2, SIM_EVENT_LINK, 2, 9, 0); /* no such state */
    add(3, SIM_EVENT_AFU_RESET, 0, 1, 0);
    add(3, SIM_EVENT_FAULT, 16, 'd', 17);
    add(3, SIM_EVENT_DATA, 0, 127, 2);
    add(3, SIM_EVENT_DATA, 0, 128, 128);
    add(3, SIM_EVENT_DATA, 0, 1, 0);
    add(4, SIM_EVENT_AFU_RESET, 0, 0, 0);
    add(4, SIM_EVENT_CTX_END, 5, 0, 0);
    add(4, SIM_EVENT_CTX_END, 5, 0, 0); /* once too often */
    add(4, SIM_EVENT_FAULT, 99, 0, 18); /* of a newer model, perhaps */
    finish();
    read_head();
    read_until(3 * 4);
    cr_assert_str_eq(value("adapter0.contexts.state"), "resetting");
    cr_assert_eq(number("adapter0.contexts.open"), 1);
    cr_assert_str_eq(value("adapter0.port.link0"), "online");
    cr_assert_str_eq(value("adapter0.port.link1"), "going_up");
    cr_assert_str_eq(value("adapter0.port.link2"), "unknown");
    cr_assert_str_eq(value("adapter0.faults.fault"), "rrq#17=d");
    cr_assert_eq(number("adapter0.bus.data_lines"), 3);
    read_until(UINT64_MAX);
    cr_assert_str_eq(value("adapter0.contexts.state"), "running");
    cr_assert_eq(number("adapter0.contexts.open"), 0);
    cr_assert_str_eq(value("adapter0.faults.fault"), "?#18=?");
}

static void expect_slot(unsigned cycle, const char *slot, const char *expected)
{
    read_until(4 * (uint64_t)cycle);
    cr_assert_str_eq(value(slot), expected, "%s in cycle %u", slot, cycle);
}

Test(sim_vcd, what_a_slot_is_doing)
{
    const char *slot = "adapter0.slots.slot7";

    begin_states();
    add(1, SIM_EVENT_DECODE, 7, 0, 0); /* of a command from before the trace */
    add(2, SIM_EVENT_FETCH, 7, 5, 0);
    add(3, SIM_EVENT_DECODE, 7, 0, 0);
    add(4, SIM_EVENT_XLT_MISS, 7, 0, 0);
    add(5, SIM_EVENT_XLT_FILL, 7, 0, 0);
    add(6, SIM_EVENT_PORT_START, 7, 0, 0x88);
    add(7, SIM_EVENT_MEDIA_START, 7, 0, 1);
    add(8, SIM_EVENT_MEDIA_DONE, 7, 0, 0);
    add(9, SIM_EVENT_DATA, 7, 0, 4096);
    add(10, SIM_EVENT_IOASA, 7, 0, 0);
    add(11, SIM_EVENT_RRQ, 7, 5, 0);
    add(12, SIM_EVENT_FETCH, 7, 5, 0);
    add(13, SIM_EVENT_AFU_CMD, 7, 0xC0, 0);
    add(14, SIM_EVENT_AFU_CMD_DONE, 7, 5, 0);
    add(15, SIM_EVENT_CTX_END, 5, 1, 0);
    finish();
    read_head();
    expect_slot(1, slot, "free");
    expect_slot(2, slot, "fetch");
    expect_slot(3, slot, "decode");
    expect_slot(5, slot, "walk");
    expect_slot(6, slot, "port");
    expect_slot(7, slot, "media");
    expect_slot(9, slot, "data");
    expect_slot(10, slot, "status");
    expect_slot(11, slot, "free");
    expect_slot(12, slot, "fetch");
    expect_slot(13, slot, "afu");
    expect_slot(14, slot, "status");
    expect_slot(15, slot, "free");
    cr_assert_str_eq(value("adapter0.slots.slot255"), "free");
}

Test(sim_vcd, slots_that_are_stuck)
{
    begin_states();
    add(1, SIM_EVENT_FETCH, 7, 5, 0);
    add(1, SIM_EVENT_FAULT, SIM_SITE_FETCH, 'l', 1);
    add(2, SIM_EVENT_FETCH, 8, 5, 0);
    add(2, SIM_EVENT_FAULT, SIM_SITE_FETCH, 'n', 2);
    add(3, SIM_EVENT_AFU_CMD, 7, 0xC0, 0);
    add(3, SIM_EVENT_FAULT, SIM_SITE_AFUCMD, 'd', 1);
    add(4, SIM_EVENT_AFU_CMD_DONE, 7, 5, 0);
    add(5, SIM_EVENT_CTX_RESET, 5, 0, 2);
    add(6, SIM_EVENT_FETCH, 7, 5, 0);
    add(6, SIM_EVENT_AFU_CMD, 7, 0xC0, 0);
    add(7, SIM_EVENT_AFU_CMD_DONE, 7, 5, 0);
    finish();
    read_head();
    expect_slot(1, "adapter0.slots.slot7", "fetch");
    expect_slot(2, "adapter0.slots.slot8", "stuck");
    expect_slot(3, "adapter0.slots.slot7", "afu");
    expect_slot(4, "adapter0.slots.slot7", "stuck");
    expect_slot(5, "adapter0.slots.slot8", "free");
    expect_slot(7, "adapter0.slots.slot7", "status");
}

/* The end of a context frees places on the medium; its next command takes one before it goes. */
Test(sim_vcd, a_command_that_starts_while_its_context_ends_is_not_counted)
{
    begin_states();
    add(1, SIM_EVENT_FETCH, 7, 5, 0);
    add(1, SIM_EVENT_FETCH, 8, 5, 0);
    add(2, SIM_EVENT_MEDIA_START, 7, 0, 1);
    add(3, SIM_EVENT_CTX_END, 5, 2, 0);
    add(3, SIM_EVENT_MEDIA_START, 8, 0, 1);
    finish();
    read_all();
    expect_counters(0, 0);
    cr_assert_str_eq(value("adapter0.slots.slot8"), "free");
}

/* A sink must not fall over a record that it does not know. */
Test(sim_vcd, unknown_records_are_left_out)
{
    static const struct sim_trace_record r[] = {
        {.cycle = 5, .kind = SIM_EVENT_COUNT, .adapter = 0},
        {.cycle = 5, .kind = SIM_EVENT_FETCH, .adapter = 1},
        {.cycle = 5, .kind = SIM_EVENT_FETCH, .adapter = 0, .who = UINT32_MAX, .a = UINT64_MAX},
        {.cycle = 5, .kind = UINT16_MAX, .adapter = UINT16_MAX},
    };

    begin_states();
    sim_vcd_records(vcd, r, HAL_ARRAY_LENGTH(r));
    finish();
    read_all();
    cr_assert_eq(number("adapter0.fetch.events"), 1);
    cr_assert_eq(number("adapter0.fetch.fetch.slot"), UINT32_MAX);
    cr_assert_eq(reader.time, 24);
}

/* ---- head ---- */

/* Each adapter lists what differs from the default, and nothing else (TM-20). */
Test(sim_vcd, head_lists_the_parameters_that_differ)
{
    struct sim_params p[3];
    const struct sim_params *params[] = {&p[0], &p[1], &p[2]};
    struct sim_trace_info info = {.seed = UINT64_MAX, .adapters = 3, .params = params};
    char *text;

    for (unsigned i = 0; i < 3; i++)
        sim_params_default(&p[i]);
    p[0].cmd_room = 1;
    p[2].interface_version = 0x4000000000010002;
    p[2].shutdown = 0;
    start(&info);
    finish();
    text = contents(NULL);
    *strstr(text, "$timescale") = 0;
    expect_text(text,
                "$comment\n"
                "  Superpipe trace, 1 cycle = 4 ns\n"
                "  seed 0xffffffffffffffff\n"
                "  adapters 3\n"
                "  adapter0 afu.cmd_room = 1 (default 16, commands)\n"
                "  adapter2 interface_version = 0x4000000000010002 (default 0x8000000000010002, "
                "register)\n"
                "  adapter2 fc.shutdown = 0 (default 25000000, cycles)\n"
                "$end\n");
    free(text);
}

Test(sim_vcd, every_parameter_can_be_listed)
{
    struct sim_params p;
    const struct sim_params *params[] = {&p};
    struct sim_trace_info info = {.adapters = 1, .params = params};
    char *text;

    memset(&p, 0x55, sizeof p); /* no default is this */
    start(&info);
    finish();
    text = contents(NULL);
    for (size_t i = 0; i < sim_param_count; i++) {
        char line[100];
        snprintf(line, sizeof line, "\n  adapter0 %s = ", sim_param_table[i].name);
        cr_expect(strstr(text, line), "%s", line);
    }
    free(text);
}

/* ---- failures ---- */

Test(sim_vcd, open_fails_with_a_sentence)
{
    struct sim_trace_info info = {.adapters = 1};
    char why[400];

    cr_assert_eq(sim_vcd_open("/nowhere/x.vcd", &info, &vcd, why, sizeof why), -ENOENT);
    cr_assert_str_eq(why, "/nowhere/x.vcd: No such file or directory");
    cr_assert_eq(sim_vcd_open("/", &info, &vcd, why, sizeof why), -EISDIR);
    cr_assert_eq(sim_vcd_open("/", &info, &vcd, NULL, 0), -EISDIR);
    info.adapters = 0;
    cr_assert_eq(sim_vcd_open(path, &info, &vcd, why, sizeof why), -EINVAL);
    info.adapters = SIM_TRACE_ADAPTERS_MAX + 1;
    cr_assert_eq(sim_vcd_open("x", &info, &vcd, why, sizeof why), -EINVAL);
    cr_assert_str_eq(why, "x: the number of adapters must be 1 to 64");
}

Test(sim_vcd, most_adapters)
{
    struct sim_trace_info info = {.adapters = SIM_TRACE_ADAPTERS_MAX};
    const char *w;
    unsigned adapters = 0, variables = 0;

    start(&info);
    sim_trace_add(&trace, 7, SIM_EVENT_FETCH, SIM_TRACE_ADAPTERS_MAX - 1, 1, 2, 3);
    finish();
    memset(&reader, 0, sizeof reader);
    reader.text = contents(NULL);
    while ((w = word())) {
        adapters += !strncmp(w, "adapter", 7) && w[7] >= '0' && w[7] <= '9';
        variables += !strcmp(w, "$var");
    }
    cr_assert_eq(adapters, SIM_TRACE_ADAPTERS_MAX);
    cr_assert_eq(variables % SIM_TRACE_ADAPTERS_MAX, 0);
}

/* /dev/full takes no byte: the head alone fails when the file is closed, a longer trace earlier. */
Test(sim_vcd, full_disk_is_reported)
{
    struct sim_trace_info info = {.adapters = 1};
    char why[400];

    if (access("/dev/full", W_OK))
        cr_skip_test("no /dev/full");
    for (unsigned records = 0; records <= 20000; records += 20000) {
        cr_assert_eq(sim_vcd_open("/dev/full", &info, &vcd, why, sizeof why), 0);
        sim_trace_init(&trace, true);
        sim_trace_set_sink(&trace, sim_vcd_records, vcd);
        for (unsigned i = 0; i < records; i++)
            add(i, SIM_EVENT_FETCH, i % 256, i, i);
        sim_trace_set_sink(&trace, NULL, NULL);
        cr_assert_eq(sim_vcd_close(vcd, why, sizeof why), -ENOSPC);
        cr_assert_str_eq(why, "/dev/full: No space left on device");
    }
}
