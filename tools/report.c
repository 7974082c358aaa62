/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a run. */
#include "tools/report.h"

#include <string.h>

#include "hal/support/bits.h"
#include "tools/text.h"

bool report_passed(const struct report *r)
{
    return !(r->failure && *r->failure) && !r->result->errors && !r->result->mismatches &&
           !r->violations && !r->model_errors && !r->broken && !(r->unreached && *r->unreached);
}

/* n in a span, as a number a second. */
static uint64_t rate(uint64_t n, uint64_t span_ns)
{
    return span_ns ? (uint64_t)((unsigned __int128)n * 1000000000 / span_ns) : 0;
}

static const char *plural(uint64_t n) { return n == 1 ? "" : "s"; }

/* ---- parts of the table -----------------------------------------------------------------------
 */

static void print_head(FILE *out, const struct report *r)
{
    const struct workload_config *c = r->config;
    char size[TEXT_BYTES], lun[TEXT_BYTES], time[TEXT_BYTES], mix[256];

    block_mix_text(&c->mix, mix, sizeof mix);
    fprintf(out, "%u adapter%s with %u LUN%s of %s, %u client%s with %u virtual LUN%s of %s each\n",
            r->adapters, plural(r->adapters), r->luns, plural(r->luns),
            text_size(lun, r->lun_bytes), c->clients, plural(c->clients), c->handles,
            plural(c->handles), text_size(size, c->bytes));
    fprintf(out, "Blocks of %s, %u %% reads, depth %u, for %s of device time, %s\n\n", mix,
            c->read_percent, c->depth, text_ns(time, c->duration_ns),
            c->verify ? "verified" : "not verified");
}

static void print_direction(FILE *out, const char *name, const struct workload_direction *d,
                            uint64_t span_ns)
{
    static const unsigned percentile[] = {50000, 90000, 99000, 99900, 99990};
    char a[TEXT_BYTES], b[TEXT_BYTES], c[TEXT_BYTES];

    fprintf(out, "%-5s %13s %11s %10s/s", name, text_count(a, d->ios),
            text_count(b, rate(d->ios, span_ns)), text_size(c, rate(d->bytes, span_ns)));
    fprintf(out, " %8s", d->ios ? text_ns(a, histogram_mean(&d->latency)) : "-");
    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(percentile); i++)
        fprintf(out, " %8s",
                d->ios ? text_ns(a, histogram_percentile(&d->latency, percentile[i])) : "-");
    fprintf(out, " %8s\n", d->ios ? text_ns(a, d->latency.max) : "-");
}

static void print_directions(FILE *out, const struct workload_result *r)
{
    static struct workload_direction all; /* too large for a small stack */

    all = r->direction[WORKLOAD_READ];
    all.ios += r->direction[WORKLOAD_WRITE].ios;
    all.bytes += r->direction[WORKLOAD_WRITE].bytes;
    histogram_merge(&all.latency, &r->direction[WORKLOAD_WRITE].latency);
    fprintf(out, "%5s %13s %11s %12s %8s %8s %8s %8s %8s %8s %8s\n", "", "I/Os", "IOPS",
            "bandwidth", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max");
    print_direction(out, "read", &r->direction[WORKLOAD_READ], r->load_ns);
    print_direction(out, "write", &r->direction[WORKLOAD_WRITE], r->load_ns);
    print_direction(out, "all", &all, r->load_ns);
    fprintf(out, "\n");
}

static void print_commands(FILE *out, const struct workload_result *r)
{
    char count[TEXT_BYTES], text[160];

    for (unsigned i = 0; i < r->status_count; i++)
        fprintf(out, "%-10s %13s %s\n", i ? "" : "Commands",
                text_count(count, r->status[i].commands),
                workload_status_text(&r->status[i], text, sizeof text));
}

static void print_recoveries(FILE *out, const struct workload_result *r)
{
    char count[TEXT_BYTES], lost[TEXT_BYTES];

    if (r->recoveries || r->lost)
        fprintf(out, "%-10s %13s of contexts, with which %s I/O%s lost\n", "Recoveries",
                text_count(count, r->recoveries), text_count(lost, r->lost),
                r->lost == 1 ? " was" : "s were");
}

static void print_blocks(FILE *out, const struct report *r)
{
    const struct workload_result *w = r->result;
    char count[TEXT_BYTES], back[TEXT_BYTES];

    if (!r->config->verify)
        return;
    fprintf(out, "%-10s %13s verified", "Blocks", text_count(count, w->verified));
    if (w->read_back)
        fprintf(out, ", %s of them by reading all that was written back at the end",
                text_count(back, w->read_back));
    fprintf(out, "\n");
    if (w->mismatches)
        fprintf(out, "%-10s %13s WRONG\n", "", text_count(count, w->mismatches));
    if (w->unverified)
        fprintf(out, "%-10s %13s not known: never written in this run, or their write failed\n", "",
                text_count(count, w->unverified));
}

static void print_time(FILE *out, const struct report *r)
{
    const struct workload_result *w = r->result;
    char total[TEXT_BYTES], wall[TEXT_BYTES], up[TEXT_BYTES];

    fprintf(out, "%-10s %13s simulated in %s of wall time (%.3g : 1), after a bring-up of %s\n",
            "Time", text_ns(total, w->total_ns), text_ns(wall, w->wall_ns),
            w->wall_ns ? (double)w->total_ns / (double)w->wall_ns : 0, text_ns(up, r->bring_up_ns));
}

/* How often each site was passed. */
static void print_sites(FILE *out, const struct report *r)
{
    char count[TEXT_BYTES], fired[TEXT_BYTES];
    unsigned n = 0;

    for (unsigned i = 0; i < r->sites; i++) {
        const struct report_site *s = &r->site[i];

        if (s->hits)
            fprintf(out, "%-10s %13s hits of %s%s%s%s\n", n++ ? "" : "Sites",
                    text_count(count, s->hits), s->name, s->fired ? ", " : "",
                    s->fired ? text_count(fired, s->fired) : "",
                    s->fired ? " of them went wrong" : "");
    }
}

/* What went wrong, or cost somebody something, and how often. */
static void print_events(FILE *out, const struct report *r)
{
    char count[TEXT_BYTES];
    unsigned n = 0;

    for (unsigned i = 0; i < SPIPE_EVENTS && r->counter[i].name; i++) {
        const struct spipe_counter *c = &r->counter[i];

        if (c->value && c->severity >= SPIPE_SEVERITY_WARNING)
            fprintf(out, "%-10s %13s times %s (%s)\n", n++ ? "" : "Events",
                    text_count(count, c->value), c->name, spipe_severity_name(c->severity));
    }
}

static void print_trace(FILE *out, const struct report *r)
{
    char count[TEXT_BYTES];

    fprintf(out, "%-10s %13s records", "Trace", text_count(count, r->trace_records));
    if (r->threads)
        fprintf(out, "; no hash, since threads of the system are not reproducible");
    else
        fprintf(out, ", hash 0x%016llx", (unsigned long long)r->trace_hash);
    if (r->trace_path)
        fprintf(out, ", in %s", r->trace_path);
    fprintf(out, "\n");
    if (r->faults) {
        fprintf(out, "%-10s %13s fired of plan %s\n", "Faults", text_count(count, r->faults_fired),
                r->faults);
        if (r->resolved && *r->resolved)
            fprintf(out, "%-10s %13s %s\n", "", "at", r->resolved);
        print_sites(out, r);
    }
    print_events(out, r);
    if (r->checked)
        fprintf(out, "%-10s %13s times all invariants\n", "Checked", text_count(count, r->checks));
    if (r->violations)
        fprintf(out, "%-10s %13s accesses that a correct host never makes: %s\n", "Violations",
                text_count(count, r->violations), r->violations_text);
}

static void print_verdict(FILE *out, const struct report *r)
{
    const struct workload_result *w = r->result;
    char count[TEXT_BYTES];

    if (*w->first_error)
        fprintf(out, "First error: %s\n", w->first_error);
    if (r->model_errors)
        fprintf(out, "The model broke a rule of its own, which is a fault of this program: %s\n",
                r->model_errors_text);
    if (r->broken)
        fprintf(out, "Invariants were broken %s time%s, which is a fault of this program: %s\n",
                text_count(count, r->broken), plural(r->broken), r->broken_text);
    if (*w->first_mismatch)
        fprintf(out, "First wrong block: %s\n", w->first_mismatch);
    if (r->unreached && *r->unreached)
        fprintf(out, "Never reached: %s\n", r->unreached);
    fprintf(out, "%-10s ", "Result");
    if (report_passed(r)) {
        fprintf(out, "%s\n", w->interrupted ? "good so far, interrupted" : "good");
        return;
    }
    fprintf(out, "FAILED: %s I/O error%s, ", text_count(count, w->errors), plural(w->errors));
    fprintf(out, "%s wrong block%s%s%s\n", text_count(count, w->mismatches), plural(w->mismatches),
            r->unreached && *r->unreached ? ", a fault that never happened" : "",
            r->failure && *r->failure ? ", not carried through" : "");
}

void report_table(FILE *out, const struct report *r)
{
    if (r->failure && *r->failure && !r->result->load_ns)
        return; /* it never began: the sentence about that is all there is to say */
    print_head(out, r);
    print_directions(out, r->result);
    print_commands(out, r->result);
    print_recoveries(out, r->result);
    print_blocks(out, r);
    print_time(out, r);
    print_trace(out, r);
    print_verdict(out, r);
}
