/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_chrome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_fault.h"
#include "sim/sim_strict.h"

#define SLOTS 256u
#define CONTEXTS 512u
#define FIELDS 3u
#define CONTEXT_THREAD 1000u /* thread number of context 0; blocks count from 1 */

/* Largest integer that every reader of JSON keeps exactly. */
#define JSON_INTEGER_MAX ((UINT64_C(1) << 53) - 1)

/* A command slot. */
struct slot {
    uint64_t command; /* running number over all adapters */
    uint32_t context;
    uint16_t stage; /* kind of the record that began it */
    bool in_flight, on_media;
};

struct adapter {
    struct slot slot[SLOTS];
    uint64_t named[CONTEXTS / 64]; /* contexts whose thread has a name */
    uint64_t in_flight, on_media;
};

/* What a kind of record means here. */
struct kind {
    uint8_t track;    /* thread number */
    bool mark;        /* a marker, not a slice */
    bool stage;       /* begins a stage of a command */
    bool context_too; /* is shown in the thread of its context as well */
    bool has[FIELDS]; /* the field means something */
    bool hex[FIELDS]; /* and is an address or bits */
};

struct sim_chrome {
    struct sim_trace_output output;
    FILE *out;      /* output.file */
    uint64_t cycle; /* of the last record */
    uint64_t commands;
    unsigned adapters, tracks;
    bool comma; /* an event stands before this one */
    struct kind kind[SIM_EVENT_COUNT];
    const char *track[SIM_EVENT_COUNT];
    struct adapter adapter[];
};

/* ---- text ---- */

static void put(struct sim_chrome *c, const char *text) { fputs_unlocked(text, c->out); }

/* Digits of `value`, at least `width` of them; fprintf would take most of the time of a trace. */
static void put_number(struct sim_chrome *c, uint64_t value, unsigned base, unsigned width)
{
    char digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value || sizeof digits - at < width);
    fwrite_unlocked(digits + at, 1, sizeof digits - at, c->out);
}

/* Microseconds with three decimals. */
static void put_time(struct sim_chrome *c, uint64_t cycle)
{
    uint64_t ns = cycle * SIM_TRACE_CYCLE_NS;

    put_number(c, ns / 1000, 10, 1);
    putc_unlocked('.', c->out);
    put_number(c, ns % 1000, 10, 3);
}

/* Opens an event: {"ph":"X","pid":1,"tid":3,"ts":1.234,"name":"fetch" */
static void put_event(struct sim_chrome *c, char ph, unsigned adapter, unsigned thread,
                      const char *name)
{
    put(c, c->comma ? ",\n{\"ph\":\"" : "\n{\"ph\":\"");
    c->comma = true;
    putc_unlocked(ph, c->out);
    put(c, "\",\"pid\":");
    put_number(c, adapter + 1, 10, 1);
    put(c, ",\"tid\":");
    put_number(c, thread, 10, 1);
    put(c, ",\"ts\":");
    put_time(c, c->cycle);
    put(c, ",\"name\":\"");
    put(c, name);
    putc_unlocked('"', c->out);
}

static const char *field_name(unsigned kind, unsigned field)
{
    const struct sim_event_info *e = &sim_event_table[kind];

    return field == 0 ? e->who : field == 1 ? e->a : e->b;
}

/* ,"args":{"slot":3,"address":"0x80"} */
static void put_fields(struct sim_chrome *c, const struct sim_trace_record *r)
{
    const uint64_t field[FIELDS] = {r->who, r->a, r->b};
    const struct kind *kind = &c->kind[r->kind];
    const char *before = ",\"args\":{\"";
    const char *after = "";

    for (unsigned f = 0; f < FIELDS; f++) {
        bool text = kind->hex[f] || field[f] > JSON_INTEGER_MAX;
        if (!kind->has[f])
            continue;
        put(c, before);
        put(c, field_name(r->kind, f));
        put(c, text ? "\":\"0x" : "\":");
        put_number(c, field[f], text ? 16 : 10, 1);
        put(c, text ? "\"" : "");
        before = ",\"";
        after = "}";
    }
    put(c, after);
}

/* ---- head ---- */

/* One member for each parameter of an adapter that differs from the default. */
static void put_differences(struct sim_chrome *c, unsigned adapter,
                            const struct sim_trace_info *info)
{
    char now[SIM_PARAMS_VALUE_BYTES], dflt[SIM_PARAMS_VALUE_BYTES];
    size_t k = 0;

    while ((k = sim_trace_next_difference(info, adapter, k)) < sim_param_count) {
        const struct sim_param_info *row = &sim_param_table[k++];
        sim_params_format(row, sim_params_get(info->params[adapter], row), now);
        sim_params_format(row, row->dflt, dflt);
        fprintf(c->out, ",\n\"adapter%u %s\":\"%s (default %s, %s)\"", adapter, row->name, now,
                dflt, row->unit);
    }
}

static void put_head(struct sim_chrome *c, const struct sim_trace_info *info)
{
    fprintf(c->out, "{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"seed\":\"0x%" PRIx64 "\"",
            info->seed);
    fprintf(c->out, ",\n\"adapters\":\"%u\"", info->adapters);
    for (unsigned n = 0; n < info->adapters; n++)
        put_differences(c, n, info);
    put(c, "},\n\"traceEvents\":[");
}

static void put_thread(struct sim_chrome *c, unsigned adapter, unsigned thread, const char *name)
{
    put_event(c, 'M', adapter, thread, "thread_name");
    fprintf(c->out, ",\"args\":{\"name\":\"%s\"}}", name);
    put_event(c, 'M', adapter, thread, "thread_sort_index");
    fprintf(c->out, ",\"args\":{\"sort_index\":%u}}", thread);
}

static void put_threads(struct sim_chrome *c)
{
    for (unsigned n = 0; n < c->adapters; n++) {
        put_event(c, 'M', n, 0, "process_name");
        fprintf(c->out, ",\"args\":{\"name\":\"adapter%u\"}}", n);
        for (unsigned t = 0; t < c->tracks; t++)
            put_thread(c, n, t + 1, c->track[t]);
    }
}

/* The thread of a context, named when it is first used. */
static unsigned context_thread(struct sim_chrome *c, unsigned adapter, uint32_t context)
{
    uint64_t *word = &c->adapter[adapter].named[context % CONTEXTS / 64];
    char name[32];

    if (!(*word & HAL_BIT(context % 64))) {
        *word |= HAL_BIT(context % 64);
        snprintf(name, sizeof name, "context %u", (unsigned)(context % CONTEXTS));
        put_thread(c, adapter, CONTEXT_THREAD + context % CONTEXTS, name);
    }
    return CONTEXT_THREAD + context % CONTEXTS;
}

/* ---- table of kinds ---- */

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(text, list[i]))
            return true;
    return false;
}

static bool is_hex(const char *field)
{
    static const char *const list[] = {"address", "bits",   "dsisr", "element", "ioasc", "offset",
                                       "opcode",  "status", "value", "word0",   "word1", "request"};

    return is_one_of(field, list, HAL_ARRAY_LENGTH(list));
}

static bool is_mark(unsigned kind)
{
    return kind == SIM_EVENT_FAULT || kind == SIM_EVENT_VIOLATION ||
           kind == SIM_EVENT_MODEL_ERROR || kind == SIM_EVENT_NOTE;
}

/* A stage of a command lasts from its record to that of the next stage. */
static bool is_stage(unsigned kind)
{
    switch ((enum sim_event_kind)kind) {
    case SIM_EVENT_FETCH:
    case SIM_EVENT_DECODE:
    case SIM_EVENT_XLT_MISS:
    case SIM_EVENT_XLT_HIT:
    case SIM_EVENT_PORT_START:
    case SIM_EVENT_MEDIA_START:
    case SIM_EVENT_MEDIA_DONE:
    case SIM_EVENT_DATA:
    case SIM_EVENT_AFU_CMD:
    case SIM_EVENT_AFU_CMD_DONE:
    case SIM_EVENT_IOASA:
    case SIM_EVENT_RRQ:
        return true;
    default:
        return false;
    }
}

static unsigned find_track(struct sim_chrome *c, const char *track)
{
    unsigned t = 0;

    while (t < c->tracks && strcmp(c->track[t], track))
        t++;
    if (t == c->tracks)
        c->track[c->tracks++] = track;
    return t;
}

static void describe_kinds(struct sim_chrome *c)
{
    static const char *const tracks[] = {"contexts", "interrupt", "checker"};

    for (unsigned k = 0; k < SIM_EVENT_COUNT; k++) {
        struct kind *kind = &c->kind[k];
        kind->track = (uint8_t)(find_track(c, sim_event_table[k].track) + 1);
        kind->mark = is_mark(k);
        kind->stage = is_stage(k);
        kind->context_too = !strcmp(sim_event_table[k].who, "context") &&
                            is_one_of(sim_event_table[k].track, tracks, HAL_ARRAY_LENGTH(tracks));
        for (unsigned f = 0; f < FIELDS; f++) {
            kind->has[f] = strcmp(field_name(k, f), "none") != 0;
            kind->hex[f] = is_hex(field_name(k, f));
        }
    }
}

/* ---- open ---- */

int sim_chrome_open(const char *path, const struct sim_trace_info *info, struct sim_chrome **out,
                    char *why, size_t size)
{
    size_t bytes = sizeof(struct sim_chrome) + info->adapters * sizeof(struct adapter);
    struct sim_trace_output *o;
    struct sim_chrome *c;
    int rc = sim_trace_output_open(path, info, bytes, &o, why, size);

    if (rc)
        return rc;
    c = HAL_CONTAINER_OF(o, struct sim_chrome, output);
    c->out = o->file;
    c->adapters = info->adapters;
    describe_kinds(c);
    errno = 0;
    put_head(c, info);
    put_threads(c);
    (void)sim_trace_output_check(o);
    *out = c;
    return 0;
}

/* ---- commands ---- */

static void put_counter(struct sim_chrome *c, unsigned adapter, const char *name, uint64_t value)
{
    put_event(c, 'C', adapter, 0, name);
    put(c, ",\"args\":{\"count\":");
    put_number(c, value, 10, 1);
    put(c, "}}");
}

/* Begins ('b') or ends ('e') a span of a command; the caller adds arguments and closes it. Spans
 * of one command nest because they have the same id. */
static void put_span(struct sim_chrome *c, char ph, unsigned adapter, const struct slot *s,
                     const char *name)
{
    put_event(c, ph, adapter, context_thread(c, adapter, s->context), name);
    put(c, ",\"cat\":\"command\",\"id\":\"0x");
    put_number(c, s->command, 16, 1);
    putc_unlocked('"', c->out);
}

static void put_stage(struct sim_chrome *c, char ph, unsigned adapter, const struct slot *s)
{
    put_span(c, ph, adapter, s, sim_event_table[s->stage].name);
    putc_unlocked('}', c->out);
}

/* Viewers gather spans by name, so the name has the context. */
static void put_command(struct sim_chrome *c, char ph, unsigned adapter, unsigned slot,
                        const char *outcome)
{
    struct slot *s = &c->adapter[adapter].slot[slot];
    char name[40];

    snprintf(name, sizeof name, "command of context %u", (unsigned)s->context);
    put_span(c, ph, adapter, s, name);
    put(c, ",\"args\":{\"slot\":");
    put_number(c, slot, 10, 1);
    if (outcome) {
        put(c, ",\"outcome\":\"");
        put(c, outcome);
        putc_unlocked('"', c->out);
    }
    put(c, "}}");
}

static void set_media(struct sim_chrome *c, unsigned adapter, struct slot *s, bool on)
{
    struct adapter *a = &c->adapter[adapter];

    if (s->on_media == on)
        return;
    s->on_media = on;
    a->on_media += on ? 1 : (uint64_t)-1;
    put_counter(c, adapter, "operations on media", a->on_media);
}

static void end_command(struct sim_chrome *c, unsigned adapter, unsigned slot, const char *outcome)
{
    struct slot *s = &c->adapter[adapter].slot[slot];

    if (!s->in_flight)
        return;
    set_media(c, adapter, s, false);
    put_stage(c, 'e', adapter, s);
    put_command(c, 'e', adapter, slot, outcome);
    s->in_flight = false;
    put_counter(c, adapter, "commands in flight", --c->adapter[adapter].in_flight);
}

static void end_commands(struct sim_chrome *c, unsigned adapter, bool all, uint32_t context,
                         const char *outcome)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (all || c->adapter[adapter].slot[i].context == context)
            end_command(c, adapter, i, outcome);
}

static void begin_command(struct sim_chrome *c, const struct sim_trace_record *r)
{
    struct slot *s = &c->adapter[r->adapter].slot[r->who % SLOTS];

    end_command(c, r->adapter, r->who % SLOTS, "dropped"); /* which leaves no record */
    *s = (struct slot){
        .command = ++c->commands, .context = (uint32_t)r->a, .stage = r->kind, .in_flight = true};
    put_command(c, 'b', r->adapter, r->who % SLOTS, NULL);
    put_stage(c, 'b', r->adapter, s);
    put_counter(c, r->adapter, "commands in flight", ++c->adapter[r->adapter].in_flight);
}

/* The arrow of a command: starts at its fetch, ends at its RRQ element. */
static void put_arrow(struct sim_chrome *c, const struct sim_trace_record *r)
{
    const struct slot *s = &c->adapter[r->adapter].slot[r->who % SLOTS];
    char ph = 't';

    if (r->kind == SIM_EVENT_FETCH)
        ph = 's';
    else if (r->kind == SIM_EVENT_RRQ)
        ph = 'f';
    put_event(c, ph, r->adapter, c->kind[r->kind].track, "way of a command");
    put(c, ",\"cat\":\"way\",\"id\":\"0x");
    put_number(c, s->command, 16, 1);
    put(c, ph == 'f' ? "\",\"bp\":\"e\"}" : "\"}");
}

static void follow_stage(struct sim_chrome *c, const struct sim_trace_record *r)
{
    struct slot *s = &c->adapter[r->adapter].slot[r->who % SLOTS];

    if (r->kind == SIM_EVENT_FETCH)
        begin_command(c, r);
    if (!s->in_flight)
        return; /* the trace begins in the middle of this command */
    put_arrow(c, r);
    if (r->kind == SIM_EVENT_RRQ) {
        end_command(c, r->adapter, r->who % SLOTS, "done");
        return;
    }
    set_media(c, r->adapter, s, r->kind == SIM_EVENT_MEDIA_START);
    if (r->kind == SIM_EVENT_FETCH)
        return;
    put_stage(c, 'e', r->adapter, s);
    s->stage = r->kind;
    put_stage(c, 'b', r->adapter, s);
}

/* ---- records ---- */

/* A marker; faults are named as in a plan: "rrq#17=d", breaches of a rule by it. */
static void put_mark(struct sim_chrome *c, const struct sim_trace_record *r, unsigned thread,
                     char scope)
{
    char text[64];
    const char *name = sim_event_table[r->kind].name;

    if (r->kind == SIM_EVENT_FAULT) {
        bool printable = r->a > ' ' && r->a <= '~' && r->a != '"' && r->a != '\\';
        snprintf(text, sizeof text, "%s#%" PRIu64 "=%c",
                 r->who < SIM_SITE_COUNT ? sim_site_name((enum sim_site)r->who) : "?", r->b,
                 printable ? (int)r->a : '?');
        name = text;
    } else if (r->kind == SIM_EVENT_VIOLATION || r->kind == SIM_EVENT_MODEL_ERROR) {
        snprintf(text, sizeof text, "%s %s", name, sim_rule_name(r->a));
        name = text;
    }
    put_event(c, 'i', r->adapter, thread, name);
    put(c, ",\"s\":\"");
    putc_unlocked(scope, c->out);
    putc_unlocked('"', c->out);
    put_fields(c, r);
    putc_unlocked('}', c->out);
}

/* A slice of one cycle. */
static void put_slice(struct sim_chrome *c, const struct sim_trace_record *r)
{
    put_event(c, 'X', r->adapter, c->kind[r->kind].track, sim_event_table[r->kind].name);
    put(c, ",\"dur\":");
    put_number(c, 0, 10, 1);
    putc_unlocked('.', c->out);
    put_number(c, SIM_TRACE_CYCLE_NS, 10, 3);
    put_fields(c, r);
    putc_unlocked('}', c->out);
}

static void put_record(struct sim_chrome *c, const struct sim_trace_record *r)
{
    const struct kind *kind = &c->kind[r->kind];

    if (r->cycle > c->cycle)
        c->cycle = r->cycle;
    if (kind->mark)
        put_mark(c, r, kind->track, r->kind == SIM_EVENT_NOTE ? 't' : 'p');
    else
        put_slice(c, r);
    if (kind->context_too && r->who < CONTEXTS)
        put_mark(c, r, context_thread(c, r->adapter, r->who), 't');
    if (kind->stage)
        follow_stage(c, r);
    /* Commands go on until a reset is over. */
    if (r->kind == SIM_EVENT_CTX_END || (r->kind == SIM_EVENT_CTX_RESET && !r->a))
        end_commands(c, r->adapter, false, r->who, "aborted");
    if (r->kind == SIM_EVENT_AFU_RESET && !r->a)
        end_commands(c, r->adapter, true, 0, "aborted");
}

void sim_chrome_records(void *arg, const struct sim_trace_record *records, size_t count)
{
    struct sim_chrome *c = arg;

    errno = 0;
    for (size_t i = 0; i < count && !sim_trace_output_check(&c->output); i++)
        if (records[i].adapter < c->adapters && records[i].kind < SIM_EVENT_COUNT)
            put_record(c, &records[i]);
    (void)sim_trace_output_check(&c->output);
}

int sim_chrome_close(struct sim_chrome *c, char *why, size_t size)
{
    errno = 0;
    for (unsigned n = 0; n < c->adapters && !c->output.error; n++)
        end_commands(c, n, true, 0, "unfinished");
    if (!c->output.error)
        put(c, "\n]}\n");
    (void)sim_trace_output_check(&c->output);
    return sim_trace_output_close(&c->output, why, size);
}
