/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe run: mixed I/O with verification on a simulated adapter. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "sim/sim_fault.h"
#include "tools/adapter_options.h"
#include "tools/command.h"
#include "tools/event_file.h"
#include "tools/fault_options.h"
#include "tools/param_options.h"
#include "tools/progress.h"
#include "tools/record_session.h"
#include "tools/report.h"
#include "tools/run_luns.h"
#include "tools/session.h"
#include "tools/text.h"
#include "tools/trace_file.h"
#include "tools/workload.h"

#define LUN_CHUNKS 64 /* of a LUN by default, at least */
#define LUN_REST                                                                                   \
    (UINT64_C(100) * SESSION_BLOCK_BYTES) /* so that its end is not the end of a chunk */
#define MEMORY_MAX (UINT64_C(16) << 30)
#define CLIENTS_AN_ADAPTER UINT64_C(500)

struct media_paths {
    unsigned count;
    const char *path[SIM_HOST_ADAPTERS_MAX];
};

/* What the command line says. */
struct run_options {
    uint64_t adapters, luns, lun_bytes, clients, handles, bytes, read_percent, depth, duration_ns;
    uint64_t seed, pace, heartbeat_ns;
    struct block_mix mix;
    struct media_paths media;
    bool tags, no_verify, interrupts, recover, check, json;
    struct param_options param;
    struct fault_options fault;
    unsigned order, exec, faults_from;
    const char *trace, *events, *record;
    struct adapter_options adapter;
    struct lun_guard_options guard;
};

/* One run. */
struct run {
    struct run_options options;
    struct option_rest rest;
    struct sim_params params;
    struct workload_config load;
    struct run_luns luns[SIM_HOST_ADAPTERS_MAX];
    struct session session;
    struct workload_result result;
    struct progress progress;
    struct trace_file *trace;
    struct event_file *events;
    struct record_session *record;
    struct report report;
    char replay[OPTIONS_REPLAY_BYTES + 64];
    char resolved[2048], unreached[512];
    char violations[1024], model_errors[1024], broken[512];
    char why[SESSION_WHY_BYTES];
};

/* ---- command line -----------------------------------------------------------------------------
 */

static int set_mix(void *member, const char *text, char *why, size_t size)
{
    if (!option_value_mix(text, member))
        return 0;
    snprintf(why, size,
             "must be a size like 4k, or up to %d of them with weights like "
             "4k:80,64k:20; sizes are multiples of 512 bytes up to 16 MiB",
             BLOCK_MIX_MAX);
    return -EINVAL;
}

static int set_media(void *member, const char *text, char *why, size_t size)
{
    struct media_paths *m = member;

    if (!*text || m->count == SIM_HOST_ADAPTERS_MAX) {
        snprintf(why, size, *text ? "is one file too many" : "must not be empty");
        return -EINVAL;
    }
    m->path[m->count++] = text;
    return 0;
}

static int set_lun(void *member, const char *text, char *why, size_t size)
{
    return lun_guard_add(member, text, why, size);
}

static int set_trace(void *member, const char *text, char *why, size_t size)
{
    if (!trace_file_suffix_known(text)) {
        snprintf(why, size,
                 "must be a file name that ends in .vcd (waveforms), .json "
                 "(Chrome trace events) or .trace (for 'superpipe trace')");
        return -EINVAL;
    }
    *(const char **)member = text;
    return 0;
}

#define AT(member) .offset = offsetof(struct run_options, member)
#define NUMBER(name_, value_, kind_, member_, min_, max_, help_)                                   \
    {                                                                                              \
        .name = name_, .value = value_, .kind = kind_, AT(member_), .min = min_, .max = max_,      \
        .help = help_                                                                              \
    }

static const struct option_spec specs[] = {
    NUMBER("adapters", "COUNT", OPTION_COUNT, adapters, 1, SIM_HOST_ADAPTERS_MAX,
           "simulated adapters (1)"),
    NUMBER("luns", "COUNT", OPTION_COUNT, luns, 1, SIM_MEDIA_LUNS_MAX,
           "LUNs of each adapter, on new media (2)"),
    NUMBER("lun-size", "SIZE", OPTION_SIZE, lun_bytes, SESSION_CHUNK_BYTES, SIM_MEDIA_LUN_BYTES_MAX,
           "size of each LUN, on new media (16 GiB + 400 KiB,\nor as much as the clients need)"),
    NUMBER("clients", "COUNT", OPTION_COUNT, clients, 1, CLIENTS_AN_ADAPTER *SIM_HOST_ADAPTERS_MAX,
           "clients, spread over adapters and LUNs (8)"),
    NUMBER("handles", "COUNT", OPTION_COUNT, handles, 1, 256, "virtual LUNs of each client (4)"),
    NUMBER("size", "SIZE", OPTION_SIZE, bytes, 4096, SIM_MEDIA_LUN_BYTES_MAX,
           "bytes of each virtual LUN that are used (4 MiB)"),
    {.name = "block",
     .value = "MIX",
     .kind = OPTION_CUSTOM,
     AT(mix),
     .custom = set_mix,
     .help = "sizes of I/O, with weights: 4k, or 4k:80,64k:20 (4k)"},
    NUMBER("read", "PERCENT", OPTION_PERCENT, read_percent, 0, 100, "share of reads (70)"),
    NUMBER("depth", "COUNT", OPTION_COUNT, depth, 1, 4096, "I/Os of each client in flight (16)"),
    NUMBER("duration", "TIME", OPTION_DURATION, duration_ns, 1000, UINT64_C(86400000000000),
           "how long, in time of the device (1s)"),
    {.name = "seed",
     .value = "SEED",
     .kind = OPTION_SEED,
     AT(seed),
     .not_replayed = true,
     .help = "where all randomness comes from: a number, or 'random' (1)"},
    {.name = "media",
     .value = "PATH",
     .kind = OPTION_CUSTOM,
     AT(media),
     .custom = set_media,
     .help = "work in a media file, made when missing; named virtual\n"
             "LUNs in it stay as they are; once for each adapter\n(media in memory)"},
    ADAPTER_NAMES_ROW(struct run_options, adapter),
    {.name = "tag-media",
     .kind = OPTION_FLAG,
     AT(tags),
     .help = "keep only the first 64 bytes of each block in memory"},
    PARAM_OPTION_ROWS(struct run_options, param),
    {.name = "fault",
     .value = "RULE",
     .kind = OPTION_CUSTOM,
     AT(fault),
     .custom = fault_options_add,
     .help = "what goes wrong in each adapter, e.g. rrq#17=d; may be\nrepeated"},
    {.name = "faults-from",
     .value = "POINT",
     .kind = OPTION_CHOICE,
     AT(faults_from),
     .choices = "run|power-on",
     .help = "where hits begin to count: run (end of bring-up) or\npower-on (run)"},
    {.name = "order",
     .value = "ORDER",
     .kind = OPTION_CHOICE,
     AT(order),
     .choices = "host|little|big",
     .help = "byte order towards the adapter: little, big or host\n(little)"},
    {.name = "no-verify",
     .kind = OPTION_FLAG,
     AT(no_verify),
     .help = "do not check contents of blocks"},
    {.name = "check",
     .kind = OPTION_FLAG,
     AT(check),
     .help = "check the invariants of the stack after each request"},
    {.name = "interrupts",
     .kind = OPTION_FLAG,
     AT(interrupts),
     .help = "sleep for completions instead of polling"},
    {.name = "recover",
     .kind = OPTION_FLAG,
     AT(recover),
     .help = "clients whose context is lost recover it and go on"},
    ADAPTER_BACKEND_ROWS(struct run_options, adapter),
    {.name = "lun",
     .value = "WWID",
     .kind = OPTION_CUSTOM,
     AT(guard),
     .custom = set_lun,
     .help = "a LUN to work on; may be repeated; a card needs it (all)"},
    {.name = "read-only",
     .kind = OPTION_FLAG,
     AT(guard.read_only),
     .help = "write nothing to any LUN"},
    {.name = "destroy",
     .kind = OPTION_FLAG,
     AT(guard.destroy),
     .help = "a LUN of a card may be used although it has partitions, a\nfile system or the like: "
             "they will be lost"},
    {.name = "exec",
     .value = "KIND",
     .kind = OPTION_CHOICE,
     AT(exec),
     .choices = "sched|posix",
     .help = "sched: reproducible, in virtual time (default);\nposix: threads, in wall time"},
    NUMBER("pace", "FACTOR", OPTION_FACTOR, pace, 1, 1000000,
           "time of the device per wall time, with --exec posix (1)"),
    NUMBER("heartbeat", "TIME", OPTION_DURATION, heartbeat_ns, 0, UINT64_C(3600000000000),
           "how often the heartbeat of the AFU is looked at, 0 =\nnever (0)"),
    {.name = "trace",
     .value = "FILE",
     .kind = OPTION_CUSTOM,
     AT(trace),
     .custom = set_trace,
     .not_replayed = true,
     .help = "write a trace: FILE.vcd for gtkwave, FILE.json for\n"
             "Perfetto, FILE.trace for 'superpipe trace';\n0.5 to 5 KB for each I/O"},
    {.name = "events",
     .value = "FILE",
     .kind = OPTION_TEXT,
     AT(events),
     .not_replayed = true,
     .help = "write what the adapters go through, for 'superpipe\nevents'"},
    {.name = "record",
     .value = "FILE",
     .kind = OPTION_TEXT,
     AT(record),
     .not_replayed = true,
     .help = "write how long registers, commands and interrupts take,\nand what the model says; "
             "best with one client, depth 1"},
    {.name = "json",
     .kind = OPTION_FLAG,
     AT(json),
     .not_replayed = true,
     .help = "print one JSON object instead of the table"},
};

static const struct option_set set = {
    .command = "run",
    .operands = "",
    .summary = "Runs clients with virtual LUNs on a simulated CAPI Flash adapter and checks every "
               "block.",
    .notes = "The same options and the same seed give the same run, trace and hash.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

/* ---- checks -----------------------------------------------------------------------------------
 */

static const struct run_options defaults = {
    .adapters = 1,
    .luns = 2,
    .clients = 8,
    .handles = 4,
    .bytes = 4 << 20,
    .mix = {1, 1, {{4096, 1}}},
    .read_percent = 70,
    .depth = 16,
    .duration_ns = 1000000000,
    .seed = 1,
    .order = SPIPE_ORDER_LITTLE,
};

static void build_workload(struct run *r)
{
    const struct run_options *o = &r->options;

    r->load = (struct workload_config){
        .seed = o->seed,
        .clients = (unsigned)o->clients,
        .handles = (unsigned)o->handles,
        .bytes = o->bytes,
        .mix = o->mix,
        .read_percent = o->guard.read_only ? 100 : (unsigned)o->read_percent,
        .read_only = o->guard.read_only,
        .luns = r->luns,
        .depth = (unsigned)o->depth,
        .duration_ns = o->duration_ns,
        .verify = !o->no_verify,
        .interrupts = o->interrupts,
        .recover = o->recover,
        .tags = o->tags,
        .blank = !o->media.count,
    };
}

/* Options that do not go together. Returns 0 or an exit code. */
static int check_media(const struct run_options *o)
{
    if (o->media.count && o->media.count != o->adapters)
        return command_fail(&set, COMMAND_USAGE,
                            "%" PRIu64 " adapters need as many media files, give --media once for "
                            "each (it was given %u times)",
                            o->adapters, o->media.count);
    if (o->media.count && o->tags)
        return command_fail(&set, COMMAND_USAGE,
                            "--tag-media is for media in memory: leave it or --media out");
    if (o->adapter.names && o->adapters > 1)
        return command_fail(&set, COMMAND_USAGE,
                            "--names is for one adapter: adapters that are not one service cannot "
                            "share a file of names");
    return 0;
}

static int check_backend(const struct run_options *o)
{
    char why[OPTIONS_WHY_BYTES];

    if (o->record && *o->fault.plan)
        return command_fail(&set, COMMAND_USAGE,
                            "--record is not for runs with --fault: the faults would be measured");
    if (adapter_options_check(&o->adapter, why, sizeof why))
        return command_fail(&set, COMMAND_USAGE, "%s", why);
    return 0;
}

static int check(struct run *r)
{
    const struct run_options *o = &r->options;
    char a[TEXT_BYTES], b[TEXT_BYTES];
    uint64_t memory = workload_memory(&r->load);

    if (o->clients > o->adapters * CLIENTS_AN_ADAPTER)
        return command_fail(&set, COMMAND_USAGE,
                            "an adapter serves %d clients at most: choose fewer --clients or more "
                            "--adapters",
                            (int)CLIENTS_AN_ADAPTER);
    if (block_mix_largest(&o->mix) > o->bytes)
        return command_fail(&set, COMMAND_USAGE,
                            "I/O of %s does not fit into %s: choose a larger --size or a smaller "
                            "--block",
                            text_size(a, block_mix_largest(&o->mix)), text_size(b, o->bytes));
    if (memory > MEMORY_MAX)
        return command_fail(&set, COMMAND_USAGE,
                            "buffers and tables would take %s of memory, %s is the limit: choose "
                            "fewer --clients or a smaller --depth, --block or --size",
                            text_size(a, memory), text_size(b, MEMORY_MAX));
    if (options_given(&set, &r->rest, "pace") && !o->exec)
        return command_fail(&set, COMMAND_USAGE,
                            "--pace is for --exec posix: virtual time has no pace");
    return check_backend(o) ? COMMAND_USAGE : check_media(o);
}

/* ---- the run ----------------------------------------------------------------------------------
 */

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1; /* the handler is gone now: a second signal ends the program */
}

static void catch_interrupt(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Bytes of a LUN of new media: as much as the clients of the fullest one need. */
static uint64_t lun_bytes(const struct run_options *o)
{
    uint64_t clients, chunks;

    if (o->lun_bytes)
        return o->lun_bytes;
    clients = hal_div_up(hal_div_up(o->clients, o->adapters), o->luns);
    chunks = hal_div_up(o->bytes, SESSION_CHUNK_BYTES) * o->handles * clients;
    chunks = hal_max64(chunks, LUN_CHUNKS);
    return hal_min64(chunks * SESSION_CHUNK_BYTES + LUN_REST, SIM_MEDIA_LUN_BYTES_MAX);
}

static int open_session(struct run *r)
{
    const struct run_options *o = &r->options;
    struct session_config c = {
        .seed = o->seed,
        .adapters = (unsigned)o->adapters,
        .media = o->media.count ? SESSION_MEDIA_MAKE
                 : o->tags      ? SESSION_MEDIA_TAG
                                : SESSION_MEDIA_MEMORY,
        .luns = (unsigned)o->luns,
        .lun_bytes = lun_bytes(o),
        .params = &r->params,
        .faults = *o->fault.plan ? o->fault.plan : NULL,
        .faults_in_bring_up = o->faults_from,
        .order = (enum spipe_order)o->order,
        .trace = true,
        .trace_file = o->trace,
        .check = o->check,
        .threads = o->exec,
        .pace = (unsigned)o->pace,
        .heartbeat_ns = o->heartbeat_ns,
        .data_bytes = workload_memory(&r->load),
    };

    adapter_options_apply(&o->adapter, &c);
    memcpy(c.path, o->media.path, sizeof c.path);
    return session_open(&c, &r->session, r->why, sizeof r->why);
}

static struct report_site *report_site(struct report *r, const char *name)
{
    for (unsigned i = 0; i < r->sites; i++)
        if (!strcmp(r->site[i].name, name))
            return &r->site[i];
    r->site[r->sites].name = name;
    return &r->site[r->sites++];
}

/* Sites that the model has too are there only for a card. */
static void collect_sites(struct run *r, const struct fault_plan *p, bool filter)
{
    for (unsigned k = 0; k < p->registry->count; k++) {
        const char *name = p->registry->site[k].name;

        if (!filter || !sim_fault_knows(name))
            report_site(&r->report, name)->hits += fault_plan_hits(p, k);
    }
    for (unsigned k = 0; k < p->count; k++) {
        report_site(&r->report, p->registry->site[p->rule[k].site].name)->fired += p->rule[k].fired;
        r->report.faults_fired += p->rule[k].fired;
    }
}

/* Rule k of a plan that never changed anything, in any adapter (campaigns.md CF-6). */
static void collect_unreached(struct run *r, unsigned plan, unsigned k)
{
    struct fault_plan *p[SESSION_PLANS];
    uint64_t fired = 0;
    char rule[64];

    session_plans(&r->session, 0, p);
    for (unsigned i = 0; i < r->session.adapters; i++) {
        session_plans(&r->session, i, p);
        fired += p[plan]->rule[k].fired;
    }
    if (fired)
        return;
    fault_rule_format(p[plan], k, rule, sizeof rule);
    text_append(r->unreached, sizeof r->unreached, "%s%s", *r->unreached ? ", " : "", rule);
}

/* The hits that went wrong, so that a rule with a state or a distance can be named by them. */
static void collect_resolved(struct run *r, const struct fault_plan *p)
{
    char text[1024];

    fault_plan_resolved(p, text, sizeof text);
    if (*text)
        text_append(r->resolved, sizeof r->resolved, "%s%s", *r->resolved ? "+" : "", text);
    if (p->unlisted)
        text_append(r->resolved, sizeof r->resolved, " and %" PRIu64 " more", p->unlisted);
}

static void collect_faults(struct run *r)
{
    struct fault_plan *p[SESSION_PLANS];
    unsigned n = session_plans(&r->session, 0, p);

    for (unsigned k = 0; k < n; k++) {
        collect_resolved(r, p[k]);
        for (unsigned i = 0; i < p[k]->count; i++)
            collect_unreached(r, k, i);
    }
    for (unsigned i = 0; i < r->session.adapters; i++) {
        session_plans(&r->session, i, p);
        for (unsigned k = 0; k < n; k++)
            collect_sites(r, p[k], k > 0);
    }
    r->report.resolved = r->resolved;
    r->report.unreached = r->unreached;
}

static void describe(struct run *r)
{
    struct session *s = &r->session;
    const struct sim_media_lun *lun = s->card ? NULL : sim_media_lun(s->media[0], 0);

    r->report.adapters = s->adapters;
    r->report.luns = s->card ? 0 : sim_media_n_luns(s->media[0]);
    r->report.lun_bytes = lun ? lun->blocks * lun->block_size : 0;
    r->report.threads = s->threads;
    r->report.bring_up_ns = s->bring_up_ns;
}

/* What the strict checkers have found; as text, of the first adapter that has something. */
static void collect_strict(struct run *r)
{
    for (unsigned i = 0; i < r->session.adapters; i++) {
        const struct sim_strict *s = sim_afu_strict(sim_host_afu(r->session.host, i));

        r->report.violations += s->total[SIM_VERDICT_HOST];
        r->report.model_errors += s->total[SIM_VERDICT_MODEL];
        if (!*r->violations)
            sim_strict_text(s, SIM_VERDICT_HOST, r->violations, sizeof r->violations);
        if (!*r->model_errors)
            sim_strict_text(s, SIM_VERDICT_MODEL, r->model_errors, sizeof r->model_errors);
    }
    r->report.violations_text = r->violations;
    r->report.model_errors_text = r->model_errors;
}

/* What the checkers of the invariants have found; as text, of the first adapter likewise. */
static void collect_checks(struct run *r)
{
    r->report.checked = r->options.check;
    for (unsigned i = 0; i < r->session.adapters; i++) {
        const struct sim_check *c = r->session.check[i];

        if (!c)
            continue;
        r->report.checks += sim_check_result(c)->quiet_looks;
        r->report.broken += sim_check_result(c)->broken;
        if (!*r->broken)
            snprintf(r->broken, sizeof r->broken, "%s", sim_check_result(c)->text);
    }
    r->report.broken_text = r->broken;
}

static void collect(struct run *r)
{
    struct session *s = &r->session;
    struct sim_trace *t;

    describe(r);
    collect_faults(r);
    if (s->card)
        return; /* it has neither a trace nor checkers */
    t = &sim_host_machine(s->host)->trace;
    r->report.trace_hash = sim_trace_hash(t);
    r->report.trace_records = sim_trace_total(t);
    collect_strict(r);
    collect_checks(r);
}

static void collect_counters(struct run *r)
{
    struct spipe_counter c;

    for (unsigned i = 0; i < r->session.adapters; i++)
        for (unsigned id = 0; !spipe_counter(r->session.spipe[i], id, &c); id++) {
            c.value += r->report.counter[id].value;
            r->report.counter[id] = c;
        }
}

static int body(struct session *s, void *arg, char *why, size_t size)
{
    struct run *r = arg;
    int rc;

    for (unsigned i = 0; i < s->adapters; i++) {
        rc = run_luns_choose(s, i, &r->options.guard, &r->luns[i], why, size);
        if (rc)
            return rc;
    }
    r->progress.total_device_ns = r->load.duration_ns;
    rc = workload_run(s, &r->load, &r->progress, &r->result, why, size);
    collect_counters(r);
    return rc;
}

/* Whether an output would be written over a file that the run works on. */
static bool refuse_own_file(struct run *r, const char *path, const char *output)
{
    const char *kind = session_file_kind(&r->session, path);

    if (kind)
        snprintf(r->why, sizeof r->why, "'%s' is %s: name another file for the %s", path, kind,
                 output);
    return kind;
}

static int open_trace(struct run *r)
{
    struct session *s = &r->session;

    if (!r->options.trace)
        return 0;
    if (refuse_own_file(r, r->options.trace, "trace"))
        return -EINVAL;
    return trace_file_open(r->options.trace, &sim_host_machine(s->host)->trace, r->options.seed,
                           s->adapters, &r->params, &r->trace, r->why, sizeof r->why);
}

static int open_events(struct run *r)
{
    struct session *s = &r->session;
    int rc;

    if (!r->options.events)
        return 0;
    if (refuse_own_file(r, r->options.events, "events"))
        return -EINVAL;
    rc = event_file_open(r->options.events, &r->events, r->why, sizeof r->why);
    if (rc)
        return rc;
    s->config.event_sink = event_file_sink;
    for (unsigned i = 0; i < s->adapters; i++)
        s->config.event_arg[i] = event_file_arg(r->events, i);
    return 0;
}

static int open_record(struct run *r)
{
    struct session *s = &r->session;

    if (!r->options.record)
        return 0;
    if (refuse_own_file(r, r->options.record, "record"))
        return -EINVAL;
    return record_session_open(s, r->options.record, &r->params, &r->record, r->why, sizeof r->why);
}

static int carry_out(struct run *r)
{
    char why[SIM_MEDIA_WHY_BYTES] = "";
    int rc, closed;

    catch_interrupt();
    progress_start(&r->progress, "run", false);
    rc = session_run(&r->session, body, r, r->why, sizeof r->why);
    progress_clear(&r->progress);
    collect(r);
    closed = trace_file_close(r->trace, why, sizeof why);
    if (closed && !rc)
        snprintf(r->why, sizeof r->why, "%s", why);
    return rc ? rc : closed;
}

static void start_report(struct run *r)
{
    r->load.stop = &stop;
    r->report = (struct report){
        .config = &r->load,
        .result = &r->result,
        .replay = r->replay,
        .trace_path = r->options.trace,
        .faults = *r->options.fault.plan ? r->options.fault.plan : NULL,
    };
    snprintf(r->replay, sizeof r->replay, "superpipe run --seed 0x%" PRIx64 "%s", r->options.seed,
             r->rest.replay);
    if (!r->options.json)
        fprintf(stderr, "replay: %s\n", r->replay);
}

static void print_report(struct run *r)
{
    char *json;

    if (!r->options.json) {
        report_table(stdout, &r->report);
        return;
    }
    json = report_json(&r->report);
    fputs(json ? json : "{}\n", stdout);
    free(json);
}

static int open_all(struct run *r)
{
    int rc = open_session(r);

    if (!rc)
        rc = open_trace(r);
    if (!rc)
        rc = open_events(r);
    if (!rc)
        rc = open_record(r);
    return rc;
}

/* What is said already stays. */
static int close_all(struct run *r, int rc)
{
    char why[SIM_MEDIA_WHY_BYTES];
    int closed = record_session_close(r->record, !rc, why, sizeof why);

    if (closed && !rc) {
        snprintf(r->why, sizeof r->why, "%s", why);
        rc = closed;
    }
    session_close(&r->session);
    closed = event_file_close(r->events, why, sizeof why);
    if (closed && !rc)
        snprintf(r->why, sizeof r->why, "%s", why);
    return rc ? rc : closed;
}

/* From a checked command line to the exit code. */
static int run(struct run *r)
{
    int opened, rc;

    start_report(r);
    opened = open_all(r);
    rc = close_all(r, opened ? opened : carry_out(r));
    if (rc) {
        r->report.failure = r->why;
        command_fail(&set, COMMAND_FAILED, "%s", r->why);
    }
    if (opened)
        return COMMAND_FAILED;
    print_report(r);
    return report_passed(&r->report) ? COMMAND_GOOD : COMMAND_FAILED;
}

int cmd_run(int argc, char **argv)
{
    static struct run r;
    int code;

    r.options = defaults;
    if (!command_begin(&set, argc, argv, &r.options, &r.rest, &code))
        return code;
    build_workload(&r);
    code = check(&r);
    if (code)
        return code;
    code = param_options_apply(&r.options.param, &r.params, r.why, sizeof r.why);
    if (code)
        return command_fail(&set, code, "%s", r.why);
    return command_end(&set, run(&r));
}
