/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of docs/fidelity. Nothing that is only recalled or assumed is ever shown without
 * saying so (TM-26). */
#include <inttypes.h>
#include <string.h>

#include "hal/support/check.h"
#include "sim/sim_params.h"
#include "tests/fidelity/curves.h"
#include "tests/fidelity/figures.h"
#include "tests/fidelity/theory.h"

#define NOTE "Written by `bazel run //tests/fidelity:curves -- DIR`; a test compares.\n\n"

/* ---- parameters -------------------------------------------------------------------------------
 */

/* timing.md 0.1, in words. */
static const char *confidence(char mark)
{
    switch (mark) {
    case 'A':
        return "A: read in public source code";
    case 'B':
        return "B: stated on a public page";
    case 'C':
        return "C: recalled, not seen";
    default:
        return "D: assumption";
    }
}

/* "media" of "media.read.base"; what has no point is about the adapter as a whole. */
static size_t group_length(const char *name) { return strchr(name, '.') ? strcspn(name, ".") : 0; }

static bool same_group(const struct sim_param_info *a, const struct sim_param_info *b)
{
    size_t n = group_length(a->name);

    return group_length(b->name) == n && !strncmp(a->name, b->name, n);
}

static bool seen_before(size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (same_group(&sim_param_table[i], &sim_param_table[row]))
            return true;
    return false;
}

static void parameter(FILE *out, const struct sim_param_info *p)
{
    char dflt[SIM_PARAMS_VALUE_BYTES], gt[SIM_PARAMS_VALUE_BYTES];
    char min[SIM_PARAMS_VALUE_BYTES], max[SIM_PARAMS_VALUE_BYTES];

    sim_params_format(p, p->dflt, dflt);
    sim_params_format(p, p->flashgt, gt);
    sim_params_format(p, p->min, min);
    sim_params_format(p, p->max, max);
    fprintf(out, "| `%s` | %s | %s | %s | %s to %s | %s | %s | %s |\n", p->name, p->unit, dflt, gt,
            min, max, confidence(p->confidence), p->source, p->text);
}

static void group(FILE *out, size_t first)
{
    const char *name = sim_param_table[first].name;
    size_t n = group_length(name);

    fprintf(out, "\n## %.*s\n\n", n ? (int)n : 7, n ? name : "adapter");
    fprintf(out, "| Parameter | Unit | Default | FlashGT | Range | How sure | Source | Meaning |\n"
                 "|---|---|---|---|---|---|---|---|\n");
    for (size_t i = first; i < sim_param_count; i++)
        if (same_group(&sim_param_table[first], &sim_param_table[i]))
            parameter(out, &sim_param_table[i]);
}

static void groups_by_confidence(FILE *out)
{
    fprintf(out, "| Group | A | B | C | D |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sim_param_count; i++) {
        unsigned count[4] = {0};
        size_t n = group_length(sim_param_table[i].name);

        if (seen_before(i))
            continue;
        for (size_t k = i; k < sim_param_count; k++)
            if (same_group(&sim_param_table[i], &sim_param_table[k]))
                count[sim_param_table[k].confidence - 'A']++;
        fprintf(out, "| %.*s | %u | %u | %u | %u |\n", n ? (int)n : 7,
                n ? sim_param_table[i].name : "adapter", count[0], count[1], count[2], count[3]);
    }
}

static void decisions(FILE *out)
{
    fprintf(out, "\n## Decided, with nothing to choose\n\nOur word, each of them.\n\n"
                 "| Name | Value | Unit | Source | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < sim_decision_count; i++) {
        const struct sim_decision *d = &sim_decision_table[i];

        fprintf(out, "| `%s` | %s | %s | %s | %s |\n", d->name, d->value, d->unit, d->source,
                d->text);
    }
}

void tables_parameters(FILE *out)
{
    fprintf(out, "# Parameters of the model\n\n" NOTE
                 "A cycle is 4 ns. \"Default\" is the profile FlashSystem. How many parameters of "
                 "a group are how sure; only A and B are more than our word:\n\n");
    groups_by_confidence(out);
    for (size_t i = 0; i < sim_param_count; i++)
        if (!seen_before(i))
            group(out, i);
    decisions(out);
}

/* ---- figures ----------------------------------------------------------------------------------
 */

static void figure(FILE *out, const struct figure *f)
{
    uint64_t modelled = figure_modelled(f);
    const char *unit = f->kind == FIGURE_LATENCY ? "ns" : "a second";
    char percent[FIGURE_TEXT];

    fprintf(out, "| %s | %s | %s | %" PRIu64 " %s | %" PRIu64 " %s | %s | %u %% |\n", f->text,
            f->profile, f->source, f->published, unit, modelled, unit,
            figure_percent(figure_deviation(f, modelled), percent), f->percent);
}

/* One sum of timing.md 8: the parameters, then what the model takes. */
static void sum(FILE *out, const char *text, const char *name, const struct load_plan *plan)
{
    struct sim_params p;
    uint64_t modelled;
    struct load l;
    int rc = sim_params_profile(&p, name);

    CHECK(rc == 0);
    load_begin(&l, &p, plan);
    load_one(&l, 0);
    modelled = load_one(&l, 0);
    load_end(&l);
    fprintf(out, "| %s | %s | ", text, name);
    fprintf(out, "%" PRIu64 " + %" PRIu64 " + %" PRIu64 " + %" PRIu64 " + %" PRIu64 " + %" PRIu64,
            p.mmio_write_latency, p.doorbell_to_fetch, p.read_latency, p.cmd_decode, p.xlt_hit,
            p.to_port);
    fprintf(out, " + %" PRIu64 " + %" PRIu64 " + %" PRIu64 " + 320 + %" PRIu64, p.fc_cmd_overhead,
            plan->write     ? p.media_write
            : plan->written ? p.media_read
                            : p.media_unwritten,
            p.fc_block_time, plan->write ? p.read_latency : p.write_latency);
    fprintf(out, " + %" PRIu64 " + %" PRIu64 " + %" PRIu64, p.status_build, p.write_latency,
            p.write_latency);
    fprintf(out, " | %" PRIu64 " | %" PRIu64 " | %" PRIu64 ".%" PRIu64 " us |\n",
            theory_latency(&p, plan, false), modelled, (modelled * 10 + 125) / 250 / 10,
            (modelled * 10 + 125) / 250 % 10);
}

void tables_figures(FILE *out)
{
    static const struct load_plan unwritten = {.way = LOAD_VIRTUAL};
    static const struct load_plan written = {.way = LOAD_VIRTUAL, .written = true};
    static const struct load_plan write = {.way = LOAD_VIRTUAL, .write = true};

    fprintf(out, "# Published against modelled\n\n" NOTE
                 "The figures of timing.md sections 6 and 7 that R-26 keeps (CU: capiflash README; "
                 "computed: from the line rate). The model alone, without the time of a program "
                 "between two commands. Most parameters behind them are assumptions, chosen so "
                 "that these sums come out (timing.md 8); the figures are not predictions.\n\n"
                 "| Figure | Profile | Source | Published | Modelled | Deviation | Bar |\n"
                 "|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < figure_count; i++)
        figure(out, &figures[i]);
    fprintf(out, "\n## Sums of timing.md 8\n\n"
                 "Doorbell, to fetch, IOARCB, decode, translation, to port, command frame, medium, "
                 "link, 32 lines, response, status, IOASA, RRQ element; in cycles.\n\n"
                 "| Command of 4 KiB, warm | Profile | Parameters | Sum | Model | Time |\n"
                 "|---|---|---|---|---|---|\n");
    sum(out, "read", "flashsystem", &unwritten);
    sum(out, "write", "flashsystem", &write);
    sum(out, "read, never written", "flashgt", &unwritten);
    sum(out, "read, written", "flashgt", &written);
    sum(out, "write", "flashgt", &write);
}
