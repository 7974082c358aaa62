/* Runner of the Criterion stand-in. One process per test; speaks Bazel's test protocol (shards,
 * --test_filter, XML_OUTPUT_FILE) and ends with the same closing line and exit codes as
 * criterion_main.c: 0 all passed, 1 some failed, 2 unknown option, 3 nothing ran.
 * With MINI_NOFORK in the environment the tests run in this process (debugger, valgrind). */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MINI_FAILED = 101, MINI_SKIPPED = 102 };

const struct criterion_test *criterion_current_test;

static struct mini_test *tests, **tests_end = &tests;
static struct mini_suite *suites;
static volatile int soft_failed;
static FILE *xml;
static struct {
    unsigned tested, passed, failed, crashed, skipped;
} sum;

struct outcome {
    int signal, code;
    bool timed_out;
    double secs;
};

struct options {
    const char *pattern, *xml_path, *shard_status;
    unsigned long shard_total, shard_index;
    bool list;
};

void mini_add_test(struct mini_test *t)
{
    *tests_end = t;
    tests_end = &t->next;
}

void mini_add_suite(struct mini_suite *s)
{
    s->next = suites;
    suites = s;
}

void mini_fail(bool fatal, const char *file, int line, const char *expr, ...)
{
    va_list ap;
    const char *fmt;

    flockfile(stderr);
    fprintf(stderr, "[----] %s:%d: failed: %s", file, line, expr);
    va_start(ap, expr);
    fmt = va_arg(ap, const char *);
    if (fmt) {
        fputs(": ", stderr);
        vfprintf(stderr, fmt, ap);
    }
    va_end(ap);
    fputc('\n', stderr);
    funlockfile(stderr);
    soft_failed = 1;
    if (fatal)
        exit(MINI_FAILED);
}

static void log_line(const char *fmt, va_list ap)
{
    flockfile(stderr);
    fputs("[----] ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    funlockfile(stderr);
}

void mini_skip(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(fmt, ap);
    va_end(ap);
    exit(MINI_SKIPPED);
}

void mini_log(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_line(fmt, ap);
    va_end(ap);
}

void *cr_malloc(size_t n) { return malloc(n); }
void *cr_calloc(size_t n, size_t m) { return calloc(n, m); }
void cr_free(void *p) { free(p); }

static const struct mini_opts *suite_opts(const char *name)
{
    static const struct mini_opts none;

    for (struct mini_suite *s = suites; s; s = s->next)
        if (!strcmp(s->name, name))
            return &s->opts;
    return &none;
}

static void run_body(struct mini_test *t, void *param, const struct mini_opts *so)
{
    void (*init)(void) = t->opts.init ? t->opts.init : so->init;
    void (*fini)(void) = t->opts.fini ? t->opts.fini : so->fini;

    criterion_current_test = &t->id;
    if (init)
        init();
    if (t->pfn)
        t->pfn(param);
    else
        t->fn();
    if (fini)
        fini();
    criterion_current_test = NULL;
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void record(const struct mini_test *t, const char *verdict, double secs)
{
    fprintf(stderr, "[%s] %s::%s: (%.2fs)\n", verdict, t->id.category, t->id.name, secs);
    if (!xml)
        return;
    fprintf(xml, "  <testcase classname=\"%s\" name=\"%s\" time=\"%.3f\">", t->id.category,
            t->id.name, secs);
    if (!strcmp(verdict, "SKIP"))
        fputs("<skipped/>", xml);
    else if (strcmp(verdict, "PASS"))
        fputs("<failure message=\"see the log\"/>", xml);
    fputs("</testcase>\n", xml);
}

/* Waits for the child until the deadline, then kills it. SIGCHLD is blocked by the caller, so a
 * child that ends between the two calls is not missed. */
static int wait_until(pid_t pid, double deadline, bool *timed_out)
{
    sigset_t chld;
    int st;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    for (;;) {
        pid_t got = waitpid(pid, &st, deadline > 0 ? WNOHANG : 0);

        if (got == pid)
            return st;
        if (got == 0) {
            double left = deadline - now();
            struct timespec ts = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};

            if (left > 0) {
                sigtimedwait(&chld, NULL, &ts);
                continue;
            }
            *timed_out = true;
            kill(pid, SIGKILL);
            deadline = 0;
        }
    }
}

static struct outcome run_forked(struct mini_test *t, void *param, const struct mini_opts *so)
{
    double limit = t->opts.timeout > 0 ? t->opts.timeout : so->timeout;
    struct outcome o = {0};
    sigset_t chld, old;
    pid_t pid;
    int st;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, &old);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        run_body(t, param, so);
        exit(soft_failed ? MINI_FAILED : 0);
    }
    if (pid < 0) {
        perror("fork");
        exit(2);
    }
    st = wait_until(pid, limit > 0 ? now() + limit : 0, &o.timed_out);
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (WIFSIGNALED(st))
        o.signal = WTERMSIG(st);
    else
        o.code = WEXITSTATUS(st);
    return o;
}

static struct outcome run_here(struct mini_test *t, void *param, const struct mini_opts *so)
{
    struct outcome o = {0};

    soft_failed = 0;
    run_body(t, param, so);
    o.code = soft_failed ? MINI_FAILED : 0;
    return o;
}

static void judge(const struct mini_test *t, const struct mini_opts *so, const struct outcome *o)
{
    int want_signal = t->opts.signal ? t->opts.signal : so->signal;
    int want_code = t->opts.exit_code ? t->opts.exit_code : so->exit_code;

    if (o->code == MINI_SKIPPED) {
        sum.skipped++;
        record(t, "SKIP", o->secs);
        return;
    }
    sum.tested++;
    if (!o->timed_out && o->signal == want_signal && (o->signal || o->code == want_code)) {
        sum.passed++;
        record(t, "PASS", o->secs);
        return;
    }
    sum.failed++;
    if (o->timed_out) {
        fprintf(stderr, "[----] timed out\n");
    } else if (o->signal) {
        sum.crashed++;
        fprintf(stderr, "[----] killed by signal %d\n", o->signal);
    } else if (o->code != MINI_FAILED) {
        fprintf(stderr, "[----] exit code %d\n", o->code);
    }
    record(t, "FAIL", o->secs);
}

static void run_one(struct mini_test *t, void *param)
{
    const struct mini_opts *so = suite_opts(t->id.category);
    double start = now();
    struct outcome o;

    if (t->opts.disabled || so->disabled) {
        sum.skipped++;
        record(t, "SKIP", 0);
        return;
    }
    fprintf(stderr, "[RUN ] %s::%s\n", t->id.category, t->id.name);
    if (getenv("MINI_NOFORK") && !t->opts.signal && !t->opts.exit_code)
        o = run_here(t, param, so);
    else
        o = run_forked(t, param, so);
    o.secs = now() - start;
    judge(t, so, &o);
}

static void run_all_parameters(struct mini_test *t)
{
    struct criterion_test_params p;

    if (!t->params) {
        run_one(t, NULL);
        return;
    }
    p = t->params();
    for (size_t k = 0; k < p.length; k++)
        run_one(t, (char *)p.params + k * p.size);
}

static void options_from_environment(struct options *o)
{
    const char *total = getenv("TEST_TOTAL_SHARDS"), *index = getenv("TEST_SHARD_INDEX");

    o->pattern = getenv("TESTBRIDGE_TEST_ONLY");
    o->xml_path = getenv("XML_OUTPUT_FILE");
    o->shard_status = getenv("TEST_SHARD_STATUS_FILE");
    o->shard_total = total ? strtoul(total, NULL, 10) : 0;
    o->shard_index = index ? strtoul(index, NULL, 10) : 0;
}

static bool parse_options(struct options *o, int argc, char **argv)
{
    for (int a = 1; a < argc; a++) {
        if (!strcmp(argv[a], "--filter") && a + 1 < argc)
            o->pattern = argv[++a];
        else if (!strncmp(argv[a], "--filter=", 9))
            o->pattern = argv[a] + 9;
        else if (!strncmp(argv[a], "--xml=", 6))
            o->xml_path = argv[a] + 6;
        else if (!strcmp(argv[a], "--list"))
            o->list = true;
        else if (strncmp(argv[a], "-j", 2) && strncmp(argv[a], "--verbose", 9))
            return fprintf(stderr, "unknown option %s\n", argv[a]), false;
    }
    return true;
}

static void run_selected(const struct options *o)
{
    unsigned long running = 0;
    char id[512];

    for (struct mini_test *t = tests; t; t = t->next) {
        snprintf(id, sizeof id, "%s/%s", t->id.category, t->id.name);
        if (o->pattern && *o->pattern && fnmatch(o->pattern, id, FNM_EXTMATCH))
            continue;
        if (o->list) {
            puts(id);
            continue;
        }
        if (o->shard_total > 1 && running++ % o->shard_total != o->shard_index)
            continue;
        run_all_parameters(t);
    }
}

int main(int argc, char **argv)
{
    const char *only = getenv("TESTBRIDGE_TEST_ONLY");
    struct options o = {0};

    options_from_environment(&o);
    if (!parse_options(&o, argc, argv))
        return 2;
    if (o.xml_path && *o.xml_path && (xml = fopen(o.xml_path, "w")))
        fputs("<testsuites>\n <testsuite name=\"mini\">\n", xml);
    if (o.shard_total > 1 && o.shard_status)
        close(open(o.shard_status, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    run_selected(&o);
    if (xml) {
        fputs(" </testsuite>\n</testsuites>\n", xml);
        fclose(xml);
    }
    if (o.list)
        return 0;
    fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: %u \n",
            sum.tested, sum.passed, sum.failed, sum.crashed);
    if (!sum.tested && !sum.skipped && o.shard_total <= 1 && !(only && *only))
        return fprintf(stderr, "no test ran\n"), 3;
    return sum.failed ? 1 : 0;
}
