/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_vcd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_fault.h"

#define SLOTS 256u
#define FIELDS 3u
#define LINE_BYTES 128u

/* Variables beside the fields of records. */
enum extra {
    EXTRA_DOORBELLS,
    EXTRA_IN_FLIGHT,
    EXTRA_OUTSTANDING,
    EXTRA_DATA_LINES,
    EXTRA_RRQ_WRITES,
    EXTRA_OPEN,
    EXTRA_STATE,
    EXTRA_LINK0,
    EXTRA_LINK1,
    EXTRA_LINK2,
    EXTRA_LINK3,
    EXTRA_FAULT,
    EXTRA_COUNT
};

/* text: value of a string variable before the first record; NULL = a vector, which begins at 0. */
static const struct {
    const char *track, *name, *text;
    unsigned width;
} extra_table[EXTRA_COUNT] = {
    [EXTRA_DOORBELLS] = {"doorbell", "doorbells", NULL, 64},
    [EXTRA_IN_FLIGHT] = {"fetch", "in_flight", NULL, 16},
    [EXTRA_OUTSTANDING] = {"media", "outstanding", NULL, 16},
    [EXTRA_DATA_LINES] = {"bus", "data_lines", NULL, 64},
    [EXTRA_RRQ_WRITES] = {"status", "rrq_writes", NULL, 64},
    [EXTRA_OPEN] = {"contexts", "open", NULL, 16},
    [EXTRA_STATE] = {"contexts", "state", "running", 1},
    [EXTRA_LINK0] = {"port", "link0", "unknown", 1},
    [EXTRA_LINK1] = {"port", "link1", "unknown", 1},
    [EXTRA_LINK2] = {"port", "link2", "unknown", 1},
    [EXTRA_LINK3] = {"port", "link3", "unknown", 1},
    [EXTRA_FAULT] = {"faults", "fault", "none", 1},
};

static const char *const link_names[] = {"online", "going_down", "offline",   "going_up",
                                         "flogi",  "plogi",      "logged_out"};

/* What a command slot is doing, as far as the records tell. */
enum slot_state {
    SLOT_FREE,
    SLOT_FETCH,
    SLOT_DECODE,
    SLOT_WALK,
    SLOT_PORT,
    SLOT_MEDIA,
    SLOT_DATA,
    SLOT_AFU,
    SLOT_STATUS,
    SLOT_STUCK,
};

static const char *const slot_names[] = {
    [SLOT_FREE] = "free",   [SLOT_FETCH] = "fetch", [SLOT_DECODE] = "decode",
    [SLOT_WALK] = "walk",   [SLOT_PORT] = "port",   [SLOT_MEDIA] = "media",
    [SLOT_DATA] = "data",   [SLOT_AFU] = "afu",     [SLOT_STATUS] = "status",
    [SLOT_STUCK] = "stuck",
};

/* Variables of an adapter in the order of their numbers: `event` and `events` of each track, the
 * fields of each kind, the extras, the states of slots. There are at most as many tracks as kinds.
 */
#define VAR_FIELDS (2u * SIM_EVENT_COUNT)
#define VAR_EXTRAS (VAR_FIELDS + FIELDS * SIM_EVENT_COUNT)
#define VAR_SLOTS (VAR_EXTRAS + EXTRA_COUNT)
#define VARS (VAR_SLOTS + SLOTS)

/* A command slot, as far as the records tell. */
struct slot {
    uint32_t context;
    bool in_flight, on_media;
};

struct adapter {
    uint64_t value[VARS]; /* last written; of a string, a number that stands for it */
    bool known[VARS];
    struct slot slot[SLOTS];
    unsigned slots;   /* that the adapter has; they are shown */
    uint32_t fetched; /* slot of the last FETCH */
    bool answer_lost; /* a fault loses the answer of the AFU command at work */
};

struct sim_vcd {
    struct sim_trace_output output;
    FILE *out;      /* output.file */
    uint64_t cycle; /* last time stamp */
    unsigned adapters, tracks;
    uint8_t track_of[SIM_EVENT_COUNT];
    const char *track[SIM_EVENT_COUNT];
    struct adapter adapter[];
};

/* ---- text ---- */

/* The short code of a variable: digits of base 94 from '!' on. */
static void put_code(struct sim_vcd *v, unsigned adapter, unsigned var)
{
    unsigned n = adapter * VARS + var;

    do
        putc_unlocked('!' + (int)(n % 94), v->out);
    while (n /= 94);
}

static void put_time(struct sim_vcd *v, uint64_t cycle)
{
    fprintf(v->out, "#%" PRIu64 "\n", cycle * SIM_TRACE_CYCLE_NS);
}

/* A vector takes a new value. */
static void put_vector(struct sim_vcd *v, unsigned adapter, unsigned var, uint64_t value)
{
    struct adapter *a = &v->adapter[adapter];
    char digits[65];
    size_t at = sizeof digits;

    if (a->known[var] && a->value[var] == value)
        return;
    a->known[var] = true;
    a->value[var] = value;
    digits[--at] = ' ';
    do
        digits[--at] = (char)('0' + (value & 1));
    while (value >>= 1);
    putc_unlocked('b', v->out);
    fwrite_unlocked(digits + at, 1, sizeof digits - at, v->out);
    put_code(v, adapter, var);
    putc_unlocked('\n', v->out);
}

/* A string takes a new value; equal numbers mean equal texts. */
static void put_string(struct sim_vcd *v, unsigned adapter, unsigned var, uint64_t number,
                       const char *text)
{
    struct adapter *a = &v->adapter[adapter];

    if (a->known[var] && a->value[var] == number)
        return;
    a->known[var] = true;
    a->value[var] = number;
    putc_unlocked('s', v->out);
    fputs_unlocked(text, v->out);
    putc_unlocked(' ', v->out);
    put_code(v, adapter, var);
    putc_unlocked('\n', v->out);
}

/* ---- head ---- */

/* One line for each parameter of an adapter that differs from the default. */
static void put_differences(struct sim_vcd *v, unsigned adapter, const struct sim_trace_info *info)
{
    char now[SIM_PARAMS_VALUE_BYTES], dflt[SIM_PARAMS_VALUE_BYTES];
    size_t k = 0;

    while ((k = sim_trace_next_difference(info, adapter, k)) < sim_param_count) {
        const struct sim_param_info *row = &sim_param_table[k++];
        sim_params_format(row, sim_params_get(info->params[adapter], row), now);
        sim_params_format(row, row->dflt, dflt);
        fprintf(v->out, "  adapter%u %s = %s (default %s, %s)\n", adapter, row->name, now, dflt,
                row->unit);
    }
}

static void put_comment(struct sim_vcd *v, const struct sim_trace_info *info)
{
    fprintf(v->out, "$comment\n  Superpipe trace, 1 cycle = %u ns\n  seed 0x%" PRIx64 "\n",
            SIM_TRACE_CYCLE_NS, info->seed);
    fprintf(v->out, "  adapters %u\n", info->adapters);
    for (unsigned n = 0; n < info->adapters; n++)
        put_differences(v, n, info);
    fputs("$end\n$timescale 1 ns $end\n", v->out);
}

static void put_variable(struct sim_vcd *v, unsigned adapter, unsigned var, const char *type,
                         unsigned width, const char *name)
{
    fprintf(v->out, "$var %s %u ", type, width);
    put_code(v, adapter, var);
    fprintf(v->out, " %s $end\n", name);
}

static void put_scope(struct sim_vcd *v, const char *name)
{
    fputs("$scope module ", v->out);
    for (; *name; name++)
        putc_unlocked(*name == '.' ? '_' : *name, v->out); /* a point would part scopes */
    fputs(" $end\n", v->out);
}

static void put_upscope(struct sim_vcd *v) { fputs("$upscope $end\n", v->out); }

static const char *field_name(unsigned kind, unsigned field)
{
    const struct sim_event_info *e = &sim_event_table[kind];

    return field == 0 ? e->who : field == 1 ? e->a : e->b;
}

static bool has_field(unsigned kind, unsigned field)
{
    return strcmp(field_name(kind, field), "none") != 0;
}

static void put_kind(struct sim_vcd *v, unsigned adapter, unsigned kind)
{
    put_scope(v, sim_event_table[kind].name);
    for (unsigned f = 0; f < FIELDS; f++)
        if (has_field(kind, f))
            put_variable(v, adapter, VAR_FIELDS + kind * FIELDS + f, "wire", f ? 64 : 32,
                         field_name(kind, f));
    put_upscope(v);
}

static void put_track(struct sim_vcd *v, unsigned adapter, unsigned track)
{
    put_scope(v, v->track[track]);
    put_variable(v, adapter, 2 * track, "string", 1, "event");
    put_variable(v, adapter, 2 * track + 1, "wire", 64, "events");
    for (unsigned x = 0; x < EXTRA_COUNT; x++)
        if (!strcmp(extra_table[x].track, v->track[track]))
            put_variable(v, adapter, VAR_EXTRAS + x, extra_table[x].text ? "string" : "wire",
                         extra_table[x].width, extra_table[x].name);
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++)
        if (v->track_of[k] == track)
            put_kind(v, adapter, k);
    put_upscope(v);
}

static void put_slots(struct sim_vcd *v, unsigned adapter)
{
    char name[32];

    put_scope(v, "slots");
    for (unsigned i = 0; i < v->adapter[adapter].slots; i++) {
        snprintf(name, sizeof name, "slot%u", i);
        put_variable(v, adapter, VAR_SLOTS + i, "string", 1, name);
    }
    put_upscope(v);
}

static void put_declarations(struct sim_vcd *v)
{
    char name[32];

    for (unsigned n = 0; n < v->adapters; n++) {
        snprintf(name, sizeof name, "adapter%u", n);
        put_scope(v, name);
        for (unsigned t = 0; t < v->tracks; t++)
            put_track(v, n, t);
        put_slots(v, n);
        put_upscope(v);
    }
    fputs("$enddefinitions $end\n", v->out);
}

static void put_slot(struct sim_vcd *v, unsigned adapter, unsigned slot, enum slot_state state)
{
    if (slot < v->adapter[adapter].slots)
        put_string(v, adapter, VAR_SLOTS + slot, state, slot_names[state]);
}

/* Counters and states have a value from the start; the fields of records are unknown. */
static void put_start_values(struct sim_vcd *v)
{
    put_time(v, 0);
    fputs("$dumpvars\n", v->out);
    for (unsigned n = 0; n < v->adapters; n++) {
        for (unsigned t = 0; t < v->tracks; t++)
            put_vector(v, n, 2 * t + 1, 0);
        for (unsigned x = 0; x < EXTRA_COUNT; x++) {
            if (extra_table[x].text)
                put_string(v, n, VAR_EXTRAS + x, 0, extra_table[x].text);
            else
                put_vector(v, n, VAR_EXTRAS + x, 0);
        }
        for (unsigned i = 0; i < v->adapter[n].slots; i++)
            put_slot(v, n, i, SLOT_FREE);
    }
    fputs("$end\n", v->out);
}

/* Numbers the tracks in the order in which the table names them first. */
static void find_tracks(struct sim_vcd *v)
{
    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++) {
        unsigned t = 0;
        while (t < v->tracks && strcmp(v->track[t], sim_event_table[k].track))
            t++;
        if (t == v->tracks)
            v->track[v->tracks++] = sim_event_table[k].track;
        v->track_of[k] = (uint8_t)t;
    }
}

static void count_slots(struct sim_vcd *v, const struct sim_trace_info *info)
{
    for (unsigned n = 0; n < v->adapters; n++)
        v->adapter[n].slots =
            info->params ? (unsigned)hal_min64(info->params[n]->cmd_slots, SLOTS) : SLOTS;
}

int sim_vcd_open(const char *path, const struct sim_trace_info *info, struct sim_vcd **out,
                 char *why, size_t size)
{
    size_t bytes = sizeof(struct sim_vcd) + info->adapters * sizeof(struct adapter);
    struct sim_trace_output *o;
    struct sim_vcd *v;
    int rc = sim_trace_output_open(path, info, bytes, &o, why, size);

    if (rc)
        return rc;
    v = HAL_CONTAINER_OF(o, struct sim_vcd, output);
    v->out = o->file;
    v->adapters = info->adapters;
    find_tracks(v);
    count_slots(v, info);
    errno = 0;
    put_comment(v, info);
    put_declarations(v);
    put_start_values(v);
    (void)sim_trace_output_check(o);
    *out = v;
    return 0;
}

/* ---- what records mean ---- */

/* Moves a counter; one that would fall below 0 stays (a trace may begin in the middle). */
static void count(struct sim_vcd *v, unsigned adapter, enum extra x, int64_t change)
{
    uint64_t now = v->adapter[adapter].value[VAR_EXTRAS + x];

    if (change >= 0 || now >= (uint64_t)-change)
        put_vector(v, adapter, VAR_EXTRAS + x, now + (uint64_t)change);
}

static void leave_media(struct sim_vcd *v, unsigned adapter, struct slot *s)
{
    if (s->on_media)
        count(v, adapter, EXTRA_OUTSTANDING, -1);
    s->on_media = false;
}

/* A command that goes with its context may let the next one of the same context start first. */
static void start_media(struct sim_vcd *v, unsigned adapter, struct slot *s)
{
    leave_media(v, adapter, s);
    s->on_media = s->in_flight;
    if (s->on_media)
        count(v, adapter, EXTRA_OUTSTANDING, 1);
}

static void leave_slot(struct sim_vcd *v, unsigned adapter, struct slot *s)
{
    leave_media(v, adapter, s);
    if (s->in_flight)
        count(v, adapter, EXTRA_IN_FLIGHT, -1);
    s->in_flight = false;
}

static void leave_slots(struct sim_vcd *v, unsigned adapter, bool all, uint32_t context)
{
    struct slot *s = v->adapter[adapter].slot;

    for (unsigned i = 0; i < SLOTS; i++)
        if (all || s[i].context == context) {
            leave_slot(v, adapter, &s[i]);
            put_slot(v, adapter, i, SLOT_FREE);
        }
}

/* The state that a record of a command begins; SLOT_FREE = it begins none. */
static enum slot_state state_after(const struct sim_vcd *v, const struct sim_trace_record *r)
{
    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_FETCH:
        return SLOT_FETCH;
    case SIM_EVENT_DECODE:
        return SLOT_DECODE;
    case SIM_EVENT_XLT_MISS:
        return SLOT_WALK;
    case SIM_EVENT_PORT_START:
        return SLOT_PORT;
    case SIM_EVENT_MEDIA_START:
        return SLOT_MEDIA;
    case SIM_EVENT_MEDIA_DONE:
    case SIM_EVENT_DATA:
        return SLOT_DATA;
    case SIM_EVENT_AFU_CMD:
        return SLOT_AFU;
    case SIM_EVENT_AFU_CMD_DONE:
        return v->adapter[r->adapter].answer_lost ? SLOT_STUCK : SLOT_STATUS;
    case SIM_EVENT_IOASA:
        return SLOT_STATUS;
    default:
        return SLOT_FREE;
    }
}

/* Faults that hold a command for ever: the record of a fetch comes just before that of its fault,
 * and there is one AFU command at a time. */
static void follow_stuck(struct sim_vcd *v, const struct sim_trace_record *r)
{
    struct adapter *a = &v->adapter[r->adapter];

    if (r->who == SIM_SITE_FETCH && r->a == SIM_EFFECT_NEVER && a->slot[a->fetched].in_flight)
        put_slot(v, r->adapter, a->fetched, SLOT_STUCK);
    if (r->who == SIM_SITE_AFUCMD)
        a->answer_lost = r->a == SIM_EFFECT_NEVER || r->a == SIM_EFFECT_DROP;
}

static void follow_slot(struct sim_vcd *v, const struct sim_trace_record *r)
{
    struct slot *s = &v->adapter[r->adapter].slot[r->who % SLOTS];
    enum slot_state state = state_after(v, r);

    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_FETCH:
        leave_slot(v, r->adapter, s); /* a command that was dropped leaves no record */
        *s = (struct slot){.context = (uint32_t)r->a, .in_flight = true};
        v->adapter[r->adapter].fetched = r->who % SLOTS;
        count(v, r->adapter, EXTRA_IN_FLIGHT, 1);
        break;
    case SIM_EVENT_MEDIA_START:
        start_media(v, r->adapter, s);
        break;
    case SIM_EVENT_MEDIA_DONE:
        leave_media(v, r->adapter, s);
        break;
    case SIM_EVENT_AFU_CMD:
        v->adapter[r->adapter].answer_lost = false; /* its fault comes after it */
        break;
    case SIM_EVENT_RRQ:
        leave_slot(v, r->adapter, s);
        put_slot(v, r->adapter, r->who % SLOTS, SLOT_FREE);
        count(v, r->adapter, EXTRA_RRQ_WRITES, 1);
        break;
    default:
        break;
    }
    if (state != SLOT_FREE && s->in_flight)
        put_slot(v, r->adapter, r->who % SLOTS, state);
}

/* Lines that a transfer touches. */
static int64_t lines(uint64_t address, uint64_t bytes)
{
    return bytes ? (int64_t)((address % LINE_BYTES + bytes + LINE_BYTES - 1) / LINE_BYTES) : 0;
}

/* "rrq#17=d", as in a plan. */
static void put_fault(struct sim_vcd *v, const struct sim_trace_record *r)
{
    const char *site = r->who < SIM_SITE_COUNT ? sim_site_name((enum sim_site)r->who) : "?";
    int effect = r->a > ' ' && r->a <= '~' ? (int)r->a : '?';
    uint64_t before = v->adapter[r->adapter].value[VAR_EXTRAS + EXTRA_FAULT];
    char text[64];

    snprintf(text, sizeof text, "%s#%" PRIu64 "=%c", site, r->b, effect);
    put_string(v, r->adapter, VAR_EXTRAS + EXTRA_FAULT, before + 1, text);
}

static void follow_slot_of_card(struct sim_vcd *v, const struct sim_trace_record *r)
{
    static const char *const name[] = {
        [SIM_SLOT_UP] = "running", [SIM_SLOT_FROZEN] = "frozen", [SIM_SLOT_DEAD] = "dead"};
    bool resets = r->a == SIM_PLATFORM_SLOT_RESETS;

    if (r->b < HAL_ARRAY_LENGTH(name)) /* 0 and 1 are those of the AFU reset */
        put_string(v, r->adapter, VAR_EXTRAS + EXTRA_STATE,
                   resets ? 4
                   : r->b ? 1 + r->b
                          : 0,
                   resets ? "slot_reset" : name[r->b]);
}

static void follow(struct sim_vcd *v, const struct sim_trace_record *r)
{
    switch ((enum sim_event_kind)r->kind) {
    case SIM_EVENT_DOORBELL:
        count(v, r->adapter, EXTRA_DOORBELLS, 1);
        break;
    case SIM_EVENT_DATA:
        count(v, r->adapter, EXTRA_DATA_LINES, lines(r->a, r->b));
        break;
    case SIM_EVENT_CTX_START:
        count(v, r->adapter, EXTRA_OPEN, 1);
        break;
    case SIM_EVENT_CTX_END:
        count(v, r->adapter, EXTRA_OPEN, -1);
        leave_slots(v, r->adapter, false, r->who);
        break;
    case SIM_EVENT_CTX_RESET: /* commands go on until it is over */
        if (!r->a)
            leave_slots(v, r->adapter, false, r->who);
        break;
    case SIM_EVENT_AFU_RESET:
        if (!r->a)
            leave_slots(v, r->adapter, true, 0);
        put_string(v, r->adapter, VAR_EXTRAS + EXTRA_STATE, r->a != 0,
                   r->a ? "resetting" : "running");
        break;
    case SIM_EVENT_LINK:
        if (r->who < 4 && r->a < HAL_ARRAY_LENGTH(link_names))
            put_string(v, r->adapter, VAR_EXTRAS + EXTRA_LINK0 + r->who, r->a + 1,
                       link_names[r->a]);
        break;
    case SIM_EVENT_PLATFORM:
        follow_slot_of_card(v, r);
        break;
    case SIM_EVENT_FAULT:
        put_fault(v, r);
        follow_stuck(v, r);
        break;
    default:
        follow_slot(v, r);
        break;
    }
}

static void put_record(struct sim_vcd *v, const struct sim_trace_record *r)
{
    const uint64_t field[FIELDS] = {r->who, r->a, r->b};
    unsigned track = v->track_of[r->kind];
    uint64_t events = v->adapter[r->adapter].value[2 * track + 1];

    if (r->cycle > v->cycle) {
        v->cycle = r->cycle;
        put_time(v, r->cycle);
    }
    put_string(v, r->adapter, 2 * track, r->kind, sim_event_table[r->kind].name);
    put_vector(v, r->adapter, 2 * track + 1, events + 1);
    for (unsigned f = 0; f < FIELDS; f++)
        if (has_field(r->kind, f))
            put_vector(v, r->adapter, VAR_FIELDS + r->kind * FIELDS + f, field[f]);
    follow(v, r);
}

void sim_vcd_records(void *arg, const struct sim_trace_record *records, size_t n)
{
    struct sim_vcd *v = arg;

    errno = 0;
    for (size_t i = 0; i < n && !sim_trace_output_check(&v->output); i++)
        if (records[i].adapter < v->adapters && records[i].kind < SIM_EVENT_COUNT)
            put_record(v, &records[i]);
    (void)sim_trace_output_check(&v->output);
}

int sim_vcd_close(struct sim_vcd *v, char *why, size_t size)
{
    errno = 0;
    if (!v->output.error)
        put_time(v, v->cycle + 1); /* so that a viewer shows the last cycle */
    (void)sim_trace_output_check(&v->output);
    return sim_trace_output_close(&v->output, why, size);
}
