/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON object of a run. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/superpipe.h"
#include "hal/support/bits.h"
#include "tools/json.h"
#include "tools/report.h"
#include "tools/text.h"

/* Percentiles that fio prints, and five nines; per 100,000. */
static const unsigned percentiles[] = {1000,  5000,  10000, 20000, 30000, 40000,
                                       50000, 60000, 70000, 80000, 90000, 95000,
                                       99000, 99500, 99900, 99950, 99990, 99999};

static double rate(uint64_t n, uint64_t span_ns)
{
    return span_ns ? (double)n * 1e9 / (double)span_ns : 0;
}

/* ---- the keys of fio --------------------------------------------------------------------------
 */

/* From the middle of each bucket, hence at most 1/128 off for each value. */
static double deviation(const struct histogram *h)
{
    double mean = (double)histogram_mean(h), sum = 0;

    for (unsigned i = 0; h->count > 1 && i < HISTOGRAM_BUCKETS; i++) {
        double middle = ((double)histogram_bucket_first(i) + (double)histogram_bucket_last(i)) / 2;

        if (h->bucket[i])
            sum += (double)h->bucket[i] * (middle - mean) * (middle - mean);
    }
    return h->count > 1 ? sqrt(sum / (double)(h->count - 1)) : 0;
}

static void add_summary(cJSON *to, const struct histogram *h)
{
    json_u64(to, "min", h->count ? h->min : 0);
    json_u64(to, "max", h->count ? h->max : 0);
    cJSON_AddNumberToObject(to, "mean", (double)histogram_mean(h));
    cJSON_AddNumberToObject(to, "stddev", deviation(h));
    json_u64(to, "N", h->count);
}

static void add_percentiles(cJSON *to, const struct histogram *h)
{
    cJSON *p = cJSON_AddObjectToObject(to, "percentile");
    char name[16];

    for (unsigned i = 0; i < HAL_ARRAY_LENGTH(percentiles); i++) {
        snprintf(name, sizeof name, "%u.%03u000", percentiles[i] / 1000, percentiles[i] % 1000);
        json_u64(p, name, histogram_percentile(h, percentiles[i]));
    }
}

static void add_bins(cJSON *to, const struct histogram *h)
{
    cJSON *bins = cJSON_AddObjectToObject(to, "bins");
    char name[24];

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!h->bucket[i])
            continue;
        snprintf(name, sizeof name, "%" PRIu64, histogram_bucket_last(i));
        json_u64(bins, name, h->bucket[i]);
    }
}

static void add_direction(cJSON *to, const char *name, const struct workload_direction *d,
                          uint64_t span_ns)
{
    static const struct histogram none; /* submission is not timed: it takes no device time */
    cJSON *j = cJSON_AddObjectToObject(to, name), *latency;

    json_u64(j, "io_bytes", d->bytes);
    json_u64(j, "io_kbytes", d->bytes >> 10);
    json_u64(j, "bw_bytes", (uint64_t)rate(d->bytes, span_ns));
    json_u64(j, "bw", (uint64_t)rate(d->bytes, span_ns) >> 10);
    cJSON_AddNumberToObject(j, "iops", rate(d->ios, span_ns));
    json_u64(j, "runtime", span_ns / 1000000);
    json_u64(j, "total_ios", d->ios);
    json_u64(j, "short_ios", 0);
    json_u64(j, "drop_ios", d->failed);
    add_summary(cJSON_AddObjectToObject(j, "slat_ns"), &none);
    latency = cJSON_AddObjectToObject(j, "clat_ns");
    add_summary(latency, &d->latency);
    add_percentiles(latency, &d->latency);
    add_bins(latency, &d->latency);
    add_summary(cJSON_AddObjectToObject(j, "lat_ns"), &d->latency);
}

static void add_job(cJSON *root, const struct report *r)
{
    cJSON *job = cJSON_CreateObject();

    cJSON_AddItemToArray(cJSON_AddArrayToObject(root, "jobs"), job);
    cJSON_AddStringToObject(job, "jobname", "superpipe");
    cJSON_AddNumberToObject(job, "groupid", 0);
    cJSON_AddNumberToObject(job, "error", report_passed(r) ? 0 : 5); /* EIO */
    json_u64(job, "elapsed", hal_div_up(r->result->load_ns, 1000000000));
    add_direction(job, "read", &r->result->direction[WORKLOAD_READ], r->result->load_ns);
    add_direction(job, "write", &r->result->direction[WORKLOAD_WRITE], r->result->load_ns);
    json_u64(job, "job_runtime", r->result->load_ns / 1000000);
}

/* ---- our own keys -----------------------------------------------------------------------------
 */

static void add_identity(cJSON *root, const struct report *r)
{
    char hash[24];

    cJSON_AddStringToObject(root, "superpipe", SPIPE_VERSION);
    json_u64(root, "seed", r->config->seed);
    snprintf(hash, sizeof hash, "0x%016" PRIx64, r->trace_hash);
    if (r->threads)
        cJSON_AddNullToObject(root, "trace_hash");
    else
        cJSON_AddStringToObject(root, "trace_hash", hash);
    json_u64(root, "trace_records", r->trace_records);
    if (r->trace_path)
        cJSON_AddStringToObject(root, "trace_file", r->trace_path);
    else
        cJSON_AddNullToObject(root, "trace_file");
    cJSON_AddStringToObject(root, "replay", r->replay);
    cJSON_AddStringToObject(root, "exec", r->threads ? "posix" : "sched");
}

static void add_verdict(cJSON *root, const struct report *r)
{
    const struct workload_result *w = r->result;

    cJSON_AddBoolToObject(root, "passed", report_passed(r));
    json_u64(root, "errors", w->errors);
    json_u64(root, "mismatches", w->mismatches);
    json_u64(root, "recoveries", w->recoveries);
    json_u64(root, "lost", w->lost);
    json_u64(root, "violations", r->violations);
    json_u64(root, "model_errors", r->model_errors);
    cJSON_AddStringToObject(root, "violations_text", r->violations_text ? r->violations_text : "");
    cJSON_AddStringToObject(root, "model_errors_text",
                            r->model_errors_text ? r->model_errors_text : "");
    if (r->checked) {
        json_u64(root, "invariant_checks", r->checks);
        json_u64(root, "invariants_broken", r->broken);
        cJSON_AddStringToObject(root, "invariants_text", r->broken_text ? r->broken_text : "");
    }
    json_u64(root, "faults_fired", r->faults_fired);
    cJSON_AddStringToObject(root, "faults_resolved", r->resolved ? r->resolved : "");
    cJSON_AddStringToObject(root, "faults_unreached", r->unreached ? r->unreached : "");
    json_u64(root, "blocks_verified", w->verified);
    json_u64(root, "blocks_unknown", w->unverified);
    json_u64(root, "blocks_read_back", w->read_back);
    cJSON_AddBoolToObject(root, "interrupted", w->interrupted);
    cJSON_AddStringToObject(root, "failure", r->failure ? r->failure : "");
    cJSON_AddStringToObject(root, "first_error", w->first_error);
    cJSON_AddStringToObject(root, "first_mismatch", w->first_mismatch);
}

/* What the adapters went through, how often. */
static void add_events(cJSON *root, const struct report *r)
{
    cJSON *events = cJSON_AddObjectToObject(root, "events");

    for (unsigned i = 0; i < SPIPE_EVENTS && r->counter[i].name; i++)
        json_u64(events, r->counter[i].name, r->counter[i].value);
}

static void add_figures(cJSON *root, const struct report *r)
{
    const struct workload_result *w = r->result;
    const struct workload_direction *d = w->direction;

    cJSON_AddNumberToObject(root, "iops",
                            rate(d[WORKLOAD_READ].ios + d[WORKLOAD_WRITE].ios, w->load_ns));
    json_u64(root, "bw_bytes",
             (uint64_t)rate(d[WORKLOAD_READ].bytes + d[WORKLOAD_WRITE].bytes, w->load_ns));
    json_u64(root, "bring_up_ns", r->bring_up_ns);
    json_u64(root, "load_ns", w->load_ns);
    json_u64(root, "simulated_ns", w->total_ns);
    json_u64(root, "wall_ns", w->wall_ns);
    cJSON_AddNumberToObject(root, "simulated_per_wall",
                            w->wall_ns ? (double)w->total_ns / (double)w->wall_ns : 0);
}

static void add_setup(cJSON *root, const struct report *r)
{
    const struct workload_config *c = r->config;
    char mix[256];

    json_u64(root, "adapters", r->adapters);
    json_u64(root, "luns", r->luns);
    json_u64(root, "lun_bytes", r->lun_bytes);
    json_u64(root, "clients", c->clients);
    json_u64(root, "handles", c->handles);
    json_u64(root, "handle_bytes", c->bytes);
    json_u64(root, "depth", c->depth);
    json_u64(root, "read_percent", c->read_percent);
    json_u64(root, "duration_ns", c->duration_ns);
    block_mix_text(&c->mix, mix, sizeof mix);
    cJSON_AddStringToObject(root, "blocks", mix);
    cJSON_AddBoolToObject(root, "verify", c->verify);
}

static void add_statuses(cJSON *root, const struct workload_result *w)
{
    cJSON *array = cJSON_AddArrayToObject(root, "statuses");
    char text[160];

    for (unsigned i = 0; i < w->status_count; i++) {
        const struct workload_status *s = &w->status[i];
        cJSON *j = cJSON_CreateObject();

        cJSON_AddItemToArray(array, j);
        cJSON_AddStringToObject(j, "status", workload_status_text(s, text, sizeof text));
        json_u64(j, "commands", s->commands);
        json_u64(j, "errno", (uint64_t)-s->status);
        json_u64(j, "afu_rc", s->afu_rc);
        json_u64(j, "scsi_rc", s->scsi_rc);
        json_u64(j, "fc_rc", s->fc_rc);
        json_u64(j, "sense_key", s->sense_key);
        json_u64(j, "asc", s->asc);
        json_u64(j, "ascq", s->ascq);
    }
}

static void add_sites(cJSON *root, const struct report *r)
{
    cJSON *sites = cJSON_AddObjectToObject(root, "sites");

    for (unsigned i = 0; i < r->sites; i++) {
        cJSON *j = cJSON_AddObjectToObject(sites, r->site[i].name);

        json_u64(j, "hits", r->site[i].hits);
        json_u64(j, "fired", r->site[i].fired);
    }
}

char *report_json(const struct report *r)
{
    cJSON *root = cJSON_CreateObject();

    add_identity(root, r);
    add_verdict(root, r);
    add_setup(root, r);
    add_figures(root, r);
    add_events(root, r);
    add_statuses(root, r->result);
    add_sites(root, r);
    add_job(root, r);
    return json_finish(root);
}
