/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/trace_summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_params.h"
#include "tools/text.h"
#include "tools/trace_words.h"

void trace_summary_add(struct trace_summary *s, const struct sim_trace_record *r)
{
    uint64_t *records = &s->records[r->kind % TRACE_SUMMARY_KINDS];

    if (!s->total++)
        s->first = r->cycle;
    s->last = hal_max64(s->last, r->cycle);
    ++*records;
    s->violations += r->kind == SIM_EVENT_VIOLATION;
    if (r->kind == SIM_EVENT_FAULT) {
        if (s->faults < TRACE_SUMMARY_FAULTS)
            s->fault[s->faults] = *r;
        s->faults++;
    }
}

static unsigned listed_faults(const struct trace_summary *s)
{
    return (unsigned)hal_min64(s->faults, TRACE_SUMMARY_FAULTS);
}

static const char *fault_text(const struct sim_trace_record *r, char *buf)
{
    return trace_words(&sim_event_table[SIM_EVENT_FAULT], r, buf, TRACE_WORDS_BYTES);
}

/* A value as `superpipe info` shows it; hexadecimal if this build has no such parameter. */
static const char *value_text(const char *name, uint64_t value, char *buf)
{
    for (size_t i = 0; i < sim_param_count; i++)
        if (!strcmp(sim_param_table[i].name, name)) {
            sim_params_format(&sim_param_table[i], value, buf);
            return buf;
        }
    snprintf(buf, SIM_PARAMS_VALUE_BYTES, "0x%" PRIx64, value);
    return buf;
}

/* ---- table ------------------------------------------------------------------------------------
 */

static void print_faults(const struct trace_summary *s)
{
    char text[TRACE_WORDS_BYTES];

    for (unsigned i = 0; i < listed_faults(s); i++)
        printf("  cycle %" PRIu64 ", adapter %u: %s\n", s->fault[i].cycle, s->fault[i].adapter,
               fault_text(&s->fault[i], text));
    if (s->faults > TRACE_SUMMARY_FAULTS)
        printf("  and %" PRIu64 " more\n", s->faults - TRACE_SUMMARY_FAULTS);
}

static void print_parameters(const struct sim_trace_head *h)
{
    char now[SIM_PARAMS_VALUE_BYTES], dflt[SIM_PARAMS_VALUE_BYTES];

    printf("Parameters %zu differ%s from the default\n", h->differences,
           h->differences == 1 ? "s" : "");
    for (size_t i = 0; i < h->differences; i++) {
        const struct sim_trace_difference *d = &h->difference[i];

        printf("  adapter %u: %s = %s (default %s, %s)\n", d->adapter, d->name,
               value_text(d->name, d->value, now), value_text(d->name, d->dflt, dflt), d->unit);
    }
}

static void print_kinds(const struct trace_summary *s, const struct sim_trace_reader *reader)
{
    printf("\n%12s  %-10s %s\n", "RECORDS", "BLOCK", "STEP");
    for (unsigned k = 0; k < TRACE_SUMMARY_KINDS; k++)
        if (s->records[k]) {
            const struct sim_event_info *e = sim_trace_reader_kind(reader, k);

            printf("%12" PRIu64 "  %-10s %s\n", s->records[k], e->track, e->name);
        }
}

void trace_summary_print(const struct trace_summary *s, const struct sim_trace_reader *reader)
{
    const struct sim_trace_head *h = sim_trace_reader_head(reader);
    char ns[TEXT_BYTES], count[TEXT_BYTES];

    printf("Trace      %s, %s\n", s->path,
           sim_trace_reader_end(reader, NULL, 0) ? "not complete" : "complete");
    printf("Seed       0x%" PRIx64 "\n", h->seed);
    printf("Adapters   %u\n", h->adapters);
    printf("Cycles     %" PRIu64 " to %" PRIu64 ", %s\n", s->first, s->last,
           text_ns(ns, (s->last - s->first) * h->cycle_ns));
    printf("Records    %s\n", text_count(count, sim_trace_reader_count(reader)));
    printf("Hash       0x%016" PRIx64 "\n", sim_trace_reader_hash(reader));
    printf("Commands   %s\n", text_count(count, s->commands));
    printf("Violations %s\n", text_count(count, s->violations));
    printf("Faults     %s\n", text_count(count, s->faults));
    print_faults(s);
    print_parameters(h);
    print_kinds(s, reader);
}

/* ---- JSON -------------------------------------------------------------------------------------
 */

static cJSON *add_object(cJSON *array)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddItemToArray(array, object);
    return object;
}

static void add_hex(cJSON *json, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "0x%016" PRIx64, value);
    cJSON_AddStringToObject(json, name, text);
}

static void add_faults(cJSON *json, const struct trace_summary *s)
{
    cJSON *array = cJSON_AddArrayToObject(json, "faults");
    char text[TRACE_WORDS_BYTES];

    for (unsigned i = 0; i < listed_faults(s); i++) {
        cJSON *j = add_object(array);

        json_u64(j, "cycle", s->fault[i].cycle);
        json_u64(j, "adapter", s->fault[i].adapter);
        cJSON_AddStringToObject(j, "words", fault_text(&s->fault[i], text));
    }
}

static void add_parameters(cJSON *json, const struct sim_trace_head *h)
{
    cJSON *array = cJSON_AddArrayToObject(json, "parameters");

    for (size_t i = 0; i < h->differences; i++) {
        const struct sim_trace_difference *d = &h->difference[i];
        cJSON *j = add_object(array);

        json_u64(j, "adapter", d->adapter);
        cJSON_AddStringToObject(j, "name", d->name);
        json_u64(j, "value", d->value);
        json_u64(j, "default", d->dflt);
        cJSON_AddStringToObject(j, "unit", d->unit);
    }
}

static void add_kinds(cJSON *json, const struct trace_summary *s,
                      const struct sim_trace_reader *reader)
{
    cJSON *array = cJSON_AddArrayToObject(json, "kinds");

    for (unsigned k = 0; k < TRACE_SUMMARY_KINDS; k++)
        if (s->records[k]) {
            const struct sim_event_info *e = sim_trace_reader_kind(reader, k);
            cJSON *j = add_object(array);

            cJSON_AddStringToObject(j, "block", e->track);
            cJSON_AddStringToObject(j, "step", e->name);
            json_u64(j, "records", s->records[k]);
        }
}

void trace_summary_json(cJSON *json, const struct trace_summary *s,
                        const struct sim_trace_reader *reader)
{
    const struct sim_trace_head *h = sim_trace_reader_head(reader);

    cJSON_AddStringToObject(json, "file", s->path);
    cJSON_AddBoolToObject(json, "complete", !sim_trace_reader_end(reader, NULL, 0));
    json_u64(json, "seed", h->seed);
    json_u64(json, "adapters", h->adapters);
    json_u64(json, "cycle_ns", h->cycle_ns);
    json_u64(json, "first_cycle", s->first);
    json_u64(json, "last_cycle", s->last);
    json_u64(json, "records", sim_trace_reader_count(reader));
    add_hex(json, "trace_hash", sim_trace_reader_hash(reader));
    json_u64(json, "commands", s->commands);
    json_u64(json, "violations", s->violations);
    json_u64(json, "faults_fired", s->faults);
    add_faults(json, s);
    add_parameters(json, h);
    add_kinds(json, s, reader);
}
