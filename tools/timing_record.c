/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/timing_record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "hal/afu_names.h"
#include "hal/support/bits.h"
#include "tools/text.h"
#include "tools/timing_model.h"

#define CYCLE_NS 4u /* timing.md 1 */
#define OPCODE_READ16 0x88u
#define OPCODE_WRITE16 0x8Au
#define P99 99000u

/* ---- collecting -------------------------------------------------------------------------------
 */

void timing_record_init(struct timing_record *r)
{
    histogram_init(&r->load.all);
    histogram_init(&r->store.all);
    histogram_init(&r->reset.all);
    r->classes = 0;
    r->dropped = 0;
}

/* NULL: there is no room for another one. */
static struct timing_class *class_of(struct timing_record *r, const struct record_sample *s)
{
    struct timing_class *c;

    for (unsigned i = 0; i < r->classes; i++) {
        c = &r->class[i];
        if (c->opcode == s->opcode && c->afu_command == s->afu_command && c->bytes == s->bytes)
            return c;
    }
    if (r->classes == TIMING_RECORD_CLASSES)
        return NULL;
    c = &r->class[r->classes++];
    c->opcode = s->opcode;
    c->afu_command = s->afu_command;
    c->bytes = s->bytes;
    histogram_init(&c->all.all);
    histogram_init(&c->alone.all);
    histogram_init(&c->woken.all);
    return c;
}

static void series_add(struct timing_series *t, uint64_t ns)
{
    t->recent[t->all.count % TIMING_RECENT_MAX] = ns;
    histogram_record(&t->all, ns);
}

static void add_command(struct timing_record *r, const struct record_sample *s)
{
    struct timing_class *c = class_of(r, s);

    if (!c) {
        r->dropped++;
        return;
    }
    if (s->kind == RECORD_COMMAND)
        series_add(&c->all, s->ns);
    if (s->alone)
        series_add(s->kind == RECORD_COMMAND ? &c->alone : &c->woken, s->ns);
}

void timing_record_sample(void *record, const struct record_sample *sample)
{
    struct timing_record *r = record;

    switch (sample->kind) {
    case RECORD_LOAD:
        series_add(&r->load, sample->ns);
        break;
    case RECORD_STORE:
        series_add(&r->store, sample->ns);
        break;
    case RECORD_AFU_RESET:
        series_add(&r->reset, sample->ns);
        break;
    case RECORD_COMMAND:
    case RECORD_INTERRUPT:
        add_command(r, sample);
        break;
    }
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Of the last ones; there is one. */
static uint64_t median(const struct timing_series *t)
{
    uint64_t sorted[TIMING_RECENT_MAX];
    size_t n = (size_t)hal_min64(t->all.count, TIMING_RECENT_MAX);

    memcpy(sorted, t->recent, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    return sorted[(n - 1) / 2];
}

struct rows {
    const struct sim_params *p;
    struct timing_row *row;
    unsigned count;
};

static char confidence(const char *parameter)
{
    for (size_t i = 0; i < sim_param_count; i++)
        if (!strcmp(sim_param_table[i].name, parameter))
            return sim_param_table[i].confidence;
    return 0;
}

static void add(struct rows *rows, const char *parameter, uint64_t model_cycles, uint64_t measured,
                uint64_t samples, const char *from)
{
    struct timing_row *row = &rows->row[rows->count++];

    *row = (struct timing_row){.confidence = confidence(parameter),
                               .samples = samples,
                               .measured = measured,
                               .model = model_cycles * CYCLE_NS};
    snprintf(row->parameter, sizeof row->parameter, "%s", parameter);
    snprintf(row->from, sizeof row->from, "%s", from);
}

/* What is left of a measured sum when all of it but one parameter is taken away; not below 0. */
static uint64_t rest(uint64_t measured, uint64_t sum_cycles, uint64_t parameter_cycles)
{
    uint64_t others = (sum_cycles - parameter_cycles) * CYCLE_NS;

    return measured > others ? measured - others : 0;
}

static bool is_data(const struct timing_class *c, bool write)
{
    return !c->afu_command && c->opcode == (write ? OPCODE_WRITE16 : OPCODE_READ16) && c->bytes &&
           !(c->bytes % TIMING_MODEL_BLOCK);
}

/* The class with the least or the most data that has samples of commands that were alone. */
static const struct timing_class *extreme(const struct timing_record *r, bool write, bool most)
{
    const struct timing_class *found = NULL;

    for (unsigned i = 0; i < r->classes; i++) {
        const struct timing_class *c = &r->class[i];

        if (is_data(c, write) && c->alone.all.count &&
            (!found || (most ? c->bytes > found->bytes : c->bytes < found->bytes)))
            found = c;
    }
    return found;
}

static void add_medium(struct rows *rows, const struct timing_record *r, bool write)
{
    const struct timing_class *c = extreme(r, write, false);
    uint64_t own = write ? rows->p->media_write : rows->p->media_read;
    char from[96], size[TEXT_BYTES];

    if (!c)
        return;
    snprintf(from, sizeof from, "%s of %s alone, less the rest of its path",
             write ? "writes" : "reads", text_size(size, c->bytes));
    add(rows, write ? "media.write.base" : "media.read.base", own,
        rest(median(&c->alone), timing_model_command(rows->p, write, c->bytes), own),
        c->alone.all.count, from);
}

/* What 4 KiB more cost: link and bus, which nothing outside can tell apart. */
static void add_block(struct rows *rows, const struct timing_record *r, bool write)
{
    const struct timing_class *least = extreme(r, write, false), *most = extreme(r, write, true);
    uint64_t low, high, blocks;

    if (!least || least == most)
        return;
    low = median(&least->alone);
    high = median(&most->alone);
    blocks = (most->bytes - least->bytes) / TIMING_MODEL_BLOCK;
    add(rows,
        write ? "fc.4k_time + 32 bus.read.line_interval"
              : "fc.4k_time + 32 bus.write.line_interval",
        timing_model_block(rows->p, write), high > low ? (high - low) / blocks : 0,
        most->alone.all.count,
        write ? "large writes less small ones" : "large reads less small ones");
}

/* A command that somebody slept for, less what it takes by itself. */
static void add_interrupt(struct rows *rows, const struct timing_record *r)
{
    const struct timing_class *best = NULL;
    bool write;
    uint64_t command;

    for (unsigned i = 0; i < r->classes; i++) {
        const struct timing_class *c = &r->class[i];

        if ((is_data(c, false) || is_data(c, true)) && c->woken.all.count &&
            (!best || c->bytes < best->bytes))
            best = c;
    }
    if (!best)
        return;
    write = best->opcode == OPCODE_WRITE16;
    command = timing_model_command(rows->p, write, best->bytes);
    add(rows, "irq.delivery", rows->p->irq_delivery,
        rest(median(&best->woken), command + rows->p->irq_delivery, rows->p->irq_delivery),
        best->woken.all.count,
        write ? "writes that were slept for, less the model's time of a write"
              : "reads that were slept for, less the model's time of a read");
}

unsigned timing_record_compare(const struct timing_record *r, const struct sim_params *p,
                               struct timing_row rows[TIMING_ROWS_MAX])
{
    struct rows to = {p, rows, 0};

    if (r->load.all.count)
        add(&to, "mmio.read.latency", p->mmio_read_latency, median(&r->load), r->load.all.count,
            "loads of registers");
    if (r->reset.all.count)
        add(&to, "afu.reset", p->afu_reset, median(&r->reset), r->reset.all.count,
            "resets of the AFU");
    add_medium(&to, r, false);
    add_medium(&to, r, true);
    add_block(&to, r, false);
    add_block(&to, r, true);
    add_interrupt(&to, r);
    return to.count;
}

int64_t timing_row_error(const struct timing_row *row)
{
    int64_t difference = (int64_t)(row->measured - row->model);

    if (!difference)
        return 0;
    return row->model ? difference * 1000 / (int64_t)row->model : INT64_MAX;
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static void print_figures(const char *what, const struct timing_series *t, FILE *to)
{
    char min[TEXT_BYTES], p50[TEXT_BYTES], p99[TEXT_BYTES], max[TEXT_BYTES], n[TEXT_BYTES];

    if (!t->all.count)
        return;
    fprintf(to, "%-52s %11s  %8s  %8s  %8s  %8s\n", what, text_count(n, t->all.count),
            text_ns(min, t->all.min), text_ns(p50, median(t)),
            text_ns(p99, histogram_percentile(&t->all, P99)), text_ns(max, t->all.max));
}

static void class_words(const struct timing_class *c, char *buf, size_t size)
{
    char bytes[TEXT_BYTES];

    if (c->afu_command)
        snprintf(buf, size, "AFU command %s", afu_cmd_name(c->opcode));
    else if (c->opcode == OPCODE_READ16 || c->opcode == OPCODE_WRITE16)
        snprintf(buf, size, "%s %s", c->opcode == OPCODE_READ16 ? "read" : "write",
                 text_size(bytes, c->bytes));
    else
        snprintf(buf, size, "SCSI command 0x%02x, %s", c->opcode, text_size(bytes, c->bytes));
}

static void print_class(const struct timing_class *c, FILE *to)
{
    char what[64], line[96];

    class_words(c, what, sizeof what);
    print_figures(what, &c->all, to);
    snprintf(line, sizeof line, "%s, alone", what);
    print_figures(line, &c->alone, to);
    snprintf(line, sizeof line, "%s, alone, to its interrupt", what);
    print_figures(line, &c->woken, to);
}

/* "+3.1 %" */
static void error_text(const struct timing_row *row, char *buf, size_t size)
{
    int64_t error = timing_row_error(row);

    if (error == INT64_MAX)
        snprintf(buf, size, "-");
    else
        snprintf(buf, size, "%s%" PRId64 ".%" PRId64 " %%", error < 0 ? "-" : "+",
                 (int64_t)llabs(error) / 10, (int64_t)llabs(error) % 10);
}

static void print_row(const struct timing_row *row, FILE *to)
{
    char measured[TEXT_BYTES], model[TEXT_BYTES], error[32];

    error_text(row, error, sizeof error);
    fprintf(to, "%-40s %c  %9s  %9s  %9s  %s\n", row->parameter,
            row->confidence ? row->confidence : '-', text_ns(measured, row->measured),
            text_ns(model, row->model), error, row->from);
}

void timing_record_print(const struct timing_record *r, const struct sim_params *p, uint64_t missed,
                         FILE *to)
{
    struct timing_row rows[TIMING_ROWS_MAX];
    unsigned count = timing_record_compare(r, p, rows);

    fprintf(to, "%-52s %11s  %8s  %8s  %8s  %8s\n", "Measured", "samples", "min", "p50", "p99",
            "max");
    print_figures("load of a register", &r->load, to);
    print_figures("store of a register, while it keeps us", &r->store, to);
    print_figures("reset of the AFU", &r->reset, to);
    for (unsigned i = 0; i < r->classes; i++)
        print_class(&r->class[i], to);
    if (missed || r->dropped)
        fprintf(to, "%" PRIu64 " commands were not measured\n", missed + r->dropped);
    fprintf(to, "\n%-40s %c  %9s  %9s  %9s  %s\n", "Parameter", ' ', "measured", "model", "error",
            "taken from");
    for (unsigned i = 0; i < count; i++)
        print_row(&rows[i], to);
    fprintf(to, "\nMeasured is the median. The letter says how sure the model's value is: A read "
                "in public source\ncode, B stated on a public page, C recalled, not seen, D "
                "assumption.\n");
}
