/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark program: every bar of docs/performance.md that is measured today, each with its
 * roofline from the same run. CPU time, medians of several windows; nothing here is a test. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/sim_engine.h"
#include "tests/bench/bench_bar.h"
#include "tests/bench/bench_flat.h"
#include "tests/bench/bench_instructions.h"
#include "tests/bench/bench_median.h"
#include "tests/bench/bench_placement.h"
#include "tests/bench/bench_recovery.h"
#include "tests/bench/bench_sched.h"
#include "tests/bench/bench_stack.h"

#define WINDOWS BENCH_WINDOWS
#define TURNS BENCH_TURNS

/* ---- helpers ----------------------------------------------------------------------------------
 */

static const struct bench_stack_config one_fiber = {
    .clients = 1, .handles = 4, .depth = 32, .reads = 400000, .data = true};
static const struct bench_stack_config one_fiber_tags = {
    .clients = 1, .handles = 4, .depth = 32, .reads = 600000};

/* ns a read; *events_ns, if not NULL, gets ns an event. */
static double stack_ns(const struct bench_stack_config *c, double *events_ns)
{
    struct bench_stack_result r;

    bench_move_code();
    if (bench_stack_run(c, &r))
        return NAN;
    if (events_ns)
        *events_ns = r.cpu_ns / (double)r.events;
    return r.cpu_ns / (double)c->reads;
}

static double stack_median_ns(const struct bench_stack_config *c)
{
    double v[WINDOWS];

    for (unsigned i = 0; i < WINDOWS; i++)
        v[i] = stack_ns(c, NULL);
    return bench_median(v, WINDOWS);
}

/* Extra cost of b over a in percent. */
static double extra_percent(const struct bench_stack_config *a, const struct bench_stack_config *b)
{
    double best_a = INFINITY, best_b = INFINITY;

    for (unsigned i = 0; i < TURNS; i++) {
        best_a = fmin(best_a, stack_ns(a, NULL));
        best_b = fmin(best_b, stack_ns(b, NULL));
    }
    return (best_b / best_a - 1) * 100;
}

/* ---- bars -------------------------------------------------------------------------------------
 */

static double pb1(double *roofline)
{
    double v[WINDOWS];

    *roofline = 1e3 / bench_event_ns();
    for (unsigned i = 0; i < WINDOWS; i++)
        if (isnan(stack_ns(&one_fiber_tags, &v[i])))
            return NAN;
    return 1e3 / bench_median(v, WINDOWS);
}

static double pb2(double *roofline)
{
    *roofline = 1e3 / bench_copy_4k_ns();
    return 1e3 / stack_median_ns(&one_fiber);
}

static double pb3(double *roofline)
{
    *roofline = 1e3 / (9 * bench_event_ns()); /* nine bare events */
    return 1e3 / stack_median_ns(&one_fiber_tags);
}

/* Cycles a second of the engine that asks every block at every cycle, the card at full load. */
static double pb5(double *roofline)
{
    struct bench_stack_config c = one_fiber_tags;
    double v[WINDOWS];

    *roofline = NAN;
    c.reads = 5000;
    c.reference = true;
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct bench_stack_result r;

        if (bench_stack_run(&c, &r))
            return NAN;
        v[i] = (double)r.virtual_ns / SIM_CYCLE_NS / r.cpu_ns * 1e3;
    }
    return bench_median(v, WINDOWS);
}

/* Device time against CPU time, 8 clients that keep the card at its limit. */
static double pb10(double *roofline)
{
    const struct bench_stack_config c = {
        .clients = 8, .handles = 4, .depth = 16, .reads = 200000, .data = true};
    double v[WINDOWS];

    *roofline = NAN;
    for (unsigned i = 0; i < WINDOWS; i++) {
        struct bench_stack_result r;

        if (bench_stack_run(&c, &r))
            return NAN;
        v[i] = (double)r.virtual_ns / r.cpu_ns;
    }
    return bench_median(v, WINDOWS);
}

struct flat {
    unsigned contexts, luns;
    uint64_t xlt_entries;
};

/* Ratio of two costs, of the best in turn. */
static double flat_ratio(struct flat a, struct flat b)
{
    double best_a = INFINITY, best_b = INFINITY;

    for (unsigned i = 0; i < TURNS; i++) {
        double ns_a, ns_b;

        bench_move_code();
        ns_a = bench_flat_ns(a.contexts, a.luns, a.xlt_entries);
        ns_b = bench_flat_ns(b.contexts, b.luns, b.xlt_entries);
        if (ns_a < 0 || ns_b < 0)
            return NAN;
        best_a = fmin(best_a, ns_a);
        best_b = fmin(best_b, ns_b);
    }
    return best_b / best_a;
}

/* The translation cache holds all of them, so that every command does the same. */
static double flat_contexts(double *roofline)
{
    *roofline = NAN;
    return flat_ratio((struct flat){1, 2, 4096}, (struct flat){508, 2, 4096});
}

/* The default cache does not: with many contexts every command walks the tables, with one context
 * none does. Roofline: one context whose commands walk, since the cache holds one entry only; so
 * much of it is the work of the two walks, not the number of contexts. */
static double flat_walks(double *roofline)
{
    *roofline = flat_ratio((struct flat){1, 2, 64}, (struct flat){1, 2, 1});
    return flat_ratio((struct flat){1, 2, 64}, (struct flat){508, 2, 64});
}

static double flat_luns(double *roofline)
{
    *roofline = NAN;
    return flat_ratio((struct flat){255, 2, 64}, (struct flat){255, 255, 64});
}

static double trace_cost(const struct bench_stack_config *reads)
{
    struct bench_stack_config c = *reads;
    double v[TURNS];

    c.trace_in_turn = true;
    for (unsigned i = 0; i < TURNS; i++) {
        struct bench_stack_result r;

        bench_move_code();
        if (bench_stack_run(&c, &r))
            return NAN;
        v[i] = (r.traced_ns / r.untraced_ns - 1) * 100;
    }
    return bench_median(v, TURNS);
}

static double pb6(double *roofline)
{
    *roofline = NAN;
    return trace_cost(&one_fiber_tags);
}

static double pb6_data(double *roofline)
{
    *roofline = NAN;
    return trace_cost(&one_fiber);
}

/* Paths of the twins: the same program with and without fault sites. This program itself is no
 * twin, since the compiler knows what a twin runs and makes another loop of it. */
static char with_sites[4096], without_sites[4096];

/* Runs a program that prints one number: ns a read. */
static double ask(const char *program)
{
    char command[4200], line[64] = "";
    FILE *p;

    snprintf(command, sizeof command, "exec '%s'", program);
    p = popen(command, "r"); /* NOLINT(cert-env33-c): a fixed command, for people who measure */
    if (!p || !fgets(line, sizeof line, p))
        line[0] = 0;
    if (!p || pclose(p) || !line[0])
        return NAN;
    return strtod(line, NULL);
}

static double pb7(double *roofline)
{
    double with = INFINITY, without = INFINITY;

    *roofline = NAN;
    if (access(with_sites, X_OK) || access(without_sites, X_OK))
        return NAN;
    for (unsigned i = 0; i < 5 * TURNS; i++) { /* short runs, many: one finds a quiet moment */
        without = fmin(without, ask(without_sites));
        with = fmin(with, ask(with_sites));
    }
    return (with / without - 1) * 100;
}

/* Nothing but the number of instructions stays the same on a busy machine. */
static double pb3_count(double *roofline)
{
    *roofline = NAN;
    return bench_instructions_of(with_sites);
}

static double pb7_count(double *roofline)
{
    *roofline = NAN;
    return (bench_instructions_of(with_sites) / bench_instructions_of(without_sites) - 1) * 100;
}

static double pb11(double *roofline)
{
    double v[WINDOWS];

    for (unsigned i = 0; i < WINDOWS; i++)
        v[i] = bench_fiber_switch_ns(2000000);
    *roofline = bench_swapcontext_ns(200000);
    return bench_median(v, WINDOWS);
}

/* All translations fit into the cache, or the factor would be that of table walks too. */
static double pb11_load(double *roofline)
{
    struct bench_stack_config one = {.clients = 1,
                                     .handles = 4,
                                     .depth = 128,
                                     .reads = 400000,
                                     .xlt_entries = 4096},
                              eight = one;

    eight.clients = 8;
    eight.depth = 16;

    *roofline = 1;
    return 1 + extra_percent(&one, &eight) / 100;
}

static const struct bench_stack_config standard = {
    .clients = 8, .handles = 4, .depth = 16, .reads = 200000, .data = true};

static double pb13(double *roofline)
{
    struct rusage use;
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct bench_stack_result r;

        _exit(bench_stack_run(&standard, &r) ? 1 : 0);
    }
    *roofline = NAN;
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid || status)
        return NAN;
    return (double)use.ru_maxrss / 1024;
}

static double pb13_state(double *roofline)
{
    struct bench_stack_config c = standard;
    struct bench_stack_result r;

    c.snapshot = true;
    if (bench_stack_run(&c, &r))
        return NAN;
    *roofline = (double)(r.world_bytes - r.buffer_bytes) / 1024; /* the arena it is copied from */
    return (double)r.snapshot_bytes / 1024;
}

static double pb20(double *roofline)
{
    *roofline = 80;
    return bench_instructions(1);
}

static double pb20_batch(double *roofline)
{
    *roofline = 80;
    return bench_instructions(32);
}

static struct bench_bar own_bars[] = {
    {"PB-1", "engine events, checks on, no data", "M/s", 10, 20, true, pb1, NAN, NAN},
    {"PB-2", "4 KiB reads, full stack, data copied", "M/s", 1.0, 1.8, true, pb2, NAN, NAN},
    {"PB-3", "4 KiB reads, full stack, tag media", "M/s", 2.5, 4.5, true, pb3, NAN, NAN},
    {"PB-3.count", "the same, host instructions a read", "", NAN, NAN, false, pb3_count, NAN, NAN},
    {"PB-5", "reference engine, cycles, full load", "M/s", 5, 12, true, pb5, NAN, NAN},
    {"PB-6", "trace and hash on against off, no data", "%", 25, 15, false, pb6, NAN, NAN},
    {"PB-6.data", "the same with data", "%", 12, 6, false, pb6_data, NAN, NAN},
    {"PB-7", "fault sites, no plan, against none", "%", 3, 1, false, pb7, NAN, NAN},
    {"PB-7.count", "the same in host instructions", "%", 3, 1, false, pb7_count, NAN, NAN},
    {"PB-10", "simulated against real time, full load", "x", 1, 3, true, pb10, NAN, NAN},
    {"FLAT.contexts", "cost of a command, 508 contexts against 1", "x", 1.3, 1.3, false,
     flat_contexts, NAN, NAN},
    {"FLAT.walks", "the same, each command walks the tables", "x", 1.3, 1.3, false, flat_walks, NAN,
     NAN},
    {"FLAT.luns", "cost of a command, 255 LUNs against 2", "x", 1.3, 1.3, false, flat_luns, NAN,
     NAN},
    {"PB-11", "fiber switch (roofline: swapcontext)", "ns", 25, 12, false, pb11, NAN, NAN},
    {"PB-11.load", "8 fibers against 1 at full load", "x", 2, 1.3, false, pb11_load, NAN, NAN},
    {"PB-13", "resident memory, standard scenario", "MiB", 64, 24, false, pb13, NAN, NAN},
    {"PB-13.state", "state that a snapshot holds, no media, buffers", "KiB", 1024, 128, false,
     pb13_state, NAN, NAN},
    {"PB-20", "host instructions a read, depth 1", "", 250, 150, false, pb20, NAN, NAN},
    {"PB-20.batch", "the same in batches of 32", "", 180, 100, false, pb20_batch, NAN, NAN},
};

/* The i-th bar of all; NULL past the last. */
static struct bench_bar *bar_at(size_t i)
{
    const struct bench_bars groups[] = {{own_bars, sizeof own_bars / sizeof *own_bars},
                                        bench_alloc_bars(),
                                        bench_request_bars(),
                                        bench_recovery_bars()};

    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        if (i < groups[g].n)
            return &groups[g].bar[i];
        i -= groups[g].n;
    }
    return NULL;
}

/* What to measure: all bars, one of them, or a group: FLAT are FLAT.contexts, FLAT.walks and so on.
 */
struct choice {
    const char *name; /* NULL: all */
    bool group;
};

static bool chosen(const struct choice *c, const struct bench_bar *b)
{
    size_t n = c->name ? strlen(c->name) : 0;

    if (!c->name)
        return true;
    return c->group ? strncmp(b->id, c->name, n) == 0 && b->id[n] == '.'
                    : strcmp(b->id, c->name) == 0;
}

/* The first bar chosen from the i-th on, which i is moved past; NULL if there is none left. */
static struct bench_bar *next_chosen(const struct choice *c, size_t *i)
{
    struct bench_bar *b;

    while ((b = bar_at((*i)++)) && !chosen(c, b))
        continue;
    return b;
}

/* A bar's own name means that bar alone, whatever else begins with it. */
static bool choose(struct choice *c, const char *name)
{
    const struct bench_bar *b;

    for (int group = 0; group <= 1; group++) {
        size_t i = 0;

        *c = (struct choice){name, group};
        if (next_chosen(c, &i))
            return true;
    }
    fprintf(stderr, "bench: there is no bar or group %s; there are", name);
    for (size_t i = 0; (b = bar_at(i)); i++)
        fprintf(stderr, " %s", b->id);
    fputs(", and what stands before a dot is a group\n", stderr);
    return false;
}

/* ---- output -----------------------------------------------------------------------------------
 */

static const char *verdict(const struct bench_bar *b)
{
    if (isnan(b->value))
        return "not measured";
    if (isnan(b->must))
        return "for comparison";
    if (b->higher ? b->value >= b->aim : b->value <= b->aim)
        return "aim";
    if (b->higher ? b->value >= b->must : b->value <= b->must)
        return "must";
    return "MISSED";
}

static void print_number(double v)
{
    if (isnan(v))
        printf("%10s", "-");
    else
        printf("%10.2f", v);
}

static void print_table(const struct choice *c, const cJSON *old)
{
    const struct bench_bar *b;

    printf("%-12s %-44s %-4s %10s %10s %10s %10s  %s\n", "bar", "what", "unit", "value", "must",
           "aim", "roofline", "reached");
    for (size_t i = 0; (b = next_chosen(c, &i));) {
        const cJSON *was = cJSON_GetObjectItem(cJSON_GetObjectItem(old, b->id), "value");

        printf("%-12s %-44s %-4s ", b->id, b->what, b->unit);
        print_number(b->value);
        printf(" ");
        print_number(b->must);
        printf(" ");
        print_number(b->aim);
        printf(" ");
        print_number(b->roofline);
        printf("  %s", verdict(b));
        if (cJSON_IsNumber(was) && was->valuedouble != 0 && !isnan(b->value))
            printf("  (%+.1f %%)", (b->value / was->valuedouble - 1) * 100);
        printf("\n");
    }
}

static cJSON *number(double v) { return isnan(v) ? cJSON_CreateNull() : cJSON_CreateNumber(v); }

static void print_json(const struct choice *c)
{
    cJSON *all = cJSON_CreateObject();
    const struct bench_bar *b;
    char *text;

    for (size_t i = 0; (b = next_chosen(c, &i));) {
        cJSON *o = cJSON_AddObjectToObject(all, b->id);

        cJSON_AddStringToObject(o, "what", b->what);
        cJSON_AddStringToObject(o, "unit", b->unit);
        cJSON_AddItemToObject(o, "value", number(b->value));
        cJSON_AddItemToObject(o, "must", number(b->must));
        cJSON_AddItemToObject(o, "aim", number(b->aim));
        cJSON_AddItemToObject(o, "roofline", number(b->roofline));
        cJSON_AddStringToObject(o, "reached", verdict(b));
    }
    text = cJSON_Print(all);
    puts(text);
    free(text);
    cJSON_Delete(all);
}

static cJSON *load(const char *path)
{
    FILE *f = fopen(path, "r");
    static char text[1 << 18];
    cJSON *json = NULL;

    if (f) {
        text[fread(text, 1, sizeof text - 1, f)] = 0;
        fclose(f);
        json = cJSON_Parse(text);
    }
    if (!json) {
        fprintf(stderr, "bench: %s is no output of bench --json\n", path);
        exit(1);
    }
    return json;
}

/* ---- main -------------------------------------------------------------------------------------
 */

static void usage(FILE *to)
{
    fputs("usage: bench [--json] [--compare OLD.json] [--only NAME]\n"
          "Measures the bars of docs/performance.md, CPU time, medians.\n"
          "  --json             one object, keyed by bar\n"
          "  --compare OLD.json shows the change against an earlier --json\n"
          "  --only NAME        this bar alone, e.g. PB-2, or a group, e.g. FLAT\n",
          to);
}

static void find_twins(const char *name)
{
    const char *slash = strrchr(name, '/');
    int folder = slash ? (int)(slash - name) + 1 : 0;

    snprintf(with_sites, sizeof with_sites, "%.*sbench_sites", folder, name);
    snprintf(without_sites, sizeof without_sites, "%.*sbench_nosites", folder, name);
}

static void measure(const struct choice *c)
{
    struct bench_bar *b;

    for (size_t i = 0; (b = next_chosen(c, &i));) {
        fprintf(stderr, "bench: %s ...\n", b->id);
        b->value = b->measure(&b->roofline);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},       {"compare", required_argument, NULL, 'c'},
        {"only", required_argument, NULL, 'o'}, {"instructions", required_argument, NULL, 'i'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    struct choice choice = {NULL, false};
    cJSON *old = NULL;
    bool json = false;
    int o;

    find_twins(argv[0]);
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {
        case 'j':
            json = true;
            break;
        case 'c':
            old = load(optarg);
            break;
        case 'o':
            if (!choose(&choice, optarg))
                return 2;
            break;
        case 'i':
            return bench_instructions_inside((unsigned)strtoul(optarg, NULL, 10));
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    measure(&choice);
    if (json)
        print_json(&choice);
    else
        print_table(&choice, old);
    cJSON_Delete(old);
    return 0;
}
