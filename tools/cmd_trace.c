/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe trace: what a binary trace file tells: a summary, a span of time, or the life of one
 * command. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_trace_reader.h"
#include "tools/command.h"
#include "tools/command_life.h"
#include "tools/json.h"
#include "tools/text.h"
#include "tools/trace_summary.h"
#include "tools/trace_words.h"

#define SPAN_CYCLES 1000

struct trace_options {
    uint64_t around, span, command;
    bool json;
};

/* The command that --command is about, once its FETCH was seen. */
struct watched {
    bool found;
    unsigned adapter, slot;
    uint32_t context;
    enum command_state state;
    uint64_t begin, end; /* cycles; end: of its last record so far */
};

/* One trace. */
struct trace {
    struct trace_options options;
    struct option_rest rest;
    const char *path;
    struct sim_trace_reader *reader;
    const struct sim_trace_head *head;
    struct command_life life;
    struct watched watched;
    struct trace_summary summary;
    uint64_t before, rows; /* cycle of the row before; rows so far */
    cJSON *json, *array;   /* the answer, and in it the rows */
    char why[512];
};

static const struct option_spec specs[] = {
    {.name = "around",
     .value = "CYCLE",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct trace_options, around),
     .help = "everything that happens near a cycle"},
    {.name = "span",
     .value = "CYCLES",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct trace_options, span),
     .help = "how near: so many cycles before and after (1000)"},
    {.name = "command",
     .value = "NUMBER",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct trace_options, command),
     .min = 1,
     .max = UINT64_MAX,
     .help = "the life of one command; the first that is fetched is 1"},
    {.name = "json",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct trace_options, json),
     .help = "print one JSON object instead of the table"},
};

static const struct option_set set = {
    .command = "trace",
    .operands = "FILE",
    .operand_count = 1,
    .summary = "Shows a binary trace of 'superpipe run --trace FILE.trace': a summary, or a part.",
    .notes = "A cycle is 4 ns. Commands count in the order in which they are fetched.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

/* ---- rows ---- */

static void print_row(struct trace *t, const struct sim_trace_record *r, uint64_t command)
{
    const struct sim_event_info *e = sim_trace_reader_kind(t->reader, r->kind);
    char words[TRACE_WORDS_BYTES], delta[24] = "", number[24] = "-", block[64] = "";

    if (!t->rows)
        printf("%12s %14s %10s %8s  %-10s %-13s %s\n", "CYCLE", "NS", "DELTA", "COMMAND", "BLOCK",
               "STEP", "FIELDS");
    else
        snprintf(delta, sizeof delta, "+%" PRIu64, r->cycle - t->before);
    if (command)
        snprintf(number, sizeof number, "%" PRIu64, command);
    if (t->head->adapters > 1)
        snprintf(block, sizeof block, "%u.", r->adapter);
    text_append(block, sizeof block, "%s", e->track);
    printf("%12" PRIu64 " %14" PRIu64 " %10s %8s  %-10s %-13s %s\n", r->cycle,
           r->cycle * t->head->cycle_ns, delta, number, block, e->name,
           trace_words(e, r, words, sizeof words));
}

static void add_fields(cJSON *row, const struct sim_event_info *e, const struct sim_trace_record *r)
{
    cJSON *fields = cJSON_AddObjectToObject(row, "fields");

    if (strcmp(e->who, "none"))
        json_u64(fields, e->who, r->who);
    if (strcmp(e->a, "none"))
        json_u64(fields, e->a, r->a);
    if (strcmp(e->b, "none"))
        json_u64(fields, e->b, r->b);
}

static void add_row(struct trace *t, const struct sim_trace_record *r, uint64_t command)
{
    const struct sim_event_info *e = sim_trace_reader_kind(t->reader, r->kind);
    cJSON *row = cJSON_CreateObject();
    char words[TRACE_WORDS_BYTES];

    cJSON_AddItemToArray(t->array, row);
    json_u64(row, "cycle", r->cycle);
    json_u64(row, "ns", r->cycle * t->head->cycle_ns);
    json_u64(row, "delta", t->rows ? r->cycle - t->before : 0);
    json_u64(row, "adapter", r->adapter);
    if (command)
        json_u64(row, "command", command);
    else
        cJSON_AddNullToObject(row, "command");
    cJSON_AddStringToObject(row, "block", e->track);
    cJSON_AddStringToObject(row, "step", e->name);
    add_fields(row, e, r);
    cJSON_AddStringToObject(row, "words", trace_words(e, r, words, sizeof words));
}

/* Shows one record. command: the number of the one it belongs to, or 0. */
static void show_row(struct trace *t, const struct sim_trace_record *r, uint64_t command)
{
    if (t->json)
        add_row(t, r, command);
    else
        print_row(t, r, command);
    t->before = r->cycle;
    t->rows++;
}

static void begin_rows(struct trace *t, const char *name)
{
    if (t->json)
        t->array = cJSON_AddArrayToObject(t->json, name);
}

/* ---- one command ---- */

/* In SQ mode a doorbell does not name the command. */
static bool has_bells(const struct trace *t, unsigned adapter)
{
    for (size_t i = 0; i < t->head->differences; i++) {
        const struct sim_trace_difference *d = &t->head->difference[i];

        if (d->adapter == adapter && !strcmp(d->name, "interface_version"))
            return !(d->value & HAL_BIT(62));
    }
    return true;
}

static void begin_command(struct trace *t, const struct sim_trace_record *r)
{
    const struct sim_trace_record *bell = command_life_bell(&t->life, r);

    t->watched = (struct watched){.found = true,
                                  .adapter = r->adapter,
                                  .slot = r->who,
                                  .context = (uint32_t)r->a,
                                  .begin = r->cycle,
                                  .end = r->cycle};
    begin_rows(t, "steps");
    if (bell && has_bells(t, r->adapter))
        show_row(t, bell, t->options.command);
    show_row(t, r, t->options.command);
}

/* Returns whether the command goes on after this record. */
static bool go_on(struct trace *t, const struct sim_trace_record *r, uint64_t number)
{
    struct watched *w = &t->watched;

    w->state = command_life_state(&t->life, w->adapter, w->slot, t->options.command);
    if (w->state == COMMAND_STATE_DROPPED)
        return false;
    if (number == t->options.command || w->state == COMMAND_STATE_ABORTED)
        w->end = r->cycle;
    if (number == t->options.command || command_life_concerns(r, w->adapter, w->context))
        show_row(t, r, number);
    return w->state == COMMAND_STATE_RUNNING;
}

static int read_command(struct trace *t)
{
    struct sim_trace_record r;
    int rc;

    while ((rc = sim_trace_reader_next(t->reader, &r)) == 1) {
        uint64_t number = command_life_follow(&t->life, &r);

        if (t->watched.found && !go_on(t, &r, number))
            return 1;
        if (!t->watched.found && number == t->options.command)
            begin_command(t, &r);
    }
    return rc;
}

static void print_verdict(const struct trace *t)
{
    static const char *const how[] = {
        [COMMAND_STATE_RUNNING] = "not finished at the end of the trace,",
        [COMMAND_STATE_DONE] = "done",
        [COMMAND_STATE_ABORTED] = "aborted",
        [COMMAND_STATE_DROPPED] = "dropped (no RRQ element before its slot was used again)",
    };
    const struct watched *w = &t->watched;
    char cycles[TEXT_BYTES], ns[TEXT_BYTES];

    printf("\nCommand %" PRIu64 ": adapter %u, slot %u, context %" PRIu32
           ": %s after %s cycles (%s)\n",
           t->options.command, w->adapter, w->slot, w->context, how[w->state],
           text_count(cycles, w->end - w->begin),
           text_ns(ns, (w->end - w->begin) * t->head->cycle_ns));
}

static void add_verdict(struct trace *t)
{
    const struct watched *w = &t->watched;

    json_u64(t->json, "command", t->options.command);
    json_u64(t->json, "adapter", w->adapter);
    json_u64(t->json, "slot", w->slot);
    json_u64(t->json, "context", w->context);
    cJSON_AddStringToObject(t->json, "state", command_state_name(w->state));
    json_u64(t->json, "cycles", w->end - w->begin);
    json_u64(t->json, "ns", (w->end - w->begin) * t->head->cycle_ns);
}

/* Returns as sim_trace_reader_next: 1 = the rest of the file was not needed. */
static int show_command(struct trace *t)
{
    int rc = read_command(t);

    if (rc < 0)
        return rc;
    if (!t->watched.found) {
        snprintf(t->why, sizeof t->why,
                 "%s: there is no command %" PRIu64 ", %" PRIu64 " were fetched in this trace",
                 t->path, t->options.command, t->life.fetched);
        return -ENOENT;
    }
    if (t->json)
        add_verdict(t);
    else
        print_verdict(t);
    return rc;
}

/* ---- a span of time ---- */

static int show_around(struct trace *t)
{
    const struct trace_options *o = &t->options;
    uint64_t from = o->around > o->span ? o->around - o->span : 0;
    uint64_t to = o->around <= UINT64_MAX - o->span ? o->around + o->span : UINT64_MAX;
    struct sim_trace_record r = {0};
    int rc;

    begin_rows(t, "records");
    while ((rc = sim_trace_reader_next(t->reader, &r)) == 1 && r.cycle <= to) {
        uint64_t number = command_life_follow(&t->life, &r);

        if (r.cycle >= from)
            show_row(t, &r, number);
    }
    if (rc < 0 || t->rows)
        return rc;
    snprintf(t->why, sizeof t->why,
             "%s: nothing happens from cycle %" PRIu64 " to %" PRIu64
             ": choose another --around or a larger --span",
             t->path, from, to);
    return -ENOENT;
}

/* ---- summary ---- */

static int show_summary(struct trace *t)
{
    struct sim_trace_record r;
    int rc;

    while ((rc = sim_trace_reader_next(t->reader, &r)) == 1) {
        (void)command_life_follow(&t->life, &r);
        trace_summary_add(&t->summary, &r);
    }
    if (rc < 0)
        return rc;
    t->summary.commands = t->life.fetched;
    t->summary.path = t->path;
    if (t->json)
        trace_summary_json(t->json, &t->summary, t->reader);
    else
        trace_summary_print(&t->summary, t->reader);
    return 0;
}

/* ---- the command ---- */

static int check(const struct trace *t)
{
    bool around = options_given(&set, &t->rest, "around");

    if (around && t->options.command)
        return command_fail(&set, COMMAND_USAGE, "give --around or --command, not both");
    if (!around && options_given(&set, &t->rest, "span"))
        return command_fail(&set, COMMAND_USAGE, "--span is for --around");
    return 0;
}

/* Shows what was asked for. Returns as sim_trace_reader_next. */
static int show(struct trace *t)
{
    if (t->options.command)
        return show_command(t);
    if (options_given(&set, &t->rest, "around"))
        return show_around(t);
    return show_summary(t);
}

/* From an open file to the exit code. A damaged file is shown up to the damage, and then fails. */
static int run(struct trace *t)
{
    int rc;

    if (t->options.json)
        t->json = cJSON_CreateObject();
    rc = show(t);
    if (rc < 0) {
        cJSON_Delete(t->json);
        return command_fail(&set, COMMAND_FAILED, "%s%s%s", t->why[0] ? t->why : t->path,
                            t->why[0] ? "" : ": ", t->why[0] ? "" : strerror(-rc));
    }
    if (t->json && json_print(t->json))
        return command_fail(&set, COMMAND_FAILED, "not enough memory");
    if (!rc && sim_trace_reader_end(t->reader, t->why, sizeof t->why))
        return command_fail(&set, COMMAND_FAILED, "%s", t->why);
    return COMMAND_GOOD;
}

int cmd_trace(int argc, char **argv)
{
    static struct trace t = {.options.span = SPAN_CYCLES};
    int code;

    if (!command_begin(&set, argc, argv, &t.options, &t.rest, &code))
        return code;
    code = check(&t);
    if (code)
        return code;
    t.path = t.rest.operand[0];
    if (sim_trace_reader_open(t.path, &t.reader, t.why, sizeof t.why))
        return command_fail(&set, COMMAND_FAILED, "%s", t.why);
    t.head = sim_trace_reader_head(t.reader);
    code = run(&t);
    sim_trace_reader_close(t.reader);
    return command_end(&set, code);
}
