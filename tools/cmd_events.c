/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe events: what an event file tells, for people. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/superpipe.h"
#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/event_line.h"

#define LOOK_INTERVAL_NS 100000000 /* for more, while following */

enum { ADAPTERS_MAX = 64 };

struct events_options {
    bool follow, counters;
    unsigned severity;
    const char *event;
};

/* One reading of a file. */
struct reading {
    struct events_options options;
    struct option_rest rest;
    FILE *stream;
    char *line;
    size_t room, used;    /* of line; used: what is there of one that has not ended yet */
    uint64_t lines;       /* so far */
    uint64_t seen, ended; /* masks of adapters */
    uint64_t count[SPIPE_EVENTS], unknown;
};

static const struct option_spec specs[] = {
    {.name = "follow",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct events_options, follow),
     .help = "wait for more until the last adapter of the file is closed"},
    {.name = "severity",
     .value = "LEVEL",
     .kind = OPTION_CHOICE,
     .offset = offsetof(struct events_options, severity),
     .choices = "info|notice|warning|error",
     .help = "only events of this severity and worse: info, notice,\nwarning or error (info)"},
    {.name = "event",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct events_options, event),
     .help = "only events of this name"},
    {.name = "counters",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct events_options, counters),
     .help = "show how often each event happened instead"},
};

static const struct option_set set = {
    .command = "events",
    .operands = "FILE",
    .operand_count = 1,
    .summary = "Shows the events that 'superpipe run --events FILE' wrote.",
    .notes = "Time in seconds, adapter, severity, event. '-' is standard input.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

/* ---- one event ---- */

/* Of its name; SPIPE_EVENTS if this program does not know it. */
static unsigned id_of(const char *name)
{
    unsigned id = 0;

    while (id < SPIPE_EVENTS && strcmp(spipe_event_name(id), name))
        id++;
    return id;
}

static void count(struct reading *r, const struct event_line *e)
{
    unsigned id = id_of(e->event);

    if (id < SPIPE_EVENTS)
        r->count[id] += e->times;
    else
        r->unknown += e->times;
}

/* Which adapters are at work: closing one, or failing to open it, is its last event. */
static void watch(struct reading *r, const struct event_line *e)
{
    uint64_t bit = e->adapter < ADAPTERS_MAX ? HAL_BIT(e->adapter) : 0;

    r->seen |= bit;
    if (!strcmp(e->event, spipe_event_name(SPIPE_EVENT_CLOSED)) ||
        !strcmp(e->event, spipe_event_name(SPIPE_EVENT_OPEN_FAILED)))
        r->ended |= bit;
}

static void show(struct reading *r, const struct event_line *e)
{
    char text[EVENT_LINE_TEXT_BYTES];

    if (e->severity < r->options.severity)
        return;
    if (r->options.event && strcmp(r->options.event, e->event))
        return;
    count(r, e);
    if (!r->options.counters)
        printf("%s\n", event_line_text(e, text));
}

/* ---- the file ---- */

static int take_line(struct reading *r)
{
    struct event_line e;

    r->lines++;
    if (event_line_read(r->line, &e))
        return command_fail(&set, COMMAND_FAILED, "%s:%" PRIu64 ": this line is no event",
                            r->rest.operand[0], r->lines);
    watch(r, &e);
    show(r, &e);
    event_line_free(&e);
    return COMMAND_GOOD;
}

/* Adds what there is to the line. Returns whether it has ended. */
static bool read_more(struct reading *r)
{
    static char *piece;
    static size_t room;
    ssize_t n = getline(&piece, &room, r->stream);

    if (n <= 0)
        return false;
    if (r->used + (size_t)n + 1 > r->room) {
        char *larger = realloc(r->line, 2 * (r->used + (size_t)n + 1));

        if (!larger)
            return false;
        r->line = larger;
        r->room = 2 * (r->used + (size_t)n + 1);
    }
    memcpy(r->line + r->used, piece, (size_t)n + 1);
    r->used += (size_t)n;
    return r->line[r->used - 1] == '\n';
}

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void wait_for_more(struct reading *r)
{
    struct timespec pause = {.tv_nsec = LOOK_INTERVAL_NS};

    fflush(stdout);
    nanosleep(&pause, NULL);
    clearerr(r->stream);
}

static bool is_over(const struct reading *r)
{
    return !r->options.follow || interrupted || ferror(r->stream) ||
           (r->seen && r->seen == r->ended);
}

/* A last line without an end is being written, or its writer was killed: it is left out. */
static int read_all(struct reading *r)
{
    int code = COMMAND_GOOD;

    while (!code) {
        if (read_more(r)) {
            r->used = 0;
            code = take_line(r);
        } else if (is_over(r)) {
            break;
        } else {
            wait_for_more(r);
        }
    }
    if (!code && ferror(r->stream))
        code = command_fail(&set, COMMAND_FAILED, "%s: it cannot be read", r->rest.operand[0]);
    return code;
}

static void print_counters(const struct reading *r)
{
    printf("%12s  %-8s  %s\n", "COUNT", "SEVERITY", "EVENT");
    for (unsigned i = 0; i < SPIPE_EVENTS; i++)
        if (r->count[i])
            printf("%12" PRIu64 "  %-8s  %s\n", r->count[i],
                   spipe_severity_name(spipe_event_info(i)->severity), spipe_event_name(i));
    if (r->unknown)
        printf("%12" PRIu64 "  %-8s  %s\n", r->unknown, "", "(others)");
}

static int run(struct reading *r)
{
    const char *path = r->rest.operand[0];
    int code;

    r->stream = strcmp(path, "-") ? fopen(path, "r") : stdin;
    if (!r->stream)
        return command_fail(&set, COMMAND_FAILED, "%s: %s", path, strerror(errno));
    code = read_all(r);
    if (!code && r->options.counters)
        print_counters(r);
    free(r->line);
    fclose(r->stream);
    return code;
}

/* ---- the command line ---- */

static const char *next_name(const void *arg, size_t i)
{
    (void)arg;
    return spipe_event_name((unsigned)i);
}

static int check(const struct reading *r)
{
    const char *event = r->options.event, *like;

    if (!event || id_of(event) < SPIPE_EVENTS)
        return COMMAND_GOOD;
    like = options_suggest(event, next_name, NULL);
    if (like)
        return command_fail(&set, COMMAND_USAGE, "there is no event '%s', did you mean '%s'?",
                            event, like);
    return command_fail(&set, COMMAND_USAGE,
                        "there is no event '%s': superpipe-events(1) "
                        "lists all",
                        event);
}

int cmd_events(int argc, char **argv)
{
    static struct reading r;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    int code;

    if (!command_begin(&set, argc, argv, &r.options, &r.rest, &code))
        return code;
    code = check(&r);
    if (code)
        return code;
    if (r.options.follow)
        sigaction(SIGINT, &action, NULL);
    return command_end(&set, run(&r));
}
