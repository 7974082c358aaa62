/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/scenario/transcript.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "backends/fault/fault_filter.h"
#include "sim/sim_media.h"
#include "sim/sim_params.h"
#include "tests/scenario/transcript_internal.h"

#define PARAM "> param "

static struct fault_filter filter;
static struct transcript run;

void transcript_say(struct transcript *t, const char *format, ...)
{
    va_list args;

    sim_trace_flush(&sim_host_machine(t->s->host)->trace);
    transcript_flush(t);
    fputs("  = ", t->out);
    va_start(args, format);
    vfprintf(t->out, format, args);
    va_end(args);
    fputc('\n', t->out);
}

const char *transcript_errno(int rc)
{
    const char *name = rc ? strerrorname_np(-rc) : "ok";

    return name ? name : "unknown";
}

uint64_t transcript_number(struct transcript *t, unsigned i)
{
    char *end = t->word[0];
    uint64_t value = i < t->words ? strtoull(t->word[i], &end, 0) : 0;

    cr_assert(!*end, "line %u: word %u is no number", t->line, i + 1);
    return value;
}

/* ---- lines ---- */

/* Copies a line without its end into `line`; returns the next one, or NULL behind the last. */
static const char *next_line(const char *text, char line[TRANSCRIPT_LINE])
{
    size_t n = strcspn(text, "\n");

    cr_assert_lt(n, TRANSCRIPT_LINE, "%s", text);
    memcpy(line, text, n);
    line[n] = 0;
    return text[n] ? text + n + 1 : NULL;
}

static void split(struct transcript *t, char *line)
{
    t->words = 0;
    for (char *w = strtok(line, " "); w; w = strtok(NULL, " ")) {
        cr_assert_lt(t->words, TRANSCRIPT_WORDS, "line %u", t->line);
        t->word[t->words++] = w;
    }
}

static void run_step(struct transcript *t, char *words)
{
    struct sim_machine *machine = sim_host_machine(t->s->host);

    sim_trace_flush(&machine->trace);
    transcript_flush(t);
    t->began = machine->engine.now;
    split(t, words);
    transcript_step(t);
    sim_trace_flush(&machine->trace);
    transcript_flush(t);
    transcript_filtered(t);
}

static void run_lines(struct stack *s, void *arg)
{
    struct transcript *t = arg;
    const char *at = t->text;
    char line[TRANSCRIPT_LINE];

    t->s = s;
    sim_trace_set_sink(&sim_host_machine(s->host)->trace, transcript_events, t);
    while (at && *at) {
        at = next_line(at, line);
        t->line++;
        if (*line != '>' && *line != '#' && *line)
            continue;
        fprintf(t->out, "%s\n", line);
        if (*line == '>' && strncmp(line, PARAM, strlen(PARAM)) != 0)
            run_step(t, line + 1);
    }
    sim_trace_set_sink(&sim_host_machine(s->host)->trace, NULL, NULL);
}

/* The steps that have to come before there is an adapter. */
static void set_params(struct sim_params *p)
{
    const char *at = run.text;
    char line[TRANSCRIPT_LINE], why[128] = "";

    while (at && *at) {
        char *name = line + strlen(PARAM), *value;

        at = next_line(at, line);
        if (strncmp(line, PARAM, strlen(PARAM)) != 0)
            continue;
        value = strchr(name, '=');
        cr_assert_not_null(value, "%s", line);
        *value++ = 0;
        cr_assert_eq(sim_params_set(p, name, value, why, sizeof why), 0, "%s", why);
    }
}

char *transcript_run(const char *text)
{
    struct stack_setup setup = {.seed = 1,
                                .media = stack_media(8),
                                .closed = true,
                                .filter = &filter,
                                .change_params = set_params};
    char *out = NULL;
    size_t size;

    run = (struct transcript){.text = text, .out = open_memstream(&out, &size)};
    cr_assert_not_null(run.out);
    stack_run(&setup, run_lines, &run);
    fclose(run.out);
    sim_media_close(setup.media);
    return out;
}
